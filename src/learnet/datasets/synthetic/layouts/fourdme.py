"""4DME, the grey micro clips, whole and cropped, at 60 fps, with the workbook as its pre-release copies have it.

Little is known of the real one (Li et al., TAFFC 2022). Sure are the columns, the frames as floats, rows with several emotions and units
that were there before the movement; apostrophes in the header and the row of sums come from one source; the numbers in the file names
and the picture's size are ours.
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
CROP = crop_view(330, 275)  # as large in the face as the whole pictures
REPERTOIRE = EmotionMix(
    ("happiness", "disgust", "surprise", "repression", "others"),
    {"sadness": 0.3, "happiness": 0.3, "fear": 0.2, "anger": 0.2},
)
"""What the five words stand for; negative is mostly disgust here."""

WORKBOOK, MICRO, CROPPED = "4DME_Labelling_Micro_release v1.xlsx", "gray_micro", "gray_micro_crop"
WORDS = ("Positive", "Negative", "Surprise", "Repression", "Others")
ONE_HOT = tuple(f"AU{unit}" for unit in UNITS)
HEADER = (
    "sub_ID",
    "fold_name",
    "Emotion",
    "Onset",
    "Apex",
    "Offset",
    "AUs",
    *ONE_HOT,
    "fold",
    "eye blink",
    *WORDS,
)
SECOND = {"Surprise": "Positive", "Repression": "Negative", "Positive": "Others", "Negative": "Others"}
"""What some rows name as well. Which combinations are frequent is not known but for the first."""


def subject(scene: Scene) -> str:
    """S01."""
    return f"S{scene.person:02d}"


def clip_name(scene: Scene) -> str:
    """The form of the one known name, with numbers of our own."""
    return f"{subject(scene)}_1st_{900 + scene.number}_{scene.person % 4 + 1:02d}_1"


def frames_before(scene: Scene) -> int:
    """Frames of the long video before the first of the scene."""
    noise = np.random.default_rng(scene.recording.conditions.seed)
    return 300 * (scene.number - 1) + 60 + int(noise.integers(0, 200))


def write_clip(root: Path, scene: Scene) -> None:
    """Onset to offset under the numbers of the long video, as whole pictures and as crops."""
    micro, cropped = (root / tree / subject(scene) / clip_name(scene) for tree in (MICRO, CROPPED))
    micro.mkdir(parents=True)
    cropped.mkdir(parents=True)
    for number, frame in enumerate(
        render(scene.recording, range(scene.onset - 1, scene.offset)), start=frames_before(scene) + scene.onset
    ):
        name = f"Frame_{number:09d}.jpg"
        write_image(micro / name, frame, grey=True)
        write_image(cropped / name, register(frame, scene.recording.conditions.view, CROP), grey=True)


def named(emotion: str) -> str:
    """One of the five words."""
    return {
        "happiness": "Positive",
        "surprise": "Surprise",
        "repression": "Repression",
        "others": "Others",
    }.get(emotion, "Negative")


def units(scene: Scene, row: int) -> str:
    """The scene's action units with AU in front of each that is on both sides; in one row one more, there before the movement."""
    plain = scene.action_units.split("+")
    static = ["AU26(k)"] if row == 2 else []
    return "+".join(static + [f"AU{unit}" if unit.isdigit() else unit for unit in plain])


def cells(scene: Scene, row: int) -> list[Cell]:
    """The row of a clip; every third has a second emotion, which stands before the first."""
    word, before = named(scene.emotion), frames_before(scene)
    words = [SECOND[word], word] if row % 3 == 1 and word in SECOND else [word]
    spelled = units(scene, row)
    active = {int("".join(filter(str.isdigit, unit))) for unit in spelled.split("+")}
    return [
        *(subject(scene), clip_name(scene), "+".join(words)),
        *(float(before + frame) for frame in (scene.onset, scene.apex, scene.offset)),
        spelled,
        *(int(unit in active) for unit in UNITS),
        *(scene.person % 5 + 1, int(bool(scene.recording.conditions.blinks))),
        *(int(each in words) for each in WORDS),
    ]


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """A header with an apostrophe behind every name, the rows, and the sums."""
    rows = [cells(scene, row) for row, scene in enumerate(scenes)]
    sums: list[Cell] = ["Total", len(rows)]
    for place, name in list(enumerate(HEADER))[2:]:
        sums.append(
            sum(int(row[place] or 0) for row in rows) if name in (*ONE_HOT, "eye blink", *WORDS) else None
        )
    write_workbook(root / WORKBOOK, {"Sheet1": [[f"{name}'" for name in HEADER], *rows, sums]})


LAYOUT = Layout("4DME", 8, CAMERA, REPERTOIRE, plan_scenes, write_clip, write_labels, named=named)
