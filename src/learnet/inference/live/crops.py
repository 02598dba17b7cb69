"""Buffer of the face crops of the last frames, in memory that is allocated once."""

import numpy as np
from jaxtyping import UInt8

from learnet.face import AlignedFaces


class CropBuffer:
    """Crops of the last frames by one transform, in time order and contiguous: a window of them is a view.

    The buffer has room for twice the frames of a window. When it is full, the last crops move to its start,
    once per window. It grows only if a video is faster than it states.
    """

    def __init__(self, aligned: AlignedFaces, frames: int) -> None:
        """Allocate the buffer.

        Args:
            aligned: its first transform is that of all frames.
            frames: expected in a window.
        """
        self.aligned = aligned
        self.buffer = np.empty((2 * frames, aligned.size, aligned.size, 3), np.uint8)
        self.end = 0  # number of crops in the buffer

    @property
    def full(self) -> bool:
        """Whether the next crop will move those that are still needed."""
        return self.end == len(self.buffer)

    def add(self, frame: UInt8[np.ndarray, "H W 3"], keep: int) -> None:
        """Crop the next frame.

        Args:
            frame: RGB, 0..255.
            keep: number of earlier crops that are still needed.
        """
        if self.full:
            kept = self.buffer[self.end - keep :]
            if 2 * keep >= len(self.buffer):
                self.buffer = np.empty((3 * (keep + 1), *kept.shape[1:]), np.uint8)
            self.buffer[:keep] = kept
            self.end = keep
        self.put(self.end, frame)
        self.end += 1

    def put(self, index: int, frame: UInt8[np.ndarray, "H W 3"]) -> None:
        """Crop a frame to an index that has been reserved for it, by increasing `end`."""
        self.buffer[index] = self.aligned.crop(frame[None], 0)

    def last(self, count: int) -> UInt8[np.ndarray, "T S S 3"]:
        """Return the last crops in time order: a view, which is valid until the next crop is added."""
        return self.buffer[self.end - count : self.end]
