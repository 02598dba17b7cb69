"""SAMM: grey 960 x 650 at 200 fps, cut from onset to offset, frames numbered as in the source video.

Irregularities of the real database (Davison et al., TAFFC 2018) that its readers handle: notes above the
header of the workbook, 4 or 5 digits in the file names, one apex outside its clip, action units with an `or`
or with words between them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, Scene, plan_scenes

CAMERA = Camera(650, 960, 200.0, 340.0)
EMOTIONS = EmotionMix(
    ("anger", "happiness", "others", "surprise", "contempt"),
    {"anger": 0.40, "disgust": 0.24, "fear": 0.20, "sadness": 0.16},
)
"""The five classes with more than ten clips, then anger, the most frequent in SAMM, and the rare ones."""

WORKBOOK, TREE = "SAMM_Micro_FACS_Codes_v2.xlsx", "SAMM"
HEADER = (
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset Frame",
    "Apex Frame ",
    "Offset Frame",
    "Duration",
    "Micro",
    "Action Units",
    "Estimated Emotion",
    "Objective Classes",
    "Notes",
)
NOTE_ROWS = 13
OBJECTIVE_CLASSES = {"happiness": 1, "surprise": 2, "anger": 3, "disgust": 4, "sadness": 5, "fear": 6}
"""Emotion -> objective class, 7 for the others. The real classes depend on the action units only."""

UNIT_SUFFIXES = {2: " or 24", 3: "+soft focus"}
"""Row -> text after its action units."""


def subject(scene: Scene) -> str:
    """Return the three digits of a subject."""
    return f"{scene.person:03d}"


def inducement(scene: Scene) -> int:
    """Return the number of the film that the person watched, 1 to 7; each film has one source video."""
    return (scene.person + 2 * scene.number) % 7 + 1


def clip_name(scene: Scene) -> str:
    """Return the name of a clip: subject, inducement and a running number with gaps."""
    number = 50 + scene.number + scene.number // 3
    return f"{subject(scene)}_{inducement(scene)}_{number}"


def frames_before(scene: Scene) -> int:
    """Return the number of frames of the source video before the scene; later clips begin later."""
    rng = np.random.default_rng(scene.recording.conditions.seed)
    gap = 80 + int(rng.integers(0, 400))
    return 640 * (scene.number - 1) + gap


def frame_name(scene: Scene, number: int) -> str:
    """Return the file name of a frame of the scene.

    All frames of a source video have as many digits: five for the first film and some of the last, else four.
    """
    film = inducement(scene)
    five_digits = film == 1 or (film == 7 and scene.person % 2 == 0)
    digits = 5 if five_digits else 4
    return f"{subject(scene)}_{frames_before(scene) + number:0{digits}d}.jpg"


def write_clip(root: Path, scene: Scene) -> None:
    """Write the frames from onset to offset."""
    folder = root / TREE / subject(scene) / clip_name(scene)
    folder.mkdir(parents=True)
    frames = render(scene.recording, range(scene.onset - 1, scene.offset))
    for number, frame in enumerate(frames, start=scene.onset):
        write_image(folder / frame_name(scene, number), frame, grey=True)


def emotion_word(emotion: str) -> str:
    """Return the emotion with a capital, and `Other` without its s."""
    return "Other" if emotion == "others" else emotion.capitalize()


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write the workbook: thirteen rows of notes, the header, a row per clip."""
    rows: list[Sequence[Cell]] = [("Notes on the synthetic database",)]
    rows += [()] * (NOTE_ROWS - 1)
    rows.append(HEADER)
    for row_index, scene in enumerate(scenes):
        rows.append(_row(row_index, scene))
    write_workbook(root / WORKBOOK, {"MICRO_ONLY": rows})


def _row(row_index: int, scene: Scene) -> tuple[Cell, ...]:
    before = frames_before(scene)
    onset = before + scene.onset
    apex = before + scene.apex
    offset = before + scene.offset
    note = None
    if row_index == 1:
        apex = offset + 230
        note = "apex wrong"
    units = scene.action_units + UNIT_SUFFIXES.get(row_index, "")
    return (
        subject(scene),
        clip_name(scene),
        inducement(scene),
        onset,
        apex,
        offset,
        offset - onset + 1,
        "Micro - 1/2",
        unit_cell(units),
        emotion_word(scene.emotion),
        OBJECTIVE_CLASSES.get(scene.emotion, 7),
        note,
    )


def megc_entry(scene: Scene) -> str:
    """Return the clip as the list of MEGC2019 writes it, the subject without its zeros."""
    return f"{scene.person},{clip_name(scene)}"


LAYOUT = Layout(
    "SAMM",
    1,
    CAMERA,
    EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    emotion_word=emotion_word,
    megc_entry=megc_entry,
)
