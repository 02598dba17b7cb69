"""Read frames from a video file, a folder of images or a camera: RGB, uint8, numbered, with times.

Damage is either refused (`BadVideo`) or counted (`Video.losses`), never ignored.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadInput, BadVideo
from learnet.core.frame_rates import check_frame_rate
from learnet.video.base import Frame, Video, VideoInfo, size_error
from learnet.video.camera import CameraVideo
from learnet.video.file import FileVideo
from learnet.video.folder import NUMBER_GAPS, FolderVideo

__all__ = ["Frame", "LoadedClip", "Video", "VideoInfo", "open_video", "read_clip", "read_frames"]

ADDRESS = re.compile("([A-Za-z][A-Za-z0-9+.-]+):/+")  # rtsp://...; paths lose the second slash

# Frames that memory is reserved for at first, and bytes: a damaged header may announce any number.
DEFAULT_FRAMES = 64
MAX_RESERVED_BYTES = 2**28


@dataclass(frozen=True)
class LoadedClip:
    """A clip, whole in memory."""

    pixels: UInt8[np.ndarray, "T H W 3"]  # RGB, 0..255
    numbers: tuple[int, ...]  # of the frames
    info: VideoInfo
    losses: dict[str, int]  # as `Video.losses`
    notes: tuple[str, ...]  # as `Video.notes`


def open_video(
    source: str | Path | int, fps: float | None = None, first: int | None = None, last: int | None = None
) -> Video:
    """Open a video file, a folder of images, or a camera by its index.

    Args:
        source: file in any container that PyAV reads; folder of jpg, jpeg, bmp or png files (see
            `images.image_files`); or camera index.
        fps: actual frame rate of the recording, where the file states none or a wrong one (slow motion stored
            at 25); it sets the times of the frames.
        first: first frame of an inclusive range: a position from 0 in a file, a number in the file names of a
            folder.
        last: last frame of the range.

    Raises:
        BadInput: a frame rate or range that is not valid, also where the file states it.
        BadVideo: no such file or camera, not a video, no pictures in it, or none in the range.
    """
    if fps is not None:
        check_frame_rate(str(source), fps)
    if first is not None and last is not None and first > last:
        raise BadInput(
            str(source),
            f"there is nothing from frame {first} to frame {last}",
            "The first frame must not come after the last.",
        )
    bounds = (first, last)
    if isinstance(source, int):
        return CameraVideo(source, fps, bounds)
    check_source(source)
    source = Path(source)
    if source.is_dir():
        return FolderVideo(source, fps, bounds)
    return FileVideo(source, fps, bounds)


def check_source(source: str | Path) -> None:
    """Refuse what is neither a file nor a folder. A video is read more than once, so a pipe cannot be read.

    Raises:
        BadVideo: what it is instead, and what to do.
    """
    path = Path(source)
    if path.is_file() or path.is_dir():
        return
    save = "Save the video as a file, and give that."
    if path.is_char_device():
        raise BadVideo(source, "this is a device", "Give the index of a camera to `learnet live`, or a file.")
    if path.exists():
        raise BadVideo(source, "this is a pipe or socket, not a file", save)
    address = ADDRESS.match(str(source))
    if address:
        full = f"{address[1]}://{str(source)[address.end() :]}"
        raise BadVideo(full, "this is an address, and only files and cameras are read", save)
    raise BadVideo(source, "there is no such file or folder")


def read_clip(
    source: str | Path,
    first: int | None = None,
    last: int | None = None,
    fps: float | None = None,
    buffer: UInt8[np.ndarray, "B"] | None = None,
) -> LoadedClip:
    """Read a clip from a file or folder into memory and count the losses. Unreadable images are refused.

    Args:
        source: as in `open_video`.
        first: as in `open_video`.
        last: as in `open_video`.
        fps: as in `open_video`.
        buffer: bytes to read into where the clip fits, so that many clips need memory only once. The returned
            pixels are valid until the buffer is used again.

    Raises:
        BadVideo: as `open_video`; an image that cannot be read (it is named); frames of different size.
    """
    numbers: list[int] = []
    with open_video(source, fps, first, last) as video:
        pixels = _reserve(video, buffer)
        video.decode_buffer = pixels
        for frame in video:
            if len(numbers) == len(pixels):
                more = np.empty((max(1, len(pixels) // 2), *pixels.shape[1:]), np.uint8)
                pixels = np.concatenate([pixels, more])
            if frame.pixels.shape != pixels.shape[1:]:
                raise size_error(video.info, f"frame {frame.number}", frame.pixels)
            target = pixels[len(numbers)]
            if frame.pixels.ctypes.data != target.ctypes.data:
                target[...] = frame.pixels
            numbers.append(frame.number)
        for path in video.unreadable:
            raise BadVideo(
                path,
                "this image cannot be read",
                "Replace it, correct its permissions, or remove it from the folder.",
            )
        return LoadedClip(
            pixels[: len(numbers)], tuple(numbers), video.info, video.losses, tuple(video.notes)
        )


def _reserve(video: Video, buffer: UInt8[np.ndarray, "B"] | None) -> UInt8[np.ndarray, "T H W 3"]:
    """Return memory for the announced frames of the range, in `buffer` where it is large enough."""
    info = video.info
    frames = info.frames or DEFAULT_FRAMES
    if info.kind == "file":
        last = frames - 1 if video.last is None else video.last
        frames = min(frames, last - (video.first or 0) + 1)
    frame_bytes = info.height * info.width * 3
    frames = max(1, min(frames, MAX_RESERVED_BYTES // frame_bytes))
    size = frames * frame_bytes
    if buffer is None or buffer.size < size:
        buffer = np.empty(size, np.uint8)
    return buffer[:size].reshape((frames, info.height, info.width, 3))


def read_frames(
    source: str | Path, first: int | None = None, last: int | None = None
) -> UInt8[np.ndarray, "T H W 3"]:
    """Read a clip as one array, RGB, 0..255.

    Gaps in the numbers of a folder are allowed (`read_clip` counts them); other losses are not.

    Raises:
        BadVideo: as `read_clip`; a file from which frames of the range are lost.
    """
    clip = read_clip(source, first, last)
    serious_losses = []
    for kind, count in clip.losses.items():
        if kind != NUMBER_GAPS:
            serious_losses.append(f"{count} {kind}")
    if serious_losses:
        raise BadVideo(
            source,
            f"the clip is not whole: {', '.join(serious_losses)}",
            "Copy the file again, or cut it where it is undamaged.",
        )
    return clip.pixels
