"""A synthetic CASME: every cell and image, and what its reader returns."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import xlrd

from learnet.datasets.readers.casme import read
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.datasets.synthetic.layouts.casme import clip_folder
from learnet.simulation.render import render

PEOPLE, CLIPS, SEED = 3, 3, 1  # the database of tests/e2e/test_databases.py
LAYOUT = LAYOUTS["casme"]
SCENES = LAYOUT.scenes(PEOPLE, CLIPS, SEED)
SUBJECTS = {1: ("A", 1), 2: ("B", 8), 3: ("A", 2)}  # person of the script -> section and subject


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("casme", PEOPLE, CLIPS, SEED)


def section(database: Path, name: str) -> Path:
    return database / f"CASME_{name}" / f"Section {name}"


def rows(database: Path) -> list[list]:
    """The rows of both workbooks, in the order of the scenes."""
    books = {
        name: xlrd.open_workbook(section(database, name) / f"Section {name}.xls").sheet_by_name("Sheet1")
        for name in "AB"
    }
    found = {name: [sheet.row_values(line) for line in range(sheet.nrows)] for name, sheet in books.items()}
    for lines in found.values():
        assert lines[0] == [
            "Subject",
            "Filename",
            "",
            "OnsetF",
            "ApexF1",
            "ApexF2",
            "OffsetF",
            "",
            "Onset",
            "Total",
            "AU",
            "Emotion",
        ]
    left = {name: iter(lines[1:]) for name, lines in found.items()}
    return [next(left[SUBJECTS[scene.person][0]]) for scene in SCENES]


def test_rows_tell_what_the_scenes_are(database: Path) -> None:
    told = rows(database)
    for row, scene in zip(told, SCENES, strict=True):
        assert row[0] == SUBJECTS[scene.person][1]
        assert (row[3], row[4]) == (scene.onset, scene.apex)
        assert row[11] == ("comtempt" if scene.emotion == "contempt" else scene.emotion)
        assert abs(row[9] - (scene.offset - scene.onset + 1) * 1000 / 60) < 1
    assert [row[6] == scene.offset for row, scene in zip(told, SCENES, strict=True)].count(False) == 1
    assert told[1][6] == "\\" and {row[5] for row in told if isinstance(row[5], str)} == {"\\"}


def test_contempt_is_misspelt_as_in_the_real_one(tmp_path: Path) -> None:
    section(tmp_path, "A").mkdir(parents=True)
    LAYOUT.write_labels(tmp_path, [replace(SCENES[0], emotion="contempt")])
    sheet = xlrd.open_workbook(section(tmp_path, "A") / "Section A.xls").sheet_by_index(0)
    assert sheet.row_values(1)[11] == LAYOUT.emotion_word("contempt") == "comtempt"


def test_clips_are_called_as_in_the_real_one(database: Path) -> None:
    """One digit behind the stroke or none: two would be CASME II's."""
    many = LAYOUT.scenes(16, 20, SEED)
    folders = [path for name in "AB" for path in section(database, name).glob("sub*/*")]
    assert len(folders) == len(SCENES) + 1
    assert all(re.fullmatch(r"EP\d\d(_\d)?", path.name) for path in folders)
    assert len({clip_folder(database, scene) for scene in many}) == len(many)


def test_pictures_are_the_frames_of_the_scenes(database: Path) -> None:
    for row, scene in list(zip(rows(database), SCENES, strict=True))[:4]:
        name, subject = SUBJECTS[scene.person]
        files = sorted(
            (section(database, name) / f"sub{subject:02d}" / row[1]).iterdir(),
            key=lambda file: int(file.stem.rpartition("-")[2].removeprefix("img")),
        )
        assert len(files) == scene.recording.frames
        digits = len(files[0].stem.rpartition("-")[2].removeprefix("img"))
        assert digits == (3 if name == "B" else 1)
        wanted = list(render(scene.recording, range(scene.apex - 1, scene.apex + 1)))
        shown = cv2.imread(str(files[scene.apex - 1]))[..., ::-1].astype(int)
        assert shown.shape == (480, 640, 3)
        own, next_one = (np.abs(shown - frame).mean() for frame in wanted)
        assert own < 2.5 and own < next_one


def test_the_loader_reads_every_clip_as_it_was_made(database: Path) -> None:
    reading = read(database)
    assert len(reading.clips) == len(SCENES)
    scenes = {SUBJECTS[scene.person][1]: [] for scene in SCENES}
    for scene in SCENES:
        scenes[SUBJECTS[scene.person][1]].append(scene)
    for clip in reading.clips:
        scene = next(
            one for one in scenes[int(clip.subject)] if (one.onset, one.apex) == (clip.onset, clip.apex)
        )
        assert (clip.emotion, clip.action_units, clip.fps) == (scene.emotion, scene.action_units, 60.0)
        mirrored = min(2 * scene.apex - scene.onset, scene.recording.frames)
        assert clip.offset == (mirrored if (scene.person, scene.number) == (1, 2) else scene.offset)
    kinds = sorted(finding.kind for finding in reading.findings)
    assert kinds == ["folder without row", "offset mirrored"]
    assert reading.about["sections"] == "A and B"
