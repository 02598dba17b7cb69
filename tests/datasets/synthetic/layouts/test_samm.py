"""A synthetic SAMM: every cell and image, with the irregularities of the real one."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.simulation.render import render

PEOPLE, CLIPS, SEED = 2, 3, 3
SCENES = LAYOUTS["samm"].scenes(PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("samm", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def rows(database: Path) -> list[tuple]:
    return list(
        openpyxl.load_workbook(database / "SAMM_Micro_FACS_Codes_v2.xlsx")
        .worksheets[0]
        .iter_rows(values_only=True)
    )


def test_header_stands_below_thirteen_rows_of_notes(rows: list[tuple]) -> None:
    assert rows[0][0] and not any(map(any, rows[1:13]))
    assert [name.strip() for name in rows[13]] == [
        *("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame"),
        *("Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes"),
    ]
    assert any(name != name.strip() for name in rows[13])
    assert len(rows) == 14 + PEOPLE * CLIPS


def test_rows_tell_what_the_scenes_are(rows: list[tuple]) -> None:
    for k, (row, scene) in enumerate(zip(rows[14:], SCENES, strict=True)):
        person, name, inducement, onset, apex, offset, duration, micro, units, emotion, objective, _ = row
        assert (
            person == f"{scene.person:03d}"
            and re.fullmatch(rf"{person}_{inducement}_\d+", name)
            and 1 <= inducement <= 7
        )
        assert (offset - onset, duration) == (scene.offset - scene.onset, scene.offset - scene.onset + 1)
        assert (apex - onset == scene.apex - scene.onset) != (k == 1)
        assert micro == "Micro - 1/2" and 1 <= objective <= 7
        assert str(units).startswith(scene.action_units)
        assert emotion == {"others": "Other"}.get(scene.emotion, scene.emotion.title())
    assert not rows[15][3] <= rows[15][4] <= rows[15][5]  # the apex outside its clip
    assert " or " in rows[16][8] and rows[17][8].endswith("soft focus")
    assert len({row[1] for row in rows[14:]}) == PEOPLE * CLIPS


def test_folders_hold_onset_to_offset_under_the_numbers_of_the_video(
    database: Path, rows: list[tuple]
) -> None:
    digits: dict[tuple[str, int], set[int]] = {}
    for person, name, inducement, onset, _, offset, *_ in rows[14:]:
        found = [
            re.fullmatch(rf"{person}_(\d+)\.jpg", path.name)
            for path in (database / "SAMM" / person / name).iterdir()
        ]
        assert all(found)
        texts = [match[1] for match in found if match]
        assert sorted(map(int, texts)) == list(range(onset, offset + 1))
        digits.setdefault((person, inducement), set()).update(map(len, texts))
    assert all(len(own) == 1 for own in digits.values())  # one padding within a source video
    assert set().union(*digits.values()) == {4, 5}
    assert all(own == {5} for (_, inducement), own in digits.items() if inducement == 1)
    for person in ("001", "002"):
        onsets = [row[3] for row in rows[14:] if row[0] == person]
        assert onsets == sorted(onsets) and onsets[0] > 80
    assert {path.name for path in database.iterdir()} == {
        "SAMM_Micro_FACS_Codes_v2.xlsx",
        "SAMM",
        "SYNTHETIC.txt",
    }


def test_pictures_are_grey_and_those_of_the_scene(database: Path, rows: list[tuple]) -> None:
    row, scene = rows[14], SCENES[0]
    files = sorted((database / "SAMM" / row[0] / row[1]).iterdir())
    for place in (scene.onset, scene.apex):
        picture = cv2.imread(str(files[place - scene.onset]), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (650, 960)
        near = [
            frame @ np.array([0.299, 0.587, 0.114])
            for frame in render(scene.recording, range(place - 2, place + 1))
        ]  # ITU-R BT.601
        misses = [np.abs(picture - frame).mean() for frame in near]
        assert misses[1] == min(misses) < 2  # not the frame before, nor the one after
