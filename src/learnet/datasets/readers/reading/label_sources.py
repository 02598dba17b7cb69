"""Where the labels of a database are stored: in workbooks, or in the names of folders."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.errors import counted
from learnet.core.records import Finding
from learnet.datasets.readers.reading.cells import normalise_header
from learnet.datasets.readers.reading.folder_names import FolderKey, PathParts
from learnet.datasets.readers.reading.rows import LabelRow, key_by_subject_and_name
from learnet.datasets.readers.reading.table import Cells, Table, TableSchema, read_table

OwnersRows = Mapping[str, list[LabelRow]]
"""Name of another workbook of the owners, a version that they did not replace -> its rows."""


def no_repairs(
    table: Table, rows: list[LabelRow], owners: OwnersRows
) -> tuple[list[LabelRow], list[Finding]]:
    """Return the rows as they are: the `LabelWorkbooks.repair` of databases without published repairs."""
    return rows, []


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """The database of the labels, and how the folder of a labelled clip is found."""

    dataset: str  # as Clip.dataset
    title: str  # "CASME II"

    key: Callable[[LabelRow], FolderKey] = key_by_subject_and_name
    """Row -> key of the clip's folder."""

    alternative_keys: Callable[[LabelRow], tuple[FolderKey, ...]] = lambda row: ()
    """Row -> further keys of its folder, such as that of a whole recording."""

    def find_key(self, row: LabelRow, folders: Collection[FolderKey]) -> FolderKey | None:
        """Return the first of the row's keys that is among `folders`, or None."""
        for key in (self.key(row), *self.alternative_keys(row)):
            if key in folders:
                return key
        return None


@dataclass(frozen=True, kw_only=True)
class FolderLabels(LabelSource):
    """Labels in the names of folders: the folder of a clip is its row."""

    parse_path: Callable[[PathParts], LabelRow]
    """Path of a clip's folder, from the root down -> its row. Raises ValueError where it has no label."""

    emotions: Collection[str]
    """Emotions of the database."""


@dataclass(frozen=True, kw_only=True)
class LabelWorkbooks(LabelSource):
    """Labels in workbooks, described before any is opened."""

    example: str
    """Name of a workbook, for messages."""

    schema: TableSchema

    emotions: Collection[str]
    """Emotions of the database. A workbook with others belongs to another database."""

    parse_row: Callable[[Cells, str], list[LabelRow]]
    """Cells of a row and its location -> rows of its clips. Raises ValueError where it cannot be used."""

    preferred_names: tuple[str, ...] = ()
    """Prefixes of file names in the spelling of `normalise_header`, the preferred one first."""

    unrelated_names: tuple[str, ...] = ()
    """Pieces of the names of files that are stored beside the workbooks and hold something else."""

    part_of: Callable[[Path], str] = lambda path: ""
    """File -> part of the database. Workbooks of different parts complete each other; those of one part are
    versions."""

    custom_reader: Callable[[Path], Table] | None = None
    """Replaces `read_table` where a workbook needs more than that."""

    repair: Callable[[Table, list[LabelRow], OwnersRows], tuple[list[LabelRow], list[Finding]]] = no_repairs
    """Applies published repairs to the rows. What another workbook of the owners says is preferred to what
    others guess."""

    superseded: Callable[[Table], str] = lambda table: ""
    """Why a workbook is a version that its owners replaced; "" for others."""

    def rank(self, path: Path) -> int:
        """Return the position of a file in the order of preference. Unknown names come last."""
        stem = normalise_header(path.stem)
        for rank, prefix in enumerate(self.preferred_names):
            if stem.startswith(prefix):
                return rank
        return len(self.preferred_names)

    def is_preferred(self, path: Path) -> bool:
        """Return whether the name of a file is one of the known ones."""
        return self.rank(path) < len(self.preferred_names)

    def is_unrelated(self, path: Path) -> bool:
        """Return whether the name of a file says that it holds something else."""
        return any(piece in normalise_header(path.stem) for piece in self.unrelated_names)

    def read(self, path: Path) -> Table:
        """Read the table of a workbook."""
        if self.custom_reader:
            return self.custom_reader(path)
        return read_table(path, self.schema)


@dataclass(frozen=True)
class Labels:
    """The rows that are used, and the workbooks they come from."""

    used: list[Table]
    """One table of each part of the database."""

    unused: list[Table]
    """Other versions."""

    rows: list[LabelRow] = field(default_factory=list)
    """One row per clip, in the workbooks' order."""

    @property
    def count(self) -> str:
        """Number of labels, for messages: "255 rows"."""
        if not self.used:
            return counted(len(self.rows), "folder")
        return counted(sum(len(table.rows) for table in self.used), "row")
