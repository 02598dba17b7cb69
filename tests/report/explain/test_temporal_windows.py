"""Windows by hand, and weights of frames by their formulas and by the motion images themselves."""

import numpy as np
import pytest

from learnet.inference.decision import Decision
from learnet.inference.window_units import WindowUnits
from learnet.motion import MOTION_IMAGES
from learnet.report.explain.temporal_windows import (
    WindowScores,
    growing_windows,
    sliding_windows,
    temporal_weights,
    weights_in_window,
)

WEIGHTED = [
    name for name, kind in MOTION_IMAGES.items() if kind.family == "image" and name != "dynamic-exact"
]


def test_weights_of_a_dynamic_image_follow_from_their_formula() -> None:
    """Bilen et al.: frame t has the sum over i = t..T of (2i - T - 1) / i."""
    expected = []
    for t in range(1, 10):
        expected.append(sum((2 * i - 10) / i for i in range(t, 10)))
    np.testing.assert_allclose(temporal_weights("dynamic", 9, 4), expected, atol=1e-12)
    np.testing.assert_allclose(temporal_weights("dynamic", 3, 1), [-2 + 0 + 2 / 3, 0 + 2 / 3, 2 / 3])


@pytest.mark.parametrize("motion", WEIGHTED)
def test_weighted_sums_of_frames_are_the_motion_images(motion: str, rng: np.random.Generator) -> None:
    frames, apex = rng.integers(0, 256, (7, 6, 6, 3), dtype=np.uint8), 4
    weights = temporal_weights(motion, 7, apex)
    assert weights is not None
    if motion == "active":
        frames[..., 1:] = frames[..., :1]  # its image is grey
    motion_image = MOTION_IMAGES[motion].compute(frames, apex)
    np.testing.assert_allclose(np.tensordot(weights, frames, axes=1), motion_image, rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    "motion", ["flow-dis", "flow-tvl1", "lbp-top", "lbp-fip", "bi-woof", "dynamic-exact"]
)
def test_flow_and_histograms_have_no_weights(motion: str) -> None:
    assert temporal_weights(motion, 7, 3) is None


def test_weights_are_zero_outside_the_window() -> None:
    np.testing.assert_array_equal(weights_in_window("difference", (2, 5), 4, 8), [0, 0, -1, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(weights_in_window("apex-face", (2, 5), 7, 8), [0, 0, 0, 0, 0, 1, 0, 0])


def test_growing_windows_by_hand() -> None:
    assert growing_windows(2, 6, 4) == [(2, 3), (2, 4), (2, 5)]
    assert growing_windows(0, 101, 50, limit=3) == [(0, 1), (0, 50), (0, 100)]
    assert (0, 37) in growing_windows(0, 101, 37, limit=3)


def test_sliding_windows_by_hand() -> None:
    assert sliding_windows(6, 4) == [(0, 3), (1, 4), (2, 5)]
    assert sliding_windows(3, 90) == [(0, 2)]
    assert sliding_windows(4, 1) == [(0, 1), (1, 2), (2, 3)]


def test_the_strongest_window_predicts_an_expression() -> None:
    """Window 0 has no prediction, 1 predicts no expression; of the others, 3 has the higher score."""
    scores = np.array([[np.nan, np.nan], [0.05, 0.95], [0.6, 0.4], [0.7, 0.3]])
    windows = WindowScores(scores, (Decision(None),) * 4, (None,) * 4, (WindowUnits(),) * 4)
    assert windows.strongest(("surprise", "none")) == 3
    assert windows.strongest(("surprise", "disgust")) == 1
