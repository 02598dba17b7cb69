"""The SAMM Long Videos on disk, with invented movements, written cell by cell."""

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from learnet.core.errors import BadInput
from learnet.core.records import Clip
from learnet.datasets.readers.samm_lv import read
from tests.builders.written_by_hand import images

HEADER = (
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset",
    "Apex",
    "Offset",
    "Duration",
    "Type",
    "AU",
    "Notes",
)
ROWS: list[tuple] = [
    ("906", "906_1_1", 1, 30, 45, 80, 51, "Micro - 1/2", "4+7", None),
    ("906", "906_1_2", 1, 60, -1, 190, 131, "Macro", 12, "text"),
    ("907", "907_3_1", 3, 0, 20, 40, 41, "Macro", "1+2", None),
    ("907", "907_3_2", 3, 90, 95, 0, 0, "Micro - 1/2", "R12", None),
]
NAME = "SAMM_LongVideos_V3_Release.xlsx"


def workbook(path: Path, rows: Sequence[tuple] = ROWS, header: bool = True) -> Path:
    book = openpyxl.Workbook()
    for _ in range(9):
        book.active.append(["Notes"])
    for row in [HEADER, *rows] if header else rows:
        book.active.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def recordings(root: Path) -> Path:
    """Three recordings of 200 and twice 100 frames; nothing is labelled in the last."""
    for name, frames in (("906_1", 200), ("907_3", 100), ("907_4", 100)):
        images(root / "SAMM_longvideos" / name, range(1, frames + 1), name + "_{:04d}.jpg")
    return root


def database(root: Path, rows: Sequence[tuple] = ROWS) -> Path:
    workbook(root / NAME, rows)
    return recordings(root)


def facts(clips: list[Clip]) -> list[tuple]:
    return [
        (c.subject, c.name, c.onset, c.apex, c.offset, c.kind, c.apex_source, c.action_units) for c in clips
    ]


EXPECTED = [
    ("906", "906_1_1", 30, 45, 80, "micro", "file", "4+7"),
    ("906", "906_1_2", 60, 125, 190, "macro", "midpoint", "12"),
    ("907", "907_3_1", 1, 20, 40, "macro", "file", "1+2"),
    ("907", "907_3_2", 90, 95, 100, "micro", "file", "R12"),
]


def test_movements_and_recordings(tmp_path: Path) -> None:
    folders, clips, findings = read(database(tmp_path))
    assert list(folders) == ["906_1", "907_3", "907_4"]
    assert facts(clips) == EXPECTED
    assert {clip.path for clip in clips} == {folders["906_1"], folders["907_3"]}
    assert all(clip.fps == 200 and clip.dataset == "samm-lv" and clip.emotion == "" for clip in clips)
    found = [(finding.kind, finding.where, finding.serious) for finding in findings]
    assert found == [
        ("apex repaired", "samm-lv/906/906_1_2", False),
        ("movement cut off", "samm-lv/907/907_3_1", False),
        ("movement cut off", "samm-lv/907/907_3_2", False),
    ]


def test_the_newest_workbook_is_used_with_or_without_a_header(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / "SAMM_LongVideos_V1_Release.xlsx", ROWS[:1])
    workbook(tmp_path / NAME, header=False)
    workbook(tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx", ROWS[1:])
    _, clips, _ = read(tmp_path)
    assert facts(clips) == EXPECTED


def test_movements_without_or_outside_their_recording_are_serious(tmp_path: Path) -> None:
    rows = [
        *ROWS[:1],
        ("906", "906_1_3", 1, 150, 160, 260, 111, "Macro", "4", None),
        ("906", "906_2_1", 2, 5, 6, 9, 5, "Micro - 1/2", "4", None),
    ]
    database(tmp_path, rows)
    (tmp_path / "SAMM_longvideos" / "906_7").mkdir()
    folders, clips, findings = read(tmp_path)
    assert facts(clips) == EXPECTED[:1] and "906_7" not in folders
    assert [finding.kind for finding in findings] == [
        "recording without images",
        "movement outside its recording",
        "row without folder",
    ]
    assert all(finding.serious for finding in findings)
    assert "150 to 260 is not inside 1 to 200" in findings[1].what


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    recordings(tmp_path / "a")
    with pytest.raises(BadInput, match="there is no workbook of the SAMM Long Videos"):
        read(tmp_path / "a")
    workbook(tmp_path / "b" / NAME)
    with pytest.raises(BadInput, match="no recording such as 006_1 with images"):
        read(tmp_path / "b")
    with pytest.raises(BadInput, match="it has no row with a movement"):
        read(database(tmp_path / "c", [("906", "906_1", 1, 3, 4, 5, 3, "Macro", 4, "")]))
    with pytest.raises(BadInput, match=r"V3_Release.xlsx row 11: .*'x'"):
        read(database(tmp_path / "d", [("906", "906_1_1", 1, "x", 4, 5, 3, "Macro", 4, "")]))


def test_another_sheet_and_a_list_about_samples_do_not_hide_movements(tmp_path: Path) -> None:
    """The list has the number of the newest version, and its name comes after that of the workbook."""
    database(tmp_path)
    workbook(tmp_path / "SAMM_LongVideos_V3_errors.xlsx", ROWS[1:2])
    _, clips, findings = read(tmp_path)
    assert facts(clips) == EXPECTED
    (unused,) = [finding for finding in findings if finding.kind == "workbook not used"]
    assert (unused.where, unused.serious) == ("SAMM_LongVideos_V3_errors.xlsx", False)
    book = openpyxl.load_workbook(tmp_path / NAME)
    copy = book.copy_worksheet(book.active)
    copy.append(["907", "907_4_1", 3, 9, 9, 9, 1, "Macro", "4", None])
    book.save(tmp_path / NAME)
    _, clips, findings = read(tmp_path)
    assert facts(clips) == EXPECTED
    (sheet,) = [finding for finding in findings if finding.kind == "another sheet of labels"]
    assert sheet.serious and "5 rows, 1 of them not in the first" in sheet.what


def test_a_recording_that_was_split_into_two_downloads_is_told(tmp_path: Path) -> None:
    database(tmp_path)
    second = tmp_path / "part2" / "SAMM_longvideos" / "907_4"
    images(second, range(90, 101), "907_4_{:04d}.jpg")
    _, _, findings = read(tmp_path)
    (twice,) = [finding for finding in findings if finding.kind == "recording twice"]
    assert not twice.serious
    images(second, range(101, 111), "907_4_{:04d}.jpg")
    _, _, findings = read(tmp_path)
    (twice,) = [finding for finding in findings if finding.kind == "recording twice"]
    assert twice.serious and "10 images more" in twice.what
