"""Stills of synthetic people: the portrait warped to another face's landmarks, repainted and lit."""

import math

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.simulation.geometry import View
from learnet.simulation.movement import sample_image
from learnet.simulation.people import Person
from learnet.simulation.portrait import portrait
from learnet.simulation.surfaces import paint_hair, paint_skin, paint_surface

KNEE = 200.0  # grey level above which bright parts are compressed, as cameras do
GRID_STEP = 4  # smooth maps are computed on every fourth pixel
CORNERS = np.array([(-1.6, -1.3), (-1.6, 1.5), (1.6, -1.3), (1.6, 1.5)])  # (u, v) far outside the face


def render_still(person: Person, view: View) -> UInt8[np.ndarray, "H W 3"]:
    """Render a person at rest as a sharp image without noise: RGB, grey levels."""
    rng = np.random.default_rng(person.seed)
    source = portrait()
    positions = _portrait_positions(person, view)
    pixels = sample_image(source.pixels, positions, cv2.INTER_CUBIC)
    source_masks = np.dstack([source.skin, source.hair, source.cloth])
    masks = sample_image(source_masks, positions, cv2.INTER_LINEAR)
    skin, hair, cloth = np.split(masks, 3, axis=-1)
    covered = masks.sum(axis=-1, keepdims=True)
    wall = np.clip(1 - covered, 0, 1)
    image = skin * paint_skin(pixels, person, view, rng)
    image += hair * paint_hair(pixels, person)
    image += cloth * paint_surface(person.cloth, view, rng, contrast=0.25, grain=0.03)
    image += wall * paint_surface(person.wall, view, rng, contrast=0.12, grain=0.005)
    head = np.clip(skin + hair + cloth, 0, 1)
    shading = _shading(person, view)[..., None]
    image *= 1 + head * (shading - 1)
    image = np.round(_compress_highlights(image))
    image = np.clip(image, 0, 255)
    return image.astype(np.uint8)


def _compress_highlights(image: Float64[np.ndarray, "H W 3"]) -> Float64[np.ndarray, "H W 3"]:
    """Compress grey levels above KNEE, so that no skin is overexposed."""
    headroom = 255 - KNEE
    excess = image - KNEE
    saturated = np.tanh(excess / headroom)
    compressed = KNEE + headroom * saturated
    return np.where(image > KNEE, compressed, image)


def _portrait_positions(person: Person, view: View) -> Float32[np.ndarray, "H W 2"]:
    """Return the position in the enlarged portrait for each pixel of the view.

    It is the thin-plate spline through all landmarks, continued by an affine map outside the face.
    """
    points = portrait().points
    face_points = []
    portrait_points = []
    for name, position in person.geometry.points.items():
        portrait_name = _mirrored_name(name) if person.mirrored else name
        if name in points:
            face_points.append(position)
            portrait_points.append(points[portrait_name])
    source, target = _add_corners(np.array(face_points), np.array(portrait_points))
    coarse_view = view.coarser(GRID_STEP)
    u, v = coarse_view.face_grid()
    grid = np.stack([u.ravel(), v.ravel()], axis=1)
    values = _thin_plate_spline(source, target, grid)
    coarse = values.reshape(*u.shape, 2)
    return _upsample(coarse, view)


def _mirrored_name(name: str) -> str:
    """Swap "left" and "right" in the name of a landmark."""
    swap = {"left": "right", "right": "left"}
    words = [swap.get(word, word) for word in name.split()]
    return " ".join(words)


def _add_corners(
    source: Float64[np.ndarray, "N 2"], target: Float64[np.ndarray, "N 2"]
) -> tuple[Float64[np.ndarray, "M 2"], Float64[np.ndarray, "M 2"]]:
    """Add four points far outside the face, mapped by the affine map that fits the landmarks best."""
    affine, *_ = np.linalg.lstsq(_with_ones(source), target, rcond=None)
    corner_targets = _with_ones(CORNERS) @ affine
    all_sources = np.vstack([source, CORNERS])
    all_targets = np.vstack([target, corner_targets])
    return all_sources, all_targets


def _with_ones(points: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 3"]:
    ones = np.ones(len(points))
    return np.column_stack([points, ones])


def _thin_plate_spline(
    source: Float64[np.ndarray, "N 2"], target: Float64[np.ndarray, "N 2"], at: Float64[np.ndarray, "M 2"]
) -> Float64[np.ndarray, "M 2"]:
    """Evaluate the map of least bending that maps each source point to its target.

    Args:
        source: points.
        target: their images.
        at: where to evaluate the map.

    References:
        Bookstein, IEEE PAMI 11(6), 1989.
    """
    count = len(source)
    plane = _plane_terms(source)
    bending = _bending_terms(source, source)
    slack = 1e-4 * np.eye(count)  # so that two close landmarks cannot tear the skin
    zeros = np.zeros((3, 3))
    system = np.block([[bending + slack, plane], [plane.T, zeros]])
    right_side = np.vstack([target, np.zeros((3, 2))])
    weights = np.linalg.solve(system, right_side)
    bent = _bending_terms(at, source) @ weights[:count]
    flat = _plane_terms(at) @ weights[count:]
    return bent + flat


def _plane_terms(points: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 3"]:
    ones = np.ones(len(points))
    return np.column_stack([ones, points])


def _bending_terms(
    a: Float64[np.ndarray, "A 2"], b: Float64[np.ndarray, "B 2"]
) -> Float64[np.ndarray, "A B"]:
    """Return the radial basis function r^2 log r^2 of all distances between points of `a` and `b`."""
    difference = a[:, None] - b
    squares = difference**2
    squared_distance = squares.sum(axis=-1)
    logarithm = np.log(squared_distance + 1e-12)
    return squared_distance * logarithm


def _upsample(coarse: Float64[np.ndarray, "h w 2"], view: View) -> Float32[np.ndarray, "H W 2"]:
    """Interpolate a smooth map from every GRID_STEP-th pixel to all pixels."""
    height, width = coarse.shape[:2]
    size = (width * GRID_STEP, height * GRID_STEP)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return fine[: view.height, : view.width].astype(np.float32)


def _shading(person: Person, view: View) -> Float64[np.ndarray, "H W"]:
    """Return Lambert shading of an ellipsoid by one lamp and ambient light; its mean over the face is 1."""
    u, v = view.face_grid()
    right, up, strength = person.light
    x = u / 0.72
    y = (v - 0.2) / 1.05
    squared_depth = 1 - x * x - y * y
    squared_depth = np.clip(squared_depth, 0.05, 1)
    z = np.sqrt(squared_depth)
    length = math.sqrt(right**2 + up**2 + 1)
    cosine = (x * right - y * up + z) / length
    lamp = np.clip(cosine, 0, None)
    across = u / 0.35
    along = (v - 0.2) / 0.4
    face = np.exp(-0.5 * (across**2 + along**2))
    lit = lamp * face
    mean = lit.sum() / face.sum()
    relative = lamp / mean - 1
    return 1 + strength * relative
