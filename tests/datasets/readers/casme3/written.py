"""A CAS(ME)^3 of invented people and clips, written cell by cell and file by file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import xlwt

from learnet.core.records import DatasetIndex
from tests.builders.written_by_hand import images

V2 = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
ALL_V2, BOOK_C = "CAS(ME)3_part_A_v2.xls", "CAS(ME)3_part_C_ME.xlsx"
HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
HEADER_C = ("sub", "count", "onset", "offset", "au", "emotion")
Cells = Sequence[object]

ROWS: list[Cells] = [
    ("spNO.901", "a", 355, 359, 366, "5", "II", "others"),
    ("spNO.901", "a", 900, 905, 912, "R12", "I", "happy"),
    ("spNO.902", "J", 4, 4, 18, "1+2", "II", "surprise"),
    ("spNO.903", "e", 1812, 1824, 0, "T18+B17", "VII", "Others"),
    ("spNO.903", "f", 30, 38, 41, "4", "V", "sad"),
]
EXPECTED = [
    ("spNO.901", "a_355", "others", 355, 359, 366, "file", "5"),
    ("spNO.901", "a_900", "happiness", 900, 905, 912, "file", "R12"),
    ("spNO.902", "j_4", "surprise", 4, 4, 18, "file", "1+2"),
    ("spNO.903", "e_1812", "others", 1812, 1824, 1835, "file", "T18+B17"),
    ("spNO.903", "f_30", "sadness", 30, 38, 41, "file", "4"),
]
"""Of ROWS, where the folder of the fourth ends with image 1835."""
LAST = 1835

MACRO: list[Cells] = [
    ("spNO.901", "a", 400, 430, 470, "12", "I", "happy"),
    ("spNO.902", "b", 50, 80, 120, "4+7", "V", "anger"),
]
ROWS_C: list[Cells] = [
    (1, 1, 120, 131, "R4,5", "negative"),
    (1, 2, 300, 303, "14,L24,", "others"),
    (2, 1, 120, 140, "1\uff0c2", "surprise"),
    (23, 11, 9000, 9034, 12, "positive"),
]
EXPECTED_C = [
    ("1", "1", "negative", 120, 125, 131, "midpoint", "R4,5"),
    ("1", "2", "others", 300, 301, 303, "midpoint", "14,L24,"),
    ("2", "1", "surprise", 120, 130, 140, "midpoint", "1\uff0c2"),
    ("23", "11", "positive", 9000, 9017, 9034, "midpoint", "12"),
]


def book(
    path: Path,
    rows: Iterable[Cells] = ROWS,
    header: Cells = HEADER,
    sheets: Sequence[str] = ("label", "Sheet1", "Sheet3"),
) -> Path:
    """A workbook whose first sheet has the rows; the others are empty. Old or new by its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xls":
        old = xlwt.Workbook()
        pages = [old.add_sheet(sheet) for sheet in sheets]
        for line, row in enumerate([header, *rows]):
            for column, cell in enumerate(row):
                pages[0].write(line, column, cell)
        old.save(str(path))
        return path
    new = openpyxl.Workbook()
    new.remove(new.active)
    for sheet in sheets:
        new.create_sheet(sheet)
    for row in (header, *rows):
        new[sheets[0]].append(list(row))
    new.save(path)
    return path


def all_book(
    path: Path,
    micro: Iterable[Cells] = ROWS,
    macro: Iterable[Cells] = MACRO,
    words: Cells = ("Micro-expression", "Macro-expression"),
) -> Path:
    """The workbook of both kinds."""
    rows = [
        (*row, word) for word, block in zip(reversed(words), (macro, micro), strict=True) for row in block
    ]
    return book(path, rows, (*HEADER, "Expression type"), ("AU+Emotion", "Sheet1", "eye blink"))


def cut(tree: Path, rows: Iterable[Cells] = ROWS, folder: str = "spNo.{}_{}_{}") -> Path:
    """A folder per clip with the images from onset to offset, with the recording's numbers."""
    for subject, letter, onset, _, offset, *_ in rows:
        number, name = (
            str(subject).partition(".")[2],
            folder.format(str(subject).partition(".")[2], letter, onset),
        )
        assert number
        images(tree / name, range(int(str(onset)), (int(str(offset)) or LAST) + 1), "{}.jpg")
    return tree


def recorded(tree: Path, rows: Iterable[Cells] = ROWS, colour: str = "color") -> Path:
    """A folder per recording: from ten images before the first clip to twenty beyond the last."""
    ends: dict[tuple[str, str], list[int]] = {}
    for subject, letter, onset, _, offset, *_ in rows:
        ends.setdefault((str(subject), str(letter)), []).extend((int(str(onset)), int(str(offset)) or LAST))
    for (subject, letter), marks in ends.items():
        numbers = range(max(min(marks) - 10, 1), max(marks) + 21)
        images(tree / subject / letter / colour, numbers, "{}.jpg")
        images(tree / subject / letter / "depth", numbers, "{}.png")
    return tree


def database(root: Path, rows: Iterable[Cells] = ROWS) -> Path:
    """Part A: the workbook, the clips beside their depth maps and films."""
    rows = list(rows)
    book(root / V2, rows)
    cut(root / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame", rows)
    cut(root / "Part_A_ME_clip" / "Part_A_ME_clip" / "depth", rows)
    films = root / "Part_A_ME_clip" / "Part_A_ME_clip" / "video"
    films.mkdir()
    (films / "spNo.901_a_355.mp4").touch()
    return root


def part_c(root: Path, rows: Iterable[Cells] = ROWS_C, folder: str = "{:02d}/{}/color") -> Path:
    """Part C, by default as meb keeps it."""
    rows = list(rows)
    book(root / BOOK_C, rows, HEADER_C, ("mockCrimeME",))
    for subject, count, onset, offset, *_ in rows:
        images(
            root / "ME_C" / folder.format(int(str(subject)), count),
            range(int(str(onset)), int(str(offset)) + 1),
            "{}.jpg",
        )
    return root


def frames_of(reading: DatasetIndex, name: str) -> tuple[int, int | None, int, str]:
    (clip,) = [clip for clip in reading.clips if clip.name == name]
    return clip.onset, clip.apex, clip.offset, clip.apex_source
