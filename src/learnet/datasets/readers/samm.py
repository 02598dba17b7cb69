"""Read SAMM as its owners distribute it: whole images cut from onset to offset, or face crops of them.

The workbook of micro-movements may have any name. The Long Videos that may be stored beside it have no
emotions and are not read. `docs/datasets/samm.md` says what is assumed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import whole_number
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import find_named_clip, normalise_name, subject_number
from learnet.datasets.readers.reading.label_sources import LabelWorkbooks
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.reader import read_clips
from learnet.datasets.readers.reading.rows import (
    COLUMNS,
    REQUIRED,
    LabelRow,
    key_by_name,
    row_from_cells,
    subject_in_row,
)
from learnet.datasets.readers.reading.table import TableSchema

PUBLISHED = {
    "anger": 57,
    "others": 26,
    "happiness": 26,
    "surprise": 15,
    "contempt": 12,
    "disgust": 9,
    "fear": 8,
    "sadness": 6,
}
"""Clips per emotion: 159 of 29 people (Davison et al., TAFFC 9(1), 2018, and every public list)."""

SCHEMA = TableSchema(COLUMNS | {"duration": ("duration",)}, REQUIRED)
"""The workbook of the Long Videos has no emotions, so it is refused."""

WORKBOOKS = ("sammmicrofacscodesv2", "samm20181215microfacscodes", "sammmicrofacscodes")

TREES = ("raw", "cropped")
"""Whole images are preferred: the owners made them, and who made the crops in use is unknown."""

CLIP = re.compile(r"[0-9]{1,3}_[0-9]{1,2}_[0-9]{1,3}")
"""Subject, inducement, running number. The folder of a long video has another form, 006_1."""


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    person = subject_number(cells["name"].partition("_")[0])
    number = subject_in_row(cells, expected=person)
    # The workbook has the text `006`; a spreadsheet program may have turned it into 6.
    row = row_from_cells(cells, location, f"{number:03d}")
    return [replace(row, duration=whole_number(cells["duration"]))]


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    clip = find_named_clip(parts, CLIP)
    return ClipLocation(clip.depth, (normalise_name(clip.name),)) if clip else None


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    """Return the kind by the names of the folders. Images and crops have the same frames."""
    return "cropped" if "crop" in path else "raw"


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("samm", 200.0, cropped=tree == "cropped", trimmed=True)


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="samm",
        title="SAMM",
        example="SAMM_Micro_FACS_Codes_v2.xlsx",
        schema=SCHEMA,
        emotions=PUBLISHED,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=("longvideo",),
        key=key_by_name,
    ),
    example="006/006_1_2",
    locate_clip=_locate_clip,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled clip of a SAMM folder; see `read_clips`. `selection.tree` is one of TREES."""
    return read_clips(root, selection, LAYOUT)


SAMM = Dataset(
    name="samm",
    title="SAMM",
    read=read,
    fps=200.0,
    published=PUBLISHED,
    people=29,
    published_source="the workbook, by its owners and everybody who counted it; certain",
    access="http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php",
    options={"tree": TREES},
    signatures=(r"samm_(\d{8}_)?micro_facs_codes.*", r"(.*/)?\d{3}_\d{1,2}_\d{1,3}"),
)
