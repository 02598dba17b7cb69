"""VGG-16 and -19 without normalisation.

Layer names and parameter counts are those of torchvision, so that its weights can be loaded.

References:
    Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015
    (configurations D and E).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnet.networks.layers import Dropout, channels_last


class VGG(nn.Module):
    """Five blocks of 3x3 convolutions with max pooling, 7x7 average pooling, three dense layers.

    The network accepts any size. The 224 pixels of the paper leave 7x7 maps; other sizes are averaged, or
    smaller maps repeated, to 7x7, as torchvision does. Where a side is odd, the last row is pooled alone.
    torchvision drops it, which at 28 pixels would leave nothing. At multiples of 32 the two are identical.

    Args:
        convolutions: number of convolutions of each of the five blocks, which have 64, 128, 256, 512 and
            512 filters.
        classes: number of classes K.
        seed: seed of the initial weights (as in torchvision: He-normal by fan-out for convolutions, normal
            with standard deviation 0.01 for dense layers, bias zero).
    """

    def __init__(self, convolutions: Sequence[int], classes: int, seed: int = 0) -> None:
        super().__init__()
        with torch.device("meta"):  # no values: PyTorch would draw 138 million that are replaced below
            self.features = nn.Sequential(*_blocks(convolutions))
            self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096),
                nn.ReLU(),
                Dropout(0.5, 4096),
                nn.Linear(4096, 4096),
                nn.ReLU(),
                Dropout(0.5, 4096),
                nn.Linear(4096, classes),
            )
        self.to_empty(device=torch.get_default_device())
        _initialise(self, seed)
        channels_last(self)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax, for RGB images in -1..1. Shapes for 112x112."""
        maps = self.features(images)  # (B, 512, 4, 4)
        pooled = self.avgpool(maps).flatten(1)  # (B, 25088)
        return self.classifier(pooled)  # (B, K)


def vgg16(classes: int, size: int = 112, seed: int = 0) -> VGG:
    """Return a VGG-16 with random weights; 138,357,544 parameters for 1000 classes, whatever the size."""
    convolutions = (2, 2, 3, 3, 3)
    return VGG(convolutions, classes, seed)


def vgg19(classes: int, size: int = 112, seed: int = 0) -> VGG:
    """Return a VGG-19 with random weights; 143,667,240 parameters for 1000 classes, whatever the size."""
    convolutions = (2, 2, 4, 4, 4)
    return VGG(convolutions, classes, seed)


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
