"""What lies beside a label workbook: lists about samples, tables of other formats, unusable workbooks."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from learnet.core.errors import BadInput
from learnet.datasets.readers.casme2 import read
from learnet.datasets.readers.reading import workbook_search
from tests.builders.written_by_hand import (
    EXPECTED,
    NINE,
    ROWS,
    clips,
    cropped,
    database,
    kinds,
    nine_columns,
    of_kind,
)

NAME = "CASME2-coding-20140508.xlsx"


def text_table(path: Path, separator: str = ",", rows: Sequence[Sequence[object]] = ROWS) -> Path:
    """The labels as a text table."""
    lines = [NINE]
    for subject, name, onset, apex, offset, units, emotion in rows:
        lines.append((subject, name, "", onset, apex, offset, "", units, emotion))
    path.write_text("\n".join(separator.join(map(str, line)) for line in lines))
    return path


def with_remarks(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """A list with the columns of the labels and one that says what is wrong with each sample."""
    book = openpyxl.load_workbook(nine_columns(path, rows))
    book.active["J1"] = "Problem"
    for line in range(2, len(rows) + 2):
        book.active[f"J{line}"] = f"hand over the mouth {line}"
    book.save(path)
    return path


@pytest.mark.parametrize("labels", [NAME, "my labels.xlsx"])
def test_a_list_about_samples_is_no_version_and_names_its_samples(tmp_path: Path, labels: str) -> None:
    """Its name comes before that of the labels, and it has three of the five clips."""
    database(tmp_path)
    (tmp_path / NAME).rename(tmp_path / labels)
    with_remarks(tmp_path / "a look at samples.xlsx", [ROWS[0], ROWS[2], ROWS[4]])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and reading.about["workbook"].startswith(labels)
    assert kinds(reading, serious=True) == []
    assert "3 of 5 clips" in of_kind(reading, "list about samples").what
    samples = [finding for finding in reading.findings if finding.kind == "sample in a list"]
    assert [sample.where for sample in samples] == [
        "casme2/01/EP90_01f",
        "casme2/02/EP91f",
        "casme2/24/EP93_02_01",
    ]
    assert samples[1].what == "a look at samples.xlsx row 3: hand over the mouth 3"


@pytest.mark.parametrize(
    "name, rows", [("a few clips.xlsx", ROWS[:2]), ("CASME2-coding errors.xlsx", ROWS[:4])]
)
def test_a_list_is_told_by_its_size_or_by_its_name(tmp_path: Path, name: str, rows: Sequence) -> None:
    """The second begins like a known version of the labels."""
    database(tmp_path)
    nine_columns(tmp_path / name, rows)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and kinds(reading, serious=True) == []
    assert of_kind(reading, "list about samples").where == name


def test_a_version_that_lacks_rows_is_still_a_serious_finding(tmp_path: Path) -> None:
    database(tmp_path)
    nine_columns(tmp_path / "CASME2-coding-20190701.xlsx", ROWS[:4])
    assert kinds(read(tmp_path), serious=True) == ["versions differ in rows"]
    nine_columns(tmp_path / NAME, ROWS[:2])
    nine_columns(tmp_path / "CASME2-coding-20190701.xlsx")
    assert kinds(read(tmp_path), serious=True) == ["versions differ in rows"] * 3


def test_a_list_in_the_place_of_the_labels_is_not_believed(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / NAME).rename(tmp_path / "error list.xlsx")
    assert of_kind(read(tmp_path), "labels uncertain").serious


def test_a_list_without_the_columns_of_labels_is_named_and_not_serious(tmp_path: Path) -> None:
    """Its name begins like a version that would be preferred to the one in use."""
    database(tmp_path)
    (tmp_path / NAME).rename(tmp_path / "labels.xlsx")
    book = openpyxl.Workbook()
    book.active.append(["Subject", "Filename", "Problem"])
    book.active.append(["01", "EP90_02", "blurred"])
    book.save(tmp_path / "CASME2-coding exceptions.xlsx")
    finding = of_kind(read(tmp_path), "workbook not used")
    assert finding.where == "CASME2-coding exceptions.xlsx" and not finding.serious


@pytest.mark.parametrize(
    "name, separator", [("CASME2-coding.csv", ","), ("labels.tsv", "\t"), ("x.csv", ";")]
)
def test_a_text_table_in_the_place_of_the_workbook_is_read(tmp_path: Path, name: str, separator: str) -> None:
    cropped(tmp_path / "Cropped")
    text_table(tmp_path / name, separator)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and reading.about["workbook"].startswith(name)


def test_a_text_copy_beside_the_workbook_is_compared_and_other_tables_are_not_read(tmp_path: Path) -> None:
    database(tmp_path)
    changed = [*ROWS[:4], (*ROWS[4][:6], "disgust")]
    text_table(tmp_path / "CASME2-coding-20140508.csv", ",", changed)
    (tmp_path / "landmarks.csv").write_bytes(b"\xff\xfe\xfd no table")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["versions differ in emotion"]
    assert "workbook not used" not in kinds(reading)


@pytest.mark.parametrize("name", ["CASME2-coding-20140508.ods", "labels.xlsb", "labels.numbers"])
def test_a_workbook_of_another_format_is_the_reason(tmp_path: Path, name: str) -> None:
    cropped(tmp_path / "Cropped")
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(BadInput, match=name) as refusal:
        read(tmp_path)
    assert ".xlsx" in refusal.value.hint
    nine_columns(tmp_path / "CASME2-coding.xlsx")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "workbook not used")
    assert (finding.where, finding.serious) == (name, name.startswith("CASME2"))


def test_a_workbook_with_macros_is_read(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / NAME).rename(tmp_path / "CASME2-coding-20140508.xlsm")
    assert clips(read(tmp_path)) == EXPECTED


def test_the_first_reason_why_no_row_can_be_used_is_told(tmp_path: Path) -> None:
    """As where a spreadsheet program writes decimal commas."""
    database(tmp_path)
    rows = [(subject, name, f"{onset},0", *rest) for subject, name, onset, *rest in ROWS]
    nine_columns(tmp_path / NAME, rows)
    with pytest.raises(BadInput, match=r"no row that can be used; row 2: '46,0' is not a whole number"):
        read(tmp_path)
    nine_columns(tmp_path / NAME, [*rows[1:], ("09", "EP00", 1, 2, 3, "4", "others")])
    with pytest.raises(BadInput, match=r"names no clip .*The first is 09/EP00.*row 2: '10,0' is not"):
        read(tmp_path)


def test_the_reason_why_no_clip_can_be_used_is_that_of_the_first(tmp_path: Path) -> None:
    database(tmp_path)
    rows = [(subject, name, offset, apex, onset, *rest) for subject, name, onset, apex, offset, *rest in ROWS]
    nine_columns(tmp_path / NAME, rows)
    with pytest.raises(BadInput, match=r"none of the 5 rows .*row 2: onset 86 comes after offset 46"):
        read(tmp_path)


def test_workbooks_of_others_above_the_root_are_not_read(tmp_path: Path) -> None:
    database(tmp_path / "data" / "casme2")
    shutil.move(tmp_path / "data" / "casme2" / NAME, tmp_path / "data" / NAME)
    (tmp_path / "data" / "budget.ods").write_bytes(b"")
    (tmp_path / "data" / "budget.csv").write_bytes(b"\xff\xfe")
    reading = read(tmp_path / "data" / "casme2")
    assert clips(reading) == EXPECTED and "workbook not used" not in kinds(reading)


def test_text_tables_beyond_the_limit_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third of three has the labels, under a name that no database knows."""
    monkeypatch.setattr(workbook_search, "_MAX_TEXT_TABLES", 2)
    cropped(tmp_path / "Cropped")
    text_table(tmp_path / "c.csv")
    (tmp_path / "b.csv").write_text("frame,value\n1,2\n")
    assert clips(read(tmp_path)) == EXPECTED
    (tmp_path / "a.csv").write_text("frame,value\n1,2\n")
    with pytest.raises(BadInput, match="and 1 text table of other names are not read. Call the table"):
        read(tmp_path)
