"""Decode video files by PyAV.

PyAV suppresses libav's own log, so every problem must be reported from here, as an error or as a count.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.container
import av.stream
import numpy as np

from learnet.core.errors import BadVideo
from learnet.video.base import Pixels, add_loss

# Kinds of losses, as counted in `Video.losses`.
UNDECODED_FRAMES = "frames that could not be decoded"
DAMAGED_FRAMES = "frames damaged and patched up by the decoder"
MISSING_FRAMES = "frames missing at the end"

Orientation = tuple[bool, int, int]  # swap rows and columns, then row step, column step (-1: mirrored)
AS_STORED: Orientation = (False, 1, 1)

# Titles and comments need not be UTF-8: PyAV 19 always escapes such bytes, earlier versions must be asked to.
AV_MAJOR = int(av.__version__.split(".")[0])
METADATA_OPTION: dict[str, Any] = {} if AV_MAJOR >= 19 else {"metadata_errors": "surrogateescape"}


def open_stream(source: Path) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open the container and its first video stream. Only local files are opened, also from within playlists.

    Raises:
        BadVideo: the file is empty, no video, a text, a single image, or in a format without a decoder.
    """
    if source.stat().st_size == 0:
        raise BadVideo(source, "the file is empty", "Copy it again.")
    try:
        container = av.open(f"file:{source}", options={"protocol_whitelist": "file"}, **METADATA_OPTION)
    except av.FFmpegError as error:
        raise BadVideo(
            source,
            f"this is not a video that can be read ({error.strerror})",
            "Convert it to mp4, or copy it again.",
        ) from error
    streams = []
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            streams.append(stream)
    problem = _format_problem(container.format.name)
    if problem is None and not streams:
        problem = "there are no moving pictures in it"
    elif problem is None and streams[0].codec_context is None:
        problem = "its pictures are in a format that cannot be decoded"
    if problem is not None:
        raise BadVideo(source, problem, "Give a video file, or a folder of images.")
    streams[0].thread_type = "AUTO"
    return container, streams[0]


def _format_problem(format_name: str) -> str | None:
    """Return why a format is no video, or None: libav also opens texts and single images."""
    if format_name == "tty":
        return "this is a text, not a video"
    if format_name.startswith("image2") or format_name.endswith("_pipe"):
        return "this is a single picture, not a video"
    return None


def decode(
    container: av.container.InputContainer, stream: av.VideoStream, losses: dict[str, int]
) -> Iterator[av.VideoFrame]:
    """Yield every frame that the decoder can produce, in time order; add all others to `losses`."""
    end_s, decoded, discarded = 0.0, 0, 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            discarded += packet.is_discard  # removed by the file's own edit list
            frames = packet.decode()
        except av.FFmpegError:
            add_loss(losses, UNDECODED_FRAMES)
            continue
        for frame in frames:
            decoded += 1
            if frame.is_corrupt:
                add_loss(losses, DAMAGED_FRAMES)
            end_s = (frame.time or 0.0) + float((frame.duration or 0) * (frame.time_base or 0))
            yield frame
    if stream.frames:
        missing = stream.frames - decoded - discarded
    else:
        missing = _missing_by_duration(stream, decoded, end_s)
    add_loss(losses, MISSING_FRAMES, missing - losses.get(UNDECODED_FRAMES, 0))


def _missing_by_duration(stream: av.VideoStream, decoded: int, end_s: float) -> int:
    """Return the number of missing frames in a file that announces a duration instead, as Matroska does."""
    if "DURATION" not in stream.metadata or not stream.average_rate:
        return 0
    hours, minutes, seconds = stream.metadata["DURATION"].split(":")
    announced_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    rate = float(stream.average_rate)
    if (announced_s - end_s) * rate <= 0.5:
        return 0
    return round(announced_s * rate) - decoded


class FrameClock:
    """Times of the frames of a file in seconds since the first, from their presentation time stamps.

    `regular` becomes False at the first interval that deviates by more than a tenth of a frame plus the
    rounding of the file's time stamps (milliseconds in Matroska). Gaps caused by counted losses are ignored.
    """

    def __init__(self, fps: float, tick_s: float | None) -> None:
        """Start the clock.

        Args:
            fps: frames per second.
            tick_s: unit of the time stamps in seconds; None where they are unusable and frames are counted.
        """
        self.regular = True
        self._ignores_time_stamps = tick_s is None
        self._period_s = 1 / fps
        self._tolerance_s = 0.1 / fps + 1.5 * (tick_s or 0.0)
        self._origin_s: float | None = None
        self._last_s = -self._period_s
        self._last_losses: dict[str, int] = {}

    def time_of(self, frame: av.VideoFrame, losses: dict[str, int]) -> float:
        """Return the time of the next frame.

        Args:
            frame: the next frame.
            losses: number of frames lost so far, by kind.
        """
        expected_s = self._last_s + self._period_s
        time_s = expected_s
        if not self._ignores_time_stamps and frame.time is not None:
            if self._origin_s is None:
                self._origin_s = frame.time
            time_s = frame.time - self._origin_s
        if time_s <= self._last_s:  # raw streams and damaged files
            time_s = expected_s
        if abs(time_s - expected_s) > self._tolerance_s and losses == self._last_losses:
            self.regular = False
        self._last_s = time_s
        self._last_losses = dict(losses)
        return time_s


def rates_differ(stream: av.VideoStream) -> bool:
    """Return whether the average rate differs from the finest rate of the time stamps.

    A ratio of two means interlaced video, not a variable rate.
    """
    if not stream.average_rate or not stream.base_rate:
        return False
    ratio = float(stream.base_rate / stream.average_rate)
    return min(abs(ratio - 1), abs(ratio - 2)) > 0.01


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
    if not is_exact or sorted((abs(a * d), abs(b * c))) != [0, 1]:
        return None
    return (True, b, c) if b else (False, d, a)


def to_rgb(frame: av.VideoFrame, target: Orientation) -> Pixels:
    """Return the pixels of a frame, RGB, 0..255, rotated and mirrored to the orientation `target`."""
    # Without `threads`, PyAV starts a pool for every frame: ten times slower.
    pixels = frame.to_ndarray(format="rgb24", threads=1)
    swap_axes, row_step, column_step = target
    if swap_axes:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels[::row_step, ::column_step])
