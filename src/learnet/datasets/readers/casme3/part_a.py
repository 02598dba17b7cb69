"""Read part A of CAS(ME)^3: clips, or whole recordings of several clips each.

Its rows name no clip: one is identified by subject, letter of the recording and onset.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import EMOTIONS
from learnet.core.records import Finding
from learnet.datasets.readers.casme3.common import RECORDING, TREES, part_layout, without_colour
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
from learnet.datasets.readers.reading.matching import clip_key
from learnet.datasets.readers.reading.rows import REQUIRED, LabelRow, emotion_in_row
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
    },
    required=REQUIRED,
)

WORKBOOK = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
WORKBOOKLL = "CAS(ME)3_part_A_v2.xls"
WORKBOOKS = ("casme3partamelabeljpgindexv2", "casme3partav2", "casme3partamelabel", "casme3parta")

FIRST_VERSION_ROWS = 921
"""Micro-expressions of version 1. Version 2 has 860: some of them became macro-expressions."""


@dataclass(frozen=True)
class _Repair:
    """One published repair. It is not the owners'; source: github.com/tvaranka/meb."""

    subject: str
    letter: str  # "" for any
    wrong: dict[str, int | None]  # onset, apex, offset in version 2
    right: dict[str, int]


REPAIRS = (
    _Repair("spNO.149", "d", {"onset": 112, "apex": 83}, {"apex": 123}),
    _Repair("spNO.216", "d", {"onset": 3647}, {"onset": 2647}),
    _Repair("spNO.216", "e", {"onset": 0, "apex": 0}, {"onset": 1, "apex": 1}),
    _Repair("spNO.214", "c", {"offset": 3460}, {"offset": 34}),
    _Repair("spNO.40", "e", {"onset": 1812, "apex": 1824, "offset": None}, {"offset": 1845}),
    _Repair("spNO.40", "", {"onset": 2327, "apex": 2363, "offset": None}, {"offset": 2403}),
)

_LETTER = re.compile("[a-z]")
_CLIP = re.compile(r"([^_]+)_([a-z])_([0-9]+)")
"""Subject, letter, onset: spno.1_a_355."""

_KINDS = {"macro": "macro", "mae": "macro", "micro": "micro", "me": "micro"}


def _parse_kind(text: str) -> str | None:
    """Return micro or macro, or None for other texts."""
    return _KINDS.get(re.sub("expressions?$", "", normalise_header(text)))


def _read_table(path: Path, micro_only: bool) -> Table:
    """Read the workbook of part A. A workbook without a column of kinds has micro-expressions only.

    Args:
        path: the workbook.
        micro_only: leave out macro-expressions. Rows of unknown kind stay, to be reported.
    """
    if "wronglylabeled" in normalise_header(path.stem):
        raise BadInput(path, "lists rows that are wrong in version 1, not labels", f"Use {WORKBOOK}.")
    table = read_table(path, SCHEMA)
    has_kinds = any(cells["kind"] for cells in table.rows)
    if not has_kinds and not micro_only:
        problem = "has no column `Expression type`, so no macro-expressions"
        raise BadInput(path, problem, f"They are in {WORKBOOKLL}.")
    if not has_kinds and len(table.rows) > FIRST_VERSION_ROWS:
        problem = (
            f"has {len(table.rows)} rows and no column `Expression type`, "
            "so micro- and macro-expressions cannot be distinguished"
        )
        raise BadInput(path, problem, f"Use {WORKBOOK}.")
    rows = []
    row_numbers = []
    remarks = []
    for index, cells in enumerate(table.rows):
        if not has_kinds:
            cells = cells | {"kind": "micro"}
        if micro_only and _parse_kind(cells["kind"]) == "macro":
            continue
        rows.append(cells)
        row_numbers.append(table.row_numbers[index])
        remarks += table.remarks[index : index + 1]
    return replace(table, rows=rows, row_numbers=row_numbers, remarks=remarks)


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


def _repair(table: Table, rows: list[LabelRow]) -> tuple[list[LabelRow], list[Finding]]:
    """Apply the published repairs to rows that still have the wrong values."""
    repaired_rows = []
    findings = []
    for row in rows:
        repair = _find_repair(row)
        if repair:
            row, finding = _repair_row(row, repair)
            findings.append(finding)
        repaired_rows.append(row)
    return repaired_rows, findings


def _marks(row: LabelRow) -> dict[str, int | None]:
    return {"onset": row.onset, "apex": row.apex, "offset": row.offset}


def _find_repair(row: LabelRow) -> _Repair | None:
    marks = _marks(row)
    for repair in REPAIRS:
        is_recording = row.subject == repair.subject and repair.letter in ("", row.folder_name)
        if is_recording and repair.wrong.items() <= marks.items():
            return repair
    return None


def _repair_row(row: LabelRow, repair: _Repair) -> tuple[LabelRow, Finding]:
    """Apply a repair, unless the frames would then be out of order."""
    marks = _marks(row)
    changes = []
    for mark, frame in repair.right.items():
        changes.append(f"{mark} {marks[mark] or 0} becomes {frame}")
    change = ", ".join(changes)
    key = clip_key(row, "casme3")
    onset, apex, offset = (marks | repair.right).values()
    if onset is None or apex is None or offset is None or not onset <= apex <= offset:
        message = (
            f"{row.location}: published by meb, {change}; but then onset, apex and offset are out of order"
        )
        return row, Finding("repair not applied", key, message)
    apex_source = "repaired" if "apex" in repair.right else "file"
    repaired = replace(row, onset=onset, apex=apex, offset=offset, apex_source=apex_source)
    kind = f"{' and '.join(repair.right)} repaired"
    return repaired, Finding(kind, key, f"{row.location}: {change}, as published by meb")


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


def layout_a(micro_only: bool) -> DatabaseLayout:
    """Return the layout of part A. A recording holds its clips of both kinds, so it is preferred for both."""
    unrelated_names: tuple[str, ...] = ("wronglylabeled", "partc")
    if not micro_only:
        unrelated_names += ("melabel",)
    labels = LabelWorkbooks(
        dataset="casme3",
        title="CAS(ME)^3",
        example=WORKBOOK if micro_only else WORKBOOKLL,
        schema=SCHEMA,
        emotions=PUBLISHED if micro_only else EMOTIONS,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=unrelated_names,
        custom_reader=partial(_read_table, micro_only=micro_only),
        repair=_repair,
        alternative_keys=_keys,
        superseded=_superseded,
    )
    published = PUBLISHED if micro_only else {}
    layout = part_layout(labels, "Part_A_ME_clip/frame/spNo.1_a_355", _locate_clip, "A", published)
    return layout if micro_only else replace(layout, tree_kinds=TREES[::-1])
