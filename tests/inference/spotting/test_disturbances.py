"""Stretches that cannot be judged: each reason on curves that show it, and on curves that do not."""

import numpy as np
import pytest

from learnet.inference.spotting.curves import Curves
from learnet.inference.spotting.disturbances import (
    COVERED,
    FEW_FRAMES,
    HEAD_TURNS,
    JUDGED_S,
    SPEAKING,
    blurred,
    covered,
    few_frames,
    find_disturbances,
    flickers,
    mouth_opening,
    speaks,
    turning_points,
)
from learnet.inference.spotting.points import face_points

POINTS = face_points()
TIMES = np.arange(600) / 60
QUIET = np.full(POINTS.patches, 0.01)


def curves_at_rest(times_s: np.ndarray = TIMES) -> Curves:
    count = len(times_s)
    return Curves(
        times_s=times_s,
        displacements=np.zeros((count, POINTS.patches, 2)),
        rigid=np.zeros((count, POINTS.rigid_points, 2)),
        residuals=np.zeros((count, POINTS.patches)),
        rotations_deg=np.zeros((count, 2)),
        head_px=np.zeros((count, 2)),
        correlation=np.ones(count),
        sharpness=np.ones(count),
        brightness=np.full(count, 120.0),
    )


def reasons(curves: Curves, rotation_deg: np.ndarray | None = None) -> list[tuple[float, float, str]]:
    turned = np.zeros(len(curves.times_s)) if rotation_deg is None else rotation_deg
    found = find_disturbances(curves, curves.displacements, turned, QUIET, POINTS)
    return [(curves.times_s[gap.first], curves.times_s[gap.last - 1], gap.reason) for gap in found]


def test_a_face_at_rest_can_be_judged() -> None:
    assert reasons(curves_at_rest()) == []


def test_turning_points_by_hand() -> None:
    values = np.array([0.0, 1, 3, 2.5, 3.2, 1, 0, 0.4, 2, 5])
    assert turning_points(values, 1.0) == [4, 6]
    assert turning_points(values, 0.3) == [2, 3, 4, 6]
    assert turning_points(np.array([5.0, 4, 1, 2, 4, 3, 0]), 1.0) == [2, 4]
    assert turning_points(np.zeros(5), 0.1) == []
    assert turning_points(np.empty(0), 0.1) == []


@pytest.mark.parametrize("rate_hz", [2.5, 4.0, 6.0])
def test_a_mouth_that_opens_again_and_again_speaks(rate_hz: float) -> None:
    is_speech = (TIMES >= 3) & (TIMES <= 6)
    opening = np.where(is_speech, 1 - np.cos(2 * np.pi * rate_hz * (TIMES - 3)), 0.0)
    flags = speaks(TIMES, opening, 0.02)
    assert flags[(TIMES > 3.3) & (TIMES < 5.7)].all()
    assert not flags[(TIMES < 2.7) | (TIMES > 6.3)].any()


def test_one_expression_of_the_mouth_is_no_speech(rng: np.random.Generator) -> None:
    is_moving = (TIMES >= 3) & (TIMES <= 5)
    opening = np.where(is_moving, 1 - np.cos(np.pi * (TIMES - 3)), 0.0) + rng.normal(0, 0.02, len(TIMES))
    assert not speaks(TIMES, opening, 0.02).any()


def test_expressions_of_the_mouth_one_after_the_other_are_no_speech() -> None:
    """Each lasts a second, so its turning points are half a second apart."""
    opening = 1 - np.cos(2 * np.pi * 1.0 * TIMES)
    assert not speaks(TIMES, opening, 0.02).any()


def test_opening_of_the_mouth_is_lower_lip_against_upper_lip() -> None:
    excursions = np.zeros((1, POINTS.patches, 2))
    for side in ("left", "right"):
        excursions[0, POINTS.index("lower lip", side)] = (3.0, 2.0)
        excursions[0, POINTS.index("chin", side)] = (-3.0, 1.0)
        excursions[0, POINTS.index("upper lip", side)] = (0.0, -0.5)
    np.testing.assert_allclose(mouth_opening(excursions, POINTS), [1.5 + 0.5])


@pytest.mark.parametrize(("amplitude", "expected"), [(0.02, False), (0.12, True)])
def test_flicker_is_named_from_its_root_mean_square(amplitude: float, expected: bool) -> None:
    brightness = 120 * (1 + amplitude * np.sin(2 * np.pi * 7 * TIMES))
    assert flickers(TIMES, brightness)[100:500].all() == expected
    assert flickers(TIMES, brightness).any() == expected


def test_slow_light_is_no_flicker() -> None:
    assert not flickers(TIMES, 120 + 8 * TIMES).any()


@pytest.mark.parametrize(("rate", "expected"), [(15.0, True), (20.0, True), (24.0, False), (30.0, False)])
def test_few_frames_a_second(rate: float, expected: bool) -> None:
    flags = few_frames(np.arange(int(5 * rate)) / rate)
    assert flags.all() == expected
    assert flags.any() == expected


def test_frame_rate_that_falls_in_the_middle() -> None:
    times_s = np.concatenate([np.arange(90) / 30, 3 + np.arange(30) / 10, 6 + np.arange(90) / 30])
    flags = few_frames(times_s)
    assert flags[(times_s > 3.2) & (times_s < 5.8)].all()
    assert not flags[(times_s < 2.5) | (times_s > 6.5)].any()
    assert [reason for *_, reason in reasons(curves_at_rest(times_s))] == [FEW_FRAMES]


def test_blur_that_lasts_is_named() -> None:
    sharpness = np.ones(600)
    sharpness[100:103] = 0.2
    sharpness[300:360] = 0.2
    expected = np.zeros(600, dtype=bool)
    expected[300:360] = True
    np.testing.assert_array_equal(blurred(TIMES, sharpness), expected)


def test_cover_that_is_no_blink_is_named() -> None:
    residuals = np.full((600, POINTS.patches), 0.2)
    residuals[100:112, :12] = 0.9  # a fifth of a second
    residuals[300:420, :12] = 0.9
    residuals[500:580, :3] = 0.9  # too few patches
    expected = np.zeros(600, dtype=bool)
    expected[300:420] = True
    np.testing.assert_array_equal(covered(TIMES, residuals), expected)


def test_turns_fast_movements_and_lost_faces_are_one_reason() -> None:
    curves = curves_at_rest()
    turned = np.where((TIMES > 2) & (TIMES < 2.5), 6.0, 0.0)
    curves.correlation[360:390] = 0.6
    curves.head_px[:, 0] = np.clip(40 * (TIMES - 9), 0, None)
    found = reasons(curves, turned)
    assert [reason for *_, reason in found] == [HEAD_TURNS] * 3
    starts, ends = [start for start, *_ in found], [end for _, end, _ in found]
    np.testing.assert_allclose(starts, [1.87, 5.85, 8.85], atol=0.05)
    np.testing.assert_allclose(ends, [2.63, 6.63, TIMES[-1]], atol=0.05)


def test_a_cover_while_the_head_turns_is_the_turn() -> None:
    curves = curves_at_rest()
    curves.residuals[120:300] = 1.0
    turned = np.where((TIMES > 1.9) & (TIMES < 5.1), 9.0, 0.0)
    assert {reason for *_, reason in reasons(curves, turned)} == {HEAD_TURNS}
    assert {reason for *_, reason in reasons(curves)} == {COVERED}


def test_gaps_too_short_to_judge_belong_to_what_surrounds_them() -> None:
    """Two turns with 0.4 s between, one 0.3 s after the beginning, and one 0.3 s before the end."""
    turned = np.zeros(600)
    margin = 9  # samples that a turn is widened by
    for first, last in ((30, 60), (300, 330), (372, 400), (560, 573)):
        turned[first:last] = 9.0
    found = reasons(curves_at_rest(), turned)
    judged = np.ones(600, dtype=bool)
    for start, end, _ in found:
        judged[(start <= TIMES) & (end >= TIMES)] = False
    expected = np.ones(600, dtype=bool)
    expected[: 60 + margin] = False
    expected[300 - margin : 400 + margin] = False
    expected[560 - margin :] = False
    np.testing.assert_array_equal(judged, expected)
    assert 0.4 < JUDGED_S < 2.0


def test_speech_is_found_in_the_curves() -> None:
    curves = curves_at_rest()
    is_speech = (TIMES >= 3) & (TIMES <= 6)
    lip = np.where(is_speech, 1 - np.cos(2 * np.pi * 4 * TIMES), 0.0)
    for side in ("left", "right"):
        curves.displacements[:, POINTS.index("lower lip", side), 1] = 2 * lip
        curves.displacements[:, POINTS.index("chin", side), 1] = lip
    found = reasons(curves)
    assert [reason for *_, reason in found] == [SPEAKING]
    np.testing.assert_allclose(found[0][:2], [2.9, 6.1], atol=0.2)
