"""A table that is written window by window: a run that was killed continues, and ends with the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import OutputTaken
from learnet.core.records import UnjudgedStretch
from learnet.core.settings import Windows
from learnet.inference.events import unjudged_stretches
from learnet.inference.prediction import Prediction
from learnet.inference.prediction_log import SUFFIX, PredictionLog
from learnet.inference.recogniser import Recogniser
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import make_long_scene

FPS = 50.0
WINDOWS = Windows(whole_s=0.5)
RUN = {"video": "film", "weights": "w"}


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    scene = make_long_scene(2, 1, 1, [("micro", "surprise")], Camera(240, 320, FPS, 120.0))
    return np.stack(list(render(scene.recording)))


class _Killed(BaseException):
    pass


class _Dying(PredictionLog):
    """A log whose process is killed after two windows."""

    def add(self, prediction: object) -> None:
        super().add(prediction)  # type: ignore[arg-type]
        if len(self.progress.read_text().splitlines()) == 3:
            raise _Killed


def test_an_interrupted_run_continues_and_ends_with_the_same_bytes(film: np.ndarray, tmp_path: Path) -> None:
    recogniser = Recogniser.load()
    classes = recogniser.metadata.classes
    whole = recogniser(film, WINDOWS, FPS)
    assert len(whole.predictions) >= 5

    table = tmp_path / "film.csv"
    log: PredictionLog = _Dying(table, RUN, classes, recogniser.units)
    with pytest.raises(_Killed):
        recogniser(film, WINDOWS, FPS, log=log)
    log.close()
    assert len(table.read_text().splitlines()) == 3  # a heading and two windows
    with (tmp_path / ("film.csv" + SUFFIX)).open("a") as handle:
        handle.write('{"window": 2, "sta')  # a killed process may leave half a line

    log = PredictionLog(table, RUN, classes, recogniser.units)
    assert len(log.done) == 2
    continued = recogniser(film, WINDOWS, FPS, log=log)
    log.finish()
    assert table.read_text() == whole.to_csv(True) == continued.to_csv(True)
    assert continued.to_json() == whole.to_json()
    np.testing.assert_array_equal(continued.strongest_images.image, whole.strongest_images.image)
    assert list(tmp_path.iterdir()) == [table]


def test_the_predictions_of_another_run_are_not_continued(film: np.ndarray, tmp_path: Path) -> None:
    recogniser = replace(Recogniser.load(), margin=0.0)
    log: PredictionLog = _Dying(tmp_path / "film.csv", RUN, recogniser.metadata.classes)
    with pytest.raises(_Killed):
        recogniser(film, WINDOWS, FPS, log=log)
    log.close()
    other = PredictionLog(tmp_path / "film.csv", {**RUN, "weights": "v"}, recogniser.metadata.classes)
    assert other.done == ()
    other.discard()
    assert list(tmp_path.iterdir()) == []


def test_another_table_is_not_overwritten_and_a_link_is_followed(tmp_path: Path) -> None:
    classes = ("negative", "none")
    people = tmp_path / "participants.csv"
    people.write_text("name,age\nA,31\n")
    with pytest.raises(OutputTaken, match="something else than windows or events of a video"):
        PredictionLog(people, RUN, classes)
    assert people.read_text() == "name,age\nA,31\n" and list(tmp_path.iterdir()) == [people]

    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    PredictionLog(link, RUN, classes).finish()
    assert link.is_symlink() and target.read_text().startswith("window,start_s,end_s,first,last,frames")
    PredictionLog(link, RUN, classes).finish()  # the table of an earlier run may be replaced


def test_stretches_of_one_reason_are_one_and_none_overlap() -> None:
    """Windows of 0.5 s every 0.25 s: the head turns, one window is judged between, then the face is lost."""
    reasons = ["", "turns", "", "turns", "lost", ""]
    windows = []
    for index, reason in enumerate(reasons):
        start_s = index / 4
        label = None if reason else "none"
        windows.append(Prediction(index, start_s, start_s + 0.5, 0, 1, 2, label, {}, reason, None, None, ()))
    assert unjudged_stretches(windows) == (
        UnjudgedStretch(0.25, 1.25, "turns"),
        UnjudgedStretch(1.25, 1.5, "lost"),
    )


@pytest.mark.parametrize("kind", ["link", "file"])
def test_the_progress_of_somebody_else_is_neither_followed_nor_lost(tmp_path: Path, kind: str) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    progress = tmp_path / f"film.csv{SUFFIX}"
    progress.symlink_to(precious) if kind == "link" else precious.rename(progress)
    with pytest.raises(OutputTaken, match="something else is there, where finished windows"):
        PredictionLog(tmp_path / "film.csv", RUN, ("a", "b"))
    assert progress.read_text() == "precious" and not (tmp_path / "film.csv").exists()


def test_damaged_progress_is_begun_anew(tmp_path: Path) -> None:
    progress = tmp_path / f"film.csv{SUFFIX}"
    log = PredictionLog(tmp_path / "film.csv", RUN, ("a", "b"))
    log.close()
    begun = progress.read_bytes()
    for rest in (b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"null\n"):
        progress.write_bytes(begun + rest)
        log = PredictionLog(tmp_path / "film.csv", RUN, ("a", "b"))
        log.close()
        assert log.done == () and progress.read_bytes() == begun
