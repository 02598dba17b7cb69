"""The parts of a face in a registered crop, by the landmarks of the average face, and the action units that live in each."""

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
"""Region -> its landmarks. A place belongs to the region of the landmark nearest to it."""

ELSEWHERE = "elsewhere"  # hair, temples, neck: nearest to a landmark of no region
REGION_NAMES = (*REGIONS, ELSEWHERE)

DATABASE_CROP_SIZE = (
    340,
    280,
)  # height and width in pixels of CASME II's crops; other owners crop alike, as far as is known
PUPILS_APART = 0.5  # face widths, in the average face
LIVES = 0.6  # a unit lives in the region it moves most, and where it moves at least this share of that


@dataclass(frozen=True)
class FacePlacement:
    """Where an image puts the average face: a scale for each direction, as crops are squeezed into squares. Pixel centres are whole."""

    size: int  # height and width of the image in pixels
    origin: tuple[float, float]  # (x, y) in pixels of the point midway between the pupils
    per_face: tuple[float, float]  # pixels per face width, across and down

    def to_pixels(self, points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """(u, v) in face widths to (x, y) in pixels."""
        return points * np.array(self.per_face) + np.array(self.origin)


def found_face_crop(size: int) -> View:
    """Where `learnet prepare` puts a face that it has found."""
    apart = (EYE_COLUMNS[1] - EYE_COLUMNS[0]) * size
    return View(size, size, apart / PUPILS_APART, ((size - 1) / 2, EYE_ROW * size - 0.5))


def face_placement(face: str, size: int) -> FacePlacement | None:
    """Where the face lies in a prepared image.

    Args:
        face: column `face` of clips.csv: "given" (cropped by the owners of the clip), a finder and its box, or "" (not known).
        size: height and width of the image in pixels.

    Returns:
        None where nobody knows: imported images.
    """
    if not face:
        return None
    if face != "given":
        view = found_face_crop(size)
        return FacePlacement(size, view.origin, (view.face_px, view.face_px))
    view = crop_view(*DATABASE_CROP_SIZE)
    across, down = size / view.width, size / view.height
    x, y = view.origin
    return FacePlacement(
        size, ((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5), (view.face_px * across, view.face_px * down)
    )


def region_map(where: FacePlacement) -> Int64[np.ndarray, "S S"]:
    """The region of every pixel, as its position in NAMES."""
    points = average_face().points
    owner = {
        landmark: REGION_NAMES.index(region)
        for region, landmarks in REGIONS.items()
        for landmark in landmarks
    }
    belongs = np.array([owner.get(_landmark(name), REGION_NAMES.index(ELSEWHERE)) for name in points])
    marks = np.array(list(points.values()))
    y, x = np.mgrid[: where.size, : where.size].astype(float)
    u, v = (x - where.origin[0]) / where.per_face[0], (y - where.origin[1]) / where.per_face[1]
    away = (u[..., None] - marks[:, 0]) ** 2 + (v[..., None] - marks[:, 1]) ** 2
    return belongs[away.argmin(axis=-1)].astype(np.int64)


def sum_per_region(attribution: Float32[np.ndarray, "S S"], where: FacePlacement) -> pd.DataFrame:
    """How much of an attribution lies in each part of the face.

    Args:
        attribution: of each pixel, signed or not.
        where: of the face in the image.

    Returns:
        A row per region, in the order of NAMES: region, share (of the attribution's size, whatever its sign; the rows add up to 1),
        net (with the sign, in the attribution's unit), area (share of the pixels), times_even (share over area: 1 where the
        attribution is spread evenly), action_units (those that live there).
    """
    found, size = region_map(where), np.abs(attribution).astype(float)
    total = size.sum() or 1.0
    rows = []
    for place, name in enumerate(REGION_NAMES):
        inside = found == place
        share, area = float(size[inside].sum() / total), float(inside.mean())
        units = ", ".join(f"AU{unit} {UNITS[unit].name}" for unit in units_per_region().get(name, ()))
        net = float(attribution[inside].sum(dtype=float))
        rows.append({"region": name, "share": share, "net": net, "area": area, "times_even": share / area if area else 0.0,
                     "action_units": units})  # fmt: skip
    return pd.DataFrame(rows)


@lru_cache(maxsize=1)
def units_per_region() -> Mapping[str, tuple[int, ...]]:
    """Region -> the action units that live there, by where the skin of the average face is displaced (LIVES)."""
    size = 112
    view = found_face_crop(size)
    regions = region_map(FacePlacement(size, view.origin, (view.face_px, view.face_px)))
    living: dict[str, list[int]] = {name: [] for name in REGIONS}
    for unit in UNITS:
        field = displacement(average_face(), both_sides(unit, 1.0), view)
        moved = np.hypot(field[..., 0], field[..., 1])
        share = {
            name: float(moved[regions == place].sum() / moved.sum()) for place, name in enumerate(REGIONS)
        }
        for name, value in share.items():
            if value >= LIVES * max(share.values()):
                living[name].append(unit)
    return {name: tuple(units) for name, units in living.items()}


def brow_eye_box(where: FacePlacement) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels of the box around brows and eyes."""
    marks = where.to_pixels(
        np.array([_at(name) for region in ("brows", "eyes") for name in REGIONS[region]]).reshape(-1, 2)
    )
    (left, top), (right, bottom) = marks.min(axis=0), marks.max(axis=0)
    room = 0.04 * where.per_face[0]
    return float(left - room), float(top), float(right - left + 2 * room), float(bottom - top + room)


def mouth_ring(where: FacePlacement) -> tuple[float, float, float, float]:
    """Centre (x, y), width and height in pixels of the ellipse around the mouth."""
    marks = where.to_pixels(np.array([_at(name) for name in REGIONS["mouth"]]).reshape(-1, 2))
    (left, top), (right, bottom) = marks.min(axis=0), marks.max(axis=0)
    return (
        float((left + right) / 2),
        float((top + bottom) / 2),
        1.5 * float(right - left),
        1.8 * float(bottom - top),
    )


def _landmark(name: str) -> str:
    side, _, rest = name.partition(" ")
    return rest if side in SIDES else name


def _at(landmark: str) -> list[tuple[float, float]]:
    points = average_face().points
    pair = [points[f"{side} {landmark}"] for side in SIDES if f"{side} {landmark}" in points]
    return pair or [points[landmark]] * 2  # twice, so that every landmark counts as a pair
