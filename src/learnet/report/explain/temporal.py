"""When a face moves, when a dynamic image looks, and when the network makes up its mind: one clip over time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64, UInt8
from torch import nn

from learnet.core.errors import BadInput, LearnetError, NoFace, TooFewFrames
from learnet.core.settings import Preparation, Windows
from learnet.datasets.prepared.prepare import UNSEEN
from learnet.face import Face, FaceFinder, align, face_finder
from learnet.motion.apex import find_apex, motion_curve
from learnet.motion.detrend import StoredImages
from learnet.motion.dynamic import rank_weights
from learnet.motion.pipeline import EYE_POSITIONS, make_image
from learnet.report.explain.clips import ExplainedClips
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.reader import open_video, read_clip

AROUND_S = 0.15  # seconds before the onset and after the offset that are shown too, where a clip has them
CROP_PX = 112  # crops that the movement is measured on, as `learnet prepare` finds an apex; larger where the network's images are
STARTS = 0.1  # onset and offset are found where the movement has this share of its height above the rest before, or after, the apex
MOST_ENDS = 60  # ends of a window that are answered; of more, as many in even steps
LONGEST_S = 10  # seconds that are looked at: all frames are in memory at once
DETECTED = "detected"
NOTHING = "none"  # the class of a network that can say that nothing is expressed

Progress = Callable[[int, int], None]  # windows answered, windows in all


@dataclass(frozen=True)
class KeyFrame:
    """A frame that means something."""

    frame: int  # number, as the files say it
    source: str  # who says so: "given", `apex_source` of the database, or DETECTED


@dataclass(frozen=True)
class VideoSegment:
    """Part of a video, and what is known of the movement in it; frames are the numbers that the files say."""

    source: Path
    name: str  # for headings
    first: int | None = None  # frame to begin with; None: the first there is
    last: int | None = None
    marks: dict[str, KeyFrame] = field(
        default_factory=dict
    )  # of "onset", "apex", "offset" those that are known
    fps: float | None = None  # None: what the video says
    cropped: bool = False  # the frames are face crops already


@dataclass(frozen=True)
class TemporalExplanation:
    """A clip over time. Positions count the frames read, from 0; a window is named by its first and last frame, both inside."""

    name: str
    network: str
    motion: str
    classes: tuple[str, ...]
    fps: float
    numbers: tuple[int, ...]  # of the frames, as the files say them
    crops: UInt8[np.ndarray, "T Z Z 3"]  # the face in every frame
    movement: Float64[np.ndarray, "T"]  # `motion.apex.motion_curve`, grey levels
    marks: dict[str, KeyFrame]  # onset, apex, offset
    chosen: (
        int  # which of the answered windows is drawn: the clip itself, or the strongest of those that slide
    )
    apex: int  # position of the apex of its motion image
    weights: (
        Float64[np.ndarray, "T"] | None
    )  # of the frames in that motion image; 0 outside the window; None where it has none
    starts: Int64[np.ndarray, "E"]  # position where each answered window begins
    ends: Int64[np.ndarray, "E"]  # and where it ends
    scores: Float64[np.ndarray, "E K"]  # probability of each class; NaN where a window has no answer
    owners: bool  # the crops are those of the clip's owners; no face was searched
    notes: tuple[str, ...]

    @property
    def grows(self) -> bool:
        """Whether all windows begin with the same frame; else they slide."""
        return bool((self.starts == self.starts[0]).all() and len(self.starts) > 1)

    @property
    def window(self) -> tuple[int, int]:
        """Positions of the first and the last frame of the chosen window."""
        return int(self.starts[self.chosen]), int(self.ends[self.chosen])

    @property
    def times_s(self) -> Float64[np.ndarray, "T"]:
        """Seconds since the first frame shown."""
        return (np.array(self.numbers) - self.numbers[0]) / self.fps

    @property
    def answered(self) -> Bool[np.ndarray, "E"]:
        """Which windows have an answer."""
        return ~np.isnan(self.scores).any(axis=1)

    @property
    def labels(self) -> list[str]:
        """The class of the highest score of each window; empty where there is no answer."""
        found = zip(self.scores, self.answered, strict=True)
        return [self.classes[int(row.argmax())] if answered else "" for row, answered in found]

    def table(self) -> pd.DataFrame:
        """A row for each frame.

        Returns:
            frame, time_s, mark (onset, apex, offset), marked_by, weight (of the frame in the motion image), movement (grey levels); and of
            the window that ends there window_from (frame), label, and a column per class. Empty where there is nothing to say.
        """
        marked = {mark.frame: (name, mark.source) for name, mark in self.marks.items()}
        told = pd.DataFrame({"frame": self.numbers, "time_s": self.times_s})
        told["mark"], told["marked_by"] = zip(
            *(marked.get(number, ("", "")) for number in self.numbers), strict=True
        )
        told["weight"] = np.nan if self.weights is None else self.weights
        told["movement"] = self.movement
        numbers = np.array(self.numbers)
        ended = pd.DataFrame(
            {"frame": numbers[self.ends], "window_from": numbers[self.starts], "label": self.labels}
        )
        ended = pd.concat([ended, pd.DataFrame(self.scores, columns=list(self.classes))], axis=1)
        return (
            told.merge(ended, on="frame", how="left").astype({"window_from": "Int64"}).fillna({"label": ""})
        )


def segment_of_video(
    video: Path, onset: int | None, apex: int | None, offset: int | None, fps: float | None
) -> VideoSegment:
    """A video, or the part of it from a given onset to a given offset; frames are the numbers that the files say."""
    given = {"onset": onset, "apex": apex, "offset": offset}
    return VideoSegment(
        video,
        video.name,
        onset,
        offset,
        {name: KeyFrame(frame, "given") for name, frame in given.items() if frame is not None},
        fps,
    )


def segment_of_clip(cases: ExplainedClips, clip: str) -> VideoSegment:
    """The frames of a database's clip from a little before its onset to a little after its offset, with the true marks.

    Raises:
        LearnetError: no such clip.
        BadInput: its frames are not there any more, or never were (imported images).
    """
    row = cases.prepared.clips[cases.prepared.clips["clip"] == clip].iloc[0]
    path = Path(str(row["path"]))
    if cases.prepared.record.imported or not str(row["path"]) or not path.exists():
        wrong = (
            "these images were imported without their frames"
            if cases.prepared.record.imported
            else f"the frames of {clip} are gone"
        )
        raise BadInput(path, wrong, "When something happens can only be seen in the clip itself.")
    marks = {"onset": KeyFrame(int(row["onset"]), "file"), "offset": KeyFrame(int(row["offset"]), "file")}
    if not np.isnan(row["apex"]):
        marks["apex"] = KeyFrame(int(row["apex"]), str(row["apex_source"]))
    around = round(AROUND_S * row["fps"])
    first, last = max(0, marks["onset"].frame - around), marks["offset"].frame + around
    return VideoSegment(
        path, f"{clip}, {cases.truth[clip]}", first, last, marks, float(row["fps"]), row["face"] == "given"
    )


def explain_temporal(
    module: nn.Module,
    facts: CheckpointMetadata,
    stretch: VideoSegment,
    windows: Windows | None = None,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> TemporalExplanation:
    """Read a clip and answer it again and again, as if it ended at each of its frames.

    The window begins at the onset and grows, or slides where the stretch has no marks and is longer than `whole_s`, or where WINDOWS are
    given. Each window is answered as `learnet predict` answers a video of these frames alone.

    Args:
        module: network.
        facts: what its file says of it.
        stretch: what to read.
        windows: how long a window is; None: grow, or slide by the usual settings.
        face_model: YuNet's file; without one see `face.find_model`.
        progress: called after each window.

    Raises:
        BadInput: no video; marks that are not among its frames.
        LearnetError: no window has an answer, or weights for images whose making is not known.
        NoFace: none in the frames that were searched.
    """
    preparation = facts.resolve_for_video().preparation
    if preparation is None:
        raise LearnetError(
            "These weights learned from motion images of unknown making.", "Take weights of prepared clips."
        )
    _check_length(stretch)
    footage = read_clip(stretch.source, stretch.first, stretch.last, stretch.fps)
    frames, numbers, fps = footage.pixels, footage.numbers, footage.info.fps
    if len(numbers) < 2:
        raise TooFewFrames(found=len(numbers), needed=2)
    finder = (
        None
        if stretch.cropped or preparation.face == "none"
        else _Remembering(face_finder(preparation.face, face_model))
    )
    aligned = align(frames, finder, max(CROP_PX, preparation.size), preparation.stabilise and finder is not None)
    crops, eyes = aligned.crops(frames), EYE_POSITIONS if finder else ()
    movement = motion_curve(crops, eyes)
    marks = _marks(stretch, numbers, movement, find_apex(crops, eyes))
    grows = windows is None and ("onset" in stretch.marks or len(numbers) <= Windows().whole_s * fps)
    start = numbers.index(marks["onset"].frame) if "onset" in stretch.marks else 0
    long = round((windows or Windows()).window_s * fps)
    ends_at = numbers.index(marks["offset"].frame) if "offset" in stretch.marks else len(numbers) - 1
    pairs = growing_windows(start, len(numbers), ends_at) if grows else sliding_windows(len(numbers), long)
    known = stretch.marks.get("apex")
    given = numbers.index(known.frame) if known and known.source not in UNSEEN else None
    scorer = Scorer.from_module(module, facts.mirror, facts.detrend_percentile)
    scores, apexes = _Answering(scorer, facts, preparation, finder, fps)(frames, pairs, given, progress)
    chosen = pairs.index((start, ends_at)) if grows else _strongest(scores, facts.classes)
    apex = apexes[chosen] if apexes[chosen] >= 0 else numbers.index(marks["apex"].frame)
    starts, ends = (np.array(each) for each in zip(*pairs, strict=True))
    notes = (*footage.notes, *aligned.warnings_for(numbers))
    weights = _weights(preparation.motion, pairs[chosen], apex, len(numbers))
    return TemporalExplanation(stretch.name, facts.network, preparation.motion, facts.classes, fps, numbers, crops, movement, marks, chosen, apex, weights,
                starts, ends, scores, finder is None, notes)  # fmt: skip


def growing_windows(start: int, frames: int, always: int, most: int = MOST_ENDS) -> list[tuple[int, int]]:
    """Windows (start, end) from one start on that end at every frame after it, or at MOST of them in even steps and at one ALWAYS."""
    ends = np.linspace(start + 1, frames - 1, min(most, frames - 1 - start)).round().astype(int)
    return [(start, end) for end in sorted({*ends.tolist(), always})]


def sliding_windows(frames: int, long: int, most: int = MOST_ENDS) -> list[tuple[int, int]]:
    """Windows (start, end) of LONG frames, two at least and no more than there are, that end at every frame or at MOST of them."""
    long = min(max(long, 2), frames)
    ends = np.linspace(long - 1, frames - 1, min(most, frames - long + 1)).round().astype(int)
    return [(int(end) - long + 1, int(end)) for end in ends]


def temporal_weights(motion: str, frames: int, apex: int) -> Float64[np.ndarray, "T"] | None:
    """How much each frame weighs in a motion image.

    Args:
        motion: its name in MOTION_IMAGES.
        frames: T, of the clip.
        apex: position of the apex among them.

    Returns:
        None where the image is no sum of frames with weights of their own: flow, histograms, dynamic-exact.

    Raises:
        TooFewFrames: no motion can be folded.
    """
    weights = np.zeros(frames)
    if motion in ("dynamic", "dynamic-released", "dynamic-linear"):
        return rank_weights(frames, motion)
    if motion in ("dynamic-rise", "dynamic-fall"):
        part = slice(0, apex + 1) if motion == "dynamic-rise" else slice(apex, frames)
        weights[part] = rank_weights(len(weights[part]))
    elif motion in ("difference", "onset-face", "apex-face"):
        weights[0] += {"difference": -1.0, "onset-face": 1.0}.get(motion, 0.0)
        weights[apex] += 0.0 if motion == "onset-face" else 1.0
    else:
        return None
    return weights


def detect_onset_and_offset(movement: Float64[np.ndarray, "T"], apex: int) -> tuple[int, int]:
    """Positions of the last frame before the apex, and of the first after it, at which the movement is STARTS of its height over the least
    on that side, or less. A movement that is under way at a border of the clip begins, or ends, there."""
    before, after = movement[: apex + 1], movement[apex:]
    low, high = (side.min() + STARTS * (movement[apex] - side.min()) for side in (before, after))
    return int(np.nonzero(before <= low)[0].max(initial=0)), apex + int(
        np.nonzero(after <= high)[0].min(initial=len(after) - 1)
    )


@dataclass(frozen=True)
class _Answering:
    """A network and all that its images need."""

    scorer: Scorer
    metadata: CheckpointMetadata
    preparation: Preparation
    finder: FaceFinder | None
    fps: float

    def __call__(
        self,
        frames: UInt8[np.ndarray, "T H W 3"],
        pairs: Sequence[tuple[int, int]],
        apex: int | None,
        progress: Progress | None,
    ) -> tuple[Float64[np.ndarray, "E K"], list[int]]:
        """Scores of windows, NaN where one has no answer, and the position of the apex that each used, -1 where it used none.

        A true apex is taken by the windows that hold it, as in preparing; others find their own.
        """
        scores, apexes, missed = (
            np.full((len(pairs), len(self.metadata.classes)), np.nan),
            [-1] * len(pairs),
            None,
        )
        for place, (start, end) in enumerate(pairs):
            inside = apex - start if apex is not None and start < apex <= end else None
            try:
                made = make_image(frames[start : end + 1], self.preparation, self.finder, inside, self.fps)
                scores[place] = self.scorer.scores(StoredImages(made.image[None]))[0]
                apexes[place] = -1 if made.apex is None else start + made.apex
            except (NoFace, TooFewFrames) as error:
                missed = error
            if progress:
                progress(place + 1, len(pairs))
        if missed and np.isnan(scores).all():
            raise missed
        return scores, apexes


class _Remembering:
    """A face finder that searches no frame twice, for windows that begin with the same one."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder, self.kind = finder, finder.kind
        self.known: dict[bytes, Face | None] = {}

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        key = blake2b(np.ascontiguousarray(frame).data).digest()
        if key not in self.known:
            self.known[key] = self.finder(frame)
        return self.known[key]


def _strongest(scores: Float64[np.ndarray, "E K"], classes: Sequence[str]) -> int:
    """The window with the surest answer; the answer that nothing is expressed comes after all others, as in `learnet predict`."""
    best = np.nan_to_num(scores, nan=-2.0)
    nothing = [name == NOTHING for name in classes]
    return int((best.max(axis=1) - np.array(nothing, float)[best.argmax(axis=1)]).argmax())


def _weights(motion: str, window: tuple[int, int], apex: int, frames: int) -> Float64[np.ndarray, "T"] | None:
    """The weights of a window's frames, 0 outside it."""
    start, end = window
    own = temporal_weights(motion, end - start + 1, min(max(apex - start, 1), end - start))
    if own is None:
        return None
    weights = np.zeros(frames)
    weights[start : end + 1] = own
    return weights


def _marks(
    stretch: VideoSegment, numbers: tuple[int, ...], movement: Float64[np.ndarray, "T"], found: int
) -> dict[str, KeyFrame]:
    """Onset, apex and offset: those that are known, and for the others what the movement shows."""
    for name, mark in stretch.marks.items():
        if mark.frame not in numbers:
            there = f"the frames are {numbers[0]} to {numbers[-1]}"
            raise BadInput(
                stretch.source,
                f"the {name}, frame {mark.frame}, is not there; {there}",
                "Name another, or none.",
            )
    apex = numbers.index(stretch.marks["apex"].frame) if "apex" in stretch.marks else found
    first, last = detect_onset_and_offset(movement, apex)
    detected = {
        name: KeyFrame(numbers[place], DETECTED)
        for name, place in (("onset", first), ("apex", apex), ("offset", last))
    }
    marks = detected | stretch.marks
    order = [marks[name].frame for name in ("onset", "apex", "offset")]
    if order != sorted(order):
        raise BadInput(
            stretch.source, f"onset, apex and offset are out of order: {order}", "Name them in order of time."
        )
    return marks


def _check_length(stretch: VideoSegment) -> None:
    """All frames are in memory at once."""
    with open_video(stretch.source, stretch.fps, stretch.first, stretch.last) as video:
        ends = stretch.first is not None and stretch.last is not None
        lasts_s = (stretch.last - stretch.first if ends else video.info.frames or 0) / video.info.fps  # type: ignore[operator]
    if lasts_s > LONGEST_S:
        raise LearnetError(
            f"{stretch.source}: this lasts {lasts_s:.0f} s, and at most {LONGEST_S} s are looked at.",
            "Say where the movement is with --onset and --offset.",
        )
