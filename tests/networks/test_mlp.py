"""The perceptron beside convolutions: branches computed with NumPy, and images that one branch sees alone."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from learnet.core.errors import LearnetError
from learnet.networks.mlp import MLPCNN, BranchDropout


def weights(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: parameter.detach().double().numpy() for name, parameter in module.named_parameters()}


def convolved(maps: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Cross-correlate with zero padding, cut off at 0 and keep the largest of each 2 x 2."""
    results = []
    for kernel, offset in zip(kernels, bias, strict=True):
        layers = [correlate2d(channel, k, mode="same") for channel, k in zip(maps, kernel, strict=True)]
        results.append(np.maximum(np.sum(layers, axis=0) + offset, 0))
    stacked = np.stack(results)
    size = stacked.shape[-1] // 2
    return stacked.reshape(len(stacked), size, 2, size, 2).max(axis=(2, 4))


def test_scores_are_the_mean_of_both_branches() -> None:
    network = MLPCNN(3, 28, seed=1).eval()
    image = np.random.default_rng(0).uniform(-1, 1, (3, 28, 28))
    w = weights(network)
    averaged = image.reshape(3, 14, 2, 14, 2).mean(axis=(2, 4)).ravel()
    hidden = np.maximum(w["mlp.fc1.weight"] @ averaged + w["mlp.fc1.bias"], 0)
    perceptron = w["mlp.fc2.weight"] @ hidden + w["mlp.fc2.bias"]
    maps = convolved(image, w["conv1.weight"], w["conv1.bias"])
    maps = convolved(maps, w["conv2.weight"], w["conv2.bias"])
    dense = np.maximum(w["fc1.weight"] @ maps.ravel() + w["fc1.bias"], 0)
    convolutions = w["fc2.weight"] @ dense + w["fc2.bias"]
    with torch.no_grad():
        scores = network(torch.from_numpy(image[None]).float())[0].numpy()
    np.testing.assert_allclose(scores, (perceptron + convolutions) / 2, atol=1e-5)


def test_one_image_in_four_is_left_to_each_branch() -> None:
    layer = BranchDropout(0.25)
    shares = layer.draw_mask(20_000, torch.Generator().manual_seed(0))
    counts = [float((shares == weight).float().mean()) for weight in (0, 0.5, 1)]
    assert counts == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    layer.mask = torch.tensor([[0.0], [0.5], [1.0]])
    first, second = torch.full((3, 2), 2.0), torch.full((3, 2), 6.0)
    assert layer.train().average(first, second)[:, 0].tolist() == [6.0, 4.0, 2.0]
    assert layer.eval().average(first, second)[:, 0].tolist() == [4.0, 4.0, 4.0]


def test_without_a_mask_one_is_drawn() -> None:
    layer = BranchDropout(0.25).train()
    torch.manual_seed(0)
    averages = layer.average(torch.zeros(200, 1), torch.ones(200, 1))
    assert set(averages.ravel().tolist()) == {0.0, 0.5, 1.0}


def test_sizes_that_cannot_be_halved_twice_are_refused() -> None:
    with pytest.raises(LearnetError, match="multiples of 4"):
        MLPCNN(3, 30)
