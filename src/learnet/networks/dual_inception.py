"""Dual-Inception: two inception blocks for horizontal flow, two for vertical.

Source: Zhou, Mao, Xue, Dual-Inception Network for Cross-Database Micro-Expression Recognition, FG 2019; layers as in the authors' Keras
file.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import check_size, glorot


class Inception(nn.Module):
    """Four ways side by side, each giving as many maps: 1x1; 1x1 then 3x3; 1x1 then 5x5; the largest of 3x3, then 1x1."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, filters, 1)
        self.reduce3, self.three = nn.Conv2d(channels, filters, 1), nn.Conv2d(filters, filters, 3, padding=1)
        self.reduce5, self.five = nn.Conv2d(channels, filters, 1), nn.Conv2d(filters, filters, 5, padding=2)
        self.pooled = nn.Conv2d(channels, filters, 1)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F4 H W"]:
        """The maps of all four ways, in the order above, each after its ReLU."""
        ways = [
            self.one(x),
            self.three(F.relu(self.reduce3(x))),
            self.five(F.relu(self.reduce5(x))),
            self.pooled(F.max_pool2d(x, 3, stride=1, padding=1)),
        ]
        return F.relu(torch.cat(ways, dim=1))


class DualInception(nn.Module):
    """Two streams of two inception blocks, then a layer of 1024; 6,449,867 parameters for 3 classes and 28 pixels.

    It is meant for flow images: the prepared image's R and G (0..255) are u and v. B, the strain, is not looked at. The authors read
    each as a grey picture of three equal channels, 0..1; here each is one channel, -1..1, which spares 96 weights that say the same.
    They take the flow from the onset to the middle of the clip, not to the apex.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels, a multiple of 4, as they are halved twice. At 112 it has 103 million parameters.
        seed: of the initial weights (Glorot-uniform, bias zero: the Keras file's defaults).

    Raises:
        LearnetError: another size.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("dual-inception", size, lambda side: side % 4 == 0, "are multiples of 4")
        with torch.random.fork_rng(
            devices=[]
        ):  # layers draw weights as they are made; the caller's generator stays as it was
            self.horizontal, self.vertical = _stream(), _stream()
            self.dense = nn.Linear(2 * 64 * (size // 4) ** 2, 1024)
            self.classify = nn.Linear(1024, classes)
        glorot(self, seed)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1: u, v, and a third channel that has no say. Sizes for 28x28."""
        u, v = images[:, 0:1], images[:, 1:2]
        both = torch.cat([self.horizontal(u), self.vertical(v)], dim=1)  # (B, 2 x 3136)
        return self.classify(F.relu(self.dense(both)))  # (B, K)


def _stream() -> nn.Sequential:
    return nn.Sequential(
        Inception(1, 6), nn.MaxPool2d(2),  # (B, 24, 14, 14)
        Inception(24, 16), nn.MaxPool2d(2),  # (B, 64, 7, 7)
        nn.Flatten(1),
    )  # fmt: skip
