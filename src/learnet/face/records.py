"""A detected face, and the interface of face finders."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

# Eyes nearer than this many face widths are those of a profile, which cannot be aligned; in a frontal face
# they are 0.45 to 0.5 face widths apart.
MIN_EYE_DISTANCE = 0.25

# Faces narrower than this share of the largest one are in the background, or no faces.
MIN_WIDTH_SHARE = 0.5

Point = tuple[float, float]  # (x, y)


@dataclass(frozen=True)
class Face:
    """One face in one frame, in pixels of the frame (whole numbers are pixel centres)."""

    box: tuple[float, float, float, float]  # x and y of the upper left corner, width, height
    eyes: tuple[Point, Point]  # centres; the eye further left in the picture first
    confidence: float  # 0..1; yunet: the network's score; haar: see HAAR_CONFIDENCE
    finder: str  # `FaceFinder.kind` of the finder that detected it


@runtime_checkable
class FaceFinder(Protocol):
    """Detects the largest face in a frame; `face_finder` returns one."""

    kind: str  # its name, a value of `Preparation.face`, recorded in prepared folders

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """Return the largest face in an RGB frame, or None where there is none."""
        ...


@runtime_checkable
class MultipleFaceFinder(FaceFinder, Protocol):
    """A face finder that can return all faces of a frame."""

    def faces(self, frame: UInt8[np.ndarray, "H W 3"]) -> list[Face]:
        """Return the faces in an RGB frame that are at least half as wide as the largest, which is first."""
        ...


@runtime_checkable
class ModelFaceFinder(FaceFinder, Protocol):
    """A face finder that reads a model file, whose digest prepared folders record."""

    model: Path


def by_size(faces: Iterable[Face]) -> list[Face]:
    """Return the faces by descending area, without those much narrower than the largest."""
    ordered = sorted(faces, key=lambda face: face.box[2] * face.box[3], reverse=True)
    return [face for face in ordered if face.box[2] >= MIN_WIDTH_SHARE * ordered[0].box[2]]


def eyes_are_usable(
    eyes: Float[np.ndarray, "2 2"], face_px: float, frame: UInt8[np.ndarray, "H W 3"]
) -> bool:
    """Return whether both eyes are inside the frame and as far apart as in a frontal face.

    Args:
        eyes: one (x, y) a row, pixels of the frame.
        face_px: width of the face in pixels.
        frame: RGB.
    """
    height, width = frame.shape[:2]
    limit = np.array([width - 0.5, height - 0.5])
    is_inside = (eyes >= -0.5).all() and (eyes <= limit).all()
    is_finite = np.isfinite(eyes).all()
    left, right = eyes
    distance = np.linalg.norm(right - left)
    is_frontal = distance >= MIN_EYE_DISTANCE * face_px
    return bool(is_finite and is_inside and is_frontal)
