"""Stages of any network by name, and what is computed from their maps."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.networks import NETWORKS, as_input
from learnet.report.explain.activations import (
    accretion_maps,
    compute_maps,
    mean_activation,
    select_maps,
    stage_activations,
    stage_at_depth,
    stage_outputs,
    stages_with_maps,
    strongest_maps,
    upsample,
)

SIZE = 28


def images(rng: np.random.Generator, count: int = 2) -> np.ndarray:
    return rng.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)


class InPlace(nn.Module):
    """A convolution that doubles its input, and one in-place ReLU that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(3, 3, 1, bias=False)
        self.act = nn.ReLU(inplace=True)
        with torch.no_grad():
            self.twice.weight.copy_(2 * torch.eye(3)[..., None, None])

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.act(self.twice(x)) - 1).mean(dim=(2, 3))


@pytest.mark.parametrize("name", ["learnet", "learnet-paper", "resnet18", "ststnet"])
def test_the_last_stage_has_the_class_scores(name: str, rng: np.random.Generator) -> None:
    module = NETWORKS[name](4, SIZE).eval()
    network_input = as_input(images(rng))
    with torch.inference_mode():
        outputs = stage_outputs(module, network_input)
        assert list(outputs)[-1] == "logits"
        torch.testing.assert_close(outputs["logits"], module(network_input))
        torch.testing.assert_close(module(network_input), module(network_input))  # no hook is left behind
        assert not any(part._forward_hooks for part in module.modules())


def test_the_stages_of_resnet_are_its_modules(rng: np.random.Generator) -> None:
    """Compared with the same layers called by hand."""
    module = NETWORKS["resnet18"](4, SIZE).eval()
    network_input = as_input(images(rng))
    with torch.inference_mode():
        outputs, by_hand = stage_outputs(module, network_input), module.conv1(network_input)
        torch.testing.assert_close(outputs["conv1"], by_hand)
        stem = module.maxpool(torch.relu(module.bn1(by_hand)))
        torch.testing.assert_close(outputs["layer2"], module.layer2(module.layer1(stem)))
    assert list(outputs)[:3] == ["conv1", "bn1", "maxpool"] and "layer1.0.conv1" in outputs


def test_in_place_layers_do_not_change_the_stage_before_them() -> None:
    with torch.inference_mode():
        outputs = stage_outputs(InPlace(), -torch.ones(1, 3, 2, 2))
    assert torch.equal(outputs["twice"], torch.full((1, 3, 2, 2), -2.0))
    assert torch.equal(outputs["act"], torch.zeros(1, 3, 2, 2)) and "act:2" in outputs


@pytest.mark.parametrize(
    ("stage", "message"),
    [("one.acretion_1", "Did you mean 'one.accretion_1'"), ("dense", "has no maps"), ("zzz", "stem,")],
)
def test_unknown_stages_are_refused_with_a_list_of_the_valid_ones(
    stage: str, message: str, rng: np.random.Generator
) -> None:
    module = NETWORKS["learnet"](4, SIZE).eval()
    with pytest.raises(LearnetError, match=message) as caught:
        compute_maps(module, images(rng), stage)
    assert "It has stem, one.plain_1" in str(caught.value) and "conv5" in str(caught.value)


def test_a_network_without_maps_says_so(rng: np.random.Generator) -> None:
    module = NETWORKS["linear-svm"](3, SIZE).eval()
    with pytest.raises(LearnetError, match="has no maps"):
        compute_maps(module, images(rng), "conv1")
    with pytest.raises(LearnetError, match="has no maps"):
        stage_at_depth(module, SIZE, 2)


def test_accretion_is_the_sum_of_two_columns(rng: np.random.Generator) -> None:
    activations = stage_activations(NETWORKS["learnet"](4, SIZE), images(rng))
    for pair, level in (("one", 1), ("one", 2), ("two", 1), ("two", 2)):
        plain, accreting, total = accretion_maps(activations, pair, level)
        np.testing.assert_array_equal(plain + accreting, total)
        assert min(plain.max(), accreting.max()) > 0  # neither is nothing


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("learnet-no-cross", "receives nothing"),
        ("learnet-plain", "no one.accreting_1"),
        ("resnet18", "Accretion layers"),
    ],
)
def test_networks_without_accretion_are_refused(name: str, message: str, rng: np.random.Generator) -> None:
    with pytest.raises(LearnetError, match=message):
        accretion_maps(stage_activations(NETWORKS[name](4, SIZE), images(rng)), "one", 1)


def test_stages_at_the_same_depth() -> None:
    """14 x 14 maps are level 2 of LEARNet, stage 2 of ResNet and block 4 of VGG before its pooling."""
    assert [stage_at_depth(NETWORKS["learnet"](5), 112, depth) for depth in (1, 2, 3, 4, 5)] == [
        "stem", "two.accretion_1", "two.accretion_2", "concat", "conv5",
    ]  # fmt: skip
    assert [stage_at_depth(NETWORKS["resnet18"](5), 112, depth) for depth in (2, 3, 4, 5)] == [
        "layer1",
        "layer2",
        "layer3",
        "layer4",
    ]


def test_stages_without_rows_and_columns_have_no_maps() -> None:
    activations = {"maps": torch.zeros(1, 2, 3, 3), "mean": torch.zeros(1, 2), "logits": torch.zeros(1, 2)}
    assert list(stages_with_maps(activations)) == ["maps"]
    with pytest.raises(LearnetError, match="The stage 'mean' has no maps"):
        select_maps(activations, "mean")


def test_strongest_maps_and_mean_activation_by_hand() -> None:
    maps = np.array([[[1, 1]], [[-4, 0]], [[0, 0]], [[3, 1]]], np.float32)
    assert strongest_maps(maps, 3).tolist() == [1, 3, 0]  # 2 and 2 in their order, then 1
    np.testing.assert_allclose(mean_activation(maps), [[2, 0.5]])


def test_upsampling_keeps_mean_and_position() -> None:
    small = np.zeros((4, 4), np.float32)
    small[1, 2] = 1
    large = upsample(small, 28)
    assert large.shape == (28, 28) and np.isclose(large.mean(), small.mean())
    y, x = np.mgrid[:28, :28]
    assert np.isclose((y * large).sum() / large.sum(), 1.5 * 7 - 0.5) and np.isclose(
        (x * large).sum() / large.sum(), 2.5 * 7 - 0.5
    )
