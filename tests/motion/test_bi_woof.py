"""Bi-WOOF by loops over pixels, of known flow, and as the network reads it from the picture."""

import math

import numpy as np
import pytest
import torch

from learnet.core.errors import LearnetError
from learnet.core.settings import Preparation
from learnet.motion.bi_woof import bi_woof, bi_woof_features, direction_shares, strain_weights
from learnet.motion.flow import append_strain, flow_dis, flow_image
from learnet.motion.normalise import unit
from learnet.networks import NETWORKS, as_input
from learnet.networks.bi_woof import BiWOOFSVM


def by_loops(flow: np.ndarray) -> np.ndarray:
    """Return the 200 features of u, v and strain, pixel by pixel from the definition."""
    size = len(flow)
    histograms, strains = np.zeros((5, 5, 8)), np.zeros((5, 5))
    for row in range(size):
        for column in range(size):
            u, v, strain = map(float, flow[row, column])
            block = math.floor(5 * row / size), math.floor(5 * column / size)
            degrees = math.degrees(math.atan2(v, u))
            histograms[(*block, min(math.floor((degrees + 180) / 45), 7))] += math.hypot(u, v)
            strains[block] += strain
    histograms /= histograms.sum(axis=2, keepdims=True)
    features = histograms * strains[..., None]
    return features / math.sqrt((features**2).sum())


def moved(field: np.ndarray) -> tuple[np.ndarray, object]:
    """Return two blank crops, and an estimator that finds this flow between them."""
    crops = np.zeros((2, *field.shape[:2], 3), np.uint8)
    return crops, lambda onset, apex: field


@pytest.mark.parametrize("size", [15, 28, 112])
def test_features_by_loops(rng: np.random.Generator, size: int) -> None:
    flow = append_strain(rng.normal(size=(size, size, 2)).astype(np.float32))
    found = bi_woof_features(direction_shares(flow[..., :2]), strain_weights(flow[..., 2]))
    np.testing.assert_allclose(found, by_loops(flow), rtol=1e-5, atol=1e-9)
    assert np.linalg.norm(found) == pytest.approx(1)


def test_directions_by_hand() -> None:
    """Twice as far to the right as down: two thirds are in the bin from 0, a third in that from 90."""
    field = np.zeros((10, 10, 2), np.float32)
    field[::2, :, 0] = 2
    field[1::2, :, 1] = 1
    shares = direction_shares(field)
    expected = [0, 0, 0, 0, 2 / 3, 0, 1 / 3, 0]
    np.testing.assert_allclose(shares, np.broadcast_to(expected, (5, 5, 8)))


@pytest.mark.parametrize(
    ("u", "v", "row", "column"),
    [(1, 0, 1, 2), (0, 1, 2, 1), (-1, -0.01, 1, 0), (0, -1, 0, 1), (1, 1, 2, 2), (-1, -1, 0, 0)],
)
def test_a_direction_is_drawn_where_it_points(u: float, v: float, row: int, column: int) -> None:
    field = np.broadcast_to(np.float32([u, v]), (30, 30, 2))
    crops, estimator = moved(np.array(field))
    share = bi_woof(crops, 1, estimator)[..., 1].reshape(5, 3, 2, 5, 3, 2)
    assert (share[:, row, :, :, column] == 1).all() and share.sum() == 100


@pytest.mark.parametrize("size", [112, 120, 333])
def test_the_network_reads_the_features_out_of_the_picture(rng: np.random.Generator, size: int) -> None:
    field = rng.normal(size=(size, size, 2)).astype(np.float32)
    field[: size // 2] *= 5
    crops, estimator = moved(field)
    picture = unit(bi_woof(crops, 1, estimator))
    read = BiWOOFSVM(2, size).features(as_input(picture[None]))[0].double().numpy()
    assert not read[1:].any() and not read[0, 1::3, 1::3].any()
    ring = [(1, 0), (0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0)]
    found = np.stack([read[0, row::3, column::3] for row, column in ring], axis=-1)
    expected = by_loops(append_strain(field))
    assert (np.abs(found - expected) <= np.sqrt(expected) / 255 + 1 / 510**2 + 1e-6).all()
    assert expected.max() > 2 * expected.min()


def test_real_flow_of_two_frames_is_used(rng: np.random.Generator) -> None:
    crops = rng.integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    flow = flow_image(crops, 2, flow_dis)
    expected = by_loops(flow)
    centre = (2 * np.arange(15) + 1) * 112 // 30
    red = bi_woof(crops, 2, flow_dis)[centre][:, centre, 0] ** 2
    ring = [(1, 0), (0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0)]
    found = np.stack([red[row::3, column::3] for row, column in ring], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_where_nothing_moves_all_is_zero() -> None:
    crops, estimator = moved(np.zeros((40, 40, 2), np.float32))
    assert not bi_woof(crops, 1, estimator).any()


def test_the_classifier_separates_directions(rng: np.random.Generator) -> None:
    """Two classes that move in opposite directions in one block, with noise."""
    labels = np.arange(24) % 2
    pictures = []
    for label in labels:
        field = rng.normal(0, 0.3, (112, 112, 2)).astype(np.float32)
        field[60:80, 30:50, 0] += 2 if label else -2
        crops, estimator = moved(field)
        pictures.append(unit(bi_woof(crops, 1, estimator)))
    net = NETWORKS["bi-woof"](2, 112)
    inputs = as_input(np.stack(pictures))
    net.fit(inputs[:12], torch.from_numpy(labels[:12]))
    assert (net(inputs[12:]).argmax(dim=1).numpy() == labels[12:]).mean() > 0.9


def test_what_is_refused() -> None:
    with pytest.raises(LearnetError, match="a crop of 14 pixels"):
        bi_woof(np.zeros((3, 14, 14, 3), np.uint8), 1)
    with pytest.raises(LearnetError, match="bi-woof is at least 112 pixels wide, not 111"):
        Preparation(motion="bi-woof", size=111)
