"""RCN-A: a recurrent convolutional layer with an attention map that needs no parameters of its own.

References:
    Xia, Peng, Khor, Feng, Zhao, Revealing the Invisible with Model and Data Shrinking for Composite-database
    Micro-expression Recognition, IEEE Transactions on Image Processing 29:8590-8605, 2020. Layers as in the
    authors' PyTorch file (its class `RCN_A`, version 3, which the file cannot run: it calls the class layer
    by two names). 32 maps and 5x5 cells are those of the command in its description.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, check_size, preserved_generator, pytorch_default

MAPS = 32
CELLS = 5  # rows and columns of the pooled maps
FIRST_KERNEL = 5
NO_ATTENTION = 1e-6
"""Smallest range of an attention map that is divided by. The authors divide by zero where one is constant."""


class RCNA(nn.Module):
    """A 5x5 convolution, one recurrent layer, 5x5 pooled cells weighted by attention, and the class layer.

    It has 15,331 parameters for 3 classes, whatever the size.

    The recurrent layer applies one 3x3 convolution twice, each time to the sum of its input and what was
    computed before. The attention of a cell is the mean over the classes of how much the class layer weighs
    the maps of the first convolution there, from 0 to 1 for each class.

    The network is designed for flow images, whose red, green and blue channels (0..255) are u, v and strain.
    It reads all three, as the authors' three channels of flow.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels: a multiple of 4 from 8, since the first convolution
            leaves S - 4, which is halved twice.
        seed: seed of the initial weights (as in the authors' file: He-normal by fan-out for convolutions,
            normal of 0.01 for the class layer, whose bias is zero).

    Raises:
        LearnetError: the size is not valid.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("rcn-a", size)
        first_side = (size - FIRST_KERNEL + 1) // 2
        last_side = first_side // 2
        with preserved_generator():
            self.conv1, self.norm1 = nn.Conv2d(3, MAPS, FIRST_KERNEL), nn.BatchNorm2d(MAPS)
            self.feedforward, self.norm2 = nn.Conv2d(MAPS, MAPS, 1), nn.BatchNorm2d(MAPS)
            self.recurrent, self.norm3 = nn.Conv2d(MAPS, MAPS, 3, padding=1), nn.BatchNorm2d(MAPS)
            self.dropout1 = Dropout(0.5, MAPS * first_side**2)
            self.dropout2 = Dropout(0.5, MAPS * last_side**2)
            self.classify = nn.Linear(MAPS * CELLS**2, classes)
        self.register_buffer("first_cells", cell_means(first_side), persistent=False)
        self.register_buffer("last_cells", cell_means(last_side), persistent=False)
        self._draw(seed)

    first_cells: Tensor  # (5, side) weights of the rows, or columns, of the first maps in each cell
    last_cells: Tensor  # (5, side) the same for the last maps

    def _draw(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for layer in (self.conv1, self.feedforward, self.recurrent):
            pytorch_default(layer, generator)  # of which the bias remains
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        nn.init.normal_(self.classify.weight, 0, 0.01, generator=generator)
        nn.init.zeros_(self.classify.bias)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels u, v and strain, each in -1..1. Shapes below for 28x28.
        """
        first = F.relu(self.norm1(self.conv1(images)))  # (B, 32, 24, 24)
        first = _drop(self.dropout1, F.max_pool2d(first, 2))  # (B, 32, 12, 12)
        before = F.relu(self.norm2(self.feedforward(first)))  # (B, 32, 12, 12)
        before = F.relu(self.norm3(self.recurrent(first + before)))
        before = F.relu(self.norm3(self.recurrent(first + before)))
        last = _drop(self.dropout2, F.max_pool2d(before, 2))  # (B, 32, 6, 6)
        attention = self.attention(_pool(first, self.first_cells))  # (B, 1, 5, 5)
        weighted = _pool(last, self.last_cells) * attention  # (B, 32, 5, 5)
        return self.classify(weighted.flatten(1))  # (B, K)

    def attention(self, cells: Float[Tensor, "B 32 5 5"]) -> Float[Tensor, "B 1 5 5"]:
        """Return how much the classes weigh each cell, 0..1, from the weights of the class layer.

        For each class, the maps are averaged with the weights of the class layer, and scaled to 0..1 over the
        cells. The result is the mean over the classes.
        """
        weights = self.classify.weight.unflatten(1, (MAPS, CELLS, CELLS))  # (K, 32, 5, 5)
        activation = (cells[:, None] * weights).mean(dim=2)  # (B, K, 5, 5)
        lowest = activation.amin(dim=(2, 3), keepdim=True)
        above = activation - lowest
        reach = above.amax(dim=(2, 3), keepdim=True).clamp(min=NO_ATTENTION)
        return (above / reach).mean(dim=1, keepdim=True)


def cell_means(length: int) -> Float[Tensor, "5 L"]:
    """Return the weights that average a row of pixels in 5 cells, as PyTorch's adaptive average pooling.

    Cell i begins at floor(i L / 5) and ends before ceil((i + 1) L / 5), so neighbours can share a pixel. A
    product with these weights can be exported for any length.
    """
    cell = torch.arange(CELLS)[:, None]
    pixel = torch.arange(length)[None]
    start = cell * length // CELLS
    end = ((cell + 1) * length + CELLS - 1) // CELLS
    inside = ((pixel >= start) & (pixel < end)).float()
    return inside / inside.sum(dim=1, keepdim=True)


def _pool(maps: Float[Tensor, "B C H W"], cells: Float[Tensor, "5 H"]) -> Float[Tensor, "B C 5 5"]:
    return cells @ maps @ cells.T


def _drop(dropout: Dropout, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    dropped = dropout(maps.flatten(1))
    return dropped.unflatten(1, maps.shape[1:])
