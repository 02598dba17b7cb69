"""Maps of events: where the skin moved, and what a network whose answer is known responds to."""

import numpy as np
import pytest

from learnet.inference.event_maps import RESPONSE_CELLS, coarse_movement, response_map
from learnet.training.scorer import Scorer

SIZE = 28


def corner_network(images: np.ndarray) -> np.ndarray:
    """Score the first class by the brightness of the upper left quarter alone."""
    brightness = images[:, :, : SIZE // 2, : SIZE // 2].mean(axis=(1, 2, 3))
    return np.stack([4 * brightness, np.zeros(len(images))], axis=1)


def test_response_is_where_the_network_looks(rng: np.random.Generator) -> None:
    image = np.full((SIZE, SIZE, 3), 100, np.uint8)
    image[4:10, 4:10] = 255
    image[18:24, 18:24] = 255  # as bright, and nothing to this network
    response = response_map(Scorer(corner_network), image)
    assert response.shape == (RESPONSE_CELLS, RESPONSE_CELLS)
    assert np.unravel_index(response.argmax(), response.shape) == (1, 1)
    assert response[1, 1] > 0.02
    np.testing.assert_allclose(response[4:, 4:], 0, atol=1e-12)


def test_response_is_a_fall_of_the_log_odds() -> None:
    """Hide the bright square by hand. The log-odds of two classes are the difference of their logits."""
    image = np.full((SIZE, SIZE, 3), 100, np.uint8)
    image[4:8, 4:8] = 255
    hidden = np.full((SIZE, SIZE, 3), 100, np.uint8)
    scaled = [(pixels.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None] for pixels in (image, hidden)]
    first, second = (corner_network(pixels)[0, 0] for pixels in scaled)
    response = response_map(Scorer(corner_network), image)
    highest_is_first = first > 0
    assert response[1, 1] == pytest.approx(first - second if highest_is_first else second - first, rel=1e-4)


def test_movement_is_coarse_and_has_its_direction(rng: np.random.Generator) -> None:
    """The middle of a picture of noise moves right by 4 of 224 pixels: 2 pixels of a crop of 112."""
    texture = rng.integers(0, 256, (60, 60), dtype=np.uint8)
    onset = np.kron(texture, np.ones((5, 5), np.uint8))[:224, :224]
    apex = onset.copy()
    apex[80:144, 84:148] = onset[80:144, 80:144]
    pair = np.repeat(np.stack([onset, apex])[..., None], 3, axis=-1)
    movement = coarse_movement(pair, None)
    assert movement.shape == (14, 14, 2) and movement.dtype == np.float32
    assert movement[6:8, 6:8, 0] == pytest.approx(2.0, abs=0.4)
    assert np.abs(movement[:3]).max() < 0.3
