"""The crops of the last frames of a stream, in memory that is taken once."""

import numpy as np
from jaxtyping import UInt8

from learnet.face import AlignedFaces


class Crops:
    """Crops of the last frames by one transform, in time order and side by side, so that a window of them is a view and no copy.

    There is room for twice the frames of a window: where it is full the last ones go back to its start, once in a window. It grows
    only where a video is faster than it says.
    """

    def __init__(self, aligned: AlignedFaces, frames: int) -> None:
        """ALIGNED holds the transform of all frames as its first one; FRAMES are expected in a window."""
        self.aligned = aligned
        self.room = np.empty((2 * frames, aligned.size, aligned.size, 3), np.uint8)
        self.end = 0

    @property
    def full(self) -> bool:
        """Whether the next crop will move those that are still wanted."""
        return self.end == len(self.room)

    def add(self, frame: UInt8[np.ndarray, "H W 3"], wanted: int) -> None:
        """Crop the next frame.

        Args:
            frame: RGB, 0..255.
            wanted: how many of the crops before it are still wanted.
        """
        if self.full:
            kept = self.room[self.end - wanted :]
            if 2 * wanted >= len(self.room):
                self.room = np.empty((3 * (wanted + 1), *kept.shape[1:]), np.uint8)
            self.room[:wanted] = kept
            self.end = wanted
        self.put(self.end, frame)
        self.end += 1

    def put(self, place: int, frame: UInt8[np.ndarray, "H W 3"]) -> None:
        """Crop a frame to a place that has been set aside for it (by counting `end` up)."""
        self.room[place] = self.aligned.crop(frame[None], 0)

    def last(self, count: int) -> UInt8[np.ndarray, "T S S 3"]:
        """The last crops in time order: a view that holds until the next one is added."""
        return self.room[self.end - count : self.end]
