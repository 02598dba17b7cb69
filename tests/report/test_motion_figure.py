"""A motion image in a notebook: which grey level means no motion, and what is drawn where."""

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from learnet.core.errors import LearnetError
from learnet.report.motion_figure import show_motion

mpl.use("agg")


def drawn(ax: mpl.axes.Axes) -> np.ndarray:
    """Return the pixels of the only picture in the axes."""
    (picture,) = ax.get_images()
    return np.asarray(picture.get_array())


def test_no_motion_is_mid_grey_and_the_largest_change_black_or_white() -> None:
    image = np.zeros((2, 2, 3))
    image[0, 0] = (0.5, -2.0, 1.0)  # scaled by 127 / 2 around 128: 159.75, 1, 191.5
    levels = drawn(show_motion(image))
    assert levels[0, 0].tolist() == [160, 1, 192]
    assert (levels.reshape(-1, 3)[1:] == 128).all()
    plt.close("all")


def test_grey_levels_are_drawn_as_they_are() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    np.testing.assert_array_equal(drawn(show_motion(image)), image)
    plt.close("all")


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 1)])
def test_one_channel_is_drawn_in_grey(shape: tuple[int, ...]) -> None:
    image = torch.zeros(shape)
    image[0, 0] = 4
    ax = show_motion(image)
    rgba = ax.get_images()[0].to_rgba(drawn(ax), bytes=True)
    assert rgba[0, 0].tolist() == [255, 255, 255, 255] and rgba[1, 1].tolist() == [128, 128, 128, 255]
    plt.close("all")


def test_a_notebook_finds_the_figure_and_other_axes_are_used_as_given() -> None:
    plt.close("all")
    ax = show_motion(np.zeros((4, 4, 3)), title="still")
    assert plt.get_fignums() == [ax.figure.number] and ax.get_title() == "still"
    other = Figure().add_subplot()
    assert show_motion(np.zeros((4, 4, 3)), other) is other
    assert len(plt.get_fignums()) == 1
    plt.close("all")


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros((2, 4, 4, 3)), r"shape \(H, W, 3\) or \(H, W\), and this is \(2, 4, 4, 3\)"),
        (np.zeros((3, 4, 4)), "its channels last"),
        (np.full((4, 4, 3), np.inf), "not finite"),
        (np.full((4, 4), "x"), "must be numbers"),
    ],
)
def test_what_cannot_be_drawn_opens_no_figure(image: np.ndarray, says: str) -> None:
    plt.close("all")
    with pytest.raises(LearnetError, match=says):
        show_motion(image)
    assert not plt.get_fignums()
