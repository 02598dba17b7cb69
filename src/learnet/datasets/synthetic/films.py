"""Synthetic films for demonstrations, with their true annotation.

A film shows three micro-expressions of one person, one of each class of MEGC2019, a blink, and a turn of the
head.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learnet.core.labels import SCHEMES
from learnet.datasets.synthetic.flow_images import draw_emotion
from learnet.simulation.film import FILM_CAMERA, FilmPart, plan_film
from learnet.simulation.render import Camera, render
from learnet.video.writer import write_video

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


def synthetic_film(path: Path, seed: int, camera: Camera = FILM_CAMERA) -> SyntheticFilm:
    """Write a film of 9 to 14 s of a person who does not exist.

    The emotion within the class "negative" is drawn as often as in the composite of MEGC2019.

    Args:
        path: .mp4, .avi or .mkv.
        seed: 0 or more; another seed is another person. The same seed gives the same film.
        camera: that films the person; by default 640 x 480 pixels, 100 frames per second.

    Raises:
        BadInput: see `learnet.video.writer.write_video`.
    """
    rng = np.random.default_rng([seed, _EMOTIONS])
    emotions = [draw_emotion((name,), rng) for name in CLASSES]
    plan = plan_film(seed, emotions, camera)
    write_video(path, render(plan.recording), camera.fps)
    return SyntheticFilm(path, camera.fps, plan.recording.frames, plan.parts)
