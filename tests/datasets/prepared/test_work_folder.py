"""The folder of finished clips beside a prepared folder: one process at a time, for the user alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from learnet.core.errors import BadInput, OutputTaken
from learnet.datasets.prepared.prepare import LOCK, MARKER, MARKER_TEXT, prepare
from tests.datasets.prepared.test_prepare import SMALL, contents, database

TWICE = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from learnet.core.errors import OutputTaken
from learnet.datasets.prepared.prepare import prepare
from tests.datasets.prepared.test_prepare import SMALL, database
reading = database(Path({data!r}), 4, 3)
print("ready", flush=True)
sys.stdin.readline()
try:
    prepare(reading, Path({out!r}), SMALL, jobs=1)
except OutputTaken as error:
    print(error)
"""


def test_two_runs_on_one_folder_do_not_mix(tmp_path: Path) -> None:
    reading = database(tmp_path / "data", 4, 3)
    prepare(reading, tmp_path / "whole", SMALL, jobs=1)
    out = tmp_path / "out"
    code = TWICE.format(tests=str(Path(__file__).parents[3]), data=str(tmp_path / "data"), out=str(out))
    words = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(words, **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = sorted(process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    taken = f"{out}: another run of this preparation is at work there. Wait for it, or stop it.\n"
    assert answers in (["", ""], ["", taken])
    assert contents(out) == contents(tmp_path / "whole") and not (tmp_path / "out.part").exists()


def test_a_lock_is_respected_and_a_leftover_removed(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    work = tmp_path / "out.part"
    work.mkdir()
    (work / MARKER).write_text(MARKER_TEXT)
    with FileLock(work / LOCK), pytest.raises(OutputTaken, match="another run of this preparation"):
        prepare(reading, tmp_path / "out", SMALL, jobs=1)
    prepare(reading, tmp_path / "out", SMALL, jobs=1)
    work.mkdir()
    (work / MARKER).write_text(MARKER_TEXT)  # as a kill between the last two steps leaves it
    assert prepare(reading, tmp_path / "out", SMALL, jobs=1).reused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_finished_clips_never_go_through_a_link(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "out.part").symlink_to(mine)
    with pytest.raises(OutputTaken, match="something else is there"):
        prepare(reading, tmp_path / "out", SMALL, jobs=1)
    assert not any(mine.iterdir())
    (tmp_path / "out.part").unlink()
    (tmp_path / "out.part").mkdir()
    (mine / "precious.txt").write_text("precious")
    (tmp_path / "out.part" / MARKER).symlink_to(mine / "precious.txt")
    with pytest.raises(OutputTaken, match="something else is there"):
        prepare(reading, tmp_path / "out", SMALL, jobs=1)
    assert (mine / "precious.txt").read_text() == "precious"


def test_images_of_people_are_for_the_user_alone(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    modes = []

    def look(done: int, total: int) -> None:
        modes.append((tmp_path / "out.part").stat().st_mode & 0o777)

    prepare(reading, tmp_path / "out", SMALL, jobs=1, progress=look)
    assert set(modes) == {0o700} and (tmp_path / "out").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("done", [2, 6])
def test_finished_clips_that_are_removed_in_mid_run_are_one_line(tmp_path: Path, done: int) -> None:
    reading = database(tmp_path / "data")

    def remove(finished: int, total: int) -> None:
        if finished == done:
            shutil.rmtree(tmp_path / "out.part")

    with pytest.raises(BadInput, match="No such file or directory|no longer there"):
        prepare(reading, tmp_path / "out", SMALL, jobs=1, progress=remove)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert len(prepare(reading, tmp_path / "out", SMALL, jobs=1).clips) == 6


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("removed", range(8))
def test_a_run_killed_while_it_removes_the_folder_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    """Six clips, the lock and the marker are removed, one after the other."""
    reading, unlink, names = database(tmp_path / "data"), os.unlink, []

    def unlink_some(path: str | Path, **options: int) -> None:
        name = Path(path).name
        if name.endswith(".npz") or name in (LOCK, MARKER):
            if len(names) == removed:
                raise KilledError
            names.append(name)
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink_some)
        with pytest.raises(KilledError):
            prepare(reading, tmp_path / "out", SMALL, jobs=1)
    left = {path.name for path in (tmp_path / "out.part").iterdir()}
    assert len(left) == 8 - removed and MARKER in left and not left & set(names)
    assert prepare(reading, tmp_path / "out", SMALL, jobs=1).reused
    assert not (tmp_path / "out.part").exists()
