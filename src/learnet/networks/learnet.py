"""LEARNet: four lateral columns of strided convolutions, two of which accrete the maps of their neighbours.

References:
    Verma, Vipparthi, Singh, Murala, LEARNet: Dynamic Imaging Network for Micro Expression Recognition, IEEE
    Transactions on Image Processing 29:1618-1627, 2020. Layer sizes as in the authors' Keras file. There is
    no pooling: every convolution has stride 2.

The first convolution of a column is 1x1 with stride 2. It reads every second row and column of the stem,
that is one of four pixels. `LEARNet.forward` does not compute the others; `LEARNet.stages`, which follows
the figure of the paper, does.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.networks.layers import (
    Dropout,
    LocalResponseNorm,
    SameConv,
    ceil_div,
    channels_last,
    check_size,
    glorot,
    preserved_generator,
)

Variant = Literal[
    "released", "paper", "literal", "no-accretion", "no-cross", "plain", "one-stream", "lrn", "gap"
]

STEM_STRIDE = 2
"""The columns read every second row and column of the stem."""

LITERAL_KERNEL = 3
"""Height and width of the window of the FC layer that has the parameters printed in Table VII."""


class Column(nn.Module):
    """A plain column: three convolutions in sequence, of 16, 32 and 64 filters times `width`."""

    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.plain = column_convolutions(width)

    def forward(self, stem: Float[Tensor, "B 16 H W"]) -> dict[str, Tensor]:
        """Return all maps of the column by name.

        Args:
            stem: every second row and column of the stem. Shapes below for 28x28 and width 1.
        """
        p1 = F.relu(self.plain[0](stem))  # (B, 16, 28, 28)
        p2 = F.relu(self.plain[1](p1))  # (B, 32, 14, 14)
        p3 = F.relu(self.plain[2](p2))  # (B, 64, 7, 7)
        return {"plain_1": p1, "plain_2": p2, "plain_3": p3}


class LateralPair(Column):
    """A plain column beside an accreting one, which adds the plain maps after each step but the last.

    The sum of the maps of the two columns is the accretion layer of the paper. In the released code each
    sum is batch-normalised; in the table of the paper it is not.

    Args:
        normalise: constructor of the layer after each sum, called with the number of maps.
        cross: add the maps of the plain column; without, the accreting column continues with its own maps
            only.
    """

    def __init__(self, normalise: Callable[[int], nn.Module], cross: bool = True) -> None:
        super().__init__()
        self.accreting = column_convolutions()
        self.norm = nn.ModuleList([normalise(16), normalise(32)])
        self.cross = cross

    def forward(self, stem: Float[Tensor, "B 16 H W"]) -> dict[str, Tensor]:
        """Return all maps of the pair by name.

        Args:
            stem: every second row and column of the stem. Shapes below for 28x28.
        """
        plain = super().forward(stem)
        a1 = F.relu(self.accreting[0](stem))  # (B, 16, 28, 28)
        sum1 = plain["plain_1"] + a1 if self.cross else a1
        norm1 = self.norm[0](sum1)
        a2 = F.relu(self.accreting[1](norm1))  # (B, 32, 14, 14)
        sum2 = plain["plain_2"] + a2 if self.cross else a2
        norm2 = self.norm[1](sum2)
        a3 = F.relu(self.accreting[2](norm2))  # (B, 64, 7, 7)
        accreting = {"accreting_1": a1, "accreting_2": a2, "accreting_3": a3}
        sums = {"accretion_1": sum1, "accretion_2": sum2, "norm_1": norm1, "norm_2": norm2}
        return {**plain, **accreting, **sums}


class LEARNet(nn.Module):
    """The network of the paper in three variants, and variants that differ from it in one change.

    `released` is the authors' Keras file: batch normalisation after each accretion and after the
    concatenation, dropout before the class layer; 1,866,053 trainable parameters for 5 classes.

    `paper` is an interpretation of Table VII of the paper: no dropout, and one normalisation, after the
    concatenation. The table calls it LRN and prints 256 + 256 parameters. Local response normalisation has
    none, and batch normalisation of 256 maps has exactly these, so it is batch normalisation here. For the
    FC layer from 4x4x256 to 256 the table prints 589,824 + 256 parameters, which repeats the line above it
    (a 3x3 convolution of 256 maps). A layer connected to all of 4x4x256 has 1,048,576 + 256, as in the
    authors' code and here. The 1,405,824 parameters of the table thus become 1,864,576 without the class
    layer.

    `literal` is the same table by its words and numbers: local response normalisation, which has no
    parameters, and an FC layer of 589,824 + 256. Of 4x4x256, a layer from a window of 3x3x256 to 1x1x256
    has this number: 3 * 3 * 256 * 256 + 256. It is a 3x3 convolution of stride 2, as all convolutions of
    this network but the 1x1 and 5x5 ones, without padding, and its output is the printed 1x1x256. It leaves
    out the last row and column of 4x4. It has 1,405,312 parameters without the class layer: the printed sum
    less the 512 of LRN. Maps of 1x1 or 2x2, as of smaller images, are padded to 3x3. Images of more than 128
    pixels are refused, because they leave more than 4x4 and an output of more than 1x1.

    The other variants are `released` with one change, to measure the contribution of each idea. Parameters
    are for 5 classes and 112 pixels:

    * `no-accretion` (1,865,861): no accretion layers, neither sum nor normalisation; four plain columns.
    * `no-cross` (1,866,053): an accretion layer receives nothing from the neighbour and normalises its own
      column's maps.
    * `plain` (1,458,341): no accreting columns; the two plain ones are concatenated, 128 maps.
    * `one-stream` (2,535,557): one plain column as wide as the four together: 64, 128, 256 maps.
    * `lrn` (1,865,349): local response normalisation in place of all five batch normalisations.
    * `gap` (817,221): global average pooling of the 256 maps in place of the FC layer over 4x4x256.

    The paper numbers the columns 1 and 4 plain, 2 and 3 accreting. The authors' code, and this file, number
    1 and 3 plain, 2 and 4 accreting. Only the order of the concatenated maps differs.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels; 112 in the paper.
        variant: one of the above.
        seed: seed of the initial weights (Glorot-uniform, bias zero: the defaults of Keras).

    Raises:
        LearnetError: more than 128 pixels, for `literal`.
    """

    def __init__(self, classes: int, size: int = 112, variant: Variant = "released", seed: int = 0) -> None:
        super().__init__()
        self.size = size
        self.variant = variant
        if variant == "literal":
            check_size("learnet-literal", size)
        side = size
        for _ in range(5):  # stem, three convolutions of the columns, conv5: 112 -> 56, 28, 14, 7, 4
            side = ceil_div(side, 2)
        width = 128 if variant == "plain" else 256
        with preserved_generator():
            self.stem = conv(3, 16, 3)
            for name, columns in _lateral_columns(variant).items():
                self.add_module(name, columns)
            self.norm = LocalResponseNorm() if variant in ("lrn", "literal") else batch_norm(width)
            self.conv5 = conv(width, 256, 3)
            self.dense = _dense_layer(variant, side)
            self.dropout = nn.Identity() if variant in ("paper", "literal") else Dropout(0.5, 256)
            self.classify = nn.Linear(256, classes)
        glorot(self, seed)
        channels_last(self)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return class scores before softmax, for RGB images in -1..1."""
        # Without this, the backward pass would convert the memory format again.
        images = images.contiguous(memory_format=torch.channels_last)
        stem = F.relu(self.stem(images, subsample=STEM_STRIDE))
        return self._after_stem(stem)["logits"]

    def stages(self, images: Float[Tensor, "B 3 S S"]) -> dict[str, Tensor]:
        """Return the output of every layer by name, in the order of computation.

        The names are `stem`; for each of the pairs `one` and `two`: `one.plain_1` .. `one.plain_3` and
        `one.accreting_1` .. `_3` (the columns, level by level), `one.accretion_1` and `_2` (the sums),
        `one.norm_1` and `_2` (the normalised sums; in the variant `paper` equal to the sums); then
        `concat`, `norm`, `conv5`, `dense` and `logits`. Maps are (B, C, H, W) after the ReLU. Variants
        without a layer have no stage of its name, except that `dense` of `gap` is the pooled maps.
        """
        stem = F.relu(self.stem(images))  # (B, 16, 56, 56)
        after = self._after_stem(stem[:, :, ::STEM_STRIDE, ::STEM_STRIDE])
        return {"stem": stem, **after}

    def _after_stem(self, stem: Float[Tensor, "B 16 H W"]) -> dict[str, Tensor]:
        stages: dict[str, Tensor] = {}
        for pair, columns in self.lateral.items():
            for name, maps in columns(stem).items():
                stages[f"{pair}.{name}"] = maps
        last = [maps for name, maps in stages.items() if name.endswith("_3")]  # of each column
        concat = torch.cat(last, dim=1)  # (B, 256, 7, 7)
        normalised = self.norm(concat)
        conv5 = F.relu(self.conv5(normalised))  # (B, 256, 4, 4)
        dense = self._dense(conv5)  # (B, 256)
        logits = self.classify(self.dropout(dense))  # (B, K)
        stages |= {"concat": concat, "norm": normalised, "conv5": conv5, "dense": dense, "logits": logits}
        return stages

    def _dense(self, conv5: Float[Tensor, "B 256 H W"]) -> Float[Tensor, "B 256"]:
        if self.dense is None:  # the variant `gap`
            return conv5.mean(dim=(2, 3))
        if isinstance(self.dense, nn.Conv2d):  # the variant `literal`
            window = self.dense(_padded_to_window(conv5))  # (B, 256, 1, 1)
            return F.relu(window.flatten(1))
        return F.relu(self.dense(conv5.flatten(1)))

    @property
    def lateral(self) -> dict[str, Column]:
        """The columns between stem and concatenation: the pairs `one` and `two`, or what replaces them."""
        columns = {}
        for name, part in self.named_children():
            if isinstance(part, Column):
                columns[name] = part
        return columns


def _dense_layer(variant: Variant, side: int) -> nn.Linear | nn.Conv2d | None:
    """Return the layer from the maps of `conv5`, `side` pixels wide, to 256 numbers."""
    if variant == "gap":
        return None
    if variant == "literal":
        return nn.Conv2d(256, 256, LITERAL_KERNEL, stride=2)
    return nn.Linear(256 * side * side, 256)


def _padded_to_window(maps: Float[Tensor, "B 256 H W"]) -> Float[Tensor, "B 256 H2 W2"]:
    """Pad maps that are smaller than the window of the literal FC layer, as 'same' padding does."""
    missing = max(LITERAL_KERNEL - maps.shape[-1], 0)
    before = missing // 2
    after = missing - before
    return F.pad(maps, (before, after, before, after))


def _lateral_columns(variant: Variant) -> dict[str, Column]:
    if variant == "one-stream":
        return {"one": Column(width=4)}
    if variant == "plain":
        return {"one": Column(), "two": Column()}
    normalise: Callable[[int], nn.Module] = batch_norm
    if variant in ("paper", "literal", "no-accretion"):
        normalise = nn.Identity
    elif variant == "lrn":
        normalise = LocalResponseNorm
    cross = variant not in ("no-accretion", "no-cross")
    return {"one": LateralPair(normalise, cross), "two": LateralPair(normalise, cross)}


def column_convolutions(width: int = 1) -> nn.ModuleList:
    """Return the three convolutions of a column; the first has stride 1, as its input is subsampled."""
    first = SameConv(16, 16 * width, 1)
    second = conv(16 * width, 32 * width, 3)
    third = conv(32 * width, 64 * width, 5)
    return nn.ModuleList([first, second, third])


def conv(channels: int, filters: int, kernel: int) -> SameConv:
    """Return the usual convolution of LEARNet: stride 2, TensorFlow's 'same' padding."""
    return SameConv(channels, filters, kernel, stride=2)


def batch_norm(maps: int) -> nn.BatchNorm2d:
    """Return batch normalisation as in Keras, whose momentum of 0.99 is 0.01 in PyTorch's definition."""
    return nn.BatchNorm2d(maps, eps=1e-3, momentum=0.01)
