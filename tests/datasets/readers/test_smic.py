"""SMIC on disk with invented clips: no workbook, the folders are the labels. Each trap has its test."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError, UnknownName
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.smic import read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.written.smic import CLIPS, CROPPED, EXPECTED, RAW, frames, owners, tree


def test_the_folders_are_the_labels_and_the_files_the_frames(tmp_path: Path) -> None:
    reading = read(owners(tmp_path))
    assert clips(reading) == EXPECTED
    assert all(
        clip.cropped and clip.fps == 100.0 and clip.dataset == "smic" and clip.kind == "micro"
        for clip in reading.clips
    )
    assert (
        reading.clips[0].path
        == tmp_path / "SMIC_all_cropped" / "HS" / "s1" / "micro" / "negative" / "s1_ne_91"
    )
    assert [clip.key for clip in reading.clips][:2] == ["smic/s01/s1_ne_91", "smic/s03/s3_po_92"]
    assert kinds(reading) == ["apex not given"] * 4
    assert reading.about["workbook"].startswith("none")
    assert reading.about["camera"] == "HS, 100 frames per second"
    assert reading.about["tree"] == "cropped, SMIC_all_cropped/HS, 5 clip folders"
    assert reading.about["other trees"] == "raw, SMIC_all_raw/HS"


@pytest.mark.parametrize("camera, start, fps", [("VIS", 500, 25.0), ("NIR", 700, 25.0)])
@pytest.mark.parametrize("name", ["cropped", "raw"])
def test_the_slow_cameras_are_parts(tmp_path: Path, camera: str, start: int, fps: float, name: str) -> None:
    """At a quarter of the rate: (1000050 - 1000020) // 4 + 1 = 8, (17581055 - 17581039) // 4 + 1 = 5."""
    reading = read(owners(tmp_path), DatasetSubset(part=camera, tree=name))
    assert frames(reading) == [(start, start + 7, fps), (start, start + 4, fps)]
    assert {clip.cropped for clip in reading.clips} == {name == "cropped"}
    assert [clip.person for clip in reading.clips] == ["smic/s12", "smic/s20"]  # the people of HS
    assert reading.about["tree"].startswith(f"{name}, SMIC_all_{name}/{camera},")


def test_whole_images_are_the_other_tree(tmp_path: Path) -> None:
    reading = read(owners(tmp_path), DatasetSubset(tree="raw"))
    assert clips(reading) == EXPECTED
    assert not any(clip.cropped for clip in reading.clips)
    with pytest.raises(UnknownName, match="Did you mean 'cropped'"):
        read(tmp_path, DatasetSubset(tree="croped"))


@pytest.mark.parametrize(
    "way, pattern, cropped",
    [
        ("a", CROPPED, True),
        ("b", RAW, False),
        ("SMIC_all_cropped/HS", RAW, True),
        ("cropped/SMIC_all_raw", RAW, False),
        ("SMIC_all_raw/HS", CROPPED, True),
    ],
)
def test_which_tree_it_is_says_a_prefix_or_the_nearest_folder(
    tmp_path: Path, way: str, pattern: str, cropped: bool
) -> None:
    assert {clip.cropped for clip in read(tree(tmp_path / way, pattern=pattern)).clips} == {cropped}


@pytest.mark.parametrize("inside", ["SMIC_all_cropped", "SMIC_all_cropped/HS"])
def test_the_root_may_be_the_camera_or_above_it(tmp_path: Path, inside: str) -> None:
    assert clips(read(owners(tmp_path) / inside)) == EXPECTED


@pytest.mark.parametrize(
    "way", ["VIS and NIR too/SMIC_all_cropped/HS", "HS/of the VIS disk/HS", "NIR/hs_cropped"]
)
def test_the_nearest_folder_says_the_camera(tmp_path: Path, way: str) -> None:
    reading = read(tree(tmp_path / way).parents[len(Path(way).parts) - 1])
    assert (clips(reading), reading.about["camera"]) == (EXPECTED, "HS, 100 frames per second")


def test_a_root_that_is_a_slow_camera_is_not_read_as_the_fast_one(tmp_path: Path) -> None:
    owners(tmp_path)
    reading = read(tmp_path / "SMIC_all_raw" / "VIS")
    assert frames(reading) == [(500, 507, 25.0), (500, 504, 25.0)]
    assert reading.about["camera"] == "VIS, 25 frames per second"
    with pytest.raises(BadInput, match="there are no clips of the HS camera. There are clips of VIS"):
        read(tmp_path / "SMIC_all_raw" / "VIS", DatasetSubset(part="HS"))
    with pytest.raises(LearnetError, match="SMIC has no part 'hs'. Choose from HS, VIS, NIR"):
        read_dataset("smic", tmp_path, DatasetSubset(part="hs"))


def test_where_no_folder_names_a_camera_that_is_reported(tmp_path: Path) -> None:
    tree(tmp_path / "mine")
    reading = read(tmp_path)
    assert (clips(reading), reading.clips[0].fps) == (EXPECTED, 100.0)
    assert (
        "no folder says which camera filmed 4 clips; HS is assumed"
        in of_kind(reading, "camera not named").what
    )
    assert frames(read(tmp_path, DatasetSubset(part="NIR")))[0] == (76518, 76530, 25.0)


@given(
    st.lists(st.sampled_from(["s{}", "s{:02d}", "S{}", "{}", "sub{:02d}"]), min_size=4, max_size=4),
    st.lists(st.sampled_from(["s{}", "s{:02d}", "S{:03d}"]), min_size=4, max_size=4),
    st.sampled_from([str, str.upper, str.title]),
    st.sampled_from([CROPPED, "reg_image {}.bmp", "REG_IMAGE{:09d}.BMP", "reg_image{}.jpg"]),
)
@settings(max_examples=25, deadline=None)
def test_padding_case_and_prefixes_do_not_matter(tmp_path_factory, folders, names, case, pattern) -> None:
    """The clip's name stays as it is on disk; the person does not depend on how it is written."""
    root, expected = tmp_path_factory.mktemp("padding"), []
    for folder, written, (subject, label, name, first, last), fields in zip(
        folders, names, CLIPS, EXPECTED, strict=True
    ):
        number = int(subject[1:])
        here = written.format(number) + name[len(subject) :]
        images(
            root / case("hs") / folder.format(number) / case(label) / here, range(first, last + 1), pattern
        )
        expected.append((fields[0], here, *fields[2:]))
    reading = read(root)
    assert clips(reading) == expected
    assert kinds(reading, serious=True) == []


@given(st.integers(0, 1), *[st.booleans()] * 5)
@settings(max_examples=30, deadline=None)
def test_nesting_does_not_matter(
    tmp_path_factory, levels: int, subject: bool, micro: bool, label: bool, clip: bool, bare: bool
) -> None:
    root = tmp_path_factory.mktemp("nesting")
    for person, way, name, first, last in CLIPS:
        kind, word = way.split("/")
        parts = (
            ["HS"] * levels
            + [person] * (1 + subject)
            + [kind] * (1 + micro) * (not bare)
            + [word] * (1 + label)
            + [name] * (1 + clip)
        )
        images(root.joinpath(*parts, *["frames"] * (not clip)), range(first, last + 1), CROPPED)
    reading = read(root)
    assert clips(reading) == EXPECTED
    assert len({clip.person for clip in reading.clips}) == 4
    assert kinds(reading, serious=True) == []


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=12, unique=True))
@settings(max_examples=40, deadline=None)
def test_a_clip_is_its_folder_from_the_first_image_to_the_last(tmp_path_factory, numbers: list[int]) -> None:
    root = tmp_path_factory.mktemp("frames")
    images(root / "HS" / "s1" / "micro" / "negative" / "s1_ne_91", numbers, CROPPED)
    (clip,) = read(root).clips
    assert (clip.onset, clip.offset) == (min(numbers), max(numbers))
    assert clip.apex in numbers
    middle = min(numbers) + (max(numbers) - min(numbers)) // 2
    assert clip.apex is not None and abs(clip.apex - middle) == min(
        abs(number - middle) for number in numbers
    )


def test_counters_of_six_to_eight_digits_sort_as_numbers(tmp_path: Path) -> None:
    """999999 is written with six digits and comes before 1000000."""
    images(tmp_path / "HS" / "s5" / "micro" / "positive" / "s5_po_91", range(999996, 1000004), CROPPED)
    reading = read(tmp_path)
    assert frames(reading) == [(999996, 1000003, 100.0)]
    assert "frames missing" not in kinds(reading)


def test_frames_missing_inside_are_reported(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    for number in (76519, 76520):
        (tmp_path / "HS" / "s1" / "micro" / "negative" / "s1_ne_91" / CROPPED.format(number)).unlink()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "frames missing")
    assert finding.serious and "2 of the 13 frames 76518..76530 do not exist" in finding.what
