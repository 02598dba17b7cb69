"""4DME: the grey micro clips, whole and cropped, at 60 fps, with the workbook as in its pre-release copies.

Little is known of the real database (Li et al., TAFFC 2022). Certain are the columns, frames as floats, rows
with several emotions, and units that were active before the movement. Apostrophes in the header and the row
of sums come from one source. The numbers in the file names and the image size are ours.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, write_image, write_workbook
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import EmotionMix, Scene, plan_scenes
from learnet.simulation.units import UNITS

CAMERA = Camera(480, 640, 60.0, 250.0)
CROP = crop_view(330, 275)  # the face is as large as in the whole frames
EMOTIONS = EmotionMix(
    ("happiness", "disgust", "surprise", "repression", "others"),
    {"sadness": 0.3, "happiness": 0.3, "fear": 0.2, "anger": 0.2},
)
"""The emotions behind the five words; negative is mostly disgust here."""

WORKBOOK, MICRO, CROPPED = "4DME_Labelling_Micro_release v1.xlsx", "gray_micro", "gray_micro_crop"
WORDS = ("Positive", "Negative", "Surprise", "Repression", "Others")
WORD_OF_EMOTION = {
    "happiness": "Positive",
    "surprise": "Surprise",
    "repression": "Repression",
    "others": "Others",
}
"""Emotion -> its word, Negative for the others."""

UNIT_COLUMNS = tuple(f"AU{unit}" for unit in UNITS)
HEADER = (
    "sub_ID",
    "fold_name",
    "Emotion",
    "Onset",
    "Apex",
    "Offset",
    "AUs",
    *UNIT_COLUMNS,
    "fold",
    "eye blink",
    *WORDS,
)
SUMMED_COLUMNS = {*UNIT_COLUMNS, "eye blink", *WORDS}
SECOND_WORDS = {
    "Surprise": "Positive",
    "Repression": "Negative",
    "Positive": "Others",
    "Negative": "Others",
}
"""Word -> the second word of some rows. Only the first combination is known to be frequent."""


def subject(scene: Scene) -> str:
    """Return the identifier of a subject, such as S01."""
    return f"S{scene.person:02d}"


def clip_name(scene: Scene) -> str:
    """Return the folder name of a clip, in the form of the one known name."""
    first = 900 + scene.number
    second = scene.person % 4 + 1
    return f"{subject(scene)}_1st_{first}_{second:02d}_1"


def frames_before(scene: Scene) -> int:
    """Return the number of frames of the long video before the first frame of the scene."""
    rng = np.random.default_rng(scene.recording.conditions.seed)
    gap = 60 + int(rng.integers(0, 200))
    return 300 * (scene.number - 1) + gap


def write_clip(root: Path, scene: Scene) -> None:
    """Write onset to offset under the numbers of the long video, as whole frames and as crops."""
    micro = root / MICRO / subject(scene) / clip_name(scene)
    cropped = root / CROPPED / subject(scene) / clip_name(scene)
    micro.mkdir(parents=True)
    cropped.mkdir(parents=True)
    view = scene.recording.conditions.view
    first_number = frames_before(scene) + scene.onset
    frames = render(scene.recording, range(scene.onset - 1, scene.offset))
    for number, frame in enumerate(frames, start=first_number):
        name = f"Frame_{number:09d}.jpg"
        write_image(micro / name, frame, grey=True)
        write_image(cropped / name, register(frame, view, CROP), grey=True)


def emotion_word(emotion: str) -> str:
    """Return one of the five words."""
    return WORD_OF_EMOTION.get(emotion, "Negative")


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write a header with an apostrophe after every name, the rows, and the sums of the counting columns."""
    header = [f"{name}'" for name in HEADER]
    rows = [_row(row_index, scene) for row_index, scene in enumerate(scenes)]
    sums: list[Cell] = ["Total", len(rows)]
    for column, name in enumerate(HEADER):
        if name in SUMMED_COLUMNS:
            sums.append(sum(int(row[column] or 0) for row in rows))
        elif column >= len(sums):
            sums.append(None)
    write_workbook(root / WORKBOOK, {"Sheet1": [header, *rows, sums]})


def _row(row_index: int, scene: Scene) -> list[Cell]:
    """Return the row of a clip. Every third row has a second emotion, before the first."""
    before = frames_before(scene)
    word = emotion_word(scene.emotion)
    words = [word]
    if row_index % 3 == 1 and word in SECOND_WORDS:
        words.insert(0, SECOND_WORDS[word])
    units = _units(row_index, scene)
    active = {_unit_number(unit) for unit in units}
    return [
        subject(scene),
        clip_name(scene),
        "+".join(words),
        float(before + scene.onset),
        float(before + scene.apex),
        float(before + scene.offset),
        "+".join(units),
        *(int(unit in active) for unit in UNITS),
        scene.person % 5 + 1,
        int(bool(scene.recording.conditions.blinks)),
        *(int(word in words) for word in WORDS),
    ]


def _units(row_index: int, scene: Scene) -> list[str]:
    """Return the action units as the workbook writes them.

    Units of both sides have "AU" before the number. One row has a unit that was active before the movement.
    """
    units = ["AU26(k)"] if row_index == 2 else []
    for unit in scene.action_units.split("+"):
        units.append(f"AU{unit}" if unit.isdigit() else unit)
    return units


def _unit_number(unit: str) -> int:
    digits = filter(str.isdigit, unit)
    return int("".join(digits))


LAYOUT = Layout(
    "4DME",
    8,
    CAMERA,
    EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    emotion_word=emotion_word,
)
