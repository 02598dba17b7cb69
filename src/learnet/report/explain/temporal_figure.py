"""A clip over time as a figure: its frames, their weights in the motion image, the movement, and the answer as the window's end moves."""

from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from learnet.report.explain.activation_figures import ExplanationFigure
from learnet.report.explain.background import Background, coarsen, draw_average_face
from learnet.report.explain.face_regions import face_placement
from learnet.report.explain.temporal import TemporalExplanation
from learnet.report.style import CELL, INK, MUTED, RULE, STYLE

Strip = Literal["change", "faces", "lines"]

WIDE, LEFT, RIGHT = (
    11.0,
    0.75,
    1.5,
)  # inches: of the figure, of its margins (names of classes stand in the right one)
PICTURES = 11  # in the strip
ROWS = {
    "strip": 0.0,
    "weights": 1.0,
    "movement": 1.35,
    "answer": 1.9,
}  # inches; a strip is as high as its pictures are wide
GAP, HEAD, FOOT = 0.4, 0.85, 0.6  # inches between rows, above and below them
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Of the classes, told apart with any colour vision (Okabe and Ito, Color Universal Design, 2008); the names stand at the lines' ends."""


def temporal_figure(seen: TemporalExplanation, strip: Strip = "change") -> ExplanationFigure:
    """A clip over time, in seconds below and frames above.

    Args:
        seen: what was found.
        strip: "change" draws how each frame differs from the onset, "faces" the faces, and "lines" where it differs, in coarse squares
            over the average face, so that nothing of the person is to be seen.

    Returns:
        The table of `TemporalExplanation.table`.
    """
    square = (WIDE - LEFT - RIGHT) / PICTURES
    heights = ROWS | {"strip": square}
    foot = FOOT + 0.16 * len(seen.notes[:3])
    high = sum(heights.values()) + GAP * (len(heights) - 1) + HEAD + foot
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, high))
        axes, top = {}, high - HEAD
        for name, height in heights.items():
            place = (LEFT / WIDE, (top - height) / high, (WIDE - LEFT - RIGHT) / WIDE, height / high)
            axes[name] = figure.add_axes(place)
            top -= height + GAP
        _draw_strip(axes["strip"], seen, strip)
        _draw_weights(axes["weights"], seen)
        _draw_movement(axes["movement"], seen)
        _draw_answers(axes["answer"], seen)
        _share_time(axes, seen)
        figure.suptitle(_title(seen), x=0.01, y=1 - 0.1 / high, ha="left", va="top", size=10, weight="bold")
        figure.text(0.01, 0.06 / high, "\n".join(seen.notes[:3]), size=7.5, color=MUTED, va="bottom")
    return ExplanationFigure(figure, seen.table())


def _title(seen: TemporalExplanation) -> str:
    start, end = (seen.numbers[place] for place in seen.window)
    label, score = seen.labels[seen.chosen], seen.scores[seen.chosen].max()
    which = "to" if seen.grows else "in the strongest window,"
    answer = (
        f"{seen.network} answers {label} ({score:.2f}) {which} frames {start} to {end}"
        if label
        else "no answer"
    )
    return f"{seen.name}: {answer}\n{seen.motion}, {seen.fps:.4g} frames per second"


def _draw_strip(axes: Axes, seen: TemporalExplanation, strip: Strip) -> None:
    """Pictures of even stretches of time side by side, each of the frame in the middle of its stretch."""
    edges = np.linspace(*_span(seen), PICTURES + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    chosen = [int(np.abs(seen.times_s - middle).argmin()) for middle in middles]
    onset = seen.crops[seen.numbers.index(seen.marks["onset"].frame)].astype(np.float32)
    change = seen.crops[chosen].astype(np.float32) - onset
    limit = float(np.percentile(np.abs(change), 99.8)) or 1.0
    words = {
        "faces": "",
        "change": "change since the onset: grey where nothing changes",
        "lines": "change since the onset, over the average face",
    }
    where = face_placement("given" if seen.owners else "found", seen.crops.shape[1])
    coarsest = float(max(coarsen(np.abs(one).mean(axis=-1)).max() for one in change)) or 1.0
    for place, (left, right) in enumerate(zip(edges, edges[1:], strict=False)):
        box = axes.inset_axes((left, 0, right - left, 1), transform=axes.transData)
        if strip == "faces":
            box.imshow(seen.crops[chosen[place]])
        elif strip == "change":
            grey = 0.5 + 0.5 * np.clip(change[place].mean(axis=-1) / limit, -1, 1)
            box.imshow(grey, cmap="gray", vmin=0, vmax=1)
        else:
            draw_average_face(box, where)
            Background(None, where).draw_map(box, np.abs(change[place]).mean(axis=-1), coarsest, signed=False)
        box.set(xticks=[], yticks=[])
        box.spines[:].set(visible=True, color="white", linewidth=1)
    axes.set(ylim=(0, 1), yticks=[])
    axes.spines[:].set_visible(False)
    axes.text(0, -0.03, words[strip], transform=axes.transAxes, size=7.5, color=MUTED, va="top")


def _draw_weights(axes: Axes, seen: TemporalExplanation) -> None:
    axes.set_title("Weight of each frame in the motion image")
    axes.axhline(0, color=MUTED, linewidth=0.8)
    if seen.weights is None:
        start = seen.times_s[seen.window[0]]
        axes.plot(
            [start, seen.times_s[seen.apex]], [0, 0], color=INK, marker="o", markersize=4.5, linewidth=1.2
        )
        said = f"{seen.motion} weighs no frames" + (
            ": it compares these two" if seen.motion.startswith("flow") else ""
        )
        axes.text(0.5, 0.85, said, transform=axes.transAxes, size=8, ha="center", va="top", color=MUTED)
        axes.set(ylim=(-1, 1), yticks=[])
        return
    axes.bar(seen.times_s, seen.weights, width=0.8 / seen.fps, color=CELL)
    limit = float(np.abs(seen.weights).max()) * 1.1
    axes.set(ylim=(-limit, limit))


def _draw_movement(axes: Axes, seen: TemporalExplanation) -> None:
    axes.set_title("Movement, grey levels")
    axes.plot(seen.times_s, seen.movement, color=INK, linewidth=1.3)
    limit = 1.42 * float(seen.movement.max()) or 1.0
    axes.set(ylim=(0, limit))
    last_right = -np.inf
    for row, (name, mark) in enumerate(sorted(seen.marks.items(), key=lambda one: one[1].frame)):
        time = seen.times_s[seen.numbers.index(mark.frame)]
        said = name if mark.source in ("file", "given") else f"{name}, {mark.source}"
        first, last = _span(seen)
        wide = 0.0085 * len(said) * (last - first)
        level = 0.97 if time > last_right else 0.97 - 0.13 * row
        at_right = time + wide > last
        axes.text(time, level, f"{said} " if at_right else f" {said}", transform=axes.get_xaxis_transform(), size=8, va="top",
                  ha="right" if at_right else "left")  # fmt: skip
        last_right = max(last_right, time + wide)


def _draw_answers(axes: Axes, seen: TemporalExplanation) -> None:
    first = seen.times_s[seen.starts[0]]
    long = (seen.ends[0] - seen.starts[0] + 1) / seen.fps
    begin = f"it begins at {first:.3g} s" if seen.grows else f"it is {long:.2g} s long"
    axes.set_title(f"Probability of each class, over the end of the window ({begin})")
    times = seen.times_s[seen.ends]
    best = np.where(seen.answered, np.nan_to_num(seen.scores).argmax(axis=1), -1)
    for place in range(len(seen.classes)):
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(times, seen.scores[:, place], color=colour, linewidth=1.0)
        axes.plot(
            times,
            np.where(best == place, seen.scores[:, place], np.nan),
            color=colour,
            linewidth=3.2,
            solid_capstyle="butt",
        )
    axes.set(ylim=(-0.02, 1.02), yticks=np.arange(0, 1.01, 0.25))
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    final = seen.scores[int(np.nonzero(seen.answered)[0][-1])]
    for (rank, place), level in zip(enumerate(np.argsort(final)), _apart(np.sort(final), 0.11), strict=True):
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(
            [1.008, 1.035],
            [level, level],
            transform=axes.get_yaxis_transform(),
            color=colour,
            linewidth=2,
            clip_on=False,
        )
        axes.text(1.042, level, f"{seen.classes[place]} {final[place]:.2f}", transform=axes.get_yaxis_transform(), size=8, va="center",
                  weight="bold" if rank == len(final) - 1 else "normal")  # fmt: skip


def _apart(levels: Float64[np.ndarray, "K"], least: float) -> Float64[np.ndarray, "K"]:
    """Ascending levels moved up and down as little as it takes to lie LEAST apart, inside 0..1 as far as there is room."""
    placed = levels.astype(float).copy()
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + least)
    if (over := placed[-1] - 1) > 0:
        placed[-1] -= over
        for i in range(len(placed) - 2, -1, -1):
            placed[i] = min(placed[i], placed[i + 1] - least)
    return placed


def _share_time(axes: dict[str, Axes], seen: TemporalExplanation) -> None:
    """One axis of time for all rows: seconds below the last, frames above the first, the marks through all of them."""
    for name, each in axes.items():
        each.set_xlim(_span(seen))
        each.tick_params(axis="x", length=0, labelbottom=name == "answer")
        if name == "strip":
            continue
        each.axvspan(
            *(seen.times_s[place] for place in seen.window), color=RULE, alpha=0.28, linewidth=0, zorder=0
        )
        for mark in seen.marks.values():
            each.axvline(
                seen.times_s[seen.numbers.index(mark.frame)], color=CELL, linewidth=1.2, alpha=0.8, zorder=0.5
            )
    axes["answer"].set_xlabel("seconds; the shaded part is what the weights above belong to")
    above = axes["strip"].secondary_xaxis("top")
    frames = _round_numbers(seen.numbers)
    above.set_xticks([(number - seen.numbers[0]) / seen.fps for number in frames], list(map(str, frames)))
    above.tick_params(length=0, labelsize=8)
    above.spines["top"].set_visible(False)
    above.set_xlabel("frame", size=8)


def _span(seen: TemporalExplanation) -> tuple[float, float]:
    """Half a frame beyond the first and the last."""
    return -0.5 / seen.fps, float(seen.times_s[-1]) + 0.5 / seen.fps


def _round_numbers(numbers: Sequence[int]) -> list[int]:
    """A handful of frame numbers, round ones."""
    wanted = max(1, (numbers[-1] - numbers[0]) // 8)
    step = next(step for step in (s * 10**e for e in range(7) for s in (1, 2, 5)) if step >= wanted)
    return list(range(-(-numbers[0] // step) * step, numbers[-1] + 1, step))
