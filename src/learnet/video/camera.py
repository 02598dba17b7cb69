"""A camera as an endless video."""

import itertools
import time
from collections.abc import Iterable, Iterator

import cv2

from learnet.core.errors import BadVideo
from learnet.video.base import DEFAULT_FPS, Frame, FrameRange, Video, VideoInfo
from learnet.video.images import quiet_opencv

UNDELIVERED_FRAMES = "frames the camera did not deliver"  # kind of losses, as counted in `Video.losses`


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
        rate = fps or self.camera.get(cv2.CAP_PROP_FPS)
        notes = []
        if not rate > 0:
            notes.append(f"The camera reports no frame rate; {DEFAULT_FPS:g} frames per second is assumed.")
        height, width = first_frame.shape[:2]
        info = VideoInfo(
            source=f"camera {index}",
            kind="camera",
            fps=rate or DEFAULT_FPS,
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
            if number >= (self.first or 0):
                rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
                yield Frame(number, time.monotonic() - start_s, rgb)

    def close(self) -> None:
        """Release the camera."""
        self.camera.release()
