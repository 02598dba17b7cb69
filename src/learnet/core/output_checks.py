"""Checks before the work that its results can be written where the user wants them."""

import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from learnet.core.errors import BadInput


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse files that cannot be written, or that would overwrite what is read or each other.

    Args:
        outputs: files to write; None where none is requested. Missing folders above them will be made, with a
            warning: the path may be a mistake.
        inputs: what is read.

    Raises:
        BadInput: a folder, a path below a file, an input, or the same file twice.
    """
    read = {path.absolute().resolve() for path in inputs if path}
    written: set[Path] = set()
    for path in filter(None, outputs):
        target = path.absolute().resolve()
        if target.is_dir():
            raise BadInput(path, "this is a folder", "Name a file in it.")
        if target in read:
            raise BadInput(path, "this is read, and would be overwritten", "Name another file.")
        if target in written:
            raise BadInput(path, "two results cannot go into one file", "Name two files.")
        written.add(target)
        check_room_above(path)
        if not path.absolute().parent.exists():
            warnings.warn(f"{path}: the folder {path.parent} does not exist and will be made.", stacklevel=2)


def check_outside(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder to write inside one that is read: its content would be taken for a part of that.

    Raises:
        BadInput: with the folder that is read.
    """
    target = output.absolute().resolve()
    for folder in inputs:
        if target.is_relative_to(folder.expanduser().absolute().resolve()):
            raise BadInput(output, f"this is inside {folder}, which is read", "Name a path outside of it.")


def check_room_above(path: Path) -> None:
    """Refuse a path below something that is no folder, or in a folder in which the user may not write.

    Raises:
        BadInput: with what is in the way.
    """
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise BadInput(path, f"{above.name} is a file, so nothing can be put below it", "Name another path.")
    if not os.access(above, os.W_OK | os.X_OK):
        hint = "Change its permissions, or name another path."
        raise BadInput(path, f"nothing may be written in {above}", hint)
