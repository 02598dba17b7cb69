"""The movement model: what each action unit moves, when, on whom, and that a rendered clip moves as the field says."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from learnet.errors import LearnetError, UnknownName
from learnet.simulate import portrait
from learnet.simulate.emotions import EMOTIONS, PEAK_PX, act, make_manner
from learnet.simulate.faces import STEP, make_person, photograph
from learnet.simulate.geometry import SIDES, View, average_face, crop_view, vary_face
from learnet.simulate.movement import HeadPose, Timing, displacement, eye_region, head_displacement, head_drift, where_from
from learnet.simulate.render import BLINK_PX, Camera, Circumstances, Take, motion, register, render
from learnet.simulate.script import MAIN_EMOTIONS, centred, make_scene, write_script
from learnet.simulate.units import UNITS, Activation, both_sides, spelled

VIEW = crop_view(170, 140)
SMALL = Camera(240, 320, 200.0, 125.0)

# By hand from the FACS manual's descriptions: unit -> where to look, and whereto the skin goes there (out of the midline, in, up, down).
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
SIGNS = {"out": (0, 1), "in": (0, -1), "down": (1, 1), "up": (1, -1)}
UPPER, MIDDLE, LOWER = {1, 2, 4, 5, 7, 45}, {6, 9}, {10, 12, 14, 15, 17, 20, 23, 24, 25, 26}


def at(field: np.ndarray, view: View, place: tuple[float, float]) -> np.ndarray:
    """The field at a place of the face, in face widths."""
    x, y = view.to_pixels(np.array([place]))[0]
    return np.array([ndimage.map_coordinates(field[..., i], [[y], [x]], order=1)[0] for i in (0, 1)]) / view.face_px


def size(field: np.ndarray) -> np.ndarray:
    return np.hypot(field[..., 0], field[..., 1])


def stretch(field: np.ndarray) -> np.ndarray:
    """Determinant of the Jacobian of x -> x + field(x): how much area grows; not positive where the skin folds over itself."""
    (xy, xx), (yy, yx) = np.gradient(field[..., 0]), np.gradient(field[..., 1])
    return (1 + xx) * (1 + yy) - xy * yx


def test_every_unit_is_there() -> None:
    assert set(UNITS) == {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 45} == set(DIRECTIONS) == UPPER | MIDDLE | LOWER


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_what_facs_says(unit: int) -> None:
    face = average_face()
    field = displacement(face, both_sides(unit, 2.0), VIEW)
    for side, outward in (("left", 1), ("right", -1)):
        for place, whereto in DIRECTIONS[unit]:
            point = face.at(place, side) if isinstance(place, str) else (outward * place[0], place[1])
            axis, sign = SIGNS[whereto]
            moved = at(field, VIEW, point)[axis] * (outward if axis == 0 else 1) * 112
            assert sign * moved > 0.15 * 2.0, f"AU {unit}: {side} {place} should go {whereto}, goes {moved:+.2f} px"


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_nothing_far_away(unit: int) -> None:
    """Units of the eyes and brows leave the mouth alone, units of the mouth the eyes; a unit of one side the other cheek."""
    face = average_face()
    field = displacement(face, both_sides(unit, 2.0), VIEW)
    still = {"lip corner", "lower lip", "chin boss", "jaw"} if unit in UPPER else {"middle brow", "outer brow", "upper lid", "temple"}
    for landmark in (
        still - ({"middle brow", "outer brow", "temple"} if unit in MIDDLE else set()) - ({"upper lid"} if unit in MIDDLE else set())
    ):
        assert np.hypot(*at(field, VIEW, face.at(landmark, "left"))) * 112 < 0.06, landmark
    one = displacement(face, [Activation(unit, "left", 2.0)], VIEW)
    for landmark in ("outer brow", "outer eye", "cheek", "lip corner", "low jaw"):
        near_midline = unit in (26, 17, 24, 25) and landmark == "low jaw"
        assert np.hypot(*at(one, VIEW, face.at(landmark, "right"))) * 112 < (0.25 if near_midline else 0.12), landmark


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
                near = np.exp(-((u - centre[0]) ** 2) / (2 * bump.wide**2) - (v - centre[1]) ** 2 / (2 * bump.high**2))
                du += one.peak_px / 112 * sign * bump.out * near
                dv += one.peak_px / 112 * bump.down * near
        x = 48.0 + 80 * (np.cos(angle) * u - np.sin(angle) * v)
        y = 33.0 + 80 * (np.sin(angle) * u + np.cos(angle) * v)
        expected = 80 * np.array([np.cos(angle) * du - np.sin(angle) * dv, np.sin(angle) * du + np.cos(angle) * dv])
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
    strength = BLINK_PX if unit == 45 else PEAK_PX[1]
    for seed in range(10):
        field = displacement(vary_face(np.random.default_rng(seed)), both_sides(unit, strength), VIEW)
        assert stretch(field).min() > 0.05


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_no_expression_folds_the_skin_even_in_a_blink(emotion: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        face, manner = vary_face(rng), make_manner(rng)
        field = displacement(face, act(emotion, manner, face, rng), VIEW)
        assert stretch(field).min() > 0.2
        assert PEAK_PX[0] * 0.9 < size(field).max() * 112 / VIEW.face_px < PEAK_PX[1] * 1.02
        blink = displacement(face, both_sides(45, BLINK_PX), VIEW)
        for closed in (0.3, 0.6, 1.0):
            assert stretch(field * (1 - closed * eye_region(face, VIEW)[..., None]) + closed * blink).min() > 0.05


def test_intensity_rises_and_falls_along_half_cosines() -> None:
    timing = Timing(0.1, 0.2, 0.4, remains=0.2)
    times = np.array([0.0, 0.1, 0.125, 0.15, 0.2, 0.3, 0.4, 0.9])
    expected = [0, 0, (1 - np.cos(np.pi / 4)) / 2, 0.5, 1, 0.6, 0.2, 0.2]
    np.testing.assert_allclose(timing.intensity(times), expected, atol=1e-12)


@pytest.mark.parametrize("marks", [(0.2, 0.1, 0.3), (0.1, 0.4, 0.3), (0.1, 0.1, 0.1)])
def test_impossible_timing_is_refused(marks: tuple[float, float, float]) -> None:
    with pytest.raises(LearnetError, match="out of order"):
        Timing(*marks)


def test_instant_onset_is_allowed() -> None:
    np.testing.assert_allclose(Timing(0.1, 0.1, 0.3).intensity(np.array([0.0, 0.1, 0.2, 0.3])), [0, 1, 0.5, 0], atol=1e-12)


def test_unknown_unit_or_side_is_refused() -> None:
    with pytest.raises(LearnetError, match="action unit 3"):
        Activation(3, "left", 1.0)
    with pytest.raises(LearnetError, match="both"):
        Activation(12, "both", 1.0)


def test_units_are_spelled_as_annotators_do() -> None:
    assert spelled((*both_sides(4, 1.0), Activation(10, "left", 1.0))) == "4+L10"
    assert spelled((Activation(15, "right", 1.0), *both_sides(2, 1.0))) == "2+R15"
    assert spelled(both_sides(12, 1.0)) == "12"


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_act_uses_a_combination_of_the_emotion(emotion: str) -> None:
    allowed = {combination.units for combination in EMOTIONS[emotion]}
    assert sum(combination.share for combination in EMOTIONS[emotion]) == pytest.approx(1)
    face, seen, sides = average_face(), set(), set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        activations = act(emotion, make_manner(rng), face, rng)
        units = tuple(sorted({one.unit for one in activations}))
        assert units in allowed
        seen.add(units)
        sides.add(len({one.side for one in activations}))
    assert len(seen) >= 3
    if emotion != "repression":  # most of its units have no sides
        assert sides == {1, 2}


def test_unknown_emotion_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'happiness'"):
        act("happyness", make_manner(rng), average_face(), rng)


def test_head_shift_and_roll_move_the_whole_face() -> None:
    shift = head_displacement(HeadPose(right=0.01, down=-0.02), VIEW)
    for landmark in ("inner brow", "lip corner", "cheek"):
        np.testing.assert_allclose(at(shift, VIEW, average_face().at(landmark, "left")), [0.01, -0.02], atol=1e-6)
    wide = View(400, 600, 100.0, (300.0, 180.0))
    assert size(head_displacement(HeadPose(right=0.05), wide))[200, [5, 595]].max() < 0.01 * 5  # the wall stands still
    roll = head_displacement(HeadPose(roll_deg=1.0), VIEW)
    nose = np.array(average_face().at("nose tip")) - (0.0, 0.15)
    angle = np.deg2rad(1.0)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ nose - nose
    np.testing.assert_allclose(at(roll, VIEW, average_face().at("nose tip")), turned, atol=2e-4)


def test_head_turn_moves_the_nose_more_than_the_ears() -> None:
    turn = head_displacement(HeadPose(turn_deg=2.0), VIEW)
    nose, side = (at(turn, VIEW, place) for place in (average_face().at("nose tip"), average_face().at("side", "left")))
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


def test_where_from_undoes_the_field(rng: np.random.Generator) -> None:
    face = vary_face(rng)
    field = displacement(face, act("disgust", make_manner(rng), face, rng), VIEW) + head_displacement(HeadPose(0.01, 0.01, 1.0, 1.0), VIEW)
    back = where_from(field)
    y, x = np.mgrid[20:150, 15:125].astype(float)
    there = [y + field[20:150, 15:125, 1], x + field[20:150, 15:125, 0]]
    returned = [ndimage.map_coordinates(back[..., i], there, order=1) for i in (0, 1)]
    np.testing.assert_allclose(returned[0] + field[20:150, 15:125, 0], 0, atol=0.06)
    np.testing.assert_allclose(returned[1] + field[20:150, 15:125, 1], 0, atol=0.06)


def test_faces_vary_and_stay_faces() -> None:
    faces = [vary_face(np.random.default_rng(seed)) for seed in range(200)]
    for face in faces:
        for side in SIDES:
            order = ["fringe", "middle brow", "upper lid", "lower lid", "nostril", "upper lip", "lip corner", "lower lip", "chin boss"]
            rows = [face.at(name, side)[1] for name in order]
            assert rows == sorted(rows)
            assert abs(face.at("inner eye", side)[0]) < abs(face.at("upper lid", side)[0]) < abs(face.at("outer eye", side)[0])
    chins = np.array([face.at("chin")[1] for face in faces])
    assert 0.02 < chins.std() < 0.06
    assert chins.mean() == pytest.approx(average_face().at("chin")[1], abs=0.01)


def test_views_agree_on_where_a_face_is(rng: np.random.Generator) -> None:
    points = rng.uniform(-0.5, 0.8, (10, 2))
    one, two = View(480, 640, 250.0, (318.0, 207.0), 3.0), View(340, 280, 251.0, (140.0, 100.0), -2.0)
    moved = np.column_stack([one.to_pixels(points), np.ones(10)]) @ two.matrix_from(one).T
    np.testing.assert_allclose(moved, two.to_pixels(points), atol=1e-9)
    u, v = one.face_grid()
    np.testing.assert_allclose(one.to_pixels(np.array([[u[100, 200], v[100, 200]]], float)), [[200, 100]], atol=1e-3)
    u4, v4 = one.coarser(4).face_grid()
    np.testing.assert_allclose(u4[7, 9], u[28:32, 36:40].mean(), atol=1e-5)
    np.testing.assert_allclose(v4[7, 9], v[28:32, 36:40].mean(), atol=1e-5)


def yunet(shared: Path, picture: np.ndarray) -> np.ndarray:
    """The five points that a face detector finds: right eye, left eye, nose tip, right and left mouth corner (the person's own)."""
    detector = cv2.FaceDetectorYN.create(str(shared / "models" / "yunet_n_640_640.onnx"), "", picture.shape[1::-1])
    _, faces = detector.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert faces is not None and len(faces) == 1
    return faces[0, 4:14].reshape(5, 2)


def test_measured_landmarks_agree_with_a_detector(shared: Path) -> None:
    found = yunet(shared, skimage.data.astronaut())
    eyes = [np.mean([portrait.PAIRS[name][i] for name in ("inner eye", "outer eye", "upper lid", "lower lid")], axis=0) for i in (0, 1)]
    mouth = portrait.PAIRS["lip corner"]
    np.testing.assert_allclose(found, [*eyes, portrait.MIDLINE["nose tip"], *mouth], atol=3.5)


def test_photographs_put_landmarks_where_the_geometry_says(shared: Path) -> None:
    view = View(480, 640, 250.0, (320.0, 206.0))
    misses = []
    for seed in range(6):
        person = make_person(np.random.default_rng(seed))
        found = (yunet(shared, photograph(person, view)) - view.origin) / view.face_px
        face = person.geometry
        eyes = [(np.array(face.at("inner eye", side)) + face.at("outer eye", side)) / 2 for side in ("right", "left")]
        expected = [*eyes, face.at("nose tip"), face.at("lip corner", "right"), face.at("lip corner", "left")]
        misses.append(found - expected)
    assert np.abs(misses).max() < 0.09  # face widths; the detector itself errs by about 0.03
    assert np.abs(np.mean(misses, axis=0)).max() < 0.045


def test_haar_finds_everybody() -> None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
    for seed in range(6):
        picture = photograph(make_person(np.random.default_rng(seed)), View(240, 320, 125.0, (160.0, 103.0)))
        assert len(cascade.detectMultiScale(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 1.1, 3)) >= 1


def test_people_differ() -> None:
    view = crop_view(68, 56)
    pictures = [photograph(make_person(np.random.default_rng(seed)), view).astype(float) for seed in range(8)]
    again = photograph(make_person(np.random.default_rng(0)), view)
    np.testing.assert_array_equal(again, pictures[0])
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 6


def quiet_take(activations: tuple[Activation, ...], frames: int = 21) -> Take:
    """Somebody moving in perfect light before a perfect camera: rest at frame 0, apex at 10, rest at 20."""
    person = dataclasses.replace(make_person(np.random.default_rng(3)), pores=0.04)
    scene = Circumstances(View(240, 320, 125.0, (160.0, 103.0)), drift=0.0, blinks=(), gain=1.0, flicker=0.0, noise=0.0, seed=0)
    return Take(person, activations, Timing(0.0, 0.05, 0.1), scene, SMALL, frames)


@pytest.mark.parametrize(("unit", "landmark"), [(12, "lip corner"), (1, "inner brow"), (15, "lip corner"), (4, "inner brow")])
def test_rendered_face_moves_as_the_field_says(unit: int, landmark: str) -> None:
    """An optical flow estimator that knows nothing of the model finds the displacement, direction included."""
    take = quiet_take(both_sides(unit, 2.5))
    rest, *_, apex = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in render(take, range(11))]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(rest, apex, None)
    view = take.circumstances.view
    true = displacement(take.person.geometry, take.activations, view)
    for side in SIDES:
        x, y = np.round(view.to_pixels(np.array([take.person.geometry.at(landmark, side)]))[0]).astype(int)
        window = np.s_[y - 6 : y + 7, x - 6 : x + 7]
        found, expected = flow[window].mean(axis=(0, 1)), true[window].mean(axis=(0, 1))
        assert found @ expected > 0.9 * np.hypot(*found) * np.hypot(*expected)
        assert 0.5 < np.hypot(*found) / np.hypot(*expected) < 1.5


def test_motion_is_the_field_at_its_intensity() -> None:
    take = quiet_take(both_sides(12, 2.0))
    true = displacement(take.person.geometry, take.activations, take.circumstances.view.coarser(STEP)) * STEP
    fields = dict(motion(take))
    np.testing.assert_allclose(fields[10], true, atol=1e-4)
    np.testing.assert_allclose(fields[5], true / 2, atol=1e-4)
    assert list(dict(motion(take, range(3, 5)))) == [3, 4]


def test_quiet_face_at_rest_does_not_change() -> None:
    frames = list(render(quiet_take(both_sides(12, 2.5), frames=24)))
    np.testing.assert_array_equal(frames[0], frames[20])
    np.testing.assert_array_equal(frames[0], frames[23])
    assert np.abs(frames[0].astype(int) - frames[10]).max() > 20


def test_blink_closes_the_eyes() -> None:
    """Half way through, the dark pupil is covered by skin."""
    take = quiet_take(())
    blinking = dataclasses.replace(take, circumstances=dataclasses.replace(take.circumstances, blinks=(Timing(0.0, 0.05, 0.1),)))
    open_eye, closed = list(render(blinking, range(0, 11, 10)))
    view, face = take.circumstances.view, take.person.geometry
    for side in SIDES:
        (x, top), (_, low) = (view.to_pixels(np.array([face.at(name, side)]))[0] for name in ("upper lid", "lower lid"))
        rows = np.s_[round(top) : round(top + 0.55 * (low - top)), round(x) - 3 : round(x) + 4]
        assert closed[rows].mean() > open_eye[rows].mean() + 15


def test_same_seed_same_frames_in_any_order() -> None:
    scene = make_scene(4, 2, 3, "surprise", SMALL)
    whole = list(render(scene.take))
    again = list(render(make_scene(4, 2, 3, "surprise", SMALL).take, range(10, 13)))
    np.testing.assert_array_equal(again, whole[10:13])
    other = next(iter(render(make_scene(5, 2, 3, "surprise", SMALL).take)))
    assert np.abs(other.astype(int) - whole[0]).mean() > 3


def test_nothing_before_the_onset_knows_the_emotion() -> None:
    """The same clip of the same person with another emotion is the same, byte by byte, up to and including its onset frame."""
    clips = {emotion: make_scene(7, 1, 2, emotion, SMALL) for emotion in MAIN_EMOTIONS}
    onset = clips["others"].onset
    assert len({(scene.onset, scene.apex, scene.offset, scene.take.frames) for scene in clips.values()}) == 1
    first = [np.stack(list(render(scene.take, range(onset)))) for scene in clips.values()]
    for other in first[1:]:
        np.testing.assert_array_equal(other, first[0])
    apexes = [next(iter(render(scene.take, range(scene.apex - 1, scene.apex)))) for scene in clips.values()]
    assert all(np.abs(apex.astype(int) - apexes[0]).max() > 10 for apex in apexes[1:])


def test_registered_crop_has_the_eyes_in_their_place() -> None:
    scene = make_scene(1, 1, 1, "happiness", SMALL)
    crop = crop_view(136, 112)
    frame = next(iter(render(scene.take, range(1))))
    registered = register(frame, scene.take.circumstances.view, crop)
    direct = photograph(scene.take.person, crop)
    assert np.corrcoef(registered.ravel(), direct.ravel())[0, 1] > 0.97


def test_script_is_balanced_and_true() -> None:
    scenes = write_script(10, 8, 0, SMALL)
    assert [(scene.person, scene.number) for scene in scenes] == [(p, n) for p in range(1, 11) for n in range(1, 9)]
    for person in range(1, 11):
        assert set(MAIN_EMOTIONS) <= {scene.emotion for scene in scenes if scene.person == person}
    assert {"sadness", "fear"} & {scene.emotion for scene in scenes}
    for scene in scenes:
        assert 1 < scene.onset < scene.apex < scene.offset < scene.take.frames
        level = scene.take.timing.intensity(scene.take.times)
        assert level[scene.onset - 1] == 0 < level[scene.onset] and level.argmax() == scene.apex - 1
        assert 0.04 <= (scene.offset - scene.onset) / 200 <= 0.5
    looks = {scene.take.person.seed for scene in scenes}
    assert len(looks) == 10


@pytest.mark.parametrize("wrong", [(0, 6, 0), (3, 0, 0), (3, 6, -1)])
def test_impossible_script_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(LearnetError, match="At least one person"):
        write_script(*wrong, SMALL)


def test_centred_keeps_the_expression() -> None:
    scene = make_scene(1, 1, 1, "others", SMALL)
    moved = centred(scene, 200)
    assert moved.take.frames == 200 and moved.offset - moved.onset == scene.offset - scene.onset
    assert abs((moved.onset - 1) - (200 - moved.offset)) <= 1
    level = moved.take.timing.intensity(moved.take.times)
    assert level.argmax() == moved.apex - 1
    with pytest.raises(LearnetError, match="cannot hold"):
        centred(scene, 10)
