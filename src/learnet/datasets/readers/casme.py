"""Read CASME as its owners distribute it: two sections, each with a workbook inside.

The packages of selected and cropped images made from them are read too. The sections complete each other;
of one alone the audit says that the other is missing. `docs/datasets/casme.md` says what is assumed, and how
certain it is.
"""

import re
from dataclasses import replace
from pathlib import Path

from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import number_or_none
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.folder_tree import (
    FolderScan,
    has_registered_crops,
    scan_folders,
    validate_root,
)
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks
from learnet.datasets.readers.reading.layout import DatabaseLayout, FolderMatch, locate_below_subject
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.reader import read_scanned_clips
from learnet.datasets.readers.reading.rows import REQUIRED, LabelRow, row_from_cells, subject_in_row
from learnet.datasets.readers.reading.table import Cells, TableSchema

FPS = 60.0
PUBLISHED = {
    "tense": 68,
    "disgust": 45,
    "repression": 39,
    "surprise": 20,
    "happiness": 7,
    "sadness": 6,
    "contempt": 2,
    "fear": 2,
}
"""Clips per emotion by one public list: 189. Others differ by one or two per class; the owners name 195."""

SCHEMA = TableSchema(
    columns={
        "subject": ("subject", "sub", "subjects"),
        "name": ("filename", "file", "filenames"),
        "onset": ("onsetf", "onsetframe"),  # `Onset` is the duration of the onset phase in ms
        "apex": ("apexf1", "apexf", "apexframe"),
        "offset": ("offsetf", "offsetframe"),
        "total": ("total",),
        "action_units": ("au", "aus", "actionunits", "actionunit"),
        "emotion": ("emotion", "estimatedemotion", "emotions"),
    },
    required=REQUIRED,
)

TREES = ("raw", "raw-selected", "cropped")
"""Order of preference. The owners made the sections; who made the packages is uncertain."""

SECTIONS = {"A": "subjects 01 to 07", "B": "subjects from 08 on"}
LAST_OF_A = 7


def _section(subject: str) -> str:
    return "A" if int(subject) <= LAST_OF_A else "B"


def _part_of(path: Path) -> str:
    """Return the section of a workbook by its name or its folder's.

    A workbook without a section in its name may hold anything, and is read as a part of its own.
    """
    for name in (path.stem, path.parent.name):
        match = re.search("(?:section|casme)[ _-]*([ab])(?![a-z])", normalise_name(name))
        if match:
            return match[1].upper()
    return f"other {path.stem}"  # sorted after A and B, which are the owners'


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    return [row_from_cells(cells, location, f"{subject_in_row(cells):02d}")]


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    """Return the kind by the prefix of the crops, else by the folders' names. All have the same frames."""
    if "crop" in path or has_registered_crops(folder for _, folder in matches[:20]):
        return "cropped"
    return "raw-selected" if "select" in path else "raw"


def _describe(labels: Labels) -> dict[str, str]:
    """Return the sections of the rows, and how many total durations agree with the frame numbers.

    If they agree, the columns have the meaning that is assumed here.
    """
    agreements = []
    for table in labels.used:
        for cells in table.rows:
            agreement = _duration_agrees(cells)
            if agreement is not None:
                agreements.append(agreement)
    sections = sorted({_section(row.subject) for row in labels.rows})
    durations = (
        f"{sum(agreements)} of {len(agreements)} are those of onset to offset at {FPS:g} frames per second"
    )
    return {"sections": " and ".join(sections), "total durations": durations}


def _duration_agrees(cells: Cells) -> bool | None:
    """Return whether the total duration is that of onset to offset; None where one of them is missing."""
    texts = [cells[name].partition(".")[0] for name in ("onset", "offset", "total")]
    onset, offset, total_ms = map(number_or_none, texts)
    if onset is None or offset is None or total_ms is None:
        return None
    frame_ms = 1000 / FPS
    duration_ms = (offset - onset + 1) * 1000 / FPS
    return abs(duration_ms - total_ms) < 1.5 * frame_ms


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("casme", FPS, cropped=tree == "cropped", mirror_offset=True)


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="casme",
        title="CASME",
        example="Section A.xls",
        schema=SCHEMA,
        emotions=PUBLISHED,
        parse_row=_parse_row,
        preferred_names=("section", "casmesection"),
        part_of=_part_of,
    ),
    example="sub01/EP01_5",
    locate_clip=locate_below_subject,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
    describe=_describe,
    workbooks_inside_trees=True,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled clip of a CASME folder, of both sections or of the one that exists.

    See `read_clips`. `selection.tree` is one of TREES.
    """
    scan = scan_folders(validate_root(root))
    index = read_scanned_clips(scan, selection, LAYOUT)
    findings = list(index.findings)
    for section in SECTIONS:
        if section not in index.about["sections"].split():
            findings.append(_missing_section(section, scan))
    return replace(index, findings=findings)


def _missing_section(section: str, scan: FolderScan) -> Finding:
    """Return the finding about a section without rows: it is stored elsewhere, or its workbook is."""
    name = f"{SECTIONS[section]} (section {section})"
    for parts in scan.leaves:
        location = locate_below_subject(parts)
        if location and _section(location.key[0]) == section:
            folder = "/".join(parts[: location.depth]) or scan.root.name
            message = (
                f"folders of {name} are there, but no rows; where is the workbook, Section {section}.xls?"
            )
            return Finding("section without labels", folder, message, serious=True)
    message = f"{name} are not in this folder; the database is more than this"
    return Finding("section not here", scan.root.name, message)


CASME = Dataset(
    name="casme",
    title="CASME",
    read=read,
    fps=FPS,
    published=PUBLISHED,
    people=19,
    published_source=(
        "one public list, 189 clips; likely. "
        "Others differ by a clip or two per class, and the owners name 195"
    ),
    access="http://casme.psych.ac.cn/casme/e1",
    options={"tree": TREES},
    signatures=(
        r"(casme[ _-]*)?section[ _-]*[ab]\b.*",
        r"(.*/)?section[ _-]*[ab]/.*",
        r"(.*/)?casme_(raw|cropped)_selected/.*",
    ),
)
