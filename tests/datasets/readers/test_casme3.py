"""CAS(ME)^3 on disk, parts A and C, with invented people and clips: each trap has its test."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import UnknownLabel, parse_action_units, resolve_class_scheme
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.casme3 import CASME3, read
from learnet.datasets.readers.casme3.part_a import PUBLISHED
from learnet.datasets.readers.casme3.part_c import PUBLISHED as PUBLISHED_C
from tests.builders.written_by_hand import clips, images, kinds, of_kind

V2 = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
ALL_V2, BOOK_C = "CAS(ME)3_part_A_v2.xls", "CAS(ME)3_part_C_ME.xlsx"
HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
HEADER_C = ("sub", "count", "onset", "offset", "au", "emotion")
Cells = Sequence[object]

ROWS: list[Cells] = [
    ("spNO.901", "a", 355, 359, 366, "5", "II", "others"),
    ("spNO.901", "a", 900, 905, 912, "R12", "I", "happy"),
    ("spNO.902", "J", 4, 4, 18, "1+2", "II", "surprise"),
    ("spNO.903", "e", 1812, 1824, 0, "T18+B17", "VII", "Others"),
    ("spNO.903", "f", 30, 38, 41, "4", "V", "sad"),
]
EXPECTED = [
    ("spNO.901", "a_355", "others", 355, 359, 366, "file", "5"),
    ("spNO.901", "a_900", "happiness", 900, 905, 912, "file", "R12"),
    ("spNO.902", "j_4", "surprise", 4, 4, 18, "file", "1+2"),
    ("spNO.903", "e_1812", "others", 1812, 1824, 1835, "file", "T18+B17"),
    ("spNO.903", "f_30", "sadness", 30, 38, 41, "file", "4"),
]
"""Of ROWS, where the folder of the fourth ends with image 1835."""
LAST = 1835

MACRO: list[Cells] = [
    ("spNO.901", "a", 400, 430, 470, "12", "I", "happy"),
    ("spNO.902", "b", 50, 80, 120, "4+7", "V", "anger"),
]
ROWS_C: list[Cells] = [
    (1, 1, 120, 131, "R4,5", "negative"),
    (1, 2, 300, 303, "14,L24,", "others"),
    (2, 1, 120, 140, "1\uff0c2", "surprise"),
    (23, 11, 9000, 9034, 12, "positive"),
]
EXPECTED_C = [
    ("1", "1", "negative", 120, 125, 131, "midpoint", "R4,5"),
    ("1", "2", "others", 300, 301, 303, "midpoint", "14,L24,"),
    ("2", "1", "surprise", 120, 130, 140, "midpoint", "1\uff0c2"),
    ("23", "11", "positive", 9000, 9017, 9034, "midpoint", "12"),
]


def book(
    path: Path,
    rows: Iterable[Cells] = ROWS,
    header: Cells = HEADER,
    sheets: Sequence[str] = ("label", "Sheet1", "Sheet3"),
) -> Path:
    """A workbook whose first sheet has the rows; the others are empty. Old or new by its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xls":
        old = xlwt.Workbook()
        pages = [old.add_sheet(sheet) for sheet in sheets]
        for line, row in enumerate([header, *rows]):
            for column, cell in enumerate(row):
                pages[0].write(line, column, cell)
        old.save(str(path))
        return path
    new = openpyxl.Workbook()
    new.remove(new.active)
    for sheet in sheets:
        new.create_sheet(sheet)
    for row in (header, *rows):
        new[sheets[0]].append(list(row))
    new.save(path)
    return path


def all_book(
    path: Path,
    micro: Iterable[Cells] = ROWS,
    macro: Iterable[Cells] = MACRO,
    words: Cells = ("Micro-expression", "Macro-expression"),
) -> Path:
    """The workbook of both kinds."""
    rows = [
        (*row, word) for word, block in zip(reversed(words), (macro, micro), strict=True) for row in block
    ]
    return book(path, rows, (*HEADER, "Expression type"), ("AU+Emotion", "Sheet1", "eye blink"))


def cut(tree: Path, rows: Iterable[Cells] = ROWS, folder: str = "spNo.{}_{}_{}") -> Path:
    """A folder per clip with the images from onset to offset, with the recording's numbers."""
    for subject, letter, onset, _, offset, *_ in rows:
        number, name = (
            str(subject).partition(".")[2],
            folder.format(str(subject).partition(".")[2], letter, onset),
        )
        assert number
        images(tree / name, range(int(str(onset)), (int(str(offset)) or LAST) + 1), "{}.jpg")
    return tree


def recorded(tree: Path, rows: Iterable[Cells] = ROWS, colour: str = "color") -> Path:
    """A folder per recording: from ten images before the first clip to twenty beyond the last."""
    ends: dict[tuple[str, str], list[int]] = {}
    for subject, letter, onset, _, offset, *_ in rows:
        ends.setdefault((str(subject), str(letter)), []).extend((int(str(onset)), int(str(offset)) or LAST))
    for (subject, letter), marks in ends.items():
        numbers = range(max(min(marks) - 10, 1), max(marks) + 21)
        images(tree / subject / letter / colour, numbers, "{}.jpg")
        images(tree / subject / letter / "depth", numbers, "{}.png")
    return tree


def database(root: Path, rows: Iterable[Cells] = ROWS) -> Path:
    """Part A: the workbook, the clips beside their depth maps and films."""
    rows = list(rows)
    book(root / V2, rows)
    cut(root / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame", rows)
    cut(root / "Part_A_ME_clip" / "Part_A_ME_clip" / "depth", rows)
    films = root / "Part_A_ME_clip" / "Part_A_ME_clip" / "video"
    films.mkdir()
    (films / "spNo.901_a_355.mp4").touch()
    return root


def part_c(root: Path, rows: Iterable[Cells] = ROWS_C, folder: str = "{:02d}/{}/color") -> Path:
    """Part C, by default as meb keeps it."""
    rows = list(rows)
    book(root / BOOK_C, rows, HEADER_C, ("mockCrimeME",))
    for subject, count, onset, offset, *_ in rows:
        images(
            root / "ME_C" / folder.format(int(str(subject)), count),
            range(int(str(onset)), int(str(offset)) + 1),
            "{}.jpg",
        )
    return root


def frames_of(reading: DatasetIndex, name: str) -> tuple[int, int | None, int, str]:
    (clip,) = [clip for clip in reading.clips if clip.name == name]
    return clip.onset, clip.apex, clip.offset, clip.apex_source


def test_part_a_as_clips(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == EXPECTED
    assert all(
        (clip.fps, clip.cropped, clip.kind, clip.dataset) == (30.0, False, "micro", "casme3")
        for clip in reading.clips
    )
    assert (
        reading.clips[1].path == tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame" / "spNo.901_a_900"
    )
    assert reading.clips[1].key == "casme3/spNO.901/a_900"
    assert kinds(reading, serious=True) == []
    assert reading.about["workbook"] == f"{V2}, sheet label, 8 columns, 5 rows"
    assert reading.about["tree"] == "clips, Part_A_ME_clip/Part_A_ME_clip/frame, 5 clip folders"
    assert reading.about["other trees"] == "none"
    assert reading.about["part"] == "A"


def test_part_a_as_whole_recordings(tmp_path: Path) -> None:
    """Two clips of one folder, depth maps beside, and no way to tell where an offset that is not given would be."""
    book(tmp_path / V2)
    recorded(tmp_path / "part_A")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[:3] + EXPECTED[4:]
    assert reading.clips[0].path == reading.clips[1].path == tmp_path / "part_A" / "spNO.901" / "a" / "color"
    assert (
        of_kind(reading, "clip left out").serious
        and "offset is not given" in of_kind(reading, "clip left out").what
    )
    assert reading.about["tree"] == "raw, part_A, 4 clip folders"


def test_an_offset_of_zero_becomes_the_last_image_of_the_clip_and_is_told(tmp_path: Path) -> None:
    told = of_kind(read(database(tmp_path)), "offset from the folder")
    assert (
        told.where == "casme3/spNO.903/e_1812"
        and "the offset is not given; the last image of the folder, 1835" in told.what
    )


def test_subject_and_letter_alone_are_not_a_clip(tmp_path: Path) -> None:
    """The two clips of 901 a differ by their onset only; neither is a repeated row, and each has its own folder."""
    reading = read(database(tmp_path))
    assert "row twice" not in kinds(reading)
    assert {clip.path.name for clip in reading.clips[:2]} == {"spNo.901_a_355", "spNo.901_a_900"}
    book(tmp_path / V2, [*ROWS, ("spNO.901", "a", 355, 359, 366, "5", "II", "fear")])
    assert clips(read(tmp_path)) == EXPECTED
    assert of_kind(read(tmp_path), "row twice").serious


def test_clips_come_before_recordings_and_either_can_be_asked_for(tmp_path: Path) -> None:
    database(tmp_path)
    recorded(tmp_path / "part_A_split" / "part_A")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["other trees"] == "raw, part_A_split/part_A"
    assert [clip.path.name for clip in read(tmp_path, DatasetSubset(tree="raw")).clips] == ["color"] * 4


def test_a_clip_that_only_its_recording_has_is_told(tmp_path: Path) -> None:
    database(tmp_path)
    recorded(tmp_path / "part_A")
    folder = tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame" / "spNo.901_a_900"
    for image in folder.iterdir():
        image.unlink()
    folder.rmdir()
    told = of_kind(read(tmp_path), "row without folder")
    assert told.serious and told.what.endswith("the clips tree has no such folder, but raw has")


def test_depth_maps_and_films_are_no_clips(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert {clip.path.parent.name for clip in reading.clips} == {"frame"}
    assert "clip folder twice" not in kinds(reading) and "folder without row" not in kinds(reading)
    with pytest.raises(
        BadInput, match="this holds depth maps or films, not the colour images. Give the folder above it"
    ):
        read(tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "depth")
    book(tmp_path / "only" / V2)
    recorded(tmp_path / "only" / "part_A", colour="depth")
    with pytest.raises(BadInput, match="there are no folders of clips"):
        read(tmp_path / "only")


@given(
    st.lists(st.sampled_from(["spNO.{}", "spNo.{}", "SPNO.{}", "spno.{:03d}", " spNO.{} ", "{}"]), min_size=5, max_size=5),
    st.lists(st.sampled_from([str.upper, str.lower]), min_size=5, max_size=5),
    st.sampled_from(["spNo.{}_{}_{}", "spNO.{}_{}_{}", "SPNO.{}_{}_{}", "spNo.{}_{}_{:05d}",
                     "spNo.{0}_{1}_{2}/spNo.{0}_{1}_{2}", "spNo.{0}/spNo.{0}_{1}_{2}", "spNo.{}_{}_{}/color"]),
    st.lists(st.sampled_from(["Part_A_ME_clip", "frame", "spNO", "CASME3"]), max_size=3),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_padding_case_and_nesting_of_clips_do_not_matter(
    tmp_path_factory, subjects, cases, folder, above
) -> None:
    root = tmp_path_factory.mktemp("cut")
    rows = [
        (subject.format(int(row[0][5:])), case(row[1]), *row[2:])
        for subject, case, row in zip(subjects, cases, ROWS, strict=True)
    ]
    book(root / V2, rows)
    cut(root.joinpath(*above), ROWS, folder)
    assert clips(read(root)) == EXPECTED


@given(
    st.sampled_from([str.upper, str.lower, str]),
    st.sampled_from(["{0}/{1}", "{0}/{0}/{1}", "{0}/{0}/{0}/{1}", "{0}/{1}/{1}"]),
    st.sampled_from(["color", "Color", "colour", "RGB", "."]),
    st.lists(
        st.sampled_from(["part_A", "part_A_split", "Compressed_version1_seperate_compress", "a"]), max_size=3
    ),
)
@settings(max_examples=40, deadline=None)
def test_case_and_nesting_of_recordings_do_not_matter(tmp_path_factory, case, doubled, colour, above) -> None:
    root = tmp_path_factory.mktemp("raw")
    book(root / V2)
    for subject, letter, numbers in (
        ("901", "a", [*range(350, 370), *range(890, 920)]),
        ("902", "J", range(3, 40)),
        ("903", "f", range(8, 60)),
    ):
        images(
            root.joinpath(*above) / doubled.format(f"spNO.{subject}", case(letter)) / colour,
            numbers,
            "{}.jpg",
        )
    assert clips(read(root)) == EXPECTED[:3] + EXPECTED[4:]


ONSETS, APEXES, OFFSETS = ("", "/", "-", "x", 0, 35, "35.0"), ("", "/", 0, 60, "61.0"), ("", "/", 0, 65)


@given(
    st.lists(
        st.tuples(st.sampled_from(ONSETS), st.sampled_from(APEXES), st.sampled_from(OFFSETS)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_missing_nothing_is_lost_without_a_word(tmp_path_factory, marks) -> None:
    """A row gives a clip if its onset is a number and its offset can be told; else it is told by its line, and seriously."""
    root = database(tmp_path_factory.mktemp("missing"))
    rows = [
        ("spNO.905", letter, *frames, "5", "II", "fear")
        for letter, frames in zip("abcd", marks, strict=False)
    ]
    book(root / V2, [*ROWS, *rows])
    for _, letter, onset, *_ in rows:
        if number := str(onset).partition(".")[0]:
            images(
                root / "Part_A_ME_clip" / f"spNo.905_{letter}_{number.strip('/')}",
                range(1 if onset == 0 else 35, 66),
                "{}.jpg",
            )
    reading = read(root)
    assert clips(reading)[:5] == EXPECTED
    given = {clip.name[0]: clip for clip in reading.clips if clip.subject == "spNO.905"}
    told = " ".join(finding.what for finding in reading.findings if finding.serious)
    for line, (_, letter, onset, apex, offset, *_) in enumerate(rows, start=len(ROWS) + 2):
        usable = onset in (35, "35.0") or (onset == 0 and offset == 65)
        assert (letter in given) == usable and (f"row {line}:" in told) != usable
        if usable:
            middle = 1 if (onset, apex) == (0, 0) else 33 if onset == 0 else 50
            assert (given[letter].apex, given[letter].offset) == ({60: 60, "61.0": 61}.get(apex, middle), 65)


def test_an_onset_of_zero_is_the_first_image(tmp_path: Path) -> None:
    rows = [
        ("spNO.904", "e", 0, 0, 15, "4", "V", "disgust"),
        ("spNO.904", "f", 0, 9, 15, "4", "V", "disgust"),
    ]
    book(tmp_path / V2, rows)
    for letter in "ef":
        images(tmp_path / "frame" / f"spNo.904_{letter}_0", range(3, 16), "{}.jpg")
    reading = read(tmp_path)
    assert frames_of(reading, "e_0") == (3, 3, 15, "repaired")
    assert frames_of(reading, "f_0") == (3, 9, 15, "file")
    told = [finding for finding in reading.findings if finding.kind == "frames missing"]
    assert [finding.serious for finding in told] == [False, False]
    assert "3 of the 16 frames 0..15 do not exist; the nearest ones, 3..15, are used" in told[0].what


def test_frames_that_are_missing_inside_are_normal_up_to_a_quarter(tmp_path: Path) -> None:
    """One of 12 frames is as the owners say it is; four of 12 are another movement."""
    database(tmp_path)
    folder = tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame" / "spNo.901_a_355"
    for number, serious in ((357, False), (359, False), (361, False), (363, True)):
        (folder / f"{number}.jpg").unlink()
        assert of_kind(read(tmp_path), "frames missing").serious == serious
    assert "4 of the 12 frames 355..366 do not exist" in of_kind(read(tmp_path), "frames missing").what
    assert frames_of(read(tmp_path), "a_355") == (355, 360, 366, "repaired")


def test_an_apex_on_the_onset_is_kept(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert frames_of(reading, "j_4") == (4, 4, 18, "file")
    assert of_kind(reading, "apex on the border").what.endswith("the apex 4 is the onset; kept")


REPAIRED: list[Cells] = [
    ("spNO.149", "d", 112, 83, 130, "4", "V", "disgust"),
    ("spNO.216", "d", 3647, 2655, 2660, "4", "V", "disgust"),
    ("spNO.216", "e", 0, 0, 16, "4", "V", "disgust"),
    ("spNO.214", "c", 20, 26, 3460, "4", "V", "disgust"),
    ("spNO.40", "e", 1812, 1824, 0, "4", "V", "disgust"),
    ("spNO.40", "e", 2327, 2363, 0, "4", "V", "disgust"),
]
"""Subject, letter and the wrong frames are from the table of facts, the others invented."""


@pytest.mark.parametrize("tree", ["raw", "clips"])
def test_the_published_repairs(tmp_path: Path, tree: str) -> None:
    """In the tree of clips the folder is called by the onset as the workbook has it, or as it should be."""
    book(tmp_path / V2, REPAIRED)
    for subject, letter, onset, first, last in (
        ("149", "d", 112, 100, 150), ("216", "d", 2647, 2600, 2700), ("216", "e", 0, 1, 30), ("214", "c", 20, 8, 60),
        ("40", "e", 1812, 1810, 1860), ("40", "e", 2327, 2320, 2420),
    ):  # fmt: skip
        folder = (
            f"spNo.{subject}_{letter}_{onset}" if tree == "clips" else f"part_A/spNO.{subject}/{letter}/color"
        )
        images(tmp_path / folder, range(first, last + 1), "{}.jpg")
    reading = read(tmp_path)
    assert [
        (clip.subject, clip.name, clip.onset, clip.apex, clip.offset, clip.apex_source)
        for clip in reading.clips
    ] == [
        ("spNO.149", "d_112", 112, 123, 130, "repaired"),
        ("spNO.216", "d_3647", 2647, 2655, 2660, "file"),
        ("spNO.216", "e_0", 1, 1, 16, "repaired"),
        ("spNO.214", "c_20", 20, 26, 34, "file"),
        ("spNO.40", "e_1812", 1812, 1824, 1845, "file"),
        ("spNO.40", "e_2327", 2327, 2363, 2403, "file"),
    ]
    told = [finding.kind for finding in reading.findings if "as published by meb" in finding.what]
    assert told == [
        "apex repaired",
        "onset repaired",
        "onset and apex repaired",
        "offset repaired",
        "offset repaired",
        "offset repaired",
    ]
    assert reading.findings[0].what == f"{V2} row 2: apex 83 becomes 123, as published by meb"


def test_a_repair_takes_only_the_row_that_is_still_wrong(tmp_path: Path) -> None:
    """Another subject, another letter, another frame, or a row that is right already."""
    rows = [("spNO.148", "d", 112, 83, 130, "4", "V", "fear"), ("spNO.149", "c", 112, 83, 130, "4", "V", "fear"),
            ("spNO.149", "d", 112, 115, 130, "4", "V", "fear"), ("spNO.216", "d", 2647, 2655, 2660, "4", "V", "fear")]  # fmt: skip
    book(tmp_path / V2, rows)
    recorded(tmp_path / "part_A", rows)
    reading = read(tmp_path)
    assert [(clip.onset, clip.apex, clip.apex_source) for clip in reading.clips] == [
        (112, 121, "midpoint"), (112, 121, "midpoint"), (112, 115, "file"), (2647, 2655, "file"),
    ]  # fmt: skip
    assert not any("meb" in finding.what for finding in reading.findings)


def test_a_repair_that_makes_no_sense_is_not_applied(tmp_path: Path) -> None:
    """Whether 34 is the offset of spNO.214 c depends on an onset that nobody quotes: after 34 it cannot be."""
    rows = [
        ("spNO.214", "c", 3450, 3455, 3460, "4", "V", "fear"),
        ("spNO.149", "d", 112, 83, 120, "4", "V", "fear"),
    ]
    book(tmp_path / V2, rows)
    cut(tmp_path / "frame", rows)
    reading = read(tmp_path)
    assert frames_of(reading, "c_3450") == (3450, 3455, 3460, "file")
    assert frames_of(reading, "d_112") == (112, 116, 120, "midpoint")
    assert kinds(reading).count("repair not applied") == 2


V1 = ("cas(me)3_part_A_ME_label_JpgIndex_v1.xls", "CAS(ME)3_part_A_v1.xls")


def first_version(root: Path, name: str) -> Path:
    """Version 1 has a row that version 2 calls a macro-expression, and two columns without a name."""
    rows = [*ROWS, ("spNO.901", "a", 400, 430, 470, "12", "I", "happy")]
    if "JpgIndex" in name:
        return book(root / name, [(*row, "", "1") for row in rows], (*HEADER, "", ""))
    return all_book(root / name, rows, MACRO[1:])


@pytest.mark.parametrize("name", V1)
def test_version_1_is_used_only_if_nothing_else_is_there_and_then_seriously_told(
    tmp_path: Path, name: str
) -> None:
    database(tmp_path)
    cut(tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame", MACRO[:1])
    first_version(tmp_path, name)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["workbook"].startswith(V2) and reading.about["other workbooks"] == name
    assert kinds(reading, serious=True) == []
    told = of_kind(reading, "version superseded")
    assert (
        told.where == name
        and "version 1, in which macro-expressions are labelled micro" in told.what
        and told.what.endswith("it is not used")
    )
    assert of_kind(reading, "versions differ in rows").where == "casme3/spNO.901/a_400"

    (tmp_path / V2).unlink()
    reading = read(tmp_path)
    assert len(reading.clips) == 6
    assert of_kind(reading, "version superseded").serious and of_kind(
        reading, "version superseded"
    ).what.endswith("it is used")


def test_version_2_under_another_name_goes_before_version_1(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / V2).rename(tmp_path / "labels.xlsx")
    first_version(tmp_path, V1[0])
    assert read(tmp_path).about["workbook"].startswith("labels.xlsx")


def test_version_1_under_another_name_is_told_by_its_rows(tmp_path: Path) -> None:
    rows = [
        ("spNO.901", "a", onset, onset + 2, onset + 5, "4", "V", "fear") for onset in range(100, 100 + 921)
    ]
    book(tmp_path / "labels.xlsx", rows)
    images(tmp_path / "part_A" / "spNO.901" / "a" / "color", range(8, 1100), "{}.jpg")
    assert of_kind(read(tmp_path), "version superseded").serious
    book(tmp_path / "labels.xlsx", rows[:860])
    assert "version superseded" not in kinds(read(tmp_path))


def test_the_list_of_what_version_1_has_wrong_is_no_workbook(tmp_path: Path) -> None:
    database(tmp_path)
    wrong = "CAS(ME)3_part_A_wrongly_labeled_me_in_V1.xlsx"
    book(tmp_path / wrong, MACRO)
    assert kinds(read(tmp_path), serious=True) == [] and "workbook not used" not in kinds(read(tmp_path))
    (tmp_path / V2).unlink()
    with pytest.raises(
        BadInput, match="lists rows that are wrong in version 1, not labels. Use cas\\(me\\)3_part_A_ME_label"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("Micro-expression", "Macro-expression"),
        ("micro", "macro"),
        ("ME", "MaE"),
        (" MICRO EXPRESSION", "macroexpression "),
    ],
)
def test_macro_expressions_are_in_the_workbook_of_all(tmp_path: Path, words: Cells) -> None:
    database(tmp_path)
    all_book(tmp_path / ALL_V2, words=words)
    cut(tmp_path / "Part_A_MaE_clip" / "frame", MACRO)
    micro, macro, both = (
        read(tmp_path, DatasetSubset(expressions=wish)) for wish in ("micro", "macro", "all")
    )
    assert clips(micro) == EXPECTED and kinds(micro, serious=True) == []
    assert clips(macro) == [
        ("spNO.901", "a_400", "happiness", 400, 430, 470, "file", "12"),
        ("spNO.902", "b_50", "anger", 50, 80, 120, "file", "4+7"),
    ]
    assert {clip.kind for clip in macro.clips} == {"macro"} and {clip.kind for clip in micro.clips} == {
        "micro"
    }
    assert both.clips == macro.clips + micro.clips  # in the workbook's order
    assert macro.published == {}  # nobody counted them by emotion
    assert both.about["workbook"].startswith(ALL_V2) and micro.about["workbook"].startswith(V2)
    assert kinds(macro, serious=True) == kinds(both, serious=True) == []
    (tmp_path / V2).unlink()
    assert clips(read(tmp_path)) == EXPECTED  # its micro-expressions are those of the other workbook


def test_all_expressions_of_recordings_leave_no_recording_without_a_row(tmp_path: Path) -> None:
    book(tmp_path / V2)
    all_book(tmp_path / ALL_V2)
    recorded(tmp_path / "part_A", [*ROWS, *MACRO, ("spNO.905", "c", 20, 25, 30)])
    both = read(tmp_path, DatasetSubset(expressions="all"))
    assert len(both.clips) == 6
    assert [finding.where for finding in both.findings if finding.kind == "folder without row"] == [
        "part_A/spNO.905/c/color"
    ]


def test_a_frame_at_which_a_micro_and_a_macro_expression_begin_is_seriously_told(tmp_path: Path) -> None:
    database(tmp_path)
    all_book(tmp_path / ALL_V2, macro=[*MACRO, ("spNO.901", "a", 355, 380, 399, "12", "I", "happy")])
    cut(tmp_path / "Part_A_MaE_clip" / "frame", MACRO)
    both = read(tmp_path, DatasetSubset(expressions="all"))
    assert len({clip.key for clip in both.clips}) == len(both.clips) == 7
    assert [finding.where for finding in both.findings if finding.kind == "row twice"] == [
        "casme3/spNO.901/a_355"
    ]


def test_macro_expressions_need_their_workbook_and_their_column(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(
        BadInput,
        match="has no column `Expression type`, so no macro-expressions. They are in CAS\\(ME\\)3_part_A_v2.xls",
    ):
        read(tmp_path, DatasetSubset(expressions="macro"))
    all_book(tmp_path / ALL_V2, words=("Micro-expression", "blink"))
    told = [
        finding
        for finding in read(tmp_path, DatasetSubset(expressions="micro")).findings
        if finding.kind == "row not usable"
    ]
    assert not told  # of a workbook that is not used
    (tmp_path / V2).unlink()
    told = [finding for finding in read(tmp_path).findings if finding.kind == "row not usable"]
    assert (
        len(told) == 2
        and told[0].serious
        and "'blink' is neither a micro- nor a macro-expression" in told[0].what
    )


def test_a_row_that_does_not_say_its_kind_is_told(tmp_path: Path) -> None:
    database(tmp_path).joinpath(V2).unlink()
    all_book(tmp_path / ALL_V2, macro=[], words=("Micro-expression", ""))
    assert clips(read(tmp_path)) == EXPECTED
    all_book(tmp_path / ALL_V2, micro=ROWS[1:], macro=ROWS[:1], words=("Micro-expression", ""))
    assert clips(read(tmp_path)) == EXPECTED[1:]
    assert "'' is neither a micro- nor a macro-expression" in of_kind(read(tmp_path), "row not usable").what


def test_for_all_expressions_a_recording_goes_before_clips(tmp_path: Path) -> None:
    """Who has the clips of micro-expressions and the recordings has macro-expressions in the recordings only."""
    database(tmp_path)
    all_book(tmp_path / ALL_V2)
    recorded(tmp_path / "part_A", [*ROWS, *MACRO])
    for wish, number in (("micro", 5), ("macro", 2), ("all", 6)):
        reading = read(tmp_path, DatasetSubset(expressions=wish))
        assert (len(reading.clips), reading.about["tree"].split(",")[0]) == (
            number,
            "clips" if wish == "micro" else "raw",
        )


def test_a_workbook_of_all_expressions_without_their_type_is_refused(tmp_path: Path) -> None:
    rows = [
        ("spNO.901", "a", onset, onset + 2, onset + 5, "4", "V", "fear") for onset in range(100, 100 + 922)
    ]
    book(tmp_path / "labels.xlsx", rows)
    images(tmp_path / "part_A" / "spNO.901" / "a" / "color", range(8, 1100), "{}.jpg")
    with pytest.raises(BadInput, match="has 922 rows and no column `Expression type`"):
        read(tmp_path)


def test_rows_that_cannot_be_used_are_told_not_lost(tmp_path: Path) -> None:
    database(tmp_path)
    book(tmp_path / V2, [*ROWS, ("nobody", "a", 1, 2, 3, "4", "V", "fear"), ("spNO.901", "a2", 1, 2, 3, "4", "V", "fear"),
                         ("spNO.901", "a", "/", 2, 3, "4", "V", "fear"), ("spNO.901", "a", "x", 2, 3, "4", "V", "fear"),
                         ("spNO.901", "a", 1, 2, 3, "4", "V", "/"), ("spNO.901", "", 1, 2, 3, "4", "V", "fear")])  # fmt: skip
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["row not usable"] * 5 + ["row passed over"]
    said = " ".join(finding.what for finding in reading.findings)
    assert (
        "'nobody' is not a subject such as spNO.1" in said and "'a2' is not the letter of a recording" in said
    )
    assert (
        "no onset is given" in said and "'x' is not a whole number" in said and "no emotion is given" in said
    )


def test_a_label_nobody_knows_stops_with_its_row(tmp_path: Path) -> None:
    database(tmp_path)
    book(tmp_path / V2, [*ROWS, ("spNO.901", "b", 1, 2, 3, "4", "V", "bewilderment")])
    with pytest.raises(UnknownLabel, match=r"v2.xlsx row 7: nobody knows the label 'bewilderment'"):
        read(tmp_path)


def test_part_c_as_meb_keeps_it(tmp_path: Path) -> None:
    reading = read(part_c(tmp_path), DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    assert all((clip.fps, clip.cropped, clip.kind) == (30.0, False, "micro") for clip in reading.clips)
    assert reading.about["part"] == "C" and reading.about["tree"] == "clips, ME_C, 4 clip folders"
    assert reading.about["workbook"] == "CAS(ME)3_part_C_ME.xlsx, sheet mockCrimeME, 6 columns, 4 rows"
    assert kinds(reading) == ["apex not given"] * 4
    assert [[unit.number for unit in parse_action_units(clip.action_units)] for clip in reading.clips] == [
        [4, 5],
        [14, 24],
        [1, 2],
        [12],
    ]
    assert (
        resolve_class_scheme("auto", ["casme3"], [clip.emotion for clip in reading.clips]).name == "casme3-4"
    )


@given(
    st.sampled_from(["{:02d}/{}/color", "{}/{}/color", "{:02d}/{}", "sub{:02d}/{:02d}", "spNO.{}/{}/rgb", "{0:02d}/{0:02d}/{1}",
                     "{:02d}_{:02d}", "spNo.{0}/spNo.{0}_{1}/color"]),
    st.lists(st.sampled_from(["part_C", "frame", "C", "Part_C_ME_clip"]), max_size=3),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_padding_and_nesting_of_part_c_do_not_matter(tmp_path_factory, folder, above) -> None:
    root = part_c(tmp_path_factory.mktemp("c"), folder="/".join([*above, folder]))
    assert clips(read(root, DatasetSubset(part="C"))) == EXPECTED_C


def test_part_c_as_whole_recordings(tmp_path: Path) -> None:
    """Nobody tells how the owners lay part C out; a folder per person is told by what the rows name."""
    part_c(tmp_path)
    (tmp_path / "ME_C").rename(tmp_path.parent / f"{tmp_path.name}-away")
    for subject, first, last in ((1, 100, 400), (2, 100, 200), (23, 8990, 9100)):
        images(tmp_path / "part_C" / f"{subject}" / "color", range(first, last), "{}.jpg")
        images(tmp_path / "part_C" / f"{subject}" / "depth", range(first, last), "{}.png")
    reading = read(tmp_path, DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    assert reading.about["tree"] == "raw, part_C, 3 clip folders"


def test_a_damaged_preferred_workbook_is_serious_where_another_is_taken(tmp_path: Path) -> None:
    cut(tmp_path / "Part_A_ME_clip" / "frame")
    all_book(tmp_path / ALL_V2)
    (tmp_path / V2).write_bytes(book(tmp_path / "whole.xlsx").read_bytes()[:3000])
    (tmp_path / "whole.xlsx").unlink()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    told = of_kind(reading, "workbook not used")
    assert told.where == V2 and told.serious and told.what.endswith(f"{ALL_V2} is used in its place.")


def test_the_other_list_of_part_c_is_named_and_not_used(tmp_path: Path) -> None:
    part_c(tmp_path)
    rows = [(1, 120, 131, 12, 1, ""), (1, 300, 303, 4, 1, ""), (2, 500, 540, 41, 0, "")]
    book(
        tmp_path / "CAS(ME)3_part_C.xls",
        rows,
        ("Subject", "Onset", "Offset", "diff", "Exp_type", "risk"),
        ("organize",),
    )
    reading = read(tmp_path, DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    told = of_kind(reading, "workbook not used")
    assert told.where == "CAS(ME)3_part_C.xls" and not told.serious
    assert (
        "has 2 micro-expressions without the numbers of their clips; CAS(ME)3_part_C_ME.xlsx has 165"
        in told.what
    )


def test_both_parts_in_one_folder_are_kept_apart(tmp_path: Path) -> None:
    part_c(database(tmp_path))
    recorded(tmp_path / "part_A")
    a, c = read(tmp_path), read(tmp_path, DatasetSubset(part="C"))
    assert clips(a) == EXPECTED and clips(c) == EXPECTED_C
    assert read(tmp_path, DatasetSubset(part="A")) == a
    assert not {clip.person for clip in a.clips} & {clip.person for clip in c.clips}
    assert kinds(c) == ["apex not given"] * 4 and "workbook not used" not in kinds(a)
    assert (a.published, c.published) == (PUBLISHED, PUBLISHED_C)
    with pytest.raises(
        LearnetError, match="Part C of CAS\\(ME\\)\\^3 has micro-expressions only. Leave out --expressions"
    ):
        read(tmp_path, DatasetSubset(part="C", expressions="all"))


def test_rows_of_part_c_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    bad = [
        ("x", 1, 5, 9, "4", "negative"),
        (1, "a", 5, 9, "4", "negative"),
        (3, 1, 5, 9, "4", ""),
        (23, 11, 9000, 9034, 12, "negative"),
    ]
    part_c(tmp_path)
    book(tmp_path / BOOK_C, [*ROWS_C, *bad], HEADER_C, ("mockCrimeME",))
    reading = read(tmp_path, DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    assert kinds(reading, serious=True) == ["row not usable"] * 3 + ["row twice"]


@pytest.mark.parametrize("way", ["spNO.901", "spNO.901/a", "spNO.901/a/color"])
def test_one_subject_or_clip_is_not_the_database(tmp_path: Path, way: str) -> None:
    book(tmp_path / V2)
    recorded(tmp_path / "part_A")
    with pytest.raises(BadInput, match="this is a single subject or clip, not the database"):
        read(tmp_path / "part_A" / way)


def test_another_database_and_what_casme3_is_not(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(BadInput, match=r"this looks like CAS\(ME\)\^3, not CASME II"):
        read_dataset("casme2", tmp_path)
    with pytest.raises(LearnetError, match=r"CAS\(ME\)\^3 has no part 'B'. Choose from A, C"):
        read_dataset("casme3", tmp_path, DatasetSubset(part="B"))


def test_a_lock_file_and_a_damaged_workbook(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / f"~${V2}").write_bytes(b"\x04Anna" + bytes(160))
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and "workbook is open" in kinds(reading)
    data = (tmp_path / V2).read_bytes()
    (tmp_path / V2).write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match="is damaged or cut short"):
        read(tmp_path)


def test_published_numbers_add_up() -> None:
    assert (sum(PUBLISHED.values()), sum(PUBLISHED_C.values())) == (860, 165)
    assert PUBLISHED == {
        "disgust": 250,
        "surprise": 187,
        "others": 158 + 3,
        "fear": 86,
        "anger": 64,
        "sadness": 57,
        "happiness": 55,
    }
    assert (CASME3.people, CASME3.fps, CASME3.default_scheme) == (94, 30.0, "casme3-7")
