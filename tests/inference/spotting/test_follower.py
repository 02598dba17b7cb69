"""The follower: curves that go on across references, and searches only where a face was lost."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from learnet.face import Face
from learnet.inference.spotting.follower import LATEST_REFERENCE_S, REFERENCE_S, SEARCH_S, FaceFollower
from learnet.inference.spotting.motion import TRACKED_PX
from learnet.inference.spotting.points import face_points
from learnet.simulation.movement import Timing
from learnet.simulation.render import Episode, render
from learnet.simulation.units import both_sides
from tests.inference.spotting.test_motion import recording

POINTS = face_points()


class Finder:
    """Know where the face is, and count how often it was asked."""

    kind = "known"

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, frame: np.ndarray) -> Face | None:
        self.asked += 1
        if frame.std() < 5:
            return None
        view = recording().conditions.view
        left, right = view.to_pixels(np.array([(-0.25, -0.005), (0.25, -0.005)])).tolist()
        return Face((100.0, 50.0, 125.0, 125.0), (tuple(left), tuple(right)), 1.0, self.kind)


@pytest.fixture(scope="module")
def rest() -> np.ndarray:
    return next(render(recording(), [0]))


@pytest.fixture(scope="module")
def smile() -> np.ndarray:
    episode = Episode(both_sides(12, 2.0), Timing(0.0, 0.1, 0.2))
    return next(render(replace(recording(), episodes=(episode,)), [10]))


def test_curves_go_on_where_the_reference_is_replaced(rest: np.ndarray, smile: np.ndarray) -> None:
    """A smile that is held is as large before as after its own frames have become the reference."""
    finder = Finder()
    follower = FaceFollower(finder, POINTS)
    corner = POINTS.index("mouth corner", "left")
    times_s = np.arange(0, 14, 0.25)
    smiling = (times_s >= 2) & (times_s < 12)
    moved = []
    references = set()
    for time_s, is_smiling in zip(times_s, smiling, strict=True):
        sample = follower.measure(smile if is_smiling else rest, float(time_s))
        assert sample is not None and sample.track == 1
        moved.append(np.linalg.norm(sample.displacements[corner]))
        references.add(follower._track.reference)
    assert len(references) >= 3
    height = np.median(np.array(moved)[smiling])
    assert height > 0.8
    np.testing.assert_allclose(np.array(moved)[smiling], height, atol=0.1)
    np.testing.assert_allclose(np.array(moved)[~smiling], 0, atol=0.15)
    assert finder.asked == 1


def test_the_reference_waits_for_rest_but_not_for_ever(rest: np.ndarray, smile: np.ndarray) -> None:
    """The face moves from each frame to the next, a tenth of a second later."""
    follower = FaceFollower(Finder(), POINTS)
    since_s = []
    for index in range(int(10 * (LATEST_REFERENCE_S + 1))):
        follower.measure((rest, smile)[index // 2 % 2], index / 10)
        since_s.append(follower._track.since_s)
    changes = sorted(set(since_s))
    assert changes[0] == 0.0
    assert REFERENCE_S < changes[1] <= LATEST_REFERENCE_S + 0.1
    still = FaceFollower(Finder(), POINTS)
    for index in range(60):
        still.measure(rest, index / 10)
    assert still._track.since_s == pytest.approx(REFERENCE_S, abs=0.11)


def test_a_lost_face_is_searched_from_time_to_time_and_starts_a_new_track(rest: np.ndarray) -> None:
    finder = Finder()
    follower = FaceFollower(finder, POINTS)
    empty = np.full_like(rest, 90)
    tracks = []
    for index in range(300):
        time_s = index / 100
        sample = follower.measure(empty if 1 <= time_s < 2 else rest, time_s)
        tracks.append(0 if sample is None else sample.track)
    assert tracks[:100] == [1] * 100
    assert tracks[100:200] == [0] * 100
    assert tracks[220:] == [2] * 80
    assert finder.asked <= 2 + 1 / SEARCH_S + 1


def test_crops_need_no_finder() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    follower = FaceFollower(None, POINTS)
    sample = follower.measure(crop, 0.0)
    assert sample is not None
    assert np.abs(sample.displacements).max() < 0.01
    scale = TRACKED_PX / 64
    np.testing.assert_allclose(follower._track.to_crop[:, :2], scale * np.eye(2), atol=0.01)


class ScaledFinder(Finder):
    """Know where the face is in frames of any size."""

    def __call__(self, frame: np.ndarray) -> Face | None:
        face = super().__call__(frame)
        assert face is not None
        scale = frame.shape[1] / recording().conditions.view.width
        eyes = np.array(face.eyes) * scale
        return replace(face, eyes=(tuple(eyes[0].tolist()), tuple(eyes[1].tolist())))


def test_the_face_is_searched_again_where_the_size_of_the_frames_changes(rest: np.ndarray) -> None:
    """As in a call whose connection gets worse. Between the two sizes, no motion can be measured."""
    finder = ScaledFinder()
    follower = FaceFollower(finder, POINTS)
    half = cv2.resize(rest, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    tracks = []
    for number, pixels in enumerate([rest, rest, half, half, rest]):
        sample = follower.measure(pixels, number / 50)
        assert sample is not None and np.abs(sample.displacements).max() < 0.5
        tracks.append(sample.track)
    assert tracks == [1, 1, 2, 2, 3] and finder.asked == 3
