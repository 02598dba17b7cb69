"""Parts shared by several networks: layers, initial weights from a seed, and the check of the image size."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.core.network_info import NETWORK_INFO


class SameConv(nn.Conv2d):
    """Convolve with TensorFlow's 'same' padding: the output has ceil(H / stride) rows for any H.

    Where the number of padding zeros is odd, the extra zero goes to the bottom and to the right. PyTorch's
    `padding=1` gives the same size for a 3x3 kernel with stride 2, but samples positions one pixel away.

    Args:
        channels: number of input maps.
        filters: number of output maps.
        kernel: height and width of the kernel.
        stride: step in both directions.
    """

    def __init__(self, channels: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, filters, kernel, stride)

    def forward(self, x: Float[Tensor, "B C H W"], subsample: int = 1) -> Float[Tensor, "B F H2 W2"]:
        """Return the convolved maps.

        Args:
            x: input maps.
            subsample: compute only every so manyth row and column of the output, starting with the first.
        """
        height, width = x.shape[2:]
        kernel = self.kernel_size[0]
        stride = self.stride[0]
        top, bottom = same_padding(height, kernel, stride, subsample)
        left, right = same_padding(width, kernel, stride, subsample)
        step = subsample * stride
        if top == bottom and left == right:
            return F.conv2d(x, self.weight, self.bias, step, (top, left))
        padded = F.pad(x, (left, right, top, bottom))
        return F.conv2d(padded, self.weight, self.bias, step)


def same_padding(length: int, kernel: int, stride: int, subsample: int = 1) -> tuple[int, int]:
    """Return the zeros that 'same' padding puts before and after a row of `length` pixels.

    With `subsample`, zeros at the end that no computed window reaches are left out.
    """
    windows = ceil_div(length, stride)
    total = max((windows - 1) * stride + kernel - length, 0)
    before = total // 2
    last_start = (windows - 1) // subsample * subsample * stride
    after = max(last_start + kernel - before - length, 0)
    return before, after


def ceil_div(length: int, stride: int) -> int:
    """Return the output length of a convolution with 'same' padding: 7 with stride 2 gives 4."""
    return -(-length // stride)


class Dropout(nn.Module):
    """Dropout whose mask can be set from outside.

    The training loop draws the mask from the network's own seed. The same seed then gives the same network,
    whatever else is trained in the process or in the same pass.

    Args:
        rate: probability that a feature is dropped.
        features: number of features F.
    """

    mask: Tensor

    def __init__(self, rate: float, features: int) -> None:
        super().__init__()
        self.rate = rate
        self.features = features
        self.register_buffer("mask", torch.empty(0), persistent=False)

    def draw_mask(self, count: int, generator: torch.Generator) -> Float[Tensor, "B F"]:
        """Return a new mask for `count` images, on the device of the generator.

        It is 0 for a dropped feature and 1 / (1 - rate) for a kept one.
        """
        shape = (count, self.features)
        uniform = torch.rand(shape, generator=generator, device=generator.device)
        kept = uniform >= self.rate
        return kept / (1 - self.rate)

    def forward(self, x: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        """Return the features times the mask. In eval mode they are unchanged.

        Where no mask is set, one is drawn from the global generator.
        """
        if self.training and self.mask.numel():
            return x * self.mask
        return F.dropout(x, self.rate, self.training)


class LocalResponseNorm(nn.Module):
    """Divide each map, pixel by pixel, by (2 + 1e-4 * sum of squares over the five surrounding maps) ** 0.75.

    PyTorch's layer of the same name takes the mean of the five maps where the paper takes the sum.

    Args:
        maps: unused; every normalisation layer is constructed with its number of maps.

    References:
        Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NIPS
        2012, section 3.3, from which the constants are taken.
    """

    def __init__(self, maps: int = 0) -> None:
        super().__init__()

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the normalised maps. Before the first and after the last map there are none to sum."""
        maps = x.shape[1]
        squares = F.pad(x * x, (0, 0, 0, 0, 2, 2))
        shifted = [squares[:, start : start + maps] for start in range(5)]
        sums = torch.stack(shifted).sum(dim=0)
        return x / (2 + 1e-4 * sums) ** 0.75


@contextmanager
def preserved_generator() -> Iterator[None]:
    """Restore the global generator afterwards: layers of PyTorch draw weights from it when constructed."""
    with torch.random.fork_rng(devices=[]):
        yield


def glorot(module: nn.Module, seed: int) -> None:
    """Give every convolution and dense layer Glorot-uniform weights and zero bias.

    These are the defaults of Keras. Weights are drawn in the order of definition.

    References:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
        AISTATS 2010.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def pytorch_default(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    """Draw weights and bias as PyTorch does by default: uniform within 1 / sqrt(fan-in)."""
    assert layer.bias is not None, "the limit of the bias is that of the weights of the same layer"
    limit = layer.weight[0].numel() ** -0.5
    nn.init.uniform_(layer.weight, -limit, limit, generator=generator)
    nn.init.uniform_(layer.bias, -limit, limit, generator=generator)


def check_size(network: str, size: int) -> None:
    """Refuse a size at which a network would ignore rows at the border, by `NetworkInfo.sizes`.

    Args:
        network: name in `NETWORK_INFO`.
        size: height and width of the images in pixels.

    Raises:
        LearnetError: the size is not valid; the message names the nearest valid sizes.
    """
    rule = NETWORK_INFO[network].sizes
    if rule.accepts(size):
        return
    smaller = filter(rule.accepts, range(size - 1, 0, -1))
    first_larger = max(size + 1, rule.smallest)
    larger = filter(rule.accepts, range(first_larger, first_larger + rule.modulus))  # none above the largest
    nearest = [*itertools.islice(smaller, 1), *itertools.islice(larger, 1)]
    listed = " and ".join(str(side) for side in nearest)
    raise LearnetError(
        f"{network} cannot take images of {size} pixels.",
        f"It accepts sizes that {rule.description}; nearest: {listed}.",
    )


def cell_values(images: Float[Tensor, "B 3 S S"], cells: int) -> Float[Tensor, "B 3 n n"]:
    """Return the values, 0..1, in the middle of the cells of images of histograms.

    Args:
        images: in -1..1.
        cells: number n of cells in a row of an image.
    """
    size = images.shape[-1]
    centres = (2 * torch.arange(cells, device=images.device) + 1) * size // (2 * cells)
    rows = images.index_select(2, centres)
    return (rows.index_select(3, centres) + 1) / 2


def channels_last(module: nn.Module) -> None:
    """Store the channels of a pixel next to each other in memory.

    Values and shapes stay. A training step of LEARNet takes 25 % less time.
    """
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
