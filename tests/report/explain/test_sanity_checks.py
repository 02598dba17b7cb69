"""Sanity checks of attributions, of a network that depends on one known spot."""

import numpy as np
import pytest
import torch

from learnet.networks import NETWORKS, as_input
from learnet.report.explain.attribution import baseline_image, integrated_gradients
from learnet.report.explain.sanity_checks import (
    permute_weights,
    perturbation_curve,
    rank_correlation,
    run_sanity_checks,
)
from tests.report.explain.test_attribution import SIZE, SPOT, OneSpot, image

__all__ = ["image"]  # a fixture


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value by counting; equal values share the mean of their ranks."""
    smaller = (values[:, None] > values).sum(axis=1)
    equal = (values[:, None] == values).sum(axis=1)
    return smaller + (equal - 1) / 2


def test_rank_correlation_follows_from_its_definition(rng: np.random.Generator) -> None:
    """Pearson's correlation of the ranks of the absolute values; the first map has many equal values."""
    first, second = rng.integers(-3, 4, (6, 6)).astype(float), rng.normal(size=(6, 6))
    expected = np.corrcoef(ranks(np.abs(first).ravel()), ranks(np.abs(second).ravel()))[0, 1]
    assert rank_correlation(first, second) == pytest.approx(expected)
    assert rank_correlation(first, -first) == pytest.approx(1)


def test_rank_correlation_with_a_constant_map_is_zero(rng: np.random.Generator) -> None:
    varied, constant = rng.normal(size=(6, 6)), np.ones((6, 6))
    assert rank_correlation(varied, constant) == 0
    assert rank_correlation(constant, varied) == 0


def test_permuted_weights_are_the_same_values_in_another_order() -> None:
    module = NETWORKS["ststnet"](3, SIZE)
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    permuted = dict(permute_weights(module, 1).named_parameters())
    moved = []
    for name, weight in module.named_parameters():
        assert torch.equal(weight, before[name])  # the network itself is unchanged
        assert torch.equal(weight.flatten().sort().values, permuted[name].flatten().sort().values)
        moved.append(not torch.equal(weight, permuted[name]))
    assert any(moved)


def test_checks_separate_a_map_of_the_network_from_a_map_of_the_image(image: np.ndarray) -> None:
    """Permuted weights destroy the first map, whose pixels decide the prediction; the second survives."""
    module = OneSpot()
    checks = run_sanity_checks(module, image, 1, lambda net: integrated_gradients(net, image, 1))
    assert np.mean(checks.rank_correlations) < 0.5
    assert checks.deletion.area < 0.75 * checks.random_deletion_area
    assert checks.insertion.area > 1.15 * checks.random_insertion_area

    contrast = np.abs(image.astype(np.float32) - 128).mean(axis=-1)
    checks = run_sanity_checks(module, image, 1, lambda net: contrast)
    assert np.mean(checks.rank_correlations) == pytest.approx(1)


def test_a_curve_by_hand(image: np.ndarray) -> None:
    """The spot has 36 of 784 pixels. They come first; the other pixels change nothing."""
    order = np.zeros((SIZE, SIZE), np.float32)
    order[SPOT] = 1
    module = OneSpot()
    with torch.inference_mode():
        logits = module(torch.cat([as_input(image[None]), baseline_image(image)])).double()
    with_spot, without_spot = torch.softmax(logits, dim=1)[:, 1].tolist()
    deletion = perturbation_curve(module, image, 1, order, insert=False)
    assert (deletion.share[0], deletion.share[-1]) == (0, 1)
    np.testing.assert_allclose(deletion.probability[[0, -1]], [with_spot, without_spot], rtol=1e-6)
    np.testing.assert_allclose(deletion.probability[deletion.share >= 36 / 784], without_spot, rtol=1e-6)
    insertion = perturbation_curve(module, image, 1, order, insert=True)
    np.testing.assert_allclose(insertion.probability[-1], with_spot, rtol=1e-6)
