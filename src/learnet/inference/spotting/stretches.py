"""The unjudged stretches of a recording, merged while they are found."""

from learnet.core.records import UnjudgedStretch

GAP_S = 0.25  # between two stretches of one reason that become one


class StretchLog:
    """Collect stretches in any order, and hand them out in time order when no other can change them."""

    def __init__(self) -> None:
        self._stretches: list[UnjudgedStretch] = []

    def add(self, start_s: float, end_s: float, reason: str) -> None:
        """Add a stretch; it merges with one of the same reason that it overlaps or nearly touches."""
        kept = []
        for stretch in self._stretches:
            is_apart = stretch.end_s + GAP_S < start_s or end_s + GAP_S < stretch.start_s
            if stretch.reason == reason and not is_apart:
                start_s, end_s = min(start_s, stretch.start_s), max(end_s, stretch.end_s)
            else:
                kept.append(stretch)
        self._stretches = [*kept, UnjudgedStretch(start_s, end_s, reason)]

    def take(self, settled_s: float) -> tuple[UnjudgedStretch, ...]:
        """Return the stretches that end so long before `settled_s` that none found later touches them.

        Args:
            settled_s: time before which nothing will be added.
        """
        final = [stretch for stretch in self._stretches if stretch.end_s + GAP_S < settled_s]
        self._stretches = [stretch for stretch in self._stretches if stretch not in final]
        return tuple(sorted(final, key=lambda stretch: stretch.start_s))
