"""Events in lanes that do not overlap, for formats whose tiers cannot hold two events at a time."""

import re
from collections.abc import Sequence

from learnet.core.records import Event

MIN_S = 0.001  # shortest annotation that ELAN and Praat accept

_LANE = re.compile(r" \(\d+\)$")


def lanes(events: Sequence[Event]) -> dict[str, list[Event]]:
    """Return the events of each lane in time order.

    A source that has overlapping events has several lanes: `coder`, `coder (2)`.
    """
    placed: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.onset_s):
        number = 1
        while not _is_free(placed.get(lane_name(event.source, number), []), event):
            number += 1
        placed.setdefault(lane_name(event.source, number), []).append(event)
    return placed


def lane_name(source: str, number: int) -> str:
    """Return the name of a lane of a source."""
    return source if number == 1 else f"{source} ({number})"


def source_of(lane: str) -> str:
    """Return the source to which a lane belongs."""
    return _LANE.sub("", lane)


def end_of(event: Event) -> float:
    """Return the end of an event in seconds, not less than MIN_S after its onset."""
    return max(event.offset_s, event.onset_s + MIN_S)


def _is_free(lane: Sequence[Event], event: Event) -> bool:
    return not lane or end_of(lane[-1]) <= event.onset_s
