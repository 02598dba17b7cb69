"""A small synthetic film that several modules recognise."""

import pickle
from pathlib import Path

from learnet.datasets.synthetic.films import SyntheticFilm, synthetic_film
from learnet.simulation.render import Camera
from tests.builders.once import SharedFolders

FPS = 50.0


def film_of_events(folders: SharedFolders) -> SyntheticFilm:
    """Return ten seconds: a blink, happiness, surprise, disgust, a turn of the head, in this order."""

    def build(folder: Path) -> None:
        film = synthetic_film(folder / "film.mp4", 1, Camera(240, 320, FPS, 125.0))
        (folder / "parts").write_bytes(pickle.dumps(film.parts))

    folder = folders.get("film-of-events", build)
    parts = pickle.loads((folder / "parts").read_bytes())
    return SyntheticFilm(folder / "film.mp4", FPS, parts[-1].offset + 1, parts)
