"""Action units of a window of a video whose skin moves, or the reason why nothing is named in it."""

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
NOTHING_TRUSTED = f"emotion and {NOT_TRUSTED}"


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
    # Why neither they nor an emotion are named although the skin moves; empty if they are.
    reason: str = ""


def recognise_units(recogniser: ActionUnitRecogniser | None, window: MovingWindow) -> WindowUnits:
    """Return the action units of a window.

    A head that moves as far as skin does in an expression looks like an expression, so nothing is named then.

    Args:
        recogniser: None: there are no units.
        window: in which skin moves.
    """
    if window.aligned.face is not None:
        reason = head_obstacle(window.head_px, window.preparation, NOTHING_TRUSTED)
        if reason:
            return WindowUnits(reason=reason)
    if recogniser is None:
        return WindowUnits()
    images = StoredImages(_flow_image(window, recogniser.preparation)[None])
    scores = recogniser.scores(images)
    probabilities = dict(zip(scores.units, scores.present[0].tolist(), strict=True))
    return WindowUnits(recogniser.named(scores, 0), probabilities)


def head_obstacle(head_px: float | None, preparation: Preparation, untrusted: str = NOT_TRUSTED) -> str:
    """Return why what a network names is not to be trusted; empty if the head is still enough.

    Args:
        head_px: head motion in pixels of the motion image; None: it could not be measured.
        preparation: of the motion image.
        untrusted: what the reason says to be not trusted.
    """
    if preparation.stabilise:
        return ""
    if head_px is None:
        return f"the motion of the head cannot be measured, so {untrusted}"
    face_px = head_px * 112 / preparation.size
    if face_px <= HEAD_MOTION_LIMIT_PX:
        return ""
    return f"the head moves by {face_px:.1f} pixels of a face 112 pixels wide, so {untrusted}"


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
