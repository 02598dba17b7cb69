"""CAS(ME)^2 on disk, written cell by cell and file by file: the workbook without headers, four trees, and each trap with its test."""

from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import SCHEMES, UnknownLabel
from learnet.core.records import Clip, DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.casme_sq import CASME_SQ, read
from tests.builders.written_by_hand import images, kinds, of_kind

BOOK = "CAS(ME)^2code_final.xlsx"
ROWS = [
    (1, "anger1_1", 557, 565, 571, "4+7", "negative", "micro-expression", "anger"),
    (1, "happy2_3", 120, 131, 0, 12, "positive", "macro-expression", "happiness"),
    (1, "anger1_2", 600, 604, 611, "L14", "others", "micro-expression", "sadness"),
    (3, "disgust2_1", 88, 92, 99, "9", "others", "micro-expression", "helpless"),
    (3, "disgust2_2", 150, 0, 201, "9", "negative", "macro-expression", "disgust"),
    (7, "happy1_1", 1002, 1007, 1015, "1+2", "surprise", "micro-expression", "surprise"),
]
MICRO = [
    ("15", "anger1_1", "negative", 557, 565, 571, "file", "4+7", "micro"),
    ("15", "anger1_2", "others", 600, 604, 611, "file", "L14", "micro"),
    ("19", "disgust2_1", "others", 88, 92, 99, "file", "9", "micro"),
    ("23", "happy1_1", "surprise", 1002, 1007, 1015, "file", "1+2", "micro"),
]
MACRO = [
    ("15", "happy2_3", "positive", 120, 131, 142, "file", "12", "macro"),
    ("19", "disgust2_2", "negative", 150, 175, 201, "midpoint", "9", "macro"),
]
"""What a reading must say of ROWS: subject, name, emotion, onset, apex, offset, apex_source, action_units, kind."""

RULE_1 = [(15, "s15", 1), (19, "s19", 3), (23, "s23", 7)]
RULE_2 = [("0401", "anger1"), ("0503", "happy2"), ("0102", "disgust2"), ("0502", "happy1")]
VIDEOS = {
    "s15/15_0401girlcrashing": 640, "s15/15_0503unnyfarting": 160, "s19/19_0102eatingworms": 230, "s19/23_0502funnyerrors": 1030,
    "s15/15_0507climbingthewall": 3,
}  # fmt: skip
"""Folder of a long video -> its last frame. Subject 23's lies under subject 19; the last one has no expression."""


def workbook(
    path: Path, rows=ROWS, names=("CASFEcode_final", "naming rule1", "naming rule2"), rules=(RULE_1, RULE_2)
) -> Path:
    """Three sheets, no header in any."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, content in zip(names, (rows, *rules), strict=True):
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def cut(tree: Path, subject: str = "s{}", rows=ROWS) -> Path:
    """Clips cut from the long videos under their numbers; where no offset is given up to the mirrored onset."""
    for index, name, onset, apex, offset, *_ in rows:
        folder = {1: 15, 3: 19, 7: 23}[index]
        images(tree / subject.format(folder) / name, range(onset, (offset or 2 * apex - onset) + 1))
    return tree


def long(tree: Path, videos=VIDEOS) -> Path:
    for name, last in videos.items():
        images(tree / name, range(1, last + 1), "img{:03d}.jpg")
    return tree


def database(root: Path) -> Path:
    """Everything as it unpacks, the workbook of blinks and the videos included."""
    workbook(root / BOOK)
    book = openpyxl.Workbook()
    book.active.append(["subject", "video", "name", "blink", "onset", "offset"])
    book.active.append([15, "0401", "anger1", 1, 30, "38"])
    book.save(root / "CAS(ME)^2blink-code.xlsx")
    (root / "rawvideo" / "s15").mkdir(parents=True)
    (root / "rawvideo" / "s15" / "15_0401girlcrashing.avi").touch()
    cut(root / "selectedpic")
    cut(root / "cropped", "{}")
    long(root / "rawpic")
    return root


def told(clip: Clip) -> tuple[object, ...]:
    """A clip as in MICRO."""
    return (
        clip.subject,
        clip.name,
        clip.emotion,
        clip.onset,
        clip.apex,
        clip.offset,
        clip.apex_source,
        clip.action_units,
        clip.kind,
    )


def clips(reading: DatasetIndex) -> list[tuple[object, ...]]:
    return [told(clip) for clip in reading.clips]


def every(tree: str | None = None) -> DatasetSubset:
    return DatasetSubset(tree=tree, expressions="all")


def test_first_row_is_a_clip_and_the_sheets_have_no_header(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == MICRO
    assert reading.clips[0].path == tmp_path / "selectedpic" / "s15" / "anger1_1"
    assert reading.clips[0].key == "casme-sq/15/anger1_1"
    assert all(clip.fps == 30.0 and not clip.cropped and clip.dataset == "casme-sq" for clip in reading.clips)
    assert kinds(reading) == []
    assert reading.about["workbook"] == f"{BOOK}, sheet CASFEcode_final, 9 columns, 6 rows"
    assert reading.about["tree"] == "selectedpic, selectedpic, 6 clip folders"
    assert reading.about["expressions in the workbook"] == "4 micro, 2 macro, of 3 people"
    assert reading.about["clips"] == "4 from 6 rows, 3 people"


def test_a_header_that_somebody_added_is_no_clip_and_no_trouble(tmp_path: Path) -> None:
    header = ("Subject", "Code", "Onset", "Apex", "Offset", "AU", "Emotion", "Type", "Self-report")
    workbook(tmp_path / BOOK, [header, *ROWS])
    cut(tmp_path / "selectedpic")
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading)) == (MICRO, [])


@pytest.mark.parametrize(
    "name", ["CAS(ME)^2code_final(Updated).xlsx", "CAS(ME)2code_final.xlsx", "code_final.xlsx", "labels.xlsx"]
)
def test_the_workbook_under_any_name_and_with_a_tenth_column(tmp_path: Path, name: str) -> None:
    rows = [(*row, row[4] - row[2]) for row in ROWS]
    workbook(tmp_path / name, rows, names=("CASMEcode_final", "naming rule1", "naming rule2"))
    cut(tmp_path / "selectedpic")
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading)) == (MICRO, [])
    assert reading.about["workbook"] == f"{name}, sheet CASMEcode_final, 10 columns, 6 rows"


def test_the_updated_workbook_is_preferred_and_differences_are_told(tmp_path: Path) -> None:
    (database(tmp_path) / BOOK).rename(
        tmp_path / "CAS(ME)2code_final.xlsx"
    )  # before the updated one in alphabetical order
    workbook(
        tmp_path / "CAS(ME)^2code_final(Updated).xlsx", [(*ROWS[0][:6], "positive", *ROWS[0][7:]), *ROWS[1:]]
    )
    reading = read(tmp_path)
    assert reading.clips[0].emotion == "positive"
    assert reading.about["other workbooks"] == "CAS(ME)2code_final.xlsx"
    finding = of_kind(reading, "versions differ in emotion")
    assert (
        finding.serious
        and "(Updated).xlsx says positive, CAS(ME)2code_final.xlsx says negative" in finding.what
    )


def test_sheets_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    """Other names, another order, and a sheet of notes before them."""
    book = openpyxl.load_workbook(workbook(tmp_path / BOOK, names=("Sheet1", "Sheet2", "Sheet3")))
    book.move_sheet("Sheet1", offset=2)
    book.create_sheet("notes", 0).append(["15 long videos", "see the paper", None, 2016])
    book.save(tmp_path / BOOK)
    long(tmp_path / "rawpic")
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading, serious=True)) == (MICRO, [])
    assert reading.about["workbook"] == f"{BOOK}, sheet Sheet1, 9 columns, 6 rows"


def test_subjects_are_indices_until_the_naming_rule_gives_them_a_folder(tmp_path: Path) -> None:
    """Index 15 is s32, while folder s15 is index 1; leave-one-subject-out goes by the folder's number."""
    rows = [
        (15, "anger1_1", 5, 7, 13, "4", "others", "micro-expression", ""),
        (1, "anger1_1", 5, 7, 13, "4", "negative", "micro-expression", ""),
    ]
    workbook(tmp_path / BOOK, rows, rules=([(15, "s15", 1), (32, "s32", 15)], RULE_2))
    for folder in ("s15", "s32"):
        images(tmp_path / "selectedpic" / folder / "anger1_1", range(5, 14))
    reading = read(tmp_path)
    assert [(clip.person, clip.path.parent.name, clip.emotion) for clip in reading.clips] == [
        ("casme-sq/32", "s32", "others"), ("casme-sq/15", "s15", "negative"),
    ]  # fmt: skip
    assert kinds(reading) == []


INDICES = {1: 15, 2: 16, 3: 19, 4: 20, 5: 21, 6: 22, 7: 23, 8: 24, 9: 25, 10: 26, 11: 27, 12: 29, 13: 30, 14: 31, 15: 32, 16: 33, 17: 34,
           18: 35, 19: 36, 20: 37, 21: 38, 22: 40}  # fmt: skip
CODES = {"disgust1": "0101", "disgust2": "0102", "anger1": "0401", "anger2": "0402", "happy1": "0502", "happy2": "0503", "happy3": "0505",
         "happy4": "0507", "happy5": "0508"}  # fmt: skip


def test_without_naming_sheets_the_known_names_serve_and_that_is_told(tmp_path: Path) -> None:
    """Every index and every film; both tables are copied from the page of facts, not from the loader."""
    films = list(CODES)
    rows = [
        (index, f"{films[index % 9]}_1", 5, 7, 13, "4", "others", "micro-expression", "") for index in INDICES
    ]
    workbook(tmp_path / BOOK, rows, rules=([], []))
    for index, number in INDICES.items():
        images(
            tmp_path / "rawpic" / f"s{number}" / f"{number}_{CODES[films[index % 9]]}whatever",
            range(1, 20),
            "img{:03d}.jpg",
        )
    reading = read(tmp_path)
    assert [clip.subject for clip in reading.clips] == [str(number) for number in INDICES.values()]
    assert kinds(reading) == ["naming rule incomplete"] * 2 and kinds(reading, serious=True) == []


def test_a_naming_sheet_that_differs_from_the_known_one_is_followed_and_serious(tmp_path: Path) -> None:
    workbook(tmp_path / BOOK, ROWS[:3], rules=([(16, "s16", 1)], RULE_2))
    for _, name, onset, apex, offset, *_ in ROWS[:3]:
        images(
            tmp_path / "selectedpic" / "s16" / str(name),
            range(int(onset), int(offset or 2 * apex - onset) + 1),
        )
    reading = read(tmp_path)
    assert {clip.subject for clip in reading.clips} == {"16"}
    finding = of_kind(reading, "naming rule differs")
    assert finding.serious and "1 is 16, not 15" in finding.what


def test_an_index_that_nobody_knows_is_told(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / BOOK, [*ROWS, (25, "anger1_1", 5, 7, 13, "4", "others", "micro-expression", "")])
    reading = read(tmp_path)
    assert clips(reading) == MICRO
    assert of_kind(reading, "row not usable").what.endswith(
        "row 7: no naming rule gives the subject of index 25 a folder"
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


def test_what_is_wrong_with_other_expressions_than_those_asked_for_is_not_told(tmp_path: Path) -> None:
    """A macro-expression without a folder changes no result on micro-expressions, and its folder is not one without a row."""
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
    assert told(reading.clips[1])[3:7] == (120, 130, 140, "midpoint")
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


def test_several_clips_lie_in_one_long_video(tmp_path: Path) -> None:
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


def test_clips_that_the_crops_lack_are_told(tmp_path: Path) -> None:
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
        ("cropped/cropped", "{}", "cropped"), ("selectedpic/selectedpic", "s{}", "selectedpic"), ("pictures", "{}", "cropped"),
        ("pictures", "s{}", "selectedpic"), ("crops", "s{}", "cropped"), (".", "{}", "cropped"), (".", "S0{}", "selectedpic"),
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


def test_rows_that_cannot_be_used_are_told_not_lost(tmp_path: Path) -> None:
    rows = [*ROWS, (1, "anger2_1", "x", 2, 3, "4", "others", "micro-expression"), (1, "anger2_2", 1, 2, 3, "4", "/", "micro-expression"),
            (1, "anger2_3", 1, 2, 3, "4", "others", "unclear"), ("a", "anger2_4", 1, 2, 3, "4", "others", "micro-expression"), (),
            (None, "anger2_5", 1, 2, 3, "4", "others", "micro-expression"), ("357 clips",), (1, "anger2_6")]  # fmt: skip
    database(tmp_path)
    workbook(tmp_path / BOOK, rows)
    reading = read(tmp_path)
    assert clips(reading) == MICRO
    assert kinds(reading) == ["row not usable"] * 5 + ["row passed over"] * 2
    said = " ".join(finding.what for finding in reading.findings)
    assert "'x' is not a whole number" in said and "row 8: no emotion is given" in said
    assert (
        "row 9: 'unclear' is neither a micro- nor a macro-expression" in said and "index a a folder" in said
    )
    assert "row 12 names no subject" in said and "row 13 names no name" in said and "row 14" in said


def test_a_label_nobody_knows_stops(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / BOOK, [*ROWS, (1, "anger2_1", 1, 2, 3, "4", "bewilderment", "micro-expression", "")])
    with pytest.raises(UnknownLabel, match="row 7: nobody knows the label 'bewilderment'"):
        read(tmp_path)


def test_a_workbook_of_another_databases_emotions_is_refused(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(
        tmp_path / BOOK, [(*row[:6], row[8], *row[7:]) for row in ROWS]
    )  # the self-report where the emotion should be
    with pytest.raises(BadInput, match="has the emotions anger, disgust, happiness"):
        read(tmp_path)


def test_the_workbook_of_blinks_is_not_the_labels(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / BOOK).unlink()
    with pytest.raises(BadInput, match=r"blink-code.xlsx: has no sheet of clips"):
        read(tmp_path)


@pytest.mark.parametrize(
    "level",
    [
        "selectedpic/s15",
        "selectedpic/s15/anger1_1",
        "rawpic/s15",
        "rawpic/s19",
        "rawpic/s15/15_0401girlcrashing",
    ],
)
def test_one_level_too_deep(tmp_path: Path, level: str) -> None:
    with pytest.raises(BadInput, match="this is a single subject or clip"):
        read(database(tmp_path) / level)


@pytest.mark.parametrize("tree", ["selectedpic", "cropped", "rawpic"])
def test_a_tree_itself_is_a_root_that_works(tmp_path: Path, tree: str) -> None:
    reading = read(database(tmp_path) / tree)
    assert clips(reading) == MICRO and reading.about["tree"].startswith(tree)


def test_bad_files_get_a_sentence(tmp_path: Path) -> None:
    database(tmp_path)
    whole = (tmp_path / BOOK).read_bytes()
    (tmp_path / f"~${BOOK}").write_bytes(b"\x05user")
    assert of_kind(read(tmp_path), "workbook is open").where == f"~${BOOK}"
    (tmp_path / BOOK).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="damaged or cut short"):
        read(tmp_path)
    with ZipFile(tmp_path / "CASME2.zip", "w") as packed:
        packed.writestr("selectedpic/s15/anger1_1/img557.jpg", b"")
    with pytest.raises(BadInput, match="packed archive"):
        read(tmp_path / "CASME2.zip")


def test_the_wrong_database_is_named_both_ways(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"this looks like CAS\(ME\)\^2, not CASME II"):
        read_dataset("casme2", database(tmp_path))
    images(tmp_path / "other" / "sub01" / "EP02_01f", [1, 2])
    with pytest.raises(BadInput, match=r"this looks like CASME II, not CAS\(ME\)\^2"):
        read_dataset("casme-sq", tmp_path / "other")


def test_selections_that_it_has_not(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(LearnetError, match=r"CAS\(ME\)\^2 has no tree 'raw'"):
        read_dataset("casme-sq", tmp_path, DatasetSubset(tree="raw"))
    with pytest.raises(LearnetError, match=r"has no --part.*--expressions micro\|macro\|all"):
        read_dataset("casme-sq", tmp_path, DatasetSubset(part="HS"))


def test_published_numbers() -> None:
    assert (CASME_SQ.people, CASME_SQ.fps, CASME_SQ.default_scheme, dict(CASME_SQ.published)) == (
        22,
        30.0,
        "casme-sq-4",
        {},
    )
    assert "57 micro" in CASME_SQ.published_source and "300 macro" in CASME_SQ.published_source
