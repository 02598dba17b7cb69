"""Convert motion images, signed and not limited to a range, to the grey levels 0..255 of network input."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError


def joint_minmax(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Scale the image to 0..255 with a common minimum and maximum of all channels, truncating fractions.

    Which grey level means no motion depends on the image. A constant image, such as of a static clip, becomes
    all 0.

    Raises:
        LearnetError: the image contains values that are not finite.

    Source: the authors' Python (cv2.normalize with NORM_MINMAX over the three channels, then astype uint8).
    """
    _check_finite(image)
    low = float(image.min())
    high = float(image.max())
    if low == high:
        return np.zeros(image.shape, dtype=np.uint8)
    above_low = image.astype(np.float64) - low
    scaled = above_low * 255 / (high - low)
    return scaled.astype(np.uint8)


def signed(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Scale the image to 1..255 with zero at 128.

    No motion is mid-grey; the largest absolute value of all channels becomes 1 or 255. An image of zeros,
    such as of a static clip, becomes all 128.

    Raises:
        LearnetError: the image contains values that are not finite.
    """
    _check_finite(image)
    largest = float(np.abs(image).max())
    if largest == 0:
        return np.full(image.shape, 128, dtype=np.uint8)
    scaled = 128 + image.astype(np.float64) / largest * 127
    return np.rint(scaled).astype(np.uint8)


def per_channel(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Scale each channel to 0..255 by its own minimum and maximum, rounded.

    A constant channel becomes all 128. This is for channels of different units, such as u, v and strain of
    optical flow. Which grey level means no motion differs from image to image, and where nothing moves the
    noise is amplified. Reversing the sign of a channel turns its grey level x into 255 - x, so that the
    mirror image of a face's flow is that of the mirrored face.

    Raises:
        LearnetError: the image contains values that are not finite.

    Source: the flow images distributed for the MEGC2019 clips, as they are before being downscaled.
    """
    _check_finite(image)
    low = image.min(axis=(0, 1)).astype(np.float64)
    high = image.max(axis=(0, 1)).astype(np.float64)
    is_constant = low == high
    value_range = np.where(is_constant, 1, high - low)
    scaled = np.rint((image - low) * 255 / value_range)
    levels = np.where(is_constant, 128, scaled)
    return levels.astype(np.uint8)


def unit(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Scale the image from 0..1 to 0..255, rounded: the same value is the same grey level in every image.

    This is for roots of shares, as of LBP-TOP, which are in this range by definition.

    Raises:
        LearnetError: a value outside 0..1, or one that is not finite.
    """
    _check_finite(image)
    low, high = image.min(), image.max()
    if low < 0 or high > 1:
        raise LearnetError(
            f"The motion image ranges from {low:g} to {high:g}, and the normalisation unit requires 0 to 1."
        )
    return np.rint(image.astype(np.float64) * 255).astype(np.uint8)


NORMALISATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "joint-minmax": joint_minmax,
    "signed": signed,
    "per-channel": per_channel,
    "unit": unit,
}


def _check_finite(image: Float32[np.ndarray, "H W C"]) -> None:
    if not np.isfinite(image).all():
        raise LearnetError(
            "The motion image contains values that are not finite.", "Look for NaN or infinity in the frames."
        )
