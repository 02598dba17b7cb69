"""CASME: two sections at 60 fps, a workbook in each, whole clips as JPEG files.

Irregularities of the real database (Yan et al., FG 2013) that its readers handle: old workbooks with two
columns without a header and a duration called `Onset`; backslashes in empty cells; `comtempt`; frames named
after their clip or `img`, padded in section B only; a folder without a row.
"""

from collections.abc import Sequence
from pathlib import Path

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, Scene, make_scene, plan_scenes

CAMERA = Camera(480, 640, 60.0, 250.0)
"""That of section B. Section A was likely filmed at 1280 x 720, which takes three times as long to render."""

EMOTIONS = EmotionMix(
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
LAST_SUBJECT_OF_A = 7
EMPTY = "\\"  # in the cells without a value


def subject(scene: Scene) -> int:
    """Return the number of the subject.

    Odd persons fill section A first (subjects 1 to 7) and even ones section B, so that both sections exist
    however few people there are.
    """
    person = scene.person
    if person > 2 * LAST_SUBJECT_OF_A:
        return person
    if person % 2 == 0:
        return LAST_SUBJECT_OF_A + person // 2
    return (person + 1) // 2


def section(scene: Scene) -> str:
    """Return the section of the subject, A or B."""
    return "A" if subject(scene) <= LAST_SUBJECT_OF_A else "B"


def clip_name(scene: Scene) -> str:
    """Return the name of a clip, EPdd_d; one clip of every third subject has no second part."""
    number = subject(scene)
    if scene.number == 1 and number % 3 == 1:
        return "EP90"
    first = (5 * number + 2 * scene.number) % 17 + 1
    second = scene.number % 9 + 1
    return f"EP{first:02d}_{second}"


def frame_name(scene: Scene, number: int) -> str:
    """Return the file name of a frame: padded in section B; `img12.jpg` in some folders of section A."""
    clip = clip_name(scene)
    if section(scene) == "B":
        return f"{clip}-{number:03d}.jpg"
    if scene.number % 3 == 2:
        return f"img{number}.jpg"
    return f"{clip}-{number}.jpg"


def emotion_word(emotion: str) -> str:
    """Return the emotion as CASME spells it."""
    return "comtempt" if emotion == "contempt" else emotion


def clip_folder(root: Path, scene: Scene) -> Path:
    """Return the folder of a clip."""
    subject_folder = f"sub{subject(scene):02d}"
    return root / SECTIONS[section(scene)] / subject_folder / clip_name(scene)


def write_clip(root: Path, scene: Scene) -> None:
    """Write the whole clip, with frames before the onset and after the offset, numbered from 1."""
    folder = clip_folder(root, scene)
    folder.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=1):
        name = frame_name(scene, number)
        write_image(folder / name, frame)


def unlabelled(seed: int) -> list[Scene]:
    """Return the scene of a clip folder without a row; its number is 0."""
    return [make_scene(seed, 1, 0, "surprise", CAMERA)]


def has_no_offset(scene: Scene) -> bool:
    """Return whether the scene is the clip without an annotated offset."""
    return (scene.person, scene.number) == (1, 2)


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write a workbook for each section with at least one clip."""
    for name, folder in SECTIONS.items():
        rows = [_row(scene) for scene in scenes if section(scene) == name]
        if rows:
            write_workbook(root / folder / f"Section {name}.xls", {"Sheet1": [HEADER, *rows]})


def _row(scene: Scene) -> tuple[Cell, ...]:
    second_apex = scene.apex + 1 if scene.number % 4 == 3 else EMPTY
    offset = EMPTY if has_no_offset(scene) else scene.offset
    return (
        subject(scene),
        clip_name(scene),
        None,
        scene.onset,
        scene.apex,
        second_apex,
        offset,
        None,
        _duration_ms(scene, scene.apex),
        _duration_ms(scene, scene.offset),
        unit_cell(scene.action_units),
        emotion_word(scene.emotion),
    )


def _duration_ms(scene: Scene, last: int) -> int:
    """Return the duration from the onset to the end of a frame."""
    frames = last - scene.onset + 1
    return round(1000 * frames / CAMERA.fps)


LAYOUT = Layout(
    "CASME",
    3,
    CAMERA,
    EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    unlabelled=unlabelled,
    emotion_word=emotion_word,
    has_xls=True,
)
