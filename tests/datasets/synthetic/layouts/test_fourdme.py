"""A synthetic 4DME: every cell and image, and what its reader returns."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from learnet.core.labels import parse_action_units
from learnet.core.settings import DatasetSubset
from learnet.datasets import DATASETS
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.simulation.render import render

PEOPLE, CLIPS, SEED = 3, 3, 1  # the database of tests/e2e/test_databases.py
SCENES = LAYOUTS["4dme"].scenes(PEOPLE, CLIPS, SEED)
NAME = "4DME_Labelling_Micro_release v1.xlsx"
WORDS = ("Positive", "Negative", "Surprise", "Repression", "Others")
TREES = ("gray_micro", "gray_micro_crop")


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("4dme", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def table(database: Path) -> list[dict]:
    """The rows below the header, by its names without the apostrophe."""
    header, *rows = openpyxl.load_workbook(database / NAME).worksheets[0].iter_rows(values_only=True)
    assert all(name.endswith("'") for name in header)
    return [dict(zip([name[:-1] for name in header], row, strict=True)) for row in rows]


def test_rows_tell_what_the_scenes_are(table: list[dict]) -> None:
    plain = {"happiness": "Positive", "surprise": "Surprise", "repression": "Repression", "others": "Others"}
    for row, scene in zip(table[:-1], SCENES, strict=True):
        assert row["sub_ID"] == f"S{scene.person:02d}" and re.fullmatch(
            rf"{row['sub_ID']}_1st_9\d\d_\d\d_1", row["fold_name"]
        )
        assert (row["Apex"] - row["Onset"], row["Offset"] - row["Onset"]) == (
            scene.apex - scene.onset,
            scene.offset - scene.onset,
        )
        words = row["Emotion"].split("+")
        assert plain.get(scene.emotion, "Negative") in words
        assert [row[word] for word in WORDS] == [int(word in words) for word in WORDS]
        units = parse_action_units(row["AUs"])
        assert [unit for unit in units if not unit.static] == list(parse_action_units(scene.action_units))
        assert {int(name[2:]) for name, cell in row.items() if re.fullmatch(r"AU\d+", name) and cell} == {
            unit.number for unit in units
        }
    assert len({row["fold_name"] for row in table}) == PEOPLE * CLIPS + 1


def test_quirks_are_there(table: list[dict]) -> None:
    *rows, last = table
    assert any("+" in row["Emotion"] for row in rows)
    assert Counter("(k)" in row["AUs"] for row in rows)[True] == 1
    assert (last["sub_ID"], last["fold_name"], last["Emotion"], last["Onset"], last["AUs"]) == (
        "Total",
        len(rows),
        None,
        None,
        None,
    )
    assert all(last[word] == sum(row[word] for row in rows) for word in (*WORDS, "AU4", "eye blink"))


def test_both_trees_hold_the_clips(database: Path, table: list[dict]) -> None:
    for tree in TREES:
        for row in table[:-1]:
            names = sorted(
                path.name for path in (database / tree / row["sub_ID"] / row["fold_name"]).iterdir()
            )
            assert names == [
                f"Frame_{number:09d}.jpg" for number in range(int(row["Onset"]), int(row["Offset"]) + 1)
            ]
        assert len(list((database / tree).glob("*/*"))) == PEOPLE * CLIPS
    assert {path.name for path in database.iterdir()} == {NAME, *TREES, "SYNTHETIC.txt"}


def test_pictures_are_grey_and_those_of_the_scene(database: Path, table: list[dict]) -> None:
    """A part of the crop is found in the whole image, which is closer to its own frame than to any other."""
    rolls = [abs(scene.recording.conditions.view.roll_deg) for scene in SCENES]
    upright = int(np.argmin(rolls))
    row, scene = table[upright], SCENES[upright]
    folders = [database / tree / row["sub_ID"] / row["fold_name"] for tree in TREES]
    whole, crop = (
        cv2.imread(str(folder / f"Frame_{int(row['Apex']):09d}.jpg"), cv2.IMREAD_UNCHANGED)
        for folder in folders
    )
    assert (whole.shape, crop.shape) == ((480, 640), (330, 275))
    assert cv2.matchTemplate(whole, crop[60:270, 60:220], cv2.TM_CCOEFF_NORMED).max() > 0.85
    frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(float) for frame in render(scene.recording)]
    errors = [np.abs(frames[frame - 1] - whole).mean() for frame in range(scene.onset, scene.offset + 1)]
    assert scene.onset + int(np.argmin(errors)) == scene.apex


@pytest.mark.parametrize("tree", ["micro", "micro-cropped"])
def test_the_loader_reads_it_as_it_was_played(database: Path, tree: str) -> None:
    reading = DATASETS["4dme"].read(database, DatasetSubset(tree=tree))
    assert [(finding.kind, finding.serious) for finding in reading.findings] == [("row passed over", False)]
    assert len(reading.clips) == len(SCENES)
    for clip, scene in zip(reading.clips, SCENES, strict=True):
        assert (clip.subject, clip.emotion) == (
            f"S{scene.person:02d}",
            LAYOUTS["4dme"].emotion_word(scene.emotion).lower(),
        )
        assert (clip.apex - clip.onset, clip.offset - clip.onset) == (
            scene.apex - scene.onset,
            scene.offset - scene.onset,
        )
        assert (clip.fps, clip.cropped, clip.apex_source) == (60.0, tree == "micro-cropped", "file")
    assert sum(bool(clip.also) for clip in reading.clips) >= 1
