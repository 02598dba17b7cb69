"""CAS(ME)^2: long videos as frames at 30 fps, the expressions cut from them whole and as face crops, a workbook without headers.

As the real one (Qu et al., TAFFC 2018) is met by its loaders: clips called by the film that was watched, three sheets, subjects spelled in
three ways, an offset of 0, a doubled suffix, a long video in another person's folder, a video without crops.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from learnet.datasets.synthetic.layouts.writing import Layout, write_image, write_workbook
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import EmotionMix, Expression, LongScene, plan_long_scenes

CAMERA = Camera(480, 640, 30.0, 250.0)
CROP = crop_view(240, 200)
"""The size is ours: that of the real crops is not known."""

REPERTOIRE = EmotionMix(
    ("happiness", "disgust", "surprise", "others"),
    {"anger": 0.4, "disgust": 0.3, "fear": 0.15, "sadness": 0.15},
)
WORDS = {"happiness": "positive", "surprise": "surprise", "others": "others"}

SUBJECTS = (15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40)
"""Numbers in the names of the first 22 people's folders, with the gaps of the real ones. Whoever comes after fills the gaps."""

FILMS = {
    "disgust1": "0101teeth", "disgust2": "0102worms", "anger1": "0401crash", "anger2": "0402woman",
    "happy1": "0502errors", "happy2": "0503farting", "happy3": "0505inventions", "happy4": "0507wall", "happy5": "0508donkey",
}  # fmt: skip
"""Short name of a film -> its code and some words, which nobody should read."""

RAW, SELECTED, CROPPED = Path("rawpic"), Path("selectedpic"), Path("cropped")
WORKBOOK, BLINKS = "CAS(ME)^2code_final.xlsx", "CAS(ME)^2blink-code.xlsx"


@dataclass(frozen=True)
class Cut:
    """One expression and what its clip is called."""

    shown: Expression
    name: str


def plan(people: int, clips: int, seed: int, camera: Camera, repertoire: EmotionMix) -> list[LongScene]:
    """A micro- to every macro-expression, two in a video; more where nine films would not do."""
    return plan_long_scenes(
        people, clips, seed, camera, repertoire, per_video=max(2, -(-clips // len(FILMS)))
    )


def subject(person: int) -> int:
    """The number in the name of a person's folder."""
    gaps = (number for number in count(1) if number not in SUBJECTS)
    return next(islice(chain(SUBJECTS, gaps), person - 1, None))


def film(scene: LongScene) -> str:
    """What the person watched: a name of FILMS; the second person begins with the third film."""
    return list(FILMS)[(scene.number - 1 + 2 * (scene.person - 1)) % len(FILMS)]


def cuts(scene: LongScene) -> Iterator[Cut]:
    """The clips of a video. Their names count the expressions in it and tell the film, not the emotion."""
    for number, shown in enumerate(scene.expressions, start=1):
        yield Cut(shown, f"{film(scene)}_{number}")


def misplaced(scene: LongScene) -> bool:
    """The long video that lies in the folder of the person before; it has no crops either."""
    return (scene.person, scene.number) == (2, 1)


def named(emotion: str) -> str:
    """One of the four words of CAS(ME)^2."""
    return WORDS.get(emotion, "negative")


def write_clip(root: Path, scene: LongScene) -> None:
    """All frames of the video, and those of its clips again under the same numbers."""
    number = subject(scene.person)
    raw = root / RAW / f"s{subject(scene.person - misplaced(scene))}" / f"{number}_{FILMS[film(scene)]}"
    raw.mkdir(parents=True)
    for place, frame in enumerate(render(scene.recording), start=1):
        write_image(raw / f"img{place:03d}.jpg", frame)
        for cut in cuts(scene):
            if cut.shown.onset <= place <= cut.shown.offset:
                _write_cut(root, scene, cut, place, frame)


def _write_cut(root: Path, scene: LongScene, cut: Cut, place: int, frame: UInt8[np.ndarray, "H W 3"]) -> None:
    number = subject(scene.person)
    doubled = (scene.person, scene.number, place) == (1, 1, cut.shown.onset + 1)
    whole = root / SELECTED / f"s{number}" / cut.name / f"img{place:03d}.jpg"
    whole.parent.mkdir(parents=True, exist_ok=True)
    write_image(whole, frame)
    if doubled:
        whole.rename(f"{whole}.jpg")
    if not misplaced(scene):
        crop = root / CROPPED / str(number) / cut.name / whole.name
        crop.parent.mkdir(parents=True, exist_ok=True)
        write_image(crop, register(frame, scene.recording.conditions.view, CROP))


def write_labels(root: Path, scenes: Sequence[LongScene]) -> None:
    """Three sheets without headers. The first macro-expression has the offset 0, as if it had never returned to rest."""
    rows: list[tuple] = []
    for scene in scenes:
        for cut in cuts(scene):
            shown = cut.shown
            kind = f"{shown.kind}-expression"
            first_macro = shown.kind == "macro" and not any(row[7] == kind for row in rows)
            units = int(shown.action_units) if shown.action_units.isdigit() else shown.action_units
            cells = (scene.person, cut.name, shown.onset, shown.apex, 0 if first_macro else shown.offset)
            rows.append((*cells, units, named(shown.emotion), kind, shown.emotion))
    people = sorted({scene.person for scene in scenes})
    write_workbook(
        root / WORKBOOK,
        {
            "CASFEcode_final": rows,
            "naming rule1": [(subject(person), f"s{subject(person)}", person) for person in people],
            "naming rule2": [(code[:4], name) for name, code in FILMS.items()],
        },
    )
    header = ("subject", "video", "blink", "", "onset", "offset")
    write_workbook(root / BLINKS, {"Sheet1": [header, (subject(people[0]), "0101", 1, None, 3, 9)]})


LAYOUT = Layout("CAS(ME)^2", 6, CAMERA, REPERTOIRE, plan, write_clip, write_labels, named=named)
