"""Head motion in videos whose motion is known, with expressions, changing light, noise and occlusion."""

import cv2
import numpy as np
import pytest

from learnet.face import head
from learnet.face.geometry import transform_points
from learnet.face.head import head_motion, head_shift
from tests.builders.moving_face import (
    MOUTH_CORNER,
    PUPILS,
    RIGID,
    SIZE,
    ZOOM,
    Bump,
    frame,
    moved,
    placed,
    turned,
)

EYES = placed(PUPILS)
APART = np.linalg.norm(EYES[1] - EYES[0])
CROP = 0.36 * 112 / APART  # pixels of a 112-pixel crop per pixel of the frame
STILL = np.eye(2, 3)
MOTIONS = [
    STILL,
    turned(0.5, 1.0, (1.2, -0.7)),
    turned(1.5, 1.01, (4.0, 2.0)),
    turned(3.0, 1.02, (9.5, -5.0)),
]


def error_px(transform: np.ndarray, true: np.ndarray, points: np.ndarray = RIGID) -> float:
    """Return the error of a transform at rigid points, in pixels of a 112-pixel crop."""
    in_frame = placed(points)
    errors = transform_points(transform, in_frame) - transform_points(true, in_frame)
    return float(np.linalg.norm(errors, axis=1).max() * CROP)


def bump(centre: np.ndarray, crop_px: tuple[float, float], radius: float = 0.2) -> Bump:
    """Return an expression: radius in distances of the eyes, shift in pixels of a 112-pixel crop."""
    return Bump(placed(centre), radius * APART, np.array(crop_px) / CROP)


@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_a_known_motion_is_found_to_a_twentieth_of_a_pixel(noise: float) -> None:
    film = np.stack([frame(motion, noise=noise, seed=number) for number, motion in enumerate(MOTIONS)])
    motion = head_motion(film, EYES, 0)
    np.testing.assert_array_equal(motion.transforms[0], STILL)
    for transform, true in zip(motion.transforms, MOTIONS, strict=True):
        assert error_px(transform, true) < 0.05
        assert (
            error_px(transform, true, np.array([[225.0, 178.5]])) < 0.12
        )  # the chin, far from all that is looked at
    assert motion.correlation.min() > 0.97
    assert np.abs(motion.rotations_deg).max() < 2  # nothing turned out of the plane
    true_shift = max(np.linalg.norm(moved(MOTIONS[3], None, EYES) - EYES, axis=1)) / APART
    assert (
        head_shift(motion, EYES)[3] == pytest.approx(true_shift, rel=0.3)
        and head_shift(motion, EYES)[0] < 1e-9
    )


def test_one_coarse_pass_is_good_enough_to_say_how_far() -> None:
    film = np.stack([frame(motion) for motion in MOTIONS])
    moves = head_motion(film, EYES, 0, fine=False).transforms
    assert max(error_px(transform, true) for transform, true in zip(moves, MOTIONS, strict=True)) < 0.2


def test_the_anchor_may_be_any_frame() -> None:
    """Forwards and backwards: the transforms are relative to the anchor frame."""
    film = np.stack([frame(motion) for motion in MOTIONS])
    eyes = transform_points(MOTIONS[2], EYES)
    moves = head_motion(film, eyes, 2).transforms
    for transform, true in zip(moves, MOTIONS, strict=True):
        points = placed(RIGID)
        expected = transform_points(true, points)
        predicted = transform_points(transform, transform_points(MOTIONS[2], points))
        assert np.linalg.norm(predicted - expected, axis=1).max() * CROP < 0.05


EXPRESSIONS = {
    "lip corner up": (MOUTH_CORNER, (0.8, -1.2), 0.2, 0.05),
    "jaw down": (np.array([225.0, 165.0]), (0.0, 2.0), 0.35, 0.05),
    "brow up": (np.array([201.0, 88.7]), (0.0, -1.5), 0.2, 0.2),
    "brow together": (np.array([213.0, 92.3]), (0.8, 0.8), 0.2, 0.2),
    "lid down": (np.array([202.3, 98.0]), (0.0, 3.0), 0.1, 0.15),
    "cheek up": (np.array([200.0, 122.0]), (0.0, -1.5), 0.2, 0.15),
    "nose wing up": (np.array([235.6, 126.0]), (0.0, -1.5), 0.12, 0.3),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_does_not_pass_for_head_motion(name: str) -> None:
    centre, shift, radius, allowed = EXPRESSIONS[name]
    film = np.stack(
        [
            frame(motion, bump(centre, shift, radius) if n else None, 2.0, n)
            for n, motion in enumerate(MOTIONS[:3])
        ]
    )
    transform = head_motion(film, EYES, 0).transforms[2]
    still = RIGID[np.linalg.norm(placed(RIGID) - placed(centre), axis=1) > 2 * radius * APART]
    assert error_px(transform, MOTIONS[2], still) < allowed


def test_light_is_not_motion() -> None:
    """Light from one side increases, and the whole picture flickers."""
    ramp = np.linspace(0.75, 1.1, SIZE[0])[None, :, None]
    film = np.stack(
        [
            frame(STILL),
            np.clip(frame(MOTIONS[1]) * ramp, 0, 255).astype(np.uint8),
            (frame(MOTIONS[2]) * 0.8).astype(np.uint8),
        ]
    )
    motion = head_motion(film, EYES, 0)
    assert (
        max(error_px(transform, true) for transform, true in zip(motion.transforms, MOTIONS[:3], strict=True))
        < 0.1
    )
    assert motion.correlation.min() > 0.95


def test_a_still_background_does_not_hold_the_head_back(rng: np.random.Generator) -> None:
    """A narrow face in front of a coarse texture moves by half a pixel of the crop."""
    wall = np.kron(rng.integers(0, 256, (50, 60, 1), dtype=np.uint8), np.ones((8, 8, 3), np.uint8))
    step = turned(0, 1, (1.0, 0.5))
    columns = np.arange(SIZE[0])
    film = []
    for motion in (STILL, step):
        middle = moved(motion, None, EYES).mean(axis=0)[0]
        film.append(np.where((np.abs(columns - middle) < 0.9 * APART)[None, :, None], frame(motion), wall))
    assert error_px(head_motion(np.stack(film), EYES, 0).transforms[1], step) < 0.1


def test_small_faces_too() -> None:
    """Eyes 22 pixels apart: the crop is larger than the face in the video."""
    small = [np.ascontiguousarray(frame(motion)[::4, ::4]) for motion in (STILL, turned(0, 1, (4.0, -2.0)))]
    transform = head_motion(np.stack(small), EYES / 4, 0).transforms[1]
    np.testing.assert_allclose(
        transform[:, 2] + (transform[:, :2] - np.eye(2)) @ EYES.mean(axis=0) / 4, [1.0, -0.5], atol=0.06
    )


def test_a_finger_on_the_face_is_left_out(rng: np.random.Generator) -> None:
    """A seventh of the rigid regions is occluded while the head moves."""
    film = [frame(STILL), frame(MOTIONS[1])]
    x, y = (EYES.mean(axis=0) + [-0.7 * APART, -1.2 * APART]).astype(int)
    film[1][y : y + 60, x : x + 36] = cv2.resize(rng.integers(0, 256, (10, 6, 3), dtype=np.uint8), (36, 60))
    assert error_px(head_motion(np.stack(film), EYES, 0).transforms[1], MOTIONS[1]) < 0.1


@pytest.mark.parametrize("frame_px", [2, 6, 12, 20])
def test_fast_motion_is_followed(frame_px: float) -> None:
    """Large motion from one frame to the next; the eyes are 87 pixels apart.

    A head that turns quickly at 24 frames per second moves by 15 pixels.
    """
    true = turned(0, 1, (frame_px, frame_px / 2))
    assert error_px(head_motion(np.stack([frame(STILL), frame(true)]), EYES, 0).transforms[1], true) < 0.05


def test_what_cannot_be_followed_agrees_little(rng: np.random.Generator) -> None:
    """A large jump, a hand over the face, another picture, no texture: all have a low correlation."""
    hand = frame(STILL)
    x, y = EYES.mean(axis=0).astype(int)
    hand[y - 30 : y + 60, x - 60 : x + 30] = rng.integers(0, 256, (90, 90, 3), dtype=np.uint8)
    noise = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    film = np.stack(
        [
            frame(STILL),
            frame(turned(0, 1, (150.0, 0.0))),
            frame(STILL),
            hand,
            frame(STILL),
            noise,
            np.full_like(noise, 90),
        ]
    )
    motion = head_motion(film, EYES, 0)
    assert (motion.correlation[[1, 3, 5, 6]] < 0.85).all()
    assert np.isfinite(motion.transforms).all()
    assert (motion.correlation[[2, 4]] > 0.97).all()  # and it is followed again as soon as it can be
    assert max(error_px(motion.transforms[number], STILL) for number in (2, 4)) < 0.05
    flat = head_motion(np.full((3, 60, 80, 3), 90, np.uint8), np.array([[30.0, 25], [50, 25]]), 0)
    assert (np.abs(flat.correlation[1:]) < 1e-6).all() and np.isfinite(flat.transforms).all()


@pytest.mark.parametrize(
    "wild", [np.eye(2, 3) * 3.0, np.eye(2, 3) * np.nan, np.array([[1.0, 0, 0.9], [0, 1, 0]])]
)
def test_a_fit_that_goes_astray_is_dropped(wild: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times the size, NaN, or a jump of 0.9 eye distances: the pose of the frame before is repeated."""
    fit, calls = head._RigidTemplate.fit, []

    def astray(self: head._RigidTemplate, grey: np.ndarray, start: head._Pose) -> head._Pose:
        calls.append(1)
        return head._Pose(wild, start.rotation) if len(calls) == 2 else fit(self, grey, start)

    monkeypatch.setattr(head._RigidTemplate, "fit", astray)
    film = np.stack([frame(motion) for motion in (STILL, MOTIONS[1], MOTIONS[1], MOTIONS[2])])
    motion = head_motion(film, EYES, 0, fine=False)
    assert motion.correlation[2] == 0 and (motion.correlation[[1, 3]] > 0.97).all()
    np.testing.assert_array_equal(motion.transforms[2], motion.transforms[1])
    assert error_px(motion.transforms[3], MOTIONS[2]) < 0.2


def test_a_turn_to_the_side_is_seen_as_one() -> None:
    """The nose tip moves before the eyes, as when the head turns; a similarity alone would follow it."""
    tip = np.array([224.3, 124.0])
    film = np.stack([frame(STILL), frame(STILL, bump(tip, (2.0, 0.0), 0.22))])
    motion = head_motion(film, EYES, 0)
    assert motion.rotations_deg[1, 0] > 2.0 > abs(motion.rotations_deg[1, 1])
    assert error_px(motion.transforms[1], STILL, PUPILS) < 0.5


def test_the_rigid_parts_are_clear_of_the_expression() -> None:
    """In the portrait, no brow, lid, lip or chin is in a rigid region; nose and inner eye corners are."""
    axis = (EYES[1] - EYES[0]) / APART
    turn = np.array([axis, [-axis[1], axis[0]]]) / APART
    moving = [
        (201, 88.7),
        (190.5, 91),
        (213, 92.3),
        (250, 92),
        (202.3, 96.8),
        (202.3, 104.9),
        MOUTH_CORNER,
        (203.8, 140.3),
        (225, 165),
    ]
    rigid = [(225, 103), (213.0, 103.2), (236.5, 104.2), (224.3, 120), (205, 64), (245, 64)]
    for points, expected in ((moving, 0.0), (rigid, 1.0)):
        x, y = turn @ (placed(np.array(points)) - EYES.mean(axis=0)).T
        assert (head._rigid_weight(x[None], y[None]) == expected).all(), (x, y)
    assert ZOOM == 2.0
