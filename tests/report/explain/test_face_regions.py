"""Parts of the face: every pixel in one of them, units where FACS puts their muscles, places as the crops have them."""

import numpy as np
import pytest

from learnet.face import EYE_COLUMNS, EYE_ROW
from learnet.report.explain.face_regions import (
    REGION_NAMES,
    REGIONS,
    brow_eye_box,
    face_placement,
    found_face_crop,
    mouth_ring,
    region_map,
    sum_per_region,
    units_per_region,
)
from learnet.simulation.geometry import average_face, crop_view


@pytest.mark.parametrize("face", ["haar 10 20 80 80", "given"])
@pytest.mark.parametrize("size", [28, 112])
def test_every_landmark_lies_in_its_region(face: str, size: int) -> None:
    where = face_placement(face, size)
    assert where is not None
    found = region_map(where)
    assert found.shape == (size, size)
    for region, landmarks in REGIONS.items():
        for landmark in landmarks:
            for name in (landmark, f"left {landmark}", f"right {landmark}"):
                if name in average_face().points:
                    x, y = where.to_pixels(np.array([average_face().points[name]]))[0].round().astype(int)
                    if 0 <= x < size and 0 <= y < size and size == 112:  # 28 pixels round too far
                        assert REGION_NAMES[found[y, x]] == region, (name, x, y)


def test_the_eyes_lie_where_a_found_face_has_them() -> None:
    """The crop puts the pupils at fixed places, and the average face has them half a face width apart."""
    pupils = found_face_crop(112).to_pixels(np.array([[-0.25, 0.0], [0.25, 0.0]]))
    np.testing.assert_allclose(pupils, [[column * 112 - 0.5, EYE_ROW * 112 - 0.5] for column in EYE_COLUMNS])


def test_an_owners_crop_is_squeezed_into_the_square() -> None:
    """A landmark in a 340 x 280 crop, and the same after the picture is brought to 112 x 112, pixel areas kept."""
    points, where = np.array([[0.19, 0.485], [-0.4, -0.1]]), face_placement("given", 112)
    assert where is not None
    large = crop_view(340, 280).to_pixels(points)
    np.testing.assert_allclose(
        where.to_pixels(points), (large + 0.5) * np.array([112 / 280, 112 / 340]) - 0.5
    )


def test_nobody_knows_where_the_face_of_an_imported_image_is() -> None:
    assert face_placement("", 28) is None


def test_units_live_where_their_muscles_are() -> None:
    """By hand from FACS: frontalis and corrugator move the brows, orbicularis oculi the lids, 6 the cheek up to the eye, and so on."""
    living = {name: set(units) for name, units in units_per_region().items()}
    assert living["brows"] == {1, 2, 4} and living["nose"] == {9}
    assert {5, 7, 45} <= living["eyes"] and 6 in living["cheeks"]
    assert {10, 12, 14, 15, 20, 23, 24, 25} <= living["mouth"] and {17, 26} <= living["chin"]
    assert not living["mouth"] & living["brows"]


def test_attribution_is_summed_where_it_lies() -> None:
    where = face_placement("haar 0 0 1 1", 112)
    assert where is not None
    found = region_map(where)
    attribution = np.zeros((112, 112), np.float32)
    attribution[found == REGION_NAMES.index("mouth")] = 2
    attribution[found == REGION_NAMES.index("brows")] = -1
    table = sum_per_region(attribution, where).set_index("region")
    mouth, brows = (found == REGION_NAMES.index("mouth")).sum(), (found == REGION_NAMES.index("brows")).sum()
    assert np.isclose(table.loc["mouth", "share"], 2 * mouth / (2 * mouth + brows)) and np.isclose(
        table.loc["brows", "net"], -brows
    )
    assert np.isclose(table["share"].sum(), 1) and np.isclose(table["area"].sum(), 1)
    assert (
        "AU12 lip corner puller" in table.loc["mouth", "action_units"]
        and table.loc["elsewhere", "action_units"] == ""
    )
    even = sum_per_region(np.ones((112, 112), np.float32), where)
    np.testing.assert_allclose(even["times_even"], 1)


def test_an_empty_attribution_has_no_shares() -> None:
    where = face_placement("given", 28)
    assert where is not None
    assert sum_per_region(np.zeros((28, 28), np.float32), where)["share"].sum() == 0


def test_the_box_holds_brows_and_eyes_and_the_ring_the_mouth() -> None:
    where = face_placement("haar 0 0 1 1", 112)
    assert where is not None
    marks = {name: where.to_pixels(np.array([point]))[0] for name, point in average_face().points.items()}
    left, top, wide, high = brow_eye_box(where)
    for name in ("left outer brow", "right outer brow", "left lower lid", "right inner eye"):
        assert left <= marks[name][0] <= left + wide and top <= marks[name][1] <= top + high
    x, y, across, down = mouth_ring(where)
    for name in ("left lip corner", "right lip corner", "upper lip middle", "lower lip middle"):
        assert ((marks[name][0] - x) / (across / 2)) ** 2 + ((marks[name][1] - y) / (down / 2)) ** 2 <= 1
    assert top + high < y - down / 2  # they do not touch
