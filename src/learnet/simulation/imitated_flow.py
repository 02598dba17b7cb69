"""Simulated errors of an optical-flow estimator, and the cropping and resizing of a flow image.

An estimator sees movement where the skin has texture, spreads it from there, and makes errors. No estimator
is run: its behaviour is imitated, which takes 5 ms an image instead of half a second. The strength of each
effect was fitted by comparing simulated with real flow images without labels (`ESTIMATOR_MODEL`).

All fields are on a grid that is finer than the final image; its unit of length is a cell.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from learnet.simulation.geometry import SIDES, Geometry, View

EDGES = {
    "middle brow": (0.12, 0.03, 1.0),
    "inner brow": (0.05, 0.04, 0.5),
    "upper lid": (0.11, 0.03, 1.0),
    "lower lid": (0.10, 0.02, 0.6),
    "nostril": (0.05, 0.03, 0.8),
    "lip corner": (0.05, 0.03, 0.8),
    "mouth": (0.13, 0.02, 1.0),
    "lower lip middle": (0.10, 0.03, 0.4),
}
"""Landmark -> texture around it: standard deviations along u and v in face widths, and strength."""

OUTLINE = (0.52, 0.68, 0.2)
"""Outline of the face: half width, half height, and v of its centre, in face widths."""

NOISE_SCALES = (0.8, 1.6, 3.0, 6.0)
"""Standard deviations in cells of the Gaussian that smooths the errors; the first two make sharp errors."""

FAR_SD = 8.0  # cells; standard deviation of the Gaussian that fills in the flow where there is no texture
MEDIAN_SIZE = 3  # cells; the median filter makes a flow piecewise constant, as total variation does


@dataclass(frozen=True)
class EstimatorModel:
    """Strength of each simulated effect. Ranges and maxima are drawn from uniformly for each image."""

    max_skin_texture: float = (
        0.095  # largest texture of skin without edges; the smallest is 0.002, an edge has 1
    )
    texture_exponent: float = 1.04  # larger values weaken weak edges
    smoothing: tuple[float, float] = (0.41, 1.55)  # range of the standard deviation, cells
    blend: float = 0.09  # largest texture at which half of the flow comes from the far surroundings
    dead_zone: float = 0.048  # largest relative movement that is not detected, share of the strongest
    median_share: float = 0.8  # share of images with a median filter
    noise: float = 0.071  # mean amplitude of errors, pixels of a face 112 wide
    sharp_noise_share: float = 0.12  # share of images whose errors are sharp, see NOISE_SCALES
    noise_exponent: float = 0.54  # errors are as texture to the power of minus half of this
    outliers: float = 5.0  # mean number of small spots with a wrong flow
    outlier_size: float = 1.5  # share of the strongest movement
    speckle: tuple[float, float] = (0.26, 1.1)  # range of the sd of the logarithm of the strain's speckle
    subsampled_share: float = 0.5  # share of images resized by picking pixels; the others are area means


ESTIMATOR_MODEL = EstimatorModel()
"""Fitted parameters.

A random search compared 240 simulated with the 309 real flow images of CASME II and SMIC in the MEGC2019
composite, in 26 numbers of each image (median, spread, gradient, spectrum, share of a planar trend, mirror
symmetry of each channel, correlations between channels). No label was read; simulated classes were mixed 55,
25 and 20 percent. Only `subsampled_share` is our choice: the real images had all been resized by picking
pixels, but those that `learnet prepare` makes are area means.
"""


def draw_estimator_model(rng: np.random.Generator) -> EstimatorModel:
    """Draw the errors of some estimator: half of the time the fitted ones, otherwise others around them.

    Estimators differ in how far they smooth, how much texture they need, and how noisy they are.
    """
    if rng.random() < 0.5:
        return ESTIMATOR_MODEL
    return replace(
        ESTIMATOR_MODEL,
        max_skin_texture=float(rng.choice([0.095, 0.3, 1.0])),
        texture_exponent=float(rng.uniform(0.6, 1.2)),
        smoothing=(0.4, float(rng.choice([1.55, 3.0, 5.0]))),
        blend=float(rng.choice([0.03, 0.09, 0.3])),
        dead_zone=float(rng.choice([0.0, 0.048])),
        noise=float(rng.choice([0.02, 0.071, 0.1])),
        outliers=float(rng.choice([0.0, 1.0, 5.0])),
    )


def texture_map(
    geometry: Geometry, view: View, rng: np.random.Generator, model: EstimatorModel = ESTIMATOR_MODEL
) -> Float32[np.ndarray, "H W"]:
    """Draw how visible movement is at each position: facial edges, outline and skin texture.

    Returns:
        Positive weights without unit.
    """
    u, v = view.face_grid()
    edges = np.zeros_like(u)
    for name, (sd_across, sd_along, strength) in EDGES.items():
        for side in SIDES:
            landmark = name if name in geometry.points else f"{side} {name}"
            centre_u, centre_v = geometry.points[landmark]
            across = (u - centre_u) / sd_across
            along = (v - centre_v) / sd_along
            squared_distance = across**2 + along**2
            contrast = strength * rng.uniform(0.4, 1)
            edges += contrast * np.exp(-squared_distance / 2)
    variation = np.exp(smooth_noise(rng, u.shape, 1.5) / 2)
    texture = edges * variation + rng.uniform(0, 0.6) * _outline(u, v)
    texture = (texture - texture.min()) ** model.texture_exponent
    texture = texture + rng.uniform(0.002, model.max_skin_texture)
    return texture.astype(np.float32)


def _outline(u: Float64[np.ndarray, "H W"], v: Float64[np.ndarray, "H W"]) -> Float64[np.ndarray, "H W"]:
    """Return a soft line along the outline of the face, at most 1."""
    half_width, half_height, centre_v = OUTLINE
    across = u / half_width
    along = (v - centre_v) / half_height
    distance = np.hypot(across, along) - 1
    squared_distance = (distance / 0.04) ** 2
    return np.exp(-squared_distance / 2)


def imitate_estimator(
    field: Float32[np.ndarray, "H W 2"],
    texture: Float32[np.ndarray, "H W"],
    strongest: float,
    model_px: float,
    rng: np.random.Generator,
    model: EstimatorModel = ESTIMATOR_MODEL,
) -> Float32[np.ndarray, "H W 2"]:
    """Simulate the flow that an estimator would return.

    Args:
        field: true movement, cells.
        texture: from `texture_map`.
        strongest: length of the longest vector of the expression, cells.
        model_px: cells in a pixel of a face 112 pixels wide.
        rng: source of all random numbers.
        model: strength of each effect.
    """
    noisy = field + _errors(texture, model_px, rng, model)
    smoothing_sd = rng.uniform(*model.smoothing)
    weighted = noisy * texture[..., None]
    near_texture = _blur(texture, smoothing_sd)
    far_texture = _blur(texture, FAR_SD)
    far = _blur(weighted, FAR_SD) / far_texture[..., None]
    near = _blur(weighted, smoothing_sd) / near_texture[..., None]
    near_weight = near_texture / (near_texture + rng.uniform(0, model.blend))
    relative = (near - far) * near_weight[..., None]
    threshold = rng.uniform(0, model.dead_zone) * strongest
    size = np.maximum(np.abs(relative) - threshold, 0)
    relative = np.sign(relative) * size
    flow = (far + relative).astype(np.float32)
    if rng.random() < model.median_share:
        flow = _median(flow)
    return flow + _outliers(texture.shape, strongest, rng, model)


def _errors(
    texture: Float32[np.ndarray, "H W"], model_px: float, rng: np.random.Generator, model: EstimatorModel
) -> Float32[np.ndarray, "H W 2"]:
    """Draw smooth errors that are larger where there is less texture."""
    scale_index = rng.integers(2)
    sharp = rng.random() < model.sharp_noise_share
    if not sharp:
        scale_index += 2
    scale = NOISE_SCALES[scale_index]
    noise_u = smooth_noise(rng, texture.shape, scale)
    noise_v = smooth_noise(rng, texture.shape, scale)
    amplitude = rng.exponential(model.noise * model_px)
    errors = np.stack([noise_u, noise_v], axis=-1) * amplitude
    relative_texture = texture / texture.mean()
    exponent = -model.noise_exponent / 2
    gain = relative_texture**exponent
    return errors * gain[..., None]


def _median(flow: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W 2"]:
    """Filter each component of a flow with a median."""
    u, v = np.moveaxis(flow, -1, 0)
    filtered_u = cv2.medianBlur(np.ascontiguousarray(u), MEDIAN_SIZE)
    filtered_v = cv2.medianBlur(np.ascontiguousarray(v), MEDIAN_SIZE)
    return np.stack([filtered_u, filtered_v], axis=-1)


def _outliers(
    shape: tuple[int, ...], strongest: float, rng: np.random.Generator, model: EstimatorModel
) -> Float32[np.ndarray, "H W 2"]:
    """Draw small round spots in which the flow is wrong."""
    height, width = shape
    outliers = np.zeros((height, width, 2), np.float32)
    rows, columns = np.ogrid[:height, :width]
    for _ in range(rng.poisson(model.outliers)):
        row = rng.integers(4, height - 4)
        column = rng.integers(4, width - 4)
        sd = rng.uniform(0.8, 2.0)
        squared_distance = (rows - row) ** 2 + (columns - column) ** 2
        spot = np.exp(-squared_distance / (2 * sd**2))
        direction = rng.normal(size=2)
        share = rng.uniform(0.1, 1.0)
        vectors = spot[..., None] * direction * strongest * share
        outliers += (vectors * model.outlier_size).astype(np.float32)
    return outliers


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], sd: float) -> Float32[np.ndarray, "H W"]:
    """Draw normal noise of standard deviation 1, smoothed by a Gaussian of `sd` cells."""
    noise = rng.normal(size=shape)
    smooth = _blur(noise.astype(np.float32), sd)
    return smooth / smooth.std()


def _blur(image: np.ndarray, sd: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sd)


@dataclass(frozen=True)
class Crop:
    """The rectangle around a face that becomes a square image."""

    width: float  # face widths
    height: float  # face widths
    eye_height: float  # distance of the eyes from the top, share of the height
    offset: float  # of the crop's centre to the right of the face's, face widths


def draw_crop(rng: np.random.Generator) -> Crop:
    """Draw a crop as the owners of databases and others make them.

    Brow to chin or more: about square, or higher than wide by up to a half.
    """
    width = rng.uniform(0.95, 1.12)
    height = rng.uniform(1.0, 1.45)
    eye_height = rng.uniform(0.26, 0.42)
    offset = rng.normal(0, 0.025)
    return Crop(width, height, eye_height, offset)


def crop_and_resize(
    image: Float32[np.ndarray, "H W 3"],
    view: View,
    crop: Crop,
    size: int,
    rng: np.random.Generator,
    model: EstimatorModel = ESTIMATOR_MODEL,
) -> Float32[np.ndarray, "S S 3"]:
    """Cut the crop out of a flow image (u, v, strain) and resize it.

    Some images are resized by picking single pixels, and their strain becomes speckled; the others are area
    means.

    Args:
        image: flow and strain on the grid of `view`.
        view: position of the face in the grid.
        crop: what to cut out.
        size: height and width of the result, pixels.
        rng: source of all random numbers.
        model: strength of each effect.
    """
    crop_width = crop.width * view.face_px
    crop_height = crop.height * view.face_px
    step_x = crop_width / size  # cells per pixel
    step_y = crop_height / size
    subsampled = rng.random() < model.subsampled_share
    if not subsampled:
        image = cv2.GaussianBlur(image, (0, 0), sigmaX=step_x / 3, sigmaY=step_y / 3)
    origin_x, origin_y = view.origin
    left = origin_x + (crop.offset - crop.width / 2) * view.face_px
    top = origin_y - crop.eye_height * crop.height * view.face_px
    to_grid = np.array([[step_x, 0, left + step_x / 2], [0, step_y, top + step_y / 2]])
    small = cv2.warpAffine(
        image,
        to_grid,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if subsampled:
        small[..., 2] *= _speckle(size, rng, model)
    return small


def _speckle(size: int, rng: np.random.Generator, model: EstimatorModel) -> Float32[np.ndarray, "S S"]:
    """Draw a log-normal factor for each pixel."""
    sd = rng.uniform(*model.speckle)
    logarithms = sd * rng.normal(size=(size, size))
    return np.exp(logarithms).astype(np.float32)
