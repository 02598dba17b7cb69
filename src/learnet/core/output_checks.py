"""Whether results can go where the user wants them: asked before the work, not after it."""

import os
from collections.abc import Iterable
from pathlib import Path

from learnet.core.errors import BadInput


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse files that cannot be written, or that would overwrite what is read or each other.

    Args:
        outputs: files to write; None where none is asked for. Missing folders above them will be made.
        inputs: what is read.

    Raises:
        BadInput: a folder, a place below a file, an input, or the same file twice.
    """
    read = {path.absolute().resolve() for path in inputs if path}
    written: set[Path] = set()
    for path in (path for path in outputs if path):
        there = path.absolute().resolve()
        if there.is_dir():
            raise BadInput(path, "this is a folder", "Name a file in it.")
        if there in read:
            raise BadInput(path, "this is read, and would be overwritten", "Name another file.")
        if there in written:
            raise BadInput(path, "two results cannot go into one file", "Name two files.")
        written.add(there)
        check_room_above(path)


def check_outside(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder to write that lies inside one that is read: what is in it would be taken for a part of
    that.

    Raises:
        BadInput: with the folder that is read.
    """
    there = output.absolute().resolve()
    for folder in inputs:
        if there.is_relative_to(folder.expanduser().absolute().resolve()):
            raise BadInput(output, f"this lies inside {folder}, which is read", "Name a place outside of it.")


def check_room_above(path: Path) -> None:
    """Refuse a place below something that is no folder, or in a folder that is closed to this user.

    Raises:
        BadInput: with what stands in the way.
    """
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise BadInput(path, f"{above.name} is a file, so nothing can be put below it", "Name another place.")
    if not os.access(above, os.W_OK | os.X_OK):
        raise BadInput(
            path, f"nothing may be written in {above}", "Change its permissions, or name another place."
        )
