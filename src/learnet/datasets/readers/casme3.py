"""CAS(ME)^3 as its owners ship it: part A (clips, or whole recordings of several clips each) and part C (a mock crime).

Part A's rows name no clip: one is found by subject, letter of the recording and onset. `docs/datasets/casme3.md` says what is assumed and
how sure it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import EMOTIONS
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import checked_root, named_clip, same, subject_number
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Place, Placed, Plan, collect
from learnet.datasets.readers.reading.spreadsheet import (
    Form,
    Table,
    normalise,
    read_table,
    sheets,
    whole_number,
)
from learnet.datasets.readers.reading.workbooks import NEEDED, Books, emotion_of

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
PUBLISHED_C = {"negative": 99, "surprise": 30, "others": 20, "positive": 16}
"""Clips per emotion of part C: 165 of 30 people, counted in the owners' workbook."""

FPS = 30.0
TREES = ("clips", "raw")
"""A folder per clip; a folder per recording (part A: subject and letter, part C: subject). In order of preference."""

FORM_A = Form(
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
    needed=NEEDED,
)
FORM_C = Form(
    columns={
        "subject": ("sub", "subject"),
        "name": ("count",),
        "onset": ("onset",),
        "offset": ("offset",),
        "action_units": ("au", "aus"),
        "emotion": ("emotion", "emotions"),
    },
    needed=("subject", "name", "onset", "offset", "emotion"),
)
BOOK_A, BOOK_ALL, BOOK_C = (
    "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
    "CAS(ME)3_part_A_v2.xls",
    "CAS(ME)3_part_C_ME.xlsx",
)
PREFERRED_A = ("casme3partamelabeljpgindexv2", "casme3partav2", "casme3partamelabel", "casme3parta")
_ORGANIZE = Form(
    {"subject": ("subject",), "name": ("onset",), "type": ("exptype",)}, needed=("subject", "name", "type")
)

FIRST_VERSION = 921
"""Micro-expressions of version 1. Version 2 has 860: some of them became macro-expressions."""

MOST_MISSING = 0.25
"""Share of a clip's frames that may be missing. Its owners call gaps normal, and of a clip of 9 frames one is more than a tenth."""

REPAIRS: tuple[tuple[str, str, dict[str, int | None], dict[str, int]], ...] = (
    ("spNO.149", "d", {"onset": 112, "apex": 83}, {"apex": 123}),
    ("spNO.216", "d", {"onset": 3647}, {"onset": 2647}),
    ("spNO.216", "e", {"onset": 0, "apex": 0}, {"onset": 1, "apex": 1}),
    ("spNO.214", "c", {"offset": 3460}, {"offset": 34}),
    ("spNO.40", "e", {"onset": 1812, "apex": 1824, "offset": None}, {"offset": 1845}),
    ("spNO.40", "", {"onset": 2327, "apex": 2363, "offset": None}, {"offset": 2403}),
)
"""Subject, letter ("" for any), what the row of version 2 says, what it should. Not the owners'. Source: github.com/tvaranka/meb."""

_RAW = "raw"  # ends the key of a recording
_LETTER = re.compile("[a-z]")
_CUT = re.compile(r"([^_]+)_([a-z])_([0-9]+)")  # spno.1_a_355
_COUNTED = re.compile(r"([^_]+)_([0-9]+)")
_COLOUR = {"color", "colour", "rgb"}
_BESIDE = {"depth", "video", "videos"}  # hold the same clips as depth maps or films
_TYPES = {"macro": "macro", "mae": "macro", "micro": "micro", "me": "micro"}


def _type_of(text: str) -> str | None:
    """micro or macro; None for words that say neither."""
    return _TYPES.get(re.sub("expressions?$", "", normalise(text)))


def _table_a(path: Path, micro_only: bool) -> Table:
    """The rows of both kinds, or the micro-expressions and those whose kind nobody knows, to be told.

    A workbook without the column of kinds has micro-expressions only.
    """
    if "wronglylabeled" in normalise(path.stem):
        raise BadInput(path, "lists rows that are wrong in version 1, not labels", f"Use {BOOK_A}.")
    table = read_table(path, FORM_A)
    typed = any(cells["kind"] for cells in table.rows)
    if not typed and not micro_only:
        raise BadInput(
            path, "has no column `Expression type`, so no macro-expressions", f"They are in {BOOK_ALL}."
        )
    if not typed and len(table.rows) > FIRST_VERSION:
        wrong = f"has {len(table.rows)} rows and no column `Expression type`, so micro- and macro-expressions cannot be told apart"
        raise BadInput(path, wrong, f"Use {BOOK_A}.")
    rows = table.rows if typed else [cells | {"kind": "micro"} for cells in table.rows]
    kept = [index for index, cells in enumerate(rows) if not micro_only or _type_of(cells["kind"]) != "macro"]
    return replace(table, rows=[rows[index] for index in kept], lines=[table.lines[index] for index in kept])


def _superseded(table: Table) -> str:
    micro = sum(_type_of(cells["kind"]) == "micro" for cells in table.rows)
    if "v1" not in normalise(table.path.stem) and micro != FIRST_VERSION:
        return ""
    return "this is version 1, in which macro-expressions are labelled micro; version 2 relabelled them"


def _rows_a(cells: dict[str, str], where: str) -> list[Row]:
    number, letter, kind = subject_number(cells["subject"]), same(cells["name"]), _type_of(cells["kind"])
    if number is None:
        raise ValueError(f"{cells['subject']!r} is not a subject such as spNO.1")
    if not _LETTER.fullmatch(letter):
        raise ValueError(f"{cells['name']!r} is not the letter of a recording")
    if kind is None:
        raise ValueError(f"{cells['kind']!r} is neither a micro- nor a macro-expression")
    onset = whole_number(cells["onset"])
    if onset is None:
        raise ValueError("no onset is given, and clips are named by it")
    row = Row(
        subject=f"spNO.{number}",
        name=f"{letter}_{onset}",
        emotion=emotion_of(cells, where),
        onset=onset,  # 0 is the beginning: there is no frame 0, and the first one is the nearest
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]) or None,
        where=where,
        action_units=cells["action_units"],
        kind=kind,
        folder=letter,
    )
    return [row]


def _rows_c(cells: dict[str, str], where: str) -> list[Row]:
    subject, count = whole_number(cells["subject"]), whole_number(cells["name"])
    if subject is None or count is None:
        raise ValueError(
            f"{cells['subject']!r}, {cells['name']!r} are not the numbers of a subject and a clip"
        )
    onset, offset = whole_number(cells["onset"]), whole_number(cells["offset"]) or None
    return [
        Row(
            str(subject),
            str(count),
            emotion_of(cells, where),
            onset,
            None,
            offset,
            where,
            cells["action_units"],
        )
    ]


def _repaired(table: Table, rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """ROWS with the published repairs: only those whose row still says what is wrong, and only where the frames are then in order."""
    fixed, findings = [], []
    for row in rows:
        marks = {"onset": row.onset, "apex": row.apex, "offset": row.offset}
        for subject, letter, wrong, right in REPAIRS:
            if row.subject != subject or letter not in ("", row.folder) or not wrong.items() <= marks.items():
                continue
            onset, apex, offset = (marks | right).values()
            change = ", ".join(f"{mark} {marks[mark] or 0} becomes {frame}" for mark, frame in right.items())
            key = f"casme3/{row.subject}/{row.name}"
            if onset is None or apex is None or offset is None or not onset <= apex <= offset:
                what = f"{row.where}: published by meb, {change}; but then onset, apex and offset are out of order"
                findings.append(Finding("repair not applied", key, what))
                break
            row = replace(
                row,
                onset=onset,
                apex=apex,
                offset=offset,
                apex_source="repaired" if "apex" in right else "file",
            )
            findings.append(
                Finding(f"{' and '.join(right)} repaired", key, f"{row.where}: {change}, as published by meb")
            )
            break
        fixed.append(row)
    return fixed, findings


def _place_a(way: Sequence[str]) -> Placed | None:
    """`.../spNo.1_a_355` is a clip, `.../spNO.1/a/color` a recording."""
    if (
        (found := named_clip(way, _CUT))
        and (cut := _CUT.fullmatch(same(found[1])))
        and (number := subject_number(cut[1])) is not None
    ):
        return Placed(found[0], (f"spNO.{number}", f"{cut[2]}_{int(cut[3])}"))
    names = _without_colour(way)
    last = len(names) - 1
    while last > 0 and names[last - 1] == names[last]:
        last -= 1
    number = subject_number(names[last - 1]) if last > 0 else None
    if number is None or not _LETTER.fullmatch(names[last]):
        return None
    return Placed(_above(names, last, number), (f"spNO.{number}", names[last], _RAW))


def _place_c(way: Sequence[str]) -> Placed | None:
    """`.../01/3/color` and `.../01_3` are clips, `.../01/color` a recording."""
    if (
        (found := named_clip(way, _COUNTED))
        and (cut := _COUNTED.fullmatch(same(found[1])))
        and (subject := subject_number(cut[1])) is not None
    ):
        return Placed(found[0], (str(subject), str(int(cut[2]))))
    names = _without_colour(way)
    last = len(names) - 1
    number = subject_number(names[last]) if names else None
    if number is None:
        return None
    subject = subject_number(names[last - 1]) if last and names[last].isdecimal() else None
    if subject is not None:
        return Placed(_above(names, last, subject), (str(subject), str(number)))
    return Placed(_above(names, last, number), (str(number), _RAW))


def _without_colour(way: Sequence[str]) -> list[str]:
    names = [same(name) for name in way]
    while names and names[-1] in _COLOUR:
        names.pop()
    return names


def _above(names: Sequence[str], place: int, number: int) -> int:
    """How many names stand above the subject, by number, of what lies at PLACE, its level doubled or not."""
    while place and subject_number(names[place - 1]) == number:
        place -= 1
    return place


def _plan(books: Books, example: str, find: Place, part: str, published: Mapping[str, int]) -> Plan:
    """What both parts share; FIND tells the clip or recording of a way."""

    def place(way: Sequence[str]) -> Placed | None:
        return None if _BESIDE & {same(name) for name in way} else find(way)

    def kind(way: str, folders: list[tuple[Row, Path]]) -> str:
        placed = find(folders[0][1].parts)
        return "raw" if placed and placed.key[-1] == _RAW else "clips"

    def source(tree: str) -> Source:
        return Source("casme3", FPS, cropped=False, cut=tree == "clips", most_missing=MOST_MISSING)

    return Plan(books, example, place, TREES, kind, source, lambda labels: {"part": part}, published)


def _plan_a(micro_only: bool) -> Plan:
    books = Books(
        dataset="casme3",
        title="CAS(ME)^3",
        example=BOOK_A if micro_only else BOOK_ALL,
        form=FORM_A,
        emotions=PUBLISHED if micro_only else EMOTIONS,
        rows=_rows_a,
        preferred=PREFERRED_A,
        beside=("wronglylabeled", "partc") if micro_only else ("wronglylabeled", "partc", "melabel"),
        read=partial(_table_a, micro_only=micro_only),
        repair=_repaired,
        also=lambda row: (
            (row.subject, f"{row.folder}_{row.onset}"),
            (row.subject, row.folder, _RAW),
        ),  # an onset repaired; a recording
        superseded=_superseded,
    )
    plan = _plan(books, "Part_A_ME_clip/frame/spNo.1_a_355", _place_a, "A", PUBLISHED if micro_only else {})
    return plan if micro_only else replace(plan, trees=TREES[::-1])  # a recording has its clips of both kinds


def _table_c(path: Path) -> Table:
    if "organize" in map(same, sheets(path)):
        micro = sum(cells["type"] == "1" for cells in read_table(path, _ORGANIZE).rows)
        wrong = f"has {micro} micro-expressions without the numbers of their clips; {BOOK_C} has {sum(PUBLISHED_C.values())}"
        raise BadInput(path, wrong, "The two lists do not agree.")
    return read_table(path, FORM_C)


def _plan_c() -> Plan:
    books = Books(
        dataset="casme3",
        title="CAS(ME)^3",
        example=BOOK_C,
        form=FORM_C,
        emotions=PUBLISHED_C,
        rows=_rows_c,
        preferred=("casme3partcme",),
        beside=("parta",),
        read=_table_c,
        also=lambda row: ((row.subject, _RAW),),  # a recording
    )
    return _plan(books, "ME_C/01/1", _place_c, "C", PUBLISHED_C)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled clip of a CAS(ME)^3 folder; `collect` says how. The tree is one of TREES, the part A (without a word) or C.

    Raises:
        LearnetError: macro-expressions of part C, which has none.
    """
    root = checked_root(root)
    if same(root.name) in _BESIDE:
        raise BadInput(
            root, "this holds depth maps or films, not the colour images", "Give the folder above it."
        )
    if selection.part == "C":
        if selection.expressions != "micro":
            raise LearnetError("Part C of CAS(ME)^3 has micro-expressions only.", "Leave out --expressions.")
        return collect(root, selection, _plan_c())
    return collect(root, selection, _plan_a(micro_only=selection.expressions == "micro"))


CASME3 = Dataset(
    name="casme3",
    title="CAS(ME)^3",
    read=read,
    fps=FPS,
    published=PUBLISHED,
    people=94,
    counted="part A, micro-expressions, version 2; certain",
    apply="http://casme.psych.ac.cn/casme/e4",
    takes={"tree": TREES, "part": ("A", "C"), "expressions": ("micro", "macro", "all")},
    signs=(
        r"cas\(me\)\^?3[ _-]*part_[ac].*",
        r"(.*/)?spno\.?\d+_[a-z]_\d+",
        r"(.*/)?spno\.?\d+/[a-z](/color)?",
    ),
)
