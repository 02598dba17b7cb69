"""Pictures in and out of container files, by PyAV: what `video.py` stands on for files.

PyAV keeps libav's own log to itself, so what goes wrong must come back from here as an error or as a count.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.stream
import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadInput, BadVideo

UNDECODED_FRAMES = "frames that could not be decoded"
DAMAGED_FRAMES = "frames damaged and patched up by the decoder"
MISSING_FRAMES = "frames missing at the end"

Pixels = UInt8[np.ndarray, "H W 3"]
Orientation = tuple[bool, int, int]  # swap rows and columns, then step down, step across (-1: mirrored)
AS_STORED: Orientation = (False, 1, 1)  # as the file stores it


def open_stream(source: Path) -> tuple[av.container.InputContainer, av.VideoStream]:
    """The container and its first moving picture. Only files are opened, whatever a playlist in one may point to."""
    if source.stat().st_size == 0:
        raise BadVideo(source, "the file is empty", "Copy it again.")
    try:
        container = av.open(
            f"file:{source}", options={"protocol_whitelist": "file"}, metadata_errors="ignore"
        )
    except av.FFmpegError as error:
        raise BadVideo(
            source,
            f"this is not a video that can be read ({error.strerror})",
            "Convert it to mp4, or copy it again.",
        ) from error
    kind = container.format.name
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if (
        kind == "tty" or kind.startswith("image2") or kind.endswith("_pipe")
    ):  # libav plays texts and single pictures as well
        wrong = "this is a text, not a video" if kind == "tty" else "this is a single picture, not a video"
        raise BadVideo(source, wrong, "Give a video file, or a folder of images.")
    if not streams or streams[0].codec_context is None:
        wrong = (
            "its pictures are in a format that cannot be decoded"
            if streams
            else "there are no moving pictures in it"
        )
        raise BadVideo(source, wrong, "Give a video file, or a folder of images.")
    streams[0].thread_type = "AUTO"
    return container, streams[0]


def decode(
    container: av.container.InputContainer, stream: av.VideoStream, losses: dict[str, int]
) -> Iterator[av.VideoFrame]:
    """Every picture that the decoder can make, in time order; what it cannot is counted in LOSSES."""

    def lose(what: str, count: int = 1) -> None:
        if count > 0:
            losses[what] = losses.get(what, 0) + count

    end_s, given, skipped = 0.0, 0, 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            skipped += packet.is_discard  # cut away by the file's own edit list
            frames = packet.decode()
        except av.FFmpegError:
            lose(UNDECODED_FRAMES)
            continue
        for frame in frames:
            given += 1
            if frame.is_corrupt:
                lose(DAMAGED_FRAMES)
            end_s = (frame.time or 0.0) + float((frame.duration or 0) * (frame.time_base or 0))
            yield frame
    if stream.frames:
        lose(MISSING_FRAMES, stream.frames - given - skipped - losses.get(UNDECODED_FRAMES, 0))
    elif "DURATION" in stream.metadata and stream.average_rate:  # Matroska announces a time, not a number
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        announced_s, rate = 3600 * int(hours) + 60 * int(minutes) + float(seconds), float(stream.average_rate)
        if (announced_s - end_s) * rate > 0.5:
            lose(MISSING_FRAMES, round(announced_s * rate) - given - losses.get(UNDECODED_FRAMES, 0))


class FrameClock:
    """The times of the frames of a file, in seconds since the first, by their presentation time stamps.

    `even` becomes False with the first interval that is off by more than a tenth of a frame and the rounding of the file's own
    clock (milliseconds in Matroska). Gaps that a counted loss has torn do not count.
    """

    def __init__(self, fps: float, tick_s: float | None) -> None:
        """TICK_S is the unit of the time stamps; None: they are of no use, and frames are counted instead."""
        self.even = True
        self._counted, self._period = tick_s is None, 1 / fps
        self._slack = 0.1 / fps + 1.5 * (tick_s or 0.0)
        self._origin, self._last, self._lost = None, -self._period, {}  # type: tuple[float | None, float, dict[str, int]]

    def time_of(self, frame: av.VideoFrame, losses: dict[str, int]) -> float:
        """The time of the next frame; LOSSES is the count so far."""
        due = self._last + self._period
        now = due
        if not self._counted and frame.time is not None:
            self._origin = frame.time if self._origin is None else self._origin
            now = frame.time - self._origin
        if now <= self._last:  # raw streams and damaged files
            now = due
        if abs(now - due) > self._slack and losses == self._lost:
            self.even = False
        self._last, self._lost = now, dict(losses)
        return now


def rates_differ(stream: av.VideoStream) -> bool:
    """Whether the average rate is another than the finest one in the time stamps; twice that is interlacing, not variation."""
    if not stream.average_rate or not stream.base_rate:
        return False
    ratio = float(stream.base_rate / stream.average_rate)
    return min(abs(ratio - 1), abs(ratio - 2)) > 0.01


def orientation(frame: av.VideoFrame) -> Orientation | None:
    """The file's display matrix as an `Orientation`; None where it is no multiple of 90 degrees."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return AS_STORED
    words = np.frombuffer(data, np.int32)  # type: ignore[call-overload]  # side data are buffers; the stubs do not say so
    matrix = words[[0, 1, 3, 4]] / 65536  # 16.16 fixed point; x' = a x + c y, y' = b x + d y
    a, b, c, d = np.rint(matrix).astype(int).tolist()
    if np.abs(matrix - (a, b, c, d)).max() > 0.01 or sorted((abs(a * d), abs(b * c))) != [0, 1]:
        return None
    return (True, b, c) if b else (False, d, a)


def to_rgb(frame: av.VideoFrame, upright: Orientation) -> Pixels:
    """The frame's pixels, RGB 0..255, turned and mirrored as `orientation` says."""
    pixels = frame.to_ndarray(
        format="rgb24", threads=1
    )  # without `threads` a pool is started for every frame: ten times slower
    turned, down, across = upright
    return np.ascontiguousarray((pixels.transpose(1, 0, 2) if turned else pixels)[::down, ::across])


def encode(path: Path, frames: Iterable[Pixels], rate: Fraction, codec: str) -> None:
    """Write frames into a new file; its suffix chooses the container. A file that could not be finished is left to the caller.

    Raises:
        BadInput: no frames, or frames of different size.
    """
    shape = None
    with av.open(f"file:{path}", "w") as container:
        for pixels in frames:
            if shape is None:
                shape, stream = (
                    pixels.shape,
                    _new_stream(container, pixels.shape, rate, codec, b_frames=path.suffix.lower() != ".avi"),
                )
            if pixels.shape != shape:
                raise BadInput(
                    path,
                    f"a frame of {pixels.shape[1]}x{pixels.shape[0]} follows one of {shape[1]}x{shape[0]}",
                )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if shape is None:
            raise BadInput(path, "there are no frames to write")
        container.mux(stream.encode())


def _new_stream(
    container: av.container.OutputContainer,
    shape: tuple[int, ...],
    rate: Fraction,
    codec: str,
    b_frames: bool,
) -> av.VideoStream:
    stream = container.add_stream(codec, rate=rate)
    assert isinstance(stream, av.VideoStream)
    stream.height, stream.width = shape[:2]
    even = shape[0] % 2 == 0 and shape[1] % 2 == 0
    stream.pix_fmt = {"libx264": "yuv420p" if even else "yuv444p", "mjpeg": "yuvj444p", "ffv1": "bgr0"}[codec]
    options = {
        "libx264": {"crf": "10", "preset": "veryfast"},
        "mjpeg": {"qmin": "1", "qmax": "2"},
        "ffv1": {},
    }[codec]
    reorder = {} if b_frames else {"bf": "0"}  # AVI cannot time pictures that are stored out of order
    stream.options = {**options, **reorder}
    return stream
