"""Frames out of a video file, a folder of images or a camera: RGB uint8, numbered, with time stamps, one at a time.

What cannot be read is either refused (`BadVideo`) or counted (`Video.losses`), never passed over. A file is decoded once, in
order, so memory does not grow with its length. PyAV keeps libav's own log to itself.
"""

import itertools
import math
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadInput, BadVideo, pick
from learnet.video.libav import (
    AS_STORED,
    MISSING_FRAMES,
    FrameClock,
    decode,
    encode,
    open_stream,
    orientation,
    rates_differ,
    to_rgb,
)

IMAGE_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".bmp",
    ".png",
)  # in order of preference, where one number has several files
MAX_FPS = 10_000  # frames per second; cameras that see a face at more do not give videos
DEFAULT_FPS = 25.0  # for folders of images, which carry no rate, and for files without one

END_OF_JPEG = b"\xff\xd9"
UNREADABLE_IMAGES = "images that could not be read"
NUMBER_GAPS = "frame numbers without an image"
UNDELIVERED_FRAMES = "frames the camera did not deliver"

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
class LoadedClip:
    """A clip, whole in memory, with what was lost on the way (`Video.losses`) and what is worth knowing (`Video.notes`)."""

    pixels: UInt8[np.ndarray, "T H W 3"]  # RGB, 0..255
    numbers: tuple[int, ...]
    info: VideoInfo
    losses: dict[str, int]
    notes: tuple[str, ...]


class Video(ABC):
    """Frames in time order, streamed: `with open_video(path) as video: for frame in video: ...`.

    `info` is what is known, `notes` says what was assumed, `losses` counts what could not be given (`unreadable` names the images
    among it) and is complete when the iteration is. Iterating again starts again.
    """

    def __init__(self, info: VideoInfo, bounds: tuple[int | None, int | None], notes: list[str]) -> None:
        self.info = info
        self.notes = notes
        self.losses: dict[str, int] = {}
        self.unreadable: list[Path] = []
        self.first, self.last = bounds
        self.place: UInt8[np.ndarray, "T H W 3"] | None = (
            None  # memory that images are decoded into, one after the other
        )

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames():
            if frame.pixels.shape != (self.info.height, self.info.width, 3):
                height, width, _ = frame.pixels.shape
                wrong = f"{self._called(frame.number)} is {width}x{height}, the first one {self.info.width}x{self.info.height}"
                raise BadVideo(self.info.source, wrong, "All frames must have one size.")
            yield frame

    @abstractmethod
    def _frames(self) -> Iterator[Frame]: ...

    def _called(self, number: int) -> str:
        """A frame, for messages."""
        return f"frame {number}"

    def _lose(self, what: str, count: int = 1) -> None:
        if count > 0:
            self.losses[what] = self.losses.get(what, 0) + count

    def close(self) -> None:  # noqa: B027
        """Let go of the file or camera."""

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(
    source: Path | int, fps: float | None = None, first: int | None = None, last: int | None = None
) -> Video:
    """Open a video file, a folder of images, or a camera by its index.

    Args:
        source: file in any container that PyAV reads; folder of jpg, jpeg, bmp or png files (see `image_files`); or camera index.
        fps: true rate of the recording, where the file is silent or wrong (slow motion stored at 25); time stamps follow it.
        first, last: inclusive range of frames: positions from 0 in a file, numbers of the names in a folder.

    Raises:
        BadVideo: nothing there, not a video, no pictures in it, or none in the range; or no such camera.
    """
    if fps is not None and not 0 < fps <= MAX_FPS:
        raise BadInput(
            str(source),
            f"{fps:g} is no frame rate",
            f"Give frames per second, above 0 and at most {MAX_FPS:,}.",
        )
    if first is not None and last is not None and first > last:
        raise BadInput(
            str(source),
            f"there is nothing from frame {first} to frame {last}",
            "The first frame must not come after the last.",
        )
    if isinstance(source, int):
        return _CameraVideo(source, fps, (first, last))
    if not source.exists():
        raise BadVideo(source, "there is no such file or folder")
    return (_FolderVideo if source.is_dir() else _FileVideo)(source, fps, (first, last))


def read_clip(
    source: Path,
    first: int | None = None,
    last: int | None = None,
    fps: float | None = None,
    room: UInt8[np.ndarray, "B"] | None = None,
) -> LoadedClip:
    """A clip of a file or folder, whole in memory, with the losses counted. Images that cannot be read are refused.

    Args:
        source, first, last, fps: as in `open_video`.
        room: bytes to read into where the clip fits, so that many clips need memory once; the pixels last until it is used again.

    Raises:
        BadVideo: as `open_video`; an image that cannot be read (it is named); frames of different size.
    """
    numbers: list[int] = []
    with open_video(source, fps, first, last) as video:
        announced = min(
            video.info.frames or 64, 1024
        )  # a damaged header may announce anything; doubled when full
        shape = (announced, video.info.height, video.info.width, 3)
        if room is None or room.size < math.prod(shape):
            room = np.empty(math.prod(shape), np.uint8)
        pixels = room[: math.prod(shape)].reshape(shape)
        video.place = pixels
        for frame in video:
            if len(numbers) == len(pixels):
                pixels = np.concatenate([pixels, np.empty_like(pixels)])
            if frame.pixels.ctypes.data != pixels[len(numbers)].ctypes.data:
                pixels[len(numbers)] = frame.pixels
            numbers.append(frame.number)
        for path in video.unreadable:
            raise BadVideo(
                path,
                "this image cannot be read",
                "Replace it, mend its permissions, or take it out of the folder.",
            )
        return LoadedClip(pixels[: len(numbers)], tuple(numbers), video.info, video.losses, tuple(video.notes))


def read_frames(
    source: Path, first: int | None = None, last: int | None = None
) -> UInt8[np.ndarray, "T H W 3"]:
    """A clip as one array, RGB 0..255. Gaps in the numbers of a folder are allowed (`read_clip` counts them); other losses are not.

    Raises:
        BadVideo: as `read_clip`; a file from which frames of the range are lost.
    """
    footage = read_clip(source, first, last)
    lost = ", ".join(f"{count} {what}" for what, count in footage.losses.items() if what != NUMBER_GAPS)
    if lost:
        raise BadVideo(
            source, f"the clip is not whole: {lost}", "Copy the file again, or cut it where it is sound."
        )
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
            names = sorted(
                entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file()
            )
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


def read_image(path: Path, place: UInt8[np.ndarray, "h w 3"] | None = None) -> Pixels | None:
    """One image, RGB 0..255, grey made three-channel, 16 bit made 8, turned as its EXIF says; None where it cannot be decoded.

    `cv2.imread` gives a JPEG that was cut off half as a picture with a grey rest, so it reads only those that end as a JPEG does,
    and these into PLACE where they fit, which spares copies. All others are decoded from memory, which refuses what is cut off.
    """
    try:
        with path.open("rb", buffering=0) as file, _quiet_opencv():
            if (
                place is not None
                and file.seek(0, os.SEEK_END) > 1
                and file.seek(-2, os.SEEK_END)
                and file.read(2) == END_OF_JPEG
            ):
                with suppress(cv2.error):  # it has another size than PLACE, and is decoded apart from it
                    return cv2.imread(str(path), place, cv2.IMREAD_COLOR_RGB)
            file.seek(0)
            data = np.frombuffer(file.read(), np.uint8)
            return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    except OSError:
        return None


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """OpenCV writes to stderr what comes back as an error or a count here."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


class _FolderVideo(Video):
    def __init__(self, source: Path, fps: float | None, bounds: tuple[int | None, int | None]) -> None:
        images = image_files(source)
        if not images:
            raise BadVideo(
                source,
                "no image with a number in its name is there",
                "Give a video file, or a folder of jpg, png or bmp.",
            )
        self.start, end = min(images), max(images)
        self.wanted = range(
            self.start if bounds[0] is None else bounds[0], (end if bounds[1] is None else bounds[1]) + 1
        )
        self.images = {number: path for number, path in images.items() if number in self.wanted}
        if not self.images:
            raise BadVideo(
                source,
                f"no image has a number from {bounds[0]} to {bounds[1]}; there are {self.start} to {end}",
            )
        pictures = ((number, read_image(path)) for number, path in self.images.items())
        self.opening = next(((number, pixels) for number, pixels in pictures if pixels is not None), None)
        if self.opening is None:
            raise BadVideo(source, "none of the images can be read")
        height, width, _ = self.opening[1].shape
        info = VideoInfo(
            str(source),
            "folder",
            fps or DEFAULT_FPS,
            width,
            height,
            len(self.images),
            variable_rate=False,
            rotation=0,
        )
        super().__init__(
            info,
            bounds,
            [] if fps else [f"Images carry no frame rate; {DEFAULT_FPS:g} frames per second is assumed."],
        )

    def _called(self, number: int) -> str:
        return self.images[number].name

    def _frames(self) -> Iterator[Frame]:
        self.losses, self.unreadable = {}, []
        self._lose(NUMBER_GAPS, len(self.wanted) - len(self.images))
        places = itertools.repeat(None) if self.place is None else iter(self.place)
        for (number, path), place in zip(self.images.items(), places, strict=False):
            known, self.opening = self.opening, None  # the first one was decoded for its size
            pixels = known[1] if known and known[0] == number else read_image(path, place)
            if pixels is None:
                self._lose(UNREADABLE_IMAGES)
                self.unreadable.append(path)
            else:
                yield Frame(number, (number - self.start) / self.info.fps, pixels)


class _CameraVideo(Video):
    def __init__(self, index: int, fps: float | None, bounds: tuple[int | None, int | None]) -> None:
        with _quiet_opencv():
            self.camera = cv2.VideoCapture(index)
            _, opening = self.camera.read()  # nothing, where no camera was opened
        if opening is None:
            self.camera.release()
            raise BadVideo(
                f"camera {index}",
                "there is no such camera, or it gives no picture",
                "Give another index, or a video file.",
            )
        rate = fps or self.camera.get(cv2.CAP_PROP_FPS)
        notes = (
            []
            if rate > 0
            else [f"The camera tells no frame rate; {DEFAULT_FPS:g} frames per second is assumed."]
        )
        size = opening.shape[1], opening.shape[0]
        super().__init__(
            VideoInfo(f"camera {index}", "camera", rate or DEFAULT_FPS, *size, None, True, 0), bounds, notes
        )

    def _frames(self) -> Iterator[Frame]:
        self.losses = {}
        start = time.monotonic()
        for number in itertools.count() if self.last is None else range(self.last + 1):
            ready, pixels = self.camera.read()
            if not ready:
                self._lose(UNDELIVERED_FRAMES)
                return
            if number >= (self.first or 0):
                yield Frame(number, time.monotonic() - start, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))

    def close(self) -> None:
        self.camera.release()


class _FileVideo(Video):
    def __init__(self, source: Path, fps: float | None, bounds: tuple[int | None, int | None]) -> None:
        self.path = source
        self.container, self.stream = open_stream(source)
        losses: dict[str, int] = {}
        frames = decode(self.container, self.stream, losses)
        opening = next(frames, None)  # decoded now, so that a file without pictures is refused at once
        if opening is None:
            self.close()
            raise BadVideo(
                source, "no frame of it can be decoded", "It is damaged, or cut off before the first picture."
            )
        self.pending: Iterator[av.VideoFrame] | None = itertools.chain([opening], frames)
        announced = self.stream.average_rate or self.stream.guessed_rate
        notes = (
            []
            if fps or announced
            else [f"The file tells no frame rate; {DEFAULT_FPS:g} frames per second is assumed."]
        )
        upright = orientation(opening)
        self.upright = upright or AS_STORED
        if upright is None:
            notes.append(
                "The file asks to be turned by an odd angle; its frames are given as they are stored."
            )
        # AVI numbers packets, not pictures: where the codec reorders them, its time stamps are wrong.
        self.counted = fps is not None or (
            self.container.format.name == "avi" and bool(self.stream.codec_context.has_b_frames)
        )
        height, width, _ = to_rgb(opening, self.upright).shape
        info = VideoInfo(
            str(source), "file", fps or float(announced or DEFAULT_FPS), width, height,
            frames=self.stream.frames or None,
            variable_rate=not self.counted and rates_differ(self.stream),
            rotation=int(opening.rotation) if upright else 0,
        )  # fmt: skip
        super().__init__(info, bounds, notes)
        self.losses = losses

    def close(self) -> None:
        self.container.close()

    def _frames(self) -> Iterator[Frame]:
        if self.pending is None:
            self.close()
            self.container, self.stream = open_stream(self.path)
            self.losses = {}
            self.pending = decode(self.container, self.stream, self.losses)
        frames, self.pending = self.pending, None
        first, number = self.first or 0, -1
        clock = FrameClock(self.info.fps, None if self.counted else float(self.stream.time_base or 0))
        for number, frame in enumerate(frames):
            time_s = clock.time_of(frame, self.losses)
            if not clock.even and not self.info.variable_rate:
                self.info = replace(self.info, variable_rate=True)
            if number >= first:
                yield Frame(number, time_s, to_rgb(frame, self.upright))
            if number == self.last:
                return
        if number < first:
            raise BadVideo(
                self.path, f"there is no frame {first}; the last one that can be decoded is {number}"
            )
        if self.last is not None:
            self.losses[MISSING_FRAMES] = self.last - number


def write_video(path: Path, frames: Iterable[Pixels], fps: float, codec: str = "h264") -> None:
    """Write frames (RGB, 0..255, one size) as a video file that appears whole or not at all.

    Args:
        path: ends in .mp4, .mkv, .avi or .mov, which chooses the container.
        frames: at least one; an odd height or width is kept (h264 then without colour subsampling).
        fps: frames per second.
        codec: h264 (visually lossless, crf 10), mjpeg, or ffv1 (lossless but for the colour conversion; mkv and avi).

    Raises:
        BadInput: no frames, frames of different size, a suffix that names no container, or a place that cannot be written.
    """
    if path.suffix.lower() not in CONTAINERS:
        raise BadInput(
            path,
            f"{path.suffix or 'no suffix'} names no video format to write",
            f"Choose from {', '.join(CONTAINERS)}.",
        )
    encoder = pick(CODECS, codec, "codec")
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        encode(part, frames, Fraction(fps).limit_denominator(1001), encoder)
        part.replace(path)
    except (av.FFmpegError, OSError) as error:
        raise BadInput(path, f"the video cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)
