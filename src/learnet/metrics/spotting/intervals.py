"""Intervals of videos, their overlap, and which prediction hits which event."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

Matching = Literal["one to one", "events", "predictions"]

MATCHINGS: dict[Matching, str] = {
    "one to one": "each prediction hits one event at most, and each event is hit once at most",
    "events": "each event that any prediction hits is a hit; one prediction may hit several events",
    "predictions": "each prediction that hits any event is a hit; several may hit the same event",
}
"""Way of counting hits, and its meaning."""


@dataclass(frozen=True)
class Interval:
    """An event of a video, or a prediction of one."""

    video: str
    onset: float  # frame, or second
    offset: float  # frame, inclusive, or second
    kind: str = ""  # "micro" or "macro"; empty: unknown
    label: str = ""  # emotion; empty: unknown
    score: float | None = None  # of a prediction; higher is more certain
    person: str = ""
    line: int = 0  # of its file

    @property
    def limits(self) -> tuple[float, float]:
        """Onset and offset."""
        return self.onset, self.offset


@dataclass(frozen=True)
class Hits:
    """The positions of what counts as hit, as false alarm and as miss in one video."""

    hit_events: tuple[int, ...]  # the same number as `hit_predictions` only where they are pairs
    hit_predictions: tuple[int, ...]
    false_alarms: tuple[int, ...]  # predictions
    misses: tuple[int, ...]  # events
    are_events: bool  # whether hits are counted by events; else by predictions


def limits_of(intervals: Iterable[Interval]) -> Float[np.ndarray, "N 2"]:
    """Return onset and offset of each interval."""
    return np.array([interval.limits for interval in intervals], dtype=float).reshape(-1, 2)


def overlaps(
    events: Float[np.ndarray, "N 2"], predictions: Float[np.ndarray, "M 2"], unit: float
) -> Float[np.ndarray, "N M"]:
    """Return the intersection over union of each event with each prediction.

    Args:
        events: onset and offset.
        predictions: onset and offset.
        unit: added to every length. 1 counts frames, of which onset and offset are part; 0 measures time.

    Returns:
        Values in 0..1. Intervals whose onset is after their offset have no overlap with anything.
    """
    begin = np.maximum(events[:, None, 0], predictions[None, :, 0])
    end = np.minimum(events[:, None, 1], predictions[None, :, 1])
    intersection = np.maximum(end - begin + unit, 0.0)
    event_lengths = events[:, 1] - events[:, 0] + unit
    prediction_lengths = predictions[:, 1] - predictions[:, 0] + unit
    union = event_lengths[:, None] + prediction_lengths[None, :] - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=intersection > 0)


def match(allowed: Bool[np.ndarray, "N M"], matching: Matching) -> Hits:
    """Count hits, false alarms and misses.

    Args:
        allowed: whether each event (row) and prediction (column) overlap enough.
        matching: one of MATCHINGS.
    """
    if matching == "one to one":
        pairs = one_to_one(allowed)
        events = tuple(event for event, _ in pairs)
        predictions = tuple(prediction for _, prediction in pairs)
    else:
        events = _positions(np.any(allowed, axis=1))
        predictions = _positions(np.any(allowed, axis=0))
    rows, columns = allowed.shape
    return Hits(
        hit_events=events,
        hit_predictions=predictions,
        false_alarms=tuple(sorted(set(range(columns)) - set(predictions))),
        misses=tuple(sorted(set(range(rows)) - set(events))),
        are_events=matching != "predictions",
    )


def one_to_one(allowed: Bool[np.ndarray, "N M"]) -> list[tuple[int, int]]:
    """Return as many pairs of an event and a prediction as possible, in the order of the events.

    References:
        Kuhn, Naval Research Logistics Quarterly 2:83-97, 1955; for two sets without weights by augmenting
        paths.
    """
    event_of: dict[int, int] = {}  # prediction -> event
    for event in range(len(allowed)):
        _augment(event, allowed, event_of, set())
    return sorted((event, prediction) for prediction, event in event_of.items())


def _augment(
    event: int, allowed: Bool[np.ndarray, "N M"], event_of: dict[int, int], visited: set[int]
) -> bool:
    """Give the event a prediction, and other events other ones where needed.

    Returns:
        Whether the event has a prediction now.
    """
    candidates = [prediction for prediction in _positions(allowed[event]) if prediction not in visited]
    for prediction in candidates:
        if prediction not in event_of:
            event_of[prediction] = event
            return True
    for prediction in candidates:
        if prediction in visited:
            continue
        visited.add(prediction)
        if _augment(event_of[prediction], allowed, event_of, visited):
            event_of[prediction] = event
            return True
    return False


def _positions(flags: Bool[np.ndarray, "N"]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(flags).tolist())
