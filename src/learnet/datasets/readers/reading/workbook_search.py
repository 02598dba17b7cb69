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
from learnet.datasets.readers.reading.table import Table

_SEARCHED_PARENTS = 3
"""Folders above the root that are searched where there is no workbook below it."""


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
    parents = scan.root.parents[:_SEARCHED_PARENTS]
    for files in (scan.spreadsheets, *map(_files_in, parents)):
        tables = []
        candidates, lock_files = _candidates(files, workbooks)
        findings += lock_files
        for path in candidates:
            try:
                tables.append(_read_checked(path, workbooks, folders))
            except BadInput as refusal:
                refusals.append(refusal)
        if tables:
            tables.sort(key=lambda table: bool(workbooks.superseded(table)))
            for refusal in refusals:
                if not workbooks.is_unrelated(refusal.path):
                    findings.append(_unused_workbook(refusal, tables, workbooks))
            return tables, findings
    raise _no_workbook(scan.root, refusals, workbooks, has_lock_file=bool(findings))


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


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:  # a folder above the root that this user may not read is not part of the database
        return []


def _candidates(paths: Iterable[Path], workbooks: LabelWorkbooks) -> tuple[list[Path], list[Finding]]:
    """Return the possible workbooks, the preferred version first, then the nearest to the root.

    Lock files are returned as findings.
    """
    candidates = []
    lock_files = []
    for path in paths:
        if path.name.startswith("~$"):
            message = "a spreadsheet program has this workbook open; changes that are not saved are not read"
            lock_files.append(Finding("workbook is open", path.name, message))
        elif path.suffix.lower() in (".xlsx", ".xls") and not path.name.startswith("."):
            candidates.append(path)
    candidates.sort(key=lambda path: (workbooks.rank(path), len(path.parts), path))
    return candidates, lock_files


def _read_checked(path: Path, workbooks: LabelWorkbooks, folders: Collection[FolderKey]) -> Table:
    """Read a workbook, and refuse one of another database; several databases have the same columns."""
    table = workbooks.read(path)
    if not table.rows:
        raise BadInput(path, "has no rows below its header", "Use the workbook with the labels.")
    _check_emotions(table, workbooks)
    for row in readable_rows(table, workbooks):
        if workbooks.find_key(row, folders):
            return table
    unknown = _first_unknown_label(table, workbooks)
    if unknown:
        raise BadInput(path, f"has no row that can be used; {unknown.what}", unknown.hint)
    problem = f"names no clip that has a folder (it has {counted(len(table.rows), 'row')})"
    raise BadInput(path, problem, "Are the clips where it expects them?")


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


def _first_unknown_label(table: Table, workbooks: LabelWorkbooks) -> UnknownLabel | None:
    """Return the first unknown label, which explains why a workbook has no usable row."""
    for index, cells in enumerate(table.rows):
        try:
            workbooks.parse_row(cells, table.location(index))
        except UnknownLabel as unknown:
            return with_full_path(unknown, table, index, workbooks)
        except ValueError:
            continue
    return None


def _unused_workbook(refusal: BadInput, tables: list[Table], workbooks: LabelWorkbooks) -> Finding:
    """Return the finding about a refused workbook.

    It is serious where a less preferred version gives the labels in its place.
    """
    part = workbooks.part_of(refusal.path)
    message = str(refusal)
    is_replaced = False
    for table in tables:
        if workbooks.part_of(table.path) == part:
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
