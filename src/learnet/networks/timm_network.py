"""Any network of the library timm, where that is installed: `timm:NAME`, with random weights.

Source: Wightman, PyTorch Image Models, https://github.com/huggingface/pytorch-image-models.
"""

import difflib
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import torch
from torch import nn

from learnet.core.errors import LearnetError

PREFIX = "timm:"


def timm_maker(name: str) -> Callable[..., nn.Module]:
    """What makes the network that timm calls NAME; `timm:` is no part of it.

    Raises:
        LearnetError: timm is not installed, or has no network of this name. Names with a tag of pretrained weights, or of networks that
            would be fetched from elsewhere, are none: the weights here are random.
    """
    if find_spec("timm") is None:
        raise LearnetError(
            f"{PREFIX}{name} is a network of the library timm, not installed here.",
            "Install it: pip install timm",
        )
    import timm  # here, as it takes seconds to load and few have it

    known = timm.list_models()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean '{PREFIX}{near[0]}'?" if near else "In Python, timm.list_models() lists them."
        raise LearnetError(f"timm has no network called {name!r}.", hint)
    return partial(_made, name)


def _made(name: str, classes: int, size: int = 112, *, seed: int = 0) -> nn.Module:
    """The network, which timm lets draw its weights from the global generator: here from SEED, and the caller's stays as it was.

    Raises:
        LearnetError: images of this size do not fit it, or would be cropped to whole patches.
    """
    import timm

    about = timm.get_pretrained_cfg(name)
    fixed = (
        {"img_size": size} if about is not None and about.fixed_input_size else {}
    )  # others take any size, and not this word
    refused = f"{PREFIX}{name} cannot take images of {size} pixels"
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            net = timm.create_model(name, pretrained=False, num_classes=classes, **fixed)
            _refuse_part_of_a_patch(net, size, refused)
            _try(net, size)
    except (
        AssertionError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:  # whichever of them timm's network was written to raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LearnetError(
            f"{refused}: {reason.rstrip('.')}.", "Try a size it was made for, such as 224."
        ) from None
    return net


def _refuse_part_of_a_patch(net: nn.Module, size: int, refused: str) -> None:
    """Networks that cut an image into patches leave out what is no whole patch."""
    patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) else patch
    if side and size % side:
        raise LearnetError(
            f"{refused}, which are no whole number of its patches of {side}.",
            f"It takes multiples of {side}.",
        )


def _try(net: nn.Module, size: int) -> None:
    with torch.no_grad():  # not inference mode: what a network keeps of its first call must serve in training
        net.eval()(torch.zeros(1, 3, size, size))
    net.train()
