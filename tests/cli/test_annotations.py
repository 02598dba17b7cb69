"""`learnet import-annotations` as a user types it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from learnet.datasets.annotations.files import read_annotations, write_annotations
from learnet.datasets.annotations.pairs import describe_recording
from learnet.datasets.annotations.record import Recording
from learnet.video.writer import write_video
from tests.builders.annotated_events import EVENTS, RECORDING, event
from tests.builders.commands import learnet


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames at 25 frames a second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, np.zeros((40, 32, 32, 3), np.uint8), 25.0)
    return path


def test_files_of_several_coders_become_one_table(tmp_path: Path) -> None:
    write_annotations(tmp_path / "ann.eaf", EVENTS, RECORDING)
    (tmp_path / "ben.csv").write_text("onset,offset,emotion\n500,520,Fear\n")
    table = tmp_path / "all.csv"
    said = learnet(
        "import-annotations", tmp_path / "ann.eaf", tmp_path / "ben.csv", "--fps", 200, "--to", table
    )
    assert f"-> {table}" in said.stdout
    assert "ben.csv: 1 of 1 without an apex: the middle is taken." in said.stdout
    with table.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(EVENTS) + 1
    (fear,) = [row for row in rows if row["label"] == "Fear"]
    assert (fear["source"], fear["onset_s"], fear["apex"]) == ("ben", "2.5", "510")


def test_another_format_and_the_video_of_the_events(tmp_path: Path, film: Path) -> None:
    (tmp_path / "a.csv").write_text("onset_s,offset_s\n0.4,0.8\n")
    learnet("import-annotations", tmp_path / "a.csv", "--video", film, "--to", tmp_path / "a.eaf")
    (read,) = read_annotations(tmp_path / "a.eaf").events
    assert (read.onset, read.offset) == (10, 20)
    assert describe_recording(film) == Recording(25.0, 0, 40, "film.mp4")


def test_what_is_wrong_is_one_line_and_nothing_is_written(tmp_path: Path, film: Path) -> None:
    target = tmp_path / "out.csv"
    (tmp_path / "late.csv").write_text("onset,offset\n1,9\n35,45\n")
    error = learnet(
        "import-annotations", tmp_path / "late.csv", "--video", film, "--to", target, code=2
    ).stderr
    assert error.count("\n") == 1
    assert "late.csv line 3: the event from frame 35 to 45 (1.400 to 1.800 s) is outside the video" in error
    write_annotations(tmp_path / "whole.eaf", [event(1, 2, 3)], RECORDING)
    (tmp_path / "cut.eaf").write_bytes((tmp_path / "whole.eaf").read_bytes()[:400])
    error = learnet("import-annotations", tmp_path / "cut.eaf", "--fps", 25, "--to", target, code=2).stderr
    assert error.count("\n") == 1 and "this is not XML" in error
    error = learnet("import-annotations", tmp_path / "late.csv", "--fps", 0, "--to", target, code=2).stderr
    assert "0 is no frame rate" in error
    error = learnet("import-annotations", tmp_path / "late.csv", "--to", tmp_path / "out.xml", code=2).stderr
    assert "ends in .csv, .eaf" in error
    assert not target.exists()
