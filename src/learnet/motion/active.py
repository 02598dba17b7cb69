"""Active images: every frame minus all frames that are earlier by two or more, summed, in grey.

Source: Verma, Vipparthi, Singh, Non-Linearities Improve OrigiNet based on Active Imaging for Micro Expression
Recognition, IJCNN 2020; as the Python code published by the authors computes it.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from learnet.core.errors import TooFewFrames
from learnet.motion.weighted_sum import Frames, weighted_sum


def active_weights(frames: int) -> Float64[np.ndarray, "T"]:
    """Return the weights of the frames of a clip in its active image, in time order.

    The image is the sum over all pairs of frames at least two apart of the later minus the earlier. Frame t
    of 1..T is the later one of max(t - 2, 0) pairs and the earlier one of max(T - 1 - t, 0), so its weight is
    the difference of both. With neighbouring frames as well, the weights would be those of `dynamic-linear`.

    Args:
        frames: T, the number of frames.

    Returns:
        T weights that add up to zero.

    Raises:
        TooFewFrames: fewer than three frames, so no two are two apart.
    """
    if frames < 3:
        raise TooFewFrames(found=frames, needed=3)
    t = np.arange(1, frames + 1, dtype=np.float64)
    pairs_as_later = np.maximum(t - 2, 0)
    pairs_as_earlier = np.maximum(frames - 1 - t, 0)
    return pairs_as_later - pairs_as_earlier


def active_image(frames: Frames) -> Float32[np.ndarray, "H W 3"]:
    """Compute the active image of a clip.

    The authors write the sum to a JPEG file, which limits it to 0..255; here it is signed and normalised
    like every motion image.

    Args:
        frames: aligned faces in time order, RGB, grey levels 0..255; at least three.

    Returns:
        The weighted sum in grey levels, in three equal channels; exactly 0 where nothing changes.

    Raises:
        TooFewFrames: fewer than three frames.
    """
    weights = active_weights(len(frames))
    colour = weighted_sum(frames, weights)
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)  # linear, so it may follow the sum
    return np.repeat(grey[..., None], 3, axis=-1)
