"""Numbers to pictures in one style: matplotlib figures that a caller may restyle, and how they enter an HTML page.

Nothing here touches pyplot, so no figure stays open and no global style changes. The colours are told apart by people with any
colour vision: one blue whose strength says how much, words or shapes for everything else.
"""

import base64
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave

from learnet.core.errors import BadInput

SUFFIXES = (".png", ".svg", ".pdf")
INK, MUTED, RULE, CELL = "#15191e", "#5c6670", "#d5dae0", "#5b9bd5"
THEME = {INK: "ink", MUTED: "muted", RULE: "rule", CELL: "cell"}
"""Colours of every figure, and the page's CSS variable that takes the place of each, so that a figure follows light and dark."""

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
    "text.parse_math": False,  # a study may be called "$5"
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and set in the page's font
    "svg.hashsalt": "learnet",  # the same figure gives the same bytes
}


@dataclass(frozen=True)
class Interval:
    """One line of an interval plot."""

    label: str
    value: float
    low: float | None = None  # None or NaN: a value without an interval
    high: float | None = None


def confusion_figure(counts: Int[np.ndarray, "K K"], classes: Sequence[str], title: str = "") -> Figure:
    """Confusion matrix: each cell has the count and its share of the row, and the darker the larger that share.

    Args:
        counts: rows are the true classes, columns the answers.
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
        axes.set_xlabel("answer")
        axes.set_ylabel("truth")
        axes.set_title(title)
    return figure


def interval_figure(
    panels: Mapping[str, Sequence[Interval]], floors: Mapping[str, float] | None = None
) -> Figure:
    """Values from 0 to 1 with their intervals, a panel for each measure, one below the other.

    Args:
        panels: the lines of each measure, top to bottom.
        floors: for each measure, the score of an answer without learning; a dashed line.
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
    """Share of right answers against their mean score, a dot for each bin, with how many answers the bin has below.

    Args:
        bins: a row for each bin with the columns from, to, answers, score, right, low, high; shares from 0 to 1, NaN in an empty bin.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.7, 4.4), layout="constrained")
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 2)))
        for x, y, side, words in ((0.03, 0.96, "left", "too modest"), (0.97, 0.04, "right", "too sure")):
            axes.text(x, y, words, color=MUTED, size=8, ha=side, va="top" if side == "left" else "bottom")
        for row in bins[bins["answers"] > 0].itertuples():
            axes.plot(
                [row.score, row.score], [row.low, row.high], color=CELL, linewidth=4, solid_capstyle="butt"
            )
            axes.plot([row.score], [row.right], marker="o", color=INK, markersize=4.5)
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="share right")
        axes.grid(color=RULE, linewidth=0.6)
        middle, width = (bins["from"] + bins["to"]) / 2, bins["to"] - bins["from"]
        below.bar(middle, bins["answers"], width=0.86 * width, color=CELL)
        for x, number in zip(middle, bins["answers"], strict=True):
            below.text(x, number, f"{number}" if number else "", ha="center", va="bottom", size=7.5)
        below.set(
            ylim=(0, 1.25 * bins["answers"].max()), xlabel="score of the class answered", ylabel="answers"
        )
        below.set_xticks(np.arange(0, 1.01, 0.2))
        for one in (axes, below):
            one.tick_params(length=0)
            one.set_axisbelow(True)
    return figure


def motion_grid(images: UInt8[np.ndarray, "N H W 3"], captions: Sequence[str], columns: int = 6) -> Figure:
    """Motion images side by side, each above its caption, in the order given.

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
    """A figure as an `<svg>` element for an HTML page.

    Its colours are the page's CSS variables (THEME), its ids start with NAME so that several figures fit on one page, and it
    names no address outside the page.

    Args:
        figure: a figure of this module.
        name: unique on the page; letters, digits and dashes.
        description: what a reader who cannot see the figure should know; plain text.
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
    """An image as a `data:` address holding a PNG of at most LARGEST pixels a side; larger ones are averaged down by a whole factor."""
    factor = -(-max(image.shape[:2]) // largest)
    if factor > 1:
        height, width = (side // factor for side in image.shape[:2])
        blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
        image = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    file = io.BytesIO()
    imsave(file, image, format="png", metadata={"Software": "learnet"})
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure to a .png, .svg or .pdf file; it is there whole or not at all.

    Raises:
        BadInput: the suffix names another format.
        OSError: the folder cannot be written, or the disk is full.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(
            path,
            f"{path.suffix or 'no suffix'} is no format for a picture",
            f"Choose from {', '.join(SUFFIXES)}.",
        )
    unsigned = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with mpl.rc_context(STYLE):
            figure.savefig(part, format=suffix[1:], dpi=150, metadata=unsigned[suffix], facecolor="white")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _cell(axes: Axes, row: int, column: int, count: int, share: float, known: bool) -> None:
    box = mpl.patches.Rectangle(
        (column - 0.48, row - 0.47), 0.96, 0.94, facecolor=CELL, alpha=share, edgecolor="none"
    )
    axes.add_patch(box)
    if row == column:  # the right answers, for those who do not see the shade
        axes.add_patch(
            mpl.patches.Rectangle(
                (column - 0.48, row - 0.47), 0.96, 0.94, fill=False, edgecolor=MUTED, linewidth=0.8
            )
        )
    axes.text(
        column,
        row - 0.03,
        str(count),
        ha="center",
        va="bottom",
        size=10,
        weight="bold" if row == column else "normal",
    )
    axes.text(column, row + 0.08, f"{share:.0%}" if known else "–", ha="center", va="top", size=7.5)


def _interval_panel(axes: Axes, part: Sequence[Interval], floor: float | None) -> None:
    for place, line in enumerate(part):
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [place, place], color=CELL, linewidth=4, solid_capstyle="butt")
        axes.plot([line.value], [place], marker="o", color=INK, markersize=4.5)
    if floor is not None:
        axes.axvline(floor, color=MUTED, linewidth=1, linestyle=(0, (3, 2)), zorder=1.5)
    axes.set(xlim=(0, 1), ylim=(len(part) - 0.5, -0.5))
    axes.set_xticks(np.arange(0, 1.01, 0.2))
    axes.set_yticks(range(len(part)), [line.label for line in part])
    axes.tick_params(length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
