"""SAMM Long Videos: whole recordings as grey images at 200 fps, and a workbook of all movements.

The images have half the size of the real ones, because there are so many of them. Irregularities of the real
database (Yap et al., FG 2020) that its reader handles: lines above the header, an apex of -1, an offset of 0
where the recording ends before the movement.
"""

from collections.abc import Sequence
from pathlib import Path

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.long_film import plan_film_scenes
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import DatabasePlan, EmotionMix, LongScene, plan_long_scenes

CAMERA = Camera(325, 480, 200.0, 170.0)
EMOTIONS = EmotionMix(
    ("anger", "happiness", "others", "surprise", "contempt"),
    {"anger": 0.40, "disgust": 0.24, "fear": 0.20, "sadness": 0.16},
)
"""As in SAMM. The workbook does not name them."""

WORKBOOK, TREE = "SAMM_LongVideos_V3_Release.xlsx", "SAMM_longvideos"
HEADER = (
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset",
    "Apex",
    "Offset",
    "Duration",
    "Type",
    "Action Units",
    "Notes",
)
NOTE_ROWS = 9


def plan(database: DatabasePlan) -> list[LongScene]:
    """Plan as many micro- as macro-expressions, two in a recording or more; a person has up to seven."""
    per_video = max(2, -(-database.clips_per_person // 7))
    if database.recording_s is not None:
        return plan_film_scenes(database, per_video)
    return plan_long_scenes(database, per_video=per_video)


def recording_name(scene: LongScene) -> str:
    """Return the name of a recording: subject and inducement."""
    return f"{scene.person:03d}_{scene.number}"


def write_clip(root: Path, scene: LongScene) -> None:
    """Write all frames of a recording, numbered from 1 with four digits or more."""
    name = recording_name(scene)
    folder = root / TREE / name
    folder.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=1):
        write_image(folder / f"{name}_{number:04d}.jpg", frame, grey=True)


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """Write the workbook: lines of notes, the header, a row for each movement.

    The first movement has no apex; the last movement of the last recording has no offset.
    """
    rows: list[list[Cell]] = []
    for scene in scenes:
        for number, expression in enumerate(scene.expressions, start=1):
            name = recording_name(scene)
            duration = expression.offset - expression.onset + 1
            marks: list[Cell] = [expression.onset, expression.apex, expression.offset, duration]
            kind = "Macro" if expression.kind == "macro" else "Micro - 1/2"
            units = unit_cell(expression.action_units)
            person = f"{scene.person:03d}"
            rows.append([person, f"{name}_{number}", scene.number, *marks, kind, units, None])
    rows[0][4] = -1
    rows[-1][5] = 0
    notes: list[Sequence[Cell]] = [("Notes on the synthetic database",)]
    notes += [()] * (NOTE_ROWS - 1)
    write_workbook(root / WORKBOOK, {"Sheet1": [*notes, HEADER, *rows]})


LAYOUT = Layout("SAMM-LV", 9, CAMERA, EMOTIONS, plan, write_clip, write_labels, has_films=True)
