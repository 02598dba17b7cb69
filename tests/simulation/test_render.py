"""Rendered faces and clips: people differ, landmarks and movement are where the geometry has them."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from learnet.core.errors import LearnetError, UnknownName
from learnet.simulation import portrait
from learnet.simulation.faces import GRID_STEP, render_still
from learnet.simulation.geometry import SIDES, View, average_face, crop_view
from learnet.simulation.movement import Timing, displacement, head_displacement, head_drift
from learnet.simulation.people import make_person
from learnet.simulation.render import (
    BLINK_PX,
    Camera,
    Episode,
    Recording,
    RecordingConditions,
    draw_conditions,
    motion_fields,
    register,
    render,
)
from learnet.simulation.scenes import (
    MAIN_EMOTIONS,
    NO_EMOTION,
    DatabasePlan,
    EmotionMix,
    centre_expression,
    make_long_scene,
    make_scene,
    plan_long_scenes,
    plan_scenes,
)
from learnet.simulation.units import Activation, both_sides

SMALL = Camera(240, 320, 200.0, 125.0)


def at(field: np.ndarray, view: View, place: tuple[float, float]) -> np.ndarray:
    """The field at a place of the face, in face widths."""
    x, y = view.to_pixels(np.array([place]))[0]
    return (
        np.array([ndimage.map_coordinates(field[..., i], [[y], [x]], order=1)[0] for i in (0, 1)])
        / view.face_px
    )


def area_ratio(field: np.ndarray) -> np.ndarray:
    """Determinant of the Jacobian of x -> x + field(x); not positive where the skin folds over itself."""
    (xy, xx), (yy, yx) = np.gradient(field[..., 0]), np.gradient(field[..., 1])
    return (1 + xx) * (1 + yy) - xy * yx


def yunet(shared: Path, picture: np.ndarray) -> np.ndarray:
    """Return five detected points: the person's right and left eye, nose tip, right and left mouth corner."""
    detector = cv2.FaceDetectorYN.create(
        str(shared / "models" / "yunet_n_640_640.onnx"), "", picture.shape[1::-1]
    )
    _, faces = detector.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert faces is not None and len(faces) == 1
    return faces[0, 4:14].reshape(5, 2)


def test_measured_landmarks_agree_with_a_detector(shared: Path) -> None:
    found = yunet(shared, skimage.data.astronaut())
    eyes = [
        np.mean(
            [portrait.PAIRS[name][i] for name in ("inner eye", "outer eye", "upper lid", "lower lid")], axis=0
        )
        for i in (0, 1)
    ]
    mouth = portrait.PAIRS["lip corner"]
    np.testing.assert_allclose(found, [*eyes, portrait.MIDLINE["nose tip"], *mouth], atol=3.5)


def test_stills_have_landmarks_where_the_geometry_says(shared: Path) -> None:
    view = View(480, 640, 250.0, (320.0, 206.0))
    misses = []
    for seed in range(6):
        person = make_person(np.random.default_rng(seed))
        found = (yunet(shared, render_still(person, view)) - view.origin) / view.face_px
        face = person.geometry
        eyes = [
            (np.array(face.at("inner eye", side)) + face.at("outer eye", side)) / 2
            for side in ("right", "left")
        ]
        expected = [*eyes, face.at("nose tip"), face.at("lip corner", "right"), face.at("lip corner", "left")]
        misses.append(found - expected)
    assert np.abs(misses).max() < 0.09  # face widths; the detector itself errs by about 0.03
    assert np.abs(np.mean(misses, axis=0)).max() < 0.045


def test_haar_finds_everybody() -> None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
    for seed in range(6):
        picture = render_still(
            make_person(np.random.default_rng(seed)), View(240, 320, 125.0, (160.0, 103.0))
        )
        assert len(cascade.detectMultiScale(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 1.1, 3)) >= 1


def test_people_differ() -> None:
    view = crop_view(68, 56)
    pictures = [
        render_still(make_person(np.random.default_rng(seed)), view).astype(float) for seed in range(8)
    ]
    again = render_still(make_person(np.random.default_rng(0)), view)
    np.testing.assert_array_equal(again, pictures[0])
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 6


def test_mirrored_person_is_the_mirror_image() -> None:
    """On an exactly symmetric face without texture or side light, only the portrait is asymmetric."""
    plain = dataclasses.replace(
        make_person(np.random.default_rng(0)),
        geometry=average_face(),
        mirrored=False,
        pores=0.0,
        stubble=0.0,
        freckles=0,
        light=(0.0, 0.4, 0.0),
    )
    view = crop_view(136, 113)
    picture, mirrored = (
        render_still(dataclasses.replace(plain, mirrored=which), view)[:100].astype(float)
        for which in (False, True)
    )
    same, flipped = (np.abs(picture - other)[:, 20:93].mean() for other in (mirrored, mirrored[:, ::-1]))
    assert flipped < 0.4 * same


def quiet_recording(activations: tuple[Activation, ...], frames: int = 21) -> Recording:
    """Somebody moving in perfect light before a perfect camera: rest at frame 0, apex at 10, rest at 20."""
    person = dataclasses.replace(make_person(np.random.default_rng(3)), pores=0.04)
    scene = RecordingConditions(
        View(240, 320, 125.0, (160.0, 103.0)), drift=0.0, blinks=(), gain=1.0, flicker=0.0, noise=0.0, seed=0
    )
    return Recording(person, (Episode(activations, Timing(0.0, 0.05, 0.1)),), scene, SMALL, frames)


@pytest.mark.parametrize(
    ("unit", "landmark"), [(12, "lip corner"), (1, "inner brow"), (15, "lip corner"), (4, "inner brow")]
)
def test_rendered_face_moves_as_the_field_says(unit: int, landmark: str) -> None:
    """An independent optical-flow estimator finds the displacement and its direction."""
    recording = quiet_recording(both_sides(unit, 2.5))
    rest, *_, apex = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in render(recording, range(11))]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(rest, apex, None)
    view = recording.conditions.view
    true = displacement(recording.person.geometry, recording.episodes[0].activations, view)
    for side in SIDES:
        x, y = np.round(view.to_pixels(np.array([recording.person.geometry.at(landmark, side)]))[0]).astype(
            int
        )
        window = np.s_[y - 6 : y + 7, x - 6 : x + 7]
        found, expected = flow[window].mean(axis=(0, 1)), true[window].mean(axis=(0, 1))
        assert found @ expected > 0.9 * np.hypot(*found) * np.hypot(*expected)
        assert 0.5 < np.hypot(*found) / np.hypot(*expected) < 1.5


def test_motion_is_the_field_at_its_intensity() -> None:
    recording = quiet_recording(both_sides(12, 2.0))
    true = (
        displacement(
            recording.person.geometry,
            recording.episodes[0].activations,
            recording.conditions.view.coarser(GRID_STEP),
        )
        * GRID_STEP
    )
    fields = dict(motion_fields(recording))
    np.testing.assert_allclose(fields[10], true, atol=1e-4)
    np.testing.assert_allclose(fields[5], true / 2, atol=1e-4)
    assert list(dict(motion_fields(recording, range(3, 5)))) == [3, 4]


def test_motion_adds_the_head_drift() -> None:
    recording = quiet_recording(())
    recording = dataclasses.replace(
        recording, conditions=dataclasses.replace(recording.conditions, drift=0.05, seed=9)
    )
    view = recording.conditions.view.coarser(GRID_STEP)
    path = head_drift(np.random.default_rng([9, 1]), recording.times, 0.05)
    fields = dict(motion_fields(recording))
    assert np.abs(fields[0]).max() == 0
    np.testing.assert_allclose(fields[20], head_displacement(path[20], view) * GRID_STEP, atol=1e-3)
    assert np.abs(fields[20]).max() > 0.3


def test_blink_leaves_no_room_for_other_movement_of_the_lids() -> None:
    """Lids tighten at full strength while the eye closes: only the blink remains, and no skin folds."""
    recording = quiet_recording(both_sides(7, 2.5))
    blinking = dataclasses.replace(
        recording,
        conditions=dataclasses.replace(recording.conditions, blinks=(recording.episodes[0].timing,)),
    )
    view, face = recording.conditions.view.coarser(GRID_STEP), recording.person.geometry
    fields = [field / GRID_STEP for _, field in motion_fields(blinking)]
    assert min(area_ratio(field).min() for field in fields) > 0.05
    blink = displacement(face, both_sides(45, BLINK_PX), view)
    for landmark in ("upper lid", "lower lid"):
        found, alone = (at(field, view, face.at(landmark, "left")) * 112 for field in (fields[10], blink))
        np.testing.assert_allclose(found, alone, atol=0.1)


def test_episodes_add_up_and_leave_nothing_behind() -> None:
    """A smile at frames 0 to 20 and a frown at 10 to 30: each alone at the other's rest, then rest."""
    smile, frown = both_sides(12, 2.0), both_sides(4, 1.5)
    recording = quiet_recording(smile, frames=35)
    recording = dataclasses.replace(
        recording, episodes=(*recording.episodes, Episode(frown, Timing(0.05, 0.1, 0.15)))
    )
    view = recording.conditions.view.coarser(GRID_STEP)
    smiling, frowning = (
        displacement(recording.person.geometry, units, view) * GRID_STEP for units in (smile, frown)
    )
    fields = dict(motion_fields(recording))
    np.testing.assert_allclose(fields[10], smiling, atol=1e-4)
    np.testing.assert_allclose(fields[15], (smiling + frowning) / 2, atol=1e-4)
    np.testing.assert_allclose(fields[20], frowning, atol=1e-4)
    assert np.abs(fields[34]).max() == 0


def test_long_scene_rests_between_its_labelled_expressions() -> None:
    shown = [("micro", "surprise"), ("macro", "happiness"), ("micro", NO_EMOTION), ("macro", "disgust")]
    camera = dataclasses.replace(SMALL, fps=50.0)
    scene = make_long_scene(3, 2, 1, shown, camera)
    assert [(one.kind, one.emotion) for one in scene.expressions] == shown
    levels = np.array(
        [episode.timing.intensity(scene.recording.times) for episode in scene.recording.episodes]
    )
    rest = 1
    for one, level in zip(scene.expressions, levels, strict=True):
        assert (
            rest + 24 <= one.onset < one.apex < one.offset <= scene.recording.frames - 24
        )  # half a second of rest at least
        assert np.flatnonzero(level > 1e-9).tolist() == list(
            range(one.onset, one.offset - 1)
        )  # from 0: the onset itself is at rest
        assert level.argmax() == one.apex - 1
        low, high = (0.5, 4.0) if one.kind == "macro" else (0.08, 0.5)
        assert low - 0.01 <= (one.offset - one.onset) / 50 <= high + 0.01
        assert (one.action_units == "") == (one.emotion == NO_EMOTION)
        rest = one.offset
    view = scene.recording.conditions.view
    peaks = [
        np.hypot(
            *np.moveaxis(displacement(scene.recording.person.geometry, e.activations, view), -1, 0)
        ).max()
        for e in scene.recording.episodes
    ]
    px = np.array(peaks) * 112 / view.face_px
    assert px[2] == 0 and 0.45 < px[0] < 2.6 < px[1] and px[3] > 2.6


def test_long_scenes_have_equal_shares_of_kinds_and_emotions() -> None:
    mix = EmotionMix(("happiness", "disgust", "others"), {"surprise": 1.0})
    plan = DatabasePlan(5, 5, 1, SMALL, mix)
    scenes = plan_long_scenes(plan, per_video=2)
    assert [(scene.person, scene.number) for scene in scenes] == [
        (p, n) for p in range(1, 6) for n in (1, 2, 3)
    ]
    orders = set()
    for person in range(1, 6):
        own = [scene for scene in scenes if scene.person == person]
        assert [len(scene.expressions) for scene in own] == [2, 2, 1]
        shown = [one for scene in own for one in scene.expressions]
        emotions = sorted(one.emotion for one in shown)
        assert emotions == ["disgust", "happiness", "others", "surprise", "surprise"]
        kinds = tuple(one.kind for one in shown)
        assert sorted(kinds) == ["macro", "macro", "micro", "micro", "micro"]
        orders.add(kinds)
    assert len(orders) > 1
    assert scenes == plan_long_scenes(plan, per_video=2)


def test_head_stays_in_the_image_in_a_long_recording() -> None:
    """In half a minute the head moves no further than in three seconds of a short clip, but for the sway."""
    for seed in range(5):
        scene = draw_conditions(SMALL, 30.0, np.random.default_rng(seed))
        path = head_drift(np.random.default_rng([seed, 1]), np.arange(0, 30, 0.2), scene.drift)
        assert max(abs(pose.right) for pose in path) < 0.006 * 3 * 3.5
        assert max(abs(pose.roll_deg) for pose in path) < 0.006 * 40 * 3 * 3.5


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'micro'"):
        make_long_scene(1, 1, 1, [("mikro", "happiness")], SMALL)


def test_quiet_face_at_rest_does_not_change() -> None:
    frames = list(render(quiet_recording(both_sides(12, 2.5), frames=24)))
    np.testing.assert_array_equal(frames[0], frames[20])
    np.testing.assert_array_equal(frames[0], frames[23])
    assert np.abs(frames[0].astype(int) - frames[10]).max() > 20


def test_blink_closes_the_eyes() -> None:
    """Half way through, the dark pupil is covered by skin."""
    recording = quiet_recording(())
    blinking = dataclasses.replace(
        recording, conditions=dataclasses.replace(recording.conditions, blinks=(Timing(0.0, 0.05, 0.1),))
    )
    open_eye, closed = list(render(blinking, range(0, 11, 10)))
    view, face = recording.conditions.view, recording.person.geometry
    for side in SIDES:
        (x, top), (_, low) = (
            view.to_pixels(np.array([face.at(name, side)]))[0] for name in ("upper lid", "lower lid")
        )
        rows = np.s_[round(top) : round(top + 0.55 * (low - top)), round(x) - 3 : round(x) + 4]
        assert closed[rows].mean() > open_eye[rows].mean() + 15


def test_same_seed_same_frames_in_any_order() -> None:
    scene = make_scene(4, 2, 3, "surprise", SMALL)
    whole = list(render(scene.recording))
    again = list(render(make_scene(4, 2, 3, "surprise", SMALL).recording, range(10, 13)))
    np.testing.assert_array_equal(again, whole[10:13])
    other = next(iter(render(make_scene(5, 2, 3, "surprise", SMALL).recording)))
    assert np.abs(other.astype(int) - whole[0]).mean() > 3


def test_nothing_before_the_onset_knows_the_emotion() -> None:
    """Clips that differ only in the emotion have the same bytes up to and including the onset frame."""
    clips = {emotion: make_scene(7, 1, 2, emotion, SMALL) for emotion in MAIN_EMOTIONS}
    onset = clips["others"].onset
    assert (
        len({(scene.onset, scene.apex, scene.offset, scene.recording.frames) for scene in clips.values()})
        == 1
    )
    first = [np.stack(list(render(scene.recording, range(onset)))) for scene in clips.values()]
    for other in first[1:]:
        np.testing.assert_array_equal(other, first[0])
    apexes = [
        next(iter(render(scene.recording, range(scene.apex - 1, scene.apex)))) for scene in clips.values()
    ]
    assert all(np.abs(apex.astype(int) - apexes[0]).max() > 10 for apex in apexes[1:])


def test_registered_crop_has_the_eyes_in_their_place() -> None:
    scene = make_scene(1, 1, 1, "happiness", SMALL)
    crop = crop_view(136, 112)
    frame = next(iter(render(scene.recording, range(1))))
    registered = register(frame, scene.recording.conditions.view, crop)
    direct = render_still(scene.recording.person, crop)
    assert np.corrcoef(registered.ravel(), direct.ravel())[0, 1] > 0.97


def test_scenes_are_balanced_and_annotated_truly() -> None:
    scenes = plan_scenes(DatabasePlan(10, 8, 0, SMALL))
    assert [(scene.person, scene.number) for scene in scenes] == [
        (p, n) for p in range(1, 11) for n in range(1, 9)
    ]
    for person in range(1, 11):
        assert set(MAIN_EMOTIONS) <= {scene.emotion for scene in scenes if scene.person == person}
    assert {"sadness", "fear"} & {scene.emotion for scene in scenes}
    for scene in scenes:
        assert 1 < scene.onset < scene.apex < scene.offset < scene.recording.frames
        level = scene.recording.episodes[0].timing.intensity(scene.recording.times)
        assert level[scene.onset - 1] == 0 < level[scene.onset] and level.argmax() == scene.apex - 1
        assert 0.04 <= (scene.offset - scene.onset) / 200 <= 0.5
    looks = {scene.recording.person.seed for scene in scenes}
    assert len(looks) == 10


def test_script_follows_the_repertoire() -> None:
    scenes = plan_scenes(DatabasePlan(6, 4, 2, SMALL, EmotionMix(("tense", "anger"), {"contempt": 1.0})))
    for person in range(1, 7):
        assert sorted(scene.emotion for scene in scenes if scene.person == person) == [
            "anger",
            "contempt",
            "contempt",
            "tense",
        ]


def test_without_emotion_only_head_lids_and_light_move() -> None:
    """The same clip with and without an expression differs by the expression alone."""
    calm, moved = (make_scene(7, 1, 2, emotion, SMALL) for emotion in (NO_EMOTION, "surprise"))
    assert calm.recording.conditions == moved.recording.conditions and (calm.onset, calm.offset) == (
        moved.onset,
        moved.offset,
    )
    assert calm.action_units == ""
    still = dataclasses.replace(moved.recording, episodes=())
    for frame, same in zip(render(calm.recording), render(still), strict=True):
        np.testing.assert_array_equal(frame, same)


@pytest.mark.parametrize("size", [(0, 6, 0), (3, 0, 0), (3, 6, -1)])
def test_impossible_plan_is_refused(size: tuple[int, int, int]) -> None:
    with pytest.raises(LearnetError, match="at least one person"):
        DatabasePlan(*size, SMALL)


def test_centred_keeps_the_expression() -> None:
    scene = make_scene(1, 1, 1, "others", SMALL)
    moved = centre_expression(scene, 200)
    assert moved.recording.frames == 200 and moved.offset - moved.onset == scene.offset - scene.onset
    assert abs((moved.onset - 1) - (200 - moved.offset)) <= 1
    level = moved.recording.episodes[0].timing.intensity(moved.recording.times)
    assert level.argmax() == moved.apex - 1
    with pytest.raises(LearnetError, match="cannot hold"):
        centre_expression(scene, 10)
