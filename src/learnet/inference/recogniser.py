"""Recognition of micro-expressions in a video: one prediction per time window.

Each window is treated as a clip of its own, with the same function as the clips of the training
(`make_image`). Its face is detected anew, so a prediction depends neither on earlier frames nor on the other
windows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadCheckpoint, LearnetError, NoFace, TooFewFrames
from learnet.core.settings import Windows
from learnet.face import Face, FaceFinder, face_finder
from learnet.inference.onnx_inference import is_onnx, load_onnx
from learnet.inference.recognition import Prediction, Recognition, WindowImages
from learnet.inference.video_warnings import recognition_warnings
from learnet.inference.windows import Window, cut_windows, expected_windows
from learnet.motion.detrend import StoredImages
from learnet.motion.pipeline import make_image
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.base import Video
from learnet.video.reader import open_video

Progress = Callable[[int, int], None]  # windows done, expected number of windows

FEW_FRAMES = 6  # a dynamic image of fewer is little more than a difference of two frames, with its noise


@dataclass(frozen=True)
class Recogniser:
    """A trained network, and everything needed to apply it to videos: `Recogniser.load(weights)(video)`."""

    scorer: Scorer
    metadata: CheckpointMetadata
    finder: FaceFinder | None  # None: the network was trained on face crops, and the video must show one
    weights: str  # file of the network

    @classmethod
    def load(cls, weights: Path, face_model: Path | None = None) -> "Recogniser":
        """Read a file of weights; faces are detected as in the training clips.

        Args:
            weights: file of `learnet train`, of a fold of `learnet study`, or of `learnet export`, which runs
                without torch.
            face_model: YuNet's file; by default see `face.find_model`.

        Raises:
            BadCheckpoint: not a file of weights, or weights trained on imported images, which cannot be made
                from a video.
            LearnetError: the face detector yunet is required, and its model is missing.
        """
        scorer, stored_metadata = _load_scorer(weights)
        metadata = stored_metadata.resolve_for_video()
        if metadata.preparation is None:
            raise BadCheckpoint(
                weights,
                "it was trained on imported motion images, so their preparation from a video is not known",
                "Train on a folder of `learnet prepare`.",
            )
        kind = metadata.preparation.face
        finder = None if kind == "none" else face_finder(kind, face_model)
        return cls(scorer, metadata, finder, str(weights))

    def __call__(
        self,
        video: Path,
        windows: Windows = Windows(),
        fps: float | None = None,
        progress: Progress | None = None,
    ) -> Recognition:
        """Recognise micro-expressions in a video. One window of frames is in memory at a time.

        Args:
            video: file, or folder of images.
            windows: length and overlap of the windows.
            fps: actual frame rate, if the video states a wrong one or none (folders of images).
            progress: called after each window.

        Raises:
            BadVideo: not a video.
            NoFace: no face in any window.
            LearnetError: no window has two frames or more.
        """
        predictions: list[Prediction] = []
        strongest: WindowImages | None = None
        best_strength = -2.0  # below every strength
        finder = _CountingFinder(self.finder) if self.finder else None
        with open_video(video, fps) as opened:
            for window in cut_windows(opened, windows, opened.info.fps):
                prediction, images = self._predict(window, finder, len(predictions), opened.info.fps)
                predictions.append(prediction)
                if images is not None and prediction.strength > best_strength:
                    best_strength = prediction.strength
                    strongest = images
                if progress:
                    expected = expected_windows(opened.info, windows)
                    progress(len(predictions), max(expected, len(predictions)))
            if strongest is None:
                raise _no_prediction_error(predictions, opened, finder)
            return Recognition(
                source=str(video),
                info=opened.info,
                frames=window.frames_so_far,
                duration_s=window.seconds_so_far,
                weights=self.weights,
                metadata=self.metadata,
                windows=windows,
                predictions=tuple(predictions),
                warnings=recognition_warnings(opened, predictions, self.metadata),
                strongest_images=strongest,
            )

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
        row = self.scorer.scores(StoredImages(result.image[None]))[0]
        scores = dict(zip(self.metadata.classes, row.tolist(), strict=True))
        warnings = result.aligned.warnings_for(numbers)
        if len(numbers) < FEW_FRAMES:
            warnings += (f"only {len(numbers)} frames: too few to distinguish motion from noise",)
        prediction = replace(
            no_prediction,
            label=max(scores, key=scores.__getitem__),
            scores=scores,
            face=result.aligned.face,
            head_px=result.aligned.drift_px,
            warnings=warnings,
            apex=None if result.apex is None else numbers[result.apex],
        )
        crop = result.aligned.crop(window.pixels, len(numbers) // 2)
        return prediction, WindowImages(crop, result.image)


def _load_scorer(weights: Path) -> tuple[Scorer, CheckpointMetadata]:
    """Read a file of weights; torch, which takes a second to load, is not loaded for ONNX files."""
    if is_onnx(weights):
        return load_onnx(weights)
    from learnet.training.checkpoint import load_checkpoint

    module, metadata = load_checkpoint(weights)
    return Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile), metadata


class _CountingFinder:
    """A face detector that counts the frames searched."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self.kind = finder.kind
        self.searched = 0

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        self.searched += 1
        return self.finder(frame)


def _no_prediction_error(
    predictions: Sequence[Prediction], video: Video, finder: _CountingFinder | None
) -> LearnetError:
    """Return the error that explains why no window has a prediction."""
    source = video.info.source
    if finder and finder.searched:
        span = predictions[-1].last - predictions[0].first + 1  # windows overlap
        return NoFace(source, min(finder.searched, span))
    frames = max(prediction.frames for prediction in predictions)
    return LearnetError(
        f"{source}: no window has more than {frames} frame at {video.info.fps:g} frames per second, and "
        "motion needs two.",
        "Use longer windows (--window-s), or a longer video.",
    )
