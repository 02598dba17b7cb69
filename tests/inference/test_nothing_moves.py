"""Films in which no expression is shown get the label `none`, from every shipped network.

They are stills with noise and compression, pans, zooms, flicker and blinks of a synthetic face. The same face
with an expression is no `none`.
"""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from learnet.core.live_settings import LiveSettings
from learnet.inference.live import LiveRecogniser
from learnet.inference.recogniser import Recogniser
from learnet.motion.evidence import NOTHING_MOVES, ONLY_EYES_MOVE, ONLY_HEAD_MOVES
from learnet.simulation.movement import Timing
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import NO_EMOTION, Scene, centre_expression, make_scene
from learnet.video.base import Frame
from learnet.video.reader import read_frames

FPS = 100.0
CAMERA = Camera(fps=FPS)
FRAMES = 40
NETWORKS = ("ststnet-flow-28", "learnet-flow-28", "learnet-image-112")


def scene(emotion: str, seed: int = 3) -> Scene:
    """Return a scene without a blink."""
    planned = centre_expression(make_scene(seed, 1, 1, emotion, CAMERA), 56)
    conditions = replace(planned.recording.conditions, blinks=())
    return replace(planned, recording=replace(planned.recording, conditions=conditions))


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return next(render(scene(NO_EMOTION).recording))


@pytest.fixture(scope="module")
def recognisers() -> dict[str, Recogniser]:
    return {name: Recogniser.load(name) for name in NETWORKS}


def still(photograph: np.ndarray) -> np.ndarray:
    return np.repeat(photograph[None], FRAMES, axis=0)


def with_noise(photograph: np.ndarray, sd: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sd, (FRAMES, *photograph.shape))
    return np.clip(np.rint(photograph + noise), 0, 255).astype(np.uint8)


def as_h264(frames: np.ndarray, crf: int) -> np.ndarray:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(FPS))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf)}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def warped(photograph: np.ndarray, matrix: Callable[[int], np.ndarray]) -> np.ndarray:
    height, width = photograph.shape[:2]
    frames = []
    for number in range(FRAMES):
        transform = np.asarray(matrix(number), np.float32)
        frames.append(
            cv2.warpAffine(
                photograph, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        )
    return np.stack(frames)


def pan(photograph: np.ndarray, px: float) -> np.ndarray:
    return warped(photograph, lambda number: np.array([[1, 0, px * number], [0, 1, px * number / 3]]))


def zoom(photograph: np.ndarray, rate: float) -> np.ndarray:
    centre = (photograph.shape[1] / 2, photograph.shape[0] / 2)
    return warped(photograph, lambda number: cv2.getRotationMatrix2D(centre, 0, (1 + rate) ** number))


def flicker(photograph: np.ndarray, amplitude: float) -> np.ndarray:
    gains = 1 + amplitude * np.sin(2 * np.pi * 7 * np.arange(FRAMES) / FPS)
    return np.clip(np.rint(photograph * gains[:, None, None, None]), 0, 255).astype(np.uint8)


def blink() -> np.ndarray:
    resting = scene(NO_EMOTION)
    conditions = replace(resting.recording.conditions, blinks=(Timing(0.12, 0.19, 0.36),))
    return np.stack(list(render(replace(resting.recording, conditions=conditions))))


FILMS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "photograph": (still, NOTHING_MOVES),
    "noise of 2 grey levels": (lambda photograph: with_noise(photograph, 2), NOTHING_MOVES),
    "noise of 6 grey levels": (lambda photograph: with_noise(photograph, 6), NOTHING_MOVES),
    "H.264 crf 18": (lambda photograph: as_h264(with_noise(photograph, 2), 18), NOTHING_MOVES),
    "H.264 crf 28": (lambda photograph: as_h264(with_noise(photograph, 2), 28), NOTHING_MOVES),
    "H.264 crf 38": (lambda photograph: as_h264(with_noise(photograph, 2), 38), NOTHING_MOVES),
    "slow pan": (lambda photograph: pan(photograph, 0.1), ONLY_HEAD_MOVES),
    "pan": (lambda photograph: pan(photograph, 1.0), ONLY_HEAD_MOVES),
    "zoom": (lambda photograph: zoom(photograph, 0.002), ONLY_HEAD_MOVES),
    "flicker": (lambda photograph: flicker(photograph, 0.1), NOTHING_MOVES),
    "blink": (lambda photograph: blink(), ONLY_EYES_MOVE),
}


@pytest.mark.parametrize("name", FILMS)
def test_films_without_an_expression_are_none(
    name: str, photograph: np.ndarray, recognisers: dict[str, Recogniser]
) -> None:
    make, reason = FILMS[name]
    frames = make(photograph)
    for recogniser in recognisers.values():
        recognition = recogniser(frames, fps=FPS)
        answers = {(prediction.label, prediction.reason) for prediction in recognition.predictions}
        assert answers == {("none", reason)}
        assert recognition.label == "none" and recognition.events == ()
        record = json.loads(recognition.to_json())
        assert record["reason"] == reason and record["score"] is None


def test_an_expression_is_no_still(recognisers: dict[str, Recogniser]) -> None:
    """The same face shows surprise by 1 pixel and more; every network is asked."""
    planned = scene("surprise", seed=5)
    frames = np.stack(list(render(planned.recording)))
    for recogniser in recognisers.values():
        recognition = recogniser(frames, fps=FPS)
        assert recognition.predictions[0].scores
    recognition = recognisers["ststnet-flow-28"](frames, fps=FPS)
    (event,) = recognition.events
    assert event.label == "surprise"
    apex = planned.apex - 1  # frames of a scene count from 1
    assert abs(event.apex - apex) <= 4 and event.onset < apex < event.offset


def test_a_photograph_before_a_camera_is_none(photograph: np.ndarray) -> None:
    with LiveRecogniser(Recogniser.load(), LiveSettings(every=10, window_s=0.3), FPS) as live:
        frames = [Frame(number, number / FPS, photograph) for number in range(60)]
        predictions = [live.add(frame) for frame in frames]
        answers = [prediction for prediction in [*predictions, live.finish()] if prediction]
    asked = [answer for answer in answers if answer.label is not None]
    assert len(asked) >= 2
    assert {(answer.label, answer.reason) for answer in asked} == {("none", NOTHING_MOVES)}


def test_the_real_photograph_is_none(shared: Path, recognisers: dict[str, Recogniser]) -> None:
    film = shared / "real" / "face_pexels.mp4"
    if not film.is_file():
        pytest.skip("the real film is not here")
    with av.open(str(film)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    for recogniser in recognisers.values():
        for frames in (still(frame), with_noise(frame, 3), as_h264(still(frame), 28)):
            recognition = recogniser(frames, fps=FPS)
            assert [(answer.label, answer.reason) for answer in recognition.predictions] == [
                ("none", NOTHING_MOVES)
            ]


def there_and_back(photograph: np.ndarray, px: float) -> np.ndarray:
    def shift(number: int) -> np.ndarray:
        x = px * (1 - abs(2 * number / (FRAMES - 1) - 1))
        return np.array([[1, 0, x], [0, 1, x / 3]])

    return warped(photograph, shift)


def turned(photograph: np.ndarray, degrees: float) -> np.ndarray:
    centre = (photograph.shape[1] / 2, photograph.shape[0] / 2)
    return warped(photograph, lambda number: cv2.getRotationMatrix2D(centre, degrees * number / FRAMES, 1))


def test_a_photograph_that_moves_and_is_compressed_names_no_emotion(
    shared: Path, recognisers: dict[str, Recogniser]
) -> None:
    """Compression of a picture that moves looks like a movement of the skin: all three are of that kind."""
    film = shared / "real" / "face_pexels.mp4"
    if not film.is_file():
        pytest.skip("the real film is not here")
    first, last = read_frames(film, 150, 150)[0], read_frames(film, 300, 300)[0]
    moved = (there_and_back(first, 10), pan(last, 0.4), turned(first, 5))
    for frames in moved:
        recognition = recognisers["ststnet-flow-28"](as_h264(frames, 38), fps=FPS)
        assert recognition.label in (None, "none", "uncertain")
        assert recognition.reason


def test_clips_of_a_real_head_that_moves_name_no_emotion(shared: Path) -> None:
    """A woman talks and turns; the first and the eighth second of the film were "negative" and "surprise"."""
    film = shared / "real" / "face_pexels.mp4"
    if not film.is_file():
        pytest.skip("the real film is not here")
    recogniser = Recogniser.load()
    for first in (0, 168):
        recognition = recogniser(read_frames(film, first, first + 23), fps=24.0)
        (event,) = recognition.events
        assert recognition.label == event.label == "uncertain" and event.action_units == ()
        assert event.emotions  # the scores are there, for a person who wants to see them
        assert re.fullmatch(
            r"the head moves by [45]\.\d pixels of a face 112 pixels wide, "
            "so emotion and action units are not to be trusted",
            event.reason,
        )
