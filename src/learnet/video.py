"""Frames out of a video file, a folder of images or a camera: RGB uint8, numbered, with time stamps, one at a time.

What cannot be read is either refused (`BadVideo`) or counted (`Video.losses`), never passed over. A file is decoded once, in
order, so memory does not grow with its length. PyAV keeps libav's own log to itself.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import av.stream
import cv2
import numpy as np
from jaxtyping import UInt8

from learnet.errors import BadInput, BadVideo, pick

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".bmp", ".png")  # in order of preference, where one number has several files
UNTIMED_FPS = 25.0  # for folders of images, which carry no rate, and for files without one

UNDECODED = "frames that could not be decoded"
DAMAGED = "frames damaged and patched up by the decoder"
ABSENT = "frames announced but not there"
UNREADABLE = "images that could not be read"
GAPS = "frame numbers without an image"
UNDELIVERED = "frames the camera did not deliver"

CODECS = {"h264": "libx264", "mjpeg": "mjpeg", "ffv1": "ffv1"}
CONTAINERS = (".mp4", ".avi", ".mkv", ".mov")

Pixels = UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True)
class VideoInfo:
    """What a video says about itself, and what its first frame shows."""

    source: str
    kind: Literal["file", "folder", "camera"]
    fps: float  # frames per second: the average one where the rate varies
    width: int  # pixels, upright
    height: int  # pixels, upright
    frames: int | None  # as announced by the container, or images in the range; None where nobody says
    variable_rate: bool  # by the announced rates at first; true from the first uneven time stamp that is met
    rotation: int  # degrees counter-clockwise that the file asks for; the frames are turned already


@dataclass(frozen=True)
class Frame:
    """One picture: its number (position in a file from 0, or the number in an image's name) and its time."""

    number: int
    time_s: float  # seconds since the first frame of the whole video
    pixels: Pixels  # RGB, 0..255


@dataclass(frozen=True)
class Footage:
    """A clip, whole in memory, with what was lost on the way (`Video.losses`) and what is worth knowing (`Video.notes`)."""

    pixels: UInt8[np.ndarray, "T H W 3"]  # RGB, 0..255
    numbers: tuple[int, ...]
    info: VideoInfo
    losses: dict[str, int]
    notes: tuple[str, ...]


class Video:
    """Frames in time order, streamed: `with open_video(path) as video: for frame in video: ...`.

    `info` is what is known, `notes` says what was assumed, `losses` counts what could not be given; it is complete when the
    iteration is. Iterating again starts again.
    """

    def __init__(self, info: VideoInfo, bounds: tuple[int | None, int | None], notes: list[str]) -> None:
        self.info = info
        self.notes = notes
        self.losses: dict[str, int] = {}
        self.first, self.last = bounds

    def __iter__(self) -> Iterator[Frame]:
        self.losses = {}
        for frame in self._frames():
            if frame.pixels.shape != (self.info.height, self.info.width, 3):
                height, width, _ = frame.pixels.shape
                wrong = f"frame {frame.number} is {width}x{height}, the first one {self.info.width}x{self.info.height}"
                raise BadVideo(self.info.source, wrong, "All frames must have one size.")
            yield frame

    def _frames(self) -> Iterator[Frame]:
        raise NotImplementedError

    def _lose(self, what: str, count: int = 1) -> None:
        if count > 0:
            self.losses[what] = self.losses.get(what, 0) + count

    def close(self) -> None:
        """Let go of the file or camera."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_video(source: Path | int, fps: float | None = None, first: int | None = None, last: int | None = None) -> Video:
    """Open a video file, a folder of images, or a camera by its index.

    Args:
        source: file in any container that PyAV reads; folder of jpg, jpeg, bmp or png files (see `image_files`); or camera index.
        fps: true rate of the recording, where the file is silent or wrong (slow motion stored at 25); time stamps follow it.
        first, last: inclusive range of frames: positions from 0 in a file, numbers of the names in a folder.

    Raises:
        BadVideo: nothing there, not a video, no pictures in it, or none in the range; or no such camera.
    """
    if fps is not None and not 0 < fps < float("inf"):
        raise BadInput(str(source), f"{fps} frames per second is not a frame rate")
    if isinstance(source, int):
        return _CameraVideo(source, fps, (first, last))
    if not source.exists():
        raise BadVideo(source, "there is no such file or folder")
    return (_FolderVideo if source.is_dir() else _FileVideo)(source, fps, (first, last))


def read_clip(source: Path, first: int | None = None, last: int | None = None) -> Footage:
    """A clip of a file or folder, whole in memory, with the losses counted. Images that cannot be read are refused.

    Raises:
        BadVideo: as `open_video`; an image that cannot be read (it is named); frames of different size.
    """
    numbers: list[int] = []
    with open_video(source, first=first, last=last) as video:
        room = min(video.info.frames or 64, 1024)  # a damaged header may announce anything; doubled when full
        pixels = np.empty((room, video.info.height, video.info.width, 3), np.uint8)
        for frame in video:
            if UNREADABLE in video.losses:
                break
            if len(numbers) == len(pixels):
                pixels = np.concatenate([pixels, np.empty_like(pixels)])
            pixels[len(numbers)] = frame.pixels
            numbers.append(frame.number)
        if UNREADABLE in video.losses:
            raise BadVideo(source / video.notes[-1], "this image cannot be read", "Replace it, or take it out of the folder.")
        return Footage(pixels[: len(numbers)], tuple(numbers), video.info, video.losses, tuple(video.notes))


def read_frames(source: Path, first: int | None = None, last: int | None = None) -> UInt8[np.ndarray, "T H W 3"]:
    """A clip as one array, RGB 0..255. Gaps in the numbers of a folder are allowed (`read_clip` counts them); other losses are not.

    Raises:
        BadVideo: as `read_clip`; a file from which frames of the range are lost.
    """
    footage = read_clip(source, first, last)
    lost = ", ".join(f"{count} {what}" for what, count in footage.losses.items() if what != GAPS)
    if lost:
        raise BadVideo(source, f"the clip is not whole: {lost}", "Copy the file again, or cut it where it is sound.")
    return footage.pixels


def image_files(folder: Path) -> dict[int, Path]:
    """The images of a folder by number, in numeric order; the number is the last run of digits in the name.

    Any prefix and padding will do (`img46.jpg`, `006_05562.jpg`, `EP01_6-12.jpg`), suffixes in any case and doubled
    (`img2977.jpg.jpg`). Hidden files, other suffixes, folders and names without digits are passed over. Where numbers occur with
    several suffixes (CAS(ME)^3 keeps depth as `355.png` beside `355.jpg`), only the first kind of `IMAGE_SUFFIXES` counts.

    Raises:
        BadVideo: no such folder; two images of one kind with the same number.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError as error:
        raise BadVideo(folder, f"this folder cannot be read ({error.strerror})") from error
    kinds: dict[str, dict[int, str]] = {suffix: {} for suffix in IMAGE_SUFFIXES}
    for name in names:
        stem, suffix = _split(name)
        digits = re.findall("[0-9]+", stem)
        if suffix is None or not digits:
            continue
        number = int(digits[-1])
        if number in kinds[suffix]:
            wrong = f"{kinds[suffix][number]} and {name} have the same number"
            raise BadVideo(folder, wrong, "A folder must hold the images of one clip only.")
        kinds[suffix][number] = name
    found: dict[int, str] = {}
    for suffix in IMAGE_SUFFIXES:
        if not found.keys() & kinds[suffix].keys():
            found.update(kinds[suffix])
    return {number: folder / found[number] for number in sorted(found)}


def _split(name: str) -> tuple[str, str | None]:
    """A file name without its image suffixes, however many, and the last of them in lower case."""
    kind = None
    while name.lower().endswith(IMAGE_SUFFIXES):
        name, dot, suffix = name.rpartition(".")
        kind = kind or (dot + suffix).lower()
    return name, kind


def read_image(path: Path) -> Pixels | None:
    """One image, RGB 0..255, grey made three-channel, 16 bit made 8, turned as its EXIF says; None where it cannot be decoded.

    It is decoded from memory: `cv2.imread` gives a JPEG that was cut off half as a picture with a grey rest, `imdecode` does not.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    with _quiet_opencv():
        return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None


class _FolderVideo(Video):
    def __init__(self, source: Path, fps: float | None, bounds: tuple[int | None, int | None]) -> None:
        images = image_files(source)
        if not images:
            raise BadVideo(source, "there is no image with a number in its name", "Give a video file, or a folder of jpg, png or bmp images.")
        self.start = next(iter(images))
        first, last = bounds[0] if bounds[0] is not None else self.start, bounds[1] if bounds[1] is not None else max(images)
        self.images = {number: path for number, path in images.items() if first <= number <= last}
        if not self.images:
            raise BadVideo(source, f"no image from {first} to {last}; the folder has {self.start} to {max(images)}")
        self.opening = read_image(next(iter(self.images.values())))  # shown again as the first frame, so decoded once
        sound = self.opening if self.opening is not None else next(filter(lambda x: x is not None, map(read_image, self.images.values())), None)
        if sound is None:
            raise BadVideo(source, "none of the images can be read")
        notes = [] if fps is not None else [f"A folder of images has no frame rate; {UNTIMED_FPS:g} frames per second is taken."]
        size = {"width": sound.shape[1], "height": sound.shape[0]}
        info = VideoInfo(str(source), "folder", fps or UNTIMED_FPS, **size, frames=len(self.images), variable_rate=False, rotation=0)
        super().__init__(info, (first, last), notes)

    def _frames(self) -> Iterator[Frame]:
        self._lose(GAPS, self.last - self.first + 1 - len(self.images))
        opening, self.opening = self.opening, None
        for number, path in self.images.items():
            pixels, opening = opening if opening is not None else read_image(path), None
            if pixels is None:
                self._lose(UNREADABLE)
                self.notes.append(path.name)
                continue
            yield Frame(number, (number - self.start) / self.info.fps, pixels)
