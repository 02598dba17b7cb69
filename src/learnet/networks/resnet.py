"""ResNet-18, -34 and -50, with the layer names and parameter counts of torchvision, so that weights saved there fit here.

Source: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import as_pytorch, channels_last


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the way past them; where the size changes, the way past is a 1x1 convolution."""

    growth = 1  # maps that come out for each filter

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = _way_past(channels, filters, stride)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F H2 W2"]:
        """What the two convolutions add to the input, and the input."""
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(inner + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two of 1x1, the last of which gives four times the filters, and the way past them.

    Where the size changes, the 3x3 convolution has the stride, as in torchvision; in the paper's own code the first 1x1 has it.
    """

    growth = 4

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.conv3 = nn.Conv2d(filters, 4 * filters, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * filters)
        self.downsample = _way_past(channels, 4 * filters, stride)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F4 H2 W2"]:
        """What the three convolutions add to the input, and the input."""
        inner = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(inner)) + (x if self.downsample is None else self.downsample(x)))


Block = type[BasicBlock] | type[Bottleneck]


class ResNet(nn.Module):
    """A residual network; it averages over the picture at the end, so any size goes in.

    Args:
        block: kind of its blocks.
        blocks: number of blocks of each of the four stages, of 64, 128, 256 and 512 filters.
        classes: number of classes K.
        seed: of the initial weights (He-normal by fan-out for convolutions; PyTorch's own for the class layer).
    """

    def __init__(self, block: Block, blocks: Sequence[int], classes: int, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(
            devices=[]
        ):  # layers draw weights as they are made; the caller's generator stays as it was
            self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.maxpool = nn.MaxPool2d(3, 2, padding=1)
            self.layer1 = _stage(block, 64, 64, 1, blocks[0])
            self.layer2 = _stage(block, 64 * block.growth, 128, 2, blocks[1])
            self.layer3 = _stage(block, 128 * block.growth, 256, 2, blocks[2])
            self.layer4 = _stage(block, 256 * block.growth, 512, 2, blocks[3])
            self.fc = nn.Linear(512 * block.growth, classes)
        _initialise(self, seed)
        channels_last(self)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1, RGB. Sizes for basic blocks and 112x112; below 28 nothing is left to see."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(images))))  # (B, 64, 28, 28)
        x = self.layer2(self.layer1(x))  # (B, 128, 14, 14)
        x = self.layer4(self.layer3(x))  # (B, 512, 4, 4)
        return self.fc(x.mean(dim=(2, 3)))  # (B, K)


def resnet18(classes: int, size: int = 112, seed: int = 0) -> ResNet:
    """ResNet-18 with random weights: 11,689,512 parameters for 1000 classes. SIZE is free, and changes nothing in it."""
    return ResNet(BasicBlock, (2, 2, 2, 2), classes, seed)


def resnet34(classes: int, size: int = 112, seed: int = 0) -> ResNet:
    """ResNet-34 with random weights: 21,797,672 parameters for 1000 classes. SIZE is free, and changes nothing in it."""
    return ResNet(BasicBlock, (3, 4, 6, 3), classes, seed)


def resnet50(classes: int, size: int = 112, seed: int = 0) -> ResNet:
    """ResNet-50 with random weights: 25,557,032 parameters for 1000 classes. SIZE is free, and changes nothing in it."""
    return ResNet(Bottleneck, (3, 4, 6, 3), classes, seed)


def _way_past(channels: int, maps: int, stride: int) -> nn.Sequential | None:
    """What brings the input to the size of the output; None where it has it."""
    if stride == 1 and channels == maps:
        return None
    return nn.Sequential(nn.Conv2d(channels, maps, 1, stride, bias=False), nn.BatchNorm2d(maps))


def _stage(block: Block, channels: int, filters: int, stride: int, blocks: int) -> nn.Sequential:
    rest = [block(filters * block.growth, filters, 1) for _ in range(blocks - 1)]
    return nn.Sequential(block(channels, filters, stride), *rest)


def _initialise(net: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(layer, nn.Linear):
            as_pytorch(layer, generator)
