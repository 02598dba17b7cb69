"""Frames in memory as a video."""

from collections.abc import Collection, Iterator

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadInput
from learnet.core.frame_rates import check_frame_rate
from learnet.video.base import Frame, Pixels, Video, VideoInfo

SOURCE = "array"


class ArrayVideo(Video):
    """Frames of an array as a video; frame numbers are positions from 0."""

    def __init__(self, frames: UInt8[np.ndarray, "T H W 3"], fps: float) -> None:
        """Check the frames; they are not copied.

        Args:
            frames: RGB, 0..255, in time order.
            fps: frames per second.

        Raises:
            BadInput: no frames, or a frame rate that is not valid.
        """
        if 0 in frames.shape:
            raise BadInput(SOURCE, f"frames of shape {frames.shape} are no video", "Give at least one frame.")
        check_frame_rate(SOURCE, fps)
        count, height, width, _ = frames.shape
        info = VideoInfo(
            source=SOURCE,
            kind="array",
            fps=fps,
            width=width,
            height=height,
            frames=count,
            variable_rate=False,
            rotation=0,
        )
        super().__init__(info, (None, None), [])
        self.frames = frames

    def _frames(self) -> Iterator[Frame]:
        for number, pixels in enumerate(self.frames):
            yield Frame(number, number / self.info.fps, pixels)

    def pixels_at(self, numbers: Collection[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield some frames; see `Video.pixels_at`."""
        for number in sorted(numbers):
            if 0 <= number < len(self.frames):
                yield number, self.frames[number]
