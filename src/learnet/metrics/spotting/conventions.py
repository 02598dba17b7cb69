"""The same spotted intervals under every convention of the field, which differ by several points of F1."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float, Int

from learnet.metrics.scores import ends, times_drawn
from learnet.metrics.spotting.intervals import MATCHINGS, Hits, Interval, Matching, limits_of, match, overlaps

IOU = 0.5  # from which a prediction is a hit in all challenges (MEGC 2020 to 2025)
ALL = "all"
KINDS = (ALL, "macro", "micro")
DRAWS = 2000


@dataclass(frozen=True)
class Convention:
    """What counts as a hit."""

    typed: bool  # a hit must be of the same kind, micro or macro
    inclusive: bool  # lengths are counted in frames, of which onset and offset are part; else measured
    strict: bool  # the overlap must be above IOU; else equal to it or above
    matching: Matching = "one to one"
    flagged: bool = False  # hits are those that the log itself flags; `typed` alone has a meaning then

    @property
    def name(self) -> str:
        """All choices, as "typed, frames, >= 0.5, one to one"."""
        typed = "typed" if self.typed else "any type"
        if self.flagged:
            return f"{typed}, the log's own flags"
        length = "frames" if self.inclusive else "time"
        limit = f"> {IOU}" if self.strict else f">= {IOU}"
        return f"{typed}, {length}, {limit}, {self.matching}"


@dataclass(frozen=True)
class KindScores:
    """Scores of the intervals of one kind, pooled over all videos."""

    kind: str  # one of KINDS
    hits: int  # true positives
    false_alarms: int  # false positives
    misses: int  # false negatives
    precision: float  # 0 where it is not defined
    recall: float
    f1: float | None  # None where there is neither an event nor a prediction
    low: float | None = None  # 95 % interval of F1 by bootstrap over people; None for one or unknown people
    high: float | None = None


@dataclass(frozen=True)
class ConventionScores:
    """Scores under one convention."""

    convention: Convention
    kinds: tuple[KindScores, ...]  # KINDS, or only ALL where the kinds are not known


Counts = Int[np.ndarray, "P K 3"]
"""Hits, false alarms and misses of each person and each of KINDS."""


def all_conventions(typed: bool) -> list[Convention]:
    """Return all conventions, that of the MEGC challenges first; those without types if `typed` is false."""
    choices = product([True, False] if typed else [False], [True, False], [False, True], MATCHINGS)
    return [Convention(*choice) for choice in choices]


def group_videos(
    events: Sequence[Interval], predictions: Sequence[Interval]
) -> list[tuple[list[Interval], list[Interval]]]:
    """Return the events and the predictions of each video, in the order of the videos' names."""
    videos: dict[str, tuple[list[Interval], list[Interval]]] = {}
    for event in events:
        videos.setdefault(event.video, ([], []))[0].append(event)
    for prediction in predictions:
        videos.setdefault(prediction.video, ([], []))[1].append(prediction)
    return [videos[name] for name in sorted(videos)]


def find_hits(events: Sequence[Interval], predictions: Sequence[Interval], convention: Convention) -> Hits:
    """Return the hits in one video under a convention that is not `flagged`."""
    unit = 1.0 if convention.inclusive else 0.0
    overlap = overlaps(limits_of(events), limits_of(predictions), unit)
    allowed = overlap > IOU if convention.strict else overlap >= IOU
    if convention.typed:
        event_kinds = np.array([event.kind for event in events], dtype=str)
        prediction_kinds = np.array([prediction.kind for prediction in predictions], dtype=str)
        allowed = allowed & (event_kinds[:, None] == prediction_kinds[None, :])
    return match(allowed, convention.matching)


def count(
    events: Sequence[Interval], predictions: Sequence[Interval], convention: Convention, people: Sequence[str]
) -> Counts:
    """Count hits, false alarms and misses of each person and kind.

    A hit has the kind of its event, or that of its prediction where hits are counted by predictions.
    """
    totals = np.zeros((len(people), len(KINDS), 3), dtype=np.int64)
    person_index = {person: index for index, person in enumerate(people)}
    for of_video, predicted in group_videos(events, predictions):
        hits = find_hits(of_video, predicted, convention)
        hit = [of_video[i] for i in hits.hit_events]
        if not hits.are_events:
            hit = [predicted[i] for i in hits.hit_predictions]
        false_alarms = [predicted[i] for i in hits.false_alarms]
        misses = [of_video[i] for i in hits.misses]
        for column, intervals in enumerate((hit, false_alarms, misses)):
            for interval in intervals:
                add(totals[person_index[interval.person]], interval.kind, column)
    return totals


def add(counts: Int[np.ndarray, "K 3"], kind: str, column: int) -> None:
    """Add an interval of a kind to the counts of a person: to all kinds together and to its own."""
    counts[KINDS.index(ALL), column] += 1
    if kind in KINDS:
        counts[KINDS.index(kind), column] += 1


def score_counts(counts: Counts, with_kinds: bool) -> tuple[KindScores, ...]:
    """Return precision, recall and F1 of the pooled counts, with intervals of F1.

    Args:
        counts: of each person and kind.
        with_kinds: whether the kinds are known; else only all of them together are scored.
    """
    limits = f1_intervals(counts)
    scores = []
    for index, kind in enumerate(KINDS if with_kinds else (ALL,)):
        hits, false_alarms, misses = counts[:, index].sum(axis=0).tolist()
        low, high = limits[index].tolist()
        total = 2 * hits + false_alarms + misses
        is_known = total > 0 and not np.isnan(low)
        scores.append(
            KindScores(
                kind,
                hits,
                false_alarms,
                misses,
                precision=hits / max(hits + false_alarms, 1),
                recall=hits / max(hits + misses, 1),
                f1=2 * hits / total if total else None,
                low=low if is_known else None,
                high=high if is_known else None,
            )
        )
    return tuple(scores)


def f1_intervals(counts: Counts, draws: int = DRAWS) -> Float[np.ndarray, "K 2"]:
    """Return the 95 % interval of F1 of each kind by bootstrap over people; NaN for one person."""
    times = times_drawn(len(counts), draws)
    drawn = np.einsum("dp,pkc->kdc", times, counts)
    hits, errors = drawn[..., 0], drawn[..., 1] + drawn[..., 2]
    total = 2 * hits + errors
    f1 = np.divide(2.0 * hits, total, out=np.zeros(hits.shape), where=total > 0)
    return ends(f1, len(counts))


def average_precision(events: Sequence[Interval], predictions: Sequence[Interval]) -> float | None:
    """Return the average precision at IOU, inclusive of frames, one to one.

    Predictions are taken by descending score; each hits the event that it overlaps most among those that no
    prediction has hit. The average precision is the sum of precision times the increase of recall at each
    different score, without interpolation.

    Args:
        events: of all videos.
        predictions: of all videos, with scores.

    Returns:
        0..1; None without events, or where a prediction has no score.
    """
    if not events or any(prediction.score is None for prediction in predictions):
        return None
    scored_hits: list[tuple[float, bool]] = []
    for of_video, predicted in group_videos(events, predictions):
        scored_hits += _scored_hits(of_video, predicted)
    scored_hits.sort(key=lambda pair: -pair[0])
    area = 0.0
    hits = hits_before = 0
    for position, (score, is_hit) in enumerate(scored_hits):
        hits += is_hit
        is_last = position + 1 == len(scored_hits) or scored_hits[position + 1][0] != score
        if is_last:
            precision = hits / (position + 1)
            area += precision * (hits - hits_before) / len(events)
            hits_before = hits
    return area


def _scored_hits(events: Sequence[Interval], predictions: Sequence[Interval]) -> list[tuple[float, bool]]:
    """Return the score of each prediction of a video, and whether it hits an event."""
    overlap = overlaps(limits_of(events), limits_of(predictions), unit=1.0)
    scores = [prediction.score or 0.0 for prediction in predictions]
    scored_hits = []
    for position in sorted(range(len(scores)), key=lambda position: -scores[position]):
        column = overlap[:, position]
        best = int(column.argmax()) if len(column) else -1
        is_hit = best >= 0 and bool(column[best] >= IOU)
        if is_hit:
            overlap[best] = 0.0  # no other prediction can hit it
        scored_hits.append((scores[position], is_hit))
    return scored_hits
