"""LEARNet as it answers fastest: fewer and larger steps, the same numbers.

The plain form (`learnet.py`) reads like the paper's figure. It is the one that trains: a training step of the fused form was measured
to be a little slower, because the way back through a convolution in four groups is slower than through four convolutions.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import SameConv, ceil_div, same_zeros
from learnet.networks.learnet import SEEN_EVERY, LateralPair, LEARNet

FUSED = ("released", "paper")
"""Variants that have this form."""


class FusedLEARNet(nn.Module):
    """A trained LEARNet with its four columns as one convolution in four groups, and both accretions of a level as one sum.

    The columns lie side by side: the plain one of the first pair, the accreting one beside it, then the second pair.
    """

    def __init__(self, net: LEARNet) -> None:
        """Take over the weights of NET, `released` or `paper`, as they are now; what is done to it later does not reach this form."""
        super().__init__()
        assert net.variant in FUSED, "the others have other columns"
        pairs = [pair for pair in net.lateral.values() if isinstance(pair, LateralPair)]
        columns = [column for pair in pairs for column in (pair.plain, pair.accreting)]
        between = [
            [norm for pair in pairs for norm in (None, pair.norm[level])] for level in range(2)
        ]  # normalised before a level
        self.stem, seen = deepcopy(net.stem), ceil_div(net.size, SEEN_EVERY * net.stem.stride[0])
        self.first = _Step([column[0] for column in columns], [None], seen)
        self.second = _Step([column[1] for column in columns], between[0], self.first.after)
        self.third = _Step([column[2] for column in columns], between[1], self.second.after)
        self.conv5 = _Step([net.conv5], [net.norm], self.third.after)
        self.dense, self.classify = deepcopy(net.dense), deepcopy(net.classify)
        self.eval().requires_grad_(False)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1, RGB, as LEARNet gives them in eval mode."""
        maps = self.first(self.stem(images, every=SEEN_EVERY))  # (B, 4 x 16, 28, 28) for 112x112
        maps = self.second(maps, accrete=True)  # (B, 4 x 32, 14, 14)
        maps = self.third(maps, accrete=True)  # (B, 4 x 64, 7, 7)
        return self.classify(F.relu(self.dense(self.conv5(maps).relu_().flatten(1))))


class _Step(nn.Module):
    """ReLU, then convolutions side by side, each preceded by a normalisation or none.

    At test a normalisation only scales and shifts each map. The scale goes into the weights. The shift does not pass through zero padding
    evenly, so what it adds to the answer is computed once and kept as a picture.
    """

    weight: Tensor
    bias: Tensor | None
    picture: Tensor | None  # (1, F, h, w); where there is none, there is a bias

    def __init__(self, convs: Sequence[SameConv], norms: Sequence[nn.Module | None], side: int) -> None:
        """Convolutions that look at as many groups of maps as there are norms, all of SIDE pixels."""
        super().__init__()
        self.groups, self.stride = len(norms), convs[0].stride[0]
        self.zeros = same_zeros(side, convs[0].kernel_size[0], self.stride)
        self.after = ceil_div(side, self.stride)
        with torch.no_grad():
            weight, bias = (
                torch.cat([conv.weight for conv in convs]),
                torch.cat([_bias(conv) for conv in convs]),
            )
            maps = weight.shape[1]
            scale, shift = (
                torch.stack(part)
                for part in zip(*(_scale_and_shift(norm, weight, maps) for norm in norms), strict=True)
            )
            folded = (
                weight.unflatten(0, (self.groups, -1)) * scale.view(self.groups, 1, maps, 1, 1)
            ).flatten(0, 1)
            even = shift.view(1, -1, 1, 1).expand(1, -1, side, side)
            picture = (
                F.conv2d(F.pad(even, 2 * self.zeros), weight, bias, self.stride, groups=self.groups)
                if shift.any()
                else None
            )
        self.register_buffer("weight", folded.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias if picture is None else None)
        self.register_buffer(
            "picture", None if picture is None else picture.contiguous(memory_format=torch.channels_last)
        )

    def forward(self, maps: Float[Tensor, "B C H W"], accrete: bool = False) -> Float[Tensor, "B F H2 W2"]:
        """Convolve the maps, which change; with `accrete` every second column first takes in its neighbour's."""
        before, after = self.zeros
        if accrete or before != after:
            maps, before = self._with_zeros(maps, accrete), 0
        else:
            maps.relu_()
        answer = F.conv2d(maps, self.weight, self.bias, self.stride, before, groups=self.groups)
        return answer if self.picture is None else answer.add_(self.picture)

    def _with_zeros(self, maps: Float[Tensor, "B C H W"], accrete: bool) -> Float[Tensor, "B C H3 W3"]:
        """The maps after ReLU and accretion, with zeros around them; written once, as memory is what a large batch waits for."""
        (before, after), (count, channels, side, _) = self.zeros, maps.shape
        end = before + side
        room = maps.new_empty((count, end + after, end + after, channels)).permute(
            0, 3, 1, 2
        )  # the numbers of a pixel side by side
        for edge in (room[:, :, :before], room[:, :, end:], room[..., :before], room[..., end:]):
            edge.zero_()
        inside = torch.clamp_min(maps, 0, out=room[:, :, before:end, before:end])
        if accrete:
            pairs = inside.unflatten(1, (2, 2, -1))
            pairs[:, :, 1] += pairs[:, :, 0]
        return room


def _bias(conv: SameConv) -> Float[Tensor, "F"]:
    assert conv.bias is not None, "every convolution of LEARNet has one"
    return conv.bias


def _scale_and_shift(
    norm: nn.Module | None, weight: Tensor, maps: int
) -> tuple[Float[Tensor, "C"], Float[Tensor, "C"]]:
    """What a normalisation multiplies each map with at test, and then adds; on the device of the WEIGHT after it."""
    if not isinstance(norm, nn.BatchNorm2d):  # none here; the variant `paper` has only the last
        return weight.new_ones(maps), weight.new_zeros(maps)
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale
