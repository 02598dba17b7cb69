"""Planar detrending of optical flow images that are already scaled to 0..255, as for flow measured by others.

Where the flow field itself is available, `flow.remove_global_motion` is more accurate: u and v share a scale
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.seeds import purpose_seed
from learnet.core.settings import Training

ROUNDS = 6  # of the robust fit
HALF_WEIGHT_DISTANCE = 2.0  # median distances from the plane at which a pixel counts half
IMAGES_AT_ONCE = 500  # images fitted together; bounds the memory

NO_MOTION = 127.5  # grey level


@dataclass(frozen=True)
class TrainingImages:
    """Images as a network is trained on them, before augmentation, from `StoredImages.for_training`."""

    pixels: UInt8[np.ndarray, "N H W 3"]

    def take(self, positions: Sequence[int]) -> "TrainingImages":
        """Return the images at these positions."""
        indices = np.asarray(positions, dtype=np.int64)
        return TrainingImages(self.pixels[indices])


@dataclass(frozen=True)
class EvaluationImages:
    """Images as a network is tested on them, from `StoredImages.for_evaluation`."""

    pixels: UInt8[np.ndarray, "N H W 3"]


@dataclass(frozen=True)
class StoredImages:
    """Images as a prepared folder stores them."""

    pixels: UInt8[np.ndarray, "N H W 3"]

    def take(self, positions: Sequence[int]) -> "StoredImages":
        """Return the images at these positions."""
        indices = np.asarray(positions, dtype=np.int64)
        return StoredImages(self.pixels[indices])

    def for_training(self, training: Training) -> TrainingImages:
        """Return the images to train on.

        With `vary_clipping`, the percentile of each image is drawn uniformly from `vary_clipping` to 100;
        otherwise the images are as tested.
        """
        percentile_at_test = training.detrend_percentile
        if not training.vary_clipping:
            return TrainingImages(detrend(self.pixels, percentile_at_test))
        generator = np.random.default_rng(purpose_seed(training.seed, "clipping"))
        percentiles = generator.integers(training.vary_clipping, 101, len(self.pixels))
        scaled = np.empty_like(self.pixels)
        for percentile in np.unique(percentiles):
            selected = percentiles == percentile
            stored = self.pixels[selected]
            scaled[selected] = detrend(stored, int(percentile))
        return TrainingImages(scaled)

    def for_evaluation(self, percentile: int, strain_percentile: int | None = None) -> EvaluationImages:
        """Return the images to test on.

        Args:
            percentile: as of `detrend`: `Training.detrend_percentile`, or 0 for images that stay unchanged.
            strain_percentile: as of `detrend`.
        """
        return EvaluationImages(detrend(self.pixels, percentile, strain_percentile))


def detrend(
    images: UInt8[np.ndarray, "N H W 3"], percentile: int = 100, strain_percentile: int | None = None
) -> UInt8[np.ndarray, "N H W 3"]:
    """Subtract the planar trend from u and v, so that no other motion becomes mid-grey.

    A head that shifts, turns, approaches or tilts moves all pixels along a plane, an expression only some of
    them. The plane is fitted by iterated least squares with Cauchy weights, for each channel separately
    because each was scaled separately. The remainder is scaled so that its largest value becomes 0 or 255,
    and no motion 127.5. The third channel, strain, does not depend on a planar trend.

    The largest value is often a single pixel at the border or the nostrils, and then everything else is drawn
    faintly. A percentile below 100 replaces the largest value, and values beyond it are clipped; strain is
    scaled by it, too.

    Args:
        images: u, v and strain, each scaled to 0..255.
        percentile: of the absolute values in a channel, 50 to 100; 0 returns the images unchanged
            (`Training.detrend_percentile`).
        strain_percentile: the same for strain; None: that of u and v.
    """
    if not percentile:
        return images
    _, height, width, _ = images.shape
    terms = _plane_terms(height, width)
    detrended = images.copy()
    for start in range(0, len(images), IMAGES_AT_ONCE):
        block = slice(start, start + IMAGES_AT_ONCE)
        for channel in (0, 1):
            levels = images[block, ..., channel]
            values = levels.reshape(-1, height * width).astype(np.float64)
            scaled = _scaled_remainder(values, terms, percentile)
            detrended[block, ..., channel] = scaled.reshape(-1, height, width)
    if strain_percentile is None:
        strain_percentile = percentile
    if strain_percentile < 100:
        detrended[..., 2] = _scaled_strain(images[..., 2], strain_percentile)
    return detrended


def _plane_terms(height: int, width: int) -> Float64[np.ndarray, "P 3"]:
    """Return 1, x and y at each pixel; x and y in image widths and heights from the centre."""
    y, x = np.mgrid[:height, :width]
    x_terms = x.ravel() / width - 0.5
    y_terms = y.ravel() / height - 0.5
    return np.stack([np.ones(height * width), x_terms, y_terms], axis=1)


def _scaled_remainder(
    values: Float64[np.ndarray, "N P"], terms: Float64[np.ndarray, "P 3"], percentile: int
) -> Float64[np.ndarray, "N P"]:
    """Return the values without their plane, scaled to 0..255 around NO_MOTION and rounded."""
    planes = _fit_planes(values, terms)
    remainder = values - planes @ terms.T
    sizes = np.abs(remainder)
    largest = np.percentile(sizes, percentile, axis=1, keepdims=True)
    relative = np.divide(remainder, largest, out=np.zeros_like(remainder), where=largest > 1e-9)
    scaled = NO_MOTION + NO_MOTION * relative
    return np.rint(scaled).clip(0, 255)


def _scaled_strain(strain: UInt8[np.ndarray, "N H W"], percentile: int) -> Float64[np.ndarray, "N H W"]:
    """Return the strain scaled so that the percentile of each image becomes 255, clipped and rounded."""
    values = strain.astype(np.float64)
    largest = np.percentile(values, percentile, axis=(1, 2), keepdims=True)
    scaled = np.divide(255 * values, largest, out=values, where=largest > 0)
    return np.rint(scaled).clip(0, 255)


def _fit_planes(
    values: Float64[np.ndarray, "N P"], terms: Float64[np.ndarray, "P 3"]
) -> Float64[np.ndarray, "N 3"]:
    """Return the plane of each image: offset and gradients."""
    planes = np.linalg.lstsq(terms, values.T, rcond=None)[0].T
    for _ in range(ROUNDS):
        trend = planes @ terms.T
        distances = np.abs(values - trend)
        median_distances = np.median(distances, axis=1, keepdims=True)
        half_weight = HALF_WEIGHT_DISTANCE * median_distances + 1e-6
        relative = distances / half_weight
        weights = 1 / (1 + relative**2)
        normal = np.einsum("np,pi,pj->nij", weights, terms, terms, optimize=True)
        right_side = np.einsum("np,pi->ni", weights * values, terms)
        planes = np.linalg.solve(normal, right_side[..., None])[..., 0]
    return planes
