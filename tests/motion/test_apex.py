"""Detection of the apex on synthetic faces with a known apex, and on movements made by hand."""

from functools import lru_cache

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d, uniform_filter

from learnet.core.errors import TooFewFrames
from learnet.face import align, face_finder
from learnet.motion.apex import find_apex, motion_curve
from learnet.simulation.render import render
from learnet.simulation.scenes import CAMERA, make_scene
from tests.builders.moving_face import MOUTH_CORNER, SIZE, Bump, frame, placed, turned

SMILE = Bump(placed(MOUTH_CORNER), 24.0, np.array([3.0, -4.0]))  # 5 pixels of a frame, 1.7 of a crop


def acted(
    levels: np.ndarray, drift: tuple[float, float] = (0.0, 0.0), noise: float = 1.0, light: float = 0.0
) -> np.ndarray:
    """Return crops of 112 pixels of a smile.

    Args:
        levels: strength of the smile in each frame.
        drift: motion of the head over the clip, in pixels.
        noise: standard deviation in grey levels.
        light: increase of brightness over the clip, as a share.
    """
    count, resized = len(levels), []
    for t, level in enumerate(levels):
        passed = t / max(count - 1, 1)
        part = smiling(round(float(level), 9), (drift[0] * passed, drift[1] * passed))
        if noise:
            errors = np.random.default_rng(t).normal(0, noise, part.shape)
            part = np.clip(np.round(part + errors), 0, 255).astype(np.uint8)
        part = np.clip(part * (1 + light * passed), 0, 255).astype(np.uint8)
        resized.append(cv2.resize(part, (112, 112), interpolation=cv2.INTER_AREA))
    return np.stack(resized)


@lru_cache(maxsize=256)
def smiling(level: float, shift: tuple[float, float]) -> np.ndarray:
    """Return the face in a frame of the video, without noise; cached because most tests share them."""
    bump = Bump(SMILE.centre, SMILE.radius, SMILE.shift * level)
    return frame(turned(0.0, 1.0, shift), bump)[40:376, 70:406]


def pulse(count: int, apex: int) -> np.ndarray:
    """Return the strength in each frame: 0 at the ends, 1 at the apex, along half cosines."""
    t = np.arange(count)
    rise, fall = t / max(apex, 1), (count - 1 - t) / max(count - 1 - apex, 1)
    return (1 - np.cos(np.pi * np.clip(np.minimum(rise, fall), 0, 1))) / 2


@pytest.mark.parametrize("apex", [4, 10, 14, 20])
@pytest.mark.parametrize("disturbed", [{}, {"drift": (4.0, -2.0)}, {"light": 0.05}, {"noise": 3.0}])
def test_apex_of_a_movement_made_by_hand(apex: int, disturbed: dict) -> None:
    """25 frames; a drift of 4 pixels moves the whole face as far as the smile moves the mouth."""
    assert abs(find_apex(acted(pulse(25, apex), **disturbed)) - apex) <= 1


def test_a_drift_alone_would_have_led_to_the_last_frame() -> None:
    """The frame that differs most from the first is misled by drift, so linear change is subtracted."""
    crops = acted(pulse(25, 10), drift=(4.0, -2.0)).astype(float)
    assert np.abs(crops - crops[0]).mean(axis=(1, 2, 3)).argmax() > 20


def test_apex_at_the_border() -> None:
    """A clip that ends at its apex, and one whose apex is the frame after the onset."""
    rising = (1 - np.cos(np.pi * np.arange(15) / 14)) / 2
    assert find_apex(acted(rising)) >= 13
    assert find_apex(acted(np.array([0, 1, 0.7, 0.4, 0.2, 0.1, 0]))) == 1


def test_a_movement_that_does_not_quite_return() -> None:
    """40 % of the smile remains at the end."""
    levels = pulse(31, 12)
    levels[12:] = 0.4 + 0.6 * levels[12:]
    assert abs(find_apex(acted(levels)) - 12) <= 1


def test_two_and_three_frames() -> None:
    assert find_apex(acted(np.array([0.0, 1.0]))) == 1
    assert find_apex(acted(np.array([0.0, 1.0, 0.0]))) == 1
    assert find_apex(acted(np.array([0.0, 0.5, 1.0]))) == 2
    for count in (0, 1):
        with pytest.raises(TooFewFrames):
            find_apex(np.zeros((count, 28, 28, 3), np.uint8))


def test_where_nothing_moves_the_middle_is_taken() -> None:
    for count, middle in ((2, 1), (3, 1), (10, 4), (11, 5)):
        still = np.repeat(
            np.random.default_rng(0).integers(0, 256, (1, 28, 28, 3), dtype=np.uint8), count, axis=0
        )
        assert not motion_curve(still).any() and find_apex(still) == middle


def test_the_course_follows_from_its_definition(rng: np.random.Generator) -> None:
    """The same steps with the filters of scipy."""
    crops = np.repeat(rng.integers(0, 256, (40, 112, 112, 1), dtype=np.uint8), 3, axis=-1)
    blurred = np.stack([gaussian_filter(crop[..., 0].astype(float), 1.0) for crop in crops])
    shown = blurred - np.stack([uniform_filter(one, 17, mode="mirror") for one in blurred])
    passed = (np.arange(40) / 39)[:, None, None]
    bend = (shown - (1 - passed) * shown[0] - passed * shown[-1]) ** 4
    expected = gaussian_filter1d(bend.mean(axis=(1, 2)) ** 0.25, 0.03 * 40, mode="nearest", truncate=20)
    np.testing.assert_allclose(
        motion_curve(crops), expected, rtol=2e-2
    )  # OpenCV cuts its Gaussian off at three standard deviations


# ---- synthetic faces with camera noise and head motion


@lru_cache(maxsize=1)
def errors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for 12 clips the errors in frames of the detected apex and the middle frame, and the lengths."""
    finder, errors_of_clips = face_finder("haar"), []
    for seed in range(12):
        emotion = ("happiness", "disgust", "repression", "surprise", "others")[seed % 5]
        scene = make_scene(3000 + seed, 1, 1, emotion, CAMERA)
        frames = np.stack(list(render(scene.recording, range(scene.onset - 1, scene.offset))))
        crops, apex = align(frames, finder, 112).crops(frames), scene.apex - scene.onset
        errors_of_clips.append(
            (abs(find_apex(crops) - apex), abs((len(frames) - 1) // 2 - apex), len(frames))
        )
    return tuple(np.array(errors_of_clips).T)  # type: ignore[return-value]


def test_synthetic_expressions_are_met_better_than_by_their_middle() -> None:
    """Seeds 3000 to 3011; no constant was chosen on them."""
    detected, middle, frames = errors()
    assert detected.mean() < 0.6 * middle.mean()
    assert np.median(detected) <= 2 and (detected / frames).mean() < 0.06


def test_size_of_the_crops_hardly_matters() -> None:
    assert SIZE == (480, 400)
    crops = acted(pulse(25, 10))
    for size in (28, 56, 224):
        assert (
            abs(
                find_apex(
                    np.stack([cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) for crop in crops])
                )
                - 10
            )
            <= 1
        )


def test_a_blink_where_the_eyes_are_known_is_not_the_apex() -> None:
    """Dark bars on both eyes, in frames 18 to 20; the smile peaks in frame 10."""
    crops, eyes = acted(pulse(25, 10)), ((0.32, 0.27), (0.68, 0.27))
    for across, down in eyes:
        x, y = round(across * 112), round(down * 112)
        crops[18:21, y - 5 : y + 5, x - 14 : x + 14] = 20
    assert abs(find_apex(crops, eyes) - 10) <= 1 and 17 <= find_apex(crops) <= 21
