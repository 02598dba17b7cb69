"""CASME on disk, in its two sections and in the packages made from them, with invented clips: each trap has its test."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.casme import CASME, PUBLISHED, read
from tests.builders.written_by_hand import NINE, clips, images, kinds, nine_columns, of_kind, told

HEADER = (
    "Subject",
    "Filename",
    "",
    "OnsetF",
    "ApexF1",
    "ApexF2",
    "OffsetF",
    "",
    "Onset",
    "Total",
    "AU",
    "Emotion",
)
ROWS: list[tuple] = [
    (1, "EP91_5", "", 12, 20, "\\", 31, "", 133, 333, 4, "tense"),
    (1, "EP92", "", 5, 9, 14, "\\", "", 67, 200, "1+2", "surprise"),
    (2, "EP93_1", "", 100, 108, "\\", 120, "", 133, 350, "R12", "comtempt"),
    (9, "EP94_2_1", "", 7, 11, "\\", 22, "", 67, 267, "4+L10", "disgust"),
]
EXPECTED = [
    ("01", "EP91_5", "tense", 12, 20, 31, "file", "4"),
    ("01", "EP92", "surprise", 5, 9, 13, "file", "1+2"),
    ("02", "EP93_1", "contempt", 100, 108, 120, "file", "R12"),
    ("09", "EP94_2_1", "disgust", 7, 11, 22, "file", "4+L10"),
]
"""As in written_by_hand. The missing offset is 2 * 9 - 5."""
FRAMES = {"EP91_5": range(1, 41), "EP92": range(1, 21), "EP93_1": range(90, 131), "EP94_2_1": range(1, 31)}
WAY_A, WAY_B = Path("CASME_A", "Section A"), Path("CASME_B", "Section B")


def workbook(path: Path, rows: Iterable[Sequence] = ROWS, header: Sequence[str] = HEADER) -> Path:
    """The owners' .xls, or its .xlsx twin; empty cells stay unwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *rows]
    if path.suffix.lower() == ".xlsx":
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append([None if cell == "" else cell for cell in line])
        book.save(path)
        return path
    old = xlwt.Workbook()
    page = old.add_sheet("Sheet1")
    for i, line in enumerate(lines):
        for k, cell in enumerate(line):
            if cell not in ("", None):
                page.write(i, k, cell)
    old.save(str(path))
    return path


def clip(
    tree: Path,
    row: Sequence,
    subject: str = "sub{:02d}",
    pattern: str | None = None,
    numbers: Iterable[int] | None = None,
) -> Path:
    """The folder of a row's clip: unpadded in section A but for one clip that is called img, padded in section B."""
    usual = {"EP92": "img{}.jpg", "EP94_2_1": "EP94_2_1-{:03d}.jpg"}.get(row[1], f"{row[1]}-{{}}.jpg")
    return images(
        tree / subject.format(row[0]) / row[1],
        FRAMES[row[1]] if numbers is None else numbers,
        pattern or usual,
    )


def section_a(root: Path, rows: Sequence[Sequence] = ROWS[:3]) -> Path:
    workbook(root / WAY_A / "Section A.xls", rows)
    for row in ROWS[:3]:
        clip(root / WAY_A, row)
    images(root / WAY_A / "sub02" / "EP95_1", range(1, 9), "EP95_1-{}.jpg")
    (root / WAY_A / "sub01" / "Thumbs.db").touch()
    return root


def section_b(root: Path, rows: Sequence[Sequence] = ROWS[3:]) -> Path:
    workbook(root / WAY_B / "Section B.xls", rows)
    clip(root / WAY_B, ROWS[3])
    return root


def database(root: Path) -> Path:
    return section_b(section_a(root))


def changed(place: int, **cells: object) -> list[tuple]:
    """ROWS with cells of one row changed, by header in small letters."""
    places = {name.lower(): column for column, name in enumerate(HEADER) if name}
    rows = [list(row) for row in ROWS]
    for name, value in cells.items():
        rows[place][places[name]] = value
    return [tuple(row) for row in rows]


def package(root: Path, pattern: str = "reg_{}-{{}}.jpg") -> Path:
    """All clips in one tree, onset to offset."""
    for row in ROWS:
        clip(
            root,
            row,
            pattern=pattern.format(row[1]),
            numbers=range(row[3], (row[6] if row[6] != "\\" else 14) + 1),
        )
    return root


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
        "workbook": "Section A.xls, sheet Sheet1, 12 columns, 3 rows; Section B.xls, sheet Sheet1, 12 columns, 1 row",
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
    """`Onset` is milliseconds. Where it comes first it would be found first; where OnsetF is missing it would be all there is."""
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
    assert told(reading.clips[1])[3:7] == (5, 9, 11, "file")
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
    """Known errors are repaired by what lies in the folder, not by the number of a row whose clip nobody names."""
    section_b(tmp_path)
    workbook(tmp_path / WAY_A / "Section A.xls", changed(0, **cells)[:1])
    clip(tmp_path / WAY_A, ROWS[0], numbers=there)
    reading = read(tmp_path)
    assert told(reading.clips[0])[3:7] == taken
    assert ("frames missing" in kinds(reading, serious=True)) == serious
    assert {"frames missing", "apex outside the clip"} & set(kinds(reading))


def test_frames_in_other_numbers_are_no_clip(tmp_path: Path) -> None:
    section_b(section_a(tmp_path, changed(0, onsetf=108, apexf1=120, offsetf=150)[:3]))
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[1:]
    assert (
        "no frame has a number from 108 to 150; there are 1 to 40" in of_kind(reading, "clip left out").what
    )


def test_packages_lie_beside_the_sections(tmp_path: Path) -> None:
    """The workbooks lie inside the sections, so nothing but the rows says that these trees belong to them."""
    database(tmp_path)
    package(tmp_path / "CASME_raw_selected", "{}-{{}}.jpg")
    package(tmp_path / "CASME_cropped_selected" / "CASME_cropped_selected")
    assert clips(read(tmp_path)) == EXPECTED
    assert (
        read(tmp_path).about["other trees"]
        == "raw-selected, CASME_raw_selected, cropped, CASME_cropped_selected/CASME_cropped_selected"
    )
    for tree, way in (("raw-selected", "CASME_raw_selected"), ("cropped", "CASME_cropped_selected")):
        reading = read(tmp_path, DatasetSubset(tree=tree))
        assert clips(reading) == EXPECTED
        assert {clip.cropped for clip in reading.clips} == {tree == "cropped"}
        assert all(clip.path.is_relative_to(tmp_path / way) for clip in reading.clips)
        assert kinds(reading) == ["offset mirrored"]


@pytest.mark.parametrize(
    "name, pattern",
    [("Cropped", "{}-{{}}.jpg"), ("faces", "reg_{}-{{}}.jpg"), ("CASME_cropped_selected", "{}-{{}}.jpg")],
)
def test_crops_are_told_by_their_prefix_or_their_tree(tmp_path: Path, name: str, pattern: str) -> None:
    package(tmp_path / name, pattern)
    workbook(tmp_path / "CASME_SectionA.xls", ROWS[:3])
    workbook(tmp_path / "CASME_SectionB.xls", ROWS[3:])
    for root in (tmp_path, tmp_path / name):
        reading = read(root)
        assert clips(reading) == EXPECTED
        assert all(clip.cropped for clip in reading.clips) and reading.about["tree"].startswith("cropped, ")


def test_a_section_may_lie_far_from_its_workbook(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "labels").mkdir()
    (tmp_path / WAY_B / "Section B.xls").rename(tmp_path / "labels" / "Section B.xls")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and kinds(reading, serious=True) == []


def test_the_tree_with_the_workbook_goes_before_a_copy_of_it(tmp_path: Path) -> None:
    database(tmp_path)
    package(tmp_path / "backup", "{}-{{}}.jpg")
    folder = tmp_path / WAY_A / "sub02" / "EP93_1"
    folder.rename(tmp_path / "moved away")
    reading = read(tmp_path)
    assert clips(reading) == [*EXPECTED[:2], EXPECTED[3]] and reading.about["other trees"] == "raw, backup"
    assert of_kind(reading, "row without folder").where == "casme/02/EP93_1"


def test_another_database_beside_is_none_of_it(tmp_path: Path) -> None:
    """CASME II calls its folders alike; one of its clips may even have the name of one of CASME's."""
    database(tmp_path / "CASME")
    other = [
        ("01", "EP91_5", 1, 2, 9, "4", "others"),
        ("02", "EP91_01", 1, 2, 9, "4", "others"),
        ("09", "EP99f", 1, 2, 9, "4", "fear"),
    ]
    nine_columns(tmp_path / "CASME2" / "CASME2-coding-20140508.xlsx", other)
    for subject, name, *_ in other:
        images(tmp_path / "CASME2" / "Cropped" / f"sub{subject}" / name, range(1, 10), "reg_img{}.jpg")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and reading.about["other trees"] == "none"
    assert kinds(reading, serious=True) == []
    with pytest.raises(BadInput, match="there is no cropped tree"):
        read(tmp_path, DatasetSubset(tree="cropped"))


@pytest.mark.parametrize("written", ["comtempt", "contempt", " Comtempt "])
def test_contempt_is_misspelt(tmp_path: Path, written: str) -> None:
    assert read(section_a(tmp_path, changed(2, emotion=written)[:3])).clips[2].emotion == "contempt"


def test_a_label_nobody_knows_stops(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match="Section A.xls row 2: nobody knows the label 'tension'"):
        read(section_a(tmp_path, changed(0, emotion="tension")[:3]))


def test_rows_that_cannot_be_used_are_told(tmp_path: Path) -> None:
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


SUBJECTS = ["sub{:02d}", "sub{}", "{}", "{:02d}", "Sub{:03d}", "sub{0:02d}/sub{0:02d}"]


@given(
    st.lists(st.sampled_from(SUBJECTS), min_size=4, max_size=4),
    st.lists(
        st.sampled_from(["{}-{{}}.jpg", "{}-{{:03d}}.jpg", "img{{}}.jpg", "img{{:05d}}.JPG", "{}-{{}}.png"]),
        min_size=4,
        max_size=4,
    ),
    st.sampled_from([str, str.upper, str.lower]),
    st.lists(st.sampled_from(["CASME", "Section A", "Section B", "1"]), max_size=3),
    st.sampled_from([str, "{:02d}".format, "sub{:02d}".format, " {} ".format, int]),
)
@settings(max_examples=40, deadline=None)
def test_padding_case_and_levels_do_not_matter(
    tmp_path_factory, folders, patterns, case, above, cell
) -> None:
    root = tmp_path_factory.mktemp("padding")
    for way, name, rows in ((WAY_A, "Section A.xls", ROWS[:3]), (WAY_B, "Section B.xls", ROWS[3:])):
        workbook(root.joinpath(*above, way) / name, [(cell(row[0]), *row[1:]) for row in rows])
    for row, folder, pattern in zip(ROWS, folders, patterns, strict=True):
        way = WAY_A if row[0] < 8 else WAY_B
        images(
            root.joinpath(*above, way) / folder.format(row[0]) / case(row[1]),
            FRAMES[row[1]],
            pattern.format(row[1]),
        )
    reading = read(root)
    assert clips(reading) == EXPECTED
    assert kinds(reading) == ["offset mirrored"]


MARKS = st.one_of(st.sampled_from(["\\", "", "/"]), st.integers(-1, 80))


@given(st.sets(st.integers(20, 60), min_size=1), MARKS, MARKS, MARKS)
@settings(max_examples=80, deadline=None)
def test_a_clip_never_points_at_frames_that_are_not_there(
    tmp_path_factory, there, onset, apex, offset
) -> None:
    """Whatever is missing or wrong, there is a clip of frames that are there, or a serious finding."""
    root = tmp_path_factory.mktemp("frames")
    section_b(root)
    workbook(
        root / WAY_A / "Section A.xls",
        [ROWS[0], (3, "EP97_1", "", onset, apex, "\\", offset, "", "", "", 4, "fear")],
    )
    clip(root / WAY_A, ROWS[0])
    images(root / WAY_A / "sub03" / "EP97_1", there, "EP97_1-{}.jpg")
    reading = read(root)
    found = [clip for clip in reading.clips if clip.name == "EP97_1"]
    about = {finding.kind: finding for finding in reading.findings if finding.where == "casme/03/EP97_1"}
    assert found or about["clip left out"].serious
    for each in found:
        assert {each.onset, each.apex, each.offset} <= there
        if not isinstance(offset, int):
            mirrored = 2 * apex - onset
            nearest = min(abs(frame - mirrored) for frame in there)
            assert (
                each.offset <= mirrored or each.offset - mirrored == nearest
            ) and "offset mirrored" in about


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
