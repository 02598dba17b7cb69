"""SMIC-E as its owners ship it: long clips of one to three micro-expressions with neutral stretches around, a workbook for each camera.

Columns of frames are found by how their headers begin, as nobody says how those of the second and third expression are called.
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
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import checked_root, subject_clip, subject_number, survey
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Placed, Plan, collect_from
from learnet.datasets.readers.reading.spreadsheet import (
    Form,
    Table,
    is_missing,
    normalise,
    number_or_none,
    read_table,
    whole_number,
)
from learnet.datasets.readers.reading.workbooks import Books, Labels, subject_of
from learnet.datasets.readers.smic_common import (
    CAMERAS,
    LABELS,
    SLOW,
    camera_of,
    choose_camera,
    clip_key,
    coded,
    number_of,
    only,
    subject,
    unnamed,
)

PUBLISHED = {"negative": 65, "positive": 51, "surprise": 41}
"""Long clips per emotion of the HS camera: 157, those of SMIC-HS less the seven that no row names. Up to four rows have two expressions."""


def _is_note(cells: Mapping[str, str]) -> bool:
    """Neither a clip's name nor a subject with frames: the workbook ends with text."""
    frames = any(cells[name] for name in cells if name.startswith(("onset ", "offset ")))
    return number_of(cells["name"]) is None and not (frames and subject_number(cells["subject"]) is not None)


FORM = Form(
    columns={
        "subject": ("subject", "sub", "subjects"),
        "name": ("filename", "file", "filenames"),
        "first": ("firstf", "firstframe"),
        "last": ("lastf", "lastframe"),
        "emotion": ("emotion", "emotions", "estimatedemotion"),
    },
    needed=("subject", "name", "onset 1", "offset 1"),
    repeated={"onset": "onset", "offset": "offset"},
    is_note=_is_note,
)


def _table(path: Path, camera: str) -> Table:
    """The table of a workbook.

    Raises:
        BadInput: see `read_table`; or it is another camera's; or it has not as many columns for offsets as for onsets.
    """
    other = camera_of(path.parts[-4:])
    if other not in (camera, None):
        hint = f"Read {other}, or put the workbook of {camera} beside the clips."
        raise BadInput(path, f"is the workbook of the {other} camera, not of {camera}", hint)
    table = read_table(path, FORM)
    onsets, offsets = (
        sum(normalise(header).startswith(name) for header in table.headers) for name in ("onset", "offset")
    )
    if onsets != offsets:
        wrong = f"has {onsets} columns of onsets and {offsets} of offsets, so which belong together cannot be told"
        raise BadInput(path, wrong, f"Its columns are {', '.join(filter(None, table.headers))}.")
    return table


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    """One row per expression; the second in a long clip is called after it, s3_po_92-2."""
    name = cells["name"]
    number = subject_of(cells, named=number_of(name))
    word = coded(name) if is_missing(cells["emotion"]) else parse_emotion(cells["emotion"], where)
    if word is None:
        raise ValueError(f"no emotion is given, and the name {name} says none")
    rows = []
    for count, (onset, offset) in enumerate(_pairs(cells), start=1):
        if onset is not None or offset is not None:
            called = name if count == 1 else f"{name}-{count}"
            rows.append(Row(subject(number), called, word, onset, None, offset, where, folder=name))
    if not rows:
        raise ValueError("no onset and no offset is given")
    return rows


def _pairs(cells: Mapping[str, str]) -> list[tuple[int | None, int | None]]:
    """Onset and offset of each expression; a 0 is none, as cameras count on from day to day."""
    count = sum(name.startswith("onset ") for name in cells)
    marks = [
        [whole_number(cells[f"{name} {number}"]) or None for name in ("onset", "offset")]
        for number in range(1, count + 1)
    ]
    return [(onset, offset) for onset, offset in marks]


def _checked(table: Table, rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """ROWS as they are; where they leave their long clip, or are not what their name says."""
    cells_of = {table.where(index): cells for index, cells in enumerate(table.rows)}
    first_of = {row.where: row for row in reversed(rows)}
    findings = []
    for row in rows:
        key, cells = f"smic-e/{row.subject}/{row.name}", cells_of[row.where]
        first, last = number_or_none(cells["first"]), number_or_none(cells["last"])  # no clip depends on them
        marks = [mark for mark in (row.onset, row.offset) if mark is not None]
        if any((first is not None and mark < first) or (last is not None and mark > last) for mark in marks):
            what = f"{row.where}: {row.onset}..{row.offset} is not inside {cells['first']}..{cells['last']}, the frames of the long clip"
            findings.append(Finding("outside the long clip", key, what, serious=True))
        if row is first_of[row.where] and coded(row.folder) not in (row.emotion, None):
            what = f"{row.where}: the emotion is {row.emotion}, and the clip's name says {coded(row.folder)}; the emotion is taken"
            findings.append(Finding("emotion and name differ", key, what, serious=True))
    return rows, findings


def _place(way: Sequence[str]) -> Placed | None:
    found = subject_clip(way)
    person = number_of(found[2]) if found else None
    if found is None or person is None:
        return None
    odd = (
        ""
        if person == found[1]
        else f"it lies with {subject(found[1])}, and its name is {subject(person)}'s, where it is used"
    )
    return Placed(found[0], (subject(person), clip_key(found[2])), odd)


def _plan(camera: str, root: Path) -> Plan:
    def about(labels: Labels) -> dict[str, str]:
        long = len({(row.subject, row.folder) for row in labels.rows})
        return {
            "camera": f"{camera}, {CAMERAS[camera]:g} frames per second",
            "expressions": f"{len(labels.rows)} in {long} long clips",
        }

    book = f"smic{camera.lower()}eannotation"
    return Plan(
        books=Books(
            dataset="smic-e",
            title="SMIC-E",
            example=f"SMIC-{camera}-E_annotation.xlsx",
            form=FORM,
            emotions=LABELS,
            rows=_rows,
            preferred=(f"{book}2019", book),
            beside=tuple(other.lower() for other in CAMERAS if other != camera),
            read=partial(_table, camera=camera),
            repair=_checked,
            key=lambda row: (row.subject, clip_key(row.folder)),
        ),
        example="s01/s1_ne_01",
        place=only(camera, _place, root),
        trees=("long",),
        kind=lambda way, folders: "long",
        source=lambda tree: Source("smic-e", CAMERAS[camera], cropped=False),
        about=about,
        published=PUBLISHED if camera == "HS" else SLOW,
    )


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled expression of one camera of a SMIC-E folder; `collect` says how. The part is one of CAMERAS.

    Raises:
        BadInput: what `collect` refuses; no clips or no workbook of this camera.
    """
    found = survey(checked_root(root))
    camera = choose_camera(found, _place, selection.part)
    reading = collect_from(found, selection, _plan(camera, found.root))
    return replace(reading, findings=[*reading.findings, *unnamed(reading.clips, found.root, camera)])


SMIC_E = Dataset(
    name="smic-e",
    title="SMIC-E",
    read=read,
    fps=0.0,
    published=PUBLISHED,
    people=16,
    counted="long clips of camera HS, 157 in all, certain; per emotion by which of SMIC's clips have no row, likely. VIS and NIR have 71",
    apply="https://www.oulu.fi/cmvs/node/41319",
    takes={"part": tuple(CAMERAS)},
    signs=(r"smic[ _-]*(hs|vis|nir)[ _-]*e.*\.xlsx?", r"(.*/)?s\d{1,2}/s\d{1,2}_(ne|po|sur)_\d+"),
)
