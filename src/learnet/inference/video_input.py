"""A video that is to be recognised: opened, counted, and the errors where nothing in it can be recognised."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from learnet.core.arrays import as_rgb_images
from learnet.core.errors import LearnetError, NoFace, counted
from learnet.inference.prediction import Prediction
from learnet.inference.selected_face import SelectedFace
from learnet.inference.windows import TIME_TOLERANCE_S
from learnet.video.array import ArrayVideo
from learnet.video.base import Frame, Video, VideoInfo
from learnet.video.images import image_files, video_files
from learnet.video.reader import open_video

Progress = Callable[[int, int], None]  # windows or frames done, expected number of them

SHORT_S = 1.5  # up to this length a video is judged as one window: it has no rest to compare movements with


def open_for_recognition(video: str | Path | ArrayLike, fps: float | None) -> Video:
    """Open a video. A frame rate is never assumed: on it depends how long a movement lasts."""
    if video is None:
        raise LearnetError("There is no video.", "Give a file, a folder of images, or frames.")
    hint = "Give the frames per second (fps, --fps)."
    if not isinstance(video, str | Path):
        if fps is None:
            raise LearnetError("An array has no frame rate.", hint)
        return ArrayVideo(as_rgb_images(video, "frames", "T"), float(fps))
    if fps is None and Path(video).is_dir():
        if video_files(Path(video)):
            raise LearnetError(f"{video}: this is a folder of videos.", "Give one of them.")
        if image_files(Path(video)):
            raise LearnetError(f"{video}: a folder of images has no frame rate.", hint)
    return open_video(Path(video), fps)


def no_prediction_error(
    predictions: Sequence[Prediction], video: Video, finder: SelectedFace | None
) -> LearnetError:
    """Return the error that explains why no window has a prediction."""
    if finder and finder.searched:
        span = predictions[-1].last - predictions[0].first + 1  # windows overlap
        return no_face_error(video.info.source, finder, min(finder.searched, span))
    frames = max(prediction.frames for prediction in predictions)
    return LearnetError(
        f"{video.info.source}: no window has more than {frames} frame at {video.info.fps:g} frames per "
        "second, and motion needs two.",
        "Use a longer video, or longer windows (--windows --window-s).",
    )


def no_face_error(source: str, finder: SelectedFace, searched: int) -> LearnetError:
    """Return the error that explains why the wanted face was not found in any searched frame."""
    if finder.most_faces and finder.number > finder.most_faces:
        return LearnetError(
            f"{source}: there is no face number {finder.number}; at most "
            f"{counted(finder.most_faces, 'face')} can be seen at once.",
            "Choose a smaller number.",
        )
    return NoFace(source, searched)


def is_announced_short(info: VideoInfo) -> bool:
    """Return whether the file states that it is short; one that states no length has to be read."""
    return info.frames is not None and info.frames / info.fps <= SHORT_S + TIME_TOLERANCE_S


@dataclass(frozen=True)
class VideoExtent:
    """How much of a video could be read."""

    frames: int
    duration_s: float


class FrameCounter:
    """Count the frames of a video while it is read, and report the progress."""

    def __init__(self, info: VideoInfo, progress: Progress | None) -> None:
        self.info = info
        self.progress = progress
        self.extent = VideoExtent(0, 0.0)

    def see(self, frame: Frame) -> None:
        """Count the next frame."""
        count = self.extent.frames + 1
        self.extent = VideoExtent(count, frame.time_s + 1 / self.info.fps)
        if self.progress:
            self.progress(count, max(self.info.frames or 0, count))
