"""Recognition of micro-expressions in a video: of the movements that are spotted in it, or in time windows.

Each spotted movement and each window is treated as a clip of its own, with the same function as the clips of
the training (`make_image`). Its face is detected anew, so a prediction depends neither on earlier frames nor
on the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from numpy.typing import ArrayLike

from learnet.core.errors import BadCheckpoint, LearnetError, NoFace, TooFewFrames
from learnet.core.settings import Windows
from learnet.face import AlignedFaces, FaceFinder, face_finder
from learnet.inference.action_units import ActionUnitRecogniser, shipped_action_units
from learnet.inference.decision import UNCERTAIN_MARGIN, judge_motion, judge_scores
from learnet.inference.event_clips import clip_movement, event_clips, judge_spotted, recognised_event
from learnet.inference.event_maps import EventMaps, coarse_movement, response_map
from learnet.inference.prediction import Movement, Prediction, StrongestImages, WindowImages
from learnet.inference.prediction_log import PredictionLog
from learnet.inference.recognition import Recognition
from learnet.inference.selected_face import FaceChoice, SelectedFace
from learnet.inference.spotting import MotionRecorder, RecordedMotion, Spotting, spot, spot_video
from learnet.inference.video_input import (
    SHORT_S,
    FrameCounter,
    Progress,
    VideoExtent,
    is_announced_short,
    no_face_error,
    no_prediction_error,
    open_for_recognition,
)
from learnet.inference.video_warnings import owners_warning, recognition_warnings, video_warnings
from learnet.inference.weights import load_class_scorer
from learnet.inference.window_units import MovingWindow, recognise_units
from learnet.inference.windows import TIME_TOLERANCE_S, Window, cut_windows, expected_windows
from learnet.motion.detrend import StoredImages
from learnet.motion.evidence import MotionEvidence, motion_evidence
from learnet.motion.pipeline import MotionResult, make_image
from learnet.motion.span import movement_span
from learnet.training.metadata import CheckpointMetadata
from learnet.training.pretrained import default_weights
from learnet.training.scorer import Scorer
from learnet.video.base import Video, VideoInfo

SHORT = Windows(whole_s=SHORT_S)
FEW_FRAMES = 6  # a dynamic image of fewer is little more than a difference of two frames, with its noise


def predict(
    video: str | Path | ArrayLike,
    fps: float | None = None,
    weights: str | Path | None = None,
    windows: Windows | None = None,
    face: FaceChoice = 1,
) -> Recognition:
    """Find the facial movements in a video and recognise them. For several videos use `Recogniser.load` once.

    Args:
        video: file, folder of images, or frames (T, H, W, 3): array, list of arrays or tensor; RGB, whole
            numbers 0..255.
        fps: actual frame rate; required for folders of images and for frames.
        weights: name of shipped weights, or a file; None: mlp-cnn-flow-28.
        windows: None: movements are spotted, and each is recognised from its own frames. Otherwise the video
            is cut into windows of this length and overlap, and each window is recognised.
        face: number of the face that is judged, by size from 1; "none": the video shows a face crop.

    Returns:
        Events, stretches that cannot be judged, and warnings.

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
    records_motion: bool = False  # whether recognitions have `motion`, and predictions `maps`, for a page

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        face_model: str | Path | None = None,
        face: FaceChoice = 1,
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
        windows: Windows | None = None,
        fps: float | None = None,
        progress: Progress | None = None,
        log: PredictionLog | None = None,
    ) -> Recognition:
        """Find the facial movements in a video, and recognise micro-expressions and action units in them.

        Memory does not depend on the length of the video. A video of up to SHORT_S is judged as one window.

        Args:
            video: file, folder of images, or frames (T, H, W, 3), as of `predict`.
            windows: None: movements are spotted (`spotting.spot_video`), and each is recognised from its own
                frames. Otherwise: length and overlap of the windows that are recognised instead.
            fps: actual frame rate; required for folders of images and for arrays, and for files that state a
                wrong one or none.
            progress: called after each window; or with the number of frames in which movements were spotted.
            log: receives the prediction of each window; those that it already has are not computed again.

        Raises:
            BadVideo: not a video.
            NoFace: no face in the video, or in any window.
            LearnetError: no window has two frames or more; no frame rate is given where one is needed.
        """
        if windows is not None and not isinstance(windows, Windows):
            raise LearnetError(f"windows is {windows!r}.", "Pass windows=Windows(), or None for events.")
        with open_for_recognition(video, fps) as opened:
            recognition = None
            if windows is None and not is_announced_short(opened.info):
                recognition = self._recognise_events(opened, progress)
            if recognition is None:
                recognition = self._recognise_windows(opened, windows or SHORT, progress, log)
            face: FaceChoice = self.face_number if self.finder else "none"
            return replace(recognition, stated_fps=fps, face=face)

    def _recognise_windows(
        self, video: Video, windows: Windows, progress: Progress | None, log: PredictionLog | None
    ) -> Recognition:
        predictions: list[Prediction] = []
        strongest = StrongestImages()
        done = log.done if log else ()
        finder = self.select_face()
        for window, prediction, images in self._predictions(video, windows, finder, done):
            newest = window
            predictions.append(prediction)
            if log and len(predictions) > len(done):
                log.add(prediction)
            strongest.see(prediction, images)
            if progress:
                expected = expected_windows(video.info, windows)
                progress(len(predictions), max(expected, len(predictions)))
        if strongest.images is None:
            raise no_prediction_error(predictions, video, finder)
        warnings = recognition_warnings(video, predictions, self.metadata)
        if windows is SHORT:
            warnings = (f"the video is not longer than {SHORT_S:g} s, so it is judged as a whole", *warnings)
        extent = VideoExtent(newest.frames_so_far, newest.seconds_so_far)
        recognition = self._recognition(video.info, extent, predictions, strongest.images)
        warnings = (*_face_warnings(finder), *warnings)
        motion = self._record_motion(video) if windows is SHORT else None
        return replace(recognition, windows=windows, warnings=warnings, motion=motion)

    def _record_motion(self, video: Video) -> RecordedMotion | None:
        """Return the motion in a short video, in which no movements are spotted."""
        if not self.records_motion:
            return None
        recorder = MotionRecorder()
        spot(video, self.select_face(), recorder)
        return recorder.recorded()

    def _recognise_events(self, video: Video, progress: Progress | None) -> Recognition | None:
        """Spot movements and recognise each; return None if the video turns out to be short."""
        finder = self.select_face()
        reader = FrameCounter(video.info, progress)
        recorder = MotionRecorder() if self.records_motion else None
        spotting = spot_video(video, finder, reader.see, recorder)
        if reader.extent.duration_s <= SHORT_S + TIME_TOLERANCE_S:
            return None
        if finder and finder.most_faces < finder.number:
            raise no_face_error(video.info.source, finder, finder.searched)
        warnings = tuple(video_warnings(video, self.metadata))
        predictions: list[Prediction] = []
        strongest = StrongestImages()
        events = [event for event in spotting.events if event.is_blink]
        others = [event for event in spotting.events if not event.is_blink]
        for event, clip in event_clips(video, others):
            judged, images = self.predict_window(
                clip, finder, len(predictions), video.info.fps, clip_movement(event)
            )
            prediction = judge_spotted(judged)
            strongest.see(prediction, images)
            predictions.append(prediction)
            events.append(recognised_event(event, prediction))
        events.sort(key=lambda event: event.onset_s)
        recognition = self._recognition(video.info, reader.extent, predictions, strongest.images)
        return replace(
            recognition,
            warnings=(*_face_warnings(finder), *warnings, *owners_warning(predictions, self.metadata)),
            spotting=Spotting(tuple(events), spotting.unjudged),
            motion=recorder.recorded() if recorder else None,
        )

    def _recognition(
        self,
        info: VideoInfo,
        extent: VideoExtent,
        predictions: Sequence[Prediction],
        strongest: WindowImages | None,
    ) -> Recognition:
        """Return what is common to a recognition of windows and of events."""
        return Recognition(
            source=info.source,
            info=info,
            frames=extent.frames,
            duration_s=extent.duration_s,
            weights=self.weights,
            metadata=self.metadata,
            windows=None,
            predictions=tuple(predictions),
            warnings=(),
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
                prediction, images = self.predict_window(window, finder, index, video.info.fps)
                yield window, prediction, images

    def predict_window(
        self,
        window: Window,
        finder: FaceFinder | None,
        index: int,
        fps: float,
        movement: Movement | None = None,
    ) -> tuple[Prediction, WindowImages | None]:
        """Return the prediction for one window, and its images if there is a prediction.

        Args:
            window: frames of a video.
            finder: detects the face; None: the frames are face crops.
            index: number of the window.
            fps: frames per second of the video.
            movement: in the window, if it is known already; None: it is measured.
        """
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
        apex = None if movement is None else numbers.index(movement.apex)
        try:
            if apex == 0:
                raise TooFewFrames(found=1, needed=2)
            result = make_image(window.pixels, self.metadata.preparation, finder, apex, fps)
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
            movement=movement,
        )
        crop = result.aligned.crop(window.pixels, len(numbers) // 2)
        decided = self._decide(measured, window, result)
        maps = self._event_maps(decided, window, result)
        return replace(decided, maps=maps), WindowImages(crop, result.image)

    def _event_maps(self, decided: Prediction, window: Window, result: MotionResult) -> EventMaps | None:
        """Return the maps of a movement, for a person to look at; None if they are not asked for."""
        if not self.records_motion or decided.movement is None:
            return None
        marks = (decided.movement.onset, decided.movement.apex)
        pair = window.pixels[[window.numbers.index(mark) for mark in marks]]
        response = response_map(self.scorer, result.image) if decided.scores else None
        return EventMaps(coarse_movement(pair, decided.face), response)

    def _decide(self, measured: Prediction, window: Window, result: MotionResult) -> Prediction:
        """Return the prediction for a window whose motion has been measured, with its label."""
        assert measured.motion is not None
        decision = judge_motion(measured.motion)
        if decision is not None:
            return replace(measured, label=decision.label, reason=decision.reason)
        row = self.scorer.scores(StoredImages(result.image[None]))[0]
        scores = dict(zip(self.metadata.classes, row.tolist(), strict=True))
        units = recognise_units(self.action_units, self._moving_window(measured, window, result))
        decision = judge_scores(scores, self.margin, obstacle=units.reason)
        return replace(
            measured,
            label=decision.label,
            reason=decision.reason,
            scores=scores,
            movement=measured.movement or _movement(window, result.aligned, measured.motion),
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


def _movement(window: Window, aligned: AlignedFaces, motion: MotionEvidence) -> Movement:
    """Return onset, apex and offset of the movement in a window."""
    onset, offset = movement_span(list(window.pixels), aligned, motion)
    positions = (onset, motion.apex, offset)
    numbers = [window.numbers[position] for position in positions]
    times = [window.times[position] for position in positions]
    return Movement(*numbers, *times)


def _face_warnings(finder: SelectedFace | None) -> tuple[str, ...]:
    return finder.warnings if finder else ()
