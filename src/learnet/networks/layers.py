"""What more than one network uses: layers, initial weights from a seed, and the refusal of sizes that do not come out even."""

import itertools
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's 'same' padding: ceil(H / stride) rows come out, whatever H is.

    Where an odd number of zeros is needed the extra one goes to the bottom and the right. PyTorch's `padding=1` gives the same
    size for 3x3 with stride 2, but every sample one pixel away.
    """

    def __init__(self, channels: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, filters, kernel, stride)

    def forward(self, x: Float[Tensor, "B C H W"], every: int = 1) -> Float[Tensor, "B F H2 W2"]:
        """Convolve the maps, with zeros around them; of the answer only EVERY so manieth row and column, from the first on."""
        (top, bottom), (left, right) = (
            same_zeros(length, self.kernel_size[0], self.stride[0], every) for length in x.shape[2:]
        )
        stride = every * self.stride[0]
        if top == bottom and left == right:
            return F.conv2d(x, self.weight, self.bias, stride, (top, left))
        return F.conv2d(F.pad(x, (left, right, top, bottom)), self.weight, self.bias, stride)


def same_zeros(length: int, kernel: int, stride: int, every: int = 1) -> tuple[int, int]:
    """Zeros that 'same' padding puts before and after a row of this length; after it only those that every so manieth window reaches."""
    total = max((ceil_div(length, stride) - 1) * stride + kernel - length, 0)
    before, last = (
        total // 2,
        (ceil_div(length, stride) - 1) // every * every * stride,
    )  # where the last window begins
    return before, max(last + kernel - before - length, 0)


def ceil_div(length: int, stride: int) -> int:
    """What 'same' padding leaves of a side: 7 with stride 2 gives 4."""
    return -(-length // stride)


class Dropout(nn.Module):
    """Dropout whose mask is drawn by the training loop from the network's own seed, not by the layer from a generator that all share.

    So the same seed gives the same network whatever else is trained in the process, or beside it in the same pass.
    """

    mask: Tensor

    def __init__(self, rate: float, features: int) -> None:
        """Dropping this share of so many features."""
        super().__init__()
        self.rate, self.features = rate, features
        self.register_buffer("mask", torch.empty(0), persistent=False)

    def draw_mask(self, count: int, generator: torch.Generator) -> Float[Tensor, "B F"]:
        """A new mask for COUNT images, where the generator is: 0 where a feature is dropped, else what keeps the mean as it was."""
        kept = torch.rand((count, self.features), generator=generator, device=generator.device) >= self.rate
        return kept / (1 - self.rate)

    def forward(self, x: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        """The features under the mask, or where none has been set under one from the global generator; at test as they are."""
        if self.training and self.mask.numel():
            return x * self.mask
        return F.dropout(x, self.rate, self.training)


class LocalResponseNorm(nn.Module):
    """Each map divided by (2 + 1e-4 * the sum of squares over the five maps around it) to the power of 0.75, pixel by pixel.

    Source: Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012, section 3.3,
    whose constants these are. PyTorch's layer of the name takes the mean of the five where the paper takes the sum.
    """

    def __init__(self, maps: int = 0) -> None:
        """Over any number of maps: MAPS is taken so that normalisations are made alike."""
        super().__init__()

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The maps normalised. Beyond the first and the last map there are none to be counted."""
        squares = F.pad(x * x, (0, 0, 0, 0, 2, 2))
        around = torch.stack([squares[:, start : start + x.shape[1]] for start in range(5)]).sum(dim=0)
        return x / (2 + 1e-4 * around) ** 0.75


def glorot(module: nn.Module, seed: int) -> None:
    """Give every convolution and dense layer Glorot-uniform weights and zero bias, as Keras does, in the order of definition.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def as_pytorch(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    """Give a layer the initial weights that PyTorch gives it: weight and bias uniform within one over the root of the fan-in."""
    assert layer.bias is not None, "PyTorch's scale of the bias is that of the weights of the same layer"
    limit = layer.weight[0].numel() ** -0.5
    nn.init.uniform_(layer.weight, -limit, limit, generator=generator)
    nn.init.uniform_(layer.bias, -limit, limit, generator=generator)


def check_size(network: str, size: int, fits: Callable[[int], bool], rule: str) -> None:
    """Refuse images whose rows do not come out even, where the last ones would be left out without a word.

    Args:
        network: its name in the table.
        size: height and width of the images in pixels.
        fits: whether a size comes out even.
        rule: what sizes that do have in common, after "sizes that".

    Raises:
        LearnetError: it does not fit; the message names the nearest sizes that do.
    """
    if fits(size):
        return
    below = [side for side in range(1, size) if fits(side)][-1:]
    above = next(side for side in itertools.count(max(size + 1, 1)) if fits(side))
    near = " and ".join(map(str, [*below, above]))
    raise LearnetError(
        f"{network} cannot take images of {size} pixels.", f"It takes sizes that {rule}; nearest: {near}."
    )


def channels_last(module: nn.Module) -> None:
    """Let the numbers of one pixel lie side by side in memory. Same values and shapes; a LEARNet training step takes a quarter less."""
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
