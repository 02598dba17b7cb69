"""Optical-flow images made from the movement model alone, as a prepared folder: nobody's face is in them.

For learning without licensed clips. Each image is a person at one moment: action units of an emotion or of none, perhaps a blink, the
head, and what an estimator makes of it: imitated (`simulate.estimate`) or really run on rendered faces (`simulate.measure_flow`).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError, pick
from learnet.core.files import report_disk_errors, sha256_hex
from learnet.core.parallel import parallel_map
from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, already_there, save_prepared, versions
from learnet.motion.flow import append_strain
from learnet.motion.normalise import per_channel
from learnet.simulation.apex_movement import ApexMovement, draw_movement
from learnet.simulation.geometry import View
from learnet.simulation.imitated_flow import (
    ESTIMATOR_MODEL,
    EstimatorModel,
    crop_and_resize,
    draw_crop,
    imitate_estimator,
    texture_map,
)
from learnet.simulation.measured_flow import IMAGES_PER_PERSON, FilmedPerson, make_filmed_person, measure_flow
from learnet.simulation.movement import MODEL_FACE_PX
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation, format_units

Progress = Callable[[int, int], None]  # images made, images in all
Row = dict[str, object]  # of `clips.csv`: what is known of an image beyond whose it is
ImageMaker = Callable[[range], tuple[UInt8[np.ndarray, "N S S 3"], list[Row]]]

DATASET = "simulated"
GRID_WIDTH = 1.25  # face widths across the grid
EYE_HEIGHT = 0.36  # how far down the grid they lie
MEASURED_MODEL = replace(ESTIMATOR_MODEL, speckle=(0.0, 0.0))  # its strain is as speckled as the estimator left it
CELLS_PER_PIXEL = 2.57  # places of the grid per pixel of the image, so that its speckle and smoothing look the same at any size
BLOCK = 30 * IMAGES_PER_PERSON  # images that one process makes at a time

Estimator = Literal["imitated", "measured", "both"]

NEGATIVE = {"disgust": 70, "anger": 57, "repression": 27, "contempt": 12, "fear": 8, "sadness": 6}
"""How often each occurs among the negative clips of CASME II and SAMM in the composite of MEGC2019; SMIC says only negative."""

CLASSES: dict[str, dict[str, int]] = {
    "negative": NEGATIVE, "positive": {"happiness": 1}, "surprise": {"surprise": 1}, "none": {NO_EMOTION: 1},
}  # fmt: skip
"""Class -> its emotions and how often each is drawn. Every class is drawn equally often."""


def simulate_flow(
    out: Path,
    images: int,
    classes: tuple[str, ...] = ("negative", "positive", "surprise"),
    size: int = 28,
    seed: int = 0,
    estimator: Estimator = "imitated",
    jobs: int = -1,
    progress: Progress | None = None,
) -> PreparedDataset:
    """Make optical-flow images (u, v, strain, each channel stretched to 0..255) with their emotions and action units.

    Args:
        out: prepared folder to make; returned as it is where it holds the very same images.
        images: how many. The first of a larger number are those of a smaller one.
        classes: names of CLASSES, drawn equally often.
        size: height and width in pixels.
        seed: the same seed gives the same bytes.
        estimator: "imitated", each image another person; "measured" on rendered frames, eight images a person and several times as
            slow; "both" in turn, eight by eight.
        jobs: processes; -1 is one per core.
        progress: called as images are made.

    Raises:
        LearnetError: no images, an unknown class, or a size that no network takes.
        OutputTaken: OUT holds something else.
    """
    check_options(images, classes, size, seed)
    people = [_person(number, estimator) for number in range(images)]
    names = (
        ["flow"] * images
        if estimator == "imitated"
        else [f"flow-{number + 1:06d}" for number in range(images)]
    )
    reading = {"images": images, "classes": list(classes), "size": size, "seed": seed, "estimator": estimator}
    work = partial(_block, classes=classes, size=size, seed=seed, estimator=estimator)
    return write_simulated(out, SimulatedFolder("flow", None, reading, people, names, BLOCK), work, jobs, progress)


@dataclass(frozen=True)
class SimulatedFolder:
    """A folder of simulated images that is to be made."""

    kind: Literal["flow", "image"]  # what a mirrored face does to them, as in `prepare.json`
    preparation: Preparation | None  # None where no clip is folded
    reading: dict[str, object]  # all wishes: the same wishes give the same bytes
    people: Sequence[int]  # who each image shows: the number of the first image of the same person
    names: Sequence[str]  # of their clips
    block: int  # images that one process makes at a time


def check_options(images: int, classes: tuple[str, ...], size: int, seed: int) -> None:
    """Refuse images that cannot be simulated.

    Raises:
        LearnetError: no images, an unknown class, a negative seed, or a size that no network takes.
    """
    Preparation(size=size)  # refuses what no network takes
    if images < 1 or seed < 0 or not classes:
        raise LearnetError(
            f"Cannot make {images} images of {len(classes)} classes with seed {seed}.",
            "At least one, and a seed from 0.",
        )
    for name in classes:
        pick(CLASSES, name, "class that can be simulated")


def write_simulated(
    out: Path, series: SimulatedFolder, work: ImageMaker, jobs: int, progress: Progress | None
) -> PreparedDataset:
    """Make a folder of simulated images, or return it as it is where it holds the very same.

    Args:
        out: prepared folder.
        series: what is to be made.
        work: numbers of images -> these images, and of each what `clips.csv` says of it; numbers may come in any order.
        jobs: processes; -1 is one per core.
        progress: called as images are made.

    Raises:
        OutputTaken: OUT holds something else.
    """
    images = len(series.people)
    record = PrepareRecord(
        imported=True,  # no clip was prepared
        preparation=series.preparation,
        images_kind=series.kind,
        synthetic=True,
        simulated=True,  # every image is somebody else, and nobody: their names are not kept with weights
        reading=series.reading,
        inputs=sha256_hex(repr(series.reading).encode()),
        versions=versions(),
        clips=images,
        people=len(set(series.people)),
    )
    if present := already_there(out, record):
        return present
    pixels, rows = [], []
    starts = [range(start, min(start + series.block, images)) for start in range(0, images, series.block)]
    for made, told in parallel_map(work, starts, jobs):
        pixels.append(made)
        rows += told
        if progress:
            progress(len(rows), images)
    with report_disk_errors(out):
        return save_prepared(out, pixels, _table(rows, series), record, [])


def _table(rows: list[Row], series: SimulatedFolder) -> pd.DataFrame:
    subjects = pd.Series([f"{number + 1:06d}" for number in series.people])
    table = pd.DataFrame(rows).assign(
        image=range(len(rows)), subject=subjects, name=series.names, dataset=DATASET, apex_source="none"
    )
    person = DATASET + "/" + subjects
    return table.assign(person=person, clip=person + "/" + table["name"])


def _person(number: int, estimator: Estimator) -> int:
    """Number of the first image of the same person."""
    return number - number % IMAGES_PER_PERSON if _is_measured(number, estimator) else number


def _is_measured(number: int, estimator: Estimator) -> bool:
    return estimator == "measured" or (estimator == "both" and number // IMAGES_PER_PERSON % 2 == 1)


def _block(
    numbers: range, classes: tuple[str, ...], size: int, seed: int, estimator: Estimator
) -> tuple[UInt8[np.ndarray, "N S S 3"], list[Row]]:
    """Images of these numbers, and of each its emotion and action units."""
    made = []
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        sitter = _sitter(seed, _person(number, estimator)) if _is_measured(number, estimator) else None
        made.append(
            draw_measured_image(classes, size, sitter, rng) if sitter else draw_imitated_image(classes, size, rng)
        )
    told: list[Row] = [{"emotion": emotion, "action_units": format_units(units)} for _, emotion, units in made]
    return np.stack([per_channel(image) for image, _, _ in made]), told


@lru_cache(maxsize=1)
def _sitter(seed: int, person: int) -> FilmedPerson:
    return make_filmed_person(np.random.default_rng([seed, person, 1]))


def draw_measured_image(
    classes: tuple[str, ...], size: int, sitter: FilmedPerson, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "S S 3"], str, tuple[Activation, ...]]:
    """As `draw_imitated_image`, of a rendered face and with an estimator that is really run."""
    emotion = draw_emotion(classes, rng)
    found, view, activations = measure_flow(emotion, sitter, rng)
    return crop_and_resize(append_strain(found), view, draw_crop(rng), size, rng, MEASURED_MODEL), emotion, activations


def draw_imitated_image(
    classes: tuple[str, ...], size: int, rng: np.random.Generator, estimate: EstimatorModel = ESTIMATOR_MODEL
) -> tuple[Float32[np.ndarray, "S S 3"], str, tuple[Activation, ...]]:
    """One image before it is stretched, the emotion, and the action units at work."""
    emotion = draw_emotion(classes, rng)
    view = grid_view(size)
    found, moment = draw_flow(emotion, view, rng, estimate)
    return crop_and_resize(append_strain(found), view, draw_crop(rng), size, rng, estimate), emotion, moment.activations


def draw_emotion(classes: tuple[str, ...], rng: np.random.Generator) -> str:
    """An emotion of one of the CLASSES, each class as often as another."""
    emotions = CLASSES[classes[rng.integers(len(classes))]]
    names, weights = list(emotions), np.array(list(emotions.values()), float)
    return names[rng.choice(len(names), p=weights / weights.sum())]


def grid_view(size: int) -> View:
    """The grid that images of SIZE x SIZE pixels are cut from, the face as wide and as high in it for everybody."""
    side = round(CELLS_PER_PIXEL * size)
    return View(side, side, side / GRID_WIDTH, ((side - 1) / 2, EYE_HEIGHT * side))


def draw_flow(
    emotion: str, view: View, rng: np.random.Generator, estimate: EstimatorModel = ESTIMATOR_MODEL
) -> tuple[Float32[np.ndarray, "H W 2"], ApexMovement]:
    """The flow that an estimator would find on somebody new showing an EMOTION, in places of the grid, and what truly moved.

    Raises:
        UnknownName: an emotion that cannot be simulated.
    """
    moment = draw_movement(emotion, view, rng)
    seen = texture_map(moment.geometry, view, rng, estimate)
    return imitate_estimator(
        moment.field, seen, moment.strongest, view.face_px / MODEL_FACE_PX, rng, estimate
    ), moment
