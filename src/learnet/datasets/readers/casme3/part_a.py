"""Read part A of CAS(ME)^3: clips, or whole recordings of several clips each.

Its rows name no clip: one is identified by subject, letter of the recording and onset.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import EMOTIONS
from learnet.datasets.readers.casme3.common import (
    RECORDING,
    TREES,
    WORKBOOK,
    WORKBOOK_OF_ALL,
    part_layout,
    without_colour,
)
from learnet.datasets.readers.casme3.emotions import (
    MicroEmotions,
    emotion_of_class,
    emotions_by_class,
    read_micro_emotions,
    without_emotions,
)
from learnet.datasets.readers.casme3.repairs import repair
from learnet.datasets.readers.reading.cells import normalise_header, whole_number
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
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table

PUBLISHED = {
    "disgust": 250,
    "surprise": 187,
    "others": 161,
    "fear": 86,
    "anger": 64,
    "sadness": 57,
    "happiness": 55,
}
"""Clips per emotion of part A, version 2: 860 of 94 people, counted in the owners' workbook."""

SCHEMA = TableSchema(
    columns={
        "subject": ("subject", "sub", "subjects"),
        "name": ("filename", "file", "filenames", "video"),
        "onset": ("onset", "onsetframe"),
        "apex": ("apex", "apexframe"),
        "offset": ("offset", "offsetframe"),
        "action_units": ("au", "aus", "actionunits"),
        "emotion": ("emotion", "emotions"),
        "kind": ("expressiontype", "exptype", "type"),
        "objective_class": ("objectiveclass", "objectiveclasses"),
    },
    required=("subject", "name", "onset", "apex", "offset"),
)

WORKBOOKS = ("casme3partamelabeljpgindexv2", "casme3partav2", "casme3partamelabel", "casme3parta")

FIRST_VERSION_ROWS = 921
"""Micro-expressions of version 1. Version 2 has 860: some of them became macro-expressions."""


_LETTER = re.compile("[a-z]")
_CLIP = re.compile(r"([^_]+)_([a-z])_([0-9]+)")
"""Subject, letter, onset: spno.1_a_355."""

_KINDS = {"macro": "macro", "mae": "macro", "micro": "micro", "me": "micro"}


def _parse_kind(text: str) -> str | None:
    """Return micro or macro, or None for other texts."""
    return _KINDS.get(re.sub("expressions?$", "", normalise_header(text)))


def _read_table(path: Path, expressions: str, files: Sequence[Path]) -> Table:
    """Read a workbook of part A. A workbook without a column of kinds has micro-expressions only.

    Args:
        path: the workbook.
        expressions: "micro", "macro" or "all". Macro-expressions are left out for "micro"; rows of unknown
            kind stay, to be reported.
        files: spreadsheets of the database, one of which may have the emotions that this one lacks.
    """
    if "wronglylabeled" in normalise_header(path.stem):
        raise BadInput(path, "lists rows that are wrong in version 1, not labels", f"Use {WORKBOOK}.")
    table = read_table(path, SCHEMA)
    has_kinds = any(cells["kind"] for cells in table.rows)
    if not has_kinds and expressions != "micro":
        problem = "has no column `Expression type`, so no macro-expressions"
        raise BadInput(path, problem, f"They are in {WORKBOOK_OF_ALL}.")
    if not has_kinds and len(table.rows) > FIRST_VERSION_ROWS:
        problem = (
            f"has {len(table.rows)} rows and no column `Expression type`, "
            "so micro- and macro-expressions cannot be distinguished"
        )
        raise BadInput(path, problem, f"Use {WORKBOOK}.")
    if not has_kinds:
        table = replace(table, rows=[cells | {"kind": "micro"} for cells in table.rows])
    if expressions == "micro":
        table = _without_macro(table)
    if any(normalise_header(header) in SCHEMA.columns["emotion"] for header in table.headers):
        return table
    return _with_emotions(table, expressions, read_micro_emotions(path, files, SCHEMA))


def _without_macro(table: Table) -> Table:
    rows = []
    row_numbers = []
    remarks = []
    for index, cells in enumerate(table.rows):
        if _parse_kind(cells["kind"]) != "macro":
            rows.append(cells)
            row_numbers.append(table.row_numbers[index])
            remarks += table.remarks[index : index + 1]
    return replace(table, rows=rows, row_numbers=row_numbers, remarks=remarks)


def _with_emotions(table: Table, expressions: str, micro_emotions: MicroEmotions) -> Table:
    """Return a table without emotions with those of the label file and of the objective classes.

    Raises:
        BadInput: micro-expressions are requested, and no label file has their emotions.
    """
    rows = []
    micro = 0
    with_emotion = 0
    for cells in table.rows:
        is_micro = _parse_kind(cells["kind"]) == "micro"
        emotion = micro_emotions.find(cells) if is_micro else emotion_of_class(cells["objective_class"])
        micro += is_micro
        with_emotion += is_micro and bool(emotion)
        if is_micro and expressions == "macro":
            emotion = emotion or "others"  # its row only says that its folder has a label
        rows.append(cells | {"emotion": emotion})
    if micro and not with_emotion and expressions != "macro":
        raise without_emotions(table.path)
    findings = table.findings
    if len(rows) > micro:
        findings = (*findings, emotions_by_class(table.path, len(rows) - micro))
    return replace(table, rows=rows, findings=findings)


def _superseded(table: Table) -> str:
    micro = sum(_parse_kind(cells["kind"]) == "micro" for cells in table.rows)
    if "v1" not in normalise_header(table.path.stem) and micro != FIRST_VERSION_ROWS:
        return ""
    return "this is version 1, in which macro-expressions are labelled micro; version 2 relabelled them"


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    number = subject_number(cells["subject"])
    letter = normalise_name(cells["name"])
    kind = _parse_kind(cells["kind"])
    if number is None:
        raise ValueError(f"{cells['subject']!r} is not a subject such as spNO.1")
    if not _LETTER.fullmatch(letter):
        raise ValueError(f"{cells['name']!r} is not the letter of a recording")
    if kind is None:
        raise ValueError(f"{cells['kind']!r} is neither a micro- nor a macro-expression")
    onset = whole_number(cells["onset"])
    if onset is None:
        raise ValueError("no onset is given, and clips are named by it")
    row = LabelRow(
        subject=f"spNO.{number}",
        name=f"{letter}_{onset}",
        emotion=emotion_in_row(cells, location),
        onset=onset,  # 0 is the beginning: there is no frame 0, and the first one is the nearest
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]) or None,
        location=location,
        action_units=cells["action_units"],
        kind=kind,
        folder_name=letter,
    )
    return [row]


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    """Locate a clip `.../spNo.1_a_355` or a recording `.../spNO.1/a/color`."""
    clip = find_named_clip(parts, _CLIP)
    match = _CLIP.fullmatch(normalise_name(clip.name)) if clip else None
    if clip and match:
        number = subject_number(match[1])
        if number is not None:
            return ClipLocation(clip.depth, (f"spNO.{number}", f"{match[2]}_{int(match[3])}"))
    names = without_colour(parts)
    last = len(names) - 1
    while last > 0 and names[last - 1] == names[last]:
        last -= 1
    number = subject_number(names[last - 1]) if last > 0 else None
    if number is None or not _LETTER.fullmatch(names[last]):
        return None
    depth = above_subject(names, last, number)
    return ClipLocation(depth, (f"spNO.{number}", names[last], RECORDING))


def _keys(row: LabelRow) -> tuple[FolderKey, ...]:
    """Return the keys of a clip whose onset was repaired, and of its recording."""
    return (row.subject, f"{row.folder_name}_{row.onset}"), (row.subject, row.folder_name, RECORDING)


def layout_a(expressions: str, files: Sequence[Path]) -> DatabaseLayout:
    """Return the layout of part A. A recording holds its clips of both kinds, so it is preferred for both.

    Args:
        expressions: "micro", "macro" or "all".
        files: spreadsheets of the database.
    """
    micro_only = expressions == "micro"
    unrelated_names: tuple[str, ...] = ("wronglylabeled", "partc")
    if not micro_only:
        unrelated_names += ("melabel",)
    labels = LabelWorkbooks(
        dataset="casme3",
        title="CAS(ME)^3",
        example=WORKBOOK if micro_only else WORKBOOK_OF_ALL,
        schema=SCHEMA,
        emotions=PUBLISHED if micro_only else EMOTIONS,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=unrelated_names,
        custom_reader=partial(_read_table, expressions=expressions, files=files),
        repair=repair,
        alternative_keys=_keys,
        superseded=_superseded,
    )
    published = PUBLISHED if micro_only else {}
    layout = part_layout(labels, "Part_A_ME_clip/frame/spNo.1_a_355", _locate_clip, "A", published)
    return layout if micro_only else replace(layout, tree_kinds=TREES[::-1])
