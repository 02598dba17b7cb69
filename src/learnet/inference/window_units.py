"""Action units of a window of a video whose skin moves, or the reason why there are none."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import pick
from learnet.core.records import ActionUnitScore
from learnet.core.settings import Preparation
from learnet.face import HEAD_MOTION_LIMIT_PX, AlignedFaces
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.motion.detrend import StoredImages
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.pipeline import motion_image, resolution_factor

NOT_TRUSTED = "action units are not to be trusted"


@dataclass(frozen=True)
class MovingWindow:
    """A window in which skin moves, with the motion image that the network of classes takes."""

    frames: Sequence[UInt8[np.ndarray, "H W 3"]] | UInt8[np.ndarray, "T H W 3"]
    aligned: AlignedFaces
    apex: int  # position among the frames
    image: UInt8[np.ndarray, "S S 3"]
    preparation: Preparation  # of the image
    head_px: float | None  # head motion in pixels of the image; None: it could not be measured


@dataclass(frozen=True)
class WindowUnits:
    """Action units of one window."""

    named: tuple[ActionUnitScore, ...] = ()  # the surest first
    scores: dict[int, float] = field(default_factory=dict)  # probability of each unit
    reason: str = ""  # why none are given although the skin moves; empty if they are


def recognise_units(recogniser: ActionUnitRecogniser | None, window: MovingWindow) -> WindowUnits:
    """Return the action units of a window.

    A head that moves as far as skin does in an expression looks like action units, so none are given then.

    Args:
        recogniser: None: there are no units and no reason.
        window: in which skin moves.
    """
    if recogniser is None:
        return WindowUnits()
    reason = "" if window.aligned.face is None else head_obstacle(window.head_px, window.preparation)
    if reason:
        return WindowUnits(reason=reason)
    images = StoredImages(_flow_image(window, recogniser.preparation)[None])
    scores = recogniser.scores(images)
    probabilities = dict(zip(scores.units, scores.present[0].tolist(), strict=True))
    return WindowUnits(recogniser.named(scores, 0), probabilities)


def head_obstacle(head_px: float | None, preparation: Preparation) -> str:
    """Return why action units are not to be trusted; empty if the head is still enough.

    Args:
        head_px: head motion in pixels of the motion image; None: it could not be measured.
        preparation: of the motion image.
    """
    if preparation.stabilise:
        return ""
    if head_px is None:
        return f"the motion of the head cannot be measured, so {NOT_TRUSTED}"
    face_px = head_px * 112 / preparation.size
    if face_px <= HEAD_MOTION_LIMIT_PX:
        return ""
    return f"the head moves by {face_px:.1f} pixels of a face 112 pixels wide, so {NOT_TRUSTED}"


def _flow_image(window: MovingWindow, wanted: Preparation) -> UInt8[np.ndarray, "S S 3"]:
    """Return the flow image of a window: the one there is, or one made of the same crops."""
    made = window.preparation.settled
    if replace(made, face=wanted.face) == wanted:
        return window.image
    aligned = window.aligned.resized(resolution_factor(wanted) * wanted.size)
    frames = np.stack([window.frames[0], window.frames[window.apex]])
    apex = min(window.apex, len(aligned.transforms) - 1)  # a single transform is that of all frames
    ends = replace(aligned, transforms=aligned.transforms[[0, apex]])
    motion = motion_image(ends.crops(frames), wanted, apex=1)
    normalise = pick(NORMALISATIONS, wanted.normalise, "normalisation")
    return normalise(motion)
