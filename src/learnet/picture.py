"""The strongest answer to a video as one picture: the face, what the network saw of its motion, and the scores side by side."""

import os
import textwrap
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from learnet.errors import BadInput
from learnet.figures import CELL, INK, MUTED, RULE, STYLE
from learnet.predict import Answer, Recognition

SUFFIXES = (".png", ".svg", ".pdf")


def answer_figure(recognition: Recognition) -> Figure:
    """Face crop, motion image and scores of the strongest window; below them what may have spoilt the answer.

    The label's bar is dark and the others are light, so no colour has to be told apart.
    """
    answer, preparation = recognition.strongest, recognition.facts.preparation
    said = textwrap.wrap("  ·  ".join([*answer.warnings, *recognition.warnings]), 160)[:4]
    with mpl.rc_context(STYLE):
        height = max(2.9, 1.25 + 0.3 * len(answer.scores)) + 0.17 * len(said)
        foot = 0.17 * len(said) / height  # room for the warnings
        figure = Figure(figsize=(9.2, height), layout=ConstrainedLayoutEngine(rect=(0.006, foot, 0.99, 1 - foot), wspace=0.04))
        face, motion, scores = figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
        _image(face, recognition.shown.crop, "Face", "middle frame")
        how = f"{preparation.motion}, {preparation.normalise}" if preparation else ""
        _image(motion, recognition.shown.image, "Motion image", how)
        _scores(scores, answer)
        figure.suptitle(_heading(recognition), x=0.012, ha="left", size=10.5, weight="bold")
        figure.text(0.012, 0.06 / height, "\n".join(said), size=7.5, color=MUTED, va="bottom", linespacing=1.35)
    return figure


def save_answer(recognition: Recognition, path: Path) -> None:
    """Write `answer_figure` to a .png, .svg or .pdf file; it is there whole or not at all.

    The same answer gives the same bytes, but for the names that matplotlib gives to clipping paths in an .svg.

    Raises:
        BadInput: the suffix names another format.
        OSError: the folder cannot be written, or the disk is full.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(path, f"{path.suffix or 'no suffix'} is no format for a picture", f"Choose from {', '.join(SUFFIXES)}.")
    unsigned = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with mpl.rc_context(STYLE):
            answer_figure(recognition).savefig(part, format=suffix[1:], dpi=150, metadata=unsigned[suffix], facecolor="white")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _heading(recognition: Recognition) -> str:
    answer, of = recognition.strongest, len(recognition.ranking)
    place = f"the strongest of {of} windows, " if of > 1 else ""
    time = f"{answer.start_s:.2f} to {answer.end_s:.2f} s, {answer.frames} frames at {recognition.info.fps:.4g} per second"
    return f"{answer.label} ({answer.score:.2f}): {place}{time}"


def _image(axes: Axes, pixels: UInt8[np.ndarray, "S S 3"], title: str, below: str) -> None:
    axes.imshow(pixels, interpolation="nearest")
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(below, size=8)


def _scores(axes: Axes, answer: Answer) -> None:
    """A bar for each class in the order of the network, its probability behind it."""
    for place, (name, score) in enumerate(answer.scores.items()):
        chosen = name == answer.label
        axes.barh(place, score, height=0.62, color=INK if chosen else CELL, alpha=1.0 if chosen else 0.75)
        axes.text(
            score + 0.015,
            place,
            f"{score:.2f}",
            va="center",
            size=8.5,
            weight="bold" if chosen else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    axes.set(xlim=(0, 1.12), ylim=(len(answer.scores) - 0.4, -0.6))
    axes.set_xticks(np.arange(0, 1.01, 0.25))
    axes.set_yticks(range(len(answer.scores)), list(answer.scores))
    for tick, name in zip(axes.get_yticklabels(), answer.scores, strict=True):
        tick.set_fontweight("bold" if name == answer.label else "normal")
    axes.tick_params(length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_title("Scores")
    axes.set_xlabel("probability among these classes", size=8)
