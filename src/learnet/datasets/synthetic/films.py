"""Synthetic films for demonstrations, with their true annotation.

A film shows three micro-expressions of one person, one of each class of MEGC2019, a blink, and a turn of the
head.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from learnet.core.labels import SCHEMES
from learnet.datasets.synthetic.flow_images import draw_emotion
from learnet.simulation.film import FILM_CAMERA, FilmPart, plan_film
from learnet.simulation.render import Camera, Recording, render
from learnet.video.writer import write_video

Progress = Callable[[int, int], None]  # frames done, frames in all

CLASSES = SCHEMES["megc-3"].classes
_EMOTIONS = 3 * 10**6  # purpose of the random generator that draws the emotions


@dataclass(frozen=True)
class SyntheticFilm:
    """A film on disk, and what it shows."""

    path: Path
    fps: float
    frames: int
    parts: tuple[FilmPart, ...]  # in time order, without gaps

    def seconds(self, frame: int) -> float:
        """Return the time of a frame since the first."""
        return frame / self.fps


def synthetic_film(
    path: str | Path, seed: int, camera: Camera = FILM_CAMERA, progress: Progress | None = None
) -> SyntheticFilm:
    """Write a film of 9 to 14 s of a person who does not exist.

    The emotion within the class "negative" is drawn as often as in the composite of MEGC2019.

    Args:
        path: .mp4, .avi or .mkv.
        seed: 0 or more; another seed is another person. The same seed gives the same film.
        camera: that films the person; by default 640 x 480 pixels, 100 frames per second.
        progress: called after each frame, with (frames done, frames in all).

    Raises:
        BadInput: see `learnet.video.writer.write_video`.
    """
    path = Path(path)
    rng = np.random.default_rng([seed, _EMOTIONS])
    emotions = [draw_emotion((name,), rng) for name in CLASSES]
    plan = plan_film(seed, emotions, camera)
    write_video(path, _frames(plan.recording, progress), camera.fps)
    return SyntheticFilm(path, camera.fps, plan.recording.frames, plan.parts)


def _frames(recording: Recording, progress: Progress | None) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    for done, frame in enumerate(render(recording), start=1):
        yield frame
        if progress:
            progress(done, recording.frames)
