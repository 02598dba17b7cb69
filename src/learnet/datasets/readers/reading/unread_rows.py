"""Rows of a workbook that look like labels and are in no table: a sheet without a header, a second block."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import counted
from learnet.core.labels import ALIASES, EMOTIONS
from learnet.core.records import Finding
from learnet.datasets.readers.reading.cells import is_missing, number_or_none
from learnet.datasets.readers.reading.sheet import Sheet

FINDING = "rows that are not read"

ReadColumns = Mapping[str, Mapping[int, Collection[int]]]
"""Sheet -> number of each row of which something was read -> the columns that were read, from 0."""

_MANY_NUMBERS = 3  # such as subject, onset and offset
_LONGEST_EXAMPLE = 60  # letters of a row in a message


@dataclass(frozen=True)
class RowPattern:
    """What the cells of the rows that were read have in common, in whatever order their columns are."""

    numbers: int
    """Required fields that are whole numbers in most rows."""

    texts: int
    """Other required fields."""

    values: frozenset[str]
    """Texts of these fields, in lower case."""

    shapes: frozenset[str]
    """Of the names of clips and people, as of `_shape`."""

    clips: frozenset[frozenset[str]]
    """Texts of the key fields of each row."""

    def fits(self, cells: Sequence[str]) -> bool:
        """Return whether some cells of a row could be the label of a clip that was not read."""
        filled = [cell for cell in cells if cell]
        if len(filled) < self.numbers + self.texts:
            return False
        texts = [cell for cell in filled if not _is_number(cell)]
        if len(filled) - len(texts) < self.numbers or not self._fit(texts):
            return False
        lowered = {cell.lower() for cell in filled}
        return not any(clip <= lowered for clip in self.clips)

    def _fit(self, texts: Sequence[str]) -> bool:
        """Return whether there are enough texts like those of the required fields.

        Where a label has few numbers, one text must be a value that was read, or an emotion: names of people
        and clips may look like any word.
        """
        known = 0
        similar = 0
        for text in texts:
            word = text.lower()
            is_known = word in self.values or _is_emotion(word)
            known += is_known
            similar += is_known or _shape(text) in self.shapes
        return similar >= self.texts and (known > 0 or self.numbers >= _MANY_NUMBERS)


def row_pattern(
    rows: Sequence[Mapping[str, str]], required: Collection[str], keys: Collection[str]
) -> RowPattern:
    """Return the pattern of some rows.

    Args:
        rows: field -> text of each row.
        required: fields that make a label.
        keys: fields that identify a clip.
    """
    numbers = 0
    values: set[str] = set()
    shapes: set[str] = set()
    for name in required:
        texts = [cells[name] for cells in rows if cells[name]]
        if 2 * sum(map(_is_number, texts)) > len(texts):
            numbers += 1
            continue
        values.update(text.lower() for text in texts)
        if name in keys:
            shapes.update(_shape(text) for text in texts if not _is_emotion(text.lower()))
    clips = frozenset(frozenset(cells[key].lower() for key in keys) for cells in rows)
    return RowPattern(numbers, len(required) - numbers, frozenset(values), frozenset(shapes), clips)


def unread_rows(
    path: Path, workbook: Mapping[str, Sheet], pattern: RowPattern, read_columns: ReadColumns
) -> Iterator[Finding]:
    """Report rows that look like labels and were not read, as a serious finding of each sheet.

    Args:
        path: the workbook.
        workbook: its sheets.
        pattern: of the rows that were read.
        read_columns: what was read of each sheet.
    """
    for name, sheet in workbook.items():
        columns_of_row = read_columns.get(name, {})
        unread = []
        for row_number, row in enumerate(sheet.rows, start=1):
            columns = columns_of_row.get(row_number, ())
            if pattern.fits([cell for column, cell in enumerate(row) if column not in columns]):
                unread.append(row_number)
        if unread:
            yield _finding(path, name, unread, sheet.rows[unread[0] - 1])


def _finding(path: Path, sheet: str, rows: Sequence[int], first: Sequence[str]) -> Finding:
    location = f" of sheet {sheet!r}" if sheet else ""
    example = " ".join(filter(None, first))[:_LONGEST_EXAMPLE]
    message = (
        f"{counted(len(rows), 'row')}{location} may be labels that are not below the header that is used, "
        f"the first is row {rows[0]}: {example!r}; put them below that header, or delete them"
    )
    return Finding(FINDING, path.name, message, serious=True)


def _is_emotion(word: str) -> bool:
    return word in EMOTIONS or word in ALIASES


def _is_number(text: str) -> bool:
    """Return whether a cell is a whole number, or says that there is none."""
    return is_missing(text) or number_or_none(text) is not None


def _shape(text: str) -> str:
    """Return a text with one letter for each run of letters, and one digit for each run of digits.

    `EP90_01f` and `EP3_2f` both become `a0_0a`.
    """
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text))
