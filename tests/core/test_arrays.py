"""What people have in notebooks becomes an array, or an error that says what to change."""

import numpy as np
import pandas as pd
import pytest
import torch

from learnet.core.arrays import BadArray, as_array, as_frames, as_rgb_images
from learnet.core.errors import LearnetError

IMAGES = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)


def test_an_error_is_also_the_one_that_numpy_and_scikit_learn_raise() -> None:
    assert issubclass(BadArray, LearnetError) and issubclass(BadArray, ValueError)


@pytest.mark.parametrize(
    "values",
    [IMAGES, list(IMAGES), IMAGES.tolist(), torch.from_numpy(IMAGES.copy()), IMAGES.astype(np.float64)],
    ids=["array", "list of arrays", "nested lists", "tensor", "floats of whole numbers"],
)
def test_every_container_of_the_same_numbers_is_the_same_image(values: object) -> None:
    images = as_rgb_images(values)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, IMAGES)


def test_an_array_of_grey_levels_is_not_copied() -> None:
    assert as_rgb_images(IMAGES) is IMAGES and as_frames(IMAGES) is IMAGES


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (IMAGES / 255, r"images must be whole numbers 0..255, .* from 0 to 0.37.*\. Multiply by 255"),
        (IMAGES + 0.5, "Round them and convert"),
        (IMAGES.astype(np.int16) - 1, "must be grey levels 0..255, and these go from -1 to 94"),
        (IMAGES.astype(np.int64) * 3, "go from 0 to 285"),
        (np.full((2, 4, 4, 3), np.nan), "must be grey levels"),
        (IMAGES[0], r"must have the shape \(N, H, W, 3\), and this is \(4, 4, 3\)"),
        (IMAGES[..., :1], r"this is \(2, 4, 4, 1\)"),
        (IMAGES.transpose(0, 3, 1, 2), r"channels last, and this is \(2, 3, 4, 4\).*permute\(0, 2, 3, 1\)"),
    ],
)
def test_images_that_are_none_are_refused_with_what_to_do(values: np.ndarray, says: str) -> None:
    with pytest.raises(BadArray, match=says):
        as_rgb_images(values)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([IMAGES[0], IMAGES[0, :3]], "frames cannot be made one array: .*All parts need one shape"),
        (torch.zeros(2, 4, 4, 3, requires_grad=True), "cannot be made one array: .*must be detached"),
        (["a.png", "b.png"], "frames must be numbers, and these are of type <U5"),
        (IMAGES > 3, "of type bool"),
        (IMAGES * 1j, "of type complex128"),
        (pd.Series([IMAGES, IMAGES]), "of type object"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(values: object, says: str) -> None:
    with pytest.raises(BadArray, match=says):
        as_array(values, "frames")


def test_frames_need_a_time_axis_and_channels() -> None:
    with pytest.raises(BadArray, match=r"\(T, H, W, C\), and this is \(4, 4, 3\). Several frames"):
        as_frames(IMAGES[0])
    with pytest.raises(BadArray, match=r"grey ones become it by frames\[\.\.\., None\]"):
        as_frames(IMAGES[..., 0])
    with pytest.raises(BadArray, match="channels last"):
        as_frames(torch.zeros(5, 3, 8, 8))
