"""A CASME II of five invented clips (names the real one does not have), written cell by cell and file by
file, not by the package."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import xlwt

from learnet.core.records import Clip, DatasetIndex, Finding

NINE = (
    "Subject",
    "Filename",
    "",
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    "",
    "Action Units",
    "Estimated Emotion",
)
SEVEN = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion")
ROWS = [
    ("01", "EP90_01f", 46, 59, 86, "12", "happiness"),
    ("01", "EP90_02", 10, "/", 40, "4+7+L10", "disgust"),
    ("02", "EP91f", 5, 33, 33, 4, "others"),
    ("17", "EP92_3", 96, 110, 130, "R2+15", "repression "),
    ("24", "EP93_02_01", 20, 28, 45, "1+2", "surprise"),
]
_FIELDS = ("subject", "name", "onset", "apex", "offset", "action_units", "emotion")
_TEXT_ROWS = [
    ("01", "EP90_01f", "46", "59", "86", "12", "happiness"),
    ("01", "EP90_02", "10", "/", "40", "4+7+L10", "disgust"),
    ("02", "EP91f", "5", "33", "33", "4", "others"),
    ("17", "EP92_3", "96", "110", "130", "R2+15", "repression"),
    ("24", "EP93_02_01", "20", "28", "45", "1+2", "surprise"),
]
TEXTS = [dict(zip(_FIELDS, row, strict=True)) for row in _TEXT_ROWS]
"""ROWS as `read_table` returns them."""

EXPECTED = [
    ("01", "EP90_01f", "happiness", 46, 59, 86, "file", "12"),
    ("01", "EP90_02", "disgust", 10, 25, 40, "midpoint", "4+7+L10"),
    ("02", "EP91f", "others", 5, 33, 33, "file", "4"),
    ("17", "EP92_3", "repression", 96, 110, 130, "file", "R2+15"),
    ("24", "EP93_02_01", "surprise", 20, 28, 45, "file", "1+2"),
]
"""Expected clips of ROWS: subject, name, emotion, onset, apex, offset, apex_source, action_units."""
Cells = Sequence[object]


def nine_columns(
    path: Path,
    rows: Iterable[Cells] = ROWS,
    header: Sequence[str] = NINE,
    sheet: str = "Sheet1",
    above: Cells = (),
) -> Path:
    """The .xlsx form: two columns without a name or content; `above` are lines of notes above the header."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for note in above:
        page.append([note])
    page.append([cell or None for cell in header])
    for subject, name, onset, apex, offset, units, emotion in rows:
        page.append([subject, name, None, onset, apex, offset, None, units, emotion])
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def seven_columns(
    path: Path, rows: Iterable[Cells] = ROWS, header: Sequence[str] = SEVEN, sheets: int = 1
) -> Path:
    """The .xls form, after `sheets - 1` empty sheets."""
    book = xlwt.Workbook()
    for number in range(sheets - 1):
        book.add_sheet(f"Empty{number}")
    page = book.add_sheet(f"Sheet{sheets}")
    for line, row in enumerate([header, *rows]):
        for column, cell in enumerate(row):
            page.write(line, column, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(str(path))
    return path


def images(folder: Path, numbers: Iterable[int], pattern: str = "img{}.jpg") -> Path:
    """Create empty files with the names of images, because readers look at names only.

    All are links to the first one, which are made several times faster than files. Write to none of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first: Path | None = None
    for number in numbers:
        image = folder / pattern.format(number)
        if image.exists():
            continue
        if first is None:
            first = image
            image.touch()
        else:
            os.link(first, image)
    return folder


def cropped(tree: Path, rows: Iterable[Cells] = ROWS, subject: str = "sub{:02d}") -> Path:
    """Registered crops, onset..offset with the original numbers."""
    for number, name, onset, _, offset, *_ in rows:
        images(
            tree / subject.format(int(str(number))) / str(name),
            range(int(str(onset)), int(str(offset)) + 1),
            "reg_img{}.jpg",
        )
    return tree


def selected(tree: Path, rows: Iterable[Cells] = ROWS) -> Path:
    """Whole images, onset..offset with the original numbers."""
    for number, name, onset, _, offset, *_ in rows:
        images(tree / f"sub{int(str(number)):02d}" / str(name), range(int(str(onset)), int(str(offset)) + 1))
    return tree


def raw(tree: Path, rows: Iterable[Cells] = ROWS) -> Path:
    """Whole recordings from frame 1 to twenty frames beyond the offset."""
    for number, name, _, _, offset, *_ in rows:
        images(tree / f"sub{int(str(number)):02d}" / str(name), range(1, int(str(offset)) + 21))
    return tree


def database(root: Path) -> Path:
    """The workbook, the crops, the classes workbook, and other files beside them."""
    nine_columns(root / "CASME2-coding-20140508.xlsx")
    book = openpyxl.Workbook()
    book.active.append(["Subject", "Filename", "Objective Class"])
    book.active.append(["01", "EP90_01f", 1])
    book.save(root / "CASME2-ObjectiveClasses.xlsx")
    (root / "readme.pdf").write_bytes(b"%PDF")
    cropped(root / "Cropped")
    images(root / "Cropped" / "sub09" / "EP94_02f", range(5, 9), "reg_img{}.jpg")
    for junk in ("Thumbs.db", "EP90_01f.avi", "Desktop - Shortcut.lnk", ".DS_Store"):
        (root / "Cropped" / "sub01" / junk).touch()
    (root / "__MACOSX" / "sub01" / "EP90_01f").mkdir(parents=True)
    return root


def clip_fields(clip: Clip) -> tuple[object, ...]:
    """A clip as in EXPECTED."""
    return (
        clip.subject,
        clip.name,
        clip.emotion,
        clip.onset,
        clip.apex,
        clip.offset,
        clip.apex_source,
        clip.action_units,
    )


def clips(reading: DatasetIndex) -> list[tuple[object, ...]]:
    """All clips of a reading as in EXPECTED."""
    return [clip_fields(clip) for clip in reading.clips]


def kinds(reading: DatasetIndex, serious: bool | None = None) -> list[str]:
    """The kinds of findings in alphabetical order: all, only the serious ones, or only the others."""
    return sorted(finding.kind for finding in reading.findings if serious in (None, finding.serious))


def of_kind(reading: DatasetIndex, kind: str) -> Finding:
    """The one finding of a kind."""
    (finding,) = [finding for finding in reading.findings if finding.kind == kind]
    return finding


def everything(root: Path) -> Path:
    """All parts in the levels in which they unpack."""
    nine_columns(root / "CASME2-coding-20140508.xlsx")
    raw(root / "CASME2_RAW" / "CASME2-RAW")
    selected(root / "CASME2_RAW_selected" / "CASME2_RAW_selected")
    cropped(root / "Cropped" / "Cropped")
    cropped(root / "Cropped-updated" / "Cropped", subject="{}")
    return root
