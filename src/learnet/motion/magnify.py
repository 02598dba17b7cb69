"""Eulerian video magnification: small movements of a clip made larger before it is folded.

Each pixel's course over time is filtered to a band of frequencies, and what is in it is added again ALPHA times, in the levels of a
Laplacian pyramid. To first order that moves edges 1 + ALPHA times as far. Coarse structures bear more of it than fine ones, so
levels that are too fine get less, or none.

Two things differ from the authors' code, both because our clips are short: the course over time is filtered by cosines (DCT-II: the clip
is continued as in a mirror, so that nothing jumps where it ends) and not by recursive filters that need time to settle, and the band
is widened until it holds one movement there and back within the clip.

Source: Wu et al., Eulerian Video Magnification for Revealing Subtle Changes in the World, ACM Trans. Graph. 31(4), 2012.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import LearnetError, TooFewFrames

BAND_HZ = (1.0, 12.5)
"""A movement one way that takes 1/2 to 1/25 s is half a wave of 1 to 12.5 Hz. Micro-expressions last as long (Yan et al., J. Nonverbal
Behavior 37, 2013)."""

CUTOFF = (
    16 / 112
)  # shortest wavelength that is amplified in full, in crop widths; Wu et al. take 16 pixels for most of their clips
FINEST = 5.4  # pixels: the middle of what the finest level of the pyramid holds, of half power from 3.8 to 7.7; doubles from level to level
COARSEST = 7  # pixels: the pyramid ends where its next level would be smaller


def magnify_motion(
    crops: UInt8[np.ndarray, "T S S 3"], alpha: float, fps: float, band_hz: tuple[float, float] = BAND_HZ
) -> UInt8[np.ndarray, "T S S 3"]:
    """Make movements within a band of frequencies 1 + ALPHA times as large, about their mean over the clip.

    It holds as long as the magnified movement stays below an eighth of the wavelength of what moves (Wu et al., eq. 14): features of 16
    pixels bear 2 pixels. Beyond that edges get halos. Noise within the band grows too. The finest level of the pyramid, mostly noise,
    and its coarsest, mostly light, stay as they are.

    Args:
        crops: aligned faces in time order, RGB, 0..255.
        alpha: 0 or more; 0 changes nothing.
        fps: frames per second of the clip.
        band_hz: lowest and highest frequency. The highest is raised to `fps / T`, one movement there and back in the whole clip, where
            the clip is too short to hold any other.

    Returns:
        The clip in the same form. One that stands still comes back as it is.

    Raises:
        TooFewFrames: fewer than two frames.
        LearnetError: alpha or fps makes no sense.
    """
    if len(crops) < 2:
        raise TooFewFrames(found=len(crops), needed=2)
    if not (0 <= alpha < np.inf and 0 < fps < np.inf):
        raise LearnetError(
            f"A clip of {fps:g} frames per second cannot be magnified {alpha:g} times.",
            "Both must be numbers above 0.",
        )
    weights = _level_weights(crops.shape[1], alpha)
    waves = _cosines(len(crops), fps, band_hz)
    still = crops.astype(np.float32)
    moving = waves.T @ (waves @ still.reshape(len(crops), -1))
    for frame, change in zip(still, moving.reshape(crops.shape), strict=True):
        frame += _weighted_levels(change, weights)
    return np.clip(np.rint(still), 0, 255).astype(np.uint8)


def _cosines(frames: int, fps: float, band_hz: tuple[float, float]) -> Float32[np.ndarray, "K T"]:
    """The orthonormal cosines over the clip whose frequency lies in the band; the k-th has k / 2 waves in the clip."""
    k = np.arange(1, frames)
    hz = k * fps / (2 * frames)
    highest = max(band_hz[1], fps / frames)
    k = k[(hz >= band_hz[0] * (1 - 1e-9)) & (hz <= highest * (1 + 1e-9))]
    return (np.sqrt(2 / frames) * np.cos(np.pi * k[:, None] * (np.arange(frames) + 0.5) / frames)).astype(
        np.float32
    )


def _level_weights(size: int, alpha: float) -> Float64[np.ndarray, "L"]:
    """How often each level of the pyramid is added, the finest first; the rest that the last level leaves is not added.

    Wavelength w of at least the cutoff c bears alpha, a shorter one w / c * (1 + alpha) - 1: then it moves by no larger a share of
    itself (Wu et al., section 3.3).
    """
    waves: list[float] = []
    left = (size + 1) // 2
    while left >= COARSEST:
        waves.append(FINEST * 2.0 ** len(waves))
        left = (left + 1) // 2
    weights = np.clip(np.array(waves) / (CUTOFF * size) * (1 + alpha) - 1, 0, alpha)
    weights[:1] = 0
    return weights


def _weighted_levels(
    picture: Float32[np.ndarray, "S S 3"], weights: Float64[np.ndarray, "L"]
) -> Float32[np.ndarray, "S S 3"]:
    """The sum of the levels of the picture's Laplacian pyramid, each times its weight."""
    if not len(weights):
        return np.zeros_like(picture)
    height, width = picture.shape[:2]
    coarse = cv2.pyrDown(picture)
    level = picture - cv2.pyrUp(coarse, dstsize=(width, height))
    return np.float32(weights[0]) * level + cv2.pyrUp(
        _weighted_levels(coarse, weights[1:]), dstsize=(width, height)
    )
