"""Warnings about a video and its predictions."""

from collections import Counter
from collections.abc import Iterator, Sequence

from learnet.face import HEAD_MOTION_LIMIT_PX
from learnet.inference.prediction import Prediction
from learnet.inference.windows import TIME_TOLERANCE_S
from learnet.training.metadata import CheckpointMetadata
from learnet.video.base import Video

LOW_FPS = 60  # frames per second; below, the shortest micro-expressions, of 1/25 s, have at most two frames


def video_warnings(video: Video, metadata: CheckpointMetadata) -> list[str]:
    """Return warnings about a video as a whole; lost frames are those so far."""
    warnings = list(video.notes)
    for kind, count in video.losses.items():
        if count:
            warnings.append(f"{count} {kind}")
    fps = video.info.fps
    if fps < LOW_FPS:
        warnings.append(
            f"{fps:.4g} frames per second: a micro-expression lasts 1/25 to 1/2 s, so below {LOW_FPS} it may "
            "pass between frames"
        )
    if video.info.variable_rate:
        warnings.append(f"the frame rate varies; its mean is {fps:.4g} per second")
    synthetic = metadata.data.get("synthetic", "no")
    if synthetic != "no":
        extent = "only on synthetic faces" if synthetic == "yes" else "on synthetic faces, among others"
        warnings.append(f"the network was trained {extent}")
    return warnings


def recognition_warnings(
    video: Video, predictions: Sequence[Prediction], metadata: CheckpointMetadata
) -> tuple[str, ...]:
    """Return warnings about a video and its predictions."""
    warnings = video_warnings(video, metadata)
    of_windows = f"of {len(predictions)} windows" if len(predictions) > 1 else "window"
    warnings += owners_warning(predictions, metadata)
    for before, after in zip(predictions, predictions[1:], strict=False):
        if after.start_s > before.end_s + TIME_TOLERANCE_S:
            warnings.append(f"there are no frames from {before.end_s:.2f} to {after.start_s:.2f} s")
    moving = sum(_head_moves(prediction, metadata) for prediction in predictions)
    if moving:
        warnings.append(
            f"the head moves or turns in {moving} {of_windows}, which can be mistaken for an expression"
        )
    return (*warnings, *_reasons(predictions, of_windows))


def owners_warning(predictions: Sequence[Prediction], metadata: CheckpointMetadata) -> tuple[str, ...]:
    """Return a warning where the network knows only faces that others had cropped; else nothing."""
    cropped_by_owners = metadata.data.get("faces") in ("given", "both")
    if not cropped_by_owners or not any(prediction.face for prediction in predictions):
        return ()
    return (
        "the network was trained on faces that the owners of the clips had cropped; here the face is "
        "cropped by other landmarks",
    )


def _reasons(predictions: Sequence[Prediction], of_windows: str) -> Iterator[str]:
    """Yield how many windows have no label, and why."""
    reasons = Counter(prediction.reason for prediction in predictions if prediction.label is None)
    for reason, count in reasons.items():
        yield f"{count} {of_windows} without a prediction: {reason}"


def _head_moves(prediction: Prediction, metadata: CheckpointMetadata) -> bool:
    """Return whether head motion is unknown, or large and not removed by the preparation."""
    assert metadata.preparation is not None, "`Recogniser.load` refuses such weights"
    if prediction.face is None:
        return False
    if prediction.head_px is None:
        return True
    limit_px = HEAD_MOTION_LIMIT_PX * metadata.size / 112
    return prediction.head_px > limit_px and not metadata.preparation.stabilise
