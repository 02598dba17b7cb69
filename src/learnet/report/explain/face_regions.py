"""Regions of the face in a prepared image, by the landmarks of the average face, and their action units."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64

from learnet.face import EYE_COLUMNS, EYE_ROW
from learnet.simulation.geometry import SIDES, View, average_face, crop_view
from learnet.simulation.movement import displacement
from learnet.simulation.units import UNITS, both_sides

REGIONS: dict[str, tuple[str, ...]] = {
    "brows": ("inner brow", "middle brow", "outer brow", "forehead"),
    "eyes": ("inner eye", "outer eye", "upper lid", "lower lid"),
    "nose": ("nose root", "nose tip", "nostril"),
    "cheeks": ("cheek", "side", "jaw"),
    "mouth": ("lip corner", "upper lip", "lower lip", "upper lip middle", "mouth", "lower lip middle"),
    "chin": ("chin boss", "chin", "chin side", "low jaw"),
}
"""Region -> its landmarks. A pixel belongs to the region of the landmark nearest to it."""

ELSEWHERE = "elsewhere"  # hair, temples, neck: the nearest landmark belongs to no region
REGION_NAMES = (*REGIONS, ELSEWHERE)

DATABASE_CROP_SIZE = (340, 280)
"""Height and width in pixels of the face crops of CASME II; other databases are assumed to crop alike."""

PUPIL_DISTANCE = 0.5  # of the average face, in face widths
UNIT_SHARE = 0.6
"""An action unit belongs to each region that it moves by at least this share of the largest movement."""


@dataclass(frozen=True)
class FacePlacement:
    """Position and scale of the average face in a square image. Pixel centres have whole numbers."""

    size: int  # height and width of the image in pixels
    origin: tuple[float, float]  # (x, y) in pixels of the point midway between the pupils
    per_face: tuple[float, float]  # pixels per face width, horizontally and vertically: crops may be squeezed

    def to_pixels(self, points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """Convert (u, v) in face widths to (x, y) in pixels."""
        return points * np.array(self.per_face) + np.array(self.origin)


def found_face_crop(size: int) -> View:
    """Return the crop of a face that `learnet prepare` has found, with its pupils at fixed positions."""
    pupil_distance_px = (EYE_COLUMNS[1] - EYE_COLUMNS[0]) * size
    origin = ((size - 1) / 2, EYE_ROW * size - 0.5)
    return View(size, size, pupil_distance_px / PUPIL_DISTANCE, origin)


def face_placement(face: str, size: int) -> FacePlacement | None:
    """Return the position of the face in a prepared image.

    Args:
        face: column `face` of clips.csv: "given" (a face crop of the database), a face finder and its box,
            or "" (unknown).
        size: height and width of the image in pixels.

    Returns:
        None where the position is unknown, as for imported images.
    """
    if not face:
        return None
    if face != "given":
        view = found_face_crop(size)
        return FacePlacement(size, view.origin, (view.face_px, view.face_px))

    view = crop_view(*DATABASE_CROP_SIZE)
    x_scale = size / view.width
    y_scale = size / view.height
    per_face = (view.face_px * x_scale, view.face_px * y_scale)

    x, y = view.origin
    origin = ((x + 0.5) * x_scale - 0.5, (y + 0.5) * y_scale - 0.5)
    return FacePlacement(size, origin, per_face)


def region_map(placement: FacePlacement) -> Int64[np.ndarray, "S S"]:
    """Return the region of every pixel, as its index in REGION_NAMES."""
    region_of_landmark = {}
    for index, landmarks in enumerate(REGIONS.values()):
        region_of_landmark.update(dict.fromkeys(landmarks, index))
    elsewhere = REGION_NAMES.index(ELSEWHERE)

    points = average_face().points
    regions = np.array([region_of_landmark.get(_without_side(name), elsewhere) for name in points])
    landmark_u, landmark_v = np.array(list(points.values())).T
    y, x = np.mgrid[: placement.size, : placement.size].astype(float)
    u = (x - placement.origin[0]) / placement.per_face[0]
    v = (y - placement.origin[1]) / placement.per_face[1]
    squared_distance = (u[..., None] - landmark_u) ** 2 + (v[..., None] - landmark_v) ** 2
    return regions[squared_distance.argmin(axis=-1)].astype(np.int64)


def sum_per_region(attribution: Float32[np.ndarray, "S S"], placement: FacePlacement) -> pd.DataFrame:
    """Sum an attribution over each region of the face.

    Args:
        attribution: value of each pixel, signed or not.
        placement: position of the face in the image.

    Returns:
        A row per region, in the order of REGION_NAMES: region, share (of the absolute attribution; the
        shares sum to 1), net (signed sum, in the unit of the attribution), area (share of the pixels),
        times_even (share over area: 1 for a uniform attribution), action_units (of the region).
    """
    regions = region_map(placement)
    magnitude = np.abs(attribution).astype(float)
    total = magnitude.sum() or 1.0
    rows = []
    for index, name in enumerate(REGION_NAMES):
        inside = regions == index
        share = float(magnitude[inside].sum() / total)
        area = float(inside.mean())
        units = units_per_region().get(name, ())
        row = {
            "region": name,
            "share": share,
            "net": float(attribution[inside].sum(dtype=float)),
            "area": area,
            "times_even": share / area if area else 0.0,
            "action_units": ", ".join(f"AU{unit} {UNITS[unit].name}" for unit in units),
        }
        rows.append(row)
    return pd.DataFrame(rows)


@lru_cache(maxsize=1)
def units_per_region() -> Mapping[str, tuple[int, ...]]:
    """Return the action units of each region, by the displacement of the average face (UNIT_SHARE)."""
    size = 112
    view = found_face_crop(size)
    regions = region_map(FacePlacement(size, view.origin, (view.face_px, view.face_px)))
    units: dict[str, list[int]] = {name: [] for name in REGIONS}
    for unit in UNITS:
        field = displacement(average_face(), both_sides(unit, 1.0), view)
        distance = np.hypot(field[..., 0], field[..., 1])
        per_region = np.bincount(regions.ravel(), weights=distance.ravel(), minlength=len(REGION_NAMES))
        per_region = per_region[: len(REGIONS)]
        for name, moved in zip(REGIONS, per_region, strict=True):
            if moved >= UNIT_SHARE * per_region.max():
                units[name].append(unit)
    return {name: tuple(numbers) for name, numbers in units.items()}


def brow_eye_box(placement: FacePlacement) -> tuple[float, float, float, float]:
    """Return left, top, width and height in pixels of the box around brows and eyes."""
    left, top, right, bottom = _bounds((*REGIONS["brows"], *REGIONS["eyes"]), placement)
    margin = 0.04 * placement.per_face[0]
    return left - margin, top, right - left + 2 * margin, bottom - top + margin


def mouth_ring(placement: FacePlacement) -> tuple[float, float, float, float]:
    """Return centre (x, y), width and height in pixels of the ellipse around the mouth."""
    left, top, right, bottom = _bounds(REGIONS["mouth"], placement)
    return (left + right) / 2, (top + bottom) / 2, 1.5 * (right - left), 1.8 * (bottom - top)


def _bounds(landmarks: tuple[str, ...], placement: FacePlacement) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom in pixels of landmarks on both sides of the face."""
    points = [point for name, point in average_face().points.items() if _without_side(name) in landmarks]
    pixels = placement.to_pixels(np.array(points))
    left, top = pixels.min(axis=0).tolist()
    right, bottom = pixels.max(axis=0).tolist()
    return left, top, right, bottom


def _without_side(name: str) -> str:
    """Return the name of a landmark without "left" or "right"."""
    side, _, landmark = name.partition(" ")
    return landmark if side in SIDES else name
