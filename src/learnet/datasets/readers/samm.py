"""SAMM as its owners ship it: the workbook of micro-movements under any name, grey pictures cut from onset to offset, or crops of them.

The Long Videos that may lie beside have no emotions, and nothing of them is read. `docs/datasets/samm.md` says what is assumed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import named_clip, same, subject_number
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Placed, Plan, collect
from learnet.datasets.readers.reading.spreadsheet import Form, whole_number
from learnet.datasets.readers.reading.workbooks import COLUMNS, NEEDED, Books, by_name, row_of, subject_of

PUBLISHED = {
    "anger": 57, "others": 26, "happiness": 26, "surprise": 15, "contempt": 12, "disgust": 9, "fear": 8, "sadness": 6,
}  # fmt: skip
"""Clips per emotion: 159 of 29 people (Davison et al., TAFFC 9(1), 2018, and every public list made from the workbook)."""

FORM = Form(COLUMNS | {"duration": ("duration",)}, NEEDED)
"""The workbook of the Long Videos has no emotions, so it is refused."""

WORKBOOKS = ("sammmicrofacscodesv2", "samm20181215microfacscodes", "sammmicrofacscodes")

TREES = ("raw", "cropped")
"""Whole pictures first: they are the owners', and who made the crops that some laboratories use is not known."""

CLIP = re.compile(r"[0-9]{1,3}_[0-9]{1,2}_[0-9]{1,3}")
"""Subject, inducement, running number. The folder of a long video is called 006_1 and is none."""


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    number = subject_of(cells, named=subject_number(cells["name"].partition("_")[0]))
    row = row_of(
        cells, where, f"{number:03d}"
    )  # text `006` in the workbook, `6` where a spreadsheet program has been at it
    return [replace(row, duration=whole_number(cells["duration"]))]


def _place(way: Sequence[str]) -> Placed | None:
    found = named_clip(way, CLIP)
    return Placed(found[0], (same(found[1]),)) if found else None


def _kind(way: str, folders: list[tuple[Row, Path]]) -> str:
    """By the names of the folders: pictures and crops have the same frames."""
    return "cropped" if "crop" in way else "raw"


PLAN = Plan(
    books=Books(
        dataset="samm",
        title="SAMM",
        example="SAMM_Micro_FACS_Codes_v2.xlsx",
        form=FORM,
        emotions=PUBLISHED,
        rows=_rows,
        preferred=WORKBOOKS,
        beside=("longvideo",),
        key=by_name,
    ),
    example="006/006_1_2",
    place=_place,
    trees=TREES,
    kind=_kind,
    source=lambda tree: Source("samm", 200.0, cropped=tree == "cropped", cut=True),
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled clip of a SAMM folder; `collect` says how. The tree is one of TREES."""
    return collect(root, selection, PLAN)


SAMM = Dataset(
    name="samm",
    title="SAMM",
    read=read,
    fps=200.0,
    published=PUBLISHED,
    people=29,
    counted="the workbook, by its owners and everybody who counted it; certain",
    apply="http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php",
    takes={"tree": TREES},
    signs=(r"samm_(\d{8}_)?micro_facs_codes.*", r"(.*/)?\d{3}_\d{1,2}_\d{1,3}"),
)
