"""The table of a user's own labels, which may lie in a folder in several formats."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.records import Finding
from learnet.datasets.readers.reading.folder_tree import list_folder
from learnet.datasets.readers.reading.sheet import OTHER_SUFFIXES, TEXT_SUFFIXES, WORKBOOK_SUFFIXES
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table

LABEL_FILES = tuple(f"labels{suffix}" for suffix in (*TEXT_SUFFIXES, *WORKBOOK_SUFFIXES, *OTHER_SUFFIXES))
"""In order of preference."""


def find_label_files(folder: Path) -> list[Path]:
    """Return the tables of labels in a folder, the preferred one first.

    Raises:
        BadInput: the folder cannot be read.
    """
    files = list_folder(folder).files
    return [folder / name for wanted in LABEL_FILES for name in files if name.lower() == wanted]


def compare_label_files(used: Table, others: Sequence[Path], schema: TableSchema) -> Iterator[Finding]:
    """Report tables of labels beside the one in use, and as serious those with rows that it lacks."""
    used_rows = {tuple(cells.items()) for cells in used.rows}
    for path in others:
        try:
            rows = read_table(path, schema).rows
        except BadInput as refusal:
            yield Finding("label file not used", path.name, str(refusal))
            continue
        new = sum(tuple(cells.items()) not in used_rows for cells in rows)
        message = f"{used.path.name} is used"
        if new:
            message += (
                f"; {counted(new, 'row')} of this one is not in it: delete the file that does not count"
            )
        yield Finding("label file not used", path.name, message, serious=new > 0)
