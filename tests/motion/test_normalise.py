"""Normalisation of motion images, against OpenCV and cases worked by hand."""

import cv2
import numpy as np
import pytest

from learnet.core.errors import LearnetError
from learnet.core.settings import Preparation
from learnet.motion.dynamic import dynamic_image
from learnet.motion.normalise import NORMALISATIONS, joint_minmax, per_channel, signed


def test_names_are_those_of_the_settings() -> None:
    assert {"auto", *NORMALISATIONS} == set(Preparation.__annotations__["normalise"].__args__)


def test_joint_minmax_is_what_the_authors_do(rng: np.random.Generator) -> None:
    """cv2.normalize over all channels, then astype; its float32 may be slightly below a whole level."""
    image = rng.normal(0, 800, (60, 50, 3)).astype(np.float32)
    theirs = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    ours = joint_minmax(image)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert (ours == theirs).mean() > 0.999
    assert (ours.min(), ours.max()) == (0, 255)


def test_joint_minmax_by_hand() -> None:
    image = np.array(
        [[[-10, 0, 90]], [[30, 10, 40]]], dtype=np.float32
    )  # one range, -10..90, not one for each channel
    np.testing.assert_array_equal(
        joint_minmax(image), [[[0, 25, 255]], [[102, 51, 127]]]
    )  # 25.5 and 127.5 are cut, not rounded


def test_signed_by_hand() -> None:
    image = np.array([[[-100, 0, 50]], [[100, 25, -1]]], dtype=np.float32)
    np.testing.assert_array_equal(
        signed(image), [[[1, 128, 192]], [[255, 160, 127]]]
    )  # 191.5, 159.75, 126.73


def test_per_channel_by_hand() -> None:
    """The ranges are -2..2 and 10..20; the third channel is constant. 127.5 is rounded to the even 128."""
    image = np.array([[[-2, 10, 7]], [[2, 20, 7]], [[0, 13, 7]]], dtype=np.float32)
    np.testing.assert_array_equal(
        per_channel(image), [[[0, 0, 128]], [[255, 255, 128]], [[128, 76, 128]]]
    )  # 76.5 to the even 76


def test_per_channel_of_the_opposite_is_the_opposite(rng: np.random.Generator) -> None:
    """Mirroring of flow images in training relies on it: x becomes 255 - x where u becomes -u."""
    image = rng.normal(0, 1.7, (40, 40, 3)).astype(np.float32)
    turned = image * np.float32([-1, 1, 1])
    np.testing.assert_array_equal(per_channel(turned)[..., 0], 255 - per_channel(image)[..., 0])
    np.testing.assert_array_equal(per_channel(turned)[..., 1:], per_channel(image)[..., 1:])


def test_signed_keeps_zero_in_the_middle_and_mirrors(rng: np.random.Generator) -> None:
    image = rng.normal(0, 800, (30, 20, 3)).astype(np.float32)
    image[::2] = 0
    up, down = signed(image).astype(int), signed(-image).astype(int)
    assert (up[::2] == 128).all()
    assert np.abs((up - 128) + (down - 128)).max() <= 1
    assert max(up.max() - 128, 128 - up.min()) == 127


def test_a_still_clip_has_no_motion_to_show() -> None:
    still = dynamic_image(np.full((9, 4, 4, 3), 200, dtype=np.uint8))
    assert (joint_minmax(still) == 0).all()
    assert (signed(still) == 128).all()
    flat = np.full((4, 4, 3), -7, dtype=np.float32)
    np.testing.assert_array_equal(
        joint_minmax(flat), cv2.normalize(flat, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    )


def test_extreme_but_finite_images() -> None:
    image = np.array([[[-3e38, 0, 3e38]]], dtype=np.float32)
    np.testing.assert_array_equal(joint_minmax(image), [[[0, 127, 255]]])
    np.testing.assert_array_equal(signed(image), [[[1, 128, 255]]])
    tiny = np.array([[[0, 1e-45, 0]]], dtype=np.float32)
    np.testing.assert_array_equal(joint_minmax(tiny), [[[0, 255, 0]]])


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_refused(name: str, value: float) -> None:
    with pytest.raises(LearnetError, match="not finite"):
        NORMALISATIONS[name](np.array([[[0.0, value, 1.0]]], dtype=np.float32))
