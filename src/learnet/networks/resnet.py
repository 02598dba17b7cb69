"""ResNet-18, -34 and -50.

Layer names and parameter counts are those of torchvision, so that its weights can be loaded.

References:
    He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import channels_last, preserved_generator, pytorch_default


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; where the shape changes, the shortcut is a 1x1 convolution.

    Args:
        channels: number of input maps.
        filters: number of filters of each convolution.
        stride: stride of the first convolution.
    """

    expansion = 1  # output maps per filter

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = _shortcut(channels, filters, stride)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F H2 W2"]:
        """Return the sum of the convolved maps and the shortcut, after its ReLU."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(out + shortcut)


class Bottleneck(nn.Module):
    """Convolutions of 1x1, 3x3 and 1x1, the last with four times the filters, and a shortcut.

    Where the size changes, the 3x3 convolution has the stride, as in torchvision. In the code of the paper
    it is the first 1x1 convolution.

    Args:
        channels: number of input maps.
        filters: number of filters of the first two convolutions.
        stride: stride of the 3x3 convolution.
    """

    expansion = 4  # output maps per filter

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.conv3 = nn.Conv2d(filters, 4 * filters, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * filters)
        self.downsample = _shortcut(channels, 4 * filters, stride)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F4 H2 W2"]:
        """Return the sum of the convolved maps and the shortcut, after its ReLU."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(out + shortcut)


Block = type[BasicBlock] | type[Bottleneck]


class ResNet(nn.Module):
    """Residual network. It ends with a mean over the image, so it accepts any size.

    Args:
        block: type of its blocks.
        blocks: number of blocks of each of the four stages, which have 64, 128, 256 and 512 filters.
        classes: number of classes K.
        seed: seed of the initial weights (He-normal by fan-out for convolutions; PyTorch's default for the
            class layer).
    """

    def __init__(self, block: Block, blocks: Sequence[int], classes: int, seed: int = 0) -> None:
        super().__init__()
        with preserved_generator():
            self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.maxpool = nn.MaxPool2d(3, 2, padding=1)
            self.layer1 = _stage(block, 64, 64, 1, blocks[0])
            self.layer2 = _stage(block, 64 * block.expansion, 128, 2, blocks[1])
            self.layer3 = _stage(block, 128 * block.expansion, 256, 2, blocks[2])
            self.layer4 = _stage(block, 256 * block.expansion, 512, 2, blocks[3])
            self.fc = nn.Linear(512 * block.expansion, classes)
        _initialise(self, seed)
        channels_last(self)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax for RGB images in -1..1.

        Shapes below for basic blocks and 112x112.
        """
        x = F.relu(self.bn1(self.conv1(images)))  # (B, 64, 56, 56)
        x = self.layer1(self.maxpool(x))  # (B, 64, 28, 28)
        x = self.layer2(x)  # (B, 128, 14, 14)
        x = self.layer3(x)  # (B, 256, 7, 7)
        x = self.layer4(x)  # (B, 512, 4, 4)
        return self.fc(x.mean(dim=(2, 3)))  # (B, K)


def resnet18(classes: int, size: int = 112, seed: int = 0) -> ResNet:
    """Return a ResNet-18 with random weights; 11,689,512 parameters for 1000 classes, whatever the size."""
    blocks = (2, 2, 2, 2)
    return ResNet(BasicBlock, blocks, classes, seed)


def resnet34(classes: int, size: int = 112, seed: int = 0) -> ResNet:
    """Return a ResNet-34 with random weights; 21,797,672 parameters for 1000 classes, whatever the size."""
    blocks = (3, 4, 6, 3)
    return ResNet(BasicBlock, blocks, classes, seed)


def resnet50(classes: int, size: int = 112, seed: int = 0) -> ResNet:
    """Return a ResNet-50 with random weights; 25,557,032 parameters for 1000 classes, whatever the size."""
    blocks = (3, 4, 6, 3)
    return ResNet(Bottleneck, blocks, classes, seed)


def _shortcut(channels: int, maps: int, stride: int) -> nn.Sequential | None:
    """Return the convolution that gives the input the shape of the output, or None if they are equal."""
    if stride == 1 and channels == maps:
        return None
    conv = nn.Conv2d(channels, maps, 1, stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(maps))


def _stage(block: Block, channels: int, filters: int, stride: int, blocks: int) -> nn.Sequential:
    layers = [block(channels, filters, stride)]
    for _ in range(blocks - 1):
        layers.append(block(filters * block.expansion, filters, 1))
    return nn.Sequential(*layers)


def _initialise(net: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(layer, nn.Linear):
            pytorch_default(layer, generator)
