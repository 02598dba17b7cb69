"""ResNet-18 against the names, shapes and count of torchvision's, and against its definition written out in functions."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.networks.resnet import resnet18


def shapes_of_torchvision(classes: int) -> dict[str, tuple[int, ...]]:
    """torchvision's state dict, from its naming pattern."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7), "fc.weight": (classes, 512), "fc.bias": (classes,)}
    norms = {"bn1": 64}
    for stage, (before, maps) in enumerate([(64, 64), (64, 128), (128, 256), (256, 512)], start=1):
        for block, entering in ((0, before), (1, maps)):
            here = f"layer{stage}.{block}"
            shapes[f"{here}.conv1.weight"] = (maps, entering, 3, 3)
            shapes[f"{here}.conv2.weight"] = (maps, maps, 3, 3)
            norms[f"{here}.bn1"] = norms[f"{here}.bn2"] = maps
        if stage > 1:
            shapes[f"layer{stage}.0.downsample.0.weight"] = (maps, before, 1, 1)
            norms[f"layer{stage}.0.downsample.1"] = maps
    for name, maps in norms.items():
        shapes.update({f"{name}.{part}": (maps,) for part in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{name}.num_batches_tracked"] = ()
    return shapes


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """The network in functions, from the paper's Figure 3 and Table 1, with the placing of strides that torchvision has."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance, gain, shift = (
            state[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * gain + shift

    x = F.conv2d(images, state["conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(norm(x, "bn1").clamp(min=0), 3, stride=2, padding=1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            here, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = norm(F.conv2d(x, state[f"{here}.conv1.weight"], stride=stride, padding=1), f"{here}.bn1").clamp(min=0)
            y = norm(F.conv2d(y, state[f"{here}.conv2.weight"], padding=1), f"{here}.bn2")
            if stride == 2:
                x = norm(F.conv2d(x, state[f"{here}.downsample.0.weight"], stride=2), f"{here}.downsample.1")
            x = (x + y).clamp(min=0)
    return F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), state["fc.weight"], state["fc.bias"])


def test_names_and_shapes_are_torchvision_s() -> None:
    found = {name: tuple(tensor.shape) for name, tensor in resnet18(1000).state_dict().items()}
    assert found == shapes_of_torchvision(1000)
    assert len(found) == 122


def test_parameters_are_11_689_512_for_1000_classes() -> None:
    assert sum(parameter.numel() for parameter in resnet18(1000).parameters()) == 11_689_512


@pytest.mark.parametrize("size", [28, 61, 112])
def test_it_computes_what_its_definition_says(size: int) -> None:
    net, generator = resnet18(5, size).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.1, generator=generator)
        elif name.endswith("running_var") or tensor.ndim == 1:
            tensor.uniform_(0.8, 1.2, generator=generator)
    images = torch.rand(2, 3, size, size, generator=generator) * 2 - 1
    with torch.inference_mode():
        expected = composed({name: tensor.double() for name, tensor in net.state_dict().items()}, images.double())
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
    assert expected.std() > 0.1


def test_initial_convolutions_are_he_normal_by_fan_out() -> None:
    weight = resnet18(5, seed=2).layer3[0].conv1.weight
    assert weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
