"""Movements of the face in a stream of frames: each is recognised when it is final."""

import copy
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from learnet.core.records import Event, UnjudgedStretch
from learnet.inference.event_clips import clip_movement, judge_spotted, recognised_event
from learnet.inference.live.frame_buffer import FrameBuffer
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import event_columns, event_row, event_to_dict, stretch_to_dict
from learnet.inference.spotting import Spotter, Spotting
from learnet.video.base import Frame

LAST_COLUMNS = ("latency_s", "skipped", "warnings")


def spotted_columns(classes: Sequence[str], units: Sequence[int] = ()) -> list[str]:
    """Return the column names of `LiveEvent.row`."""
    return [*event_columns(tuple(classes), tuple(units)), *LAST_COLUMNS]


@dataclass(frozen=True)
class LiveEvent:
    """A movement of the face in a stream."""

    event: Event
    latency_s: float  # from the offset to the answer
    skipped: int  # frames of the stream skipped so far
    warnings: tuple[str, ...]  # what may have affected the recognition

    def to_json(self) -> str:
        """Return one line: the keys of an event of `learnet predict`, latency, skipped frames, warnings."""
        content = event_to_dict(self.event)
        content |= {"latency_s": round(self.latency_s, 3), "skipped": self.skipped}
        return json.dumps(content | {"warnings": list(self.warnings)}, ensure_ascii=False)

    def row(self, classes: Sequence[str], units: Sequence[int] = ()) -> list[object]:
        """Return the event as a row of a table with the columns `spotted_columns(classes, units)`."""
        row = event_row(self.event, tuple(classes), tuple(units))
        return [*row, round(self.latency_s, 3), self.skipped, "; ".join(self.warnings)]


@dataclass(frozen=True)
class LiveStretch:
    """A stretch of a stream in which no movement can be found."""

    stretch: UnjudgedStretch
    latency_s: float  # from its end to the answer
    skipped: int  # frames of the stream skipped so far

    def to_json(self) -> str:
        """Return one line, whose `kind` is unjudged."""
        content = {"kind": "unjudged", **stretch_to_dict(self.stretch)}
        content |= {"latency_s": round(self.latency_s, 3), "skipped": self.skipped}
        return json.dumps(content, ensure_ascii=False)


LiveResult = LiveEvent | LiveStretch


class LiveSpotter:
    """Accept frames with `add`, one at a time, and return movements of the face when they are final.

    The events are those of `Recogniser` for a video of the same frames. Each is recognised from its own
    frames, of which the part around the face is kept for up to 15 s (`frame_buffer.FrameBuffer`), at most
    1 GB. Memory and time per frame do not depend on the length of the stream.
    """

    def __init__(self, recogniser: Recogniser, fps: float = 200.0) -> None:
        """Start without frames.

        Args:
            recogniser: from `Recogniser.load`.
            fps: frame rate of the stream.
        """
        self.recogniser = recogniser
        self.fps = fps
        self.finder = recogniser.select_face()
        self.spotter = Spotter(self.finder)
        self.buffer = FrameBuffer()
        self._newest_s = 0.0  # time of the newest frame
        self._events = 0  # number of events so far

    def add(self, frame: Frame, came_s: float | None = None, skipped: int = 0) -> list[LiveResult]:
        """Process the next frame, in time order.

        Args:
            frame: RGB, 0..255. Some are kept for a while, so that it must not be changed.
            came_s: arrival time by `time.perf_counter`; None: now.
            skipped: frames of the stream skipped so far.

        Returns:
            The events and unjudged stretches that are final since the last call; usually none.
        """
        came_s = time.perf_counter() if came_s is None else came_s
        self._newest_s = frame.time_s
        spotting = self.spotter.add(frame)
        # Recognised first: after a gap in the stream, the buffer forgets what is before it.
        results = self._results(spotting, came_s, skipped)
        self.buffer.add(frame, self.spotter.to_crop, self.spotter.has_measured)
        return results

    def finish(self, skipped: int = 0, missing: Iterable[UnjudgedStretch] = ()) -> list[LiveResult]:
        """Return the events and stretches that remain at the end of the stream.

        Args:
            skipped: frames of the stream skipped so far.
            missing: further stretches (`spotting.missing_end`).
        """
        spotting = self.spotter.finish()
        remaining = Spotting(spotting.events, (*spotting.unjudged, *missing))
        return self._results(remaining, time.perf_counter(), skipped)

    def _results(self, spotting: Spotting, came_s: float, skipped: int) -> list[LiveResult]:
        results: list[LiveResult] = []
        for spotted in spotting.events:
            event, warnings = self._recognise(spotted)
            results.append(LiveEvent(event, self._latency_s(event.offset_s, came_s), skipped, warnings))
        for stretch in spotting.unjudged:
            results.append(LiveStretch(stretch, self._latency_s(stretch.end_s, came_s), skipped))
        return results

    def _recognise(self, event: Event) -> tuple[Event, tuple[str, ...]]:
        """Return an event with what is recognised in it, and warnings."""
        missing = event.offset - event.onset + 1 - self.spotter.frames_between(event.onset, event.offset)
        warnings = (f"{missing} frames of this event are missing",) if missing else ()
        if event.is_blink:
            return event, warnings
        clip = self.buffer.clip(event, self.fps)
        finder = copy.copy(self.finder)  # which must not forget where the face is now
        judged, _ = self.recogniser.predict_window(clip, finder, self._events, self.fps, clip_movement(event))
        self._events += 1
        prediction = judge_spotted(judged)
        return recognised_event(event, prediction), (*prediction.warnings, *warnings)

    def _latency_s(self, end_s: float, came_s: float) -> float:
        """Return the time from a moment of the stream to now, by the clock of the stream until `came_s`."""
        return max(0.0, self._newest_s - end_s) + time.perf_counter() - came_s
