"""SMIC, camera HS: bitmaps at 100 fps, cut from onset to offset, in folders that are the labels; crops and whole pictures.

As the real one (Li et al., FG 2013) is met by its loaders: no workbook, numbers of a counter that ran through the recordings, padded to six
digits and growing to eight, clips without an expression beside those with one.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Layout, write_image
from learnet.simulation.geometry import View, crop_view
from learnet.simulation.render import Camera, Recording, draw_conditions, register, render
from learnet.simulation.scenes import EmotionMix, Scene, plan_scenes

CAMERA = Camera(280, 340, 100.0, crop_view(170, 140).face_px)
"""The crops have the size of the real ones. Whole pictures would be 640 x 480; bitmaps are not compressed, so less of the room is seen."""

REPERTOIRE = EmotionMix(
    ("disgust", "happiness", "surprise"),
    {"disgust": 0.25, "sadness": 0.2, "happiness": 0.3, "surprise": 0.25},
)
"""What the three words stand for; negative is mostly disgust here."""

CROPPED, RAW = Path("SMIC_all_cropped", "HS"), Path("SMIC_all_raw", "SMIC_all_raw", "HS")
CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}
COUNTERS = {1: 76_000, 2: 17_580_000, 0: 998_490}
"""Where the counter stood before the first clip of every third person: under 100000, at eight digits, about to need a seventh."""


def named(emotion: str) -> str:
    """One of the three words."""
    return {"happiness": "positive", "surprise": "surprise"}.get(emotion, "negative")


def clip_name(scene: Scene) -> str:
    """Subject unpadded, code, running number."""
    return f"s{scene.person}_{CODES[named(scene.emotion)]}_{50 + scene.number}"


def still_name(scene: Scene) -> str:
    """The clip without an expression that goes with a scene. How the real ones are called is not known."""
    return f"s{scene.person}_non_{50 + scene.number}"


def has_still(scene: Scene) -> bool:
    """Whether one goes with it: with every other."""
    return scene.number % 2 == 1


def counter(scene: Scene) -> int:
    """Number of the image before the first of the scene."""
    return COUNTERS[scene.person % 3] + 1500 * scene.number


def still(scene: Scene) -> Recording:
    """The same person another time, as long and in other circumstances, with nothing expressed."""
    camera = scene.recording.camera
    rng = np.random.default_rng([scene.recording.conditions.seed, 1])
    return replace(
        scene.recording, episodes=(), conditions=draw_conditions(camera, scene.recording.frames / camera.fps, rng)
    )


def crop(take: Recording) -> View:
    """The registered crop of a clip: about 170 x 140, a little different in every clip."""
    noise = np.random.default_rng(take.conditions.seed)
    return crop_view(170 + int(noise.integers(-4, 5)), 140 + int(noise.integers(-3, 4)))


def write_clip(root: Path, scene: Scene) -> None:
    """Onset to offset, and as many frames of the clip without an expression."""
    person = f"s{scene.person}"
    _write(
        root, Path(person, "micro", named(scene.emotion), clip_name(scene)), scene.recording, scene, counter(scene)
    )
    if has_still(scene):
        _write(root, Path(person, "non_micro", still_name(scene)), still(scene), scene, counter(scene) + 600)


def _write(root: Path, way: Path, take: Recording, scene: Scene, before: int) -> None:
    cropped, raw = (root / tree / way for tree in (CROPPED, RAW))
    cropped.mkdir(parents=True)
    raw.mkdir(parents=True)
    face = crop(take)
    for number, frame in enumerate(
        render(take, range(scene.onset - 1, scene.offset)), start=before + scene.onset
    ):
        write_image(raw / f"image{number:06d}.bmp", frame)
        write_image(cropped / f"reg_image{number:06d}.bmp", register(frame, take.conditions.view, face))


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """The folders are the labels; only what a file manager leaves behind."""
    (root / CROPPED / "s1" / "Thumbs.db").write_bytes(b"left by a file manager")


def listed(scene: Scene) -> str:
    """As the list of MEGC2019 writes it, subject and clip padded."""
    return f"s{scene.person:02d},s{scene.person:02d}{clip_name(scene).removeprefix(f's{scene.person}')}"


LAYOUT = Layout(
    "SMIC", 4, CAMERA, REPERTOIRE, plan_scenes, write_clip, write_labels, named=named, listed=listed
)
