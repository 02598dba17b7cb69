"""A clip over time: key frames of a clip whose script is known, predictions equal to the recogniser."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Preparation, Windows
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.face import Face
from learnet.inference.recogniser import Recogniser
from learnet.networks import NETWORKS
from learnet.report.explain import temporal
from learnet.report.explain.clips import open_explained_clips
from learnet.report.explain.temporal import (
    DETECTED,
    ExplainedNetwork,
    detect_onset_and_offset,
    explain_clip_temporal,
    explain_temporal,
    explain_video_temporal,
)
from learnet.report.explain.temporal_figure import temporal_figure
from learnet.report.explain.temporal_segments import KeyFrame, VideoSegment, segment_of_video
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import make_scene
from learnet.training.pretrained import default_weights
from learnet.training.scorer import Scorer
from learnet.video.writer import write_video
from tests.builders.action_units import stand_in
from tests.builders.explained import METADATA, write_checkpoint
from tests.builders.moving_face import PUPILS, frame, placed, turned
from tests.builders.written_study import write_prepared
from tests.datasets.prepared.test_prepare import pulsed, write_clip

SMALL = Camera(120, 160, 200.0, 62.0)
CROPPED = replace(METADATA, preparation=Preparation(size=28, face="none"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path, CROPPED)


def database(tmp_path: Path) -> Path:
    """Return a prepared folder of clips with frames 11 to 26 on disk: onset 12, apex 17, offset 24."""
    frames = write_clip(tmp_path / "films" / "clip", pulsed(16, 6), first=11)
    prepared = write_prepared(tmp_path / "prepared", people=1, clips=2)
    table = pd.read_csv(prepared / "clips.csv", dtype=str, keep_default_na=False)
    table[["onset", "apex", "offset", "face", "path"]] = ["12", "17", "24", "given", str(frames)]
    table.to_csv(prepared / "clips.csv", index=False)
    return prepared


def database_weights(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path, replace(METADATA, preparation=Preparation(size=28)))


def test_onset_and_offset_by_hand() -> None:
    """The movement rises from 2 to 12, so the face is at rest up to 3."""
    movement = np.array([2.0, 2.5, 2.9, 5, 12, 9, 4, 3.1, 2.8, 2])
    assert detect_onset_and_offset(movement, 4) == (2, 8)
    rising = np.array([5.0, 7, 9])
    assert detect_onset_and_offset(rising, 2) == (0, 2)


@pytest.mark.parametrize("number", [1, 3])
def test_key_frames_of_a_synthetic_clip(number: int, weights: Path, tmp_path: Path) -> None:
    """With a still head, the detected key frames are those of the script."""
    scene = make_scene(5, 77, number, "surprise", SMALL)
    recording = scene.recording
    conditions = replace(recording.conditions, drift=0.0, blinks=(), noise=0.5, flicker=0.0)
    episode = recording.episodes[0]
    episode = replace(episode, timing=replace(episode.timing, residual=0.0))
    frames = np.stack(list(render(replace(recording, conditions=conditions, episodes=(episode,)))))
    folder = write_clip(tmp_path / "clip", frames, first=1)
    explanation = explain_video_temporal(segment_of_video(folder, None, None, None, 200.0), weights)
    found = {}
    for name, key_frame in explanation.key_frames.items():
        assert key_frame.source == DETECTED
        found[name] = key_frame.frame
    length = scene.offset - scene.onset
    assert abs(found["apex"] - scene.apex) <= 0.1 * length
    assert abs(found["onset"] - scene.onset) <= 0.25 * length
    assert abs(found["offset"] - scene.offset) <= 0.25 * length
    table = explanation.table()
    assert table["movement"].idxmax() == found["apex"] - 1
    assert table.loc[table["mark"] == "apex", "marked_by"].tolist() == [DETECTED]
    assert table["time_s"].iloc[-1] == pytest.approx((len(frames) - 1) / 200)


@pytest.mark.parametrize("window_s", [None, 0.05])
def test_predictions_equal_those_of_the_recogniser(
    window_s: float | None, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recogniser receives a video of the frames of the window alone; the network is always asked."""
    for module in ("inference.recogniser", "report.explain.temporal_windows"):
        monkeypatch.setattr(f"learnet.{module}.judge_motion", lambda evidence: None)
    folder = write_clip(tmp_path / "clip", pulsed(16, 6), first=11)
    windows = Windows(window_s=window_s) if window_s else None
    segment = segment_of_video(folder, None, None, None, 200.0)
    explanation = explain_video_temporal(segment, weights, windows)
    assert explanation.grows is (window_s is None)
    assert len(explanation.ends) == (15 if window_s is None else 7)
    recogniser = Recogniser.load(weights)
    frames = pulsed(16, 6)
    for index in range(0, len(explanation.ends), 3):
        start, end = explanation.starts[index], explanation.ends[index]
        part = write_clip(tmp_path / f"part-{index}", frames[start : end + 1], first=1)
        prediction = recogniser(part, fps=200.0).strongest
        np.testing.assert_allclose(explanation.scores[index], list(prediction.scores.values()), atol=1e-6)
        assert explanation.labels[index] == prediction.label


def test_the_table_has_each_window_at_its_last_frame(weights: Path, tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip", pulsed(16, 6), first=11)
    segment = segment_of_video(folder, None, None, None, 200.0)
    explanation = explain_video_temporal(segment, weights, Windows(window_s=0.05))
    table = explanation.table().set_index("frame")
    assert table.loc[11, "label"] == ""  # no window ends with the first frame
    last = table.loc[11 + explanation.ends[-1]]
    assert last["window_from"] == 11 + explanation.starts[-1]
    np.testing.assert_allclose(last[list(explanation.classes)].astype(float), explanation.scores[-1])


def test_a_clip_of_a_database_has_its_annotations(tmp_path: Path) -> None:
    """The window begins at the onset; the weights of the frames from onset to offset have their formula."""
    clips = open_explained_clips(database(tmp_path), database_weights(tmp_path))
    explanation = explain_clip_temporal(clips, "casme2/01/EP00")
    assert explanation.key_frames == {
        "onset": KeyFrame(12, "file"),
        "apex": KeyFrame(17, "file"),
        "offset": KeyFrame(24, "file"),
    }
    assert explanation.frame_numbers == tuple(range(11, 27))
    assert explanation.cropped
    assert [explanation.frame_numbers[position] for position in explanation.window] == [12, 24]
    assert set(explanation.starts) == {1}
    assert explanation.weights is not None
    expected = np.zeros(16)
    for t in range(1, 14):  # frame t of 13 has the sum over i = t..13 of (2i - 14) / i
        expected[t] = sum((2 * i - 14) / i for i in range(t, 14))
    np.testing.assert_allclose(explanation.weights, expected, atol=1e-9)


def test_key_frames_outside_the_video_or_out_of_order_are_refused(weights: Path, tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip", pulsed(16, 6), first=11)
    with pytest.raises(BadInput, match="frame 40, the apex, .* frames are 11 to 26"):
        explain_video_temporal(segment_of_video(folder, None, 40, None, 200.0), weights)
    key_frames = {"apex": KeyFrame(20, "given"), "offset": KeyFrame(15, "given")}
    with pytest.raises(BadInput, match="out of order"):
        explain_video_temporal(VideoSegment(folder, "clip", key_frames=key_frames, fps=200.0), weights)


def test_videos_that_do_not_fit_into_memory_are_refused(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen frames, where there is room for fifteen; in a folder and in a file."""
    frames = pulsed(16, 6)
    height, width = frames.shape[1:3]
    monkeypatch.setattr(temporal, "MAX_BYTES", 15 * height * width * 3 + 1)
    folder = write_clip(tmp_path / "clip", frames, first=11)
    film = tmp_path / "film.mp4"
    write_video(film, frames, 200.0)
    refusal = rf"16 frames of {width} x {height} pixels are too many to analyse; at most 15 of this size fit"
    for source, first in ((folder, 11), (film, 0)):
        with pytest.raises(LearnetError, match=refusal):
            explain_video_temporal(segment_of_video(source, None, None, None, 200.0), weights)
        segment = segment_of_video(source, first, None, first + 14, 200.0)
        assert len(explain_video_temporal(segment, weights).frame_numbers) == 15


def test_a_clip_without_its_frames_is_refused(tmp_path: Path) -> None:
    clips = open_explained_clips(database(tmp_path), database_weights(tmp_path))
    (tmp_path / "films" / "clip").rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="frames of casme2/01/EP00"):
        explain_clip_temporal(clips, "casme2/01/EP00")


class BlindAtFirst:
    """A face finder that knows the eyes, but finds no face in the first three frames that it searches."""

    kind = "yunet"

    def __init__(self) -> None:
        left, right = placed(PUPILS).tolist()
        box = (left[0] - 50.0, left[1] - 60.0, 180.0, 230.0)
        self.face, self.searched = Face(box, (tuple(left), tuple(right)), 0.9, "yunet"), 0

    def __call__(self, frame: np.ndarray) -> Face | None:
        self.searched += 1
        return self.face if self.searched > 3 else None


def test_notes_have_the_frame_numbers_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames 11 to 30 are read from 14, and the first three have no face: the note names frame 17."""
    frames = np.stack([frame(turned(0, 1, (0.1 * t, 0.0))) for t in range(20)])
    folder = write_clip(tmp_path / "clip", frames, first=11)
    monkeypatch.setattr("learnet.report.explain.temporal.face_finder", lambda kind, model: BlindAtFirst())
    metadata = replace(METADATA, preparation=Preparation(size=28))
    scorer = Scorer.from_module(NETWORKS["learnet"](len(metadata.classes), 28).eval())
    explanation = explain_temporal(
        ExplainedNetwork(scorer, metadata), segment_of_video(folder, 14, None, None, 200.0)
    )
    notes = "\n".join(explanation.notes)
    assert "frame 17" in notes
    assert "counted from" not in notes


def test_a_window_without_a_prediction_is_empty(tmp_path: Path) -> None:
    """dynamic-fall needs frames after the apex, which a window that ends there does not have."""
    metadata = replace(METADATA, preparation=Preparation(size=28, face="none", motion="dynamic-fall"))
    folder = write_clip(tmp_path / "clip", pulsed(16, 6), first=1)
    key_frames = {}
    for name, number in (("onset", 1), ("apex", 7), ("offset", 16)):
        key_frames[name] = KeyFrame(number, "given")
    segment = VideoSegment(folder, "clip", key_frames=key_frames, fps=200.0)
    scorer = Scorer.from_module(NETWORKS["learnet"](len(metadata.classes), 28).eval())
    explanation = explain_temporal(ExplainedNetwork(scorer, metadata), segment)
    assert np.isnan(explanation.scores[explanation.ends == 6]).all()
    assert not np.isnan(explanation.scores[-1]).any()
    assert explanation.table().set_index("frame").loc[7, "label"] == ""


def test_the_advice_for_a_video_without_a_face_works(shared: Path, tmp_path: Path) -> None:
    """The error names `--face none`; the same command with it draws the frames as they are."""
    from learnet.cli import app

    video, out = str(shared / "real" / "no_face.mp4"), str(tmp_path / "out")
    command = ["explain", "temporal", video, out, "--offset", "12"]
    with pytest.raises(LearnetError, match="--face none"):
        app(command, exit_on_error=False)
    app([*command, "--face", "none"], exit_on_error=False, result_action="return_value")
    assert (tmp_path / "out" / "when.png").is_file()
    assert len(pd.read_csv(tmp_path / "out" / "when.csv")) >= 13


def test_a_clip_in_which_nothing_moves_is_none_with_the_reason(weights: Path, tmp_path: Path) -> None:
    """Also in the figure, which then has no curves of scores."""
    still = np.repeat(pulsed(16, 6)[:1], 30, axis=0)
    folder = write_clip(tmp_path / "clip", still, first=1)
    explanation = explain_video_temporal(segment_of_video(folder, None, None, None, 100.0), weights)
    assert set(explanation.labels) == {"none"}
    assert not explanation.predicted.any()
    drawn = temporal_figure(explanation)
    texts = [text.get_text() for text in drawn.figure.texts]
    assert any("none from frame 1 to 30: nothing moves" in text for text in texts)


def test_units_of_a_video_are_those_of_the_recogniser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window that is drawn is the clip, so that `predict` names the same units in it."""
    for module in ("inference.recogniser", "report.explain.temporal"):
        monkeypatch.setattr(f"learnet.{module}.shipped_action_units", stand_in)
    film = synthetic_video(tmp_path / "film.mp4", seed=7, emotion="surprise", duration_s=0.6).path
    segment = segment_of_video(film, None, None, None, None)
    explanation = explain_video_temporal(segment, default_weights())
    (prediction,) = Recogniser.load()(film).predictions
    assert explanation.units[explanation.chosen].named == prediction.action_units
    letter, side = (
        ("L", "left") if "L12" in {unit.code for unit in prediction.action_units} else ("R", "right")
    )
    told = (
        f"AU 1 both sides, 0.90; AU 12 {side} side, 0.80; AU 2 both sides, 0.75. AU 1+2 speak for surprise, "
        f"AU {letter}12 speaks for happiness (criteria of CASME II)"
    )
    assert explanation.units_text == told
    assert explanation.answer == f"surprise ({prediction.score:.2f}), {told}"
    table = explanation.table()
    assert table["action_units"].iloc[-1] == f"1+2+{letter}12" and table["action_units"].iloc[0] == ""
    title = temporal_figure(explanation).figure.get_suptitle().splitlines()
    assert len(title) == 3 and title[1].startswith("AU 1 both sides, 0.90")
