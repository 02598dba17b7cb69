"""Windows of a clip, their class scores, and the weights of frames in a motion image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import NoFace, TooFewFrames
from learnet.core.settings import Preparation
from learnet.face import Face, FaceFinder
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.inference.decision import Decision, judge_motion, judge_scores
from learnet.inference.window_units import MovingWindow, WindowUnits, recognise_units
from learnet.motion.active import active_weights
from learnet.motion.detrend import StoredImages
from learnet.motion.dynamic import rank_weights
from learnet.motion.evidence import motion_evidence
from learnet.motion.pipeline import MotionResult, make_image
from learnet.training.scorer import Scorer

MAX_WINDOWS = 60  # that are scored; of more, as many in equal steps
NEUTRAL = "none"  # the class of networks that can predict that nothing is expressed
RANK_POOLED = ("dynamic", "dynamic-released", "dynamic-linear")

Progress = Callable[[int, int], None]  # windows scored, windows in all
Window = tuple[int, int]  # positions of its first and last frame, both inside


def growing_windows(start: int, frames: int, required_end: int, limit: int = MAX_WINDOWS) -> list[Window]:
    """Return windows with the same start that end at each of the later frames.

    Args:
        start: position of the first frame of every window.
        frames: number of frames of the clip.
        required_end: position of a frame at which a window ends in any case.
        limit: largest number of other windows; more are replaced by as many in equal steps.
    """
    count = min(limit, frames - 1 - start)
    ends = np.linspace(start + 1, frames - 1, count).round().astype(int)
    return [(start, end) for end in sorted({*ends.tolist(), required_end})]


def sliding_windows(frames: int, length: int, limit: int = MAX_WINDOWS) -> list[Window]:
    """Return windows of the same length that end at each of the frames.

    Args:
        frames: number of frames of the clip.
        length: in frames; raised to 2, and lowered to the number of frames.
        limit: largest number of windows; more are replaced by as many in equal steps.
    """
    length = min(max(length, 2), frames)
    count = min(limit, frames - length + 1)
    ends = np.linspace(length - 1, frames - 1, count).round().astype(int)
    return [(end - length + 1, end) for end in ends.tolist()]


def temporal_weights(motion: str, frames: int, apex: int) -> Float64[np.ndarray, "T"] | None:
    """Return the weight of each frame in a motion image.

    Args:
        motion: kind of motion image, a name from MOTION_IMAGES.
        frames: number T of frames of the clip.
        apex: position of the apex.

    Returns:
        None for kinds that are no weighted sum of frames: optical flow, histograms, dynamic-exact.

    Raises:
        TooFewFrames: there are too few frames for this motion image.
    """
    if motion in RANK_POOLED:
        return rank_weights(frames, motion)
    if motion == "active":
        return active_weights(frames)
    weights = np.zeros(frames)
    if motion == "dynamic-rise":
        weights[: apex + 1] = rank_weights(apex + 1)
    elif motion == "dynamic-fall":
        weights[apex:] = rank_weights(frames - apex)
    elif motion == "difference":
        weights[0] -= 1
        weights[apex] += 1
    elif motion == "onset-face":
        weights[0] = 1
    elif motion == "apex-face":
        weights[apex] = 1
    else:
        return None
    return weights


def weights_in_window(motion: str, window: Window, apex: int, frames: int) -> Float64[np.ndarray, "T"] | None:
    """Return the weight of each frame of a clip in the motion image of one window; 0 outside the window.

    Args:
        motion: kind of motion image.
        window: positions of its first and last frame.
        apex: position of the apex in the clip; moved into the window if it is outside.
        frames: number T of frames of the clip.
    """
    start, end = window
    apex_in_window = min(max(apex - start, 1), end - start)
    inside = temporal_weights(motion, end - start + 1, apex_in_window)
    if inside is None:
        return None
    weights = np.zeros(frames)
    weights[start : end + 1] = inside
    return weights


@dataclass(frozen=True)
class WindowScores:
    """Class scores of windows."""

    scores: Float64[np.ndarray, "E K"]  # NaN where the network was not asked
    decisions: tuple[Decision, ...]  # label of each window, and why it is not simply the highest score
    apexes: tuple[int | None, ...]  # position of the apex that the motion image of each window used
    units: tuple[WindowUnits, ...]  # action units of each window

    def strongest(self, classes: Sequence[str]) -> int:
        """Return the window with the highest score; predictions of no expression rank below all others."""
        scores = np.nan_to_num(self.scores, nan=-2.0)
        neutral = np.array([name == NEUTRAL for name in classes])
        rank = scores.max(axis=1) - neutral[scores.argmax(axis=1)]
        return int(rank.argmax())


@dataclass(frozen=True)
class WindowScorer:
    """Compute class scores of windows, each as `learnet predict` would for a video of these frames alone."""

    scorer: Scorer
    preparation: Preparation
    finder: FaceFinder | None  # None: the frames are face crops
    fps: float
    classes: tuple[str, ...]
    ends_at_rest: bool  # False: windows end in the middle of a movement
    action_units: ActionUnitRecogniser | None = None  # None: no action units are named

    def __call__(
        self,
        frames: UInt8[np.ndarray, "T H W 3"],
        windows: Sequence[Window],
        apex: int | None,
        progress: Progress | None,
    ) -> WindowScores:
        """Score windows of a clip.

        Args:
            frames: RGB, 0 to 255.
            windows: positions of first and last frames.
            apex: position of an annotated apex. Windows that contain it use it; others detect their own.
            progress: called after each window.

        Raises:
            NoFace: no window has a prediction, and the last has none because no face was found.
            TooFewFrames: the same, because the last has too few frames.
        """
        scores = np.full((len(windows), len(self.classes)), np.nan)
        decisions: list[Decision] = []
        units = [WindowUnits()] * len(windows)
        apexes: list[int | None] = [None] * len(windows)
        failure: NoFace | TooFewFrames | None = None
        for index, (start, end) in enumerate(windows):
            known_apex = None
            if apex is not None and start < apex <= end:
                known_apex = apex - start
            part = frames[start : end + 1]

            try:
                prepared = make_image(part, self.preparation, self.finder, known_apex, self.fps)
            except (NoFace, TooFewFrames) as error:
                failure = error
                decisions.append(Decision(None, error.what))
            else:
                decision, scores[index], units[index] = self._decide(part, prepared)
                decisions.append(decision)
                apexes[index] = None if prepared.apex is None else start + prepared.apex
            if progress:
                progress(index + 1, len(windows))

        if failure and all(decision.label is None for decision in decisions):
            raise failure
        return WindowScores(scores, tuple(decisions), tuple(apexes), tuple(units))

    def _decide(
        self, frames: UInt8[np.ndarray, "T H W 3"], prepared: MotionResult
    ) -> tuple[Decision, Float64[np.ndarray, "K"], WindowUnits]:
        """Return the label of a window, its scores, NaN where the network is not asked, and its units."""
        evidence = motion_evidence(list(frames), prepared.aligned, prepared.apex, self.ends_at_rest)
        decision = judge_motion(evidence)
        if decision is not None:
            return decision, np.full(len(self.classes), np.nan), WindowUnits()
        row = self.scorer.scores(StoredImages(prepared.image[None]))[0]
        scores = dict(zip(self.classes, row.tolist(), strict=True))
        drift_px = prepared.aligned.drift_px
        window = MovingWindow(
            frames, prepared.aligned, evidence.apex, prepared.image, self.preparation, drift_px
        )
        units = recognise_units(self.action_units, window)
        return judge_scores(scores, obstacle=units.reason), row, units


class CachedFaceFinder:
    """A face finder that searches each frame once, for windows that share frames."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder, self.kind = finder, finder.kind
        self.cache: dict[bytes, Face | None] = {}

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """Return the face in a frame, as the wrapped finder does."""
        key = blake2b(np.ascontiguousarray(frame).data).digest()
        if key not in self.cache:
            self.cache[key] = self.finder(frame)
        return self.cache[key]
