"""SMIC on disk with invented clips: no workbook, the folders are the labels. Each trap has its test."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError, UnknownName
from learnet.core.labels import SCHEMES, UnknownLabel
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.smic import PUBLISHED, SMIC, read
from tests.builders.written_by_hand import clips, images, kinds, of_kind

CLIPS: list[tuple[str, str, str, int, int]] = [
    ("s1", "micro/negative", "s1_ne_91", 76518, 76530),
    ("s3", "micro/positive", "s3_po_92", 559740, 559773),
    ("s12", "micro/negative", "s12_ne_91", 1000020, 1000050),
    ("s20", "micro/surprise", "s20_sur_92", 17581039, 17581055),
]
EXPECTED = [
    ("s01", "s1_ne_91", "negative", 76518, 76524, 76530, "midpoint", ""),
    ("s03", "s3_po_92", "positive", 559740, 559756, 559773, "midpoint", ""),
    ("s12", "s12_ne_91", "negative", 1000020, 1000035, 1000050, "midpoint", ""),
    ("s20", "s20_sur_92", "surprise", 17581039, 17581047, 17581055, "midpoint", ""),
]
STILL = ("s1", "non_micro", "s1_non_91", 76600, 76620)
CROPPED, RAW = "reg_image{:06d}.bmp", "image{:06d}.bmp"


def tree(
    root: Path, rows: Iterable[tuple[str, str, str, int, int]] = (*CLIPS, STILL), pattern: str = CROPPED
) -> Path:
    for subject, label, name, first, last in rows:
        images(root / subject / label / name, range(first, last + 1), pattern)
    return root


def slow(rows: Iterable[tuple[str, str, str, int, int]], start: int) -> list[tuple[str, str, str, int, int]]:
    """The same clips as a camera of a quarter of the frames filmed them, counting from START."""
    return [
        (subject, label, name, start, start + (last - first) // 4)
        for subject, label, name, first, last in rows
    ]


def owners(root: Path) -> Path:
    """Crops and whole pictures of all three cameras; the slow ones have only the people from s11 on, and a blank before the number."""
    for name, pattern in (("SMIC_all_cropped", "reg_image"), ("SMIC_all_raw", "image")):
        tree(root / name / "HS", pattern=pattern + "{:06d}.bmp")
        tree(root / name / "VIS", slow(CLIPS[2:], 500), pattern + " {:06d}.bmp")
        tree(root / name / "NIR", slow(CLIPS[2:], 700), pattern + " {:06d}.bmp")
    (root / "SMIC_all_cropped" / "HS" / "s1" / "Thumbs.db").touch()
    return root


def frames(reading: DatasetIndex) -> list[tuple[int, int, float]]:
    return [(clip.onset, clip.offset, clip.fps) for clip in reading.clips]


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
    """7 frames are (1000050 - 1000020) // 4 + 1 = 8 and (17581055 - 17581039) // 4 + 1 = 5; a blank stands before the number."""
    reading = read(owners(tmp_path), DatasetSubset(part=camera, tree=name))
    assert frames(reading) == [(start, start + 7, fps), (start, start + 4, fps)]
    assert {clip.cropped for clip in reading.clips} == {name == "cropped"}
    assert [clip.person for clip in reading.clips] == ["smic/s12", "smic/s20"]  # the people of HS
    assert reading.about["tree"].startswith(f"{name}, SMIC_all_{name}/{camera},")


def test_whole_pictures_are_the_other_tree(tmp_path: Path) -> None:
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


def test_where_no_folder_names_a_camera_that_is_told(tmp_path: Path) -> None:
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
    for folder, written, (subject, label, name, first, last), told in zip(
        folders, names, CLIPS, EXPECTED, strict=True
    ):
        number = int(subject[1:])
        here = written.format(number) + name[len(subject) :]
        images(
            root / case("hs") / folder.format(number) / case(label) / here, range(first, last + 1), pattern
        )
        expected.append((told[0], here, *told[2:]))
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


def test_frames_missing_inside_are_told(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    for number in (76519, 76520):
        (tmp_path / "HS" / "s1" / "micro" / "negative" / "s1_ne_91" / CROPPED.format(number)).unlink()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "frames missing")
    assert finding.serious and "2 of the 13 frames 76518..76530 do not exist" in finding.what


def test_the_code_in_the_name_checks_the_folder(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    (tmp_path / "HS" / "s3" / "micro" / "negative").mkdir()
    (tmp_path / "HS" / "s3" / "micro" / "positive" / "s3_po_92").rename(
        tmp_path / "HS" / "s3" / "micro" / "negative" / "s3_po_92"
    )
    reading = read(tmp_path)
    assert [clip.emotion for clip in reading.clips] == ["negative", "negative", "negative", "surprise"]
    finding = of_kind(reading, "folder and name differ")
    assert finding.serious and finding.where == "smic/s03/s3_po_92"
    assert finding.what == "it is stored in negative, and its name says positive; the folder is used"


@pytest.mark.parametrize("name", ["s1_xx_95", "s1_ne_91 - Copy", "clip 5"])
def test_a_clip_of_another_name_is_taken_and_told(tmp_path: Path, name: str) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/negative", name, 5, 8)])
    reading = read(tmp_path)
    assert ("s01", name, "negative", 5, 6, 8, "midpoint", "") in clips(reading)
    assert of_kind(reading, "folder and name differ").what.startswith(
        "it is stored in negative, and its name says no emotion"
    )


def test_a_clip_that_lies_with_somebody_else_is_its_names_and_told(tmp_path: Path) -> None:
    """A person's clips on both sides of a split would be a leak; nothing else says whose it is."""
    tree(tmp_path / "HS", [*CLIPS, ("s3", "micro/negative", "s1_ne_95", 5, 8)])
    reading = read(tmp_path)
    assert next(clip.person for clip in reading.clips if clip.name == "s1_ne_95") == "smic/s01"
    finding = of_kind(reading, "folder and name differ")
    assert finding.serious and finding.what == "it is stored with s03, but used as s01's, as its name says"


def test_one_clip_in_two_folders_of_emotions(tmp_path: Path) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/positive", "s01_ne_91", 76518, 76530)])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "folders differ in emotion")
    assert finding.serious
    assert (
        "HS/s1/micro/negative/s1_ne_91 says negative, HS/s1/micro/positive/s01_ne_91 says positive; the first"
        in finding.what
    )
    assert "clip folder twice" in kinds(reading)


def test_trees_that_differ_in_emotion_or_clips_are_told(tmp_path: Path) -> None:
    tree(tmp_path / "SMIC_all_cropped" / "HS", CLIPS[:3])
    tree(
        tmp_path / "SMIC_all_raw" / "HS",
        [*CLIPS[1:], ("s1", "micro/surprise", "s1_ne_91", 76518, 76530)],
        RAW,
    )
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[:3]
    assert kinds(reading, serious=True) == ["folders differ in emotion", "row without folder"]
    assert of_kind(reading, "row without folder").what.endswith(
        "the cropped tree has no such folder, but raw has"
    )


def test_a_folder_of_an_emotion_nobody_knows_stops(tmp_path: Path) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/suprise", "s1_sur_95", 5, 8)])
    with pytest.raises(
        UnknownLabel,
        match=r"HS/s1/micro/suprise/s1_sur_95: nobody knows the label 'suprise'.*negative.*surprise",
    ) as said:
        read(tmp_path)
    assert said.value.hint == "Did you mean 'surprise'? Known: ne, negative, po, positive, sur, surprise."


@pytest.mark.parametrize(
    "label, wrong",
    [("micro/happiness", "SMIC has no emotion happiness"), ("micro", "no folder says which of negative")],
)
def test_a_folder_of_another_emotion_or_none_is_told(tmp_path: Path, label: str, wrong: str) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", label, "s1_po_95", 5, 8)])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "folder not usable")
    assert finding.serious and wrong in finding.what and finding.where == f"HS/s1/{label}/s1_po_95"


def test_a_folder_that_is_called_otherwise_than_micro_is_serious(tmp_path: Path) -> None:
    """Of one subject, of all, with clips that say whose they are and with others: whether it held micro-expressions nobody can tell."""
    tree(tmp_path / "HS")
    (tmp_path / "HS" / "s1" / "micro").rename(tmp_path / "HS" / "s1" / "mikro")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    told = of_kind(reading, "folder not known")
    assert (told.where, told.serious) == ("HS/s1/mikro", True) and told.what.endswith(
        "its clips are taken for micro-expressions"
    )
    images(tmp_path / "HS" / "s3" / "mikros" / "positive" / "clip 5", range(5, 9), CROPPED)
    images(tmp_path / "HS" / "s3" / "notes", [], CROPPED)
    told = {f.where: f.what for f in read(tmp_path).findings if f.kind == "folder not known" and f.serious}
    assert sorted(told) == ["HS/s1/mikro", "HS/s3/mikros"] and told["HS/s3/mikros"].endswith(
        "nothing in it is used"
    )
    for folder in list((tmp_path / "HS").glob("s*/micro")):
        folder.rename(folder.with_name("mikro"))
    assert kinds(read(tmp_path), serious=True).count("folder not known") == 5


def test_no_words_of_a_workbook_where_there_is_none(tmp_path: Path) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/happiness", "s1_po_95", 5, 8)])
    reading = read(tmp_path)
    assert "other workbooks" not in reading.about and kinds(reading, serious=True) == ["folder not usable"]
    assert not [finding for finding in reading.findings if "workbook" in finding.what]
    tree(tmp_path / "other", [("s1", "micro/happiness", "s1_po_95", 5, 8)])
    with pytest.raises(BadInput, match="no name of a folder that can be used has a clip here"):
        read(tmp_path / "other")


def test_images_that_lie_beside_clips_are_told(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    images(tmp_path / "HS" / "s8" / "micro" / "negative", [1, 2, 3], CROPPED)
    images(tmp_path / "HS" / "s1" / "micro" / "negative", [1], CROPPED)
    (tmp_path / "HS" / "s8" / "micro" / "surprise").mkdir()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    told = [
        (finding.where, finding.serious)
        for finding in reading.findings
        if finding.kind == "images without clip"
    ]
    assert told == [("HS/s1/micro/negative", False), ("HS/s8/micro/negative", True)]


def test_an_empty_folder_is_a_clip_left_out(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    (tmp_path / "HS" / "s8" / "micro" / "negative" / "s8_ne_91").mkdir(parents=True)
    assert "holds no images" in of_kind(read(tmp_path), "clip left out").what


def test_with_all_expressions_the_clips_of_non_micro_come_along(tmp_path: Path) -> None:
    reading = read(owners(tmp_path), DatasetSubset(expressions="all"))
    assert [told[:7] for told in clips(reading)] == [
        EXPECTED[0][:7], ("s01", "s1_non_91", "none", 76600, None, 76620, "none"), *[told[:7] for told in EXPECTED[1:]],
    ]  # fmt: skip
    assert [clip.kind for clip in reading.clips] == ["micro", "none", "micro", "micro", "micro"]
    assert {SCHEMES["smic-2"].of[clip.emotion] for clip in reading.clips} == {"micro", "non-micro"}
    assert kinds(reading, serious=True) == []
    with pytest.raises(LearnetError, match="SMIC has no expressions 'macro'. Choose from micro, all"):
        read_dataset("smic", tmp_path, DatasetSubset(expressions="macro"))


@pytest.mark.parametrize("way, name", [("non_micro/s1_ne_91", "s1_ne_91"), ("Non-Micro/part1/7", "part1-7"), ("nonmicro/nonmicro/x/x", "x"),
                                       ("non_micro/negative/s1_91", "negative-s1_91")])  # fmt: skip
def test_however_clips_of_non_micro_lie_and_are_called(tmp_path: Path, way: str, name: str) -> None:
    """Nobody says how; a name that a micro-expression has too must not hide it."""
    tree(tmp_path / "HS", CLIPS[1:])
    images(tmp_path / "HS" / "s1" / way, range(5, 9), CROPPED)
    reading = read(tmp_path, DatasetSubset(expressions="all"))
    assert [
        (clip.subject, clip.name, clip.onset, clip.offset) for clip in reading.clips if clip.kind == "none"
    ] == [("s01", name, 5, 8)]
    assert len(reading.clips) == 4
    assert clips(read(tmp_path)) == EXPECTED[1:]


def test_no_non_micro_at_all_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    tree(tmp_path / "HS", CLIPS)
    images(tmp_path / "HS" / "s1" / "non_micro", [1, 2], CROPPED)
    with pytest.raises(BadInput, match="there are no clips without an expression"):
        read(tmp_path, DatasetSubset(expressions="all"))
    tree(tmp_path / "HS", [STILL])
    assert (
        of_kind(read(tmp_path, DatasetSubset(expressions="all")), "images without clip").where
        == "HS/s1/non_micro"
    )
    assert "images without clip" not in kinds(read(tmp_path))


def test_smic_e_beside_is_none_of_it(tmp_path: Path) -> None:
    """Long clips have the same names, and no folder of an emotion above them."""
    tree(tmp_path / "SMIC_all_cropped" / "HS")
    images(
        tmp_path / "SMIC-E_raw image" / "HS_long" / "SMIC-HS-E" / "s01" / "s1_ne_91",
        range(76400, 76700),
        "image{:06d}.jpg",
    )
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["other trees"] == "none"
    with pytest.raises(BadInput, match="there are no folders of clips"):
        read(tmp_path / "SMIC-E_raw image")


def test_folders_called_like_an_emotion_beside_are_none_of_it(tmp_path: Path) -> None:
    tree(tmp_path / "SMIC" / "HS")
    images(tmp_path / "MMEW" / "Micro_Expression" / "surprise" / "S01-03-091", range(5))
    images(tmp_path / "mine" / "s1" / "surprise" / "clip1", range(5))
    reading = read(tmp_path)
    assert (clips(reading), reading.about["other trees"], kinds(reading, serious=True)) == (
        EXPECTED,
        "none",
        [],
    )


@pytest.mark.parametrize("inside", ["s1", "s1/micro", "s1/micro/negative", "s1/micro/negative/s1_ne_91"])
def test_a_level_too_deep(tmp_path: Path, inside: str) -> None:
    tree(tmp_path / "HS")
    with pytest.raises(BadInput, match="this is a single subject or clip, not the database") as refusal:
        read(tmp_path / "HS" / inside)
    assert refusal.value.hint == f"Give {tmp_path / 'HS'}, or the folder above it."


def test_a_folder_that_cannot_be_read_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path / "HS")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert clips(read(tmp_path)) == EXPECTED
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path) == tmp_path / "HS" / "s3" / "micro":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(BadInput, match="this folder cannot be read"):
        read(tmp_path)


def test_published_numbers_add_up_and_are_the_cameras(tmp_path: Path) -> None:
    assert (sum(PUBLISHED.values()), SMIC.people) == (164, 16)
    assert set(SCHEMES[SMIC.default_scheme].classes) == set(PUBLISHED)
    assert read(owners(tmp_path)).published == {"negative": 70, "positive": 51, "surprise": 43}
    assert sum((read(tmp_path, DatasetSubset(part="NIR")).published or {}).values()) == 71
