"""Time windows of a stream of frames. Only the frames of one window are in memory at a time."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from learnet.core.settings import Windows
from learnet.video.base import Frame, VideoInfo

TIME_TOLERANCE_S = 1e-3  # error of a time stamp: containers round to milliseconds


@dataclass(frozen=True)
class Window:
    """Some frames of a stream. The pixels are a view, which is valid until the next window is requested."""

    start_s: float
    end_s: float  # exclusive
    numbers: tuple[int, ...]  # of the frames
    times: tuple[float, ...]  # of the frames, seconds since the first frame of the stream
    pixels: UInt8[np.ndarray, "T H W 3"]
    frames_so_far: int  # frames read since the stream began
    seconds_so_far: float  # end of the newest frame read


class _FrameBuffer:
    """The frames that windows still need, in one array, so that a window is a view of it and not a copy."""

    def __init__(self, fps: float) -> None:
        self.period_s = 1 / fps
        self.pixels = np.empty((0, 0, 0, 3), np.uint8)
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.dropped = 0  # number of frames

    def add(self, frame: Frame) -> None:
        count = len(self.times)
        if count == len(self.pixels):
            larger = np.empty((max(16, count * 3 // 2), *frame.pixels.shape), np.uint8)
            if count:
                larger[:count] = self.pixels
            self.pixels = larger
        self.pixels[count] = frame.pixels
        self.numbers.append(frame.number)
        self.times.append(frame.time_s)

    def clear(self) -> None:
        """Forget all frames; those that follow may have another size."""
        self.dropped += len(self.times)
        self.pixels = np.empty((0, 0, 0, 3), np.uint8)
        self.numbers, self.times = [], []

    def has_another_size(self, frame: Frame) -> bool:
        """Return whether a frame has not the size of those that are kept."""
        return bool(self.times) and self.pixels.shape[1:] != frame.pixels.shape

    def drop_before(self, time_s: float) -> None:
        drop = bisect_left(self.times, time_s - TIME_TOLERANCE_S)
        for index in range(drop, len(self.times)):
            self.pixels[index - drop] = self.pixels[index]
        del self.numbers[:drop]
        del self.times[:drop]
        self.dropped += drop

    def window(self, start_s: float, end_s: float) -> Window:
        """Return the frames before the end; those before the start have been dropped."""
        count = bisect_left(self.times, end_s - TIME_TOLERANCE_S)
        return Window(
            start_s=start_s,
            end_s=end_s,
            numbers=tuple(self.numbers[:count]),
            times=tuple(self.times[:count]),
            pixels=self.pixels[:count],
            frames_so_far=self.dropped + len(self.times),
            seconds_so_far=self.times[-1] + self.period_s,
        )


def cut_windows(frames: Iterable[Frame], windows: Windows, fps: float) -> Iterator[Window]:
    """Yield the windows of a stream, each as soon as it is complete.

    Windows without frames are skipped. The last window may be shorter, and so are those before and after a
    change of the size of the frames.

    Args:
        frames: in time order.
        windows: length and overlap of windows.
        fps: frames per second.
    """
    buffer = _FrameBuffer(fps)
    length_s = windows.window_s
    step_s = length_s * (1 - windows.overlap)
    index = 0  # of the window in progress
    single = True  # the stream is short enough for one window
    end_s = segment_s = 0.0
    for frame in frames:
        if buffer.has_another_size(frame):
            yield buffer.window(max(segment_s, index * step_s), frame.time_s)
            buffer.clear()
            single = False
            segment_s = frame.time_s
        end_s = frame.time_s + 1 / fps
        single = single and end_s <= windows.whole_s + TIME_TOLERANCE_S
        while not single and frame.time_s >= index * step_s + length_s - TIME_TOLERANCE_S:
            start_s = index * step_s
            if buffer.times and buffer.times[0] < start_s + length_s - TIME_TOLERANCE_S:
                yield buffer.window(max(segment_s, start_s), start_s + length_s)
            index += 1
            buffer.drop_before(index * step_s)
            if not buffer.times:  # a gap: continue just before the first window that contains this frame
                before = math.floor((frame.time_s + TIME_TOLERANCE_S - length_s) / step_s)
                index = max(index, before)
        buffer.add(frame)
    if single:
        yield buffer.window(0.0, end_s)
    else:
        start_s = index * step_s
        yield buffer.window(max(segment_s, start_s), min(start_s + length_s, end_s))


def expected_windows(info: VideoInfo, windows: Windows) -> int:
    """Return the number of windows according to the stated length of the video; 1 if it states none."""
    duration_s = (info.frames or 0) / info.fps
    if duration_s <= windows.whole_s + TIME_TOLERANCE_S:
        return 1
    step_s = windows.window_s * (1 - windows.overlap)
    further = math.ceil((duration_s - windows.window_s - TIME_TOLERANCE_S) / step_s)
    return 1 + max(0, further)
