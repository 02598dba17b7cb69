"""Optical flow: how far each point of the skin moves from the onset to the apex, and its strain.

There are two estimators. `flow-tvl1` is the one most papers on micro-expressions use; `flow-dis` is fifteen
times as fast and closer to known movements (docs/motion.md). Both use grey levels alone, so a change of light
between the two frames can be mistaken for movement.

Sources: Zach, Pock and Bischof, A Duality Based Approach for Realtime TV-L1 Optical Flow, DAGM 2007, as
    implemented in
scikit-image; Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016, as implemented in
OpenCV; strain: Shreve et al., Macro- and Micro-Expression Spotting in Long Videos using Spatio-Temporal
Strain, FG 2011; the three
channels: Liong et al., STSTNet, FG 2019.
"""

from collections.abc import Callable
from importlib.metadata import version

import cv2
import numpy as np
from jaxtyping import Complex128, Float32, UInt8

from learnet.core.errors import LearnetError
from learnet.core.extras import missing_library

# Flow is measured on crops at least this wide: smaller ones no longer show the movement.
MIN_FLOW_PX = 112
# Filter that removes what alternates from pixel to pixel, and little else.
NEIGHBOUR_WEIGHTS = np.array([0.25, 0.5, 0.25])
# Robust standard deviations beyond which a point is ignored (Tukey's biweight; 95 % efficient).
OUTLIER_SD = 4.685
# Smallest standard deviation of the flow around the global motion that is assumed, in pixels.
MIN_FLOW_SD_PX = 0.01
# Points in a row to which the global motion is fitted.
FITTED_POINTS = 28
# Rounds of the robust fit; 5 to 20 are enough.
MAX_ROUNDS = 50

Crop = UInt8[np.ndarray, "S S 3"]
FlowField = Float32[np.ndarray, "S S 2"]
Estimator = Callable[[Crop, Crop], FlowField]


def flow_dis(onset: Crop, apex: Crop) -> FlowField:
    """Estimate optical flow by dense inverse search, down to single pixels.

    Returns:
        (u, v) in pixels at each point of the onset frame: u to the right, v down.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # The preset stops at half the size and finds 40 to 60 % of a movement a few pixels wide.
    search.setFinestScale(0)
    initial_flow = None
    return search.calc(_grey(onset), _grey(apex), initial_flow)  # type: ignore[call-overload]


def flow_tvl1(onset: Crop, apex: Crop) -> FlowField:
    """Estimate optical flow by TV-L1.

    The solver computes gradients over two pixels, so neighbouring pixels are hardly coupled and its flow
    alternates by about 0.02 pixels, which would be most of the strain. A mean over neighbours removes exactly
    that.

    Returns:
        (u, v) in pixels at each point of the onset frame: u to the right, v down.

    Raises:
        MissingLibrary: scikit-image is not installed.
    """
    tvl1_version()
    from skimage.registration import optical_flow_tvl1  # imported here because it takes half a second to load

    reference = _grey(onset).astype(np.float32) / 255
    moving = _grey(apex).astype(np.float32) / 255
    v, u = optical_flow_tvl1(reference, moving)
    field = np.stack([u, v], axis=-1).astype(np.float32)
    return cv2.sepFilter2D(field, -1, NEIGHBOUR_WEIGHTS, NEIGHBOUR_WEIGHTS)


def tvl1_version() -> str:
    """Return the version of the library that estimates TV-L1.

    Raises:
        MissingLibrary: scikit-image is not installed.
    """
    try:
        import skimage  # noqa: F401 (an optional dependency)
    except ModuleNotFoundError as error:
        raise missing_library(error, "TV-L1 optical flow") from None
    return version("scikit-image")


def optical_strain(field: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W"]:
    """Compute the optical strain: how much the skin is stretched or sheared, in any direction.

    sqrt(exx^2 + eyy^2 + 2 exy^2) with exx = du/dx, eyy = dv/dy and exy = (du/dy + dv/dx) / 2, by differences
    of neighbours. It is 0 where skin moves or rotates as a whole (rotation: to first order).

    Args:
        field: u and v, in pixels.

    Returns:
        Strain, without unit.
    """
    du_dy, du_dx = np.gradient(field[..., 0])
    dv_dy, dv_dx = np.gradient(field[..., 1])
    shear = du_dy + dv_dx
    squared_strain = du_dx**2 + dv_dy**2 + shear**2 / 2
    return np.sqrt(squared_strain).astype(np.float32)


def flow_image(
    crops: UInt8[np.ndarray, "T S S 3"], apex: int | None, estimator: Estimator = flow_dis
) -> Float32[np.ndarray, "S S 3"]:
    """Compute the flow from the onset to the apex: u and v in pixels of the crop, and the strain.

    Args:
        crops: aligned faces in time order, RGB, 0..255; the first is the onset.
        apex: position of the apex among them, from 1.
        estimator: `flow_dis` or `flow_tvl1`.

    Raises:
        LearnetError: no apex, or one that is not after the onset.
    """
    if apex is None or not 0 < apex < len(crops):
        raise LearnetError(
            f"Optical flow needs an apex after the onset, and {apex} of {len(crops)} frames is none."
        )
    return append_strain(estimator(crops[0], crops[apex]))


def append_strain(field: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W 3"]:
    """Return the three channels u, v and strain of a flow field."""
    strain = optical_strain(field)
    return np.concatenate([field, strain[..., None]], axis=-1)


def downscale_flow(image: Float32[np.ndarray, "S S 3"], factor: int) -> Float32[np.ndarray, "s s 3"]:
    """Return the flow image of a crop that is smaller by a whole number.

    Args:
        image: u and v in pixels, and strain.
        factor: how many times smaller.

    Returns:
        Means over blocks of factor x factor pixels; u and v in the new, larger pixels.
    """
    size = image.shape[0] // factor
    blocks = image.reshape(size, factor, size, factor, 3)
    means = blocks.mean(axis=(1, 3))
    units = np.array([factor, factor, 1], np.float32)
    return means / units


def remove_global_motion(field: FlowField) -> FlowField:
    """Remove the motion of the whole head from a flow field: the similarity that most points agree on.

    The similarity (shift, rotation, scale) is fitted by least squares, repeated with weights by how well each
    point agrees (Tukey's biweight), so that an expression remains. It fails where the expression moves about
    half of the face, and where the head turns to the side or nods, which is no similarity.
    """
    height, width = field.shape[:2]
    centre = np.array([height - 1, width - 1])[:, None, None] / 2
    y, x = np.mgrid[:height, :width] - centre
    # As complex numbers, a similarity is a + b z.
    points = (x + 1j * y) / width
    flow = field[..., 0] + 1j * field[..., 1].astype(np.float64)
    step = max(1, width // FITTED_POINTS)
    shift, slope = fit_similarity(points[::step, ::step].ravel(), flow[::step, ::step].ravel())
    remaining = flow - (shift + slope * points)
    return np.stack([remaining.real, remaining.imag], axis=-1).astype(np.float32)


def fit_similarity(
    points: Complex128[np.ndarray, "P"], flow: Complex128[np.ndarray, "P"]
) -> Complex128[np.ndarray, "2"]:
    """Return a and b of the similarity a + b z that most points agree on."""
    terms = np.stack([np.ones_like(points), points], axis=1)
    weights = np.ones(len(points))
    coefficients = np.zeros(2, complex)
    for _ in range(MAX_ROUNDS):
        previous = coefficients
        weighted = terms.conj() * weights[:, None]
        normal = weighted.T @ terms
        right_side = weighted.T @ flow
        coefficients = np.linalg.solve(normal, right_side)
        largest_change = np.abs(coefficients - previous).max()
        if largest_change < MIN_FLOW_SD_PX / 10:
            break
        residual = np.abs(flow - terms @ coefficients)
        flow_sd = 1.4826 * np.median(residual) + MIN_FLOW_SD_PX
        outlierness = (residual / (OUTLIER_SD * flow_sd)) ** 2
        weights = np.clip(1 - outlierness, 0, None) ** 2
    return coefficients


def _grey(crop: Crop) -> UInt8[np.ndarray, "S S"]:
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
