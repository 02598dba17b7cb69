"""Find the table of labels in a workbook: its header row by content, its columns by their headers."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.files import shortened_list
from learnet.core.records import Finding
from learnet.datasets.readers.reading.cells import normalise_header
from learnet.datasets.readers.reading.sheet import Sheet
from learnet.datasets.readers.reading.spreadsheet import sheets
from learnet.datasets.readers.reading.unread_rows import row_pattern, unread_rows

_HEADER_SEARCH_ROWS = 100
"""Rows searched for the header. The deepest known header (SAMM) is below 13 rows of notes."""

_REMARK_HEADERS = re.compile("problem|error|exception|reason|remark|comment|fix|issue|wrong|correct")

Cells = dict[str, str]
"""Field -> text of one row."""


@dataclass(frozen=True)
class TableSchema:
    """The columns that a reader looks for."""

    columns: Mapping[str, tuple[str, ...]]
    """Field -> headers it occurs under, in the spelling of `normalise_header`, the preferred one first."""

    required: tuple[str, ...]
    """Fields without which the workbook is refused."""

    keys: tuple[str, ...] = ("subject", "name")
    """Fields that identify a clip. A row in which one of them is empty is a note."""

    repeated: Mapping[str, str] = field(default_factory=dict)
    """Field -> prefix of the headers of its columns, where there may be several. From left to right they
    give the fields `onset 1`, `onset 2` and so on."""

    is_note: Callable[[Mapping[str, str]], bool] = lambda cells: False
    """Whether a row that has all keys is a note nevertheless."""


@dataclass(frozen=True)
class Table:
    """The rows of one sheet that describe clips."""

    path: Path

    sheet: str
    """Name of the sheet, "" for .csv."""

    headers: tuple[str, ...]
    """As written, empty ones included, up to the last that is not empty."""

    rows: list[Cells]
    """Field -> text, "" where the cell is empty or the column absent."""

    row_numbers: list[int]
    """The numbers that a spreadsheet program shows for `rows`."""

    notes: dict[int, Cells] = field(default_factory=dict)
    """Row number -> rows that are neither clips nor blank."""

    remarks: list[str] = field(default_factory=list)
    """What the columns of problems and comments say about each of `rows`; none where there are none."""

    findings: tuple[Finding, ...] = ()
    """About merged cells, other sheets with the same header, and rows that are not read."""

    read_columns: dict[int, Collection[int]] = field(default_factory=dict)
    """Row number -> columns that hold fields, from 0; all columns of a header, or of a note with keys."""

    def location(self, index: int) -> str:
        """Return the place of `rows[index]` for messages: "labels.csv row 12"."""
        return f"{self.path.name} row {self.row_numbers[index]}"


def read_table(path: Path, schema: TableSchema) -> Table:
    """Read the first sheet with rows below a header row that has every required column.

    Rows above the header are ignored, rows without a key (notes below the table) are kept apart, and blank
    rows are dropped. A header row that is repeated below says what the rows below it hold. Other sheets with
    such rows are compared with it, and rows elsewhere that look like labels are reported.

    Raises:
        BadInput: `sheets` refuses the file, there is no header row, or a required column is missing. The
            message names the missing column and the columns that exist.
    """
    best_count = 0
    best_sheet = ""
    best_header: tuple[str, ...] = ()
    tables = []
    workbook = sheets(path)
    for name, sheet in workbook.items():
        for row_index, row in enumerate(sheet.rows[:_HEADER_SEARCH_ROWS]):
            columns = _find_columns(row, schema)
            count = sum(name in columns for name in schema.required)
            if count == len(schema.required):
                tables.append(_table_below(path, name, sheet, row_index, schema))
                break
            if count > best_count:
                best_count, best_sheet, best_header = count, name, row
    if tables:
        used = next((table for table in tables if table.rows), tables[0])
        others = other_sheets(path, used.sheet, {table.sheet: table.rows for table in tables})
        pattern = row_pattern(used.rows, schema.required, schema.keys)
        read_columns = {table.sheet: table.read_columns for table in tables}
        unread = unread_rows(path, workbook, pattern, read_columns)
        return replace(used, findings=(*used.findings, *others, *unread))
    if best_count < 2:
        problem = f"has no header row with the columns {_describe(schema.required, schema)}"
        raise BadInput(path, problem, "Is this the label workbook?")
    raise _missing_columns(path, best_sheet, best_header, schema)


def _missing_columns(path: Path, sheet: str, header: tuple[str, ...], schema: TableSchema) -> BadInput:
    columns = _find_columns(header, schema)
    missing = [name for name in schema.required if name not in columns]
    existing = ", ".join(repr(cell) for cell in header if cell)
    location = f" in sheet {sheet!r}" if sheet else ""
    noun = "column" if len(missing) == 1 else "columns"
    problem = f"lacks the {noun} {_describe(missing, schema)}"
    return BadInput(path, problem, f"The columns{location} are {existing}.")


def _describe(fields: Iterable[str], schema: TableSchema) -> str:
    """Return the fields with the headers they may have, for messages."""
    descriptions = {}
    for name, headers in schema.columns.items():
        descriptions[name] = f"{name} ({' or '.join(headers)})"
    for name, prefix in schema.repeated.items():
        descriptions[f"{name} 1"] = f"{name} 1 ({prefix}...)"
    return ", ".join(descriptions[name] for name in fields)


def _find_columns(header: tuple[str, ...], schema: TableSchema) -> dict[str, int]:
    """Return the column of each field. Of several suitable headers the schema's preferred one is used."""
    normalised = [normalise_header(cell) for cell in header]
    columns = {}
    for name, headers in schema.columns.items():
        for wanted in headers:
            if wanted in normalised:
                columns[name] = normalised.index(wanted)
                break
    for name, prefix in schema.repeated.items():
        number = 0
        for column, text in enumerate(normalised):
            if text.startswith(prefix):
                number += 1
                columns[f"{name} {number}"] = column
    return columns


def unused_headers(table: Table, schema: TableSchema) -> list[str]:
    """Return the headers of columns that are not read, also the second of two for one field."""
    used = _find_columns(table.headers, schema).values()
    return [header for column, header in enumerate(table.headers) if header and column not in used]


def other_sheets(path: Path, used: str, rows_of_sheet: Mapping[str, list[Cells]]) -> Iterator[Finding]:
    """Report sheets with the same columns and rows that the used one lacks: they may be the labels.

    Args:
        path: the workbook.
        used: name of the sheet that is read.
        rows_of_sheet: name of each sheet with these columns -> its rows.
    """
    used_rows = {tuple(cells.items()) for cells in rows_of_sheet[used]}
    for name, rows in rows_of_sheet.items():
        new = sum(tuple(cells.items()) not in used_rows for cells in rows)
        if new:
            message = (
                f"sheet {used!r} is used, with {counted(len(used_rows), 'row')}; sheet {name!r} has the same "
                f"columns and {counted(len(rows), 'row')}, {new} of them not in the first; delete the sheet "
                "that does not count"
            )
            yield Finding("another sheet of labels", path.name, message, serious=True)


def _merged_cells(path: Path, sheet: str, rows: Sequence[int]) -> tuple[Finding, ...]:
    if not rows:
        return ()
    location = f" of sheet {sheet!r}" if sheet else ""
    listed = shortened_list([str(row) for row in rows])
    message = f"cells in the rows {listed}{location} are merged with those above and have their text"
    return (Finding("merged cells", path.name, message),)


def _remark_columns(headers: Sequence[str], columns: Mapping[str, int]) -> list[int]:
    """Return the columns of problems and comments among those that hold no field."""
    remarks = []
    for column, header in enumerate(headers):
        if column not in columns.values() and _REMARK_HEADERS.search(normalise_header(header)):
            remarks.append(column)
    return remarks


def _table_below(path: Path, name: str, sheet: Sheet, header_index: int, schema: TableSchema) -> Table:
    """Return the table whose header is row `header_index`."""
    headers = sheet.rows[header_index]
    while headers and not headers[-1]:
        headers = headers[:-1]
    columns = _find_columns(headers, schema)
    fields = dict.fromkeys([*schema.columns, *columns])
    remark_columns = _remark_columns(headers, columns)
    has_remarks = bool(remark_columns)
    first_row = header_index + 1
    merged = [row_number for row_number in sheet.merged_rows if row_number > first_row]
    table = Table(path, name, headers, [], [], findings=_merged_cells(path, name, merged))
    table.read_columns[first_row] = range(len(headers))
    may_have_block_beside = _may_have_block_beside(headers, columns, schema)
    for row_number, row in enumerate(sheet.rows[first_row:], start=first_row + 1):
        if not any(row):
            continue
        columns_in_row = _find_columns(row, schema)
        if columns_in_row.keys() >= set(schema.required):
            columns = columns_in_row  # the header of another block
            remark_columns = _remark_columns(row, columns)
            table.read_columns[row_number] = range(len(row))
            continue
        cells = _cells(row, columns, fields)
        table.read_columns[row_number] = columns.values() if may_have_block_beside else range(len(row))
        if all(cells[key] for key in schema.keys) and not schema.is_note(cells):
            table.rows.append(cells)
            table.row_numbers.append(row_number)
            texts = [row[index] for index in remark_columns if index < len(row)]
            if has_remarks:
                table.remarks.append("; ".join(filter(None, texts)))
            continue
        table.notes[row_number] = cells
        if any(cells[key] for key in schema.keys):  # what is in it is told, or it is a note of the owners
            table.read_columns[row_number] = range(len(row))
    return table


def _may_have_block_beside(headers: Sequence[str], columns: Mapping[str, int], schema: TableSchema) -> bool:
    """Return whether cells beside those of a row may be a label: a second header, or labels with frames.

    Without frames, other columns (a coder, a second emotion, a sex) would be taken for labels.
    """
    others = tuple(header for column, header in enumerate(headers) if column not in columns.values())
    is_repeated = _find_columns(others, schema).keys() >= set(schema.required)
    return is_repeated or any(name.startswith("onset") for name in schema.required)


def _cells(row: Sequence[str], columns: Mapping[str, int], fields: Iterable[str]) -> Cells:
    """Return the text of each field in a row."""
    cells = {}
    for field_name in fields:
        column = columns.get(field_name)
        cells[field_name] = "" if column is None or column >= len(row) else row[column]
    return cells
