"""From the frames of a clip to the network input: the only implementation, used by every caller."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError, TooFewFrames, pick
from learnet.core.settings import Preparation
from learnet.face import EYE_COLUMNS, EYE_ROW, AlignedFaces, FaceFinder, align
from learnet.motion import MOTION_IMAGES
from learnet.motion.apex import find_apex
from learnet.motion.flow import MIN_FLOW_PX, append_strain, downscale_flow, remove_global_motion
from learnet.motion.magnify import magnify_motion
from learnet.motion.normalise import NORMALISATIONS

# Positions (x, y) in crop widths, where a face finder located the eyes.
EYE_POSITIONS = tuple((column, EYE_ROW) for column in EYE_COLUMNS)


@dataclass(frozen=True)
class MotionResult:
    """The network input of a clip, and the intermediate results."""

    image: UInt8[np.ndarray, "S S 3"]  # 0..255
    aligned: AlignedFaces
    motion: Float32[np.ndarray, "S S 3"]  # the motion image before normalisation
    # Position of the apex among the frames: given or detected; None where none was given and none was needed.
    apex: int | None


def make_image(
    frames: UInt8[np.ndarray, "T H W 3"],
    preparation: Preparation,
    finder: FaceFinder | None,
    apex: int | None = None,
    fps: float | None = None,
) -> MotionResult:
    """Align the face, magnify the motion, compute the motion image and normalise it.

    Args:
        frames: RGB, 0..255, in time order; at least two.
        preparation: all options.
        finder: detects the face; None where the frames are face crops already.
        apex: position of the apex among the frames, from 1. Where a motion image needs it and it is None, it
            is detected.
        fps: frames per second; only magnification needs it.

    Raises:
        NoFace: no face in the frames that were searched.
        TooFewFrames: fewer than two frames, or in the part of the clip that the motion image uses.
        LearnetError: magnification without fps.
    """
    if len(frames) < 2:
        raise TooFewFrames(found=len(frames), needed=2)
    kind = pick(MOTION_IMAGES, preparation.motion, "motion image")
    normalise = pick(NORMALISATIONS, preparation.settled.normalise, "normalisation")
    aligned = align(frames, finder, preparation.size, preparation.stabilise)
    if crops_the_sum(preparation):
        motion = aligned.crop_of_sum(frames, lambda region: kind.compute(region, apex))
        return MotionResult(normalise(motion), aligned, motion, apex)
    crops = crops_for_motion(frames, aligned, preparation)
    if kind.needs_apex and apex is None:
        apex = find_apex(crops, EYE_POSITIONS if finder else ())
    magnified = magnify_crops(crops, preparation, fps)
    motion = motion_image(magnified, preparation, apex)
    return MotionResult(normalise(motion), aligned, motion, apex)


def crops_the_sum(preparation: Preparation) -> bool:
    """Return whether the motion image is the crop of a weighted sum of frames: faster than the sum of the
    crops."""
    fixed_weights = MOTION_IMAGES[preparation.motion].fixed_weights
    return fixed_weights and not preparation.stabilise and not preparation.magnify


def crops_for_motion(
    frames: UInt8[np.ndarray, "T H W 3"], aligned: AlignedFaces, preparation: Preparation
) -> UInt8[np.ndarray, "T Z Z 3"]:
    """Return the face of every frame, `resolution_factor` times as wide as the motion image."""
    return aligned.resized(resolution_factor(preparation) * aligned.size).crops(frames)


def resolution_factor(preparation: Preparation) -> int:
    """Return how many times as wide as the motion image its crops are: optical flow needs large ones."""
    if MOTION_IMAGES[preparation.motion].family != "flow":
        return 1
    return -(-MIN_FLOW_PX // preparation.size)


def motion_image(
    crops: UInt8[np.ndarray, "T Z Z 3"], preparation: Preparation, apex: int | None
) -> Float32[np.ndarray, "S S 3"]:
    """Compute the motion image of crops before its normalisation.

    Args:
        crops: `resolution_factor` times as wide as the motion image.
        preparation: all options; one of them removes the global motion from optical flow.
        apex: position of the apex among the crops, or None.

    Raises:
        TooFewFrames: in the part of the clip that the motion image uses.
    """
    kind = MOTION_IMAGES[preparation.motion]
    motion = kind.compute(crops, apex)
    if kind.family != "flow":
        return motion
    if preparation.remove_global_motion:
        field = remove_global_motion(motion[..., :2])
        motion = append_strain(field)
    return downscale_flow(motion, resolution_factor(preparation))


def magnify_crops(
    crops: UInt8[np.ndarray, "T S S 3"], preparation: Preparation, fps: float | None
) -> UInt8[np.ndarray, "T S S 3"]:
    """Return the crops that the motion image is computed from: magnified where the options say so.

    Raises:
        LearnetError: magnification without fps.
    """
    if not preparation.magnify:
        return crops
    if fps is None:
        raise LearnetError("Magnification needs the frame rate of the clip.", "Give fps, or do not magnify.")
    return magnify_motion(crops, preparation.magnify, fps)
