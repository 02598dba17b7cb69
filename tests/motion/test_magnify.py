"""Eulerian magnification of a known oscillation: 1 + alpha times in the band, unchanged outside it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.motion.magnify import BAND_HZ, _level_weights, _weighted_levels, magnify_motion

SIZE, WAVE = 112, 28  # pixels: crops, and a pattern about as large as facial features


def swaying(shift: np.ndarray, size: int = SIZE, wave: float = WAVE) -> np.ndarray:
    """Return vertical stripes, one frame for each shift in pixels to the right."""
    rows = 128 + 60 * np.sin(2 * np.pi * (np.arange(size) - shift[:, None]) / wave)
    return np.repeat(np.repeat(np.rint(rows).astype(np.uint8)[:, None, :, None], size, axis=1), 3, axis=3)


def shifts(crops: np.ndarray, wave: int = WAVE) -> np.ndarray:
    """Return the shift of the stripes in each frame, from their phase, about its mean."""
    size = crops.shape[1]
    count = size // 2 // wave * wave
    x = np.arange(size // 4, size // 4 + count)
    phase = np.angle((crops[:, size // 2, x, 0] * np.exp(2j * np.pi * x / wave)).sum(axis=1))
    positions = np.unwrap(phase) * wave / (2 * np.pi)
    return positions - positions.mean()


def gain(shift: np.ndarray, alpha: float, fps: float, wave: int = WAVE) -> float:
    """Return how many times as far the stripes move after magnification."""
    crops = swaying(shift, wave=wave)
    before, after = shifts(crops, wave), shifts(magnify_motion(crops, alpha, fps), wave)
    return float(before @ after / (before @ before))


T = np.arange(60)


@pytest.mark.parametrize("alpha", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("hz", [2.5, 5.0, 10.0])
def test_a_sway_in_the_band_is_1_plus_alpha_times_as_far(alpha: float, hz: float) -> None:
    """0.6 s at 100 frames per second, at any phase.

    The pyramid keeps 90 % of waves of 28 pixels, and 10 % more is lost at the border of the band.
    """
    for phase in (0.0, 0.7, 2.0):
        assert gain(0.2 * np.cos(2 * np.pi * hz * (T + 0.5) / 100 + phase), alpha, 100.0) == pytest.approx(
            1 + alpha, rel=0.2
        )


def test_a_sway_outside_the_band_stays() -> None:
    for hz in (20.0, 30.0, 45.0):
        assert gain(0.2 * np.cos(2 * np.pi * hz * (T + 0.5) / 100), 10.0, 100.0) == pytest.approx(1, abs=0.03)
    slow = 0.5 * np.cos(2 * np.pi * 0.5 * (np.arange(400) + 0.5) / 100)  # half a hertz over four seconds
    assert gain(slow, 10.0, 100.0) == pytest.approx(1, abs=0.02)
    assert (
        gain(0.2 * np.cos(2 * np.pi * 20 * (T + 0.5) / 100), 10.0, 20.0) > 5
    )  # the same frames at a fifth of the rate are in the band


def test_both_at_once_are_told_apart() -> None:
    fast, slow = 0.1 * np.cos(2 * np.pi * 5 * (T + 0.5) / 100), 0.2 * np.cos(2 * np.pi * 25 * (T + 0.5) / 100)
    crops = swaying(fast + slow)
    after = shifts(magnify_motion(crops, 4.0, 100.0))
    assert after @ fast / (fast @ fast) == pytest.approx(5, rel=0.15) and after @ slow / (
        slow @ slow
    ) == pytest.approx(1, abs=0.1)


def test_fine_patterns_get_less() -> None:
    """Waves of 4 pixels do not tolerate the same alpha, and the finest level is mostly noise."""
    sway = 0.05 * np.cos(2 * np.pi * 5 * (T + 0.5) / 100)
    assert 1 <= gain(sway, 5.0, 100.0, wave=4) < 1.5
    assert gain(sway, 5.0, 100.0, wave=14) < gain(sway, 5.0, 100.0) + 0.1


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_short_clips_are_magnified_too(count: int) -> None:
    """A movement in so few frames at 200 per second that all of it is above the band."""
    rise = np.linspace(0, 0.4, count)
    assert gain(rise, 4.0, 200.0) > 3.5
    if count > 2:
        back = 0.4 * np.sin(np.pi * (np.arange(count) + 0.5) / count)
        assert gain(back, 4.0, 200.0) > 3.5
    assert count * 5e-3 < 1 / BAND_HZ[1]


def test_a_movement_that_does_not_return_leaves_no_jump() -> None:
    """The clip is mirrored at its ends, so they are magnified like the rest."""
    crops = swaying(0.5 * (1 - np.cos(np.pi * T / 59)) / 2)
    after = shifts(magnify_motion(crops, 3.0, 200.0))  # a rise in 0.3 s; one in 0.6 s would be below the band
    assert (np.diff(after) > -0.05).all() and after[-1] - after[0] == pytest.approx(4 * 0.5, rel=0.2)


@settings(max_examples=15, deadline=None)
@given(
    count=st.integers(2, 12),
    size=st.integers(28, 60),
    alpha=st.floats(0, 100),
    fps=st.floats(1, 1000),
    seed=st.integers(0, 9),
)
def test_what_stands_still_comes_back(count: int, size: int, alpha: float, fps: float, seed: int) -> None:
    still = np.repeat(
        np.random.default_rng(seed).integers(0, 256, (1, size, size, 3), dtype=np.uint8), count, axis=0
    )
    np.testing.assert_array_equal(magnify_motion(still, alpha, fps), still)
    moving = np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(magnify_motion(moving, 0.0, fps), moving)


def test_changes_of_light_are_not_magnified() -> None:
    """The remainder of the pyramid is unchanged."""
    crops = np.repeat((100 + 10 * np.sin(2 * np.pi * 5 * T / 100))[:, None], SIZE**2 * 3, axis=1).reshape(
        -1, SIZE, SIZE, 3
    )
    crops = np.rint(crops).astype(np.uint8)
    np.testing.assert_array_equal(magnify_motion(crops, 10.0, 100.0), crops)


def test_levels_add_up_to_the_picture_less_its_rest(rng: np.random.Generator) -> None:
    """With weights of 1, against a pyramid built directly: reduced four times, and enlarged again."""
    picture = rng.normal(0, 50, (112, 112, 3)).astype(np.float32)
    rest, sizes = picture, []
    for _ in range(4):
        sizes.append(rest.shape[:2])
        rest = cv2.pyrDown(rest)
    for height, width in reversed(sizes):
        rest = cv2.pyrUp(rest, dstsize=(width, height))
    np.testing.assert_allclose(_weighted_levels(picture, np.ones(4)), picture - rest, atol=1e-3)


def test_weights_of_the_levels_by_hand() -> None:
    """Wavelength / cutoff * (1 + alpha) - 1, at most alpha: 10.8 / 16 * 5 - 1 = 2.375 (Wu et al.)."""
    np.testing.assert_allclose(_level_weights(112, 4.0), [0, 2.375, 4, 4])
    np.testing.assert_allclose(_level_weights(224, 4.0), [0, 0.6875, 2.375, 4, 4])
    np.testing.assert_allclose(_level_weights(28, 4.0), [0, 4])


def test_what_cannot_be_magnified() -> None:
    crops = swaying(np.zeros(4), 28)
    with pytest.raises(TooFewFrames):
        magnify_motion(crops[:1], 2.0, 25.0)
    for alpha, fps in (
        (-1.0, 25.0),
        (float("nan"), 25.0),
        (float("inf"), 25.0),
        (2.0, 0.0),
        (2.0, float("nan")),
    ):
        with pytest.raises(LearnetError, match="cannot be magnified"):
            magnify_motion(crops, alpha, fps)
