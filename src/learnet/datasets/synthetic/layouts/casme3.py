"""CAS(ME)^3, part A: long recordings in colour and depth at 30 fps, clips cut from them, and two workbooks.

Irregularities of the real database (Li et al., TPAMI 2023) that its readers handle: frames numbered from 8,
subjects spelled in two ways, clips named after their onset, a capital letter, `Others` beside `others`, an
offset of 0, missing frames. The image size of 1280 x 720 is likely, not certain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt16

from learnet.datasets.synthetic.layouts.writing import (
    Cell,
    Layout,
    unit_cell,
    write_depth_map,
    write_image,
    write_workbook,
)
from learnet.simulation.long_film import plan_film_scenes
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import DatabasePlan, EmotionMix, Expression, LongScene, plan_long_scenes

CAMERA = Camera(720, 1280, 30.0, 375.0)
EMOTIONS = EmotionMix(
    ("disgust", "surprise", "others", "sadness", "happiness", "fear", "anger"),
    {"disgust": 0.35, "surprise": 0.25, "others": 0.20, "fear": 0.12, "anger": 0.08},
)
"""All seven labels, then by their shares among the real clips."""

MICRO_WORKBOOK = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
FULL_WORKBOOK = "CAS(ME)3_part_A_v2.xls"
HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
RECORDINGS = Path("part_A")
CLIPS = Path("Part_A_ME_clip", "Part_A_ME_clip")
FIRST_FRAME = 8  # number of a recording's first image; most real ones begin at 7 or 8
FILMS = "abcdefghijklm"  # one letter, and one recording, for each of 13 films
WORDS = {"sadness": "sad", "happiness": "happy"}
OBJECTIVE_CLASSES = {
    "happiness": "I",
    "surprise": "II",
    "anger": "III",
    "disgust": "IV",
    "sadness": "V",
    "fear": "VI",
}
"""Emotion -> objective class, VII for the others. The real classes depend on the action units only."""


def plan(database: DatabasePlan) -> list[LongScene]:
    """Plan two micro-expressions for each macro-expression, in at most 13 recordings of each person.

    A recording has at least two expressions.
    """
    per_video = max(2, -(-database.clips_per_person // len(FILMS)))
    if database.recording_s is not None:
        return plan_film_scenes(database, per_video)
    return plan_long_scenes(database, ("micro", "micro", "macro"), per_video)


def film_letter(scene: LongScene) -> str:
    """Return the letter of the film that the person watched; the second person begins with the tenth film."""
    index = scene.number - 1 + 9 * (scene.person - 1)
    return FILMS[index % len(FILMS)]


def file_number(number: int) -> int:
    """Return the number in the file name of a frame of a scene."""
    return number + FIRST_FRAME - 1


def clip_name(scene: LongScene, expression: Expression) -> str:
    """Return the folder name of a clip; it spells the subject unlike the workbook and the recordings."""
    return f"spNo.{scene.person}_{film_letter(scene)}_{file_number(expression.onset)}"


def missing_frame(scene: LongScene) -> int | None:
    """Return the number of the frame that a recording lacks, or None.

    It is the frame after the first micro-expression's onset in every tenth person's first recording.
    """
    if scene.person % 10 != 1 or scene.number != 1:
        return None
    for expression in scene.expressions:
        if expression.kind == "micro":
            return expression.onset + 1
    return None


def depth_map(scene: LongScene) -> UInt16[np.ndarray, "H W"]:
    """Return the distance from the camera in millimetres: half an ellipsoid in front of a wall.

    It does not move. It only has the size and the range of a real depth map.
    """
    u, v = scene.recording.conditions.view.face_grid()
    squared_radius = (u / 0.55) ** 2 + (v / 0.75) ** 2
    bulge = np.sqrt(np.clip(1 - squared_radius, 0, 1))
    depth = np.where(squared_radius < 1, 900 - 120 * bulge, 1600)
    centimetres = (depth / 10).round()  # coarse steps keep the file small
    return centimetres.astype(np.uint16) * 10


@dataclass(frozen=True)
class ClipFolders:
    """A micro-expression and the folders of its clip."""

    expression: Expression
    colour: Path
    depth: Path


def clip_folders(root: Path, scene: LongScene) -> Iterator[ClipFolders]:
    """Yield the folders of the clip of each micro-expression."""
    for expression in scene.expressions:
        if expression.kind == "micro":
            name = clip_name(scene, expression)
            colour = root / CLIPS / "frame" / name
            depth = root / CLIPS / "depth" / name
            yield ClipFolders(expression, colour, depth)


def write_clip(root: Path, scene: LongScene) -> None:
    """Write the recording as color/8.jpg, ... and depth/8.png, ..., and the clips of micro-expressions."""
    recording = root / RECORDINGS / f"spNO.{scene.person}" / film_letter(scene)
    colour_folder = recording / "color"
    depth_folder = recording / "depth"
    clips = list(clip_folders(root, scene))
    colour_folder.mkdir(parents=True)
    depth_folder.mkdir(parents=True)
    for clip in clips:
        clip.colour.mkdir(parents=True)
        clip.depth.mkdir(parents=True)
    first_map = depth_folder / f"{file_number(1)}.png"
    write_depth_map(first_map, depth_map(scene))
    depth = first_map.read_bytes()
    for number, frame in enumerate(render(scene.recording), start=1):
        if number == missing_frame(scene):
            continue
        name = str(file_number(number))
        image_path = colour_folder / f"{name}.jpg"
        write_image(image_path, frame)
        (depth_folder / f"{name}.png").write_bytes(depth)
        for clip in clips:
            if clip.expression.onset <= number <= clip.expression.offset:
                (clip.colour / f"{name}.jpg").write_bytes(image_path.read_bytes())
                (clip.depth / f"{name}.png").write_bytes(depth)


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """Write the workbook of micro-expressions with its two empty sheets, and the one of all expressions.

    The first `others` is written `Others`, every j `J`, and the last micro-expression has an offset of 0.
    """
    rows: dict[str, list[list[Cell]]] = {"micro": [], "macro": []}
    for scene in scenes:
        for expression in scene.expressions:
            rows[expression.kind].append(_row(scene, expression))
    micro_rows = rows["micro"]
    for row in micro_rows:
        if row[-1] == "others":
            row[-1] = "Others"
            break
    micro_rows[-1][HEADER.index("Offset")] = 0
    sheets: dict[str, list[Sequence[Cell]]] = {
        "label": [HEADER, *micro_rows],
        "Sheet1": [],
        "Sheet3": [],
    }
    write_workbook(root / MICRO_WORKBOOK, sheets)
    all_rows: list[Sequence[Cell]] = [(*HEADER, "Expression type")]
    for kind in ("macro", "micro"):
        for row in rows[kind]:
            all_rows.append([*row, f"{kind.title()}-expression"])
    write_workbook(root / FULL_WORKBOOK, {"AU+Emotion": all_rows})


def _row(scene: LongScene, expression: Expression) -> list[Cell]:
    emotion = expression.emotion
    return [
        f"spNO.{scene.person}",
        film_letter(scene).replace("j", "J"),
        file_number(expression.onset),
        file_number(expression.apex),
        file_number(expression.offset),
        unit_cell(expression.action_units),
        OBJECTIVE_CLASSES.get(emotion, "VII"),
        WORDS.get(emotion, emotion),
    ]


LAYOUT = Layout(
    "CAS(ME)^3",
    7,
    CAMERA,
    EMOTIONS,
    plan,
    write_clip,
    write_labels,
    has_xls=True,
    has_films=True,
)
