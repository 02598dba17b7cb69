"""Similarities against complex numbers, warping against linear ramps and OpenCV's area averaging."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.face.geometry import compose, inverse, similarity_transform, transform_points, warp

number = st.floats(-200, 200, allow_nan=False)
point = st.tuples(number, number)


@given(point, point, point, point, point)
def test_similarity_is_a_complex_line(a: tuple, b: tuple, c: tuple, d: tuple, other: tuple) -> None:
    """A similarity of the plane is z -> p z + q in complex numbers."""
    source, target = np.array([a, b]), np.array([c, d])
    if np.linalg.norm(source[1] - source[0]) < 1:
        return
    (z0, z1), (w0, w1), z = source @ [1, 1j], target @ [1, 1j], complex(*other)
    p = (w1 - w0) / (z1 - z0)
    expected = p * z + (w0 - p * z0)
    result = similarity_transform(source, target)
    np.testing.assert_allclose(
        transform_points(result, np.array([other]))[0],
        [expected.real, expected.imag],
        atol=1e-6 * (1 + abs(expected)),
    )
    np.testing.assert_allclose(result[:, :2] @ [1, 0], [p.real, p.imag], atol=1e-9)


def test_compose_and_inverse_are_matrix_algebra(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 2, 3))
    square = [np.vstack([m, [0, 0, 1]]) for m in (first, second)]
    np.testing.assert_allclose(compose(second, first), (square[1] @ square[0])[:2], atol=1e-12)
    np.testing.assert_allclose(inverse(first), np.linalg.inv(square[0])[:2], atol=1e-9)


@pytest.mark.parametrize("scale", [1.3, 1.0, 0.7, 0.5, 0.36, 0.25])
@pytest.mark.parametrize("degrees", [0, 17])
def test_reading_a_ramp_gives_the_ramp(scale: float, degrees: float) -> None:
    """Averaging keeps a linear ramp, so every value is known; half a pixel off would be 1 grey level."""
    columns, rows = np.meshgrid(np.arange(120), np.arange(100))
    ramp = np.stack([columns * 2 + 5, rows * 2 + 10, columns + rows], axis=-1).astype(np.uint8)
    cosine, sine = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    linear = np.array([[cosine, -sine], [sine, cosine]])
    onto = np.column_stack([linear, np.array([14.5, 9.5]) - linear @ [60.3, 50.2]])
    result = warp(ramp, onto, 30, 20)
    across, down = np.meshgrid(np.arange(30), np.arange(20))
    there = (np.stack([across, down], axis=-1) - onto[:, 2]) @ np.linalg.inv(linear).T
    x, y = there[..., 0], there[..., 1]
    inside = (x > 4) & (x < 115) & (y > 4) & (y < 95)
    assert inside.sum() > 300
    expected = np.stack([x * 2 + 5, y * 2 + 10, x + y], axis=-1)
    assert np.abs(result - expected)[inside].max() < 0.9  # two roundings
    if degrees:  # the roundings differ from pixel to pixel and so average out
        assert np.abs((result - expected)[inside].mean(axis=0)).max() < 0.15


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_shrinking_averages_like_area_interpolation(factor: int, rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (30 * factor, 40 * factor, 3), dtype=np.uint8)
    onto = np.column_stack([np.eye(2) / factor, np.full(2, 0.5 / factor - 0.5)])
    expected = cv2.resize(picture, (40, 30), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(warp(picture, onto, 40, 30) - expected).max() <= 1


def test_fine_stripes_do_not_become_coarse_ones() -> None:
    """Stripes of one pixel, reduced to 0.36: sampling them without averaging would cause aliasing."""
    stripes = np.tile(np.array([0, 255], np.uint8), (200, 100))
    onto = np.column_stack([np.eye(2) * 0.36, np.zeros(2)])
    plain = cv2.warpAffine(stripes, onto, (60, 60))[5:-5, 5:-5]
    assert np.ptp(plain.astype(int)) > 100
    assert (
        np.ptp(warp(stripes, onto, 60, 60)[5:-5, 5:-5].astype(int)) < 90
    )  # an odd square of a striped row: 1/3 too much or too little


def test_beyond_the_edge_the_edge_is_repeated(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
    result = warp(
        picture, np.column_stack([np.eye(2), [40.0, 3.0]]), 20, 20
    )  # looks 20 pixels left of the picture and further
    np.testing.assert_array_equal(
        result, np.repeat(picture[np.clip(np.arange(20) - 3, 0, 11)][:, :1], 20, axis=1)
    )
