"""Simulated optical-flow images as a prepared folder, made from the movement model alone.

They are for training without licensed clips, and show no real face. Each image is one movement of one
person: the action units of an emotion or none, perhaps a blink, the head, and the errors of a flow estimator,
either imitated (`simulation.imitated_flow`) or run on rendered faces (`simulation.measured_flow`).
"""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError, pick
from learnet.core.settings import Preparation
from learnet.datasets.prepared.store import PreparedDataset
from learnet.datasets.synthetic.simulated_folder import Progress, Row, SimulatedFolder, write_simulated
from learnet.motion.flow import append_strain
from learnet.motion.normalise import per_channel
from learnet.simulation.apex_movement import BLINK_AND_HEAD, ApexMovement, BlinkAndHead, draw_movement
from learnet.simulation.emotions import ANY_UNITS, ONE_UNIT
from learnet.simulation.flow_processing import draw_processing, process_flow
from learnet.simulation.geometry import View
from learnet.simulation.imitated_flow import (
    ESTIMATOR_MODEL,
    EstimatorModel,
    crop_and_resize,
    draw_crop,
    draw_estimator_model,
    imitate_estimator,
    texture_map,
)
from learnet.simulation.measured_flow import (
    CLOSE_PICTURE,
    IMAGES_PER_PERSON,
    WIDE_PICTURE,
    FilmedPerson,
    make_filmed_person,
    measure_flow,
)
from learnet.simulation.movement import MODEL_FACE_PX
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation, format_units

GRID_WIDTH = 1.25  # width of the grid, face widths
EYE_HEIGHT = 0.36  # distance of the eyes from the top of the grid, share of its height
WIDE_GRID_WIDTH = 1.74  # the same for images of the variation "wide"
WIDE_EYE_HEIGHT = 0.40
CELLS_PER_PIXEL = 2.57  # of the grid per pixel of the image; speckle and smoothing look the same at any size
MEASURED_MODEL = replace(ESTIMATOR_MODEL, speckle=(0.0, 0.0))  # a measured flow already has a speckled strain
BLOCK = 30 * IMAGES_PER_PERSON  # images that one process makes at a time

Estimator = Literal["imitated", "measured", "both"]
Variation = Literal["narrow", "wide"]

NEGATIVE = {"disgust": 70, "anger": 57, "repression": 27, "contempt": 12, "fear": 8, "sadness": 6}
"""Frequency of each emotion among the negative clips of CASME II and SAMM in the composite of MEGC2019.

SMIC does not distinguish them.
"""

CLASSES: dict[str, dict[str, int]] = {
    "negative": NEGATIVE,
    "positive": {"happiness": 1},
    "surprise": {"surprise": 1},
    "none": {NO_EMOTION: 1},
    "any": {ANY_UNITS: 1},
    "alone": {ONE_UNIT: 1},
}
"""Class -> its emotions and their relative frequencies. All classes are equally frequent.

"any" are combinations of action units that need not belong to an emotion, and "alone" are single units; no
class scheme has them.
"""


@dataclass(frozen=True)
class FlowOptions:
    """What determines the pixels of a flow image, together with its number."""

    classes: tuple[str, ...]
    size: int
    seed: int
    estimator: Estimator
    variation: Variation


def simulate_flow(  # noqa: PLR0913  # each is an option of the command
    out: str | Path,
    images: int,
    classes: tuple[str, ...] = ("negative", "positive", "surprise"),
    size: int = 28,
    seed: int = 0,
    estimator: Estimator = "imitated",
    variation: Variation = "narrow",
    jobs: int = -1,
    progress: Progress | None = None,
) -> PreparedDataset:
    """Simulate optical-flow images with their emotions and action units.

    The channels are u, v and strain, each scaled to 0..255.

    Args:
        out: prepared folder to make. A folder that already has the same images is returned as it is.
        images: number of images. Fewer images are the first of more.
        classes: names of CLASSES, all equally frequent.
        size: height and width in pixels.
        seed: 0 or more. The same seed gives the same bytes.
        estimator: "imitated", with another person in each image; "measured" on rendered frames, with eight
            images per person and several times slower; or "both", eight images each in turn.
        variation: "narrow", made as the published images of MEGC2019 and those of `prepare` are; or "wide",
            with estimators, crops and scaling of all kinds (`simulation.flow_processing`) and with muscles
            that differ between people (`simulation.muscles`).
        jobs: processes; -1 is one per core.
        progress: called as images are made, with (images made, images in all).

    Raises:
        LearnetError: no images, an unknown class, a negative seed, or a size that no network accepts.
        OutputTaken: the folder contains something else.
    """
    check_options(images, classes, size, seed)
    names = ["flow"] * images
    if estimator != "imitated":
        names = [f"flow-{number + 1:06d}" for number in range(images)]
    options = FlowOptions(classes, size, seed, estimator, variation)
    folder = SimulatedFolder(
        kind="flow",
        preparation=None,
        options={
            "images": images,
            "classes": list(classes),
            "size": size,
            "seed": seed,
            "estimator": estimator,
            **({} if variation == "narrow" else {"variation": variation}),
        },
        people=[_person_of(number, estimator) for number in range(images)],
        names=names,
        block_size=BLOCK,
    )
    make_images = partial(_make_images, options=options)
    return write_simulated(Path(out), folder, make_images, jobs, progress)


def check_options(images: int, classes: tuple[str, ...], size: int, seed: int) -> None:
    """Check that images can be simulated.

    Raises:
        LearnetError: no images, an unknown class, a negative seed, or a size that no network accepts.
    """
    Preparation(size=size)  # refuses sizes that no network accepts
    if images < 1 or seed < 0 or not classes:
        raise LearnetError(
            f"Cannot make {images} images of {len(classes)} classes with seed {seed}.",
            "Choose at least one image and one class, and a seed from 0.",
        )
    for name in classes:
        pick(CLASSES, name, "class that can be simulated")


def _person_of(number: int, estimator: Estimator) -> int:
    """Return the number of the first image of the same person."""
    if _is_measured(number, estimator):
        return number - number % IMAGES_PER_PERSON
    return number


def _is_measured(number: int, estimator: Estimator) -> bool:
    """Return whether the flow of an image is measured rather than imitated."""
    if estimator == "both":
        block = number // IMAGES_PER_PERSON
        return block % 2 == 1
    return estimator == "measured"


def _make_images(numbers: range, options: FlowOptions) -> tuple[UInt8[np.ndarray, "N S S 3"], list[Row]]:
    """Return the images with these numbers, and the emotion and action units of each."""
    pixels = []
    rows: list[Row] = []
    for number in numbers:
        rng = np.random.default_rng([options.seed, number])
        filmed = None
        if _is_measured(number, options.estimator):
            first_number = _person_of(number, options.estimator)
            filmed = _filmed_person(options.seed, first_number, options.variation)
        if options.variation == "wide":
            image, emotion, units = draw_varied_image(options.classes, options.size, filmed, rng)
        elif filmed:
            flow_image, emotion, units = draw_measured_image(options.classes, options.size, filmed, rng)
            image = per_channel(flow_image)
        else:
            flow_image, emotion, units = draw_imitated_image(options.classes, options.size, rng)
            image = per_channel(flow_image)
        pixels.append(image)
        rows.append({"emotion": emotion, "action_units": format_units(units)})
    return np.stack(pixels), rows


@lru_cache(maxsize=1)
def _filmed_person(seed: int, person: int, variation: Variation) -> FilmedPerson:
    picture = WIDE_PICTURE if variation == "wide" else CLOSE_PICTURE
    return make_filmed_person(np.random.default_rng([seed, person, 1]), picture)


def draw_varied_image(
    classes: tuple[str, ...], size: int, filmed: FilmedPerson | None, rng: np.random.Generator
) -> tuple[UInt8[np.ndarray, "S S 3"], str, tuple[Activation, ...]]:
    """Draw an image of the variation "wide".

    Args:
        classes: names of CLASSES.
        size: height and width of the image in pixels.
        filmed: person and camera of a measured flow; None: the flow of a new person is imitated.
        rng: source of all random numbers.

    Returns:
        The image, the emotion, and its action units.
    """
    emotion = draw_emotion(classes, rng)
    if filmed:
        flow, view, activations = measure_flow(emotion, filmed, rng, any_estimator=True)
    else:
        view = wide_grid_view(size)
        model = draw_estimator_model(rng)
        flow, movement = draw_flow(emotion, view, rng, model, varied=True)
        activations = movement.activations
    image = process_flow(flow, view, draw_processing(rng), size, rng)
    return image, emotion, activations


def draw_measured_image(
    classes: tuple[str, ...], size: int, person: FilmedPerson, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "S S 3"], str, tuple[Activation, ...]]:
    """Draw an image with a measured flow; see `draw_imitated_image`."""
    emotion = draw_emotion(classes, rng)
    flow, view, activations = measure_flow(emotion, person, rng)
    crop = draw_crop(rng)
    flow_with_strain = append_strain(flow)
    image = crop_and_resize(flow_with_strain, view, crop, size, rng, MEASURED_MODEL)
    return image, emotion, activations


def draw_imitated_image(
    classes: tuple[str, ...],
    size: int,
    rng: np.random.Generator,
    model: EstimatorModel = ESTIMATOR_MODEL,
    blink_and_head: BlinkAndHead = BLINK_AND_HEAD,
) -> tuple[Float32[np.ndarray, "S S 3"], str, tuple[Activation, ...]]:
    """Draw an image with an imitated flow.

    Returns:
        The image (u, v, strain) before it is scaled to grey levels, the emotion, and its action units.
    """
    emotion = draw_emotion(classes, rng)
    view = grid_view(size)
    flow, movement = draw_flow(emotion, view, rng, model, blink_and_head=blink_and_head)
    crop = draw_crop(rng)
    flow_with_strain = append_strain(flow)
    image = crop_and_resize(flow_with_strain, view, crop, size, rng, model)
    return image, emotion, movement.activations


def draw_emotion(classes: tuple[str, ...], rng: np.random.Generator) -> str:
    """Draw an emotion of one of the classes, which are equally frequent."""
    class_index = rng.integers(len(classes))
    emotions = CLASSES[classes[class_index]]
    names = list(emotions)
    frequencies = np.array(list(emotions.values()), float)
    probabilities = frequencies / frequencies.sum()
    return names[rng.choice(len(names), p=probabilities)]


def grid_view(size: int) -> View:
    """Return the grid on which the flow of an image of `size` pixels is computed."""
    side = round(CELLS_PER_PIXEL * size)
    origin = ((side - 1) / 2, EYE_HEIGHT * side)
    return View(side, side, side / GRID_WIDTH, origin)


def wide_grid_view(size: int) -> View:
    """Return a grid like that of `grid_view`, with room for loose crops."""
    face_px = CELLS_PER_PIXEL * size / GRID_WIDTH
    side = round(WIDE_GRID_WIDTH * face_px)
    origin = ((side - 1) / 2, WIDE_EYE_HEIGHT * side)
    return View(side, side, face_px, origin)


def draw_flow(
    emotion: str,
    view: View,
    rng: np.random.Generator,
    model: EstimatorModel = ESTIMATOR_MODEL,
    varied: bool = False,
    blink_and_head: BlinkAndHead = BLINK_AND_HEAD,
) -> tuple[Float32[np.ndarray, "H W 2"], ApexMovement]:
    """Draw the flow that an estimator would return for a new person, and the true movement.

    Args:
        emotion: a key of `simulation.emotions.EMOTIONS`, ANY_UNITS, or NO_EMOTION.
        view: grid of the flow.
        rng: source of all random numbers.
        model: errors of the estimator.
        varied: draw the person's muscles and the frames as well, see `draw_movement`.
        blink_and_head: frequency and size of blinks and head motion.

    Returns:
        The flow in cells of the grid, and the movement.

    Raises:
        UnknownName: the emotion cannot be simulated.
    """
    movement = draw_movement(emotion, view, rng, varied, blink_and_head)
    texture = texture_map(movement.geometry, view, rng, model)
    flow = imitate_estimator(
        movement.field,
        texture,
        movement.strongest,
        view.face_px / MODEL_FACE_PX,
        rng,
        model,
    )
    return flow, movement
