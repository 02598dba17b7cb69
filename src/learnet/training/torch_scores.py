"""A trained network's answers, by torch. `onnx_scores.py` gives the same ones without it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import nn

from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.networks import as_input, device_of, for_inference
from learnet.training import augment


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread, so that numbers do not depend on the cores; afterwards as many as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def predict_scores(
    module: nn.Module, images: UInt8[np.ndarray, "N H W 3"], mirror: str = "none", detrend_percentile: int = 0
) -> Float64[np.ndarray, "N K"]:
    """Return the probability of each class for each image.

    Args:
        module: as of `evaluation_scores`.
        images: as stored in a prepared folder, 0..255.
        mirror: as of `evaluation_scores`.
        detrend_percentile: take the even part out of the images first and stretch them to this percentile (`motion.level`), as of a network that
            was trained so; 0 leaves them as they are.
    """
    return evaluation_scores(module, StoredImages(images).for_evaluation(detrend_percentile), mirror)


def evaluation_scores(
    module: nn.Module, images: EvaluationImages, mirror: str = "none"
) -> Float64[np.ndarray, "N K"]:
    """Return the probability of each class for each image.

    Args:
        module: network in eval mode, giving logits; it answers on the device where it is.
        images: as tested.
        mirror: "image" or "flow" averages the probabilities of an image and of its mirror image; "none" does
            not.
    """
    pixels, parts = images.pixels, []
    module, device = for_inference(module), device_of(module)
    with torch.inference_mode():
        for start in range(0, len(pixels), 64):
            batch = as_input(pixels[start : start + 64]).to(device)
            both = (
                batch if mirror == "none" else torch.cat([batch, augment.mirror(batch, mirror)])
            )  # one pass: half the calls
            scores = module(both).double().softmax(dim=1).unflatten(0, (-1, len(batch))).mean(dim=0)
            parts.append(scores)
    return torch.cat(parts).cpu().numpy()
