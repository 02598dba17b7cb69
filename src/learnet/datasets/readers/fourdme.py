"""Read 4DME, the grey images: micro clips whole or cropped, or the long videos, with the micro workbook.

Little is certain about how it is stored, so everything is recognised by content, and the audit says what was
found. `docs/datasets/4dme.md` says what is assumed.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import is_missing, normalise_header, whole_number
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import (
    find_named_clip,
    find_subject_and_clip,
    normalise_name,
    subject_number,
)
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks, OwnersRows
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch
from learnet.datasets.readers.reading.matching import TreeProperties, clip_key
from learnet.datasets.readers.reading.reader import read_clips
from learnet.datasets.readers.reading.rows import REQUIRED, LabelRow, key_by_name
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table

EMOTIONS = ("surprise", "repression", "positive", "negative", "others")
"""In the order in which the first of several becomes the clip's one emotion: `Surprise+Positive` is a
surprise. A more specific emotion precedes a broader one, and others is last. The rule is learnet's own, for
no published one is known."""

_FLAGS = {emotion: (emotion,) for emotion in EMOTIONS}

SCHEMA = TableSchema(
    columns={
        "subject": ("subid", "subject"),
        "name": ("foldname", "filename"),
        "onset": ("onset", "onsetframe"),
        "apex": ("apex", "apexframe"),
        "offset": ("offset", "offsetframe"),
        "action_units": ("aus", "actionunits"),
        "emotion": ("emotion", "emotions"),
        **_FLAGS,
    },
    required=REQUIRED,
)
WORKBOOKS = ("4dmelabellingmicro", "4dmelabelingmicro")

TREES = ("micro", "micro-cropped", "long", "other")
"""gray_micro, gray_micro_crop, the long grey videos; other is colour or depth, whose layout is unknown. Whole
images come first, because it is unknown who made the crops."""

CLIP = re.compile(r"s?[0-9]{1,3}(_[0-9a-z]+){2,}")
"""S13_1st_001_01_1 is the one known example. Clips with other names are found below the folder of
their subject."""

_CLIP_FIELDS = ("onset", "apex", "offset", "emotion")
"""Fields of a clip's row, which the row of sums at the end of pre-release copies lacks."""


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    if _is_summary(cells):
        return []
    emotions = _parse_emotions(cells["emotion"], location)
    if not emotions:
        raise ValueError("no emotion is given")
    row = LabelRow(
        subject=_subject(cells["subject"]),
        name=cells["name"],
        emotion=emotions[0],
        onset=whole_number(cells["onset"]),
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]),
        location=location,
        action_units=cells["action_units"],
        also="+".join(emotions[1:]),
    )
    return [row]


def _is_summary(cells: Mapping[str, str]) -> bool:
    return all(is_missing(cells[name]) for name in _CLIP_FIELDS)


def _subject(text: str) -> str:
    """Return `S07` for S07, S7, 7 and the 7.0 of pre-release copies; other texts as they are."""
    number = subject_number(re.sub(r"\.0*$", "", text))
    return text if number is None else f"S{number:02d}"


def _parse_emotions(text: str, location: str) -> list[str]:
    """Return the emotions of a cell such as `Surprise+Positive`, in the order of EMOTIONS."""
    emotions = set()
    for word in re.split(r"[+,/&]", text):
        if not is_missing(word):
            emotions.add(parse_emotion(word, location))
    foreign = sorted(emotions - set(EMOTIONS))
    if foreign:
        raise ValueError(f"4DME has no emotion {' and '.join(foreign)}")
    return _in_order(emotions)


def _in_order(emotions: set[str]) -> list[str]:
    return [emotion for emotion in EMOTIONS if emotion in emotions]


def _check_rows(
    table: Table, rows: list[LabelRow], owners: OwnersRows
) -> tuple[list[LabelRow], list[Finding]]:
    """Report rows of sums, and flags that disagree with the emotion. The rows stay as they are."""
    cells_at = {}
    findings = []
    for index, cells in enumerate(table.rows):
        location = table.location(index)
        cells_at[location] = cells
        if _is_summary(cells):
            text = " ".join(filter(None, cells.values()))[:80]
            message = f"{location} has neither frames nor an emotion: {text!r}"
            findings.append(Finding("row passed over", table.path.name, message))
    for row in rows:
        emotions = {row.emotion, *filter(None, row.also.split("+"))}
        flags = {emotion for emotion in EMOTIONS if _is_set(cells_at[row.location][emotion])}
        if flags and flags != emotions:
            message = (
                f"{row.location}: the emotion is {'+'.join(_in_order(emotions))}, "
                f"the flags say {'+'.join(_in_order(flags))}; the emotion is used"
            )
            key = clip_key(row, "4dme")
            findings.append(Finding("emotion and flags differ", key, message, serious=True))
    return rows, findings


def _is_set(cell: str) -> bool:
    return not is_missing(cell) and cell.strip("0.") != ""


def _read_table(path: Path) -> Table:
    """Read the table of a workbook.

    Raises:
        BadInput: `read_table` refuses it, or it is that of the long videos, by its name.
    """
    if "macro" in normalise_header(path.stem):
        problem = (
            "is the workbook of the long videos, whose macro-expressions would be taken for micro-expressions"
        )
        hint = (
            "Put the workbook of micro-expressions (4DME_Labelling_Micro_release v1.xlsx) beside the clips."
        )
        raise BadInput(path, problem, hint)
    return read_table(path, SCHEMA)


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    clip = find_named_clip(parts, CLIP) or find_subject_and_clip(parts)
    return ClipLocation(clip.depth, (normalise_name(clip.name),)) if clip else None


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    """Return the kind by the names of the folders; where they say nothing, the micro clips are assumed."""
    if any(piece in path for piece in ("rgb", "colour", "color", "depth", "kinect")):
        return "other"
    if "long" in path:
        return "long"
    return "micro-cropped" if "crop" in path else "micro"


def _describe(labels: Labels) -> dict[str, str]:
    several = sum(bool(row.also) for row in labels.rows)
    order = ", ".join(EMOTIONS)
    return {"emotions": f"{several} of {len(labels.rows)} rows have several; the first of {order} is used"}


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("4dme", 60.0, cropped=tree == "micro-cropped", renumbered=tree != "long")


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="4dme",
        title="4DME",
        example="4DME_Labelling_Micro_release v1.xlsx",
        schema=SCHEMA,
        emotions=EMOTIONS,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=("macro",),
        custom_reader=_read_table,
        repair=_check_rows,
        key=key_by_name,
    ),
    example="S13/S13_1st_001_01_1",
    locate_clip=_locate_clip,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
    describe=_describe,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled clip of a 4DME folder; see `read_clips`. `selection.tree` is one of TREES."""
    return read_clips(root, selection, LAYOUT)


FOURDME = Dataset(
    name="4dme",
    title="4DME",
    read=read,
    fps=60.0,
    published_source="267 clips, of classes that nobody counted; one loader, likely",
    access=(
        "University of Oulu, Center for Machine Vision and Signal Analysis, as SMIC; "
        "doi 10.1109/TAFFC.2022.3182342"
    ),
    options={"tree": TREES},
    signatures=(
        r"4dme[ _-]*labell?ing.*",
        r"(.*/)?s\d{1,3}_\d+(st|nd|rd|th)_\d+_\d+_\d+",
        r"(.*/)?gray_micro(_crop)?/.*",
    ),
)
