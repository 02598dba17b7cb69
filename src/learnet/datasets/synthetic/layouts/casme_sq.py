"""CAS(ME)^2: long videos as frames at 30 fps, clips and face crops cut from them, a workbook without headers.

Irregularities of the real database (Qu et al., TAFFC 2018) that its readers handle: clips named after the
film that was watched, three sheets, subjects spelled in three ways, an offset of 0, a doubled suffix, a long
video in another person's folder, a video without crops.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.geometry import crop_view
from learnet.simulation.long_film import plan_film_scenes
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import DatabasePlan, EmotionMix, Expression, LongScene, plan_long_scenes

CAMERA = Camera(480, 640, 30.0, 250.0)
CROP = crop_view(240, 200)
"""The size is ours: that of the real crops is not known."""

EMOTIONS = EmotionMix(
    ("happiness", "disgust", "surprise", "others"),
    {"anger": 0.4, "disgust": 0.3, "fear": 0.15, "sadness": 0.15},
)
WORDS = {"happiness": "positive", "surprise": "surprise", "others": "others"}

SUBJECTS = (
    *(15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27),
    *(29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40),
)
"""Numbers in the folder names of the first 22 people, with the gaps of the real ones.

Later people fill the gaps.
"""

FILMS = {
    "disgust1": "0101teeth",
    "disgust2": "0102worms",
    "anger1": "0401crash",
    "anger2": "0402woman",
    "happy1": "0502errors",
    "happy2": "0503farting",
    "happy3": "0505inventions",
    "happy4": "0507wall",
    "happy5": "0508donkey",
}
"""Short name of a film -> its code and some words, which readers ignore."""

RAW, SELECTED, CROPPED = Path("rawpic"), Path("selectedpic"), Path("cropped")
WORKBOOK, BLINKS = "CAS(ME)^2code_final.xlsx", "CAS(ME)^2blink-code.xlsx"


@dataclass(frozen=True)
class NamedClip:
    """An expression of a long video and the name of its clip."""

    expression: Expression
    name: str


def plan(database: DatabasePlan) -> list[LongScene]:
    """Plan as many micro- as macro-expressions, in at most nine videos of each person.

    A video has at least two expressions.
    """
    per_video = max(2, -(-database.clips_per_person // len(FILMS)))
    if database.recording_s is not None:
        return plan_film_scenes(database, per_video)
    return plan_long_scenes(database, per_video=per_video)


def subject(person: int) -> int:
    """Return the number in the folder name of a person."""
    if person <= len(SUBJECTS):
        return SUBJECTS[person - 1]
    gaps = (number for number in count(1) if number not in SUBJECTS)
    position = person - len(SUBJECTS) - 1
    return next(islice(gaps, position, None))


def film(scene: LongScene) -> str:
    """Return the film that the person watched, a key of FILMS.

    The first person begins with the first film, the second with the third.
    """
    index = scene.number - 1 + 2 * (scene.person - 1)
    return list(FILMS)[index % len(FILMS)]


def clips(scene: LongScene) -> Iterator[NamedClip]:
    """Yield the clips of a video. Their names contain the film and a running number, not the emotion."""
    for number, expression in enumerate(scene.expressions, start=1):
        yield NamedClip(expression, f"{film(scene)}_{number}")


def is_misplaced(scene: LongScene) -> bool:
    """Return whether the video is stored in the folder of the previous person; it has no crops either."""
    return (scene.person, scene.number) == (2, 1)


def emotion_word(emotion: str) -> str:
    """Return one of the four words of CAS(ME)^2."""
    return WORDS.get(emotion, "negative")


def write_clip(root: Path, scene: LongScene) -> None:
    """Write all frames of the video, and those of its clips again under the same numbers."""
    person = scene.person
    folder_person = person - 1 if is_misplaced(scene) else person
    video = f"{subject(person)}_{FILMS[film(scene)]}"
    raw = root / RAW / f"s{subject(folder_person)}" / video
    raw.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=1):
        write_image(raw / f"img{number:03d}.jpg", frame)
        for clip in clips(scene):
            if clip.expression.onset <= number <= clip.expression.offset:
                _write_clip_frame(root, scene, clip, number, frame)


def _write_clip_frame(
    root: Path, scene: LongScene, clip: NamedClip, number: int, frame: UInt8[np.ndarray, "H W 3"]
) -> None:
    """Write a frame of a clip and its crop; one frame of the database has a doubled suffix."""
    person = subject(scene.person)
    file_name = f"img{number:03d}.jpg"
    whole = root / SELECTED / f"s{person}" / clip.name / file_name
    whole.parent.mkdir(parents=True, exist_ok=True)
    write_image(whole, frame)
    if (scene.person, scene.number, number) == (1, 1, clip.expression.onset + 1):
        whole.rename(f"{whole}.jpg")
    if is_misplaced(scene):
        return
    face = register(frame, scene.recording.conditions.view, CROP)
    cropped = root / CROPPED / str(person) / clip.name / file_name
    cropped.parent.mkdir(parents=True, exist_ok=True)
    write_image(cropped, face)


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """Write two workbooks without headers.

    The first macro-expression has the offset 0, as if the face had never returned to rest.
    """
    rows: list[list[Cell]] = []
    first_macro: list[Cell] | None = None
    for scene in scenes:
        for clip in clips(scene):
            row = _row(scene, clip)
            rows.append(row)
            if first_macro is None and clip.expression.kind == "macro":
                first_macro = row
    if first_macro is not None:
        first_macro[4] = 0
    people = sorted({scene.person for scene in scenes})
    subject_rows = [(subject(person), f"s{subject(person)}", person) for person in people]
    film_rows = [(code[:4], name) for name, code in FILMS.items()]
    sheets: dict[str, Sequence[Sequence[Cell]]] = {
        "CASFEcode_final": rows,
        "naming rule1": subject_rows,
        "naming rule2": film_rows,
    }
    write_workbook(root / WORKBOOK, sheets)
    header = ("subject", "video", "blink", "", "onset", "offset")
    blink = (subject(people[0]), "0101", 1, None, 3, 9)
    write_workbook(root / BLINKS, {"Sheet1": [header, blink]})


def _row(scene: LongScene, clip: NamedClip) -> list[Cell]:
    expression = clip.expression
    return [
        scene.person,
        clip.name,
        expression.onset,
        expression.apex,
        expression.offset,
        unit_cell(expression.action_units),
        emotion_word(expression.emotion),
        f"{expression.kind}-expression",
        expression.emotion,
    ]


LAYOUT = Layout(
    "CAS(ME)^2",
    6,
    CAMERA,
    EMOTIONS,
    plan,
    write_clip,
    write_labels,
    emotion_word=emotion_word,
    has_films=True,
)
