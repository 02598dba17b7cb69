"""Read workbooks as text: other files and damaged ones are refused with one message."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlrd
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.datasets.readers.casme2 import SCHEMA
from learnet.datasets.readers.reading import spreadsheet
from learnet.datasets.readers.reading.spreadsheet import sheets
from learnet.datasets.readers.reading.table import read_table
from tests.builders.written_by_hand import TEXTS, nine_columns, seven_columns


def test_the_kind_of_workbook_is_recognised_by_its_content(tmp_path: Path) -> None:
    nine_columns(tmp_path / "a.xlsx").rename(tmp_path / "a.xls")
    seven_columns(tmp_path / "b.xls").rename(tmp_path / "b.xlsx")
    assert (
        read_table(tmp_path / "a.xls", SCHEMA).rows == read_table(tmp_path / "b.xlsx", SCHEMA).rows == TEXTS
    )


def test_a_wrong_size_noted_in_the_file_loses_no_rows(tmp_path: Path) -> None:
    """Some programs write `<dimension ref="A1"/>` whatever the sheet holds."""
    source = zipfile.ZipFile(nine_columns(tmp_path / "a.xlsx"))
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as copy:
        for item in source.namelist():
            data = source.read(item)
            copy.writestr(item, data.replace(b'ref="A1:I6"', b'ref="A1:B2"') if "sheet1" in item else data)
    assert b"A1:B2" in zipfile.ZipFile(tmp_path / "b.xlsx").read("xl/worksheets/sheet1.xml")
    assert read_table(tmp_path / "b.xlsx", SCHEMA).rows == TEXTS


def test_a_lock_file_is_not_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "~$CASME2-coding-20140508.xlsx"
    path.write_bytes(b"\x04Anna" + bytes(160))
    with pytest.raises(BadInput, match="lock file"):
        sheets(path)


@pytest.mark.parametrize(
    "content, said",
    [(b"", "is empty"), (b"<html><table>", "is not a workbook"), (b"PK\x03\x04, no more", "cut short")],
)
def test_what_is_not_a_workbook_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(BadInput, match=said):
        sheets(tmp_path / "a.xlsx")


def test_a_zip_archive_called_xlsx_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("sub01/EP02_01f/img1.jpg", b"")
    with pytest.raises(BadInput, match="damaged or cut short"):
        sheets(tmp_path / "a.xlsx")


@given(st.floats(0, 0.999))
@settings(max_examples=60, deadline=None)
def test_a_workbook_cut_short_anywhere_is_refused_or_whole(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    """Rows are never lost. The end of an .xls is padding; an .xlsx has its directory there."""
    folder = tmp_path_factory.mktemp("cut")
    for whole in (nine_columns(folder / "a.xlsx"), seven_columns(folder / "a.xls")):
        data = whole.read_bytes()
        whole.write_bytes(data[: int(share * len(data))])
        try:
            assert (read_table(whole, SCHEMA).rows, whole.suffix) == (TEXTS, ".xls")
        except BadInput as refusal:
            assert whole.name in str(refusal)


@given(st.floats(0, 0.999), st.binary(min_size=1, max_size=40))
@settings(max_examples=80, deadline=None)
def test_damage_anywhere_is_refused_or_harmless_but_never_a_crash(
    tmp_path_factory, share: float, junk: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    for whole in (nine_columns(folder / "a.xlsx"), seven_columns(folder / "a.xls")):
        data = bytearray(whole.read_bytes())
        place = int(share * len(data))
        data[place : place + len(junk)] = junk
        whole.write_bytes(bytes(data))
        try:
            read_table(whole, SCHEMA)
        except BadInput as refusal:
            assert whole.name in str(refusal)


@pytest.mark.parametrize("kind", [AssertionError, TypeError, AttributeError, LookupError, ValueError])
@pytest.mark.parametrize("write", [nine_columns, seven_columns])
def test_a_bug_of_ours_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write, kind: type[Exception]
) -> None:
    """Not every error while a workbook is read is the fault of the workbook."""
    path = write(tmp_path / ("a.xlsx" if write is nine_columns else "a.xls"))
    bug = kind("a bug")

    def broken(value: object) -> str:
        raise bug

    monkeypatch.setattr(spreadsheet, "_cell_text", broken)
    with pytest.raises(kind) as raised:
        sheets(path)
    assert raised.value is bug


def test_a_type_error_of_the_library_is_damage(tmp_path: Path) -> None:
    """openpyxl raises TypeError for a number that is none, as its own traceback shows."""
    path, damaged = nine_columns(tmp_path / "a.xlsx"), tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(damaged, "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, whole.read(name).replace(b'sheetId="1"', b'sheetId="one"'))
    with pytest.raises(TypeError):
        openpyxl.load_workbook(damaged)
    with pytest.raises(BadInput, match="damaged or cut short") as raised:
        sheets(damaged)
    assert isinstance(raised.value.__cause__, TypeError)


def test_a_formula_in_a_row_with_a_wrong_number_is_damage(tmp_path: Path) -> None:
    """The cell says row 99, the row that holds it says 2."""
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append(["1", "=1+1"])
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as whole, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, whole.read(name).replace(b'r="B2"', b'r="B99"'))
    with pytest.raises(BadInput, match="damaged or cut short"):
        sheets(tmp_path / "b.xlsx")


def test_a_part_that_is_marked_as_encrypted_is_refused(tmp_path: Path) -> None:
    """The lowest bit of the flags of a file in a zip's directory, 8 bytes behind its signature."""
    path = nine_columns(tmp_path / "a.xlsx")
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"a\.xlsx"):
        sheets(path)


def test_a_password_is_named_as_the_reason(tmp_path: Path) -> None:
    """An encrypted .xlsx is a compound file with this stream; an encrypted .xls has FILEPASS (0x2F)."""
    container = (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    )
    (tmp_path / "a.xlsx").write_bytes(container)
    with pytest.raises(BadInput, match="protected by a password"):
        sheets(tmp_path / "a.xlsx")
    path = seven_columns(tmp_path / "b.xls")
    stream = path.read_bytes()
    start = stream.index(bytes.fromhex("0908")) + 20  # past the BOF record: 4 bytes of head, 16 of body
    path.write_bytes(
        stream[:start] + bytes.fromhex("2f000600 0000 0000 0000".replace(" ", "")) + stream[start + 10 :]
    )
    with pytest.raises(BadInput, match="protected by a password"):
        sheets(path)


def test_an_old_workbook_of_a_unknown_code_page_is_refused(tmp_path: Path) -> None:
    """Damage that makes an .xls look like one of 1995, whose texts are in the code page 12345."""
    path = seven_columns(tmp_path / "a.xls")
    data = path.read_bytes()
    page = data.index(bytes.fromhex("4200 0200".replace(" ", ""))) + 4  # record 0x42, CODEPAGE, of two bytes
    path.write_bytes(
        (data[:page] + (12345).to_bytes(2, "little") + data[page + 2 :]).replace(
            b"\x09\x08\x10\0\0\x06", b"\x09\x08\x10\0\0\x05"
        )
    )
    with pytest.raises(BadInput, match="a.xls: is damaged or cut short"):
        sheets(path)


def test_an_old_workbook_whose_sectors_have_no_size_is_refused(tmp_path: Path) -> None:
    """Byte 30 is the power of two of the size of a sector; xlrd divides by zero."""
    path = seven_columns(tmp_path / "a.xls")
    data = bytearray(path.read_bytes())
    data[30] = 0
    path.write_bytes(data)
    with pytest.raises(ZeroDivisionError):
        xlrd.open_workbook(file_contents=bytes(data), logfile=io.StringIO())
    with pytest.raises(BadInput, match="a.xls: is damaged or cut short"):
        sheets(path)


def test_an_unreadable_workbook_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="cannot be read .No such file or directory.. Check the path"):
        sheets(tmp_path / "absent.xlsx")

    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "closed.xlsx").touch()
    monkeypatch.setattr(Path, "read_bytes", closed)  # the administrator may read everything
    with pytest.raises(
        BadInput, match="cannot be read .Permission denied.. Change its permissions, or copy it again"
    ):
        sheets(tmp_path / "closed.xlsx")


def test_special_cells_of_xls_become_text(tmp_path: Path) -> None:
    """A number with a fraction, a truth value, a formula's number; no type survives."""
    book = xlwt.Workbook()
    page = book.add_sheet("S")
    for column, value in enumerate([46.0, 46.5, True, "  x ", "", xlwt.Formula("1+1")]):
        page.write(0, column, value)
    book.save(str(tmp_path / "a.xls"))
    assert sheets(tmp_path / "a.xls")["S"].rows[0][:5] == ("46", "46.5", "True", "x", "")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_the_dialects_of_spreadsheet_programs(tmp_path: Path, separator: str) -> None:
    lines = [["path", "subject", "emotion"], ["a b.mp4", "01", "happy"], ["ü.mp4", "2", "sad"]]
    (tmp_path / "labels.csv").write_bytes(
        b"\xef\xbb\xbf" + "\r\n".join(separator.join(line) for line in lines).encode()
    )
    assert sheets(tmp_path / "labels.csv")[""].rows == [tuple(line) for line in lines]


@pytest.mark.parametrize(
    "content, said",
    [("Zoë".encode("latin-1"), "UTF-8"), (b'a,"b\nc', "comma-separated"), (b"a\0b", "text file")],
)
def test_csv_that_is_none_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(BadInput, match=said):
        sheets(tmp_path / "labels.csv")


def test_a_workbook_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The file has a size and no content: its disk would need 268 MB otherwise."""
    path = tmp_path / "a.xlsx"
    with path.open("wb") as file:
        file.truncate(spreadsheet.MAX_FILE_BYTES + 1)
    with pytest.raises(BadInput, match=r"a.xlsx: is too large for a label workbook \(268 MB\)"):
        sheets(path)


def test_an_old_workbook_with_many_formats_is_read_without_its_merged_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("Sheet")
    page.write_merge(0, 1, 0, 0, "01")
    page.write(0, 1, "EP1")
    page.write(1, 1, "EP2")
    book.save(str(tmp_path / "a.xls"))
    assert sheets(tmp_path / "a.xls")["Sheet"].rows == [("01", "EP1"), ("01", "EP2")]
    monkeypatch.setattr(spreadsheet, "MAX_FORMATTED_BYTES", 1000)
    assert sheets(tmp_path / "a.xls")["Sheet"].rows == [("01", "EP1"), ("", "EP2")]
