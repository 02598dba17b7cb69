"""Checks before the work that its results can be written where the user wants them."""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.files import absolute_path


@dataclass(frozen=True)
class FileFormat:
    """A format of files that commands write."""

    sentence: str  # what is written in which format
    suffixes: tuple[str, ...]  # with which the name of a file may end, in lower case
    by_suffix: bool = False  # whether the suffix chooses among several formats


CSV = FileFormat("a table is written as CSV", (".csv",))
JSON = FileFormat("predictions are written as JSON", (".json",))
SCORES_JSON = FileFormat("scores are written as JSON", (".json",))
HTML = FileFormat("a page is written as HTML", (".html", ".htm"))
LATEX = FileFormat("tables are written as LaTeX", (".tex",))
FIGURE = FileFormat("a figure is written as PNG, SVG or PDF", (".png", ".svg", ".pdf"), by_suffix=True)
ANNOTATIONS = FileFormat(
    "events are written as a table, ELAN, BORIS, Praat or WebVTT",
    (".csv", ".eaf", ".boris", ".textgrid", ".vtt"),
    by_suffix=True,
)
SAFETENSORS = FileFormat("weights are written as safetensors", (".safetensors",))
ONNX = FileFormat("weights are exported as ONNX", (".onnx",))


def check_outputs(outputs: Iterable[tuple[Path | None, FileFormat]], inputs: Iterable[Path | None]) -> None:
    """Refuse files that cannot be written, are named like another format, or would overwrite what is read or
    each other.

    Args:
        outputs: files to write, with their formats; None where none is requested. Missing folders above them
            will be made, with a warning: the path may be a mistake.
        inputs: what is read.

    Raises:
        BadInput: a folder, a path below a file, an input, the same file twice, or a name with the suffix of
            another format.
    """
    read = {absolute_path(path) for path in inputs if path}
    written: set[Path] = set()
    for path, file_format in outputs:
        if path is None:
            continue
        target = absolute_path(path)
        if target.is_symlink():
            raise BadInput(path, "this link leads to itself", "Name another file.")
        if target.is_dir():
            raise BadInput(path, "this is a folder", "Name a file in it.")
        if target in read:
            raise BadInput(path, "this is read, and would be overwritten", "Name another file.")
        if target in written:
            raise BadInput(path, "two results cannot go into one file", "Name two files.")
        written.add(target)
        check_suffix(path, file_format)
        check_room_above(path)
        if not path.absolute().parent.exists():
            warnings.warn(f"{path}: the folder {path.parent} does not exist and will be made.", stacklevel=2)


def check_suffix(path: Path, file_format: FileFormat) -> None:
    """Refuse a file whose name does not end as its format requires.

    What exists and is no regular file, such as a pipe or a device, may have any name that does not have to
    choose a format.

    Raises:
        BadInput: with the suffixes of the format.
    """
    if path.suffix.lower() in file_format.suffixes:
        return
    is_special = path.exists() and not path.is_file()
    if is_special and not file_format.by_suffix:
        return
    *others, last = file_format.suffixes
    allowed = f"{', '.join(others)} or {last}" if others else last
    raise BadInput(path, file_format.sentence, f"Use a file name that ends in {allowed}.")


def check_outside(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder to write inside one that is read: its content would be taken for a part of that.

    Raises:
        BadInput: with the folder that is read.
    """
    target = absolute_path(output)
    for folder in inputs:
        if target.is_relative_to(absolute_path(folder.expanduser())):
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
