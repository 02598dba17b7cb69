"""A trained network and a stream of frames: the last half second is recognised anew every few frames."""

import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from learnet.core.errors import LearnetError, TooFewFrames, pick
from learnet.core.settings import LiveSettings
from learnet.face import HEAD_MOTION_LIMIT_PX
from learnet.inference.live.face_tracker import DELAY, LOOKS, Follower, Pace
from learnet.inference.recogniser import EARLY, Recogniser
from learnet.motion import MOTION_IMAGES
from learnet.motion.apex import find_apex
from learnet.motion.detrend import StoredImages
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.pipeline import EYE_POSITIONS, motion_image, resolution_factor
from learnet.video.base import Frame

BEFORE = ("number", "time_s", "start_s", "first", "last", "frames", "label")
AFTER = ("reason", "head_px", "latency_ms", "skipped")


def columns(classes: Sequence[str]) -> list[str]:
    """Names of what is in `LiveAnswer.row`."""
    return [*BEFORE, *classes, *AFTER, "warnings"]


@dataclass(frozen=True)
class LiveAnswer:
    """What the network says about the time up to one frame."""

    number: int  # of the answer, from 0
    time_s: float  # end of the window, seconds since the first frame
    start_s: float  # of its first frame
    first: int  # number of the first frame of the window
    last: int  # number of the newest frame
    frames: int  # in the window
    label: str | None  # the class with the highest score; None where there is no answer
    scores: dict[str, float]  # probability of each class; empty where there is no answer
    reason: str  # why there is no answer; empty where there is one
    head_px: (
        float | None
    )  # how far the head moves in the window, pixels of the crop; None where that could not be measured
    latency_ms: float  # from when the newest frame was there to the answer
    skipped: int  # frames of the stream that were not taken, so far
    warnings: tuple[str, ...]  # what may have spoilt this answer

    def to_json(self) -> str:
        """One line, in digits that mean something: 0.1 ms, a millionth of a score."""
        head = None if self.head_px is None else round(self.head_px, 2)
        rounded = {
            "time_s": round(self.time_s, 4),
            "start_s": round(self.start_s, 4),
            "latency_ms": round(self.latency_ms, 2),
        }
        scores = {name: round(score, 6) for name, score in self.scores.items()}
        content = {
            **asdict(self),
            **rounded,
            "scores": scores,
            "head_px": head,
            "reason": self.reason or None,
        }
        return json.dumps(content, ensure_ascii=False)

    def row(self, classes: Sequence[str]) -> list[object]:
        """The same as a row of a table, under the names of `columns`."""
        told = json.loads(self.to_json())
        scores = [told["scores"].get(name) for name in classes]
        return [
            *(told[name] for name in BEFORE),
            *scores,
            *(told[name] for name in AFTER),
            "; ".join(self.warnings),
        ]


class LiveRecogniser:
    """Takes frames one at a time and answers when an answer is due: `LiveRecogniser(recogniser).add(frame)`.

    The window is the last `window_s` of frames. Its crops go by one transform, and are folded as they are: the motion image is that of
    the window's crops, exactly, at the cost of one pass over them. Memory is that of a window: its frames, and two sets of crops.
    A context manager, as a second thread looks for the face.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        settings: LiveSettings = LiveSettings(),
        fps: float = 200.0,
        wait: bool = True,
    ) -> None:
        """Get ready for frames.

        Args:
            recogniser: from `Recogniser.load`.
            settings: length of the window, and how often there is an answer.
            fps: frame rate of the stream; the window goes by the time stamps of the frames.
            wait: for the face finder, a fixed number of frames after it was asked. So the same frames have the same answers on any
                machine. Without, what it found is taken on when it is there, and no frame ever waits.

        Raises:
            LearnetError: the weights are of images without head motion, which cannot be removed in time; or a window holds one frame.
        """
        preparation = recogniser.facts.preparation
        assert preparation is not None, "`load` refuses such weights"
        self.kind = pick(MOTION_IMAGES, preparation.motion, "motion image")
        slow = {
            "--steady": preparation.steady,
            "--magnify": bool(preparation.magnify),
            "flow-tvl1": preparation.motion == "flow-tvl1",
            f"optical flow of {preparation.size} pixels, which is measured on larger crops": resolution_factor(
                preparation
            )
            > 1,
        }
        if refused := " and ".join(what for what, asked in slow.items() if asked):
            raise LearnetError(
                f"These weights learned from images made with {refused}: that takes longer than frames take to come.",
                "Use `learnet predict`, or train on a folder of `learnet prepare` without it.",
            )
        window = round(settings.window_s * fps)
        if window < 2:
            raise LearnetError(
                f"A window of {settings.window_s:g} s at {fps:g} frames per second holds no motion.",
                "Give a longer --window-s.",
            )
        self.recogniser, self.settings, self.period_s, self.preparation = (
            recogniser,
            settings,
            1 / fps,
            preparation,
        )
        self.normalise = pick(NORMALISATIONS, preparation.settled.normalise, "normalisation")
        self.still_px = HEAD_MOTION_LIMIT_PX * preparation.size / 112
        pace = Pace(max(1, window // LOOKS), max(1, round(DELAY * window)), wait, window)
        self.face = Follower(recogniser.finder, preparation.size, pace)
        self.kept: deque[Frame] = deque()
        self.began_s: float | None = None
        self.answers, self.since = 0, 0

    def __enter__(self) -> "LiveRecogniser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the second thread."""
        self.face.close()

    def add(self, frame: Frame, came_s: float | None = None, skipped: int = 0) -> LiveAnswer | None:
        """Take the next frame, in time order.

        Args:
            frame: RGB, 0..255. It is kept for the length of a window, and must not be changed.
            came_s: when it was there, by `time.perf_counter`; now where None. The latency counts from then.
            skipped: frames of the stream that were not taken, so far.

        Returns:
            An answer every `every` frames, from when the first window is whole; else None.
        """
        came_s = time.perf_counter() if came_s is None else came_s
        self.began_s = frame.time_s if self.began_s is None else self.began_s
        self.kept.append(frame)
        start_s = frame.time_s + self.period_s - self.settings.window_s - EARLY
        while self.kept[0].time_s < start_s:
            self.kept.popleft()
        self.face.add(self.kept)
        self.since += 1
        if start_s < self.began_s - 2 * EARLY or (self.answers and self.since < self.settings.every):
            return None
        return self._answer(came_s, skipped)

    def finish(self, skipped: int = 0) -> LiveAnswer | None:
        """The answer to the last frames, where some have come since the last answer: there are no more. They may be less than a window."""
        if not self.since:
            return None
        came_s = time.perf_counter()
        self.face.settle(self.kept)
        return self._answer(came_s, skipped)

    def _answer(self, came_s: float, skipped: int) -> LiveAnswer:
        first, newest, count = self.kept[0], self.kept[-1], len(self.kept)
        self.since, self.answers = 0, self.answers + 1
        reason = self._reason(first.time_s, count)
        scores: dict[str, float] = {}
        if not reason:
            assert self.face.now is not None
            self.face.free.clear()
            try:
                crops = self.face.now.last(count)
                apex = (
                    find_apex(crops, EYE_POSITIONS if self.recogniser.finder else ())
                    if self.kind.needs_apex
                    else None
                )
                image = self.normalise(motion_image(crops, self.preparation, apex))
                scores = dict(
                    zip(
                        self.recogniser.facts.classes,
                        self.recogniser.scorer.scores(StoredImages(image[None]))[0].tolist(),
                        strict=True,
                    )
                )
            except TooFewFrames as error:  # in the part of the window that is folded
                reason = error.what
            finally:
                self.face.free.set()
        label = max(scores, key=scores.__getitem__) if scores else None
        head_px = self.face.head_px(first.time_s - EARLY) if scores else None
        said = self._warnings(head_px) if scores else ()
        return LiveAnswer(
            self.answers - 1, newest.time_s + self.period_s, first.time_s, first.number, newest.number, count, label, scores, reason,
            head_px, (time.perf_counter() - came_s) * 1e3, skipped, said,
        )  # fmt: skip

    def _reason(self, start_s: float, count: int) -> str:
        """Why there can be no answer; empty where there can."""
        if count < 2:
            return TooFewFrames(found=count, needed=2).what
        if self.recogniser.finder is None:
            return ""
        seen_s = self.face.last_seen_s()
        if seen_s is None:
            return "no face has been found yet"
        if not self.face.there and seen_s < start_s - EARLY:
            self.face.lose()
            return f"no face has been seen since {seen_s:.2f} s"
        return "" if self.face.now is not None else "the face has only just been found"

    def _warnings(self, head_px: float | None) -> tuple[str, ...]:
        assert self.face.now is not None
        said = list(self.face.now.aligned.warnings)
        missing = self.kept[-1].number - self.kept[0].number + 1 - len(self.kept)
        if missing:
            said.append(f"{missing} frames of this window are missing")
        if self.recogniser.finder is not None and head_px is None:
            said.append(
                "how far the head moves cannot be measured: it turns too far, or something covers the face"
            )
        elif head_px is not None and head_px > self.still_px:
            said.append(f"the head moves by {head_px:.1f} pixels of the crop, as much as an expression")
        return tuple(said)
