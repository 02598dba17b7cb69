"""STSTNet: three shallow streams of 3, 5 and 8 filters over a flow image.

References:
    Liong, Gan, See, Khor, Huang, Shallow Triple Stream Three-dimensional CNN (STSTNet) for Micro-expression
    Recognition, FG 2019. Layers, their order and their names as in the PyTorch file that the authors
    published in 2022. Their MATLAB network of 2019, which gave the figures of the paper, was published as a
    binary file and is not compared here.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, check_size, preserved_generator, pytorch_default


class STSTNet(nn.Module):
    """Three streams, pooled and concatenated, then the class layer.

    It has 1,683 parameters for 3 classes and 28 pixels.

    The network is designed for flow images, whose red, green and blue channels (0..255) are u, v and
    strain. Every stream reads all three. The authors pass 28x28 pixels as 0..255. Here the images are -1..1
    as for every network, so that padding zeros mean no movement in u and v. Weights of their file fit by
    name and shape, but not to this scale.

    The convolutions pad two pixels and so return 30x30 maps. The 3x3 pools, which begin one pixel before
    the first, leave out the last row and column of these, as in the authors' file. Every pixel of the image
    still has an effect.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels. Sizes that leave 2, 3 or 4 when divided by 6 give an
            even number of rows to the last pool.
        seed: seed of the initial weights (PyTorch's defaults, as in the authors' file).

    Raises:
        LearnetError: the size is not valid.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("ststnet", size)
        self.side = (size + 1) // 3 + 1  # of the pooled maps; even
        with preserved_generator():
            self.conv1, self.bn1 = nn.Conv2d(3, 3, 3, padding=2), nn.BatchNorm2d(3)
            self.conv2, self.bn2 = nn.Conv2d(3, 5, 3, padding=2), nn.BatchNorm2d(5)
            self.conv3, self.bn3 = nn.Conv2d(3, 8, 3, padding=2), nn.BatchNorm2d(8)
            self.dropout = Dropout(0.5, 16 * self.side**2)
            self.fc = nn.Linear(16 * (self.side // 2) ** 2, classes)
        generator = torch.Generator().manual_seed(seed)
        for layer in (self.conv1, self.conv2, self.conv3, self.fc):
            pytorch_default(layer, generator)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels u, v and strain, each in -1..1. Shapes below for 28x28.
        """
        stream1 = _pool(self.bn1(F.relu(self.conv1(images))))  # (B, 3, 10, 10)
        stream2 = _pool(self.bn2(F.relu(self.conv2(images))))  # (B, 5, 10, 10)
        stream3 = _pool(self.bn3(F.relu(self.conv3(images))))  # (B, 8, 10, 10)
        concat = torch.cat([stream1, stream2, stream3], dim=1)  # (B, 16, 10, 10)
        dropped = self.dropout(concat.flatten(1))  # (B, 1600)
        maps = dropped.unflatten(1, (16, self.side, self.side))
        pooled = F.avg_pool2d(maps, 2).flatten(1)  # (B, 400)
        return self.fc(pooled)  # (B, K)


def _pool(maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
    return F.max_pool2d(maps, 3, stride=3, padding=1)
