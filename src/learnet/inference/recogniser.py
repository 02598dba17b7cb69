"""Recognition of micro-expressions in a video: one prediction per time window.

Each window is treated as a clip of its own, with the same function as the clips of the training
(`make_image`). Its face is detected anew, so a prediction depends neither on earlier frames nor on the other
windows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike

from learnet.core.arrays import as_rgb_images
from learnet.core.errors import BadCheckpoint, LearnetError, NoFace, TooFewFrames, counted
from learnet.core.settings import Windows
from learnet.face import AlignedFaces, FaceFinder, face_finder
from learnet.inference.action_units import ActionUnitRecogniser, shipped_action_units
from learnet.inference.decision import UNCERTAIN_MARGIN, judge_motion, judge_scores
from learnet.inference.prediction import Movement, Prediction, WindowImages
from learnet.inference.prediction_log import PredictionLog
from learnet.inference.recognition import Recognition
from learnet.inference.selected_face import SelectedFace
from learnet.inference.video_warnings import recognition_warnings
from learnet.inference.weights import load_class_scorer
from learnet.inference.window_units import MovingWindow, recognise_units
from learnet.inference.windows import Window, cut_windows, expected_windows
from learnet.motion.detrend import StoredImages
from learnet.motion.evidence import MotionEvidence, motion_evidence
from learnet.motion.pipeline import MotionResult, make_image
from learnet.motion.span import movement_span
from learnet.training.metadata import CheckpointMetadata
from learnet.training.pretrained import default_weights
from learnet.training.scorer import Scorer
from learnet.video.array import ArrayVideo
from learnet.video.base import Video
from learnet.video.reader import open_video

Progress = Callable[[int, int], None]  # windows done, expected number of windows

FEW_FRAMES = 6  # a dynamic image of fewer is little more than a difference of two frames, with its noise


def predict(
    video: str | Path | ArrayLike,
    fps: float | None = None,
    weights: str | Path | None = None,
    windows: Windows = Windows(),
    face: int | Literal["none"] = 1,
) -> Recognition:
    """Recognise micro-expressions in a video. For several videos use `Recogniser.load` once.

    Args:
        video: file, folder of images, or frames (T, H, W, 3): array, list of arrays or tensor; RGB, whole
            numbers 0..255.
        fps: actual frame rate; required for folders of images and for frames.
        weights: name of shipped weights, or a file; None: mlp-cnn-flow-28.
        windows: length and overlap of the windows.
        face: number of the face that is judged, by size from 1; "none": the video shows a face crop.

    Returns:
        Events, the prediction for every window, and warnings.

    Raises:
        LearnetError: see `Recogniser.load` and `Recogniser.__call__`.
    """
    return Recogniser.load(weights, face=face)(video, windows, fps)


@dataclass(frozen=True)
class Recogniser:
    """A trained network, and everything needed to apply it to videos: `Recogniser.load(weights)(video)`."""

    scorer: Scorer
    metadata: CheckpointMetadata
    finder: FaceFinder | None  # None: the video must show a face crop
    weights: str  # file of the network
    face_number: int = 1  # by size, where a video shows several faces
    margin: float = UNCERTAIN_MARGIN  # of the highest score over the second, below which it is uncertain
    action_units: ActionUnitRecogniser | None = None  # None: no action units are named

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        face_model: str | Path | None = None,
        face: int | Literal["none"] = 1,
    ) -> "Recogniser":
        """Read a file of weights; faces are detected as in the training clips.

        Args:
            weights: name of shipped weights, or file of `learnet train`, of a fold of `learnet study`, or of
                `learnet export`, which runs without torch; None: `pretrained.default_weights`.
            face_model: YuNet's file; by default see `face.find_model`.
            face: number of the face that is judged, by size from 1; "none": the video shows nothing but a
                face, cropped like the crops of learnet.

        Raises:
            BadCheckpoint: not a file of weights, or weights trained on imported images, which cannot be made
                from a video.
            LearnetError: the face detector yunet is required, and its model is missing.
        """
        path = default_weights() if weights is None else Path(weights)
        scorer, stored_metadata = load_class_scorer(path)
        metadata = stored_metadata.resolve_for_video()
        if metadata.preparation is None:
            raise BadCheckpoint(
                path,
                "it was trained on imported motion images, so their preparation from a video is not known",
                "Train on a folder of `learnet prepare`.",
            )
        kind = metadata.preparation.face
        action_units = shipped_action_units()
        if face == "none" or kind == "none":
            return cls(scorer, metadata, None, str(path), action_units=action_units)
        if not isinstance(face, int) or face < 1:
            raise LearnetError(f"There is no face number {face!r}.", "The largest face is number 1.")
        model = None if face_model is None else Path(face_model)
        finder = face_finder(kind, model)
        return cls(scorer, metadata, finder, str(path), face, action_units=action_units)

    @property
    def units(self) -> tuple[int, ...]:
        """Numbers of the action units that are scored."""
        return self.action_units.units if self.action_units else ()

    def select_face(self) -> SelectedFace | None:
        """Return the face finder for one video; None if the video shows a face crop."""
        return SelectedFace(self.finder, self.face_number) if self.finder else None

    def __call__(
        self,
        video: str | Path | ArrayLike,
        windows: Windows = Windows(),
        fps: float | None = None,
        progress: Progress | None = None,
        log: PredictionLog | None = None,
    ) -> Recognition:
        """Recognise micro-expressions in a video. One window of frames is in memory at a time.

        Args:
            video: file, folder of images, or frames (T, H, W, 3), as of `predict`.
            windows: length and overlap of the windows.
            fps: actual frame rate; required for folders of images and for arrays, and for files that state a
                wrong one or none.
            progress: called after each window.
            log: receives each prediction; those that it already has are not computed again.

        Raises:
            BadVideo: not a video.
            NoFace: no face in any window.
            LearnetError: no window has two frames or more; no frame rate is given where one is needed.
        """
        predictions: list[Prediction] = []
        strongest: WindowImages | None = None
        best_strength = -3.0  # below every strength
        done = log.done if log else ()
        finder = self.select_face()
        with _open(video, fps) as opened:
            for window, prediction, images in self._predictions(opened, windows, finder, done):
                newest = window
                predictions.append(prediction)
                if log and len(predictions) > len(done):
                    log.add(prediction)
                if images is not None and prediction.strength > best_strength:
                    best_strength = prediction.strength
                    strongest = images
                if progress:
                    expected = expected_windows(opened.info, windows)
                    progress(len(predictions), max(expected, len(predictions)))
            if strongest is None:
                raise _no_prediction_error(predictions, opened, finder)
            warnings = recognition_warnings(opened, predictions, self.metadata)
            return Recognition(
                source=opened.info.source,
                info=opened.info,
                frames=newest.frames_so_far,
                duration_s=newest.seconds_so_far,
                weights=self.weights,
                metadata=self.metadata,
                windows=windows,
                predictions=tuple(predictions),
                warnings=(*(finder.warnings if finder else ()), *warnings),
                strongest_images=strongest,
                action_unit_metadata=self.action_units.metadata if self.action_units else None,
                action_unit_weights=self.action_units.weights if self.action_units else "",
            )

    def _predictions(
        self, video: Video, windows: Windows, finder: FaceFinder | None, done: Sequence[Prediction]
    ) -> Iterator[tuple[Window, Prediction, WindowImages | None]]:
        """Yield each window with its prediction, and its images unless it was done before."""
        best = max(done, key=lambda prediction: prediction.strength, default=None)
        for index, window in enumerate(cut_windows(video, windows, video.info.fps)):
            if index < len(done) and done[index] is not best:
                yield window, done[index], None
            else:
                prediction, images = self._predict(window, finder, index, video.info.fps)
                yield window, prediction, images

    def _predict(
        self, window: Window, finder: FaceFinder | None, index: int, fps: float
    ) -> tuple[Prediction, WindowImages | None]:
        """Return the prediction for one window, and its images if there is a prediction."""
        numbers = window.numbers
        no_prediction = Prediction(
            window=index,
            start_s=window.start_s,
            end_s=window.end_s,
            first=numbers[0],
            last=numbers[-1],
            frames=len(numbers),
            label=None,
            scores={},
            reason="",
            face=None,
            head_px=None,
            warnings=(),
        )
        assert self.metadata.preparation is not None, "`load` refuses such weights"
        try:
            result = make_image(window.pixels, self.metadata.preparation, finder, fps=fps)
        except (NoFace, TooFewFrames) as error:
            return replace(no_prediction, reason=error.what), None
        warnings = result.aligned.warnings_for(numbers)
        if len(numbers) < FEW_FRAMES:
            warnings += (f"only {len(numbers)} frames: too few to distinguish motion from noise",)
        motion = motion_evidence(list(window.pixels), result.aligned, result.apex)
        measured = replace(
            no_prediction,
            face=result.aligned.face,
            head_px=result.aligned.drift_px,
            warnings=warnings,
            apex=None if result.apex is None else numbers[result.apex],
            motion=motion,
        )
        crop = result.aligned.crop(window.pixels, len(numbers) // 2)
        return self._decide(measured, window, result), WindowImages(crop, result.image)

    def _decide(self, measured: Prediction, window: Window, result: MotionResult) -> Prediction:
        """Return the prediction for a window whose motion has been measured, with its label."""
        assert measured.motion is not None
        decision = judge_motion(measured.motion)
        if decision is not None:
            return replace(measured, label=decision.label, reason=decision.reason)
        row = self.scorer.scores(StoredImages(result.image[None]))[0]
        scores = dict(zip(self.metadata.classes, row.tolist(), strict=True))
        decision = judge_scores(scores, self.margin)
        units = recognise_units(self.action_units, self._moving_window(measured, window, result))
        return replace(
            measured,
            label=decision.label,
            reason="; ".join(filter(None, (decision.reason, units.reason))),
            scores=scores,
            movement=_movement(window, result.aligned, measured.motion),
            action_units=units.named,
            action_unit_scores=units.scores,
        )

    def _moving_window(self, measured: Prediction, window: Window, result: MotionResult) -> MovingWindow:
        assert measured.motion is not None and self.metadata.preparation is not None
        return MovingWindow(
            frames=list(window.pixels),
            aligned=result.aligned,
            apex=measured.motion.apex,
            image=result.image,
            preparation=self.metadata.preparation,
            head_px=measured.head_px,
        )


def _open(video: str | Path | ArrayLike, fps: float | None) -> Video:
    """Open a video. A frame rate is never assumed: on it depends how long a movement lasts."""
    hint = "Give the frames per second (fps, --fps)."
    if not isinstance(video, str | Path):
        if fps is None:
            raise LearnetError("An array has no frame rate.", hint)
        return ArrayVideo(as_rgb_images(video, "frames", "T"), float(fps))
    if fps is None and Path(video).is_dir():
        raise LearnetError(f"{video}: a folder of images has no frame rate.", hint)
    return open_video(Path(video), fps)


def _movement(window: Window, aligned: AlignedFaces, motion: MotionEvidence) -> Movement:
    """Return onset, apex and offset of the movement in a window."""
    onset, offset = movement_span(list(window.pixels), aligned, motion)
    positions = (onset, motion.apex, offset)
    numbers = [window.numbers[position] for position in positions]
    times = [window.times[position] for position in positions]
    return Movement(*numbers, *times)


def _no_prediction_error(
    predictions: Sequence[Prediction], video: Video, finder: SelectedFace | None
) -> LearnetError:
    """Return the error that explains why no window has a prediction."""
    source = video.info.source
    if finder and finder.most_faces and finder.number > finder.most_faces:
        return LearnetError(
            f"{source}: there is no face number {finder.number}; at most "
            f"{counted(finder.most_faces, 'face')} can be seen at once.",
            "Choose a smaller number.",
        )
    if finder and finder.searched:
        span = predictions[-1].last - predictions[0].first + 1  # windows overlap
        return NoFace(source, min(finder.searched, span))
    frames = max(prediction.frames for prediction in predictions)
    return LearnetError(
        f"{source}: no window has more than {frames} frame at {video.info.fps:g} frames per second, and "
        "motion needs two.",
        "Use longer windows (--window-s), or a longer video.",
    )
