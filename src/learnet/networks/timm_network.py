"""Networks of the library timm, where it is installed: `timm:NAME`, with random weights.

References:
    Wightman, PyTorch Image Models, https://github.com/huggingface/pytorch-image-models.
"""

import difflib
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from learnet.core.errors import LearnetError
from learnet.core.network_info import TIMM_PREFIX

TIMM_ERRORS = (AssertionError, RuntimeError, TypeError, ValueError)
"""Errors that networks of timm raise for a size that they cannot process; it differs between networks."""


def timm_constructor(name: str) -> Callable[..., nn.Module]:
    """Return the constructor of the network that timm calls `name`, without the prefix `timm:`.

    Raises:
        LearnetError: timm is not installed, or has no network of this name. Names with a tag of pretrained
            weights, or of networks that would be downloaded, are refused: the weights here are random.
    """
    if find_spec("timm") is None:
        raise LearnetError(
            f"{TIMM_PREFIX}{name} is a network of the library timm, not installed here.",
            "Install it: pip install timm",
        )
    import timm  # takes seconds to load, and few have it

    known = timm.list_models()
    if name not in known:
        similar = difflib.get_close_matches(name, known, n=1)
        hint = "In Python, timm.list_models() lists them."
        if similar:
            hint = f"Did you mean '{TIMM_PREFIX}{similar[0]}'?"
        raise LearnetError(f"timm has no network called {name!r}.", hint)
    return partial(_create, name)


def _create(name: str, classes: int, size: int = 112, *, seed: int = 0) -> nn.Module:
    """Create the network.

    timm draws weights from the global generator, which is seeded here and then restored.

    Raises:
        LearnetError: images of this size do not fit the network, or would be cropped to whole patches.
    """
    refused = f"{TIMM_PREFIX}{name} cannot take images of {size} pixels"
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            net = _create_model(name, classes, size)
            _check_patches(net, size, refused)
            _run_once(net, size)
    except TIMM_ERRORS as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = lines[0].rstrip(".")
        raise LearnetError(f"{refused}: {reason}.", "Try a size it was made for, such as 224.") from None
    return net


def _create_model(name: str, classes: int, size: int) -> nn.Module:
    import timm

    options: dict[str, Any] = {"pretrained": False, "num_classes": classes}
    config = timm.get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size:
        options["img_size"] = size  # the other networks accept any size, and not this option
    return timm.create_model(name, **options)


def _check_patches(net: nn.Module, size: int, refused: str) -> None:
    """Refuse a size that is not a whole number of patches: the network would ignore the rest."""
    patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) else patch
    if side and size % side:
        raise LearnetError(
            f"{refused}, which are no whole number of its patches of {side}.",
            f"It accepts multiples of {side}.",
        )


def _run_once(net: nn.Module, size: int) -> None:
    """Process one image, to see whether the network accepts the size."""
    with (
        torch.no_grad()
    ):  # not inference mode: tensors that the network keeps of this call must serve in training
        net.eval()(torch.zeros(1, 3, size, size))
    net.train()
