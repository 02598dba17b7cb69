"""The pictures of a video file as they are to be seen: upright, with square pixels, RGB."""

from dataclasses import dataclass

import av
import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadVideo
from learnet.video.base import Pixels

MAX_PIXELS = 2**27  # of a picture, as of 16K: a damaged or hostile header may announce any size
MAX_STRETCH = 4.0  # of a pixel: films have pixels up to twice as wide as high
LEAST_STRETCH = 0.01  # relative: headers round

Orientation = tuple[bool, int, int]  # swap rows and columns, then row step, column step (-1: mirrored)
AS_STORED: Orientation = (False, 1, 1)

CAMERA_BITS = (10, 12, 14)  # of the values in images and films of 16 bits
GREY_16 = ("gray16le", "gray16be")  # as libav calls these formats

# Codes of ITU-T H.273.
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
BT2020_PRIMARIES = 9


@dataclass(frozen=True)
class PictureFormat:
    """How the stored pictures become those that are to be seen."""

    orientation: Orientation = AS_STORED
    pixel_aspect: float = 1.0  # width of a pixel divided by its height
    grey_bits: int = 16  # that are used of the values of grey films of 16 bits

    def seen_size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of a stored picture with square pixels; neither gets smaller."""
        if self.pixel_aspect >= 1:
            return round(width * self.pixel_aspect), height
        return width, round(height / self.pixel_aspect)


def picture_format(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[PictureFormat, list[str]]:
    """Return the format of a file by its header and its first frame, and notes about what is special."""
    notes = []
    requested = orientation(frame)
    if requested is None:
        notes.append(
            "The file requests rotation by an odd angle; its frames are returned as they are stored."
        )
    aspect = float(stream.sample_aspect_ratio or 1)
    if not 1 / MAX_STRETCH <= aspect <= MAX_STRETCH:
        notes.append(f"The file states pixels {aspect:.3g} times as wide as high; they are taken as square.")
        aspect = 1.0
    elif abs(aspect - 1) <= LEAST_STRETCH:
        aspect = 1.0
    result = PictureFormat(requested or AS_STORED, aspect, _grey_bits(frame))
    if result.grey_bits < 16:
        bits = result.grey_bits
        notes.append(
            f"The first frame uses {bits} of its 16 bits, so all are read as {bits}-bit frames; brighter "
            "values are cut off."
        )
    if aspect != 1:
        width, height = result.seen_size(frame.width, frame.height)
        notes.append(
            f"The pixels are not square, so the frames of {frame.width}x{frame.height} pixels are "
            f"scaled to {width}x{height}."
        )
    return result, notes + _content_notes(frame, stream)


def bits_of(largest: int) -> int:
    """Return how many bits the values of a 16 bit image have: cameras leave the upper ones empty, so that it
    looks almost black. It is 16 where all are used, or none.
    """
    return next((bits for bits in CAMERA_BITS if 0 < largest < 1 << bits), 16)


def _grey_bits(frame: av.VideoFrame) -> int:
    """Return how many bits of each value a grey film of 16 bits uses; 16 for all other films."""
    if frame.format.name not in GREY_16:
        return 16
    return bits_of(int(frame.to_ndarray(format="gray16le", threads=1).max()))


def _content_notes(frame: av.VideoFrame, stream: av.VideoStream) -> list[str]:
    """Return notes about content that is read as it is, although it differs from that of usual films."""
    notes = []
    if frame.interlaced_frame:
        notes.append(
            "The frames are interlaced: each combines two moments, which looks like motion. Deinterlace the "
            "file first."
        )
    codec = stream.codec_context
    transfer = HDR_TRANSFERS.get(codec.color_trc)
    if transfer:
        notes.append(
            f"The film is HDR ({transfer}); its grey levels are read as if it were not, which changes the "
            "contrast. Convert it to SDR first."
        )
    elif codec.color_primaries == BT2020_PRIMARIES:
        notes.append("The colours are those of BT.2020; they are read as those of BT.709, which are paler.")
    return notes


def orientation(frame: av.VideoFrame) -> Orientation | None:
    """Return the file's display matrix as an `Orientation`; None where it is no multiple of 90 degrees."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return AS_STORED
    # Side data are buffers; the type stubs do not say so.
    words = np.frombuffer(data, np.int32)  # type: ignore[call-overload]
    matrix = words[[0, 1, 3, 4]] / 65536  # 16.16 fixed point; x' = a x + c y, y' = b x + d y
    a, b, c, d = np.rint(matrix).astype(int).tolist()
    is_exact = np.abs(matrix - (a, b, c, d)).max() <= 0.01
    sizes = (abs(a), abs(b), abs(c), abs(d))
    if not is_exact or sizes not in ((1, 0, 0, 1), (0, 1, 1, 0)):
        return None
    return (True, b, c) if b else (False, d, a)


def check_size(source: str, width: int, height: int) -> None:
    """Refuse pictures that would not fit in memory, before they are decoded.

    Raises:
        BadVideo: with the announced size.
    """
    if width * height > MAX_PIXELS:
        raise BadVideo(
            source,
            f"it announces pictures of {width}x{height} pixels, more than can be read",
            "It is damaged, or must be made smaller first.",
        )


def to_rgb(frame: av.VideoFrame, target: PictureFormat) -> Pixels:
    """Return the pixels of a frame, RGB, 0..255, as they are to be seen."""
    width, height = target.seen_size(frame.width, frame.height)
    if target.grey_bits < 16:
        values = np.asarray(
            frame.to_ndarray(format="gray16le", width=width, height=height, threads=1), np.uint16
        )
        grey = np.minimum(values >> (target.grey_bits - 8), 255).astype(np.uint8)
        return _turned(np.repeat(grey[..., None], 3, axis=2), target.orientation)
    # Without `threads`, PyAV starts a pool for every frame: ten times slower.
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, threads=1)
    return _turned(pixels, target.orientation)


def _turned(pixels: Pixels, orientation: Orientation) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture rotated and mirrored."""
    swap_axes, row_step, column_step = orientation
    if swap_axes:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels[::row_step, ::column_step])
