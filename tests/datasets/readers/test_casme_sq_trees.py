"""The trees of CAS(ME)^2: cut clips, crops, long videos; and the frames of clips in them."""

from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import SCHEMES
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme_sq import CASME_SQ, read
from tests.builders.written_by_hand import images, kinds, of_kind
from tests.datasets.readers.written.casme_sq import (
    BOOK,
    MACRO,
    MICRO,
    ROWS,
    RULE_1,
    VIDEOS,
    clip_fields,
    clips,
    cut,
    database,
    every,
    long,
    workbook,
)


@pytest.mark.parametrize(
    "expressions, expected",
    [("micro", MICRO), ("macro", MACRO), ("all", [MICRO[0], MACRO[0], *MICRO[1:3], MACRO[1], MICRO[3]])],
)
@pytest.mark.parametrize("tree", ["selectedpic", "cropped", "rawpic"])
def test_the_same_clips_in_all_trees(
    tmp_path: Path, tree: str, expressions: str, expected: list[tuple[object, ...]]
) -> None:
    reading = read(database(tmp_path), DatasetSubset(tree=tree, expressions=expressions))  # type: ignore[arg-type]
    assert clips(reading) == expected
    assert {clip.cropped for clip in reading.clips} == {tree == "cropped"}
    assert all(tree in clip.path.parts for clip in reading.clips)
    assert kinds(reading, serious=True) == []


def test_what_is_wrong_with_other_expressions_than_those_requested_is_not_told(tmp_path: Path) -> None:
    """A macro-expression without a folder does not affect micro-expressions; folders count as labelled."""
    database(tmp_path)
    for image in (tmp_path / "selectedpic" / "s15" / "happy2_3").iterdir():
        image.unlink()
    (tmp_path / "selectedpic" / "s15" / "happy2_3").rmdir()
    assert kinds(read(tmp_path)) == []
    assert kinds(read(tmp_path, every())) == ["apex not given", "row without folder"]


def test_expressions_that_are_not_there(tmp_path: Path) -> None:
    workbook(tmp_path / BOOK, [ROWS[1], ROWS[4]])
    cut(tmp_path / "selectedpic")
    with pytest.raises(
        BadInput, match=r"none of the 2 rows of .* gives a clip; they have no micro-expressions"
    ):
        read(tmp_path)


def test_an_offset_of_zero_is_mirrored_at_the_apex(tmp_path: Path) -> None:
    reading = read(database(tmp_path), every())
    finding = of_kind(reading, "offset mirrored")
    assert finding.where == "casme-sq/15/happy2_3" and not finding.serious
    assert "row 2: the offset is not given; 142, as far from the apex as the onset, is used" in finding.what


def test_a_mirrored_offset_beyond_the_video_is_its_last_frame(tmp_path: Path) -> None:
    workbook(tmp_path / BOOK)
    long(tmp_path / "rawpic", VIDEOS | {"s15/15_0503unnyfarting": 140})
    (clip,) = [clip for clip in read(tmp_path, every()).clips if clip.name == "happy2_3"]
    assert (clip.onset, clip.apex, clip.offset) == (120, 131, 140)


@pytest.mark.parametrize(
    "marks, why",
    [
        ((120, 110, 0, "macro-expression"), "offset is not given"),
        ((120, 0, 0, "macro-expression"), "offset is not given"),
        ((0, 131, 150, "macro-expression"), "onset is not given"),
        ((120, 131, 100, "macro-expression"), "onset 120 comes after offset 100"),
    ],
)
def test_an_offset_that_cannot_be_mirrored_costs_the_clip(
    tmp_path: Path, marks: tuple[int, int, int, str], why: str
) -> None:
    """An apex before the onset would give an offset before it."""
    database(tmp_path)
    onset, apex, offset, kind = marks
    workbook(
        tmp_path / BOOK,
        [ROWS[0], (1, "happy2_3", onset, apex, offset, 12, "positive", kind, "happiness"), *ROWS[2:]],
    )
    reading = read(tmp_path, every())
    assert "happy2_3" not in {clip.name for clip in reading.clips}
    finding = of_kind(reading, "clip left out")
    assert finding.serious and why in finding.what


def test_an_apex_of_zero_or_out_of_order_becomes_the_middle(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(
        tmp_path / BOOK,
        [ROWS[0], (1, "happy2_3", 120, 119, 140, 12, "positive", "macro-expression", "happiness"), *ROWS[2:]],
    )
    reading = read(tmp_path, every())
    assert clip_fields(reading.clips[1])[3:7] == (120, 130, 140, "midpoint")
    assert of_kind(reading, "apex outside the clip").where == "casme-sq/15/happy2_3"
    assert of_kind(reading, "apex not given").where == "casme-sq/19/disgust2_2"


def test_the_emotion_is_not_the_one_in_the_clips_name_nor_the_self_report(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    (clip,) = [clip for clip in reading.clips if clip.name == "anger1_2"]
    assert clip.emotion == "others"
    assert "sadness" not in repr(reading) and "helpless" not in repr(reading)
    assert SCHEMES[CASME_SQ.default_scheme].of[clip.emotion] == "others"
    assert "others" not in SCHEMES["casme-sq-3"].of


def test_the_misplaced_video_is_used_for_its_subject(tmp_path: Path) -> None:
    reading = read(database(tmp_path), DatasetSubset(tree="rawpic"))
    clip = reading.clips[-1]
    assert (clip.person, clip.path) == ("casme-sq/23", tmp_path / "rawpic" / "s19" / "23_0502funnyerrors")
    finding = of_kind(reading, "folder misplaced")
    assert finding.where == "rawpic/s19/23_0502funnyerrors" and not finding.serious
    assert (
        finding.what == "it is stored under s19, but its name says subject 23, whose clips are read from it"
    )
    assert reading.about["tree"] == "rawpic, rawpic, 5 clip folders"


def test_a_video_in_the_right_place_is_preferred_to_the_misplaced_one(tmp_path: Path) -> None:
    database(tmp_path)
    long(tmp_path / "rawpic", {"s23/23_0502funnyerrors": 1030})
    reading = read(tmp_path, DatasetSubset(tree="rawpic"))
    assert reading.clips[-1].path == tmp_path / "rawpic" / "s23" / "23_0502funnyerrors"
    assert "folder misplaced" not in kinds(reading)
    assert of_kind(reading, "clip folder twice").where == "rawpic/s19/23_0502funnyerrors"


def test_several_clips_in_one_long_video(tmp_path: Path) -> None:
    reading = read(database(tmp_path), every("rawpic"))
    assert [clip.name for clip in reading.clips if clip.path.name == "15_0401girlcrashing"] == [
        "anger1_1",
        "anger1_2",
    ]
    assert [clip.name for clip in reading.clips if clip.path.name == "19_0102eatingworms"] == [
        "disgust2_1",
        "disgust2_2",
    ]
    assert of_kind(reading, "folder without row").where == "rawpic/s15/15_0507climbingthewall"


@pytest.mark.parametrize("words", ["", "Girl Crashing", "girlcrashing_2", "x"])
def test_long_videos_are_matched_by_their_code_and_not_by_words(tmp_path: Path, words: str) -> None:
    workbook(tmp_path / BOOK, [ROWS[0]])
    images(tmp_path / "rawpic" / "s15" / f"15_0401{words}", range(1, 601), "img{:03d}.jpg")
    images(tmp_path / "rawpic" / "s15" / "15_0402girlcrashing", range(1, 601), "img{:03d}.jpg")
    assert [clip.path.name for clip in read(tmp_path).clips] == [f"15_0401{words}"]


@pytest.mark.parametrize("code", [401, "401", "0401", 401.0])
def test_codes_of_videos_that_a_spreadsheet_program_took_for_numbers(tmp_path: Path, code: object) -> None:
    workbook(tmp_path / BOOK, [ROWS[0]], rules=(RULE_1, [(code, "film1")]))
    book = openpyxl.load_workbook(tmp_path / BOOK)
    book.worksheets[0]["B1"] = "film1_1"  # a name that only the sheet knows
    book.save(tmp_path / BOOK)
    long(tmp_path / "rawpic")
    assert [clip.path.name for clip in read(tmp_path).clips] == ["15_0401girlcrashing"]


def test_a_doubled_suffix(tmp_path: Path) -> None:
    database(tmp_path)
    folder = tmp_path / "selectedpic" / "s15" / "anger1_1"
    (folder / "img571.jpg").rename(folder / "img571.jpg.jpg")
    assert (clips(read(tmp_path)), kinds(read(tmp_path))) == (MICRO, [])


def test_clips_that_the_crops_lack_are_reported(tmp_path: Path) -> None:
    """The owners' crops have 341 of 357 folders; the tree that has all is the default."""
    database(tmp_path)
    for image in (tmp_path / "cropped" / "23" / "happy1_1").iterdir():
        image.unlink()
    (tmp_path / "cropped" / "23" / "happy1_1").rmdir()
    assert clips(read(tmp_path)) == MICRO
    reading = read(tmp_path, DatasetSubset(tree="cropped"))
    assert clips(reading) == MICRO[:3]
    finding = of_kind(reading, "row without folder")
    assert finding.serious and finding.what.endswith(
        "row 6: the cropped tree has no such folder, but rawpic and selectedpic has"
    )


def test_crops_of_the_long_videos(tmp_path: Path) -> None:
    workbook(tmp_path / BOOK)
    long(tmp_path / "CAS(ME)2_longVideoFaceCropped" / "longVideoFaceCropped")
    reading = read(tmp_path)
    assert clips(reading) == MICRO
    assert all(clip.cropped for clip in reading.clips)
    assert reading.about["tree"].startswith(
        "long-cropped, CAS(ME)2_longVideoFaceCropped/longVideoFaceCropped"
    )
    long(tmp_path / "rawpic")
    assert read(tmp_path).about["tree"].startswith("rawpic, rawpic")


@pytest.mark.parametrize(
    "name, subject, kind",
    [
        ("cropped/cropped", "{}", "cropped"), ("selectedpic/selectedpic", "s{}", "selectedpic"),
        ("pictures", "{}", "cropped"),
        ("pictures", "s{}", "selectedpic"), ("crops", "s{}", "cropped"), (".", "{}", "cropped"),
        (".", "S0{}", "selectedpic"),
        ("cropped/selectedpic", "{}", "selectedpic"),
    ],
)  # fmt: skip
def test_kinds_of_trees_by_name_else_by_how_subjects_are_called(
    tmp_path: Path, name: str, subject: str, kind: str
) -> None:
    workbook(tmp_path / BOOK)
    cut(tmp_path / name, subject)
    reading = read(tmp_path)
    assert (clips(reading), reading.about["tree"].partition(",")[0]) == (MICRO, kind)


@given(
    st.lists(st.sampled_from(["s{}", "S{}", "s0{}", "{}", "sub{}", "s{0}/S{0}"]), min_size=6, max_size=6),
    st.sampled_from([str, str.upper, str.lower, str.title]),
    st.sampled_from(["img{}.jpg", "img{:03d}.JPG", "{}.png", "img{}.jpg.jpg", "15_0401-{:05d}.bmp"]),
    st.sampled_from(["{}", " {} ", "{}.0"]),
    st.sampled_from([" ", "selectedpic", "selectedpic/selectedpic", "a/b/selectedpic"]),
)
@settings(max_examples=25, deadline=None)
def test_padding_case_and_nesting_do_not_matter(tmp_path_factory, folders, case, pattern, cell, tree) -> None:
    root = tmp_path_factory.mktemp("padding")
    workbook(
        root / BOOK,
        [
            (cell.format(row[0]), case(row[1]), *(cell.format(number) for number in row[2:5]), *row[5:])
            for row in ROWS
        ],
    )
    for subject, (index, name, onset, apex, offset, *_) in zip(folders, ROWS, strict=True):
        folder = root / tree / subject.format({1: 15, 3: 19, 7: 23}[index]) / name
        images(folder, range(onset, (offset or 2 * apex - onset) + 1), pattern)
    assert [(row[0], row[1].lower(), *row[2:]) for row in clips(read(root, every()))] == [
        MICRO[0], MACRO[0], *MICRO[1:3], MACRO[1], MICRO[3],
    ]  # fmt: skip


@given(
    st.lists(
        st.sampled_from(["", "/", "-", "nan", "0", "-1", "5", "9", "13", "20", "x"]), min_size=3, max_size=3
    ),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_missing_marks_never_crash_and_are_never_lost(tmp_path_factory, marks, macro) -> None:
    """A row of any marks is a clip or a serious finding, and a clip lies inside its video and in order."""
    root = tmp_path_factory.mktemp("missing")
    kind = "macro-expression" if macro else "micro-expression"
    workbook(root / BOOK, [ROWS[0], (3, "disgust2_1", *marks, "9", "others", kind, "")])
    cut(root / "selectedpic", rows=[ROWS[0]])
    images(root / "selectedpic" / "s19" / "disgust2_1", range(5, 21))
    reading = read(root, every())
    if len(reading.clips) == 1:
        assert len(kinds(reading, serious=True)) == 1
        return
    clip = reading.clips[1]
    assert 5 <= clip.onset <= (clip.apex or 0) <= clip.offset <= 20
    assert marks[0] in {"5", "9", "13", "20"} and {marks[1], marks[2]} & {"5", "9", "13", "20"}
