"""Open and decode video files by PyAV.

PyAV suppresses libav's own log, so every problem must be reported from here, as an error or as a count.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.container
import av.stream

from learnet.core.errors import BadVideo
from learnet.video.base import add_loss
from learnet.video.file_end import FileEnd
from learnet.video.packets import Packets
from learnet.video.picture import check_size

# Kinds of losses, as counted in `Video.losses`.
UNDECODED_FRAMES = "frames that could not be decoded"
DAMAGED_FRAMES = "frames damaged and patched up by the decoder"
GAP_FRAMES = "frames missing where the time stamps have gaps"
MISSING_FRAMES = "frames missing at the end"
CUT_OFF_FRAMES = "or more frames missing, as the file is cut off or damaged"  # after a number

NO_TIME_STAMPS = 0x80  # AVFMT_NOTIMESTAMPS, a flag of libav's formats
SINGLE_PICTURES_OF = {".mjpeg": "mjpeg", ".mjpg": "mjpeg"}  # suffix of films that libav takes for pictures

# Titles and comments need not be UTF-8: PyAV 19 always escapes such bytes, earlier versions must be asked to.
AV_MAJOR = int(av.__version__.split(".")[0])
METADATA_OPTION: dict[str, Any] = {} if AV_MAJOR >= 19 else {"metadata_errors": "surrogateescape"}


def open_stream(source: Path) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open the container and its film. Only local files are opened, also from within playlists.

    Raises:
        BadVideo: the file is empty, no video, a text, a single image, or in a format without a decoder.
    """
    if source.stat().st_size == 0:
        raise BadVideo(source, "the file is empty", "Copy it again.")
    try:
        container = av.open(
            f"file:{source}",
            format=SINGLE_PICTURES_OF.get(source.suffix.lower()),
            options={"protocol_whitelist": "file"},
            **METADATA_OPTION,
        )
    except av.FFmpegError as error:
        raise BadVideo(
            source,
            f"this is not a video that can be read ({error.strerror})",
            "Convert it to mp4, or copy it again.",
        ) from error
    streams = picture_streams(container)
    problem = _format_problem(container.format.name)
    if problem is None and not streams:
        problem = "there are no moving pictures in it"
    elif problem is None and streams[0].codec_context is None:
        problem = "its pictures are in a format that cannot be decoded"
    if problem is not None:
        container.close()
        raise BadVideo(source, problem, "Give a video file, or a folder of images.")
    codec = streams[0].codec_context
    check_size(str(source), codec.width, codec.height)
    if container.format.name == "mjpeg":  # nothing but the pictures themselves shows that they are damaged
        codec.options = {"err_detect": "explode"}
    streams[0].thread_type = "AUTO"
    return container, streams[0]


def picture_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """Return the tracks of moving pictures, the film first.

    It can be decoded, is no single picture, as a cover is, and is marked as the default; of several, it is
    the one with the largest pictures.
    """
    streams = []
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            streams.append(stream)

    def rank(stream: av.VideoStream) -> tuple[bool, bool, bool, int]:
        codec = stream.codec_context
        if codec is None:
            return (False, False, False, 0)
        is_default = bool(stream.disposition & av.stream.Disposition.default)
        return (True, stream.frames != 1, is_default, codec.width * codec.height)

    return sorted(streams, key=rank, reverse=True)


def _format_problem(format_name: str) -> str | None:
    """Return why a format is no video, or None: libav also opens texts and single images."""
    if format_name == "tty":
        return "this is a text, not a video"
    if format_name.startswith("image2") or format_name.endswith("_pipe"):
        return "this is a single picture, not a video"
    return None


def has_time_stamps(container: av.container.InputContainer) -> bool:
    """Return whether the format stores the times of the pictures, and not the pictures alone."""
    return not container.format.flags & NO_TIME_STAMPS and container.format.name != "mjpeg"


def decode(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    losses: dict[str, int],
    expected: Packets | None = None,
) -> Iterator[av.VideoFrame]:
    """Yield every frame that the decoder can produce, in time order; add all others to `losses`.

    Args:
        container: opened for this purpose.
        stream: its film.
        losses: number of frames, by kind.
        expected: what the file should have; None: losses that only this tells do not matter.
    """
    decoded = gaps = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            frames = packet.decode()
        except av.FFmpegError:
            add_loss(losses, UNDECODED_FRAMES)
            continue
        except IndexError:  # see `packets.DEMUX_ERRORS`
            break
        for frame in frames:
            if frame.is_corrupt:
                add_loss(losses, DAMAGED_FRAMES)
            yield frame
            if expected is not None and decoded < len(expected.gaps):
                gaps += int(expected.gaps[decoded])
                add_loss(losses, GAP_FRAMES, int(expected.gaps[decoded]))
            decoded += 1
    if expected is not None:
        add_loss(losses, GAP_FRAMES, int(expected.gaps.sum()) - gaps)
        _add_missing(losses, expected, decoded)


def _add_missing(losses: dict[str, int], expected: Packets, decoded: int) -> None:
    """Add what is missing after the last frame."""
    swallowed = expected.pictures - decoded - losses.get(UNDECODED_FRAMES, 0)
    if 2 * decoded != expected.pictures:  # as where each packet is a field, one of two in a frame
        add_loss(losses, UNDECODED_FRAMES, swallowed)
    for kind, count in structural_losses(expected).items():
        if kind != GAP_FRAMES:  # which were counted where they are
            add_loss(losses, kind, count)
    if not losses:  # where files are joined, the container calls a packet damaged that is not
        add_loss(losses, DAMAGED_FRAMES, expected.damaged - len(expected.parts))


def structural_losses(packets: Packets) -> dict[str, int]:
    """Return what a file lacks by its structure, before it is decoded: number of frames by kind."""
    losses: dict[str, int] = {}
    add_loss(losses, GAP_FRAMES, int(packets.gaps.sum()))
    add_loss(losses, MISSING_FRAMES, packets.missing_at_end)
    is_cut_off = packets.end is FileEnd.CUT_OFF and MISSING_FRAMES not in losses
    if is_cut_off or (packets.end is FileEnd.DAMAGED and not losses):
        add_loss(losses, CUT_OFF_FRAMES)
    return losses


def is_whole_jpeg(data: bytes) -> bool:
    """Return whether the decoder finds no damage in a JPEG file. It finds a part of all damage: there is no
    checksum. Kinds of JPEG that libav does not know pass.
    """
    codec = av.CodecContext.create("mjpeg", "r")
    codec.options = {"err_detect": "explode"}
    codec.thread_type = "NONE"
    try:
        codec.decode(av.Packet(data))
    except av.InvalidDataError:
        return False
    except av.FFmpegError:
        return True
    return True


class FrameClock:
    """Times of the frames of a file in seconds since the first, from their presentation time stamps."""

    def __init__(self, fps: float, ignores_time_stamps: bool) -> None:
        """Start the clock.

        Args:
            fps: frames per second.
            ignores_time_stamps: whether they are unusable, so that frames are counted.
        """
        self._ignores_time_stamps = ignores_time_stamps
        self._period_s = 1 / fps
        self._origin_s: float | None = None
        self._last_s = -self._period_s

    def time_of(self, frame: av.VideoFrame) -> float:
        """Return the time of the next frame."""
        expected_s = self._last_s + self._period_s
        time_s = expected_s
        if not self._ignores_time_stamps and frame.time is not None:
            if self._origin_s is None:
                self._origin_s = frame.time
            time_s = frame.time - self._origin_s
        if time_s <= self._last_s:  # raw streams and damaged files
            time_s = expected_s
        self._last_s = time_s
        return time_s
