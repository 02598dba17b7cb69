"""A multilayer perceptron with one hidden layer on the image averaged to 14 x 14 pixels.

The literature on micro-expressions has no counterpart. It is here because, trained on simulated flow, it was
as good on real flow as convolutional networks, which take ten times as long (docs/pretrained.md).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import Dropout, preserved_generator, pytorch_default

GRID = 14  # height and width to which the image is averaged
INPUTS = 3 * GRID**2


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
