"""Read workbooks and text tables as text, sheet by sheet.

Every cell stays text, because the types of a spreadsheet program destroy labels: subject `01` becomes 1,
one `/` makes a column of numbers a mixture of types, and of the action units `4` and `4+7` one becomes a
number and the other a string. Readers convert to numbers what they need as numbers.
"""

import io
import lzma
import stat
import struct
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path

import xlrd
from xlrd.compdoc import CompDocError

from learnet.core.csv_files import SEPARATORS, decode_text, read_csv_rows
from learnet.core.errors import BadInput
from learnet.datasets.readers.reading.sheet import (
    OTHER_SUFFIXES,
    TEXT_SUFFIXES,
    Rows,
    Sheet,
    fill_merged_cells,
)
from learnet.datasets.readers.reading.xlsx import InconsistentSheet, read_xlsx

MAX_FILE_BYTES = 2**28
"""The largest known label workbook has 2 MB."""

MAX_FORMATTED_BYTES = 2**22
"""Of an .xls file that is read with its formats."""

_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
"""First bytes of an .xls file, but also of an .xlsx file that is protected by a password."""

_DAMAGE_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, xlrd.XLRDError, CompDocError,
    AssertionError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError, SyntaxError,
    EOFError, RuntimeError, OSError,
)  # fmt: skip
"""Errors that the libraries raise for damaged files, found by damaging some. XML errors are SyntaxErrors."""

_LIBRARIES = ("openpyxl", "xlrd", "zipfile")


def sheets(path: Path) -> dict[str, Sheet]:
    """Read all cells of a workbook as text without surrounding blanks.

    The first bytes of the file say which kind it is, not its suffix.

    Args:
        path: workbook, or text table with commas, semicolons or tabs.

    Returns:
        Each sheet by its name, in the workbook's order. A text table is one sheet named "".

    Raises:
        BadInput: the file cannot be read, is truncated, too large or protected by a password, or is not a
            workbook.
    """
    data = _read_bytes(path)
    if path.name.startswith("~$"):
        hint = "Close the program and give the file without `~$`."
        raise BadInput(path, "is a spreadsheet program's lock file, not the workbook", hint)
    if not data:
        raise BadInput(path, "is empty", "Copy it again.")
    if data.startswith(b"PK"):
        return _read_with_library(path, data, partial(read_xlsx, path, cell_text=_cell_text))
    if data.startswith(_COMPOUND_FILE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _password_protected(path)
        return _read_with_library(path, data, _read_xls)
    if path.suffix.lower() in TEXT_SUFFIXES or _is_text_table(data):
        return {"": Sheet(_read_csv(path, data))}
    raise _not_a_workbook(path, data)


def _is_text_table(data: bytes) -> bool:
    """Return whether a file is text with separators: other programs call such tables .xls too."""
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return False
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    first_line = text.strip().partition("\n")[0]
    return "\0" not in text and any(separator in first_line for separator in SEPARATORS)


def _not_a_workbook(path: Path, data: bytes) -> BadInput:
    start = data[:1000].lower()
    content = "neither .xlsx nor .xls inside"
    if path.suffix.lower() in OTHER_SUFFIXES:
        content = f"{path.suffix} is not read"
    elif b"schemas-microsoft-com:office:spreadsheet" in start:
        content = "XML Spreadsheet 2003 inside"
    elif b"<html" in start or b"<table" in start:
        content = "a web page inside"
    hint = "Save it from a spreadsheet program as .xlsx."
    return BadInput(path, f"is not a workbook that is read ({content})", hint)


def _read_bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadInput(path, "is not a regular file", "Give a file, not a folder, pipe or device.")
        if status.st_size > MAX_FILE_BYTES:
            problem = f"is too large for a label workbook ({status.st_size / 1e6:,.0f} MB)"
            raise BadInput(path, problem, "Use the workbook with the labels.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(path, f"cannot be read ({error.strerror})", "Check the path.") from error
    except OSError as error:
        hint = "Change its permissions, or copy it again."
        raise BadInput(path, f"cannot be read ({error.strerror})", hint) from error


def _read_with_library(
    path: Path, data: bytes, reader: Callable[[bytes], dict[str, Sheet]]
) -> dict[str, Sheet]:
    """Call `reader`, and turn what its library raises for a damaged file into one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about charts, fonts and validation rules, which are not read
            return reader(data)
    except _DAMAGE_ERRORS as error:
        if not isinstance(error, InconsistentSheet) and not _raised_by_library(error):
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


def _read_xls(data: bytes) -> dict[str, Sheet]:
    workbook = _open_xls(data)
    sheets = {}
    for sheet in workbook.sheets():
        rows = []
        for row in sheet.get_rows():
            rows.append(tuple(_xls_cell_text(cell, workbook.datemode) for cell in row))
        merged = []
        for first_row, end_row, first_column, end_column in sheet.merged_cells:
            merged.append((first_column + 1, first_row + 1, end_column, end_row))
        sheets[sheet.name] = fill_merged_cells(rows, merged)
    return sheets


def _open_xls(data: bytes) -> xlrd.Book:
    """Open a workbook with its merged cells, which xlrd reads with all formats only.

    It is opened without them where the formats are damaged, or could be those of millions of blank cells.
    """
    if len(data) <= MAX_FORMATTED_BYTES:
        with suppress(*_DAMAGE_ERRORS):
            return xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), formatting_info=True)
    return xlrd.open_workbook(file_contents=data, logfile=io.StringIO())


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
