"""Records and base class shared by all sources of frames: files, folders of images and cameras."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadVideo

DEFAULT_FPS = 25.0  # assumed for folders of images and for files that do not state a frame rate

Pixels = UInt8[np.ndarray, "H W 3"]
FrameRange = tuple[int | None, int | None]  # first and last frame, inclusive; None: no limit


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video, by its time stamps, its header and its first frame."""

    source: str
    kind: Literal["file", "folder", "camera", "array"]
    fps: float  # frames per second; the mean where the rate varies
    width: int  # square pixels, after rotation
    height: int  # square pixels, after rotation
    frames: int | None  # that a file should have, or images in the range; None where unknown
    variable_rate: bool  # by the time stamps of all frames
    rotation: int  # degrees counter-clockwise requested by the file; already applied to the frames


@dataclass(frozen=True)
class Frame:
    """One frame of a video with its number and time."""

    number: int  # position from 0 in a file or camera stream; number in the file name of an image
    time_s: float  # seconds since the first frame of the whole video
    pixels: Pixels  # RGB, 0..255
    media_s: float | None = (
        None  # time stamp in the file in seconds, by which players seek; None: there is none
    )


class Video(ABC):
    """Frames in time order, read one at a time: `with open_video(path) as video: for frame in video: ...`.

    Iterating a second time starts again from the first frame. In a file, the size of the frames may change.

    Attributes:
        info: properties of the video.
        notes: sentences about assumptions that were made.
        losses: number of frames that could not be delivered, by kind; complete at the end of an iteration.
        unreadable: the images counted in `losses` that could not be read.
        decode_buffer: memory for consecutive images; where it is set, images are decoded into it.
    """

    def __init__(self, info: VideoInfo, bounds: FrameRange, notes: list[str]) -> None:
        self.info = info
        self.notes = notes
        self.losses: dict[str, int] = {}
        self.unreadable: list[Path] = []
        self.first, self.last = bounds
        self.decode_buffer: UInt8[np.ndarray, "T H W 3"] | None = None

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames():
            height, width, _ = frame.pixels.shape
            if (height, width) != (self.info.height, self.info.width):
                self._accept_size(frame)
            yield frame

    def _accept_size(self, frame: Frame) -> None:
        """Refuse a frame whose size is not that of the first one.

        Raises:
            BadVideo: with both sizes.
        """
        raise size_error(self.info, self._frame_label(frame.number), frame.pixels)

    @abstractmethod
    def _frames(self) -> Iterator[Frame]: ...

    def pixels_at(self, numbers: Collection[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield number and pixels of some frames, in time order; numbers that no frame has are left out.

        `info` and `losses` stay as they are. Call it after an iteration: a file has noted then from where it
        can be read, so that not everything before a frame is decoded again.

        Args:
            numbers: of the frames.
        """
        for frame in self:
            if frame.number in numbers:
                yield frame.number, frame.pixels

    def structural_losses(self) -> dict[str, int]:
        """Return the number of frames by kind that are known to be missing before anything is decoded."""
        return {}

    def _frame_label(self, number: int) -> str:
        """Return what error messages call a frame."""
        return f"frame {number}"

    def _add_loss(self, kind: str, count: int = 1) -> None:
        add_loss(self.losses, kind, count)

    def close(self) -> None:  # noqa: B027
        """Release the file or camera."""

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def size_error(info: VideoInfo, label: str, pixels: Pixels) -> BadVideo:
    """Return the error for a frame whose size is not that of the first one."""
    height, width, _ = pixels.shape
    wrong = f"{label} is {width}x{height}, the first one {info.width}x{info.height}"
    return BadVideo(info.source, wrong, "All frames must have one size.")


def add_loss(losses: dict[str, int], kind: str, count: int = 1) -> None:
    """Add `count` lost frames of one kind to `losses`; counts below 1 are ignored."""
    if count > 0:
        losses[kind] = losses.get(kind, 0) + count
