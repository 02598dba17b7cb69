"""Optical flow: how far each piece of skin moves from the onset to the apex, and how much the skin is strained there.

Two estimators. `flow-tvl1` is the one most papers on micro-expressions use; `flow-dis` is fifteen times as fast and nearer to known
movements (docs/motion.md). Both look at grey levels alone, so a change of light between the two frames can pass for movement.

Sources: Zach, Pock and Bischof, A Duality Based Approach for Realtime TV-L1 Optical Flow, DAGM 2007, as scikit-image has it; Kroeger et
al., Fast Optical Flow using Dense Inverse Search, ECCV 2016, as OpenCV has it; strain: Shreve et al., Macro- and Micro-Expression
Spotting in Long Videos using Spatio-Temporal Strain, FG 2011; the three channels: Liong et al., STSTNet, FG 2019.
"""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError

MIN_FLOW_PX = 112  # flow is measured on crops at least this wide: smaller ones no longer show the movement
NEAR = np.array(
    [0.25, 0.5, 0.25]
)  # weights that take out what changes sign from pixel to pixel, and little else
TRUSTED = (
    4.685  # robust standard deviations at which a place stops to count (Tukey's biweight; 95 % efficient)
)
FINEST_PX = 0.01  # pixels: least spread of the flow about the head's motion that is believed
FITTED = 28  # places in a row that the head's motion is fitted to
STEPS = 50  # most rounds of the robust fit; 5 to 20 are enough

Crop = UInt8[np.ndarray, "S S 3"]
Field = Float32[np.ndarray, "S S 2"]


def flow_dis(onset: Crop, apex: Crop) -> Field:
    """Dense inverse search, down to single pixels: (u, v) in pixels, u to the right and v down, at each place of the onset."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(
        0
    )  # the preset stops at half the size and finds 40 to 60 % of a movement a few pixels wide
    return search.calc(_grey(onset), _grey(apex), None)  # type: ignore[call-overload]  # None: from no flow at all


def flow_tvl1(onset: Crop, apex: Crop) -> Field:
    """TV-L1: (u, v) in pixels, u to the right and v down, at each place of the onset.

    The solver takes gradients over two pixels, so neighbours hardly know of each other and its flow is chequered by about 0.02 pixels,
    which would be most of the strain. A mean over neighbours takes exactly that out.
    """
    from skimage.registration import optical_flow_tvl1  # here, because it takes half a second to load

    v, u = optical_flow_tvl1(*(_grey(crop).astype(np.float32) / 255 for crop in (onset, apex)))
    return cv2.sepFilter2D(np.stack([u, v], axis=-1).astype(np.float32), -1, NEAR, NEAR)


def optical_strain(field: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W"]:
    """Optical strain: how much the skin is stretched or sheared, whatever way it goes; no unit.

    sqrt(exx^2 + eyy^2 + 2 exy^2) with exx = du/dx, eyy = dv/dy and exy = (du/dy + dv/dx) / 2, by differences of neighbours. It is 0
    where skin moves or turns as a whole (turns: to first order).
    """
    (uy, ux), (vy, vx) = (np.gradient(field[..., way]) for way in (0, 1))
    return np.sqrt(ux**2 + vy**2 + (uy + vx) ** 2 / 2).astype(np.float32)


def flow_image(
    crops: UInt8[np.ndarray, "T S S 3"], apex: int | None, measure: Callable[[Crop, Crop], Field] = flow_dis
) -> Float32[np.ndarray, "S S 3"]:
    """Flow from the onset to the apex: u and v in pixels of the crop, and the strain.

    Args:
        crops: aligned faces in time order, RGB, 0..255; the first is the onset.
        apex: position of the apex among them, from 1.
        measure: `flow_dis` or `flow_tvl1`.

    Raises:
        LearnetError: no apex, or one that is not after the onset.
    """
    if apex is None or not 0 < apex < len(crops):
        raise LearnetError(
            f"Optical flow goes from the onset to an apex after it, and {apex} of {len(crops)} frames is none."
        )
    return append_strain(measure(crops[0], crops[apex]))


def append_strain(field: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W 3"]:
    """The three channels: u, v, strain."""
    return np.concatenate([field, optical_strain(field)[..., None]], axis=-1)


def downscale_flow(image: Float32[np.ndarray, "S S 3"], times: int) -> Float32[np.ndarray, "s s 3"]:
    """The same flow on a crop a whole number of TIMES smaller: means over blocks, u and v in its larger pixels."""
    size = image.shape[0] // times
    means = image.reshape(size, times, size, times, 3).mean(axis=(1, 3))
    return means / np.array([times, times, 1], np.float32)


def remove_global_motion(field: Field) -> Field:
    """Take the motion of the head as a whole out of a flow field: the similarity (shift, turn, growth) that most places agree on.

    A least-squares fit that is repeated with weights by how well each place agrees (Tukey's biweight), so that an expression stays in.
    It fails where the expression moves about half of the face, and where the head turns to the side or nods, which is no similarity.
    """
    height, width = field.shape[:2]
    y, x = np.mgrid[:height, :width] - np.array([height - 1, width - 1])[:, None, None] / 2
    place, moves = (
        (x + 1j * y) / width,
        field[..., 0] + 1j * field[..., 1].astype(np.float64),
    )  # complex: a similarity is a + b z
    every = max(1, width // FITTED)
    z, asked = place[::every, ::every].ravel(), moves[::every, ::every].ravel()
    terms = np.stack([np.ones_like(z), z], axis=1)
    trust, head = np.ones(len(z)), np.zeros(2, complex)
    for _ in range(STEPS):
        weighted = terms.conj() * trust[:, None]
        before, head = head, np.linalg.solve(weighted.T @ terms, weighted.T @ asked)
        if np.abs(head - before).max() < FINEST_PX / 10:
            break
        rest = np.abs(asked - terms @ head)
        spread = 1.4826 * np.median(rest) + FINEST_PX
        trust = np.clip(1 - (rest / (TRUSTED * spread)) ** 2, 0, None) ** 2
    left = moves - (head[0] + head[1] * place)
    return np.stack([left.real, left.imag], axis=-1).astype(np.float32)


def _grey(crop: Crop) -> UInt8[np.ndarray, "S S"]:
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
