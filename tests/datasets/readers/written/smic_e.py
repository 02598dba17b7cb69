"""A SMIC-E of invented people and clips."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl

from tests.builders.written_by_hand import images

HEADER = (
    "Subject", "Filename", "Session", "OnsetF", "OffsetF", "OnsetF2", "OffsetF2", "OnsetF3", "OffsetF3",
    "TotalF", "FirstF", "LastF",
    "Emotion",
)  # fmt: skip
ROWS: list[tuple] = [
    (1, "s1_ne_91", None, 559440, 559475, None, None, None, None, 100, 559400, 559499, "negative"),
    (3, "s3_po_92", None, 20010, 20030, 20050, 20081, None, None, 100, 20000, 20099, "positive"),
    (20, "s20_sur_93", None, 17580920, 17580936, None, None, None, None, 60, 17580900, 17580959, "surprise"),
]
NOTES: list[tuple] = [
    (None,),
    ("Note:", "free text about lost clips"),
    ("three of the clips", None),
    (None, "Total", None, None),
    ("157", "long clips in all"),
]
EXPECTED = [
    ("s01", "s1_ne_91", "negative", 559440, 559457, 559475, "midpoint", ""),
    ("s03", "s3_po_92", "positive", 20010, 20020, 20030, "midpoint", ""),
    ("s03", "s3_po_92-2", "positive", 20050, 20065, 20081, "midpoint", ""),
    ("s20", "s20_sur_93", "surprise", 17580920, 17580928, 17580936, "midpoint", ""),
]
NAME = "SMIC-HS-E_annotation.xlsx"
WAY = Path("HS_long", "SMIC-HS-E")


def workbook(path: Path, rows: Iterable[Sequence] = (*ROWS, *NOTES), header: Sequence = HEADER) -> Path:
    book = openpyxl.Workbook()
    book.active.append(list(header))
    for row in rows:
        book.active.append(list(row))
    book.create_sheet("Sheet2")
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def tree(
    root: Path, rows: Iterable[Sequence] = ROWS, subject: str = "s{:02d}", pattern: str = "image{:06d}.jpg"
) -> Path:
    """Whole long clips, from FirstF to LastF; the subject padded, the clip not."""
    for row in rows:
        images(root / subject.format(row[0]) / row[1], range(row[10], row[11] + 1), pattern)
    return root


def database(root: Path, rows: Sequence[Sequence] = ROWS) -> Path:
    workbook(root / "HS_long" / NAME, [*rows, *NOTES])
    tree(root / WAY, rows)
    return root


def slow(rows: Iterable[Sequence], start: int) -> list[tuple]:
    """The rows of a camera that counts from START, a quarter of the frames."""
    found = []
    for row in rows:
        frames = [None if mark is None else start + (mark - row[10]) // 4 for mark in row[3:9]]
        found.append((*row[:3], *frames, row[9] // 4, start, start + (row[11] - row[10]) // 4, row[12]))
    return found


def narrow(rows: Iterable[Sequence], columns: Sequence[int]) -> list[tuple]:
    return [tuple(row[column] for column in columns) for row in rows]
