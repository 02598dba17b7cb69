"""STSTNet: three shallow streams of 3, 5 and 8 filters over a flow image.

Source: Liong, Gan, See, Khor, Huang, Shallow Triple Stream Three-dimensional CNN (STSTNet) for Micro-expression Recognition, FG 2019.
Layers, their order and their names as in the PyTorch file that the authors published in 2022; their MATLAB network of 2019, which gave
the paper's figures, was published as a binary file and is not compared with here.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, as_pytorch, check_size


class STSTNet(nn.Module):
    """1,683 parameters for 3 classes and 28 pixels.

    It is meant for flow images: the prepared image's R, G, B (0..255) are u, v and strain. All three streams see all three.
    The authors feed 28x28 pixels as 0..255; here they come as -1..1 like for every network, so that the zeros around an image mean
    no movement in u and v. Weights of their file fit by name and shape, but not to this scale.

    The convolutions look two pixels beyond the edge and so give 30x30; of these the pools of 3x3, which begin one before the first,
    leave out the last row and column, as in the authors' file. Every pixel of the image is seen by others as well.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels. Sizes that leave 2, 3 or 4 when divided by 6 come out even in the last pool.
        seed: of the initial weights (PyTorch's own kind, as in the authors' file).

    Raises:
        LearnetError: another size.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("ststnet", size, lambda side: side % 6 in (2, 3, 4), "leave 2, 3 or 4 when divided by 6")
        self.side = (size + 1) // 3 + 1  # of the pooled maps; even
        with torch.random.fork_rng(
            devices=[]
        ):  # layers draw weights as they are made; the caller's generator stays as it was
            self.conv1, self.bn1 = nn.Conv2d(3, 3, 3, padding=2), nn.BatchNorm2d(3)
            self.conv2, self.bn2 = nn.Conv2d(3, 5, 3, padding=2), nn.BatchNorm2d(5)
            self.conv3, self.bn3 = nn.Conv2d(3, 8, 3, padding=2), nn.BatchNorm2d(8)
            self.dropout = Dropout(0.5, 16 * self.side**2)
            self.fc = nn.Linear(16 * (self.side // 2) ** 2, classes)
        generator = torch.Generator().manual_seed(seed)
        for layer in (self.conv1, self.conv2, self.conv3, self.fc):
            as_pytorch(layer, generator)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1: u, v, strain. Sizes for 28x28."""
        streams = ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3))
        pooled = [
            F.max_pool2d(bn(F.relu(conv(images))), 3, stride=3, padding=1) for conv, bn in streams
        ]  # (B, 3 or 5 or 8, 10, 10)
        maps = self.dropout(torch.cat(pooled, dim=1).flatten(1)).unflatten(1, (16, self.side, self.side))
        return self.fc(F.avg_pool2d(maps, 2).flatten(1))  # (B, 400), then (B, K)
