"""CAS(ME)^3, part A: whole recordings in colour and depth at 30 fps, the micro-expressions cut from them, and two workbooks.

As the real one (Li et al., TPAMI 2023) is met by its loaders: frames from number 8 on, subjects spelled in two ways, clips called by their
onset, a capital letter, `Others` beside `others`, an offset of 0, frames missing inside. 1280 x 720 pixels are likely, not certain.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt16

from learnet.datasets.synthetic.layouts.writing import Layout, write_depth_map, write_image, write_workbook
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, Expression, LongScene, plan_long_scenes

CAMERA = Camera(720, 1280, 30.0, 375.0)
REPERTOIRE = EmotionMix(
    ("disgust", "surprise", "others", "sadness", "happiness", "fear", "anger"),
    {"disgust": 0.35, "surprise": 0.25, "others": 0.20, "fear": 0.12, "anger": 0.08},
)
"""All seven labels, then by their shares among the real clips."""

MICRO_BOOK, ALL_BOOK = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "CAS(ME)3_part_A_v2.xls"
HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
RECORDINGS, CLIPS = Path("part_A"), Path("Part_A_ME_clip", "Part_A_ME_clip")
FIRST_FRAME = 8  # the number of a recording's first image; most real ones begin at 7 or 8
LETTERS = "abcdefghijklm"  # a recording for each of 13 films
WORDS = {"sadness": "sad", "happiness": "happy"}
OBJECTIVE = {
    "happiness": "I",
    "surprise": "II",
    "anger": "III",
    "disgust": "IV",
    "sadness": "V",
    "fear": "VI",
}
"""Class of each emotion, VII for the rest. The real ones go by the action units alone; this stands in for them."""


def plan(people: int, clips: int, seed: int, camera: Camera, repertoire: EmotionMix) -> list[LongScene]:
    """Two micro-expressions to one macro-expression, two in a recording; more where 13 recordings would not do."""
    per_video = max(2, -(-clips // len(LETTERS)))
    return plan_long_scenes(
        people, clips, seed, camera, repertoire, kinds=("micro", "micro", "macro"), per_video=per_video
    )


def letter(scene: LongScene) -> str:
    """Which film the person watched; the second person begins with the tenth."""
    return LETTERS[(scene.number - 1 + 9 * (scene.person - 1)) % len(LETTERS)]


def frame_of(number: int) -> int:
    """The file's number of a frame that is number NUMBER of its scene."""
    return number + FIRST_FRAME - 1


def clip_name(scene: LongScene, expression: Expression) -> str:
    """The folder of a clip: the subject is spelled otherwise than in the workbook and in the recordings."""
    return f"spNo.{scene.person}_{letter(scene)}_{frame_of(expression.onset)}"


def missing(scene: LongScene) -> int | None:
    """Every tenth person's first recording lacks the frame after its first micro-expression's onset; as a number of the scene."""
    onsets = [one.onset for one in scene.expressions if one.kind == "micro"]
    return onsets[0] + 1 if onsets and scene.person % 10 == 1 and scene.number == 1 else None


def depth_map(scene: LongScene) -> UInt16[np.ndarray, "H W"]:
    """Millimetres from the camera: a wall, and half an egg before it. It stands for a map as large and as deep, and does not move."""
    u, v = scene.recording.conditions.view.face_grid()
    out = (u / 0.55) ** 2 + (v / 0.75) ** 2
    depth = np.where(out < 1, 900 - 120 * np.sqrt(np.clip(1 - out, 0, 1)), 1600)
    return (depth / 10).round().astype(np.uint16) * 10  # in steps of a centimetre the file is small


def write_clip(root: Path, scene: LongScene) -> None:
    """The recording as color/8.jpg, ... with depth/8.png beside it, and its micro-expressions in folders of their own."""
    recording = root / RECORDINGS / f"spNO.{scene.person}" / letter(scene)
    every = recording / "color", recording / "depth"
    cuts = {
        (one.onset, one.offset): (
            root / CLIPS / "frame" / clip_name(scene, one),
            root / CLIPS / "depth" / clip_name(scene, one),
        )
        for one in scene.expressions
        if one.kind == "micro"
    }
    for folder in (*every, *(folder for pair in cuts.values() for folder in pair)):
        folder.mkdir(parents=True)
    map_file = every[1] / f"{frame_of(1)}.png"
    write_depth_map(map_file, depth_map(scene))
    depth = map_file.read_bytes()
    for number, frame in enumerate(render(scene.recording), start=1):
        if number == missing(scene):
            continue
        name = str(frame_of(number))
        picture = every[0] / f"{name}.jpg"
        write_image(picture, frame)
        (every[1] / f"{name}.png").write_bytes(depth)
        for (onset, offset), (colours, depths) in cuts.items():
            if onset <= number <= offset:
                (colours / f"{name}.jpg").write_bytes(picture.read_bytes())
                (depths / f"{name}.png").write_bytes(depth)


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """The workbook of micro-expressions with its two empty sheets, and the one of all expressions.

    The first `others` is written `Others`, every j `J`, and the last micro-expression has an offset of 0.
    """
    shown = [(scene, expression) for scene in scenes for expression in scene.expressions]
    last = [expression for _, expression in shown if expression.kind == "micro"][-1]
    rows: dict[str, list[tuple[str | int, ...]]] = {"micro": [], "macro": []}
    capital = False
    for scene, one in shown:
        word = WORDS.get(one.emotion, one.emotion)
        if word == "others" and one.kind == "micro" and not capital:
            word, capital = "Others", True
        units = int(one.action_units) if one.action_units.isdigit() else one.action_units
        marks = frame_of(one.onset), frame_of(one.apex), 0 if one is last else frame_of(one.offset)
        cells = (
            f"spNO.{scene.person}",
            letter(scene).replace("j", "J"),
            *marks,
            units,
            OBJECTIVE.get(one.emotion, "VII"),
            word,
        )
        rows[one.kind].append(cells)
    write_workbook(root / MICRO_BOOK, {"label": [HEADER, *rows["micro"]], "Sheet1": [], "Sheet3": []})
    typed = [(*row, f"{kind.title()}-expression") for kind in ("macro", "micro") for row in rows[kind]]
    write_workbook(root / ALL_BOOK, {"AU+Emotion": [(*HEADER, "Expression type"), *typed]})


LAYOUT = Layout("CAS(ME)^3", 7, CAMERA, REPERTOIRE, plan, write_clip, write_labels)
