"""A multilayer perceptron on the image averaged to 14 x 14 pixels, alone and beside two convolutions.

The literature on micro-expressions has no counterpart. Trained on simulated flow, the perceptron is better on
flow images like those of the training, and convolutions on others; side by side they are as good as the
better of the two nearly everywhere (docs/pretrained.md).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, check_size, preserved_generator, pytorch_default

GRID = 14  # height and width to which the image is averaged
INPUTS = 3 * GRID**2
FILTERS = (12, 24)
HIDDEN = 128


class MLP(nn.Module):
    """Average to 14 x 14, one hidden layer with ReLU, then the class layer.

    Args:
        classes: number of outputs K.
        size: height and width of the images in pixels.
        seed: seed of the initial weights (PyTorch's defaults).
        hidden: number of hidden units.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0, hidden: int = 256) -> None:
        super().__init__()
        with preserved_generator():
            self.input_dropout = Dropout(0.2, INPUTS)
            self.fc1 = nn.Linear(INPUTS, hidden)
            self.hidden_dropout = Dropout(0.5, hidden)
            self.fc2 = nn.Linear(hidden, classes)
        generator = torch.Generator().manual_seed(seed)
        for layer in (self.fc1, self.fc2):
            pytorch_default(layer, generator)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels in -1..1.
        """
        averaged = F.adaptive_avg_pool2d(images, GRID).flatten(1)  # (B, 588)
        hidden = F.relu(self.fc1(self.input_dropout(averaged)))  # (B, 256)
        return self.fc2(self.hidden_dropout(hidden))  # (B, K)


class MLPCNN(nn.Module):
    """Average the class scores of a perceptron (`MLP`) and of two convolutions with two dense layers.

    In training, one image in four is shown to the perceptron alone and one in four to the convolutions
    alone, so that each learns to classify without the other.

    Args:
        classes: number of outputs K.
        size: height and width of the images in pixels, a multiple of 4 because they are halved twice.
        seed: seed of the initial weights (PyTorch's defaults).

    Raises:
        LearnetError: the size is not a multiple of 4.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        check_size("mlp-cnn", size)
        pixels = (size // 4) ** 2
        self.mlp = MLP(classes, size, seed)
        with preserved_generator():
            self.conv1 = nn.Conv2d(3, FILTERS[0], 5, padding=2)
            self.conv2 = nn.Conv2d(FILTERS[0], FILTERS[1], 3, padding=1)
            self.input_dropout = Dropout(0.2, FILTERS[1] * pixels)
            self.fc1 = nn.Linear(FILTERS[1] * pixels, HIDDEN)
            self.hidden_dropout = Dropout(0.5, HIDDEN)
            self.fc2 = nn.Linear(HIDDEN, classes)
            self.branches = BranchDropout(0.25)
        generator = torch.Generator().manual_seed(seed + 1)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            pytorch_default(layer, generator)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels in -1..1. Shapes below for 28x28.
        """
        maps1 = F.max_pool2d(F.relu(self.conv1(images)), 2)  # (B, 12, 14, 14)
        maps2 = F.max_pool2d(F.relu(self.conv2(maps1)), 2)  # (B, 24, 7, 7)
        hidden = F.relu(self.fc1(self.input_dropout(maps2.flatten(1))))  # (B, 128)
        scores = self.fc2(self.hidden_dropout(hidden))  # (B, K)
        return self.branches.average(self.mlp(images), scores)


class BranchDropout(Dropout):
    """Average two branches, and leave out one of them for some images in training.

    The mask is the weight of the first branch for each image: 0, 1/2 or 1.

    Args:
        rate: probability that the first branch is left out, and that the second is.
    """

    def __init__(self, rate: float) -> None:
        super().__init__(rate, 1)

    def draw_mask(self, count: int, generator: torch.Generator) -> Float[Tensor, "B 1"]:
        """Return new weights of the first branch for `count` images, on the device of the generator."""
        uniform = torch.rand((count, 1), generator=generator, device=generator.device)
        first_kept = (uniform >= self.rate).float()
        second_left_out = (uniform >= 1 - self.rate).float()
        return (first_kept + second_left_out) / 2

    def average(self, first: Float[Tensor, "B K"], second: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
        """Return the weighted mean of the branches; in eval mode the plain mean.

        Where no mask is set, one is drawn from the global generator.
        """
        if not self.training:
            return (first + second) / 2
        mask = self.mask
        if not mask.numel():
            mask = self.draw_mask(len(first), torch.default_generator).to(first.device)
        return mask * first + (1 - mask) * second
