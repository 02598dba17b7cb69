"""Part A of CAS(ME)^3: clips, recordings, and what is missing in them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme3 import read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.casme3.written import EXPECTED, ROWS, V2, book, cut, database, frames_of, recorded


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
    """Two clips in one folder, with depth maps beside it. A missing offset cannot be found there."""
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


def test_an_offset_of_zero_becomes_the_last_image_of_the_clip_and_is_reported(tmp_path: Path) -> None:
    finding = of_kind(read(database(tmp_path)), "offset from the folder")
    assert (
        finding.where == "casme3/spNO.903/e_1812"
        and "the offset is not given; the last image of the folder, 1835" in finding.what
    )


def test_subject_and_letter_alone_are_not_a_clip(tmp_path: Path) -> None:
    """The two clips of 901 a differ only in their onset: neither is a repetition, and each has a folder."""
    reading = read(database(tmp_path))
    assert "row twice" not in kinds(reading)
    assert {clip.path.name for clip in reading.clips[:2]} == {"spNo.901_a_355", "spNo.901_a_900"}
    book(tmp_path / V2, [*ROWS, ("spNO.901", "a", 355, 359, 366, "5", "II", "fear")])
    assert clips(read(tmp_path)) == EXPECTED
    assert of_kind(read(tmp_path), "row twice").serious


def test_clips_come_before_recordings_and_either_can_be_requested(tmp_path: Path) -> None:
    database(tmp_path)
    recorded(tmp_path / "part_A_split" / "part_A")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["other trees"] == "raw, part_A_split/part_A"
    assert [clip.path.name for clip in read(tmp_path, DatasetSubset(tree="raw")).clips] == ["color"] * 4


def test_a_clip_that_only_its_recording_has_is_reported(tmp_path: Path) -> None:
    database(tmp_path)
    recorded(tmp_path / "part_A")
    folder = tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame" / "spNo.901_a_900"
    for image in folder.iterdir():
        image.unlink()
    folder.rmdir()
    finding = of_kind(read(tmp_path), "row without folder")
    assert finding.serious and finding.what.endswith("the clips tree has no such folder, but raw has")


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
    st.lists(st.sampled_from(["spNO.{}", "spNo.{}", "SPNO.{}", "spno.{:03d}", " spNO.{} ", "{}"]),
             min_size=5, max_size=5),
    st.lists(st.sampled_from([str.upper, str.lower]), min_size=5, max_size=5),
    st.sampled_from(["spNo.{}_{}_{}", "spNO.{}_{}_{}", "SPNO.{}_{}_{}", "spNo.{}_{}_{:05d}",
                     "spNo.{0}_{1}_{2}/spNo.{0}_{1}_{2}", "spNo.{0}/spNo.{0}_{1}_{2}",
                     "spNo.{}_{}_{}/color"]),
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
def test_whatever_is_missing_nothing_is_lost_unreported(tmp_path_factory, marks) -> None:
    """A row gives a clip if its onset is a number and its offset can be found; else it is serious."""
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
    messages = " ".join(finding.what for finding in reading.findings if finding.serious)
    for line, (_, letter, onset, apex, offset, *_) in enumerate(rows, start=len(ROWS) + 2):
        usable = onset in (35, "35.0") or (onset == 0 and offset == 65)
        assert (letter in given) == usable and (f"row {line}:" in messages) != usable
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
    reported = [finding for finding in reading.findings if finding.kind == "frames missing"]
    assert [finding.serious for finding in reported] == [False, False]
    assert "3 of the 16 frames 0..15 do not exist; the nearest ones, 3..15, are used" in reported[0].what


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
