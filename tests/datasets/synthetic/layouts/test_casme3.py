"""A synthetic CAS(ME)^3: every cell and image, and what its reader returns."""

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import xlrd

from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme3 import read
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.simulation.render import render
from learnet.simulation.scenes import Expression, LongScene
from tests.builders.written_by_hand import kinds, of_kind

PEOPLE, CLIPS, SEED = 3, 4, 1  # the database of tests/e2e/test_databases.py
SCENES: list[LongScene] = LAYOUTS["casme3"].scenes(PEOPLE, CLIPS, SEED)
SHOWN = [(scene, one) for scene in SCENES for one in scene.expressions]
MICRO = [(scene, one) for scene, one in SHOWN if one.kind == "micro"]
LETTERS = {(1, 1): "a", (1, 2): "b", (2, 1): "j", (2, 2): "k", (3, 1): "f", (3, 2): "g"}
"""Person and number of the recording -> letter of the film."""

MICRO_WORKBOOK = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
FIRST = 8  # a scene's frame 1 is image 8


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("casme3", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def rows(database: Path) -> list[tuple]:
    book = openpyxl.load_workbook(database / MICRO_WORKBOOK)
    assert book.sheetnames == ["label", "Sheet1", "Sheet3"]
    assert not any(list(book[sheet].iter_rows()) for sheet in book.sheetnames[1:])
    return list(book["label"].iter_rows(values_only=True))


def numbers(folder: Path, suffix: str) -> list[int]:
    assert all(path.suffix == suffix for path in folder.iterdir())
    return sorted(int(path.stem) for path in folder.iterdir())


def test_the_plan_has_both_kinds_in_recordings_of_two() -> None:
    assert [len(scene.expressions) for scene in SCENES] == [2, 2, 2, 2, 2, 2]
    for person in range(1, PEOPLE + 1):
        kinds_of_person = [one.kind for scene, one in SHOWN if scene.person == person]
        assert sorted(kinds_of_person) == ["macro", "micro", "micro", "micro"]
    assert {one.emotion for _, one in MICRO} >= {"others", "sadness", "happiness"}


def test_a_person_sees_at_most_thirteen_films() -> None:
    scenes = LAYOUTS["casme3"].scenes(1, 40, 0)
    assert (
        max(scene.number for scene in scenes) <= 13 and sum(len(scene.expressions) for scene in scenes) == 40
    )


def test_rows_tell_what_the_scenes_are_with_the_quirks_of_the_real_ones(rows: list[tuple]) -> None:
    assert rows[0] == ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
    assert len(rows) == 1 + len(MICRO)
    for place, (row, (scene, one)) in enumerate(zip(rows[1:], MICRO, strict=True), start=1):
        subject, letter, onset, apex, offset, units, objective, emotion = row
        assert subject == f"spNO.{scene.person}" and letter == LETTERS[scene.person, scene.number].replace(
            "j", "J"
        )
        assert (onset, apex) == (one.onset + FIRST - 1, one.apex + FIRST - 1)
        assert offset == (0 if place == len(MICRO) else one.offset + FIRST - 1)
        assert str(units) == one.action_units and isinstance(units, int) == one.action_units.isdigit()
        assert {type(onset), type(apex), type(offset)} == {int} and objective in [
            "I",
            "II",
            "III",
            "IV",
            "V",
            "VI",
            "VII",
        ]
        assert emotion.lower() == {"sadness": "sad", "happiness": "happy"}.get(one.emotion, one.emotion)
    assert [row[7] for row in rows if row[7].lower() == "others"] == ["Others"]
    assert "J" in {row[1] for row in rows}


def test_only_the_first_others_has_a_capital(tmp_path: Path) -> None:
    scenes = LAYOUTS["casme3"].scenes(2, 13, SEED)
    LAYOUTS["casme3"].write_labels(tmp_path, scenes)
    sheet = openpyxl.load_workbook(tmp_path / MICRO_WORKBOOK)["label"]
    words = [row[7] for row in sheet.iter_rows(values_only=True)]
    others = [word for word in words if word.lower() == "others"]
    shown = [one for scene in scenes for one in scene.expressions if one.kind == "micro"]
    assert len(others) == sum(one.emotion == "others" for one in shown) > 2
    assert others[0] == "Others" and set(others[1:]) == {"others"}


def test_the_other_workbook_has_the_same_rows_and_the_macro_expressions(
    database: Path, rows: list[tuple]
) -> None:
    book = xlrd.open_workbook(database / "CAS(ME)3_part_A_v2.xls")
    header, *body = ([cell.value for cell in row] for row in book.sheet_by_name("AU+Emotion").get_rows())
    assert header == [*rows[0], "Expression type"]
    assert [tuple(row[:8]) for row in body if row[8] == "Micro-expression"] == rows[1:]
    macro = [row for row in body if row[8] == "Macro-expression"]
    shown = [one for _, one in SHOWN if one.kind == "macro"]
    for row, one in zip(macro, shown, strict=True):
        assert row[2:5] == [one.onset + FIRST - 1, one.apex + FIRST - 1, one.offset + FIRST - 1]
    assert len(body) == len(SHOWN)


def folder_of(database: Path, scene: LongScene) -> Path:
    return database / "part_A" / f"spNO.{scene.person}" / LETTERS[scene.person, scene.number]


def cut_of(database: Path, scene: LongScene, one: Expression, kind: str = "frame") -> Path:
    name = f"spNo.{scene.person}_{LETTERS[scene.person, scene.number]}_{one.onset + FIRST - 1}"
    return database / "Part_A_ME_clip" / "Part_A_ME_clip" / kind / name


def test_recordings_begin_with_image_8_and_one_lacks_a_frame_inside(database: Path) -> None:
    first = MICRO[0][1]
    assert MICRO[0][0] is SCENES[0] and first.apex > first.onset + 1
    for scene in SCENES:
        lost = {first.onset + 1 + FIRST - 1} if scene is SCENES[0] else set()
        wanted = sorted(set(range(FIRST, FIRST + scene.recording.frames)) - lost)
        assert (
            numbers(folder_of(database, scene) / "color", ".jpg")
            == numbers(folder_of(database, scene) / "depth", ".png")
            == wanted
        )
    assert {path.name for path in database.iterdir()} == {
        "part_A",
        "Part_A_ME_clip",
        "SYNTHETIC.txt",
        MICRO_WORKBOOK,
        "CAS(ME)3_part_A_v2.xls",
    }


def test_clips_are_the_recordings_images_from_onset_to_offset(database: Path) -> None:
    for scene, one in MICRO:
        colours, depths = cut_of(database, scene, one), cut_of(database, scene, one, "depth")
        there = numbers(colours, ".jpg")
        assert there == numbers(depths, ".png")
        assert (there[0], there[-1]) == (one.onset + FIRST - 1, one.offset + FIRST - 1)
        for number in there:
            assert (colours / f"{number}.jpg").read_bytes() == (
                folder_of(database, scene) / "color" / f"{number}.jpg"
            ).read_bytes()
    assert len(list((database / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame").iterdir())) == len(MICRO)


def test_pictures_are_those_of_the_scene_and_depth_has_16_bits(database: Path) -> None:
    scene, one = MICRO[1]
    picture = cv2.imread(
        str(cut_of(database, scene, one) / f"{one.apex + FIRST - 1}.jpg"), cv2.IMREAD_UNCHANGED
    )
    assert picture.shape == (720, 1280, 3)
    near = [
        np.abs(picture[..., ::-1].astype(float) - frame).mean()
        for frame in render(scene.recording, range(one.apex - 2, one.apex + 1))
    ]
    assert near[1] == min(near) < 3  # not the frame before, nor the one after
    depth = cv2.imread(str(folder_of(database, scene) / "depth" / "8.png"), cv2.IMREAD_UNCHANGED)
    assert (depth.shape, depth.dtype) == ((720, 1280), np.uint16)
    x, y = (round(place) for place in scene.recording.conditions.view.origin)
    assert depth[y, x] < 1000 < depth[0, 0]  # the face is near, the wall far


def expected(kind: str) -> list[tuple]:
    """Return what the reader must return for the expressions of a kind."""
    clips = []
    for scene, one in SHOWN:
        if one.kind == kind:
            onset, apex, offset = (mark + FIRST - 1 for mark in (one.onset, one.apex, one.offset))
            name = f"{LETTERS[scene.person, scene.number]}_{onset}"
            labels = (f"spNO.{scene.person}", name, one.emotion, kind, one.action_units)
            clips.append((*labels, onset, apex, offset))
    return clips


def read_clips(database: Path, selection: DatasetSubset) -> list[tuple]:
    fields = attrgetter("subject", "name", "emotion", "kind", "action_units", "onset", "apex", "offset")
    return [fields(clip) for clip in read(database, selection).clips]


def test_the_loader_finds_what_was_shown(database: Path) -> None:
    """In clips all of it; in recordings all but the one whose offset of 0 only its clip can tell."""
    assert read_clips(database, DatasetSubset()) == expected("micro")
    assert read_clips(database, DatasetSubset(tree="raw")) == expected("micro")[:-1]
    assert read_clips(database, DatasetSubset(expressions="macro")) == expected("macro")
    assert (
        read_clips(database, DatasetSubset(expressions="all")) == expected("macro") + expected("micro")[:-1]
    )


def test_the_audit_says_what_is_odd(database: Path) -> None:
    reading = read(database)
    assert kinds(reading) == ["frames missing", "offset from the folder"]
    assert kinds(reading, serious=True) == []
    assert of_kind(reading, "frames missing").where == "casme3/" + "/".join(expected("micro")[0][:2])
    assert kinds(read(database, DatasetSubset(tree="raw")), serious=True) == ["clip left out"]
