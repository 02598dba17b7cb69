"""Networks: from a motion image to class scores.

A new network is one file here, one entry in `NETWORKS`, and one in `learnet.core.network_info`, which says
what it accepts.
"""

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from learnet.core.errors import UnknownName
from learnet.core.network_info import ANY_KIND, NETWORK_INFO, TIMM_PREFIX, NetworkInfo
from learnet.networks.baselines import LinearSVM, Majority
from learnet.networks.bdcnn import BDCNN
from learnet.networks.bi_woof import BiWOOFSVM
from learnet.networks.dual_inception import DualInception
from learnet.networks.lbp_fip import FIPHistogramSVM
from learnet.networks.lbp_top import TOPHistogramSVM
from learnet.networks.learnet import LEARNet
from learnet.networks.learnet_fused import FUSED_VARIANTS, FusedLEARNet
from learnet.networks.mlp import MLP, MLPCNN
from learnet.networks.off_apexnet import OFFApexNet
from learnet.networks.originet import OrigiNet
from learnet.networks.rcn_a import RCNA
from learnet.networks.resnet import resnet18, resnet34, resnet50
from learnet.networks.simple_learners import LDA, RBFSVM, LogisticRegression
from learnet.networks.ststnet import STSTNet
from learnet.networks.timm_network import timm_constructor
from learnet.networks.vgg import vgg16, vgg19


@runtime_checkable
class NetworkConstructor(Protocol):
    """Signature of every entry of `NETWORKS`.

    The same classes, size and seed give the same weights, and the global generator is not used. The network
    maps RGB images (B, 3, size, size), float32 in -1..1, to class scores before softmax, (B, classes). A
    network that is fitted by one call of `fit(images, labels)`, or that accepts other motion images or
    sizes than the default, says so in `NETWORK_INFO`.
    """

    def __call__(self, classes: int, size: int = 112, *, seed: int = 0) -> nn.Module:
        """Return a new network for this number of classes and images of `size` pixels a side.

        Raises:
            LearnetError: the network cannot process this size.
        """


class Networks(dict[str, NetworkConstructor]):
    """Table of networks that also knows `timm:NAME` for every network of timm, where that is installed."""

    def __setitem__(self, name: str, constructor: NetworkConstructor) -> None:
        """Add a network; list a class with a method `fit` as non-iterative, unless it is listed already."""
        super().__setitem__(name, constructor)
        if hasattr(constructor, "fit"):
            NETWORK_INFO.setdefault(name, NetworkInfo(non_iterative=True, images_kinds=ANY_KIND))

    def __contains__(self, name: object) -> bool:
        """Return whether `name` is an entry or begins with `timm:`; the look-up asks timm for it."""
        is_timm = isinstance(name, str) and name.startswith(TIMM_PREFIX)
        return is_timm or super().__contains__(name)

    def __missing__(self, name: str) -> NetworkConstructor:
        """Return the constructor of a network of timm.

        Raises:
            UnknownName: there is no such network.
            LearnetError: timm is not installed, or has no network of this name.
        """
        if not name.startswith(TIMM_PREFIX):
            raise UnknownName("network", name, self)
        return timm_constructor(name.removeprefix(TIMM_PREFIX))


NETWORKS = Networks(
    {
        "learnet": LEARNet,
        "learnet-paper": partial(LEARNet, variant="paper"),
        "learnet-literal": partial(LEARNet, variant="literal"),
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
        "mlp": MLP,
        "mlp-cnn": MLPCNN,
        "ststnet": STSTNet,
        "off-apexnet": OFFApexNet,
        "dual-inception": DualInception,
        "bdcnn": BDCNN,
        "rcn-a": RCNA,
        "originet": OrigiNet,
        "linear-svm": LinearSVM,
        "rbf-svm": RBFSVM,
        "lda": LDA,
        "logistic": LogisticRegression,
        "lbp-top": TOPHistogramSVM,
        "lbp-fip": FIPHistogramSVM,
        "bi-woof": BiWOOFSVM,
        "majority": Majority,
    }
)
"""Constructor of each network by its name."""


class _WithoutValues(TorchFunctionMode):
    """Draw no values: on the meta device, normal numbers would load hundreds of modules of PyTorch."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        values = kwargs or {}
        if func in (Tensor.normal_, nn.init.normal_):
            return args[0] if args else values["tensor"]
        return func(*args, **values)


def without_values(network: str, classes: int, size: int) -> nn.Module:
    """Return a network whose tensors have types and shapes, and no values: it needs next to no memory.

    Args:
        network: name in NETWORKS.
        classes: number of outputs.
        size: height and width of the images in pixels.

    Raises:
        LearnetError: the network cannot process this size.
    """
    with torch.device("meta"), _WithoutValues():
        return NETWORKS[network](classes, size)


def as_input(images: UInt8[np.ndarray, "B H W 3"] | UInt8[Tensor, "B H W 3"]) -> Float32[Tensor, "B 3 H W"]:
    """Convert prepared images to the input of a network: 0..255 becomes -1..1. A tensor stays on its device.

    Neither the paper nor the authors' code says how they scale the input.
    """
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.array(images))  # a copy, because prepared images on disk are read-only
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a network. Non-iterative networks have buffers only."""
    tensors = chain(module.parameters(), module.buffers())
    return next(tensors).device


def for_inference(module: nn.Module) -> nn.Module:
    """Return the fastest form of a trained network for inference.

    The scores are equal up to rounding. A network without such a form is returned as it is.
    """
    if isinstance(module, LEARNet) and module.variant in FUSED_VARIANTS:
        return FusedLEARNet(module)
    return module
