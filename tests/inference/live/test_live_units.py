"""Action units of a stream equal those of `predict` for the same window."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from learnet.core.live_settings import LiveSettings
from learnet.core.settings import Preparation, Windows
from learnet.inference.live import LivePrediction, LiveRecogniser, columns
from learnet.inference.recogniser import Recogniser
from learnet.inference.window_units import WindowUnits
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.base import Frame
from tests.builders.action_units import PRESENT, UNITS, StandIn, stand_in
from tests.inference.live.test_live import wobble

FPS = 50.0
CLASSES = ("negative", "positive")


@pytest.fixture(autouse=True)
def network_is_always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pattern of these tests is no face."""
    for module in ("live.recogniser", "recogniser"):
        monkeypatch.setattr(f"learnet.inference.{module}.judge_motion", lambda evidence: None)


def recogniser(motion: str, size: int, network: StandIn) -> Recogniser:
    metadata = CheckpointMetadata(
        "learnet", CLASSES, size, Preparation(motion=motion, size=size, face="none"), None, {}, {}
    )
    scorer = Scorer(lambda batch: np.tile([0.0, 1.0], (len(batch), 1)))
    return Recogniser(scorer, metadata, None, "none", action_units=stand_in(network))


def watched(recogniser: Recogniser, frames: np.ndarray) -> list[LivePrediction]:
    with LiveRecogniser(recogniser, LiveSettings(every=25), FPS) as live:
        for number, pixels in enumerate(frames):
            live.add(Frame(number, number / FPS, pixels))
        last = live.finish()
    return [last] if last else []


@pytest.mark.parametrize(("motion", "size"), [("flow-dis", 28), ("dynamic", 48)])
def test_units_are_those_of_predict(motion: str, size: int) -> None:
    frames = wobble(40)  # a window of 25 frames is due at frame 24; the last one has frames 15 to 39
    of_stream, of_video = StandIn(), StandIn()
    (prediction,) = watched(recogniser(motion, size, of_stream), frames)
    recognition = recogniser(motion, size, of_video)(frames[15:], Windows(), fps=FPS)
    assert (prediction.first, prediction.last) == (15, 39)
    assert prediction.action_units == recognition.predictions[0].action_units
    assert [unit.unit for unit in prediction.action_units] == [1, 12, 2]
    difference = of_stream.batches[-2] - of_video.batches[0]
    assert np.abs(difference).max() <= 1.01 / 127.5  # one grey level


def test_json_and_row_have_the_units() -> None:
    (prediction,) = watched(recogniser("flow-dis", 28, StandIn()), wobble(40))
    record = json.loads(prediction.to_json())
    assert [unit["name"] for unit in record["action_units"]] == [
        "inner brow raiser",
        "lip corner puller",
        "outer brow raiser",
    ]
    assert record["action_unit_scores"] == {str(unit): pytest.approx(PRESENT[unit]) for unit in UNITS}
    assert [match["emotion"] for match in record["emotions_by_units"]] == ["surprise", "happiness"]
    text = io.StringIO()
    csv.writer(text).writerows([columns(CLASSES, UNITS), prediction.row(CLASSES, UNITS)])
    (row,) = csv.DictReader(io.StringIO(text.getvalue()))
    assert row["action_units"] in ("1+2+L12", "1+2+R12")
    assert {unit: float(row[f"AU{unit}"]) for unit in UNITS} == pytest.approx(PRESENT)
    assert row["emotions_by_units"] == "surprise; happiness"


def test_a_moving_head_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "the head moves by 1.6 pixels of a face 112 pixels wide, so nothing is to be trusted"
    monkeypatch.setattr(
        "learnet.inference.live.recogniser.recognise_units", lambda *_: WindowUnits(reason=told)
    )
    (prediction,) = watched(recogniser("flow-dis", 28, StandIn()), wobble(40))
    assert prediction.action_units == () and prediction.label == "uncertain"
    assert prediction.reason == told and json.loads(prediction.to_json())["reason"] == told


def test_a_prediction_without_units_has_empty_lists() -> None:
    without = replace(recogniser("flow-dis", 28, StandIn()), action_units=None)
    (prediction,) = watched(without, wobble(40))
    record = json.loads(prediction.to_json())
    assert record["action_units"] == record["emotions_by_units"] == [] and record["action_unit_scores"] == {}
