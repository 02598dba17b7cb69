"""The movement model: what each action unit moves, when, and on whom."""

import numpy as np
import pytest
from scipy import ndimage

from learnet.core.errors import LearnetError, UnknownName
from learnet.simulation.emotions import EMOTIONS, MACRO_PEAK_PX, MICRO_PEAK_PX, draw_expression, make_style
from learnet.simulation.geometry import SIDES, View, average_face, crop_view, vary_face
from learnet.simulation.movement import (
    HeadPose,
    Timing,
    displacement,
    eye_region,
    head_displacement,
    head_drift,
    invert_field,
    min_area_ratio,
)
from learnet.simulation.render import BLINK_PX
from learnet.simulation.units import UNITS, Activation, both_sides, format_units

VIEW = crop_view(170, 140)

DIRECTIONS = {
    1: [("inner brow", "up")],
    2: [("outer brow", "up")],
    4: [("inner brow", "down"), ("inner brow", "in"), ("middle brow", "down")],
    5: [("upper lid", "up")],
    6: [("cheek", "up"), ("lower lid", "up"), ("outer eye", "in")],
    7: [("lower lid", "up"), ("upper lid", "down")],
    9: [("nostril", "up"), ("upper lip", "up"), ("inner brow", "down")],
    10: [("upper lip", "up"), ("nostril", "up")],
    12: [("lip corner", "out"), ("lip corner", "up"), ("cheek", "up")],
    14: [((0.30, 0.485), "in")],
    15: [("lip corner", "down")],
    17: [("chin boss", "up"), ("lower lip", "up")],
    20: [("lip corner", "out")],
    23: [("lip corner", "in"), ("upper lip", "down"), ("lower lip", "up")],
    24: [("upper lip", "down"), ("lower lip", "up")],
    25: [("lower lip", "down"), ("upper lip", "up")],
    26: [("chin boss", "down"), ("lower lip", "down"), ("low jaw", "down")],
    45: [("upper lid", "down")],
}
"""By hand from the FACS manual: unit -> positions, and the direction in which the skin moves there."""

SIGNS = {"out": (0, 1), "in": (0, -1), "down": (1, 1), "up": (1, -1)}
UPPER, MIDDLE, LOWER = {1, 2, 4, 5, 7, 45}, {6, 9}, {10, 12, 14, 15, 17, 20, 23, 24, 25, 26}


def at(field: np.ndarray, view: View, place: tuple[float, float]) -> np.ndarray:
    """The field at a place of the face, in face widths."""
    x, y = view.to_pixels(np.array([place]))[0]
    return (
        np.array([ndimage.map_coordinates(field[..., i], [[y], [x]], order=1)[0] for i in (0, 1)])
        / view.face_px
    )


def size(field: np.ndarray) -> np.ndarray:
    return np.hypot(field[..., 0], field[..., 1])


def area_ratio(field: np.ndarray) -> np.ndarray:
    """Determinant of the Jacobian of x -> x + field(x); not positive where the skin folds over itself."""
    (xy, xx), (yy, yx) = np.gradient(field[..., 0]), np.gradient(field[..., 1])
    return (1 + xx) * (1 + yy) - xy * yx


def test_every_unit_is_there() -> None:
    assert (
        set(UNITS)
        == {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 45}
        == set(DIRECTIONS)
        == UPPER | MIDDLE | LOWER
    )


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_what_facs_says(unit: int) -> None:
    face = average_face()
    field = displacement(face, both_sides(unit, 2.0), VIEW)
    for side, outward in (("left", 1), ("right", -1)):
        for place, direction in DIRECTIONS[unit]:
            point = face.at(place, side) if isinstance(place, str) else (outward * place[0], place[1])
            axis, sign = SIGNS[direction]
            moved = at(field, VIEW, point)[axis] * (outward if axis == 0 else 1) * 112
            assert sign * moved > 0.15 * 2.0, (
                f"AU {unit}: {side} {place} should go {direction}, goes {moved:+.2f} px"
            )


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_nothing_far_away(unit: int) -> None:
    """Units of the upper face leave the mouth at rest, units of the mouth the eyes, one side the other."""
    face = average_face()
    field = displacement(face, both_sides(unit, 2.0), VIEW)
    still = (
        {"lip corner", "lower lip", "chin boss", "jaw"}
        if unit in UPPER
        else {"middle brow", "outer brow", "upper lid", "temple"}
    )
    for landmark in (
        still
        - ({"middle brow", "outer brow", "temple"} if unit in MIDDLE else set())
        - ({"upper lid"} if unit in MIDDLE else set())
    ):
        assert np.hypot(*at(field, VIEW, face.at(landmark, "left"))) * 112 < 0.06, landmark
    one = displacement(face, [Activation(unit, "left", 2.0)], VIEW)
    for landmark in ("outer brow", "outer eye", "cheek", "lip corner", "low jaw"):
        near_midline = unit in (26, 17, 24, 25) and landmark == "low jaw"
        assert np.hypot(*at(one, VIEW, face.at(landmark, "right"))) * 112 < (
            0.25 if near_midline else 0.12
        ), landmark


@pytest.mark.parametrize("unit", UNITS)
def test_peak_is_in_pixels_of_a_face_112_wide(unit: int) -> None:
    field = displacement(average_face(), both_sides(unit, 1.5), VIEW)
    assert size(field).max() * 112 / VIEW.face_px == pytest.approx(1.5, rel=0.08)
    twice = displacement(average_face(), both_sides(unit, 3.0), VIEW)
    np.testing.assert_allclose(twice, 2 * field, atol=1e-5)


def test_displacement_follows_from_its_definition(rng: np.random.Generator) -> None:
    """Bump by bump in plain Python, on a varied face in a turned view."""
    face, view = vary_face(rng), View(90, 100, 80.0, (48.0, 33.0), roll_deg=7.0)
    activations = [Activation(12, "left", 1.7), Activation(4, "right", 0.9)]
    field = displacement(face, activations, view)
    angle = np.deg2rad(7.0)
    for _ in range(20):
        u, v = rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.7)
        du = dv = 0.0
        for one in activations:
            sign = 1 if one.side == "left" else -1
            for bump in UNITS[one.unit].bumps:
                name = bump.landmark if bump.landmark in face.points else f"{one.side} {bump.landmark}"
                centre = face.points[name][0] + sign * bump.shift[0], face.points[name][1] + bump.shift[1]
                near = np.exp(
                    -((u - centre[0]) ** 2) / (2 * bump.sd_across**2)
                    - (v - centre[1]) ** 2 / (2 * bump.sd_along**2)
                )
                du += one.peak_px / 112 * sign * bump.outward * near
                dv += one.peak_px / 112 * bump.down * near
        x = 48.0 + 80 * (np.cos(angle) * u - np.sin(angle) * v)
        y = 33.0 + 80 * (np.sin(angle) * u + np.cos(angle) * v)
        expected = 80 * np.array(
            [np.cos(angle) * du - np.sin(angle) * dv, np.sin(angle) * du + np.cos(angle) * dv]
        )
        found = [ndimage.map_coordinates(field[..., i], [[y], [x]], order=3)[0] for i in (0, 1)]
        if 1 < x < 98 and 1 < y < 88:
            np.testing.assert_allclose(found, expected, atol=0.01)


@pytest.mark.parametrize("unit", UNITS)
def test_mirrored_face_mirrors_the_field(unit: int, rng: np.random.Generator) -> None:
    face = vary_face(rng)
    left = displacement(face, [Activation(unit, "left", 2.0)], VIEW)
    right = displacement(face.mirrored(), [Activation(unit, "right", 2.0)], VIEW)
    np.testing.assert_allclose(right, left[:, ::-1] * np.array([-1, 1]), atol=1e-4)
    assert face.mirrored().mirrored() == face


@pytest.mark.parametrize("unit", UNITS)
def test_no_unit_folds_the_skin(unit: int) -> None:
    strength = BLINK_PX if unit == 45 else MICRO_PEAK_PX[1]
    for seed in range(10):
        field = displacement(vary_face(np.random.default_rng(seed)), both_sides(unit, strength), VIEW)
        assert area_ratio(field).min() > 0.05


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_no_expression_folds_the_skin_even_in_a_blink(emotion: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        face, style = vary_face(rng), make_style(rng)
        field = displacement(face, draw_expression(emotion, style, face, rng), VIEW)
        assert area_ratio(field).min() > 0.2
        assert MICRO_PEAK_PX[0] * 0.9 < size(field).max() * 112 / VIEW.face_px < MICRO_PEAK_PX[1] * 1.02
        blink = displacement(face, both_sides(45, BLINK_PX), VIEW)
        for closed in (0.3, 0.6, 1.0):
            assert (
                area_ratio(field * (1 - closed * eye_region(face, VIEW)[..., None]) + closed * blink).min()
                > 0.05
            )


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_macro_expressions_are_stronger_and_fold_no_skin(emotion: str) -> None:
    """Beyond every micro-expression, up to 8 px at 112 px, and nothing folds even while the eyes close."""
    peaks = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        face, style = vary_face(rng), make_style(rng)
        field = displacement(face, draw_expression(emotion, style, face, rng, MACRO_PEAK_PX), VIEW)
        peaks.append(size(field).max() * 112 / VIEW.face_px)
        assert area_ratio(field).min() > 0.15
        blink = displacement(face, both_sides(45, BLINK_PX), VIEW)
        for closed in (0.3, 0.6, 1.0):
            assert (
                area_ratio(field * (1 - closed * eye_region(face, VIEW)[..., None]) + closed * blink).min()
                > 0.05
            )
    assert min(peaks) > MICRO_PEAK_PX[1] * 0.95 and max(peaks) < MACRO_PEAK_PX[1] * 1.02


def test_min_area_ratio_of_a_known_map() -> None:
    """Squeezed to 0.7 across and 0.5 down, so to 0.35 of the area; mirrored, to a negative one."""
    x, y = np.meshgrid(np.arange(9, dtype=np.float32), np.arange(7, dtype=np.float32))
    assert min_area_ratio(np.stack([-0.3 * x, -0.5 * y], axis=-1)) == pytest.approx(0.35, abs=1e-5)
    assert min_area_ratio(np.stack([-1.5 * x, 0 * y], axis=-1)) == pytest.approx(-0.5, abs=1e-5)


def test_a_new_emotion_leaves_the_preferences_for_the_others_unchanged() -> None:
    """Preferences depend on an emotion's position in the alphabet; these must not change between versions."""
    first = [
        "anger",
        "contempt",
        "disgust",
        "fear",
        "happiness",
        "others",
        "repression",
        "sadness",
        "surprise",
    ]
    assert sorted(EMOTIONS)[: len(first)] == first


def test_intensity_rises_and_falls_along_half_cosines() -> None:
    timing = Timing(0.1, 0.2, 0.4, residual=0.2)
    times = np.array([0.0, 0.1, 0.125, 0.15, 0.2, 0.3, 0.4, 0.9])
    expected = [0, 0, (1 - np.cos(np.pi / 4)) / 2, 0.5, 1, 0.6, 0.2, 0.2]
    np.testing.assert_allclose(timing.intensity(times), expected, atol=1e-12)


@pytest.mark.parametrize("marks", [(0.2, 0.1, 0.3), (0.1, 0.4, 0.3), (0.1, 0.1, 0.1)])
def test_impossible_timing_is_refused(marks: tuple[float, float, float]) -> None:
    with pytest.raises(LearnetError, match="out of order"):
        Timing(*marks)


def test_instant_onset_is_allowed() -> None:
    np.testing.assert_allclose(
        Timing(0.1, 0.1, 0.3).intensity(np.array([0.0, 0.1, 0.2, 0.3])), [0, 1, 0.5, 0], atol=1e-12
    )


def test_unknown_unit_or_side_is_refused() -> None:
    with pytest.raises(LearnetError, match="action unit 3"):
        Activation(3, "left", 1.0)
    with pytest.raises(LearnetError, match="both"):
        Activation(12, "both", 1.0)


def test_units_are_formatted_as_facs_coders_do() -> None:
    assert format_units((*both_sides(4, 1.0), Activation(10, "left", 1.0))) == "4+L10"
    assert format_units((Activation(15, "right", 1.0), *both_sides(2, 1.0))) == "2+R15"
    assert format_units(both_sides(12, 1.0)) == "12"


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_expression_uses_a_combination_of_the_emotion(emotion: str) -> None:
    allowed = {combination.units for combination in EMOTIONS[emotion]}
    assert sum(combination.share for combination in EMOTIONS[emotion]) == pytest.approx(1)
    face, seen, sides = average_face(), set(), set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        activations = draw_expression(emotion, make_style(rng), face, rng)
        units = tuple(sorted({one.unit for one in activations}))
        assert units in allowed
        seen.add(units)
        sides.add(len({one.side for one in activations}))
    assert len(seen) >= 3
    if emotion != "repression":  # most of its units have no sides
        assert sides == {1, 2}


def test_unknown_emotion_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'happiness'"):
        draw_expression("happyness", make_style(rng), average_face(), rng)


def test_head_shift_and_roll_move_the_whole_face() -> None:
    shift = head_displacement(HeadPose(right=0.01, down=-0.02), VIEW)
    for landmark in ("inner brow", "lip corner", "cheek"):
        np.testing.assert_allclose(
            at(shift, VIEW, average_face().at(landmark, "left")), [0.01, -0.02], atol=1e-6
        )
    wide = View(400, 600, 100.0, (300.0, 180.0))
    assert (
        size(head_displacement(HeadPose(right=0.05), wide))[200, [5, 595]].max() < 0.01 * 5
    )  # the wall stands still
    roll = head_displacement(HeadPose(roll_deg=1.0), VIEW)
    nose = np.array(average_face().at("nose tip")) - (0.0, 0.15)
    angle = np.deg2rad(1.0)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ nose - nose
    np.testing.assert_allclose(at(roll, VIEW, average_face().at("nose tip")), turned, atol=2e-4)


def test_head_turn_moves_the_nose_more_than_the_ears() -> None:
    turn = head_displacement(HeadPose(turn_deg=2.0), VIEW)
    nose, side = (
        at(turn, VIEW, place) for place in (average_face().at("nose tip"), average_face().at("side", "left"))
    )
    assert nose[0] > 1.4 * side[0] > 0
    nod = head_displacement(HeadPose(nod_deg=2.0), VIEW)
    assert at(nod, VIEW, average_face().at("nose tip"))[1] > 0


def test_head_drift_starts_at_rest_and_is_slow() -> None:
    times = np.arange(100) / 200
    paths = [head_drift(np.random.default_rng(seed), times, 0.01) for seed in range(200)]
    assert all(path[0] == HeadPose() for path in paths)
    end = np.array([path[-1].right for path in paths])
    assert 0.5 < end.std() / (0.01 * times[-1]) < 2.5
    steps = np.diff([[pose.down for pose in path] for path in paths], axis=1)
    assert np.abs(steps).max() * 112 < 0.1  # px per frame


def test_the_inverted_field_undoes_the_field(rng: np.random.Generator) -> None:
    face = vary_face(rng)
    field = displacement(
        face, draw_expression("disgust", make_style(rng), face, rng), VIEW
    ) + head_displacement(HeadPose(0.01, 0.01, 1.0, 1.0), VIEW)
    back = invert_field(field)
    y, x = np.mgrid[20:150, 15:125].astype(float)
    there = [y + field[20:150, 15:125, 1], x + field[20:150, 15:125, 0]]
    returned = [ndimage.map_coordinates(back[..., i], there, order=1) for i in (0, 1)]
    np.testing.assert_allclose(returned[0] + field[20:150, 15:125, 0], 0, atol=0.06)
    np.testing.assert_allclose(returned[1] + field[20:150, 15:125, 1], 0, atol=0.06)


def test_faces_vary_and_stay_faces() -> None:
    faces = [vary_face(np.random.default_rng(seed)) for seed in range(200)]
    for face in faces:
        for side in SIDES:
            order = [
                "fringe",
                "middle brow",
                "upper lid",
                "lower lid",
                "nostril",
                "upper lip",
                "lip corner",
                "lower lip",
                "chin boss",
            ]
            rows = [face.at(name, side)[1] for name in order]
            assert rows == sorted(rows)
            assert (
                abs(face.at("inner eye", side)[0])
                < abs(face.at("upper lid", side)[0])
                < abs(face.at("outer eye", side)[0])
            )
    chins = np.array([face.at("chin")[1] for face in faces])
    assert 0.02 < chins.std() < 0.06
    assert chins.mean() == pytest.approx(average_face().at("chin")[1], abs=0.01)


def test_views_agree_on_where_a_face_is(rng: np.random.Generator) -> None:
    points = rng.uniform(-0.5, 0.8, (10, 2))
    one, two = View(480, 640, 250.0, (318.0, 207.0), 3.0), View(340, 280, 251.0, (140.0, 100.0), -2.0)
    moved = np.column_stack([one.to_pixels(points), np.ones(10)]) @ two.matrix_from(one).T
    np.testing.assert_allclose(moved, two.to_pixels(points), atol=1e-9)
    u, v = one.face_grid()
    np.testing.assert_allclose(
        one.to_pixels(np.array([[u[100, 200], v[100, 200]]], float)), [[200, 100]], atol=1e-3
    )
    u4, v4 = one.coarser(4).face_grid()
    np.testing.assert_allclose(u4[7, 9], u[28:32, 36:40].mean(), atol=1e-5)
    np.testing.assert_allclose(v4[7, 9], v[28:32, 36:40].mean(), atol=1e-5)
