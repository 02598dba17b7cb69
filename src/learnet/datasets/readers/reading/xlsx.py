"""Read .xlsx workbooks with openpyxl, row by row, within limits of size.

openpyxl fills every gap between two rows, so a workbook of a few kilobytes with one wrong row number, or a
sheet that is formatted down to its last row, would keep it busy for minutes.
"""

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from learnet.core.errors import BadInput
from learnet.core.printable import printable
from learnet.datasets.readers.reading.sheet import Rows, Sheet, fill_merged_cells

MAX_ROWS = 2**20
MAX_COLUMNS = 2**14
"""Of a sheet of any spreadsheet program."""

MAX_CELLS = 500_000
"""Of one sheet, counted up to the last cell of each row. The largest known label workbook has 120,000."""

MAX_SHEET_BYTES = 2**30
MAX_PART_BYTES = 2**27
"""Of a sheet, and of any other part, when unpacked. Nine columns formatted to the last row have 270 MB."""

MAX_TEXT_BYTES = 2**26
"""Of a sheet without its blank cells."""

NO_RESULT = "#a formula without a stored result: open the workbook in a spreadsheet program and save it#"
"""Replaces the value of such a cell, so that an error about the cell says what to do."""

_SHEETS = "xl/worksheets/"
_CHUNK_BYTES = 2**24
_BLANK_CELLS = re.compile(rb"<((?:\w+:)?c)\s[^<>]*(?:/>|></\1>)")
_BLANK_ROWS = re.compile(
    rb"<((?:\w+:)?row)\s[^<>]*(?:/>|>(?:<(?:\w+:)?c\s[^<>]*/>|<((?:\w+:)?c)\s[^<>]*></\2>)*</\1>)"
)
_UNNUMBERED = re.compile(rb"<(?:\w+:)?(?:row|c)(?=[\s/>])(?![^<>]*\sr=)")

_OTHER_FORMATS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "Index/Document.iwa": "a workbook of Numbers",
    "content.xml": "an OpenDocument spreadsheet (.ods)",
}
"""Part of a zip archive -> what such a file is."""

_SAVE_AS = "Save it as an Excel workbook (.xlsx) in a spreadsheet program."


class InconsistentSheet(ValueError):
    """A sheet contradicts itself: its rows or cells have wrong numbers."""


class _NumberedRows(WorkSheetParser):
    """openpyxl's parser, which also says which cells hold a formula.

    Its worksheets are not used: they drop a row whose number is not higher than that of the row before.
    """

    def parse_cell(self, element: ElementTree.Element) -> dict[str, Any]:
        cell = super().parse_cell(element)
        cell["is_formula"] = element.find(FORMULA_TAG) is not None
        cell["is_text"] = element.get("t") == "str"
        return cell


def read_xlsx(path: Path, data: bytes, cell_text: Callable[[object], str]) -> dict[str, Sheet]:
    """Read the sheets of a workbook.

    Args:
        path: for errors.
        data: content of the file.
        cell_text: turns the value of a cell into text.

    Raises:
        BadInput: it is too large, or of another format than Excel's usual one.
        InconsistentSheet: it contradicts itself.
        Exception: the errors of zipfile and openpyxl for damaged files.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        _check_format(path, archive)
        _check_sizes(path, archive)
        reduced = _without_blank_cells(path, archive)
    workbook = openpyxl.load_workbook(reduced, read_only=True, data_only=True)
    if not workbook.worksheets:
        raise BadInput(path, "has no sheet that can be read", _SAVE_AS)
    sheets = {}
    for sheet in workbook.worksheets:
        sheets[sheet.title] = _read_sheet(path, sheet, cell_text)
    return sheets


def _check_format(path: Path, archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    for part, description in _OTHER_FORMATS.items():
        if part in names and "xl/workbook.xml" not in names:
            raise BadInput(path, f"is {description}, which is not read", _SAVE_AS)
    if "xl/workbook.xml" in names:
        with archive.open("xl/workbook.xml") as content:
            start = content.read(_CHUNK_BYTES)
        if b"http://purl.oclc.org/ooxml/" in start:
            problem = "is saved as Strict Open XML, of which no sheet can be read"
            raise BadInput(path, problem, "Save it as `Excel Workbook (*.xlsx)`, not as the strict variety.")


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that is too large before anything is unpacked.

    No more is unpacked than the archive states: it reads on only to find that a part is damaged.
    """
    for part in archive.infolist():
        limit = MAX_SHEET_BYTES if part.filename.startswith(_SHEETS) else MAX_PART_BYTES
        if part.filename.endswith(".xml") and part.file_size > limit:
            size = f"{printable(part.filename)} in it has {part.file_size / 1e6:,.0f} MB when unpacked"
            raise _too_large(path, size)


def _too_large(path: Path, size: str) -> BadInput:
    hint = "Delete the rows and columns beside the labels in a spreadsheet program, and save it again."
    return BadInput(path, f"is too large for a label workbook: {size}", hint)


def _without_blank_cells(path: Path, archive: zipfile.ZipFile) -> io.BytesIO:
    """Return the XML parts of a workbook, its sheets without cells that have nothing but a format."""
    reduced = io.BytesIO()
    with zipfile.ZipFile(reduced, "w") as copy:
        for name in dict.fromkeys(archive.namelist()):
            if name.startswith(_SHEETS) and name.endswith(".xml"):
                copy.writestr(name, _reduced_sheet(path, archive, name))
            elif name.endswith((".xml", ".rels")):
                copy.writestr(name, archive.read(name))
    reduced.seek(0)
    return reduced


def _reduced_sheet(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the XML of a sheet without its blank cells and rows."""
    kept = bytearray()
    rest = b""
    with archive.open(name) as sheet:
        while chunk := sheet.read(_CHUNK_BYTES):
            complete, end, rest = (rest + chunk).rpartition(b"row>")
            kept += _without_blanks(complete + end)
            if len(kept) + len(rest) > MAX_TEXT_BYTES:
                raise _too_large(path, f"{name} in it holds more than {MAX_TEXT_BYTES >> 20} MB of text")
    return bytes(kept + rest)


def _without_blanks(text: bytes) -> bytes:
    """Return the XML of rows without those that are blank, and the others without blank cells.

    Where cells are not numbered, the blank ones tell the positions of the others and are kept.
    """
    rows = _BLANK_ROWS.sub(b"", text)
    return rows if _UNNUMBERED.search(rows) else _BLANK_CELLS.sub(b"", rows)


def _read_sheet(path: Path, sheet: ReadOnlyWorksheet, cell_text: Callable[[object], str]) -> Sheet:
    workbook = sheet.parent
    parser = _NumberedRows(
        sheet._get_source(),
        sheet._shared_strings,
        data_only=True,
        epoch=workbook.epoch,
        date_formats=workbook._date_formats,
        timedelta_formats=workbook._timedelta_formats,
    )
    rows: Rows = []
    cells = 0
    for number, values in _numbered(parser):
        rows += [()] * (number - 1 - len(rows))
        columns = max(values, default=0)
        cells += columns
        if cells > MAX_CELLS:
            raise _too_large(path, f"sheet {sheet.title!r} has more than {MAX_CELLS:,} cells")
        row = [""] * columns
        for column, value in values.items():
            row[column - 1] = cell_text(value)
        rows.append(tuple(row))
    merged = [merge.ref for merge in parser.merged_cells.mergeCell] if parser.merged_cells else []
    return fill_merged_cells(rows, [range_boundaries(ref) for ref in merged])


def _numbered(parser: _NumberedRows) -> Iterator[tuple[int, dict[int, object]]]:
    """Yield the number of each row, and its values by the number of their column.

    Raises:
        InconsistentSheet: rows or cells have numbers that are not possible or do not rise.
    """
    previous = 0
    for number, cells in parser.parse():
        if not previous < number <= MAX_ROWS:
            raise InconsistentSheet(f"a row has the number {number} after {previous}")
        previous = number
        values: dict[int, object] = {}
        for cell in cells:
            column = cell["column"]
            if cell["row"] != number or column in values or column > MAX_COLUMNS:
                raise InconsistentSheet(f"row {number} has the cell {cell['row']}, {column}")
            has_no_result = cell["is_formula"] and cell["value"] is None and not cell["is_text"]
            values[column] = NO_RESULT if has_no_result else cell["value"]
        yield number, values
