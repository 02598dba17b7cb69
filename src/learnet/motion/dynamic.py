"""Dynamic images: a clip summarised in one picture of its motion by rank pooling.

Every kind is a weighted sum of the frames. Three have fixed weights (`rank_weights`), the fourth solves for
them.

| kind | weight of frame t of T | of a static clip |
|---|---|---|
| dynamic | sum over i = t..T of (2i - T - 1) / i | exactly 0 |
| dynamic-released | sum over i = t..T of (2i - T) / i | T times the frame |
| dynamic-linear | 2t - T - 1 | exactly 0 |
| dynamic-exact | those of the ranking machine, see `rank_svm.dynamic_image_exact` | exactly 0 |

Sources: Bilen et al., Dynamic Image Networks for Action Recognition, CVPR 2016; Fernando et al., Modeling
Video Evolution for Action Recognition, CVPR 2015; `dynamic-released` is what the Python code published by the
LEARNet authors computes.
"""

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8
from numpy.typing import ArrayLike

from learnet.core.arrays import as_frames
from learnet.core.errors import LearnetError, TooFewFrames, pick
from learnet.motion.weighted_sum import Frames, weighted_sum

Frame = UInt8[np.ndarray, "H W C"] | Float[np.ndarray, "H W C"]

# Subtracted from 2i - T before the division by i.
OFFSETS = {"dynamic": 1, "dynamic-released": 0}


def rank_weights(frames: int, kind: str = "dynamic") -> Float64[np.ndarray, "T"]:
    """Return the weights of the frames of a clip, in time order.

    Args:
        frames: T, the number of frames.
        kind: dynamic, dynamic-released or dynamic-linear.

    Returns:
        T weights. They add up to zero (except for floating-point rounding), those of dynamic-released to T:
        one term is missing there, so a share of the static face stays in the image, the more the shorter the
        clip.

    Raises:
        TooFewFrames: fewer than two frames, so there is no motion.
        LearnetError: kind is dynamic-exact, whose weights depend on the frames.
        UnknownName: no such kind.
    """
    if frames < 2:
        raise TooFewFrames(found=frames, needed=2)
    if kind == "dynamic-exact":
        raise LearnetError(
            "The weights of dynamic-exact depend on all frames, so a number of frames has none.",
            "Compute the image of the whole clip.",
        )
    t = np.arange(1, frames + 1, dtype=np.float64)
    if kind == "dynamic-linear":
        return 2 * t - frames - 1
    offset = pick(OFFSETS | {"dynamic-linear": 0, "dynamic-exact": 0}, kind, "dynamic image")
    terms = (2 * t - frames - offset) / t
    return np.cumsum(terms[::-1])[::-1].copy()


def dynamic_image(frames: ArrayLike) -> Float32[np.ndarray, "H W C"]:
    """Compute the dynamic image of a clip by approximate rank pooling.

    Frame t of T weighs the sum over i = t..T of (2i - T - 1) / i. The weights add up to zero, so static
    regions vanish (exactly: a pixel that never changes gives 0) and motion remains.

    Args:
        frames: aligned faces in time order, (T, H, W, C): an array, a list of arrays (H, W, C), or a tensor
            on the CPU. Usually RGB, grey levels 0..255; floats may have any range, such as 0..1.

    Returns:
        The weighted sum in the unit of the frames: signed, and not limited to their range (`show_motion`
        draws it, `motion.normalise` converts it to network input). Besides it, less than 15 MB of memory are
        used for each of at most four threads, whatever the length.

    Raises:
        BadArray: no numbers, or another shape.
        TooFewFrames: fewer than two frames, so there is no motion.

    References:
        Bilen et al., Dynamic Image Networks for Action Recognition, CVPR 2016 (weights as in the authors'
        MATLAB).
    """
    clip = as_frames(frames)
    weights = rank_weights(len(clip))
    return weighted_sum(clip, weights)


def dynamic_image_released(frames: Frames) -> Float32[np.ndarray, "H W C"]:
    """Compute the dynamic image as the released LEARNet code does.

    Frame t of T weighs the sum over i = t..T of (2i - T) / i. The "- 1" of Bilen et al. is missing, so the
    weights add up to T: a static clip gives T times its frame instead of zero, and the image shows the face
    as well as its motion. Otherwise as `dynamic_image`, for arrays only.
    """
    count = len(frames)
    weights = rank_weights(count, "dynamic-released")
    return weighted_sum(frames, weights, total=count)


def dynamic_image_linear(frames: Frames) -> Float32[np.ndarray, "H W C"]:
    """Compute the dynamic image with the weights 2t - T - 1 (t = 1..T). Otherwise as `dynamic_image`.

    This is rank pooling without the averages over time: the frames themselves are ranked, not their means.

    References:
        Bilen et al., Dynamic Image Networks for Action Recognition, CVPR 2016 (the simplification).
    """
    weights = rank_weights(len(frames), "dynamic-linear")
    return weighted_sum(frames, weights)


def dynamic_image_rise(frames: Frames, apex: int | None) -> Float32[np.ndarray, "H W C"]:
    """Compute the `dynamic_image` of the rising phase: the frames from the onset to the apex.

    Args:
        frames: aligned faces in time order; the first is the onset.
        apex: position of the apex among them.

    Raises:
        TooFewFrames: fewer than two frames in the phase, or no apex.
    """
    rise = frames[: (apex or 0) + 1]
    if len(rise) < 2:
        raise TooFewFrames(found=len(rise), needed=2, part="The part from the onset to the apex")
    return dynamic_image(rise)


def dynamic_image_fall(frames: Frames, apex: int | None) -> Float32[np.ndarray, "H W C"]:
    """Compute the `dynamic_image` of the falling phase: from the apex to the last frame.

    Otherwise as `dynamic_image_rise`.
    """
    start = len(frames) if apex is None else apex
    fall = frames[start:]
    if len(fall) < 2:
        raise TooFewFrames(found=len(fall), needed=2, part="The part from the apex to the offset")
    return dynamic_image(fall)


class Accumulator:
    """The dynamic image of frames that arrive one at a time.

    It stores three images in float64, however long the clip is.
    """

    def __init__(self, frames: int, kind: str = "dynamic") -> None:
        """Prepare for a number of frames; kinds and errors are those of `rank_weights`."""
        self.weights = rank_weights(frames, kind)
        self.total = frames if kind == "dynamic-released" else 0  # exact sum of the weights
        self.added = 0

    def add(self, frame: Frame) -> None:
        """Add the next frame in time order, grey levels 0..255 (floats: any range).

        Raises:
            LearnetError: more frames than announced, or a frame of another size than the first.
        """
        if self.added == len(self.weights):
            raise LearnetError(
                f"This dynamic image is of {len(self.weights)} frames, which have all been added.",
                "Start another Accumulator.",
            )
        if self.added == 0:
            self.first = frame.astype(np.float64)
            self.change = np.empty(frame.shape)
            # The other frames add their difference from the first, so that no precision is lost.
            self.sum = self.total * self.first
        if frame.shape != self.first.shape:
            raise LearnetError(
                f"Frame {self.added + 1} is {frame.shape}, the first was {self.first.shape}.",
                "All frames must have one size.",
            )
        np.subtract(frame, self.first, out=self.change)
        self.change *= self.weights[self.added]
        self.sum += self.change
        self.added += 1

    def image(self) -> Float32[np.ndarray, "H W C"]:
        """Return the dynamic image, as the function of its kind does (except for the last float32 digit).

        Raises:
            LearnetError: not all frames have been added.
        """
        if self.added < len(self.weights):
            raise LearnetError(
                f"{self.added} of {len(self.weights)} frames have been added.",
                "Add the others, in time order.",
            )
        return self.sum.astype(np.float32)
