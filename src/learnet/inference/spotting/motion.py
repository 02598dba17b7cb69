"""Motion of the skin and of the head between a reference frame and later ones, at the points of a face.

The points are tracked in a small crop of the face by the pyramidal Lucas-Kanade method of OpenCV. The
motion of the head is fitted to the rigid points and removed from the others.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from learnet.face.alignment import EYE_COLUMNS, EYE_DISTANCE, EYE_ROW
from learnet.face.geometry import compose, inverse, transform_points, warp
from learnet.face.head import average_depth
from learnet.inference.spotting.points import FacePoints

TRACKED_PX = 128  # height and width of the crop in which points are tracked
UNIT_PX = EYE_DISTANCE * TRACKED_PX  # pixels of this crop in a head unit
REPORTED_PX = 112 / TRACKED_PX  # lengths are reported in pixels of a crop 112 pixels wide
LIGHT_SD_PX = 7.0  # standard deviation of the Gaussian whose mean is removed, with slow changes of light
CONTRAST = 3.0  # factor on the grey levels, whose rounding would be noise
WINDOW_PX = 15  # width of the window of Lucas-Kanade
LEVELS = 1  # of its pyramid, besides the full resolution
SEEN_PX = WINDOW_PX // 2 + 1  # around a point, which are compared: the window, and a pixel for its gradients
STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 8, 0.01)
MIN_TEXTURE = 2e-4  # smaller eigenvalue of the structure tensor at which a point has half of its full weight
MAX_SHIFT_PX = 0.5  # of the head in the crop, from which the frame is cropped again

OUTLIER_SD = 4.685  # Tukey's biweight; 95 % efficient
MIN_FIT_SD_PX = 0.05
FIT_ROUNDS = 4
ROTATION_PRIOR_SD = 0.1  # radians; the fit prefers rotations about this small
FIT_SD_PX = 0.1  # error of a tracked point assumed in comparison with this prior

Crop = UInt8[np.ndarray, "S S"]


@dataclass(frozen=True)
class FaceMotion:
    """Motion between the reference and a frame. Lengths are in pixels of a face crop 112 pixels wide."""

    displacements: Float64[np.ndarray, "P 2"]  # of the patches, without the motion of the head
    rigid: Float64[np.ndarray, "R 2"]  # displacements of the rigid points, likewise: 0 but for errors
    to_crop: Float64[np.ndarray, "2 3"]  # from the frame to a crop in which the head has not moved
    # Difference of each patch from what it was in the reference, in units of its contrast there: about 0
    # where it has only moved, 1 where it shows something else or reaches beyond the picture.
    residuals: Float64[np.ndarray, "P"]
    rotation_deg: Float64[np.ndarray, "2"]  # of the head: to the right in the picture, down
    correlation: float  # -1..1, of the rigid parts with those of the reference
    sharpness: float  # mean squared difference of neighbouring pixels of the crop, relative to its contrast
    brightness: float  # mean grey level of the crop


class _Tracked(NamedTuple):
    """A frame in which the points were tracked; lengths in pixels of the crop."""

    crop: Crop
    detail: Crop  # see `_detail`
    flow: Float64[np.ndarray, "P 2"]  # at the points
    errors: Float64[np.ndarray, "P"]  # mean difference around each point after the motion, of the detail
    head: Float64[np.ndarray, "6"]  # motion of the head (`_head_terms`)


class ReferenceFace:
    """The face in the reference frame, with which other frames are compared."""

    def __init__(
        self, grey: UInt8[np.ndarray, "H W"], to_crop: Float64[np.ndarray, "2 3"], points: FacePoints
    ) -> None:
        """Prepare the reference.

        Args:
            grey: the reference frame.
            to_crop: from this frame to a crop TRACKED_PX wide, as from `learnet.face.eye_transform`.
            points: of the face.
        """
        self.points = points
        self.to_crop = to_crop
        crop = warp(grey, to_crop, TRACKED_PX, TRACKED_PX)
        self.detail, self.contrast = _detail(crop, None)
        eyes_centre = np.array([sum(EYE_COLUMNS) / 2, EYE_ROW]) * TRACKED_PX - 0.5
        positions = eyes_centre + points.positions * UNIT_PX
        self.positions = positions.astype(np.float32)
        self.weights = _texture_weights(self.detail, positions)
        count = len(points.patch_of_point)
        self.patch_weights = _patch_weights(points, self.weights[:count])
        self.axes = points.moves
        self.terms = _head_terms(points.positions)
        self.outside = self._outside(grey, to_crop)
        self.rigid_mask = _discs(positions[count:])
        deviation = cv2.absdiff(self.detail, np.full_like(self.detail, 128)).astype(np.float32)
        self.amplitudes = _at_points(cv2.blur(deviation, (WINDOW_PX, WINDOW_PX)), positions) + 1.0

    def motion(self, grey: UInt8[np.ndarray, "H W"], to_crop: Float64[np.ndarray, "2 3"]) -> FaceMotion:
        """Return the motion since the reference.

        Args:
            grey: a frame.
            to_crop: of this frame, near the result; that of the frame before it.
        """
        tracked = self._track(grey, to_crop)
        if np.abs(tracked.head[:2]).max() > MAX_SHIFT_PX:
            to_crop = compose(_undo(tracked.head), to_crop)
            tracked = self._track(grey, to_crop)
        count = len(self.points.patch_of_point)
        remaining = tracked.flow - (self.terms @ tracked.head).T
        displacements = self.patch_weights @ remaining[:count]
        ratios = tracked.errors[:count] / self.amplitudes[:count]
        is_outside = self.outside | self._outside(grey, to_crop)
        return FaceMotion(
            displacements=REPORTED_PX * self.axes * displacements,
            rigid=REPORTED_PX * remaining[count:],
            residuals=np.where(is_outside, 1.0, self.patch_weights @ ratios),
            to_crop=compose(_undo(tracked.head), to_crop),
            rotation_deg=np.degrees(tracked.head[4:] / UNIT_PX),
            correlation=_correlation(self.detail, tracked.detail, self.rigid_mask),
            sharpness=_sharpness(tracked.crop),
            brightness=float(tracked.crop.mean()),
        )

    def _outside(
        self, grey: UInt8[np.ndarray, "H W"], to_crop: Float64[np.ndarray, "2 3"]
    ) -> Bool[np.ndarray, "N"]:
        """Return which patches reach beyond the picture, where the crop repeats its last row or column."""
        count = len(self.points.patch_of_point)
        to_frame = inverse(to_crop)
        margin = SEEN_PX * np.hypot(to_frame[0, 0], to_frame[1, 0])
        in_frame = transform_points(to_frame, self.positions[:count].astype(np.float64))
        furthest = np.array(grey.shape[::-1]) - 1 - margin
        is_outside = ((in_frame < margin) | (in_frame > furthest)).any(axis=1)
        return np.isin(np.arange(self.points.patches), self.points.patch_of_point[is_outside])

    def _track(self, grey: UInt8[np.ndarray, "H W"], to_crop: Float64[np.ndarray, "2 3"]) -> _Tracked:
        """Track the points, and fit the motion of the head."""
        crop = warp(grey, to_crop, TRACKED_PX, TRACKED_PX)
        detail, _ = _detail(crop, self.contrast)
        positions, status, errors = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            self.detail,
            detail,
            self.positions,
            None,
            winSize=(WINDOW_PX, WINDOW_PX),
            maxLevel=LEVELS,
            criteria=STOP,
        )
        flow = (positions - self.positions).astype(np.float64)
        flow[status[:, 0] == 0] = 0.0
        count = len(self.points.patch_of_point)
        head = fit_head(self.terms[:, count:], flow[count:], self.weights[count:])
        return _Tracked(crop, detail, flow, errors[:, 0].astype(np.float64), head)


def _detail(crop: UInt8[np.ndarray, "S S"], contrast: float | None) -> tuple[UInt8[np.ndarray, "S S"], float]:
    """Return the crop without slow changes of light and at a given contrast, and its own contrast."""
    values = crop.astype(np.float32)
    values -= cv2.GaussianBlur(values, (0, 0), LIGHT_SD_PX, borderType=cv2.BORDER_REFLECT)
    own_contrast = float(np.sqrt(np.mean(values * values))) + 1e-3
    gain = CONTRAST if contrast is None else CONTRAST * contrast / own_contrast
    detail = np.clip(np.rint(128 + gain * values), 0, 255)
    return detail.astype(np.uint8), own_contrast


def _texture_weights(detail: Crop, positions: Float64[np.ndarray, "P 2"]) -> Float64[np.ndarray, "P"]:
    """Return 0..1: how well the motion of each point is determined in both directions.

    Source: Shi and Tomasi, Good Features to Track, CVPR 1994.
    """
    eigenvalues = cv2.cornerMinEigenVal(detail, WINDOW_PX)
    at_points = _at_points(eigenvalues, positions)
    return at_points / (at_points + MIN_TEXTURE)


def _at_points(
    image: Float32[np.ndarray, "S S"], positions: Float64[np.ndarray, "P 2"]
) -> Float64[np.ndarray, "P"]:
    """Return the value of an image at the pixel nearest to each position."""
    columns, rows = np.clip(np.rint(positions), 0, TRACKED_PX - 1).astype(int).T
    return image[rows, columns].astype(np.float64)


def _patch_weights(points: FacePoints, weights: Float64[np.ndarray, "M"]) -> Float64[np.ndarray, "N M"]:
    """Return the matrix of the weighted means over the points of each patch."""
    belongs = points.patch_of_point[None, :] == np.arange(points.patches)[:, None]
    matrix = belongs * (weights + 1e-6)
    return matrix / matrix.sum(axis=1, keepdims=True)


def _head_terms(positions: Float64[np.ndarray, "P 2"]) -> Float64[np.ndarray, "2 P 6"]:
    """Return the motion of each point, along x and y, by one unit of each component of the head's motion.

    The components are shift right and down (crop pixels), growth and roll (crop pixels at the distance of one
    head unit), turn to the right and nod down (crop pixels at the depth of one head unit).
    """
    x, y = positions.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    depth = average_depth(x, y)
    along_x = np.stack([one, zero, x, -y, depth, zero], axis=1)
    along_y = np.stack([zero, one, y, x, zero, depth], axis=1)
    return np.stack([along_x, along_y])


def fit_head(
    terms: Float64[np.ndarray, "2 P 6"], flow: Float64[np.ndarray, "P 2"], weights: Float64[np.ndarray, "P"]
) -> Float64[np.ndarray, "6"]:
    """Fit the motion of the head to the flow at rigid points, by least squares with Tukey's biweight.

    Args:
        terms: from `_head_terms`.
        flow: crop pixels.
        weights: of the points.

    Returns:
        The components of the motion (`_head_terms`).
    """
    prior = np.zeros(6)
    prior[4:] = (FIT_SD_PX / (ROTATION_PRIOR_SD * UNIT_PX)) ** 2
    normal_prior = np.diag(prior + 1e-9)
    rows = terms.reshape(-1, 6)  # all points along x, then all along y
    moved = flow.T.reshape(-1)
    head = np.zeros(6)
    trust = weights
    for _ in range(FIT_ROUNDS):
        weighted = rows.T * np.concatenate([trust, trust])
        head = np.linalg.solve(weighted @ rows + normal_prior, weighted @ moved)
        along_x, along_y = (moved - rows @ head).reshape(2, -1)
        residual = np.hypot(along_x, along_y)
        sd = 1.4826 * _median(residual) + MIN_FIT_SD_PX
        outlierness = (residual / (OUTLIER_SD * sd)) ** 2
        trust = weights * np.clip(1 - outlierness, 0, None) ** 2
    return head


def _median(values: Float64[np.ndarray, "P"]) -> float:
    """Return the median; `np.median` takes ten times as long for so few values."""
    middle = len(values) // 2
    below = middle - 1 + len(values) % 2
    ordered = np.partition(values, (below, middle))
    return float(ordered[below] + ordered[middle]) / 2


def _undo(head: Float64[np.ndarray, "6"]) -> Float64[np.ndarray, "2 3"]:
    """Return the similarity that undoes shift, growth and roll in the crop."""
    right, down, growth, roll, _, _ = head
    centre = np.array([sum(EYE_COLUMNS) / 2, EYE_ROW]) * TRACKED_PX - 0.5
    linear = np.array([[1 + growth / UNIT_PX, -roll / UNIT_PX], [roll / UNIT_PX, 1 + growth / UNIT_PX]])
    shift = centre - linear @ centre + np.array([right, down])
    return inverse(np.column_stack([linear, shift]))


def _discs(positions: Float64[np.ndarray, "P 2"]) -> Bool[np.ndarray, "S S"]:
    """Return where a pixel is near one of the points."""
    mask = np.zeros((TRACKED_PX, TRACKED_PX), np.uint8)
    for x, y in np.rint(positions).astype(int).tolist():
        cv2.circle(mask, (x, y), WINDOW_PX // 3, 1, -1)
    return mask.astype(bool)


def _correlation(reference: Crop, detail: Crop, mask: Bool[np.ndarray, "S S"]) -> float:
    first = reference[mask].astype(np.float32) - 128
    second = detail[mask].astype(np.float32) - 128
    power = np.sqrt((first @ first) * (second @ second))
    return float(first @ second / (power + 1.0))


def _sharpness(crop: Crop) -> float:
    """Return the power of the second differences of neighbouring pixels, relative to that of the crop."""
    values = crop.astype(np.float32)
    second_differences = cv2.Laplacian(values, cv2.CV_32F)
    variance = float(values.var()) + 1.0
    return float(np.mean(second_differences * second_differences)) / variance
