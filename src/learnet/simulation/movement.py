"""Action units and head motion over time, as displacement fields in pixels: where each point of the resting face goes.

All fields are forward: at the resting place (x, y) stands the vector to where that point is now. `invert_field` turns them round for
rendering, which asks the opposite question.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Shaped

from learnet.core.errors import LearnetError
from learnet.simulation.geometry import SIDES, Geometry, View
from learnet.simulation.units import UNITS, Activation

_NO_SECOND_MAP = np.empty(0, np.float32)  # cv2.remap takes both coordinates from the first map

MODEL_FACE_PX = 112
"""Strengths are given in pixels of a face this wide, the size at which the paper's networks see it."""


def displacement(
    geometry: Geometry, activations: Iterable[Activation], view: View
) -> Float32[np.ndarray, "H W 2"]:
    """The field of some action units at their peak: (dx, dy) in pixels of the view at every pixel of the resting face.

    Linear in every `peak_px`, so a later or weaker moment is this times its intensity; the field of several units is the sum of theirs.
    """
    u, v = view.face_grid()
    du, dv = np.zeros_like(u), np.zeros_like(v)
    for activation in activations:
        strength = activation.peak_px / MODEL_FACE_PX  # face widths
        outward = 1.0 if activation.side == "left" else -1.0
        for bump in UNITS[activation.unit].bumps:
            centre_u, centre_v = _centre(geometry, bump.landmark, activation.side)
            across = (u - np.float32(centre_u + outward * bump.shift[0])) / np.float32(bump.sd_across)
            along = (v - np.float32(centre_v + bump.shift[1])) / np.float32(bump.sd_along)
            weight = np.float32(strength) * np.exp(-0.5 * (across * across + along * along))
            du += np.float32(outward * bump.outward) * weight
            dv += np.float32(bump.down) * weight
    return _to_picture(du, dv, view)


def min_area_ratio(field: Float32[np.ndarray, "H W 2"]) -> float:
    """The smallest share of its area that the field leaves to any part of the skin; not positive where skin folds over itself.

    The determinant of the Jacobian of (x, y) -> (x, y) + field.
    """
    (xy, xx), (yy, yx) = np.gradient(field[..., 0]), np.gradient(field[..., 1])
    return float(((1 + xx) * (1 + yy) - xy * yx).min())


def _centre(geometry: Geometry, landmark: str, side: str) -> tuple[float, float]:
    name = f"{side} {landmark}"
    return geometry.points[name if name in geometry.points else landmark]


def _to_picture(
    du: Float32[np.ndarray, "H W"], dv: Float32[np.ndarray, "H W"], view: View
) -> Float32[np.ndarray, "H W 2"]:
    turn = (view.face_px * view.rotation).astype(np.float32)
    return np.stack([turn[0, 0] * du + turn[0, 1] * dv, turn[1, 0] * du + turn[1, 1] * dv], axis=-1)


def eye_region(geometry: Geometry, view: View) -> Float32[np.ndarray, "H W"]:
    """1 on the eyes and their lids, smoothly 0 away from them: where a blink leaves no room for other movement."""
    u, v = view.face_grid()
    outside = np.ones_like(u)
    for side in SIDES:
        (centre, high), (_, low) = geometry.at("upper lid", side), geometry.at("lower lid", side)
        across, along = (
            (u - np.float32(centre)) / np.float32(0.16),
            (v - np.float32((high + low) / 2)) / np.float32(0.10),
        )
        outside *= (1 - np.exp(-0.5 * (across**2 + along**2))) ** 2
    return 1 - outside


@dataclass(frozen=True)
class Timing:
    """When a movement begins, is strongest and ends. It rises and falls along half cosines, as muscles start and stop smoothly."""

    onset_s: float
    apex_s: float
    offset_s: float
    residual: float = (
        0.0  # share of the peak that is left after the offset; CASME II has clips that never return to rest
    )

    def __post_init__(self) -> None:
        if not self.onset_s <= self.apex_s <= self.offset_s or self.onset_s == self.offset_s:
            raise LearnetError(
                f"Onset, apex and offset are out of order: {self.onset_s}, {self.apex_s}, {self.offset_s} s."
            )

    def later(self, by_s: float) -> "Timing":
        """The same movement so much later."""
        return Timing(self.onset_s + by_s, self.apex_s + by_s, self.offset_s + by_s, self.residual)

    def intensity(self, time_s: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
        """0 up to the onset, 1 at the apex, `residual` from the offset on."""
        marks, levels = [self.onset_s, self.apex_s, self.offset_s], [0.0, 1.0, self.residual]
        step = np.clip(np.searchsorted(marks, time_s, side="right") - 1, 0, 1)
        start, end = np.take(marks, step), np.take(marks, step + 1)
        phase = np.clip((time_s - start) / np.maximum(end - start, 1e-9), 0, 1)
        low, high = np.take(levels, step), np.take(levels, step + 1)
        return low + (high - low) * (1 - np.cos(np.pi * phase)) / 2


@dataclass(frozen=True)
class HeadPose:
    """How far the head is from where it rested."""

    right: float = 0.0  # shift to the right of the picture, face widths
    down: float = 0.0  # shift down, face widths
    roll_deg: float = 0.0  # in the picture plane, clockwise as seen
    turn_deg: float = 0.0  # about the vertical axis; positive moves the nose to the right of the picture
    nod_deg: float = 0.0  # about the ear-to-ear axis; positive moves the nose down
    growth: float = 0.0  # relative growth

    def scaled(self, factor: float) -> "HeadPose":
        """The same motion, FACTOR times as far."""
        return HeadPose(
            *(
                factor * value
                for value in (self.right, self.down, self.roll_deg, self.turn_deg, self.nod_deg, self.growth)
            )
        )


HEAD_CENTRE = (0.0, 0.15)  # (u, v): the middle of the head, which turns about itself
HEAD_RADII = (
    0.62,
    0.95,
    0.70,
)  # half width, half height and half depth in face widths; anthropometric heads are near 0.55 : 0.8 : 0.7


def head_displacement(pose: HeadPose, view: View) -> Float32[np.ndarray, "H W 2"]:
    """The field of a small head motion, head and hair together; it fades out beside the head, where the background stands still.

    Turn and nod carry each point by its depth on an ellipsoid, so the nose moves and the ears hardly do.
    """
    u, v = view.face_grid()
    x, y = u - np.float32(HEAD_CENTRE[0]), v - np.float32(HEAD_CENTRE[1])
    radius2 = (x / np.float32(HEAD_RADII[0])) ** 2 + (y / np.float32(HEAD_RADII[1])) ** 2
    depth = np.float32(HEAD_RADII[2]) * np.sqrt(np.clip(1 - radius2, 0, 1))
    roll, turn, nod = (
        np.float32(np.deg2rad(angle)) for angle in (pose.roll_deg, pose.turn_deg, pose.nod_deg)
    )
    du = np.float32(pose.right) + np.float32(pose.growth) * x - roll * y + turn * depth
    dv = np.float32(pose.down) + np.float32(pose.growth) * y + roll * x + nod * depth
    fade = np.exp(-0.5 * np.clip((np.sqrt(radius2) - 1.25) / 0.25, 0, None) ** 2)
    return _to_picture(fade * du, fade * dv, view)


def head_drift(rng: np.random.Generator, time_s: Float64[np.ndarray, "T"], amount: float) -> list[HeadPose]:
    """A head that tries to keep still: slow drift and sway, at rest at the first time.

    AMOUNT is the standard deviation of the drift speed in face widths per second (0.01: 1.1 px per second at 112 px); turns, nods and
    rolls come with it at 60 degrees per face width. Sway: two slow waves per axis (0.5 to 3 Hz).
    """
    scales = amount * np.array([1.0, 1.0, 40.0, 60.0, 60.0, 0.6])
    t = time_s - time_s[0]
    path = t[:, None] * (rng.normal(size=6) * scales)[None, :]
    for _ in range(2):
        rate = rng.uniform(0.5, 3.0, 6)
        phase = rng.uniform(0, 2 * np.pi, 6)
        wave = np.sin(2 * np.pi * rate * t[:, None] + phase) - np.sin(phase)
        path += rng.normal(size=6) * scales * 0.25 * wave / rate
    return [HeadPose(*map(float, row)) for row in path]


def invert_field(field: Float32[np.ndarray, "H W 2"], steps: int = 4) -> Float32[np.ndarray, "H W 2"]:
    """Turn a forward field round: at (x, y) the vector to where the point that is there now rested.

    Solves back(q) = -field(q + back(q)) by iteration, which converges where the field stretches nothing by more than its own size.
    """
    height, width = field.shape[:2]
    here = np.stack(
        np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), axis=-1
    )
    back = -field
    for _ in range(steps):
        back = -sample_image(field, here + back, cv2.INTER_LINEAR)
    return back


def sample_image(
    picture: Shaped[np.ndarray, "h w *C"], places: Float32[np.ndarray, "H W 2"], method: int
) -> Shaped[np.ndarray, "H W *C"]:
    """The picture's values at places (x, y) between its pixels, by a method of cv2.remap; beyond the border its last values."""
    return cv2.remap(picture, places, _NO_SECOND_MAP, method, borderMode=cv2.BORDER_REPLICATE)
