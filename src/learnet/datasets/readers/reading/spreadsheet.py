"""Read .xlsx, .xls and .csv files as text, sheet by sheet.

Every cell stays text, because the types of a spreadsheet program destroy labels: subject `01` becomes 1,
one `/` makes a column of numbers a mixture of types, and of the action units `4` and `4+7` one becomes a
number and the other a string. Readers convert to numbers what they need as numbers.
"""

import io
import re
import struct
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import xlrd
from xlrd.compdoc import CompDocError

from learnet.core.csv_files import decode_text, read_csv_rows
from learnet.core.errors import BadInput

Rows = list[tuple[str, ...]]
"""The cells of one sheet. Rows may differ in length."""

NO_RESULT = "#a formula without a stored result: open the workbook in a spreadsheet program and save it#"
"""Replaces the value of such a cell, so that an error about the cell says what to do."""

_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
"""First bytes of an .xls file, but also of an .xlsx file that is protected by a password."""

_DAMAGE_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, xlrd.XLRDError, CompDocError, AssertionError,
    LookupError, ValueError, TypeError, AttributeError, SyntaxError, EOFError, RuntimeError, OSError,
)  # fmt: skip
"""Errors that the libraries raise for damaged files, found by damaging some. XML errors are SyntaxErrors."""

_LIBRARIES = ("openpyxl", "xlrd", "zipfile")

_FORMULA_WITHOUT_RESULT = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"[^<>]*><f[^<>]*(?:/>|>[^<>]*</f>)(?:<v ?/>)?</c>'
)

CellPosition = tuple[int, int]
"""Row and column, both from 1."""


class _InconsistentSheet(ValueError):
    """The two ways in which openpyxl reads a sheet differ: a row or a cell has a wrong number."""


def sheets(path: Path) -> dict[str, Rows]:
    """Read all cells of a workbook as text without surrounding blanks.

    The first bytes of the file say which kind it is, not its suffix.

    Args:
        path: .xlsx, .xls or .csv file.

    Returns:
        The rows of each sheet by its name, in the workbook's order. A .csv file is one sheet named "".

    Raises:
        BadInput: the file cannot be read, is truncated, is protected by a password, or is not a workbook.
    """
    data = _read_bytes(path)
    if path.name.startswith("~$"):
        hint = "Close the program and give the file without `~$`."
        raise BadInput(path, "is a spreadsheet program's lock file, not the workbook", hint)
    if not data:
        raise BadInput(path, "is empty", "Copy it again.")
    if data.startswith(b"PK"):
        return _read_with_library(path, data, _read_xlsx)
    if data.startswith(_COMPOUND_FILE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _password_protected(path)
        return _read_with_library(path, data, _read_xls)
    if path.suffix.lower() == ".csv":
        return {"": _read_csv(path, data)}
    hint = "Save it from a spreadsheet program as .xlsx."
    raise BadInput(path, "is not a workbook (neither .xlsx nor .xls inside)", hint)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(path, f"cannot be read ({error.strerror})", "Check the path.") from error
    except OSError as error:
        hint = "Change its permissions, or copy it again."
        raise BadInput(path, f"cannot be read ({error.strerror})", hint) from error


def _read_with_library(
    path: Path, data: bytes, reader: Callable[[bytes], dict[str, Rows]]
) -> dict[str, Rows]:
    """Call `reader`, and turn what its library raises for a damaged file into one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about charts, fonts and validation rules, which are not read
            return reader(data)
    except _DAMAGE_ERRORS as error:
        if not isinstance(error, _InconsistentSheet) and not _raised_by_library(error):
            raise
        if "encrypted" in str(error).lower():
            raise _password_protected(path) from error
        problem = "is damaged or cut short: it does not open as a workbook"
        raise BadInput(path, problem, "Copy or download it again.") from error


def _raised_by_library(error: BaseException) -> bool:
    """Return whether a workbook library raised an error. Raised by learnet's own code, it is a bug."""
    inside_library = False
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        package = module.partition(".")[0]
        if package in _LIBRARIES:
            inside_library = True
        elif package == "learnet":
            inside_library = False
    return inside_library


def _password_protected(path: Path) -> BadInput:
    hint = "Save it without the password in a spreadsheet program."
    return BadInput(path, "is protected by a password", hint)


def _read_xlsx(data: bytes) -> dict[str, Rows]:
    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    formulas = _formulas_without_result(data)
    cells: dict[str, Rows] = {}
    for sheet in workbook.worksheets:
        sheet.reset_dimensions()  # some programs store a wrong size, and rows beyond it would be lost
        rows = [tuple(map(_cell_text, row)) for row in sheet.iter_rows(values_only=True)]
        for row_number, column in formulas.get(sheet.title, ()):
            if row_number > len(rows):
                message = f"{sheet.title} has no row {row_number} where it is read row by row"
                raise _InconsistentSheet(message)
            row = rows[row_number - 1]
            rows[row_number - 1] = (*row[: column - 1], NO_RESULT, *row[column:])
        cells[sheet.title] = rows
    return cells


def _formulas_without_result(data: bytes) -> dict[str, list[CellPosition]]:
    """Return the cells of each sheet that hold a formula, but not its result.

    Programs that do not evaluate formulas write such cells. openpyxl reads them as empty, like a formula
    whose result is an empty text.
    """
    coordinates = _coordinates_without_result(data)
    if not coordinates:
        return {}
    workbook = openpyxl.load_workbook(io.BytesIO(data))
    positions: dict[str, list[CellPosition]] = {}
    for sheet in workbook.worksheets:
        positions[sheet.title] = []
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" and cell.coordinate in coordinates:
                    positions[sheet.title].append((cell.row, cell.column))
    return positions


def _coordinates_without_result(data: bytes) -> set[str]:
    """Return the coordinates, such as `B2`, of formulas without a result on any sheet."""
    coordinates: set[str] = set()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                matches = _FORMULA_WITHOUT_RESULT.findall(archive.read(name))
                coordinates.update(match.decode() for match in matches)
    return coordinates


def _read_xls(data: bytes) -> dict[str, Rows]:
    workbook = xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
    cells: dict[str, Rows] = {}
    for sheet in workbook.sheets():
        rows = []
        for row in sheet.get_rows():
            rows.append(tuple(_xls_cell_text(cell, workbook.datemode) for cell in row))
        cells[sheet.name] = rows
    return cells


def _xls_cell_text(cell: xlrd.sheet.Cell, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_DATE:
        return _cell_text(xlrd.xldate_as_datetime(cell.value, datemode))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return _cell_text(bool(cell.value))
    return _cell_text(cell.value)


def _cell_text(value: object) -> str:
    """Return the value of a cell as a spreadsheet program shows it: 46.0 is `46`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):  # or a datetime: annotations that a spreadsheet program took for dates
        return value.isoformat()
    return str(value).strip().strip("\ufeff\u200b").strip()


def _read_csv(path: Path, data: bytes) -> Rows:
    rows = read_csv_rows(path, decode_text(path, data), line_breaks=True)
    return [tuple(map(_cell_text, cells)) for _, cells in rows]
