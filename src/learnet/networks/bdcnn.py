"""BDCNN: four images of the flow, cut into small blocks that are convolved and pooled one by one.

References:
    Chen et al., Block Division Convolutional Network With Implicit Deep Features
    Augmentation for Micro-Expression Recognition, IEEE Transactions on Multimedia 2022 (doi
    10.1109/TMM.2022.3141616). Layers as in the authors' PyTorch file, with its default blocks of 10 pixels.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import preserved_generator, pytorch_default

SIDE = 120  # pixels to which every image is scaled
BLOCK = 10  # pixels of a block in a row
BLOCKS = SIDE // BLOCK  # in a row
IMAGES = 4
FILTERS = 8
POOLED = 4  # rows and columns of a block after 3x3 pooling that begins one pixel before it
NO_MOVEMENT = 1e-6  # smallest largest magnitude that a magnitude is divided by


class BDCNN(nn.Module):
    """One 3x3 convolution over the 144 blocks of each of four images, a 1x1 convolution over all, two dense
    layers.

    It has 10,881,251 parameters for 3 classes, whatever the size.

    The network is designed for flow images, whose red, green and blue channels (0..255) are u, v and strain.
    Its four images are u, v and strain, each as a picture of three equal channels, and the flow in colours
    (`flow_colours`), which is computed here from u and v. They are scaled to 120x120 pixels by linear
    interpolation, as the authors scale theirs. One convolution with the same weights is applied to every
    block of every image, padded with zeros, so no block sees its neighbours before the 1x1 convolution.

    The implicit augmentation of the paper is a change of the loss in training, not of the network, and is
    not part of it.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels; any.
        seed: seed of the initial weights (PyTorch's defaults, as in the authors' file).
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        with preserved_generator():
            self.conv1 = nn.Conv2d(3, FILTERS, 3, padding=1)
            self.conv2 = nn.Conv2d(IMAGES * BLOCKS**2 * FILTERS, 512, 1)
            self.fc1 = nn.Linear(512 * POOLED**2, 1024)
            self.fc2 = nn.Linear(1024, 128)
            self.fc = nn.Linear(128, classes)
        generator = torch.Generator().manual_seed(seed)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2, self.fc):
            pytorch_default(layer, generator)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax.

        Args:
            images: channels u, v and strain, each in -1..1.
        """
        pictures = four_images(images).unbind(dim=1)  # one after the other, which needs less memory
        maps = torch.cat([self._block_maps(picture) for picture in pictures], dim=1)  # (B, 4608, 4, 4)
        reduced = F.relu(self.conv2(maps))  # (B, 512, 4, 4)
        dense1 = F.relu(self.fc1(reduced.flatten(1)))  # (B, 1024)
        dense2 = F.relu(self.fc2(dense1))  # (B, 128)
        return self.fc(dense2)  # (B, K)

    def _block_maps(self, picture: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 1152 4 4"]:
        scaled = F.interpolate(picture, (SIDE, SIDE), mode="bilinear", align_corners=False)
        blocks = divide(scaled)  # (B * 144, 3, 10, 10)
        pooled = F.max_pool2d(F.relu(self.conv1(blocks)), 3, stride=3, padding=1)  # (B * 144, 8, 4, 4)
        return pooled.reshape(-1, BLOCKS**2 * FILTERS, POOLED, POOLED)


def four_images(images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 4 3 S S"]:
    """Return u, v and strain as pictures of three equal channels, and the flow in colours, in -1..1."""
    grey = images[:, :, None].expand(-1, -1, 3, -1, -1)
    colours = flow_colours(images[:, 0], images[:, 1])
    return torch.cat([grey, 2 * colours[:, None] - 1], dim=1)


def flow_colours(u: Float[Tensor, "B H W"], v: Float[Tensor, "B H W"]) -> Float[Tensor, "B 3 H W"]:
    """Draw the flow: the hue is its direction and the brightness its magnitude, white to black removed.

    It is the usual picture of optical flow in OpenCV: hue, saturation and value (HSV) are the angle from the
    positive u axis towards v, one, and the magnitude divided by the largest of the image.

    Args:
        u: movement to the right, of any unit; 0 is no movement.
        v: movement down.

    Returns:
        Red, green and blue, 0..1; all 0 where nothing moves.
    """
    magnitude = (u.square() + v.square()).sqrt()
    largest = magnitude.amax(dim=(1, 2), keepdim=True).clamp(min=NO_MOVEMENT)
    value = magnitude / largest
    turn = torch.atan2(v, u) / (2 * math.pi)  # -1/2..1/2; red is 0, green 1/3, blue 2/3
    channels = []
    for primary in (0, 1 / 3, 2 / 3):
        away = turn - primary
        distance = (away - away.round()).abs()  # on the colour circle, 0..1/2
        channels.append(value * (2 - 6 * distance).clamp(0, 1))
    return torch.stack(channels, dim=1)


def divide(images: Float[Tensor, "N 3 120 120"]) -> Float[Tensor, "N_144 3 10 10"]:
    """Cut each image into blocks, row by row."""
    rows = images.unflatten(2, (BLOCKS, BLOCK)).unflatten(4, (BLOCKS, BLOCK))  # (N, 3, 12, 10, 12, 10)
    blocks = rows.permute(0, 2, 4, 1, 3, 5)  # (N, 12, 12, 3, 10, 10)
    return blocks.flatten(0, 2)
