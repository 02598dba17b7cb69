"""A CASME of invented people and clips."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import xlwt

from tests.builders.written_by_hand import images

HEADER = (
    "Subject",
    "Filename",
    "",
    "OnsetF",
    "ApexF1",
    "ApexF2",
    "OffsetF",
    "",
    "Onset",
    "Total",
    "AU",
    "Emotion",
)
ROWS: list[tuple] = [
    (1, "EP91_5", "", 12, 20, "\\", 31, "", 133, 333, 4, "tense"),
    (1, "EP92", "", 5, 9, 14, "\\", "", 67, 200, "1+2", "surprise"),
    (2, "EP93_1", "", 100, 108, "\\", 120, "", 133, 350, "R12", "comtempt"),
    (9, "EP94_2_1", "", 7, 11, "\\", 22, "", 67, 267, "4+L10", "disgust"),
]
EXPECTED = [
    ("01", "EP91_5", "tense", 12, 20, 31, "file", "4"),
    ("01", "EP92", "surprise", 5, 9, 13, "file", "1+2"),
    ("02", "EP93_1", "contempt", 100, 108, 120, "file", "R12"),
    ("09", "EP94_2_1", "disgust", 7, 11, 22, "file", "4+L10"),
]
"""As in written_by_hand. The missing offset is 2 * 9 - 5."""
FRAMES = {"EP91_5": range(1, 41), "EP92": range(1, 21), "EP93_1": range(90, 131), "EP94_2_1": range(1, 31)}
WAY_A, WAY_B = Path("CASME_A", "Section A"), Path("CASME_B", "Section B")


def workbook(path: Path, rows: Iterable[Sequence] = ROWS, header: Sequence[str] = HEADER) -> Path:
    """The owners' .xls, or its .xlsx twin; empty cells stay unwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *rows]
    if path.suffix.lower() == ".xlsx":
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append([None if cell == "" else cell for cell in line])
        book.save(path)
        return path
    old = xlwt.Workbook()
    page = old.add_sheet("Sheet1")
    for i, line in enumerate(lines):
        for k, cell in enumerate(line):
            if cell not in ("", None):
                page.write(i, k, cell)
    old.save(str(path))
    return path


def clip(
    tree: Path,
    row: Sequence,
    subject: str = "sub{:02d}",
    pattern: str | None = None,
    numbers: Iterable[int] | None = None,
) -> Path:
    """The folder of a row's clip: unpadded in section A but for a clip named img, padded in section B."""
    usual = {"EP92": "img{}.jpg", "EP94_2_1": "EP94_2_1-{:03d}.jpg"}.get(row[1], f"{row[1]}-{{}}.jpg")
    return images(
        tree / subject.format(row[0]) / row[1],
        FRAMES[row[1]] if numbers is None else numbers,
        pattern or usual,
    )


def section_a(root: Path, rows: Sequence[Sequence] = ROWS[:3]) -> Path:
    workbook(root / WAY_A / "Section A.xls", rows)
    for row in ROWS[:3]:
        clip(root / WAY_A, row)
    images(root / WAY_A / "sub02" / "EP95_1", range(1, 9), "EP95_1-{}.jpg")
    (root / WAY_A / "sub01" / "Thumbs.db").touch()
    return root


def section_b(root: Path, rows: Sequence[Sequence] = ROWS[3:]) -> Path:
    workbook(root / WAY_B / "Section B.xls", rows)
    clip(root / WAY_B, ROWS[3])
    return root


def database(root: Path) -> Path:
    return section_b(section_a(root))


def changed(place: int, **cells: object) -> list[tuple]:
    """ROWS with cells of one row changed, by header in small letters."""
    places = {name.lower(): column for column, name in enumerate(HEADER) if name}
    rows = [list(row) for row in ROWS]
    for name, value in cells.items():
        rows[place][places[name]] = value
    return [tuple(row) for row in rows]


def package(root: Path, pattern: str = "reg_{}-{{}}.jpg") -> Path:
    """All clips in one tree, onset to offset."""
    for row in ROWS:
        clip(
            root,
            row,
            pattern=pattern.format(row[1]),
            numbers=range(row[3], (row[6] if row[6] != "\\" else 14) + 1),
        )
    return root
