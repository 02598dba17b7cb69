"""Eulerian video magnification: enlarge the small movements of a clip before its motion image is computed.

The values of each pixel over time are filtered to a band of frequencies, and the result is multiplied by
alpha and added, in the levels of a Laplacian pyramid. To first order that moves edges 1 + alpha times as far.
Coarse structures tolerate more magnification than fine ones, so levels that are too fine are magnified less,
or not at all.

Two things differ from the authors' code because our clips are short. The values over time are filtered by
cosines (DCT-II: the clip is mirrored at its ends, so that nothing jumps there), not by recursive filters,
which need time to settle. And the band is widened until it includes one movement there and back within the
clip.

Source: Wu et al., Eulerian Video Magnification for Revealing Subtle Changes in the World, ACM Trans. Graph.
    31(4), 2012.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import LearnetError, TooFewFrames

# A movement in one direction that takes 1/2 to 1/25 s is half a wave of 1 to 12.5 Hz. Micro-expressions last
# as long (Yan et al., J. Nonverbal Behavior 37, 2013).
BAND_HZ = (1.0, 12.5)
# Shortest wavelength that is magnified in full, in crop widths; Wu et al. use 16 pixels for most of their
# clips.
CUTOFF = 16 / 112
# Wavelength in pixels at the centre of the finest level of the pyramid, which has half power from 3.8 to 7.7.
# It doubles from level to level.
FINEST_WAVELENGTH_PX = 5.4
# The pyramid ends where its next level would be smaller than this.
MIN_LEVEL_PX = 7


def magnify_motion(
    crops: UInt8[np.ndarray, "T S S 3"], alpha: float, fps: float, band_hz: tuple[float, float] = BAND_HZ
) -> UInt8[np.ndarray, "T S S 3"]:
    """Enlarge movements within a band of frequencies 1 + alpha times, about their mean over the clip.

    This holds while the magnified movement is below an eighth of the wavelength of what moves (Wu et al., eq.
    14): features of 16 pixels tolerate 2 pixels. Beyond that, edges get halos. Noise within the band is
    magnified as well. The finest level of the pyramid, mostly noise, and its coarsest, mostly light, are left
    unchanged.

    Args:
        crops: aligned faces in time order, RGB, 0..255.
        alpha: 0 or more; 0 changes nothing.
        fps: frames per second of the clip.
        band_hz: lowest and highest frequency. The highest is raised to `fps / T`, one movement there and back
            in the whole clip, where the clip is too short for any other.

    Returns:
        The clip in the same form. A static clip is returned unchanged.

    Raises:
        TooFewFrames: fewer than two frames.
        LearnetError: alpha or fps is out of range.
    """
    count = len(crops)
    if count < 2:
        raise TooFewFrames(found=count, needed=2)
    if not (0 <= alpha < np.inf and 0 < fps < np.inf):
        raise LearnetError(
            f"A clip of {fps:g} frames per second cannot be magnified {alpha:g} times.",
            "Both must be numbers above 0.",
        )
    level_weights = _level_weights(crops.shape[1], alpha)
    cosines = _cosines(count, fps, band_hz)
    frames = crops.astype(np.float32)
    coefficients = cosines @ frames.reshape(count, -1)
    changes = (cosines.T @ coefficients).reshape(crops.shape)
    for frame, change in zip(frames, changes, strict=True):
        frame += _weighted_levels(change, level_weights)
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def _cosines(frames: int, fps: float, band_hz: tuple[float, float]) -> Float32[np.ndarray, "K T"]:
    """Return the orthonormal cosines over the clip whose frequencies are in the band.

    The k-th cosine has k / 2 waves in the clip.
    """
    lowest_hz, highest_hz = band_hz
    highest_hz = max(highest_hz, fps / frames)
    k = np.arange(1, frames)
    hz = k * fps / (2 * frames)
    is_high_enough = hz >= lowest_hz * (1 - 1e-9)
    is_low_enough = hz <= highest_hz * (1 + 1e-9)
    selected = k[is_high_enough & is_low_enough]
    times = np.arange(frames) + 0.5
    phases = np.pi * selected[:, None] * times / frames
    orthonormal = np.sqrt(2 / frames) * np.cos(phases)
    return orthonormal.astype(np.float32)


def _level_weights(size: int, alpha: float) -> Float64[np.ndarray, "L"]:
    """Return the factor of each level of the pyramid, the finest first.

    The remainder of the last level is not added. A wavelength w of at least the cutoff c is multiplied by
    alpha, a shorter one by w / c * (1 + alpha) - 1: then it moves by no larger a share of itself (Wu et al.,
    section 3.3).
    """
    wavelengths: list[float] = []
    level_px = (size + 1) // 2
    while level_px >= MIN_LEVEL_PX:
        wavelengths.append(FINEST_WAVELENGTH_PX * 2.0 ** len(wavelengths))
        level_px = (level_px + 1) // 2
    relative = np.array(wavelengths) / (CUTOFF * size)
    weights = np.clip(relative * (1 + alpha) - 1, 0, alpha)
    weights[:1] = 0
    return weights


def _weighted_levels(
    picture: Float32[np.ndarray, "S S 3"], weights: Float64[np.ndarray, "L"]
) -> Float32[np.ndarray, "S S 3"]:
    """Return the sum of the levels of the picture's Laplacian pyramid, each times its weight."""
    if not len(weights):
        return np.zeros_like(picture)
    height, width = picture.shape[:2]
    size = (width, height)
    coarse = cv2.pyrDown(picture)
    level = picture - cv2.pyrUp(coarse, dstsize=size)
    weighted_level = np.float32(weights[0]) * level
    coarser_levels = _weighted_levels(coarse, weights[1:])
    enlarged = cv2.pyrUp(coarser_levels, dstsize=size)
    return weighted_level + enlarged
