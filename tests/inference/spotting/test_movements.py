"""Movements in curves that are made by their definition: half cosines, noise, drift and blinks."""

from collections.abc import Sequence

import numpy as np
import pytest

from learnet.inference.spotting.curves import Curves
from learnet.inference.spotting.movements import (
    Movement,
    bridge_blinks,
    find_blinks,
    find_movements,
    measure,
)
from learnet.inference.spotting.points import face_points
from tests.inference.spotting.test_disturbances import curves_at_rest

POINTS = face_points()
RATE = 60.0
TIMES = np.arange(int(20 * RATE)) / RATE
NOISE_PX = 0.03


def half_cosines(onset_s: float, apex_s: float, offset_s: float, times_s: np.ndarray = TIMES) -> np.ndarray:
    """Rise from the onset to the apex and fall to the offset along half cosines; 1 at the apex."""
    rise = np.clip((times_s - onset_s) / (apex_s - onset_s), 0, 1)
    fall = np.clip((times_s - apex_s) / (offset_s - apex_s), 0, 1)
    return (1 - np.cos(np.pi * rise)) / 2 - (1 - np.cos(np.pi * fall)) / 2


def add(curves: Curves, curve: np.ndarray, shift: tuple[float, float], patches: Sequence[str]) -> None:
    for name in patches:
        side, _, patch = name.partition(" ")
        index = POINTS.index(patch, side) if side in ("left", "right") else POINTS.index(name)
        curves.displacements[:, index] += curve[:, None] * np.array(shift)


def noisy(seed: int, noise_px: float = NOISE_PX) -> Curves:
    curves = curves_at_rest(TIMES)
    noise = np.random.default_rng(seed).normal(0, noise_px, curves.displacements.shape)
    curves.displacements[...] = noise
    return curves


def add_blink(curves: Curves, onset_s: float) -> None:
    curve = half_cosines(onset_s, onset_s + 0.08, onset_s + 0.25)
    add(curves, curve, (0.0, 3.0), ["left upper lid", "right upper lid"])
    add(curves, curve, (0.0, 1.2), ["left middle brow", "right middle brow", "left inner brow"])


BROWS = ("left inner brow", "right inner brow", "left middle brow", "right middle brow")
SMILE = ("left mouth corner", "right mouth corner", "left lower cheek", "right lower cheek")


@pytest.mark.parametrize(
    ("onset_s", "apex_s", "offset_s"), [(5.0, 5.1, 5.25), (5.003, 5.31, 5.45), (5.2, 6.1, 8.3)]
)
def test_measure_is_exact_for_half_cosines(onset_s: float, apex_s: float, offset_s: float) -> None:
    curve = 2.0 * half_cosines(onset_s, apex_s, offset_s)
    for near_apex in (0, 1):
        movement = measure(TIMES, curve, int(round(apex_s * RATE)) + near_apex)
        assert movement.onset_s == pytest.approx(onset_s, abs=0.012)
        assert movement.apex_s == pytest.approx(apex_s, abs=1 / RATE)
        assert movement.offset_s == pytest.approx(offset_s, abs=0.012)
        assert movement.strength_px == pytest.approx(2.0, abs=0.1)
        assert movement.is_complete


def test_a_movement_ends_where_the_next_begins() -> None:
    curve = half_cosines(5.0, 5.2, 5.4) + 0.8 * half_cosines(5.4, 5.6, 5.8)
    first = measure(TIMES, curve, int(5.2 * RATE))
    second = measure(TIMES, curve / 0.8, int(5.6 * RATE))
    assert (first.onset_s, first.offset_s) == pytest.approx((5.0, 5.4), abs=0.02)
    assert (second.onset_s, second.offset_s) == pytest.approx((5.4, 5.8), abs=0.02)


def test_a_movement_that_is_cut_off_is_not_complete() -> None:
    rising = half_cosines(19.5, 20.5, 21.0)
    assert not measure(TIMES, rising, len(TIMES) - 1).is_complete
    falling = half_cosines(-0.5, -0.1, 0.4)
    assert not measure(TIMES, falling, 0).is_complete


def test_noise_alone_is_no_movement() -> None:
    for seed in range(10):
        for noise_px in (0.0, 0.02, 0.1):
            assert find_movements(noisy(seed, noise_px), POINTS).movements == ()


@pytest.mark.parametrize("strength_px", [0.6, 2.0])
def test_micro_and_macro_are_found_with_their_regions(strength_px: float) -> None:
    for seed in range(5):
        curves = noisy(seed)
        add(curves, half_cosines(6.0, 6.12, 6.3), (0.0, strength_px), BROWS)
        add(curves, half_cosines(10.0, 10.8, 12.0), (0.5 * strength_px, -2 * strength_px), SMILE)
        micro, macro = find_movements(curves, POINTS).movements
        assert (micro.onset_s, micro.apex_s, micro.offset_s) == pytest.approx((6.0, 6.12, 6.3), abs=0.06)
        assert set(micro.regions) == {"left brow", "right brow"}
        assert micro.strength_px == pytest.approx(strength_px, rel=0.25)
        assert (macro.onset_s, macro.offset_s) == pytest.approx((10.0, 12.0), abs=0.25)
        assert {"left mouth corner", "right mouth corner", "left cheek", "right cheek"} == set(macro.regions)


def test_one_side_is_told_from_both() -> None:
    curves = noisy(0)
    add(curves, half_cosines(6.0, 6.15, 6.4), (1.5, 0.2), ["right mouth corner", "right beside the mouth"])
    (movement,) = find_movements(curves, POINTS).movements
    assert movement.regions == ("right mouth corner",)


def test_limit_grows_with_the_noise_of_the_recording() -> None:
    """The same movement is found in a quiet recording and not in a noisy one."""
    found = []
    for noise_px in (0.02, 0.2):
        curves = noisy(1, noise_px)
        add(curves, half_cosines(6.0, 6.2, 6.4), (0.0, 0.5), ["left inner brow"])
        found.append(len(find_movements(curves, POINTS).movements))
    assert found == [1, 0]


def test_a_drift_is_no_movement_and_hides_none() -> None:
    curves = noisy(2, 0.01)
    drift = 0.5 * np.sin(2 * np.pi * TIMES / 8)
    curves.displacements[:, :, 1] += drift[:, None]
    curves.rotations_deg[:, 1] = 4 * drift  # of the head, which explains the drift
    add(curves, half_cosines(6.0, 6.15, 6.3), (0.0, 0.8), BROWS)
    (movement,) = find_movements(curves, POINTS).movements
    assert (movement.onset_s, movement.offset_s) == pytest.approx((6.0, 6.3), abs=0.05)


def test_blinks_are_events_of_their_own() -> None:
    curves = noisy(3)
    for onset_s in (3.0, 7.0, 7.6, 12.0):
        add_blink(curves, onset_s)
    blinks = find_movements(curves, POINTS).movements
    assert [blink.is_blink for blink in blinks] == [True] * 4
    np.testing.assert_allclose([blink.onset_s for blink in blinks], [3.0, 7.0, 7.6, 12.0], atol=0.03)
    np.testing.assert_allclose([blink.offset_s for blink in blinks], [3.25, 7.25, 7.85, 12.25], atol=0.03)
    assert {blink.regions for blink in blinks} == {("left lids", "right lids")}


def test_lids_that_follow_lowered_brows_or_one_eye_do_not_blink() -> None:
    judged = np.ones(len(TIMES), dtype=bool)
    curves = curves_at_rest(TIMES)
    curve = half_cosines(6.0, 6.1, 6.3)
    add(curves, curve, (0.0, 2.0), ["left upper lid", "right upper lid"])
    assert len(find_blinks(TIMES, curves.displacements, judged, POINTS)) == 1
    assert find_blinks(TIMES, curves.displacements, ~judged, POINTS) == []
    frown = curves_at_rest(TIMES)
    frown.displacements[...] = curves.displacements
    add(frown, curve, (0.0, 3.0), BROWS)
    assert find_blinks(TIMES, frown.displacements, judged, POINTS) == []
    wink = curves_at_rest(TIMES)
    add(wink, curve, (0.0, 2.0), ["left upper lid"])
    assert find_blinks(TIMES, wink.displacements, judged, POINTS) == []


def test_an_expression_goes_on_while_the_eyes_blink() -> None:
    curves = noisy(4)
    add(curves, half_cosines(6.0, 7.0, 8.0), (0.0, -2.0), BROWS)
    add_blink(curves, 6.9)
    movements = find_movements(curves, POINTS).movements
    assert [(movement.is_blink) for movement in movements] == [False, True]
    assert (movements[0].onset_s, movements[0].offset_s) == pytest.approx((6.0, 8.0), abs=0.15)


def test_bridged_blinks_leave_the_lower_face_alone() -> None:
    curves = noisy(5)
    add(curves, TIMES, (0.0, 1.0), ["left upper lid"])
    blink = Movement(5.0, 5.1, 5.3, 1.0, ("left lids", "right lids"), is_blink=True)
    before = curves.displacements.copy()
    before[300:320, POINTS.index("upper lid", "left"), 1] += 9.0
    bridged = bridge_blinks(TIMES, before, [blink], POINTS)
    lid = bridged[295:325, POINTS.index("upper lid", "left"), 1]
    np.testing.assert_allclose(lid, TIMES[295:325], atol=5 * NOISE_PX)
    chin = POINTS.both("chin")
    np.testing.assert_array_equal(bridged[:, chin], before[:, chin])


def test_what_cannot_be_judged_yields_no_event() -> None:
    curves = noisy(6)
    add(curves, half_cosines(6.0, 6.2, 6.4), (0.0, 2.0), BROWS)
    add(curves, half_cosines(12.0, 12.2, 12.4), (0.0, 2.0), BROWS)
    curves.rotations_deg[(TIMES > 5.8) & (TIMES < 6.6), 0] = 8.0
    findings = find_movements(curves, POINTS)
    assert [round(movement.onset_s) for movement in findings.movements] == [12]
    assert [disturbance.reason for disturbance in findings.disturbances] == [
        "the head turns or moves too far"
    ]


def test_a_small_turn_raises_the_limit() -> None:
    found = []
    for degrees in (0.0, 2.0):
        curves = noisy(7)
        curve = half_cosines(6.0, 6.2, 6.4)
        add(curves, curve, (0.0, 0.5), BROWS)
        curves.rotations_deg[:, 0] = degrees * curve
        found.append(len(find_movements(curves, POINTS).movements))
    assert found == [1, 0]


def test_patches_that_show_something_else_are_not_believed() -> None:
    curves = noisy(8)
    add(curves, half_cosines(6.0, 6.2, 6.4), (0.0, 3.0), ["left mouth corner"])
    assert len(find_movements(curves, POINTS).movements) == 1
    curves.residuals[:, POINTS.index("mouth corner", "left")] = 0.9
    assert find_movements(curves, POINTS).movements == ()


def test_movements_longer_than_six_seconds_are_none() -> None:
    curves = noisy(9)
    add(curves, half_cosines(3.0, 7.0, 17.0), (0.0, 3.0), BROWS)
    assert all(
        movement.offset_s - movement.onset_s <= 6.0 for movement in find_movements(curves, POINTS).movements
    )


def brow_movement(strength_px: float = 0.6) -> Curves:
    """A weak movement of the brows from 8.0 to 8.4 s."""
    curves = noisy(3)
    add(curves, half_cosines(8.0, 8.2, 8.4), (0.0, -strength_px), BROWS)
    return curves


def test_a_movement_is_none_while_rigid_points_seem_to_move() -> None:
    """At the apex they are off by half of it; within seconds before and after, by nothing."""
    curves = brow_movement()
    assert len(find_movements(curves, POINTS).movements) == 1
    directions = np.random.default_rng(4).normal(0, 0.3, (POINTS.rigid_points, 2))
    curves.rigid[...] = half_cosines(8.0, 8.2, 8.4)[:, None, None] * directions
    assert find_movements(curves, POINTS).movements == ()


def test_a_movement_is_none_if_rigid_points_always_seem_to_move() -> None:
    curves = brow_movement()
    curves.rigid[...] = np.random.default_rng(4).normal(0, 0.3, curves.rigid.shape)
    assert find_movements(curves, POINTS).movements == ()


def test_a_smile_that_lifts_some_of_the_rigid_points_is_a_movement() -> None:
    curves = brow_movement()
    lifted = POINTS.rigid_points // 3
    curves.rigid[:, :lifted, 1] = half_cosines(8.0, 8.2, 8.4)[:, None] * -0.4
    assert len(find_movements(curves, POINTS).movements) == 1
