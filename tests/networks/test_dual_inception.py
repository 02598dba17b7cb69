"""Dual-Inception against the authors' Keras file written out in functions, with its three equal channels."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks.dual_inception import DualInception

SHARES = (0.5, 0.2, 0.3)
"""How the weight of one channel is distributed over three equal ones: any values that add up to one."""


def conv(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    if weight.shape[1] == 1:  # the first of a stream
        weight = torch.cat([weight * share for share in SHARES], dim=1)
    padding = weight.shape[-1] // 2
    return F.conv2d(F.pad(x, [padding] * 4), weight, state[f"{name}.bias"]).clamp(min=0)


def inception(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    pooled = F.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 1).unfold(3, 3, 1).amax(dim=(4, 5))
    return torch.cat(
        [
            conv(state, f"{name}.one", x),
            conv(state, f"{name}.three", conv(state, f"{name}.reduce3", x)),
            conv(state, f"{name}.five", conv(state, f"{name}.reduce5", x)),
            conv(state, f"{name}.pooled", pooled),
        ],
        dim=1,
    )


def stream(state: dict[str, Tensor], name: str, flow: Tensor) -> Tensor:
    x = flow.expand(-1, 3, -1, -1)
    for layer in (0, 2):
        x = inception(state, f"{name}.{layer}", x).unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
    return x.flatten(1)


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    both = torch.cat(
        [stream(state, "horizontal", images[:, :1]), stream(state, "vertical", images[:, 1:2])], dim=1
    )
    dense = F.linear(both, state["dense.weight"], state["dense.bias"]).clamp(min=0)
    return F.linear(dense, state["classify.weight"], state["classify.bias"])


def drawn(size: int) -> tuple[DualInception, Tensor]:
    net, generator = DualInception(3, size, seed=1).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("bias"):
            tensor.normal_(0, 0.1, generator=generator)
    return net, torch.rand(3, 3, size, size, generator=generator) * 2 - 1


@pytest.mark.parametrize("size", [28, 44])
def test_scores_equal_the_definition(size: int) -> None:
    net, images = drawn(size)
    with torch.inference_mode():
        expected = composed(
            {name: tensor.double() for name, tensor in net.state_dict().items()}, images.double()
        )
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
        assert expected.std(dim=0).min() > 1e-3


def test_u_and_v_have_separate_streams_and_strain_has_no_effect() -> None:
    net, images = drawn(28)
    with torch.inference_mode():
        before = net(images)
        for channel, matters in ((0, True), (1, True), (2, False)):
            other = images.clone()
            other[:, channel] *= -1
            assert torch.equal(net(other), before) is not matters


def test_numbers_of_parameters_are_those_published() -> None:
    """6.45 million in the table of Off-TANet (PRICAI 2021).

    The Keras file has 6,449,963: its 4 x 6 filters of 1x1 in each stream read three channels, and here one.
    """
    found = sum(parameter.numel() for parameter in DualInception(3, 28).parameters())
    assert found == 6_449_867 == 6_449_963 - 2 * 2 * 4 * 6
    assert round(found / 1e6, 2) == 6.45
    blocks = 4 * (1 * 6 + 6) + (6 * 6 * 9 + 6) + (6 * 6 * 25 + 6)
    blocks += 4 * (24 * 16 + 16) + (16 * 16 * 9 + 16) + (16 * 16 * 25 + 16)
    assert found == 2 * blocks + (6272 * 1024 + 1024) + 3 * 1025


def test_initial_weights_are_glorot_uniform_and_bias_zero() -> None:
    state = DualInception(3, 28, seed=1).state_dict()
    limit = (6 / (16 * 25 + 16 * 25)) ** 0.5
    weight = state["vertical.2.five.weight"]
    assert 0.97 * limit < weight.abs().max() <= limit
    assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.05)
    assert not any(tensor.any() for name, tensor in state.items() if name.endswith("bias"))


def test_sizes_that_cannot_be_halved_twice_are_refused() -> None:
    with pytest.raises(LearnetError, match=r"45 pixels\. .* multiples of 4; nearest: 44 and 48\.$"):
        DualInception(3, 45)
