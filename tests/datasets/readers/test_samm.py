"""SAMM on disk, in every version of its workbook, with invented clips: each trap has its test."""

from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel, parse_action_units
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.samm import PUBLISHED, SAMM, read
from learnet.datasets.synthetic.layouts import LAYOUTS
from tests.builders.written_by_hand import clip_fields, clips, images, kinds, of_kind
from tests.datasets.readers.written.samm import (
    EXPECTED,
    HEADER,
    LONG_NAME,
    NAME,
    ROWS,
    changed,
    database,
    long_videos,
    tree,
    workbook,
)


def test_the_workbook_below_its_notes_and_both_paddings(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == EXPECTED
    assert (tmp_path / "SAMM" / "006" / "006_1_91" / "006_05562.jpg").exists() and (
        tmp_path / "SAMM/009/009_3_92/009_0083.jpg"
    ).exists()
    assert all(not clip.cropped and clip.fps == 200.0 and clip.kind == "micro" for clip in reading.clips)
    assert (
        reading.clips[0].path == tmp_path / "SAMM" / "006" / "006_1_91"
        and reading.clips[0].key == "samm/006/006_1_91"
    )
    assert kinds(reading) == ["apex outside the clip"] and kinds(reading, serious=True) == []
    assert reading.about["workbook"] == f"{NAME}, sheet MICRO_ONLY, 12 columns, 4 rows"
    assert reading.about["tree"] == "raw, SAMM, 4 clip folders"
    assert (
        of_kind(reading, "apex outside the clip").what
        == f"{NAME} row 17: 1400 is not in 1050..1120; the middle frame 1085 is used"
    )


@pytest.mark.parametrize("name", [NAME, "SAMM_20181215_Micro_FACS_Codes_v2.xlsx", "labels (1).XLSX"])
@pytest.mark.parametrize(
    "notes, sheet", [(0, "Sheet1"), (1, "MICRO_ONLY"), (13, "MICRO_ONLY"), (20, "Sheet1")]
)
def test_the_header_is_found_by_its_words(tmp_path: Path, name: str, notes: int, sheet: str) -> None:
    workbook(tmp_path / name, notes=notes, sheet=sheet)
    tree(tmp_path / "SAMM")
    assert clips(read(tmp_path)) == EXPECTED


def test_the_label_sheet_may_stand_behind_another(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(workbook(tmp_path / NAME))
    book.create_sheet("About", 0).append(["Subject", "numbers below"])
    book.save(tmp_path / NAME)
    tree(tmp_path / "SAMM")
    assert clips(read(tmp_path)) == EXPECTED


def test_a_number_for_a_subject_keeps_the_person_key(tmp_path: Path) -> None:
    database(tmp_path, [(int(row[0]), *row[1:]) for row in ROWS])
    assert [clip.person for clip in read(tmp_path).clips] == ["samm/006", "samm/009", "samm/028", "samm/037"]


@given(
    st.lists(st.sampled_from(["{}", "{0}/{0}", ".", "sub{}", "s{}"]), min_size=4, max_size=4),
    st.lists(st.sampled_from(["{:03d}", "{}", "{:02d}"]), min_size=4, max_size=4),
    st.integers(0, 3),
    st.sampled_from(["", "{0}", "images"]),
    st.sampled_from(["{:04d}", "{:05d}", "{}", "{:09d}"]),
    st.sampled_from([".jpg", ".JPG", ".png", ".jpg.jpg"]),
    st.integers(0, 15),
)
@settings(max_examples=40, deadline=None)
def test_levels_padding_and_case_do_not_matter(
    tmp_path_factory, levels, subjects, depth, below, digits, suffix, notes
) -> None:
    root = tmp_path_factory.mktemp("levels")
    rows = [(subject.format(int(row[0])), *row[1:]) for subject, row in zip(subjects, ROWS, strict=True)]
    workbook(root / NAME, rows, notes=notes)
    for level, (subject, name, _, onset, _, offset, *_) in zip(levels, ROWS, strict=True):
        folder = root / "/".join(["SAMM"] * depth) / level.format(subject) / name / below.format(name)
        images(folder, range(onset, offset + 1), f"{subject}_{digits}{suffix}")
    reading = read(root)
    assert clips(reading) == EXPECTED
    assert kinds(reading) == ["apex outside the clip"]
    assert len(reading.about["tree"].split(", ")) == 3  # one tree, whatever lies between it and its clips


def test_crops_are_another_tree(tmp_path: Path) -> None:
    tree(database(tmp_path) / "SAMM_CROP")
    assert read(tmp_path).about["other trees"] == "cropped, SAMM_CROP"
    reading = read(tmp_path, DatasetSubset(tree="cropped"))
    assert clips(reading) == EXPECTED
    assert all(clip.cropped and clip.path.is_relative_to(tmp_path / "SAMM_CROP") for clip in reading.clips)
    assert all(clip.cropped for clip in read(tmp_path / "SAMM_CROP").clips)
    (tmp_path / NAME).rename(tmp_path / "SAMM_CROP" / NAME)
    assert read(tmp_path / "SAMM_CROP").about["tree"] == "cropped, SAMM_CROP, 4 clip folders"


@pytest.mark.parametrize("name", [LONG_NAME, "A.xlsx"])
def test_the_long_videos_beside_are_nothing_of_this(tmp_path: Path, name: str) -> None:
    """Their workbook has the same clips without emotions, and their folders are not clips."""
    long_videos(database(tmp_path))
    (tmp_path / LONG_NAME).rename(tmp_path / name)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["workbook"].startswith(NAME) and reading.about["other workbooks"] == "none"
    assert reading.about["tree"] == "raw, SAMM, 4 clip folders"
    assert kinds(reading) == ["apex outside the clip"] + ["workbook not used"] * (name == "A.xlsx")


def test_the_long_videos_alone_are_not_the_database(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there are no folders of clips"):
        read(long_videos(tmp_path / "long"))
    tree(long_videos(tmp_path / "both") / "SAMM")
    with pytest.raises(BadInput, match=f"{LONG_NAME}: lacks the column emotion"):
        read(tmp_path / "both")


@pytest.mark.parametrize("written", ["Other", "Others", "others", " OTHER "])
def test_words_with_capitals_and_both_others(tmp_path: Path, written: str) -> None:
    assert read(database(tmp_path, changed(3, emotion=written))).clips[3].emotion == "others"


def test_an_unknown_label_stops(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match=f"{NAME} row 18: the label 'Bored' is not known"):
        read(database(tmp_path, changed(3, emotion="Bored")))


@pytest.mark.parametrize(
    "written, numbers",
    [
        ("(R6 or R12)+R15", [6, 15]), ("R14A or 17A or 24A", [14]), ("ref(7B)+43", [7, 43]),
        ("10A/B", [10]), ("A/L12", [12]),
        ("T18+39", [18, 39]), ("4A/B", [4]), ("R14+17+soft focus", [14, 17]), ("A9E+ref(10)", [9, 10]),
        (4, [4]),
    ],
)  # fmt: skip
def test_odd_action_units_are_kept_as_they_are_written(
    tmp_path: Path, written: object, numbers: list[int]
) -> None:
    clip = read(database(tmp_path, changed(0, units=written))).clips[0]
    assert clip.action_units == str(written)
    assert [unit.number for unit in parse_action_units(clip.action_units)] == numbers


def test_an_apex_right_after_the_onset_is_kept(tmp_path: Path) -> None:
    """032_3_2 of the real one: another reader moves it, and no source says that it is wrong."""
    reading = read(database(tmp_path, changed(0, apex=5563)))
    assert clip_fields(reading.clips[0])[3:7] == (5562, 5563, 5632, "file")
    assert [finding.where for finding in reading.findings] == ["samm/028/028_4_93"]


@pytest.mark.parametrize("apex", [0, -1, 5561, 5633])
def test_an_apex_outside_becomes_the_middle(tmp_path: Path, apex: int) -> None:
    """No two readers agree on a repair, so none is taken."""
    reading = read(database(tmp_path, changed(0, apex=apex)))
    assert clip_fields(reading.clips[0])[3:7] == (5562, 5597, 5632, "midpoint")
    assert kinds(reading) == ["apex outside the clip"] * 2


@pytest.mark.parametrize(
    "offset, duration, more",
    [(5493, 71, []), (5493, -68, ["duration differs"]), (None, 71, []), ("/", None, [])],
)
def test_an_offset_that_cannot_be_is_the_last_image(
    tmp_path: Path, offset: object, duration: object, more: list[str]
) -> None:
    """013_1_9 of the real one has a wrong offset, with two published repairs. Its folder ends with it."""
    workbook(tmp_path / NAME, changed(0, offset=offset, duration=duration))
    tree(tmp_path / "SAMM")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert "the last image of the folder, 5632, is used" in of_kind(reading, "offset from the folder").what
    assert kinds(reading) == sorted(["apex outside the clip", "offset from the folder", *more])
    assert kinds(reading, serious=True) == []  # the folder begins at the onset, so its end is the clip's


def test_an_offset_beyond_the_last_image_is_held_to_it(tmp_path: Path) -> None:
    workbook(tmp_path / NAME, changed(0, offset=5732))
    tree(tmp_path / "SAMM")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["duration differs", "frames missing"]
    said = "5562..5732 are 171 frames, and its duration is 71; the images are 5562..5632"
    assert of_kind(reading, "duration differs").what == f"{NAME} row 15: {said}"


@pytest.mark.parametrize(
    "offset, duration, serious",
    [
        (
            5629,
            71,
            ["duration differs"],
        ),  # three images too many: under a tenth, but nobody says which number is right
        (5629, 68, []),
        (5606, 45, ["images beyond the clip"]),  # 26 of 45
    ],
)
def test_images_beyond_the_clip_are_reported(
    tmp_path: Path, offset: int, duration: int, serious: list[str]
) -> None:
    workbook(tmp_path / NAME, changed(0, offset=offset, duration=duration))
    tree(tmp_path / "SAMM")
    reading = read(tmp_path)
    assert clip_fields(reading.clips[0])[3:7] == (5562, 5588, offset, "file")
    assert of_kind(reading, "images beyond the clip").what.endswith(
        f"5562..{offset} are used, but the folder holds 5562..5632"
    )
    assert kinds(reading, serious=True) == serious


def test_a_wrong_duration_alone_changes_nothing(tmp_path: Path) -> None:
    """Where the folder confirms onset and offset, it is the duration that is wrong."""
    reading = read(database(tmp_path, changed(0, duration=70)))
    assert clips(reading) == EXPECTED
    assert not of_kind(reading, "duration differs").serious
    (tmp_path / "SAMM" / "006" / "006_1_91" / "006_05562.jpg").unlink()
    assert of_kind(read(tmp_path), "duration differs").serious


@pytest.mark.parametrize("header", [HEADER[:6] + ("",) + HEADER[7:], HEADER])
def test_a_workbook_without_durations_is_as_good(tmp_path: Path, header: Sequence) -> None:
    workbook(tmp_path / NAME, [(*row[:6], None, *row[7:]) for row in ROWS], header=header)
    tree(tmp_path / "SAMM")
    assert (clips(read(tmp_path)), kinds(read(tmp_path))) == (EXPECTED, ["apex outside the clip"])


def test_rows_that_cannot_be_used_are_reported(tmp_path: Path) -> None:
    """A clip under another person's number would stand on both sides of a split."""
    rows = [*ROWS, ("007", "006_1_95", 1, 1, 2, 3, 3, "", "4", "Anger"),
            ("he", "x", 1, 1, 2, 3, 3, "", "4", "Anger"),
            ("007", "007_1_96", 1, 1, 2, 3, 3, "", "4", None),
            ("007", "007_1_97", 1, 1.5, 2, 3, 3, "", "4", "Anger"),
            (None, "free text below the table")]  # fmt: skip
    workbook(tmp_path / NAME, rows)
    tree(tmp_path / "SAMM")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["row not usable"] * 4
    said = " ".join(finding.what for finding in reading.findings)
    assert "subject 007 cannot have the clip 006_1_95" in said and "'he' is not a subject's number" in said
    assert (
        "no emotion is given" in said and "'1.5' is not a whole number" in said and "free text below" in said
    )


@given(
    st.sets(st.integers(50, 70), min_size=1),
    st.integers(48, 72),
    st.one_of(st.none(), st.integers(0, 80)),
    st.integers(0, 90),
)
@settings(max_examples=60, deadline=None)
def test_a_clip_never_points_at_images_that_are_not_there(
    tmp_path_factory, there, onset: int, offset: int | None, apex: int
) -> None:
    root = tmp_path_factory.mktemp("frames")
    row = ("010", "010_2_98", 2, onset, apex, offset, None, "", "4", "Fear")
    workbook(root / NAME, [*ROWS, row])
    tree(root / "SAMM")
    images(root / "SAMM" / "010" / "010_2_98", there, "010_{:04d}.jpg")
    reading = read(root)
    found = [clip for clip in reading.clips if clip.name == "010_2_98"]
    about = [finding for finding in reading.findings if finding.where == "samm/010/010_2_98"]
    impossible = offset is None or offset < onset
    assert bool(found) == (
        min(there) <= onset <= max(there)
        if impossible
        else any(onset <= number <= offset for number in there)
    )
    for clip in found:
        assert {clip.onset, clip.apex, clip.offset} <= there
        if impossible:
            assert clip.offset == max(there) and "offset from the folder" in {
                finding.kind for finding in about
            }
    assert found or any(finding.serious for finding in about)


def test_roots_that_are_not_the_database(tmp_path: Path) -> None:
    database(tmp_path)
    for inside in ("006", "006/006_1_91"):
        with pytest.raises(BadInput, match="this is a single subject or clip, not the database") as refusal:
            read(tmp_path / "SAMM" / inside)
        assert f"Give {tmp_path / 'SAMM'}" in refusal.value.hint
    with pytest.raises(BadInput, match="this is a file, not a folder"):
        read(tmp_path / NAME)
    assert clips(read(tmp_path / "SAMM")) == EXPECTED  # the workbook is above
    with pytest.raises(BadInput, match="this looks like SAMM, not CASME II"):
        read_dataset("casme2", tmp_path)


def test_a_root_called_by_a_number_is_no_subject(tmp_path: Path) -> None:
    assert clips(read(database(tmp_path / "6"))) == EXPECTED
    workbook(tmp_path / "7" / NAME)
    assert clips(read(tree(tmp_path / "7", level="."))) == EXPECTED


def test_workbooks_that_are_open_cut_short_or_away_and_links_in_a_circle(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "SAMM" / "loop").symlink_to(tmp_path)
    (tmp_path / f"~${NAME}").write_bytes(b"\x04Anna" + bytes(160))
    assert (clips(read(tmp_path)), kinds(read(tmp_path))) == (
        EXPECTED,
        ["apex outside the clip", "workbook is open"],
    )
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=f"{NAME}: is damaged or cut short"):
        read(tmp_path)
    (tmp_path / NAME).unlink()
    with pytest.raises(BadInput, match=f"there is no label workbook \\({NAME}"):
        read(tmp_path / "SAMM")


def test_published_numbers_add_up() -> None:
    assert (sum(PUBLISHED.values()), SAMM.people, SAMM.default_scheme) == (159, 29, "samm-5")
    assert sum(PUBLISHED[word] for word in ("anger", "happiness", "others", "surprise", "contempt")) == 136


def test_the_synthetic_database_is_read_as_it_was_played(synthetic_database: Callable[..., Path]) -> None:
    root = synthetic_database("samm", 2, 3, 3)
    reading = read(root)
    scenes = LAYOUTS["samm"].scenes(2, 3, 3)
    assert len(reading.clips) == len(scenes) == 6
    assert kinds(reading) == ["apex outside the clip"] and kinds(reading, serious=True) == []
    for clip, scene in zip(reading.clips, scenes, strict=True):
        assert (clip.subject, clip.emotion) == (f"{scene.person:03d}", scene.emotion)
        assert clip.offset - clip.onset == scene.offset - scene.onset
        assert clip.apex_source == "midpoint" or clip.apex - clip.onset == scene.apex - scene.onset
        assert parse_action_units(clip.action_units)[
            : scene.action_units.count("+") + 1
        ] == parse_action_units(scene.action_units)
