"""Buffer of the frames of the last seconds, for the recognition of events that end in them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.records import MICRO_MAX_S, Event
from learnet.face import EYE_DISTANCE
from learnet.face.geometry import source_region
from learnet.inference.event_clips import clip_numbers, event_clip
from learnet.inference.spotting.motion import TRACKED_PX
from learnet.inference.spotting.movements import MAX_S
from learnet.inference.spotting.spotter import HOP_S, SETTLED_S
from learnet.inference.windows import Window
from learnet.video.base import Frame, Pixels

ANSWER_S = SETTLED_S + HOP_S + 0.1  # from the apex of an event to the time at which it is final
KEPT_S = ANSWER_S + MAX_S  # an event can begin so long before it is final
# Before this time, only slow movements begin whose event is not final. Few frames of these are needed.
DENSE_S = ANSWER_S + MICRO_MAX_S
MAX_BYTES = 1_000_000_000  # beyond which only measured frames are kept of more recent times, too
BACKGROUND_S = 1.0  # between frames that are kept whole

# The part of a frame that is kept: the face crop, and so much around it, in widths of the crop, that a face
# detector sees what it would see in the frame.
MARGIN_ABOVE, MARGIN_BESIDE, MARGIN_BELOW = 0.30, 0.15, 0.05
# Distance of the eyes in pixels up to which this part is kept as it is. Larger faces are reduced: the
# networks take crops in which it is 40 pixels.
MAX_EYE_DISTANCE_PX = 100.0


@dataclass(frozen=True)
class _KeptFrame:
    """A frame: the part around the face, and another frame that shows the rest."""

    number: int
    time_s: float
    rows: slice
    columns: slice
    part: UInt8[np.ndarray, "h w 3"]
    background: Pixels
    is_measured: bool

    def pixels(self) -> Pixels:
        """Return the frame; around the face it is up to BACKGROUND_S older."""
        pixels = self.background.copy()
        region = pixels[self.rows, self.columns]
        height, width = region.shape[:2]
        part = self.part
        if part.shape != region.shape:
            part = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
        pixels[self.rows, self.columns] = part
        return pixels


class FrameBuffer:
    """The frames of the last KEPT_S with a face, reduced to the part around it.

    All frames of the last DENSE_S are kept, and of the time before those that were measured, at most
    `spotter.MAX_RATE` a second. Where this takes more than MAX_BYTES, the first of these times is shorter.
    """

    def __init__(self) -> None:
        """Start without frames."""
        self.bytes = 0  # of the kept parts
        self._frames: deque[_KeptFrame] = deque()  # of the last DENSE_S
        self._older: deque[_KeptFrame] = deque()
        self._background: Frame | None = None

    @property
    def kept(self) -> int:
        """Number of frames in memory."""
        return len(self._frames) + len(self._older)

    def add(self, frame: Frame, to_crop: Float64[np.ndarray, "2 3"] | None, is_measured: bool) -> None:
        """Keep the next frame.

        Args:
            frame: its pixels must not be changed later.
            to_crop: from the frame to a face crop TRACKED_PX wide; None: there is no face.
            is_measured: whether the motion was measured in this frame.
        """
        self._forget(frame.time_s)
        if to_crop is None:
            return
        rows, columns = _region(frame.pixels, to_crop)
        part = _reduced(frame.pixels[rows, columns], to_crop)
        background = self._background_of(frame)
        self._frames.append(
            _KeptFrame(frame.number, frame.time_s, rows, columns, part, background, is_measured)
        )
        self.bytes += part.nbytes

    def _background_of(self, frame: Frame) -> Pixels:
        """Return the last frame that was kept whole, or this one if that is too long ago."""
        background = self._background
        is_usable = background is not None and background.pixels.shape == frame.pixels.shape
        if background is None or not is_usable or frame.time_s - background.time_s >= BACKGROUND_S:
            self._background = background = frame
        return background.pixels

    def _forget(self, time_s: float) -> None:
        while self._frames and (time_s - self._frames[0].time_s > DENSE_S or self.bytes > MAX_BYTES):
            frame = self._frames.popleft()
            if frame.is_measured:
                self._older.append(frame)
            else:
                self.bytes -= frame.part.nbytes
        while self._older and time_s - self._older[0].time_s > KEPT_S:
            self.bytes -= self._older.popleft().part.nbytes

    def clip(self, event: Event, fps: float) -> Window:
        """Return the frames of an event as `event_clips` reads them from a video.

        In place of a frame that is not kept, the nearest one that is, each once.

        Args:
            event: that has just become final.
            fps: frames per second of the stream.
        """
        frames = [*self._older, *self._frames]
        numbers = clip_numbers(event, fps)
        nearest = _nearest([frame.number for frame in frames], numbers)
        marks = {event.onset, event.apex, event.offset}
        used = {nearest[numbers.index(mark)] for mark in marks}
        chosen = {}
        for number, index in zip(numbers, nearest, strict=True):
            if number in marks or index not in used:
                chosen[number] = frames[index].pixels()
                used.add(index)
        return event_clip(event, list(chosen), chosen)


def _nearest(kept: Sequence[int], numbers: Sequence[int]) -> list[int]:
    """Return the position of the kept number that is nearest to each number."""
    numbers_kept = np.array(kept)
    after = np.clip(np.searchsorted(numbers_kept, numbers), 1, max(1, len(kept) - 1))
    before = after - 1
    after = np.minimum(after, len(kept) - 1)
    is_before = np.array(numbers) - numbers_kept[before] <= numbers_kept[after] - np.array(numbers)
    return np.where(is_before, before, after).tolist()


def _region(pixels: Pixels, to_crop: Float64[np.ndarray, "2 3"]) -> tuple[slice, slice]:
    """Return the rows and columns of the part that is kept."""
    to_part = to_crop.copy()
    to_part[:, 2] += TRACKED_PX * np.array([MARGIN_BESIDE, MARGIN_ABOVE])
    width = round(TRACKED_PX * (1 + 2 * MARGIN_BESIDE))
    height = round(TRACKED_PX * (1 + MARGIN_ABOVE + MARGIN_BELOW))
    return source_region(pixels.shape[:2], to_part, width, height)


def _reduced(
    part: UInt8[np.ndarray, "H W 3"], to_crop: Float64[np.ndarray, "2 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a copy of the part, reduced if the face is large."""
    eye_distance_px = EYE_DISTANCE * TRACKED_PX / np.hypot(*to_crop[:, 0])
    factor = int(np.ceil(eye_distance_px / MAX_EYE_DISTANCE_PX))
    if factor <= 1:
        return part.copy()
    height, width = part.shape[:2]
    size = (max(1, width // factor), max(1, height // factor))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA)
