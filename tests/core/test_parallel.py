"""Work on many processes, which end when nobody waits for them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from learnet.core.parallel import parallel_map

CALLER = """
import os, sys, time
from pathlib import Path
from learnet.core.parallel import parallel_map

def slow(place):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(3600)

list(parallel_map(slow, range(2), 2))
"""


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def test_answers_come_in_order_and_from_as_many_processes_as_asked() -> None:
    answers = list(parallel_map(square, range(40), 2))
    assert [squared for squared, _ in answers] == [number**2 for number in range(40)]
    assert {pid for _, pid in answers} != {os.getpid()} and len({pid for _, pid in answers}) <= 2
    assert {pid for _, pid in parallel_map(square, range(3), 1)} == {os.getpid()}


@pytest.mark.skipif(
    sys.platform == "win32", reason="a process there keeps the number of a parent that is gone"
)
def test_workers_do_not_outlive_a_caller_that_is_killed(tmp_path: Path) -> None:
    script, seen = tmp_path / "caller.py", tmp_path / "seen"
    seen.mkdir()
    script.write_text(CALLER)
    caller = subprocess.Popen([sys.executable, str(script), str(seen)])
    waited_for(lambda: len(list(seen.iterdir())) == 2, 300)
    workers = [int(path.name) for path in seen.iterdir()]
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    waited_for(lambda: not any(runs(pid) for pid in workers), 300)  # their item takes an hour


def waited_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def runs(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
            if Path("/proc").is_dir()
            else not os.kill(pid, 0)
        )
    except (FileNotFoundError, ProcessLookupError):
        return False
