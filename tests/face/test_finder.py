"""Both face finders against pupils read off a portrait by eye, transformed in known ways."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from learnet.core.errors import BadInput, LearnetError, UnknownName
from learnet.face import Face, FaceFinder, face_finder
from learnet.face.haar import HAAR_CONFIDENCE, Haar
from learnet.face.model import MODEL_NAME, MODEL_VARIABLE
from learnet.face.yunet import YuNet
from learnet.video.reader import read_frames
from tests.builders.moving_face import PUPILS

APART = np.linalg.norm(PUPILS[1] - PUPILS[0])
EVERY = pytest.mark.parametrize("kind", ["yunet", "haar"])


@pytest.fixture(scope="module")
def finders(shared: Path) -> dict[str, FaceFinder]:
    return {kind: face_finder(kind, shared / "models" / MODEL_NAME) for kind in ("yunet", "haar")}


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return skimage.data.astronaut()


def eye_error(face: Face | None, pupils: np.ndarray, apart: float) -> float:
    """Return the largest distance of an eye from its pupil, in distances of the eyes."""
    assert face is not None, "no face was found"
    return float(np.linalg.norm(np.array(face.eyes) - pupils, axis=1).max() / apart)


@EVERY
def test_the_eyes_are_where_a_person_sees_them(finders: dict, portrait: np.ndarray, kind: str) -> None:
    face = finders[kind](portrait)
    assert eye_error(face, PUPILS, APART) < 0.08
    assert face.finder == kind == finders[kind].kind and 0.8 < face.confidence <= 1
    x, y, width, height = face.box
    assert 160 < x < 195 and 50 < y < 90 and 80 < width < 110 and 80 < height < 130


@EVERY
def test_a_mirrored_face_has_mirrored_eyes(finders: dict, portrait: np.ndarray, kind: str) -> None:
    mirrored = np.stack([511 - PUPILS[::-1, 0], PUPILS[::-1, 1]], axis=1)
    assert eye_error(finders[kind](portrait[:, ::-1]), mirrored, APART) < 0.1


@EVERY
@pytest.mark.parametrize("degrees", [-30, -20, 20, 30])
def test_a_tilted_head_is_found_with_its_tilt(
    finders: dict, portrait: np.ndarray, kind: str, degrees: float
) -> None:
    turn = cv2.getRotationMatrix2D((225, 120), degrees, 1)
    pupils = PUPILS @ turn[:, :2].T + turn[:, 2]
    face = finders[kind](cv2.warpAffine(portrait, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))
    assert eye_error(face, pupils, APART) < 0.15
    (left_x, left_y), (right_x, right_y) = face.eyes
    expected = np.degrees(np.arctan2(*(pupils[1] - pupils[0])[::-1]))
    assert np.degrees(np.arctan2(right_y - left_y, right_x - left_x)) == pytest.approx(expected, abs=6)


@EVERY
@pytest.mark.parametrize("factor", [0.35, 0.6, 3.0])
def test_small_and_large_faces(finders: dict, portrait: np.ndarray, kind: str, factor: float) -> None:
    """The face is 31 pixels wide in a small frame, up to 270 in one of 1536."""
    size = round(512 * factor)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    assert (
        eye_error(
            finders[kind](cv2.resize(portrait, (size, size), interpolation=way)),
            (PUPILS + 0.5) * factor - 0.5,
            APART * factor,
        )
        < 0.12
    )


@EVERY
def test_grey_and_dark_frames(finders: dict, portrait: np.ndarray, kind: str) -> None:
    grey = np.repeat(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert eye_error(finders[kind](grey), PUPILS, APART) < 0.1
    assert eye_error(finders[kind]((portrait * 0.3).astype(np.uint8)), PUPILS, APART) < 0.1


@EVERY
def test_a_face_that_fills_the_frame(finders: dict, portrait: np.ndarray, kind: str) -> None:
    assert eye_error(finders[kind](portrait[65:190, 165:285]), PUPILS - [165, 65], APART) < 0.12


@EVERY
def test_the_largest_of_two_faces(finders: dict, portrait: np.ndarray, kind: str) -> None:
    both = np.zeros((300, 500, 3), np.uint8)
    both[:, 200:] = portrait[:300, 70:370]
    both[60:210, 20:170] = cv2.resize(portrait[:300, 70:370], (150, 150), interpolation=cv2.INTER_AREA)
    assert eye_error(finders[kind](both), PUPILS + [130, 0], APART) < 0.1
    assert (
        eye_error(
            finders[kind](both[:, ::-1]), np.stack([499 - 130 - PUPILS[::-1, 0], PUPILS[::-1, 1]], 1), APART
        )
        < 0.1
    )


@EVERY
def test_half_a_face_is_none_or_inside(finders: dict, portrait: np.ndarray, kind: str) -> None:
    """A face cut through the nose has one eye and cannot be aligned; one cut below the nose has both."""
    cut = finders[kind](portrait[:, 226:])
    assert cut is None or cut.eyes[1][0] - cut.eyes[0][0] > 0.2 * cut.box[2]
    assert eye_error(finders["yunet"](portrait[:135]), PUPILS, APART) < 0.15


@EVERY
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (16, 16), (20, 31), (40, 64)])
def test_tiny_frames_hold_no_face(
    finders: dict, rng: np.random.Generator, kind: str, shape: tuple[int, int]
) -> None:
    """In frames smaller than a cell of the network, OpenCV returns confident faces at positions like 1e15."""
    assert finders[kind](np.zeros((*shape, 3), np.uint8)) is None
    assert finders[kind](rng.integers(0, 256, (*shape, 3), dtype=np.uint8)) is None


def test_the_network_never_sees_a_picture_too_small_for_it(shared: Path) -> None:
    """Below 33 pixels OpenCV returns uninitialised memory."""
    finder, sizes = YuNet(shared / "models" / MODEL_NAME), []
    network = finder._network
    finder._network = lambda width, height: (sizes.append((width, height)), network(width, height))[1]
    assert finder(np.zeros((20, 31, 3), np.uint8)) is None and finder(np.zeros((2, 900, 3), np.uint8)) is None
    assert len(sizes) == 4 and min(min(size) for size in sizes) >= 64


def test_frames_of_many_sizes_do_not_fill_the_memory(finders: dict, portrait: np.ndarray) -> None:
    finder = finders["yunet"]
    for width in range(300, 360, 4):
        assert eye_error(finder(portrait[:240, 60 : 60 + width]), PUPILS - [60, 0], APART) < 0.12
        assert len(finder._networks) <= finder.MAX_NETWORKS


@EVERY
def test_no_face_is_found_where_there_is_none(finders: dict, shared: Path, kind: str) -> None:
    """A cartoon sky with letters, 95 frames without a face; tested here are those with the highest scores."""
    frames = read_frames(shared / "real" / "no_face.mp4", 0, 94)
    assert [
        number for number in (*range(0, 95, 13), 46, 47, 88, 89) if finders[kind](frames[number]) is not None
    ] == []


@EVERY
@pytest.mark.parametrize("picture", ["gravel", "coins", "chelsea", "text", "moon"])
def test_textures_things_and_a_cat_are_no_faces(finders: dict, kind: str, picture: str) -> None:
    image = getattr(skimage.data, picture)()
    colour = image[..., :3] if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    assert finders[kind](np.ascontiguousarray(colour)) is None


def test_haar_confidence_follows_from_the_detected_eyes(finders: dict, portrait: np.ndarray) -> None:
    """With blurred eyes the face is still detected, and the eyes follow from the proportions of its box."""
    one, none = portrait.copy(), portrait.copy()
    for image, hidden in ((one, PUPILS[:1]), (none, PUPILS)):
        for x, y in hidden.astype(int):
            patch = image[y - 13 : y + 11, x - 17 : x + 18]
            patch[:] = cv2.GaussianBlur(patch, (0, 0), 7)
    assert finders["haar"](portrait).confidence == HAAR_CONFIDENCE[2]
    for image, count in ((one, 1), (none, 0)):
        face = finders["haar"](image)
        assert face.confidence == HAAR_CONFIDENCE[count]
        assert eye_error(face, PUPILS, APART) < 0.2


def test_implausible_eyes_are_rejected(portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both eyes at one position, or one far above the other: the proportions of the box are used instead."""
    finder = Haar()
    for displace in (
        lambda usual, side: usual * 0 + 100,
        lambda usual, side: usual + (np.array([0, -0.3 * side]) if usual[0] > 140 else 0),
    ):

        def detect_eye(
            grey: np.ndarray,
            to_frame: np.ndarray,
            usual: np.ndarray,
            side: float,
            displace: object = displace,
        ) -> np.ndarray:
            return displace(usual, side)

        monkeypatch.setattr(finder, "_detect_eye", detect_eye)
        face = finder(portrait)
        assert face.confidence == HAAR_CONFIDENCE[0] and eye_error(face, PUPILS, APART) < 0.2


@EVERY
def test_a_finder_can_be_pickled(finders: dict, portrait: np.ndarray, kind: str) -> None:
    assert pickle.loads(pickle.dumps(finders[kind]))(portrait) == finders[kind](portrait)


def test_auto_takes_yunet_where_its_model_is(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = shared / "models" / MODEL_NAME
    assert face_finder("auto").kind == "haar" and face_finder("auto", model).kind == "yunet"
    with pytest.raises(LearnetError, match="learnet face-model"):
        face_finder("yunet")
    monkeypatch.setenv(MODEL_VARIABLE, str(model))
    assert face_finder("auto").kind == face_finder("yunet").kind == "yunet"


def test_unknown_names_and_invalid_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="yunet"):
        face_finder("yunnet")
    for name, content in (("page.onnx", b"<html>"), ("empty.onnx", b""), ("model.txt", b"not a model")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match="not a YuNet model"):
            face_finder("yunet", tmp_path / name)
