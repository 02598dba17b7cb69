"""Attribution of networks whose answer is known: they look at one spot, or at nothing; and the checks of an attribution."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.networks import NETWORKS, as_input
from learnet.report.explain.attribution import baseline_image, grad_cam, integrated_gradients, occlusion
from learnet.report.explain.sanity_checks import (
    permute_weights,
    perturbation_curve,
    rank_correlation,
    run_sanity_checks,
)

SIZE, SPOT = 28, (slice(8, 14), slice(16, 22))


class OneSpot(nn.Module):
    """Brightness of one spot speaks for class 1, and nothing else does anything. Two maps, one of which is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(3, 2, 1, bias=False)
        self.last = nn.Linear(SIZE * SIZE, 2, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.tensor([[1.0, 1, 1], [5, 5, 5]]).view(2, 3, 1, 1))
            looks = torch.zeros(2, SIZE, SIZE)
            looks[1][SPOT] = 0.05
            self.last.weight.copy_(looks.flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.maps(x))[:, 0].flatten(1))


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray:
    """Mid-grey with two bright spots, of which the network looks at one."""
    image = np.full((SIZE, SIZE, 3), 128, np.uint8)
    image[SPOT] = 220
    image[20:26, 2:8] = 240
    return image


def inside(found: np.ndarray) -> float:
    return float(np.abs(found[SPOT]).sum() / np.abs(found).sum())


def test_the_blank_is_each_channels_median(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    expected = np.median(image.reshape(-1, 3), axis=0) / 127.5 - 1
    np.testing.assert_allclose(baseline_image(image)[0, :, 2, 3].numpy(), expected, rtol=1e-5)


def test_integrated_gradients_find_the_one_spot(image: np.ndarray) -> None:
    assert inside(integrated_gradients(OneSpot(), image, 1)) > 0.999


def test_occlusion_finds_the_one_spot(image: np.ndarray) -> None:
    """Squares overlap the spot by up to their side less one, so a little lies around it."""
    found = occlusion(OneSpot(), image, 1, patch=2)
    assert inside(found) > 0.7 and found[20:26, 2:8].sum() == 0


def test_grad_cam_weighs_the_maps_that_count(image: np.ndarray) -> None:
    """Only the first map speaks for the class; the second, five times as strong, has no say. Both bright spots are in the map."""
    found = grad_cam(OneSpot(), image, 1, "maps")
    maps = 3 * (image[..., 0] / 127.5 - 1)
    np.testing.assert_allclose(found, maps.clip(0) * 0.05 * 36 / SIZE**2, rtol=1e-4, atol=1e-7)


def test_grad_cam_finds_the_spot_at_a_stage_after_the_look() -> None:
    class Gate(OneSpot):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            looked = torch.relu(self.maps(x))[:, :1] * self.last.weight[1].view(1, 1, SIZE, SIZE)
            return torch.cat([torch.zeros(len(x), 1), self.gate(looked).sum(dim=(2, 3))], dim=1)

    image = np.full((SIZE, SIZE, 3), 200, np.uint8)
    assert inside(grad_cam(Gate(), image, 1, "gate")) == pytest.approx(1)


def test_a_stage_that_is_none_and_a_square_too_large_are_told(image: np.ndarray) -> None:
    with pytest.raises(LearnetError, match="no stage called"):
        grad_cam(OneSpot(), image, 1, "nowhere")
    with pytest.raises(LearnetError, match="does not fit an image of 28"):
        occlusion(OneSpot(), image, 1, patch=29)


@pytest.mark.parametrize("patch", [2, 3, 5])
def test_occlusion_beside_brute_force(patch: int, rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    module = NETWORKS["ststnet"](3, SIZE).eval()

    def score(picture: Tensor) -> float:
        with torch.inference_mode():
            return float(module(picture)[0, 2])

    given, grey = as_input(image[None]), baseline_image(image)
    falls: dict[tuple[int, int], list[float]] = {}
    step = max(1, patch // 2)
    for top in range(step - patch, SIZE, step):
        for left in range(step - patch, SIZE, step):
            covered = [
                (y, x)
                for y in range(top, top + patch)
                for x in range(left, left + patch)
                if 0 <= y < SIZE and 0 <= x < SIZE
            ]
            changed = given.clone()
            for y, x in covered:
                changed[0, :, y, x] = grey[0, :, y, x]
            fall = score(given) - score(changed)
            for place in covered:
                falls.setdefault(place, []).append(fall)
    expected = np.array([[np.mean(falls[y, x]) for x in range(SIZE)] for y in range(SIZE)])
    np.testing.assert_allclose(occlusion(module, image, 2, patch), expected, atol=1e-5)


@given(seed=st.integers(0, 2**31 - 1), target=st.integers(0, 2))
@limits(max_examples=5)
def test_integrated_gradients_add_up_to_the_difference_of_scores(seed: int, target: int) -> None:
    """Completeness, to the accuracy of the steps."""
    image = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    module = NETWORKS["ststnet"](3, SIZE, seed=seed % 1000).eval()
    with torch.inference_mode():
        expected = float((module(as_input(image[None])) - module(baseline_image(image)))[0, target])
    assert integrated_gradients(module, image, target, 128).sum() == pytest.approx(
        expected, abs=0.02 * max(1, abs(expected))
    )


def test_rank_correlation_beside_scipy(rng: np.random.Generator) -> None:
    one, other = rng.integers(-3, 4, (6, 6)).astype(float), rng.normal(size=(6, 6))
    expected = stats.spearmanr(np.abs(one).ravel(), np.abs(other).ravel()).statistic
    assert rank_correlation(one, other) == pytest.approx(expected)
    assert rank_correlation(one, -one) == pytest.approx(1) and rank_correlation(one, np.ones((6, 6))) == 0


def test_weights_in_disorder_are_the_same_numbers_elsewhere() -> None:
    module = NETWORKS["ststnet"](3, SIZE)
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    other = dict(permute_weights(module, 1).named_parameters())
    for name, weight in module.named_parameters():
        assert torch.equal(weight, before[name])
        assert torch.equal(weight.flatten().sort().values, other[name].flatten().sort().values)
    assert any(not torch.equal(weight, other[name]) for name, weight in before.items())


def test_the_checks_of_a_map_that_follows_the_network(image: np.ndarray) -> None:
    """Disorder destroys the map, and the spot's pixels decide the answer at once; a map of the image itself survives and is told apart."""
    module = OneSpot()
    found = run_sanity_checks(module, image, 1, lambda net: integrated_gradients(net, image, 1))
    assert np.mean(found.randomised) < 0.5
    assert (
        found.deletion.area < 0.75 * found.deletion_by_chance
        and found.insertion.area > 1.15 * found.insertion_by_chance
    )
    same = run_sanity_checks(
        module, image, 1, lambda net: np.abs(image.astype(np.float32) - 128).mean(axis=-1)
    )
    assert np.mean(same.randomised) == pytest.approx(1)


def test_a_curve_by_hand(image: np.ndarray) -> None:
    """With the spot's 36 pixels first, nothing more happens after the first 36 of 784 pixels."""
    order = np.zeros((SIZE, SIZE), np.float32)
    order[SPOT] = 1
    module = OneSpot()
    with torch.inference_mode():
        whole, none = (
            float(torch.softmax(module(x).double(), dim=1)[0, 1])
            for x in (as_input(image[None]), baseline_image(image))
        )
    line = perturbation_curve(module, image, 1, order, insert=False)
    assert line.share[0] == 0 and line.share[-1] == 1
    np.testing.assert_allclose(line.probability[[0, -1]], [whole, none], rtol=1e-6)
    np.testing.assert_allclose(line.probability[line.share >= 36 / 784], none, rtol=1e-6)
    np.testing.assert_allclose(
        perturbation_curve(module, image, 1, order, insert=True).probability[-1], whole, rtol=1e-6
    )
