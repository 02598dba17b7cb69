"""What tests share is built once and never written to; a command in-process says the same as in a process."""

import os
import threading
from pathlib import Path

import pytest

from tests.builders.commands import installed, learnet
from tests.builders.once import SharedFolders, writable_copy


def fill(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "file").write_text("content")


def test_one_of_several_builds_and_the_others_wait(tmp_path: Path) -> None:
    built: list[Path] = []
    all_ask = threading.Barrier(4)

    def build(folder: Path) -> None:
        built.append(folder)
        fill(folder)

    def ask() -> None:
        all_ask.wait()
        assert (SharedFolders(tmp_path).get("x", build) / "inner" / "file").read_text() == "content"

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == [tmp_path / "x"]


def test_what_a_worker_left_unfinished_is_built_anew(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        SharedFolders(tmp_path).get("x", fail)
    folder = SharedFolders(tmp_path).get("x", fill)
    assert sorted(path.name for path in folder.rglob("*")) == ["file", "inner"]


def test_read_only_and_who_writes_all_the_same_is_told(tmp_path: Path) -> None:
    folders = SharedFolders(tmp_path)
    file = folders.get("x", fill) / "inner" / "file"
    assert not file.stat().st_mode & 0o222 and not file.parent.stat().st_mode & 0o222
    folders.check()
    copy = writable_copy(tmp_path / "x", tmp_path / "copy") / "inner" / "file"
    copy.write_text("spoiled")
    folders.check()
    file.chmod(0o600)
    file.write_text("spoiled")
    with pytest.raises(AssertionError, match=r"wrote to .*inner/file"):
        folders.check()


@pytest.mark.parametrize(
    "words", [("datasets",), ("study", "--help"), ("study", "nowhere", "out"), ("predict",)]
)
def test_a_command_here_says_what_it_says_in_a_process(words: tuple[str, ...], tmp_path: Path) -> None:
    """The exit code and the text on either stream are the same, and this process stays as it was."""
    before = Path.cwd(), dict(os.environ)
    code = 2 if words[-1] in ("out", "predict") else 0
    done, real = learnet(*words, code=code), installed(*words, code=code)
    assert (done.stdout, done.stderr) == (real.stdout, real.stderr)
    assert (Path.cwd(), dict(os.environ)) == before
