"""Analysis of one clip over time: movement, weights of frames, predictions for growing or sliding windows."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64, UInt8

from learnet.core.errors import BadInput, LearnetError, TooFewFrames
from learnet.core.settings import Preparation, Windows
from learnet.datasets.prepared.clip_job import NOT_ANNOTATED
from learnet.face import FaceFinder, align, face_finder
from learnet.inference.action_unit_text import facs_code, long_text
from learnet.inference.action_units import ActionUnitRecogniser, shipped_action_units
from learnet.inference.decision import Decision
from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
from learnet.inference.weights import load_class_scorer
from learnet.inference.window_units import WindowUnits
from learnet.motion.apex import detect_onset_and_offset, find_apex, motion_curve
from learnet.motion.pipeline import EYE_POSITIONS
from learnet.report.explain.temporal_segments import MARKS, KeyFrame, VideoSegment, segment_of_clip
from learnet.report.explain.temporal_windows import (
    CachedFaceFinder,
    Progress,
    Window,
    WindowScorer,
    growing_windows,
    sliding_windows,
    weights_in_window,
)
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.base import VideoInfo
from learnet.video.reader import open_video, read_clip

if TYPE_CHECKING:
    from learnet.report.explain.clips import ExplainedClips

CROP_PX = 112  # smallest crops on which the movement is measured, as `learnet prepare` does to find an apex
MAX_BYTES = 2_000_000_000  # of all frames, which are in memory at once; the peak is about three times as high
DETECTED = "detected"


@dataclass(frozen=True)
class ExplainedNetwork:
    """A network whose predictions are explained, and the one that names action units beside it."""

    scorer: Scorer
    metadata: CheckpointMetadata
    action_units: ActionUnitRecogniser | None = None  # None: no action units are named

    def window_scorer(
        self, preparation: Preparation, finder: FaceFinder | None, fps: float, ends_at_rest: bool
    ) -> WindowScorer:
        """Return what scores the windows of a clip; the arguments are fields of `WindowScorer`."""
        return WindowScorer(
            scorer=self.scorer,
            preparation=preparation,
            finder=finder,
            fps=fps,
            classes=self.metadata.classes,
            ends_at_rest=ends_at_rest,
            action_units=self.action_units,
        )


@dataclass(frozen=True)
class TemporalExplanation:
    """A clip over time. Positions count the frames that were read, from 0."""

    name: str
    network: str
    motion: str  # kind of motion image
    classes: tuple[str, ...]
    fps: float
    frame_numbers: tuple[int, ...]  # as in the names of the files
    crops: UInt8[np.ndarray, "T Z Z 3"]  # the face in every frame
    movement: Float64[np.ndarray, "T"]  # `motion.apex.motion_curve`, grey levels
    key_frames: dict[str, KeyFrame]  # onset, apex, offset
    chosen: int  # index of the window that is drawn: the clip itself, or the strongest of sliding windows
    apex: int  # position of the apex of its motion image
    weights: Float64[np.ndarray, "T"] | None  # of the frames in that motion image; None: it has no weights
    starts: Int64[np.ndarray, "E"]  # position of the first frame of each window
    ends: Int64[np.ndarray, "E"]  # position of its last frame
    scores: Float64[np.ndarray, "E K"]  # probability of each class; NaN where the network was not asked
    decisions: tuple[Decision, ...]  # label of each window, and why it is not simply the highest score
    units: tuple[WindowUnits, ...]  # action units of each window
    cropped: bool  # the frames were face crops already, and no face was searched
    notes: tuple[str, ...]

    @property
    def grows(self) -> bool:
        """Return whether all windows begin with the same frame; else they slide."""
        return bool((self.starts == self.starts[0]).all() and len(self.starts) > 1)

    @property
    def window(self) -> Window:
        """Return the positions of the first and the last frame of the chosen window."""
        return int(self.starts[self.chosen]), int(self.ends[self.chosen])

    @property
    def times_s(self) -> Float64[np.ndarray, "T"]:
        """Return the seconds since the first frame shown."""
        return (np.array(self.frame_numbers) - self.frame_numbers[0]) / self.fps

    @property
    def predicted(self) -> Bool[np.ndarray, "E"]:
        """Return in which windows the network was asked."""
        return ~np.isnan(self.scores).any(axis=1)

    @property
    def labels(self) -> list[str]:
        """Return the label of each window: a class, "none", "uncertain", or empty where it has none."""
        return [decision.label or "" for decision in self.decisions]

    @property
    def answer(self) -> str:
        """Return the label of the chosen window with its score or reason, and its action units."""
        decision = self.decisions[self.chosen]
        answer = f"{decision.label or 'not judged'}: {decision.reason}"
        if self.predicted[self.chosen]:
            answer = f"{decision.label} ({self.scores[self.chosen].max():.2f})"
        return ", ".join(filter(None, (answer, self.units_text)))

    @property
    def units_text(self) -> str:
        """Return the action units of the chosen window, and what they speak for; empty if there are none."""
        units = self.units[self.chosen]
        criteria = criteria_sentence(emotions_from_units(units.named))
        return ". ".join(filter(None, (long_text(units.named), criteria, units.reason)))

    def position(self, mark: str) -> int:
        """Return the position of the onset, the apex or the offset."""
        return self.frame_numbers.index(self.key_frames[mark].frame)

    def table(self) -> pd.DataFrame:
        """Return a row per frame.

        Returns:
            frame, time_s, mark (onset, apex, offset), marked_by (its source), weight (of the frame in the
            motion image), movement (grey levels); and of the window that ends there: window_from (frame),
            label, action_units (`4+L10`), and a column per class. Cells without a value are empty.
        """
        frames = pd.DataFrame({"frame": self.frame_numbers, "time_s": self.times_s})
        frames["mark"], frames["marked_by"] = "", ""
        for name, key_frame in self.key_frames.items():
            frames.loc[frames["frame"] == key_frame.frame, ["mark", "marked_by"]] = name, key_frame.source
        frames["weight"] = np.nan if self.weights is None else self.weights
        frames["movement"] = self.movement

        numbers = np.array(self.frame_numbers)
        windows = pd.DataFrame(
            {
                "frame": numbers[self.ends],
                "window_from": numbers[self.starts],
                "label": self.labels,
                "action_units": [facs_code(units.named) for units in self.units],
            }
        )
        windows[list(self.classes)] = self.scores
        table = frames.merge(windows, on="frame", how="left")
        return table.astype({"window_from": "Int64"}).fillna({"label": "", "action_units": ""})


def explain_temporal(
    network: ExplainedNetwork,
    segment: VideoSegment,
    windows: Windows | None = None,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> TemporalExplanation:
    """Analyse a clip over time, with a prediction for windows that end at each of its frames.

    The window begins at the onset and grows. It slides if `windows` are given, or if the onset is unknown
    and the clip is longer than `Windows.whole_s`. Each prediction is that of `learnet predict` for a video
    of the frames of the window.

    Args:
        network: and its metadata.
        segment: frames to read.
        windows: length of sliding windows; None means growing windows, or the usual length if they slide.
        face_model: file of the YuNet face model; None means as `face.find_model`.
        progress: called after each window.

    Raises:
        BadInput: the source is no video, or a key frame is not among its frames.
        LearnetError: no window has a prediction, the frames need too much memory, or the preparation of the
            training images is unknown.
        NoFace: no face in the frames that were searched.
    """
    metadata = network.metadata
    preparation = _preparation_for_video(metadata)
    clip = _read_segment(segment, preparation, face_model)
    key_frames = _find_key_frames(segment, clip)
    spans, clip_window = _choose_windows(segment, clip, windows)
    window_scorer = network.window_scorer(preparation, clip.finder, clip.fps, clip_window is None)
    results = window_scorer(clip.frames, spans, _annotated_apex(segment, clip), progress)
    chosen = results.strongest(metadata.classes)
    if clip_window is not None:
        chosen = spans.index(clip_window)
    apex = results.apexes[chosen]
    if apex is None:
        apex = clip.numbers.index(key_frames["apex"].frame)
    starts, ends = np.array(spans).T
    return TemporalExplanation(
        name=segment.name,
        network=metadata.network,
        motion=preparation.motion,
        classes=metadata.classes,
        fps=clip.fps,
        frame_numbers=clip.numbers,
        crops=clip.crops,
        movement=clip.movement,
        key_frames=key_frames,
        chosen=chosen,
        apex=apex,
        weights=weights_in_window(preparation.motion, spans[chosen], apex, len(clip.numbers)),
        starts=starts,
        ends=ends,
        scores=results.scores,
        decisions=results.decisions,
        units=results.units,
        cropped=clip.finder is None,
        notes=clip.notes,
    )


def _preparation_for_video(metadata: CheckpointMetadata) -> Preparation:
    """Return how the motion image of a video is made for a network.

    Raises:
        LearnetError: the network was trained on imported images, which cannot be made from a video.
    """
    preparation = metadata.resolve_for_video().preparation
    if preparation is None:
        raise LearnetError(
            "The preparation of the training images of these weights is unknown.",
            "Use weights that were trained on prepared clips.",
        )
    return preparation


def explain_clip_temporal(
    clips: "ExplainedClips",
    clip_name: str,
    windows: Windows | None = None,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> TemporalExplanation:
    """Analyse a clip of a database over time, with its network and its annotated key frames.

    Raises:
        LearnetError: there is no such clip, the licence forbids to show its person, its frames are missing,
            or as `explain_temporal`.
    """
    clip = clips.get(clip_name)
    segment = segment_of_clip(clips, clip_name)
    scorer = Scorer.from_checkpoint(clip.module, clip.metadata)
    network = ExplainedNetwork(scorer, clip.metadata, shipped_action_units())
    explanation = explain_temporal(network, segment, windows, face_model, progress)
    return replace(explanation, notes=(*clip.notes, *explanation.notes))


def explain_video_temporal(
    segment: VideoSegment,
    weights: Path,
    windows: Windows | None = None,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> TemporalExplanation:
    """Analyse a video over time with a file of weights; key frames that are not given are detected.

    Raises:
        LearnetError: as `explain_temporal`.
    """
    scorer, metadata = load_class_scorer(weights)
    network = ExplainedNetwork(scorer, metadata, shipped_action_units())
    return explain_temporal(network, segment, windows, face_model, progress)


@dataclass(frozen=True)
class _FaceClip:
    """The frames of a segment, and the movement of the face in them."""

    frames: UInt8[np.ndarray, "T H W 3"]
    numbers: tuple[int, ...]  # of the frames, as in the names of the files
    fps: float
    finder: FaceFinder | None  # None: the frames are face crops
    crops: UInt8[np.ndarray, "T Z Z 3"]
    movement: Float64[np.ndarray, "T"]
    detected_apex: int  # position
    notes: tuple[str, ...]


def _read_segment(segment: VideoSegment, preparation: Preparation, face_model: Path | None) -> _FaceClip:
    """Read the frames of a segment, align the face, and measure its movement."""
    _check_memory(segment)
    footage = read_clip(segment.source, segment.first, segment.last, segment.fps)
    if len(footage.numbers) < 2:
        raise TooFewFrames(found=len(footage.numbers), needed=2)
    finder: FaceFinder | None = None
    if not segment.cropped and preparation.face != "none":
        finder = CachedFaceFinder(face_finder(preparation.face, face_model))
    stabilise = preparation.stabilise and finder is not None
    aligned = align(footage.pixels, finder, max(CROP_PX, preparation.size), stabilise)
    crops = aligned.crops(footage.pixels)
    eyes = EYE_POSITIONS if finder else ()
    return _FaceClip(
        frames=footage.pixels,
        numbers=footage.numbers,
        fps=footage.info.fps,
        finder=finder,
        crops=crops,
        movement=motion_curve(crops, eyes),
        detected_apex=find_apex(crops, eyes),
        notes=(*footage.notes, *aligned.warnings_for(footage.numbers)),
    )


def _choose_windows(
    segment: VideoSegment, clip: _FaceClip, windows: Windows | None
) -> tuple[list[Window], Window | None]:
    """Return the windows to be scored, and which of them is the clip itself; None if they slide."""
    numbers = clip.numbers
    known_onset = "onset" in segment.key_frames
    short = len(numbers) <= Windows().whole_s * clip.fps

    if windows is None and (known_onset or short):
        start = 0
        end = len(numbers) - 1
        if known_onset:
            start = numbers.index(segment.key_frames["onset"].frame)
        if "offset" in segment.key_frames:
            end = numbers.index(segment.key_frames["offset"].frame)
        return growing_windows(start, len(numbers), end), (start, end)

    length = round((windows or Windows()).window_s * clip.fps)
    return sliding_windows(len(numbers), length), None


def _annotated_apex(segment: VideoSegment, clip: _FaceClip) -> int | None:
    """Return the position of the apex if a person has annotated it."""
    apex = segment.key_frames.get("apex")
    if apex is None or apex.source in NOT_ANNOTATED:
        return None
    return clip.numbers.index(apex.frame)


def _find_key_frames(segment: VideoSegment, clip: _FaceClip) -> dict[str, KeyFrame]:
    """Return onset, apex and offset: known ones as they are, others detected from the movement."""
    numbers = clip.numbers
    first, last = numbers[0], numbers[-1]
    for name, key_frame in segment.key_frames.items():
        if key_frame.frame not in numbers:
            raise BadInput(
                segment.source,
                f"frame {key_frame.frame}, the {name}, does not exist; the frames are {first} to {last}",
                "Name another frame, or none.",
            )
    apex = clip.detected_apex
    if "apex" in segment.key_frames:
        apex = numbers.index(segment.key_frames["apex"].frame)
    onset, offset = detect_onset_and_offset(clip.movement, apex)
    key_frames = {}
    for name, position in zip(MARKS, (onset, apex, offset), strict=True):
        key_frames[name] = segment.key_frames.get(name, KeyFrame(numbers[position], DETECTED))
    order = [key_frame.frame for key_frame in key_frames.values()]
    if order != sorted(order):
        raise BadInput(
            segment.source,
            f"onset, apex and offset are out of order: {order}",
            "Name them in the order of time.",
        )
    return key_frames


def _check_memory(segment: VideoSegment) -> None:
    """Refuse segments whose frames do not fit into MAX_BYTES, as all of them are in memory at once."""
    with open_video(segment.source, segment.fps, segment.first, segment.last) as video:
        info = video.info
    frames = _frames_to_read(segment, info)
    most = MAX_BYTES // (3 * info.width * info.height)
    if frames > most:
        found = f"{frames} frames of {info.width} x {info.height} pixels are too many to analyse"
        allowed = f"at most {most} of this size fit into {MAX_BYTES / 1e9:g} GB"
        hint = "Name the part with the movement by --onset and --offset."
        raise LearnetError(f"{segment.source}: {found}; {allowed}.", hint)


def _frames_to_read(segment: VideoSegment, info: VideoInfo) -> int:
    """Return the number of frames of a segment as far as it is announced; 0 where it is not."""
    if segment.source.is_dir():  # the images in the range have been counted
        return info.frames or 0
    end = info.frames or 0
    if segment.last is not None:
        end = min(segment.last + 1, info.frames or segment.last + 1)
    return end - (segment.first or 0)
