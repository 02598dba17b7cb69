"""The log of unjudged stretches, against a timeline in hundredths of a second."""

import numpy as np
import pytest

from learnet.core.records import UnjudgedStretch
from learnet.inference.spotting.stretches import StretchLog

STEP_S = 0.01


def test_stretches_of_one_reason_merge_and_come_in_order() -> None:
    log = StretchLog()
    log.add(5.0, 6.0, "b")
    log.add(1.0, 2.0, "a")
    log.add(2.3, 3.0, "a")
    log.add(7.0, 7.2, "a")
    log.add(0.0, 0.4, "b")
    assert log.take(3.2) == (UnjudgedStretch(0.0, 0.4, "b"),)
    log.add(3.3, 4.0, "a")
    assert log.take(np.inf) == (
        UnjudgedStretch(1.0, 4.0, "a"),
        UnjudgedStretch(5.0, 6.0, "b"),
        UnjudgedStretch(7.0, 7.2, "a"),
    )
    assert log.take(np.inf) == ()


def test_the_reason_that_begins_first_counts() -> None:
    log = StretchLog()
    log.add(2.0, 2.5, "within")
    log.add(1.0, 3.0, "first")
    log.add(2.5, 4.0, "second")
    assert log.take(np.inf) == (UnjudgedStretch(1.0, 3.0, "first"), UnjudgedStretch(3.0, 4.0, "second"))


def test_a_stretch_waits_for_an_earlier_one_that_lasts() -> None:
    log = StretchLog()
    log.add(1.0, 6.0, "lasts")
    log.add(2.0, 7.0, "later")
    assert log.take(6.2) == ()
    log.add(6.2, 6.4, "lasts")
    assert log.take(7.0) == (UnjudgedStretch(1.0, 6.4, "lasts"),)
    assert log.take(9.0) == (UnjudgedStretch(6.4, 7.0, "later"),)


def test_too_little_time_at_either_end_of_the_recording_is_part_of_a_stretch() -> None:
    log = StretchLog()
    log.begin(10.0)
    log.add(10.4, 11.0, "a")
    log.add(11.6, 12.0, "b")
    assert log.finish(12.3) == (UnjudgedStretch(10.0, 11.0, "a"), UnjudgedStretch(11.6, 12.3, "b"))


@pytest.mark.parametrize("seed", range(20))
def test_they_cover_each_moment_once(seed: int) -> None:
    """Ten stretches of different reasons, handed out bit by bit."""
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, 2000, 10))
    ends = starts + rng.integers(1, 400, 10)
    reason_at = np.full(2600, -1)
    for reason in reversed(range(10)):  # the first to begin is written last
        reason_at[starts[reason] : ends[reason]] = reason
    log = StretchLog()
    log.begin(0.0)
    taken: list[UnjudgedStretch] = []
    for reason, (start, end) in enumerate(zip(starts, ends, strict=True)):
        taken += log.take(start * STEP_S)
        log.add(start * STEP_S, end * STEP_S, str(reason))
    taken += log.finish(26.0)
    gaps_before = [taken[0].start_s]
    for before, after in zip(taken, taken[1:], strict=False):
        gaps_before.append(after.start_s - before.end_s)
    for stretch, gap_s in zip(taken, gaps_before, strict=True):
        assert gap_s == 0.0 or gap_s >= 0.5 - 1e-9
        span = reason_at[round(stretch.start_s / STEP_S) : round(stretch.end_s / STEP_S)]
        assert set(span) <= {-1, int(stretch.reason)} and np.sum(span == -1) < 50
    told = np.zeros(2600, dtype=bool)
    for stretch in taken:
        told[round(stretch.start_s / STEP_S) : round(stretch.end_s / STEP_S)] = True
    assert told[reason_at >= 0].all()
