"""Read part C of CAS(ME)^3, a mock crime: clips, or whole recordings of several clips each."""

import re
from collections.abc import Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.datasets.readers.casme3.common import RECORDING, part_layout, without_colour
from learnet.datasets.readers.reading.cells import whole_number
from learnet.datasets.readers.reading.folder_names import (
    FolderKey,
    above_subject,
    find_named_clip,
    normalise_name,
    subject_number,
)
from learnet.datasets.readers.reading.label_sources import LabelWorkbooks
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout
from learnet.datasets.readers.reading.rows import LabelRow, emotion_in_row
from learnet.datasets.readers.reading.spreadsheet import sheets
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table

PUBLISHED = {"negative": 99, "surprise": 30, "others": 20, "positive": 16}
"""Clips per emotion of part C: 165 of 30 people, counted in the owners' workbook."""

SCHEMA = TableSchema(
    columns={
        "subject": ("sub", "subject"),
        "name": ("count",),
        "onset": ("onset",),
        "offset": ("offset",),
        "action_units": ("au", "aus"),
        "emotion": ("emotion", "emotions"),
    },
    required=("subject", "name", "onset", "offset", "emotion"),
)
_SCHEMA_WITHOUT_CLIPS = TableSchema(
    columns={"subject": ("subject",), "name": ("onset",), "type": ("exptype",)},
    required=("subject", "name", "type"),
)

WORKBOOK = "CAS(ME)3_part_C_ME.xlsx"

_CLIP = re.compile(r"([^_]+)_([0-9]+)")
"""Subject and number of the clip: 01_3."""


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    subject = whole_number(cells["subject"])
    clip = whole_number(cells["name"])
    if subject is None or clip is None:
        raise ValueError(
            f"{cells['subject']!r}, {cells['name']!r} are not the numbers of a subject and a clip"
        )
    onset = whole_number(cells["onset"])
    offset = whole_number(cells["offset"]) or None
    row = LabelRow(
        subject=str(subject),
        name=str(clip),
        emotion=emotion_in_row(cells, location),
        onset=onset,
        apex=None,
        offset=offset,
        location=location,
        action_units=cells["action_units"],
    )
    return [row]


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    """Locate a clip `.../01/3/color` or `.../01_3`, or a recording `.../01/color`."""
    clip = find_named_clip(parts, _CLIP)
    match = _CLIP.fullmatch(normalise_name(clip.name)) if clip else None
    if clip and match:
        subject = subject_number(match[1])
        if subject is not None:
            return ClipLocation(clip.depth, (str(subject), str(int(match[2]))))
    names = without_colour(parts)
    last = len(names) - 1
    number = subject_number(names[last]) if names else None
    if number is None:
        return None
    subject = subject_number(names[last - 1]) if last and names[last].isdecimal() else None
    if subject is not None:
        return ClipLocation(above_subject(names, last, subject), (str(subject), str(number)))
    return ClipLocation(above_subject(names, last, number), (str(number), RECORDING))


def _read_table(path: Path) -> Table:
    """Read the workbook of part C. Its list of micro-expressions without numbers of clips is refused."""
    if "organize" in map(normalise_name, sheets(path)):
        rows = read_table(path, _SCHEMA_WITHOUT_CLIPS).rows
        micro = sum(cells["type"] == "1" for cells in rows)
        problem = (
            f"has {micro} micro-expressions without the numbers of their clips; "
            f"{WORKBOOK} has {sum(PUBLISHED.values())}"
        )
        raise BadInput(path, problem, "The two lists do not agree.")
    return read_table(path, SCHEMA)


def _keys(row: LabelRow) -> tuple[FolderKey, ...]:
    """Return the key of the recording that holds a clip."""
    return ((row.subject, RECORDING),)


def layout_c() -> DatabaseLayout:
    """Return the layout of part C."""
    labels = LabelWorkbooks(
        dataset="casme3",
        title="CAS(ME)^3",
        example=WORKBOOK,
        schema=SCHEMA,
        emotions=PUBLISHED,
        parse_row=_parse_row,
        preferred_names=("casme3partcme",),
        unrelated_names=("parta",),
        custom_reader=_read_table,
        alternative_keys=_keys,
    )
    return part_layout(labels, "ME_C/01/1", _locate_clip, "C", PUBLISHED)
