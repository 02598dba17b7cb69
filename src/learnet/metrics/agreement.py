"""Agreement of two coders, or of a coder and learnet: events, times, kinds and labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from learnet.core.errors import LearnetError
from learnet.core.records import Event
from learnet.metrics.scores import ends, times_drawn
from learnet.metrics.spotting.intervals import one_to_one, overlaps

IOUS = (0.3, 0.5, 0.7)
"""Overlaps from which two events count as the same, for F1."""

PAIR_IOU = 0.5  # for the pairs whose times, kinds and labels are compared
GRID_S = 0.01  # seconds between the points in time at which kappa compares the coders
NOTHING = "no event"  # category of a point in time without an event, and of an event that only one saw
DRAWS = 2000
MOST_POINTS = 10_000_000  # of the grid: 27 hours at 10 ms
MARKS = ("onset", "apex", "offset")


@dataclass(frozen=True)
class CodedRecording:
    """What two coders saw in one recording."""

    name: str
    first: tuple[Event, ...]
    second: tuple[Event, ...]
    duration_s: float


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval by bootstrap."""

    value: float
    low: float | None  # None where there is only one unit to draw from
    high: float | None


@dataclass(frozen=True)
class EventAgreement:
    """How many events both saw, at one overlap."""

    iou: float
    both: int  # pairs, one to one
    only_first: int
    only_second: int
    f1: Estimate  # over recordings


@dataclass(frozen=True)
class TimeAgreement:
    """Cohen's kappa of the categories at all points in time."""

    of: str  # "presence", "kind" or "label"
    categories: tuple[str, ...]  # NOTHING first
    counts: tuple[tuple[int, ...], ...]  # points in time; rows are the first coder's categories
    kappa: Estimate | None  # over recordings; None where both see one and the same category all the time


@dataclass(frozen=True)
class MarkDifference:
    """Time of a mark in the second coder's event minus that in the first coder's, over all pairs."""

    mark: str  # one of MARKS
    pairs: int
    mean_ms: Estimate  # over recordings; over pairs where there is one recording
    median_ms: float
    mean_absolute_ms: Estimate


@dataclass(frozen=True)
class Confusion:
    """Kinds or labels of the pairs, and of the events that only one coder saw."""

    of: str  # "kind" or "label"
    categories: tuple[str, ...]  # NOTHING last
    counts: tuple[tuple[int, ...], ...]  # rows are the first coder's categories


@dataclass(frozen=True)
class SingleEvent:
    """An event that only one of the coders saw."""

    recording: str
    coder: str  # "first" or "second"
    event: Event


@dataclass(frozen=True)
class Agreement:
    """All that two coders agree and disagree in."""

    recordings: int
    events: tuple[EventAgreement, ...]  # one for each of IOUS
    times: tuple[TimeAgreement, ...]
    differences: tuple[MarkDifference, ...]  # empty without pairs
    confusions: tuple[Confusion, ...]
    single: tuple[SingleEvent, ...]


Category = Callable[[Event], str]


def agreement(
    recordings: Sequence[CodedRecording], grid_s: float = GRID_S, pair_iou: float = PAIR_IOU
) -> Agreement:
    """Compare two coders of the same recordings.

    Events are paired one to one by their overlap in frames, whatever their kind. Labels are compared where
    both coders use some.

    Args:
        recordings: what both saw in each.
        grid_s: seconds between the points in time at which kappa compares the coders.
        pair_iou: overlap from which two events are a pair whose times, kinds and labels are compared.

    Raises:
        LearnetError: there is no recording, neither coder saw anything, or the grid or the overlap is out of
            range.

    References:
        Cohen, Educational and Psychological Measurement 20:37-46, 1960 (kappa).
    """
    _check(recordings, grid_s, pair_iou)
    pairs = [_pairs(recording, pair_iou) for recording in recordings]
    categories: dict[str, Category] = {"kind": lambda event: event.kind}
    if _labelled(recordings):
        categories["label"] = lambda event: event.label.lower() or "without a label"
    times = [_time_agreement(recordings, "presence", lambda event: "event", grid_s)]
    for of, category in categories.items():
        times.append(_time_agreement(recordings, of, category, grid_s))
    return Agreement(
        recordings=len(recordings),
        events=tuple(_event_agreement(recordings, iou) for iou in IOUS),
        times=tuple(times),
        differences=_differences(recordings, pairs),
        confusions=tuple(_confusion(recordings, pairs, of, category) for of, category in categories.items()),
        single=tuple(_single(recordings, pairs)),
    )


def _check(recordings: Sequence[CodedRecording], grid_s: float, pair_iou: float) -> None:
    if not any(recording.first or recording.second for recording in recordings):
        raise LearnetError("Neither coder has any event.", "Give files with events.")
    if not 0 < pair_iou <= 1:
        raise LearnetError(f"An overlap of {pair_iou:g} is not in 0..1.", "Give a number above 0, up to 1.")
    if not 0 < grid_s <= 1:
        raise LearnetError(f"A grid of {grid_s:g} seconds is not in 0..1.", "Give a number such as 0.01.")
    points = sum(recording.duration_s for recording in recordings) / grid_s
    if points > MOST_POINTS:
        raise LearnetError(f"A grid of {grid_s:g} seconds has {points:.0f} points.", "Give a coarser one.")


def _labelled(recordings: Sequence[CodedRecording]) -> bool:
    """Return whether both coders use labels."""
    first = any(event.label for recording in recordings for event in recording.first)
    second = any(event.label for recording in recordings for event in recording.second)
    return first and second


def _frames(events: Sequence[Event]) -> Float[np.ndarray, "N 2"]:
    return np.array([(event.onset, event.offset) for event in events], dtype=float).reshape(-1, 2)


def _pairs(recording: CodedRecording, iou: float) -> list[tuple[int, int]]:
    """Return the positions of the events that are the same."""
    overlap = overlaps(_frames(recording.first), _frames(recording.second), unit=1.0)
    return one_to_one(overlap >= iou)


def _event_agreement(recordings: Sequence[CodedRecording], iou: float) -> EventAgreement:
    """Return the events that both saw. F1 has the coders in equal roles: it is the same in either order."""
    rows = []
    for recording in recordings:
        both = len(_pairs(recording, iou))
        rows.append((both, len(recording.first) - both, len(recording.second) - both))
    counts = np.array(rows, dtype=float)  # (R, 3)
    both, only_first, only_second = counts.sum(axis=0).astype(int).tolist()

    def f1(drawn: Float[np.ndarray, "D 3"]) -> Float[np.ndarray, "D"]:
        total = 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2]
        return np.divide(2 * drawn[:, 0], total, out=np.zeros(len(drawn)), where=total > 0)

    return EventAgreement(iou, both, only_first, only_second, _estimate(counts, f1))


def _estimate(
    sums: Float[np.ndarray, "G M"], statistic: Callable[[np.ndarray], Float[np.ndarray, "D"]]
) -> Estimate:
    """Return a statistic of sums over groups, with its interval by bootstrap over the groups.

    Args:
        sums: what is added up, of each group.
        statistic: function of such sums, for many resamples at a time.
    """
    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    if len(sums) < 2:
        return Estimate(value, None, None)
    drawn = times_drawn(len(sums), DRAWS).astype(float) @ sums
    low, high = ends(statistic(drawn), len(sums)).tolist()
    return Estimate(value, low, high)


def _time_agreement(
    recordings: Sequence[CodedRecording], of: str, category: Category, grid_s: float
) -> TimeAgreement:
    seen = {category(event) for recording in recordings for event in (*recording.first, *recording.second)}
    categories = (NOTHING, *sorted(seen))
    counts = np.stack([_grid_counts(recording, category, categories, grid_s) for recording in recordings])
    total = counts.sum(axis=0)
    size = len(categories)
    kappa = None
    if np.isfinite(cohen_kappa(total[None].astype(float))[0]):
        flat = counts.reshape(len(counts), -1).astype(float)
        kappa = _estimate(flat, lambda drawn: _defined_kappa(drawn.reshape(-1, size, size)))
    return TimeAgreement(of, categories, tuple(map(tuple, total.tolist())), kappa)


def _defined_kappa(counts: Float[np.ndarray, "D K K"]) -> Float[np.ndarray, "D"]:
    """Return kappa; 1 for resamples in which both coders see one and the same category all the time."""
    return np.nan_to_num(cohen_kappa(counts), nan=1.0)


def cohen_kappa(counts: Float[np.ndarray, "D K K"]) -> Float[np.ndarray, "D"]:
    """Return Cohen's kappa of tables of counts; NaN where both coders use one and the same category only."""
    total = counts.sum(axis=(1, 2))
    observed = np.trace(counts, axis1=1, axis2=2) / total
    rows = counts.sum(axis=2) / total[:, None]
    columns = counts.sum(axis=1) / total[:, None]
    expected = (rows * columns).sum(axis=1)
    possible = 1.0 - expected
    undefined = np.full(len(counts), np.nan)
    return np.divide(observed - expected, possible, out=undefined, where=possible > 1e-12)


def _grid_counts(
    recording: CodedRecording, category: Category, categories: Sequence[str], grid_s: float
) -> Int[np.ndarray, "K K"]:
    """Count the points in time with each category of the first and of the second coder."""
    points = int(np.floor(recording.duration_s / grid_s + 1e-9)) + 1
    first = category_at_points(recording.first, category, categories, points, grid_s)
    second = category_at_points(recording.second, category, categories, points, grid_s)
    size = len(categories)
    return np.bincount(first * size + second, minlength=size * size).reshape(size, size)


def category_at_points(
    events: Sequence[Event], category: Category, categories: Sequence[str], points: int, grid_s: float
) -> Int[np.ndarray, "points"]:
    """Return the position in `categories` of what a coder sees at the times 0, grid_s, 2 * grid_s, ...

    Onset and offset are inside an event. Where events overlap, the one that began first counts.
    """
    codes = np.zeros(points, dtype=np.int64)
    for event in sorted(events, key=lambda event: event.onset_s, reverse=True):
        start = int(np.ceil(event.onset_s / grid_s - 1e-9))
        stop = int(np.floor(event.offset_s / grid_s + 1e-9)) + 1
        codes[start:stop] = categories.index(category(event))
    return codes


def _differences(
    recordings: Sequence[CodedRecording], pairs: Sequence[Sequence[tuple[int, int]]]
) -> tuple[MarkDifference, ...]:
    if not any(pairs):
        return ()
    differences = []
    for mark in MARKS:
        groups = []
        for recording, own_pairs in zip(recordings, pairs, strict=True):
            times = []
            for i, j in own_pairs:
                second_s = getattr(recording.second[j], f"{mark}_s")
                times.append(1000 * (second_s - getattr(recording.first[i], f"{mark}_s")))
            groups.append(times)
        differences.append(_mark_difference(mark, groups))
    return tuple(differences)


def _mark_difference(mark: str, groups: Sequence[Sequence[float]]) -> MarkDifference:
    """Return the statistics of differences in milliseconds, grouped by recording."""
    values = [value for group in groups for value in group]
    units = [group for group in groups if group]
    if len(groups) == 1:
        units = [[value] for value in values]
    signed = np.array([(sum(unit), len(unit)) for unit in units], dtype=float)
    absolute = np.array([(sum(map(abs, unit)), len(unit)) for unit in units], dtype=float)

    def mean(drawn: Float[np.ndarray, "D 2"]) -> Float[np.ndarray, "D"]:
        return drawn[:, 0] / drawn[:, 1]

    return MarkDifference(
        mark=mark,
        pairs=len(values),
        mean_ms=_estimate(signed, mean),
        median_ms=float(np.median(values)),
        mean_absolute_ms=_estimate(absolute, mean),
    )


def _confusion(
    recordings: Sequence[CodedRecording],
    pairs: Sequence[Sequence[tuple[int, int]]],
    of: str,
    category: Category,
) -> Confusion:
    cells = []
    for recording, own_pairs in zip(recordings, pairs, strict=True):
        cells += [(category(recording.first[i]), category(recording.second[j])) for i, j in own_pairs]
    for single in _single(recordings, pairs):
        name = category(single.event)
        cells.append((name, NOTHING) if single.coder == "first" else (NOTHING, name))
    seen = {name for cell in cells for name in cell} - {NOTHING}
    categories = (*sorted(seen), NOTHING)
    counts = np.zeros((len(categories), len(categories)), dtype=np.int64)
    for first, second in cells:
        counts[categories.index(first), categories.index(second)] += 1
    return Confusion(of, categories, tuple(map(tuple, counts.tolist())))


def _single(
    recordings: Sequence[CodedRecording], pairs: Sequence[Sequence[tuple[int, int]]]
) -> list[SingleEvent]:
    """Return the events without a partner, by recording and time."""
    single = []
    for recording, own_pairs in zip(recordings, pairs, strict=True):
        own = []
        paired_first = {i for i, _ in own_pairs}
        paired_second = {j for _, j in own_pairs}
        for i, event in enumerate(recording.first):
            if i not in paired_first:
                own.append(SingleEvent(recording.name, "first", event))
        for j, event in enumerate(recording.second):
            if j not in paired_second:
                own.append(SingleEvent(recording.name, "second", event))
        single += sorted(own, key=lambda item: item.event.onset_s)
    return single
