"""Figure of a clip over time: frames, their weights in the motion image, movement, and predictions."""

import textwrap
from typing import Literal

import matplotlib as mpl
import numpy as np
from jaxtyping import Float32, Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from learnet.core.figure_style import CELL, CLASS_COLOURS, INK, MUTED, RULE, STYLE
from learnet.report.explain.background import Background, coarsen, draw_average_face
from learnet.report.explain.explanation_figure import ExplanationFigure
from learnet.report.explain.face_regions import FacePlacement, face_placement
from learnet.report.explain.temporal import TemporalExplanation

Strip = Literal["change", "faces", "lines"]

WIDTH, LEFT, RIGHT = (
    11.0,
    0.75,
    1.5,
)  # inches: of the figure and of its margins (class names are on the right)
GAP, TOP, BOTTOM = 0.4, 0.85, 0.6  # inches: between rows, above and below them
NOTE_HEIGHT = 0.16  # inches per line
MAX_NOTES = 3
MAX_TITLE = 140  # characters of the action units in the title
UNITS_HEIGHT = 0.17  # inches of their line
PICTURES = 11  # in the strip
STRIP_HEIGHT = (WIDTH - LEFT - RIGHT) / PICTURES  # the pictures are square
ROW_HEIGHTS = {"strip": STRIP_HEIGHT, "weights": 1.0, "movement": 1.35, "predictions": 1.9}  # inches
STRIP_CAPTIONS = {
    "faces": "",
    "change": "change since the onset: grey where nothing changes",
    "lines": "change since the onset, over the average face",
}


def temporal_figure(clip: TemporalExplanation, strip: Strip = "change") -> ExplanationFigure:
    """Draw a clip over time, with seconds below and frame numbers above.

    Args:
        clip: result of `temporal.explain_temporal`.
        strip: "change" draws the difference of each frame from the onset, "faces" the faces, and "lines"
            the absolute difference in coarse cells over the average face, which shows nothing of the
            person.

    Returns:
        The table of `TemporalExplanation.table`.
    """
    notes = clip.notes[:MAX_NOTES]
    bottom = BOTTOM + NOTE_HEIGHT * len(notes)
    top = TOP + UNITS_HEIGHT * bool(clip.units_text)
    height = sum(ROW_HEIGHTS.values()) + GAP * (len(ROW_HEIGHTS) - 1) + top + bottom
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))
        axes = _add_rows(figure, top)
        _draw_strip(axes["strip"], clip, strip)
        _draw_weights(axes["weights"], clip)
        _draw_movement(axes["movement"], clip)
        _draw_predictions(axes["predictions"], clip)
        _draw_time_axes(axes, clip)
        figure.suptitle(_title(clip), x=0.01, y=1 - 0.1 / height, ha="left", va="top", size=10, weight="bold")
        figure.text(0.01, 0.06 / height, "\n".join(notes), size=7.5, color=MUTED, va="bottom")
    return ExplanationFigure(figure, clip.table())


def _add_rows(figure: Figure, above: float) -> dict[str, Axes]:
    """Add the axes of all rows, from top to bottom, with so many inches above them."""
    figure_height = figure.get_figheight()
    left, width = LEFT / WIDTH, (WIDTH - LEFT - RIGHT) / WIDTH
    axes = {}
    top = figure_height - above
    for name, height in ROW_HEIGHTS.items():
        bottom = (top - height) / figure_height
        axes[name] = figure.add_axes((left, bottom, width, height / figure_height))
        top -= height + GAP
    return axes


def _title(clip: TemporalExplanation) -> str:
    start, end = (clip.frame_numbers[position] for position in clip.window)
    decision = clip.decisions[clip.chosen]
    period = f"from frame {start} to {end}" if clip.grows else f"in the strongest window, {start} to {end}"
    prediction = f"{decision.label or 'not judged'} {period}: {decision.reason}"
    if clip.predicted[clip.chosen]:
        score = clip.scores[clip.chosen].max()
        prediction = f"{clip.network} predicts {decision.label} ({score:.2f}) {period}"
    lines = [f"{clip.name}: {prediction}", f"{clip.motion}, {clip.fps:.4g} frames per second"]
    if clip.units_text:
        lines.insert(1, textwrap.shorten(clip.units_text, MAX_TITLE, placeholder=" …"))
    return "\n".join(lines)


def _draw_strip(axes: Axes, clip: TemporalExplanation, strip: Strip) -> None:
    """Draw pictures of equal parts of the time side by side, each of the frame in the middle of its part."""
    edges = np.linspace(*_time_limits(clip), PICTURES + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    positions = [int(np.abs(clip.times_s - middle).argmin()) for middle in middles]
    boxes = []
    for left, right in zip(edges[:-1], edges[1:], strict=True):
        boxes.append(axes.inset_axes((left, 0, right - left, 1), transform=axes.transData))

    onset = clip.crops[clip.position("onset")].astype(np.float32)
    change = clip.crops[positions].astype(np.float32) - onset
    if strip == "faces":
        for box, position in zip(boxes, positions, strict=True):
            box.imshow(clip.crops[position])
    elif strip == "change":
        _draw_changes(boxes, change)
    else:
        placement = face_placement("given" if clip.cropped else "found", clip.crops.shape[1])
        _draw_coarse_changes(boxes, change, placement)

    for box in boxes:
        box.set(xticks=[], yticks=[])
        box.spines[:].set(visible=True, color="white", linewidth=1)
    axes.set(ylim=(0, 1), yticks=[])
    axes.spines[:].set_visible(False)
    axes.text(0, -0.03, STRIP_CAPTIONS[strip], transform=axes.transAxes, size=7.5, color=MUTED, va="top")


def _draw_changes(boxes: list[Axes], change: Float32[np.ndarray, "P Z Z 3"]) -> None:
    """Draw changes as grey levels around mid-grey, on one scale."""
    limit = float(np.percentile(np.abs(change), 99.8)) or 1.0
    for box, difference in zip(boxes, change, strict=True):
        grey = 0.5 + 0.5 * np.clip(difference.mean(axis=-1) / limit, -1, 1)
        box.imshow(grey, cmap="gray", vmin=0, vmax=1)


def _draw_coarse_changes(
    boxes: list[Axes], change: Float32[np.ndarray, "P Z Z 3"], placement: FacePlacement | None
) -> None:
    """Draw absolute changes in coarse cells over the average face, on one scale."""
    background = Background(None, placement)
    limit = max(float(coarsen(np.abs(difference).mean(axis=-1)).max()) for difference in change) or 1.0
    for box, difference in zip(boxes, change, strict=True):
        draw_average_face(box, placement)
        background.draw_map(box, np.abs(difference).mean(axis=-1), limit, signed=False)


def _draw_weights(axes: Axes, clip: TemporalExplanation) -> None:
    """Draw the weight of each frame, or the two frames that are compared where there are no weights."""
    axes.set_title("Weight of each frame in the motion image")
    axes.axhline(0, color=MUTED, linewidth=0.8)
    if clip.weights is not None:
        axes.bar(clip.times_s, clip.weights, width=0.8 / clip.fps, color=CELL)
        limit = float(np.abs(clip.weights).max()) * 1.1
        axes.set(ylim=(-limit, limit))
        return
    start_s, apex_s = clip.times_s[clip.window[0]], clip.times_s[clip.apex]
    axes.plot([start_s, apex_s], [0, 0], color=INK, marker="o", markersize=4.5, linewidth=1.2)
    caption = f"{clip.motion} has no frame weights"
    if clip.motion.startswith("flow"):
        caption += ": it compares the two marked frames"
    axes.text(0.5, 0.85, caption, transform=axes.transAxes, size=8, ha="center", va="top", color=MUTED)
    axes.set(ylim=(-1, 1), yticks=[])


def _draw_movement(axes: Axes, clip: TemporalExplanation) -> None:
    """Draw the movement, and the names of the key frames above it."""
    axes.set_title("Movement, grey levels")
    axes.plot(clip.times_s, clip.movement, color=INK, linewidth=1.3)
    axes.set(ylim=(0, 1.42 * float(clip.movement.max()) or 1.0))
    first, last = _time_limits(clip)
    end_of_previous = -np.inf
    by_frame = sorted(clip.key_frames.items(), key=lambda item: item[1].frame)
    for row, (name, key_frame) in enumerate(by_frame):
        time_s = clip.times_s[clip.position(name)]
        known = key_frame.source in ("file", "given")
        label = name if known else f"{name}, {key_frame.source}"
        width = 0.0085 * len(label) * (last - first)  # an estimate, to keep the labels apart
        level = 0.97 if time_s > end_of_previous else 0.97 - 0.13 * row
        at_border = time_s + width > last
        axes.text(
            time_s,
            level,
            f"{label} " if at_border else f" {label}",
            transform=axes.get_xaxis_transform(),
            size=8,
            va="top",
            ha="right" if at_border else "left",
        )
        end_of_previous = max(end_of_previous, time_s + width)


def _draw_predictions(axes: Axes, clip: TemporalExplanation) -> None:
    """Draw the probability of each class over the end of the window; the predicted class is bold."""
    start_s = clip.times_s[clip.starts[0]]
    length_s = (clip.ends[0] - clip.starts[0] + 1) / clip.fps
    window = f"it begins at {start_s:.3g} s" if clip.grows else f"it is {length_s:.2g} s long"
    axes.set_title(f"Probability of each class, over the end of the window ({window})")
    times_s = clip.times_s[clip.ends]
    predicted = np.where(clip.predicted, np.nan_to_num(clip.scores).argmax(axis=1), -1)
    for index in range(len(clip.classes)):
        colour, scores = CLASS_COLOURS[index % len(CLASS_COLOURS)], clip.scores[:, index]
        bold = np.where(predicted == index, scores, np.nan)
        axes.plot(times_s, scores, color=colour, linewidth=1.0)
        axes.plot(times_s, bold, color=colour, linewidth=3.2, solid_capstyle="butt")
    axes.set(ylim=(-0.02, 1.02), yticks=np.arange(0, 1.01, 0.25))
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    if clip.predicted.any():
        _label_lines(axes, clip)


def _label_lines(axes: Axes, clip: TemporalExplanation) -> None:
    """Write the name and the last score of each class at the right end of its line."""
    last = clip.scores[np.flatnonzero(clip.predicted)[-1]]
    ascending = np.argsort(last)
    levels = _spread_levels(last[ascending], 0.11)
    transform = axes.get_yaxis_transform()

    for index, level in zip(ascending, levels, strict=True):
        colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
        axes.plot(
            [1.008, 1.035], [level, level], transform=transform, color=colour, linewidth=2, clip_on=False
        )

        label = f"{clip.classes[index]} {last[index]:.2f}"
        weight = "bold" if index == ascending[-1] else "normal"
        axes.text(1.042, level, label, transform=transform, size=8, va="center", weight=weight)


def _spread_levels(levels: Float64[np.ndarray, "K"], distance: float) -> Float64[np.ndarray, "K"]:
    """Move ascending levels apart, to at least `distance` and up to 1; the lowest may become negative."""
    placed = levels.astype(float).copy()
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + distance)
    if placed[-1] > 1:
        placed[-1] = 1
        for i in range(len(placed) - 2, -1, -1):
            placed[i] = min(placed[i], placed[i + 1] - distance)
    return placed


def _draw_time_axes(axes: dict[str, Axes], clip: TemporalExplanation) -> None:
    """Draw one time axis for all rows: seconds below the last, frame numbers above the first."""
    start, end = clip.window
    for name, row in axes.items():
        row.set_xlim(_time_limits(clip))
        row.tick_params(axis="x", length=0, labelbottom=name == "predictions")
        if name == "strip":
            continue

        row.axvspan(clip.times_s[start], clip.times_s[end], color=RULE, alpha=0.28, linewidth=0, zorder=0)
        for mark in clip.key_frames:
            time_s = clip.times_s[clip.position(mark)]
            row.axvline(time_s, color=CELL, linewidth=1.2, alpha=0.8, zorder=0.5)

    axes["predictions"].set_xlabel("seconds; the window of the motion image above is shaded")
    frame_axis = axes["strip"].secondary_xaxis("top")
    numbers = _round_frame_numbers(clip.frame_numbers[0], clip.frame_numbers[-1])
    times_s = [(number - clip.frame_numbers[0]) / clip.fps for number in numbers]

    frame_axis.set_xticks(times_s, list(map(str, numbers)))
    frame_axis.tick_params(length=0, labelsize=8)
    frame_axis.spines["top"].set_visible(False)
    frame_axis.set_xlabel("frame", size=8)


def _time_limits(clip: TemporalExplanation) -> tuple[float, float]:
    """Return the limits of the time axis: half a frame before the first and after the last frame."""
    half_s = 0.5 / clip.fps
    return -half_s, float(clip.times_s[-1]) + half_s


def _round_frame_numbers(first: int, last: int) -> list[int]:
    """Return about eight multiples of 1, 2 or 5 times a power of ten between two frame numbers."""
    steps = np.outer(10 ** np.arange(7), [1, 2, 5]).ravel()
    step = int(steps[steps >= (last - first) // 8].min())
    return list(range(-(-first // step) * step, last + 1, step))
