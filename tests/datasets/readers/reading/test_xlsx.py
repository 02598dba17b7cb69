"""Workbooks that Excel's usual programs would not write: too large, wrongly numbered, of other formats."""

import resource
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest
import xlwt

from learnet.core.errors import BadInput
from learnet.datasets.readers.casme2 import SCHEMA
from learnet.datasets.readers.reading import xlsx
from learnet.datasets.readers.reading.spreadsheet import sheets
from learnet.datasets.readers.reading.table import read_table
from learnet.datasets.readers.reading.xlsx import NO_RESULT
from tests.builders.written_by_hand import TEXTS, nine_columns

HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"


def with_sheet(path: Path, xml: Iterable[bytes]) -> Path:
    """A workbook whose only sheet has this content."""
    openpyxl.Workbook().save(path.with_suffix(".plain"))
    with (
        zipfile.ZipFile(path.with_suffix(".plain")) as plain,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in plain.namelist():
            if not name.endswith("sheet1.xml"):
                written.writestr(name, plain.read(name))
                continue
            with written.open(name, "w", force_zip64=True) as part:
                for piece in (HEAD, *xml, TAIL):
                    part.write(piece)
    return path


def replaced(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """A copy of a workbook in which some bytes of one part are others."""
    copy = path.with_name(f"copy of {path.name}")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as written:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith(part):
                assert old in data
                data = data.replace(old, new)
            written.writestr(name, data)
    return copy


def text_cell(where: str, text: str) -> str:
    return f'<c r="{where}" t="inlineStr"><is><t>{text}</t></is></c>'


@pytest.mark.parametrize("number", [99_999_999, 1_048_577, 2, 1, 0])
def test_a_row_whose_number_is_not_possible_is_damage(tmp_path: Path, number: int) -> None:
    """openpyxl fills up to row 99,999,999, and drops a second row 2 without a word."""
    numbers = [1, 2, number]
    rows = [f'<row r="{n}">{text_cell(f"A{n}", "x")}</row>'.encode() for n in numbers]
    with pytest.raises(BadInput, match="is damaged"):
        sheets(with_sheet(tmp_path / "a.xlsx", rows))


def test_the_last_possible_row_is_read(tmp_path: Path) -> None:
    row = f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>'.encode()
    rows = sheets(with_sheet(tmp_path / "a.xlsx", [row]))["Sheet"].rows
    assert (len(rows), len(rows[-1]), rows[-1][-1], set(rows[:-1])) == (1_048_576, 16_384, "x", {()})


def test_a_cell_with_the_number_of_another_row_is_damage(tmp_path: Path) -> None:
    path = replaced(nine_columns(tmp_path / "a.xlsx"), "sheet1.xml", b'<row r="3"', b'<row r="2"')
    with pytest.raises(BadInput, match="is damaged"):
        sheets(path)


def test_a_cell_that_is_there_twice_is_damage(tmp_path: Path) -> None:
    path = replaced(nine_columns(tmp_path / "a.xlsx"), "sheet1.xml", b'r="B3"', b'r="A3"')
    with pytest.raises(BadInput, match="is damaged"):
        sheets(path)


def test_a_sheet_formatted_to_its_last_row_keeps_its_rows_and_their_numbers(tmp_path: Path) -> None:
    """120 MB of formats. openpyxl alone needs minutes for them."""

    def rows() -> Iterable[bytes]:
        yield f'<row r="1">{text_cell("A1", "Subject")}<c r="B1" s="0"/></row>'.encode()
        for first in range(2, 1_048_577, 1000):
            numbers = range(first, min(first + 1000, 1_048_577))
            formats = [f'<row r="{n}"><c r="A{n}" s="0"/><c r="I{n}" s="0"></c></row>' for n in numbers]
            yield "".join(formats).encode()
            if first == 500_002:
                yield f'<row r="501002">{text_cell("B501002", "x")}</row>'.encode()

    def without_one() -> Iterable[bytes]:
        for piece in rows():
            yield piece.replace(b'<row r="501002"><c r="A501002" s="0"/><c r="I501002" s="0"></c></row>', b"")

    path = with_sheet(tmp_path / "a.xlsx", without_one())
    sheet = sheets(path)["Sheet"]
    assert len(sheet.rows) == 501_002
    filled = {number: row for number, row in enumerate(sheet.rows, start=1) if any(row)}
    assert filled == {1: ("Subject",), 501_002: ("", "x")}


def test_blank_cells_without_numbers_still_count(tmp_path: Path) -> None:
    """Their order alone tells where the others are."""
    row = '<row><c s="0"/><c t="inlineStr"><is><t>b</t></is></c></row>'
    assert sheets(with_sheet(tmp_path / "a.xlsx", [row.encode()]))["Sheet"].rows == [("", "b")]


@pytest.mark.skipif(sys.platform == "win32", reason="memory is counted otherwise there")
def test_what_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    blanks = (b" " * 2**20 for _ in range(1100))
    path = with_sheet(tmp_path / "a.xlsx", blanks)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(
        BadInput, match=r"too large for a label workbook: xl/worksheets/sheet1.xml .* 1,153 MB"
    ):
        sheets(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_text_beyond_the_limit_and_cells_beyond_the_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = [f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>'.encode() for n in range(1, 40)]
    path = with_sheet(tmp_path / "a.xlsx", wide)
    with pytest.raises(BadInput, match="more than 500,000 cells"):
        sheets(path)
    monkeypatch.setattr(xlsx, "MAX_TEXT_BYTES", 1000)
    with pytest.raises(BadInput, match="of text"):
        sheets(path)


def test_strict_open_xml_is_named_as_the_reason(tmp_path: Path) -> None:
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    path = nine_columns(tmp_path / "a.xlsx")
    path = replaced(path, "workbook.xml", namespace, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
    with pytest.raises(BadInput, match="Strict Open XML") as refusal:
        sheets(path)
    assert "Excel Workbook" in refusal.value.hint


@pytest.mark.parametrize(
    "part, reason",
    [("xl/workbook.bin", ".xlsb"), ("content.xml", "OpenDocument"), ("Index/Document.iwa", "Numbers")],
)
def test_workbooks_of_other_programs_are_named(tmp_path: Path, part: str, reason: str) -> None:
    path = tmp_path / "labels.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, b"")
    with pytest.raises(BadInput, match=reason):
        sheets(path)


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"<html><table><tr><td>Subject</td></tr></table></html>", "a web page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "2003"),
    ],
)
def test_pages_and_xml_called_xls_are_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.xls").write_bytes(content)
    with pytest.raises(BadInput, match=reason):
        sheets(tmp_path / "a.xls")


def test_a_text_table_called_xls_is_read(tmp_path: Path) -> None:
    """Statistics programs export tables with tabs under this name."""
    (tmp_path / "a.xls").write_bytes(b"Subject\tFilename\r\n01\tEP01\r\n")
    assert sheets(tmp_path / "a.xls")[""].rows == [("Subject", "Filename"), ("01", "EP01")]


def test_formulas_without_a_result_are_told_from_those_with_an_empty_text(tmp_path: Path) -> None:
    cells = (
        '<c r="A1"><f>1+1</f><v>2</v></c>'
        '<c r="B1"><f>1+1</f></c>'
        '<c r="C1" t="str"><f>""</f><v></v></c>'
        '<c r="D1"><f t="shared" si="0"/><v/></c>'
    )
    path = with_sheet(tmp_path / "a.xlsx", [f'<row r="1">{cells}</row>'.encode()])
    assert sheets(path)["Sheet"].rows == [("2", NO_RESULT, "", NO_RESULT)]


@pytest.mark.parametrize("suffix", [".xlsx", ".xls"])
def test_merged_cells_have_their_text_in_every_row(tmp_path: Path, suffix: str) -> None:
    """A subject merged over two rows, and a note merged over three columns, which stays in the first."""
    rows = [
        ["Subject", "Filename", "Onset", "Apex", "Offset", "Emotion"],
        ["01", "EP1", "1", "2", "3", "disgust"],
        ["", "EP2", "1", "2", "3", "disgust"],
        ["02", "EP1", "1", "2", "3", "disgust"],
        ["a note", "", "", "", "", ""],
    ]
    path = tmp_path / f"a{suffix}"
    if suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append([text or None for text in row])
        book.active.merge_cells("A2:A3")
        book.active.merge_cells("A5:C5")
        book.save(path)
    else:
        old_book = xlwt.Workbook()
        page = old_book.add_sheet("Sheet")
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                if text and (number, column) not in {(1, 0), (4, 0)}:
                    page.write(number, column, text)
        page.write_merge(1, 2, 0, 0, "01")
        page.write_merge(4, 4, 0, 2, "a note")
        old_book.save(str(path))
    table = read_table(path, SCHEMA)
    assert [(cells["subject"], cells["name"]) for cells in table.rows] == [
        ("01", "EP1"),
        ("01", "EP2"),
        ("02", "EP1"),
    ]
    assert list(table.notes) == [5]
    (finding,) = table.findings
    assert (finding.kind, finding.serious) == ("merged cells", False) and "rows 3" in finding.what


def two_sheets(path: Path, first: int, second: int) -> Path:
    """A workbook with the first rows of the labels on one sheet, and more or fewer on another."""
    book = openpyxl.load_workbook(nine_columns(path))
    whole = [[cell.value for cell in row] for row in book.active.iter_rows()]
    for name, count in (("old", first), ("new", second)):
        page = book.create_sheet(name)
        for row in whole[: count + 1]:
            page.append(row)
    del book["Sheet1"]
    book.save(path)
    return path


def test_another_sheet_with_more_labels_is_a_serious_finding(tmp_path: Path) -> None:
    table = read_table(two_sheets(tmp_path / "a.xlsx", 2, len(TEXTS)), SCHEMA)
    assert (table.sheet, table.rows) == ("old", TEXTS[:2])
    (finding,) = table.findings
    assert finding.serious and "'old'" in finding.what and f"{len(TEXTS)} rows" in finding.what
    assert f"{len(TEXTS) - 2} of them not in the first" in finding.what


@pytest.mark.parametrize("second", [len(TEXTS), 2, 0])
def test_a_copy_or_an_extract_on_another_sheet_changes_nothing(tmp_path: Path, second: int) -> None:
    table = read_table(two_sheets(tmp_path / "a.xlsx", len(TEXTS), second), SCHEMA)
    assert (table.rows, table.findings) == (TEXTS, ())


def test_an_empty_sheet_with_the_header_does_not_hide_the_labels(tmp_path: Path) -> None:
    table = read_table(two_sheets(tmp_path / "a.xlsx", 0, len(TEXTS)), SCHEMA)
    assert (table.sheet, table.rows, table.findings) == ("new", TEXTS, ())


@pytest.mark.parametrize(
    "limit, part",
    [("MAX_SHEET_BYTES", "xl/worksheets/sheet1.xml"), ("MAX_PART_BYTES", "xl/theme/theme1.xml")],
)
def test_parts_beyond_the_limits_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, part: str
) -> None:
    path = nine_columns(tmp_path / "a.xlsx")
    size = zipfile.ZipFile(path).getinfo(part).file_size
    monkeypatch.setattr(xlsx, "MAX_PART_BYTES", 2**27)
    monkeypatch.setattr(xlsx, limit, size)
    assert "too large" not in refusal_of(path, part)
    monkeypatch.setattr(xlsx, limit, size - 1)
    assert f"too large for a label workbook: {part} in it" in refusal_of(path, part)


def refusal_of(path: Path, part: str) -> str:
    """The error about a part, "" where it is not refused."""
    try:
        sheets(path)
    except BadInput as refusal:
        return str(refusal) if part in str(refusal) else ""
    return ""
