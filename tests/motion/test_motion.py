"""The table of motion images, and the images of single frames and phases by their definitions."""

import numpy as np
import pytest

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.core.settings import Preparation
from learnet.motion import MOTION_IMAGES
from learnet.motion.dynamic import rank_weights

NORMALISATION_OF_FAMILY = {
    "image": "joint-minmax",
    "flow": "per-channel",
    "histograms": "unit",
}  # normalisation of each family

NEEDS_APEX = [name for name, kind in MOTION_IMAGES.items() if kind.needs_apex]


@pytest.fixture
def crops(rng: np.random.Generator) -> np.ndarray:
    """Seven frames of noise, 40 pixels."""
    return rng.integers(0, 256, (7, 40, 40, 3), dtype=np.uint8)


def test_the_settings_recognise_families_by_name() -> None:
    """`Preparation` recognises the family of a kind by its name, because it cannot import the table."""
    for name, kind in MOTION_IMAGES.items():
        assert (kind.family == "flow") == name.startswith("flow-")
        assert Preparation(motion=name).settled.normalise == NORMALISATION_OF_FAMILY[kind.family]
    assert sorted(name for name, kind in MOTION_IMAGES.items() if kind.fixed_weights) == [
        "active",
        "dynamic",
        "dynamic-linear",
        "dynamic-released",
    ]


@pytest.mark.parametrize("name", MOTION_IMAGES)
def test_every_kind_gives_a_finite_image_of_the_crop(name: str, crops: np.ndarray) -> None:
    image = MOTION_IMAGES[name].compute(crops, 3)
    assert (
        image.dtype == np.float32 and image.shape == (40, 40, 3) and np.isfinite(image).all() and image.any()
    )


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in MOTION_IMAGES
        if name not in ("dynamic-released", "onset-face", "apex-face", "lbp-top", "lbp-fip")
    ],
)
def test_of_equal_frames_every_image_of_motion_is_zero(name: str, crops: np.ndarray) -> None:
    image = MOTION_IMAGES[name].compute(np.repeat(crops[:1], 7, axis=0), 3)
    assert np.abs(image).max() < 1e-6


@pytest.mark.parametrize("name", [name for name, kind in MOTION_IMAGES.items() if kind.family == "image"])
def test_the_image_of_a_mirrored_face_is_mirrored(name: str, crops: np.ndarray) -> None:
    compute = MOTION_IMAGES[name].compute
    np.testing.assert_allclose(
        compute(crops[:, :, ::-1], 3)[:, ::-1], compute(crops, 3), rtol=1e-5, atol=1e-5
    )  # flow: test_flow.py


def test_single_frames_and_their_difference(crops: np.ndarray) -> None:
    compute = {name: kind.compute for name, kind in MOTION_IMAGES.items()}
    np.testing.assert_array_equal(compute["onset-face"](crops, None), crops[0])
    np.testing.assert_array_equal(compute["apex-face"](crops, 4), crops[4])
    np.testing.assert_array_equal(compute["difference"](crops, 4), crops[4].astype(int) - crops[0])
    np.testing.assert_array_equal(compute["difference"](crops, 6), crops[6].astype(int) - crops[0])


def test_phases_by_their_definition(crops: np.ndarray) -> None:
    """The weighted sums of frames 0 to 4 and of frames 4 to 6."""
    compute = {name: kind.compute for name, kind in MOTION_IMAGES.items()}
    rise = sum(weight * frame.astype(float) for weight, frame in zip(rank_weights(5), crops[:5], strict=True))
    fall = sum(weight * frame.astype(float) for weight, frame in zip(rank_weights(3), crops[4:], strict=True))
    np.testing.assert_allclose(compute["dynamic-rise"](crops, 4), rise, atol=1e-3)
    np.testing.assert_allclose(compute["dynamic-fall"](crops, 4), fall, atol=1e-3)
    two = crops[1].astype(int) - crops[0]  # one frame apart: (2 * 2 - 3) / 2 and (2 * 2 - 3) / 2 - 1
    np.testing.assert_allclose(compute["dynamic-rise"](crops, 1), 0.5 * two, atol=1e-4)


def test_the_apex_at_the_border(crops: np.ndarray) -> None:
    for name in NEEDS_APEX:
        if name != "dynamic-fall":
            assert MOTION_IMAGES[name].compute(crops, 6).shape == (40, 40, 3)
            assert MOTION_IMAGES[name].compute(crops[:2], 1).shape == (40, 40, 3)
    with pytest.raises(TooFewFrames, match="from the apex to the offset has 1 frame;"):
        MOTION_IMAGES["dynamic-fall"].compute(crops, 6)


@pytest.mark.parametrize("name", NEEDS_APEX)
@pytest.mark.parametrize("apex", [None, 0, 7])
def test_without_an_apex_after_the_onset_there_is_none(
    name: str, apex: int | None, crops: np.ndarray
) -> None:
    if (name, apex) in (("dynamic-fall", 0), ("dynamic-rise", 7)):
        return  # the whole clip is the falling or the rising phase
    with pytest.raises(LearnetError, match="apex"):
        MOTION_IMAGES[name].compute(crops, apex)
