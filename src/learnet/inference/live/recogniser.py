"""Recognition in a stream of frames: the last half second is recognised again every few frames."""

import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from learnet.core.errors import LearnetError, TooFewFrames, pick
from learnet.core.live_settings import LiveSettings
from learnet.core.records import ActionUnitScore
from learnet.core.settings import Preparation
from learnet.face import HEAD_MOTION_LIMIT_PX
from learnet.inference.action_unit_text import scores_to_dict, unit_cells, unit_columns, unit_to_dict
from learnet.inference.decision import Decision, judge_motion, judge_scores
from learnet.inference.emotion_criteria import emotions_from_units
from learnet.inference.live.crops import CropBuffer
from learnet.inference.live.face_tracker import DELAY, LOOKS, FaceTracker, LookSchedule
from learnet.inference.recogniser import Recogniser
from learnet.inference.window_units import MovingWindow, WindowUnits, recognise_units
from learnet.inference.windows import TIME_TOLERANCE_S
from learnet.motion import MOTION_IMAGES, TVL1_MOTIONS
from learnet.motion.apex import find_apex
from learnet.motion.detrend import StoredImages
from learnet.motion.evidence import motion_evidence
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.pipeline import EYE_POSITIONS, motion_image, resolution_factor
from learnet.video.base import Frame

FIRST_COLUMNS = ("number", "time_s", "start_s", "first", "last", "frames", "label")
LAST_COLUMNS = ("reason", "head_px", "latency_ms", "skipped")


def columns(classes: Sequence[str], units: Sequence[int] = ()) -> list[str]:
    """Return the column names of `LivePrediction.row`."""
    return [*FIRST_COLUMNS, *classes, *unit_columns(units), *LAST_COLUMNS, "warnings"]


@dataclass(frozen=True)
class LivePrediction:
    """Prediction for the window that ends with one frame."""

    number: int  # of the prediction, from 0
    time_s: float  # end of the window, seconds since the first frame
    start_s: float  # start of its first frame
    first: int  # number of the first frame of the window
    last: int  # number of the newest frame
    frames: int  # number of frames in the window
    label: str | None  # a class, "none" or "uncertain"; None: the window cannot be judged
    scores: dict[str, float]  # probability of each class; empty: the network was not asked
    # Why the label is not simply the class with the highest score, or why no action units are given although
    # the skin moves; empty otherwise.
    reason: str
    head_px: float | None  # head motion in the window, pixels of the crop; None: it could not be measured
    latency_ms: float  # from the arrival of the newest frame to the prediction
    skipped: int  # frames of the stream skipped so far
    warnings: tuple[str, ...]  # what may have affected the prediction
    action_units: tuple[ActionUnitScore, ...] = ()  # that are named, the surest first
    # Probability of each action unit; empty: the skin does not move, or the head moves too far.
    action_unit_scores: dict[int, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return one line, rounded to meaningful digits: 0.1 ms, 1e-6 of a score."""
        content = asdict(self)
        content["time_s"] = round(self.time_s, 4)
        content["start_s"] = round(self.start_s, 4)
        content["latency_ms"] = round(self.latency_ms, 2)
        content["scores"] = {name: round(score, 6) for name, score in self.scores.items()}
        content["head_px"] = None if self.head_px is None else round(self.head_px, 2)
        content["reason"] = self.reason or None
        content["action_units"] = [unit_to_dict(unit) for unit in self.action_units]
        content["action_unit_scores"] = scores_to_dict(self.action_unit_scores)
        content["emotions_by_units"] = [match.to_dict() for match in emotions_from_units(self.action_units)]
        return json.dumps(content, ensure_ascii=False)

    def row(self, classes: Sequence[str], units: Sequence[int] = ()) -> list[object]:
        """Return the prediction as a row of a table with the columns `columns(classes, units)`."""
        record = json.loads(self.to_json())
        row = [record[name] for name in FIRST_COLUMNS]
        row += [record["scores"].get(name) for name in classes]
        row += unit_cells(self.action_units, self.action_unit_scores, units)
        row += [record[name] for name in LAST_COLUMNS]
        return [*row, "; ".join(self.warnings)]


class LiveRecogniser:
    """Accept frames with `add`, one at a time, and return a prediction when one is due.

    The window is the last `window_s` of frames. Its crops have one transform, and the motion image is
    computed from exactly these crops in one pass. Memory is that of a window: its frames, and two sets of
    crops. A context manager, because a second thread detects the face.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        settings: LiveSettings = LiveSettings(),
        fps: float = 200.0,
        wait: bool = True,
    ) -> None:
        """Start the second thread.

        Args:
            recogniser: from `Recogniser.load`.
            settings: length of the window, and frames between predictions.
            fps: frame rate of the stream. The window follows the time stamps of the frames.
            wait: for the face detector, a fixed number of frames after its start, so that the same frames
                give the same predictions on any machine. Otherwise a detected face is used when available,
                and no frame waits.

        Raises:
            LearnetError: the preparation of the weights takes longer than frames take to arrive; or a window
                has fewer than two frames.
        """
        preparation = recogniser.metadata.preparation
        assert preparation is not None, "`Recogniser.load` refuses such weights"
        _check_speed(preparation)
        window = round(settings.window_s * fps)
        if window < 2:
            raise LearnetError(
                f"A window of {settings.window_s:g} s at {fps:g} frames per second contains no motion.",
                "Use a longer window (window_s, --window-s).",
            )
        self.recogniser = recogniser
        self.settings = settings
        self.period_s = 1 / fps
        self.preparation = preparation
        self.kind = pick(MOTION_IMAGES, preparation.motion, "motion image")
        self.normalise = pick(NORMALISATIONS, preparation.settled.normalise, "normalisation")
        self.head_limit_px = HEAD_MOTION_LIMIT_PX * preparation.size / 112
        schedule = LookSchedule(
            interval=max(1, window // LOOKS), delay=max(1, round(DELAY * window)), wait=wait, window=window
        )
        self.finder = recogniser.select_face()
        self.factor = resolution_factor(preparation)
        self.tracker = FaceTracker(self.finder, preparation.size * self.factor, schedule)
        self.kept: deque[Frame] = deque()
        self.stream_start_s: float | None = None
        self.predictions = 0  # number of predictions so far
        self.frames_since_prediction = 0

    def __enter__(self) -> "LiveRecogniser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the second thread."""
        self.tracker.close()

    def add(self, frame: Frame, came_s: float | None = None, skipped: int = 0) -> LivePrediction | None:
        """Process the next frame, in time order.

        Args:
            frame: RGB, 0..255. It is kept for the length of a window, and must not be changed.
            came_s: arrival time by `time.perf_counter`, from which latency is measured; None: now.
            skipped: frames of the stream skipped so far.

        Returns:
            A prediction every `every` frames from the first complete window on, and one of the frames before
            their size changes; otherwise None.
        """
        came_s = time.perf_counter() if came_s is None else came_s
        last = None
        if self.kept and self.kept[-1].pixels.shape != frame.pixels.shape:
            last = self.finish(skipped)
            self._begin_again()
        if self.stream_start_s is None:
            self.stream_start_s = frame.time_s
        self.kept.append(frame)
        start_s = frame.time_s + self.period_s - self.settings.window_s - TIME_TOLERANCE_S
        while self.kept[0].time_s < start_s:
            self.kept.popleft()
        self.tracker.add(self.kept)
        self.frames_since_prediction += 1
        incomplete = start_s < self.stream_start_s - 2 * TIME_TOLERANCE_S
        too_soon = self.predictions and self.frames_since_prediction < self.settings.every
        if last is not None or incomplete or too_soon:
            return last
        return self._predict(came_s, skipped)

    def _begin_again(self) -> None:
        """Forget all frames: those that follow have another size."""
        self.tracker.settle(self.kept)
        self.tracker.lose()
        self.kept.clear()
        self.stream_start_s = None
        self.frames_since_prediction = 0

    def finish(self, skipped: int = 0) -> LivePrediction | None:
        """Return the prediction for the last frames of the stream; None if there are no new ones.

        The window may be shorter than `window_s`.

        Args:
            skipped: frames of the stream skipped so far.
        """
        if not self.frames_since_prediction:
            return None
        came_s = time.perf_counter()
        self.tracker.settle(self.kept)
        return self._predict(came_s, skipped)

    def _predict(self, came_s: float, skipped: int) -> LivePrediction:
        first = self.kept[0]
        newest = self.kept[-1]
        count = len(self.kept)
        self.frames_since_prediction = 0
        self.predictions += 1
        decision = Decision(None, self._reason(first.time_s, count))
        scores: dict[str, float] = {}
        units = WindowUnits()
        head_px = self.head_px(first.time_s - TIME_TOLERANCE_S)
        if not decision.reason:
            assert self.tracker.crops is not None
            self.tracker.idle.clear()
            try:
                decision, scores, units = self._decide(self.tracker.crops, count, head_px)
            except TooFewFrames as error:  # in the part of the window that the motion image covers
                decision = Decision(None, error.what)
            finally:
                self.tracker.idle.set()
        if decision.label is None:
            head_px = None
        return LivePrediction(
            number=self.predictions - 1,
            time_s=newest.time_s + self.period_s,
            start_s=first.time_s,
            first=first.number,
            last=newest.number,
            frames=count,
            label=decision.label,
            scores=scores,
            reason=decision.reason,
            action_units=units.named,
            action_unit_scores=units.scores,
            head_px=head_px,
            warnings=self._warnings(head_px) if decision.label is not None else (),
            skipped=skipped,
            latency_ms=(time.perf_counter() - came_s) * 1e3,
        )

    def _decide(
        self, buffer: CropBuffer, count: int, head_px: float | None
    ) -> tuple[Decision, dict[str, float], WindowUnits]:
        """Return the label for the last crops, and probabilities and action units if the skin moves."""
        crops = buffer.last(count)
        apex = None
        if self.kind.needs_apex:
            apex = find_apex(crops, EYE_POSITIONS if self.finder else ())
        frames = [frame.pixels for frame in self.kept]
        evidence = motion_evidence(frames, buffer.aligned, apex)
        decision = judge_motion(evidence)
        if decision is not None:
            return decision, {}, WindowUnits()
        image = self.normalise(motion_image(crops, self.preparation, apex))
        row = self.recogniser.scorer.scores(StoredImages(image[None]))[0]
        scores = dict(zip(self.recogniser.metadata.classes, row.tolist(), strict=True))
        window = MovingWindow(frames, buffer.aligned, evidence.apex, image, self.preparation, head_px)
        units = recognise_units(self.recogniser.action_units, window)
        return judge_scores(scores, self.recogniser.margin, obstacle=units.reason), scores, units

    def head_px(self, since_s: float) -> float | None:
        """Return the head motion since a time, in pixels of the motion image; None if it was not measured."""
        head_px = self.tracker.head_px(since_s)
        return None if head_px is None else head_px / self.factor

    def _reason(self, start_s: float, count: int) -> str:
        """Return why there can be no prediction; empty if there can be one."""
        if count < 2:
            return TooFewFrames(found=count, needed=2).what
        if self.finder is None:
            return ""
        seen_s = self.tracker.last_seen_s()
        if seen_s is None:
            return "no face has been found yet"
        if not self.tracker.face_visible and seen_s < start_s - TIME_TOLERANCE_S:
            self.tracker.lose()
            return f"no face has been seen since {seen_s:.2f} s"
        return "" if self.tracker.crops is not None else "the face has only just been found"

    def _warnings(self, head_px: float | None) -> tuple[str, ...]:
        assert self.tracker.crops is not None
        warnings = list(self.tracker.crops.aligned.warnings)
        missing = self.kept[-1].number - self.kept[0].number + 1 - len(self.kept)
        if missing:
            warnings.append(f"{missing} frames of this window are missing")
        if self.finder is not None and head_px is None:
            warnings.append("head motion cannot be measured: the head turns too far, or the face is covered")
        elif head_px is not None and head_px > self.head_limit_px:
            warnings.append(f"the head moves by {head_px:.1f} pixels of the crop, as much as an expression")
        return tuple(warnings)


def _check_speed(preparation: Preparation) -> None:
    """Refuse preparations that take longer than the frames of a window take to arrive."""
    slow_steps = []
    if preparation.stabilise:
        slow_steps.append("--stabilise")
    if preparation.magnify:
        slow_steps.append("--magnify")
    if preparation.motion in TVL1_MOTIONS:
        slow_steps.append(preparation.motion)
    if slow_steps:
        steps = " and ".join(slow_steps)
        raise LearnetError(
            f"These weights were trained on images made with {steps}, which takes longer than the frames "
            "take to arrive.",
            "Use `learnet predict`, or train on a folder of `learnet prepare` without it.",
        )
