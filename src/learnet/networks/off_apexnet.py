"""OFF-ApexNet: one stream for horizontal flow, one for vertical flow, from onset to apex.

References:
    Gan, Liong, Yau, Huang, Tan, OFF-ApexNet on micro-expression recognition system, Signal Processing:
    Image Communication 74:129-139, 2019. The authors published no code. The sizes of the layers follow the
    re-implementation published with Off-TANet (PRICAI 2021), which has 2.66 million parameters. Another
    re-implementation, in a public benchmark, has 3x3 filters, one stream, and one layer of 1024 less.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, check_size, glorot, preserved_generator


class OFFApexNet(nn.Module):
    """Two streams of two 5x5 convolutions, then two dense layers of 1024.

    It has 2,664,475 parameters for 3 classes and 28 pixels.

    The network is designed for flow images, whose red and green channels (0..255) are u and v. It ignores
    blue, the strain.

    The two streams and their input are certain. The 28x28 pixels and the number and size of the filters and
    dense layers are those of a re-implementation. The ReLU after each convolution, the dropout before the
    last two layers and the initial weights follow common practice.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels, a multiple of 4 because they are halved twice. At
            112 pixels the network has 26.8 million parameters.
        seed: seed of the initial weights (Glorot-uniform, bias zero).

    Raises:
        LearnetError: the size is not a multiple of 4.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("off-apexnet", size)
        with preserved_generator():
            self.horizontal = _stream()
            self.vertical = _stream()
            self.dense1 = nn.Linear(2 * 16 * (size // 4) ** 2, 1024)
            self.dense2 = nn.Linear(1024, 1024)
            self.dropout1 = Dropout(0.5, 1024)
            self.dropout2 = Dropout(0.5, 1024)
            self.classify = nn.Linear(1024, classes)
        glorot(self, seed)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels u, v and strain, each in -1..1. Shapes below for 28x28.
        """
        u = self.horizontal(images[:, 0:1])  # (B, 784)
        v = self.vertical(images[:, 1:2])  # (B, 784)
        dense1 = self.dropout1(F.relu(self.dense1(torch.cat([u, v], dim=1))))  # (B, 1024)
        dense2 = self.dropout2(F.relu(self.dense2(dense1)))  # (B, 1024)
        return self.classify(dense2)  # (B, K)


def _stream() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 6, 14, 14)
        nn.Conv2d(6, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 16, 7, 7)
        nn.Flatten(1),
    )
