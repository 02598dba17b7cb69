"""Figures: what is drawn is what was given, and what goes into the page is safe to put there."""

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet.report import style as figures
from learnet.report.style import Interval, confusion_figure, inline_svg, interval_figure, motion_grid, png_uri

CSS = Path(figures.__file__).parent / "templates" / "report.css"


def test_confusion_matrix_worked_by_hand() -> None:
    """Two of three clips of a and none of b; c has no clip. Shares are of the row, and the shade of a cell is
    its share."""
    axes = confusion_figure(np.array([[2, 1, 0], [4, 0, 0], [0, 0, 0]]), ["a", "b", "c"], "mine").axes[0]
    assert [text.get_text() for text in axes.texts] == [
        "2", "67%", "1", "33%", "0", "0%",
        "4", "100%", "0", "0%", "0", "0%",
        "0", "–", "0", "–", "0", "–",
    ]  # fmt: skip
    shades = [patch.get_alpha() for patch in axes.patches if patch.get_fill()]
    np.testing.assert_allclose(shades, [2 / 3, 1 / 3, 0, 1, 0, 0, 0, 0, 0])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert (axes.get_ylabel(), axes.get_xlabel(), axes.get_title(loc="left")) == (
        "truth",
        "prediction",
        "mine",
    )


def test_the_first_row_is_at_the_top() -> None:
    axes = confusion_figure(np.eye(2, dtype=int), ["a", "b"]).axes[0]
    assert axes.yaxis.get_inverted() and not axes.xaxis.get_inverted()


def test_intervals_lie_where_they_should() -> None:
    panels = {
        "UF1": [Interval("mine", 0.5, 0.4, 0.7), Interval("yours", 0.3)],
        "UAR": [Interval("mine", 0.6, 0.5, 0.7)],
    }
    first, second = interval_figure(panels, {"UF1": 0.1}).axes
    assert [list(line.get_xdata()) for line in first.lines] == [[0.4, 0.7], [0.5], [0.3], [0.1, 0.1]]
    assert [list(line.get_xdata()) for line in second.lines] == [[0.5, 0.7], [0.6]]
    assert [label.get_text() for label in first.get_yticklabels()] == ["mine", "yours"]
    assert first.get_xlim() == (0, 1)


def test_motion_grid_shows_every_image(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    axes = motion_grid(images, [f"clip {i}\ntruth" for i in range(5)], columns=3).axes
    assert len(axes) == 6
    for image, place in zip(images, axes[:5], strict=True):
        np.testing.assert_array_equal(place.images[0].get_array(), image)
    assert [place.texts[0].get_text() for place in axes[:5]] == [f"clip {i}\ntruth" for i in range(5)]


@pytest.mark.parametrize("name", ["$x^{", "<b>&amp;</b>", "learnet – ö", "a_b$c$"])
def test_svg_is_whole_and_names_nothing_outside(name: str) -> None:
    """Read by an XML parser, with names that formula, markup and attribute readers would trip over."""
    text = inline_svg(
        confusion_figure(np.array([[1, 2], [3, 4]]), [name, "b"], f'"{name}"'), "c-0", f'said "{name}"'
    )
    root = ET.fromstring(text)
    assert root.tag == "svg" and root.get("aria-label") == f'said "{name}"'
    assert f'"{name}"' in [element.text for element in root.iter("text")]
    assert not re.search(r"https?:|xlink|<style|<script|<metadata", text)
    assert not [colour for colour in figures.THEME if colour in text], (
        "a colour that does not follow light and dark"
    )


def test_two_svgs_share_no_id() -> None:
    figure = confusion_figure(np.eye(2, dtype=int), ["a", "b"])
    one, two = (inline_svg(figure, name, "") for name in ("one", "two"))
    first, second = ({e.get("id") for e in ET.fromstring(text).iter() if e.get("id")} for text in (one, two))
    assert first and not first & second
    for text, ids in ((one, first), (two, second)):
        assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', text)) <= ids


def test_same_figure_same_bytes() -> None:
    one, two = (inline_svg(confusion_figure(np.eye(3, dtype=int), list("abc")), "x", "") for _ in range(2))
    assert one == two


def decoded(uri: str) -> np.ndarray:
    start = "data:image/png;base64,"
    assert uri.startswith(start)
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri[len(start) :]), np.uint8), cv2.IMREAD_COLOR_RGB)


def test_png_is_the_image_pixel_by_pixel(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (28, 112, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(png_uri(image)), image)


def test_large_images_are_averaged_down(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (230, 200, 3), dtype=np.uint8)
    small = decoded(png_uri(image))
    assert small.shape == (76, 66, 3)  # a whole factor of 3, so that 230 fits in 112
    by_hand = [
        [image[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].reshape(9, 3).mean(axis=0) for x in range(66)]
        for y in range(76)
    ]
    np.testing.assert_allclose(small, by_hand, atol=0.5001)


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(
        np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    )


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_words_stand_out_in_light_and_dark(mode: int) -> None:
    """WCAG 2.2 asks for a contrast of 4.5 (AA); ink must have it on the darkest cell of a confusion matrix as
    well."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS.read_text(), re.DOTALL)
    mine = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", (light, dark)[mode]))
    pairs = [
        ("ink", "paper"),
        ("muted", "paper"),
        ("ink", "cell"),
        ("link", "paper"),
        ("red", "paper"),
        ("good", "paper"),
    ]
    for ink, paper in [
        *pairs,
        ("red", "red-tint"),
        ("amber", "amber-tint"),
        ("amber", "paper"),
        ("ink", "tint"),
    ]:
        assert contrast(mine[ink], mine[paper]) >= 4.5, (ink, paper)


def test_figures_by_themselves_look_like_the_page_in_light() -> None:
    block = re.search(r":root \{(.*?)\}", CSS.read_text(), re.DOTALL)
    assert block
    variables = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block[1]))
    assert all(variables[name] == colour for colour, name in figures.THEME.items())
