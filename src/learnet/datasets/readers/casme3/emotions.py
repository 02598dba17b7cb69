"""Emotions for the workbook of all expressions, which has none: of the label file, or by objective class."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.records import Finding
from learnet.datasets.readers.casme3.common import WORKBOOK
from learnet.datasets.readers.reading.cells import is_missing, normalise_header, number_or_none
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.table import Cells, TableSchema, read_table

OBJECTIVE_CLASSES = {
    "I": "happiness",
    "II": "surprise",
    "III": "anger",
    "IV": "disgust",
    "V": "sadness",
    "VI": "fear",
    "VII": "others",
}
"""Class by the action units alone -> the emotion that it stands for. VII is contempt and everything else.
Source: Davison et al., Objective Classes for Micro-Facial Expression Recognition, J. Imaging 4(10), 2018."""

_LABEL_FILES = ("casme3partamelabeljpgindexv2", "casme3partamelabel")
_MARKS = ("onset", "apex", "offset")


class MicroEmotions:
    """The emotions of micro-expressions in the label file, to be found for the rows of another workbook."""

    def __init__(self, rows: Iterable[Cells]) -> None:
        self._rows: dict[tuple[str, str], list[Cells]] = {}
        for cells in rows:
            self._rows.setdefault(_recording(cells), []).append(cells)

    def find(self, cells: Cells) -> str:
        """Return the emotion of the row with the same onset, else with the same apex and offset, else "".

        The two workbooks differ in the frames of four rows.
        """
        marks = _marks(cells)
        candidates = self._rows.get(_recording(cells), [])
        for candidate in candidates:
            if _marks(candidate)[0] == marks[0]:
                return candidate["emotion"]
        for candidate in candidates:
            if _marks(candidate)[1:] == marks[1:]:
                return candidate["emotion"]
        return ""


def _recording(cells: Cells) -> tuple[str, str]:
    return normalise_name(cells["subject"]), normalise_name(cells["name"])


def _marks(cells: Cells) -> list[int | None]:
    return [number_or_none(cells[mark]) for mark in _MARKS]


def read_micro_emotions(path: Path, files: Sequence[Path], schema: TableSchema) -> MicroEmotions:
    """Read the label file that lies with a workbook.

    Args:
        path: the workbook of all expressions.
        files: spreadsheets of the database; those beside the workbook are searched too.
        schema: of part A.

    Returns:
        Its emotions; none where there is no label file.

    Raises:
        BadInput: the label file cannot be read.
    """
    beside = sorted(path.parent.iterdir())
    for prefix in _LABEL_FILES:
        for file in (*files, *beside):
            is_label_file = normalise_header(file.stem).startswith(prefix)
            if is_label_file and file != path and not file.name.startswith((".", "~$")):
                return MicroEmotions(read_table(file, schema).rows)
    return MicroEmotions([])


def emotion_of_class(text: str) -> str:
    """Return the emotion of an objective class such as `IV` or `4`; "" for other texts."""
    classes = list(OBJECTIVE_CLASSES)
    number = number_or_none(text) if not is_missing(text) else None
    if number is not None and 1 <= number <= len(classes):
        return OBJECTIVE_CLASSES[classes[number - 1]]
    return OBJECTIVE_CLASSES.get(text.strip().upper(), "")


def without_emotions(path: Path) -> BadInput:
    """Return the error about a workbook whose micro-expressions have no emotion."""
    problem = "has no column `emotion`; the emotions of its micro-expressions are in another workbook"
    return BadInput(path, problem, f"Put {WORKBOOK} beside it.")


def emotions_by_class(path: Path, number: int) -> Finding:
    """Return the finding about expressions whose emotion is that of their objective class."""
    meanings = ", ".join(f"{name} {emotion}" for name, emotion in OBJECTIVE_CLASSES.items())
    message = (
        f"the workbook has no emotion of {counted(number, 'macro-expression')}; that of the objective class, "
        f"which follows from the action units, is used: {meanings}"
    )
    return Finding("emotion by objective class", path.name, message)
