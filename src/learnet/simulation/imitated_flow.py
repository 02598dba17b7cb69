"""What becomes of a movement on its way into an optical-flow image: the estimator sees it where the skin has texture, spreads it from
there, errs, and whoever makes the image crops the face and shrinks the picture.

No estimator is run: its habits are imitated, which takes 5 ms an image instead of half a second. How strong each habit is was set by
comparing simulated with real flow images without looking at labels (`ESTIMATOR_MODEL`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from learnet.simulation.geometry import SIDES, Geometry, View

EDGES = {
    "middle brow": (0.12, 0.03, 1.0), "inner brow": (0.05, 0.04, 0.5), "upper lid": (0.11, 0.03, 1.0), "lower lid": (0.10, 0.02, 0.6),
    "nostril": (0.05, 0.03, 0.8), "lip corner": (0.05, 0.03, 0.8), "mouth": (0.13, 0.02, 1.0), "lower lip middle": (0.10, 0.03, 0.4),
}  # fmt: skip
"""Landmark -> (standard deviations across and along in face widths, strength) of the edges around it: where a face has texture."""

OUTLINE = (
    0.52,
    0.68,
    0.2,
)  # half width and half height of the outline in face widths, and how far its middle lies below the eyes
NOISE_SCALES = (
    0.8,
    1.6,
    3.0,
    6.0,
)  # standard deviations of the smoothing of noise, places of the grid; the first two are sharp
FAR_SD = 8.0  # places of the grid over which an estimate is filled in where nothing is seen
MEDIAN_SIZE = 3  # places: of the median that makes an estimate piecewise even, as total variation does


@dataclass(frozen=True)
class EstimatorModel:
    """How strong the habits of estimators are. Where two numbers or a largest one are given, each image draws evenly between."""

    bare: float = 0.095  # most texture of skin without marks; the least is 0.002, an edge has 1
    contrast: float = 1.04  # exponent on texture: larger leaves less of weak edges
    smoothing: tuple[float, float] = (0.41, 1.55)  # standard deviation, places of the grid
    blend: float = 0.09  # most texture at which half of the estimate comes from far around
    dead: float = 0.048  # largest movement against the surroundings that is not seen, share of the strongest
    even: float = 0.8  # share of images that a median makes piecewise even
    noise: float = 0.071  # mean amplitude of errors that follow texture, pixels of a face 112 wide
    sharp: float = 0.12  # share of images whose errors are finer than a few places
    follow: float = 0.54  # how errors grow as texture shrinks: exponent
    jumps: float = 5.0  # mean number of small places where the estimate jumps
    jump: float = 1.5  # their size, share of the strongest movement
    speckle: tuple[float, float] = (
        0.26,
        1.1,
    )  # strain comes in specks where single pixels are picked: sd of its logarithm
    picked: float = (
        0.5  # share of images that pick single pixels when shrunk; the others take means, and have no specks
    )


ESTIMATOR_MODEL = EstimatorModel()
"""Set by a random search that compared 240 simulated with the 309 real flow images of CASME II and SMIC in the MEGC2019 composite in 26
numbers of each image (median, spread, gradient, spectrum, share of an even motion, mirror symmetry of each channel, correlations
between channels). No label of an image was read; simulated classes were mixed 55, 25 and 20 percent. `picked` alone is ours: the real
images were all picked, those that `learnet prepare` makes are means."""


def texture_map(
    geometry: Geometry, view: View, rng: np.random.Generator, estimate: EstimatorModel = ESTIMATOR_MODEL
) -> Float32[np.ndarray, "H W"]:
    """How well a movement is seen at each place of a face: edges of its parts, its outline, and the grain of skin. Positive, no unit."""
    u, v = view.face_grid()
    seen = np.zeros_like(u)
    for name, (across, along, strength) in EDGES.items():
        for side in SIDES:
            centre = geometry.points[name if name in geometry.points else f"{side} {name}"]
            there = ((u - np.float32(centre[0])) / across) ** 2 + ((v - np.float32(centre[1])) / along) ** 2
            seen += np.float32(strength * rng.uniform(0.4, 1)) * np.exp(-there / 2)
    grain = smooth_noise(rng, u.shape, 1.5)
    half_wide, half_high, below = OUTLINE
    rim = np.hypot(u / half_wide, (v - below) / half_high) - 1
    seen = seen * np.exp(grain / 2) + np.float32(rng.uniform(0, 0.6)) * np.exp(-((rim / 0.04) ** 2) / 2)
    return ((seen - seen.min()) ** estimate.contrast + rng.uniform(0.002, estimate.bare)).astype(np.float32)


def imitate_estimator(
    field: Float32[np.ndarray, "H W 2"],
    seen: Float32[np.ndarray, "H W"],
    strongest: float,
    model_px: float,
    rng: np.random.Generator,
    estimate: EstimatorModel = ESTIMATOR_MODEL,
) -> Float32[np.ndarray, "H W 2"]:
    """The flow that an estimator would find.

    Args:
        field: true movement, in places of the grid.
        seen: texture.
        strongest: length of the longest vector of the expression, in the same unit.
        model_px: places of the grid in a pixel of a face 112 pixels wide.
    """
    grain = NOISE_SCALES[rng.integers(2) + (0 if rng.random() < estimate.sharp else 2)]
    error = np.stack([smooth_noise(rng, seen.shape, grain) for _ in "uv"], axis=-1) * rng.exponential(
        estimate.noise * model_px
    )
    moved = field + error * ((seen / seen.mean()) ** (-estimate.follow / 2))[..., None]
    near_sd, weighted = rng.uniform(*estimate.smoothing), moved * seen[..., None]
    trusted = _blurred(seen, near_sd)
    around = _blurred(weighted, FAR_SD) / _blurred(seen, FAR_SD)[..., None]
    near = _blurred(weighted, near_sd) / trusted[..., None]
    apart = (near - around) * (trusted / (trusted + rng.uniform(0, estimate.blend)))[..., None]
    apart = np.sign(apart) * np.maximum(np.abs(apart) - rng.uniform(0, estimate.dead) * strongest, 0)
    found = (around + apart).astype(np.float32)
    if rng.random() < estimate.even:
        found = np.stack(
            [cv2.medianBlur(np.ascontiguousarray(found[..., way]), MEDIAN_SIZE) for way in (0, 1)], axis=-1
        )
    return found + _jumps(seen.shape, strongest, rng, estimate)


def _jumps(
    shape: tuple[int, ...], strongest: float, rng: np.random.Generator, estimate: EstimatorModel
) -> Float32[np.ndarray, "H W 2"]:
    """Small round places where the estimate is simply wrong."""
    jumps, (rows, columns) = np.zeros((*shape, 2), np.float32), np.ogrid[: shape[0], : shape[1]]
    for _ in range(rng.poisson(estimate.jumps)):
        row, column, wide = (
            rng.integers(4, shape[0] - 4),
            rng.integers(4, shape[1] - 4),
            rng.uniform(0.8, 2.0),
        )
        spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * wide**2))
        jumps += (
            spot[..., None] * rng.normal(size=2) * strongest * rng.uniform(0.1, 1.0) * estimate.jump
        ).astype(np.float32)
    return jumps


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], sd: float) -> Float32[np.ndarray, "H W"]:
    """Normal noise without detail finer than SD places; standard deviation 1."""
    noise = _blurred(rng.normal(size=shape).astype(np.float32), sd)
    return noise / noise.std()


def _blurred(picture: np.ndarray, sd: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sd)


@dataclass(frozen=True)
class Crop:
    """The rectangle of a face that somebody cut out and squeezed into a square."""

    wide: float  # face widths
    high: float  # face widths
    eyes: float  # how far down the eyes lie, share of the height
    aside: float  # how far its middle lies to the right of the face's, face widths


def draw_crop(rng: np.random.Generator) -> Crop:
    """Crops as the databases' owners and others make them, brow to chin or more: about square, or higher than wide by up to a half."""
    return Crop(
        rng.uniform(0.95, 1.12), rng.uniform(1.0, 1.45), rng.uniform(0.26, 0.42), rng.normal(0, 0.025)
    )


def crop_and_resize(
    image: Float32[np.ndarray, "H W 3"],
    view: View,
    crop: Crop,
    size: int,
    rng: np.random.Generator,
    estimate: EstimatorModel = ESTIMATOR_MODEL,
) -> Float32[np.ndarray, "S S 3"]:
    """Cut out the crop and make it SIZE x SIZE: single places picked, their strain in specks, or means over the places between."""
    across, down = (
        crop.wide * view.face_px / size,
        crop.high * view.face_px / size,
    )  # places of the grid per pixel
    left = view.origin[0] + (crop.aside - crop.wide / 2) * view.face_px
    top = view.origin[1] - crop.eyes * crop.high * view.face_px
    picked = rng.random() < estimate.picked
    if not picked:
        image = cv2.GaussianBlur(image, (0, 0), sigmaX=across / 3, sigmaY=down / 3)
    places = np.array([[across, 0, left + across / 2], [0, down, top + down / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    small = cv2.warpAffine(image, places, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if picked:
        small[..., 2] *= np.exp(rng.uniform(*estimate.speckle) * rng.normal(size=(size, size))).astype(
            np.float32
        )
    return small
