"""Networks: from a motion image to class scores. The table is all there is; a new network is one file and one line here."""

from functools import partial
from itertools import chain
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from learnet.networks.baselines import HistogramSVM, LinearSVM, Majority
from learnet.networks.dual_inception import DualInception
from learnet.networks.learnet import LEARNet
from learnet.networks.learnet_fused import FUSED, FusedLEARNet
from learnet.networks.off_apexnet import OFFApexNet
from learnet.networks.resnet import resnet18, resnet34, resnet50
from learnet.networks.ststnet import STSTNet
from learnet.networks.timm_network import PREFIX, timm_maker
from learnet.networks.vgg import vgg16, vgg19


@runtime_checkable
class MakeNetwork(Protocol):
    """How every network is made: the same classes, size and seed give the same weights, and no global generator is touched.

    The network maps images (B, 3, size, size), float32 from -1 to 1, RGB, to class scores before softmax, (B, classes). One that
    has a method `fit(images, labels)` is fitted in one go instead of trained by gradient. One that reads only one kind of image names
    it in `images_kind`.
    """

    def __call__(self, classes: int, size: int = 112, *, seed: int = 0) -> nn.Module:
        """A new network for this many classes and images of this many pixels a side; a size it cannot take is a LearnetError."""


class Networks(dict[str, MakeNetwork]):
    """A table that besides its own entries knows `timm:NAME` for every network of timm, where that is installed."""

    def __contains__(self, name: object) -> bool:
        """Whether NAME is an entry or begins with `timm:`; what timm does not have, the look-up says."""
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(PREFIX))

    def __missing__(self, name: str) -> MakeNetwork:
        """The network of timm; raises `LearnetError` where timm is not installed, or has none of this name."""
        if not name.startswith(PREFIX):
            raise KeyError(name)
        return timm_maker(name.removeprefix(PREFIX))


NETWORKS = Networks(
    {
        "learnet": LEARNet,
        "learnet-paper": partial(LEARNet, variant="paper"),
        "learnet-no-accretion": partial(LEARNet, variant="no-accretion"),
        "learnet-no-cross": partial(LEARNet, variant="no-cross"),
        "learnet-plain": partial(LEARNet, variant="plain"),
        "learnet-one-stream": partial(LEARNet, variant="one-stream"),
        "learnet-lrn": partial(LEARNet, variant="lrn"),
        "learnet-gap": partial(LEARNet, variant="gap"),
        "resnet18": resnet18,
        "resnet34": resnet34,
        "resnet50": resnet50,
        "vgg16": vgg16,
        "vgg19": vgg19,
        "ststnet": STSTNet,
        "off-apexnet": OFFApexNet,
        "dual-inception": DualInception,
        "linear-svm": LinearSVM,
        "lbp-top": HistogramSVM,
        "majority": Majority,
    }
)


def as_input(images: UInt8[np.ndarray, "B H W 3"] | UInt8[Tensor, "B H W 3"]) -> Float32[Tensor, "B 3 H W"]:
    """Prepared images as a network takes them: 0..255 becomes -1..1.

    The paper does not say how it scales its input, nor does the authors' code. A tensor stays on its device.
    """
    pixels = (
        images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    )  # a copy: prepared images are read-only on disk
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def device_of(module: nn.Module) -> torch.device:
    """Where a network's numbers lie; one that is fitted in one go has buffers alone."""
    return next(chain(module.parameters(), module.buffers())).device


def for_inference(module: nn.Module) -> nn.Module:
    """A trained network in the form in which it answers fastest, equal but for rounding; one without such a form as it is."""
    return FusedLEARNet(module) if isinstance(module, LEARNet) and module.variant in FUSED else module
