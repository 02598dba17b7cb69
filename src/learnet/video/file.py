"""A video file as a sequence of frames.

It is decoded once and in order, so memory does not grow with its length.
"""

import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.container

from learnet.core.errors import BadInput, BadVideo, counted
from learnet.core.frame_rates import check_frame_rate
from learnet.video.base import DEFAULT_FPS, Frame, FrameRange, Pixels, Video, VideoInfo
from learnet.video.file_end import count_mp4_films
from learnet.video.libav import (
    GAP_FRAMES,
    MISSING_FRAMES,
    UNDECODED_FRAMES,
    FrameClock,
    decode,
    has_time_stamps,
    open_stream,
    picture_streams,
    structural_losses,
)
from learnet.video.packets import Packets, read_packets
from learnet.video.picture import AS_STORED, picture_format, to_rgb

KEY_FRAME_S = 1.0  # shortest time between two key frames that are noted, so that the list stays short


@dataclass(frozen=True)
class KeyFrame:
    """A frame from which the file can be decoded without what is before it."""

    number: int
    pts: int  # presentation time stamp, in the time base of the stream


class FileVideo(Video):
    """The frames of a video file; frame numbers count from 0."""

    def __init__(self, source: Path, fps: float | None, bounds: FrameRange) -> None:
        self.path = source
        self.packets = _read_packets(source)
        self.container, self.stream = open_stream(source)
        losses: dict[str, int] = {}
        frames = decode(self.container, self.stream, losses, self.packets)
        first_frame = next(frames, None)  # decoded now, so that a file without pictures is refused at once
        if first_frame is None:
            self.close()
            raise BadVideo(
                source, "no frame of it can be decoded", "It is damaged, or cut off before the first picture."
            )
        self.pending: Iterator[av.VideoFrame] | None = itertools.chain([first_frame], frames)
        # AVI numbers packets, not pictures: where the codec reorders them, its time stamps are wrong.
        reordered_avi = self.container.format.name == "avi" and bool(self.stream.codec_context.has_b_frames)
        self.has_own_times = has_time_stamps(self.container) and not reordered_avi
        self.ignores_time_stamps = fps is not None or not self.has_own_times
        self.can_seek = not reordered_avi
        try:
            info, notes = self._describe(first_frame, fps)
        except BadInput:
            self.close()
            raise
        super().__init__(info, bounds, notes)
        self.losses = losses
        self.key_frames: list[KeyFrame] = []  # noted by the last iteration

    def _describe(self, first_frame: av.VideoFrame, fps: float | None) -> tuple[VideoInfo, list[str]]:
        """Return the properties of the file and notes about assumptions; set `picture_format`.

        Raises:
            BadInput: the frame rate of the file is none that videos of faces have.
        """
        rate, notes = (fps, []) if fps else self._own_rate()
        if rate:
            check_frame_rate(self.path, rate)
        tracks = len(picture_streams(self.container))
        if tracks > 1:
            codec = self.stream.codec_context
            notes.append(
                f"The file has {tracks} tracks of pictures; the one of {codec.width}x{codec.height} pixels "
                "is read."
            )
        is_mp4 = self.container.format.name.startswith("mov")
        notes += _structure_notes(self.packets, count_mp4_films(self.path) if is_mp4 else 1)
        if self.packets.skipped and self.can_seek:  # else the codec leaves slots empty as well
            slots = counted(self.packets.skipped, "slot of the file is", "slots of the file are")
            notes.append(f"{slots} empty: the recorder skipped pictures there.")
        self.picture_format, picture_notes = picture_format(first_frame, self.stream)
        height, width, _ = self._pixels(first_frame).shape
        is_turned = self.picture_format.orientation != AS_STORED
        info = VideoInfo(
            source=str(self.path),
            kind="file",
            fps=rate or DEFAULT_FPS,
            width=width,
            height=height,
            frames=self.packets.frames,
            variable_rate=not self.ignores_time_stamps and not self.packets.is_regular,
            rotation=int(first_frame.rotation) if is_turned else 0,
        )
        return info, notes + picture_notes

    def _own_rate(self) -> tuple[float | None, list[str]]:
        """Return the frame rate of the file, and a note where it does not follow from time stamps."""
        if has_time_stamps(self.container):
            rate = self.packets.fps
        else:
            codec_rate = self.stream.codec_context.framerate
            what = "The file has no time stamps, so that missing frames cannot be noticed"
            # Where the pictures state no rate, libav reports its own default as that of codec and file.
            if codec_rate and codec_rate != self.stream.average_rate:
                rate = float(codec_rate)
                return rate, [f"{what}; its pictures state {rate:.4g} frames per second."]
            return None, [f"{what}; {DEFAULT_FPS:g} frames per second is assumed."]
        if rate:
            return rate, []
        return None, [f"The file states no frame rate; {DEFAULT_FPS:g} frames per second is assumed."]

    def _accept_size(self, frame: Frame) -> None:
        """Note that the size changes; the frames keep their own."""
        height, width, _ = frame.pixels.shape
        first = f"{self.info.width}x{self.info.height}"
        note = f"The size of the frames changes in the file: {first} at first, {width}x{height} later."
        if note not in self.notes:
            self.notes.append(note)

    def _pixels(self, frame: av.VideoFrame) -> Pixels:
        """Return the pixels of a frame.

        Raises:
            BadVideo: libav cannot convert it.
        """
        try:
            return to_rgb(frame, self.picture_format)
        except av.FFmpegError as error:
            problem = f"its pictures cannot be converted to RGB ({error.strerror})"
            raise BadVideo(self.path, problem, "It is damaged, or must be converted to mp4 first.") from error

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def structural_losses(self) -> dict[str, int]:
        """Return what the file lacks by its structure; see `Video.structural_losses`."""
        return structural_losses(self.packets)

    def _frames(self) -> Iterator[Frame]:
        frames = self._take_decoder()
        first = self.first or 0
        number = -1
        clock = FrameClock(self.info.fps, self.ignores_time_stamps)
        self.key_frames = []
        for number, frame in enumerate(frames):
            self._note_key_frame(number, frame)
            time_s = clock.time_of(frame)
            if number >= first:
                yield Frame(number, time_s, self._pixels(frame), frame.time)
            if number == self.last:
                if number + 1 == self.packets.pictures:
                    next(frames, None)  # there is none; what the file lacks is counted
                return
        if number < first:
            raise BadVideo(
                self.path, f"there is no frame {first}; the last one that can be decoded is {number}"
            )
        if self.last is not None:
            counted = self.losses.get(GAP_FRAMES, 0) + self.losses.get(UNDECODED_FRAMES, 0)
            self.losses.pop(MISSING_FRAMES, None)
            self._add_loss(MISSING_FRAMES, self.last - number - counted)

    def _take_decoder(self) -> Iterator[av.VideoFrame]:
        """Return the decoder opened by the constructor at the first call, a new one after that."""
        if self.pending is None:
            self.close()
            self.container, self.stream = open_stream(self.path)
            self.losses = {}
            return decode(self.container, self.stream, self.losses, self.packets)
        frames, self.pending = self.pending, None
        return frames

    def _note_key_frame(self, number: int, frame: av.VideoFrame) -> None:
        if not (frame.key_frame and self.can_seek) or frame.pts is None:
            return
        if not self.key_frames or number - self.key_frames[-1].number >= KEY_FRAME_S * self.info.fps:
            self.key_frames.append(KeyFrame(number, frame.pts))

    def pixels_at(self, numbers: Collection[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield some frames; see `Video.pixels_at`. They are decoded from the key frames before them."""
        container, stream = open_stream(self.path)
        try:
            number, frames = 0, decode(container, stream, {})  # of the next frame
            for wanted in sorted(numbers):
                start = self._last_key_frame(wanted)
                if start is not None and start.number > number:
                    number, frames = start.number, _decode_from(container, stream, start)
                frame = next(itertools.islice(frames, wanted - number, None), None)
                if frame is None and start is not None:  # some transport streams cannot be read from there
                    self.key_frames = []
                    container.close()
                    container, stream = open_stream(self.path)
                    frames = decode(container, stream, {})
                    frame = next(itertools.islice(frames, wanted, None), None)
                if frame is None:
                    return
                number = wanted + 1
                yield wanted, self._pixels(frame)
        finally:
            container.close()

    def _last_key_frame(self, number: int) -> KeyFrame | None:
        """Return the last noted key frame up to a frame; None if there is none."""
        index = bisect_right(self.key_frames, number, key=lambda key_frame: key_frame.number)
        return self.key_frames[index - 1] if index else None


def _structure_notes(packets: Packets, films: int) -> list[str]:
    """Return notes about what the structure of a file shows.

    Args:
        packets: of the file.
        films: that lie one behind the other in it.
    """
    notes = []
    if packets.discarded:
        notes.append(f"{packets.discarded} pictures of the file are hidden by its edit list.")
    if films > 1 and not packets.parts:
        notes.append(f"The file is {films} films, one behind the other; only the first is read.")
    if packets.parts:
        times = "once" if len(packets.parts) == 1 else f"{len(packets.parts)} times"
        notes.append(
            f"The time stamps begin again {times}, as where files are joined; the parts are read as one film."
        )
    return notes


def _read_packets(source: Path) -> Packets:
    """Read the packets of a file once, before it is decoded."""
    container, stream = open_stream(source)
    try:
        rate = stream.average_rate or stream.guessed_rate
        return read_packets(source, container, stream, float(rate) if rate else None)
    finally:
        container.close()


def _decode_from(
    container: av.container.InputContainer, stream: av.VideoStream, start: KeyFrame
) -> Iterator[av.VideoFrame]:
    """Return the frames from a key frame on; none where the container does not find it.

    Frames before it may be decoded first: of an earlier key frame, or such as depend on two key frames.
    """
    container.seek(start.pts, stream=stream)
    frames = decode(container, stream, {})
    return itertools.dropwhile(lambda frame: frame.pts != start.pts, frames)
