"""Active images by the double loop of their definition, and by hand."""

import cv2
import numpy as np
import pytest

from learnet.core.errors import TooFewFrames
from learnet.motion.active import active_image, active_weights
from learnet.motion.dynamic import rank_weights


def by_pairs(frames: np.ndarray) -> np.ndarray:
    """Return the sum over pairs of grey frames, by the authors' loops: j from 1, k from 0 to j - 2."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(float) for frame in frames]
    result = np.zeros_like(grey[0])
    for j in range(1, len(grey)):
        for k in range(0, j - 1):
            result += grey[j] - grey[k]
    return result


@pytest.mark.parametrize("count", [3, 4, 9, 20])
def test_the_image_is_the_sum_over_pairs_of_frames(rng: np.random.Generator, count: int) -> None:
    frames = rng.integers(0, 256, (count, 12, 10, 3), dtype=np.uint8)
    result = active_image(frames)
    rounding = np.abs(active_weights(count)).sum() * 0.51  # of the authors' grey levels to whole numbers
    for channel in range(3):
        assert np.abs(result[..., channel] - by_pairs(frames)).max() < rounding
    frames[..., 1:] = frames[..., :1]  # grey frames have nothing to round
    np.testing.assert_allclose(active_image(frames)[..., 0], by_pairs(frames), atol=0.02)


def test_weights_by_hand() -> None:
    """Of five frames, the pairs two or more apart are 1-3, 1-4, 1-5, 2-4, 2-5 and 3-5."""
    assert active_weights(5).tolist() == [-3, -2, 0, 2, 3]
    assert active_weights(3).tolist() == [-1, 0, 1]


def test_with_neighbours_the_weights_would_be_linear() -> None:
    neighbours = np.zeros(7)
    neighbours[1:] += 1
    neighbours[:-1] -= 1
    np.testing.assert_array_equal(active_weights(7) + neighbours, rank_weights(7, "dynamic-linear"))


def test_two_frames_have_no_active_image() -> None:
    with pytest.raises(TooFewFrames, match="at least 3 are needed"):
        active_image(np.zeros((2, 4, 4, 3), np.uint8))
