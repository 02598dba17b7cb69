"""Lists about some samples of a database, stored beside its labels: damaged clips, doubtful labels, repairs.

They have the columns of the labels and rows of labelled clips, so only their size, their name and a column of
problems tell them from a version of the workbook.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from learnet.core.errors import counted
from learnet.core.labels import UnknownLabel
from learnet.core.records import Finding
from learnet.datasets.readers.reading.cells import normalise_header
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.label_sources import LabelWorkbooks
from learnet.datasets.readers.reading.matching import clip_key
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.reading.table import Table

_LIST_NAMES = re.compile("error|exception|wrong|problem|damaged|corrupt|occlu|exclu")

ClipId = tuple[str, str]
"""Subject, and name in the spelling of `normalise_name`."""


def says_sample_list(path: Path) -> bool:
    """Return whether a file is a list about some samples according to its name."""
    return _LIST_NAMES.search(normalise_header(path.stem)) is not None


def split_sample_lists(tables: Sequence[Table], workbooks: LabelWorkbooks) -> tuple[list[Table], list[Table]]:
    """Divide the workbooks of one part into versions of its labels and lists about some of its samples.

    A list names less than half of the clips of another workbook, or fewer of them and says that it is one.
    A small workbook with the name of a version is a version that lacks rows.
    """
    clips_of = [set(clips_in_table(table, workbooks)) for table in tables]
    all_clips = max(clips_of, key=len)
    versions: list[Table] = []
    lists: list[Table] = []
    for table, clips in zip(tables, clips_of, strict=True):
        is_part = len(clips) < len(all_clips) and 2 * len(clips & all_clips) >= len(clips)
        says_list = says_sample_list(table.path) or bool(table.remarks)
        is_small = 2 * len(clips) < len(all_clips) and not workbooks.is_preferred(table.path)
        (lists if is_part and (says_list or is_small) else versions).append(table)
    return versions, lists


def clips_in_table(table: Table, workbooks: LabelWorkbooks) -> dict[ClipId, tuple[int, LabelRow]]:
    """Return the clips of the rows that can be parsed -> position and content of the first row of each."""
    clips: dict[ClipId, tuple[int, LabelRow]] = {}
    for index, cells in enumerate(table.rows):
        try:
            rows = workbooks.parse_row(cells, table.location(index))
        except (ValueError, UnknownLabel):
            continue
        for row in rows:
            clips.setdefault((row.subject, normalise_name(row.name)), (index, row))
    return clips


def describe_sample_list(table: Table, workbooks: LabelWorkbooks, labelled: int) -> Iterator[Finding]:
    """Report a list, and each sample in it with what the list says about it.

    Args:
        table: the list.
        workbooks: of the database.
        labelled: number of clips in the labels.
    """
    clips = clips_in_table(table, workbooks)
    message = f"it names {len(clips)} of {counted(labelled, 'clip')}, so it is not used as labels"
    yield Finding("list about samples", table.path.name, message)
    for index, row in clips.values():
        remark = table.remarks[index] if table.remarks else ""
        message = f"{row.location}: {remark or 'it is named there'}"
        yield Finding("sample in a list", clip_key(row, workbooks.dataset), message)
