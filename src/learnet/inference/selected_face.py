"""The choice of one face among several in a video."""

from typing import Literal

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import counted
from learnet.face import Face, FaceFinder, MultipleFaceFinder

FaceChoice = int | Literal["none"]  # number by size from 1; "none": the video shows a face crop

MAX_JUMP = 1.0  # face widths; a face further from where it was last seen is another person's


class SelectedFace:
    """A face finder that detects the face of one person, by number, and counts the others.

    Number 1 is the largest face of each frame. Number 2 is the second largest face of the first frame that
    shows two, and then the face nearest to where that one was last seen.
    """

    def __init__(self, finder: FaceFinder, number: int = 1) -> None:
        self.finder = finder
        self.kind = finder.kind
        self.number = number
        self.searched = 0  # frames
        self.most_faces = 0  # in one frame
        self._last: Face | None = None

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """Return the face of the person in an RGB frame, or None where it is not there."""
        self.searched += 1
        faces = self._faces(frame)
        self.most_faces = max(self.most_faces, len(faces))
        if self.number == 1 or self._last is None:
            face = faces[self.number - 1] if len(faces) >= self.number else None
        else:
            face = _nearest(faces, self._last)
        self._last = face or self._last
        return face

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence about the other faces, if there are any."""
        if self.most_faces < 2:
            return ()
        which = "the largest" if self.number == 1 else f"number {self.number} by size"
        return (f"the video shows {counted(self.most_faces, 'face')}; {which} is judged (--face N: another)",)

    def _faces(self, frame: UInt8[np.ndarray, "H W 3"]) -> list[Face]:
        if isinstance(self.finder, MultipleFaceFinder):
            return self.finder.faces(frame)
        face = self.finder(frame)
        return [] if face is None else [face]


def _nearest(faces: list[Face], last: Face) -> Face | None:
    """Return the face nearest to the last one; None if it is further away than one face width."""
    nearest = None
    smallest = MAX_JUMP * last.box[2]
    for face in faces:
        distance = float(np.hypot(*np.subtract(_centre(face), _centre(last))))
        if distance < smallest:
            nearest, smallest = face, distance
    return nearest


def _centre(face: Face) -> tuple[float, float]:
    x, y, width, height = face.box
    return x + width / 2, y + height / 2
