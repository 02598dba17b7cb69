"""OrigiNet against its definition written out in functions, and its numbers of parameters by hand."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.networks.originet import OrigiNet, rrelu


def activated(state: dict[str, Tensor], name: str, maps: Tensor) -> Tensor:
    """Convolve with stride 2 and TensorFlow's padding, then sigmoid times one plus the leaky ReLU."""
    weight = state[f"{name}.weight"]
    total = max((-(-maps.shape[-1] // 2) - 1) * 2 + weight.shape[-1] - maps.shape[-1], 0)
    before, after = total // 2, total - total // 2
    x = F.conv2d(F.pad(maps, (before, after) * 2), weight, state[f"{name}.bias"], stride=2)
    return (1 + torch.where(x > 0, x, x / 10)) / (1 + torch.exp(-x))


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    def normalised(name: str, maps: Tensor) -> Tensor:
        mean, variance, gain, shift = (
            state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (maps - mean) / (variance + 1e-3).sqrt() * gain + shift

    x = added = images
    for step in range(3):
        added = activated(state, f"small.{step}", x) + activated(state, f"large.{step}", x)
        x = normalised(f"norm.{step}", added)
    halves = []
    for size, maps in (("small", x), ("large", added)):
        last = activated(state, f"last_{size}", maps).flatten(1)
        halves.append(F.linear(last, state[f"dense_{size}.weight"], state[f"dense_{size}.bias"]))
    return F.linear(torch.cat(halves, dim=1), state["classify.weight"], state["classify.bias"])


@pytest.mark.parametrize("size", [128, 45, 28])
def test_scores_equal_the_definition(size: int) -> None:
    net, generator = OrigiNet(3, size, seed=1).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var") or "norm" in name and name.endswith("weight"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith(("bias", "running_mean")):
            tensor.normal_(0, 0.1, generator=generator)
    images = torch.rand(3, 3, size, size, generator=generator) * 2 - 1
    state = {name: tensor.double() for name, tensor in net.state_dict().items()}
    with torch.inference_mode():
        expected = composed(state, images.double())
        torch.testing.assert_close(net(images).double(), expected, atol=1e-3, rtol=1e-4)
        assert expected.std(dim=0).min() > 1e-2


def test_the_activation_by_hand() -> None:
    """At 0 it is 1/2; at 2 three times, at -2 four fifths of the sigmoid."""
    sigmoid = 1 / (1 + math.exp(-2))
    expected = torch.tensor([0.5, 3 * sigmoid, 0.8 * (1 - sigmoid)])
    torch.testing.assert_close(rrelu(torch.tensor([0.0, 2.0, -2.0])), expected)


def test_numbers_of_parameters_by_hand() -> None:
    """Of the authors' Keras file: 128 pixels and 8 classes; then of the sizes of the table."""
    convolutions = (448 + 1216) + (4640 + 12_832) + (18_496 + 51_264) + (55_392 + 153_696)
    norms = 2 * (16 + 32 + 64)
    for size, classes, side in ((128, 8, 8), (112, 5, 7), (28, 3, 2)):
        dense = 2 * (96 * side * side * 128 + 128)
        found = sum(parameter.numel() for parameter in OrigiNet(classes, size).parameters())
        assert found == convolutions + norms + dense + classes * 257
