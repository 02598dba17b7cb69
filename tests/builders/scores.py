"""Scores of a PyTorch network in one call."""

import numpy as np
from torch import nn

from learnet.motion.detrend import StoredImages
from learnet.training.scorer import Scorer


def predict_scores(
    module: nn.Module, images: np.ndarray, mirror: str = "none", detrend_percentile: int = 0
) -> np.ndarray:
    """Return the probability of each class for images as a prepared folder stores them."""
    return Scorer.from_module(module, mirror, detrend_percentile).scores(StoredImages(images))
