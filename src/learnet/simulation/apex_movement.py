"""What moves in a face between the onset and the apex: an expression or none, perhaps a blink, and the head."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from learnet.simulation.emotions import ExpressionStyle, draw_expression, make_style
from learnet.simulation.geometry import Geometry, View, vary_face
from learnet.simulation.movement import MODEL_FACE_PX, HeadPose, displacement, head_displacement
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation, both_sides

BLINK_SHARE = 0.59
"""Share of moments in which the lids close or open. Set with `estimate.ESTIMATE`, without labels."""

PARTIAL_BLINK_PX = 0.71
"""Most that a lid moves, pixels of a face 112 wide: onset and apex of a labelled clip fall on no whole blink. Set in the same way."""

CLOSING_SHARE = 0.7  # share of blinks seen while the lids close

HEAD_PX = 0.25
"""Mean motion of the head, pixels of a face 112 wide; turns, nods, rolls and growth come with it as in `movement.head_drift`."""

HEAD_SCALES = np.array([1.0, 1.0, 40.0, 60.0, 60.0, 1.5])  # of the components of HeadPose

MIN_PEAK_PX = 0.3  # pixels of a face 112 wide: what counts as the strongest movement where nothing is expressed

MAX_SCALP_SHIFT = 0.6
"""Most that the scalp comes down, share of the strongest movement: frontalis raises the brows and at the same time draws the scalp
forward (Gray, Anatomy of the Human Body, 1918, on the epicranius); how far is ours."""


@dataclass(frozen=True)
class ApexMovement:
    """The movement of one face from the onset to the apex."""

    geometry: Geometry
    activations: tuple[Activation, ...]  # of the expression; without the blink
    field: Float32[np.ndarray, "H W 2"]  # everything that moves, places of the view's grid
    strongest: float  # length of the longest vector of expression and blink, same unit


def draw_movement(emotion: str, view: View, rng: np.random.Generator) -> ApexMovement:
    """Somebody new showing an EMOTION of `simulate.emotions.EMOTIONS`, or NO_EMOTION; the same generator gives the same moment.

    Raises:
        UnknownName: an emotion that cannot be simulated.
    """
    geometry, manner = vary_face(rng, 1.2), make_style(rng)
    activations = _expression(emotion, manner, geometry, rng)
    field = displacement(geometry, activations, view)
    if any(one.unit in (1, 2) for one in activations):
        field[..., 1] += _scalp(view, rng) * np.float32(np.hypot(field[..., 0], field[..., 1]).max())
    if lids := draw_blink(rng):
        field = field + displacement(geometry, lids, view)
    model_px = view.face_px / MODEL_FACE_PX
    strongest = max(float(np.hypot(field[..., 0], field[..., 1]).max()), MIN_PEAK_PX * model_px)
    pose = HeadPose(*(rng.normal(size=6) * HEAD_SCALES * rng.exponential(HEAD_PX) / MODEL_FACE_PX).tolist())
    return ApexMovement(geometry, activations, field + head_displacement(pose, view), strongest)


def draw_blink(rng: np.random.Generator) -> tuple[Activation, ...]:
    """What lids do between the onset and the apex of an expression: nothing, or they close or open a little."""
    if rng.random() >= BLINK_SHARE:
        return ()
    way = 1 if rng.random() < CLOSING_SHARE else -1
    return both_sides(45, way * rng.uniform(0.2, 1.0) * PARTIAL_BLINK_PX)


def _expression(
    emotion: str, manner: ExpressionStyle, geometry: Geometry, rng: np.random.Generator
) -> tuple[Activation, ...]:
    return () if emotion == NO_EMOTION else draw_expression(emotion, manner, geometry, rng)


def _scalp(view: View, rng: np.random.Generator) -> Float32[np.ndarray, "H W"]:
    """How far the skin at the hairline comes down when the brows go up, share of the strongest movement."""
    u, v = view.face_grid()
    middle, wide, above = rng.normal(0, 0.05), rng.uniform(0.12, 0.30), rng.uniform(0.25, 0.40)
    bump = np.exp(-(((u - middle) / wide) ** 2 + ((v + above) / 0.07) ** 2) / 2)
    return (rng.uniform(0, MAX_SCALP_SHIFT) * bump).astype(np.float32)
