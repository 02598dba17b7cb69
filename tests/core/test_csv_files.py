"""CSV files as spreadsheet programs write them, beside pandas; what is no table is refused in one line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.csv_files import (
    csv_separator,
    csv_text,
    decode_text,
    escape_formula,
    parse_csv,
    read_csv_rows,
)
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
    rows = read_csv_rows(FILE, text, line_breaks=True)
    assert rows == [(1, ["a", "b"]), (2, []), (4, ["1", "two\nlines"]), (5, ["3", "4"])]


@pytest.mark.parametrize(
    ("text", "separator"), [("a,b", ","), ("a;b,c;d", ";"), ("\n\na\tb", "\t"), ("a", ","), ("", ",")]
)
def test_the_separator_is_the_most_frequent_of_the_first_line(text: str, separator: str) -> None:
    assert csv_separator(text) == separator


def test_text_with_a_mark_of_its_encoding() -> None:
    assert decode_text(FILE, "\ufeffZoë".encode()) == "Zoë"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_tables_of_other_systems(encoding: str, line_end: str) -> None:
    """UTF-16 is what Windows calls Unicode text; a carriage return alone ended lines on early Macs."""
    text = line_end.join(["subject;emotion", "Zoë;fear", ""])
    data = text.encode(encoding)
    rows = [cells for _, cells in read_csv_rows(FILE, decode_text(FILE, data))]
    assert rows == [["subject", "emotion"], ["Zoë", "fear"]]


@pytest.mark.parametrize("data", [b"\xff\xfe\x41", b"\xe4", b"a\0b"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="table.csv: this is not"):
        decode_text(FILE, data)


def test_a_quote_that_is_never_closed_is_refused() -> None:
    with pytest.raises(BadInput, match="table.csv line 2: this is not a table"):
        read_csv_rows(FILE, 'a,b\n1,"2\n3,4\n5,6\n')


def test_a_cell_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadInput, match="table.csv line 2: this is not a table"):
        read_csv_rows(FILE, f"a,b\n1,{'x' * 200_000}\n")


LINES = [f"image{number}.png,s{number % 3},fear,note" for number in range(9)]


@given(st.lists(st.integers(0, 8 * 4 + 3), min_size=1, max_size=3, unique=True), st.booleans())
def test_stray_quotation_marks_lose_no_row(places: list[int], line_breaks: bool) -> None:
    """A mark at the beginning of any cell of a table: it is refused, or the table has all its rows."""
    cells = [line.split(",") for line in LINES]
    for place in places:
        cells[place // 4][place % 4] = '"' + cells[place // 4][place % 4]
    text = "\n".join(["image,subject,emotion,notes", *map(",".join, cells), ""])
    try:
        rows = read_csv_rows(FILE, text, line_breaks)
    except BadInput as error:
        assert "table.csv line " in str(error)
    else:
        assert len(rows) == 1 + len(LINES)


@pytest.mark.parametrize("swallowed", ['1,"\n2,"\n3,4\n', '1,2\n"3,4\n5",6\n'])
def test_two_stray_marks_are_refused_with_their_line(swallowed: str) -> None:
    for line_breaks in (False, True):
        with pytest.raises(BadInput, match=r"table.csv line [23]: "):
            read_csv_rows(FILE, f"a,b\n{swallowed}", line_breaks)


def test_a_header_may_have_line_breaks() -> None:
    """Label workbooks have headers such as `Onset`, line break, `Frame`."""
    rows = read_csv_rows(FILE, 'Subject,"Onset\nFrame"\n1,2\n')
    assert rows == [(2, ["Subject", "Onset\nFrame"]), (3, ["1", "2"])]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "=cmd|' /C calc'!A0", "+cmd", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1",
     " =1", "＝1+1", "-dash", "'=1"],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_is_written_after_an_apostrophe(text: str) -> None:
    written = next(csv.reader(io.StringIO(csv_text([[text, 1]]), newline="")))
    assert written == [f"'{text}", "1"]


@pytest.mark.parametrize(
    "value", [-0.5, -1, "-0.5", "+3e-05", "-", "4+L10", "a=b", "it's", "'", "", None, True]
)
def test_numbers_and_other_texts_stay_as_they_are(value: object) -> None:
    assert escape_formula(value) is value


@given(st.text(st.sampled_from("'=+-@\t\r\n 1a,;\"＝")), st.text())
def test_every_text_comes_back(special: str, text: str) -> None:
    rows = [["header", special], [text.replace("\0", ""), special + "x"]]
    assert parse_csv(FILE, csv_text(rows)) == rows


@pytest.mark.parametrize("end", ["c.png,03", "c.png,03,", "c.png,03,sur"])
def test_a_table_that_is_cut_off_is_refused_where_a_column_is_missing(end: str) -> None:
    text = f"image,subject,emotion\na.png,01,fear\n{end}"
    if end.count(",") == 2:
        assert read_csv_rows(Path("a.csv"), text)[-1] == (3, end.split(","))
        return
    with pytest.raises(BadInput, match="a.csv line 3: the file ends here, with 2 of 3 columns"):
        read_csv_rows(Path("a.csv"), text)
    assert read_csv_rows(Path("a.csv"), text + "\n")[-1] == (3, ["c.png", "03"])
