"""From a motion image, signed and without limits, to the grey levels 0..255 that networks are fed and people look at."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError


def joint_minmax(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Stretch the image to 0..255, one smallest and one largest value for all channels together, fractions cut off.

    Which grey means no motion depends on the image. A flat image, as of a still clip, becomes all 0.

    Raises:
        LearnetError: the image holds values that are not finite.

    Source: the authors' Python (cv2.normalize with NORM_MINMAX over the three channels, then astype uint8).
    """
    _check(image)
    low, high = float(image.min()), float(image.max())
    if low == high:
        return np.zeros(image.shape, dtype=np.uint8)
    return ((image.astype(np.float64) - low) * 255 / (high - low)).astype(np.uint8)


def signed(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Scale the image to 1..255 with zero at 128: no motion is mid-grey, the largest absolute value of all channels 1 or 255.

    An image of zeros, as of a still clip, becomes all 128.

    Raises:
        LearnetError: the image holds values that are not finite.
    """
    _check(image)
    largest = float(np.abs(image).max())
    if largest == 0:
        return np.full(image.shape, 128, dtype=np.uint8)
    return np.rint(128 + image.astype(np.float64) / largest * 127).astype(np.uint8)


def per_channel(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Stretch each channel to 0..255 by its own smallest and largest value, rounded; a flat channel becomes all 128.

    For channels of different units, as u, v and strain of optical flow. Which grey means no motion differs from image to image, and
    where nothing moves the noise is stretched. Turning the sign of a channel turns its grey level x into 255 - x, so that the mirror
    image of a face's flow is that of the mirrored face.

    Raises:
        LearnetError: the image holds values that are not finite.

    Source: what the flow images that go around for the MEGC2019 clips look like before they were made smaller.
    """
    _check(image)
    low, high = (limit.astype(np.float64) for limit in (image.min(axis=(0, 1)), image.max(axis=(0, 1))))
    flat = low == high
    stretched = (image - low) * 255 / np.where(flat, 1, high - low)
    return np.where(flat, 128, np.rint(stretched)).astype(np.uint8)


def unit(image: Float32[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """From 0..1 to 0..255, rounded: the same value is the same grey in every image.

    For roots of shares, as of LBP-TOP, which have this range by what they are.

    Raises:
        LearnetError: a value outside 0..1, or one that is not finite.
    """
    _check(image)
    if image.min() < 0 or image.max() > 1:
        raise LearnetError(
            f"The motion image goes from {image.min():g} to {image.max():g}, and --normalise unit takes 0 to 1."
        )
    return np.rint(image.astype(np.float64) * 255).astype(np.uint8)


NORMALISATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "joint-minmax": joint_minmax,
    "signed": signed,
    "per-channel": per_channel,
    "unit": unit,
}


def _check(image: Float32[np.ndarray, "H W C"]) -> None:
    if not np.isfinite(image).all():
        raise LearnetError(
            "The motion image holds values that are not finite.", "Look for NaN or infinity in the frames."
        )
