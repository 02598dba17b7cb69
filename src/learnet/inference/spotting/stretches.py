"""The unjudged stretches of a recording, put in order while they are found."""

from dataclasses import replace

import numpy as np

from learnet.core.records import UnjudgedStretch
from learnet.inference.spotting.disturbances import JUDGED_S


class StretchLog:
    """Collect stretches in any order, and return them when no other can change them.

    Those that are returned are in time order and do not overlap: where they did, the reason of the one that
    begins first counts. Less than JUDGED_S between two of them, or between one and the beginning or end of
    the recording, is part of one: so little time cannot show a movement, and rest before and after it.
    """

    def __init__(self) -> None:
        self._stretches: list[UnjudgedStretch] = []
        self._reached_s = -np.inf  # end of the last stretch that was returned, or beginning of the recording

    def begin(self, time_s: float) -> None:
        """Set the time of the first frame."""
        self._reached_s = time_s

    def add(self, start_s: float, end_s: float, reason: str) -> None:
        """Add a stretch; it merges with one of the same reason that it overlaps or nearly touches."""
        kept = []
        for stretch in self._stretches:
            is_apart = stretch.end_s + JUDGED_S < start_s or end_s + JUDGED_S < stretch.start_s
            if stretch.reason == reason and not is_apart:
                start_s, end_s = min(start_s, stretch.start_s), max(end_s, stretch.end_s)
            else:
                kept.append(stretch)
        self._stretches = [*kept, UnjudgedStretch(start_s, end_s, reason)]

    def take(self, settled_s: float) -> tuple[UnjudgedStretch, ...]:
        """Return the stretches that end so long before `settled_s` that none found later touches them.

        One that begins after another that still lasts is returned after that.

        Args:
            settled_s: time before which nothing will be added.
        """
        self._stretches.sort(key=lambda stretch: (stretch.start_s, stretch.end_s))
        final = []
        while self._stretches and self._stretches[0].end_s + JUDGED_S < settled_s:
            stretch = self._stretches.pop(0)
            if stretch.start_s - self._reached_s < JUDGED_S:
                stretch = replace(stretch, start_s=self._reached_s)
            if stretch.end_s > stretch.start_s:
                final.append(stretch)
                self._reached_s = stretch.end_s
        return tuple(final)

    def finish(self, end_s: float) -> tuple[UnjudgedStretch, ...]:
        """Return the stretches that remain.

        Args:
            end_s: of the recording.
        """
        final = self.take(np.inf)
        if final and 0 < end_s - final[-1].end_s < JUDGED_S:
            return *final[:-1], replace(final[-1], end_s=end_s)
        return final
