"""CASME on disk, in its two sections and in the packages made from them, with invented clips."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel
from learnet.datasets import read_dataset
from learnet.datasets.readers.casme import CASME, PUBLISHED, read
from tests.builders.written_by_hand import NINE, clip_fields, clips, images, kinds, nine_columns, of_kind
from tests.datasets.readers.written.casme import (
    EXPECTED,
    HEADER,
    ROWS,
    WAY_A,
    WAY_B,
    changed,
    clip,
    database,
    package,
    section_a,
    section_b,
    workbook,
)


def test_two_sections_complete_each_other(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == EXPECTED
    assert all(not clip.cropped and clip.fps == 60.0 and clip.kind == "micro" for clip in reading.clips)
    assert (
        reading.clips[0].path == tmp_path / WAY_A / "sub01" / "EP91_5"
        and reading.clips[0].key == "casme/01/EP91_5"
    )
    assert kinds(reading) == ["folder without row", "offset mirrored"] and kinds(reading, serious=True) == []
    assert of_kind(reading, "folder without row").where == f"{WAY_A}/sub02/EP95_1"
    assert reading.about == {
        "workbook": (
            "Section A.xls, sheet Sheet1, 12 columns, 3 rows; Section B.xls, sheet Sheet1, 12 columns, 1 row"
        ),
        "sections": "A and B",
        "total durations": "3 of 3 are those of onset to offset at 60 frames per second",
        "other workbooks": "none",
        "tree": f"raw, {WAY_A}, {WAY_B}, 5 clip folders",
        "other trees": "none",
        "clips": "4 from 4 rows, 3 people",
    }


@pytest.mark.parametrize(
    "section, names, other", [("A", EXPECTED[:3], "08 on"), ("B", EXPECTED[3:], "01 to 07")]
)
def test_a_section_alone_is_read_and_the_other_one_missed(
    tmp_path: Path, section: str, names: list, other: str
) -> None:
    reading = read((section_a if section == "A" else section_b)(tmp_path))
    assert clips(reading) == names and reading.about["sections"] == section
    assert (
        other in of_kind(reading, "section not here").what
        and not of_kind(reading, "section not here").serious
    )
    way = tmp_path / (WAY_A if section == "A" else WAY_B)
    assert clips(read(way)) == clips(read(way.parent)) == names


def test_a_section_whose_workbook_is_lost_is_serious(tmp_path: Path) -> None:
    """Without this its clips would only be missing from the list."""
    database(tmp_path)
    (tmp_path / WAY_B / "Section B.xls").unlink()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[:3]
    assert kinds(reading, serious=True) == ["section without labels"]
    finding = of_kind(reading, "section without labels")
    assert finding.where == str(WAY_B) and "where is the workbook, Section B.xls?" in finding.what


@pytest.mark.parametrize(
    "a, b",
    [
        ("CASME_SectionA.xls", "CASME_SectionB.xls"),
        ("labels/section_a final.xlsx", "labels/section_b final.xlsx"),
        ("CASME_A/labels.xls", "CASME_B/labels.xls"),
        ("Section A (1).xls", "CASME_B/Section B/Section B - Copy.xls"),
        ("one.xlsx", "two.xlsx"),  # nothing says which is which, so both are used
    ],
)
def test_workbooks_under_other_names_and_in_other_places(tmp_path: Path, a: str, b: str) -> None:
    database(tmp_path)
    for way, old, new in ((WAY_A, "Section A.xls", a), (WAY_B, "Section B.xls", b)):
        (tmp_path / way / old).unlink()
        workbook(tmp_path / new, ROWS[:3] if way is WAY_A else ROWS[3:])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading) == ["folder without row", "offset mirrored"]
    assert reading.about["other workbooks"] == "none"


def test_two_copies_of_a_section_are_versions_and_compared(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / "CASME_SectionA.xls", changed(0, emotion="disgust")[:3])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["other workbooks"] == "CASME_SectionA.xls"
    assert of_kind(reading, "versions differ in emotion").where == "casme/01/EP91_5"
    assert kinds(reading, serious=True) == ["versions differ in emotion"]


def test_one_workbook_for_both_sections(tmp_path: Path) -> None:
    """Alone; and beside the owners', whose rows stand first and are taken."""
    package(tmp_path / "one" / "CASME_raw_selected", "{}-{{}}.jpg")
    workbook(tmp_path / "one" / "CASME.xlsx")
    assert clips(read(tmp_path / "one")) == EXPECTED and read(tmp_path / "one").about["sections"] == "A and B"
    database(tmp_path / "both")
    workbook(tmp_path / "both" / "all.xlsx", changed(3, emotion="fear"))
    reading = read(tmp_path / "both")
    assert clips(reading) == EXPECTED
    repeats = [
        (finding.where, finding.serious) for finding in reading.findings if finding.kind == "row twice"
    ]
    assert repeats == [
        ("casme/01/EP91_5", False),
        ("casme/01/EP92", False),
        ("casme/02/EP93_1", False),
        ("casme/09/EP94_2_1", True),
    ]


@pytest.mark.parametrize("order", [(3, 8), (8, 3)])
def test_a_duration_is_never_taken_for_a_frame(tmp_path: Path, order: tuple[int, int]) -> None:
    """`Onset` is in milliseconds. It must not be used, neither before OnsetF nor where OnsetF is missing."""
    database(tmp_path)
    columns = [*range(len(HEADER))]
    columns[3], columns[8] = order
    workbook(
        tmp_path / WAY_A / "Section A.xls",
        [[row[k] for k in columns] for row in ROWS[:3]],
        [HEADER[k] for k in columns],
    )
    assert clips(read(tmp_path)) == EXPECTED
    for way, name in ((WAY_A, "Section A.xls"), (WAY_B, "Section B.xls")):
        workbook(tmp_path / way / name, ROWS, [name if name != "OnsetF" else "" for name in HEADER])
    with pytest.raises(BadInput, match=r"Section [AB].xls: lacks the column onset \(onsetf or onsetframe\)"):
        read(tmp_path)


def test_total_durations_that_are_not_those_of_the_frames_are_counted(tmp_path: Path) -> None:
    workbook(section_a(tmp_path) / WAY_A / "Section A.xls", changed(0, total=600)[:3])
    assert read(tmp_path).about["total durations"].startswith("1 of 2 ")


def test_the_first_apex_is_the_apex(tmp_path: Path) -> None:
    assert ROWS[1][4:6] == (9, 14)
    assert read(database(tmp_path)).clips[1].apex == 9


@pytest.mark.parametrize("written", ["\\", " \\ ", "/", "", "-", "＼"])
def test_signs_for_what_is_missing(tmp_path: Path, written: str) -> None:
    rows = [
        (*row[:5], written, written if row[6] == "\\" else row[6], *row[7:])
        for row in changed(0, apexf1=written)
    ]
    section_b(section_a(tmp_path, rows[:3]), rows[3:])
    reading = read(tmp_path)
    assert clips(reading) == [("01", "EP91_5", "tense", 12, 21, 31, "midpoint", "4"), *EXPECTED[1:]]
    assert kinds(reading) == ["apex not given", "folder without row", "offset mirrored"]


def test_a_missing_offset_is_as_far_from_the_apex_as_the_onset(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    finding = of_kind(reading, "offset mirrored")
    assert finding.where == "casme/01/EP92" and not finding.serious
    assert (
        finding.what
        == "Section A.xls row 3: the offset is not given; 13, as far from the apex as the onset, is used"
    )


def test_a_mirrored_offset_stays_in_the_folder(tmp_path: Path) -> None:
    database(tmp_path)
    for number in range(12, 21):
        (tmp_path / WAY_A / "sub01" / "EP92" / f"img{number}.jpg").unlink()
    reading = read(tmp_path)
    assert clip_fields(reading.clips[1])[3:7] == (5, 9, 11, "file")
    assert of_kind(reading, "offset mirrored").what.endswith("is used; the images end before, so it is 11")
    assert kinds(reading, serious=True) == []


@pytest.mark.parametrize("apex", ["\\", 5, 3])
def test_an_offset_that_cannot_be_mirrored_is_not_made_up(tmp_path: Path, apex: object) -> None:
    reading = read(section_b(section_a(tmp_path, changed(1, apexf1=apex)[:3])))
    assert clips(reading) == [EXPECTED[0], *EXPECTED[2:]]
    assert (
        "offset is not given" in of_kind(reading, "clip left out").what
        and of_kind(reading, "clip left out").serious
    )


@pytest.mark.parametrize(
    "cells, there, taken, serious",
    [
        ({"onsetf": 8, "offsetf": 31}, range(10, 32), (10, 20, 31, "file"), False),
        ({"offsetf": 42}, range(1, 41), (12, 20, 40, "file"), False),
        ({"offsetf": 90}, range(1, 41), (12, 20, 40, "file"), True),
        ({"apexf1": 80, "offsetf": 90}, range(1, 41), (12, 26, 40, "midpoint"), True),
        ({"apexf1": 45}, range(1, 41), (12, 21, 31, "midpoint"), False),
    ],
)
def test_rows_that_point_beyond_their_folder_are_held_to_it(
    tmp_path: Path, cells: dict[str, int], there: range, taken: tuple, serious: bool
) -> None:
    """Known errors are repaired by the contents of the folder, not by the number of a row."""
    section_b(tmp_path)
    workbook(tmp_path / WAY_A / "Section A.xls", changed(0, **cells)[:1])
    clip(tmp_path / WAY_A, ROWS[0], numbers=there)
    reading = read(tmp_path)
    assert clip_fields(reading.clips[0])[3:7] == taken
    assert ("frames missing" in kinds(reading, serious=True)) == serious
    assert {"frames missing", "apex outside the clip"} & set(kinds(reading))


def test_frames_in_other_numbers_are_no_clip(tmp_path: Path) -> None:
    section_b(section_a(tmp_path, changed(0, onsetf=108, apexf1=120, offsetf=150)[:3]))
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[1:]
    assert (
        "no frame has a number from 108 to 150; there are 1 to 40" in of_kind(reading, "clip left out").what
    )


@pytest.mark.parametrize("written", ["comtempt", "contempt", " Comtempt "])
def test_contempt_is_misspelt(tmp_path: Path, written: str) -> None:
    assert read(section_a(tmp_path, changed(2, emotion=written)[:3])).clips[2].emotion == "contempt"


def test_an_unknown_label_stops(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match="Section A.xls row 2: the label 'tension' is not known"):
        read(section_a(tmp_path, changed(0, emotion="tension")[:3]))


def test_rows_that_cannot_be_used_are_reported(tmp_path: Path) -> None:
    rest = ("", "", "", 4, "fear")
    rows = [
        *ROWS[:3],
        ("he", *ROWS[0][1:]),
        (3, "EP96_1", "", "x", 2, "", 3, *rest),
        (3, "EP96_2", "", 1, 2, "", 3, *rest[:4], ""),
        ("", "EP96_3", "", 1, 2, "", 3, *rest),
        (3, "EP96_4", "", 1, 2, "", 3, *rest),
    ]
    reading = read(section_b(section_a(tmp_path, rows)))
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["row not usable"] * 3 + ["row passed over", "row without folder"]
    said = " ".join(finding.what for finding in reading.findings)
    assert (
        "'he' is not a subject's number" in said
        and "'x' is not a whole number" in said
        and "no emotion is given" in said
    )


def test_counts_are_shown_and_not_asserted(tmp_path: Path) -> None:
    """189 clips by a list that is likely; no two papers agree on the classes."""
    assert (sum(PUBLISHED.values()), CASME.people, CASME.default_scheme) == (189, 19, "casme-8")
    assert "likely" in CASME.published_source
    assert "published" not in " ".join(finding.what for finding in read(database(tmp_path)).findings)


def test_roots_that_are_not_the_database(tmp_path: Path) -> None:
    database(tmp_path)
    for inside in ("sub01", "sub01/EP91_5"):
        with pytest.raises(BadInput, match="this is a single subject or clip, not the database") as refusal:
            read(tmp_path / WAY_A / inside)
        assert f"Give {tmp_path / WAY_A}" in refusal.value.hint
    with pytest.raises(BadInput, match="this looks like CASME, not SAMM"):
        read_dataset("samm", tmp_path)
    with pytest.raises(BadInput, match="this looks like CASME, not CASME II"):
        read_dataset("casme2", tmp_path)
    nine_columns(
        tmp_path / "two" / "CASME2-coding-20140508.xlsx", [("01", "EP90_01", 1, 2, 9, "4", "others")]
    )
    images(tmp_path / "two" / "Cropped" / "sub01" / "EP90_01", range(1, 10))
    with pytest.raises(BadInput, match="this looks like CASME II, not CASME"):
        read_dataset("casme", tmp_path / "two")
    assert NINE[3] == "OnsetFrame"  # a header that this database would take, were it not for `others`


def test_workbooks_that_are_open_cut_short_or_away_and_links_in_a_circle(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / WAY_A / "loop").symlink_to(tmp_path)
    (tmp_path / WAY_A / "~$Section A.xls").write_bytes(b"\x04Anna" + bytes(160))
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading)) == (
        EXPECTED,
        ["folder without row", "offset mirrored", "workbook is open"],
    )
    whole = (tmp_path / WAY_A / "Section A.xls").read_bytes()
    (tmp_path / WAY_A / "Section A.xls").write_bytes(whole[: len(whole) // 3])
    reading = read(tmp_path)  # the other section is as good as before
    assert clips(reading) == EXPECTED[3:]
    assert kinds(reading, serious=True) == ["section without labels"]
    assert "is damaged or cut short" in of_kind(reading, "workbook not used").what
    for way, name in ((WAY_A, "Section A.xls"), (WAY_B, "Section B.xls")):
        (tmp_path / way / name).unlink()
    with pytest.raises(BadInput, match=r"there is no label workbook \(Section A.xls"):
        read(tmp_path / WAY_A)
