"""LEARNet for inference: fewer and larger operations, equal outputs up to rounding.

The plain form (`learnet.py`) follows the figure of the paper and is used for training. A training step of
the fused form was measured to be slightly slower, because the backward pass of one convolution in four
groups is slower than that of four convolutions.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import SameConv, ceil_div, same_padding
from learnet.networks.learnet import STEM_STRIDE, LateralPair, LEARNet

FUSED_VARIANTS = ("released", "paper")


class FusedLEARNet(nn.Module):
    """A trained LEARNet with its four columns as one convolution in four groups.

    Both accretions of a level are one sum. The maps of the columns are concatenated in this order: plain
    and accreting column of the first pair, then of the second.

    Args:
        net: LEARNet of a variant in `FUSED_VARIANTS`. Its weights are copied; later changes to it have no
            effect here.
    """

    def __init__(self, net: LEARNet) -> None:
        super().__init__()
        assert net.variant in FUSED_VARIANTS, "the other variants have other columns"
        pairs = [pair for pair in net.lateral.values() if isinstance(pair, LateralPair)]
        self.stem = deepcopy(net.stem)
        side = ceil_div(net.size, STEM_STRIDE * net.stem.stride[0])
        self.first = _ConvStep(_level(pairs, 0), [None], side)
        self.second = _ConvStep(_level(pairs, 1), _norms(pairs, 0), self.first.side_after)
        self.third = _ConvStep(_level(pairs, 2), _norms(pairs, 1), self.second.side_after)
        self.conv5 = _ConvStep([net.conv5], [net.norm], self.third.side_after)
        self.dense = deepcopy(net.dense)
        self.classify = deepcopy(net.classify)
        self.eval().requires_grad_(False)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax for RGB images in -1..1. Shapes for 112x112."""
        maps = self.first(self.stem(images, subsample=STEM_STRIDE))  # (B, 4 x 16, 28, 28)
        maps = self.second(maps, accrete=True)  # (B, 4 x 32, 14, 14)
        maps = self.third(maps, accrete=True)  # (B, 4 x 64, 7, 7)
        conv5 = self.conv5(maps).relu_()  # (B, 256, 4, 4)
        dense = F.relu(self.dense(conv5.flatten(1)))  # (B, 256)
        return self.classify(dense)  # (B, K)


def _level(pairs: Sequence[LateralPair], level: int) -> list[SameConv]:
    """Return the convolutions of one level of all columns."""
    convs: list[SameConv] = []
    for pair in pairs:
        for column in (pair.plain, pair.accreting):
            conv = column[level]
            assert isinstance(conv, SameConv)
            convs.append(conv)
    return convs


def _norms(pairs: Sequence[LateralPair], level: int) -> list[nn.Module | None]:
    """Return the normalisation before the next convolution of each column; None for the plain ones."""
    norms: list[nn.Module | None] = []
    for pair in pairs:
        norms += [None, pair.norm[level]]
    return norms


class _ConvStep(nn.Module):
    """ReLU, then grouped convolutions, each optionally preceded by a normalisation.

    In eval mode a normalisation only scales and shifts each map. The scale is multiplied into the weights.
    Zero padding is not shifted, so the contribution of the shift to the output varies at the border: it is
    computed once, as an image.

    Args:
        convs: convolutions of the same shape.
        norms: normalisation before each group, or None.
        side: height and width of the input maps in pixels.
    """

    weight: Tensor
    bias: Tensor | None
    shift_image: Tensor | None  # (1, F, h, w), includes the bias; None where nothing is shifted

    def __init__(self, convs: Sequence[SameConv], norms: Sequence[nn.Module | None], side: int) -> None:
        super().__init__()
        self.groups = len(norms)
        self.stride = convs[0].stride[0]
        self.padding = same_padding(side, convs[0].kernel_size[0], self.stride)
        self.side_after = ceil_div(side, self.stride)
        with torch.no_grad():
            weight = torch.cat([conv.weight for conv in convs])
            bias = torch.cat([_bias(conv) for conv in convs])
            scale, shift = _scales_and_shifts(norms, weight)
            by_group = weight.unflatten(0, (self.groups, -1))
            scaled = (by_group * scale[:, None, :, None, None]).flatten(0, 1)
            image = self._shift_image(weight, bias, shift, side) if shift.any() else None
        self.register_buffer("weight", scaled.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias if image is None else None)
        self.register_buffer("shift_image", image)

    def _shift_image(self, weight: Tensor, bias: Tensor, shift: Float[Tensor, "G C"], side: int) -> Tensor:
        constant = shift.view(1, -1, 1, 1).expand(1, -1, side, side)
        padded = F.pad(constant, 2 * self.padding)
        image = F.conv2d(padded, weight, bias, self.stride, groups=self.groups)
        return image.contiguous(memory_format=torch.channels_last)

    def forward(self, maps: Float[Tensor, "B C H W"], accrete: bool = False) -> Float[Tensor, "B F H2 W2"]:
        """Return the convolved maps.

        Args:
            maps: input maps; may be modified in place.
            accrete: first add the maps of the plain column to the accreting one, in each pair.
        """
        before, after = self.padding
        if accrete or before != after:
            maps = self._pad(maps, accrete)
            before = 0
        else:
            maps.relu_()
        out = F.conv2d(maps, self.weight, self.bias, self.stride, before, groups=self.groups)
        return out if self.shift_image is None else out.add_(self.shift_image)

    def _pad(self, maps: Float[Tensor, "B C H W"], accrete: bool) -> Float[Tensor, "B C H3 W3"]:
        """Return the maps after ReLU and accretion, with zeros around them.

        They are written once, because large batches are limited by memory access.
        """
        before, after = self.padding
        count, channels, side, _ = maps.shape
        end = before + side
        channels_last = maps.new_empty((count, end + after, end + after, channels))
        padded = channels_last.permute(0, 3, 1, 2)
        for edge in (padded[:, :, :before], padded[:, :, end:], padded[..., :before], padded[..., end:]):
            edge.zero_()
        inside = torch.clamp_min(maps, 0, out=padded[:, :, before:end, before:end])
        if accrete:
            columns = inside.unflatten(1, (2, 2, -1))  # pair, column of the pair, maps
            columns[:, :, 1] += columns[:, :, 0]
        return padded


def _bias(conv: SameConv) -> Float[Tensor, "F"]:
    assert conv.bias is not None, "every convolution of LEARNet has a bias"
    return conv.bias


def _scales_and_shifts(
    norms: Sequence[nn.Module | None], weight: Float[Tensor, "F C k k"]
) -> tuple[Float[Tensor, "G C"], Float[Tensor, "G C"]]:
    """Return by what each normalisation multiplies each map in eval mode, and what it then adds.

    Both are on the device of `weight`.
    """
    maps = weight.shape[1]
    scales, shifts = [], []
    for norm in norms:
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None and norm.running_var is not None
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            shift = norm.bias - norm.running_mean * scale
        else:  # none; the variant `paper` has only the last
            scale, shift = weight.new_ones(maps), weight.new_zeros(maps)
        scales.append(scale)
        shifts.append(shift)
    return torch.stack(scales), torch.stack(shifts)
