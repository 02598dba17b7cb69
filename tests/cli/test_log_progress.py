"""Lines of progress in a log: few, whole, and without control characters."""

import io
from collections.abc import Iterator

import pytest

from learnet.cli import console
from learnet.cli.log_progress import LogProgress


def lines(times_s: list[float], done: list[int], total: int) -> list[str]:
    """What is written if DONE units are done at TIMES_S seconds after the start."""
    clock: Iterator[float] = iter([0.0, *times_s])
    written: list[str] = []
    progress = LogProgress("Training", written.append, lambda: next(clock))
    for number in done:
        progress(number, total)
    return written


def test_short_work_writes_nothing() -> None:
    assert lines([1.0, 10.0, 29.0], [1, 2, 3], 3) == []


def test_long_work_writes_a_line_every_half_minute_with_what_is_left() -> None:
    """A unit takes 10 s."""
    said = lines([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0], [1, 2, 3, 4, 5, 6, 7], 11)
    assert said == [
        "Training: 3 of 11, 0:00:30 so far, about 0:01:20 left",
        "Training: 6 of 11, 0:01:00 so far, about 0:00:50 left",
    ]


def test_work_of_days_does_not_fill_the_log() -> None:
    """10,000 units of 10 s each: at most one line for each hundredth."""
    assert len(lines([10.0 * n for n in range(1, 10_001)], list(range(1, 10_001)), 10_000)) == 99


def test_work_that_hardly_advances_is_still_alive() -> None:
    assert len(lines([900.0, 1800.0, 2700.0, 3600.0], [1, 2, 3, 4], 10_000)) == 2


def test_what_was_done_before_the_start_counts_for_no_speed() -> None:
    """A study that continues: 50 of 100 were there, 10 more took 100 s."""
    said = lines([0.0, 100.0], [50, 60], 100)
    assert said == ["Training: 60 of 100, 0:01:40 so far, about 0:06:40 left"]


def test_a_log_has_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(console, "err", console.new_console(file=log))
    monkeypatch.setattr("learnet.cli.log_progress.LEAST_S", 0)
    with console.bar("Training [x]") as progress:
        progress(1, 2)
        progress(2, 2)
    said = log.getvalue()
    assert said.startswith("Training [x]: 2 of 2, ") and "\x1b" not in said and "\r" not in said
