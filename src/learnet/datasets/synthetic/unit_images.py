"""Flow images of action units alone, with nothing else in them but the errors of an estimator."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import LearnetError
from learnet.datasets.synthetic.flow_images import grid_view
from learnet.motion.flow import append_strain
from learnet.motion.normalise import per_channel
from learnet.simulation.geometry import vary_face
from learnet.simulation.imitated_flow import (
    ESTIMATOR_MODEL,
    EstimatorModel,
    crop_and_resize,
    draw_crop,
    imitate_estimator,
    texture_map,
)
from learnet.simulation.movement import MODEL_FACE_PX, displacement
from learnet.simulation.units import Activation

AVERAGED_MODEL = replace(ESTIMATOR_MODEL, subsampled_share=0.0)
"""Estimator whose images are shrunk by averaging, as `learnet prepare` and `learnet predict` make them."""


def draw_unit_image(
    activations: Sequence[Activation],
    peak_px: float,
    size: int,
    rng: np.random.Generator,
    model: EstimatorModel = AVERAGED_MODEL,
) -> UInt8[np.ndarray, "S S 3"]:
    """Draw the flow image of action units on the face of a new person.

    Neither lids nor head move.

    Args:
        activations: units, with their strengths relative to one another.
        peak_px: largest displacement on this face, pixels of a face 112 pixels wide.
        size: height and width of the image in pixels.
        rng: source of all random numbers. The same state gives the same person and the same errors of the
            estimator.
        model: errors of the estimator.

    Raises:
        LearnetError: the units move nothing.
    """
    view = grid_view(size)
    geometry = vary_face(rng, 1.2)
    field = displacement(geometry, activations, view)
    longest = float(np.hypot(field[..., 0], field[..., 1]).max())
    if longest == 0:
        raise LearnetError("These action units move nothing.", "Name a unit with a strength above 0.")
    cells_per_px = view.face_px / MODEL_FACE_PX
    strongest = peak_px * cells_per_px
    field *= np.float32(strongest / longest)
    texture = texture_map(geometry, view, rng, model)
    flow = imitate_estimator(field, texture, strongest, cells_per_px, rng, model)
    image = crop_and_resize(append_strain(flow), view, draw_crop(rng), size, rng, model)
    return per_channel(image)
