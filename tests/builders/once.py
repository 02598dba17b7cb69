"""Folders that are built once per test run, shared by all workers, and never written to."""

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class SharedFolders:
    """Folders below one root, each built by whichever worker asks for it first and read-only from then on.

    Args:
        root: folder that all workers of the run see, and no other run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._used: dict[Path, dict[str, tuple]] = {}

    def get(self, name: str, build: Callable[[Path], None]) -> Path:
        """Return the folder of this name; `build(folder)` fills it, in one worker while others wait."""
        folder = self.root / name
        if folder in self._used:
            return folder
        finished = self.root / f"{name}.finished"
        with FileLock(self.root / f"{name}.lock"):
            if not finished.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that was ended while it built
                folder.mkdir()
                build(folder)
                _set_writable(folder, False)
                finished.touch()
        self._used[folder] = _state(folder)
        return folder

    def check(self) -> None:
        """Raise AssertionError if a test has written to a shared folder; file modes do not stop root."""
        for folder, state in self._used.items():
            changed = sorted(path for path, _ in set(state.items()) ^ set(_state(folder).items()))
            assert not changed, f"A test wrote to {folder}, which others read. It should copy it: {changed}"


def writable_copy(folder: Path, target: Path) -> Path:
    """Copy a shared folder to a place where a test may change it."""
    shutil.copytree(folder, target)
    _set_writable(target, True)
    return target


def _set_writable(folder: Path, writable: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IWUSR if writable else mode & ~WRITE)


def _state(folder: Path) -> dict[str, tuple]:
    """Size and time of change of every file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
