"""Scores of action units against the codes of annotators: AUC, average precision, F1, accuracy of the side.

A unit is scored where at least one clip shows it and at least one does not; means over units are unweighted
and leave the other units out. Intervals are expanded percentiles of a bootstrap over people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from learnet.core.labels import parse_action_units
from learnet.metrics.scores import DRAWS, ends, times_drawn
from learnet.metrics.study_metrics import Score

MEASURE_NAMES = {
    "auc": "AUC",
    "average_precision": "AP",
    "f1": "F1",
    "f1_matched": "matched F1",
}
"""Measure, as in files, and its heading in tables; in the order of the values of `unit_measures`."""

VALUES_AT_ONCE = 4_000_000  # clips times resamples in one array; bounds the memory


@dataclass(frozen=True)
class ScoredUnits:
    """Scores of U action units and what annotators saw, for N clips."""

    units: tuple[int, ...]  # numbers of the units
    people: tuple[str, ...]  # person of each clip
    truth: Bool[np.ndarray, "N U 2"]  # seen on the person's left, and right (`annotated_sides`)
    scores: Float64[np.ndarray, "N U"]  # 0..1; NaN: this clip has no score of this unit
    thresholds: tuple[float, ...]  # score from which each unit is named
    sides: Float64[np.ndarray, "N U 2"] | None  # scores of the person's left and right; None: not known

    @property
    def active(self) -> Bool[np.ndarray, "N U"]:
        """Whether each unit was seen on any side."""
        return np.any(self.truth, axis=2)


@dataclass(frozen=True)
class UnitMetrics:
    """The scores of one action unit."""

    unit: int
    clips: int  # clips that have a score
    positive: int  # those in which the unit was annotated
    people: int  # people who have such a clip
    threshold: float
    named: int  # clips whose score reaches the threshold
    measures: dict[str, Score]  # by the names of MEASURE_NAMES; empty where they are not defined
    one_sided: int  # clips in which the unit was annotated on one side only, if sides are scored
    right_side: int  # those in which this side has the larger score

    @property
    def prevalence(self) -> float:
        """Share of the clips in which the unit was annotated: the AP and the matched F1 of chance."""
        return self.positive / self.clips if self.clips else 0.0


@dataclass(frozen=True)
class ActionUnitMetrics:
    """The scores of all units, and their means."""

    clips: int
    people: int
    units: list[UnitMetrics]
    mean: dict[str, Score]  # mean of each measure over the units of `averaged`
    averaged: list[int]  # units whose measures are defined
    one_sided: int  # codes of one side, over all units
    right_side: int  # those in which the annotated side has the larger score

    def mean_of(self, measure: str, units: Sequence[int]) -> tuple[float, int] | None:
        """Return the mean of a measure over those of `units` for which it is defined, and their number.

        None where it is defined for none of them.
        """
        values = [part.measures[measure].value for part in self.units if part.unit in units and part.measures]
        return (sum(values) / len(values), len(values)) if values else None


def annotated_sides(codes: Sequence[str], units: Sequence[int]) -> Bool[np.ndarray, "N U 2"]:
    """Return on which sides of the face each unit was annotated.

    A unit without a letter of a side is active on both. Units that were there before the movement (4DME) do
    not count.

    Args:
        codes: as the annotators wrote them, such as `4+7+L10`.
        units: numbers of the units; others are ignored.
    """
    column_of = {unit: column for column, unit in enumerate(units)}
    seen = np.zeros((len(codes), len(units), 2), dtype=bool)
    for row, code in enumerate(codes):
        for unit in parse_action_units(code):
            column = column_of.get(unit.number)
            if column is None or unit.static:
                continue
            if unit.side != "R":
                seen[row, column, 0] = True
            if unit.side != "L":
                seen[row, column, 1] = True
    return seen


def score_action_units(data: ScoredUnits, draws: int = DRAWS) -> ActionUnitMetrics:
    """Compute all scores, with 95 % intervals over people.

    Whole people are drawn with replacement. A unit that is seen in all clips of a resample, or in none, is
    left out of the mean of this resample.

    Args:
        data: scores and annotations.
        draws: number of resamples.
    """
    people, person_of_clip = np.unique(np.array(data.people), return_inverse=True)
    values = _measures(data, np.ones((1, len(data.people)), dtype=np.int64))[..., 0]  # (4, U)
    drawn = _drawn_measures(data, person_of_clip, draws)  # (4, U, D)
    if len(people) < 2:
        drawn = drawn[..., :0]
    is_averaged = ~np.isnan(values[0])
    units = []
    for column in range(len(data.units)):
        scores: dict[str, Score] = {}
        if is_averaged[column]:
            scores = _scores(values[:, column], drawn[:, column], len(people))
        units.append(_unit_metrics(data, column, scores))
    averaged = [unit.unit for unit in units if unit.measures]
    mean = {}
    if averaged:
        mean_values = _mean(values[:, is_averaged])
        mean_drawn = _mean(drawn[:, is_averaged])
        mean = _scores(mean_values, mean_drawn, len(people))
    return ActionUnitMetrics(
        clips=len(data.people),
        people=len(people),
        units=units,
        mean=mean,
        averaged=averaged,
        one_sided=sum(unit.one_sided for unit in units),
        right_side=sum(unit.right_side for unit in units),
    )


def unit_measures(
    scores: Float64[np.ndarray, "N"],
    truth: Bool[np.ndarray, "N"],
    threshold: float,
    weights: Int64[np.ndarray, "D N"],
) -> Float64[np.ndarray, "4 D"]:
    """Return area under the ROC curve, average precision, F1 at a threshold and F1 at matched prevalence.

    At matched prevalence, as many clips are named as are positive: those with the highest scores, and of
    equal scores the first.

    Args:
        scores: of each clip.
        truth: whether each clip is positive.
        threshold: score from which a clip is named.
        weights: how often each clip counts, for each of D samples; copies of a clip follow each other.

    Returns:
        In the order of MEASURE_NAMES; NaN for a sample without any positive or any negative clip.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    is_positive = truth[order]
    clips = weights[:, order].astype(np.float64)
    positive = clips * is_positive
    number = clips.sum(axis=1)
    positives = positive.sum(axis=1)
    negatives = number - positives
    clips_so_far = np.cumsum(clips, axis=1)
    positive_so_far = np.cumsum(positive, axis=1)
    last_of_equal = _last_of_equal(ranked)
    named = clips_so_far[:, last_of_equal]
    hits = positive_so_far[:, last_of_equal]
    is_named = ranked >= threshold
    named_at_threshold = clips[:, is_named].sum(axis=1)
    hits_at_threshold = positive[:, is_named].sum(axis=1)
    clips_before = clips_so_far - clips
    matched = np.clip(positives[:, None] - clips_before, 0, clips)
    matched_hits = (matched * is_positive).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        auc = _area_under_roc(named - hits, hits) / (positives * negatives)
        average_precision = _area_under_precision(named, hits) / positives
        f1 = 2 * hits_at_threshold / (named_at_threshold + positives)
        matched_f1 = matched_hits / positives
    values = np.stack([auc, average_precision, f1, matched_f1])
    is_undefined = (positives == 0) | (negatives == 0)
    values[:, is_undefined] = np.nan
    return values


def _last_of_equal(ranked: Float64[np.ndarray, "N"]) -> Int64[np.ndarray, "G"]:
    """Return the position of the last of each group of equal scores, which are in descending order."""
    if not len(ranked):
        return np.zeros(0, dtype=np.int64)
    differs_from_next = np.diff(ranked) != 0
    return np.flatnonzero(np.append(differs_from_next, True))


def _area_under_roc(
    false_alarms: Float64[np.ndarray, "D G"], hits: Float64[np.ndarray, "D G"]
) -> Float64[np.ndarray, "D"]:
    """Return the area under the numbers of hits over false alarms, by trapezoids."""
    more_false_alarms = np.diff(false_alarms, axis=1, prepend=0)
    more_hits = np.diff(hits, axis=1, prepend=0)
    return (more_false_alarms * (hits - more_hits / 2)).sum(axis=1)


def _area_under_precision(
    named: Float64[np.ndarray, "D G"], hits: Float64[np.ndarray, "D G"]
) -> Float64[np.ndarray, "D"]:
    """Return the sum of the precision at each threshold, times the hits that it adds."""
    precision = np.divide(hits, named, out=np.zeros_like(hits), where=named > 0)
    return (np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1)


def _measures(data: ScoredUnits, weights: Int64[np.ndarray, "D N"]) -> Float64[np.ndarray, "4 U D"]:
    """Return the measures of each unit over the clips that have a score of it."""
    active = data.active
    values = []
    for column, threshold in enumerate(data.thresholds):
        has_score = ~np.isnan(data.scores[:, column])
        scores = data.scores[has_score, column]
        truth = active[has_score, column]
        values.append(unit_measures(scores, truth, threshold, weights[:, has_score]))
    return np.stack(values, axis=1)


def _drawn_measures(
    data: ScoredUnits, person_of_clip: Int64[np.ndarray, "N"], draws: int
) -> Float64[np.ndarray, "4 U D"]:
    """Return the measures of each unit in resamples of the people."""
    times = times_drawn(int(person_of_clip.max()) + 1, draws)
    at_once = max(VALUES_AT_ONCE // len(person_of_clip), 1)
    parts = []
    for start in range(0, draws, at_once):
        weights = times[start : start + at_once, person_of_clip]
        parts.append(_measures(data, weights))
    return np.concatenate(parts, axis=2)


def _mean(values: Float64[np.ndarray, "4 U *D"]) -> Float64[np.ndarray, "4 *D"]:
    """Return the means over the units for which the measures are defined; NaN where there are none."""
    is_defined = ~np.isnan(values)
    number = is_defined.sum(axis=1)
    total = np.where(is_defined, values, 0).sum(axis=1)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def _scores(
    values: Float64[np.ndarray, "4"], drawn: Float64[np.ndarray, "4 D"], people: int
) -> dict[str, Score]:
    """Return each measure with its interval, which one person does not give."""
    scores = {}
    for measure, value, resamples in zip(MEASURE_NAMES, values.tolist(), drawn, strict=True):
        defined = resamples[~np.isnan(resamples)]
        low, high = None, None
        if len(defined):
            low, high = ends(defined, people).tolist()
        scores[measure] = Score(value, low, high)
    return scores


def _unit_metrics(data: ScoredUnits, column: int, measures: dict[str, Score]) -> UnitMetrics:
    """Count the clips of a unit, and add its measures."""
    has_score = ~np.isnan(data.scores[:, column])
    is_positive = data.active[:, column] & has_score
    threshold = data.thresholds[column]
    is_named = data.scores[:, column] >= threshold  # False for NaN
    people = {person for person, shows in zip(data.people, is_positive, strict=True) if shows}
    one_sided, right_side = _count_sides(data, column, has_score)
    return UnitMetrics(
        unit=data.units[column],
        clips=int(has_score.sum()),
        positive=int(is_positive.sum()),
        people=len(people),
        threshold=threshold,
        named=int(is_named.sum()),
        measures=measures,
        one_sided=one_sided,
        right_side=right_side,
    )


def _count_sides(data: ScoredUnits, column: int, has_score: Bool[np.ndarray, "N"]) -> tuple[int, int]:
    """Count the clips in which a unit was annotated on one side, and those of them with the right side."""
    if data.sides is None:
        return 0, 0
    left, right = data.truth[:, column].T
    is_one_sided = (left != right) & has_score
    left_score, right_score = data.sides[:, column].T
    is_right = np.where(left, left_score > right_score, left_score < right_score)
    return int(is_one_sided.sum()), int((is_one_sided & is_right).sum())
