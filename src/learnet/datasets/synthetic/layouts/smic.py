"""SMIC, camera HS: bitmaps at 100 fps, cut from onset to offset, in folders that are the labels.

Irregularities of the real database (Li et al., FG 2013) that its readers handle: no workbook; frame numbers
of a counter that ran through all recordings, padded to six digits and growing to eight; clips without an
expression beside those with one. Both crops and whole frames are written.
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
"""The crops are as large as the real ones. Whole frames would be 640 x 480; ours show less of the background,
because bitmaps are not compressed."""

EMOTIONS = EmotionMix(
    ("disgust", "happiness", "surprise"),
    {"disgust": 0.25, "sadness": 0.2, "happiness": 0.3, "surprise": 0.25},
)
"""The emotions behind the three words; negative is mostly disgust here."""

CROPPED, RAW = Path("SMIC_all_cropped", "HS"), Path("SMIC_all_raw", "SMIC_all_raw", "HS")
WORDS = {"happiness": "positive", "surprise": "surprise"}
CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}
COUNTERS = {1: 76_000, 2: 17_580_000, 0: 998_490}
"""Counter before the first clip of every third person: five digits, eight, and six that become seven."""


def emotion_word(emotion: str) -> str:
    """Return one of the three words."""
    return WORDS.get(emotion, "negative")


def clip_name(scene: Scene) -> str:
    """Return the name of a clip: subject without padding, code, running number."""
    code = CODES[emotion_word(scene.emotion)]
    return f"s{scene.person}_{code}_{50 + scene.number}"


def neutral_clip_name(scene: Scene) -> str:
    """Return the name of the clip without an expression. The real names are not known."""
    return f"s{scene.person}_non_{50 + scene.number}"


def has_neutral_clip(scene: Scene) -> bool:
    """Return whether the scene also has a clip without an expression: every other one does."""
    return scene.number % 2 == 1


def counter(scene: Scene) -> int:
    """Return the number of the frame before the first frame of the scene."""
    start = COUNTERS[scene.person % 3]
    return start + 1500 * scene.number


def neutral_recording(scene: Scene) -> Recording:
    """Return a recording of the same person and length, in other conditions and without an expression."""
    camera = scene.recording.camera
    duration_s = scene.recording.frames / camera.fps
    rng = np.random.default_rng([scene.recording.conditions.seed, 1])
    conditions = draw_conditions(camera, duration_s, rng)
    return replace(scene.recording, episodes=(), conditions=conditions)


def crop(recording: Recording) -> View:
    """Return the registered crop of a clip: about 170 x 140, a little different in every clip."""
    rng = np.random.default_rng(recording.conditions.seed)
    height = 170 + int(rng.integers(-4, 5))
    width = 140 + int(rng.integers(-3, 4))
    return crop_view(height, width)


def write_clip(root: Path, scene: Scene) -> None:
    """Write the frames from onset to offset, and as many of the clip without an expression."""
    person = f"s{scene.person}"
    first = counter(scene) + scene.onset
    shown = range(scene.onset - 1, scene.offset)
    folder = Path(person, "micro", emotion_word(scene.emotion), clip_name(scene))
    _write_frames(root, folder, scene.recording, shown, first)
    if has_neutral_clip(scene):
        folder = Path(person, "non_micro", neutral_clip_name(scene))
        _write_frames(root, folder, neutral_recording(scene), shown, first + 600)


def _write_frames(root: Path, folder: Path, recording: Recording, shown: range, first: int) -> None:
    """Write frames and their crops, the first of them under the number `first`."""
    cropped = root / CROPPED / folder
    raw = root / RAW / folder
    cropped.mkdir(parents=True)
    raw.mkdir(parents=True)
    view = recording.conditions.view
    crop_of_clip = crop(recording)
    for number, frame in enumerate(render(recording, shown), start=first):
        name = f"image{number:06d}.bmp"
        write_image(raw / name, frame)
        face = register(frame, view, crop_of_clip)
        write_image(cropped / f"reg_{name}", face)


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write what a file manager leaves; the folders are the labels."""
    thumbnails = root / CROPPED / "s1" / "Thumbs.db"
    thumbnails.write_bytes(b"left by a file manager")


def megc_entry(scene: Scene) -> str:
    """Return the clip as the list of MEGC2019 writes it, subject and clip padded."""
    rest = clip_name(scene).removeprefix(f"s{scene.person}")
    padded = f"s{scene.person:02d}"
    return f"{padded},{padded}{rest}"


LAYOUT = Layout(
    "SMIC",
    4,
    CAMERA,
    EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    emotion_word=emotion_word,
    megc_entry=megc_entry,
)
