"""Optical flow without its even part, from images that are already stretched: for flow that somebody else has measured.

Where the field itself is at hand, `flow.without_head` knows more: u and v share a scale there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.settings import Training

ROUNDS = 6  # of the robust fit
TOLERATED = 2.0  # median distances from the plane at which a place counts half as much


@dataclass(frozen=True)
class TrainingImages:
    """Images as a network is trained on them, before augmentation; `StoredImages.for_training` makes them."""

    pixels: UInt8[np.ndarray, "N H W 3"]

    def take(self, positions: Sequence[int]) -> "TrainingImages":
        """Return the images at these positions."""
        return TrainingImages(self.pixels[np.asarray(positions, dtype=np.int64)])


@dataclass(frozen=True)
class EvaluationImages:
    """Images as a network is tested on them; `StoredImages.for_evaluation` makes them."""

    pixels: UInt8[np.ndarray, "N H W 3"]


@dataclass(frozen=True)
class StoredImages:
    """Images as a prepared folder stores them."""

    pixels: UInt8[np.ndarray, "N H W 3"]

    def take(self, positions: Sequence[int]) -> "StoredImages":
        """Return the images at these positions."""
        return StoredImages(self.pixels[np.asarray(positions, dtype=np.int64)])

    def for_training(self, training: Training) -> TrainingImages:
        """Return the images to train on.

        With `vary_stretch`, the percentile of each image is drawn uniformly from `vary_stretch` to 100; otherwise
        the images are as tested.
        """
        if not training.vary_stretch:
            return TrainingImages(detrend(self.pixels, training.detrend_percentile))
        generator = np.random.default_rng(training.seed)
        percentiles = generator.integers(training.vary_stretch, 101, len(self.pixels))
        stretched = np.empty_like(self.pixels)
        for percentile in np.unique(percentiles):
            chosen = percentiles == percentile
            stretched[chosen] = detrend(self.pixels[chosen], int(percentile))
        return TrainingImages(stretched)

    def for_evaluation(self, percentile: int) -> EvaluationImages:
        """Return the images to test on.

        Args:
            percentile: as of `detrend`: `Training.detrend_percentile`, or 0 for images that stay as they are.
        """
        return EvaluationImages(detrend(self.pixels, percentile))


def detrend(images: UInt8[np.ndarray, "N H W 3"], percentile: int = 100) -> UInt8[np.ndarray, "N H W 3"]:
    """Take out of u and v the plane that most places of the image agree on; no other motion becomes mid-grey.

    A head that shifts, turns, nears or tilts moves all places along such a plane, an expression only some. The plane is fitted by
    repeated least squares with Cauchy's weights, each channel for itself, since each was stretched for itself. What is left is scaled
    so that its largest value is 0 or 255 and no motion is 127.5. Strain, the third channel, knows nothing of even motion and stays.

    The largest value is often a single place at the border or the nostrils, and then everything else is drawn faint. A PERCENTILE below
    100 takes the place of the largest value, and what lies beyond is cut off; strain is stretched so, too.

    Args:
        images: u, v and strain, each stretched to 0..255.
        percentile: of the sizes in a channel, 50 to 100; 0 leaves the images as they are (`Training.detrend_percentile`).
    """
    if not percentile:
        return images
    count, high, wide, _ = images.shape
    y, x = np.mgrid[:high, :wide]
    terms = np.stack([np.ones(high * wide), x.ravel() / wide - 0.5, y.ravel() / high - 0.5], axis=1)
    detrend_percentile = images.copy()
    for start in range(0, count, 500):
        for way in (0, 1):
            values = images[start : start + 500, ..., way].reshape(-1, high * wide).astype(np.float64)
            left = values - _planes(values, terms) @ terms.T
            largest = np.percentile(np.abs(left), percentile, axis=1, keepdims=True)
            scaled = 127.5 + 127.5 * np.divide(left, largest, out=np.zeros_like(left), where=largest > 1e-9)
            detrend_percentile[start : start + 500, ..., way] = (
                np.rint(scaled).clip(0, 255).reshape(-1, high, wide)
            )
    if percentile < 100:
        strain = images[..., 2].astype(np.float64)
        largest = np.percentile(strain, percentile, axis=(1, 2), keepdims=True)
        detrend_percentile[..., 2] = np.rint(
            np.divide(255 * strain, largest, out=strain, where=largest > 0)
        ).clip(0, 255)
    return detrend_percentile


def _planes(
    values: Float64[np.ndarray, "N P"], terms: Float64[np.ndarray, "P 3"]
) -> Float64[np.ndarray, "N 3"]:
    """The plane of each image: offset and slopes."""
    planes = np.linalg.lstsq(terms, values.T, rcond=None)[0].T
    for _ in range(ROUNDS):
        apart = np.abs(values - planes @ terms.T)
        near = TOLERATED * np.median(apart, axis=1, keepdims=True) + 1e-6
        weights = 1 / (1 + (apart / near) ** 2)
        products = np.einsum("np,pi,pj->nij", weights, terms, terms, optimize=True)
        planes = np.linalg.solve(products, np.einsum("np,pi->ni", weights * values, terms)[..., None])[..., 0]
    return planes
