"""The VGGs against the names, shapes and counts of torchvision's, and against their definition written out in functions."""

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
    """torchvision's state dict, from its naming pattern: a convolution and its ReLU count two, a pool one."""
    shapes: dict[str, tuple[int, ...]] = {}
    place, before = 0, 3
    for filters, count in zip((64, 128, 256, 512, 512), blocks, strict=True):
        for _ in range(count):
            shapes[f"features.{place}.weight"], shapes[f"features.{place}.bias"] = (
                (filters, before, 3, 3),
                (filters,),
            )
            place, before = place + 2, filters
        place += 1
    for place, (entering, outgoing) in zip((0, 3, 6), pairwise((25088, 4096, 4096, classes)), strict=True):
        shapes[f"classifier.{place}.weight"], shapes[f"classifier.{place}.bias"] = (
            (outgoing, entering),
            (outgoing,),
        )
    return shapes


@pytest.mark.parametrize(("make", "parameters"), [(vgg16, 138_357_544), (vgg19, 143_667_240)])
def test_names_and_shapes_are_torchvision_s(
    make: type[VGG], parameters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vgg, "_initialise", lambda net, seed: None)  # draws 140 million numbers
    net = make(1000)
    assert {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()} == shapes_of_torchvision(
        1000, BLOCKS[make.__name__]
    )
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


def seven_by_seven(maps: Tensor) -> Tensor:
    """Adaptive averaging from its definition: cell i of 7 is the mean from floor(i n / 7) up to ceil((i + 1) n / 7)."""
    side = maps.shape[-1]
    parts = [slice(i * side // 7, -(-(i + 1) * side // 7)) for i in range(7)]
    return torch.stack(
        [torch.stack([maps[..., rows, columns].mean(dim=(2, 3)) for columns in parts], -1) for rows in parts],
        -2,
    )


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """Configuration D of the paper's Table 1. A row or column without a partner is a pool of its own."""
    x, place = images, 0
    for count in BLOCKS["vgg16"]:
        for _ in range(count):
            x = F.conv2d(
                x, state[f"features.{place}.weight"], state[f"features.{place}.bias"], padding=1
            ).clamp(min=0)
            place += 2
        odd = x.shape[-1] % 2
        x = F.pad(x, (0, odd, 0, odd), value=-torch.inf).unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
        place += 1
    x = seven_by_seven(x).flatten(1)
    for place in (0, 3):
        x = F.linear(x, state[f"classifier.{place}.weight"], state[f"classifier.{place}.bias"]).clamp(min=0)
    return F.linear(x, state["classifier.6.weight"], state["classifier.6.bias"])


@pytest.mark.parametrize(("size", "left"), [(28, 1), (45, 2), (112, 4), (224, 7)])
def test_it_computes_what_its_definition_says(net: VGG, size: int, left: int) -> None:
    images = (
        torch.rand(1 if size == 224 else 2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    )
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


def test_half_of_each_dense_layer_is_left_out_in_training(net: VGG) -> None:
    drops = [layer for layer in net.modules() if isinstance(layer, Dropout)]
    assert [(layer.rate, layer.features) for layer in drops] == [(0.5, 4096)] * 2
    for layer in drops:
        layer.mask = torch.zeros(1, 4096)  # all of it
    answer = net.train()(torch.rand(1, 3, 28, 28))
    np.testing.assert_array_equal(answer.detach(), net.classifier[6].bias.detach()[None])
    net.eval()
