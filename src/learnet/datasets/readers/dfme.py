"""Read DFME: clips of 200 to 500 frames a second of 656 people, and the workbooks of training and test.

What is known comes from three programs of others, so it is likely, not certain. `docs/datasets/dfme.md` says
what is assumed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import is_missing, normalise_header
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import find_named_clip, normalise_name
from learnet.datasets.readers.reading.label_sources import LabelWorkbooks
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.reader import read_clips
from learnet.datasets.readers.reading.rows import (
    COLUMNS,
    REQUIRED,
    LabelRow,
    NoSubject,
    key_by_name,
    row_from_cells,
)
from learnet.datasets.readers.reading.table import TableSchema

EMOTIONS = ("happiness", "anger", "contempt", "disgust", "fear", "sadness", "surprise", "others")

FPS = 200.0
"""The lowest of the rates that the owners name (200 to 500): how that of each clip is told is not known."""

SCHEMA = TableSchema(
    columns={**COLUMNS, "emotion": ("emotion", "label", *COLUMNS["emotion"])},
    required=REQUIRED,
    repeated={"unit": "au"},
)
"""Action units may be in one column, or in several whose headers begin with AU."""

WORKBOOKS = ("trainingfullwithau", "trainingfull", "training", "testa", "testb", "test")
PARTS = re.compile(r"training|test[ab]?")
SUBJECT = re.compile(r"(?:sub)?([0-9]{1,4})(?![0-9])")
TREES = ("frames",)
CLIP = re.compile(r"sub[0-9]{3,4}_[0-9]{1,4}")
"""Subject and running number: sub0003_01."""


def _part_of(path: Path) -> str:
    """Return which part of the database a workbook labels: `training`, `testa` or `testb`."""
    match = PARTS.search(normalise_header(path.stem))
    return match[0] if match else ""


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    """Return the row of a clip.

    Raises:
        ValueError: there is no subject, or the clip is named after another one.
    """
    number = _number(cells["subject"])
    if number is None:
        raise NoSubject(f"{cells['subject']!r} is not a subject's number")
    if number != _number(cells["name"]):
        raise ValueError(
            f"subject {cells['subject']} cannot have the clip {cells['name']}, which is another's"
        )
    row = row_from_cells(cells, location, f"sub{number:04d}")
    return [replace(row, action_units=row.action_units or _join_units(cells))]


def _number(text: str) -> int | None:
    """Return 3 for `sub0003_01`, `sub0003`, `0003` and `3`."""
    match = SUBJECT.match(normalise_name(text))
    return int(match[1]) if match else None


def _join_units(cells: Mapping[str, str]) -> str:
    """Return the units of several columns as one code."""
    units = [text for name, text in cells.items() if name.startswith("unit ") and not is_missing(text)]
    return "+".join(units)


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    clip = find_named_clip(parts, CLIP)
    return ClipLocation(clip.depth, (normalise_name(clip.name),)) if clip else None


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    return TREES[0]


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("dfme", FPS, cropped=False, renumbered=True)


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="dfme",
        title="DFME",
        example="training_full_with_AU.xlsx",
        schema=SCHEMA,
        emotions=EMOTIONS,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        part_of=_part_of,
        key=key_by_name,
    ),
    example="train_data/train_data/sub0003_01",
    locate_clip=_locate_clip,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled clip of a DFME folder; see `read_clips`."""
    index = read_clips(root, selection, LAYOUT)
    what = f"the rate of each clip is not known (200 to 500); {FPS:g} frames a second are assumed for all"
    assumed = Finding("frame rate assumed", "dfme", what)
    return replace(index, findings=[*index.findings, assumed])


DFME = Dataset(
    name="dfme",
    title="DFME",
    read=read,
    fps=FPS,
    people=656,
    published_source="7,526 clips in all, likely; how many of each class is not known here",
    access="Zhao et al., IEEE Transactions on Affective Computing 2023: by e-mail to the owners",
    signatures=(r"training[ _-]?full[ _-]?with[ _-]?au.*", r"(.*/)?sub\d{4}_\d{2,3}"),
)
