"""Label workbooks as text: .xlsx, .xls or .csv, the header row found by its content, the columns by their names.

Every cell stays text, because spreadsheet types destroy labels: subject `01` becomes 1, one `/` turns a column of numbers into
a mixture, action units `4` and `4+7` become a number beside a string. Loaders turn into numbers what they need as numbers.
"""

import csv
import io
import re
import struct
import traceback
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import openpyxl
import xlrd
from xlrd.compdoc import CompDocError

from learnet.core.errors import BadInput

SUFFIXES = (".xlsx", ".xls", ".csv")
MISSING = frozenset({"", "/", "\\", "-", "nan"})
"""What annotators write where there is nothing to write; CASME II uses `/` for an apex that was not found."""

_HEADER_WITHIN = (
    100  # rows searched for the header; the deepest known header (SAMM) stands below 13 rows of notes
)
_CONTAINER = bytes.fromhex(
    "d0cf11e0a1b11ae1"
)  # an .xls file, but also the wrapping of a password-protected .xlsx
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, xlrd.XLRDError, CompDocError, AssertionError,
    LookupError, ValueError, TypeError, AttributeError, SyntaxError, EOFError, RuntimeError, OSError,
)  # fmt: skip
"""What the libraries below raise on damaged files, as found by damaging files (XML errors are SyntaxErrors)."""

_LIBRARIES = ("openpyxl", "xlrd", "zipfile")

NO_RESULT = "#a formula without a stored result: open the workbook in a spreadsheet program and save it#"
"""Stands in place of what such a cell would show, so that whoever needs its value says what to do."""

_BARE_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^<>]*><f[^<>]*(?:/>|>[^<>]*</f>)(?:<v ?/>)?</c>')

Rows = list[tuple[str, ...]]


class _TornSheet(ValueError):
    """The two ways in which openpyxl reads a sheet give different rows: a row or a cell has a wrong number."""


@dataclass(frozen=True)
class Form:
    """The columns a loader looks for: under which headers, which of them it cannot do without, and which make a row a clip."""

    columns: Mapping[
        str, tuple[str, ...]
    ]  # field -> headers it occurs under, as `normalise` gives them, the best first
    needed: tuple[str, ...]  # fields without which the workbook is refused
    keys: tuple[str, ...] = ("subject", "name")  # a row with one of these blank is a note, not a clip
    repeated: Mapping[str, str] = field(default_factory=dict)
    """Field -> how the headers of its columns begin, where there may be several: the leftmost gives the field `onset 1`, then `onset 2`."""
    is_note: Callable[[Mapping[str, str]], bool] = lambda cells: (
        False
    )  # of a row with all keys: whether it is a note all the same


@dataclass(frozen=True)
class Table:
    """The clip rows of one sheet, by field."""

    path: Path
    sheet: str  # "" for .csv
    headers: tuple[str, ...]  # as written, blank ones included; none after the last named one
    rows: list[dict[str, str]]  # field -> text, "" where the cell is empty or the column absent
    lines: list[int]  # the row numbers a spreadsheet program shows for `rows`
    notes: dict[int, dict[str, str]] = field(
        default_factory=dict
    )  # line -> rows without a key that are not wholly blank

    def where(self, row: int) -> str:
        """Where row number ROW of `rows` stands, for messages."""
        return f"{self.path.name} row {self.lines[row]}"


def normalise(header: str) -> str:
    """A header without case, blanks, line breaks and signs: `Onset Frame`, `OnsetFrame` and `onset_frame` are one."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", header).lower())


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value: empty, `/`, `\\`, `-` or `nan`."""
    return unicodedata.normalize("NFKC", text).strip().lower() in MISSING


def whole_number(text: str) -> int | None:
    """A frame number out of a cell: `46`, `46.0` and ` 46 ` are 46, a missing value is None.

    Raises:
        ValueError: the cell holds something else.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if is_missing(plain) or plain.lower() == "none":
        return None
    if not re.fullmatch(r"[+-]?\d+(\.0*)?", plain, re.ASCII):
        raise ValueError(f"{text!r} is not a whole number")
    return int(plain.partition(".")[0])


def number_or_none(text: str) -> int | None:
    """`whole_number`, and None where the cell holds something else."""
    try:
        return whole_number(text)
    except ValueError:
        return None


def sheets(path: Path) -> dict[str, Rows]:
    """All cells of a workbook as stripped text, sheet by sheet, in the workbook's order; a .csv is one sheet called "".

    The kind of file is told by its first bytes, not by its suffix.

    Raises:
        BadInput: the file cannot be read, is cut short, is protected by a password, or is no workbook.
    """
    try:
        data = path.read_bytes()
    except OSError as trouble:
        hint = (
            "Check the path."
            if isinstance(trouble, FileNotFoundError)
            else "Change its permissions, or copy it again."
        )
        raise BadInput(path, f"cannot be read ({trouble.strerror})", hint) from trouble
    if path.name.startswith("~$"):
        raise BadInput(
            path,
            "is a spreadsheet program's lock file, not the workbook",
            "Close the program and give the file without `~$`.",
        )
    if not data:
        raise BadInput(path, "is empty", "Copy it again.")
    if data.startswith(b"PK"):
        return _guarded(path, data, _xlsx)
    if data.startswith(_CONTAINER):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _protected(path)
        return _guarded(path, data, _xls)
    if path.suffix.lower() == ".csv":
        return {"": _csv(path, data)}
    raise BadInput(
        path,
        "is not a workbook (neither .xlsx nor .xls inside)",
        "Save it from a spreadsheet program as .xlsx.",
    )


def read_table(path: Path, form: Form) -> Table:
    """The first sheet with a header row that has every column FORM needs.

    Notes above the header and rows without a key (notes below the table) are set aside; blank rows vanish.

    Raises:
        BadInput: what `sheets` refuses, no header row at all, or a needed column is missing: the message says
            which, and which columns there are.
    """
    best: tuple[int, str, tuple[str, ...], dict[str, int]] = (0, "", (), {})
    for sheet, rows in sheets(path).items():
        for line, row in enumerate(rows[:_HEADER_WITHIN]):
            places = _places(row, form)
            if all(name in places for name in form.needed):
                return _table(path, sheet, rows[line:], line, form)
            hits = sum(name in places for name in form.needed)
            if hits > best[0]:
                best = (hits, sheet, row, places)
    hits, sheet, row, places = best
    if hits < 2:
        raise BadInput(
            path,
            f"has no header row with the columns {_names(form.needed, form)}",
            "Is this the label workbook?",
        )
    missing = [name for name in form.needed if name not in places]
    there = ", ".join(repr(cell) for cell in row if cell)
    inside = f" in sheet {sheet!r}" if sheet else ""
    raise BadInput(
        path,
        f"lacks the column{'s' * (len(missing) > 1)} {_names(missing, form)}",
        f"The columns{inside} are {there}.",
    )


def _names(fields: list[str] | tuple[str, ...], form: Form) -> str:
    known = {name: " or ".join(aliases) for name, aliases in form.columns.items()}
    known |= {f"{name} 1": f"{beginning}..." for name, beginning in form.repeated.items()}
    return ", ".join(f"{name} ({known[name]})" for name in fields)


def _places(row: tuple[str, ...], form: Form) -> dict[str, int]:
    """Field -> column; of several headers that will do, the one the form names first."""
    headers = [normalise(cell) for cell in row]
    known = {
        name: next((alias for alias in aliases if alias in headers), None)
        for name, aliases in form.columns.items()
    }
    found = {name: headers.index(alias) for name, alias in known.items() if alias}
    for name, beginning in form.repeated.items():
        columns = [place for place, header in enumerate(headers) if header.startswith(beginning)]
        found |= {f"{name} {number}": place for number, place in enumerate(columns, start=1)}
    return found


def _table(path: Path, sheet: str, rows: Rows, above: int, form: Form) -> Table:
    """ROWS start with the header, which stands below ABOVE other rows."""
    headers = rows[0]
    while headers and not headers[-1]:
        headers = headers[:-1]
    places = _places(headers, form)
    names = dict.fromkeys([*form.columns, *places])
    table = Table(path, sheet, headers, [], [])
    for line, row in enumerate(rows[1:], start=above + 2):
        if not any(row):
            continue
        cells = {
            name: row[places[name]] if name in places and places[name] < len(row) else "" for name in names
        }
        if all(cells[key] for key in form.keys) and not form.is_note(cells):
            table.rows.append(cells)
            table.lines.append(line)
        else:
            table.notes[line] = cells
    return table


def _guarded(path: Path, data: bytes, reader: Callable[[bytes], dict[str, Rows]]) -> dict[str, Rows]:
    """READER's answer; whatever a damaged file makes the libraries raise becomes one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about charts, fonts and validations, which nobody here asks for
            return reader(data)
    except _BROKEN as trouble:
        if not isinstance(trouble, _TornSheet) and not _raised_by_library(trouble):
            raise
        if "encrypted" in str(trouble).lower():
            raise _protected(path) from trouble
        raise BadInput(
            path, "is damaged or cut short: it does not open as a workbook", "Copy or download it again."
        ) from trouble


def _raised_by_library(error: BaseException) -> bool:
    """Whether an error comes out of a library that reads workbooks, or out of our own code: then it is a bug."""
    inside = False
    for frame, _ in traceback.walk_tb(error.__traceback__):
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        inside = package in _LIBRARIES or (inside and package != "learnet")
    return inside


def _protected(path: Path) -> BadInput:
    return BadInput(
        path, "is protected by a password", "Save it without the password in a spreadsheet program."
    )


def _xlsx(data: bytes) -> dict[str, Rows]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    found = {}
    bare = _without_result(data)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # some programs note a wrong size in the file, and rows beyond it would be lost
        found[sheet.title] = [tuple(map(_text, row)) for row in sheet.iter_rows(values_only=True)]
        for line, column in bare.get(sheet.title, ()):
            if line > len(found[sheet.title]):
                raise _TornSheet(f"{sheet.title} has no row {line} where it is read row by row")
            row = found[sheet.title][line - 1]
            found[sheet.title][line - 1] = (*row[: column - 1], NO_RESULT, *row[column:])
    return found


def _without_result(data: bytes) -> dict[str, list[tuple[int, int]]]:
    """Row and column, from 1, of the cells that hold a formula and no result of it, by sheet: a program wrote them that does not reckon.

    openpyxl shows such a cell as an empty one, as it does one whose result is an empty text.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        pages = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
    places = {place.decode() for page in pages for place in _BARE_FORMULA.findall(page)}
    if not places:
        return {}
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {
        sheet.title: [(cell.row, cell.column) for row in sheet.iter_rows() for cell in row
                      if cell.data_type == "f" and cell.coordinate in places]
        for sheet in book.worksheets
    }  # fmt: skip


def _xls(data: bytes) -> dict[str, Rows]:
    book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
    return {
        sheet.name: [tuple(_xls_text(cell, book.datemode) for cell in row) for row in sheet.get_rows()]
        for sheet in book.sheets()
    }


def _xls_text(cell: xlrd.sheet.Cell, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_DATE:
        return _text(xlrd.xldate_as_datetime(cell.value, datemode))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return _text(bool(cell.value))
    return _text(cell.value)


def _text(value: object) -> str:
    """A cell as a person sees it, without blanks around: 46.0 is `46`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):  # a date-time too; an annotation that a spreadsheet program took for a date
        return value.isoformat()
    return str(value).strip().strip("\ufeff\u200b").strip()


def _csv(path: Path, data: bytes) -> Rows:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise BadInput(
            path, "is not UTF-8 text", "Save it as CSV UTF-8 in a spreadsheet program."
        ) from trouble
    if "\0" in text:
        raise BadInput(path, "is not a text file", "Save it as CSV UTF-8 in a spreadsheet program.")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)  # spreadsheet programs in some languages separate by semicolon
    try:
        return [
            tuple(map(_text, row))
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        ]
    except csv.Error as trouble:
        raise BadInput(path, f"is not a table of comma-separated values ({trouble})") from trouble
