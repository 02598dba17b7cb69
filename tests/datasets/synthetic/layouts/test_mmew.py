"""A synthetic MMEW: every cell and image, with the irregularities of the real one."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import register, render

PEOPLE, CLIPS, SEED = 2, 5, 3
SCENES = LAYOUTS["mmew"].scenes(PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("mmew", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def rows(database: Path) -> list[tuple]:
    return list(
        openpyxl.load_workbook(database / "MMEW_Micro_Exp.xlsx")["Sheet1"].iter_rows(values_only=True)
    )


def folder(database: Path, name: str) -> Path:
    (found,) = (database / "MMEW_Final" / "Micro_Expression").glob(f"*/{name}")
    return found


def test_rows_tell_what_the_scenes_are(rows: list[tuple]) -> None:
    assert rows[0] == (
        *("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame"),
        *("Action Units", "Estimated Emotion", "remarks"),
    )
    for row, scene in zip(rows[1:], SCENES, strict=True):
        person, name, onset, _, _, units, emotion, _ = row
        assert (person, onset, str(units), emotion) == (
            scene.person,
            scene.onset,
            scene.action_units,
            scene.emotion,
        )
        first, second, third = name.split("-")
        assert first == f"S{person:02d}" and len(second) == 2 and len(third) == 3
    apexes = [row[3] == scene.apex for row, scene in zip(rows[1:], SCENES, strict=True)]
    offsets = [row[4] == scene.offset for row, scene in zip(rows[1:], SCENES, strict=True)]
    assert apexes.count(False) == 1 and not rows[3][2] <= rows[3][3] <= rows[3][4] and rows[3][7]
    assert offsets.count(False) == 1 and not offsets[1]


def test_folders_are_counted_from_one(database: Path, rows: list[tuple]) -> None:
    beyond = 0
    for row, scene in zip(rows[1:], SCENES, strict=True):
        files = {path.name for path in folder(database, row[1]).iterdir()}
        assert files == {f"{number}.jpg" for number in range(1, len(files) + 1)}
        if row[4] > len(files):
            beyond += 1
            assert len(files) == scene.offset
        else:
            assert len(files) == scene.recording.frames
    assert beyond == 1


def test_folder_of_others_is_called_repression(database: Path, rows: list[tuple]) -> None:
    seen = {row[6]: folder(database, row[1]).parent.name for row in rows[1:]}
    assert seen["others"] == "repression"
    assert all(word == emotion for emotion, word in seen.items() if emotion != "others")


def test_pictures_are_registered_crops_of_the_scene(database: Path, rows: list[tuple]) -> None:
    row, scene = rows[1], SCENES[0]
    view, crop = scene.recording.conditions.view, crop_view(231, 231)
    for number in (2, scene.apex):
        picture = cv2.imread(str(folder(database, row[1]) / f"{number}.jpg"), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (231, 231, 3)
        near = [
            register(frame, view, crop).astype(int)
            for frame in render(scene.recording, range(number - 2, number + 1))
        ]
        misses = [np.abs(picture[..., ::-1] - frame).mean() for frame in near]
        assert misses[1] == min(misses) < 4  # not the frame before, nor the one after


def test_macro_expressions_are_single_pictures_elsewhere(database: Path) -> None:
    files = [path for path in (database / "MMEW_Final" / "Macro_Expression").rglob("*") if path.is_file()]
    assert [path.relative_to(database / "MMEW_Final").as_posix() for path in files] == [
        "Macro_Expression/S01/anger/S01-03-500.jpg"
    ]
    assert cv2.imread(str(files[0])).shape == (231, 231, 3)
    assert {path.name for path in database.iterdir()} == {
        "MMEW_Micro_Exp.xlsx",
        "MMEW_Final",
        "SYNTHETIC.txt",
    }
