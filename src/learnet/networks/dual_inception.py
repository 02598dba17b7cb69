"""Dual-Inception: two inception blocks for horizontal flow, two for vertical flow.

References:
    Zhou, Mao, Xue, Dual-Inception Network for Cross-Database Micro-Expression Recognition, FG 2019. Layers
    as in the authors' Keras file.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import check_size, glorot, preserved_generator


class Inception(nn.Module):
    """Four branches with the same number of maps: 1x1; 1x1 and 3x3; 1x1 and 5x5; max pooling of 3x3 and 1x1.

    Args:
        channels: number of input maps.
        filters: number of output maps of each branch.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, filters, 1)
        self.reduce3 = nn.Conv2d(channels, filters, 1)
        self.three = nn.Conv2d(filters, filters, 3, padding=1)
        self.reduce5 = nn.Conv2d(channels, filters, 1)
        self.five = nn.Conv2d(filters, filters, 5, padding=2)
        self.pooled = nn.Conv2d(channels, filters, 1)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F4 H W"]:
        """Return the maps of the four branches in this order, after their ReLU."""
        branch1 = self.one(x)
        branch3 = self.three(F.relu(self.reduce3(x)))
        branch5 = self.five(F.relu(self.reduce5(x)))
        branch_pool = self.pooled(F.max_pool2d(x, 3, stride=1, padding=1))
        return F.relu(torch.cat([branch1, branch3, branch5, branch_pool], dim=1))


class DualInception(nn.Module):
    """Two streams of two inception blocks, then a dense layer of 1024.

    It has 6,449,867 parameters for 3 classes and 28 pixels.

    The network is designed for flow images, whose red and green channels (0..255) are u and v. It ignores
    blue, the strain. The authors read u and v as grey images with three equal channels, 0..1. Here each is
    one channel, -1..1, which saves 96 redundant weights. The authors compute the flow from the onset to the
    middle of the clip, not to the apex.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels, a multiple of 4 because they are halved twice. At
            112 pixels the network has 103 million parameters.
        seed: seed of the initial weights (Glorot-uniform, bias zero: the defaults of Keras).

    Raises:
        LearnetError: the size is not a multiple of 4.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("dual-inception", size)
        with preserved_generator():
            self.horizontal = _stream()
            self.vertical = _stream()
            self.dense = nn.Linear(2 * 64 * (size // 4) ** 2, 1024)
            self.classify = nn.Linear(1024, classes)
        glorot(self, seed)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels u, v and strain, each in -1..1. Shapes below for 28x28.
        """
        u = self.horizontal(images[:, 0:1])  # (B, 3136)
        v = self.vertical(images[:, 1:2])  # (B, 3136)
        dense = F.relu(self.dense(torch.cat([u, v], dim=1)))  # (B, 1024)
        return self.classify(dense)  # (B, K)


def _stream() -> nn.Sequential:
    return nn.Sequential(
        Inception(1, 6),
        nn.MaxPool2d(2),  # (B, 24, 14, 14)
        Inception(24, 16),
        nn.MaxPool2d(2),  # (B, 64, 7, 7)
        nn.Flatten(1),
    )
