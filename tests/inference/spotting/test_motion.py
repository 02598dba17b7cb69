"""Motion of points and head, compared with warps whose motion is known."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from learnet.face import EYE_COLUMNS, EYE_DISTANCE, EYE_ROW, Face, eye_transform
from learnet.face.geometry import compose, inverse, transform_points
from learnet.face.head import average_depth
from learnet.inference.spotting.motion import (
    REPORTED_PX,
    TRACKED_PX,
    UNIT_PX,
    FaceMotion,
    ReferenceFace,
    _median,
    fit_head,
)
from learnet.inference.spotting.points import face_points
from learnet.simulation.film import plan_film
from learnet.simulation.movement import Timing, displacement
from learnet.simulation.render import Camera, Episode, render
from learnet.simulation.units import both_sides

POINTS = face_points()
CAMERA = Camera(240, 320, 100.0, 125.0)
EYES_CENTRE = np.array([sum(EYE_COLUMNS) / 2, EYE_ROW]) * TRACKED_PX - 0.5


@cache
def recording():
    """A person without sensor noise, in steady light."""
    plan = plan_film(3, ("happiness",), CAMERA)
    conditions = replace(
        plan.recording.conditions, noise=0.0, flicker=0.0, drift=0.0, blinks=(), turns=(), gain=1.0
    )
    return replace(plan.recording, conditions=conditions, episodes=())


@cache
def still() -> np.ndarray:
    return cv2.cvtColor(next(render(recording(), [0])), cv2.COLOR_RGB2GRAY)


def crop_of_eyes() -> np.ndarray:
    view = recording().conditions.view
    left, right = view.to_pixels(np.array([(-0.25, -0.005), (0.25, -0.005)])).tolist()
    face = Face((0.0, 0.0, 125.0, 125.0), (tuple(left), tuple(right)), 1.0, "known")
    return eye_transform(face, TRACKED_PX)


def measured(frame: np.ndarray) -> FaceMotion:
    to_crop = crop_of_eyes()
    return ReferenceFace(still(), to_crop, POINTS).motion(frame, to_crop)


def moved(matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(
        still(), matrix, still().shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


@pytest.mark.parametrize(
    ("shift", "degrees", "scale"),
    [((0.0, 0.0), 0, 1), ((1.3, -0.7), 0, 1), ((9.0, 4.0), 0, 1), ((2.0, 1.0), 2, 1.02)],
)
def test_motion_of_the_whole_head_is_removed(
    shift: tuple[float, float], degrees: float, scale: float
) -> None:
    middle = tuple(recording().conditions.view.origin)
    matrix = cv2.getRotationMatrix2D(middle, degrees, scale)
    matrix[:, 2] += shift
    motion = measured(moved(matrix))
    assert np.abs(motion.displacements).max() < 0.08
    assert motion.correlation > 0.97
    assert motion.residuals.max() < 0.2
    # The crop follows the head: the eyes of the moved frame are where they were.
    eyes = transform_points(inverse(crop_of_eyes()), EYES_CENTRE[None])
    found = transform_points(motion.to_crop, transform_points(matrix, eyes))
    np.testing.assert_allclose(found, EYES_CENTRE[None], atol=0.15)


@pytest.mark.parametrize(
    ("unit", "patch", "peak_px"),
    [(12, "mouth corner", 2.0), (1, "inner brow", 1.5), (17, "chin", 2.0), (4, "inner brow", 3.0)],
)
def test_displacement_of_a_patch_is_that_of_the_skin(unit: int, patch: str, peak_px: float) -> None:
    """Compare with the movement model, averaged over the window of Lucas-Kanade."""
    activations = both_sides(unit, peak_px)
    episode = Episode(activations, Timing(0.0, 0.1, 0.2))
    moving = replace(recording(), episodes=(episode,))
    frame = cv2.cvtColor(next(render(moving, [10])), cv2.COLOR_RGB2GRAY)
    motion = measured(frame)
    view = moving.conditions.view
    field = displacement(moving.person.geometry, activations, view)
    to_crop = crop_of_eyes()
    scale = np.linalg.det(to_crop[:, :2]) ** 0.5
    window = max(1, round(15 / scale))
    mean_field = cv2.blur(field, (window, window)) * scale * REPORTED_PX
    for side in ("left", "right"):
        index = POINTS.index(patch, side)
        of_patch = np.flatnonzero(POINTS.patch_of_point == index)
        in_crop = EYES_CENTRE + POINTS.positions[of_patch] * UNIT_PX
        columns, rows = transform_points(inverse(to_crop), in_crop).round().astype(int).T
        expected = mean_field[rows, columns].mean(axis=0)
        error = np.linalg.norm(motion.displacements[index] - expected)
        assert error < 0.35 * np.linalg.norm(expected)
    still_parts = [POINTS.index("nose wing", side) for side in ("left", "right")] if unit != 12 else []
    assert np.abs(motion.displacements[still_parts]).max(initial=0) < 0.3


@pytest.mark.parametrize(("gain", "offset"), [(0.8, 0.0), (1.15, 0.0), (1.0, 15.0)])
def test_light_is_no_motion(gain: float, offset: float) -> None:
    lit = np.clip(np.rint(gain * still().astype(float) + offset), 0, 255).astype(np.uint8)
    motion = measured(lit)
    assert np.abs(motion.displacements).max() < 0.1
    reference = measured(still()).brightness
    assert motion.brightness == pytest.approx(gain * reference + offset, abs=1.0)


def test_a_covered_patch_has_a_residual_of_about_one(rng: np.random.Generator) -> None:
    frame = still().copy()
    index = POINTS.index("mouth corner", "left")
    in_crop = EYES_CENTRE + POINTS.positions[POINTS.patch_of_point.tolist().index(index)] * UNIT_PX
    x, y = transform_points(inverse(crop_of_eyes()), in_crop[None])[0].round().astype(int)
    texture = cv2.GaussianBlur(rng.normal(0, 1, (40, 40)), (0, 0), 2.0)
    frame[y - 20 : y + 20, x - 20 : x + 20] = np.clip(128 + 40 * texture / texture.std(), 0, 255)
    motion = measured(frame)
    assert motion.residuals[index] > 0.65
    assert motion.residuals[POINTS.index("inner brow", "left")] < 0.1


def test_blur_lowers_the_sharpness() -> None:
    sharp = measured(still()).sharpness
    assert measured(cv2.GaussianBlur(still(), (0, 0), 2.5)).sharpness < 0.5 * sharp


def test_head_is_fitted_exactly_and_outliers_are_ignored(rng: np.random.Generator) -> None:
    """The flow of a known motion by its definition; then a fifth of the points move elsewhere."""
    positions = rng.uniform(-1, 1, (60, 2))
    right, down, growth, roll, turn, nod = 1.5, -0.7, 0.4, -0.3, 0.6, 0.5
    flow = np.empty((60, 2))
    terms = np.zeros((2, 60, 6))
    for index, (x, y) in enumerate(positions):
        depth = average_depth(np.array([x]), np.array([y]))[0]
        flow[index] = (
            right + growth * x - roll * y + turn * depth,
            down + growth * y + roll * x + nod * depth,
        )
        terms[0, index] = (1, 0, x, -y, depth, 0)
        terms[1, index] = (0, 1, y, x, 0, depth)
    expected = (right, down, growth, roll, turn, nod)
    np.testing.assert_allclose(fit_head(terms, flow, np.ones(60)), expected, atol=0.02)
    flow[:12] += 3.0
    np.testing.assert_allclose(fit_head(terms, flow, np.ones(60)), expected, atol=0.05)


@pytest.mark.parametrize("count", [1, 2, 5, 38])
def test_median(rng: np.random.Generator, count: int) -> None:
    values = rng.normal(size=count)
    assert _median(values) == pytest.approx(np.median(values))


def test_a_crop_that_lags_behind_gives_the_same_motion() -> None:
    matrix = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 0.0]])
    to_crop = crop_of_eyes()
    reference = ReferenceFace(still(), to_crop, POINTS)
    behind = reference.motion(moved(matrix), to_crop)
    ahead = reference.motion(moved(matrix), compose(to_crop, inverse(matrix)))
    np.testing.assert_allclose(behind.to_crop, ahead.to_crop, atol=0.1)
    np.testing.assert_allclose(behind.displacements, ahead.displacements, atol=0.1)
    assert pytest.approx(UNIT_PX) == EYE_DISTANCE * TRACKED_PX


def test_patches_beyond_the_picture_show_no_skin() -> None:
    """The picture ends just above the centres of the chin; the patches of the eyes stay far inside."""
    to_crop = crop_of_eyes()
    is_chin = POINTS.patch_of_point == POINTS.index("chin", "left")
    chin = POINTS.positions[: len(is_chin)][is_chin].mean(axis=0)
    in_crop = EYES_CENTRE + chin * UNIT_PX
    row = int(transform_points(inverse(to_crop), in_crop[None])[0, 1])
    cut = np.ascontiguousarray(still()[:row])
    for reference, frame in ((cut, cut), (still(), cut), (cut, still())):
        residuals = ReferenceFace(reference, to_crop, POINTS).motion(frame, to_crop).residuals
        np.testing.assert_array_equal(residuals[POINTS.both("chin")], 1.0)
        assert residuals[POINTS.both("upper lid")].max() < 0.1
    assert measured(still()).residuals.max() < 0.1
