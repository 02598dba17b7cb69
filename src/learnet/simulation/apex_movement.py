"""Movement of a face from the onset to the apex: an expression or none, perhaps a blink, and the head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from learnet.simulation.emotions import ExpressionStyle, draw_expression, make_style
from learnet.simulation.geometry import Geometry, View, vary_face
from learnet.simulation.movement import MODEL_FACE_PX, HeadPose, displacement, head_displacement
from learnet.simulation.muscles import Muscles
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation, both_sides

CLOSING_SHARE = 0.7  # share of the blinks in which the lids close rather than open

HEAD_PX = 0.25
"""Mean head motion, pixels of a face 112 wide. HEAD_SCALES gives the turns, nods, rolls and growth."""


@dataclass(frozen=True)
class BlinkAndHead:
    """Movement between onset and apex that belongs to no expression.

    It was fitted with ESTIMATOR_MODEL, without labels. The lids move by less than in a full blink, because
    onset and apex of a labelled clip do not include one.
    """

    blink_share: float = 0.59  # of the movements in which the lids close or open
    lid_px: float = 0.71  # largest displacement of a lid, pixels of a face 112 wide
    head_px: float = HEAD_PX


BLINK_AND_HEAD = BlinkAndHead()

HEAD_SCALES = np.array([1.0, 1.0, 40.0, 60.0, 60.0, 1.5])  # of the components of HeadPose

OTHER_FRAMES_SHARE = 0.3  # share of varied movements between other frames than the onset and the apex
PART_AT_OTHER_FRAMES = (0.35, 1.0)  # range of the part of the movement that such frames show,
PART_OF_UNIT = (0.5, 1.0)  # and of each unit's share of it: units do not begin and end together
MAX_BLINK_FACTOR = 3.0  # such frames may show more of a blink,
MAX_HEAD_FACTOR = 3.0  # and more head motion, because they may be further apart

MIN_PEAK_PX = 0.3  # pixels of a face 112 wide: the assumed strongest movement where nothing is expressed

MAX_SCALP_SHIFT = 0.6
"""Largest downward shift of the scalp, share of the strongest movement.

Frontalis raises the brows and at the same time draws the scalp forward (Gray, Anatomy of the Human Body,
1918, on the epicranius). The amount is ours.
"""


@dataclass(frozen=True)
class ApexMovement:
    """The movement of one face from the onset to the apex."""

    geometry: Geometry
    activations: tuple[Activation, ...]  # of the expression, without the blink
    field: Float32[np.ndarray, "H W 2"]  # the whole movement, cells of the view's grid
    strongest: float  # length of the longest vector of expression and blink, same unit


def draw_movement(
    emotion: str,
    view: View,
    rng: np.random.Generator,
    varied: bool = False,
    blink_and_head: BlinkAndHead = BLINK_AND_HEAD,
) -> ApexMovement:
    """Draw a new person and how their face moves from the onset to the apex.

    Args:
        emotion: a key of `emotions.EMOTIONS`, ANY_UNITS, or NO_EMOTION.
        view: grid on which the movement is computed.
        rng: source of all random numbers. The same state gives the same movement.
        varied: draw the person's muscles as well (`muscles.Muscles`), and sometimes the movement between
            two frames that are not the onset and the apex.
        blink_and_head: frequency and size of blinks and head motion.

    Raises:
        UnknownName: the emotion cannot be simulated.
    """
    geometry = vary_face(rng, 1.2)
    style = make_style(rng)
    activations = _draw_activations(emotion, style, geometry, rng)
    muscles = Muscles(int(rng.integers(2**31))) if varied else None
    other_frames = varied and rng.random() < OTHER_FRAMES_SHARE
    if other_frames:
        activations = _at_other_frames(activations, rng)
    field = displacement(geometry, activations, view, muscles)
    if _raises_brows(activations):
        field[..., 1] += _scalp_shift(view, rng) * np.float32(_longest(field))
    blink = draw_blink(rng, blink_and_head)
    if other_frames:
        blink = _scaled(blink, rng.uniform(1, MAX_BLINK_FACTOR))
    if blink:
        field = field + displacement(geometry, blink, view)
    model_px = view.face_px / MODEL_FACE_PX
    strongest = max(_longest(field), MIN_PEAK_PX * model_px)
    head_px = blink_and_head.head_px
    if other_frames:
        head_px *= rng.uniform(1, MAX_HEAD_FACTOR)
    pose = _draw_head_pose(head_px, rng)
    whole_field = field + head_displacement(pose, view)
    return ApexMovement(geometry, activations, whole_field, strongest)


def draw_blink(
    rng: np.random.Generator, blink_and_head: BlinkAndHead = BLINK_AND_HEAD
) -> tuple[Activation, ...]:
    """Draw the lid movement between onset and apex: none, or both eyes close or open a little."""
    if rng.random() >= blink_and_head.blink_share:
        return ()
    closing = rng.random() < CLOSING_SHARE
    direction = 1 if closing else -1
    strength = direction * rng.uniform(0.2, 1.0)
    return both_sides(45, strength * blink_and_head.lid_px)


def _draw_activations(
    emotion: str, style: ExpressionStyle, geometry: Geometry, rng: np.random.Generator
) -> tuple[Activation, ...]:
    if emotion == NO_EMOTION:
        return ()
    return draw_expression(emotion, style, geometry, rng)


def _at_other_frames(activations: Sequence[Activation], rng: np.random.Generator) -> tuple[Activation, ...]:
    """Return the part of an expression between two frames that are not its onset and apex.

    They may be too early or too late, so that some of the movement has not come yet or has gone again. The
    two sides of a unit move together, but each unit at a time of its own.
    """
    part = rng.uniform(*PART_AT_OTHER_FRAMES)
    shown: list[Activation] = []
    for unit in sorted({activation.unit for activation in activations}):
        factor = part * rng.uniform(*PART_OF_UNIT)
        sides = [activation for activation in activations if activation.unit == unit]
        shown.extend(_scaled(sides, factor))
    return tuple(shown)


def _scaled(activations: Sequence[Activation], factor: float) -> tuple[Activation, ...]:
    scaled = []
    for activation in activations:
        scaled.append(replace(activation, peak_px=factor * activation.peak_px))
    return tuple(scaled)


def _draw_head_pose(head_px: float, rng: np.random.Generator) -> HeadPose:
    direction = rng.normal(size=6) * HEAD_SCALES
    amount = direction * rng.exponential(head_px)
    components = amount / MODEL_FACE_PX
    return HeadPose(*components.tolist())


def _raises_brows(activations: tuple[Activation, ...]) -> bool:
    units = {activation.unit for activation in activations}
    return not units.isdisjoint((1, 2))


def _longest(field: Float32[np.ndarray, "H W 2"]) -> float:
    """Return the length of the longest vector of a field."""
    lengths = np.hypot(field[..., 0], field[..., 1])
    return float(lengths.max())


def _scalp_shift(view: View, rng: np.random.Generator) -> Float32[np.ndarray, "H W"]:
    """Draw the downward shift of the hairline when the brows rise, share of the strongest movement."""
    u, v = view.face_grid()
    centre = rng.normal(0, 0.05)
    width = rng.uniform(0.12, 0.30)
    height = rng.uniform(0.25, 0.40)  # above the eyes
    across = (u - centre) / width
    along = (v + height) / 0.07
    squared_distance = across**2 + along**2
    bump = np.exp(-squared_distance / 2)
    largest = rng.uniform(0, MAX_SCALP_SHIFT)
    shift = largest * bump
    return shift.astype(np.float32)
