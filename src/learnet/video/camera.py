"""A camera as an endless video."""

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2

from learnet.core.errors import BadVideo
from learnet.core.frame_rates import MAX_FPS
from learnet.video.base import DEFAULT_FPS, Frame, FrameRange, Video, VideoInfo
from learnet.video.images import quiet_opencv

UNDELIVERED_FRAMES = "frames the camera did not deliver"  # kind of losses, as counted in `Video.losses`

MEASURED_S = 2.0  # after which the frame rate is the one that was measured, and not the reported one


class CameraVideo(Video):
    """Frames of a camera, timed by the clock of this computer."""

    def __init__(self, index: int, fps: float | None, bounds: FrameRange) -> None:
        with quiet_opencv():
            self.camera = cv2.VideoCapture(index)
            _, first_frame = self.camera.read()  # None where no camera was opened
        if first_frame is None:
            self.camera.release()
            raise BadVideo(
                f"camera {index}",
                "there is no such camera, or it gives no picture",
                "Give another index, or a video file.",
            )
        self.measures_rate = fps is None
        rate = fps or self.camera.get(cv2.CAP_PROP_FPS)
        notes = []
        if not 0 < rate <= MAX_FPS:
            notes.append(f"The camera reports no frame rate; {DEFAULT_FPS:g} frames per second is assumed.")
            rate = DEFAULT_FPS
        height, width = first_frame.shape[:2]
        info = VideoInfo(
            source=f"camera {index}",
            kind="camera",
            fps=rate,
            width=width,
            height=height,
            frames=None,
            variable_rate=True,
            rotation=0,
        )
        super().__init__(info, bounds, notes)

    def _frames(self) -> Iterator[Frame]:
        self.losses = {}
        start_s = time.monotonic()
        numbers: Iterable[int] = itertools.count() if self.last is None else range(self.last + 1)
        for number in numbers:
            delivered, pixels = self.camera.read()
            if not delivered:
                self._add_loss(UNDELIVERED_FRAMES)
                return
            time_s = time.monotonic() - start_s
            if self.measures_rate and time_s >= MEASURED_S:  # cameras deliver fewer frames in the dark
                self.info = replace(self.info, fps=(number + 1) / time_s)
            if number >= (self.first or 0):
                rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
                yield Frame(number, time_s, rgb)

    def close(self) -> None:
        """Release the camera."""
        self.camera.release()
