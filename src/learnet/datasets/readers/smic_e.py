"""Read SMIC-E as its owners distribute it: long clips with one to three micro-expressions.

They begin and end with a neutral face. There is a workbook for each camera. Columns of frames are found by
the beginning of their headers, because it is unknown how those of the second and third expression are named.
`docs/datasets/smic-e.md` says what is assumed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import (
    is_missing,
    normalise_header,
    number_or_none,
    whole_number,
)
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import (
    FolderKey,
    find_subject_and_clip,
    subject_number,
)
from learnet.datasets.readers.reading.folder_tree import scan_folders, validate_root
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks, OwnersRows
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch
from learnet.datasets.readers.reading.matching import TreeProperties, clip_key
from learnet.datasets.readers.reading.reader import read_scanned_clips
from learnet.datasets.readers.reading.rows import LabelRow, subject_in_row
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table
from learnet.datasets.readers.smic_common import (
    CAMERAS,
    LABELS,
    PUBLISHED_VIS_NIR,
    camera_in_path,
    emotion_in_clip_name,
    normalise_clip_name,
    restrict_to_camera,
    select_camera,
    subject_in_clip_name,
    subject_name,
    unnamed_camera,
)

PUBLISHED = {"negative": 65, "positive": 51, "surprise": 41}
"""Long clips per emotion of the HS camera: 157, those of SMIC-HS less the seven that no row names. Up to four
rows have two expressions."""


def _is_note(cells: Mapping[str, str]) -> bool:
    """Return whether a row has neither a clip's name nor a subject with frames, as the text at the end."""
    if subject_in_clip_name(cells["name"]) is not None:
        return False
    has_frames = any(text for name, text in cells.items() if name.startswith(("onset ", "offset ")))
    return not has_frames or subject_number(cells["subject"]) is None


SCHEMA = TableSchema(
    columns={
        "subject": ("subject", "sub", "subjects"),
        "name": ("filename", "file", "filenames"),
        "first": ("firstf", "firstframe"),
        "last": ("lastf", "lastframe"),
        "emotion": ("emotion", "emotions", "estimatedemotion"),
    },
    required=("subject", "name", "onset 1", "offset 1"),
    repeated={"onset": "onset", "offset": "offset"},
    is_note=_is_note,
)


def _read_table(path: Path, camera: str) -> Table:
    """Read the table of a workbook.

    Raises:
        BadInput: `read_table` refuses it, it is that of another camera, or it has not as many columns for
            offsets as for onsets.
    """
    workbook_camera = camera_in_path(path.parts[-4:])
    if workbook_camera not in (camera, None):
        problem = f"is the workbook of the {workbook_camera} camera, not of {camera}"
        hint = f"Read {workbook_camera}, or put the workbook of {camera} beside the clips."
        raise BadInput(path, problem, hint)
    table = read_table(path, SCHEMA)
    onsets = 0
    offsets = 0
    for header in table.headers:
        onsets += normalise_header(header).startswith("onset")
        offsets += normalise_header(header).startswith("offset")
    if onsets != offsets:
        problem = (
            f"has {onsets} columns of onsets and {offsets} of offsets, "
            "so which belong together cannot be decided"
        )
        raise BadInput(path, problem, f"Its columns are {', '.join(filter(None, table.headers))}.")
    return table


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    """Return one row per expression. The second in a long clip is named after it, s3_po_92-2."""
    name = cells["name"]
    number = subject_in_row(cells, expected=subject_in_clip_name(name))
    if is_missing(cells["emotion"]):
        emotion = emotion_in_clip_name(name)
        if emotion is None:
            raise ValueError(f"no emotion is given, and the name {name} says none")
    else:
        emotion = parse_emotion(cells["emotion"], location)
    rows = []
    for count, (onset, offset) in enumerate(_onsets_and_offsets(cells), start=1):
        if onset is None and offset is None:
            continue
        row = LabelRow(
            subject=subject_name(number),
            name=name if count == 1 else f"{name}-{count}",
            emotion=emotion,
            onset=onset,
            apex=None,
            offset=offset,
            location=location,
            folder_name=name,
        )
        rows.append(row)
    if not rows:
        raise ValueError("no onset and no offset is given")
    return rows


def _onsets_and_offsets(cells: Mapping[str, str]) -> list[tuple[int | None, int | None]]:
    """Return onset and offset of each expression. 0 is a missing frame: cameras count on from day to day."""
    pairs = []
    number = 1
    while f"onset {number}" in cells:
        onset = whole_number(cells[f"onset {number}"]) or None
        offset = whole_number(cells[f"offset {number}"]) or None
        pairs.append((onset, offset))
        number += 1
    return pairs


def _check_rows(
    table: Table, rows: list[LabelRow], owners: OwnersRows
) -> tuple[list[LabelRow], list[Finding]]:
    """Report expressions outside their long clip or with another emotion than its name's.

    The rows stay as they are.
    """
    cells_at = {table.location(index): cells for index, cells in enumerate(table.rows)}
    checked_locations = set()
    findings = []
    for row in rows:
        key = clip_key(row, "smic-e")
        cells = cells_at[row.location]
        if _is_outside(row, cells):
            message = (
                f"{row.location}: {row.onset}..{row.offset} is not inside {cells['first']}..{cells['last']}, "
                "the frames of the long clip"
            )
            findings.append(Finding("outside the long clip", key, message, serious=True))
        if row.location in checked_locations:
            continue
        checked_locations.add(row.location)
        named_emotion = emotion_in_clip_name(row.folder_name)
        if named_emotion not in (row.emotion, None):
            message = (
                f"{row.location}: the emotion is {row.emotion}, and the clip's name says {named_emotion}; "
                "the emotion is used"
            )
            findings.append(Finding("emotion and name differ", key, message, serious=True))
    return rows, findings


def _is_outside(row: LabelRow, cells: Mapping[str, str]) -> bool:
    """Return whether an expression leaves its long clip. No clip depends on the ends of the long clip."""
    first = number_or_none(cells["first"])
    last = number_or_none(cells["last"])
    for mark in (row.onset, row.offset):
        if mark is None:
            continue
        if (first is not None and mark < first) or (last is not None and mark > last):
            return True
    return False


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    clip = find_subject_and_clip(parts)
    if clip is None or clip.subject is None:
        return None
    person = subject_in_clip_name(clip.name)
    if person is None:
        return None
    problem = ""
    if person != clip.subject:
        problem = (
            f"it is stored with {subject_name(clip.subject)}, and its name is {subject_name(person)}'s, "
            "where it is used"
        )
    key = (subject_name(person), normalise_clip_name(clip.name))
    return ClipLocation(clip.depth, key, problem)


def _row_key(row: LabelRow) -> FolderKey:
    return (row.subject, normalise_clip_name(row.folder_name))


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    return "long"


def _layout(camera: str, root: Path) -> DatabaseLayout:
    """Return the layout of one camera below a root."""

    def describe(labels: Labels) -> dict[str, str]:
        long_clips = {(row.subject, row.folder_name) for row in labels.rows}
        return {
            "camera": f"{camera}, {CAMERAS[camera]:g} frames per second",
            "expressions": f"{len(labels.rows)} in {len(long_clips)} long clips",
        }

    def properties(tree: str) -> TreeProperties:
        return TreeProperties("smic-e", CAMERAS[camera], cropped=False)

    workbook = f"smic{camera.lower()}eannotation"
    labels = LabelWorkbooks(
        dataset="smic-e",
        title="SMIC-E",
        example=f"SMIC-{camera}-E_annotation.xlsx",
        schema=SCHEMA,
        emotions=LABELS,
        parse_row=_parse_row,
        preferred_names=(f"{workbook}2019", workbook),
        unrelated_names=tuple(other.lower() for other in CAMERAS if other != camera),
        custom_reader=partial(_read_table, camera=camera),
        repair=_check_rows,
        key=_row_key,
    )
    return DatabaseLayout(
        labels=labels,
        example="s01/s1_ne_01",
        locate_clip=restrict_to_camera(camera, _locate_clip, root),
        tree_kinds=("long",),
        kind_of_tree=_kind_of_tree,
        properties=properties,
        describe=describe,
        published=PUBLISHED if camera == "HS" else PUBLISHED_VIS_NIR,
    )


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled expression of one camera of a SMIC-E folder; see `read_clips`.

    `selection.part` is one of CAMERAS.

    Raises:
        BadInput: `read_clips` refuses the folder, or there are no clips or no workbook of this camera.
    """
    scan = scan_folders(validate_root(root))
    camera = select_camera(scan, _locate_clip, selection.part)
    index = read_scanned_clips(scan, selection, _layout(camera, scan.root))
    unnamed = unnamed_camera(index.clips, scan.root, camera)
    return replace(index, findings=[*index.findings, *unnamed])


SMIC_E = Dataset(
    name="smic-e",
    title="SMIC-E",
    read=read,
    fps=0.0,
    published=PUBLISHED,
    people=16,
    published_source=(
        "long clips of camera HS, 157 in all, certain; per emotion by which of SMIC's clips have no row, "
        "likely. VIS and NIR have 71"
    ),
    access="https://www.oulu.fi/cmvs/node/41319",
    options={"part": tuple(CAMERAS)},
    signatures=(r"smic[ _-]*(hs|vis|nir)[ _-]*e.*\.xlsx?", r"(.*/)?s\d{1,2}/s\d{1,2}_(ne|po|sur)_\d+"),
)
