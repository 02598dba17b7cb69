"""OFF-ApexNet against its definition written out in functions, and against a published count."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks.off_apexnet import OFFApexNet


def stream(state: dict[str, Tensor], name: str, flow: Tensor) -> Tensor:
    for layer in (0, 3):
        weight, bias = state[f"{name}.{layer}.weight"], state[f"{name}.{layer}.bias"]
        flow = F.conv2d(F.pad(flow, (2, 2, 2, 2)), weight, bias).clamp(min=0)
        flow = flow.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
    return flow.flatten(1)


def composed(
    state: dict[str, Tensor], images: Tensor, masks: tuple[Tensor | float, Tensor | float] = (1.0, 1.0)
) -> Tensor:
    x = torch.cat(
        [stream(state, "horizontal", images[:, :1]), stream(state, "vertical", images[:, 1:2])], dim=1
    )
    for name, mask in zip(("dense1", "dense2"), masks, strict=True):
        x = F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"]).clamp(min=0) * mask
    return F.linear(x, state["classify.weight"], state["classify.bias"])


def drawn(size: int, classes: int = 3) -> tuple[OFFApexNet, dict[str, Tensor], Tensor]:
    net, generator = OFFApexNet(classes, size, seed=1).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("bias"):
            tensor.normal_(0, 0.1, generator=generator)
    images = torch.rand(3, 3, size, size, generator=generator) * 2 - 1
    return net, {name: tensor.double() for name, tensor in net.state_dict().items()}, images


@pytest.mark.parametrize("size", [28, 44])
def test_scores_equal_the_definition(size: int) -> None:
    net, state, images = drawn(size)
    with torch.inference_mode():
        expected = composed(state, images.double())
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
        assert expected.std(dim=0).min() > 1e-3


def test_half_of_each_dense_layer_is_dropped_in_training() -> None:
    net, state, images = drawn(28)
    generator = torch.Generator().manual_seed(5)
    for layer in (net.dropout1, net.dropout2):
        layer.mask = layer.draw_mask(3, generator)
        assert layer.rate == 0.5
    expected = composed(state, images.double(), (net.dropout1.mask, net.dropout2.mask))
    torch.testing.assert_close(net.train()(images).double(), expected, atol=1e-4, rtol=1e-4)


def test_u_and_v_have_separate_streams_and_strain_has_no_effect() -> None:
    net, _, images = drawn(28)
    with torch.inference_mode():
        before = net(images)
        for channel, matters in ((0, True), (1, True), (2, False)):
            other = images.clone()
            other[:, channel] *= -1
            assert torch.equal(net(other), before) is not matters
        swapped = images[:, [1, 0, 2]]
        assert not torch.allclose(net(swapped), before)


def test_numbers_of_parameters_are_those_published() -> None:
    """2.66 million in the table of Off-TANet (PRICAI 2021); 156 + 2,416 in each stream."""
    parts = dict.fromkeys(("horizontal", "vertical", "dense1", "dense2", "classify"), 0)
    for name, parameter in OFFApexNet(3, 28).named_parameters():
        parts[name.split(".")[0]] += parameter.numel()
    assert parts == {
        "horizontal": 156 + 2416,
        "vertical": 156 + 2416,
        "dense1": 1568 * 1024 + 1024,
        "dense2": 1024 * 1024 + 1024,
        "classify": 3 * 1025,
    }
    assert sum(parts.values()) == 2_664_475
    assert round(sum(parts.values()) / 1e6, 2) == 2.66


def test_sizes_that_cannot_be_halved_twice_are_refused() -> None:
    for size in (28, 32, 44):
        OFFApexNet(3, size)
    with pytest.raises(LearnetError, match=r"30 pixels\. .* multiples of 4; nearest: 28 and 32\.$"):
        OFFApexNet(3, 30)
