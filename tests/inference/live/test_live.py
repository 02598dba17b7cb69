"""Predictions for a stream against predictions computed by hand from the crops of each window."""

import itertools
import json
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import threadpoolctl
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from learnet.core.errors import BadVideo, LearnetError
from learnet.core.live_settings import LiveSettings
from learnet.core.settings import Preparation, Windows
from learnet.face import Face, align, face_finder
from learnet.inference.live import LivePrediction, LiveRecogniser, LiveStream, columns
from learnet.inference.live.crops import CropBuffer
from learnet.inference.recogniser import Recogniser
from learnet.motion.dynamic import dynamic_image, rank_weights
from learnet.motion.normalise import joint_minmax
from learnet.motion.pipeline import make_image
from learnet.networks import NETWORKS, as_input
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.base import Frame, Video, VideoInfo
from learnet.video.reader import open_video, read_frames
from learnet.video.writer import write_video
from tests.builders import moving_face
from tests.builders.scores import predict_scores

CLASSES = ("happiness", "disgust", "surprise", "others")
SIZE = 48
METADATA = CheckpointMetadata("learnet", CLASSES, SIZE, Preparation(face="none", size=SIZE), None, {}, {})
HAAR = replace(METADATA, preparation=Preparation(face="haar", size=SIZE))
NETWORK = NETWORKS["learnet"](len(CLASSES), SIZE, seed=5).eval()


SCORER = Scorer.from_module(NETWORK)
CROPPED = Recogniser(SCORER, METADATA, None, "none", margin=0.0)


def faces(finder: object = None) -> Recogniser:
    return Recogniser(SCORER, HAAR, finder or face_finder("haar"), "none", margin=0.0)  # type: ignore[arg-type]


def scores_by_hand(crops: np.ndarray) -> np.ndarray:
    """Return scores of the weighted sum in float64, normalised, scaled and passed through the network."""
    folded = np.tensordot(rank_weights(len(crops)), crops.astype(np.float64), axes=1).astype(np.float32)
    image = torch.from_numpy(joint_minmax(folded).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        return torch.softmax(NETWORK(image)[0].double(), dim=0).numpy()


@pytest.fixture(autouse=True)
def network_is_always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patterns of these tests are no faces, and their portraits only shift (test_nothing_moves.py)."""
    for module in ("live.recogniser", "recogniser"):
        monkeypatch.setattr(f"learnet.inference.{module}.judge_motion", lambda evidence: None)


def scores_of(prediction: LivePrediction) -> list[float]:
    return [prediction.scores[name] for name in CLASSES]


def wobble(count: int, side: int = 96) -> np.ndarray:
    """Return frames of a smooth pattern that moves at a varying speed."""
    y, x = np.mgrid[:side, :side] / 15.0
    t = np.arange(count)[:, None, None] / 7.0
    grey = 128 + 60 * np.sin(x + np.sin(t) * 2) * np.cos(y - 0.4 * np.sin(1.7 * t)) + 40 * np.sin(0.3 * t * x)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def shifted(across: float) -> np.ndarray:
    """Return the portrait, moved to the right by a number of pixels."""
    return moving_face.frame(np.array([[1.0, 0.0, across], [0.0, 1.0, 0.0]]))


def stream(pixels: np.ndarray, fps: float) -> Iterator[Frame]:
    return (Frame(number, number / fps, picture) for number, picture in enumerate(pixels))


def predictions_for(
    recogniser: Recogniser, pixels: np.ndarray, settings: LiveSettings, fps: float
) -> list[LivePrediction]:
    with LiveRecogniser(recogniser, settings, fps) as live:
        predictions = [live.add(frame) for frame in stream(pixels, fps)]
        return [prediction for prediction in [*predictions, live.finish()] if prediction is not None]


def test_windows_begin_again_where_the_size_of_the_frames_changes() -> None:
    """Afterwards predictions are those of a stream that begins there; what was left before is predicted."""
    before, after = wobble(33), wobble(40, 64)
    settings = LiveSettings(every=5, window_s=0.4)
    with LiveRecogniser(CROPPED, settings, 50.0) as live:
        predictions = []
        for number, pixels in enumerate([*before, *after]):
            predictions.append(live.add(Frame(number, number / 50, pixels)))
        predictions.append(live.finish())
    actual = [prediction for prediction in predictions if prediction is not None]
    alone = predictions_for(CROPPED, before, settings, 50.0)
    begun = predictions_for(CROPPED, after, settings, 50.0)
    ends = [prediction.last for prediction in actual]
    assert ends == [*(p.last for p in alone), *(p.last + 33 for p in begun)]
    np.testing.assert_allclose(
        [scores_of(p) for p in actual], [scores_of(p) for p in [*alone, *begun]], atol=1e-6
    )


class Played(Video):
    """A video of given frames, which ends with a given error."""

    def __init__(
        self, pixels: np.ndarray, kind: str = "file", fps: float = 50.0, error: Exception | None = None
    ) -> None:
        height, width = pixels.shape[1:3]
        super().__init__(VideoInfo("played", kind, fps, width, height, None, False, 0), (None, None), [])  # type: ignore[arg-type]
        self.pixels, self.error, self.given = pixels, error, threading.Event()

    def _frames(self) -> Iterator[Frame]:
        yield from stream(self.pixels, self.info.fps)
        self.given.set()
        if self.error:
            raise self.error


# ---- the window


@examples(max_examples=60, deadline=None)
@given(steps=st.lists(st.integers(-2, 6), min_size=1, max_size=120), expected=st.integers(1, 12))
def test_the_crops_of_the_last_frames_are_side_by_side_in_time_order(steps: list[int], expected: int) -> None:
    """Compare with a list of all crops; the number kept varies, also beyond the expected number."""
    pictures = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), dtype=np.uint8)
    crops, every, kept = CropBuffer(align(pictures[:1], None, 4), expected), [], 0
    for number, step in enumerate(steps):
        frame = pictures[number % 7]
        crops.add(frame, kept)
        every.append(align(frame[None], None, 4).crop(frame[None], 0))
        kept = min(max(kept + 1 + min(step, 0), 1), kept + 1)
        np.testing.assert_array_equal(crops.last(kept), every[-kept:])


def test_the_room_for_crops_is_taken_once() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 3), dtype=np.uint8)
    crops = CropBuffer(align(pictures[:1], None, 4), 10)
    room = crops.buffer
    for number in range(1000):
        crops.add(pictures[number % 3], min(number, 9))
    assert crops.buffer is room and room.shape == (20, 4, 4, 3)


def test_every_answer_is_that_of_its_window_exactly() -> None:
    fps, frames = 50.0, wobble(75)
    predictions = predictions_for(CROPPED, frames, LiveSettings(every=4, window_s=0.5), fps)
    # A window is 25 frames: the first ends with frame 24, then one every 4 frames, then the last one.
    frame_ranges = [(end - 24, end) for end in (*range(24, 75, 4), 74)]
    assert [(a.first, a.last) for a in predictions] == frame_ranges
    assert [a.time_s for a in predictions] == pytest.approx([(end + 1) / fps for _, end in frame_ranges])
    aligned = align(frames, None, SIZE)
    crops = aligned.crops(frames)
    for prediction, (first, last) in zip(predictions, frame_ranges, strict=True):
        assert prediction.frames == 25 and prediction.start_s == pytest.approx(first / fps)
        expected = predict_scores(NETWORK, joint_minmax(dynamic_image(crops[first : last + 1]))[None])[0]
        np.testing.assert_array_equal(scores_of(prediction), expected)  # not nearly: the same
        np.testing.assert_allclose(scores_of(prediction), scores_by_hand(crops[first : last + 1]), rtol=1e-4)
        assert prediction.label == CLASSES[int(np.argmax(expected))]
    assert (
        np.ptp([scores_of(a) for a in predictions], axis=0).max() > 1e-3
    )  # or the test could not tell windows apart


def test_a_window_is_answered_as_predict_answers_it(tmp_path: Path) -> None:
    """`predict` sums before it crops, so the only difference is the rounding of crops to bytes."""
    write_video(tmp_path / "film.avi", wobble(50), 50.0, "ffv1")
    asked = CROPPED(tmp_path / "film.avi", Windows(0.5, 0.0, 0.0)).predictions
    with (
        open_video(tmp_path / "film.avi") as video,
        LiveStream(CROPPED, video, LiveSettings(every=25)) as live,
    ):
        predictions = list(live)
    assert (
        [(a.first, a.last) for a in predictions] == [(a.first, a.last) for a in asked] == [(0, 24), (25, 49)]
    )
    for prediction, same in zip(predictions, asked, strict=True):
        np.testing.assert_allclose(scores_of(prediction), list(same.scores.values()), atol=2e-4)
    apart = np.abs(np.subtract(scores_of(predictions[0]), scores_of(predictions[1]))).max()
    assert apart > 1e-3


def test_a_face_is_cropped_as_predict_crops_it(tmp_path: Path) -> None:
    film = np.stack(
        [shifted(6 * np.sin(t / 5)) for t in range(25)]
    )  # not as far as would have the face found anew
    write_video(tmp_path / "film.avi", film, 50.0, "ffv1")
    asked = faces()(tmp_path / "film.avi", Windows(0.5, 0.0, 0.0)).predictions[0]
    with (
        open_video(tmp_path / "film.avi") as video,
        LiveStream(faces(), video, LiveSettings(every=25)) as live,
    ):
        predictions = list(live)
        assert (
            live.recogniser.tracker.crops is not None
            and live.recogniser.tracker.crops.aligned.face == asked.face
        )
    assert len(predictions) == 1 and asked.face is not None
    frames = read_frames(tmp_path / "film.avi")
    np.testing.assert_allclose(
        scores_of(predictions[0]),
        scores_by_hand(align(frames, face_finder("haar"), SIZE).crops(frames)),
        rtol=1e-4,
    )
    np.testing.assert_allclose(scores_of(predictions[0]), list(asked.scores.values()), atol=3e-4)


def test_a_short_video_has_one_answer_and_one_frame_has_none() -> None:
    assert [
        (a.frames, a.label is None) for a in predictions_for(CROPPED, wobble(9), LiveSettings(), 50.0)
    ] == [(9, False)]
    lone = predictions_for(CROPPED, wobble(1), LiveSettings(), 50.0)[0]
    assert lone.label is None and lone.scores == {} and "1 frame" in lone.reason
    assert predictions_for(CROPPED, wobble(0), LiveSettings(), 50.0) == []


def test_a_gap_in_the_stream_is_said() -> None:
    frames = [frame for frame in stream(wobble(60), 50.0) if not 30 <= frame.number < 33]
    with LiveRecogniser(CROPPED, LiveSettings(every=10), 50.0) as live:
        predictions = [prediction for frame in frames if (prediction := live.add(frame))]
    assert [(a.frames, a.last) for a in predictions] == [(25, 24), (22, 37), (22, 47), (25, 57)]
    assert [a.warnings for a in predictions] == [(), *[("3 frames of this window are missing",)] * 2, ()]


# ---- the face


class Told:
    """A face detector for marked frames: the face is below the brightest pixel of the first row, if any."""

    kind = "haar"

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, frame: np.ndarray) -> Face | None:
        self.asked += 1
        if frame[0].max() < 255:
            return None
        x = float(np.argmax(frame[0, :, 0]))
        return Face((x - 30, 20.0, 60.0, 60.0), ((x - 12.0, 44.0), (x + 12.0, 44.0)), 0.9, self.kind)


def marked(frames: np.ndarray, column: int | None) -> np.ndarray:
    frames = frames.clip(0, 254)
    if column is not None:
        frames[:, 0, column] = 255
    return frames


def test_when_the_face_jumps_the_whole_window_is_cropped_anew() -> None:
    film = np.concatenate([np.repeat(shifted(0)[None], 60, axis=0), np.repeat(shifted(35)[None], 60, axis=0)])
    with LiveRecogniser(faces(), LiveSettings(every=5, window_s=0.5), 100.0) as live:
        predictions, anchors = [], []
        for frame in stream(film, 100.0):
            if (prediction := live.add(frame)) is not None:
                predictions.append(prediction)
                anchors.append(live.tracker.crops.aligned)  # type: ignore[union-attr]
        assert live.tracker.recrops == 1
    before, after = align(film[:1], face_finder("haar"), SIZE), align(film[60:61], face_finder("haar"), SIZE)
    assert (
        before.face is not None
        and after.face is not None
        and anchors[0].face == before.face
        and anchors[-1].face == after.face
    )
    assert after.face.eyes[0][0] - before.face.eyes[0][0] == pytest.approx(35, abs=3)
    mixed = 0
    for prediction, anchor in zip(predictions, anchors, strict=True):
        window = film[prediction.first : prediction.last + 1]
        aligned = after if anchor.face == after.face else before
        crops = np.stack(
            [aligned.crop(picture[None], 0) for picture in window]
        )  # all by one transform, wherever the jump is
        np.testing.assert_allclose(
            scores_of(prediction),
            predict_scores(NETWORK, joint_minmax(dynamic_image(crops))[None])[0],
            rtol=1e-6,
        )
        mixed += anchor.face == after.face and prediction.first < 60
    assert mixed >= 2  # frames from before the jump were cropped again
    head = [prediction.head_px for prediction in predictions]
    assert head[0] == pytest.approx(0, abs=0.2) and predictions[0].warnings == ()
    assert any(
        "head" in said
        for prediction in predictions
        if prediction.first < 60 <= prediction.last - 20
        for said in prediction.warnings
    )


def test_when_the_face_drifts_it_is_cropped_anew_before_it_is_far_off() -> None:
    """It is tracked all the time, so its motion stays known."""
    across = np.linspace(0, 24, 120)  # 0.28 distances of the eyes
    with LiveRecogniser(faces(), LiveSettings(every=10, window_s=0.3), 100.0) as live:
        for frame in stream(np.stack([shifted(float(x)) for x in across]), 100.0):
            if (prediction := live.add(frame)) is not None:
                assert prediction.head_px is not None
        assert (
            live.tracker.recrops >= 2
            and live.tracker.crops is not None
            and live.tracker.crops.aligned.face is not None
        )
        here = live.tracker.crops.aligned.face.eyes[0][0] - moving_face.placed(moving_face.PUPILS)[0, 0]
    assert 24 - here < 0.15 * 87


def test_how_far_the_head_moves_is_measured() -> None:
    """The portrait moves by 3 pixels. Its eyes are 87 pixels apart, 0.36 of a crop of 48: 0.6 crop pixels."""
    scale, truth = 0.36 * SIZE / (2 * np.hypot(43.3, 1.7)), 3 * np.sin(2 * np.pi * np.arange(101) / 100)
    said = []
    with LiveRecogniser(faces(), LiveSettings(every=50, window_s=0.5), 100.0) as live:
        for frame in stream(np.stack([shifted(float(across)) for across in truth]), 100.0):
            if (prediction := live.add(frame)) is None:
                continue
            looks = [
                round(look.time_s * 100) for look in live.tracker.looks if look.time_s >= prediction.start_s
            ]
            assert len(looks) >= 3
            assert prediction.head_px == pytest.approx(
                np.abs(truth[looks] - truth[looks[0]]).max() * scale, abs=0.03
            )
            said += prediction.warnings
    assert said == [
        "the head moves by 0.6 pixels of the crop, as much as an expression"
    ]  # in the second half it is seen to move by 0.3


def test_windows_without_a_face_say_so_and_the_face_is_found_again() -> None:
    film = marked(wobble(200), 40)
    film[:30] = marked(wobble(30) * 0 + 90, None)
    film[90:150] = marked(wobble(60) * 0 + 90, None)
    predictions = predictions_for(faces(Told()), film, LiveSettings(every=5, window_s=0.2), 100.0)
    by_end = {prediction.last: prediction for prediction in predictions}
    assert (
        by_end[19].label is None
        and by_end[19].reason == "no face has been found yet"
        and by_end[19].scores == {}
    )
    assert by_end[89].label == "uncertain" and by_end[89].reason.startswith("the head moves by")
    assert by_end[129].label is None and by_end[129].reason.startswith("no face has been seen since 0.")
    assert by_end[199].label is not None
    assert json.loads(by_end[129].to_json())["label"] is None
    record = [prediction.label is None for prediction in predictions]
    assert sum(a != b for a, b in itertools.pairwise(record)) == 3  # none, some, none, some


def test_the_same_frames_have_the_same_answers(tmp_path: Path) -> None:
    """Results of the second thread take effect after a number of frames, not of milliseconds."""
    film = np.stack([shifted(25 * np.sin(t / 20)) for t in range(90)])

    class Slow:
        kind = "haar"

        def __init__(self, pause_s: float) -> None:
            self.pause_s, self.finder = pause_s, face_finder("haar")

        def __call__(self, frame: np.ndarray) -> Face | None:
            time.sleep(self.pause_s)
            return self.finder(frame)

    runs = [
        predictions_for(faces(Slow(pause_s)), film, LiveSettings(every=7, window_s=0.3), 100.0)
        for pause_s in (0.0, 0.08)
    ]
    assert [replace(a, latency_ms=0.0) for a in runs[0]] == [replace(a, latency_ms=0.0) for a in runs[1]]
    assert len({a.scores["happiness"] for a in runs[0]}) > 5


def test_no_frame_waits_for_the_face_of_a_camera() -> None:
    asked, may_go = threading.Event(), threading.Event()

    class Stuck(Told):
        def __call__(self, frame: np.ndarray) -> Face | None:
            asked.set()
            assert may_go.wait(30)
            return super().__call__(frame)

    with LiveRecogniser(faces(Stuck()), LiveSettings(every=5, window_s=0.2), 100.0, wait=False) as live:
        predictions = [
            prediction for frame in stream(marked(wobble(60), 40), 100.0) if (prediction := live.add(frame))
        ]
        assert (
            asked.wait(30)
            and len(predictions) == 9
            and {a.reason for a in predictions} == {"no face has been found yet"}
        )
        may_go.set()
        last = live.finish()
        assert last is None  # frame 59 had an answer
        live.add(Frame(60, 0.6, marked(wobble(1), 40)[0]))
        last = live.finish()
        assert last is not None and last.label is not None


def test_a_second_thread_that_is_behind_by_a_window_is_waited_for() -> None:
    """Its part of the crop buffer must not move while it is being filled."""
    film, release = marked(wobble(120), 40), threading.Event()
    with LiveRecogniser(faces(Told()), LiveSettings(every=1, window_s=0.2), 100.0, wait=False) as live:
        slow, put = threading.Event(), CropBuffer.put

        def late(self: CropBuffer, index: int, frame: np.ndarray) -> None:
            if threading.current_thread() is not threading.main_thread():
                slow.set()
                assert release.wait(30)
            put(self, index, frame)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(CropBuffer, "put", late)
            threading.Timer(0.5, release.set).start()
            predictions = [(live.add(frame), time.sleep(0.002)) for frame in stream(film, 100.0)]
        assert slow.is_set()
        last = predictions[-1][0]
        assert last is not None and last.label is not None
        aligned = live.tracker.crops.aligned  # type: ignore[union-attr]
        crops = np.stack([aligned.crop(frame[None], 0) for frame in film[100:120]])
    np.testing.assert_allclose(scores_of(last), scores_by_hand(crops), rtol=1e-4)


# ---- the stream


def test_of_a_file_no_frame_is_skipped_however_slow_the_answers_are() -> None:
    def slow(batch: np.ndarray) -> np.ndarray:
        time.sleep(0.02)
        return SCORER.network(batch)

    video = Played(wobble(120, 40), fps=500.0)
    with LiveStream(
        replace(CROPPED, scorer=replace(SCORER, network=slow)), video, LiveSettings(every=5, window_s=0.05)
    ) as live:
        predictions = list(live)
        summary = live.summary()
    assert (summary.frames, summary.skipped, summary.predictions) == (120, 0, len(predictions))
    assert [a.last for a in predictions] == [24 + 5 * i for i in range(20)] and {
        a.frames for a in predictions
    } == {25}


def test_of_a_camera_the_newest_frames_are_taken_and_the_others_counted() -> None:
    video = Played(wobble(200, 40), "camera", fps=100.0)

    def stuck(batch: np.ndarray) -> np.ndarray:
        assert video.given.wait(30)  # while the first window is answered, all other frames come
        return SCORER.network(batch)

    with LiveStream(
        replace(CROPPED, scorer=replace(SCORER, network=stuck)), video, LiveSettings(every=5, window_s=0.05)
    ) as live:
        predictions = []
        with pytest.raises(
            BadVideo,
            match="played: .* no more frames, after .* frames in 2.0 s",
        ):
            predictions.extend(live)  # it runs dry, like a camera that is unplugged
        summary = live.summary()
    assert summary.skipped > 100 and summary.frames + summary.skipped == 200
    assert predictions[-1].last == 199 and predictions[-1].skipped == summary.skipped
    assert f"{summary.skipped} frames skipped, as they arrived faster" in str(summary)
    assert "frames of this window are missing" not in " ".join(
        predictions[-1].warnings
    )  # 8 waited, all of them newer than the gap
    assert predictions[-1].frames == 5


def test_answers_up_to_where_a_camera_is_unplugged_are_given() -> None:
    broken = BadVideo("camera 0", "it was torn off")
    for error in (None, broken):
        predictions = []
        with LiveStream(
            CROPPED, Played(wobble(8), "camera", 10.0, error), LiveSettings(every=2, window_s=0.5)
        ) as live:
            with pytest.raises(BadVideo, match="torn off" if error else "after 8 frames in 0.7 s"):
                for prediction in live:
                    predictions.append(prediction)
            assert live.summary().frames == 8
        assert [a.last for a in predictions] == [4, 6, 7]


def test_who_stops_asking_stops_the_reader() -> None:
    video, threads = Played(np.repeat(wobble(1), 500, axis=0)), threading.active_count()
    with LiveStream(CROPPED, video) as live:
        next(iter(live))
    assert not video.given.is_set()
    assert threading.active_count() == threads


def test_a_paced_file_takes_the_time_it_lasts() -> None:
    video = Played(wobble(31, 40), fps=20.0)
    start = time.perf_counter()
    with LiveStream(CROPPED, video, LiveSettings(every=10), pace=True) as live:
        predictions = list(live)
    assert time.perf_counter() - start >= 1.5
    assert [a.last for a in predictions] == [9, 19, 29, 30] and live.summary().skipped == 0


def test_latency_is_counted_from_when_a_frame_was_there() -> None:
    with LiveRecogniser(CROPPED, LiveSettings(every=1, window_s=0.1), 50.0) as live:
        came = time.perf_counter() - 3
        predictions = [live.add(frame, came) for frame in stream(wobble(5), 50.0)]
        assert live.add(Frame(5, 0.1, wobble(6)[5])).latency_ms < 3000  # type: ignore[union-attr]
    assert predictions[4] is not None and 3000 <= predictions[4].latency_ms < 60_000


def test_percentiles_are_those_of_the_latencies() -> None:
    with LiveStream(CROPPED, Played(wobble(3)), LiveSettings()) as live:
        blank = LivePrediction(0, 0.0, 0.0, 0, 0, 2, None, {}, "", None, 0.0, 0, ())
        latencies = np.random.default_rng(0).gamma(3, 2, 1000)
        for latency_ms in latencies.tolist():
            live._counted(replace(blank, latency_ms=latency_ms))
        summary = live.summary()
    assert summary.median_ms == pytest.approx(np.percentile(latencies, 50), abs=0.11)
    assert summary.p99_ms == pytest.approx(np.percentile(latencies, 99, method="inverted_cdf"), abs=0.06)


def test_memory_does_not_grow_with_the_stream() -> None:
    pictures = marked(np.random.default_rng(0).integers(0, 256, (5, 40, 60, 3), dtype=np.uint8), 30)
    marks = []
    with LiveRecogniser(faces(Told()), LiveSettings(every=100, window_s=0.5), 200.0) as live:
        tracemalloc.start()
        for number in range(1201):
            live.add(Frame(number, number / 200.0, pictures[number % 5].copy()))
            if number and number % 400 == 0:
                marks.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(live.kept) == 100 and len(live.tracker.looks) == live.tracker.looks.maxlen
    assert marks[-1] - marks[0] < 500_000  # 800 frames are 6 MB; looks and work in hand come and go


def test_threads_are_as_before() -> None:
    def threads() -> tuple[int, int, set[int]]:
        algebra = {
            pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"
        }
        return cv2.getNumThreads(), torch.get_num_threads(), algebra

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpoolctl.threadpool_limits(2, "blas"):
            usual = threads()
            with LiveStream(CROPPED, Played(wobble(3))):
                assert threads() == (1, 1, {1})
            # OpenCV 4.11 brings a BLAS of one thread.
            assert threads() == usual and usual[1] == max(usual[2]) == 2
    finally:
        torch.set_num_threads(before)


# ---- motion images that need an apex


@pytest.mark.parametrize(
    "settings",
    [
        {"motion": "difference"},
        {"motion": "apex-face"},
        {"motion": "dynamic-rise"},
        {"motion": "flow-dis", "remove_global_motion": True},
    ],
)
def test_the_apex_is_found_in_every_window(settings: dict) -> None:
    """Each prediction is that of `make_image` for the frames of the window alone."""
    size = 112 if "remove_global_motion" in settings else SIZE
    metadata, pixels = (
        replace(METADATA, size=size, preparation=Preparation(**settings, face="none", size=size)),
        wobble(60),
    )
    network = NETWORKS["learnet"](len(CLASSES), size, seed=5).eval()

    live = replace(CROPPED, metadata=metadata, scorer=Scorer.from_module(network))
    answers = predictions_for(live, pixels, LiveSettings(every=7), 50.0)
    assert len(answers) >= 5
    for prediction in answers:
        made = make_image(pixels[prediction.first : prediction.last + 1], metadata.preparation, None)
        assert made.apex is not None
        np.testing.assert_allclose(
            scores_of(prediction), predict_scores(network, made.image[None])[0], rtol=1e-6
        )


def test_histograms_of_every_window() -> None:
    """Images of LBP-TOP need no apex: each prediction is that for the frames of the window alone."""
    metadata, pixels = (
        replace(METADATA, preparation=Preparation(motion="lbp-top", face="none", size=SIZE)),
        wobble(60),
    )
    windows = [
        make_image(pixels[first : first + 25], metadata.preparation, None).image for first in range(0, 36, 7)
    ]
    network = NETWORKS["lbp-top"](len(CLASSES), SIZE)
    network.fit(as_input(np.stack(windows)), torch.arange(len(windows)) % len(CLASSES))

    live = replace(CROPPED, metadata=metadata, scorer=Scorer.from_module(network.eval()))
    answers = predictions_for(live, pixels, LiveSettings(every=7), 50.0)
    assert len(answers) >= 5
    for prediction in answers:
        made = make_image(pixels[prediction.first : prediction.last + 1], metadata.preparation, None)
        np.testing.assert_allclose(
            scores_of(prediction), predict_scores(network, made.image[None])[0], rtol=1e-6
        )


def test_a_window_without_a_fall_has_no_answer() -> None:
    """A movement that only rises has its peak in the last frame."""
    metadata = replace(METADATA, preparation=Preparation(motion="dynamic-fall", face="none", size=SIZE))
    rising = np.stack([shifted(6 * (1 - np.cos(np.pi * t / 24)) / 2) for t in range(25)])
    (prediction,) = predictions_for(
        replace(CROPPED, metadata=metadata), rising, LiveSettings(every=100), 50.0
    )
    assert (
        prediction.label is None
        and not prediction.scores
        and "from the apex to the offset has 1 frame" in prediction.reason
    )


# ---- what is told, and refused


def test_json_and_row_say_the_same() -> None:
    for prediction in predictions_for(CROPPED, wobble(30), LiveSettings(every=4), 50.0):
        record, row = (
            json.loads(prediction.to_json()),
            dict(zip(columns(CLASSES), prediction.row(CLASSES), strict=True)),
        )
        assert {name: row[name] for name in CLASSES} == record["scores"]
        assert sum(record["scores"].values()) == pytest.approx(1, abs=1e-5)
        shared = (
            "number",
            "time_s",
            "start_s",
            "first",
            "last",
            "frames",
            "label",
            "reason",
            "head_px",
            "latency_ms",
            "skipped",
        )
        assert {name: row[name] for name in shared} == {name: record[name] for name in shared}
        assert row["warnings"] == "; ".join(record["warnings"])


def test_what_cannot_be_live_is_refused() -> None:
    steady = replace(
        CROPPED, metadata=replace(HAAR, preparation=Preparation(face="haar", stabilise=True, size=SIZE))
    )
    with pytest.raises(LearnetError, match="made with --stabilise, which takes longer"):
        LiveRecogniser(steady)
    for settings, what in (
        ({"motion": "flow-tvl1", "size": 112}, "flow-tvl1"),
        ({"magnify": 4.0}, "--magnify"),
    ):
        slow = replace(
            CROPPED,
            metadata=replace(METADATA, preparation=Preparation(**{"face": "none", "size": SIZE, **settings})),
        )
        with pytest.raises(LearnetError, match=f"made with {what}, which .*learnet predict"):
            LiveRecogniser(slow)
    with pytest.raises(LearnetError, match="0.02 s at 50 frames per second.*longer window .*--window-s"):
        LiveRecogniser(CROPPED, LiveSettings(window_s=0.02), 50.0)
    for wrong in ({"every": 0}, {"window_s": 0.0}, {"window_s": float("inf")}, {"window_s": float("nan")}):
        with pytest.raises(LearnetError, match="every|window_s"):
            LiveSettings(**wrong)  # type: ignore[arg-type]
