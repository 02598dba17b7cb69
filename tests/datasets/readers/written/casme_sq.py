"""A CAS(ME)^2 of invented people and clips."""

from pathlib import Path

import openpyxl

from learnet.core.records import Clip, DatasetIndex
from learnet.core.settings import DatasetSubset
from tests.builders.written_by_hand import images

BOOK = "CAS(ME)^2code_final.xlsx"
ROWS = [
    (1, "anger1_1", 557, 565, 571, "4+7", "negative", "micro-expression", "anger"),
    (1, "happy2_3", 120, 131, 0, 12, "positive", "macro-expression", "happiness"),
    (1, "anger1_2", 600, 604, 611, "L14", "others", "micro-expression", "sadness"),
    (3, "disgust2_1", 88, 92, 99, "9", "others", "micro-expression", "helpless"),
    (3, "disgust2_2", 150, 0, 201, "9", "negative", "macro-expression", "disgust"),
    (7, "happy1_1", 1002, 1007, 1015, "1+2", "surprise", "micro-expression", "surprise"),
]
MICRO = [
    ("15", "anger1_1", "negative", 557, 565, 571, "file", "4+7", "micro"),
    ("15", "anger1_2", "others", 600, 604, 611, "file", "L14", "micro"),
    ("19", "disgust2_1", "others", 88, 92, 99, "file", "9", "micro"),
    ("23", "happy1_1", "surprise", 1002, 1007, 1015, "file", "1+2", "micro"),
]
MACRO = [
    ("15", "happy2_3", "positive", 120, 131, 142, "file", "12", "macro"),
    ("19", "disgust2_2", "negative", 150, 175, 201, "midpoint", "9", "macro"),
]
"""Expected clips of ROWS: subject, name, emotion, onset, apex, offset, apex_source, action_units, kind."""

RULE_1 = [(15, "s15", 1), (19, "s19", 3), (23, "s23", 7)]
RULE_2 = [("0401", "anger1"), ("0503", "happy2"), ("0102", "disgust2"), ("0502", "happy1")]
VIDEOS = {
    "s15/15_0401girlcrashing": 640, "s15/15_0503unnyfarting": 160, "s19/19_0102eatingworms": 230,
    "s19/23_0502funnyerrors": 1030,
    "s15/15_0507climbingthewall": 3,
}  # fmt: skip
"""Folder of a long video -> its last frame. 23's is stored under 19; the last has no label."""


def workbook(
    path: Path, rows=ROWS, names=("CASFEcode_final", "naming rule1", "naming rule2"), rules=(RULE_1, RULE_2)
) -> Path:
    """Three sheets, no header in any."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, content in zip(names, (rows, *rules), strict=True):
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def cut(tree: Path, subject: str = "s{}", rows=ROWS) -> Path:
    """Clips cut from the long videos, with their numbers. A missing offset is the mirrored onset."""
    for index, name, onset, apex, offset, *_ in rows:
        folder = {1: 15, 3: 19, 7: 23}[index]
        images(tree / subject.format(folder) / name, range(onset, (offset or 2 * apex - onset) + 1))
    return tree


def long(tree: Path, videos=VIDEOS) -> Path:
    for name, last in videos.items():
        images(tree / name, range(1, last + 1), "img{:03d}.jpg")
    return tree


def database(root: Path) -> Path:
    """Everything as it unpacks, the workbook of blinks and the videos included."""
    workbook(root / BOOK)
    book = openpyxl.Workbook()
    book.active.append(["subject", "video", "name", "blink", "onset", "offset"])
    book.active.append([15, "0401", "anger1", 1, 30, "38"])
    book.save(root / "CAS(ME)^2blink-code.xlsx")
    (root / "rawvideo" / "s15").mkdir(parents=True)
    (root / "rawvideo" / "s15" / "15_0401girlcrashing.avi").touch()
    cut(root / "selectedpic")
    cut(root / "cropped", "{}")
    long(root / "rawpic")
    return root


def clip_fields(clip: Clip) -> tuple[object, ...]:
    """A clip as in MICRO."""
    return (
        clip.subject,
        clip.name,
        clip.emotion,
        clip.onset,
        clip.apex,
        clip.offset,
        clip.apex_source,
        clip.action_units,
        clip.kind,
    )


def clips(reading: DatasetIndex) -> list[tuple[object, ...]]:
    return [clip_fields(clip) for clip in reading.clips]


def every(tree: str | None = None) -> DatasetSubset:
    return DatasetSubset(tree=tree, expressions="all")
