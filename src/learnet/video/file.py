"""A video file as a sequence of frames.

It is decoded once and in order, so memory does not grow with its length.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av

from learnet.core.errors import BadVideo
from learnet.video.base import DEFAULT_FPS, Frame, FrameRange, Video, VideoInfo
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
        info, notes = self._describe(first_frame, fps)
        super().__init__(info, bounds, notes)
        self.losses = losses

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
        for number, frame in enumerate(frames):
            time_s = clock.time_of(frame, self.losses)
            if not clock.regular and not self.info.variable_rate:
                self.info = replace(self.info, variable_rate=True)
            if number >= first:
                yield Frame(number, time_s, to_rgb(frame, self.orientation))
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
