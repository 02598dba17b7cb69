"""Frames of a clip -> what a network looks at: the one path, whoever asks."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError, TooFewFrames, pick
from learnet.core.settings import Preparation
from learnet.face import EYE_COLUMNS, EYE_ROW, AlignedFaces, FaceFinder, align
from learnet.face.geometry import compose
from learnet.motion import MOTION_IMAGES
from learnet.motion.apex import find_apex
from learnet.motion.flow import MIN_FLOW_PX, append_strain, downscale_flow, remove_global_motion
from learnet.motion.magnify import magnify_motion
from learnet.motion.normalise import NORMALISATIONS

EYE_POSITIONS = tuple((column, EYE_ROW) for column in EYE_COLUMNS)  # in crop widths, where a finder saw them


@dataclass(frozen=True)
class MotionResult:
    """A clip's network input, and how it came about."""

    image: UInt8[np.ndarray, "S S 3"]  # 0..255
    aligned: AlignedFaces
    motion: Float32[np.ndarray, "S S 3"]  # the motion image before it was normalised
    apex: (
        int | None
    )  # position of the apex among the frames: given, or found; None where none was given and none was needed


def make_image(
    frames: UInt8[np.ndarray, "T H W 3"],
    preparation: Preparation,
    finder: FaceFinder | None,
    apex: int | None = None,
    fps: float | None = None,
) -> MotionResult:
    """From frames to network input: align the face, magnify, fold the motion, normalise.

    Args:
        frames: RGB, 0..255, in time order; at least two.
        preparation: all choices.
        finder: finds the face; None where the frames are face crops already.
        apex: position of the apex among the frames, from 1; where a motion image needs it and it is None, it is found.
        fps: frames per second; only magnification asks.

    Raises:
        NoFace: no face in the frames that were searched.
        TooFewFrames: fewer than two frames, or in the part that is folded.
        LearnetError: magnification without fps.
    """
    if len(frames) < 2:
        raise TooFewFrames(found=len(frames), needed=2)
    kind = pick(MOTION_IMAGES, preparation.motion, "motion image")
    normalise = pick(NORMALISATIONS, preparation.settled.normalise, "normalisation")
    aligned = align(frames, finder, preparation.size, preparation.steady)
    if kind.fixed_weights and not preparation.steady and not preparation.magnify:
        motion = aligned.crop_of_sum(frames, lambda part: kind.compute(part, apex))
        return MotionResult(normalise(motion), aligned, motion, apex)
    crops = _enlarged(aligned, resolution_factor(preparation)).crops(frames)
    if kind.needs_apex and apex is None:
        apex = find_apex(crops, EYE_POSITIONS if finder else ())
    motion = motion_image(magnify_crops(crops, preparation, fps), preparation, apex)
    return MotionResult(normalise(motion), aligned, motion, apex)


def resolution_factor(preparation: Preparation) -> int:
    """How many times as wide as the image the crops are that it is made of: optical flow is not measured on small ones."""
    return -(-MIN_FLOW_PX // preparation.size) if MOTION_IMAGES[preparation.motion].family == "flow" else 1


def motion_image(
    crops: UInt8[np.ndarray, "T Z Z 3"], preparation: Preparation, apex: int | None
) -> Float32[np.ndarray, "S S 3"]:
    """The motion image of crops that are `resolution_factor` times as wide as it, before it is normalised; head motion is taken out of flow if asked.

    Raises:
        TooFewFrames: in the part that is folded.
    """
    kind = MOTION_IMAGES[preparation.motion]
    motion = kind.compute(crops, apex)
    if kind.family == "flow":
        motion = downscale_flow(
            append_strain(remove_global_motion(motion[..., :2])) if preparation.still_flow else motion,
            resolution_factor(preparation),
        )
    return motion


def magnify_crops(
    crops: UInt8[np.ndarray, "T S S 3"], preparation: Preparation, fps: float | None
) -> UInt8[np.ndarray, "T S S 3"]:
    """The crops that are folded: magnified, where that is asked for.

    Raises:
        LearnetError: magnification without fps.
    """
    if not preparation.magnify:
        return crops
    if fps is None:
        raise LearnetError("To magnify a clip its frame rate must be known.", "Give fps, or do not magnify.")
    return magnify_motion(crops, preparation.magnify, fps)


def _enlarged(aligned: AlignedFaces, times: int) -> AlignedFaces:
    """The same crops a whole number of times larger, each pixel divided into TIMES x TIMES."""
    if times == 1:
        return aligned
    growth = np.array([[times, 0, (times - 1) / 2], [0, times, (times - 1) / 2]])
    return replace(
        aligned,
        size=times * aligned.size,
        transforms=np.stack([compose(growth, there) for there in aligned.transforms]),
    )
