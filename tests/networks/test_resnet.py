"""The ResNets against names, shapes and counts of torchvision, and their definition in functions."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.resnet import resnet18, resnet34, resnet50

# constructor, blocks of each stage, output maps per filter, parameters
KINDS: list[tuple[Callable[..., nn.Module], tuple[int, ...], int, int]] = [
    (resnet18, (2, 2, 2, 2), 1, 11_689_512),
    (resnet34, (3, 4, 6, 3), 1, 21_797_672),
    (resnet50, (3, 4, 6, 3), 4, 25_557_032),
]


def shapes_of_torchvision(
    classes: int, blocks: tuple[int, ...], expansion: int
) -> dict[str, tuple[int, ...]]:
    """Return the state dict of torchvision, from its naming pattern."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv1.weight": (64, 3, 7, 7),
        "fc.weight": (classes, 512 * expansion),
        "fc.bias": (classes,),
    }
    norms = {"bn1": 64}
    before = 64
    for stage, filters in enumerate((64, 128, 256, 512), start=1):
        maps = filters * expansion
        for block in range(blocks[stage - 1]):
            prefix = f"layer{stage}.{block}"
            if expansion == 1:
                convolutions = [(filters, before, 3), (filters, filters, 3)]
            else:
                convolutions = [(filters, before, 1), (filters, filters, 3), (maps, filters, 1)]
            for number, (outputs, inputs, side) in enumerate(convolutions, start=1):
                shapes[f"{prefix}.conv{number}.weight"] = (outputs, inputs, side, side)
                norms[f"{prefix}.bn{number}"] = outputs
            if block == 0 and (stage > 1 or maps != before):
                shapes[f"{prefix}.downsample.0.weight"] = (maps, before, 1, 1)
                norms[f"{prefix}.downsample.1"] = maps
            before = maps
    for name, maps in norms.items():
        shapes.update(
            {f"{name}.{part}": (maps,) for part in ("weight", "bias", "running_mean", "running_var")}
        )
        shapes[f"{name}.num_batches_tracked"] = ()
    return shapes


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """The network from Figures 3 and 5 and Table 1 of the paper, with the strides of torchvision."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance, gain, shift = (
            state[f"{name}.{part}"].view(1, -1, 1, 1)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * gain + shift

    x = F.conv2d(images, state["conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(norm(x, "bn1").clamp(min=0), 3, stride=2, padding=1)
    first_convs = sorted(name for name in state if re.fullmatch(r"layer.*conv1.weight", name))
    for prefix in (name.rsplit(".", 2)[0] for name in first_convs):
        stride = 2 if prefix[5] != "1" and prefix.endswith(".0") else 1
        bottleneck = state[f"{prefix}.conv1.weight"].shape[-1] == 1
        stride1, padding1, stride2 = (1, 0, stride) if bottleneck else (stride, 1, 1)
        y = F.conv2d(x, state[f"{prefix}.conv1.weight"], stride=stride1, padding=padding1)
        y = norm(y, f"{prefix}.bn1").clamp(min=0)
        y = F.conv2d(y, state[f"{prefix}.conv2.weight"], stride=stride2, padding=1)
        y = norm(y, f"{prefix}.bn2")
        if bottleneck:
            y = norm(F.conv2d(y.clamp(min=0), state[f"{prefix}.conv3.weight"]), f"{prefix}.bn3")
        if f"{prefix}.downsample.0.weight" in state:
            x = norm(
                F.conv2d(x, state[f"{prefix}.downsample.0.weight"], stride=stride), f"{prefix}.downsample.1"
            )
        x = (x + y).clamp(min=0)
    return F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), state["fc.weight"], state["fc.bias"])


@pytest.mark.parametrize(("make", "blocks", "expansion", "parameters"), KINDS)
def test_names_and_shapes_are_those_of_torchvision(
    make: Callable, blocks: tuple[int, ...], expansion: int, parameters: int
) -> None:
    net = make(1000)
    found = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert found == shapes_of_torchvision(1000, blocks, expansion)
    assert len(found) == {11_689_512: 122, 21_797_672: 218, 25_557_032: 320}[parameters]
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


@pytest.mark.parametrize(
    ("make", "size"), [(resnet18, 28), (resnet18, 61), (resnet18, 112), (resnet34, 61), (resnet50, 61)]
)
def test_scores_equal_the_definition(make: Callable, size: int) -> None:
    net, generator = make(5, size).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.1, generator=generator)
        elif name.endswith("running_var") or tensor.ndim == 1:
            tensor.uniform_(0.8, 1.2, generator=generator)
    images = torch.rand(2, 3, size, size, generator=generator) * 2 - 1
    with torch.inference_mode():
        expected = composed(
            {name: tensor.double() for name, tensor in net.state_dict().items()}, images.double()
        )
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
    assert expected.std() > 0.1


def test_initial_convolutions_are_he_normal_by_fan_out() -> None:
    weight = resnet18(5, seed=2).layer3[0].conv1.weight
    assert weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
