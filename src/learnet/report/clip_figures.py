"""Pictures of what the library did: the strongest answer to a video, with the face, its motion and the scores side by side; and a clip on
its way to a motion image, step by step.
"""

import textwrap
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from learnet.inference.recogniser import Answer, Recognition
from learnet.motion import MOTION_IMAGES
from learnet.motion.trace import PipelineTrace
from learnet.report.style import CELL, INK, MUTED, RULE, STYLE, save_figure

SHOWN = 7  # frames of a clip that are shown in even steps, the apex beside them
WIDE = 12.0  # inches


def answer_figure(recognition: Recognition) -> Figure:
    """Face crop, motion image and scores of the strongest window; below them what may have spoilt the answer.

    The label's bar is dark and the others are light, so no colour has to be told apart.
    """
    answer, preparation = recognition.strongest, recognition.facts.preparation
    said = textwrap.wrap("  ·  ".join([*answer.warnings, *recognition.warnings]), 160)[:4]
    with mpl.rc_context(STYLE):
        height = max(2.9, 1.25 + 0.3 * len(answer.scores)) + 0.17 * len(said)
        foot = 0.17 * len(said) / height  # room for the warnings
        figure = Figure(
            figsize=(9.2, height),
            layout=ConstrainedLayoutEngine(rect=(0.006, foot, 0.99, 1 - foot), wspace=0.04),
        )
        face, motion, scores = figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
        _image(face, recognition.shown.crop, "Face", "middle frame")
        how = f"{preparation.motion}, {preparation.settled.normalise}" if preparation else ""
        _image(motion, recognition.shown.image, "Motion image", how)
        _scores(scores, answer)
        figure.suptitle(_heading(recognition), x=0.012, ha="left", size=10.5, weight="bold")
        figure.text(
            0.012, 0.06 / height, "\n".join(said), size=7.5, color=MUTED, va="bottom", linespacing=1.35
        )
    return figure


def save_answer(recognition: Recognition, path: Path) -> None:
    """Write `answer_figure` to a .png, .svg or .pdf file; it is there whole or not at all.

    The same answer gives the same bytes, but for the names that matplotlib gives to clipping paths in an .svg.

    Raises:
        BadInput: the suffix names another format.
        OSError: the folder cannot be written, or the disk is full.
    """
    with mpl.rc_context(STYLE):
        save_figure(answer_figure(recognition), path)


def trace_figure(steps: PipelineTrace) -> Figure:
    """A row of frames with onset, apex and offset marked, their crops, the magnified crops if there are any; below them the motion
    image, a panel for each channel with its unit, the network's input, and the course that the apex was found by.
    """
    shown = sorted(
        {
            0,
            steps.apex,
            len(steps.numbers) - 1,
            *np.linspace(0, len(steps.numbers) - 1, SHOWN).round().astype(int).tolist(),
        }
    )
    strips = {"Frames": steps.frames, "Face crops": steps.crops}
    if steps.magnified_crops is not None:
        strips[f"Magnified crops (1 + {steps.preparation.magnify:g} times)"] = steps.magnified_crops
    said = textwrap.wrap("  ·  ".join(steps.notes), 190)[:4]
    heights = [
        _strip_height(pictures, len(shown), first=not place) for place, pictures in enumerate(strips.values())
    ]
    heights.append(3.4 + 0.17 * len(said))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, sum(heights) + 0.4), layout="constrained")
        rows = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        for place, (row, (title, pictures)) in enumerate(zip(rows, strips.items(), strict=False)):
            for axes, position in zip(row.subplots(1, len(shown)), shown, strict=True):
                _image(axes, pictures[position], "", _caption(steps, position) if place == 0 else "")
            row.suptitle(title, x=0.006, ha="left", size=9, weight="bold")
        rows[-1].suptitle("Motion image", x=0.006, ha="left", size=9, weight="bold")
        _draw_motion(rows[-1], steps)
        rows[-1].supxlabel("\n".join(said), x=0.006, ha="left", size=7.5, color=MUTED)
        how = "detected" if steps.apex_detected else "given"
        marks = (
            f"onset {steps.numbers[0]}, apex {steps.numbers[steps.apex]} ({how}), offset {steps.numbers[-1]}"
        )
        figure.suptitle(f"{steps.source}: {marks}", x=0.006, ha="left", size=10.5, weight="bold")
    return figure


def save_trace(steps: PipelineTrace, path: Path) -> None:
    """Write `trace_figure` to a file; as `save_answer`."""
    with mpl.rc_context(STYLE):
        save_figure(trace_figure(steps), path)


def _heading(recognition: Recognition) -> str:
    answer, of = recognition.strongest, len(recognition.ranking)
    place = f"the strongest of {of} windows, " if of > 1 else ""
    time = f"{answer.start_s:.2f} to {answer.end_s:.2f} s, {answer.frames} frames at {recognition.info.fps:.4g} per second"
    return f"{answer.label} ({answer.score:.2f}): {place}{time}"


def _image(axes: Axes, pixels: UInt8[np.ndarray, "H W 3"], title: str, below: str) -> None:
    axes.imshow(pixels, interpolation="nearest")
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(below, size=8)


def _strip_height(pictures: UInt8[np.ndarray, "T h w 3"], columns: int, first: bool) -> float:
    """Inches of a row of pictures; the first row has captions."""
    height, width = pictures.shape[1:3]
    return min(2.2, (WIDE / columns - 0.1) * height / width) + (0.75 if first else 0.35)


def _caption(steps: PipelineTrace, position: int) -> str:
    """Which frame this is, and whether it is one of the three."""
    marks = {0: "onset", steps.apex: "apex", len(steps.numbers) - 1: "offset"}
    return f"{steps.numbers[position]}\n{marks.get(position, '')}"


def _draw_motion(row: SubFigure, steps: PipelineTrace) -> None:
    """The channels, the network's input and the course of the movement, side by side."""
    preparation, motion = steps.preparation, steps.result.motion
    kind = MOTION_IMAGES[preparation.motion]
    *channels, given, curve = row.subplots(1, 5, width_ratios=[1, 1, 1, 0.82, 1.1])
    for place, (axes, name) in enumerate(zip(channels, kind.channels, strict=True)):
        alike = [
            other for other in range(3) if kind.family != "flow" or (other < 2) == (place < 2)
        ]  # channels of the same unit
        limit = float(np.abs(motion[..., alike]).max()) or 1.0
        signed = bool((motion[..., alike] < 0).any())
        look = axes.imshow(
            motion[..., place], cmap="PuOr" if signed else "gray", vmin=-limit if signed else 0, vmax=limit
        )
        axes.set(title=name, xticks=[], yticks=[])
        row.colorbar(look, ax=axes, location="bottom", shrink=0.9, aspect=25, ticks=[-limit, 0, limit] if signed else [0, limit],
                     format=lambda value, _: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")  # fmt: skip
    head = {
        "head motion removed": preparation.steady,
        "head motion removed from flow": preparation.still_flow,
    }
    how = [
        f"{preparation.motion}, {preparation.normalise}",
        f"{preparation.size} x {preparation.size}, 0 to 255",
    ]
    _image(
        given,
        steps.result.image,
        "Network input",
        "\n".join([*how, *(what for what, done in head.items() if done)]),
    )
    curve.plot(steps.numbers, steps.motion_curve, color=INK, linewidth=1.2)
    curve.axvline(steps.numbers[steps.apex], color=CELL, linewidth=2, alpha=0.75)
    curve.text(steps.numbers[steps.apex], 0.02, " apex", transform=curve.get_xaxis_transform(), size=8)
    curve.set(title="Movement", xlabel="frame", ylabel="grey levels", ylim=(0, None), box_aspect=0.8)


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
