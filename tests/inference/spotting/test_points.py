"""Points of the face: where they lie, compared with landmarks measured on a portrait."""

import numpy as np
import pytest

from learnet.core.records import FACE_REGIONS
from learnet.inference.spotting.points import PATCHES, face_points
from learnet.simulation.geometry import average_face

POINTS = face_points()
HEAD_UNITS = 2.0  # in a face width: the eyes are half a face width apart (0.25 to each side)


@pytest.mark.parametrize(
    ("patch", "landmark"),
    [
        ("inner brow", "inner brow"),
        ("middle brow", "middle brow"),
        ("outer brow", "outer brow"),
        ("upper lid", "upper lid"),
        ("mouth corner", "lip corner"),
        ("upper lip", "upper lip"),
        ("lower lip", "lower lip"),
        ("chin", "chin boss"),
        ("nose wing", "nostril"),
    ],
)
def test_patches_lie_on_the_landmarks_of_the_average_face(patch: str, landmark: str) -> None:
    for side in ("left", "right"):
        of_patch = POINTS.patch_of_point == POINTS.index(patch, side)
        centre = POINTS.positions[: len(of_patch)][of_patch].mean(axis=0)
        expected = HEAD_UNITS * np.array(average_face().at(landmark, side))
        assert np.linalg.norm(centre - expected) < 0.1


def test_left_is_the_persons_left_on_the_right_of_the_picture() -> None:
    mirrored = POINTS.positions * [-1, 1]
    for index, name in enumerate(POINTS.names):
        of_patch = np.flatnonzero(POINTS.patch_of_point == index)
        if not name.startswith("left "):
            continue
        assert (POINTS.positions[of_patch, 0] > 0).all()
        other = np.flatnonzero(POINTS.patch_of_point == POINTS.index(name.removeprefix("left "), "right"))
        here = {tuple(position) for position in mirrored[of_patch].round(9).tolist()}
        there = {tuple(position) for position in POINTS.positions[other].round(9).tolist()}
        assert here == there


def test_every_region_of_events_has_a_patch() -> None:
    assert set(POINTS.regions) == set(FACE_REGIONS)
    paired = sum(patch.paired for patch in PATCHES)
    assert POINTS.patches == len(PATCHES) + paired
    for name, region in zip(POINTS.names, POINTS.regions, strict=True):
        side = name.split()[0]
        assert not region.startswith(("left", "right")) or region.startswith(side)


def test_only_lids_are_followed_along_one_axis() -> None:
    vertical = {name for name, axes in zip(POINTS.names, POINTS.moves, strict=True) if axes[0] == 0}
    assert vertical == {"left upper lid", "right upper lid", "left lower lid", "right lower lid"}
    assert (POINTS.moves[:, 1] == 1).all()
