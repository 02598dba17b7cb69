"""Rows of a workbook against the frames that are there. CASME II serves as the example."""

import shutil
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.datasets.readers.casme2 import read
from tests.builders.written_by_hand import (
    EXPECTED,
    ROWS,
    clip_fields,
    clips,
    cropped,
    database,
    everything,
    images,
    kinds,
    nine_columns,
    of_kind,
)


def test_missing_border_and_apex_frames_become_the_nearest(tmp_path: Path) -> None:
    database(tmp_path)
    folder = tmp_path / "Cropped" / "sub01" / "EP90_01f"
    for number in (46, 47, 59, 86):
        (folder / f"reg_img{number}.jpg").unlink()
    reading = read(tmp_path)
    assert clip_fields(reading.clips[0])[3:7] == (48, 60, 85, "repaired")
    assert of_kind(reading, "frames missing").what.endswith(
        "4 of the 41 frames 46..86 do not exist; the nearest ones, 48..85, are used"
    )
    assert not of_kind(reading, "frames missing").serious  # 4 of 41 is under a tenth
    assert of_kind(reading, "apex moved").what.endswith("there is no frame 59; the nearest is 60")
    (folder / "reg_img50.jpg").unlink()
    assert of_kind(read(tmp_path), "frames missing").serious


def test_the_middle_frame_is_one_that_is_there(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "Cropped" / "sub01" / "EP90_02" / "reg_img25.jpg").unlink()
    assert (read(tmp_path).clips[1].apex, read(tmp_path).clips[1].apex_source) == (26, "midpoint")


def test_the_apex_of_a_clip_that_ends_early_is_the_middle_of_what_is_there(tmp_path: Path) -> None:
    """Frames 20..29 of 20..79: the last one is nearest to an apex at 60, and to the middle of the row."""
    for name, apex, clip in (
        ("far", 60, (20, 24, 29, "midpoint")),
        ("none", "/", (20, 24, 29, "midpoint")),
        ("near", 34, (20, 29, 29, "repaired")),
    ):
        nine_columns(tmp_path / name / "CASME2-coding.xlsx", [("02", "EP96_01", 20, apex, 79, "4", "fear")])
        images(tmp_path / name / "Cropped" / "sub02" / "EP96_01", range(20, 30), "reg_img{}.jpg")
        reading = read(tmp_path / name)
        assert clip_fields(reading.clips[0])[3:7] == clip
        assert kinds(reading, serious=True) == ["frames missing"]
    assert of_kind(read(tmp_path / "far"), "apex outside the clip").what.endswith(
        "60 is far from the existing frames 20..29; the middle one, 24, is used"
    )


def test_renumbered_frames_are_not_used_as_the_clip(tmp_path: Path) -> None:
    """Frames are 1..41 and the row has 46..86: frame 41 would be nearest to onset, apex and offset alike."""
    database(tmp_path)
    shutil.rmtree(tmp_path / "Cropped" / "sub01" / "EP90_01f")
    images(tmp_path / "Cropped" / "sub01" / "EP90_01f", range(1, 42), "reg_img{}.jpg")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[1:]
    finding = of_kind(reading, "clip left out")
    assert (
        finding.serious
        and "no frame has a number from 46 to 86; there are 1 to 41, perhaps renumbered" in finding.what
    )


def test_rows_without_folder_folders_without_images_and_clashing_numbers_are_serious(tmp_path: Path) -> None:
    everything(tmp_path)
    tree = tmp_path / "Cropped" / "Cropped"
    shutil.rmtree(tree / "sub17")
    for image in (tree / "sub24" / "EP93_02_01").iterdir():
        image.unlink()
    (tree / "sub02" / "EP91f" / "reg_img007.jpg").touch()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[:2]
    assert kinds(reading, serious=True) == ["clip left out", "clip left out", "row without folder"]
    assert "but cropped-updated and raw and raw-selected has" in of_kind(reading, "row without folder").what
    said = " ".join(finding.what for finding in reading.findings)
    assert "EP93_02_01 holds no images" in said and "reg_img007 and reg_img7 have the same number" in said


@given(
    st.sets(st.integers(30, 60), min_size=1),
    st.integers(30, 60),
    st.integers(0, 30),
    st.one_of(st.none(), st.integers(0, 70)),
)
@settings(max_examples=60, deadline=None)
def test_a_clip_never_points_at_frames_that_are_not_there(
    tmp_path_factory, there, onset: int, length: int, apex: int | None
) -> None:
    root = tmp_path_factory.mktemp("frames")
    row = ("02", "EP96_01", onset, "/" if apex is None else apex, onset + length, "4", "fear")
    nine_columns(root / "CASME2-coding.xlsx", [ROWS[0], row])
    cropped(root / "Cropped", ROWS[:1])
    images(root / "Cropped" / "sub02" / "EP96_01", there, "reg_img{}.jpg")
    found = [clip for clip in read(root).clips if clip.name == "EP96_01"]
    inside = [number for number in there if onset <= number <= onset + length]
    assert bool(found) == bool(inside)
    for clip in found:
        assert {clip.onset, clip.apex, clip.offset} <= there
        assert abs(clip.onset - onset) == min(abs(number - onset) for number in there)
        assert abs(clip.offset - onset - length) == min(abs(number - onset - length) for number in there)
        assert set(inside) <= set(range(clip.onset, clip.offset + 1))
        if onset in there and onset + length in there and apex in inside:
            assert (clip.onset, clip.apex, clip.offset, clip.apex_source) == (
                onset,
                apex,
                onset + length,
                "file",
            )
