"""Spotting of facial movements in a stream of frames: frames in, events and unjudged stretches out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from learnet.core.records import Event, UnjudgedStretch
from learnet.face import FaceFinder
from learnet.inference.read_ahead import ReadAhead, SingleThreadLibraries
from learnet.inference.spotting.curves import Curves
from learnet.inference.spotting.disturbances import (
    CHANGES,
    COVERED,
    CUT_OFF,
    FEW_FRAMES,
    FRAMES_MISSING,
    NO_FACE,
    STOPS_EARLY,
    TOO_BRIEF,
)
from learnet.inference.spotting.follower import FaceFollower, Follower, Sample
from learnet.inference.spotting.movements import SHIPPED, SLOW_S, Movement, Thresholds, find_movements
from learnet.inference.spotting.points import face_points
from learnet.inference.spotting.recorder import MotionRecorder
from learnet.inference.spotting.stretches import StretchLog
from learnet.inference.windows import TIME_TOLERANCE_S
from learnet.video.base import Frame, Video
from learnet.video.libav import MISSING_FRAMES

MAX_RATE = 67.0  # samples a second; of faster recordings, frames are left out
MAX_GAP_S = 0.15  # between samples, beyond which what lies in between cannot be judged
WINDOW_S = 24.0  # part of the recording in which movements are searched
HOP_S = 2.0  # from one search to the next
SETTLED_S = SLOW_S + 1.5  # before the end of a window, from which its findings no longer change
READ_AHEAD = 16  # frames decoded ahead
MIN_STRETCH_S = 1.0  # shortest part with a face in which movements are searched
# The lip corners of a broad smile move by about an eighth of the width of the face; a hand moves further.
MAX_SKIN_PX = 16.0  # pixels of a face crop 112 pixels wide


@dataclass(frozen=True)
class Spotting:
    """What was spotted: events without labels, and stretches in which none can be, both in time order."""

    events: tuple[Event, ...] = ()
    unjudged: tuple[UnjudgedStretch, ...] = ()


class _FrameTime(NamedTuple):
    """The time and the number of a frame."""

    time_s: float
    number: int


class Spotter:
    """Accept frames with `add`, one at a time, and return events when they no longer change.

    Memory and time per frame do not depend on the length of the recording: the samples of the last WINDOW_S
    are kept, and searched every HOP_S. An event is returned up to SETTLED_S + HOP_S after its apex. The
    result depends on the frames and their times alone, not on when they arrive.
    """

    def __init__(
        self,
        finder: FaceFinder | None,
        recorder: MotionRecorder | None = None,
        thresholds: Thresholds = SHIPPED,
    ) -> None:
        """Start without a face.

        Args:
            finder: detects a face; None: the frames are face crops.
            recorder: collects what was measured, for a person to look at.
            thresholds: from which the skin moves.
        """
        self.recorder = recorder
        self.thresholds = thresholds
        self.points = face_points()
        self.follower: Follower = FaceFollower(finder, self.points)
        self._samples: deque[tuple[float, Sample]] = deque()
        self._frames: deque[_FrameTime] = deque()  # those of a window, and a hop more
        self._stretches = StretchLog()
        self._sampled_s = -np.inf  # time of the last frame that was measured
        self.to_crop: Float64[np.ndarray, "2 3"] | None = None  # of the face in that frame; None: no face
        self._start_s = 0.0  # time of the first sample of this stretch with a face
        self._why_brief = TOO_BRIEF  # why this stretch or the next one is too short to be judged, if it is
        self._settled_s = 0.0  # time up to which movements have been returned
        self._searched_s = 0.0  # time of the last search
        self._busy_until_s = -np.inf  # offset of the last event that is no blink

    @property
    def kept(self) -> int:
        """Number of samples and of times of frames in memory."""
        return len(self._samples) + len(self._frames)

    @property
    def has_measured(self) -> bool:
        """Whether the newest frame was measured."""
        return bool(self._frames) and self._frames[-1].time_s == self._sampled_s

    def frames_between(self, first: int, last: int) -> int:
        """Return how many of the frames of the last seconds have numbers from `first` to `last`."""
        return sum(first <= frame.number <= last for frame in self._frames)

    def add(self, frame: Frame) -> Spotting:
        """Process the next frame, in time order.

        Args:
            frame: RGB, 0..255.

        Returns:
            The events and unjudged stretches that are final since the last call; usually none.
        """
        if not self._frames:
            self._stretches.begin(frame.time_s)
        if self.recorder:
            self.recorder.add_frame(frame)
        self._frames.append(_FrameTime(frame.time_s, frame.number))
        while frame.time_s - self._frames[0].time_s > WINDOW_S + HOP_S:
            self._frames.popleft()
        if frame.time_s - self._sampled_s < 1 / MAX_RATE - TIME_TOLERANCE_S:
            return Spotting()
        events = self._close_gap(frame.time_s)
        previous_s = self._sampled_s
        self._sampled_s = frame.time_s
        sample = self.follower.measure(frame.pixels, frame.time_s)
        self.to_crop = None if sample is None else sample.to_crop
        if sample is None:
            events += self._end_stretch()
            start_s = frame.time_s if np.isinf(previous_s) else previous_s
            self._stretches.add(start_s, frame.time_s, NO_FACE)
        else:
            if self._samples and sample.track != self._samples[-1][1].track:  # as where films are cut
                events += self._end_stretch()
                self._stretches.add(previous_s, frame.time_s, CHANGES)
            events += self._add_sample(frame.time_s, sample)
        return Spotting(tuple(events), self._stretches.take(self._settled()))

    def finish(self) -> Spotting:
        """Return the events and stretches that remain at the end of the recording."""
        events = self._end_stretch()
        last = list(self._frames)[-2:]  # the last frame is shown as long as the one before
        end_s = 2 * last[-1].time_s - last[0].time_s if last else 0.0
        return Spotting(tuple(events), self._stretches.finish(end_s))

    def _close_gap(self, time_s: float) -> list[Event]:
        """End the stretch where frames are missing before this one."""
        gap_s = time_s - self._sampled_s
        if np.isinf(gap_s) or gap_s <= MAX_GAP_S:
            return []
        start_s = self._sampled_s
        reason = self._gap_reason()
        self._why_brief = reason
        events = self._end_stretch()
        self._stretches.add(start_s, time_s, reason)
        self._why_brief = reason  # also of what follows
        return events

    def _gap_reason(self) -> str:
        """Return why there is a gap before the newest frame: something is missing, or the rate is low."""
        before = list(self._frames)[-3:-1]
        followed_closely = len(before) == 2 and before[1].time_s - before[0].time_s <= MAX_GAP_S
        return FRAMES_MISSING if followed_closely else FEW_FRAMES

    def _add_sample(self, time_s: float, sample: Sample) -> list[Event]:
        if self.recorder:
            self.recorder.add_sample(time_s, sample)
        if not self._samples:
            self._start_s = self._settled_s = self._searched_s = time_s
        self._samples.append((time_s, sample))
        if time_s - self._searched_s < HOP_S - TIME_TOLERANCE_S:
            return []
        self._searched_s = time_s
        settled_s = time_s - SETTLED_S
        events = []
        if settled_s > self._settled_s:
            events = self._search(settled_s)
            self._settled_s = settled_s
        while time_s - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()
        return events

    def _end_stretch(self) -> list[Event]:
        """Search what remains of a stretch with a face, and forget its samples."""
        if not self._samples:
            return []
        first_s, end_s = self._start_s, self._samples[-1][0]
        events = []
        if end_s - first_s >= MIN_STRETCH_S:
            events = self._search(np.inf)
        elif end_s > first_s:
            self._stretches.add(first_s, end_s, self._why_brief)
        self._why_brief = TOO_BRIEF
        self._samples.clear()
        return events

    def _search(self, settled_s: float) -> list[Event]:
        """Return the events with an apex since the last search and before `settled_s`; log the stretches."""
        curves = _curves(self._samples)
        findings = find_movements(curves, self.points, self.thresholds)
        times_s = curves.times_s
        for gap in findings.disturbances:
            start_s = max(float(times_s[gap.first]), self._settled_s)
            end_s = min(float(times_s[gap.last - 1]), settled_s)
            if start_s <= end_s:
                self._stretches.add(start_s, end_s, gap.reason)
        events = []
        for movement in findings.movements:
            if self._settled_s <= movement.apex_s < settled_s:
                events += self._event(movement)
        return events

    def _event(self, movement: Movement) -> list[Event]:
        """Return the event of a movement, if it is whole and not part of one that was returned before."""
        if not movement.is_complete:
            self._stretches.add(movement.onset_s, movement.offset_s, CUT_OFF)
            return []
        if movement.strength_px > MAX_SKIN_PX:
            self._stretches.add(movement.onset_s, movement.offset_s, COVERED)
            return []
        if not movement.is_blink:
            if movement.onset_s < self._busy_until_s:
                return []
            self._busy_until_s = movement.offset_s
        marks_s = (movement.onset_s, movement.apex_s, movement.offset_s)
        onset, apex, offset = (self._nearest_frame(time_s) for time_s in marks_s)
        event = Event(
            onset=onset.number,
            apex=apex.number,
            offset=offset.number,
            onset_s=onset.time_s,
            apex_s=apex.time_s,
            offset_s=offset.time_s,
            strength_px=movement.strength_px,
            regions=movement.regions,
            is_blink=movement.is_blink,
        )
        return [event]

    def _nearest_frame(self, time_s: float) -> _FrameTime:
        return min(self._frames, key=lambda frame: abs(frame.time_s - time_s))

    def _settled(self) -> float:
        """Return the time up to which no further unjudged stretch can be found."""
        return self._settled_s if self._samples else self._sampled_s


def spot_video(
    video: Video,
    finder: FaceFinder | None,
    watch: Callable[[Frame], None] | None = None,
    recorder: MotionRecorder | None = None,
) -> Spotting:
    """Spot all movements of a video, which a second thread decodes.

    Args:
        video: from `learnet.video.reader.open_video`; not a camera, which does not end.
        finder: detects a face; None: the frames are face crops.
        watch: called with each frame before movements are spotted in it.
        recorder: collects what was measured, for a person to look at.

    Raises:
        BadVideo: the video is damaged.
    """
    threads = SingleThreadLibraries()  # decoding and spotting share the cores already
    reader = ReadAhead(video, capacity=READ_AHEAD, skips=False, records_arrival=False, pace=False)
    try:
        spotting = spot(_taken(reader, watch), finder, recorder)
        reader.raise_error()
    finally:
        reader.close()
        threads.restore()
    return replace(spotting, unjudged=(*spotting.unjudged, *missing_end(video)))


def missing_end(video: Video) -> tuple[UnjudgedStretch, ...]:
    """Return the stretch that a file announces and does not have; nothing if it is complete.

    Args:
        video: has been read to its end.
    """
    missing = video.losses.get(MISSING_FRAMES, 0)
    if not missing or video.info.frames is None:
        return ()
    end_s = video.info.frames / video.info.fps
    return (UnjudgedStretch(end_s - missing / video.info.fps, end_s, STOPS_EARLY),)


def _taken(reader: ReadAhead, watch: Callable[[Frame], None] | None) -> Iterator[Frame]:
    while (arrival := reader.take()) is not None:
        frame, _ = arrival
        if watch:
            watch(frame)
        yield frame


def spot(
    frames: Iterable[Frame], finder: FaceFinder | None, recorder: MotionRecorder | None = None
) -> Spotting:
    """Spot all movements of a recording.

    Args:
        frames: in time order, as of `learnet.video.reader.open_video`.
        finder: detects a face; None: the frames are face crops.
        recorder: collects what was measured, for a person to look at.
    """
    return collect(spot_each(frames, finder, recorder))


def collect(parts: Iterable[Spotting]) -> Spotting:
    """Return what was spotted in all parts of a recording as one, in time order."""
    events: list[Event] = []
    unjudged: list[UnjudgedStretch] = []
    for part in parts:
        events += part.events
        unjudged += part.unjudged
    events.sort(key=lambda event: event.onset_s)
    unjudged.sort(key=lambda stretch: stretch.start_s)
    return Spotting(tuple(events), tuple(unjudged))


def spot_each(
    frames: Iterable[Frame], finder: FaceFinder | None, recorder: MotionRecorder | None = None
) -> Iterator[Spotting]:
    """Yield what was spotted since the last frame, for each frame, and what remains at the end.

    Events come in the order of their apexes, stretches in the order of their ends.
    """
    spotter = Spotter(finder, recorder)
    for frame in frames:
        yield spotter.add(frame)
    yield spotter.finish()


def _curves(samples: Iterable[tuple[float, Sample]]) -> Curves:
    times_s, measured = zip(*samples, strict=True)
    return Curves(
        times_s=np.array(times_s),
        displacements=_column([sample.displacements for sample in measured]),
        rigid=_column([sample.rigid for sample in measured]),
        residuals=_column([sample.residuals for sample in measured]),
        rotations_deg=_column([sample.rotation_deg for sample in measured]),
        head_px=_column([sample.head_px for sample in measured]),
        correlation=np.array([sample.correlation for sample in measured]),
        sharpness=np.array([sample.sharpness for sample in measured]),
        brightness=np.array([sample.brightness for sample in measured]),
    )


def _column(values: list[Float64[np.ndarray, "*C"]]) -> Float64[np.ndarray, "T *C"]:
    return np.stack(values)
