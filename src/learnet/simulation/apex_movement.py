"""Movement of a face from the onset to the apex: an expression or none, perhaps a blink, and the head."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from learnet.simulation.emotions import ExpressionStyle, draw_expression, make_style
from learnet.simulation.geometry import Geometry, View, vary_face
from learnet.simulation.movement import MODEL_FACE_PX, HeadPose, displacement, head_displacement
from learnet.simulation.muscles import Muscles
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation, both_sides

BLINK_SHARE = 0.59
"""Share of movements in which the lids close or open. Fitted with ESTIMATOR_MODEL, without labels."""

PARTIAL_BLINK_PX = 0.71
"""Largest displacement of a lid, pixels of a face 112 wide. Fitted in the same way.

It is less than a full blink, because onset and apex of a labelled clip do not include one.
"""

CLOSING_SHARE = 0.7  # share of the blinks in which the lids close rather than open

HEAD_PX = 0.25
"""Mean head motion, pixels of a face 112 wide. HEAD_SCALES gives the turns, nods, rolls and growth."""

HEAD_SCALES = np.array([1.0, 1.0, 40.0, 60.0, 60.0, 1.5])  # of the components of HeadPose

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
    emotion: str, view: View, rng: np.random.Generator, vary_muscles: bool = False
) -> ApexMovement:
    """Draw a new person and how their face moves from the onset to the apex.

    Args:
        emotion: a key of `emotions.EMOTIONS`, ANY_UNITS, or NO_EMOTION.
        view: grid on which the movement is computed.
        rng: source of all random numbers. The same state gives the same movement.
        vary_muscles: draw the person's muscles as well (`muscles.Muscles`).

    Raises:
        UnknownName: the emotion cannot be simulated.
    """
    geometry = vary_face(rng, 1.2)
    style = make_style(rng)
    activations = _draw_activations(emotion, style, geometry, rng)
    muscles = Muscles(int(rng.integers(2**31))) if vary_muscles else None
    field = displacement(geometry, activations, view, muscles)
    if _raises_brows(activations):
        field[..., 1] += _scalp_shift(view, rng) * np.float32(_longest(field))
    blink = draw_blink(rng)
    if blink:
        field = field + displacement(geometry, blink, view)
    model_px = view.face_px / MODEL_FACE_PX
    strongest = max(_longest(field), MIN_PEAK_PX * model_px)
    pose = _draw_head_pose(rng)
    whole_field = field + head_displacement(pose, view)
    return ApexMovement(geometry, activations, whole_field, strongest)


def draw_blink(rng: np.random.Generator) -> tuple[Activation, ...]:
    """Draw the lid movement between onset and apex: none, or both eyes close or open a little."""
    if rng.random() >= BLINK_SHARE:
        return ()
    closing = rng.random() < CLOSING_SHARE
    direction = 1 if closing else -1
    strength = direction * rng.uniform(0.2, 1.0)
    return both_sides(45, strength * PARTIAL_BLINK_PX)


def _draw_activations(
    emotion: str, style: ExpressionStyle, geometry: Geometry, rng: np.random.Generator
) -> tuple[Activation, ...]:
    if emotion == NO_EMOTION:
        return ()
    return draw_expression(emotion, style, geometry, rng)


def _draw_head_pose(rng: np.random.Generator) -> HeadPose:
    direction = rng.normal(size=6) * HEAD_SCALES
    amount = direction * rng.exponential(HEAD_PX)
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
