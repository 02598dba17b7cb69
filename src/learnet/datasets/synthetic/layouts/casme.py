"""CASME: two sections at 60 fps, a workbook in each, whole clips as JPEG files.

As the real one (Yan et al., FG 2013) is met by its loaders: old workbooks with two nameless columns and a duration called `Onset`,
backslashes where there is nothing, `comtempt`, frames called by their clip or `img`, padded in section B only, a folder without a row.
"""

from collections.abc import Sequence
from pathlib import Path

from learnet.datasets.synthetic.layouts.writing import Layout, write_image, write_workbook
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, Scene, make_scene, plan_scenes

CAMERA = Camera(480, 640, 60.0, 250.0)
"""Section B's. Section A was likely filmed at 1280 x 720, which takes three times as long to render; both are one size here."""

REPERTOIRE = EmotionMix(
    ("tense", "disgust", "repression", "surprise"),
    {"tense": 0.35, "happiness": 0.25, "sadness": 0.20, "contempt": 0.10, "fear": 0.10},
)
"""The four frequent labels, then tense and the rare ones."""

HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetF",
    "ApexF1",
    "ApexF2",
    "OffsetF",
    None,
    "Onset",
    "Total",
    "AU",
    "Emotion",
)
SECTIONS = {"A": Path("CASME_A", "Section A"), "B": Path("CASME_B", "Section B")}
LAST_OF_A = 7
NOTHING = "\\"


def subject(scene: Scene) -> int:
    """Odd persons first fill section A (subjects 1 to 7), even ones go to section B, so that both are there however few people are."""
    person = scene.person
    if person > 2 * LAST_OF_A:
        return person
    return LAST_OF_A + person // 2 if person % 2 == 0 else (person + 1) // 2


def section(scene: Scene) -> str:
    """A or B, by the subject."""
    return "A" if subject(scene) <= LAST_OF_A else "B"


def clip_name(scene: Scene) -> str:
    """EPdd_d, the second part missing for one clip of every third subject; clip 0 is the one without a row."""
    if scene.number == 1 and subject(scene) % 3 == 1:
        return "EP90"
    return f"EP{(5 * subject(scene) + 2 * scene.number) % 17 + 1:02d}_{scene.number % 9 + 1}"


def frame_name(scene: Scene, number: int) -> str:
    """`img12.jpg` in some folders of section A, else called by the clip; padded in section B."""
    if section(scene) == "B":
        return f"{clip_name(scene)}-{number:03d}.jpg"
    return f"img{number}.jpg" if scene.number % 3 == 2 else f"{clip_name(scene)}-{number}.jpg"


def named(emotion: str) -> str:
    """As CASME spells it."""
    return "comtempt" if emotion == "contempt" else emotion


def folder_of(root: Path, scene: Scene) -> Path:
    """Where the images of a clip lie."""
    return root / SECTIONS[section(scene)] / f"sub{subject(scene):02d}" / clip_name(scene)


def write_clip(root: Path, scene: Scene) -> None:
    """The whole clip, with frames before the onset and after the offset, counted from 1."""
    folder = folder_of(root, scene)
    folder.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=1):
        write_image(folder / frame_name(scene, number), frame)


def extra(seed: int) -> list[Scene]:
    """A clip folder without a row."""
    return [make_scene(seed, 1, 0, "surprise", CAMERA)]


def has_no_offset(scene: Scene) -> bool:
    """The clip whose offset nobody wrote down."""
    return (scene.person, scene.number) == (1, 2)


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """A workbook in each section that has anybody."""
    for name, way in SECTIONS.items():
        if own := [scene for scene in scenes if section(scene) == name]:
            write_workbook(root / way / f"Section {name}.xls", {"Sheet1": [HEADER, *map(_row, own)]})


def _row(scene: Scene) -> tuple[str | int | None, ...]:
    units = scene.action_units
    second = scene.apex + 1 if scene.number % 4 == 3 else NOTHING
    offset = NOTHING if has_no_offset(scene) else scene.offset
    onset_ms, total_ms = (
        round(1000 * (mark - scene.onset + 1) / CAMERA.fps) for mark in (scene.apex, scene.offset)
    )
    cells = (
        subject(scene),
        clip_name(scene),
        None,
        scene.onset,
        scene.apex,
        second,
        offset,
        None,
        onset_ms,
        total_ms,
    )
    return (*cells, int(units) if units.isdigit() else units, named(scene.emotion))


LAYOUT = Layout("CASME", 3, CAMERA, REPERTOIRE, plan_scenes, write_clip, write_labels, extra, named)
