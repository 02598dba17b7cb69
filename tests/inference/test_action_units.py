"""Action units of images and of windows of a video, with a stand-in network whose answers are known."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.records import ActionUnitScore
from learnet.core.settings import Preparation, Windows
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.face import HEAD_MOTION_LIMIT_PX, align
from learnet.inference.action_unit_text import facs_code, long_text, short_text
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.inference.prediction_log import PredictionLog
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.inference.window_units import MovingWindow, recognise_units
from learnet.motion.detrend import StoredImages
from learnet.motion.evidence import motion_evidence
from learnet.motion.pipeline import make_image
from learnet.networks import NETWORKS
from learnet.training.checkpoint import save_checkpoint
from learnet.video.reader import read_frames
from tests.builders.action_units import PRESENT, UNITS, StandIn, stand_in, unit_metadata

FLOW = Preparation(motion="flow-dis", size=28).settled


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_video(
        tmp_path_factory.mktemp("film") / "surprise.mp4", seed=7, emotion="surprise", duration_s=0.6
    ).path


@pytest.fixture(scope="module")
def recognition(film: Path) -> Recognition:
    return replace(Recogniser.load(), action_units=stand_in())(film)


def strain_on_the_right() -> np.ndarray:
    """Return an image whose strain is on its right half only, which is the person's left."""
    image = np.full((28, 28, 3), 127, np.uint8)
    image[:, :14, 2] = 0
    image[:, 14:, 2] = 255
    return image


def test_units_are_named_from_their_thresholds_with_their_sides() -> None:
    image = strain_on_the_right()
    images = StoredImages(np.stack([image, image[:, ::-1]]))
    recogniser = replace(stand_in(), thresholds={1: 0.95, 2: 0.7, 4: 0.15, 12: 0.5, 17: 0.05})
    scores = recogniser.scores(images)
    np.testing.assert_allclose(scores.present, [list(PRESENT.values())] * 2, atol=1e-6)
    of_left = recogniser.named(scores, 0)
    assert [(unit.code, unit.side) for unit in of_left] == [
        ("L12", "left"),
        ("2", "both"),
        ("4", "both"),
        ("17", ""),
    ]
    assert [unit.score for unit in of_left] == pytest.approx([0.8, 0.75, 0.2, 0.1])
    assert recogniser.named(scores, 1)[0].code == "R12"


def test_units_in_words() -> None:
    units = (
        ActionUnitScore(12, "left", 0.941),
        ActionUnitScore(4, "both", 0.81),
        ActionUnitScore(17, "", 0.7),
    )
    assert facs_code(units) == "4+L12+17"
    assert short_text(units) == "AU L12 0.94, 4 0.81, 17 0.70"
    assert long_text(units) == "AU 12 left side, 0.94; AU 4 both sides, 0.81; AU 17, 0.70"
    assert facs_code(()) == short_text(()) == long_text(()) == ""


def test_other_images_are_refused_in_one_line() -> None:
    with pytest.raises(
        LearnetError, match=r"flow images of 28 pixels, and these have 56\. Prepare them with"
    ):
        stand_in().scores(StoredImages(np.zeros((1, 56, 56, 3), np.uint8)))


def test_weights_of_the_other_kind_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        BadCheckpoint, match="names the classes negative, positive, surprise, none and no action"
    ):
        ActionUnitRecogniser.load("ststnet-flow-28")
    units = write_units(tmp_path / "units.safetensors", (4, 12))
    with pytest.raises(BadCheckpoint, match=r"names action units and no classes\. Choose mlp-cnn-flow-28"):
        Recogniser.load(units)
    assert ActionUnitRecogniser.load(units).units == (4, 12)


def test_a_unit_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match=r"action units that are not known here: 99\. "):
        ActionUnitRecogniser.load(write_units(tmp_path / "units.safetensors", (4, 99)))


def test_units_learned_from_imported_images_are_refused_for_videos() -> None:
    metadata = replace(unit_metadata(), data={"images_kind": "flow", "people": "casme2/01"})
    with pytest.raises(LearnetError, match="on imported images"):
        _ = replace(stand_in(), metadata=metadata).preparation


def write_units(path: Path, units: tuple[int, ...]) -> Path:
    metadata = replace(unit_metadata(units), network="ststnet")
    save_checkpoint(path, NETWORKS["ststnet"](metadata.outputs, 28, seed=0).eval(), metadata)
    return path


def test_the_network_of_units_is_asked_about_the_image_of_the_classes(film: Path) -> None:
    network = StandIn()
    recogniser = replace(Recogniser.load(), action_units=stand_in(network))
    recognition = recogniser(film)
    assert len(recognition.predictions) == 1
    image, mirrored = network.batches
    expected = recognition.strongest_images.image.astype(np.float32) / np.float32(127.5) - np.float32(1)
    np.testing.assert_array_equal(image[0], expected.transpose(2, 0, 1))
    np.testing.assert_array_equal(mirrored[0, 1:], image[0, 1:, :, ::-1])
    np.testing.assert_array_equal(mirrored[0, 0], -image[0, 0, :, ::-1])


def test_for_other_weights_a_flow_image_is_made_of_the_same_crops(film: Path) -> None:
    """The image equals that of the library function for the apex that was measured."""
    network = StandIn()
    recogniser = replace(Recogniser.load("learnet-image-112"), action_units=stand_in(network))
    recognition = recogniser(film)
    (prediction,) = recognition.predictions
    assert [unit.unit for unit in prediction.action_units] == [1, 12, 2]
    frames = read_frames(film)
    evidence = motion_evidence(list(frames), align(frames, recogniser.finder, 112), None)
    expected = make_image(frames, FLOW, recogniser.finder, evidence.apex).image
    difference = (network.batches[0][0].transpose(1, 2, 0) + 1) * 127.5 - expected
    assert np.abs(difference).max() <= 1.01  # of 255: transforms are composed in another order


def test_a_head_that_moves_too_far_has_no_units_and_a_reason(film: Path) -> None:
    frames = read_frames(film)
    aligned = align(frames, Recogniser.load().finder, 28)
    limit_px = HEAD_MOTION_LIMIT_PX / 4  # of a crop of 28 pixels
    image = np.full((28, 28, 3), 127, np.uint8)
    window = MovingWindow(frames, aligned, 3, image, FLOW, limit_px)
    assert recognise_units(stand_in(), window).reason == ""
    assert recognise_units(stand_in(), window).named
    for head_px, said in (
        (limit_px * 1.3, "the head moves by 1.3 pixels of a face 112 pixels wide"),
        (None, "be measured"),
    ):
        units = recognise_units(stand_in(), replace(window, head_px=head_px))
        assert units.named == () and units.scores == {}
        assert said in units.reason
        assert units.reason.endswith(", so emotion and action units are not to be trusted")
        assert recognise_units(None, replace(window, head_px=head_px)).reason == units.reason
    removed = replace(window, head_px=limit_px * 9, preparation=replace(FLOW, stabilise=True))
    assert recognise_units(stand_in(), removed).named
    face_crops = replace(window, head_px=None, aligned=replace(aligned, face=None))
    assert recognise_units(stand_in(), face_crops).named
    assert recognise_units(None, window).scores == {}


def test_a_moving_head_is_said_in_the_reason_of_window_and_event(
    recognition: Recognition, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnet.inference.window_units.HEAD_MOTION_LIMIT_PX", -1.0)
    moved = replace(Recogniser.load(), action_units=stand_in())(film)
    (event,) = moved.events
    assert (event.label, recognition.events[0].label) == ("uncertain", "surprise")
    assert event.emotions == recognition.events[0].emotions
    assert event.action_units == () and "emotion and action units are not to be trusted" in event.reason
    record = json.loads(moved.to_json())
    assert record["events"][0]["reason"] == record["answers"][0]["reason"] == event.reason
    assert record["events"][0]["action_units"] == record["answers"][0]["action_units"] == []
    assert recognition.events[0].reason == ""


def test_json_has_units_with_names_and_muscles(recognition: Recognition) -> None:
    record = json.loads(recognition.to_json())
    (window,) = record["answers"]
    (event,) = record["events"]
    inner_brow, smile, outer_brow = event["action_units"]
    assert inner_brow == {
        "unit": 1,
        "side": "both",
        "name": "inner brow raiser",
        "muscle": "frontalis, pars medialis",
        "score": pytest.approx(0.9),
    }
    assert (smile["unit"], outer_brow["unit"]) == (12, 2)
    assert smile["side"] in ("left", "right")
    assert window["action_units"] == event["action_units"]
    assert window["action_unit_scores"] == {str(unit): pytest.approx(PRESENT[unit]) for unit in UNITS}
    letter = smile["side"][0].upper()
    assert event["emotions_by_units"] == window["emotions_by_units"]
    assert event["emotions_by_units"] == [
        {"emotion": "surprise", "action_units": "1+2", "source": "CASME II", "complete": False},
        {"emotion": "happiness", "action_units": f"{letter}12", "source": "CASME II", "complete": False},
    ]
    network = record["action_unit_network"]
    assert network["weights"] == "units.onnx" and network["wrong_share"] == 0.1
    assert network["thresholds"] == dict.fromkeys(map(str, UNITS), 0.5)


def test_tables_are_read_back_by_pandas_without_parsing(recognition: Recognition) -> None:
    table = pd.read_csv(io.StringIO(recognition.to_csv()))
    for frame in (table, recognition.to_dataframe(), recognition.to_dataframe(windows=True)):
        (code,) = frame["action_units"]
        assert code in ("1+2+L12", "1+2+R12")
        present = frame["action_units"].str.get_dummies("+")
        assert sorted(present.columns) == sorted(code.split("+"))
        np.testing.assert_allclose(frame[[f"AU{unit}" for unit in UNITS]], [list(PRESENT.values())])
        assert frame["emotions_by_units"].tolist() == ["surprise; happiness"]


def test_a_notebook_shows_the_named_units_and_not_all_scores(recognition: Recognition) -> None:
    shown = recognition._repr_html_()
    assert "<th>action_units</th>" in shown and "<td>1+2+" in shown and "AU17" not in shown


def test_without_movement_or_network_there_are_no_units(film: Path) -> None:
    still = np.repeat(read_frames(film)[:1], 60, axis=0)
    network = StandIn()
    recognition = replace(Recogniser.load(), action_units=stand_in(network))(still, fps=200.0)
    (prediction,) = recognition.predictions
    assert prediction.action_units == () and prediction.action_unit_scores == {} and not network.batches
    (row,) = csv.DictReader(io.StringIO(recognition.to_csv(windows=True)))
    assert row["action_units"] == row["AU4"] == row["emotions_by_units"] == ""

    without = replace(Recogniser.load(), action_units=None)(film)
    assert without.units == () and "AU4" not in without.to_csv() and "AU4" not in without.to_dataframe()
    record = json.loads(without.to_json())
    assert record["action_unit_network"] is None and record["events"][0]["action_units"] == []


def test_an_interrupted_run_keeps_the_units(film: Path, tmp_path: Path) -> None:
    recogniser = replace(Recogniser.load(), action_units=stand_in())
    run = {"video": "film"}
    windows = Windows(whole_s=0.5)
    classes = recogniser.metadata.classes
    whole = recogniser(film, windows)
    assert len(whole.predictions) > 1 and any(prediction.action_units for prediction in whole.predictions)
    log = PredictionLog(tmp_path / "film.csv", run, classes, recogniser.units)
    for prediction in whole.predictions:
        log.add(prediction)
    log.close()
    continued = PredictionLog(tmp_path / "film.csv", run, classes, recogniser.units)
    assert continued.done == whole.predictions
    continued.finish()
    assert (tmp_path / "film.csv").read_text() == whole.to_csv(windows=True)


@pytest.mark.parametrize("text", ["x", "1.5"])
def test_a_damaged_log_is_not_continued(text: str, film: Path, tmp_path: Path) -> None:
    recogniser = replace(Recogniser.load(), action_units=stand_in())
    classes = recogniser.metadata.classes
    log = PredictionLog(tmp_path / "film.csv", {}, classes, UNITS)
    log.add(recogniser(film).predictions[0])
    log.close()
    progress = tmp_path / "film.csv.progress"
    progress.write_text(progress.read_text().replace('"17":', f'"{text}":'))
    assert PredictionLog(tmp_path / "film.csv", {}, classes, UNITS).done == ()
