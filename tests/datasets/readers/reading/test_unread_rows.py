"""Rows of labels that are in no table: sheets without a header, and second blocks beside or below."""

from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from learnet.core.errors import BadAnnotation
from learnet.datasets.readers import folder
from learnet.datasets.readers.casme2 import read
from tests.builders.written_by_hand import EXPECTED, NINE, ROWS, clips, database, images, kinds, of_kind

NAME = "CASME2-coding-20140508.xlsx"
KIND = "rows that are not read"
MORE = [
    ("02", "EP95_01", None, 5, 20, 33, None, 4, "others"),
    ("17", "EP95_03f", None, 96, "/", 130, None, "R2+15", "fear"),
]
"""Two more rows, in the columns of NINE."""


def with_sheet(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Add a sheet of rows."""
    book = openpyxl.load_workbook(path)
    page = book.create_sheet("Sheet2")
    for row in rows:
        page.append(list(row))
    book.save(path)


def write(page: Worksheet, row: int, column: int, cells: Sequence[object]) -> None:
    for position, cell in enumerate(cells):
        page.cell(row, column + position, cell)


def beside(page: Worksheet) -> None:
    """Beside the first block, after an empty column, with a header of its own."""
    for number, cells in enumerate([NINE, *MORE], start=1):
        write(page, number, 11, cells)


def beside_without_header(page: Worksheet) -> None:
    for number, cells in enumerate(MORE, start=4):
        write(page, number, 11, cells)


def below_to_the_right(page: Worksheet) -> None:
    for number, cells in enumerate(MORE, start=9):
        write(page, number, 12, cells)


def above(page: Worksheet) -> None:
    page.insert_rows(1, 4)
    for number, cells in enumerate(MORE, start=1):
        write(page, number, 1, cells)


@pytest.mark.parametrize(
    "rows, first",
    [
        (MORE, 1),
        ([("Coded in the second round",), (), *MORE], 3),
        ([tuple(reversed(row)) for row in MORE], 1),
        ([("person", "clip", "", "from", "peak", "to", "", "units", "class"), *MORE], 2),
    ],
    ids=["continued", "below a title", "other order", "headers that are not known"],
)
def test_rows_of_a_sheet_without_the_header_are_a_serious_finding(
    tmp_path: Path, rows: Sequence[Sequence[object]], first: int
) -> None:
    with_sheet(database(tmp_path) / NAME, rows)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, KIND)
    assert (finding.serious, finding.where) == (True, NAME)
    assert finding.what.startswith("2 rows of sheet 'Sheet2'") and f"row {first}: " in finding.what


@pytest.mark.parametrize(
    "add, first",
    [(beside, 2), (beside_without_header, 4), (below_to_the_right, 9), (above, 1)],
)
def test_a_block_elsewhere_in_the_sheet_is_a_serious_finding(
    tmp_path: Path, add: Callable[[Worksheet], None], first: int
) -> None:
    path = database(tmp_path) / NAME
    book = openpyxl.load_workbook(path)
    add(book.active)
    book.save(path)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, KIND)
    assert finding.serious and "2 rows of sheet 'Sheet1'" in finding.what and f"row {first}: " in finding.what


def test_a_header_that_is_repeated_says_what_the_rows_below_it_hold(tmp_path: Path) -> None:
    """The last two rows, written with the columns from right to left below an empty row."""
    path = database(tmp_path) / NAME
    book = openpyxl.load_workbook(path)
    page = book.active
    page.delete_rows(5, 2)
    for number, (subject, name, onset, apex, offset, units, emotion) in enumerate(ROWS[3:], start=7):
        write(page, number, 3, (emotion, units, None, offset, apex, onset, None, name, subject))
    write(page, 6, 3, list(reversed(NINE)))
    book.save(path)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and kinds(reading, serious=True) == []


def test_sheets_about_the_labels_are_no_labels(tmp_path: Path) -> None:
    """A summary, a list of classes, a list of films, a copy of some labels, and notes of a second coder."""
    path = database(tmp_path) / NAME
    with_sheet(
        path,
        [
            ("emotion", "clips", "people", "mean onset", "mean offset"),
            ("happiness", 32, 12, 46, 86),
            ("disgust", 63, 17, 10, 40),
            ("01", "EP90_01f", 3),
            ("happiness", "AU6 or AU12", "AU6+AU12"),
            ("film", "happiness", 1, 102, 3, 5),
            ("01", "EP90_02", None, 11, "/", 41, None, "4+7", "disgust"),
        ],
    )
    book = openpyxl.load_workbook(path)
    write(
        book.active, 1, 10, ("Onset coder 2", "Offset coder 2", "Coder", "Emotion coder 2", "Objective Class")
    )
    for number in range(2, 7):
        write(book.active, number, 10, (45, 87, 2, "happiness", 1))
    book.save(path)
    assert KIND not in kinds(read(tmp_path))


def test_labels_of_ones_own(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        images(tmp_path / name, range(1, 9))
    header = "path,subject,emotion"
    (tmp_path / "labels.csv").write_text(f"{header},,{header}\na,01,disgust,,c,03,anger\nb,02,fear,,,,\n")
    reading = folder.read(tmp_path)
    assert [clip.name for clip in reading.clips] == ["a", "b"]
    assert "1 row may be labels" in of_kind(reading, KIND).what
    (tmp_path / "labels.csv").write_text(f"{header}\na,01,disgust\n\n{header}\nb,02,fear\nc,03,anger\n")
    assert [clip.name for clip in folder.read(tmp_path).clips] == ["a", "b", "c"]
    (tmp_path / "labels.csv").write_text(f"{header},,,,\na,01,disgust\n,,,,b,02,fear\n")
    with pytest.raises(BadAnnotation, match="row 3: there is no path, subject, emotion"):
        folder.read(tmp_path)


def test_words_are_no_labels_where_people_and_clips_have_names(tmp_path: Path) -> None:
    """The header is a row of words as well."""
    for name in ("a", "b"):
        images(tmp_path / name, range(1, 9))
    book = openpyxl.Workbook()
    for row in [
        ("path", "subject", "emotion", "coder", "second emotion", "sex"),
        ("a", "Anna", "disgust", "Carla", "fear", "female"),
        ("b", "Bert", "fear", "Dora", "anger", "male"),
    ]:
        book.active.append(row)
    page = book.create_sheet("notes")
    for row in [("coded", "by", "Carla"), ("see", "the", "book", "of", "codes"), ("unit", "muscle", "face")]:
        page.append(row)
    book.save(tmp_path / "labels.xlsx")
    assert kinds(folder.read(tmp_path), serious=True) == []
    page.append(("c", "Carla", "anger"))
    book.save(tmp_path / "labels.xlsx")
    assert "the first is row 4: 'c Carla anger'" in of_kind(folder.read(tmp_path), KIND).what
