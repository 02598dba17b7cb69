"""MMEW: face crops of 231 x 231 at 90 fps, in folders by emotion, numbered from 1.

Irregularities of the real database (Ben et al., TPAMI 2022) that its readers handle: the folder of `others`
is called `repression`, one apex is outside its clip, one offset is beyond the last file. The
macro-expressions are single images.
"""

from collections.abc import Sequence
from pathlib import Path

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import EmotionMix, Scene, make_long_scene, plan_scenes

CROP = crop_view(231, 231)
CAMERA = Camera(360, 420, 90.0, CROP.face_px)
"""Only crops are published, so the 1920 x 1080 frames are not rendered, only a margin around the crop."""

EMOTIONS = EmotionMix(
    ("happiness", "surprise", "disgust", "others"),
    {"fear": 0.3, "sadness": 0.25, "anger": 0.15, "surprise": 0.15, "disgust": 0.15},
)
"""The four large classes, then mostly the rare ones."""

WORKBOOK = "MMEW_Micro_Exp.xlsx"
MICRO = Path("MMEW_Final", "Micro_Expression")
MACRO = Path("MMEW_Final", "Macro_Expression")
HEADER = (
    "Subject",
    "Filename",
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    "Action Units",
    "Estimated Emotion",
    "remarks",
)
EMOTION_NUMBERS = {
    "happiness": 1,
    "surprise": 2,
    "anger": 3,
    "disgust": 4,
    "fear": 5,
    "sadness": 6,
    "others": 7,
}
"""Number of each emotion in the clip's name; the order is ours."""


def clip_name(scene: Scene) -> str:
    """Return the name of a clip: person, emotion, sample."""
    emotion = EMOTION_NUMBERS[scene.emotion]
    return f"S{scene.person:02d}-{emotion:02d}-{scene.number + 500}"


def is_cut(scene: Scene) -> bool:
    """Return whether the scene is the clip whose label has more frames than its folder."""
    return (scene.person, scene.number) == (1, 2)


def write_clip(root: Path, scene: Scene) -> None:
    """Write the whole clip as 1.jpg, 2.jpg, ... in the folder of its emotion.

    Of a macro-expression, only the apex is written.
    """
    if scene.number == 0:
        _write_macro(root, scene)
        return
    emotion_folder = "repression" if scene.emotion == "others" else scene.emotion
    folder = root / MICRO / emotion_folder / clip_name(scene)
    folder.mkdir(parents=True)
    view = scene.recording.conditions.view
    frames = scene.offset if is_cut(scene) else scene.recording.frames
    for number, frame in enumerate(render(scene.recording, range(frames)), start=1):
        write_image(folder / f"{number}.jpg", register(frame, view, CROP))


def _write_macro(root: Path, scene: Scene) -> None:
    """Write one image of a macro-expression, at its apex."""
    folder = root / MACRO / f"S{scene.person:02d}" / scene.emotion
    folder.mkdir(parents=True)
    view = scene.recording.conditions.view
    (apex,) = render(scene.recording, range(scene.apex - 1, scene.apex))
    write_image(folder / f"{clip_name(scene)}.jpg", register(apex, view, CROP))


def unlabelled(seed: int) -> list[Scene]:
    """Return the scene of one macro-expression; its number is 0."""
    long_scene = make_long_scene(seed, 1, 0, [("macro", "anger")], CAMERA)
    (expression,) = long_scene.expressions
    scene = Scene(
        person=1,
        number=0,
        emotion=expression.emotion,
        recording=long_scene.recording,
        onset=expression.onset,
        apex=expression.apex,
        offset=expression.offset,
    )
    return [scene]


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write the workbook: the header, and a row per clip."""
    rows = [_row(row_index, scene) for row_index, scene in enumerate(scenes)]
    write_workbook(root / WORKBOOK, {"Sheet1": [HEADER, *rows]})


def _row(row_index: int, scene: Scene) -> tuple[Cell, ...]:
    apex = scene.apex
    offset = scene.offset
    remark = None
    if row_index == 2:
        apex = offset + 15
        remark = "apex after the offset"
    if is_cut(scene):
        remark = f"folder ends at {offset}"
        offset += 40
    return (
        scene.person,
        clip_name(scene),
        scene.onset,
        apex,
        offset,
        unit_cell(scene.action_units),
        scene.emotion,
        remark,
    )


LAYOUT = Layout(
    "MMEW",
    2,
    CAMERA,
    EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    unlabelled=unlabelled,
)
