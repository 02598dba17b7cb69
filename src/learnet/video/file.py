"""A video file as a sequence of frames.

It is decoded once and in order, so memory does not grow with its length.
"""

import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import av.container

from learnet.core.errors import BadVideo
from learnet.video.base import DEFAULT_FPS, Frame, FrameRange, Pixels, Video, VideoInfo
from learnet.video.libav import (
    AS_STORED,
    MISSING_FRAMES,
    FrameClock,
    decode,
    open_stream,
    orientation,
    rates_differ,
    to_rgb,
)

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
        self.container, self.stream = open_stream(source)
        losses: dict[str, int] = {}
        frames = decode(self.container, self.stream, losses)
        first_frame = next(frames, None)  # decoded now, so that a file without pictures is refused at once
        if first_frame is None:
            self.close()
            raise BadVideo(
                source, "no frame of it can be decoded", "It is damaged, or cut off before the first picture."
            )
        self.pending: Iterator[av.VideoFrame] | None = itertools.chain([first_frame], frames)
        # AVI numbers packets, not pictures: where the codec reorders them, its time stamps are wrong.
        reordered_avi = self.container.format.name == "avi" and bool(self.stream.codec_context.has_b_frames)
        self.ignores_time_stamps = fps is not None or reordered_avi
        self.can_seek = not reordered_avi
        info, notes = self._describe(first_frame, fps)
        super().__init__(info, bounds, notes)
        self.losses = losses
        self.key_frames: list[KeyFrame] = []  # noted by the last iteration

    def _describe(self, first_frame: av.VideoFrame, fps: float | None) -> tuple[VideoInfo, list[str]]:
        """Return the properties of the file and notes about assumptions; set `orientation`."""
        notes = []
        announced_fps = self.stream.average_rate or self.stream.guessed_rate
        if not fps and not announced_fps:
            notes.append(f"The file states no frame rate; {DEFAULT_FPS:g} frames per second is assumed.")
        requested_orientation = orientation(first_frame)
        self.orientation = requested_orientation or AS_STORED
        if requested_orientation is None:
            notes.append(
                "The file requests rotation by an odd angle; its frames are returned as they are stored."
            )
        height, width, _ = to_rgb(first_frame, self.orientation).shape
        info = VideoInfo(
            source=str(self.path),
            kind="file",
            fps=fps or float(announced_fps or DEFAULT_FPS),
            width=width,
            height=height,
            frames=self.stream.frames or None,
            variable_rate=not self.ignores_time_stamps and rates_differ(self.stream),
            rotation=int(first_frame.rotation) if requested_orientation else 0,
        )
        return info, notes

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def _frames(self) -> Iterator[Frame]:
        frames = self._take_decoder()
        first = self.first or 0
        number = -1
        tick_s = None if self.ignores_time_stamps else float(self.stream.time_base or 0)
        clock = FrameClock(self.info.fps, tick_s)
        self.key_frames = []
        for number, frame in enumerate(frames):
            self._note_key_frame(number, frame)
            time_s = clock.time_of(frame, self.losses)
            if not clock.regular and not self.info.variable_rate:
                self.info = replace(self.info, variable_rate=True)
            if number >= first:
                yield Frame(number, time_s, to_rgb(frame, self.orientation), frame.time)
            if number == self.last:
                return
        if number < first:
            raise BadVideo(
                self.path, f"there is no frame {first}; the last one that can be decoded is {number}"
            )
        if self.last is not None:
            self.losses[MISSING_FRAMES] = self.last - number

    def _take_decoder(self) -> Iterator[av.VideoFrame]:
        """Return the decoder opened by the constructor at the first call, a new one after that."""
        if self.pending is None:
            self.close()
            self.container, self.stream = open_stream(self.path)
            self.losses = {}
            return decode(self.container, self.stream, self.losses)
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
                yield wanted, to_rgb(frame, self.orientation)
        finally:
            container.close()

    def _last_key_frame(self, number: int) -> KeyFrame | None:
        """Return the last noted key frame up to a frame; None if there is none."""
        index = bisect_right(self.key_frames, number, key=lambda key_frame: key_frame.number)
        return self.key_frames[index - 1] if index else None


def _decode_from(
    container: av.container.InputContainer, stream: av.VideoStream, start: KeyFrame
) -> Iterator[av.VideoFrame]:
    """Return the frames from a key frame on; none where the container does not find it.

    Frames before it may be decoded first: of an earlier key frame, or such as depend on two key frames.
    """
    container.seek(start.pts, stream=stream)
    frames = decode(container, stream, {})
    return itertools.dropwhile(lambda frame: frame.pts != start.pts, frames)
