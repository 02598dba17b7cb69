"""A synthetic CAS(ME)^2: every cell and image, and what its reader returns."""

import re
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme_sq import read
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.datasets.synthetic.layouts.casme_sq import subject
from learnet.simulation.render import render

PEOPLE, CLIPS, SEED = 3, 4, 1  # the database of tests/e2e/test_databases.py
SCENES = LAYOUTS["casme-sq"].scenes(PEOPLE, CLIPS, SEED)
FOLDERS = {1: "15", 2: "16", 3: "19"}
WORDS = {"happiness": "positive", "surprise": "surprise", "others": "others"}
SHOWN = [(scene, place, shown) for scene in SCENES for place, shown in enumerate(scene.expressions, start=1)]


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("casme-sq", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def sheets(database: Path) -> list[list[tuple]]:
    book = openpyxl.load_workbook(database / "CAS(ME)^2code_final.xlsx")
    assert book.sheetnames == ["CASFEcode_final", "naming rule1", "naming rule2"]
    return [list(sheet.iter_rows(values_only=True)) for sheet in book]


@pytest.fixture(scope="module")
def rows(sheets: list[list[tuple]]) -> list[tuple]:
    return sheets[0]


def numbers(folder: Path) -> list[int]:
    found = [re.fullmatch(r"img(\d{3,})\.jpg(\.jpg)?", path.name) for path in folder.iterdir()]
    assert all(found)
    return sorted(int(match[1]) for match in found if match)


def test_first_row_is_a_clip_and_all_rows_tell_what_the_scenes_are(rows: list[tuple]) -> None:
    assert len(rows) == len(SHOWN) == PEOPLE * CLIPS
    for row, (scene, place, shown) in zip(rows, SHOWN, strict=True):
        index, name, onset, apex, offset, units, emotion, kind, report = row
        assert (index, onset, apex) == (scene.person, shown.onset, shown.apex)
        assert re.fullmatch(rf"(disgust|anger|happy)\d_{place}", name)
        assert str(units) == shown.action_units and emotion == WORDS.get(shown.emotion, "negative")
        assert kind == f"{shown.kind}-expression" and report == shown.emotion
        assert offset in (0, shown.offset)
    zeros = [row for row in rows if row[4] == 0]
    assert zeros == [next(row for row in rows if row[7] == "macro-expression")]
    assert {row[7] for row in rows} == {"micro-expression", "macro-expression"}


def test_naming_sheets(sheets: list[list[tuple]], rows: list[tuple]) -> None:
    assert sheets[1] == [(15, "s15", 1), (16, "s16", 2), (19, "s19", 3)]
    assert all(type(code) is str and re.fullmatch(r"0\d{3}", code) for code, _ in sheets[2])
    assert dict(sheets[2])["0502"] == "happy1" and {row[1].partition("_")[0] for row in rows} <= {
        name for _, name in sheets[2]
    }


def test_people_beyond_the_real_ones_have_numbers_of_their_own() -> None:
    """The loader reads numbers of up to three digits, and 999 people can be asked for."""
    known = [subject(person) for person in range(1, 1000)]
    assert known[:3] == [15, 16, 19] and known[21:24] == [40, 1, 2]
    assert sorted(known) == list(range(1, 1000))


def test_trees_hold_the_frames_under_the_numbers_of_the_long_videos(
    database: Path, rows: list[tuple]
) -> None:
    for row, (scene, _, shown) in zip(rows, SHOWN, strict=True):
        person = FOLDERS[scene.person]
        cut = list(range(shown.onset, shown.offset + 1))
        assert numbers(database / "selectedpic" / f"s{person}" / row[1]) == cut
        crops = database / "cropped" / person / row[1]
        if (scene.person, scene.number) == (2, 1):
            assert not crops.exists()
        else:
            assert numbers(crops) == cut
    videos = {folder.name: folder for folder in (database / "rawpic").glob("*/*")}
    assert len(videos) == len(SCENES)
    assert sorted(len(numbers(folder)) for folder in videos.values()) == sorted(
        scene.recording.frames for scene in SCENES
    )
    assert all(re.fullmatch(r"\d\d_\d{4}[a-z]+", name) for name in videos)


def test_quirks(database: Path) -> None:
    """One doubled suffix in each clip of the first video, a misplaced video, and the workbook of blinks."""
    doubled = [path.parent.name for path in database.rglob("*.jpg.jpg")]
    first = [row for row in SHOWN if row[0] is SCENES[0]]
    assert len(doubled) == len(first) and len(set(doubled)) == len(doubled)
    odd = [path for path in (database / "rawpic").glob("*/*") if path.parent.name != f"s{path.name[:2]}"]
    assert [(path.parent.name, path.name[:3]) for path in odd] == [("s15", "16_")]
    assert (database / "CAS(ME)^2blink-code.xlsx").is_file()


def test_pictures_are_those_of_the_scene_and_neutral_outside_the_expressions(
    database: Path, rows: list[tuple]
) -> None:
    scene, _, shown = SHOWN[0]
    cut = database / "selectedpic" / "s15" / rows[0][1]
    (raw,) = [
        path
        for path in (database / "rawpic" / "s15").iterdir()
        if len(numbers(path)) == scene.recording.frames and path.name[:2] == "15"
    ]
    for place in (shown.onset, shown.apex):
        picture = cv2.imread(str(cut / f"img{place:03d}.jpg"))
        assert picture.shape == (480, 640, 3)
        np.testing.assert_array_equal(picture, cv2.imread(str(raw / f"img{place:03d}.jpg")))
        misses = [
            np.abs(picture[..., ::-1] - frame.astype(float)).mean()
            for frame in render(scene.recording, range(place - 2, place + 1))
        ]
        assert misses[1] == min(misses) < 4  # not the frame before, nor the one after
    assert scene.recording.frames > max(one.offset for one in scene.expressions) and shown.onset > 1
    crop = cv2.imread(str(database / "cropped" / "15" / rows[0][1] / f"img{shown.apex:03d}.jpg"))
    assert crop.shape == (240, 200, 3)


@pytest.mark.parametrize("tree", ["selectedpic", "cropped", "rawpic"])
@pytest.mark.parametrize("expressions", ["micro", "macro", "all"])
def test_the_loader_reads_what_the_scenes_are(
    database: Path, rows: list[tuple], tree: str, expressions: str
) -> None:
    reading = read(database, DatasetSubset(tree=tree, expressions=expressions))  # type: ignore[arg-type]
    expected = []
    for row, (scene, _, shown) in zip(rows, SHOWN, strict=True):
        if expressions not in (shown.kind, "all") or (
            tree == "cropped" and (scene.person, scene.number) == (2, 1)
        ):
            continue
        last = scene.recording.frames if tree == "rawpic" else shown.offset
        offset = shown.offset if row[4] else min(2 * shown.apex - shown.onset, last)
        word = LAYOUTS["casme-sq"].emotion_word(shown.emotion)
        clip = (FOLDERS[scene.person], row[1], word, shown.onset, shown.apex, offset)
        expected.append((*clip, "file", shown.kind, shown.action_units))
    fields = attrgetter("subject", "name", "emotion", "onset", "apex", "offset")
    more_fields = attrgetter("apex_source", "kind", "action_units")
    assert [(*fields(clip), *more_fields(clip)) for clip in reading.clips] == expected
    serious = {finding.kind for finding in reading.findings if finding.serious}
    assert serious <= ({"row without folder"} if tree == "cropped" else set())
