"""CSV files: those that people and spreadsheet programs write, and those of learnet.

Spreadsheet programs run a cell that begins like a formula. learnet writes an apostrophe before such a text,
as OWASP recommends ("CSV Injection"), and takes it off again when it reads the file.
"""

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from learnet.core.errors import BadInput

Value = TypeVar("Value")

SEPARATORS = ",;\t"  # spreadsheet programs separate by semicolons in some languages

_MARKS = {
    BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is its beginning
    BOM_UTF32_BE: "utf-32",
    BOM_UTF16_LE: "utf-16",
    BOM_UTF16_BE: "utf-16",
}
"""Byte order mark -> encoding. Windows programs call UTF-16 "Unicode text"."""

_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
"""Beginning of a formula, or of a text before which apostrophes stand already; full-width signs count too."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d+)", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


def decimal_number(text: str) -> float:
    """Return the number in a cell, which may have a decimal comma.

    Raises:
        ValueError: the cell holds something else.
    """
    match = _DECIMAL_COMMA.fullmatch(text)
    return float(f"{match[1]}.{match[2]}" if match else text)


def is_thousands(text: str) -> bool:
    """Return whether a number is one such as `1,000`: a thousand to some programs and one to others."""
    return _THOUSANDS.fullmatch(text) is not None


def check_thousands(where: str | Path, text: str) -> None:
    """Refuse a number of which `is_thousands` is true.

    Raises:
        BadInput: it is such a number.
    """
    if is_thousands(text):
        thousands = text.replace(",", "")
        decimal = f"{decimal_number(text):g}"
        wrong = f"{text!r} may be {thousands} or {decimal}"
        raise BadInput(where, wrong, f"Write {thousands}, or {decimal} with a decimal point.")


def decode_text(path: Path, data: bytes) -> str:
    """Decode the content of a text file: UTF-8, or UTF-16 or UTF-32 with a byte order mark.

    Raises:
        BadInput: it is not such text.
    """
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8-sig")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        name = encoding.removesuffix("-sig").upper()
        hint = "Save it as UTF-8, from a spreadsheet program as CSV UTF-8."
        raise BadInput(path, f"this is not {name} text", hint) from None
    if "\0" in text:
        raise BadInput(path, "this is not a text file", "Give a text file.")
    return text


def csv_separator(text: str) -> str:
    """Return the most frequent separator of the first line that is not empty; a comma where there is none."""
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first_line.count)


def read_csv_rows(path: Path, text: str, line_breaks: bool = False) -> list[tuple[int, list[str]]]:
    """Return the number of the last line and the cells of each row, without blanks around the cells.

    A stray quotation mark makes one cell of all rows up to the next one. So a line break in a cell is
    refused, except in the header.

    Args:
        path: the file, for errors.
        text: its content.
        line_breaks: accept line breaks in all cells, as of comments, unless a separator of columns is in the
            same cell.

    Raises:
        BadInput: this is not a table, a quotation mark is not closed on its line, or the last line is
            incomplete.
    """
    separator = csv_separator(text)
    rows: list[tuple[int, list[str]]] = []
    is_header = True
    for first_line, last_line, cells in _parse(path, text, separator):
        broken = [cell for cell in cells if "\n" in cell or "\r" in cell]
        is_row_swallowed = any(separator in cell for cell in broken)
        if is_row_swallowed or (broken and not is_header and not line_breaks):
            problem = f"a cell in quotation marks goes on to line {last_line}"
            hint = "Remove the quotation mark, or the line break in the cell."
            raise BadInput(f"{path} line {first_line}", problem, hint)
        rows.append((last_line, [unescape_formula(cell).strip() for cell in cells]))
        is_header = is_header and not any(cells)
    _check_end(path, text, rows)
    return rows


def _check_end(path: Path, text: str, rows: Sequence[tuple[int, list[str]]]) -> None:
    """Refuse a table whose last line has neither an end nor all columns: the file is cut off.

    Raises:
        BadInput: with the line.
    """
    if not rows or text.endswith(("\n", "\r")):
        return
    columns = len(rows[0][1])
    line, cells = rows[-1]
    if len(cells) < columns:
        problem = f"the file ends here, with {len(cells)} of {columns} columns"
        raise BadInput(f"{path} line {line}", problem, "Copy it again, or complete the line.")


def parse_csv(path: Path, text: str) -> list[list[str]]:
    """Return the cells of each row of a file that learnet wrote, exactly as they were before.

    Raises:
        BadInput: this is not a table.
    """
    return [[unescape_formula(cell) for cell in cells] for _, _, cells in _parse(path, text, ",")]


def _parse(path: Path, text: str, separator: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield first line, last line and cells of each row.

    Raises:
        BadInput: this is not a table.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    first_line = 1
    try:
        for cells in reader:
            yield first_line, reader.line_num, cells
            first_line = reader.line_num + 1
    except csv.Error as error:
        problem = f"this is not a table ({error})"
        hint = "It must be a table of comma-separated values (CSV). Check the quotation marks."
        raise BadInput(f"{path} line {first_line}", problem, hint) from None


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, with text that begins like a formula after an apostrophe."""
    return "".join(map(_csv_line, rows))


def _csv_line(row: Sequence[object]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(list(map(escape_formula, row)))
    return line.getvalue().removesuffix("\r\n") + "\n"  # a carriage return is only quoted where it ends lines


def escape_formula(value: Value) -> Value | str:
    """Return a text that begins like a formula after an apostrophe; numbers and other values as they are.

    `-0.5` and `-` are no formulas. `unescape_formula` returns every text as it was.
    """
    if not isinstance(value, str) or value == "-" or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def unescape_formula(text: str) -> str:
    """Return what `escape_formula` was given."""
    if not text.startswith("'"):
        return text
    original = text[1:]
    return original if escape_formula(original) == text else text
