"""Predictions for videos against the same computed by hand: read, cut, aligned, summed and scored."""

import csv
import io
import json
import math
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadCheckpoint, BadVideo, LearnetError, NoFace
from learnet.core.settings import Preparation, Training, Windows
from learnet.face import align, face_finder
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.inference.windows import TIME_TOLERANCE_S, cut_windows
from learnet.motion.dynamic import dynamic_image
from learnet.motion.normalise import joint_minmax
from learnet.motion.pipeline import make_image
from learnet.networks import NETWORKS
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import CheckpointMetadata
from learnet.video.base import Frame
from learnet.video.reader import read_frames
from learnet.video.writer import write_video
from tests.builders.scores import predict_scores

CLASSES = ("happiness", "disgust", "surprise", "others")
SIZE = 48
METADATA = CheckpointMetadata(
    network="learnet",
    classes=CLASSES,
    size=SIZE,
    preparation=Preparation(face="none", size=SIZE),
    training=None,
    data={"people": "casme2/01\ncasme2/02", "fingerprint": "0"},
    versions={},
)


def network() -> torch.nn.Module:
    return NETWORKS["learnet"](len(CLASSES), SIZE, seed=5).eval()


def recogniser(folder: Path, metadata: CheckpointMetadata = METADATA) -> Recogniser:
    """Return an untrained network; its scores differ from image to image, but too little for a margin."""
    save_checkpoint(folder / "weights.safetensors", network(), metadata)
    return replace(Recogniser.load(folder / "weights.safetensors"), margin=0.0)


def wobble(count: int) -> np.ndarray:
    """Return frames (T, 96, 96, 3) of a smooth pattern that moves at a varying speed."""
    y, x = np.mgrid[:96, :96] / 15.0
    t = np.arange(count)[:, None, None] / 7.0
    grey = 128 + 60 * np.sin(x + np.sin(t) * 2) * np.cos(y - 0.4 * np.sin(1.7 * t)) + 40 * np.sin(0.3 * t * x)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def write_images(folder: Path, frames: np.ndarray, first: int = 1) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames, start=first):
        cv2.imwrite(str(folder / f"img{number:04d}.png"), frame[..., ::-1])
    return folder


def scores_by_hand(crops: np.ndarray) -> np.ndarray:
    image = torch.from_numpy(joint_minmax(dynamic_image(crops)).astype(np.float32) / 127.5 - 1).permute(
        2, 0, 1
    )[None]
    with torch.no_grad():
        return torch.softmax(network()(image)[0].double(), dim=0).numpy()


def scores_of(recognition: Recognition) -> np.ndarray:
    return np.array([[prediction.scores[name] for name in CLASSES] for prediction in recognition.predictions])


def test_every_window_is_answered_as_the_clip_it_is(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", wobble(66), 50.0)
    recognition = recogniser(tmp_path)(tmp_path / "film.mp4", Windows())
    frames = read_frames(tmp_path / "film.mp4")
    # 66 frames are 1.32 s: 0-0.5, 0.25-0.75, 0.5-1, 0.75-1.25, and 1-1.32 s. A quarter second is 12.5 frames.
    frame_ranges = [(0, 25), (13, 38), (25, 50), (38, 63), (50, 66)]
    assert [(a.first, a.last + 1) for a in recognition.predictions] == frame_ranges
    assert [(a.start_s, a.end_s) for a in recognition.predictions] == [
        (0, 0.5),
        (0.25, 0.75),
        (0.5, 1),
        (0.75, 1.25),
        (1, 1.32),
    ]
    small = np.stack(
        [cv2.resize(frame.astype(np.float64), (SIZE, SIZE), interpolation=cv2.INTER_AREA) for frame in frames]
    )
    expected = np.array([scores_by_hand(small[first:end]) for first, end in frame_ranges])
    np.testing.assert_allclose(scores_of(recognition), expected, rtol=1e-4)
    assert np.ptp(expected, axis=0).max() > 1e-3  # or the test could not tell windows apart
    assert [a.label for a in recognition.predictions] == [CLASSES[row.argmax()] for row in expected]
    strongest = int(expected.max(axis=1).argmax())
    assert recognition.strongest.window == strongest
    first, end = frame_ranges[strongest]
    np.testing.assert_array_equal(
        recognition.strongest_images.image, joint_minmax(dynamic_image(small[first:end]))
    )
    assert (
        np.abs(recognition.strongest_images.crop - small[first + (end - first) // 2]).max() <= 0.75
    )  # averaged in one go, and rounded
    assert (recognition.frames, recognition.duration_s) == (66, pytest.approx(1.32))


def test_a_window_alone_is_answered_as_in_the_stream(tmp_path: Path) -> None:
    recognise, frames = recogniser(tmp_path), wobble(70)
    stream = recognise(write_images(tmp_path / "all", frames), Windows(), fps=50.0)
    alone = recognise(write_images(tmp_path / "part", frames[25:50], first=26), fps=50.0)
    assert len(alone.predictions) == 1
    assert alone.predictions[0].scores == stream.predictions[2].scores  # not nearly: the same
    assert (alone.predictions[0].first, stream.predictions[2].first) == (26, 26)  # the numbers in the names
    apart = recognise(tmp_path / "all", Windows(overlap=0.0), fps=50.0)
    assert [a.scores for a in apart.predictions[:2]] == [a.scores for a in stream.predictions[::2][:2]]


@pytest.mark.parametrize(("count", "windows"), [(50, 1), (51, 4), (2, 1)])
def test_a_video_up_to_a_second_is_one_window(tmp_path: Path, count: int, windows: int) -> None:
    recognition = recogniser(tmp_path)(write_images(tmp_path / "clip", wobble(count)), Windows(), 50.0)
    assert len(recognition.predictions) == windows
    assert recognition.duration_s == pytest.approx(count / 50)
    if windows == 1:
        assert (recognition.predictions[0].start_s, recognition.predictions[0].end_s) == (
            0.0,
            pytest.approx(count / 50),
        )


@settings(max_examples=200, deadline=None)
@given(
    gaps=st.lists(st.sampled_from([0.2, 0.9, 1.0, 1.0, 1.0, 1.1, 30.0]), max_size=80),
    fps=st.sampled_from([3.0, 23.976, 30.0, 200.0]),
    windows=st.builds(
        Windows,
        st.sampled_from([0.1, 0.33, 0.5, 2.0]),
        st.sampled_from([0.0, 0.3, 0.5, 0.9]),
        st.sampled_from([0.0, 0.4, 1.0, 5.0]),
    ),
)
@example(
    gaps=[0.9, 0.9, 30.0, 30.0], fps=200.0, windows=Windows(0.1, 0.3, 0.0)
)  # a frame just where a window ends, after a gap
def test_windows_hold_the_frames_of_their_time(gaps: list[float], fps: float, windows: Windows) -> None:
    """Compare with a selection of frames by their time from the whole video, window after window."""
    times = np.concatenate([[0.0], np.cumsum(gaps) / fps])
    frames = [
        Frame(10 + number, float(time), np.full((1, 1, 3), number % 256, np.uint8))
        for number, time in enumerate(times)
    ]
    actual = [
        (round(w.start_s, 6), round(w.end_s, 6), w.numbers, w.pixels[:, 0, 0, 0].tolist())
        for w in cut_windows(iter(frames), windows, fps)
    ]
    end = float(times[-1]) + 1 / fps
    expected = []
    if end <= windows.whole_s + TIME_TOLERANCE_S:
        expected.append((0.0, round(end, 6), frames))
    else:
        for place in range(math.ceil(end / (windows.window_s * (1 - windows.overlap))) + 1):
            start = place * (
                windows.window_s * (1 - windows.overlap)
            )  # in this order: frames may lie exactly on an edge
            stop = start + windows.window_s
            chosen = [
                frame
                for frame in frames
                if start - TIME_TOLERANCE_S <= frame.time_s < stop - TIME_TOLERANCE_S
            ]
            if chosen:
                last = times[-1] < stop - TIME_TOLERANCE_S
                expected.append((round(start, 6), round(min(stop, end) if last else stop, 6), chosen))
                if last:
                    break
    assert actual == [
        (a, b, tuple(f.number for f in c), [int(f.pixels[0, 0, 0]) for f in c]) for a, b, c in expected
    ]
    assert {number for window in actual for number in window[2]} == {
        frame.number for frame in frames
    }  # none is passed over


def test_no_window_mixes_frames_of_two_sizes() -> None:
    """Ten frames of one size and twenty of another, 20 a second: by hand."""
    sizes = [(1, 1, 3)] * 10 + [(2, 2, 3)] * 20
    frames = [Frame(number, number / 20, np.zeros(size, np.uint8)) for number, size in enumerate(sizes)]
    actual = []
    for window in cut_windows(iter(frames), Windows(0.5, 0.5, whole_s=5.0), 20.0):
        actual.append(
            (round(window.start_s, 6), round(window.end_s, 6), *window.numbers[:: len(window.numbers) - 1])
        )
        assert window.pixels.shape[1] == (1 if window.numbers[0] < 10 else 2)
        assert window.frames_so_far >= window.numbers[-1] + 1
    assert actual == [
        (0.0, 0.5, 0, 9),
        (0.5, 0.75, 10, 14),
        (0.5, 1.0, 10, 19),
        (0.75, 1.25, 15, 24),
        (1.0, 1.5, 20, 29),
    ]


def test_memory_is_that_of_one_window(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    still = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    recognise = recogniser(tmp_path)

    def peak(count: int) -> int:
        write_video(
            tmp_path / "film.avi", (np.roll(still, shift, axis=0) for shift in range(count)), 20.0, "mjpeg"
        )
        tracemalloc.start()
        recognise(tmp_path / "film.avi")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(25)
    assert peak(140) < peak(25) + 1e6  # 115 frames more are 6.6 MB


def test_json_and_csv_say_the_same(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", wobble(80), 50.0)
    recognition = recogniser(tmp_path)(tmp_path / "film.mp4", Windows(window_s=0.4, overlap=0.5))
    record = json.loads(recognition.to_json())
    rows = list(csv.DictReader(io.StringIO(recognition.to_csv(windows=True))))
    assert record["fps"] == 50 and record["frames"] == 80 and record["duration_s"] == pytest.approx(1.6)
    assert record["network"]["classes"] == list(CLASSES) and record["network"]["name"] == "learnet"
    assert record["network"]["trained_on"]["people"] == 2  # how many, not who
    assert record["cut"] == {"window_s": 0.4, "overlap": 0.5, "whole_s": 1.0}
    scores = [entry["score"] for entry in record["summary"]]
    assert scores == sorted(scores, reverse=True) and len(scores) == len(record["answers"]) == len(rows) == 7
    assert (record["label"], record["score"]) == (record["summary"][0]["label"], scores[0])
    for row, prediction in zip(rows, record["answers"], strict=True):
        assert {name: float(row[name]) for name in CLASSES} == prediction["scores"]
        assert max(prediction["scores"], key=prediction["scores"].get) == prediction["label"] == row["label"]
        assert sum(prediction["scores"].values()) == pytest.approx(1, abs=1e-5)
        assert [int(row[name]) for name in ("window", "first", "last", "frames")] == [
            prediction[name] for name in ("window", "first", "last", "frames")
        ]
        assert prediction["face"] is None and row["face_x"] == "" and prediction["reason"] is None
    assert "below 60" in record["warnings"][0]


def test_faces_are_averaged_with_their_mirror_image_as_in_training(tmp_path: Path) -> None:
    """A study scores its test clips by `Scorer`; a video must be scored in the same way."""
    frames = write_images(tmp_path / "clip", wobble(20))
    for mirror, at_test in (("image", True), ("flow", True), ("image", False), ("none", True)):
        metadata = replace(METADATA, training=Training(mirror=mirror, mirror_at_test=at_test, detrend=False))
        recognition = recogniser(tmp_path, metadata)(frames, fps=100.0)
        expected = predict_scores(
            network(), recognition.strongest_images.image[None], mirror if at_test else "none"
        )
        np.testing.assert_allclose(scores_of(recognition), expected, rtol=1e-6)


def test_what_a_video_should_be_warned_of(tmp_path: Path) -> None:
    recognise, frames = (
        recogniser(tmp_path, replace(METADATA, data={"synthetic": "yes"})),
        write_images(tmp_path / "clip", wobble(60)),
    )
    with pytest.raises(LearnetError, match="a folder of images has no frame rate.*--fps"):
        recognise(frames)
    if os.environ.get("LEARNET_CHECK_SHAPES") != "1":  # checked annotations refuse the type first
        with pytest.raises(LearnetError, match=r"Pass windows=Windows\(\)"):
            recognise(frames, True, 25.0)
        with pytest.raises(LearnetError, match="There is no video"):
            recognise(None, fps=25.0)
    slow = "; ".join(recognise(frames, fps=25.0).warnings)
    assert "25 frames per second: a micro-expression" in slow and "synthetic" in slow
    assert not [warning for warning in recognise(frames, fps=60.0).warnings if "frames per second" in warning]
    for number in range(20, 45):
        (frames / f"img{number:04d}.png").unlink()
    gappy = recognise(frames, Windows(window_s=0.2, overlap=0.0), fps=50.0)
    assert [a.first for a in gappy.predictions] == [1, 11, 45, 51]  # no empty windows
    assert "25 frame numbers without an image" in gappy.warnings
    assert "there are no frames from 0.40 to 0.80 s" in gappy.warnings
    (frames / "img0055.png").write_bytes(b"broken")
    assert "1 images that could not be read" in recognise(frames, fps=50.0).warnings


def test_a_window_of_one_frame_has_no_answer_and_says_why(tmp_path: Path) -> None:
    recognition = recogniser(tmp_path)(
        write_images(tmp_path / "clip", wobble(81)), Windows(window_s=0.4, overlap=0.0), fps=50.0
    )
    assert [a.frames for a in recognition.predictions] == [20, 20, 20, 20, 1]
    lone = recognition.predictions[-1]
    assert lone.label is None and lone.scores == {} and lone.score is None and "1 frame" in lone.reason
    assert len(recognition.ranking) == 4
    assert f"1 of 5 windows without a prediction: {lone.reason}" in recognition.warnings
    record, row = json.loads(recognition.to_json())["answers"][-1], recognition.to_csv(True).splitlines()[-1]
    assert record["label"] is None and record["score"] is None and record["reason"] == lone.reason
    assert row.startswith("4,1.6,1.62,81,81,1,,,,,,,,,")


def test_what_cannot_be_answered_is_refused(tmp_path: Path) -> None:
    recognise = recogniser(tmp_path)
    with pytest.raises(BadVideo, match="no such file"):
        recognise(tmp_path / "none.mp4")
    with pytest.raises(LearnetError, match="no window has more than 1 frame.*longer"):
        recognise(write_images(tmp_path / "one", wobble(1)), fps=50.0)
    with pytest.raises(LearnetError, match="no window has more than 1 frame"):
        recognise(write_images(tmp_path / "fine", wobble(60)), Windows(window_s=0.02), fps=50.0)
    save_checkpoint(tmp_path / "flow.safetensors", network(), replace(METADATA, preparation=None))
    with pytest.raises(BadCheckpoint, match="imported motion images"):
        Recogniser.load(tmp_path / "flow.safetensors")
    (tmp_path / "pickle.pt").write_bytes(b"\x80\x04x")
    with pytest.raises(BadCheckpoint, match="pickle"):
        Recogniser.load(tmp_path / "pickle.pt")


@pytest.mark.parametrize(
    "settings",
    [{"motion": "difference"}, {"motion": "flow-dis", "remove_global_motion": True}, {"magnify": 3.0}],
)
def test_other_motion_images_are_made_of_each_window_alone(tmp_path: Path, settings: dict) -> None:
    """The apex is detected in the window, and the frame rate is that of the video."""
    preparation = Preparation(face="none", size=SIZE, **settings)
    write_video(tmp_path / "film.mkv", wobble(66), 50.0, "ffv1")
    recognition = recogniser(tmp_path, replace(METADATA, preparation=preparation))(
        tmp_path / "film.mkv", Windows()
    )
    frames, module = read_frames(tmp_path / "film.mkv"), network()
    assert len(recognition.predictions) == 5
    for prediction, record in zip(
        recognition.predictions, json.loads(recognition.to_json())["answers"], strict=True
    ):
        made = make_image(frames[prediction.first : prediction.last + 1], preparation, None, fps=50.0)
        np.testing.assert_allclose(
            list(prediction.scores.values()), predict_scores(module, made.image[None])[0], rtol=1e-5
        )
        assert prediction.apex == (None if "magnify" in settings else prediction.first + made.apex)
        assert prediction.movement is not None and record["apex"] == prediction.movement.apex


def test_the_face_finder_is_that_of_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEARNET_FACE_MODEL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # no model there
    assert recogniser(tmp_path).finder is None
    assert (
        recogniser(tmp_path, replace(METADATA, preparation=Preparation(face="haar", size=SIZE))).finder.kind
        == "haar"
    )
    with pytest.raises(LearnetError, match="yunet needs its model"):
        recogniser(tmp_path, replace(METADATA, preparation=Preparation(face="yunet", size=SIZE)))


@pytest.fixture(scope="module")
def film(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 1.25 s of a real video at 24 frames per second, stored losslessly; the head moves freely."""
    if not (shared / "real" / "face_pexels.mp4").is_file():
        pytest.skip("the real film is not here")
    path = tmp_path_factory.mktemp("film") / "face.mkv"
    write_video(path, read_frames(shared / "real" / "face_pexels.mp4", 0, 29), 24.0, "ffv1")
    return path


def test_a_real_face_is_found_anew_in_each_window(film: Path, tmp_path: Path) -> None:
    metadata = replace(METADATA, preparation=Preparation(face="haar", size=SIZE))
    recognition = recogniser(tmp_path, metadata)(film, Windows())
    frames, finder = read_frames(film), face_finder("haar")
    frame_ranges = [(0, 12), (6, 18), (12, 24), (18, 30)]
    assert [(a.first, a.last + 1) for a in recognition.predictions] == frame_ranges
    for prediction, (first, end) in zip(recognition.predictions, frame_ranges, strict=True):
        aligned = align(frames[first:end], finder, SIZE)
        expected = scores_by_hand(aligned.crops(frames[first:end].astype(np.float64)))
        if prediction.scores:  # elsewhere the head turns
            np.testing.assert_allclose(list(prediction.scores.values()), expected, rtol=1e-4)
        assert (prediction.face, prediction.head_px, prediction.warnings) == (
            aligned.face,
            aligned.drift_px,
            aligned.warnings,
        )
    assert len({prediction.face.box for prediction in recognition.predictions}) > 1
    assert sum(bool(prediction.scores) for prediction in recognition.predictions) >= 2
    assert not [warning for warning in recognition.warnings if "owners" in warning]
    cropped_by_owners = recogniser(tmp_path, replace(metadata, data={**METADATA.data, "faces": "given"}))(
        film, Windows()
    )
    assert [warning for warning in cropped_by_owners.warnings if "owners of the clips had cropped" in warning]
    record = json.loads(recognition.to_json())
    assert record["answers"][0]["face"]["finder"] == "haar"
    x, y, width, height = record["answers"][0]["face"]["box"]
    assert 0 < x < x + width < 640 and 0 < y < y + height < 360
    moved = sum(a.head_px is None or a.head_px > SIZE / 112 for a in recognition.predictions)
    assert (
        moved
        and f"the head moves or turns in {moved} of 4 windows, which can be mistaken for an expression"
        in recognition.warnings
    )


def test_a_face_that_leaves_leaves_its_windows_unanswered(film: Path, tmp_path: Path) -> None:
    frames = read_frames(film)
    blank = np.full_like(frames[:18], 90)
    write_video(tmp_path / "leaves.mkv", np.concatenate([frames[:12], blank]), 24.0, "ffv1")
    recognition = recogniser(tmp_path, replace(METADATA, preparation=Preparation(face="haar", size=SIZE)))(
        tmp_path / "leaves.mkv", Windows()
    )
    assert recognition.predictions[0].label is not None
    # The second window sees the face in its first half.
    reasons = [prediction.reason for prediction in recognition.predictions[1:]]
    assert reasons[0] == "the head moves too far to be followed, or something covers the face"
    assert reasons[1].endswith("no face found in the 12 frames searched.")
    assert any(warning.startswith("2 of 4 windows without a prediction") for warning in recognition.warnings)


def test_a_video_without_a_face_is_refused(shared: Path, tmp_path: Path) -> None:
    if not (shared / "real" / "no_face.mp4").is_file():
        pytest.skip("the real film is not here")
    write_video(
        tmp_path / "street.mkv", read_frames(shared / "real" / "no_face.mp4", 0, 7)[:, ::2, ::2], 24.0, "ffv1"
    )
    recognise = recogniser(tmp_path, replace(METADATA, preparation=Preparation(face="haar", size=SIZE)))
    for windows in (
        Windows(),
        Windows(window_s=0.25, whole_s=0.0),
    ):  # frames that two windows share count once
        with pytest.raises(NoFace, match="street.mkv: no face found in the 8 frames searched"):
            recognise(tmp_path / "street.mkv", windows)


def test_windows_without_an_expression_rank_below_every_expression(tmp_path: Path) -> None:
    recognition = recogniser(tmp_path)(
        write_images(tmp_path / "clip", wobble(81)), Windows(window_s=0.2, overlap=0.0), fps=50.0
    )
    kinds = [("none", 0.99), ("surprise", 0.4), ("none", 0.5), ("happiness", 0.6)]
    assert len(recognition.predictions) >= 4
    predictions = tuple(
        replace(prediction, label=label, scores={label: score})
        for prediction, (label, score) in zip(recognition.predictions[:4], kinds, strict=True)
    )
    ranked = replace(recognition, predictions=predictions).ranking
    assert [(a.label, a.score) for a in ranked] == [
        ("happiness", 0.6),
        ("surprise", 0.4),
        ("none", 0.99),
        ("none", 0.5),
    ]
