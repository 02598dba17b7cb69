"""Progress where there is no terminal, such as in the log of a cluster: plain lines now and then."""

import time
from collections.abc import Callable
from datetime import timedelta

LEAST_S = 30  # between two lines, so that short work writes none
LEAST_SHARE = 0.01  # of all work between two lines, so that days do not fill a log
MOST_S = 1800  # after which a line is written however little was done


class LogProgress:
    """Write a line of progress, if there is something new to say.

    Args:
        title: of the work, such as "Training learnet".
        write: called with each line.
        clock: seconds from any start.
    """

    def __init__(
        self, title: str, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.title = title
        self.write = write
        self.clock = clock
        self.start_s = self.last_s = clock()
        self.first: tuple[int, float] | None = (
            None  # units and time of the first call; the speed counts from it
        )
        self.last_done = 0

    def __call__(self, done: int, total: int) -> None:
        """Take notice that `done` of `total` units of work are done."""
        now_s = self.clock()
        if self.first is None:
            self.first = (done, now_s)
            self.last_done = done
        waited_s = now_s - self.last_s
        advanced = done - self.last_done >= LEAST_SHARE * total
        if waited_s < LEAST_S or not (advanced or waited_s >= MOST_S):
            return
        self.write(self._line(done, total, now_s))
        self.last_s, self.last_done = now_s, done

    def _line(self, done: int, total: int, now_s: float) -> str:
        line = f"{self.title}: {done:,} of {total:,}, {_duration(now_s - self.start_s)} so far"
        first_done, first_s = self.first or (done, now_s)
        if done in (total, first_done):
            return line
        seconds_per_unit = (now_s - first_s) / (done - first_done)
        return f"{line}, about {_duration(seconds_per_unit * (total - done))} left"


def _duration(seconds: float) -> str:
    """Return a duration as hours:minutes:seconds."""
    return str(timedelta(seconds=round(seconds)))
