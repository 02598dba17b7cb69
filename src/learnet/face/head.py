"""Estimate the motion of the head over a clip on those parts of the face that an expression leaves still.

Positions are given in head units: the origin lies between the eyes of the anchor frame, x points to the eye
    further
right in the picture, y to the mouth, and the distance of the eyes is 1. Every frame is compared with the
anchor frame itself, so errors do not accumulate.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from learnet.face.geometry import compose, inverse, similarity_transform, transform_points, warp

# Regions attached to the skull: left, right, top, bottom. Brows, lids, cheeks, mouth and chin are left out.
# The nose tip is included although a wrinkled nose pulls at it (by 0.2 pixels at the eyes for 1.5 at the
# nose): without it a turning head is followed less well.
RIGID_REGIONS = (
    (-0.75, 0.75, -1.20, -0.72),  # forehead above the brows
    (-0.25, 0.25, -0.12, 0.72),  # nose, from its root between the eyes to its tip
    (-0.34, -0.18, -0.08, 0.22),  # inner corners of the eyes, attached to the bone
    (0.18, 0.34, -0.08, 0.22),
    # Temples, well inside the outline of the face, which slides over the skin when the head turns.
    (-0.85, -0.75, -0.12, 0.30),
    (0.75, 0.85, -0.12, 0.30),
)
LEFT, RIGHT, TOP, BOTTOM = -1.05, 1.05, -1.25, 1.0  # region of the head that is read, head units
REGION_BORDER = 0.04  # the rigid regions fade out over about this distance, head units
LIGHT_BLUR = 0.15  # standard deviation of the Gaussian whose mean removes slow changes of light, head units
OUTLIER_SD = (
    4.6  # robust standard deviations beyond which a pixel is ignored (Tukey's biweight; 95 % efficient)
)
MIN_CONTRAST = 0.1  # grey levels; smaller differences are rounding, not texture
MIN_NOISE_SD = 1.0  # smallest standard deviation assumed of a pixel, grey levels
ROTATION_PRIOR_SD = 0.1  # radians; the fit prefers rotations about this small
MAX_ITERATIONS = 15  # Gauss-Newton steps at one resolution
MIN_SCALE, MAX_SCALE = 0.6, 1.6  # a pose outside these is a failure of the fit
MAX_JUMP = 0.75  # head units; a larger movement between two frames is a failure of the fit
# The movement of these points is called the movement of the head: the eyes and the mouth.
EYES_AND_MOUTH = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 1.1]])
EYES = EYES_AND_MOUTH[:2]


class Resolution(NamedTuple):
    """A resolution at which a frame is compared with the anchor frame."""

    pixels: int  # per head unit; a face crop of 112 pixels has 40
    min_step: float  # a step this small ends the search, head units


COARSE = Resolution(16, 1.5e-3)
FINE = Resolution(32, 2e-4)


@dataclass(frozen=True)
class HeadMotion:
    """The motion of the head from the anchor frame to each other frame."""

    transforms: Float64[np.ndarray, "T 2 3"]  # similarity from the anchor frame to frame t, pixels
    # Out-of-plane rotation since the anchor frame, degrees: to the right in the picture, down. A rough
    # estimate that uses the depth of an average face.
    rotations_deg: Float64[np.ndarray, "T 2"]
    # -1..1: correlation of the rigid regions with those of the anchor frame, after the motion is undone.
    correlation: Float64[np.ndarray, "T"]


class _Pose(NamedTuple):
    """Position of the head relative to the anchor frame."""

    transform: Float64[np.ndarray, "2 3"]  # head units of the anchor frame to head units of this frame
    rotation: Float64[np.ndarray, "2"]  # radians: to the right, down


def _initial_pose() -> _Pose:
    return _Pose(np.eye(2, 3), np.zeros(2))


class _RigidTemplate:
    """The rigid regions of the anchor frame at one resolution, fitted to other frames.

    Source: inverse compositional algorithm, Baker and Matthews, Lucas-Kanade 20 Years On, IJCV 56(3), 2004.
    """

    def __init__(
        self, grey: UInt8[np.ndarray, "H W"], to_frame: Float64[np.ndarray, "2 3"], resolution: Resolution
    ) -> None:
        """Read the template.

        Args:
            grey: the anchor frame.
            to_frame: from head units of the anchor frame to its pixels.
            resolution: of the template.
        """
        self.to_frame = to_frame
        self.resolution = resolution.pixels
        self.min_step = resolution.min_step
        x, y = _grid(self.resolution)
        weight = _rigid_weight(x, y)
        mask = weight > 0.02
        self.mask: Bool[np.ndarray, "h w"] = mask
        self.weight = weight[mask]
        view = self._view(grey, np.eye(2, 3))
        self.values = view[mask].astype(np.float64)
        self.jacobian = self._jacobian(view, x[mask], y[mask])

    def _jacobian(
        self,
        view: Float32[np.ndarray, "h w"],
        x: Float64[np.ndarray, "P"],
        y: Float64[np.ndarray, "P"],
    ) -> Float64[np.ndarray, "P 8"]:
        """Return the derivatives of the values by the parameters of the fit.

        The columns are: scale, roll, shift right and shift down (of the view); rotation to the right and down
        (of the face); contrast and brightness (of the light).
        """
        scale = self.resolution / 8
        gradient_x = cv2.Sobel(view, cv2.CV_32F, 1, 0, scale=scale)[self.mask].astype(np.float64)
        gradient_y = cv2.Sobel(view, cv2.CV_32F, 0, 1, scale=scale)[self.mask].astype(np.float64)
        depth = average_depth(x, y)
        columns = [
            gradient_x * x + gradient_y * y,
            gradient_y * x - gradient_x * y,
            gradient_x,
            gradient_y,
            -gradient_x * depth,
            -gradient_y * depth,
            self.values,
            np.ones_like(self.values),
        ]
        return np.stack(columns, axis=1)

    def fit(self, grey: UInt8[np.ndarray, "H W"], start: _Pose) -> _Pose:
        """Return the pose that fits a frame best, starting from one near it."""
        transform, rotation = start
        light = np.zeros(2)  # contrast, brightness
        for _ in range(MAX_ITERATIONS):
            view = self._view(grey, transform)
            predicted = self._predicted(rotation)
            light_change = self.jacobian[:, 6:] @ light
            residual = view[self.mask] - predicted - light_change
            step = self._solve(residual, rotation)
            rotation = rotation + step[4:6]
            light = light + step[6:]
            scale, roll, right, down = step[:4]
            view_step = np.array([[1 + scale, -roll, right], [roll, 1 + scale, down]])
            transform = compose(transform, inverse(view_step))
            largest_step = np.abs(step[:6]).max()
            if largest_step < self.min_step or not _is_plausible(transform):
                break
        return _Pose(transform, rotation)

    def _solve(
        self, residual: Float64[np.ndarray, "P"], rotation: Float64[np.ndarray, "2"]
    ) -> Float64[np.ndarray, "8"]:
        """Return a Gauss-Newton step of the robust least-squares fit."""
        noise_sd = 1.4826 * np.median(np.abs(residual[self.weight > 0.5])) + MIN_NOISE_SD
        outlierness = (residual / (OUTLIER_SD * noise_sd)) ** 2
        trust = self.weight * np.clip(1 - outlierness, 0, None) ** 2
        weighted = self.jacobian * trust[:, None]
        normal = weighted.T @ self.jacobian
        gradient = weighted.T @ residual
        prior = (noise_sd / ROTATION_PRIOR_SD) ** 2
        normal[[4, 5], [4, 5]] += prior
        gradient[4:6] -= prior * rotation
        # A face without any texture must not divide by zero.
        normal[np.diag_indices(8)] += 1e-6 * (1 + np.trace(normal))
        return np.linalg.solve(normal, gradient)

    def correlation(self, grey: UInt8[np.ndarray, "H W"], pose: _Pose) -> float:
        """Return the correlation, -1..1, of the rigid regions of a frame with those of the anchor frame.

        No pixel is ignored here: a hand over the face must lower it.
        """
        weight = self.weight
        values = self._view(grey, pose.transform)[self.mask]
        predicted = self._predicted(pose.rotation)
        product = (weight * values * predicted).sum()
        values_power = (weight * values**2).sum()
        predicted_power = (weight * predicted**2).sum()
        noise_power = weight.sum() * MIN_CONTRAST**2
        power = np.sqrt(values_power * predicted_power)
        return float(product / (power + noise_power))

    def _predicted(self, rotation: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "P"]:
        """Return the values of the rigid regions after a small out-of-plane rotation."""
        return self.values + self.jacobian[:, 4:6] @ rotation

    def _view(
        self, grey: UInt8[np.ndarray, "H W"], transform: Float64[np.ndarray, "2 3"]
    ) -> Float32[np.ndarray, "h w"]:
        """Return the head region of a frame as in the anchor frame, without slow changes of light."""
        height, width = self.mask.shape
        scale = self.resolution
        to_view = np.array(
            [
                [scale, 0, -LEFT * scale - 0.5],
                [0, scale, -TOP * scale - 0.5],
            ]
        )
        frame_to_head = inverse(compose(self.to_frame, transform))
        view = warp(grey, compose(to_view, frame_to_head), width, height).astype(np.float32)
        light_sd = LIGHT_BLUR * self.resolution
        view -= cv2.GaussianBlur(view, (0, 0), light_sd, borderType=cv2.BORDER_REFLECT)
        return cv2.GaussianBlur(view, (0, 0), 0.8)


def _grid(resolution: int) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w"]]:
    """Return x and y of the pixel centres of the head region, head units."""
    width = round((RIGHT - LEFT) * resolution)
    height = round((BOTTOM - TOP) * resolution)
    columns = LEFT + (np.arange(width) + 0.5) / resolution
    rows = TOP + (np.arange(height) + 0.5) / resolution
    x, y = np.meshgrid(columns, rows)
    return x, y


def _rigid_weight(x: Float64[np.ndarray, "h w"], y: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
    """Return 1 inside the rigid regions, 0 outside, with a soft border."""
    weight = np.zeros_like(x)
    for left, right, top, bottom in RIGID_REGIONS:
        border_distances = [x - left, right - x, y - top, bottom - y]
        distance_inside = np.minimum.reduce(border_distances)
        region_weight = np.clip(0.5 + distance_inside / (2 * REGION_BORDER), 0, 1)
        weight = np.maximum(weight, region_weight)
    return weight


def average_depth(x: Float64[np.ndarray, "P"], y: Float64[np.ndarray, "P"]) -> Float64[np.ndarray, "P"]:
    """Return how far an average face protrudes from the plane of the eyes, head units.

    It is curved like a head, with the ridge of the nose.
    """
    ridge = 0.42 * np.exp(-((x / 0.2) ** 2))
    return 0.12 - 0.55 * x**2 + ridge * np.clip((y + 0.15) / 0.7, 0, 1)


def _is_plausible(
    transform: Float64[np.ndarray, "2 3"], previous: Float64[np.ndarray, "2 3"] | None = None
) -> bool:
    """Return whether a head can be there: no extreme change of size, no jump since the previous frame."""
    size = np.hypot(transform[0, 0], transform[1, 0])
    jump = 0.0
    if previous is not None:
        points = transform_points(transform, EYES_AND_MOUTH)
        previous_points = transform_points(previous, EYES_AND_MOUTH)
        distances = np.linalg.norm(points - previous_points, axis=1)
        jump = distances.max()
    is_finite = np.isfinite(transform).all()
    is_size_plausible = MIN_SCALE < size < MAX_SCALE
    return bool(is_finite and is_size_plausible and jump < MAX_JUMP)


def head_motion(
    frames: UInt8[np.ndarray, "T H W 3"], eyes: Float64[np.ndarray, "2 2"], anchor: int, fine: bool = True
) -> HeadMotion:
    """Follow the head from the anchor frame, forwards and backwards.

    The fit to each frame starts from the pose in its neighbour. It is a robust least-squares fit of shift,
    roll and scale to the grey levels of the rigid regions, accurate to a few hundredths of a pixel.
    Out-of-plane rotations (turning to the side, nodding) move the nose before the eyes, so they are fitted as
    well, with the depth of an average face. But no similarity can undo them, and the transforms hold for the
    plane of the eyes.

    Args:
        frames: RGB, in time order, close enough in time for the head to move less than about a third of the
            distance of the eyes.
        eyes: in the anchor frame, one (x, y) a row, pixels; the eye further left in the picture first.
        anchor: index of the frame that the others are compared with.
        fine: fit at two resolutions; False: at the coarse one only, four times as fast, where only the size
            of the movement matters.

    Returns:
        Transforms, rotations and correlations. Where no plausible pose is found, the neighbour's is repeated
        and the correlation is 0.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    to_frame = similarity_transform(EYES, eyes)
    templates = [_RigidTemplate(greys[anchor], to_frame, COARSE)]
    if fine:
        templates.append(_RigidTemplate(greys[anchor], to_frame, FINE))
    count = len(frames)
    transforms = np.tile(np.eye(2, 3), (count, 1, 1))
    rotations = np.zeros((count, 2))
    correlation = np.ones(count)
    forwards = range(anchor + 1, count)
    backwards = range(anchor - 1, -1, -1)
    for direction in (forwards, backwards):
        pose = _initial_pose()
        for index in direction:
            pose, correlation[index] = _follow(templates, greys[index], pose)
            frame_to_head = compose(pose.transform, inverse(to_frame))
            transforms[index] = compose(to_frame, frame_to_head)
            rotations[index] = np.degrees(pose.rotation)
    return HeadMotion(transforms, rotations, correlation)


def _follow(
    templates: list[_RigidTemplate], grey: UInt8[np.ndarray, "H W"], previous: _Pose
) -> tuple[_Pose, float]:
    """Return the pose in a frame and its correlation, starting from the pose in the neighbouring frame."""
    pose = previous
    for template in templates:
        if _is_plausible(pose.transform):  # not after a coarse fit that failed
            pose = template.fit(grey, pose)
    if not _is_plausible(pose.transform, previous.transform):
        return previous, 0.0
    return pose, templates[-1].correlation(grey, pose)


def head_shift(motion: HeadMotion, eyes: Float64[np.ndarray, "2 2"]) -> Float64[np.ndarray, "T"]:
    """Return how far the eyes or the mouth moved in each frame, whichever moved furthest.

    Args:
        motion: from `head_motion`.
        eyes: in the anchor frame, as passed to `head_motion`.

    Returns:
        Distances in units of the distance of the eyes.
    """
    to_frame = similarity_transform(EYES, eyes)
    points = transform_points(to_frame, EYES_AND_MOUTH)
    shifts = []
    for transform in motion.transforms:
        moved = transform_points(transform, points)
        distances = np.linalg.norm(moved - points, axis=1)
        shifts.append(distances.max())
    left_eye, right_eye = eyes
    eye_distance = np.linalg.norm(right_eye - left_eye)
    return np.array(shifts) / eye_distance
