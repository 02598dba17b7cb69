"""Displacement fields of action units and of head motion, in pixels.

All fields are forward: the value at the resting position (x, y) is the vector to the current position of
that point. `invert_field` returns the backward field, which rendering needs.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Shaped

from learnet.core.errors import LearnetError
from learnet.simulation.geometry import SIDES, Geometry, View
from learnet.simulation.muscles import Muscles
from learnet.simulation.units import UNITS, Activation, Bump

_NO_SECOND_MAP = np.empty(0, np.float32)  # cv2.remap reads both coordinates from the first map

MODEL_FACE_PX = 112
"""Strengths are in pixels of a face of this width, the size of the paper's network inputs."""


def displacement(
    geometry: Geometry, activations: Iterable[Activation], view: View, muscles: Muscles | None = None
) -> Float32[np.ndarray, "H W 2"]:
    """Compute the displacement field of action units at their peak.

    The field is linear in every `peak_px`: a weaker expression is this field times its intensity, and the
    field of several units is the sum of their fields.

    Args:
        geometry: of the face.
        activations: units, sides and strengths.
        view: grid of the field.
        muscles: of the person; None: those of the average face.

    Returns:
        (dx, dy) in pixels of the view, at every pixel of the resting face.
    """
    u, v = view.face_grid()
    du = np.zeros_like(u)
    dv = np.zeros_like(v)
    for activation in activations:
        strength = activation.peak_px / MODEL_FACE_PX  # face widths
        outward = 1.0 if activation.side == "left" else -1.0
        bumps = UNITS[activation.unit].bumps
        if muscles is not None:
            bumps = muscles.bumps(activation.unit, activation.side)
        for bump in bumps:
            centre = _centre(geometry, bump, activation.side)
            weight = strength * _gaussian(u, v, bump, centre)
            sideways = outward * bump.outward
            du += sideways * weight
            dv += bump.down * weight
    return _to_image_axes(du, dv, view)


def _centre(geometry: Geometry, bump: Bump, side: str) -> tuple[float, float]:
    """Return the centre (u, v) of a bump on one side of the face, in face widths."""
    landmark = bump.landmark
    paired_name = f"{side} {landmark}"
    if paired_name in geometry.points:
        landmark = paired_name
    centre_u, centre_v = geometry.points[landmark]
    outward = 1.0 if side == "left" else -1.0
    shift_outward, shift_down = bump.shift
    return centre_u + outward * shift_outward, centre_v + shift_down


def _gaussian(
    u: Float64[np.ndarray, "H W"],
    v: Float64[np.ndarray, "H W"],
    bump: Bump,
    centre: tuple[float, float],
) -> Float64[np.ndarray, "H W"]:
    """Return the Gaussian weight of a bump, 1 at its centre."""
    centre_u, centre_v = centre
    across = u - centre_u
    along = v - centre_v
    across /= bump.sd_across
    along /= bump.sd_along
    squared_distance = across**2 + along**2
    return np.exp(-0.5 * squared_distance)


def min_area_ratio(field: Float32[np.ndarray, "H W 2"]) -> float:
    """Return the smallest local ratio of the area after the displacement to the area before.

    It is the minimum of the determinant of the Jacobian of (x, y) -> (x, y) + field. It is not positive
    where the skin folds over itself.
    """
    dx = field[..., 0]
    dy = field[..., 1]
    dx_by_y, dx_by_x = np.gradient(dx)
    dy_by_y, dy_by_x = np.gradient(dy)
    x_stretch = 1 + dx_by_x
    y_stretch = 1 + dy_by_y
    determinant = x_stretch * y_stretch - dx_by_y * dy_by_x
    return float(determinant.min())


def _to_image_axes(
    du: Float64[np.ndarray, "H W"], dv: Float64[np.ndarray, "H W"], view: View
) -> Float32[np.ndarray, "H W 2"]:
    """Convert displacements in face widths to (dx, dy) in pixels of the view."""
    matrix = view.face_px * view.rotation
    x_row, y_row = matrix
    x_by_u, x_by_v = x_row
    y_by_u, y_by_v = y_row
    dx = x_by_u * du + x_by_v * dv
    dy = y_by_u * du + y_by_v * dv
    return np.stack([dx, dy], axis=-1).astype(np.float32)


def eye_region(geometry: Geometry, view: View) -> Float32[np.ndarray, "H W"]:
    """Return a soft mask of the eyes and lids: 1 inside, 0 far away.

    During a blink, other movement is suppressed where the mask is 1.
    """
    u, v = view.face_grid()
    outside = np.ones_like(u)
    for side in SIDES:
        centre_u, upper_v = geometry.at("upper lid", side)
        _, lower_v = geometry.at("lower lid", side)
        centre_v = (upper_v + lower_v) / 2
        across = (u - centre_u) / 0.16
        along = (v - centre_v) / 0.10
        squared_distance = across**2 + along**2
        inside = np.exp(-0.5 * squared_distance)
        outside *= (1 - inside) ** 2
    return (1 - outside).astype(np.float32)


@dataclass(frozen=True)
class Timing:
    """Onset, apex and offset of a movement, which rises and falls along half cosines.

    Raises:
        LearnetError: the times are out of order, or onset and offset are the same.
    """

    onset_s: float
    apex_s: float
    offset_s: float
    residual: float = (
        0.0  # share of the peak left after the offset; some clips of CASME II do not end at rest
    )

    def __post_init__(self) -> None:
        in_order = self.onset_s <= self.apex_s <= self.offset_s
        takes_time = self.onset_s != self.offset_s
        if in_order and takes_time:
            return
        times = f"{self.onset_s}, {self.apex_s}, {self.offset_s} s"
        raise LearnetError(f"Onset, apex and offset are out of order: {times}.")

    def later(self, by_s: float) -> "Timing":
        """Return the timing delayed by `by_s` seconds."""
        return Timing(
            self.onset_s + by_s,
            self.apex_s + by_s,
            self.offset_s + by_s,
            self.residual,
        )

    def intensity(self, time_s: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
        """Return the intensity at each time.

        It is 0 up to the onset, 1 at the apex, and `residual` from the offset on.
        """
        times = np.array([self.onset_s, self.apex_s, self.offset_s])
        levels = np.array([0.0, 1.0, self.residual])
        index = np.searchsorted(times, time_s, side="right")
        index = np.clip(index - 1, 0, 1)  # 0: rising, 1: falling
        start = times[index]
        end = times[index + 1]
        duration = np.maximum(end - start, 1e-9)
        phase = (time_s - start) / duration
        phase = np.clip(phase, 0, 1)
        first = levels[index]
        last = levels[index + 1]
        wave = 1 - np.cos(np.pi * phase)
        return first + (last - first) * wave / 2


@dataclass(frozen=True)
class HeadPose:
    """Displacement of the head from its resting pose."""

    right: float = 0.0  # shift to the right of the image, face widths
    down: float = 0.0  # shift down, face widths
    roll_deg: float = 0.0  # in the image plane, clockwise as seen
    turn_deg: float = 0.0  # about the vertical axis; positive moves the nose to the right of the image
    nod_deg: float = 0.0  # about the ear-to-ear axis; positive moves the nose down
    growth: float = 0.0  # relative increase in size, as when the head comes closer


HEAD_CENTRE = (0.0, 0.15)  # (u, v) of the middle of the head, the centre of its rotation
HEAD_RADII = (0.62, 0.95, 0.70)
"""Half width, half height and half depth of the head, face widths; heads measure about 0.55 : 0.8 : 0.7."""

HEAD_DRIFT_SCALES = np.array([1.0, 1.0, 40.0, 60.0, 60.0, 0.6])
"""Drift of each component of HeadPose for a drift of one face width."""


def head_displacement(pose: HeadPose, view: View) -> Float32[np.ndarray, "H W 2"]:
    """Compute the displacement field of a small head motion.

    Head and hair move together. The field fades out beside the head, where the background does not move.
    Turn and nod move each point in proportion to its depth on an ellipsoid, so the nose moves and the ears
    hardly do.

    Returns:
        (dx, dy) in pixels of the view.
    """
    u, v = view.face_grid()
    centre_u, centre_v = HEAD_CENTRE
    half_width, half_height, half_depth = HEAD_RADII
    x = u - centre_u
    y = v - centre_v
    squared_radius = (x / half_width) ** 2 + (y / half_height) ** 2
    depth = np.clip(1 - squared_radius, 0, 1)
    depth = half_depth * np.sqrt(depth)
    roll = math.radians(pose.roll_deg)
    turn = math.radians(pose.turn_deg)
    nod = math.radians(pose.nod_deg)
    du = pose.right + pose.growth * x - roll * y + turn * depth
    dv = pose.down + pose.growth * y + roll * x + nod * depth
    beside = (np.sqrt(squared_radius) - 1.25) / 0.25
    beside = np.clip(beside, 0, None)
    fade = np.exp(-0.5 * beside**2)
    return _to_image_axes(fade * du, fade * dv, view)


def head_drift(rng: np.random.Generator, time_s: Float64[np.ndarray, "T"], amount: float) -> list[HeadPose]:
    """Draw the poses of a head that tries to keep still: slow drift and sway, at rest at the first time.

    Args:
        rng: source of all random numbers.
        time_s: time of each pose.
        amount: standard deviation of the drift speed in face widths per second (0.01 is 1.1 px per second
            at 112 px). Turns, nods and rolls have 60 or 40 degrees per face width. The sway adds two slow
            waves (0.5 to 3 Hz) per axis.
    """
    scales = amount * HEAD_DRIFT_SCALES
    elapsed = time_s - time_s[0]
    column = elapsed[:, None]
    speed = rng.normal(size=6) * scales
    path = column * speed
    for _ in range(2):
        rate = rng.uniform(0.5, 3.0, 6)
        phase = rng.uniform(0, 2 * np.pi, 6)
        angular_rate = 2 * np.pi * rate
        angle = angular_rate * column + phase
        wave = np.sin(angle) - np.sin(phase)
        amplitude = rng.normal(size=6) * scales * 0.25
        sway = amplitude * wave / rate
        path += sway
    return [HeadPose(*row) for row in path.tolist()]


def invert_field(field: Float32[np.ndarray, "H W 2"], steps: int = 4) -> Float32[np.ndarray, "H W 2"]:
    """Compute the backward field of a forward displacement field.

    Solves back(q) = -field(q + back(q)) by fixed-point iteration, which converges where the field changes
    by less than one pixel per pixel.

    Args:
        field: (dx, dy) from each resting position to the current position, pixels.
        steps: number of iterations.

    Returns:
        The vector from each position q to the resting position of the point that is now at q, pixels.
    """
    height, width = field.shape[:2]
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)
    grid = np.meshgrid(x, y)
    positions = np.stack(grid, axis=-1)
    back = -field
    for _ in range(steps):
        back = -sample_image(field, positions + back, cv2.INTER_LINEAR)
    return back


def sample_image(
    image: Shaped[np.ndarray, "h w *C"], positions: Float32[np.ndarray, "H W 2"], method: int
) -> Shaped[np.ndarray, "H W *C"]:
    """Interpolate an image at positions (x, y); beyond the border its outermost values are repeated.

    Args:
        image: one or more channels.
        positions: (x, y) in pixels of the image.
        method: an interpolation method of `cv2.remap`.
    """
    return cv2.remap(
        image,
        positions,
        _NO_SECOND_MAP,
        method,
        borderMode=cv2.BORDER_REPLICATE,
    )
