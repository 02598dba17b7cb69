"""Trees of clips as they come out of archives, and unsuitable roots, with CASME II as the example."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, UnknownName
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme2 import read
from tests.builders.written_by_hand import (
    EXPECTED,
    ROWS,
    SEVEN,
    clips,
    cropped,
    database,
    everything,
    images,
    kinds,
    nine_columns,
    of_kind,
    raw,
    selected,
    seven_columns,
)


@pytest.mark.parametrize(
    "tree, way, is_cropped",
    [
        (None, "Cropped/Cropped", True),
        ("cropped", "Cropped/Cropped", True),
        ("cropped-updated", "Cropped-updated/Cropped", True),
        ("raw-selected", "CASME2_RAW_selected/CASME2_RAW_selected", False),
        ("raw", "CASME2_RAW/CASME2-RAW", False),
    ],
)
def test_every_tree_is_found_through_doubled_levels_and_can_be_chosen(
    tmp_path: Path, tree: str | None, way: str, is_cropped: bool
) -> None:
    reading = read(everything(tmp_path), DatasetSubset(tree=tree))
    assert clips(reading) == EXPECTED
    assert {clip.cropped for clip in reading.clips} == {is_cropped}
    assert reading.about["tree"] == f"{tree or 'cropped'}, {way}, 5 clip folders"
    assert reading.clips[0].path == tmp_path / way / reading.clips[0].path.relative_to(tmp_path / way)
    assert reading.about["other trees"].count(",") == 5  # three others, each "name, way"


def test_trees_are_distinguished_by_their_frames_where_the_names_say_nothing(tmp_path: Path) -> None:
    nine_columns(tmp_path / "CASME2-coding.xlsx")
    for name, write in (("a", raw), ("b", selected), ("c", cropped)):
        write(tmp_path / name)
    for tree, name in (("raw", "a"), ("raw-selected", "b"), ("cropped", "c")):
        assert read(tmp_path, DatasetSubset(tree=tree)).about["tree"].startswith(f"{tree}, {name},")


def test_a_tree_that_is_not_there_or_not_known(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(BadInput, match="there is no raw tree. There is cropped."):
        read(tmp_path, DatasetSubset(tree="raw"))
    with pytest.raises(UnknownName, match="Did you mean 'cropped'"):
        read(tmp_path, DatasetSubset(tree="croped"))


@pytest.mark.parametrize(
    "way", ["Cropped/Cropped", "Cropped", "CASME2_RAW_selected", "CASME2_RAW/CASME2-RAW"]
)
def test_a_root_too_deep_is_the_tree_that_is_used(tmp_path: Path, way: str) -> None:
    reading = read(everything(tmp_path) / way)
    assert clips(reading) == EXPECTED
    assert all(clip.path.is_relative_to(tmp_path / way) for clip in reading.clips)
    assert reading.about["other trees"] == "none"


def test_a_root_too_high_with_other_databases_beside(tmp_path: Path) -> None:
    """SAMM's workbook has the same columns, and its folders the same depth."""
    everything(tmp_path / "licensed" / "CASME2")
    samm = [("006", "006_1_2", 562, 570, 580, "4", "Anger"), ("007", "007_3_1", 5, 6, 7, "4", "Other")]
    header = [
        "Subject",
        "Filename",
        "",
        "Onset Frame",
        "Apex Frame",
        "Offset Frame",
        "",
        "Action Units",
        "Estimated Emotion",
    ]
    nine_columns(tmp_path / "licensed" / "SAMM" / "SAMM_Micro_FACS_Codes_v2.xlsx", samm, header=header)
    for subject, name, onset, _, offset, *_ in samm:
        images(
            tmp_path / "licensed" / "SAMM" / subject / name,
            range(onset, offset + 1),
            f"{subject}_{{:05d}}.jpg",
        )
    for root in (tmp_path, tmp_path / "licensed"):
        reading = read(root)
        assert clips(reading) == EXPECTED
        assert (
            reading.clips[0].path
            == tmp_path / "licensed" / "CASME2" / "Cropped" / "Cropped" / "sub01" / "EP90_01f"
        )
        assert kinds(reading, serious=True) == []
    with pytest.raises(BadInput, match="emotions anger, which CASME II does not use"):
        read(tmp_path / "licensed" / "SAMM")


@given(st.integers(0, 3), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=20, deadline=None)
def test_nesting_does_not_matter(
    tmp_path_factory, levels: int, doubled_subject: bool, doubled_clip: bool, book_inside: bool
) -> None:
    root = tmp_path_factory.mktemp("nesting")
    tree = root / "/".join(["Cropped"] * levels)
    nine_columns((tree if book_inside else root) / "CASME2-coding.xlsx")
    for subject, name, onset, _, offset, *_ in ROWS:
        parts = [f"sub{subject}"] * (1 + doubled_subject) + [name] * (1 + doubled_clip)
        images(tree.joinpath(*parts), range(onset, offset + 1), "reg_img{}.jpg")
    assert clips(read(root)) == EXPECTED


def test_two_folders_of_one_clip_are_reported(tmp_path: Path) -> None:
    database(tmp_path)
    images(tmp_path / "Cropped" / "1" / "ep90_01F", [46, 47])
    finding = of_kind(read(tmp_path), "clip folder twice")
    assert {finding.where, finding.what.split()[0]} == {"Cropped/1/ep90_01F", "Cropped/sub01/EP90_01f"}


def test_no_folder_a_file_an_archive_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such folder"):
        read(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").touch()
    with pytest.raises(BadInput, match="this folder is empty"):
        read(tmp_path / "empty")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadInput, match="this is a file, not a folder"):
        read(tmp_path / "notes.txt")
    (tmp_path / "CASME2").write_bytes(b"Rar!\x1a\x07\x01\x00")
    for archive in (
        Path(shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "empty")),
        tmp_path / "CASME2",
    ):
        with pytest.raises(BadInput, match="packed archive, not a folder. Unpack it"):
            read(archive)


def test_archives_still_packed_inside(tmp_path: Path) -> None:
    nine_columns(tmp_path / "CASME2-coding-20140508.xlsx")
    (tmp_path / "Cropped.zip").touch()
    with pytest.raises(BadInput, match=r"packed archives \(Cropped.zip\). Unpack them"):
        read(tmp_path)


def test_no_clips_no_workbook_and_nothing_that_matches(tmp_path: Path) -> None:
    nine_columns(tmp_path / "a" / "CASME2-coding-20140508.xlsx")
    with pytest.raises(BadInput, match="there are no folders of clips"):
        read(tmp_path / "a")
    cropped(tmp_path / "b" / "b" / "b" / "b" / "Cropped")
    with pytest.raises(BadInput, match="there is no label workbook"):
        read(tmp_path / "b" / "b" / "b" / "b")
    images(tmp_path / "a" / "Cropped" / "sub01" / "EP77_01", [1, 2])
    with pytest.raises(BadInput, match=r"names no clip that has a folder \(it has 5 rows\)"):
        read(tmp_path / "a")


def test_a_single_subject_or_clip_is_not_the_database(tmp_path: Path) -> None:
    database(tmp_path)
    for inside in ("sub01", "sub01/EP90_01f"):
        with pytest.raises(BadInput, match="this is a single subject or clip") as refusal:
            read(tmp_path / "Cropped" / inside)
        assert str(tmp_path / "Cropped") in refusal.value.hint


def test_no_clip_usable_at_all(tmp_path: Path) -> None:
    nine_columns(tmp_path / "CASME2-coding.xlsx")
    for subject, name, *_ in ROWS:
        images(tmp_path / "Cropped" / f"sub{subject}" / name, [1000])
    with pytest.raises(BadInput, match="none of the 5 rows of CASME2-coding.xlsx gives a clip"):
        read(tmp_path)


def test_a_workbook_that_is_open_in_a_spreadsheet_program(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "~$CASME2-coding-20140508.xlsx").write_bytes(b"\x04Anna" + bytes(160))
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert of_kind(reading, "workbook is open").where == "~$CASME2-coding-20140508.xlsx"
    (tmp_path / "CASME2-coding-20140508.xlsx").unlink()
    (tmp_path / "CASME2-ObjectiveClasses.xlsx").unlink()
    with pytest.raises(BadInput, match="no label workbook .* lock file is there"):
        read(tmp_path)


def test_a_damaged_workbook_alone_stops_and_beside_another_is_reported(tmp_path: Path) -> None:
    database(tmp_path)
    whole = (tmp_path / "CASME2-coding-20140508.xlsx").read_bytes()
    (tmp_path / "CASME2-coding-20140508.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="CASME2-coding-20140508.xlsx: is damaged or cut short"):
        read(tmp_path)
    seven_columns(tmp_path / "CASME2_label_Ver_2.xls")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "workbook not used")
    assert finding.where == "CASME2-coding-20140508.xlsx" and finding.serious, (
        "the labels are another version's now"
    )
    assert finding.what.endswith("CASME2_label_Ver_2.xls is used in its place.")


def test_a_damaged_workbook_beside_the_preferred_one_changes_no_label(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "CASME2_label_Ver_2.xls").write_bytes(b"PK, and nothing that belongs to it")
    finding = of_kind(read(tmp_path), "workbook not used")
    assert (
        finding.where == "CASME2_label_Ver_2.xls"
        and not finding.serious
        and "in its place" not in finding.what
    )


@pytest.mark.parametrize("beside", ["", "A", "A B"])
def test_two_copies_of_a_tree_are_named(tmp_path: Path, beside: str) -> None:
    """The workbook is above both, beside one, or beside each. The first copy lacks a subject's folder."""
    for copy in ("A", "B"):
        cropped(tmp_path / copy / "Cropped")
    for way in beside.split() or [""]:
        nine_columns(tmp_path / way / "CASME2-coding-20140508.xlsx")
    shutil.rmtree(tmp_path / "A" / "Cropped" / "sub01")
    reading = read(tmp_path)
    used, other = (
        ("A", "B") if beside else ("B", "A")
    )  # without a workbook beside either, the one that has more of the rows
    assert reading.about["tree"].startswith(f"cropped, {used}/Cropped, ")
    assert reading.about["other trees"] == f"cropped, {other}/Cropped"
    rows = [finding for finding in reading.findings if finding.kind == "row without folder"]
    assert len(rows) == (2 if used == "A" else 0)
    assert all(row.what.endswith("the cropped tree has no such folder, but B/Cropped has") for row in rows)
    assert {clip.path.parts[-4] for clip in reading.clips} == {used}


@pytest.mark.parametrize("moved", [3, 40])
def test_a_clip_that_was_split_into_two_downloads_is_told(tmp_path: Path, moved: int) -> None:
    """Its last frames lie in the other part, where nothing else of the clip does."""
    nine_columns(tmp_path / "CASME2-coding-20140508.xlsx")
    cropped(tmp_path / "Cropped-001" / "Cropped")
    clip = tmp_path / "Cropped-001" / "Cropped" / "sub01" / "EP90_01f"
    part = tmp_path / "Cropped-002" / "Cropped" / "sub01" / "EP90_01f"
    images(part, range(87 - moved, 87), "reg_img{}.jpg")
    assert kinds(read(tmp_path), serious=True) == []  # the whole clip is in the first part
    for number in range(87 - moved, 87):
        (clip / f"reg_img{number}.jpg").unlink()
    finding = of_kind(read(tmp_path), "clip in two parts")
    assert finding.serious and finding.where == "casme2/01/EP90_01f"
    assert f"{moved} frames that {clip} lacks are in {part}" in finding.what


def test_a_tree_beside_no_workbook_is_reported_and_not_used(tmp_path: Path) -> None:
    database(tmp_path / "A")
    raw(tmp_path / "B" / "CASME2_RAW")
    assert read(tmp_path).about["other trees"] == "raw, B/CASME2_RAW"
    with pytest.raises(BadInput, match="there is no raw tree. There is cropped"):
        read(tmp_path, DatasetSubset(tree="raw"))


def test_a_missing_column_stops_with_the_columns_there_are(tmp_path: Path) -> None:
    seven_columns(tmp_path / "CASME2_label_Ver_2.xls", header=[*SEVEN[:6], "Mood"])
    cropped(tmp_path / "Cropped")
    with pytest.raises(
        BadInput,
        match=r"lacks the column emotion .*The columns in sheet 'Sheet1' are 'Subject', 'Filename'.*'Mood'",
    ):
        read(tmp_path)


def test_links_in_a_circle_and_broken_links_are_passed_by(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "Cropped" / "sub02" / "EP97").symlink_to(tmp_path / "gone")
    reading = read(tmp_path)
    assert (clips(reading), reading.about["other trees"], reading.about["other workbooks"]) == (
        EXPECTED,
        "none",
        "none",
    )


@pytest.mark.parametrize(
    "closed, serious", [("More", "folder not readable"), ("Cropped/sub01/EP90_01f", "clip left out")]
)
def test_a_folder_that_cannot_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str, serious: str
) -> None:
    cropped(database(tmp_path) / "More")
    close(monkeypatch, tmp_path / closed)
    reading = read(tmp_path)
    assert kinds(reading, serious=True) == [serious]


@pytest.mark.parametrize("closed", [".", "Cropped/sub01"])
def test_a_root_or_subject_that_cannot_be_read_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    database(tmp_path)
    close(monkeypatch, tmp_path / closed)
    with pytest.raises(BadInput, match="this folder cannot be read"):
        read(tmp_path)


def close(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Refuse to list `folder`. Permissions would not do: an administrator, who may run the tests, has all."""
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


def test_names_in_another_unicode_form(tmp_path: Path) -> None:
    """A Mac writes decomposed names; the workbook has composed ones."""
    rows = [("01", "EP90_\u00e9", 1, 2, 3, "4", "fear")]
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    images(tmp_path / "Cropped" / "sub01" / "EP90_e\u0301", [1, 2, 3], "reg_img{}.jpg")
    assert len(read(tmp_path).clips) == 1


def test_folders_that_are_too_deep_are_told(tmp_path: Path) -> None:
    database(tmp_path)
    deep = Path(*"abcdefghi")
    (tmp_path / deep).mkdir(parents=True)
    assert "folders too deep" not in kinds(read(tmp_path))
    (tmp_path / deep / "j").mkdir()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert of_kind(reading, "folders too deep").where == str(deep)
    nowhere = tmp_path / "a"
    cropped(nowhere / Path(*"bcdefghijkl") / "Cropped")
    nine_columns(nowhere / "CASME2-coding-20140508.xlsx")
    with pytest.raises(BadInput, match="in it or below it, as far as 9 folders down"):
        read(nowhere)
