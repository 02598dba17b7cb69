"""Find the workbooks of a database among the files of a folder.

A workbook is recognised by its content: its columns, its emotions, and whether it names clips that have a
folder. Its file name only says which one is preferred.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.labels import ALIASES, EMOTIONS, UnknownLabel
from learnet.core.records import Finding
from learnet.datasets.readers.reading.folder_names import FolderKey
from learnet.datasets.readers.reading.folder_tree import FolderScan
from learnet.datasets.readers.reading.label_sources import LabelWorkbooks
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.reading.sample_lists import says_sample_list
from learnet.datasets.readers.reading.sheet import (
    SPREADSHEET_SUFFIXES,
    TEXT_SUFFIXES,
    WORKBOOK_SUFFIXES,
)
from learnet.datasets.readers.reading.table import Table

_SEARCHED_PARENTS = 3
"""Folders above the root that are searched where there is no workbook below it."""

_MAX_TEXT_TABLES = 20
"""Text tables of any name that are read where there is no other workbook, those nearest to the root."""


def find_workbooks(
    scan: FolderScan, workbooks: LabelWorkbooks, folders: Collection[FolderKey]
) -> tuple[list[Table], list[Finding]]:
    """Read every usable workbook, the preferred one first.

    Folders above the root are searched only where there is no usable workbook below it.

    Raises:
        BadInput: there is no usable workbook.
        UnknownLabel: an unknown emotion, in the only workbook.
    """
    refusals: list[BadInput] = []
    findings: list[Finding] = []
    not_read = 0
    parents = [_files_in(folder, workbooks) for folder in scan.root.parents[:_SEARCHED_PARENTS]]
    for files in (scan.spreadsheets, *parents):
        findings += _lock_files(files)
        candidates = _candidates(files, workbooks)
        tables, refused = _read_all(candidates, workbooks, folders)
        refusals += refused
        if not tables:
            texts = _other_text_tables(files, workbooks)
            tables, refused = _read_all(texts[:_MAX_TEXT_TABLES], workbooks, folders)
            refusals += refused
            not_read += len(texts[_MAX_TEXT_TABLES:])
        if tables:
            tables.sort(key=lambda table: bool(workbooks.superseded(table)))
            for refusal in refusals:
                if refusal.path in candidates and not workbooks.is_unrelated(refusal.path):
                    findings.append(_unused_workbook(refusal, tables, workbooks))
            return tables, findings
    if not_read:
        problem = (
            f"no label workbook is found, and {counted(not_read, 'text table')} of other names are not read"
        )
        raise BadInput(scan.root, problem, f"Call the table of labels {workbooks.example}, with its suffix.")
    raise _no_workbook(scan.root, refusals, workbooks, has_lock_file=bool(findings))


def _read_all(
    paths: Iterable[Path], workbooks: LabelWorkbooks, folders: Collection[FolderKey]
) -> tuple[list[Table], list[BadInput]]:
    """Return the usable workbooks, and why others cannot be used."""
    tables = []
    refusals = []
    for path in paths:
        try:
            tables.append(_read_checked(path, workbooks, folders))
        except BadInput as refusal:
            refusals.append(refusal)
    return tables, refusals


def readable_rows(table: Table, workbooks: LabelWorkbooks) -> Iterator[LabelRow]:
    """Yield the rows that can be parsed, without reporting the others."""
    for index, cells in enumerate(table.rows):
        try:
            yield from workbooks.parse_row(cells, table.location(index))
        except (ValueError, UnknownLabel):
            continue


def with_full_path(error: UnknownLabel, table: Table, index: int, workbooks: LabelWorkbooks) -> UnknownLabel:
    """Return the error with the full path of the file and the emotions of the database."""
    location = f"{table.path} row {table.row_numbers[index]}"
    return UnknownLabel(error.label, location, workbooks.emotions)


def _files_in(folder: Path, workbooks: LabelWorkbooks) -> list[Path]:
    """Return the files in a folder above the root that may be workbooks of the database."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:  # a folder above the root that this user may not read is not part of the database
        return []
    return [path for path in files if _is_excel(path) or workbooks.is_preferred(path)]


def _is_excel(path: Path) -> bool:
    return path.suffix.lower() in WORKBOOK_SUFFIXES


def _lock_files(paths: Iterable[Path]) -> Iterator[Finding]:
    for path in paths:
        if path.name.startswith("~$"):
            message = "a spreadsheet program has this workbook open; changes that are not saved are not read"
            yield Finding("workbook is open", path.name, message)


def _candidates(paths: Iterable[Path], workbooks: LabelWorkbooks) -> list[Path]:
    """Return the possible workbooks, the preferred version first, then the nearest to the root.

    Text tables are among them only under a known name: a database may be stored with thousands of them.
    """
    candidates = []
    for path in paths:
        suffix = path.suffix.lower()
        is_possible = suffix in SPREADSHEET_SUFFIXES
        if suffix in TEXT_SUFFIXES:
            is_possible = workbooks.is_preferred(path)
        if is_possible and not path.name.startswith((".", "~$")):
            candidates.append(path)
    candidates.sort(key=lambda path: (workbooks.rank(path), not _is_excel(path), len(path.parts), path))
    return candidates


def _other_text_tables(paths: Iterable[Path], workbooks: LabelWorkbooks) -> list[Path]:
    """Return the text tables that have no known name, those nearest to the root first."""
    tables = []
    for path in paths:
        is_text = path.suffix.lower() in TEXT_SUFFIXES and not path.name.startswith((".", "~$"))
        if is_text and not workbooks.is_preferred(path):
            tables.append(path)
    tables.sort(key=lambda path: (len(path.parts), path))
    return tables


def _read_checked(path: Path, workbooks: LabelWorkbooks, folders: Collection[FolderKey]) -> Table:
    """Read a workbook, and refuse one of another database; several databases have the same columns."""
    table = workbooks.read(path)
    if not table.rows:
        raise BadInput(path, "has no rows below its header", "Use the workbook with the labels.")
    _check_emotions(table, workbooks)
    first_row: LabelRow | None = None
    for row in readable_rows(table, workbooks):
        if workbooks.find_key(row, folders):
            return table
        first_row = first_row or row
    problem, hint = _first_problem(table, workbooks)
    if first_row is None:
        raise BadInput(path, f"has no row that can be used; {problem}", hint)
    hint = f"Are the clips where it expects them? The first is {first_row.subject}/{first_row.name}."
    if problem:
        hint += f" Other rows cannot be used: {problem}."
    raise BadInput(path, f"names no clip that has a folder (it has {counted(len(table.rows), 'row')})", hint)


def _check_emotions(table: Table, workbooks: LabelWorkbooks) -> None:
    """Refuse a workbook with emotions that are known, but not of this database."""
    foreign: set[str] = set()
    foreign_rows = []
    for row_number, cells in zip(table.row_numbers, table.rows, strict=True):
        words = cells["emotion"].lower().split("+")
        emotions = {ALIASES.get(word, word) for word in words}
        unexpected = emotions & set(EMOTIONS) - set(workbooks.emotions)
        if unexpected:
            foreign |= unexpected
            foreign_rows.append(row_number)
    if not foreign:
        return
    rows = f"row {foreign_rows[0]}"
    if len(foreign_rows) > 1:
        rows = f"{len(foreign_rows)} rows, the first of them {rows}"
    title = workbooks.title
    problem = f"has the emotions {', '.join(sorted(foreign))}, which {title} does not use, in {rows}"
    hint = f"Does it belong to another database? {title} has {', '.join(workbooks.emotions)}."
    raise BadInput(table.path, problem, hint)


def _first_problem(table: Table, workbooks: LabelWorkbooks) -> tuple[str, str]:
    """Return why the first row that cannot be used cannot, and what to do; ("", "") where all can."""
    for index, cells in enumerate(table.rows):
        try:
            workbooks.parse_row(cells, table.location(index))
        except UnknownLabel as unknown:
            described = with_full_path(unknown, table, index, workbooks)
            return described.what.removesuffix("."), described.hint
        except ValueError as error:
            return f"row {table.row_numbers[index]}: {error}", "Correct the workbook."
    return "", ""


def _unused_workbook(refusal: BadInput, tables: list[Table], workbooks: LabelWorkbooks) -> Finding:
    """Return the finding about a refused workbook.

    It is serious where a less preferred version gives the labels in its place.
    """
    part = workbooks.part_of(refusal.path)
    message = str(refusal)
    is_replaced = False
    for table in tables:
        if workbooks.part_of(table.path) == part and not says_sample_list(refusal.path):
            is_replaced = workbooks.rank(refusal.path) < workbooks.rank(table.path)
            if is_replaced:
                message += f" {table.path.name} is used in its place."
            break
    return Finding("workbook not used", refusal.path.name, message, serious=is_replaced)


def _no_workbook(
    root: Path, refusals: list[BadInput], workbooks: LabelWorkbooks, has_lock_file: bool
) -> BadInput:
    """Return the error that explains best why there is no usable workbook."""
    for refusal in refusals:
        if workbooks.is_preferred(refusal.path):
            return refusal
    if refusals:
        return refusals[0]
    hint = "Put it beside the folders of clips."
    if has_lock_file:
        hint += " Its lock file is there: was it moved?"
    return BadInput(root, f"there is no label workbook ({workbooks.example} or another version)", hint)
