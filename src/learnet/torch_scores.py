"""A trained network's answers, by torch. `onnx_scores.py` gives the same ones without it."""

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import nn

from learnet import augment
from learnet.memory import keep_freed_memory
from learnet.motion.level import level
from learnet.networks import as_input, device_of, to_answer


def predict_scores(
    module: nn.Module, images: UInt8[np.ndarray, "N H W 3"], mirror: str = "none", levelled: int = 0
) -> Float64[np.ndarray, "N K"]:
    """Probability of each class for each image.

    Args:
        module: network in eval mode, giving logits; it answers on the device where it is.
        images: prepared images, 0..255.
        mirror: "image" or "flow" averages the probabilities of an image and its mirror image; "none" does not.
        levelled: take the even part out of the images first and stretch them to this percentile (`motion.level`), as of a network that
            was trained so; 0 leaves them as they are.
    """
    keep_freed_memory()
    images = level(images, levelled)
    parts = []
    module, device = to_answer(module), device_of(module)
    with torch.inference_mode():
        for start in range(0, len(images), 64):
            batch = as_input(images[start : start + 64]).to(device)
            both = (
                batch if mirror == "none" else torch.cat([batch, augment.mirror(batch, mirror)])
            )  # one pass: half the calls
            scores = module(both).double().softmax(dim=1).unflatten(0, (-1, len(batch))).mean(dim=0)
            parts.append(scores)
    return torch.cat(parts).cpu().numpy()
