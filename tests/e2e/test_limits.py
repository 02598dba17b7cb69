"""Limits of the system: few open files, little memory. A command works within them, or says in one line what
it lacks."""

import subprocess
import sys
from pathlib import Path

import pytest

from learnet import cli
from tests.builders.commands import HANG_S, import_noise

resource = pytest.importorskip("resource")


def limited(limit: str, value: int, *words: object) -> subprocess.CompletedProcess:
    """Run the command in a process of its own with a limit of the system."""

    def set_limit() -> None:
        number = getattr(resource, limit)
        resource.setrlimit(number, (value, value))

    command = [sys.executable, "-m", "learnet", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=HANG_S, check=False, preexec_fn=set_limit
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit, value, code, reason",
    [
        ("RLIMIT_NOFILE", 64, 0, ""),
        ("RLIMIT_NOFILE", 7, 2, "Too many open files. Use fewer processes (--jobs), or raise the limit"),
        ("RLIMIT_AS", 2_000_000_000, 0, ""),
        ("RLIMIT_AS", 800_000_000, 2, "There is not enough memory for this. Use fewer processes (--jobs)"),
    ],
)
def test_a_study_works_within_a_limit_or_says_what_it_lacks(
    tmp_path: Path, limit: str, value: int, code: int, reason: str
) -> None:
    prepared = import_noise(tmp_path, "casme2", people=3, seed=0, kind="flow")
    words = ("study", prepared, tmp_path / "out", "--network", "ststnet", "--epochs", 1, "--jobs", 1)
    done = limited(limit, value, *words)
    lines = [line for line in done.stderr.splitlines() if line.startswith("learnet:")]
    assert done.returncode == code and "Traceback" not in done.stderr, done.stderr
    assert len(lines) == bool(reason) and all(reason in line for line in lines)
    again = limited("RLIMIT_NOFILE", 1024, *words)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        MemoryError(),
    ],
)
def test_libraries_and_threads_without_room_lack_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail(arguments: object) -> None:
        raise error

    monkeypatch.setattr(cli, "_run", fail)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["datasets"])
    assert stopped.value.code == 2
    assert "There is not enough memory for this." in " ".join(capsys.readouterr().err.split())


def test_other_errors_of_these_kinds_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli, "_run", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["datasets"])
