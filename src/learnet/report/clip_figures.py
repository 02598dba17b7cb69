"""Figures of one clip: a prediction with face, motion image and scores; and each step from video to network
input."""

import textwrap
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from learnet.core.figure_style import CELL, INK, MUTED, RULE, STYLE
from learnet.inference.action_unit_text import long_text
from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
from learnet.inference.prediction import Prediction
from learnet.inference.recognition import Recognition
from learnet.motion import MOTION_IMAGES
from learnet.motion.trace import PipelineTrace
from learnet.report.style import save_figure

FRAMES_SHOWN = 7  # evenly spaced, in addition to the apex
WIDTH = 12.0  # inches, of a trace
LINE_HEIGHT = 0.17  # inches, of a note below a figure
MAX_NOTE_LINES = 4


def answer_figure(recognition: Recognition) -> Figure:
    """Draw face crop, motion image and scores of the event or window with the highest score.

    Its action units, what they speak for, and the warnings are below. Without any, it is the timeline.

    The bar of the predicted class is dark and the others are light, so that no colour must be distinguished.
    """
    images = recognition.strongest_images
    if images is None:
        return recognition.plot()
    answer = recognition.strongest
    preparation = recognition.metadata.preparation
    units = answer.action_units
    matches = emotions_from_units(units)
    unit_sentences = filter(None, (long_text(units), criteria_sentence(matches)))
    sentences = [*unit_sentences, *answer.warnings, *recognition.warnings]
    notes = textwrap.wrap("  ·  ".join(sentences), 160)[:MAX_NOTE_LINES]
    height = max(2.9, 1.25 + 0.3 * len(answer.scores)) + LINE_HEIGHT * len(notes)
    foot = LINE_HEIGHT * len(notes) / height
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(rect=(0.006, foot, 0.99, 1 - foot), wspace=0.04)
        figure = Figure(figsize=(9.2, height), layout=layout)
        face, motion, scores = figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
        _image(face, images.crop, "Face", "middle frame")
        settings = f"{preparation.motion}, {preparation.settled.normalise}" if preparation else ""
        _image(motion, images.image, "Motion image", settings)
        if answer.scores:
            _scores(scores, answer)
        else:
            scores.set_axis_off()
            scores.text(0.0, 0.5, textwrap.fill(answer.reason, 40), va="center", size=9)
        figure.suptitle(_heading(recognition), x=0.012, ha="left", size=10.5, weight="bold")
        text = figure.text(0.012, 0.06 / height, "\n".join(notes), size=7.5, color=MUTED, va="bottom")
        text.set_linespacing(1.35)
    return figure


def save_answer(recognition: Recognition, path: Path) -> None:
    """Write `answer_figure` to a .png, .svg or .pdf file, completely or not at all.

    The same prediction gives the same bytes, except for the names of clipping paths in an .svg.

    Raises:
        BadInput: unsupported suffix.
        OSError: the folder cannot be written, or the disk is full.
    """
    with mpl.rc_context(STYLE):
        save_figure(answer_figure(recognition), path, private=True)


def trace_figure(trace: PipelineTrace) -> Figure:
    """Draw a clip from its frames to the network input.

    The rows show frames with onset, apex and offset marked, face crops, magnified crops if there are any, and
    last the motion image: each channel with its unit, the network input, and the motion curve.
    """
    last = len(trace.numbers) - 1
    evenly_spaced = np.linspace(0, last, FRAMES_SHOWN).round().astype(int).tolist()
    shown = sorted({0, trace.apex, last, *evenly_spaced})
    strips = {"Frames": trace.frames, "Face crops": trace.crops}
    if trace.magnified_crops is not None:
        strips[f"Magnified crops (1 + {trace.preparation.magnify:g} times)"] = trace.magnified_crops
    notes = textwrap.wrap("  ·  ".join(trace.notes), 190)[:MAX_NOTE_LINES]
    heights: list[float] = []
    for pictures in strips.values():
        caption = 0.35 if heights else 0.75  # only the first row has captions below its pictures
        heights.append(_strip_height(pictures, len(shown)) + caption)
    heights.append(3.4 + LINE_HEIGHT * len(notes))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), layout="constrained")
        rows = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        for row, (title, pictures) in zip(rows, strips.items(), strict=False):
            _draw_strip(row, title, pictures, trace, shown)
        rows[-1].suptitle("Motion image", x=0.006, ha="left", size=9, weight="bold")
        _draw_motion(rows[-1], trace)
        rows[-1].supxlabel("\n".join(notes), x=0.006, ha="left", size=7.5, color=MUTED)
        figure.suptitle(_trace_heading(trace), x=0.006, ha="left", size=10.5, weight="bold")
    return figure


def save_trace(trace: PipelineTrace, path: Path) -> None:
    """Write `trace_figure` to a file, as `save_answer` does."""
    with mpl.rc_context(STYLE):
        save_figure(trace_figure(trace), path, private=True)


def _heading(recognition: Recognition) -> str:
    answer = recognition.strongest
    count = len(recognition.ranking)
    unit = "windows" if recognition.windows else "movements"
    place = f"the strongest of {count} {unit}, " if count > 1 else ""
    time = f"{answer.start_s:.2f} to {answer.end_s:.2f} s"
    frames = f"{answer.frames} frames at {recognition.info.fps:.4g} per second"
    label = answer.label or "not judged"
    if answer.scores:
        label += f" ({answer.score:.2f})"
    return f"{label}: {place}{time}, {frames}"


def _trace_heading(trace: PipelineTrace) -> str:
    first, apex, last = (trace.numbers[index] for index in (0, trace.apex, -1))
    source = "detected" if trace.apex_detected else "given"
    return f"{trace.source}: onset {first}, apex {apex} ({source}), offset {last}"


def _image(axes: Axes, pixels: UInt8[np.ndarray, "H W 3"], title: str, below: str) -> None:
    axes.imshow(pixels, interpolation="nearest")
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(below, size=8)


def _strip_height(pictures: UInt8[np.ndarray, "T h w 3"], columns: int) -> float:
    """Return the height of a row of pictures in inches."""
    height, width = pictures.shape[1:3]
    return min(2.2, (WIDTH / columns - 0.1) * height / width)


def _draw_strip(
    row: SubFigure,
    title: str,
    pictures: UInt8[np.ndarray, "T h w 3"],
    trace: PipelineTrace,
    shown: list[int],
) -> None:
    """Draw pictures side by side; those of the frames have their numbers below."""
    for axes, index in zip(row.subplots(1, len(shown)), shown, strict=True):
        _image(axes, pictures[index], "", _caption(trace, index) if title == "Frames" else "")
    row.suptitle(title, x=0.006, ha="left", size=9, weight="bold")


def _caption(trace: PipelineTrace, index: int) -> str:
    """Return the number of a frame, and whether it is onset, apex or offset."""
    marks = {0: "onset", trace.apex: "apex", len(trace.numbers) - 1: "offset"}
    return f"{trace.numbers[index]}\n{marks.get(index, '')}"


def _draw_motion(row: SubFigure, trace: PipelineTrace) -> None:
    """Draw the channels, the network input and the motion curve side by side."""
    *channels, network_input, curve = row.subplots(1, 5, width_ratios=[1, 1, 1, 0.82, 1.1])
    for index, axes in enumerate(channels):
        _draw_channel(row, axes, trace, index)
    preparation = trace.preparation
    lines = [
        f"{preparation.motion}, {preparation.normalise}",
        f"{preparation.size} x {preparation.size}, 0 to 255",
    ]
    if preparation.stabilise:
        lines.append("head motion removed")
    if preparation.remove_global_motion:
        lines.append("head motion removed from flow")
    _image(network_input, trace.result.image, "Network input", "\n".join(lines))
    apex = trace.numbers[trace.apex]
    curve.plot(trace.numbers, trace.motion_curve, color=INK, linewidth=1.2)
    curve.axvline(apex, color=CELL, linewidth=2, alpha=0.75)
    curve.text(apex, 0.02, " apex", transform=curve.get_xaxis_transform(), size=8)
    curve.set(title="Movement", xlabel="frame", ylabel="grey levels", ylim=(0, None), box_aspect=0.8)


def _draw_channel(row: SubFigure, axes: Axes, trace: PipelineTrace, index: int) -> None:
    """Draw one channel of the motion image; channels of the same unit share their colour scale."""
    kind = MOTION_IMAGES[trace.preparation.motion]
    motion = trace.result.motion
    same_unit = [0, 1, 2]
    if kind.family == "flow":  # u and v in pixels, strain without a unit
        same_unit = [0, 1] if index < 2 else [2]
    limit = float(np.abs(motion[..., same_unit]).max()) or 1.0
    is_signed = bool((motion[..., same_unit] < 0).any())
    lowest = -limit if is_signed else 0
    colours = "PuOr" if is_signed else "gray"
    picture = axes.imshow(motion[..., index], cmap=colours, vmin=lowest, vmax=limit)
    axes.set(title=kind.channels[index], xticks=[], yticks=[])
    bar = row.colorbar(picture, ax=axes, location="bottom", shrink=0.9, aspect=25, format=_tick_label)
    bar.set_ticks([-limit, 0, limit] if is_signed else [0, limit])


def _tick_label(value: float, _: object) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _scores(axes: Axes, answer: Prediction) -> None:
    """Draw a bar for each class, in the order of the network, with its probability."""
    classes = list(answer.scores)
    for row, (name, score) in enumerate(answer.scores.items()):
        chosen = name == answer.label
        axes.barh(row, score, height=0.62, color=INK if chosen else CELL, alpha=1.0 if chosen else 0.75)
        weight = "bold" if chosen else "normal"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.text(score + 0.015, row, f"{score:.2f}", va="center", size=8.5, weight=weight, bbox=box)
    axes.set(xlim=(0, 1.12), ylim=(len(classes) - 0.4, -0.6))
    axes.set_xticks(np.arange(0, 1.01, 0.25))
    axes.set_yticks(range(len(classes)), classes)
    for tick, name in zip(axes.get_yticklabels(), classes, strict=True):
        tick.set_fontweight("bold" if name == answer.label else "normal")
    axes.tick_params(length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_title("Scores")
    axes.set_xlabel("probability among these classes", size=8)
