"""The folders of SMIC against the names of clips, and what is stored beside the clips."""

import os
from pathlib import Path

import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import SCHEMES, UnknownLabel
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.smic import PUBLISHED, SMIC, read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.written.smic import (
    CLIPS,
    CROPPED,
    EXPECTED,
    RAW,
    STILL,
    owners,
    tree,
)


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
def test_a_clip_of_another_name_is_used_and_reported(tmp_path: Path, name: str) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/negative", name, 5, 8)])
    reading = read(tmp_path)
    assert ("s01", name, "negative", 5, 6, 8, "midpoint", "") in clips(reading)
    assert of_kind(reading, "folder and name differ").what.startswith(
        "it is stored in negative, and its name says no emotion"
    )


def test_a_clip_that_is_stored_with_somebody_else_is_its_names_and_reported(tmp_path: Path) -> None:
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


def test_trees_that_differ_in_emotion_or_clips_are_reported(tmp_path: Path) -> None:
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


def test_a_folder_of_an_unknown_emotion_stops(tmp_path: Path) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/suprise", "s1_sur_95", 5, 8)])
    with pytest.raises(
        UnknownLabel,
        match=r"HS/s1/micro/suprise/s1_sur_95: the label 'suprise' is not known.*negative.*surprise",
    ) as said:
        read(tmp_path)
    assert said.value.hint == "Did you mean 'surprise'? Known: negative, positive, surprise."


@pytest.mark.parametrize(
    "label, wrong",
    [("micro/happiness", "SMIC has no emotion happiness"), ("micro", "no folder says which of negative")],
)
def test_a_folder_of_another_emotion_or_none_is_reported(tmp_path: Path, label: str, wrong: str) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", label, "s1_po_95", 5, 8)])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "folder not usable")
    assert finding.serious and wrong in finding.what and finding.where == f"HS/s1/{label}/s1_po_95"


def test_a_folder_that_is_called_otherwise_than_micro_is_serious(tmp_path: Path) -> None:
    """Of one subject or of all, with clips that name their subject or not: it may hold micro-expressions."""
    tree(tmp_path / "HS")
    (tmp_path / "HS" / "s1" / "micro").rename(tmp_path / "HS" / "s1" / "mikro")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    reported = of_kind(reading, "folder not known")
    assert (reported.where, reported.serious) == ("HS/s1/mikro", True) and reported.what.endswith(
        "its clips are taken for micro-expressions"
    )
    images(tmp_path / "HS" / "s3" / "mikros" / "positive" / "clip 5", range(5, 9), CROPPED)
    images(tmp_path / "HS" / "s3" / "notes", [], CROPPED)
    reported = {
        f.where: f.what for f in read(tmp_path).findings if f.kind == "folder not known" and f.serious
    }
    assert sorted(reported) == ["HS/s1/mikro", "HS/s3/mikros"] and reported["HS/s3/mikros"].endswith(
        "nothing in it is used"
    )
    for folder in list((tmp_path / "HS").glob("s*/micro")):
        folder.rename(folder.with_name("mikro"))
    assert kinds(read(tmp_path), serious=True).count("folder not known") == 5


def test_no_message_about_a_workbook_where_there_is_none(tmp_path: Path) -> None:
    tree(tmp_path / "HS", [*CLIPS, ("s1", "micro/happiness", "s1_po_95", 5, 8)])
    reading = read(tmp_path)
    assert "other workbooks" not in reading.about and kinds(reading, serious=True) == ["folder not usable"]
    assert not [finding for finding in reading.findings if "workbook" in finding.what]
    tree(tmp_path / "other", [("s1", "micro/happiness", "s1_po_95", 5, 8)])
    with pytest.raises(BadInput, match="no name of a folder that can be used has a clip here"):
        read(tmp_path / "other")


def test_images_beside_clips_are_reported(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    images(tmp_path / "HS" / "s8" / "micro" / "negative", [1, 2, 3], CROPPED)
    images(tmp_path / "HS" / "s1" / "micro" / "negative", [1], CROPPED)
    (tmp_path / "HS" / "s8" / "micro" / "surprise").mkdir()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    reported = [
        (finding.where, finding.serious)
        for finding in reading.findings
        if finding.kind == "images without clip"
    ]
    assert reported == [("HS/s1/micro/negative", False), ("HS/s8/micro/negative", True)]


def test_an_empty_folder_is_a_clip_left_out(tmp_path: Path) -> None:
    tree(tmp_path / "HS")
    (tmp_path / "HS" / "s8" / "micro" / "negative" / "s8_ne_91").mkdir(parents=True)
    assert "holds no images" in of_kind(read(tmp_path), "clip left out").what


def test_with_all_expressions_the_clips_of_non_micro_come_along(tmp_path: Path) -> None:
    reading = read(owners(tmp_path), DatasetSubset(expressions="all"))
    assert [fields[:7] for fields in clips(reading)] == [
        EXPECTED[0][:7], ("s01", "s1_non_91", "none", 76600, None, 76620, "none"),
                 *[fields[:7] for fields in EXPECTED[1:]],
    ]  # fmt: skip
    assert [clip.kind for clip in reading.clips] == ["micro", "none", "micro", "micro", "micro"]
    assert {SCHEMES["smic-2"].of[clip.emotion] for clip in reading.clips} == {"micro", "non-micro"}
    assert kinds(reading, serious=True) == []
    with pytest.raises(LearnetError, match="SMIC has no expressions 'macro'. Choose from micro, all"):
        read_dataset("smic", tmp_path, DatasetSubset(expressions="macro"))


@pytest.mark.parametrize("way, name", [("non_micro/s1_ne_91", "s1_ne_91"), ("Non-Micro/part1/7", "part1-7"),
                                       ("nonmicro/nonmicro/x/x", "x"),
                                       ("non_micro/negative/s1_91", "negative-s1_91")])  # fmt: skip
def test_any_layout_of_non_micro_clips(tmp_path: Path, way: str, name: str) -> None:
    """Nobody says how; a name that a micro-expression has too must not hide it."""
    tree(tmp_path / "HS", CLIPS[1:])
    images(tmp_path / "HS" / "s1" / way, range(5, 9), CROPPED)
    reading = read(tmp_path, DatasetSubset(expressions="all"))
    assert [
        (clip.subject, clip.name, clip.onset, clip.offset) for clip in reading.clips if clip.kind == "none"
    ] == [("s01", name, 5, 8)]
    assert len(reading.clips) == 4
    assert clips(read(tmp_path)) == EXPECTED[1:]


def test_no_non_micro_at_all_is_refused_where_it_is_requested(tmp_path: Path) -> None:
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
