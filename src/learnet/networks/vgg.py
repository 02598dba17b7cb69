"""VGG-16 and -19 without normalisation, with the layer names and parameter counts of torchvision, so that weights saved there fit here.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015 (configurations D and E).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnet.networks.layers import Dropout, channels_last


class VGG(nn.Module):
    """3x3 convolutions in five blocks, each followed by the largest of 2x2; 7x7 averages; three fully connected layers.

    Any size goes in. The paper's 224 pixels leave 7x7 maps; other sizes are averaged, or where less is left repeated, to 7x7, as
    torchvision does. Where a side is odd its last row is a pool of its own; torchvision leaves it out, and at 28 pixels it would leave
    nothing. At multiples of 32 the two are the same.

    Args:
        convolutions: number of convolutions of each of the five blocks, of 64, 128, 256, 512 and 512 filters.
        classes: number of classes K.
        seed: of the initial weights (as in torchvision: He-normal by fan-out for convolutions, normal with 0.01 for the rest, bias zero).
    """

    def __init__(self, convolutions: Sequence[int], classes: int, seed: int = 0) -> None:
        super().__init__()
        with torch.device(
            "meta"
        ):  # without numbers: PyTorch would draw 138 million that are drawn anew below
            self.features = nn.Sequential(*_blocks(convolutions))
            self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), Dropout(0.5, 4096),
                nn.Linear(4096, 4096), nn.ReLU(), Dropout(0.5, 4096),
                nn.Linear(4096, classes),
            )  # fmt: skip
        self.to_empty(device="cpu")
        _initialise(self, seed)
        channels_last(self)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1, RGB. Sizes for 112x112."""
        maps = self.avgpool(self.features(images))  # (B, 512, 4, 4), then (B, 512, 7, 7)
        return self.classifier(maps.flatten(1))  # (B, K)


def vgg16(classes: int, size: int = 112, seed: int = 0) -> VGG:
    """VGG-16 with random weights: 138,357,544 parameters for 1000 classes. SIZE is free, and changes nothing in it."""
    return VGG((2, 2, 3, 3, 3), classes, seed)


def vgg19(classes: int, size: int = 112, seed: int = 0) -> VGG:
    """VGG-19 with random weights: 143,667,240 parameters for 1000 classes. SIZE is free, and changes nothing in it."""
    return VGG((2, 2, 4, 4, 4), classes, seed)


def _blocks(convolutions: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 3
    for filters, count in zip((64, 128, 256, 512, 512), convolutions, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
    return layers


def _initialise(net: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.01, generator=generator)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
