"""Work on many processes, which end when nobody waits for them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from learnet.core.errors import LearnetError
from learnet.core.parallel import parallel_map

CALLER = """
import os, sys, time
from pathlib import Path
from learnet.core.errors import LearnetError
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
    script, seen, temporary = tmp_path / "caller.py", tmp_path / "seen", tmp_path / "temporary"
    seen.mkdir(), temporary.mkdir()
    script.write_text(CALLER)
    environment = {**os.environ, "TMPDIR": str(temporary)}
    caller = subprocess.Popen([sys.executable, str(script), str(seen)], env=environment)
    waited_for(lambda: len(list(seen.iterdir())) == 2, 300)
    assert list(temporary.glob("learnet-*"))
    workers = [int(path.name) for path in seen.iterdir()]
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    waited_for(lambda: not any(runs(pid) for pid in workers), 300)  # their item takes an hour
    assert not list(temporary.glob("learnet-*"))


def die_at_three(number: int) -> int:
    if number == 3:
        time.sleep(0.5)  # the other process has finished what it had begun
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.skipif(sys.platform == "win32", reason="signals there have other names")
def test_process_that_the_system_ends_is_one_error_with_the_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (f"learnet-{ended.pid}-abc", f"learnet-{os.getppid()}-abc", "learnet-demo-1"):
        (tmp_path / name).mkdir()
    names = [f"casme2/01/EP{number:02d}" for number in range(6)]
    finished = []
    with pytest.raises(LearnetError, match=r"SIGKILL.*work on .*EP03") as raised:
        for number in parallel_map(die_at_three, range(6), 2, ordered=False, names=names):
            finished.append(number)
    assert "\n" not in str(raised.value) and "--jobs" in raised.value.hint
    assert "EP00" not in str(raised.value)  # it was finished
    assert {0, 1, 2} <= set(finished)
    kept = {f"learnet-{os.getppid()}-abc", "learnet-demo-1"}
    assert {path.name for path in tmp_path.glob("learnet-*")} == kept


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
