"""4DME on disk, as far as it is known, with invented clips: each trap has its test."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel, parse_action_units
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.fourdme import FOURDME, read
from tests.builders.written_by_hand import clip_fields, clips, images, kinds, of_kind

HEADER = (
    "sub_ID", "fold_name", "Emotion", "Onset", "Apex", "Offset", "AUs", "AU4", "AU7", "AU12", "fold",
    "eye blink",
    "Positive", "Negative", "Surprise", "Repression", "Others",
)  # fmt: skip
ROWS: list[tuple] = [
    ("S91", "S91_1st_001_01_1", "Negative", 101.0, 108.0, 120.0, "AU4(k)+L7", 1, 1, 0, 1, 0, 0, 1, 0, 0, 0),
    ("S91", "S91_1st_002_01_1", "Surprise+Positive", 20.0, 25.0, 40.0, "AU12", 0, 0, 1, 1, 0, 1, 0, 1, 0, 0),
    ("S92", "S92_1st_001_02_1", "Repression", 5.0, 9.0, 18.0, "AU7", 0, 1, 0, 2, 1, 0, 0, 0, 1, 0),
]
EXPECTED = [
    ("S91", "S91_1st_001_01_1", "negative", 101, 108, 120, "file", "AU4(k)+L7"),
    ("S91", "S91_1st_002_01_1", "surprise", 20, 25, 40, "file", "AU12"),
    ("S92", "S92_1st_001_02_1", "repression", 5, 9, 18, "file", "AU7"),
]
NAME = "4DME_Labelling_Micro_release v1.xlsx"
FLAGS = ("Positive", "Negative", "Surprise", "Repression", "Others")


def workbook(path: Path, rows: Iterable[Sequence] = ROWS, header: Sequence = HEADER) -> Path:
    book = openpyxl.Workbook()
    book.active.append(list(header))
    for row in rows:
        book.active.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def tree(
    root: Path,
    rows: Iterable[Sequence] = ROWS,
    level: str = "{}",
    pattern: str = "Frame_{:09d}.jpg",
    more: int = 0,
) -> Path:
    """Onset to offset, and MORE images before and after."""
    for subject, name, _, onset, _, offset, *_ in rows:
        images(
            root / level.format(subject) / name,
            range(max(int(onset) - more, 1), int(offset) + more + 1),
            pattern,
        )
    return root


def database(root: Path, rows: Iterable[Sequence] = ROWS) -> Path:
    workbook(root / NAME, rows)
    tree(root / "gray_micro", rows)
    return root


def labelled(emotion: object, *set_flags: str) -> list[tuple]:
    """ROWS, the last of them with this emotion and these flags."""
    *others, last = ROWS
    return [*others, (*last[:2], emotion, *last[3:12], *(int(flag in set_flags) for flag in FLAGS))]


def test_the_workbook_and_the_grey_micro_clips(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == EXPECTED
    assert [clip.also for clip in reading.clips] == ["", "positive", ""]
    assert all(not clip.cropped and clip.fps == 60.0 and clip.kind == "micro" for clip in reading.clips)
    assert reading.clips[0].key == "4dme/S91/S91_1st_001_01_1"
    assert reading.clips[0].path == tmp_path / "gray_micro" / "S91" / "S91_1st_001_01_1"
    assert kinds(reading) == []
    assert reading.about["tree"] == "micro, gray_micro, 3 clip folders"
    assert reading.about["emotions"].startswith(
        "1 of 3 rows have several; the first of surprise, repression, positive"
    )
    static = [unit.static for unit in parse_action_units(reading.clips[0].action_units)]
    assert static == [True, False]


@given(
    st.permutations(range(len(HEADER))),
    st.lists(st.sampled_from(["{}", "{}'", " {} ", "{}\u2019"]), min_size=17, max_size=17),
)
@settings(max_examples=25, deadline=None)
def test_columns_are_found_by_name(tmp_path_factory, order: list[int], spelled: list[str]) -> None:
    """Their order is not known, and pre-release copies have an apostrophe behind each name."""
    root = tmp_path_factory.mktemp("columns")
    header = [form.format(HEADER[place]) for form, place in zip(spelled, order, strict=True)]
    workbook(root / NAME, [[row[place] for place in order] for row in ROWS], ["remark", *header][1:])
    tree(root / "gray_micro")
    assert (clips(read(root)), kinds(read(root))) == (EXPECTED, [])


@pytest.mark.parametrize(
    "codes", [(91.0, 91.0, 92.0), (91, 91, 92), ("91.0", "91", "s92"), ("S091", "S91 ", "sub92")]
)
def test_a_subject_is_one_person_however_it_is_written(tmp_path: Path, codes: tuple) -> None:
    workbook(tmp_path / NAME, [(code, *row[1:]) for code, row in zip(codes, ROWS, strict=True)])
    tree(tmp_path / "gray_micro")
    assert [clip.person for clip in read(tmp_path).clips] == ["4dme/S91", "4dme/S91", "4dme/S92"]


def test_frames_are_floats_and_may_be_text(tmp_path: Path) -> None:
    workbook(tmp_path / NAME, [(*row[:3], *(f"{mark:.1f}" for mark in row[3:6]), *row[6:]) for row in ROWS])
    tree(tmp_path / "gray_micro")
    assert clips(read(tmp_path)) == EXPECTED


@pytest.mark.parametrize(
    "written, first, others",
    [
        ("Surprise+Positive", "surprise", "positive"), ("Positive+Surprise", "surprise", "positive"),
        ("positive + SURPRISE", "surprise", "positive"),
        ("Negative+Repression", "repression", "negative"),
        ("Others+Negative+Positive", "positive", "negative+others"),
        ("Others+Repression+Surprise", "surprise", "repression+others"),
        ("Positive+Positive", "positive", ""), ("Others", "others", ""),
        ("Negative, Positive", "positive", "negative"),
    ],
)  # fmt: skip
def test_of_several_emotions_one_comes_first_and_none_is_lost(
    tmp_path: Path, written: str, first: str, others: str
) -> None:
    words = {first, *others.split("+")}
    reading = read(database(tmp_path, labelled(written, *(flag for flag in FLAGS if flag.lower() in words))))
    assert (reading.clips[2].emotion, reading.clips[2].also) == (first, others)
    assert kinds(reading) == []


@given(
    st.sets(st.sampled_from(FLAGS), min_size=1),
    st.sets(st.sampled_from(FLAGS)),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_flags_that_say_something_else_are_serious(
    tmp_path_factory, words: set[str], flags: set[str], random
) -> None:
    root = tmp_path_factory.mktemp("flags")
    order = sorted(words)
    random.shuffle(order)
    reading = read(database(root, labelled("+".join(order), *flags)))
    last = reading.clips[2]
    assert sorted(filter(None, {last.emotion, *last.also.split("+")})) == sorted(
        word.lower() for word in words
    )
    assert kinds(reading, serious=True) == ["emotion and flags differ"] * bool(flags and flags != words)


def test_message_about_flags_that_differ(tmp_path: Path) -> None:
    finding = of_kind(
        read(database(tmp_path, labelled("Repression", "Surprise", "Others"))), "emotion and flags differ"
    )
    assert finding.where == "4dme/S92/S92_1st_001_02_1"
    assert (
        finding.what
        == f"{NAME} row 4: the emotion is repression, the flags say surprise+others; the emotion is used"
    )


@pytest.mark.parametrize("unset", [0, 0.0, None, "", "0", "0.0", "/"])
def test_a_flag_may_be_left_out_in_many_ways(tmp_path: Path, unset: object) -> None:
    workbook(tmp_path / NAME, [(*row[:12], *(flag or unset for flag in row[12:])) for row in ROWS])
    tree(tmp_path / "gray_micro")
    assert kinds(read(tmp_path)) == []
    workbook(tmp_path / NAME, [row[:6] for row in ROWS], HEADER[:6])
    assert [clip.emotion for clip in read(tmp_path).clips] == ["negative", "surprise", "repression"]


def test_emotions_of_nobody_and_of_others(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match="row 4: the label 'Puzzled' is not known"):
        read(database(tmp_path / "a", labelled("Positive+Puzzled")))
    with pytest.raises(BadInput, match="has the emotions contempt, which 4DME does not use"):
        read(database(tmp_path / "b", labelled("Positive+Contempt")))
    reading = read(database(tmp_path / "c", labelled(None, "Repression")))
    assert clips(reading) == EXPECTED[:2]
    assert of_kind(reading, "row not usable").what.endswith("no emotion is given")


@pytest.mark.parametrize(
    "last",
    [
        (None, None, None, None, None, None, None, 1, 2, 1),
        ("Total", 3),
        ("sum", "", "", "", "", "", "", 1, 2, 1),
        (3, 3),
    ],
)
def test_the_row_of_sums_at_the_end_is_no_clip(tmp_path: Path, last: tuple) -> None:
    workbook(tmp_path / NAME, [*ROWS, last])
    tree(tmp_path / "gray_micro")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == []
    assert kinds(reading) == ["row passed over"]


def test_rows_are_not_swapped_by_their_place(tmp_path: Path) -> None:
    """One reader exchanges the contents of rows 144 and 145, without saying of which version they are."""
    rows = [
        ("S91", f"S91_1st_{place:03d}_01_1", "Positive", 1.0, 2.0, 3.0, f"AU{place}", *[0] * 5, 1, 0, 0, 0, 0)
        for place in range(267)
    ]
    reading = read(database(tmp_path, rows))
    assert [clip.action_units for clip in reading.clips] == [f"AU{place}" for place in range(267)]


@given(
    st.lists(st.sampled_from(["{}", "{0}/{0}", ".", "91", "sub_91"]), min_size=3, max_size=3),
    st.integers(0, 2),
    st.sampled_from(["", "{0}", "gray"]),
    st.sampled_from([str, str.lower, str.upper]),
    st.sampled_from(["Frame_{:09d}.jpg", "{}.png", "img{:03d}.BMP", "frame_{}.jpg"]),
    st.integers(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_levels_padding_and_case_do_not_matter(
    tmp_path_factory, levels, depth, below, case, pattern, more
) -> None:
    root = tmp_path_factory.mktemp("levels")
    workbook(root / NAME)
    for level, row in zip(levels, ROWS, strict=True):
        folder = (
            root
            / "/".join(["gray_micro"] * depth)
            / level.format(row[0])
            / case(row[1])
            / below.format(row[1])
        )
        images(folder, range(int(row[3]) - more, int(row[5]) + more + 1), pattern)
    assert (clips(read(root)), kinds(read(root))) == (EXPECTED, [])


def test_folders_of_another_form_are_found_below_their_subject(tmp_path: Path) -> None:
    rows = [(*row[:1], f"video-{place}", *row[2:]) for place, row in enumerate(ROWS)]
    assert [clip.name for clip in read(database(tmp_path, rows)).clips] == ["video-0", "video-1", "video-2"]


def test_crops_long_videos_and_other_cameras_are_other_trees(tmp_path: Path) -> None:
    """Where several are together the whole grey micro clips are used, whatever the alphabet says."""
    database(tmp_path)
    tree(tmp_path / "gray_micro_crop")
    tree(tmp_path / "long_gray_video" / "long gray video", more=50)
    tree(tmp_path / "depth_micro")
    assert read(tmp_path).about["tree"] == "micro, gray_micro, 3 clip folders"
    for name, way in (
        ("micro-cropped", "gray_micro_crop"),
        ("long", "long_gray_video/long gray video"),
        ("other", "depth_micro"),
    ):
        reading = read(tmp_path, DatasetSubset(tree=name))
        assert reading.about["tree"] == f"{name}, {way}, 3 clip folders"
        assert clips(reading) == EXPECTED
        assert {clip.cropped for clip in reading.clips} == {name == "micro-cropped"}
        assert all(clip.path.is_relative_to(tmp_path / way) for clip in reading.clips)


def test_clips_that_count_from_one_are_used_one_to_one(tmp_path: Path) -> None:
    """It is unknown how images of micro clips are numbered, but twenty images of twenty frames fit."""
    workbook(tmp_path / NAME)
    for subject, name, _, onset, _, offset, *_ in ROWS:
        images(tmp_path / "gray_micro" / subject / name, range(1, int(offset - onset) + 2), "{}.jpg")
    reading = read(tmp_path)
    assert [clip_fields(clip)[3:7] for clip in reading.clips] == [
        (1, 8, 20, "file"),
        (1, 6, 21, "file"),
        (1, 5, 14, "file"),
    ]
    assert kinds(reading) == ["frames renumbered"] * 3
    assert reading.findings[0].what == f"{NAME} row 2: 101..120 are stored here as 1..20, one to one"


@pytest.mark.parametrize("there", [range(1, 20), range(1, 22), [*range(1, 20), 21]])
def test_a_clip_of_another_length_is_not_renumbered(tmp_path: Path, there: Iterable[int]) -> None:
    workbook(tmp_path / NAME)
    tree(tmp_path / "gray_micro", ROWS[1:])
    images(tmp_path / "gray_micro" / "S91" / "S91_1st_001_01_1", there, "{}.jpg")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[1:]
    assert (
        kinds(reading) == ["clip left out"] and "perhaps renumbered" in of_kind(reading, "clip left out").what
    )


def test_long_videos_are_never_renumbered(tmp_path: Path) -> None:
    workbook(tmp_path / NAME)
    tree(tmp_path / "long_gray_video", ROWS[1:], more=50)
    images(tmp_path / "long_gray_video" / "S91" / "S91_1st_001_01_1", range(1, 21), "Frame_{:09d}.jpg")
    assert kinds(read(tmp_path)) == ["clip left out"]


def test_an_apex_that_is_missing_or_outside_becomes_the_middle(tmp_path: Path) -> None:
    rows = [(*ROWS[0][:4], None, *ROWS[0][5:]), (*ROWS[1][:4], 60.0, *ROWS[1][5:]), ROWS[2]]
    reading = read(database(tmp_path, rows))
    assert [clip_fields(clip)[4::2] for clip in reading.clips[:2]] == [(110, "midpoint"), (30, "midpoint")]
    assert kinds(reading) == ["apex not given", "apex outside the clip"]


def test_a_row_whose_folder_is_missing_is_reported(tmp_path: Path) -> None:
    """Pre-release copies lack one folder that their workbook names."""
    workbook(tmp_path / NAME)
    tree(tmp_path / "gray_micro", ROWS[:2])
    assert of_kind(read(tmp_path), "row without folder").where == "4dme/S92/S92_1st_001_02_1"


def test_the_workbook_of_the_long_videos_is_not_taken_for_the_other(tmp_path: Path) -> None:
    """It names macro-expressions as well, and which column tells them apart is not known."""
    long_name = "Micro and Macro-expression labels.xlsx"
    workbook(database(tmp_path) / long_name, labelled("Others", "Others"))
    assert (clips(read(tmp_path)), kinds(read(tmp_path)), read(tmp_path).about["other workbooks"]) == (
        EXPECTED,
        [],
        "none",
    )
    (tmp_path / NAME).unlink()
    with pytest.raises(BadInput, match=f"{long_name}: is the workbook of the long videos"):
        read(tmp_path)


def test_roots_that_are_not_the_database(tmp_path: Path) -> None:
    database(tmp_path)
    for inside in ("S91", "S92/S92_1st_001_02_1"):
        with pytest.raises(BadInput, match="this is a single subject or clip, not the database") as refusal:
            read(tmp_path / "gray_micro" / inside)
        assert f"Give {tmp_path / 'gray_micro'}" in refusal.value.hint
    assert clips(read(tmp_path / "gray_micro")) == EXPECTED  # the workbook is above
    with pytest.raises(BadInput, match="this looks like 4DME, not SAMM"):
        read_dataset("samm", tmp_path)
    (tmp_path / "gray_micro" / "loop").symlink_to(tmp_path)
    (tmp_path / f"~${NAME}").write_bytes(b"\x04Anna" + bytes(160))
    assert (clips(read(tmp_path)), kinds(read(tmp_path))) == (EXPECTED, ["workbook is open"])
    (tmp_path / NAME).write_bytes(b"PK\x03\x04")
    with pytest.raises(BadInput, match=f"{NAME}: is damaged or cut short"):
        read(tmp_path)


def test_no_published_counts() -> None:
    assert (FOURDME.published, FOURDME.people, FOURDME.default_scheme) == ({}, 0, "4dme-5")
