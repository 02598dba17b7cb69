"""Films on disk: the file holds what its annotation says."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.labels import SCHEMES
from learnet.datasets.synthetic.films import synthetic_film
from learnet.simulation.render import Camera
from learnet.video.reader import open_video

TINY = Camera(120, 160, 50.0, 62.0)


def test_film_has_the_frames_of_its_annotation(tmp_path: Path) -> None:
    film = synthetic_film(tmp_path / "film.mp4", seed=4, camera=TINY)
    with open_video(film.path) as video:
        numbers = [frame.number for frame in video]
        assert video.info.fps == film.fps == 50
        assert (video.info.height, video.info.width) == (120, 160)
    assert numbers == list(range(film.frames))
    assert film.parts[-1].offset == film.frames - 1
    assert film.seconds(film.frames) == pytest.approx(11.5, abs=2.5)


def test_film_has_one_expression_of_each_class(tmp_path: Path) -> None:
    film = synthetic_film(tmp_path / "film.mp4", seed=4, camera=TINY)
    scheme = SCHEMES["megc-3"]
    shown = [scheme.of[part.emotion] for part in film.parts if part.emotion]
    assert sorted(shown) == sorted(scheme.classes)


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    films = [synthetic_film(file, seed=4, camera=TINY) for file in files]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert films[0].parts == films[1].parts


def test_film_needs_a_video_format(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Choose from .mp4"):
        synthetic_film(tmp_path / "film.txt", seed=4, camera=TINY)
