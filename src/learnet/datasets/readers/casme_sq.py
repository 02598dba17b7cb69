"""Read CAS(ME)^2 as its owners distribute it: clips cut from long videos, crops, and the long videos.

Long videos are stored as images. The workbook has no headers. Sheets and trees are recognised by their
content. `docs/datasets/casme-sq.md` says what is assumed, and how certain it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.cells import normalise_header, number_or_none, whole_number
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import (
    FolderKey,
    find_named_clip,
    normalise_name,
    subject_number,
)
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks, OwnersRows
from learnet.datasets.readers.reading.layout import (
    ClipLocation,
    DatabaseLayout,
    FolderMatch,
    locate_below_subject,
)
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.reader import read_clips
from learnet.datasets.readers.reading.rows import LabelRow, emotion_in_row
from learnet.datasets.readers.reading.sheet import Rows, Sheet
from learnet.datasets.readers.reading.spreadsheet import sheets
from learnet.datasets.readers.reading.table import Cells, Table, TableSchema, other_sheets
from learnet.datasets.readers.reading.unread_rows import row_pattern, unread_rows

PUBLISHED = {"micro": 57, "macro": 300}
"""Clips per kind, of 22 people (Qu et al., TAFFC 2018; MEGC2019). No reliable count by emotion is known."""

EMOTIONS = ("positive", "negative", "surprise", "others")

COLUMNS = ("subject", "name", "onset", "apex", "offset", "action_units", "emotion", "kind")
"""By their position in the sheet. The columns after them, the self-report and in one copy a difference of
frames, are not read."""

SCHEMA = TableSchema(columns=dict.fromkeys((*COLUMNS, "video"), ()), required=COLUMNS)
WORKBOOKS = ("casme2codefinalupdated", "casme2codefinal", "codefinal")

TREES = ("selectedpic", "cropped", "rawpic", "long-cropped")
"""Order of preference. The owners' crops lack 16 of the 357 clips, so the whole images come first."""

FOLDERS = {
    "1": "15", "2": "16", "3": "19", "4": "20", "5": "21", "6": "22", "7": "23", "8": "24", "9": "25",
    "10": "26", "11": "27", "12": "29", "13": "30", "14": "31", "15": "32", "16": "33", "17": "34",
    "18": "35", "19": "36", "20": "37", "21": "38", "22": "40",
}  # fmt: skip
"""Subject index -> number in the name of the subject's folder, as in known copies of `naming rule1`."""

VIDEOS = {
    "disgust1": "0101",
    "disgust2": "0102",
    "anger1": "0401",
    "anger2": "0402",
    "happy1": "0502",
    "happy2": "0503",
    "happy3": "0505",
    "happy4": "0507",
    "happy5": "0508",
}
"""Short name of the film that was shown -> code of the long video, as in known copies of `naming rule2`."""

LONG_VIDEO = re.compile(r"[0-9]{1,3}_[0-9]{4}(?![0-9]).*")
"""Subject and code in the name of a long video's folder. The words after them are misspelt and not needed."""

NamingRules = tuple[dict[str, str], dict[str, str]]
"""Subject index -> folder, short name of the film -> code: as FOLDERS and VIDEOS."""


def _parse_kind(text: str) -> str | None:
    """Return micro or macro, or None for a cell with neither."""
    for kind in PUBLISHED:
        if normalise_header(text).startswith(kind):
            return kind
    return None


def _is_label(cells: Sequence[str]) -> bool:
    if len(cells) < len(COLUMNS) or number_or_none(cells[0]) is None:
        return False
    return _parse_kind(cells[COLUMNS.index("kind")]) is not None


def _naming_rules(workbook: Iterable[Rows]) -> NamingRules:
    """Return what the naming sheets say. Their rows are recognised on any sheet."""
    folders: dict[str, str] = {}
    videos: dict[str, str] = {}
    for rows in workbook:
        for cells in rows:
            number = number_or_none(cells[0]) if len(cells) > 1 else None
            if number is None:
                continue
            name = cells[1]
            if number == subject_number(name):
                index = number_or_none(cells[2]) if len(cells) > 2 else None
                if index is not None:
                    folders.setdefault(str(index), f"{number:02d}")
            elif re.fullmatch(r"[a-z]+[0-9]+", normalise_name(name)) and number < 10_000:
                # The code is `0101`; a spreadsheet program may have turned it into 101.
                videos.setdefault(normalise_name(name), f"{number:04d}")
    return folders, videos


def _read_table(path: Path) -> Table:
    """Read the sheet of clips, and add the numbers of subjects' folders and the codes of videos.

    Raises:
        BadInput: `sheets` refuses the file, or it has no sheet of clips.
    """
    workbook = sheets(path)
    folders, videos = _naming_rules(sheet.rows for sheet in workbook.values())
    folders = FOLDERS | folders
    videos = VIDEOS | videos
    sheet, findings = _sheet_of_clips(path, workbook)
    rows = {}
    for row_number, texts in enumerate(workbook[sheet].rows, start=1):
        if any(texts):
            rows[row_number] = texts
    table = Table(path, sheet, _pop_header(rows), [], [], findings=findings)
    for row_number, texts in rows.items():
        padded = (*texts, *[""] * len(COLUMNS))
        cells = dict(zip(COLUMNS, padded, strict=False))
        film = normalise_name(cells["name"]).rpartition("_")[0]
        cells["video"] = videos.get(film, "")
        if cells["subject"] and cells["name"]:
            index = cells["subject"]
            cells["subject"] = folders.get(str(number_or_none(index)), f"index {index}")
            table.rows.append(cells)
            table.row_numbers.append(row_number)
        else:
            table.notes[row_number] = cells
    unread = _unread_rows(table, workbook)
    return replace(table, findings=(*findings, *unread))


def _unread_rows(table: Table, workbook: Mapping[str, Sheet]) -> Iterator[Finding]:
    """Report rows that may be labels, but not by their position."""
    fields = ("name", "onset", "offset", "emotion", "kind")
    pattern = row_pattern(table.rows, fields, keys=("name", "onset", "offset"))
    read_columns: dict[str, dict[int, range]] = {}
    for name, sheet in workbook.items():
        columns_of_row = read_columns.setdefault(name, {})
        for row_number, texts in enumerate(sheet.rows, start=1):
            if name == table.sheet or _is_label(texts):  # others with labels are compared
                columns_of_row[row_number] = range(len(COLUMNS))
    return unread_rows(table.path, workbook, pattern, read_columns)


def _sheet_of_clips(path: Path, workbook: Mapping[str, Sheet]) -> tuple[str, tuple[Finding, ...]]:
    """Return the name of the sheet with the most rows of clips, and findings about others with such rows.

    Raises:
        BadInput: no sheet has such rows.
    """
    rows_of_sheet: dict[str, list[Cells]] = {}
    for name, sheet in workbook.items():
        labels = filter(_is_label, sheet.rows)
        rows_of_sheet[name] = [dict(zip(COLUMNS, texts, strict=False)) for texts in labels]
    most = max(rows_of_sheet, key=lambda name: len(rows_of_sheet[name]))
    if not rows_of_sheet[most]:
        problem = (
            "has no sheet of clips: subject index, clip such as anger1_1, onset, apex, offset, "
            "action units, emotion, micro-expression"
        )
        raise BadInput(path, problem, "Is this the label workbook?")
    return most, tuple(other_sheets(path, most, rows_of_sheet))


def _pop_header(rows: dict[int, tuple[str, ...]]) -> tuple[str, ...]:
    """Remove and return the header, which somebody may have added; the owners' workbook has none.

    Returns:
        The header, or one empty text per column.
    """
    columns = 0
    for texts in rows.values():
        for column, text in enumerate(texts, start=1):
            if text:
                columns = max(columns, column)
    first = next(iter(rows))
    if any(re.search("[0-9]", text) for text in rows[first]):
        return ("",) * columns
    return rows.pop(first)


def _frame(text: str) -> int | None:
    """Return a frame number. The owners count from 1 and write 0 for a missing one."""
    number = whole_number(text)
    return number if number and number > 0 else None


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    if subject_number(cells["subject"]) is None:
        raise ValueError(f"no naming rule gives the subject of {cells['subject']} a folder")
    kind = _parse_kind(cells["kind"])
    if kind is None:
        raise ValueError(f"{cells['kind']!r} is neither a micro- nor a macro-expression")
    # The emotion in the clip's name is not used: it is the one that the film was to elicit.
    row = LabelRow(
        subject=cells["subject"],
        name=cells["name"],
        emotion=emotion_in_row(cells, location),
        onset=_frame(cells["onset"]),
        apex=_frame(cells["apex"]),
        offset=_frame(cells["offset"]),
        location=location,
        action_units=cells["action_units"],
        kind=kind,
        folder_name=cells["video"],
    )
    return [row]


def _check_naming_rules(
    table: Table, rows: list[LabelRow], owners: OwnersRows
) -> tuple[list[LabelRow], list[Finding]]:
    """Report naming sheets that lack a name in use or differ from known copies. The rows stay as they are."""
    used = set()
    for row in rows:
        used |= {row.subject, row.folder_name}
    folders, videos = _naming_rules(sheet.rows for sheet in sheets(table.path).values())
    findings = []
    for title, rule, known in (
        ("naming rule1", folders, FOLDERS),
        ("naming rule2", videos, VIDEOS),
    ):
        missing = [name for name in known if name not in rule and known[name] in used]
        if missing:
            message = f"{title} does not say what {', '.join(missing)} stands for; other copies are followed"
            findings.append(Finding("naming rule incomplete", table.path.name, message))
        different = []
        for name in known:
            if name in rule and rule[name] != known[name]:
                different.append(f"{name} is {rule[name]}, not {known[name]}")
        if different:
            message = f"{title} is not that of other copies: {', '.join(different)}; this one is followed"
            findings.append(Finding("naming rule differs", table.path.name, message, serious=True))
    return rows, findings


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    """Locate a long video by subject and code, or a clip below its subject."""
    video = find_named_clip(parts, LONG_VIDEO)
    if video is None:
        return locate_below_subject(parts)
    number, _, rest = video.name.partition("_")
    key = (f"{int(number):02d}", rest[:4])
    depth = video.depth
    if not depth or subject_number(parts[depth]) is not None:
        return ClipLocation(depth, key)
    other_subject = parts[depth - 1]
    if subject_number(other_subject) is None:
        return ClipLocation(depth, key)
    problem = (
        f"it is stored under {other_subject}, but its name says subject {number}, "
        "whose clips are read from it"
    )
    return ClipLocation(depth - 1, key, problem)


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    """Return the kind: long videos by their folders' names, crops by the tree's name.

    Without either, crops are recognised by subjects named 15 and not s15.
    """
    folder = matches[0][1]
    is_long = any(LONG_VIDEO.fullmatch(normalise_name(name)) for name in folder.parts[-2:])
    whole, crops = ("rawpic", "long-cropped") if is_long else ("selectedpic", "cropped")
    for name in reversed(path.split("/")):
        if "crop" in name:
            return crops
        if "select" in name or "raw" in name:
            return whole
    if is_long:
        return whole
    is_number = any(name.isdigit() for name in folder.parts[-3:-1])
    return crops if is_number else whole


def _describe(labels: Labels) -> dict[str, str]:
    counts = Counter(row.kind for row in labels.rows)
    people = {row.subject for row in labels.rows}
    text = f"{counts['micro']} micro, {counts['macro']} macro, of {len(people)} people"
    return {"expressions in the workbook": text}


def _video_key(row: LabelRow) -> tuple[FolderKey, ...]:
    """Return the key of the long video that holds a clip."""
    if not row.folder_name:
        return ()
    return ((row.subject, row.folder_name),)


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("casme-sq", 30.0, cropped="cropped" in tree, mirror_offset=True)


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="casme-sq",
        title="CAS(ME)^2",
        example="CAS(ME)^2code_final.xlsx",
        schema=SCHEMA,
        emotions=EMOTIONS,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=("blink",),
        custom_reader=_read_table,
        repair=_check_naming_rules,
        alternative_keys=_video_key,
    ),
    example="s15/anger1_1",
    locate_clip=_locate_clip,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
    describe=_describe,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read the labelled clips of a CAS(ME)^2 folder, micro-expressions by default; see `read_clips`.

    `selection.tree` is one of TREES. In the long videos several clips share a folder, and their frames tell
    them apart.
    """
    return read_clips(root, selection, LAYOUT)


CASME_SQ = Dataset(
    name="casme-sq",
    title="CAS(ME)^2",
    read=read,
    fps=30.0,
    people=22,
    published_source="57 micro-expressions (of 14 people) and 300 macro-expressions, by the owners; certain",
    access="http://casme.psych.ac.cn/casme/e3",
    options={"tree": TREES, "expressions": ("micro", "macro", "all")},
    signatures=(
        r".*code_?final.*\.xlsx?",
        r"cas\(me\)\^?2blink.*",
        r"(.*/)?\d\d_0[145]\d\d[a-z]+",
        r"(.*/)?s?\d\d/(anger|disgust|happy)\d_\d+",
    ),
)
