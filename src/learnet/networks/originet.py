"""OrigiNet: 3x3 and 5x5 convolutions side by side, added after each step, and two dense layers in parallel.

References:
    Verma, Vipparthi, Singh, Non-Linearities Improve OrigiNet based on Active Imaging for Micro Expression
    Recognition, IJCNN 2020 (arXiv 2005.07991). Layers as in the Keras file published by the authors.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import SameConv, ceil_div, glorot, preserved_generator

FILTERS = (16, 32, 64)  # of the steps whose maps are added
LAST_FILTERS = 96
DENSE = 128
SLOPE = 0.1  # of the leaky ReLU for negative values


class OrigiNet(nn.Module):
    """Three steps of a 3x3 and a 5x5 convolution that are added and normalised, then two separate branches.

    It has 1,503,973 parameters for 5 classes and 112 pixels.

    It is designed for active images (`active`), in grey with three equal channels. Every convolution has
    stride 2. As in the authors' file, the 5x5 branch of the last step continues with the third sum before
    its normalisation, the 3x3 branch with the normalised one; and the dense layers have no activation.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels; 128 in the authors' file.
        seed: seed of the initial weights (Glorot-uniform, bias zero: the defaults of Keras).
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        side = size
        for _ in range(len(FILTERS) + 1):
            side = ceil_div(side, 2)
        channels = (3, *FILTERS[:-1])
        with preserved_generator():
            self.small = nn.ModuleList(map(_conv3, channels, FILTERS))
            self.large = nn.ModuleList(map(_conv5, channels, FILTERS))
            self.norm = nn.ModuleList(map(_batch_norm, FILTERS))
            self.last_small = _conv3(FILTERS[-1], LAST_FILTERS)
            self.last_large = _conv5(FILTERS[-1], LAST_FILTERS)
            self.dense_small = nn.Linear(LAST_FILTERS * side**2, DENSE)
            self.dense_large = nn.Linear(LAST_FILTERS * side**2, DENSE)
            self.classify = nn.Linear(2 * DENSE, classes)
        glorot(self, seed)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax, for images in -1..1. Sides below for 128 pixels."""
        normalised = added = images
        for small, large, norm in zip(self.small, self.large, self.norm, strict=True):
            added = rrelu(small(normalised)) + rrelu(large(normalised))  # 64, 32, 16 pixels
            normalised = norm(added)
        last_small = rrelu(self.last_small(normalised))  # (B, 96, 8, 8)
        last_large = rrelu(self.last_large(added))  # (B, 96, 8, 8)
        dense_small = self.dense_small(last_small.flatten(1))  # (B, 128)
        dense_large = self.dense_large(last_large.flatten(1))  # (B, 128)
        return self.classify(torch.cat([dense_small, dense_large], dim=1))  # (B, K)


def rrelu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return the refined rectified linear unit of the paper: sigmoid(x) * (1 + leaky ReLU(x)).

    PyTorch's `rrelu` is another function, the randomised leaky ReLU.
    """
    gate = torch.sigmoid(x)
    return gate + gate * F.leaky_relu(x, SLOPE)


def _conv3(channels: int, filters: int) -> SameConv:
    return SameConv(channels, filters, 3, stride=2)


def _conv5(channels: int, filters: int) -> SameConv:
    return SameConv(channels, filters, 5, stride=2)


def _batch_norm(maps: int) -> nn.BatchNorm2d:
    """Return batch normalisation as in the authors' file; momentum 0.99 of Keras is 0.01 in PyTorch."""
    return nn.BatchNorm2d(maps, eps=1e-3, momentum=0.01)
