"""Optical flow of known movements: a textured picture is shifted, rotated, stretched or moved locally."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from learnet.core.errors import LearnetError
from learnet.motion.flow import (
    append_strain,
    downscale_flow,
    flow_dis,
    flow_image,
    flow_tvl1,
    optical_strain,
    remove_global_motion,
)

SIZE = 112
MIDDLE = (SIZE - 1) / 2
INNER = np.s_[10:-10, 10:-10]  # what enters at the border has no origin
ESTIMATORS = {"dis": flow_dis, "tvl1": flow_tvl1}
Move = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

Y, X = np.mgrid[:SIZE, :SIZE].astype(float)


def shifted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.full_like(x, 1.5), np.full_like(y, -0.6)


def turned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation by one degree about the centre, clockwise as seen (y points down)."""
    cosine, sine = np.cos(np.radians(1)), np.sin(np.radians(1))
    return (cosine - 1) * (x - MIDDLE) - sine * (y - MIDDLE), sine * (x - MIDDLE) + (cosine - 1) * (
        y - MIDDLE
    )


def stretched(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stretch by 3 % across and -1 % down."""
    return 0.03 * (x - MIDDLE), -0.01 * (y - MIDDLE)


def bumped(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One pixel up at (70, 40), over a Gaussian of 10 pixels."""
    weight = np.exp(-((x - 70) ** 2 + (y - 40) ** 2) / 200)
    return 0 * weight, -weight


def film(move: Move, noise: float = 0.0, mirrored: bool = False) -> np.ndarray:
    """Return a face at rest, and the same after every point has moved by `move`."""
    picture = astronaut()[0:240, 100:340]
    x, y = X.copy(), Y.copy()
    for _ in range(40):
        dx, dy = move(x, y)
        x, y = X - dx, Y - dy
    grids = [(X, Y), (x, y)]
    frames = np.stack(
        [
            cv2.remap(picture, *(np.float32(way + 60) for way in unmirrored), cv2.INTER_CUBIC)
            for unmirrored in grids
        ]
    )
    frames = frames + np.random.default_rng(0).normal(0, noise, frames.shape)
    frames = np.clip(np.rint(frames), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(frames[:, :, ::-1]) if mirrored else frames


def measured(move: Move, estimator: str, **options: object) -> np.ndarray:
    return flow_image(film(move, **options), 1, ESTIMATORS[estimator])


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("move", [shifted, turned, stretched, bumped])
def test_flow_is_the_movement(move: Move, estimator: str) -> None:
    """Mean error below 0.05 pixels everywhere, and below 0.1 with a camera's noise of one grey level."""
    truth = np.stack(move(X, Y), axis=-1)
    assert np.abs(measured(move, estimator)[..., :2] - truth)[INNER].mean() < 0.05
    assert np.abs(measured(move, estimator, noise=1.0)[..., :2] - truth)[INNER].mean() < 0.1


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_strain_of_moves_with_a_closed_form(estimator: str) -> None:
    """Shift 0, rotation sqrt(2) (1 - cos 1 degree) = 0.0002, stretch sqrt(0.03^2 + 0.01^2) = 0.0316.

    Each estimator adds up to 0.01.
    """
    tolerance = 0.012
    for move, truth in ((shifted, 0), (turned, 0.0002), (stretched, 0.0316)):
        assert abs(np.median(measured(move, estimator)[INNER][..., 2]) - truth) < tolerance
    alone = measured(bumped, estimator)[..., 2]
    assert alone[32:48, 62:78].mean() > 5 * alone[80:, :40].mean()


def test_strain_follows_from_its_definition() -> None:
    """du/dx = a, du/dy = b, dv/dx = c, dv/dy = d: sqrt(a^2 + d^2 + 2 ((b + c) / 2)^2), at the border too."""
    for a, b, c, d in (
        (0, 0, 0, 0),
        (0.1, 0, 0, -0.2),
        (0, 0.3, 0.1, 0),
        (0, 0.2, -0.2, 0),
        (0.05, -0.1, 0.3, 0.2),
    ):
        field = np.stack([a * X + b * Y, c * X + d * Y], axis=-1).astype(np.float32)
        np.testing.assert_allclose(
            optical_strain(field), np.sqrt(a**2 + d**2 + 2 * ((b + c) / 2) ** 2), atol=2e-5
        )
        np.testing.assert_array_equal(append_strain(field)[..., :2], field)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_mirrored_face_has_the_mirrored_flow(estimator: str) -> None:
    """Of the mirrored face, u changes its sign; v and strain do not."""
    unmirrored = measured(bumped, estimator) + measured(stretched, estimator)
    back = (measured(bumped, estimator, mirrored=True) + measured(stretched, estimator, mirrored=True))[
        :, ::-1
    ]
    assert np.abs(back * np.float32([-1, 1, 1]) - unmirrored)[INNER].mean() < 0.02
    assert np.abs(unmirrored[..., 0])[INNER].mean() > 0.5  # pixels: there was motion to mirror


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_of_equal_frames_there_is_no_flow(estimator: str) -> None:
    for frames in (
        film(shifted)[[0, 0]],
        np.zeros((2, 28, 28, 3), np.uint8),
        np.full((2, 40, 40, 3), 255, np.uint8),
    ):
        image = flow_image(frames, 1, ESTIMATORS[estimator])
        assert image.dtype == np.float32 and image.shape == frames.shape[1:] and np.abs(image).max() < 1e-6


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads: int) -> None:
    """A prepared folder must not depend on the number of processes, which share the threads."""
    frames, before = film(bumped, noise=2.0), cv2.getNumThreads()
    try:
        cv2.setNumThreads(threads)
        found = flow_dis(*frames)
        cv2.setNumThreads(1)
        np.testing.assert_array_equal(found, flow_dis(*frames))
    finally:
        cv2.setNumThreads(before)


def test_an_apex_is_needed_that_is_not_the_onset() -> None:
    frames = film(shifted)
    for apex in (None, 0, 2, -1):
        with pytest.raises(LearnetError, match="needs an apex after the onset"):
            flow_image(frames, apex)


# ---- global motion


def head(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift by (1.2, -0.8), scale by 1.5 %, rotation by 0.8 degrees."""
    growth, turn = 0.015, np.radians(0.8)
    return 1.2 + growth * (x - MIDDLE) - turn * (y - MIDDLE), -0.8 + growth * (y - MIDDLE) + turn * (
        x - MIDDLE
    )


def test_a_head_that_moves_is_taken_out_and_the_expression_stays(rng: np.random.Generator) -> None:
    """In a computed field, the remainder is the bump that was added, to a hundredth of a pixel."""
    bump = np.stack(bumped(X, Y), axis=-1)
    field = (np.stack(head(X, Y), axis=-1) + bump).astype(np.float32)
    assert np.abs(remove_global_motion(field) - bump).max() < 0.01
    noisy = (field + rng.normal(0, 0.05, field.shape)).astype(np.float32)
    assert np.abs(remove_global_motion(noisy) - (noisy - field + bump)).max() < 0.05
    plain = np.linalg.lstsq(np.stack([np.ones(X.size), X.ravel(), Y.ravel()], axis=1), field[..., 1].ravel())[
        0
    ]
    assert (
        abs(plain[0] + plain[1:] @ [20, 20] - head(20.0, 20.0)[1]) > 0.05
    )  # a fit that is not robust attributes the bump to the head


def test_nothing_is_left_of_a_similarity_alone() -> None:
    for size in (28, 112, 113):
        y, x = np.mgrid[:size, :size].astype(float)
        assert np.abs(remove_global_motion(np.stack(head(x, y), axis=-1).astype(np.float32))).max() < 1e-4
    assert not remove_global_motion(np.zeros((28, 28, 2), np.float32)).any()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_head_motion_is_taken_out_of_measured_flow(estimator: str) -> None:
    def both(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(a + b for a, b in zip(head(x, y), bumped(x, y), strict=True))

    left = remove_global_motion(measured(both, estimator)[..., :2])
    assert np.abs(left - np.stack(bumped(X, Y), axis=-1))[INNER].mean() < 0.07
    assert left[40, 70, 1] < -0.5  # one pixel up, of which TV-L1 finds the least here: 0.58


def test_flow_of_a_smaller_crop_is_in_its_own_pixels() -> None:
    """A stretch by 10 % of 112 pixels is one of 28: a quarter of u at the block centre, the same strain."""
    large = append_strain(np.stack([0.1 * (X - MIDDLE), 0 * Y + 2], axis=-1).astype(np.float32))
    small = downscale_flow(large, 4)
    middle = (28 - 1) / 2
    np.testing.assert_allclose(small[5, :, 0], 0.1 * (np.arange(28) - middle), atol=1e-5)
    np.testing.assert_allclose(small[..., 1], 0.5, atol=1e-6)
    np.testing.assert_allclose(small[..., 2], 0.1, atol=1e-5)
    np.testing.assert_array_equal(downscale_flow(large, 1), large)
