"""Read the labels of a database from its workbooks, and compare the versions that exist."""

from collections.abc import Collection, Iterator, Mapping

from learnet.core.labels import UnknownLabel
from learnet.core.records import Finding
from learnet.datasets.readers.reading.folder_names import FolderKey, normalise_name
from learnet.datasets.readers.reading.folder_tree import FolderScan
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks
from learnet.datasets.readers.reading.rows import LabelRow, NoSubject, drop_repeated_rows
from learnet.datasets.readers.reading.sample_lists import (
    describe_sample_list,
    says_sample_list,
    split_sample_lists,
)
from learnet.datasets.readers.reading.table import Table
from learnet.datasets.readers.reading.workbook_search import (
    find_workbooks,
    readable_rows,
    with_full_path,
)

_Clip = tuple[str, str]
"""Subject, and name in the spelling of `normalise_name`."""


def read_labels(
    scan: FolderScan, workbooks: LabelWorkbooks, folders: Collection[FolderKey]
) -> tuple[Labels, list[Finding]]:
    """Read the workbooks that name clips with a folder.

    Args:
        scan: of the root.
        workbooks: of the database.
        folders: keys of the clip folders that exist.

    Raises:
        BadInput: there is no workbook, or none that can be used.
        UnknownLabel: an unknown emotion, in a workbook that is used.
    """
    tables, findings = find_workbooks(scan, workbooks, folders)
    tables_by_part: dict[str, list[Table]] = {}
    for table in tables:
        tables_by_part.setdefault(workbooks.part_of(table.path), []).append(table)

    used = []
    rows: list[LabelRow] = []
    for part in sorted(tables_by_part):
        (table, *versions), lists = split_sample_lists(tables_by_part[part], workbooks)
        used.append(table)
        if says_sample_list(table.path):
            message = "by its name it lists some samples only, and there is no other workbook"
            findings.append(Finding("labels uncertain", table.path.name, message, serious=True))
        table_rows, problems = _parse_rows(table, versions, workbooks)
        rows += table_rows
        findings += problems
        for sample_list in lists:
            findings += describe_sample_list(sample_list, workbooks, len(table_rows))
        findings += _superseded_versions(table, versions, workbooks)
        for version in versions:
            findings += _compare(table, version, table_rows, workbooks)
    unused = [table for table in tables if table not in used]
    rows, repeated = drop_repeated_rows(rows, workbooks.dataset)
    return Labels(used, unused, rows), findings + repeated


def _superseded_versions(used: Table, versions: list[Table], workbooks: LabelWorkbooks) -> Iterator[Finding]:
    for table in (used, *versions):
        reason = workbooks.superseded(table)
        if not reason:
            continue
        is_used = table is used
        message = f"{reason}; it is used" if is_used else f"{reason}; it is not used"
        yield Finding("version superseded", table.path.name, message, serious=is_used)


def _parse_rows(
    table: Table, versions: list[Table], workbooks: LabelWorkbooks
) -> tuple[list[LabelRow], list[Finding]]:
    """Parse the rows and apply the published repairs. A row that cannot be used becomes a finding."""
    rows: list[LabelRow] = []
    findings = [*table.findings, *_notes(table, workbooks)]
    for index, cells in enumerate(table.rows):
        location = table.location(index)
        try:
            rows += workbooks.parse_row(cells, location)
        except UnknownLabel as error:
            raise with_full_path(error, table, index, workbooks) from error
        except ValueError as error:
            findings.append(_unusable(cells, f"{location}: {error}", error, workbooks))
    owners = {}
    for version in versions:
        if workbooks.is_preferred(version.path) and not workbooks.superseded(version):
            owners[version.path.name] = list(readable_rows(version, workbooks))
    rows, repairs = workbooks.repair(table, rows, owners)
    return rows, findings + repairs


def _unusable(
    cells: Mapping[str, str], message: str, error: ValueError, workbooks: LabelWorkbooks
) -> Finding:
    """Return the finding of a row that is no label: serious, unless it is a legend or a total below the rows.

    Such a row has words where the subject and the clip are, and nothing else.
    """
    schema = workbooks.schema
    filled = sum(bool(cells[name]) for name in schema.required)
    if isinstance(error, NoSubject) and filled <= len(schema.keys):
        return Finding("row passed over", workbooks.dataset, message)
    clip = "/".join([workbooks.dataset, *(cells[key] for key in schema.keys)])
    return Finding("row not usable", clip, message, serious=True)


def _notes(table: Table, workbooks: LabelWorkbooks) -> Iterator[Finding]:
    """Report rows without a key. They are serious where they look like the row of a clip."""
    schema = workbooks.schema
    for row_number, cells in table.notes.items():
        filled = sum(bool(cells[name]) for name in schema.required)
        missing = [key for key in schema.keys if not cells[key]] or ["clip"]
        text = " ".join(filter(None, cells.values()))[:80]
        message = f"{table.path.name} row {row_number} names no {' and no '.join(missing)}: {text!r}"
        yield Finding("row passed over", table.path.name, message, serious=filled > 2)


def _compare(
    used: Table, other: Table, used_rows: list[LabelRow], workbooks: LabelWorkbooks
) -> Iterator[Finding]:
    """Report what another version says differently about the same clips.

    Tables that share few clips do not belong to one database and are not compared.
    """
    used_by_clip = _first_rows(used_rows)
    other_by_clip = _first_rows(list(readable_rows(other, workbooks)))
    shared = used_by_clip.keys() & other_by_clip.keys()
    if 2 * len(shared) < min(len(used_by_clip), len(other_by_clip)):
        return
    serious = not workbooks.superseded(other)
    for clip in sorted(used_by_clip.keys() | other_by_clip.keys()):
        used_row = used_by_clip.get(clip)
        other_row = other_by_clip.get(clip)
        if used_row and other_row:
            yield from _compare_rows(used, other, used_row, other_row, workbooks)
            continue
        if used_row:
            row, present, absent = used_row, used, other
        else:
            row, present, absent = other_by_clip[clip], other, used
        message = f"{present.path.name} has this clip, {absent.path.name} has not"
        key = f"{workbooks.dataset}/{clip[0]}/{row.name}"
        yield Finding("versions differ in rows", key, message, serious)


def _compare_rows(
    used: Table, other: Table, used_row: LabelRow, other_row: LabelRow, workbooks: LabelWorkbooks
) -> Iterator[Finding]:
    key = f"{workbooks.dataset}/{used_row.subject}/{used_row.name}"
    used_name = used.path.name
    other_name = other.path.name
    if used_row.emotion != other_row.emotion:
        message = (
            f"{used_name} says {used_row.emotion}, {other_name} says {other_row.emotion}; the first is used"
        )
        serious = not workbooks.superseded(other)
        yield Finding("versions differ in emotion", key, message, serious)
    used_frames = _frames_text(used_row)
    other_frames = _frames_text(other_row)
    if used_frames != other_frames:
        message = (
            f"onset/apex/offset are {used_frames} in {used_name}, {other_frames} in {other_name}; "
            "the first is used"
        )
        yield Finding("versions differ in frames", key, message)


def _first_rows(rows: list[LabelRow]) -> dict[_Clip, LabelRow]:
    """Return the first row of each clip."""
    first: dict[_Clip, LabelRow] = {}
    for row in rows:
        first.setdefault((row.subject, normalise_name(row.name)), row)
    return first


def _frames_text(row: LabelRow) -> str:
    marks = (row.onset, row.apex, row.offset)
    return "/".join("none" if mark is None else str(mark) for mark in marks)
