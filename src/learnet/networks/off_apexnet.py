"""OFF-ApexNet: one stream for horizontal flow, one for vertical, from onset to apex.

Source: Gan, Liong, Yau, Huang, Tan, OFF-ApexNet on micro-expression recognition system, Signal Processing: Image Communication
74:129-139, 2019. The authors published no code. Sizes of the layers as in the re-implementation beside Off-TANet (PRICAI 2021), which
counts 2.66 million parameters; another, in a public benchmark, has 3x3 filters, one stream and one layer of 1024 less.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, check_size, glorot


class OFFApexNet(nn.Module):
    """Two streams of two 5x5 convolutions, then two layers of 1024; 2,664,475 parameters for 3 classes and 28 pixels.

    It is meant for flow images: the prepared image's R and G (0..255) are u and v. B, the strain, is not looked at.

    Certain are the two streams and their input. The 28x28 pixels and the number and size of filters and dense layers are those of a
    re-implementation. The ReLU after each convolution, the dropout before the last two layers and the initial weights are what is usual.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels, a multiple of 4, as they are halved twice. At 112 it has 26.8 million parameters.
        seed: of the initial weights (Glorot-uniform, bias zero).

    Raises:
        LearnetError: another size.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("off-apexnet", size, lambda side: side % 4 == 0, "are multiples of 4")
        with torch.random.fork_rng(
            devices=[]
        ):  # layers draw weights as they are made; the caller's generator stays as it was
            self.horizontal, self.vertical = _stream(), _stream()
            self.dense1 = nn.Linear(2 * 16 * (size // 4) ** 2, 1024)
            self.dense2 = nn.Linear(1024, 1024)
            self.dropout1, self.dropout2 = Dropout(0.5, 1024), Dropout(0.5, 1024)
            self.classify = nn.Linear(1024, classes)
        glorot(self, seed)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1: u, v, and a third channel that has no say. Sizes for 28x28."""
        u, v = images[:, 0:1], images[:, 1:2]
        both = torch.cat([self.horizontal(u), self.vertical(v)], dim=1)  # (B, 2 x 784)
        dense = self.dropout1(F.relu(self.dense1(both)))  # (B, 1024)
        return self.classify(self.dropout2(F.relu(self.dense2(dense))))  # (B, K)


def _stream() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),  # (B, 6, 14, 14)
        nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),  # (B, 16, 7, 7)
        nn.Flatten(1),
    )  # fmt: skip
