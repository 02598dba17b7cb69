"""Muscles that differ between people: seeded, nearly alike on both sides, and around the average face."""

import numpy as np

from learnet.simulation.geometry import SIDES, average_face, crop_view
from learnet.simulation.movement import displacement
from learnet.simulation.muscles import ANGLE_SD, SHIFT_SD, SIDE_STRENGTH_SD, STRENGTH_SD, Muscles
from learnet.simulation.units import UNITS, both_sides


def smile(muscles: Muscles | None) -> np.ndarray:
    return displacement(average_face(), both_sides(12, 2.0), crop_view(112, 112), muscles)


def test_the_same_seed_gives_the_same_face_and_another_seed_another() -> None:
    np.testing.assert_array_equal(smile(Muscles(3)), smile(Muscles(3)))
    assert np.abs(smile(Muscles(3)) - smile(Muscles(4))).max() > 0.1


def test_a_unit_does_not_depend_on_which_other_units_are_active() -> None:
    view = crop_view(112, 112)
    brow = both_sides(4, 1.0)
    together = displacement(average_face(), (*brow, *both_sides(12, 2.0)), view, Muscles(1))
    alone = displacement(average_face(), brow, view, Muscles(1)) + smile(Muscles(1))
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_bumps_vary_around_those_of_the_table() -> None:
    """Over 4,000 people: the logarithm of the strength, and the angle of AU 12's pull at the lip corner."""
    corner = UNITS[12].bumps[0]
    varied = [Muscles(seed).bumps(12, "left")[0] for seed in range(4000)]
    vectors = np.array([(bump.outward, bump.down) for bump in varied])
    log_strength = np.log(np.hypot(*vectors.T) / np.hypot(corner.outward, corner.down))
    angles = np.arctan2(vectors[:, 1], vectors[:, 0]) - np.arctan2(corner.down, corner.outward)
    shifts = np.array([bump.shift for bump in varied])
    assert abs(log_strength.mean()) < 0.03
    assert abs(log_strength.std() - np.hypot(STRENGTH_SD, SIDE_STRENGTH_SD)) < 0.02
    assert abs(angles.mean()) < 0.02 and abs(angles.std() - ANGLE_SD) < 0.02
    assert np.all(np.abs(shifts.std(axis=0) - SHIFT_SD) < 0.003)


def test_the_two_sides_of_a_face_are_more_alike_than_two_faces() -> None:
    def outward(seed: int, side: str) -> float:
        return Muscles(seed).bumps(12, side)[0].outward

    left, right = (np.array([outward(seed, side) for seed in range(500)]) for side in SIDES)
    assert np.corrcoef(left, right)[0, 1] > 0.7
    assert not np.array_equal(left, right)
