"""Alignment of faces in videos whose motion is known, and in a real video of a freely moving head."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet.core.errors import LearnetError, NoFace, TooFewFrames
from learnet.face import Face, align, eye_transform, face_finder
from learnet.face.model import MODEL_NAME
from learnet.motion import MOTION_IMAGES
from learnet.motion.active import active_weights
from learnet.motion.dynamic import rank_weights
from learnet.video.reader import read_frames
from tests.builders.moving_face import MOUTH_CORNER, PUPILS, RIGID, Bump, frame, moved, placed, turned

EYES = placed(PUPILS)
STILL = np.eye(2, 3)


class Known:
    """A face finder with given eyes that detects no face in the first `blind` frames."""

    kind = "yunet"

    def __init__(self, eyes: np.ndarray = EYES, blind: int = 0) -> None:
        (left, right), self.blind, self.looks = eyes.tolist(), blind, 0
        self.face = Face(
            (left[0] - 50.0, left[1] - 60.0, 180.0, 230.0), (tuple(left), tuple(right)), 0.9, "yunet"
        )

    def __call__(self, frame: np.ndarray) -> Face | None:
        self.looks += 1
        return None if self.looks <= self.blind else self.face


def through(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ transform[:, :2].T + transform[:, 2]


# ---- transform


@pytest.mark.parametrize("size", [28, 112, 224])
@pytest.mark.parametrize(
    "eyes", [((100.0, 120.0), (160.0, 120.0)), ((300.5, 90.0), (341.0, 112.0)), ((40.0, 60.0), (70.0, 44.0))]
)
def test_the_eyes_are_mapped_to_their_positions_by_a_similarity(eyes: tuple, size: int) -> None:
    """Eyes at 0.32 and 0.68 of the width and 0.27 of the height; the transform is a similarity."""
    transform = eye_transform(Face((0.0, 0.0, 1.0, 1.0), eyes, 1.0, "yunet"), size)
    expected = np.array([[0.32, 0.27], [0.68, 0.27]]) * size - 0.5
    np.testing.assert_allclose(through(transform, np.array(eyes)), expected, atol=1e-9)
    linear, scale = transform[:, :2], 0.36 * size / np.hypot(eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1])
    np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-12)
    assert np.linalg.det(linear) > 0  # no mirror


def test_brow_and_chin_are_inside_the_crop() -> None:
    """Brows, chin, both cheeks and the mouth are inside; hair and collar are mostly outside."""
    transform = eye_transform(
        Face((0.0, 0.0, 1.0, 1.0), tuple(map(tuple, PUPILS.tolist())), 1.0, "yunet"), 112
    )
    inside = through(
        transform, np.array([(201, 85), (250, 89), (225, 178.5), (183, 140), (267, 140), (225, 145)])
    )
    assert (inside > 2).all() and (inside < 109).all()
    outside = through(transform, np.array([(225, 40), (225, 195), (160, 110), (290, 110)]))
    assert ((outside < 0) | (outside > 111)).any(axis=1).all()


# ---- videos with known motion


def test_one_transform_per_clip_and_no_more_than_the_warp() -> None:
    """Without stabilisation, one transform is used: movements are equal in the video and in the crops."""
    film = np.stack([frame(turned(0, 1, (0.2 * t, 0.0))) for t in range(6)])
    finder = Known()
    aligned = align(film, finder, 112)
    assert finder.looks == 1 and aligned.face_frame == 0 and aligned.face == finder.face
    assert aligned.crops(film).shape == (6, 112, 112, 3) and aligned.crops(film).dtype == np.uint8
    assert (aligned.transforms == aligned.transforms[0]).all()
    assert aligned.warnings == () and aligned.drift_px == pytest.approx(1.0 * 0.36 * 112 / 86.6, abs=0.05)
    first, last = (
        cv2.GaussianBlur(crop.astype(float).mean(axis=2), (0, 0), 1.5) for crop in aligned.crops(film)[[0, 5]]
    )
    slope = np.gradient((first + last) / 2)[
        1
    ]  # least squares: the shift along the gradients that explains the difference
    shift = -((last - first) * slope)[8:-8, 8:-8].sum() / (slope**2)[8:-8, 8:-8].sum()
    assert shift == pytest.approx(0.465, abs=0.03)


def test_stabilise_removes_head_motion_and_keeps_the_expression() -> None:
    """A head drifts, rolls and approaches, while one corner of the mouth rises by 1.5 pixels of the crop."""
    px = 1 / (0.36 * 112 / np.linalg.norm(EYES[1] - EYES[0]))  # a pixel of the crop, in pixels of the frame
    motions = [turned(0.5 * t, 1 + 0.003 * t, (1.7 * t, -0.9 * t)) for t in range(7)]
    bumps = [Bump(placed(MOUTH_CORNER), 0.22 * 86.6, np.array([0.7, -1.33]) * px * t / 6) for t in range(7)]
    film = np.stack(
        [frame(motion, bump, 1.5, t) for t, (motion, bump) in enumerate(zip(motions, bumps, strict=True))]
    )
    aligned = align(film, Known(), 112, stabilise=True)
    assert aligned.warnings == () and aligned.drift_px > 4

    rigid, corner = placed(RIGID), placed(MOUTH_CORNER[None])
    for transform, motion, bump in zip(
        aligned.transforms, motions, bumps, strict=True
    ):  # where the known points are in the crops
        left = through(transform, moved(motion, bump, rigid)) - through(aligned.transforms[0], rigid)
        assert np.linalg.norm(left, axis=1).max() < 0.1
        kept = through(transform, moved(motion, bump, corner)) - through(aligned.transforms[0], corner)
        np.testing.assert_allclose(kept[0], bump.shift / px, atol=0.1)

    first, last = (
        crop.astype(np.float32).mean(axis=2) for crop in aligned.crops(film)[[0, 6]]
    )  # and what the pixels themselves show
    places = np.concatenate(
        [through(aligned.transforms[0], points) for points in (rigid[:3], corner)]
    ).astype(np.float32)[:, None]
    tracked, status, _ = cv2.calcOpticalFlowPyrLK(
        first.astype(np.uint8), last.astype(np.uint8), places, None, winSize=(11, 11), maxLevel=1
    )
    moved_px = (tracked - places)[:, 0]
    assert status.all() and np.linalg.norm(moved_px[:3], axis=1).max() < 0.3
    assert moved_px[3] @ [0.7, -1.33] / 1.5 > 0.8 * 1.5


def test_without_stabilise_a_moving_head_is_reported() -> None:
    film = np.stack([frame(turned(0, 1, (1.2 * t, 0.5 * t))) for t in range(6)])
    aligned = align(film, Known(), 112)
    expected_px = np.hypot(6, 2.5) * 0.36 * 112 / 86.6
    assert aligned.drift_px == pytest.approx(expected_px, abs=0.15)
    assert len(aligned.warnings) == 1 and f"moves by {aligned.drift_px:.1f} pixels" in aligned.warnings[0]
    jump = np.concatenate([film[:3], np.roll(film[3:], 150, axis=2)])
    lost = align(jump, Known(), 112)
    assert lost.drift_px is None and "cannot be measured" in lost.warnings[0]


def test_stabilise_warns_where_the_head_cannot_be_followed() -> None:
    film = np.stack([frame(STILL), frame(STILL), np.roll(frame(STILL), 150, axis=1), frame(STILL)])
    aligned = align(film, Known(), 112, stabilise=True)
    assert (
        len(aligned.warnings) == 1
        and "the head turns too fast" in aligned.warnings[0]
        and "from frame 2" in aligned.warnings[0]
    )
    assert align(film[:2], Known(), 112, stabilise=True).warnings == ()


def test_the_face_is_taken_from_the_first_frame_that_shows_one() -> None:
    film = np.stack([frame(turned(0, 1, (2.0 * t, 0.0))) for t in range(8)])
    aligned = align(film, Known(moved(turned(0, 1, (6.0, 0.0)), None, EYES), blind=3), 112, stabilise=True)
    assert aligned.face_frame == 3 and "found in frame 3" in aligned.warnings[0]
    assert (
        "found in frame 43" in aligned.warnings_for(range(40, 48))[0]
    )  # where the reader's count starts at 40
    first = through(
        aligned.transforms[0], moved(turned(0, 1, (0.0, 0.0)), None, EYES)
    )  # backwards from the anchor
    np.testing.assert_allclose(first, np.array([[0.32, 0.27], [0.68, 0.27]]) * 112 - 0.5, atol=0.1)


def test_a_long_clip_is_searched_to_its_end_but_not_frame_by_frame() -> None:
    finder = Known(blind=10**6)
    with pytest.raises(NoFace, match="30 frames searched"):
        align(np.zeros((400, 20, 30, 3), np.uint8), finder)
    assert finder.looks == 30
    with pytest.raises(NoFace, match="the 1 frame searched"):
        align(np.zeros((1, 20, 30, 3), np.uint8), Known(blind=9))
    blind_finder = Known(blind=29)
    assert align(np.zeros((400, 200, 300, 3), np.uint8), blind_finder).face_frame == 399


def test_a_face_at_the_edge_is_reported() -> None:
    cut = np.stack([frame(STILL)[:, 150:]] * 2)
    aligned = align(cut, Known(EYES - [150, 0]), 112)
    back = np.linalg.inv(np.vstack([aligned.transforms[0], [0, 0, 1]]))[:2]
    expected_share = (
        through(back, np.argwhere(np.ones((112, 112)))[:, ::-1])[:, 0] < -0.5
    ).mean()  # counted pixel by pixel
    message = re.match(r"(\d+)% of the face crop lies outside the picture", aligned.warnings[0])
    assert 0.1 < expected_share < 0.5 and int(message[1]) / 100 == pytest.approx(expected_share, abs=0.03)
    assert align(np.stack([frame(STILL)] * 2), Known(), 112).warnings == ()


def test_small_faces_and_unseen_eyes_are_reported() -> None:
    finder = Known()
    finder.face = Face((100.0, 100.0, 41.4, 50.0), ((110.0, 120.0), (130.0, 120.0)), 0.6, "haar")
    warnings = align(np.stack([frame(STILL)] * 2), finder, 112).warnings
    assert "only 41 pixels wide" in warnings[0] and "one eye was not seen" in warnings[1]


@pytest.mark.parametrize("motion", [name for name, kind in MOTION_IMAGES.items() if kind.fixed_weights])
def test_the_crop_of_a_sum_is_the_sum_of_the_crops(motion: str, rng: np.random.Generator) -> None:
    """The sum of weight times crop, in floats, equals one crop of the summed frames."""
    film = np.stack([frame(turned(0.3 * t, 1, (0.7 * t, -0.4 * t))) for t in range(9)])
    film = np.clip(film + rng.normal(0, 4, film.shape), 0, 255).astype(np.uint8)
    weights = active_weights(9) if motion == "active" else rank_weights(9, motion)
    for finder, size in ((Known(), 112), (Known(), 47), (None, 112), (None, 300)):
        aligned = align(film, finder, size)
        expected = np.tensordot(weights, aligned.crops(film.astype(np.float64)), axes=1)
        if motion == "active":
            expected[:] = expected @ np.array([[0.299], [0.587], [0.114]])  # grey (ITU-R BT.601)
        result = aligned.crop_of_sum(film, lambda part: MOTION_IMAGES[motion].compute(part, None))
        np.testing.assert_allclose(result, expected, atol=1e-3)  # of some hundred grey levels
    still = np.stack([frame(STILL)] * 9)
    if motion != "dynamic-released":
        assert (
            align(still, Known(), 112).crop_of_sum(
                still, lambda part: MOTION_IMAGES[motion].compute(part, None)
            )
            == 0
        ).all()


# ---- face crops


def test_crops_are_only_brought_to_size(rng: np.random.Generator) -> None:
    film = rng.integers(0, 256, (3, 224, 336, 3), dtype=np.uint8)
    aligned = align(film, None, 112)
    expected = (
        film.reshape(3, 112, 2, 112, 3, 3).astype(float).mean(axis=(2, 4))
    )  # the definition of area averaging
    assert np.abs(aligned.crops(film) - expected).max() <= 0.51
    assert aligned.face is None and aligned.drift_px is None and aligned.warnings == ()
    np.testing.assert_allclose(
        through(aligned.transforms[0], np.array([[-0.5, -0.5], [335.5, 223.5]])),
        [[-0.5, -0.5], [111.5, 111.5]],
    )
    np.testing.assert_array_equal(
        align(film[:, :112, :112], None, 112).crops(film[:, :112, :112]), film[:, :112, :112]
    )
    assert align(film[:, :28, :28], None, 112).crops(film[:, :28, :28]).shape == (3, 112, 112, 3)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(LearnetError, match="cannot be removed from face crops"):
        align(np.zeros((2, 30, 30, 3), np.uint8), None, 112, stabilise=True)
    with pytest.raises(TooFewFrames):
        align(np.zeros((0, 30, 30, 3), np.uint8), None)


# ---- real videos


@pytest.mark.parametrize("kind", ["yunet", "haar"])
def test_no_face_is_said(shared: Path, kind: str) -> None:
    frames = read_frames(shared / "real" / "no_face.mp4", 60, 67)
    with pytest.raises(NoFace, match="8 frames searched"):
        align(frames, face_finder(kind, shared / "models" / MODEL_NAME))


def eyes_in(crop: np.ndarray, network: cv2.FaceDetectorYN) -> np.ndarray:
    """Return the eyes in a crop by YuNet alone, as the mean over four magnifications and the mirror image.

    A single detection varies by 3 pixels and more on a static face, too much for this test.
    """
    margin = 28
    framed = cv2.copyMakeBorder(crop[..., ::-1], margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    readings = []
    for zoom in (0.75, 1.0, 1.25, 1.5):
        picture = cv2.resize(framed, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        side = picture.shape[0]
        network.setInputSize((side, side))
        for mirrored in (False, True):
            _, detections = network.detect(np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture)
            eyes = max(detections, key=lambda row: row[2])[4:8].reshape(2, 2).astype(float)
            if mirrored:
                eyes = np.stack([side - 1 - eyes[::-1, 0], eyes[::-1, 1]], axis=1)
            readings.append((eyes + 0.5) / zoom - 0.5 - margin)
    return np.mean(readings, axis=0)


def test_the_eyes_of_a_freely_moving_head_stay_in_their_place(shared: Path) -> None:
    """With a new anchor every half second, eyes stay within 3 pixels unless a warning says otherwise."""
    model = shared / "models" / MODEL_NAME
    film, finder = read_frames(shared / "real" / "face_pexels.mp4", 0, 467), face_finder("yunet", model)
    network = cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.5)
    warned, steady_px, unsteady_px = [], [], []
    for start in range(0, 468, 12):
        window = film[start : start + 12]
        steady = align(window, finder, 112, stabilise=True)
        if any("the head turns too fast" in message for message in steady.warnings):
            warned.append(start // 12)
            continue
        anchor_eyes = eyes_in(steady.crop(window, 0), network)
        steady_px.append(
            max(
                np.linalg.norm(eyes_in(steady.crop(window, t), network) - anchor_eyes, axis=1).max()
                for t in (4, 8, 11)
            )
        )
        if start % 36 == 0:
            unsteady = align(window, finder, 112)
            np.testing.assert_array_equal(unsteady.crop(window, 0), steady.crop(window, 0))
            unsteady_px.append(
                np.linalg.norm(eyes_in(unsteady.crop(window, 11), network) - anchor_eyes, axis=1).max()
            )
    assert max(steady_px) < 3.0, steady_px
    assert len(warned) <= 8, warned  # measured 6: five with a hand wiping over the face and one quick turn
    assert (
        np.median(steady_px) < 1.5 and np.median(unsteady_px) > 3
    )  # what it was without, in some of the same windows
