"""Numbered images and video files in a folder: their names, and decoding one image."""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from learnet.core.errors import BadVideo
from learnet.video.base import Pixels
from learnet.video.frame_numbers import DIGITS, AmbiguousNumbers, frame_numbers
from learnet.video.libav import is_whole_jpeg
from learnet.video.picture import MAX_PIXELS, bits_of

# In order of preference, where several files have the same number.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".bmp", ".png")

VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".mts",
    ".m2ts", ".3gp", ".ogv", ".mjpeg",
)  # fmt: skip

JPEG_END_MARKER = b"\xff\xd9"
JPEG_OR_BMP = (b"\xff\xd8", b"BM")  # first bytes
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

ONE_CLIP_HINT = "A folder must hold the images of one clip only, with one number each."

# Before OpenCV 4.14 the functions of its log lie at the top.
OPENCV_LOG: Any = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2


def image_files(folder: Path) -> dict[int, Path]:
    """Return the images of a folder by number, in numeric order.

    The number of an image is the last run of digits that varies in the names (`frame_numbers`). Prefix and
    padding are arbitrary (`img46.jpg`, `006_05562.jpg`, `EP01_6-12.jpg`); suffixes may be in any case and
    doubled (`img2977.jpg.jpg`). Hidden files, other suffixes, folders and names without digits are ignored.
    Depth maps are ignored where they have the numbers of pictures (CAS(ME)^3 stores depth as `355.png` next
    to `355.jpg`): PNG of 16 bits, by the order of `IMAGE_SUFFIXES`.

    Raises:
        BadVideo: no such folder, two pictures with the same number, or names from which no order follows.
    """
    stems_by_suffix: dict[str, dict[str, str]] = {suffix: {} for suffix in IMAGE_SUFFIXES}
    for name in _visible_files(folder):
        stem, suffix = _split_suffixes(name)
        if suffix is not None and DIGITS.search(stem):
            stems_by_suffix[suffix][name] = stem
    names_by_suffix = [_numbered(folder, stems) for stems in stems_by_suffix.values()]
    selected: dict[int, str] = {}
    for names in names_by_suffix:
        shared = selected.keys() & names.keys()
        if not shared:
            selected.update(names)
            continue
        number = min(shared)
        if _is_picture(folder / names[number]):
            problem = f"{selected[number]} and {names[number]} have the same number"
            raise BadVideo(folder, problem, ONE_CLIP_HINT)
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
        raise BadVideo(folder, str(error), ONE_CLIP_HINT) from None
    return dict(zip(numbers, stems, strict=True))


def _is_picture(path: Path) -> bool:
    """Return whether a file begins like a picture, other than a depth map: a PNG of 16 bits."""
    try:
        with path.open("rb") as file:
            head = file.read(26)
    except OSError:
        return False
    if head.startswith(JPEG_OR_BMP):
        return True
    return head.startswith(PNG_SIGNATURE) and not _is_deep_png(head)


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


def read_image(path: Path, buffer: UInt8[np.ndarray, "h w 3"] | None = None, bits: int = 16) -> Pixels | None:
    """Read one image as RGB, 0..255.

    Grey images become three-channel, 16 bit images 8 bit, and the EXIF orientation is applied.

    Args:
        path: image file.
        buffer: memory to decode into where the size fits, which avoids copies.
        bits: of a value of a 16 bit image that are used (`used_bits`).

    Returns:
        The image, or None where it cannot be decoded, is damaged, or larger than MAX_PIXELS.

    Raises:
        BadVideo: a value needs more bits.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not _is_readable(data):
        return None
    if bits < 16 and _is_deep_png(data):
        return _shifted(path, data, bits)
    with quiet_opencv(), suppress(cv2.error):
        if buffer is not None and _opens_by_name(path) and data.endswith(JPEG_END_MARKER):
            with suppress(cv2.error):  # the image has another size than the buffer
                return cv2.imread(str(path), buffer, cv2.IMREAD_COLOR_RGB)
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return None


def used_bits(path: Path) -> int:
    """Return how many bits of each value a 16 bit image uses: cameras of 10, 12 or 14 bits leave the upper
    ones empty, so that the image looks almost black. It is 16 for all other images.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return 16
    if not _is_deep_png(data) or not _is_readable(data):
        return 16
    pixels = _decode_deep(data)
    if pixels is None:
        return 16
    return bits_of(int(pixels.max()))


def _decode_deep(data: bytes) -> UInt16[np.ndarray, "H W 3"] | None:
    with quiet_opencv(), suppress(cv2.error):
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    return None


def _shifted(path: Path, data: bytes, bits: int) -> Pixels | None:
    """Decode a 16 bit image of which only the lower bits are used."""
    pixels = _decode_deep(data)
    if pixels is None:
        return None
    if pixels.max() >= 1 << bits:
        hint = "Convert the images to 8 bits."
        raise BadVideo(path, f"its values exceed the {bits} bits of the first image", hint)
    return (pixels >> (bits - 8)).astype(np.uint8)


def _is_deep_png(data: bytes) -> bool:
    """Return whether this is a PNG of 16 bits a value."""
    return data.startswith(PNG_SIGNATURE) and data[24:25] == b"\x10"


def _opens_by_name(path: Path) -> bool:
    """Return whether OpenCV can open a file of this name; it ends the process where it is not UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_readable(data: bytes) -> bool:
    """Return whether this is an image of a size that fits in memory, and not known to be damaged.

    OpenCV would reserve any size that a header announces, and fills up damaged JPEG files.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                is_jpeg = image.format in ("JPEG", "MPO")
                width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    if width * height > MAX_PIXELS:
        return False
    return not is_jpeg or is_whole_jpeg(data)


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's messages on stderr: this package reports the same problems as errors or counts."""
    level = OPENCV_LOG.setLogLevel(0)
    try:
        yield
    finally:
        OPENCV_LOG.setLogLevel(level)
