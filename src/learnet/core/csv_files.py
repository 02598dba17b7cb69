"""CSV files that people and spreadsheet programs write."""

import csv
import io
from pathlib import Path

from learnet.core.errors import BadInput

SEPARATORS = ",;\t"  # spreadsheet programs separate by semicolons in some languages


def decode_text(path: Path, data: bytes) -> str:
    """Decode the content of a text file.

    Raises:
        BadInput: it is not UTF-8 text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        hint = "Save it as UTF-8, from a spreadsheet program as CSV UTF-8."
        raise BadInput(path, "this is not UTF-8 text", hint) from None
    if "\0" in text:
        raise BadInput(path, "this is not a text file", "Give a text file.")
    return text


def csv_separator(text: str) -> str:
    """Return the most frequent separator of the first line that is not empty; a comma where there is none."""
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first_line.count)


def read_csv_rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return the number of the last line and the cells of each row, without blanks around the cells.

    Args:
        path: the file, for errors.
        text: its content.

    Raises:
        BadInput: this is not a table.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=csv_separator(text), strict=True)
    rows = []
    try:
        for row in reader:
            rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise BadInput(
            path, f"this is not a table ({error})", "It must be a table of comma-separated values (CSV)."
        ) from None
    return rows
