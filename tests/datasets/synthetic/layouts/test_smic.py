"""Synthetic SMIC and SMIC-E: every name, cell and image, and what their readers return."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.smic import read
from learnet.datasets.readers.smic_e import read as read_long
from learnet.datasets.synthetic.layouts import LAYOUTS, smic, smic_e
from learnet.simulation.render import render
from tests.builders.written_by_hand import kinds

PEOPLE, CLIPS, SEED = 3, 3, 1  # the databases of tests/e2e/test_databases.py
SCENES = LAYOUTS["smic"].scenes(PEOPLE, CLIPS, SEED)
LONG_SCENES = LAYOUTS["smic-e"].scenes(PEOPLE, CLIPS, SEED)
CODES = {"ne": "negative", "po": "positive", "sur": "surprise"}


@pytest.fixture(scope="module")
def cut(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("smic", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def long(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("smic-e", PEOPLE, CLIPS, SEED)


def numbers(folder: Path, pattern: str) -> list[int]:
    found = [re.fullmatch(pattern, path.name) for path in folder.iterdir()]
    assert all(found)
    return sorted(int(match[1]) for match in found if match)


def test_smic_has_no_label_but_its_folders(cut: Path) -> None:
    ways = sorted(path.relative_to(cut).as_posix() for path in cut.rglob("s*_*_*") if path.is_dir())
    found = [
        re.fullmatch(
            r"(SMIC_all_\w+)(?:/SMIC_all_raw)?/HS/s(\d+)/(micro/(\w+)|non_micro)/s\2_([a-z]+)_\d\d", way
        )
        for way in ways
    ]
    assert all(found)
    matches = [match for match in found if match]
    assert all(
        CODES.get(match[5]) == match[4] and (match[4] is None) == (match[5] == "non") for match in matches
    )
    for top in ("SMIC_all_cropped", "SMIC_all_raw"):
        shown = sorted((int(match[2]), match[4]) for match in matches if match[1] == top and match[4])
        assert shown == sorted((scene.person, smic.emotion_word(scene.emotion)) for scene in SCENES)
        assert {match[2] for match in matches if match[1] == top and not match[4]} == {"1", "2", "3"}
    assert {path.suffix for path in cut.rglob("*") if path.is_file()} == {".bmp", ".db", ".txt"}


def test_smic_counts_on_with_six_digits_at_least(cut: Path) -> None:
    lengths, last = set(), 0
    for scene in SCENES:
        ways = [
            path
            for path in cut.rglob(f"s{scene.person}_*_{50 + scene.number}")
            if "non_micro" not in path.parts
        ]
        cropped, raw = sorted(ways, key=lambda path: "SMIC_all_raw" in path.parts)
        there = numbers(cropped, r"reg_image(\d{6,8})\.bmp")
        assert (
            there
            == numbers(raw, r"image(\d{6,8})\.bmp")
            == list(range(there[0], there[0] + scene.offset - scene.onset + 1))
        )
        assert there[0] > last or scene.number == 1
        last = there[-1]
        lengths |= {
            (len(str(number)), len(re.findall(r"\d+", path.name)[0]))
            for number, path in zip(there, sorted(cropped.iterdir()), strict=False)
        }
    assert {padded for _, padded in lengths} == {6, 7, 8}
    assert (5, 6) in lengths


def test_smic_pictures_are_those_of_the_scene_from_its_onset(cut: Path) -> None:
    scene = SCENES[0]
    (folder,) = (cut / "SMIC_all_raw").rglob(f"micro/*/s{scene.person}_*_{50 + scene.number}")
    files = sorted(folder.iterdir())
    for place in (scene.onset, scene.apex):
        picture = cv2.imread(str(files[place - scene.onset]))[..., ::-1]
        near = list(render(scene.recording, range(place - 2, place + 1)))
        assert [np.array_equal(picture, frame) for frame in near] == [
            False,
            True,
            False,
        ]  # not the frame before, nor the one after
    (crops,) = (cut / "SMIC_all_cropped").rglob(f"micro/*/s{scene.person}_*_{50 + scene.number}")
    height, width, _ = cv2.imread(str(next(crops.iterdir()))).shape
    assert 166 <= height <= 174 and 137 <= width <= 143


def test_smic_stills_show_the_same_person_and_nothing(cut: Path) -> None:
    """The clip without an expression shows the same person in other conditions, and its frames are those."""
    scene = SCENES[0]
    take = smic.neutral_recording(scene)
    assert (take.person, take.episodes, take.frames) == (scene.recording.person, (), scene.recording.frames)
    assert take.conditions != scene.recording.conditions
    (folder,) = (cut / "SMIC_all_raw").rglob(f"non_micro/s{scene.person}_non_{50 + scene.number}")
    files = sorted(folder.iterdir())
    assert len(files) == scene.offset - scene.onset + 1
    (first,) = render(take, range(scene.onset - 1, scene.onset))
    np.testing.assert_array_equal(cv2.imread(str(files[0]))[..., ::-1], first)


def test_smic_reads_back_as_the_scenes(cut: Path) -> None:
    expected = sorted(
        (f"s{scene.person:02d}", smic.emotion_word(scene.emotion), scene.offset - scene.onset)
        for scene in SCENES
    )
    for tree in (None, "cropped", "raw"):
        reading = read(cut, DatasetSubset(tree=tree))
        assert (
            sorted((clip.subject, clip.emotion, clip.offset - clip.onset) for clip in reading.clips)
            == expected
        )
        assert {clip.cropped for clip in reading.clips} == {tree != "raw"}
        assert kinds(reading) == ["apex not given"] * len(SCENES)
    everything = read(cut, DatasetSubset(expressions="all"))
    stills = [clip for clip in everything.clips if clip.kind == "none"]
    assert len(everything.clips) - len(stills) == len(SCENES)
    assert [clip.subject for clip in stills] == ["s01", "s01", "s02", "s02", "s03", "s03"]
    assert kinds(everything, serious=True) == []


def test_smic_e_writes_one_row_per_long_clip_and_notes_below(long: Path) -> None:
    home = long / "SMIC-E_raw image" / "HS_long"
    header, *rows = (
        openpyxl.load_workbook(home / "SMIC-HS-E_annotation_2019.xlsx")
        .worksheets[0]
        .iter_rows(values_only=True)
    )
    assert (header[:2], header[3:5], header[10:12], header[16]) == (
        ("Subject", "Filename"), ("OnsetF", "OffsetF"), ("FirstF", "LastF"), "Emotion",
    )  # fmt: skip
    table, notes = rows[: len(LONG_SCENES)], rows[len(LONG_SCENES) :]
    assert not any(isinstance(note[0], int) for note in notes) and sum(any(note) for note in notes) == 3
    counts = []
    for row, scene in zip(table, LONG_SCENES, strict=True):
        first = row[10]
        marks = [(shown.onset, shown.offset) for shown in scene.expressions]
        counts.append(len(marks))
        assert [mark for mark in row[3:9] if mark is not None] == [
            first - 1 + mark for pair in marks for mark in pair
        ]
        assert (row[0], row[9], row[11]) == (
            scene.person,
            scene.recording.frames,
            first + scene.recording.frames - 1,
        )
        assert (
            {row[16]}
            == {smic_e.emotion_word(shown.emotion) for shown in scene.expressions}
            == {CODES[row[1].split("_")[1]]}
        )
        folder = home / "SMIC-HS-E" / "HS" / f"s{scene.person:02d}" / row[1]
        assert numbers(folder, r"image(\d{6,8})\.jpg") == list(range(first, row[11] + 1))
        assert all(kind == "micro" for kind in (shown.kind for shown in scene.expressions))
        assert (
            marks[0][0] > 50 and scene.recording.frames - marks[-1][1] >= 50
        )  # half a second of rest before and after
    assert set(counts) == {1, 2, 3} and sum(counts) == PEOPLE * CLIPS
    assert {len(str(row[10])) for row in table} == {5, 6, 8}
    older = list(
        openpyxl.load_workbook(home / "SMIC-HS-E_annotation.xlsx").worksheets[0].iter_rows(values_only=True)
    )
    assert "Emotion" not in older[0] and {len(row) for row in older} == {12}  # nothing behind LastF
    assert [row[:12] for row in older[1:]] == [row[:12] for row in rows]


def test_smic_e_pictures_are_those_of_the_scene(long: Path) -> None:
    scene = LONG_SCENES[0]
    files = sorted(long.rglob(f"s{scene.person}_*_{50 + scene.number}/*.jpg"))
    place = scene.expressions[0].apex
    picture = cv2.imread(str(files[place - 1]))[..., ::-1].astype(float)
    misses = [
        np.abs(picture - frame).mean() for frame in render(scene.recording, range(place - 2, place + 1))
    ]
    assert misses[1] == min(misses)


def test_smic_e_reads_back_as_the_scenes(long: Path) -> None:
    reading = read_long(long)
    expected = []
    for scene in LONG_SCENES:
        first = smic_e.first_frame(scene)
        for place, shown in enumerate(scene.expressions, start=1):
            name = smic_e.clip_name(scene) + (f"-{place}" if place > 1 else "")
            expected.append(
                (
                    f"s{scene.person:02d}",
                    name,
                    smic_e.emotion_word(shown.emotion),
                    first + shown.onset - 1,
                    first + shown.offset - 1,
                )
            )
    assert [
        (clip.subject, clip.name, clip.emotion, clip.onset, clip.offset) for clip in reading.clips
    ] == expected
    assert sorted(set(kinds(reading))) == ["apex not given", "row passed over"]
    assert reading.about["other workbooks"] == "SMIC-HS-E_annotation.xlsx"
