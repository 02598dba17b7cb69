"""SAMM: grey 960 x 650 at 200 fps, cut from onset to offset, frames under the numbers they had in the source video.

As the real one (Davison et al., TAFFC 2018) is met by its loaders: notes above the header of the workbook, 4 or 5 digits in the file
names, one apex outside its clip, action units with an `or` or with words between them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Layout, write_image, write_workbook
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, Scene, plan_scenes

CAMERA = Camera(650, 960, 200.0, 340.0)
REPERTOIRE = EmotionMix(
    ("anger", "happiness", "others", "surprise", "contempt"),
    {"anger": 0.40, "disgust": 0.24, "fear": 0.20, "sadness": 0.16},
)
"""The five classes with more than ten clips, then anger, which SAMM has most of, and the rare ones."""

WORKBOOK, TREE = "SAMM_Micro_FACS_Codes_v2.xlsx", "SAMM"
HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame ", "Offset Frame", "Duration", "Micro", "Action Units",
    "Estimated Emotion", "Objective Classes", "Notes",
)  # fmt: skip
NOTE_ROWS = 13
OBJECTIVE = {"happiness": 1, "surprise": 2, "anger": 3, "disgust": 4, "sadness": 5, "fear": 6}
"""Class of each emotion, 7 for the rest. The real ones go by the action units alone; this stands in for them."""


def subject(scene: Scene) -> str:
    """Three digits."""
    return f"{scene.person:03d}"


def inducement(scene: Scene) -> int:
    """Which of the seven films the person watched; what was recorded meanwhile is one source video."""
    return (scene.person + 2 * scene.number) % 7 + 1


def clip_name(scene: Scene) -> str:
    """Subject, inducement and a running number with gaps."""
    return f"{subject(scene)}_{inducement(scene)}_{50 + scene.number + scene.number // 3}"


def frames_before(scene: Scene) -> int:
    """Frames of the source video before the first of the scene; later clips of a person begin later."""
    noise = np.random.default_rng(scene.recording.conditions.seed)
    return 640 * (scene.number - 1) + 80 + int(noise.integers(0, 400))


def frame_name(scene: Scene, number: int) -> str:
    """File of a frame of the scene: all of a source video with as many digits, five for the first film and some of the last."""
    digits = 5 if inducement(scene) == 1 or (inducement(scene) == 7 and scene.person % 2 == 0) else 4
    return f"{subject(scene)}_{frames_before(scene) + number:0{digits}d}.jpg"


def write_clip(root: Path, scene: Scene) -> None:
    """Onset to offset, nothing before or after."""
    folder = root / TREE / subject(scene) / clip_name(scene)
    folder.mkdir(parents=True)
    for number, frame in enumerate(
        render(scene.recording, range(scene.onset - 1, scene.offset)), start=scene.onset
    ):
        write_image(folder / frame_name(scene, number), frame, grey=True)


def named(emotion: str) -> str:
    """With a capital, and `Other` without its s."""
    return "Other" if emotion == "others" else emotion.capitalize()


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Thirteen rows of notes, the header, a row per clip."""
    rows: list[tuple] = [("Notes on the synthetic database",), *([()] * (NOTE_ROWS - 1)), HEADER]
    for row, scene in enumerate(scenes):
        before = frames_before(scene)
        onset, apex, offset = (before + number for number in (scene.onset, scene.apex, scene.offset))
        units = scene.action_units + {2: " or 24", 3: "+soft focus"}.get(row, "")
        rows.append(
            (
                *(subject(scene), clip_name(scene), inducement(scene)),
                *(onset, offset + 230 if row == 1 else apex, offset, offset - onset + 1),
                *("Micro - 1/2", int(units) if units.isdigit() else units, named(scene.emotion)),
                *(OBJECTIVE.get(scene.emotion, 7), "apex wrong" if row == 1 else None),
            )
        )
    write_workbook(root / WORKBOOK, {"MICRO_ONLY": rows})


def listed(scene: Scene) -> str:
    """As the list of MEGC2019 writes it, the subject without its zeros."""
    return f"{scene.person},{clip_name(scene)}"


LAYOUT = Layout(
    "SAMM", 1, CAMERA, REPERTOIRE, plan_scenes, write_clip, write_labels, named=named, listed=listed
)
