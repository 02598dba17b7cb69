"""Find the table of labels: cells stay text, headers are found by their content."""

import io
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.datasets.readers.casme2 import SCHEMA
from learnet.datasets.readers.reading.table import TableSchema, read_table
from tests.builders.written_by_hand import NINE, ROWS, TEXTS, nine_columns, seven_columns


@pytest.mark.parametrize(
    "write, name, columns", [(nine_columns, "book.xlsx", 9), (seven_columns, "book.xls", 7)]
)
def test_both_forms_give_the_cells_as_text(tmp_path: Path, write, name: str, columns: int) -> None:
    """Subject `01` keeps its zero, the number 4 becomes text, and `repression ` loses its blank."""
    table = read_table(write(tmp_path / name), SCHEMA)
    assert table.rows == TEXTS
    assert len(table.headers) == columns
    assert table.location(0) == f"{name} row 2"


def test_the_header_row_is_found_below_notes_and_on_a_later_sheet(tmp_path: Path) -> None:
    table = read_table(
        nine_columns(tmp_path / "a.xlsx", above=["Coding", "by two coders", "see the paper"], sheet="Sheet4"),
        SCHEMA,
    )
    assert (table.rows, table.sheet, table.row_numbers[0]) == (TEXTS, "Sheet4", 5)
    assert read_table(seven_columns(tmp_path / "b.xls", sheets=3), SCHEMA).sheet == "Sheet3"


def test_a_sheet_without_the_header_does_not_hide_the_one_with_it(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(nine_columns(tmp_path / "a.xlsx"))
    front = book.create_sheet("Front", 0)
    front.append(["Subject", "Filename", "Objective Class"])
    front.append(["01", "EP90_01f", 1])
    book.save(tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx", SCHEMA).sheet == "Sheet1"


@given(
    st.lists(st.sampled_from(["upper", "lower", "spaced", "underscored", "broken"]), min_size=9, max_size=9),
    st.permutations(range(9)),
)
@settings(max_examples=30, deadline=None)
def test_columns_are_found_in_any_spelling_and_order(
    tmp_path_factory, spellings: list[str], order: list[int]
) -> None:
    spell = {
        "upper": str.upper, "lower": str.lower, "spaced": lambda t: f" {t.replace('Frame', ' Frame')} ",
        "underscored": lambda t: t.replace("Frame", "_Frame"), "broken": lambda t: t.replace(" ", "\n"),
    }  # fmt: skip
    header = [spell[how](title) for how, title in zip(spellings, NINE, strict=True)]
    rows = [
        [subject, name, None, onset, apex, offset, None, units, emotion]
        for subject, name, onset, apex, offset, units, emotion in ROWS
    ]
    book = openpyxl.Workbook()
    for line in [header, *rows]:
        book.active.append([line[column] for column in order])
    path = tmp_path_factory.mktemp("order") / "a.xlsx"
    book.save(path)
    assert read_table(path, SCHEMA).rows == TEXTS


def test_blank_rows_vanish_and_notes_below_are_set_aside(tmp_path: Path) -> None:
    rows = [
        ROWS[0],
        (None,) * 7,
        ROWS[1],
        ("Note:", None, None, None, None, None, None),
        (None, "EP95_01", 1, 2, 3, "4", "fear"),
    ]
    table = read_table(nine_columns(tmp_path / "a.xlsx", rows), SCHEMA)
    assert table.rows == TEXTS[:2]
    assert table.row_numbers == [2, 4]
    assert {line: (cells["subject"], cells["name"]) for line, cells in table.notes.items()} == {
        5: ("Note:", ""),
        6: ("", "EP95_01"),
    }


@pytest.mark.parametrize(
    "lost, said",
    [(3, "onset (onsetframe or onset)"), (8, "emotion (estimatedemotion"), (0, "subject (subject")],
)
def test_a_missing_column_is_named_and_so_are_those_that_are_there(
    tmp_path: Path, lost: int, said: str
) -> None:
    header = [f"Column{place}" if place == lost else title for place, title in enumerate(NINE)]
    with pytest.raises(BadInput) as refusal:
        read_table(nine_columns(tmp_path / "a.xlsx", header=header), SCHEMA)
    assert f"lacks the column {said}" in str(refusal.value)
    assert (
        f"'Column{lost}'" in str(refusal.value)
        and "'Filename'" in str(refusal.value)
        and "'Sheet1'" in str(refusal.value)
    )


def test_several_missing_columns_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"lacks the columns onset \(.*\), offset \("):
        read_table(
            seven_columns(
                tmp_path / "a.xls", header=["Subject", "Filename", "A", "ApexFrame", "B", "AU", "Emotion"]
            ),
            SCHEMA,
        )


def test_a_workbook_of_something_else_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Month", "Rent"])
    book.save(tmp_path / "rent.xlsx")
    with pytest.raises(BadInput, match="has no header row with the columns subject"):
        read_table(tmp_path / "rent.xlsx", SCHEMA)


def test_the_first_named_alias_wins_over_the_leftmost_column(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Emotion", "Estimated Emotion", "Clip", "Subject"])
    book.active.append(["self-reported", "estimated", "c", "s"])
    buffer = io.BytesIO()
    book.save(buffer)
    (tmp_path / "a.xlsx").write_bytes(buffer.getvalue())
    form = TableSchema(
        {"emotion": ("estimatedemotion", "emotion"), "name": ("clip",), "subject": ("subject",)},
        ("emotion", "name", "subject"),
    )
    assert read_table(tmp_path / "a.xlsx", form).rows[0]["emotion"] == "estimated"
