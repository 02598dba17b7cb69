"""Predictions for the windows of a video."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8

from learnet.core.records import ActionUnitScore
from learnet.face import Face
from learnet.inference.action_unit_text import scores_to_dict, unit_to_dict
from learnet.inference.decision import NO_EXPRESSION, UNCERTAIN
from learnet.inference.emotion_criteria import emotions_from_units
from learnet.inference.event_maps import EventMaps
from learnet.motion.evidence import MotionEvidence


@dataclass(frozen=True)
class Movement:
    """Onset, apex and offset of a movement as measured in one window."""

    onset: int  # number of the frame
    apex: int
    offset: int
    onset_s: float  # seconds since the first frame of the video
    apex_s: float
    offset_s: float


@dataclass(frozen=True)
class Prediction:
    """Prediction for one window of a video."""

    window: int  # from 0, in time order
    start_s: float  # seconds since the first frame of the video
    end_s: float  # exclusive
    first: int  # number of the first frame: its position in a file, or the number in an image's name
    last: int  # number of the last frame, inclusive
    frames: int  # number of frames
    label: str | None  # a class, "none" or "uncertain"; None: the window cannot be judged
    scores: dict[str, float]  # probability of each class, sum 1; empty: the network was not asked
    # Why the label is not simply the class with the highest score; empty if it is.
    reason: str
    face: Face | None  # in pixels of the frame; None: no face was found, or the frames are face crops
    head_px: float | None  # head motion in pixels of the crop; None: it could not be measured
    warnings: tuple[str, ...]  # what may have affected the prediction
    apex: int | None = None  # number of the apex frame, if the motion image needs one
    motion: MotionEvidence | None = None  # None: it could not be measured
    movement: Movement | None = None  # None: the skin does not move
    action_units: tuple[ActionUnitScore, ...] = ()  # that are named, the surest first
    # Probability of each action unit; empty: the skin does not move, or the head moves too far.
    action_unit_scores: dict[int, float] = field(default_factory=dict)
    maps: EventMaps | None = field(default=None, repr=False, compare=False)  # None: not asked for, or no face

    @property
    def score(self) -> float | None:
        """Highest probability; None where the network was not asked."""
        return max(self.scores.values(), default=None)

    @property
    def strength(self) -> float:
        """Rank of the window among others: expressions first, then uncertain ones, then those without any.

        Expressions have their score; uncertain windows and those of the network's class "none" have it minus
        1; windows in which nothing moves have -1, and those without a label -2.
        """
        if self.label is None:
            return -2.0
        if self.score is None:
            return -1.0
        return self.score - (self.label in (NO_EXPRESSION, UNCERTAIN))

    @property
    def unjudged_because(self) -> str:
        """Why the window has no label; empty if it has one."""
        return self.reason if self.label is None else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction for JSON, rounded to meaningful digits."""
        movement = self.movement
        return {
            "window": self.window,
            "start_s": round(self.start_s, 4),
            "end_s": round(self.end_s, 4),
            "first": self.first,
            "last": self.last,
            "frames": self.frames,
            "onset": movement.onset if movement else None,
            "apex": movement.apex if movement else self.apex,
            "offset": movement.offset if movement else None,
            "label": self.label,
            "score": None if self.score is None else round(self.score, 6),
            "scores": {name: round(score, 6) for name, score in self.scores.items()},
            "action_units": [unit_to_dict(unit) for unit in self.action_units],
            "action_unit_scores": scores_to_dict(self.action_unit_scores),
            "emotions_by_units": [match.to_dict() for match in emotions_from_units(self.action_units)],
            "reason": self.reason or None,
            "face": _face_to_dict(self.face) if self.face else None,
            "head_px": None if self.head_px is None else round(self.head_px, 2),
            "motion": _motion_to_dict(self.motion) if self.motion else None,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class WindowImages:
    """Images of one window."""

    crop: UInt8[np.ndarray, "S S 3"]  # the face in the middle frame, RGB
    image: UInt8[np.ndarray, "S S 3"]  # the motion image, 0..255


class StrongestImages:
    """The images of the strongest prediction so far."""

    def __init__(self) -> None:
        self.images: WindowImages | None = None
        self._strength = -3.0  # below every strength

    def see(self, prediction: Prediction, images: WindowImages | None) -> None:
        """Keep the images if the prediction is stronger than the others."""
        if images is not None and prediction.strength > self._strength:
            self._strength = prediction.strength
            self.images = images


def _face_to_dict(face: Face) -> dict[str, Any]:
    eyes = []
    for x, y in face.eyes:
        eyes.append([round(x, 1), round(y, 1)])
    return {
        "box": [round(value, 1) for value in face.box],
        "eyes": eyes,
        "confidence": round(face.confidence, 3),
        "finder": face.finder,
    }


def _motion_to_dict(motion: MotionEvidence) -> dict[str, float | None]:
    if not motion.head_is_followed:
        return {"skin_px": None, "limit_px": None, "eyes_px": None, "noise_px": None, "rotation_deg": None}
    return {
        "skin_px": round(motion.skin_px, 2),
        "limit_px": round(motion.limit_px, 2),
        "eyes_px": round(motion.eyes_px, 2),
        "noise_px": None if motion.noise_px is None else round(motion.noise_px, 2),
        "rotation_deg": round(motion.rotation_deg, 1),
    }
