"""CASME as its owners ship it: two sections, each with a workbook inside, and the selected and cropped packages made from them.

The sections complete each other; one alone is read too, and the audit says that the other is missing. `docs/datasets/casme.md` says what
is assumed and how sure it is.
"""

import re
from dataclasses import replace
from pathlib import Path

from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import Survey, checked_root, registered, same, survey
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Plan, collect_from, place_below_subject
from learnet.datasets.readers.reading.spreadsheet import Form
from learnet.datasets.readers.reading.workbooks import NEEDED, Books, Labels, row_of, subject_of

FPS = 60.0
PUBLISHED = {
    "tense": 68, "disgust": 45, "repression": 39, "surprise": 20, "happiness": 7, "sadness": 6, "contempt": 2, "fear": 2,
}  # fmt: skip
"""Clips per emotion as one public list counts them: 189. Others differ by a clip or two per class, and the owners speak of 195."""

FORM = Form(
    columns={
        "subject": ("subject", "sub", "subjects"),
        "name": ("filename", "file", "filenames"),
        "onset": ("onsetf", "onsetframe"),  # `Onset` is how long the onset phase lasts, in ms
        "apex": ("apexf1", "apexf", "apexframe"),
        "offset": ("offsetf", "offsetframe"),
        "total": ("total",),
        "action_units": ("au", "aus", "actionunits", "actionunit"),
        "emotion": ("emotion", "estimatedemotion", "emotions"),
    },
    needed=NEEDED,
)

TREES = ("raw", "raw-selected", "cropped")
"""Order of preference where several lie together. The sections are the owners'; who made the packages is not sure."""

SECTIONS = {"A": "subjects 01 to 07", "B": "subjects from 08 on"}
LAST_OF_A = 7


def _section(subject: str) -> str:
    return "A" if int(subject) <= LAST_OF_A else "B"


def _part(path: Path) -> str:
    """Which section a workbook is of, by its name or its folder's; a workbook that does not say so may hold anything, and is read too."""
    for name in (path.stem, path.parent.name):
        if found := re.search("(?:section|casme)[ _-]*([ab])(?![a-z])", same(name)):
            return found[1].upper()
    return f"other {path.stem}"  # after A and B, which are the owners'


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    return [row_of(cells, where, f"{subject_of(cells):02d}")]


def _kind(way: str, folders: list[tuple[Row, Path]]) -> str:
    """Which of TREES this is: by the prefix of the crops, else by the folders' names; all have the same frame numbers."""
    if "crop" in way or registered(folder for _, folder in folders[:20]):
        return "cropped"
    return "raw-selected" if "select" in way else "raw"


def _about(labels: Labels) -> dict[str, str]:
    """The sections of the rows, and whether the total durations are those of their frames: if so, both are what they are taken for."""
    agree = given = 0
    for table in labels.used:
        for cells in table.rows:
            marks = [cells[name].partition(".")[0] for name in ("onset", "offset", "total")]
            if all(mark.isdecimal() for mark in marks):
                onset, offset, total = map(int, marks)
                given += 1
                agree += abs((offset - onset + 1) * 1000 / FPS - total) < 1.5 * 1000 / FPS
    return {
        "sections": " and ".join(sorted({_section(row.subject) for row in labels.rows})),
        "total durations": f"{agree} of {given} are those of onset to offset at {FPS:g} frames per second",
    }


PLAN = Plan(
    books=Books(
        dataset="casme",
        title="CASME",
        example="Section A.xls",
        form=FORM,
        emotions=PUBLISHED,
        rows=_rows,
        preferred=("section", "casmesection"),
        part=_part,
    ),
    example="sub01/EP01_5",
    place=place_below_subject,
    trees=TREES,
    kind=_kind,
    source=lambda tree: Source("casme", FPS, cropped=tree == "cropped", mirrored=True),
    about=_about,
    scattered=True,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled clip of a CASME folder, of both sections or of the one that is there; `collect` says how. The tree is one of TREES."""
    found = survey(checked_root(root))
    reading = collect_from(found, selection, PLAN)
    missing = [
        _missing(section, found) for section in SECTIONS if section not in reading.about["sections"].split()
    ]
    return replace(reading, findings=[*reading.findings, *missing])


def _missing(section: str, found: Survey) -> Finding:
    """What to say of a section that has no rows: it lies elsewhere, or its workbook does."""
    which = f"{SECTIONS[section]} (section {section})"
    for way in found.leaves:
        if (placed := place_below_subject(way)) and _section(placed.key[0]) == section:
            what = f"folders of {which} are there, but no rows; where is the workbook, Section {section}.xls?"
            return Finding(
                "section without labels", "/".join(way[: placed.above]) or found.root.name, what, serious=True
            )
    return Finding(
        "section not here", found.root.name, f"{which} are not in this folder; the database is more than this"
    )


CASME = Dataset(
    name="casme",
    title="CASME",
    read=read,
    fps=FPS,
    published=PUBLISHED,
    people=19,
    counted="one public list, 189 clips; likely. Others differ by a clip or two per class, and the owners name 195",
    apply="http://casme.psych.ac.cn/casme/e1",
    takes={"tree": TREES},
    signs=(
        r"(casme[ _-]*)?section[ _-]*[ab]\b.*",
        r"(.*/)?section[ _-]*[ab]/.*",
        r"(.*/)?casme_(raw|cropped)_selected/.*",
    ),
)
