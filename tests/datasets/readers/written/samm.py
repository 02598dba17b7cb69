"""A SAMM of invented people and clips."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl

from tests.builders.written_by_hand import images

HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame ", "Offset Frame", "Duration",
    "Micro", "Action Units",
    "Estimated Emotion", "Objective Classes", "Notes",
)  # fmt: skip
ROWS: list[tuple] = [
    ("006", "006_1_91", 1, 5562, 5588, 5632, 71, "Micro - 1/2", "4+7", "Anger", 3, None),
    ("009", "009_3_92", 3, 83, 100, 120, 38, "Micro - 1/2", "(R6 or R12)+R15", "Happiness", 7, "text"),
    ("028", "028_4_93", 4, 1050, 1400, 1120, 71, "Micro - 1/2", "A9E+ref(10)", "Disgust", 2, None),
    ("037", "037_7_94", 7, 300, 310, 333, 34, "Micro - 1/2", 24, "Others", 7, None),
]
EXPECTED = [
    ("006", "006_1_91", "anger", 5562, 5588, 5632, "file", "4+7"),
    ("009", "009_3_92", "happiness", 83, 100, 120, "file", "(R6 or R12)+R15"),
    ("028", "028_4_93", "disgust", 1050, 1085, 1120, "midpoint", "A9E+ref(10)"),
    ("037", "037_7_94", "others", 300, 310, 333, "file", "24"),
]
NAME = "SAMM_Micro_FACS_Codes_v2.xlsx"
LONG_NAME = "SAMM_LongVideos_V3_Release.xlsx"
NOTES = 13


def workbook(
    path: Path,
    rows: Iterable[Sequence] = ROWS,
    notes: int = NOTES,
    header: Sequence = HEADER,
    sheet: str = "MICRO_ONLY",
) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for line in range(notes):
        page.append(["SAMM synthetic notes" if line % 3 == 0 else None])
    page.append(list(header))
    for row in rows:
        page.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def tree(root: Path, rows: Iterable[Sequence] = ROWS, level: str = "{}") -> Path:
    """Onset to offset; five digits in the file names of the first inducement, four in those of the others."""
    for subject, name, code, onset, _, offset, *_ in rows:
        folder = root / level.format(f"{int(subject):03d}") / name
        images(folder, range(onset, offset + 1), f"{name[:3]}_{{:0{5 if code == 1 else 4}d}}.jpg")
    return root


def database(root: Path, rows: Iterable[Sequence] = ROWS) -> Path:
    workbook(root / NAME, rows)
    tree(root / "SAMM", rows)
    return root


def long_videos(root: Path) -> Path:
    """The Long Videos: nine rows of notes, a table without emotions, whole recordings from frame 1."""
    header = (
        "Subject",
        "Filename",
        "Inducement Code",
        "Onset",
        "Apex",
        "Offset",
        "Duration",
        "Type",
        "Action Units",
        "Notes",
    )
    rows = [
        ("006", "006_1_91", 1, 5562, -1, 5632, 71, "Micro - 1/2", "4+7", None),
        ("006", "006_1_90", 1, 0, 40, 90, 91, "Macro", "12", None),
    ]
    workbook(root / LONG_NAME, rows, notes=9, header=header, sheet="Sheet1")
    images(root / "SAMM_longvideos" / "006_1", range(1, 40), "006_1_{:04d}.jpg")
    return root


def changed(place: int, **cells: object) -> list[tuple]:
    """ROWS with cells of one row changed, by header: `apex`, `offset`, ..."""
    columns = {
        "subject": 0,
        "name": 1,
        "onset": 3,
        "apex": 4,
        "offset": 5,
        "duration": 6,
        "units": 8,
        "emotion": 9,
    }
    rows = [list(row) for row in ROWS]
    for column, value in cells.items():
        rows[place][columns[column]] = value
    return [tuple(row) for row in rows]
