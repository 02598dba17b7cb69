"""Attribution of networks that depend on one known spot, or on nothing."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.networks import NETWORKS, as_input
from learnet.report.explain.activations import stage_outputs
from learnet.report.explain.attribution import baseline_image, grad_cam, integrated_gradients, occlusion

SIZE, SPOT = 28, (slice(8, 14), slice(16, 22))


class OneSpot(nn.Module):
    """The brightness of one spot is the score of class 1. Of its two maps one is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(3, 2, 1, bias=False)
        self.last = nn.Linear(SIZE * SIZE, 2, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.tensor([[1.0, 1, 1], [5, 5, 5]]).view(2, 3, 1, 1))
            weights = torch.zeros(2, SIZE, SIZE)
            weights[1][SPOT] = 0.05
            self.last.weight.copy_(weights.flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.maps(x))[:, 0].flatten(1))


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray:
    """Return a mid-grey image with two bright spots; the network depends on one of them."""
    image = np.full((SIZE, SIZE, 3), 128, np.uint8)
    image[SPOT] = 220
    image[20:26, 2:8] = 240
    return image


def share_in_spot(attribution: np.ndarray) -> float:
    return float(np.abs(attribution[SPOT]).sum() / np.abs(attribution).sum())


def test_baseline_is_the_median_of_each_channel(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    expected = np.median(image.reshape(-1, 3), axis=0) / 127.5 - 1
    np.testing.assert_allclose(baseline_image(image)[0, :, 2, 3].numpy(), expected, rtol=1e-5)


def test_integrated_gradients_select_the_spot(image: np.ndarray) -> None:
    assert share_in_spot(integrated_gradients(OneSpot(), image, 1)) > 0.999


def test_occlusion_selects_the_spot(image: np.ndarray) -> None:
    """Squares overlap the spot by up to their side less one, so a little lies around it."""
    attribution = occlusion(OneSpot(), image, 1, patch=2)
    assert share_in_spot(attribution) > 0.7
    assert attribution[20:26, 2:8].sum() == 0


def test_grad_cam_weights_maps_by_their_gradient(image: np.ndarray) -> None:
    """Only the first map affects the class; the second, five times as strong, does not."""
    attribution = grad_cam(OneSpot(), image, 1, "maps")
    first_map = 3 * (image[..., 0] / 127.5 - 1)
    mean_gradient = 0.05 * 36 / SIZE**2
    np.testing.assert_allclose(attribution, first_map.clip(0) * mean_gradient, rtol=1e-4, atol=1e-7)


class Gated(OneSpot):
    """As `OneSpot`, with a stage `gate` that selects the spot, and a stage `unused` without effect."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Identity()
        self.unused = nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.unused(x)
        spot = torch.relu(self.maps(x))[:, :1] * self.last.weight[1].view(1, 1, SIZE, SIZE)
        return torch.cat([torch.zeros(len(x), 1), self.gate(spot).sum(dim=(2, 3))], dim=1)


def test_grad_cam_selects_the_spot_at_a_late_stage() -> None:
    image = np.full((SIZE, SIZE, 3), 200, np.uint8)
    assert share_in_spot(grad_cam(Gated(), image, 1, "gate")) == pytest.approx(1)


@pytest.mark.parametrize(("name", "stage"), [("learnet", "two.accretion_1"), ("ststnet", "conv2")])
def test_grad_cam_follows_from_its_definition(name: str, stage: str, rng: np.random.Generator) -> None:
    """Sum of the maps weighted by their mean gradients. An accretion layer is a sum, not a module."""
    image = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    module = NETWORKS[name](3, SIZE).eval()
    outputs = stage_outputs(module, as_input(image[None]))
    maps, score = outputs[stage], outputs["logits"][0, 2]
    (gradient,) = torch.autograd.grad(score, maps)
    expected = torch.relu((gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1))[None]
    expected = nn.functional.interpolate(expected, (SIZE, SIZE), mode="bilinear")[0, 0].detach()
    assert expected.max() > 0
    np.testing.assert_allclose(grad_cam(module, image, 2, stage), expected.numpy(), rtol=1e-5, atol=1e-8)


def test_unknown_and_unused_stages_are_refused(image: np.ndarray) -> None:
    with pytest.raises(LearnetError, match="no stage called"):
        grad_cam(OneSpot(), image, 1, "nowhere")
    with pytest.raises(LearnetError, match="do not depend on the stage 'unused'"):
        grad_cam(Gated(), image, 1, "unused")


def test_squares_larger_than_the_image_are_refused(image: np.ndarray) -> None:
    with pytest.raises(LearnetError, match="does not fit an image of 28"):
        occlusion(OneSpot(), image, 1, patch=29)


def test_networks_without_gradient_are_refused(image: np.ndarray) -> None:
    class Detached(OneSpot):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).detach()

    with pytest.raises(LearnetError, match="no gradient"):
        integrated_gradients(Detached(), image, 1)


@pytest.mark.parametrize("patch", [2, 3, 5])
def test_occlusion_equals_brute_force(patch: int, rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    module = NETWORKS["ststnet"](3, SIZE).eval()

    def score(network_input: Tensor) -> float:
        with torch.inference_mode():
            return float(module(network_input)[0, 2])

    network_input, baseline = as_input(image[None]), baseline_image(image)
    decreases: dict[tuple[int, int], list[float]] = {}
    step = max(1, patch // 2)
    for top, left in product(range(step - patch, SIZE, step), repeat=2):
        occluded = network_input.clone()
        covered = []
        for y, x in product(range(top, top + patch), range(left, left + patch)):
            if 0 <= y < SIZE and 0 <= x < SIZE:
                occluded[0, :, y, x] = baseline[0, :, y, x]
                covered.append((y, x))
        decrease = score(network_input) - score(occluded)
        for pixel in covered:
            decreases.setdefault(pixel, []).append(decrease)
    expected = np.zeros((SIZE, SIZE))
    for pixel, values in decreases.items():
        expected[pixel] = np.mean(values)
    np.testing.assert_allclose(occlusion(module, image, 2, patch), expected, atol=1e-5)


@given(seed=st.integers(0, 2**31 - 1), target=st.integers(0, 2))
@settings(max_examples=5)
def test_integrated_gradients_add_up_to_the_difference_of_scores(seed: int, target: int) -> None:
    """Completeness, to the accuracy of the steps."""
    image = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    module = NETWORKS["ststnet"](3, SIZE, seed=seed % 1000).eval()
    with torch.inference_mode():
        expected = float((module(as_input(image[None])) - module(baseline_image(image)))[0, target])
    tolerance = 0.02 * max(1, abs(expected))
    total = integrated_gradients(module, image, target, 128).sum()
    assert total == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("steps", [3, 70])
def test_integrated_gradients_follow_from_their_definition(steps: int, rng: np.random.Generator) -> None:
    """Mean gradient at the middle of each step, times the difference of image and baseline."""
    image = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    module = NETWORKS["learnet"](3, SIZE).eval()
    baseline = baseline_image(image)
    difference = as_input(image[None]) - baseline
    gradients = torch.zeros_like(difference)
    for step in range(steps):
        point = (baseline + (step + 0.5) / steps * difference).requires_grad_()
        gradients += torch.autograd.grad(module(point)[0, 1], point)[0] / steps
    expected = (difference * gradients).sum(dim=1)[0].numpy()
    attribution = integrated_gradients(module, image, 1, steps)
    np.testing.assert_allclose(attribution, expected, rtol=1e-3, atol=1e-6)
