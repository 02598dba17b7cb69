"""Regions of the face: landmarks in their regions, action units where FACS has their muscles."""

import numpy as np
import pytest

from learnet.face import EYE_COLUMNS, EYE_ROW
from learnet.report.explain.face_regions import (
    REGION_NAMES,
    REGIONS,
    FacePlacement,
    brow_eye_box,
    face_placement,
    found_face_crop,
    mouth_ring,
    region_map,
    sum_per_region,
    units_per_region,
)
from learnet.simulation.geometry import average_face, crop_view


def known_placement(face: str, size: int) -> FacePlacement:
    placement = face_placement(face, size)
    assert placement is not None
    return placement


@pytest.mark.parametrize("face", ["haar 10 20 80 80", "given"])
def test_every_landmark_is_in_its_region(face: str) -> None:
    size = 112
    placement = known_placement(face, size)
    regions = region_map(placement)
    region_of = {}
    for region, landmarks in REGIONS.items():
        region_of.update(dict.fromkeys(landmarks, region))
    checked = 0
    for name, point in average_face().points.items():
        landmark = name.removeprefix("left ").removeprefix("right ")
        x, y = placement.to_pixels(np.array([point]))[0].round().astype(int)
        if landmark in region_of and 0 <= x < size and 0 <= y < size:
            assert REGION_NAMES[regions[y, x]] == region_of[landmark], name
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("face", ["haar 10 20 80 80", "given"])
def test_the_map_covers_small_images_too(face: str) -> None:
    regions = region_map(known_placement(face, 28))
    assert regions.shape == (28, 28)
    assert set(np.unique(regions)) == set(range(len(REGION_NAMES)))


def test_pupils_are_where_a_detected_face_has_them() -> None:
    """The crop puts the pupils at fixed positions; in the average face they are half a face width apart."""
    pupils = found_face_crop(112).to_pixels(np.array([[-0.25, 0.0], [0.25, 0.0]]))
    y = EYE_ROW * 112 - 0.5
    left, right = EYE_COLUMNS
    np.testing.assert_allclose(pupils, [[left * 112 - 0.5, y], [right * 112 - 0.5, y]])


def test_a_crop_of_a_database_is_squeezed_into_the_square() -> None:
    """A landmark in a crop of 340 x 280, and the same after resizing to 112 x 112 by pixel areas."""
    points, placement = np.array([[0.19, 0.485], [-0.4, -0.1]]), known_placement("given", 112)
    in_crop = crop_view(340, 280).to_pixels(points)
    expected = (in_crop + 0.5) * np.array([112 / 280, 112 / 340]) - 0.5
    np.testing.assert_allclose(placement.to_pixels(points), expected)


def test_the_placement_in_an_imported_image_is_unknown() -> None:
    assert face_placement("", 28) is None


def test_action_units_are_where_their_muscles_are() -> None:
    """From FACS: frontalis and corrugator move the brows, orbicularis oculi the lids, AU 6 the cheeks."""
    units = {name: set(numbers) for name, numbers in units_per_region().items()}
    assert units["brows"] == {1, 2, 4}
    assert units["nose"] == {9}
    assert units["eyes"] >= {5, 7, 45}
    assert 6 in units["cheeks"]
    assert units["mouth"] >= {10, 12, 14, 15, 20, 23, 24, 25}
    assert units["chin"] >= {17, 26}
    assert not units["mouth"] & units["brows"]


def test_sums_per_region_by_hand() -> None:
    placement = known_placement("haar 0 0 1 1", 112)
    regions = region_map(placement)
    in_mouth, in_brows = regions == REGION_NAMES.index("mouth"), regions == REGION_NAMES.index("brows")
    attribution = 2.0 * in_mouth - 1.0 * in_brows
    table = sum_per_region(attribution.astype(np.float32), placement).set_index("region")
    mouth, brows = in_mouth.sum(), in_brows.sum()
    assert table.loc["mouth", "share"] == pytest.approx(2 * mouth / (2 * mouth + brows))
    assert table.loc["brows", "net"] == pytest.approx(-brows)
    assert table["share"].sum() == pytest.approx(1)
    assert table["area"].sum() == pytest.approx(1)
    assert "AU12 lip corner puller" in table.loc["mouth", "action_units"]
    assert table.loc["elsewhere", "action_units"] == ""


def test_a_uniform_attribution_has_the_share_of_the_area_everywhere() -> None:
    table = sum_per_region(np.ones((112, 112), np.float32), known_placement("haar 0 0 1 1", 112))
    np.testing.assert_allclose(table["times_even"], 1)


def test_an_empty_attribution_has_no_shares() -> None:
    table = sum_per_region(np.zeros((28, 28), np.float32), known_placement("given", 28))
    assert table["share"].sum() == 0


def test_the_box_holds_brows_and_eyes_and_the_ring_the_mouth() -> None:
    placement = known_placement("haar 0 0 1 1", 112)
    points = average_face().points
    left, top, width, height = brow_eye_box(placement)
    for name in ("left outer brow", "right outer brow", "left lower lid", "right inner eye"):
        x, y = placement.to_pixels(np.array([points[name]]))[0]
        assert left <= x <= left + width
        assert top <= y <= top + height
    centre_x, centre_y, ring_width, ring_height = mouth_ring(placement)
    for name in ("left lip corner", "right lip corner", "upper lip middle", "lower lip middle"):
        x, y = placement.to_pixels(np.array([points[name]]))[0]
        assert ((x - centre_x) / (ring_width / 2)) ** 2 + ((y - centre_y) / (ring_height / 2)) ** 2 <= 1
    assert top + height < centre_y - ring_height / 2  # they do not touch
