"""Numbered images and video files in a folder: their names, and decoding one image."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadVideo
from learnet.video.base import Pixels
from learnet.video.frame_numbers import DIGITS, AmbiguousNumbers, frame_numbers

# In order of preference, where several files have the same number.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".bmp", ".png")

VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".mts",
    ".m2ts", ".3gp", ".ogv", ".mjpeg",
)  # fmt: skip

JPEG_END_MARKER = b"\xff\xd9"

# Before OpenCV 4.14 the functions of its log lie at the top.
OPENCV_LOG: Any = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2


def image_files(folder: Path) -> dict[int, Path]:
    """Return the images of a folder by number, in numeric order.

    The number of an image is the last run of digits that varies in the names (`frame_numbers`). Prefix and
    padding are arbitrary (`img46.jpg`, `006_05562.jpg`, `EP01_6-12.jpg`); suffixes may be in any case and
    doubled (`img2977.jpg.jpg`). Hidden files, other suffixes, folders and names without digits are ignored.
    Where numbers occur with several suffixes (CAS(ME)^3 stores depth as `355.png` next to `355.jpg`), only
    the first suffix of `IMAGE_SUFFIXES` counts.

    Raises:
        BadVideo: no such folder, two images of one suffix with the same number, or names from which no order
            follows.
    """
    stems_by_suffix: dict[str, dict[str, str]] = {suffix: {} for suffix in IMAGE_SUFFIXES}
    for name in _visible_files(folder):
        stem, suffix = _split_suffixes(name)
        if suffix is not None and DIGITS.search(stem):
            stems_by_suffix[suffix][name] = stem
    names_by_suffix = [_numbered(folder, stems) for stems in stems_by_suffix.values()]
    selected: dict[int, str] = {}
    for names in names_by_suffix:
        if not selected.keys() & names.keys():
            selected.update(names)
    return {number: folder / selected[number] for number in sorted(selected)}


def _numbered(folder: Path, stems: dict[str, str]) -> dict[int, str]:
    """Return images of one suffix by number.

    Args:
        folder: for errors.
        stems: file name -> the same without suffix.
    """
    try:
        numbers = frame_numbers(list(stems.values()))
    except AmbiguousNumbers as error:
        hint = "A folder must hold the images of one clip only, with one number each."
        raise BadVideo(folder, str(error), hint) from None
    return dict(zip(numbers, stems, strict=True))


def video_files(folder: Path) -> list[Path]:
    """Return the video files of a folder by name; none if it has images, which then are the frames of one
    video.

    Raises:
        BadVideo: the folder cannot be read.
    """
    names = _visible_files(folder)
    if any(name.lower().endswith(IMAGE_SUFFIXES) for name in names):
        return []
    return [folder / name for name in names if name.lower().endswith(VIDEO_SUFFIXES)]


def _visible_files(folder: Path) -> list[str]:
    """Return the names of the files in a folder that are not hidden, sorted."""
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file():
                    names.append(entry.name)
    except OSError as error:
        raise BadVideo(folder, f"this folder cannot be read ({error.strerror})") from error
    return sorted(names)


def _split_suffixes(name: str) -> tuple[str, str | None]:
    """Return a file name without its image suffixes, and the last suffix in lower case (None without one)."""
    last_suffix = None
    while name.lower().endswith(IMAGE_SUFFIXES):
        name, dot, suffix = name.rpartition(".")
        last_suffix = last_suffix or (dot + suffix).lower()
    return name, last_suffix


def read_image(path: Path, buffer: UInt8[np.ndarray, "h w 3"] | None = None) -> Pixels | None:
    """Read one image as RGB, 0..255.

    Grey images become three-channel, 16 bit images 8 bit, and the EXIF orientation is applied.

    `cv2.imread` returns a truncated JPEG as a picture with a grey remainder. So only files that end like a
    complete JPEG are read by it, into `buffer` where they fit, which avoids copies. All other files are
    decoded from memory, which rejects truncated ones.

    Args:
        path: image file.
        buffer: memory to decode into where the size fits.

    Returns:
        The image, or None where it cannot be decoded.
    """
    try:
        with path.open("rb", buffering=0) as file, quiet_opencv():
            if buffer is not None and _ends_like_jpeg(file):
                with suppress(cv2.error):  # the image has another size than the buffer
                    return cv2.imread(str(path), buffer, cv2.IMREAD_COLOR_RGB)
            file.seek(0)
            data = np.frombuffer(file.read(), np.uint8)
            return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    except OSError:
        return None


def _ends_like_jpeg(file: io.FileIO) -> bool:
    if file.seek(0, os.SEEK_END) <= 2:
        return False
    file.seek(-2, os.SEEK_END)
    return file.read(2) == JPEG_END_MARKER


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's messages on stderr: this package reports the same problems as errors or counts."""
    level = OPENCV_LOG.setLogLevel(0)
    try:
        yield
    finally:
        OPENCV_LOG.setLogLevel(level)
