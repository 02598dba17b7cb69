"""CASME II on disk, in every version of its workbook, with invented clips: each trap has its test."""

from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel
from learnet.datasets.readers.casme2 import CASME2, PUBLISHED, REPAIRED_APEXES, read
from tests.builders.written_by_hand import (
    EXPECTED,
    NINE,
    ROWS,
    SEVEN,
    clips,
    cropped,
    database,
    images,
    kinds,
    nine_columns,
    of_kind,
    seven_columns,
)


def test_the_twenty_fourteen_workbook_and_the_crops(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == EXPECTED
    assert all(clip.cropped and clip.fps == 200.0 and clip.dataset == "casme2" for clip in reading.clips)
    assert reading.clips[0].path == tmp_path / "Cropped" / "sub01" / "EP90_01f"
    assert reading.clips[0].key == "casme2/01/EP90_01f"
    assert kinds(reading) == ["apex not given", "apex on the border", "folder without row"]
    assert kinds(reading, serious=True) == []
    assert reading.about["workbook"] == "CASME2-coding-20140508.xlsx, sheet Sheet1, 9 columns, 5 rows"
    assert reading.about["tree"] == "cropped, Cropped, 6 clip folders"
    assert reading.about["action units"] == "with sides (L10)"


@pytest.mark.parametrize(
    "name",
    [
        "CASME2-coding-20190701.xlsx",
        "CASME2-coding-updated.xlsx",
        "CASME2-coding.xlsx",
        "casme2-coding (1).XLSX",
        "labels.xlsx",
    ],
)
def test_nine_columns_under_any_name(tmp_path: Path, name: str) -> None:
    nine_columns(tmp_path / name)
    cropped(tmp_path / "Cropped")
    assert clips(read(tmp_path)) == EXPECTED


def test_seven_columns_of_ver_2(tmp_path: Path) -> None:
    seven_columns(tmp_path / "CASME2_label_Ver_2.xls")
    cropped(tmp_path / "Cropped")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert "7 columns" in reading.about["workbook"]


def test_an_updated_copy_keeps_its_rows_on_sheet_four(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(
        nine_columns(tmp_path / "CASME2-coding-updated.xlsx", sheet="Sheet4", above=["updated"])
    )
    for place in range(3):
        book.create_sheet(f"Sheet{place + 1}", place)
    book.save(tmp_path / "CASME2-coding-updated.xlsx")
    cropped(tmp_path / "Cropped")
    assert clips(read(tmp_path)) == EXPECTED


@given(
    st.lists(st.sampled_from(["{:02d}", "{}", "sub{:02d}", " {:02d} ", "Sub{}"]), min_size=5, max_size=5),
    st.lists(
        st.sampled_from(["sub{:02d}", "sub{}", "{}", "{:02d}", "Sub{:03d}", "s{}"]), min_size=5, max_size=5
    ),
    st.sampled_from([str, str.upper, str.lower]),
    st.sampled_from(["reg_img{}.jpg", "img{:05d}.JPG", "{}.png", "img{}.jpg.jpg", "EP90_01f-{:03d}.bmp"]),
)
@settings(max_examples=25, deadline=None)
def test_padding_case_and_prefixes_do_not_matter(tmp_path_factory, cells, folders, case, pattern) -> None:
    root = tmp_path_factory.mktemp("padding")
    rows = [(cell.format(int(row[0])), *row[1:]) for cell, row in zip(cells, ROWS, strict=True)]
    nine_columns(root / "CASME2-coding-20140508.xlsx", rows)
    for folder, (subject, name, onset, _, offset, *_) in zip(folders, ROWS, strict=True):
        images(root / "Cropped" / folder.format(int(subject)) / case(name), range(onset, offset + 1), pattern)
    assert clips(read(root)) == EXPECTED


def test_a_number_for_a_subject_keeps_the_person_key(tmp_path: Path) -> None:
    """A spreadsheet program that saved the workbook anew turns text 01 into the number 1."""
    nine_columns(tmp_path / "CASME2-coding.xlsx", [(int(row[0]), *row[1:]) for row in ROWS])
    cropped(tmp_path / "Cropped")
    assert [clip.person for clip in read(tmp_path).clips][:3] == ["casme2/01", "casme2/01", "casme2/02"]


def test_an_apex_outside_the_clip_becomes_the_middle(tmp_path: Path) -> None:
    rows = [
        ("01", "EP90_01f", 46, 0, 86, "12", "happiness"),
        ("01", "EP90_02", 10, 41, 41, "4", "fear"),
        ("02", "EP91f", 5, 34, 33, "4", "fear"),
    ]
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    cropped(tmp_path / "Cropped")
    reading = read(tmp_path)
    assert [(clip.apex, clip.apex_source) for clip in reading.clips] == [
        (66, "midpoint"),
        (40, "repaired"),
        (19, "midpoint"),
    ]
    assert kinds(reading).count("apex outside the clip") == 2


def test_irregular_clip_names_are_left_alone(tmp_path: Path) -> None:
    """One-digit, three-part and one-part names, and the trailing f, are all names."""
    rows = [("03", "EP01_2", 1, 2, 3, "4", "others"), ("07", "EP06_02_01", 1, 2, 3, "4", "others"),
            ("07", "EP06_02", 1, 2, 3, "4", "fear"),
            ("09", "EP09f", 1, 2, 3, "4", "others"), ("09", "EP09", 1, 2, 3, "4", "disgust")]  # fmt: skip
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    cropped(tmp_path / "Cropped", rows)
    reading = read(tmp_path)
    assert [(clip.name, clip.path.name, clip.emotion) for clip in reading.clips] == [
        (row[1], row[1], row[6]) for row in rows
    ]


def test_an_unknown_label_stops_with_its_row_and_the_known_ones(tmp_path: Path) -> None:
    nine_columns(tmp_path / "CASME2-coding.xlsx", [*ROWS, ("02", "EP95_01", 1, 2, 3, "4", "bewilderment")])
    cropped(tmp_path / "Cropped")
    with pytest.raises(
        UnknownLabel, match=r"the label 'bewilderment' is not known.*disgust.*repression"
    ) as refusal:
        read(tmp_path)
    assert str(refusal.value).startswith(
        f"{tmp_path / 'CASME2-coding.xlsx'} row 7: "
    ) and "contempt" not in str(refusal.value)
    nine_columns(tmp_path / "CASME2-coding.xlsx", [*ROWS, ("02", "EP95_01", 1, 2, 3, "4", "hapiness")])
    with pytest.raises(UnknownLabel, match="Did you mean 'happiness'"):
        read(tmp_path)


def test_one_row_with_another_databases_emotion_is_named(tmp_path: Path) -> None:
    cropped(tmp_path / "Cropped")
    for more, where in (
        ([], "in row 7. "),
        ([("02", "EP95_02", 1, 2, 3, "4", "contempt")], "in 2 rows, the first of them row 7. "),
    ):
        nine_columns(
            tmp_path / "CASME2-coding.xlsx", [*ROWS, ("02", "EP95_01", 1, 2, 3, "4", "Contempt"), *more]
        )
        with pytest.raises(
            BadInput,
            match=f"emotions contempt, which CASME II does not use, {where}.*CASME II has others, disgust",
        ):
            read(tmp_path)


def test_a_formula_without_a_stored_result_is_reported_with_what_to_do(tmp_path: Path) -> None:
    """openpyxl writes formulas and no results; in a column nobody needs as a number it does no harm."""
    rows = [*ROWS, ("02", "EP95_01", "=1+1", 2, 3, "4", "fear"), ("02", "EP91g", 5, 33, 33, "=2*2", "others")]
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    cropped(tmp_path / "Cropped", rows[:5])
    cropped(tmp_path / "Cropped", [rows[6]])
    reading = read(tmp_path)
    assert [clip[:2] for clip in clips(reading)] == [*(row[:2] for row in EXPECTED), ("02", "EP91g")]
    finding = of_kind(reading, "row not usable")
    assert (
        finding.serious
        and finding.where == "casme2/02/EP95_01"
        and "a formula without a stored result: open the workbook" in finding.what
    )


def test_a_workbook_without_rows_says_so(tmp_path: Path) -> None:
    nine_columns(tmp_path / "CASME2-coding.xlsx", [])
    cropped(tmp_path / "Cropped")
    with pytest.raises(BadInput, match="CASME2-coding.xlsx: has no rows below its header"):
        read(tmp_path)


def test_rows_that_cannot_be_used_are_reported_not_lost(tmp_path: Path) -> None:
    rows = [*ROWS, ("02", "EP95_01", "x", 2, 3, "4", "fear"), ("02", "EP95_02", 1, 2, 3, "4", "/"),
            ("he", "EP95_03", 1, 2, 3, "4", "fear"),
            (None, "EP95_04", 1, 2, 3, "4", "fear"), ("02", "EP95_05", 9, 2, 3, "4", "fear"),
            ("02", "EP95_06", 1, 2, "/", "4", "fear"),
            ("Total", None, None, None, None, None, None)]  # fmt: skip
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    cropped(tmp_path / "Cropped")
    for name in ("EP95_05", "EP95_06"):
        images(tmp_path / "Cropped" / "sub02" / name, [1, 2, 3])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["clip left out"] * 2 + ["row not usable"] * 3 + [
        "row passed over"
    ]
    said = " ".join(finding.what for finding in reading.findings)
    assert (
        "'x' is not a whole number" in said
        and "no emotion is given" in said
        and "'he' is not a subject" in said
    )
    assert "row 10 names no subject" in said and "row 13 names no name" in said
    assert "onset 9 comes after" in said and "offset is not given" in said


def test_a_total_and_a_legend_below_the_rows_are_passed_over(tmp_path: Path) -> None:
    below = [("Total", 9), ("Legend",), ("others", "not clear"), ("happiness", "AU 6 or 12")]
    rows = [*ROWS, *((*cells, *(None,) * (7 - len(cells))) for cells in below)]
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    cropped(tmp_path / "Cropped")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == []
    assert kinds(reading).count("row passed over") == 4


def test_a_row_that_stands_twice_is_one_clip(tmp_path: Path) -> None:
    nine_columns(
        tmp_path / "CASME2-coding.xlsx", [*ROWS, ROWS[0], ("24", "EP93_02_01", 20, 28, 45, "1+2", "fear")]
    )
    cropped(tmp_path / "Cropped")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert [finding.serious for finding in reading.findings if finding.kind == "row twice"] == [False, True]


def test_a_row_whose_name_differs_in_case_is_the_same_clip(tmp_path: Path) -> None:
    other = ("01", "ep90_01F", 46, 59, 86, "12", "fear")
    nine_columns(tmp_path / "CASME2-coding.xlsx", [*ROWS, ("01", "ep90_02", *ROWS[1][2:]), other])
    cropped(tmp_path / "Cropped")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert [finding.serious for finding in reading.findings if finding.kind == "row twice"] == [False, True]


@pytest.mark.parametrize("column", [2, 3, 4])
@pytest.mark.parametrize("frame", [f"{10**30}", f"-{10**30}"])
def test_a_frame_beyond_all_videos_makes_its_row_unusable(tmp_path: Path, column: int, frame: str) -> None:
    row: list[object] = ["01", "EP90_09", 46, 59, 86, "12", "happiness"]
    row[column] = frame
    nine_columns(tmp_path / "CASME2-coding.xlsx", [*ROWS, row])
    cropped(tmp_path / "Cropped")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "row not usable")
    assert finding.serious and f"'{frame}' is beyond 1,000,000,000" in finding.what


def test_the_workbook_with_the_published_counts_is_preferred_and_differences_are_reported(
    tmp_path: Path,
) -> None:
    database(tmp_path)
    other = [ROWS[0], ROWS[1], ("02", "EP91f", 5, 30, 33, 4, "others"), ROWS[3],
             ("24", "EP93_02_01", 20, 28, 45, "1+2", "others"),
             ("24", "EP02_07", 1, 2, 3, "4", "disgust")]  # fmt: skip
    seven_columns(tmp_path / "CASME2_label_Ver_2.xls", other)
    nine_columns(tmp_path / "CASME2-coding-20190701.xlsx", ROWS[:4])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["other workbooks"] == "CASME2-coding-20190701.xlsx, CASME2_label_Ver_2.xls"
    reported = {finding.kind: finding for finding in reading.findings}
    assert (
        "20140508.xlsx says surprise, CASME2_label_Ver_2.xls says others"
        in reported["versions differ in emotion"].what
    )
    assert reported["versions differ in frames"].where == "casme2/02/EP91f"
    assert (
        "5/33/33" in reported["versions differ in frames"].what
        and "5/30/33" in reported["versions differ in frames"].what
    )
    rows = [
        (finding.where, finding.serious)
        for finding in reading.findings
        if finding.kind == "versions differ in rows"
    ]
    assert rows == [("casme2/24/EP93_02_01", True), ("casme2/24/EP02_07", True)]


def test_sub24_ep02_07_is_a_clip_only_where_it_has_a_row(tmp_path: Path) -> None:
    for version, rows in (("without", ROWS), ("with", [*ROWS, ("24", "EP02_07", 5, 6, 9, "4", "disgust")])):
        nine_columns(tmp_path / version / "CASME2-coding.xlsx", rows)
        cropped(tmp_path / version / "Cropped")
        images(tmp_path / version / "Cropped" / "sub24" / "EP02_07", range(5, 10), "reg_img{}.jpg")
    assert ("24", "EP02_07") not in {(clip.subject, clip.name) for clip in read(tmp_path / "without").clips}
    assert of_kind(read(tmp_path / "without"), "folder without row").where == "Cropped/sub24/EP02_07"
    assert clips(read(tmp_path / "with"))[-1][:3] == ("24", "EP02_07", "disgust")


@pytest.mark.parametrize(
    "surprised, kind",
    [
        ([("24", "EP07_01"), ("24", "EP07_04f"), ("24", "EP10_03")], "as in 20140508"),
        ([("03", "EP01_2"), ("15", "EP04_02"), ("17", "EP01_13")], "as in Ver_2"),
        ([("03", "EP01_2"), ("24", "EP07_01")], "in neither"),
    ],
)
def test_which_of_the_two_lists_of_surprises_is_reported(
    tmp_path: Path, surprised: list[tuple[str, str]], kind: str
) -> None:
    rows = [(*clip, 1, 2, 3, "1+2", "surprise") for clip in surprised]
    nine_columns(tmp_path / "CASME2-coding.xlsx", rows)
    cropped(tmp_path / "Cropped", rows)
    assert read(tmp_path).about["surprises"].startswith(kind)


def updated(root: Path, bare: set[int], apex_of: int = 50, rows: int = 256) -> Path:
    """256 rows, without an apex at the positions `bare`, and in row 60 with an offset before its apex."""
    book = [(f"{place % 26 + 1:02d}", f"EP{place:03d}", 30, "/" if place in bare else apex_of,
             70 if place == 60 else 400, "4", "others")
            for place in range(rows)]  # fmt: skip
    nine_columns(root / "CASME2-coding-updated.xlsx", book)
    for subject, name, *_ in book:
        images(root / "Cropped" / f"sub{subject}" / name, (30, 400), "reg_img{}.jpg")
    for place, apex in REPAIRED_APEXES.items():
        images(root / "Cropped" / f"sub{place % 26 + 1:02d}" / f"EP{place:03d}", (91, apex), "reg_img{}.jpg")
    return root


PUBLISHED_APEXES = {
    29: 279, 35: 68, 43: 77, 45: 81, 51: 166, 53: 100, 60: 78, 117: 187, 118: 89, 126: 80, 136: 88,
    147: 134, 155: 231, 168: 53, 170: 329, 177: 111, 202: 91, 203: 103, 234: 98, 237: 153, 238: 98,
}  # fmt: skip
"""Position of the row -> apex, copied from the published table."""


def test_the_published_repairs_go_into_the_workbook_they_were_made_for(tmp_path: Path) -> None:
    """21 apexes and one offset, by position."""
    reading = read(updated(tmp_path, set(PUBLISHED_APEXES)))
    repaired = {clip.name: clip.apex for clip in reading.clips if clip.apex_source == "repaired"}
    expected = {f"EP{position:03d}": apex for position, apex in PUBLISHED_APEXES.items()}
    assert expected.items() <= repaired.items()  # others are moved to the nearest image
    (sixty,) = [clip for clip in reading.clips if clip.name == "EP060"]
    assert (sixty.onset, sixty.apex, sixty.offset) == (30, 78, 91)
    assert (kinds(reading).count("apex repaired"), kinds(reading).count("offset repaired")) == (21, 1)


def test_an_apex_of_the_owners_goes_before_an_estimate(tmp_path: Path) -> None:
    """Another version of theirs gives two of the 21, of which one is outside the clip."""
    root = updated(tmp_path, set(PUBLISHED_APEXES))
    book = openpyxl.load_workbook(root / "CASME2-coding-updated.xlsx")
    page = book.active
    inside, outside = 29 + 2, 35 + 2
    assert [page.cell(line, 2).value for line in (inside, outside)] == ["EP029", "EP035"]
    page.cell(inside, 5).value = page.cell(inside, 4).value + 61
    page.cell(outside, 5).value = 9999
    book.save(root / "CASME2_label_Ver_2.xlsx")
    reading = read(root)
    assert reading.about["workbook"].startswith("CASME2-coding-updated.xlsx")
    sources = {finding.where[-5:]: finding.what for finding in reading.findings if "repaired" in finding.kind}
    assert (
        f"{page.cell(inside, 5).value}, as given by the owners in CASME2_label_Ver_2.xlsx" in sources["EP029"]
    )
    assert sources["EP035"].endswith("68, as published by meb") and len(sources) == 21


@pytest.mark.parametrize("change", ["another row bare", "one row less", "filled in"])
def test_the_published_repairs_touch_no_other_workbook(tmp_path: Path, change: str) -> None:
    """Repairs by position need correct positions: with one row moved, each would change another clip."""
    bare = set(REPAIRED_APEXES)
    if change == "another row bare":
        bare ^= {29, 30}
    if change == "filled in":
        bare = set()
    reading = read(updated(tmp_path, bare, rows=255 if change == "one row less" else 256))
    assert "apex repaired" not in kinds(reading) and "offset repaired" not in kinds(reading)
    assert ("repairs not applied" in kinds(reading)) == (change != "one row less")
    (sixty,) = [clip for clip in reading.clips if clip.name == "EP060"]
    assert sixty.offset == 78  # the frame on disk nearest to the row's 70, and not the repair's 91


def test_a_repair_outside_its_clip_is_not_applied(tmp_path: Path) -> None:
    root = updated(tmp_path, set(REPAIRED_APEXES))
    book = openpyxl.load_workbook(root / "CASME2-coding-updated.xlsx")
    book.active.cell(29 + 2, 6).value = 200  # the offset of position 29, whose published apex is 279
    book.save(root / "CASME2-coding-updated.xlsx")
    reading = read(root)
    (clip,) = [clip for clip in reading.clips if clip.name == "EP029"]
    assert (
        clip.apex_source,
        kinds(reading).count("apex repaired"),
        kinds(reading).count("apex not given"),
    ) == ("midpoint", 20, 1)


def test_published_numbers_add_up() -> None:
    assert sum(PUBLISHED.values()) == 255
    assert (
        sum(PUBLISHED[word] for word in ("happiness", "disgust", "repression", "surprise", "others")) == 246
    )
    assert (CASME2.people, CASME2.fps) == (26, 200.0)


@pytest.mark.parametrize("subject", ["12", "sub12", "22", "Sub022", "casme2/12"])
def test_faces_that_must_never_be_published(subject: str) -> None:
    assert CASME2.is_hidden(subject)
    assert not CASME2.is_hidden(subject.replace("2", "1"))


def test_header_of_the_nine_columns_is_the_published_one() -> None:
    assert [title for title in NINE if title] == list(SEVEN)
