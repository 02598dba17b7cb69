"""Parts of clips: their frames, worked by hand, and their images, from frames that the test cuts itself."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.core.settings import Preparation
from learnet.face import align, face_finder
from learnet.motion import MOTION_IMAGES
from learnet.motion.dynamic import dynamic_image
from learnet.motion.flow import append_strain, flow_dis
from learnet.motion.magnify import magnify_motion
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.parts import MOST_PARTS, WITHOUT_PARTS, check_parts_allowed, part_images, part_spans
from learnet.motion.pipeline import make_image
from tests.datasets.prepared.test_prepare import movement

FRAMES_IN_PARTS = ((0, 1, 2, 3), (3, 4, 5, 6, 7), (7, 8, 9, 10))  # 11 frames in 3 parts
KINDS = sorted(MOTION_IMAGES.keys() - set(WITHOUT_PARTS))


@pytest.mark.parametrize(
    ("frames", "parts", "spans"),
    [
        (11, 3, [(0, 3), (3, 7), (7, 10)]),  # borders at 10/3 and 20/3
        (6, 2, [(0, 3), (3, 5)]),  # border at 2.5
        (4, 3, [(0, 1), (1, 2), (2, 3)]),
        (12, 4, [(0, 3), (3, 6), (6, 8), (8, 11)]),  # borders at 2.75, 5.5, 8.25
        (9, 8, [(frame, frame + 1) for frame in range(8)]),
    ],
)
def test_borders_worked_by_hand(frames: int, parts: int, spans: list[tuple[int, int]]) -> None:
    assert part_spans(frames, parts) == spans


@given(st.integers(2, MOST_PARTS), st.integers(0, 300))
def test_parts_cover_the_clip_in_equal_times(parts: int, more: int) -> None:
    frames = parts + 1 + more
    spans = part_spans(frames, parts)
    assert len(spans) == parts and spans[0][0] == 0 and spans[-1][1] == frames - 1
    durations = []
    for number, (first, last) in enumerate(spans):
        assert number == 0 or first == spans[number - 1][1]
        assert abs(first - Fraction((frames - 1) * number, parts)) <= Fraction(1, 2)
        durations.append(last - first)
    assert max(durations) - min(durations) <= 1 <= min(durations)


def parts_of(frames: np.ndarray, preparation: Preparation, parts: int = 3) -> list[np.ndarray]:
    aligned = align(frames, None, preparation.size)
    images = part_images(frames, aligned, preparation, parts, 200.0)
    assert list(images) == [f"part {number + 1}" for number in range(parts)]
    return list(images.values())


@pytest.mark.parametrize("motion", KINDS)
def test_images_are_those_of_the_frames_of_each_part(motion: str) -> None:
    """As of a clip of these frames alone, whose apex is the last."""
    frames, preparation = movement(3, 11, 112, 112), Preparation(motion)
    images = parts_of(frames, preparation)
    for image, positions in zip(images, FRAMES_IN_PARTS, strict=True):
        cut = frames[list(positions)]
        alone = MOTION_IMAGES[motion].compute(cut, len(cut) - 1)
        assert (image == NORMALISATIONS[preparation.settled.normalise](alone)).all()
    assert len({image.tobytes() for image in images}) == 3


def test_dynamic_images_of_parts_follow_from_their_definition() -> None:
    frames = movement(4, 11, 28, 28)
    for image, positions in zip(parts_of(frames, Preparation(size=28)), FRAMES_IN_PARTS, strict=True):
        cut = frames[list(positions)].astype(float)
        means = [cut[: count + 1].mean(axis=0) for count in range(len(cut))]
        motion = sum(means[q] - means[t] for q in range(len(cut)) for t in range(q))
        stretched = 255 * (motion - motion.min()) / (motion.max() - motion.min())
        assert np.abs(image - stretched).max() <= 1.001  # it is rounded down


def test_flow_is_from_the_first_frame_of_a_part_to_its_last() -> None:
    """On 28 pixels it is measured on 112, and its mean over 4x4 pixels is in pixels of 28."""
    frames = movement(5, 11, 112, 112)
    images = parts_of(frames, Preparation("flow-dis", size=28, normalise="signed"))
    for image, positions in zip(images, FRAMES_IN_PARTS, strict=True):
        flow = append_strain(flow_dis(frames[positions[0]], frames[positions[-1]]))
        small = flow.reshape(28, 4, 28, 4, 3).mean(axis=(1, 3)) / [4, 4, 1]
        expected = NORMALISATIONS["signed"](small.astype(np.float32))
        assert np.abs(image.astype(int) - expected).max() <= 1


def test_the_whole_clip_is_magnified_before_it_is_divided() -> None:
    frames = movement(6, 11, 28, 28)
    settings = Preparation("difference", size=28, magnify=3.0)
    magnified = magnify_motion(frames, 3.0, 200.0).astype(np.float32)
    for image, positions in zip(parts_of(frames, settings), FRAMES_IN_PARTS, strict=True):
        expected = magnified[positions[-1]] - magnified[positions[0]]
        assert (image == NORMALISATIONS["joint-minmax"](expected)).all()


@pytest.mark.parametrize("stabilise", [False, True])
def test_the_face_is_aligned_in_the_whole_clip(stabilise: bool) -> None:
    """The face that is found in the first frame, although it is covered in the later parts."""
    picture = np.ascontiguousarray(astronaut()[0:300, 100:400])
    frames = []
    for number in range(11):
        shift = np.array([[1, 0, 0.3 * number], [0, 1, 0.2 * number]])
        frame = cv2.warpAffine(picture, shift, (300, 300), borderMode=cv2.BORDER_REFLECT)
        if number >= 3:
            cv2.circle(frame, (130, 150), 10 * number, (90, 120, 200), -1)
        frames.append(frame)
    clip = np.stack(frames)
    preparation = Preparation(size=56, face="haar", stabilise=stabilise)
    result = make_image(clip, preparation, face_finder("haar", None))
    crops = result.aligned.crops(clip)
    images = part_images(clip, result.aligned, preparation, 3).values()
    for image, positions in zip(images, FRAMES_IN_PARTS, strict=True):
        motion = dynamic_image(crops[list(positions)])
        expected = NORMALISATIONS["joint-minmax"](motion)
        # Without stabilisation the sum is cropped, instead of crops that are rounded to bytes.
        assert np.abs(image.astype(int) - expected).max() <= (0 if stabilise else 3)


@pytest.mark.parametrize("motion", KINDS)
def test_every_kind_says_how_few_frames_are_enough(motion: str) -> None:
    """Parts of one interval, of two for the active image."""
    enough = 7 if motion == "active" else 4
    frames = movement(7, enough, 112, 112)
    assert len(parts_of(frames, Preparation(motion))) == 3
    says = f"The clip has {enough - 1} frames; at least {enough} are needed to see motion in each of 3 parts."
    with pytest.raises(TooFewFrames, match=says):
        parts_of(frames[:-1], Preparation(motion))
    fewest = MOTION_IMAGES[motion].min_frames
    MOTION_IMAGES[motion].compute(frames[:fewest], fewest - 1)
    with pytest.raises(LearnetError):
        MOTION_IMAGES[motion].compute(frames[: fewest - 1], fewest - 2)


@pytest.mark.parametrize("parts", [-1, 0, 1, 9])
def test_numbers_of_parts_that_are_refused(parts: int) -> None:
    with pytest.raises(LearnetError, match=f"parts must be from 2 to 8, not {parts}."):
        check_parts_allowed("dynamic", parts)


@pytest.mark.parametrize("motion", sorted(MOTION_IMAGES))
def test_kinds_that_have_no_parts(motion: str) -> None:
    if motion in KINDS:
        check_parts_allowed(motion, 2)
        return
    with pytest.raises(LearnetError, match=f"no motion image {motion}, which is of one phase or one frame"):
        check_parts_allowed(motion, 2)
