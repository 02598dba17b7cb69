"""The VGGs against names, shapes and counts of torchvision, and their definition in functions."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.networks import vgg
from learnet.networks.layers import Dropout
from learnet.networks.vgg import VGG, vgg16, vgg19

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


@pytest.fixture(scope="module")
def net() -> VGG:
    return vgg16(5, seed=1).eval()


def shapes_of_torchvision(classes: int, blocks: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the state dict of torchvision: a convolution with its ReLU counts two layers, a pool one."""
    shapes: dict[str, tuple[int, ...]] = {}
    layer, channels = 0, 3
    for filters, count in zip((64, 128, 256, 512, 512), blocks, strict=True):
        for _ in range(count):
            shapes[f"features.{layer}.weight"] = (filters, channels, 3, 3)
            shapes[f"features.{layer}.bias"] = (filters,)
            layer += 2
            channels = filters
        layer += 1
    for layer, (inputs, outputs) in zip((0, 3, 6), pairwise((25088, 4096, 4096, classes)), strict=True):
        shapes[f"classifier.{layer}.weight"] = (outputs, inputs)
        shapes[f"classifier.{layer}.bias"] = (outputs,)
    return shapes


@pytest.mark.parametrize(("make", "parameters"), [(vgg16, 138_357_544), (vgg19, 143_667_240)])
def test_names_and_shapes_are_those_of_torchvision(
    make: type[VGG], parameters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vgg, "_initialise", lambda net, seed: None)  # draws 140 million numbers
    net = make(1000)
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert shapes == shapes_of_torchvision(1000, BLOCKS[make.__name__])
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


def seven_by_seven(maps: Tensor) -> Tensor:
    """Adaptive average pooling: cell i of 7 is the mean from floor(i n / 7) up to ceil((i + 1) n / 7)."""
    side = maps.shape[-1]
    parts = [slice(i * side // 7, -(-(i + 1) * side // 7)) for i in range(7)]
    pooled = maps.new_empty((*maps.shape[:2], 7, 7))
    for row, rows in enumerate(parts):
        for column, columns in enumerate(parts):
            pooled[:, :, row, column] = maps[..., rows, columns].mean(dim=(2, 3))
    return pooled


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """Configuration D in Table 1 of the paper. A row or column without a partner is pooled alone."""
    x, layer = images, 0
    for count in BLOCKS["vgg16"]:
        for _ in range(count):
            weight, bias = state[f"features.{layer}.weight"], state[f"features.{layer}.bias"]
            x = F.conv2d(x, weight, bias, padding=1).clamp(min=0)
            layer += 2
        odd = x.shape[-1] % 2
        x = F.pad(x, (0, odd, 0, odd), value=-torch.inf).unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
        layer += 1
    x = seven_by_seven(x).flatten(1)
    for layer in (0, 3):
        weight, bias = state[f"classifier.{layer}.weight"], state[f"classifier.{layer}.bias"]
        x = F.linear(x, weight, bias).clamp(min=0)
    return F.linear(x, state["classifier.6.weight"], state["classifier.6.bias"])


@pytest.mark.parametrize(("size", "left"), [(28, 1), (45, 2), (112, 4), (224, 7)])
def test_scores_equal_the_definition(net: VGG, size: int, left: int) -> None:
    batch = 1 if size == 224 else 2
    images = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        assert net.features(images[:1]).shape == (1, 512, left, left)
        expected = composed(net.state_dict(), images)
        torch.testing.assert_close(net(images), expected, atol=1e-5, rtol=1e-3)
    assert expected.std() > 1e-3


def test_initial_weights_are_those_of_torchvision(net: VGG) -> None:
    state = net.state_dict()
    assert state["features.14.weight"].std().item() == pytest.approx(
        (2 / (256 * 9)) ** 0.5, rel=0.02
    )  # He-normal by fan-out
    assert state["classifier.3.weight"].std().item() == pytest.approx(0.01, rel=0.01)
    assert not any(tensor.any() for name, tensor in state.items() if name.endswith("bias"))
    assert not torch.equal(state["features.0.weight"], vgg16(2, seed=2).state_dict()["features.0.weight"])


def test_half_of_each_dense_layer_is_dropped_in_training(net: VGG) -> None:
    drops = [layer for layer in net.modules() if isinstance(layer, Dropout)]
    assert [(layer.rate, layer.features) for layer in drops] == [(0.5, 4096)] * 2
    for layer in drops:
        layer.mask = torch.zeros(1, 4096)  # drops everything
    scores = net.train()(torch.rand(1, 3, 28, 28))
    np.testing.assert_array_equal(scores.detach(), net.classifier[6].bias.detach()[None])
    net.eval()
