"""Several tables of a user's own labels in one folder, and workbooks with several sheets."""

from pathlib import Path

import openpyxl
import pytest

from learnet.core.errors import BadInput
from learnet.datasets.readers.folder import read
from tests.builders.written_by_hand import images, kinds, of_kind

ROWS = [("path", "subject", "emotion"), ("a", "01", "disgust"), ("b", "02", "fear"), ("c", "02", "anger")]


def clips_of_own(root: Path) -> Path:
    for name in "abc":
        images(root / name, range(1, 9))
    return root


def text_table(path: Path, rows: int, separator: str = ",") -> None:
    path.write_text("\n".join(separator.join(row) for row in ROWS[: rows + 1]))


def workbook(path: Path, *sheets: int) -> None:
    """A workbook with the first rows on each sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        page = book.create_sheet(f"S{number}")
        for row in ROWS[: rows + 1]:
            page.append(row)
    book.save(path)


@pytest.mark.parametrize("name, separator", [("labels.tsv", "\t"), ("Labels.CSV", ";")])
def test_text_tables(tmp_path: Path, name: str, separator: str) -> None:
    text_table(clips_of_own(tmp_path) / name, 3, separator)
    assert [clip.name for clip in read(tmp_path).clips] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["labels.ods", "labels.xlsb", "labels.numbers"])
def test_a_table_of_another_format_is_the_reason_or_is_named(tmp_path: Path, name: str) -> None:
    (clips_of_own(tmp_path) / name).write_bytes(b"anything")
    with pytest.raises(BadInput, match=f"{name}: is not a workbook that is read") as refusal:
        read(tmp_path)
    assert ".xlsx" in refusal.value.hint
    text_table(tmp_path / "labels.csv", 3)
    finding = of_kind(read(tmp_path), "label file not used")
    assert (finding.where, finding.serious) == (name, False)


@pytest.mark.parametrize("rows, serious", [(3, True), (2, False), (1, False)])
def test_another_table_with_more_labels_is_a_serious_finding(
    tmp_path: Path, rows: int, serious: bool
) -> None:
    text_table(clips_of_own(tmp_path) / "labels.csv", 2)
    workbook(tmp_path / "labels.xlsx", rows)
    reading = read(tmp_path)
    assert [clip.name for clip in reading.clips] == ["a", "b"]
    finding = of_kind(reading, "label file not used")
    assert (finding.where, finding.serious) == ("labels.xlsx", serious)


def test_another_sheet_with_more_labels_is_a_serious_finding(tmp_path: Path) -> None:
    workbook(clips_of_own(tmp_path) / "labels.xlsx", 2, 3)
    assert kinds(read(tmp_path), serious=True) == ["another sheet of labels"]
    workbook(tmp_path / "labels.xlsx", 3, 2)
    assert kinds(read(tmp_path), serious=True) == []


def test_one_clip_with_labels_of_two_people_is_a_serious_finding(tmp_path: Path) -> None:
    """Other frames of the same video may show another person."""
    clips_of_own(tmp_path)
    labels = tmp_path / "labels.csv"
    labels.write_text("path,subject,emotion\na,01,disgust\na,02,disgust\n")
    finding = of_kind(read(tmp_path), "clip of two people")
    assert finding.serious and "row 3: the same frames have labels of '01' and '02'" in finding.what
    header = "path,subject,emotion,onset,offset"
    labels.write_text(f"{header}\na,01,disgust,1,3\na,02,disgust,4,8\na,01,fear,2,3\n")
    assert kinds(read(tmp_path), serious=True) == []
    labels.write_text(f"{header}\na,01,disgust,1,4\na,02,disgust,4,8\n")
    assert kinds(read(tmp_path), serious=True) == ["clip of two people"]


def test_a_frame_rate_may_have_a_decimal_comma(tmp_path: Path) -> None:
    clips_of_own(tmp_path)
    labels = tmp_path / "labels.csv"
    labels.write_text("path;subject;emotion;fps\na;01;disgust;59,94\n")
    assert [clip.fps for clip in read(tmp_path).clips] == [59.94]
    labels.write_text("path;subject;emotion;fps\na;01;disgust;200 fps\n")
    with pytest.raises(BadInput, match="row 2: fps '200 fps' is not a number"):
        read(tmp_path)


def test_the_second_of_two_columns_for_one_field_is_told(tmp_path: Path) -> None:
    clips_of_own(tmp_path)
    (tmp_path / "labels.csv").write_text("path,subject,label,emotion,emotion\na,01,0,disgust,fear\n")
    reading = read(tmp_path)
    assert [clip.emotion for clip in reading.clips] == ["disgust"]
    assert of_kind(reading, "columns not used").what.startswith("label, emotion; known are")
