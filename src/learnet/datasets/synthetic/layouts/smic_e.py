"""SMIC-E, camera HS: long clips at 100 fps with one to three micro-expressions, at rest in between.

Irregularities of the real database (Li et al., FG 2013, and its extended version) that its readers handle:
subjects padded and clips not, frame numbers of a counter that ran through all recordings, an older workbook
without emotions, notes below the table. The names of some columns are not known.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, write_image, write_workbook
from learnet.simulation.film import EXPRESSION
from learnet.simulation.geometry import crop_view
from learnet.simulation.long_film import FilmContent, plan_film_scenes
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import DatabasePlan, EmotionMix, LongScene, make_long_scene

CAMERA = Camera(320, 400, 100.0, crop_view(170, 140).face_px)
"""The faces are as large as in SMIC. Whole frames would be 640 x 480; only the face is rendered."""

EMOTIONS = EmotionMix(
    ("disgust", "happiness", "surprise"),
    {"disgust": 0.25, "sadness": 0.2, "happiness": 0.3, "surprise": 0.25},
)
WORDS = {"happiness": "positive", "surprise": "surprise"}
CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}

HOME = Path("SMIC-E_raw image", "HS_long")
TREE = HOME / "SMIC-HS-E" / "HS"
WORKBOOK, OLD_WORKBOOK = "SMIC-HS-E_annotation_2019.xlsx", "SMIC-HS-E_annotation.xlsx"
MAX_EXPRESSIONS = 3  # in one long clip
HEADER = (
    *("Subject", "Filename", "Session"),
    *("OnsetF", "OffsetF", "OnsetF2", "OffsetF2", "OnsetF3", "OffsetF3"),
    *("TotalF", "FirstF", "LastF", None, None, None, None, "Emotion"),
)
NOTES: list[tuple[Cell, ...]] = [
    (),
    ("Note:", "the clips of this table are synthetic"),
    ("One clip was lost",),
    ("Total", "see the first column"),
]
FILM_CONTENT = FilmContent((EXPRESSION,), MAX_EXPRESSIONS, one_emotion=True)
EXPRESSIONS = (1, 3, 2)
"""Number of expressions in each long clip, in turn; each person begins with another."""

COUNTERS = {1: 76_000, 2: 17_580_000, 0: 997_000}
"""Counter before the first clip of every third person: five digits, eight, and six that become seven."""


def plan(database: DatabasePlan) -> list[LongScene]:
    """Plan the long clips of every person.

    All expressions of a clip have the same emotion, because its row in the workbook has only one.
    """
    if database.recording_s is not None:
        films = plan_film_scenes(database, MAX_EXPRESSIONS, FILM_CONTENT)
        return [film for film in films if film.expressions]
    scenes = []
    for person in range(1, database.people + 1):
        rng = np.random.default_rng([database.seed, person])
        emotions = _draw_emotions(database.emotions, rng)
        remaining = database.clips_per_person
        number = 0
        while remaining:
            number += 1
            size = EXPRESSIONS[(person + number) % len(EXPRESSIONS)]
            size = min(remaining, size)
            expressions = [("micro", next(emotions))] * size
            scene = make_long_scene(database.seed, person, number, expressions, database.camera)
            scenes.append(scene)
            remaining -= size
    return scenes


def _draw_emotions(mix: EmotionMix, rng: np.random.Generator) -> Iterator[str]:
    """Yield the main emotions in random order, then draws from the others."""
    yield from map(str, rng.permutation(mix.main))
    names = list(mix.other_shares)
    shares = list(mix.other_shares.values())
    while True:
        yield str(rng.choice(names, p=shares))


def emotion_word(emotion: str) -> str:
    """Return one of the three words."""
    return WORDS.get(emotion, "negative")


def clip_name(scene: LongScene) -> str:
    """Return the name of a clip: subject without padding, code, running number."""
    code = CODES[_emotion_of_clip(scene)]
    return f"s{scene.person}_{code}_{50 + scene.number}"


def first_frame(scene: LongScene) -> int:
    """Return the number of the first frame."""
    start = COUNTERS[scene.person % 3]
    return start + 3000 * (scene.number - 1) + 400


def write_clip(root: Path, scene: LongScene) -> None:
    """Write the whole long clip."""
    folder = root / TREE / f"s{scene.person:02d}" / clip_name(scene)
    folder.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=first_frame(scene)):
        write_image(folder / f"image{number:06d}.jpg", frame)


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """Write the workbook: header, rows and notes; and the older workbook without the last column."""
    rows = [_row(scene) for scene in scenes]
    write_workbook(root / HOME / WORKBOOK, {"Sheet1": [HEADER, *rows, *NOTES]})
    old_rows = [row[:-1] for row in rows]
    write_workbook(root / HOME / OLD_WORKBOOK, {"Sheet1": [HEADER[:-1], *old_rows, *NOTES]})


def _row(scene: LongScene) -> list[Cell]:
    first = first_frame(scene)
    frames = scene.recording.frames
    marks: list[Cell] = [None] * (2 * MAX_EXPRESSIONS)
    for index, expression in enumerate(scene.expressions):
        marks[2 * index] = first + expression.onset - 1
        marks[2 * index + 1] = first + expression.offset - 1
    unnamed_columns = [None] * 4
    return [
        scene.person,
        clip_name(scene),
        None,
        *marks,
        frames,
        first,
        first + frames - 1,
        *unnamed_columns,
        _emotion_of_clip(scene),
    ]


def _emotion_of_clip(scene: LongScene) -> str:
    return emotion_word(scene.expressions[0].emotion)


LAYOUT = Layout(
    "SMIC-E",
    5,
    CAMERA,
    EMOTIONS,
    plan,
    write_clip,
    write_labels,
    emotion_word=emotion_word,
    has_films=True,
)
