"""CAS(ME)^2 as its owners ship it: a workbook without headers, clips cut from long videos, crops of them, and the long videos as frames.

Sheets and trees are told by what is in them. `docs/datasets/casme-sq.md` says what is assumed and how sure it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import named_clip, same, subject_number
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Placed, Plan, collect, place_below_subject
from learnet.datasets.readers.reading.spreadsheet import (
    Form,
    Rows,
    Table,
    normalise,
    number_or_none,
    sheets,
    whole_number,
)
from learnet.datasets.readers.reading.workbooks import Books, Labels, emotion_of

PUBLISHED = {"micro": 57, "macro": 300}
"""Clips per kind, of 22 people (Qu et al., TAFFC 2018; MEGC2019). Nobody who is sure of it counted them by emotion."""

EMOTIONS = ("positive", "negative", "surprise", "others")

COLUMNS = ("subject", "name", "onset", "apex", "offset", "action_units", "emotion", "kind")
"""By their place in the sheet. What stands behind them, the self-report and in one copy a difference of frames, is not read."""

FORM = Form(columns=dict.fromkeys((*COLUMNS, "video"), ()), needed=COLUMNS)
WORKBOOKS = ("casme2codefinalupdated", "casme2codefinal", "codefinal")

TREES = ("selectedpic", "cropped", "rawpic", "long-cropped")
"""Order of preference where several lie together. The owners' crops lack 16 of the 357 clips, so the whole pictures come first."""

FOLDERS = {
    "1": "15", "2": "16", "3": "19", "4": "20", "5": "21", "6": "22", "7": "23", "8": "24", "9": "25", "10": "26", "11": "27",
    "12": "29", "13": "30", "14": "31", "15": "32", "16": "33", "17": "34", "18": "35", "19": "36", "20": "37", "21": "38", "22": "40",
}  # fmt: skip
"""Subject index -> number in the name of the subject's folder, as the sheet `naming rule1` is known to say."""

VIDEOS = {
    "disgust1": "0101", "disgust2": "0102", "anger1": "0401", "anger2": "0402",
    "happy1": "0502", "happy2": "0503", "happy3": "0505", "happy4": "0507", "happy5": "0508",
}  # fmt: skip
"""Short name of the film that a clip was recorded at -> code of the long video, as the sheet `naming rule2` is known to say."""

LONG = re.compile(r"[0-9]{1,3}_[0-9]{4}(?![0-9]).*")
"""Subject and code, in the name of a long video's folder; the words behind them are misspelt and not needed."""


def _kind_of(text: str) -> str | None:
    """micro or macro; None where a cell says neither."""
    return next((kind for kind in PUBLISHED if normalise(text).startswith(kind)), None)


def _is_label(cells: Sequence[str]) -> bool:
    return (
        len(cells) >= len(COLUMNS)
        and number_or_none(cells[0]) is not None
        and _kind_of(cells[COLUMNS.index("kind")]) is not None
    )


def _naming(book: Iterable[Rows]) -> tuple[dict[str, str], dict[str, str]]:
    """What the naming sheets say, wherever they stand, as FOLDERS and VIDEOS have it."""
    folders: dict[str, str] = {}
    videos: dict[str, str] = {}
    for first, second, *more in (cells for rows in book for cells in rows if len(cells) > 1):
        number, index = number_or_none(first), number_or_none(more[0]) if more else None
        if number is None:
            continue
        if number == subject_number(second):
            if index is not None:
                folders.setdefault(str(index), f"{number:02d}")
        elif re.fullmatch(r"[a-z]+[0-9]+", same(second)) and number < 10_000:
            videos.setdefault(
                same(second), f"{number:04d}"
            )  # `0101`, or 101 where a spreadsheet program has been at it
    return folders, videos


def _read(path: Path) -> Table:
    """The rows of the sheet of clips, with the numbers of the subjects' folders and the codes of the videos put in.

    Raises:
        BadInput: what `sheets` refuses; no sheet of clips.
    """
    book = sheets(path)
    folders, videos = _naming(book.values())
    folders, videos = FOLDERS | folders, VIDEOS | videos
    sheet = max(book, key=lambda name: sum(map(_is_label, book[name])), default="")
    rows = {line: cells for line, cells in enumerate(book.get(sheet, ()), start=1) if any(cells)}
    if not any(map(_is_label, rows.values())):
        wrong = "has no sheet of clips: subject index, clip such as anger1_1, onset, apex, offset, action units, emotion, micro-expression"
        raise BadInput(path, wrong, "Is this the label workbook?")
    headers = ("",) * max(
        column for cells in rows.values() for column, cell in enumerate(cells, start=1) if cell
    )
    first = next(iter(rows))
    if not any(
        re.search("[0-9]", cell) for cell in rows[first]
    ):  # the owners wrote none, but somebody may have
        headers = rows.pop(first)
    table = Table(path, sheet, headers, [], [])
    for line, texts in rows.items():
        cells = dict(zip(COLUMNS, (*texts, *("" for _ in COLUMNS)), strict=False))
        subject = folders.get(str(number_or_none(cells["subject"])), f"index {cells['subject']}")
        cells["video"] = videos.get(same(cells["name"]).rpartition("_")[0], "")
        if cells["subject"] and cells["name"]:
            table.rows.append(cells | {"subject": subject})
            table.lines.append(line)
        else:
            table.notes[line] = cells
    return table


def _frame(text: str) -> int | None:
    """A frame number; the owners write 0 where there is none, and count from 1."""
    number = whole_number(text)
    return number if number and number > 0 else None


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    if subject_number(cells["subject"]) is None:
        raise ValueError(f"no naming rule gives the subject of {cells['subject']} a folder")
    kind = _kind_of(cells["kind"])
    if kind is None:
        raise ValueError(f"{cells['kind']!r} is neither a micro- nor a macro-expression")
    row = Row(
        subject=cells["subject"],
        name=cells["name"],
        emotion=emotion_of(
            cells, where
        ),  # not the one in the clip's name: that is what the film was to call forth
        onset=_frame(cells["onset"]),
        apex=_frame(cells["apex"]),
        offset=_frame(cells["offset"]),
        where=where,
        action_units=cells["action_units"],
        kind=kind,
        folder=cells["video"],
    )
    return [row]


def _named(table: Table, rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """ROWS as they are; where the naming sheets are silent on what they ask for, or differ from what they are known to say."""
    used = {row.subject for row in rows} | {row.folder for row in rows}
    findings = []
    for rule, said, known in zip(
        ("naming rule1", "naming rule2"), _naming(sheets(table.path).values()), (FOLDERS, VIDEOS), strict=True
    ):
        if silent := [name for name in known if name not in said and known[name] in used]:
            what = f"{rule} does not say what {', '.join(silent)} stands for; what other copies say is taken"
            findings.append(Finding("naming rule incomplete", table.path.name, what))
        if differ := [
            f"{name} is {said[name]}, not {known[name]}"
            for name in known
            if said.get(name, known[name]) != known[name]
        ]:
            what = f"{rule} is not that of other copies: {', '.join(differ)}; this one is followed"
            findings.append(Finding("naming rule differs", table.path.name, what, serious=True))
    return rows, findings


def _place(way: Sequence[str]) -> Placed | None:
    if not (found := named_clip(way, LONG)):
        return place_below_subject(way)
    above, name = found
    number, code = name.partition("_")[0], name.partition("_")[2][:4]
    odd = ""
    if above and subject_number(way[above]) is None and subject_number(way[above - 1]) is not None:
        above -= 1
        odd = f"it lies under {way[above]}, but its name says subject {number}, whose clips are taken from it"
    return Placed(above, (f"{int(number):02d}", code), odd)


def _tree(way: str, folders: list[tuple[Row, Path]]) -> str:
    """Which of TREES this is: long videos by their folders' names, crops by the tree's name, else by subjects called 15 and not s15."""
    folder = folders[0][1]
    long = any(LONG.fullmatch(same(name)) for name in folder.parts[-2:])
    whole, crops = ("rawpic", "long-cropped") if long else ("selectedpic", "cropped")
    for name in reversed(way.split("/")):
        if "crop" in name:
            return crops
        if "select" in name or "raw" in name:
            return whole
    bare = any(name.isdigit() for name in folder.parts[-3:-1])
    return crops if bare and not long else whole


def _about(labels: Labels) -> dict[str, str]:
    counts = Counter(row.kind for row in labels.rows)
    people = len({row.subject for row in labels.rows})
    return {
        "expressions in the workbook": f"{counts['micro']} micro, {counts['macro']} macro, of {people} people"
    }


PLAN = Plan(
    books=Books(
        dataset="casme-sq",
        title="CAS(ME)^2",
        example="CAS(ME)^2code_final.xlsx",
        form=FORM,
        emotions=EMOTIONS,
        rows=_rows,
        preferred=WORKBOOKS,
        beside=("blink",),
        read=_read,
        repair=_named,
        also=lambda row: ((row.subject, row.folder),) if row.folder else (),
    ),
    example="s15/anger1_1",
    place=_place,
    trees=TREES,
    kind=_tree,
    source=lambda tree: Source("casme-sq", 30.0, cropped="cropped" in tree, mirrored=True),
    about=_about,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """The labelled clips of a CAS(ME)^2 folder, micro-expressions if nothing else is asked for; `collect` says how.

    The tree is one of TREES. In the long videos several clips lie in one folder, told apart by their frames.
    """
    return collect(root, selection, PLAN)


CASME_SQ = Dataset(
    name="casme-sq",
    title="CAS(ME)^2",
    read=read,
    fps=30.0,
    people=22,
    counted="57 micro-expressions (of 14 people) and 300 macro-expressions, by the owners; certain",
    apply="http://casme.psych.ac.cn/casme/e3",
    takes={"tree": TREES, "expressions": ("micro", "macro", "all")},
    signs=(
        r".*code_?final.*\.xlsx?",
        r"cas\(me\)\^?2blink.*",
        r"(.*/)?\d\d_0[145]\d\d[a-z]+",
        r"(.*/)?s?\d\d/(anger|disgust|happy)\d_\d+",
    ),
)
