"""The cells of one sheet of a workbook, and the kinds of files that hold sheets."""

from collections.abc import Iterable
from dataclasses import dataclass

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls")
TEXT_SUFFIXES = (".csv", ".tsv")
OTHER_SUFFIXES = (".ods", ".fods", ".xlsb", ".numbers")
"""Of workbooks that are refused with the reason."""

SPREADSHEET_SUFFIXES = (*WORKBOOK_SUFFIXES, *TEXT_SUFFIXES, *OTHER_SUFFIXES)

Rows = list[tuple[str, ...]]
"""The cells of one sheet. Rows may differ in length."""

CellRange = tuple[int, int, int, int]
"""First column and row, last column and row, all from 1 and inclusive."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook, as text."""

    rows: Rows

    merged_rows: tuple[int, ...] = ()
    """Numbers of the rows with a cell whose text was taken from the row above, with which it is merged."""


def fill_merged_cells(rows: Rows, merged: Iterable[CellRange]) -> Sheet:
    """Repeat the text of cells that are merged over several rows in each of these rows.

    The file has it in the first row only, but whoever reads the sheet sees it beside all of them.
    """
    filled: dict[int, dict[int, str]] = {}
    for column, first_row, _, last_row in merged:
        text = _cell(rows, first_row, column)
        if not text:
            continue
        for row in range(first_row + 1, min(last_row, len(rows)) + 1):
            if any(rows[row - 1]) and not _cell(rows, row, column):
                filled.setdefault(row, {})[column] = text
    for row, texts in filled.items():
        cells = [*rows[row - 1], *[""] * (max(texts) - len(rows[row - 1]))]
        for column, text in texts.items():
            cells[column - 1] = text
        rows[row - 1] = tuple(cells)
    return Sheet(rows, tuple(sorted(filled)))


def _cell(rows: Rows, row: int, column: int) -> str:
    """Return the text of a cell, "" outside the sheet."""
    if row > len(rows) or column > len(rows[row - 1]):
        return ""
    return rows[row - 1][column - 1]
