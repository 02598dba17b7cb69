"""CSV files as spreadsheet programs write them, beside pandas; what is no table is refused in one line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.csv_files import csv_separator, decode_text, read_csv_rows
from learnet.core.errors import BadInput

FILE = Path("table.csv")
CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=6
)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_what_the_csv_module_writes_is_read(rows: list[list[str]], separator: str) -> None:
    """The first row decides the separator, so it holds no other one."""
    rows = [["first", "second", "third"], *rows]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    assert [cells for _, cells in read_csv_rows(FILE, text.getvalue())] == rows


def test_rows_have_the_numbers_of_their_lines() -> None:
    text = 'a;b\n\n" 1 ";"two\nlines"\n3;4\n'
    assert read_csv_rows(FILE, text) == [(1, ["a", "b"]), (2, []), (4, ["1", "two\nlines"]), (5, ["3", "4"])]


@pytest.mark.parametrize(
    ("text", "separator"), [("a,b", ","), ("a;b,c;d", ";"), ("\n\na\tb", "\t"), ("a", ","), ("", ",")]
)
def test_the_separator_is_the_most_frequent_of_the_first_line(text: str, separator: str) -> None:
    assert csv_separator(text) == separator


def test_text_with_a_mark_of_its_encoding() -> None:
    assert decode_text(FILE, "\ufeffZoë".encode()) == "Zoë"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a\0b"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="table.csv: this is not"):
        decode_text(FILE, data)


def test_a_quote_that_is_never_closed_is_refused() -> None:
    with pytest.raises(BadInput, match="table.csv: this is not a table"):
        read_csv_rows(FILE, 'a,"b\nc')
