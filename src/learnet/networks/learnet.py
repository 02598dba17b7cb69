"""LEARNet: four lateral columns of strided convolutions, two of which take in what their neighbours saw.

Source: Verma, Vipparthi, Singh, Murala, LEARNet: Dynamic Imaging Network for Micro Expression Recognition, IEEE Transactions on
Image Processing 29:1618-1627, 2020; layer sizes as in the authors' Keras file. Nothing is pooled: every convolution has stride 2.

The first convolution of a column is 1x1 with stride 2, so it looks at every second row and column of the stem and never at three of four
of its pixels. `LEARNet.forward` does not compute those; `LEARNet.stages`, which reads like the paper's figure, does.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks.layers import Dropout, LocalResponseNorm, SameConv, ceil_div, channels_last, glorot

Variant = Literal["released", "paper", "no-accretion", "no-cross", "plain", "one-stream", "lrn", "gap"]


SEEN_EVERY = 2
"""Of the stem's rows and columns the columns see one in so many."""


class Column(nn.Module):
    """A plain column: three convolutions, one after the other, of 16, 32 and 64 filters times `width`."""

    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.plain = steps(width)

    def forward(self, seen: Float[Tensor, "B 16 H W"]) -> dict[str, Tensor]:
        """All maps of the column by name, from what it sees of the stem; sizes for 28x28 coming in, and width 1."""
        p1 = F.relu(self.plain[0](seen))  # (B, 16, 28, 28)
        p2 = F.relu(self.plain[1](p1))  # (B, 32, 14, 14)
        p3 = F.relu(self.plain[2](p2))  # (B, 64, 7, 7)
        return {"plain_1": p1, "plain_2": p2, "plain_3": p3}


class LateralPair(Column):
    """A plain column, and beside it one that takes in the plain column's maps after each step but the last.

    The sum of the two columns' maps is the paper's accretion layer. In the released code each sum is batch-normalised; in the
    paper's table it is not. Without `cross` the second column goes on with its own maps alone.
    """

    def __init__(self, between: Callable[[int], nn.Module], cross: bool = True) -> None:
        """A pair with `between(maps)` after each sum."""
        super().__init__()
        self.accreting = steps()
        self.norm = nn.ModuleList([between(16), between(32)])
        self.cross = cross

    def forward(self, seen: Float[Tensor, "B 16 H W"]) -> dict[str, Tensor]:
        """All maps of the pair by name, from what it sees of the stem; sizes for 28x28 coming in."""
        plain = super().forward(seen)
        a1 = F.relu(self.accreting[0](seen))  # (B, 16, 28, 28)
        sum1 = plain["plain_1"] + a1 if self.cross else a1
        norm1 = self.norm[0](sum1)
        a2 = F.relu(self.accreting[1](norm1))  # (B, 32, 14, 14)
        sum2 = plain["plain_2"] + a2 if self.cross else a2
        norm2 = self.norm[1](sum2)
        a3 = F.relu(self.accreting[2](norm2))  # (B, 64, 7, 7)
        columns = {**plain, "accreting_1": a1, "accreting_2": a2, "accreting_3": a3}
        return {**columns, "accretion_1": sum1, "accretion_2": sum2, "norm_1": norm1, "norm_2": norm2}


class LEARNet(nn.Module):
    """The network of the paper, in one of two variants, and with one change at a time.

    `released` is the authors' Keras file: batch normalisation after each accretion and after the concatenation, dropout before the
    class layer; 1,866,053 trainable parameters for 5 classes.

    `paper` is the paper's Table VII: no dropout, and one normalisation, after the concatenation. The table calls it LRN, but gives it
    256 + 256 parameters; local response normalisation has none, batch normalisation over 256 maps has just these, so it is that. The
    table prints 589,824 + 256 parameters for the FC layer from 4x4x256 to 256. That is the line above it once more (a 3x3 convolution
    over 256 maps); a layer connected to all of 4x4x256 has 1,048,576 + 256, as in the authors' code, and that is what stands here. So
    the table's sum of 1.4 million becomes 1,864,576 without the class layer.

    The other variants are `released` with one change, to measure what each idea is worth. Parameters are for 5 classes and 112 pixels:

    * `no-accretion` (1,865,861): no accretion layers, neither sum nor its normalisation, so four plain columns.
    * `no-cross` (1,866,053): an accretion layer gets nothing from the neighbour; it normalises its own column's maps.
    * `plain` (1,458,341): the accreting columns are gone; the two plain ones alone go into the concatenation, 128 maps.
    * `one-stream` (2,535,557): one plain column as wide as the four together: 64, 128, 256 maps.
    * `lrn` (1,865,349): local response normalisation in all five places instead of batch normalisation.
    * `gap` (817,221): the mean of each of the 256 maps instead of the FC layer over all of 4x4x256.

    The paper numbers the columns 1 and 4 plain, 2 and 3 accreting; the code, and this file, 1 and 3 plain, 2 and 4 accreting. Only
    the order of the concatenated maps differs, which means nothing to the layer that learns from them.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels; the paper's is 112.
        variant: one of the above.
        seed: of the initial weights (Glorot-uniform, bias zero: the Keras file's defaults).
    """

    def __init__(self, classes: int, size: int = 112, variant: Variant = "released", seed: int = 0) -> None:
        super().__init__()
        self.size, self.variant, side = size, variant, size
        for _ in range(5):  # stem, three steps of the columns, conv5: 112 -> 56, 28, 14, 7, 4
            side = ceil_div(side, 2)
        with torch.random.fork_rng(
            devices=[]
        ):  # layers draw weights as they are made; the caller's generator stays as it was
            self.stem = conv(3, 16, 3)
            for name, columns in _lateral(variant).items():
                self.add_module(name, columns)
            width = 128 if variant == "plain" else 256
            self.norm = LocalResponseNorm() if variant == "lrn" else norm(width)
            self.conv5 = conv(width, 256, 3)
            self.dense = None if variant == "gap" else nn.Linear(256 * side * side, 256)
            self.dropout = nn.Identity() if variant == "paper" else Dropout(0.5, 256)
            self.classify = nn.Linear(256, classes)
        glorot(self, seed)
        channels_last(self)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Class scores before softmax, of images from -1 to 1, RGB."""
        images = images.contiguous(
            memory_format=torch.channels_last
        )  # once here, or the way back would do it again
        return self._beyond_stem(F.relu(self.stem(images, every=SEEN_EVERY)))["logits"]

    def stages(self, images: Float[Tensor, "B 3 S S"]) -> dict[str, Tensor]:
        """What every layer answers, by name, in the order of computation.

        `stem`; then for the two pairs, `one` and `two`: `one.plain_1` .. `one.plain_3` and `one.accreting_1` .. `_3` (the columns,
        level by level), `one.accretion_1` and `_2` (the sums), `one.norm_1` and `_2` (the sums normalised; in the variant `paper`
        the sums as they are); then `concat`, `norm`, `conv5`, `dense` and `logits`. Maps are (B, C, H, W) and taken after the ReLU.
        Variants without a part have no stage of its name, but `gap`, whose `dense` are the means of the maps.
        """
        stem = F.relu(self.stem(images))  # (B, 16, 56, 56)
        return {"stem": stem, **self._beyond_stem(stem[:, :, ::SEEN_EVERY, ::SEEN_EVERY])}

    def _beyond_stem(self, seen: Float[Tensor, "B 16 H W"]) -> dict[str, Tensor]:
        lateral = {
            f"{pair}.{name}": maps
            for pair, columns in self.lateral.items()
            for name, maps in columns(seen).items()
        }
        concat = torch.cat(
            [maps for name, maps in lateral.items() if name.endswith("_3")], dim=1
        )  # (B, 256, 7, 7)
        normed = self.norm(concat)
        conv5 = F.relu(self.conv5(normed))  # (B, 256, 4, 4)
        dense = (
            conv5.mean(dim=(2, 3)) if self.dense is None else F.relu(self.dense(conv5.flatten(1)))
        )  # (B, 256)
        logits = self.classify(self.dropout(dense))  # (B, K)
        return {**lateral, "concat": concat, "norm": normed, "conv5": conv5, "dense": dense, "logits": logits}

    @property
    def lateral(self) -> dict[str, Column]:
        """The columns between stem and concatenation: the pairs `one` and `two`, or what stands in their place."""
        return {name: part for name, part in self.named_children() if isinstance(part, Column)}


def _lateral(variant: Variant) -> dict[str, Column]:
    if variant == "one-stream":
        return {"one": Column(width=4)}
    if variant == "plain":
        return {"one": Column(), "two": Column()}
    between: Callable[[int], nn.Module] = norm
    if variant in ("paper", "no-accretion"):
        between = nn.Identity
    elif variant == "lrn":
        between = LocalResponseNorm
    return {
        name: LateralPair(between, cross=variant not in ("no-accretion", "no-cross"))
        for name in ("one", "two")
    }


def steps(width: int = 1) -> nn.ModuleList:
    """The three convolutions of a column; only the first sees the stem, whose width stays. Its stride has been taken before it."""
    return nn.ModuleList(
        [SameConv(16, 16 * width, 1), conv(16 * width, 32 * width, 3), conv(32 * width, 64 * width, 5)]
    )


def conv(channels: int, filters: int, kernel: int) -> SameConv:
    """The usual convolution in LEARNet: stride 2, TensorFlow's 'same' padding."""
    return SameConv(channels, filters, kernel, stride=2)


def norm(maps: int) -> nn.BatchNorm2d:
    """Batch normalisation with Keras's defaults: its momentum 0.99 is the share kept, PyTorch's 0.01 the share taken in."""
    return nn.BatchNorm2d(maps, eps=1e-3, momentum=0.01)


KERAS_LAYERS = {
    "Conv_S": "stem",
    "Conv_1_1": "one.plain.0", "Conv_1_2": "one.plain.1", "Conv_1_3": "one.plain.2",
    "Conv_2_1": "one.accreting.0", "Conv_2_2": "one.accreting.1", "Conv_x_2": "one.accreting.2",
    "Conv_3_1": "two.plain.0", "Conv_3_2": "two.plain.1", "Conv_3_3": "two.plain.2",
    "Conv_4_1": "two.accreting.0", "Conv_4_2": "two.accreting.1", "Conv_x_4": "two.accreting.2",
    "Conv_5_1": "conv5",
    "batch_normalization": "one.norm.0", "batch_normalization_1": "one.norm.1",
    "batch_normalization_2": "two.norm.0", "batch_normalization_3": "two.norm.1",
    "batch_normalization_4": "norm",
    "dense": "dense", "dense_1": "classify",
}  # fmt: skip
"""The authors' layer names and ours. Normalisations and dense layers have no name in their file; these are the ones that Keras 3 (and
tf.keras) gives to the first model of a process, in the order in which the file makes the layers: column by column, not level by level."""

KERAS_WEIGHTS = {
    "weight": "kernel", "bias": "bias",
    "norm.weight": "gamma", "norm.bias": "beta", "norm.running_mean": "moving_mean", "norm.running_var": "moving_variance",
}  # fmt: skip


def to_keras(net: LEARNet) -> dict[str, np.ndarray]:
    """The weights under the authors' Keras layer names: `Conv_1_1/kernel`, `batch_normalization/gamma`, `dense/bias`, ...

    Convolution kernels are (height, width, in, out), dense ones (in, out), all float32. Keras flattens maps as (H, W, C), PyTorch as
    (C, H, W): the rows of `dense/kernel` are put in Keras's order. The variant `paper` has only the last of the five
    normalisations, and it keeps its name.
    """
    state = net.state_dict()
    return {name: _to_keras(name, state[ours].detach().cpu().numpy()) for name, ours in _names(net).items()}


def from_keras(net: LEARNet, weights: Mapping[str, np.ndarray]) -> None:
    """Take over weights named and laid out as `to_keras` gives them.

    Raises:
        LearnetError: a weight is missing, nobody knows its name, or its shape is another; the network is then unchanged.
    """
    wanted = {name: array.shape for name, array in to_keras(net).items()}
    for what, names in (
        ("missing", wanted.keys() - weights.keys()),
        ("unknown", weights.keys() - wanted.keys()),
    ):
        if names:
            raise LearnetError(
                f"Keras weights {what}: {', '.join(sorted(names))}.",
                "Names are listed in learnet.networks.learnet.",
            )
    for name, shape in wanted.items():
        if np.shape(weights[name]) != shape:
            raise LearnetError(
                f"Keras weight {name} is {np.shape(weights[name])}, not {shape}.",
                "Are size and classes the same?",
            )
    state = net.state_dict()
    for name, ours in _names(net).items():
        state[ours].copy_(torch.from_numpy(_from_keras(name, np.asarray(weights[name], dtype=np.float32))))


def _names(net: LEARNet) -> dict[str, str]:
    """Keras's name of each weight, and the one in our state dict."""
    state = net.state_dict()
    names = {}
    for layer, ours in KERAS_LAYERS.items():
        for weight, keras in KERAS_WEIGHTS.items():
            key = f"{ours}.{weight.removeprefix('norm.')}"
            if weight.startswith("norm.") == layer.startswith("batch") and key in state:
                names[f"{layer}/{keras}"] = key
    return names


def _to_keras(name: str, array: np.ndarray) -> np.ndarray:
    if name == "dense/kernel":  # (256, C*H*W) -> (H*W*C, 256)
        side = round((array.shape[1] / 256) ** 0.5)
        array = array.reshape(256, 256, side, side).transpose(2, 3, 1, 0).reshape(-1, 256)
    elif array.ndim == 4:
        array = array.transpose(2, 3, 1, 0)
    elif array.ndim == 2:
        array = array.T
    return np.array(array)


def _from_keras(name: str, array: np.ndarray) -> np.ndarray:
    if name == "dense/kernel":
        side = round((array.shape[0] / 256) ** 0.5)
        array = array.reshape(side, side, 256, 256).transpose(3, 2, 0, 1).reshape(256, -1)
    elif array.ndim == 4:
        array = array.transpose(3, 2, 0, 1)
    elif array.ndim == 2:
        array = array.T
    return np.array(array, order="C")  # a copy: what is given may be read-only
