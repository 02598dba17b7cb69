"""Drafts of outputs: never through a link, removed after a kill and not before, readable by nobody else."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnet.core import files
from learnet.core.files import atomic_file, atomic_folder, is_draft, write_atomically

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from learnet.core.files import atomic_file, atomic_folder
with atomic_file(Path(sys.argv[1])) as draft, atomic_folder(Path(sys.argv[2])) as folder:
    draft.write_text("half")
    (folder / "a.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_next_run_removes_what_a_kill_left(tmp_path: Path) -> None:
    file, folder = tmp_path / "out.csv", tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, file, folder], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2 and all(map(is_draft, tmp_path.iterdir()))
    write_atomically(tmp_path / "another.csv", "x")
    assert len(names(tmp_path)) == 3  # a draft belongs to its target
    write_atomically(file, "x")
    with atomic_folder(folder) as draft:
        (draft / "b.txt").write_text("b")
    assert names(tmp_path) == ["another.csv", "out", "out.csv"] and names(folder) == ["b.txt"]


def test_a_draft_of_a_living_process_stays(tmp_path: Path) -> None:
    """The lock decides, not the number of the process, which a container may use again."""
    file, folder = tmp_path / "out.csv", tmp_path / "out"
    with atomic_file(file) as draft, atomic_folder(folder) as draft_folder:
        write_atomically(file, "of another run")
        with atomic_folder(folder) as other:
            (other / "a.txt").touch()
        assert draft.exists() and draft_folder.exists()
        draft.write_text("mine")
        (folder / "a.txt").unlink()
    assert file.read_text() == "mine" and names(tmp_path) == ["out", "out.csv"]


def test_files_of_a_user_that_look_like_drafts_stay(tmp_path: Path) -> None:
    mine = ["out.csv.part", f".out.csv.{os.getpid()}.part", ".out.csv.part", "out.csv.learnet.part"]
    for name in mine:
        (tmp_path / name).write_text("mine")
    write_atomically(tmp_path / "out.csv", "x")
    assert names(tmp_path) == sorted([*mine, "out.csv"])
    assert all((tmp_path / name).read_text() == "mine" for name in mine)


def test_a_link_in_the_place_of_a_draft_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0" * 2 * size)
    for name in ("out.csv", "out"):
        (tmp_path / f".{name}.learnet-{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(OSError):
        write_atomically(tmp_path / "out.csv", "x")
    with pytest.raises(OSError), atomic_folder(tmp_path / "out"):
        pass
    assert victim.read_text() == "precious" and not (tmp_path / "out.csv").exists()


def test_what_shows_a_face_is_for_the_user_alone(tmp_path: Path, umask: None) -> None:
    with atomic_file(tmp_path / "face.png", private=True) as draft:
        assert mode(draft) == 0o600
    write_atomically(tmp_path / "table.csv", "x")
    with atomic_folder(tmp_path / "faces", private=True) as folder:
        assert mode(folder) == 0o700
    with atomic_folder(tmp_path / "tables"):
        pass
    modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes == {"face.png": 0o600, "table.csv": 0o644, "faces": 0o700, "tables": 0o755}


def test_what_is_replaced_keeps_its_permissions(tmp_path: Path, umask: None) -> None:
    for name, before in (("shared.png", 0o664), ("mine.csv", 0o600)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(before)
        write_atomically(tmp_path / name, "x", private=name == "shared.png")
        assert mode(tmp_path / name) == before
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o750)
    with atomic_folder(tmp_path / "out", private=True):
        pass
    assert mode(tmp_path / "out") == 0o750


def test_a_long_name_of_long_characters(tmp_path: Path) -> None:
    name = "é" * 120 + ".csv"
    write_atomically(tmp_path / name, "x")
    assert names(tmp_path) == [name]
