"""DFME: clips of 200 frames a second as PNG images with five digits, and a workbook with action units.

Only what is likely of the real database (see `readers.dfme`) is imitated: a doubled level of folders, a
folder without a row.
"""

from collections.abc import Sequence
from pathlib import Path

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, Scene, make_scene, plan_scenes

CAMERA = Camera(360, 480, 200.0, 180.0)
"""The size is ours: that of the real images is not known."""

EMOTIONS = EmotionMix(
    ("happiness", "disgust", "surprise", "contempt"),
    {"fear": 0.3, "sadness": 0.4, "anger": 0.3},
)

WORKBOOK = Path("full_release_annotation", "training_full_with_AU.xlsx")
TREE = Path("train_data", "train_data")
HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "Emotion", "AU")


def clip_name(scene: Scene) -> str:
    """Return the name of a clip: person and running number."""
    return f"sub{scene.person:04d}_{scene.number:02d}"


def write_clip(root: Path, scene: Scene) -> None:
    """Write the clip as 00001.png, 00002.png, ..."""
    folder = root / TREE / clip_name(scene)
    folder.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=1):
        write_image(folder / f"{number:05d}.png", frame)


def unlabelled(seed: int) -> list[Scene]:
    """Return the scene of a clip that no row names."""
    return [make_scene(seed, 1, 99, "happiness", CAMERA)]


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write the workbook: the header, and a row for each clip."""
    rows: list[Sequence[Cell]] = []
    for scene in scenes:
        subject = f"sub{scene.person:04d}"
        marks = (scene.onset, scene.apex, scene.offset)
        units = unit_cell(scene.action_units)
        rows.append((subject, clip_name(scene), *marks, scene.emotion.capitalize(), units))
    (root / WORKBOOK).parent.mkdir(parents=True, exist_ok=True)
    write_workbook(root / WORKBOOK, {"Sheet1": [HEADER, *rows]})


LAYOUT = Layout(
    "DFME",
    10,
    CAMERA,
    EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    unlabelled=unlabelled,
)
