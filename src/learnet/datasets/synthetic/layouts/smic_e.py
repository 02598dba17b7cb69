"""SMIC-E, camera HS: long clips at 100 fps of one to three micro-expressions, at rest before, between and after.

As the real one (Li et al., FG 2013, and its extended version) is met by its loaders: subjects padded and clips not, numbers of a counter
that ran through the recordings, an older workbook without emotions, notes below the table. Names of some columns are not known.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, write_image, write_workbook
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import EmotionMix, LongScene, check_plan, make_long_scene

CAMERA = Camera(320, 400, 100.0, crop_view(170, 140).face_px)
"""The faces have the size of SMIC's. Whole pictures would be 640 x 480; only what is around the face is rendered."""

REPERTOIRE = EmotionMix(
    ("disgust", "happiness", "surprise"),
    {"disgust": 0.25, "sadness": 0.2, "happiness": 0.3, "surprise": 0.25},
)
CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}

HOME = Path("SMIC-E_raw image", "HS_long")
TREE = HOME / "SMIC-HS-E" / "HS"
WORKBOOK, OLDER = "SMIC-HS-E_annotation_2019.xlsx", "SMIC-HS-E_annotation.xlsx"
MOST = 3  # expressions in one long clip
HEADER = (
    *("Subject", "Filename", "Session", "OnsetF", "OffsetF", "OnsetF2", "OffsetF2", "OnsetF3", "OffsetF3"),
    *("TotalF", "FirstF", "LastF", None, None, None, None, "Emotion"),
)
NOTES: list[tuple[Cell, ...]] = [
    (),
    ("Note:", "the clips of this table are synthetic"),
    ("One clip was lost",),
    ("Total", "see the first column"),
]
EXPRESSIONS = (1, 3, 2)
"""How many each long clip has, in turn; each person begins elsewhere."""

COUNTERS = {1: 76_000, 2: 17_580_000, 0: 997_000}
"""Where the counter stood before the first clip of every third person: under 100000, at eight digits, about to need a seventh."""


def plan(people: int, clips: int, seed: int, camera: Camera, repertoire: EmotionMix) -> list[LongScene]:
    """Long clips of every person with CLIPS expressions in all, those of one clip of one emotion: a row has only one.

    Raises:
        LearnetError: fewer than one person or clip, or a negative seed.
    """
    check_plan(people, clips, seed)
    scenes = []
    for person in range(1, people + 1):
        emotions = _emotions(repertoire, np.random.default_rng([seed, person]))
        left, number = clips, 0
        while left:
            number += 1
            count = min(left, EXPRESSIONS[(person + number) % len(EXPRESSIONS)])
            scenes.append(make_long_scene(seed, person, number, [("micro", next(emotions))] * count, camera))
            left -= count
    return scenes


def _emotions(repertoire: EmotionMix, rng: np.random.Generator) -> Iterator[str]:
    """The main emotions in random order, then draws from the others."""
    yield from map(str, rng.permutation(repertoire.main))
    while True:
        yield str(rng.choice(list(repertoire.others), p=list(repertoire.others.values())))


def named(emotion: str) -> str:
    """One of the three words."""
    return {"happiness": "positive", "surprise": "surprise"}.get(emotion, "negative")


def clip_name(scene: LongScene) -> str:
    """Subject unpadded, code, running number."""
    return f"s{scene.person}_{CODES[named(scene.expressions[0].emotion)]}_{50 + scene.number}"


def first_frame(scene: LongScene) -> int:
    """Number of the first image."""
    return COUNTERS[scene.person % 3] + 3000 * (scene.number - 1) + 400


def write_clip(root: Path, scene: LongScene) -> None:
    """The whole long clip."""
    folder = root / TREE / f"s{scene.person:02d}" / clip_name(scene)
    folder.mkdir(parents=True)
    for number, frame in enumerate(render(scene.recording), start=first_frame(scene)):
        write_image(folder / f"image{number:06d}.jpg", frame)


def cells(scene: LongScene) -> list[Cell]:
    """The row of a long clip."""
    first, frames = first_frame(scene), scene.recording.frames
    marks = [first + mark - 1 for shown in scene.expressions for mark in (shown.onset, shown.offset)]
    blanks = [None] * (2 * MOST - len(marks))
    emotion = named(scene.expressions[0].emotion)
    return [
        scene.person,
        clip_name(scene),
        None,
        *marks,
        *blanks,
        frames,
        first,
        first + frames - 1,
        None,
        None,
        None,
        None,
        emotion,
    ]


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """Header, rows and notes; once more without the last column."""
    rows = [cells(scene) for scene in scenes]
    write_workbook(root / HOME / WORKBOOK, {"Sheet1": [HEADER, *rows, *NOTES]})
    write_workbook(root / HOME / OLDER, {"Sheet1": [HEADER[:-1], *(row[:-1] for row in rows), *NOTES]})


LAYOUT = Layout("SMIC-E", 5, CAMERA, REPERTOIRE, plan, write_clip, write_labels, named=named)
