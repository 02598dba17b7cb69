"""How flow becomes an image: crops, rotation, strain and scaling against closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from learnet.simulation.flow_processing import (
    FlowProcessing,
    _cut_out,
    _draw_strain,
    _squared_strain,
    _through_jpeg,
    draw_processing,
    process_flow,
)
from learnet.simulation.geometry import View
from learnet.simulation.imitated_flow import Crop

VIEW = View(120, 120, 60.0, (59.5, 48.0))
PLAIN = FlowProcessing(
    crop=Crop(width=1.0, height=1.0, eye_height=0.4, offset=0.0),
    rotation_deg=0.0,
    subsampled=False,
    strain_at_size=False,
    shear_weight=0.5,
    squared_strain=False,
    no_strain=False,
    speckle_sd=0.0,
    noise=0.0,
    saturation=(None, None),
    jpeg_quality=None,
)


def spot(u: float, v: float) -> np.ndarray:
    """Flow to the right around (u, v) in face widths, 0 elsewhere."""
    grid_u, grid_v = VIEW.face_grid()
    weight = np.exp(-((grid_u - u) ** 2 + (grid_v - v) ** 2) / (2 * 0.05**2))
    return np.stack([weight, 0 * weight], axis=-1).astype(np.float32)


def brightest(image: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
    return int(column), int(row)


@pytest.mark.parametrize(("crop", "expected"), [
    (Crop(1.0, 1.0, 0.4, 0.0), (19.1, 16.8)),  # (0.5 + 0.2) * 28 - 0.5, (0.4 + 0.2) * 28
    (Crop(1.4, 1.0, 0.4, 0.0), (17.5, 16.3)),
    (Crop(1.0, 1.25, 0.4, 0.1), (16.3, 15.2)),
])  # fmt: skip
def test_a_movement_lies_where_the_crop_puts_it(crop: Crop, expected: tuple[float, float]) -> None:
    """A point at (0.2, 0.2): column (0.5 + (0.2 - offset) / width) 28, row (eyes + 0.2 / height) 28."""
    image = process_flow(spot(0.2, 0.2), VIEW, replace(PLAIN, crop=crop), 28, np.random.default_rng(0))
    column, row = brightest(image)
    assert abs(column - ((0.5 + (0.2 - crop.offset) / crop.width) * 28 - 0.5)) <= 1
    assert abs(row - ((crop.eye_height + 0.2 / crop.height) * 28 - 0.5)) <= 1
    assert abs(column - expected[0]) <= 1 and abs(row - expected[1]) <= 1


def test_a_rotated_crop_rotates_places_and_vectors() -> None:
    """The crop is turned by 90 degrees clockwise, so the face appears turned counter-clockwise."""
    turned = replace(PLAIN, crop=Crop(1.0, 1.0, 0.5, 0.0), rotation_deg=90.0)
    cut = _cut_out(spot(0.2, 0.0), VIEW, turned, 28)
    length = np.hypot(cut[..., 0], cut[..., 1])
    row, column = np.unravel_index(length.argmax(), length.shape)
    side = len(cut)
    assert abs(column - side / 2) < 3  # from the right of the eyes ...
    assert abs(row - (0.5 - 0.2) * side) < 3  # ... to above them
    u, v = cut[row, column]
    assert abs(u) < 0.05 and v == pytest.approx(-1, abs=0.05)  # to the right becomes up


@pytest.mark.parametrize(
    ("shear_weight", "expected"), [(0.5, 0.09 + 0.04 + 0.125), (1.0, 0.09 + 0.04 + 0.25)]
)
def test_strain_of_a_linear_field(shear_weight: float, expected: float) -> None:
    """With u = 0.3 x + 0.1 y and v = 0.4 x - 0.2 y the shear du/dy + dv/dx is 0.5."""
    y, x = np.mgrid[:9, :9]
    field = np.stack([0.3 * x + 0.1 * y, 0.4 * x - 0.2 * y], axis=-1).astype(np.float32)
    np.testing.assert_allclose(_squared_strain(field, shear_weight), expected, rtol=1e-5)


def test_a_saturated_channel_is_scaled_around_mid_grey_and_cut_off() -> None:
    plain = process_flow(spot(0.2, 0.2), VIEW, PLAIN, 28, np.random.default_rng(0))
    cut = replace(PLAIN, saturation=(0.3, None))
    image = process_flow(spot(0.2, 0.2), VIEW, cut, 28, np.random.default_rng(0))
    assert np.median(image[..., 0]) in (127, 128) and np.median(plain[..., 0]) == 0
    assert (image[..., 0] == 255).sum() > 3 * (plain[..., 0] > 250).sum()
    np.testing.assert_array_equal(image[..., 1:], plain[..., 1:])


def test_an_image_without_strain_has_a_black_third_channel() -> None:
    image = process_flow(spot(0, 0), VIEW, replace(PLAIN, no_strain=True), 28, np.random.default_rng(0))
    assert not image[..., 2].any()


def test_subsampled_strain_is_speckled() -> None:
    """Speckle multiplies the strain by exp(sd * normal); without it the strain is sqrt(0.01^2 + 0.02^2)."""
    y, x = np.mgrid[:112, :112]
    field = np.stack([0.01 * x, 0.02 * y], axis=-1).astype(np.float32)
    speckled = replace(PLAIN, subsampled=True, strain_at_size=True, speckle_sd=0.5)
    logs = np.log(_draw_strain(field, field, speckled, np.random.default_rng(0)))
    assert logs.std() == pytest.approx(0.5, abs=0.02)
    assert logs.mean() == pytest.approx(np.log(np.hypot(0.01, 0.02)), abs=0.02)


def test_processings_differ_and_are_drawn_from_the_generator() -> None:
    first, again = (draw_processing(np.random.default_rng(5)) for _ in range(2))
    assert first == again
    drawn = [draw_processing(np.random.default_rng(seed)) for seed in range(400)]
    assert 140 < sum(processing.subsampled for processing in drawn) < 260
    assert 80 < sum(processing.no_strain for processing in drawn) < 160
    assert all(0.85 <= processing.crop.width <= 1.35 for processing in drawn)


def test_jpeg_changes_colours_more_than_brightness() -> None:
    """JPEG stores colours at half the resolution: checks of one pixel lose contrast, grey ones do not."""
    flow = np.zeros((120, 120, 2), np.float32)
    checks = np.indices((28, 28)).sum(axis=0) % 2 * 200 + 28
    grey = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
    red = np.dstack([checks, np.full((28, 28, 2), 128)]).astype(np.uint8)
    assert np.abs(_through_jpeg(grey, 95).astype(int) - grey).mean() < 5
    assert np.abs(_through_jpeg(red, 95).astype(int) - red)[..., 0].mean() > 40
    flow[..., 0], flow[..., 1] = np.indices((120, 120))
    stored = process_flow(flow, VIEW, replace(PLAIN, jpeg_quality=60), 28, np.random.default_rng(0))
    plain = process_flow(flow, VIEW, PLAIN, 28, np.random.default_rng(0))
    assert 0 < np.abs(stored[..., :2].astype(int) - plain[..., :2]).mean() < 12
