"""MMEW: face crops of 231 x 231 at 90 fps, in folders by emotion, counted from 1.

As the real one (Ben et al., TPAMI 2022) is met by its loaders: the folder of `others` is called `repression`, one apex lies outside its
clip, one offset beyond the last file. The macro-expressions beside it are single pictures.
"""

from collections.abc import Sequence
from pathlib import Path

from learnet.datasets.synthetic.layouts.writing import Layout, write_image, write_workbook
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import EmotionMix, Scene, make_long_scene, plan_scenes

CROP = crop_view(231, 231)
CAMERA = Camera(360, 420, 90.0, CROP.face_px)
"""Only crops are on anybody's disk, so the 1920 x 1080 frames need not be rendered: just what is around a crop."""

REPERTOIRE = EmotionMix(
    ("happiness", "surprise", "disgust", "others"),
    {"fear": 0.3, "sadness": 0.25, "anger": 0.15, "surprise": 0.15, "disgust": 0.15},
)
"""The four large classes, then mostly the rare ones."""

WORKBOOK, TREE = "MMEW_Micro_Exp.xlsx", Path("MMEW_Final", "Micro_Expression")
MACRO_TREE = Path("MMEW_Final", "Macro_Expression")
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
NUMBERS = {"happiness": 1, "surprise": 2, "anger": 3, "disgust": 4, "fear": 5, "sadness": 6, "others": 7}
"""Number of each emotion in the clip's name; the order is ours."""


def clip_name(scene: Scene) -> str:
    """Person, emotion, sample."""
    return f"S{scene.person:02d}-{NUMBERS[scene.emotion]:02d}-{scene.number + 500}"


def is_cut(scene: Scene) -> bool:
    """The clip whose label says more frames than the folder has."""
    return (scene.person, scene.number) == (1, 2)


def write_clip(root: Path, scene: Scene) -> None:
    """The whole clip as 1.jpg, 2.jpg, ... under the folder of its emotion; of a macro-expression one picture at its strongest."""
    view = scene.recording.conditions.view
    if scene.number == 0:
        folder = root / MACRO_TREE / f"S{scene.person:02d}" / scene.emotion
        folder.mkdir(parents=True)
        (apex,) = render(scene.recording, range(scene.apex - 1, scene.apex))
        write_image(folder / f"{clip_name(scene)}.jpg", register(apex, view, CROP))
        return
    folder = root / TREE / ("repression" if scene.emotion == "others" else scene.emotion) / clip_name(scene)
    folder.mkdir(parents=True)
    last = scene.offset if is_cut(scene) else scene.recording.frames
    for number, frame in enumerate(render(scene.recording, range(last)), start=1):
        write_image(folder / f"{number}.jpg", register(frame, view, CROP))


def extra(seed: int) -> list[Scene]:
    """One macro-expression."""
    recording = make_long_scene(seed, 1, 0, [("macro", "anger")], CAMERA)
    (shown,) = recording.expressions
    return [Scene(1, 0, shown.emotion, recording.recording, shown.onset, shown.apex, shown.offset)]


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """The header, and a row per clip."""
    rows: list[tuple] = [HEADER]
    for row, scene in enumerate(scenes):
        units, apex, offset, remark = scene.action_units, scene.apex, scene.offset, None
        if row == 2:
            apex, remark = offset + 15, "apex after the offset"
        if is_cut(scene):
            offset, remark = offset + 40, f"folder ends at {scene.offset}"
        cells = (scene.person, clip_name(scene), scene.onset, apex, offset)
        rows.append((*cells, int(units) if units.isdigit() else units, scene.emotion, remark))
    write_workbook(root / WORKBOOK, {"Sheet1": rows})


LAYOUT = Layout("MMEW", 2, CAMERA, REPERTOIRE, plan_scenes, write_clip, write_labels, extra)
