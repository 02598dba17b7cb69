"""Read CASME II as its owners distribute it: every known version of the workbook and of the folder trees.

Nothing is concluded from the name of a version that its content can tell. `docs/datasets/casme2.md` says
what is assumed, and how certain it is.
"""

import re
from dataclasses import replace
from pathlib import Path

from learnet.core.errors import BadVideo
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import is_missing
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks, OwnersRows
from learnet.datasets.readers.reading.layout import DatabaseLayout, FolderMatch, locate_below_subject
from learnet.datasets.readers.reading.matching import TreeProperties, clip_key
from learnet.datasets.readers.reading.reader import read_clips
from learnet.datasets.readers.reading.rows import (
    COLUMNS,
    REQUIRED,
    LabelRow,
    row_from_cells,
    subject_in_row,
)
from learnet.datasets.readers.reading.table import Table, TableSchema
from learnet.video.images import image_files

PUBLISHED = {
    "others": 99,
    "disgust": 63,
    "happiness": 32,
    "repression": 27,
    "surprise": 25,
    "sadness": 7,
    "fear": 2,
}
"""Clips per emotion of the 20140508 workbook: 255, of which 246 in the five classes (247 where sub24/EP02_07
has a row)."""

SCHEMA = TableSchema(COLUMNS, REQUIRED)

WORKBOOKS = (
    "casme2coding20140508",
    "casme2coding20190701",
    "casme2codingupdated",
    "casme2coding",
    "casme2labelver2",
)
"""Order of preference. The first is the one whose counts are published."""

TREES = ("cropped", "cropped-updated", "raw-selected", "raw")
"""Order of preference. Most published results use the owners' registered crops."""

REPAIRED_VERSION_ROWS = 256
REPAIRED_APEXES = {
    29: 279, 35: 68, 43: 77, 45: 81, 51: 166, 53: 100, 60: 78, 117: 187, 118: 89, 126: 80, 136: 88,
    147: 134, 155: 231, 168: 53, 170: 329, 177: 111, 202: 91, 203: 103, 234: 98, 237: 153, 238: 98,
}  # fmt: skip
REPAIRED_OFFSETS = {60: 91}
"""Position among the 256 rows, from 0 -> frame. Estimates by optical flow, not the owners' annotation.
Source: github.com/tvaranka/meb."""

_SURPRISE_LISTS = {
    "as in 20140508 (with sub24/EP07_01, EP07_04f, EP10_03)": {
        (24, "ep07_01"),
        (24, "ep07_04f"),
        (24, "ep10_03"),
    },
    "as in Ver_2 (with sub03/EP01_2, sub15/EP04_02, sub17/EP01_13)": {
        (3, "ep01_2"),
        (15, "ep04_02"),
        (17, "ep01_13"),
    },
}
"""Clips in one of the two lists of 25 surprises that are in use. Results on them cannot be compared."""


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    # The workbook has the text `01`; a spreadsheet program may have turned it into 1.
    return [row_from_cells(cells, location, f"{subject_in_row(cells):02d}")]


def _repair(table: Table, rows: list[LabelRow], owners: OwnersRows) -> tuple[list[LabelRow], list[Finding]]:
    """Apply the published repairs of the 256-row workbook.

    The repairs name rows by position, so they are applied only where the rows without an apex are exactly
    the repaired ones. Each is applied only where its row lacks the value and the frame is in the clip.
    Otherwise the middle frame serves as the apex, as always.
    """
    if len(table.rows) != REPAIRED_VERSION_ROWS:
        return rows, []
    without_apex = set()
    position_of = {}
    for index, cells in enumerate(table.rows):
        position = table.row_numbers[index] - 2
        position_of[table.location(index)] = position
        if is_missing(cells["apex"]):
            without_apex.add(position)
    if without_apex != set(REPAIRED_APEXES):
        message = (
            f"{len(without_apex)} rows lack an apex, and not those for which repairs are published; "
            "middle frames are used instead"
        )
        return rows, [Finding("repairs not applied", table.path.name, message)]
    repaired_rows = []
    findings = []
    for row in rows:
        repaired, repairs = _repair_by_owners(row, owners)
        if not repairs:
            repaired, repairs = _repair_row(row, position_of[row.location])
        repaired_rows.append(repaired)
        findings += repairs
    return repaired_rows, findings


def _repair_by_owners(row: LabelRow, owners: OwnersRows) -> tuple[LabelRow, list[Finding]]:
    """Take an apex that is missing from another version: the owners saw it, and meb only estimated it."""
    if row.apex is not None or row.onset is None or row.offset is None:
        return row, []
    for name, other_rows in owners.items():
        for other in other_rows:
            is_same = clip_key(other, "") == clip_key(row, "")
            if is_same and other.apex is not None and row.onset <= other.apex <= row.offset:
                message = f"{row.location}: {other.apex}, as given by the owners in {name}"
                finding = Finding("apex repaired", clip_key(row, "casme2"), message)
                return replace(row, apex=other.apex, apex_source="repaired"), [finding]
    return row, []


def _repair_row(row: LabelRow, position: int) -> tuple[LabelRow, list[Finding]]:
    """Apply the published repairs of one row, if there are any."""
    apex = REPAIRED_APEXES.get(position)
    offset = REPAIRED_OFFSETS.get(position)
    key = clip_key(row, "casme2")
    findings = []
    if offset is not None and (row.offset is None or (apex is not None and row.offset < apex)):
        message = f"{row.location}: {row.offset} becomes {offset}, as published by meb"
        findings.append(Finding("offset repaired", key, message))
        row = replace(row, offset=offset)
    if apex is None or row.onset is None or row.offset is None:
        return row, findings
    if row.onset <= apex <= row.offset:
        message = f"{row.location}: {apex}, as published by meb"
        findings.append(Finding("apex repaired", key, message))
        row = replace(row, apex=apex, apex_source="repaired")
    return row, findings


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    """Return the kind by the prefix of the owners' crops, else by the folders' names or the frame numbers."""
    for row, folder in matches[:20]:
        try:
            images = image_files(folder)
        except BadVideo:  # reported when the clip is matched
            continue
        if not images:
            continue
        first_number, first_image = next(iter(images.items()))
        if first_image.name.lower().startswith("reg_") or "crop" in path:
            return "cropped-updated" if "updat" in path else "cropped"
        if "select" in path:
            return "raw-selected"
        if row.onset is not None and row.onset > 1:
            return "raw" if first_number <= 1 else "raw-selected"
    return "raw"


def _describe(labels: Labels) -> dict[str, str]:
    """Return whether action units have sides, and which list of surprises the workbook has."""
    has_sides = any(re.search(r"[LRlr]\d", row.action_units) for row in labels.rows)
    surprises = set()
    for row in labels.rows:
        if row.emotion == "surprise":
            surprises.add((int(row.subject), normalise_name(row.name)))
    surprise_list = "in neither of the two known lists"
    for name, clips in _SURPRISE_LISTS.items():
        if clips <= surprises:
            surprise_list = name
            break
    sides = "with sides (L10)" if has_sides else "without sides"
    return {"action units": sides, "surprises": surprise_list}


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("casme2", 200.0, cropped=tree.startswith("cropped"))


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="casme2",
        title="CASME II",
        example="CASME2-coding-20140508.xlsx",
        schema=SCHEMA,
        emotions=PUBLISHED,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=("objectiveclass",),  # stored beside every workbook, without frames and emotions
        repair=_repair,
    ),
    example="sub01/EP02_01f",
    locate_clip=locate_below_subject,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
    describe=_describe,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled clip of a CASME II folder; see `read_clips`. `selection.tree` is one of TREES."""
    return read_clips(root, selection, LAYOUT)


CASME2 = Dataset(
    name="casme2",
    title="CASME II",
    read=read,
    fps=200.0,
    published=PUBLISHED,
    people=26,
    published_source="the 20140508 workbook; certain",
    access="http://casme.psych.ac.cn/casme/e2",
    hidden_subjects=("12", "22"),
    options={"tree": TREES},
    signatures=(r"casme2[ _-]*(coding|label|raw|objective).*", r"(.*/)?sub0?\d+/ep\d+_\d\df?"),
)
