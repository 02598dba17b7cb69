"""The part of `Scorer` that runs on PyTorch."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import nn

from learnet.networks import device_of


def module_logits(
    module: nn.Module,
) -> Callable[[Float32[np.ndarray, "B 3 S S"]], Float[np.ndarray, "B K"]]:
    """Return a function that runs a PyTorch network on scaled images, for `Scorer.network`.

    Args:
        module: network in eval mode that returns logits. It runs on the device that holds it.
    """
    device = device_of(module)

    def run(batch: Float32[np.ndarray, "B 3 S S"]) -> Float[np.ndarray, "B K"]:
        with torch.inference_mode():
            return module(torch.from_numpy(batch).to(device)).cpu().numpy()

    return run


def torch_softmax(logits: Float[np.ndarray, "B K"]) -> Float64[np.ndarray, "B K"]:
    """Compute probabilities from logits in double precision.

    Its exponential differs from numpy's in the last bit. Scores of PyTorch networks have always been computed
    with this one, so that they can be repeated exactly.
    """
    return torch.from_numpy(logits).double().softmax(dim=1).numpy()
