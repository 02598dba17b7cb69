"""Matplotlib figures in one style, and their conversion for an HTML page.

Pyplot is not used, so no figure stays open and no global style changes. Words or shapes tell whatever a
colour tells. Colours and settings are those of `core.figure_style`.
"""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave

from learnet.core.figure_style import CELL, DASHED, INK, MUTED, RULE, STYLE
from learnet.core.files import atomic_file
from learnet.core.output_checks import FIGURE, check_suffix

THEME = {INK: "ink", MUTED: "muted", RULE: "rule", CELL: "cell"}
"""Colours of the figures, and the CSS variables that replace them in a page, for light and dark mode."""


@dataclass(frozen=True)
class Interval:
    """One line of an interval plot."""

    label: str
    value: float
    low: float | None = None  # None or NaN: a value without an interval
    high: float | None = None


def confusion_figure(counts: Int[np.ndarray, "K K"], classes: Sequence[str], title: str = "") -> Figure:
    """Draw a confusion matrix; cells show the count and its share of the row, and darken with that share.

    Args:
        counts: rows are the true classes, columns the predictions.
        classes: names in the order of the rows.
        title: heading; none if empty.
    """
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(0.62 * len(classes) + 1.25, 0.5 * len(classes) + 1.15), layout="constrained")
        axes = figure.add_subplot()
        for row, column in np.ndindex(*counts.shape):
            _cell(axes, row, column, int(counts[row, column]), float(share[row, column]), bool(total[row, 0]))
        axes.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5), aspect="auto")
        axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("prediction")
        axes.set_ylabel("truth")
        axes.set_title(title)
    return figure


def interval_figure(
    panels: Mapping[str, Sequence[Interval]], floors: Mapping[str, float] | None = None
) -> Figure:
    """Draw values from 0 to 1 with their intervals, a panel for each measure.

    Args:
        panels: the lines of each measure, top to bottom.
        floors: the score of the majority baseline in each measure; a dashed line.
    """
    lines = sum(map(len, panels.values()))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.7, 0.26 * lines + 0.42 * len(panels) + 0.3), layout="constrained")
        rows = figure.subplots(
            len(panels),
            1,
            sharex=True,
            squeeze=False,
            gridspec_kw={"height_ratios": [len(part) + 0.6 for part in panels.values()]},
        )
        for axes, (name, part) in zip(rows[:, 0], panels.items(), strict=True):
            _interval_panel(axes, part, (floors or {}).get(name))
            axes.set_title(name)
        rows[-1, 0].tick_params(axis="x", length=3)
    return figure


def reliability_figure(bins: pd.DataFrame) -> Figure:
    """Draw a reliability diagram: share of correct predictions against mean score, with the size of each bin
    below.

    Args:
        bins: a row for each bin with the columns from, to, answers, score, right, low, high; shares from 0 to
        1, NaN
            in an empty bin.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.7, 4.4), layout="constrained")
        diagram, sizes = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
        _draw_reliability(diagram, bins)
        _draw_bin_sizes(sizes, bins)
        for axes in (diagram, sizes):
            axes.tick_params(length=0)
            axes.set_axisbelow(True)
    return figure


def _draw_reliability(axes: Axes, bins: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHED)
    axes.text(0.03, 0.96, "too modest", color=MUTED, size=8, ha="left", va="top")
    axes.text(0.97, 0.04, "too sure", color=MUTED, size=8, ha="right", va="bottom")
    for row in bins[bins["answers"] > 0].itertuples():
        interval = [row.low, row.high]
        axes.plot([row.score, row.score], interval, color=CELL, linewidth=4, solid_capstyle="butt")
        axes.plot([row.score], [row.right], marker="o", color=INK, markersize=4.5)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="share right")
    axes.grid(color=RULE, linewidth=0.6)


def _draw_bin_sizes(axes: Axes, bins: pd.DataFrame) -> None:
    centres = (bins["from"] + bins["to"]) / 2
    widths = bins["to"] - bins["from"]
    axes.bar(centres, bins["answers"], width=0.86 * widths, color=CELL)
    for centre, number in zip(centres, bins["answers"], strict=True):
        if number:
            axes.text(centre, number, str(number), ha="center", va="bottom", size=7.5)
    highest = 1.25 * bins["answers"].max()
    axes.set(ylim=(0, highest), xlabel="score of the predicted class", ylabel="predictions")
    axes.set_xticks(np.arange(0, 1.01, 0.2))


def motion_grid(images: UInt8[np.ndarray, "N H W 3"], captions: Sequence[str], columns: int = 6) -> Figure:
    """Draw motion images side by side, each with its caption below.

    Args:
        images: prepared images, RGB 0..255.
        captions: one for each image; line breaks are kept.
        columns: images in a row.
    """
    columns = max(min(columns, len(images)), 1)
    rows = max(-(-len(images) // columns), 1)
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.45 * columns, (1.3 + 0.16 * lines) * rows), layout="constrained")
        for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
            axes.set_axis_off()
            if place < len(images):
                axes.imshow(images[place])
                axes.text(
                    0.5, -0.03, captions[place], transform=axes.transAxes, ha="center", va="top", size=7.5
                )
    return figure


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Return a figure as an `<svg>` element for an HTML page.

    Its colours are CSS variables (THEME), its ids start with `name` so that several figures fit on one page,
    and it refers to nothing outside the page.

    Args:
        figure: a figure of this module.
        name: unique on the page; letters, digits and dashes.
        description: plain text for readers who cannot see the figure.
    """
    file = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(
            file,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = file.getvalue()
    text = re.sub(
        r"<metadata>.*?</metadata>|<style.*?</style>", "", text[text.index("<svg") :], flags=re.DOTALL
    )
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text).replace("xlink:href=", "href=")
    text = text.replace("url(#", f"url(#{name}-")
    for colour, variable in THEME.items():
        text = text.replace(colour, f"var(--{variable})")
    width, height = figure.get_size_inches()  # in the SVG 72 to the inch, on the page 96
    view = f'viewBox="0 0 {72 * width:g} {72 * height:g}" style="max-width: {96 * width:.0f}px"'
    start = f'<svg role="img" aria-label="{_attribute(description)}" {view}>'
    return start + text[text.index(">") + 1 :].strip()


def png_uri(image: UInt8[np.ndarray, "H W 3"], largest: int = 112) -> str:
    """Return an image as a `data:` URI of a PNG.

    Args:
        image: RGB, 0..255.
        largest: maximum height and width in pixels; larger images are averaged down by a whole factor.
    """
    factor = -(-max(image.shape[:2]) // largest)
    if factor > 1:
        height, width = (side // factor for side in image.shape[:2])
        blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
        image = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    file = io.BytesIO()
    imsave(file, image, format="png", metadata={"Software": "learnet"})
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def save_figure(figure: Figure, path: Path, private: bool = False) -> None:
    """Write a figure to a .png, .svg or .pdf file, completely or not at all.

    Args:
        figure: to write.
        path: of the file.
        private: whether other users may not read a new file, because it shows a face.

    Raises:
        BadInput: unsupported suffix.
        OSError: the folder cannot be written, or the disk is full.
    """
    check_suffix(path, FIGURE)
    suffix = path.suffix.lower()
    unsigned = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with atomic_file(path, private=private) as draft, mpl.rc_context(STYLE):
        figure.savefig(draft, format=suffix[1:], dpi=150, metadata=unsigned[suffix], facecolor="white")


def _cell(axes: Axes, row: int, column: int, count: int, share: float, known: bool) -> None:
    """Draw a cell of a confusion matrix; cells on the diagonal have a border, for those who do not see the
    shade."""
    corner = (column - 0.48, row - 0.47)
    on_diagonal = row == column
    shade = mpl.patches.Rectangle(corner, 0.96, 0.94, facecolor=CELL, alpha=share, edgecolor="none")
    axes.add_patch(shade)
    if on_diagonal:
        border = mpl.patches.Rectangle(corner, 0.96, 0.94, fill=False, edgecolor=MUTED, linewidth=0.8)
        axes.add_patch(border)
    weight = "bold" if on_diagonal else "normal"
    axes.text(column, row - 0.03, str(count), ha="center", va="bottom", size=10, weight=weight)
    axes.text(column, row + 0.08, f"{share:.0%}" if known else "–", ha="center", va="top", size=7.5)


def _interval_panel(axes: Axes, lines: Sequence[Interval], floor: float | None) -> None:
    for row, line in enumerate(lines):
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [row, row], color=CELL, linewidth=4, solid_capstyle="butt")
        axes.plot([line.value], [row], marker="o", color=INK, markersize=4.5)
    if floor is not None:
        axes.axvline(floor, color=MUTED, linewidth=1, linestyle=DASHED, zorder=1.5)
    axes.set(xlim=(0, 1), ylim=(len(lines) - 0.5, -0.5))
    axes.set_xticks(np.arange(0, 1.01, 0.2))
    axes.set_yticks(range(len(lines)), [line.label for line in lines])
    axes.tick_params(length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
