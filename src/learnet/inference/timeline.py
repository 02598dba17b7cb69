"""A video over time in one figure: events, movement, the score of each class, and what cannot be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from learnet.core.figure_style import CLASS_COLOURS, DASHED, INK, MUTED, RULE, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LineStyle = str | tuple[int, tuple[int, ...]]  # as matplotlib accepts them

NONE = "none"  # class of networks that can predict that nothing is expressed
WIDTH = 8.0  # inches
AXES_WIDTH = 7.2  # inches, about
SCORES_HEIGHT, MOVEMENT_HEIGHT = 1.7, 0.9  # inches
BAR_HEIGHT, LINE_HEIGHT = 0.15, 0.17  # inches, of a bar and of a line of text above it
NOTE_HEIGHT = 0.15  # inches, of a line below the figure
MAX_LINES = 4  # of labels above the bars; labels that do not fit are left out
MAX_PERIODS = 3  # that are listed for one reason
MAX_REASONS = 4
ADJACENT_S = 1e-3  # periods that are no further apart count as one
CHARACTER_WIDTH = 0.068  # inches, about the mean
MARKED_WINDOWS = 150  # up to this number, every window has a dot


@dataclass(frozen=True)
class Span:
    """A period of a video, and what is said about it."""

    start_s: float
    end_s: float
    text: str  # class, or the reason why the period cannot be judged
    score: float | None = None  # probability of the class
    detail: str = ""  # not in the figure
    units: str = ""  # action units as FACS coders write them


@dataclass(frozen=True)
class Timeline:
    """What a timeline shows."""

    duration_s: float
    times_s: Float64[np.ndarray, "N"]  # middle of each window or event, ascending
    scores: Mapping[str, Float64[np.ndarray, "N"]]  # class -> probability in each window; NaN without scores
    events: Sequence[Span] = ()
    unjudged: Sequence[Span] = ()
    truth: Sequence[Span] | None = None  # what the video shows, where that is known
    title: str = ""
    movement_px: Float64[np.ndarray, "N"] | None = (
        None  # largest movement of skin in each window; NaN: unknown
    )
    limit_px: Float64[np.ndarray, "N"] | None = None  # movement up to which a window counts as still
    separate: bool = False  # whether each value belongs to an event of its own, so that no line connects them


def timeline_figure(timeline: Timeline) -> "Figure":
    """Draw events, movement, scores, and what cannot be judged over the time of a video.

    Events are shaded in the colour of their class and named above. Periods that cannot be judged are hatched,
    and the reasons are given below. Everything else is white. The truth, if known, is a row of its own.
    """
    import matplotlib as mpl

    from learnet.inference.displayed_figure import DisplayedFigure

    rows = {"found": timeline.events}
    if timeline.truth is not None:
        rows = {"shown": timeline.truth, **rows}
    lines = [_label_lines(spans, timeline.duration_s) for spans in rows.values()]
    heights = [BAR_HEIGHT + LINE_HEIGHT * (1 + max(of_row, default=0)) + 0.06 for of_row in lines]
    heights += [] if timeline.movement_px is None else [MOVEMENT_HEIGHT]
    heights.append(SCORES_HEIGHT)
    notes = _notes(timeline.unjudged)
    title_height = 0.3 if timeline.title else 0.05
    height = sum(heights) + title_height + 0.75 + NOTE_HEIGHT * len(notes)
    with mpl.rc_context(STYLE):
        figure = DisplayedFigure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        colours = _colours(timeline)
        for row, (name, spans) in enumerate(rows.items()):
            axes[row].set_ylim(0, heights[row])
            _draw_row(axes[row], name, spans, lines[row], timeline.duration_s, colours)
        if timeline.movement_px is not None:
            _draw_movement(axes[-2], timeline, colours)
        _draw_scores(axes[-1], timeline, colours)
        figure.suptitle(timeline.title, x=0.008, ha="left", size=10.5, weight="bold")
        figure.supxlabel("\n".join(notes), x=0.008, ha="left", size=8, color=MUTED)
    return figure


def _colours(timeline: Timeline) -> dict[str, str]:
    """Return the colour of each class; `none` is grey."""
    names = [name for name in timeline.scores if name != NONE]
    colours = {NONE: MUTED}
    for index, name in enumerate(names):
        colours[name] = CLASS_COLOURS[index % len(CLASS_COLOURS)]
    return colours


def _label(span: Span) -> str:
    label = span.text if span.score is None else f"{span.text} {span.score:.2f}"
    return f"{label}, AU {span.units}" if span.units else label


def _label_limits(span: Span, duration_s: float) -> tuple[float, float]:
    """Return where the label of a bar begins and ends, in seconds: centred, but inside the figure."""
    width_s = CHARACTER_WIDTH * (len(_label(span)) + 1) / AXES_WIDTH * duration_s
    start_s = (span.start_s + span.end_s - width_s) / 2
    start_s = max(0.0, min(start_s, duration_s - width_s))
    return start_s, start_s + width_s


def _label_lines(spans: Sequence[Span], duration_s: float) -> list[int]:
    """Return the line of each label, from 0 at the bottom: the lowest in which it covers no other label.

    It is -1 for labels that do not fit into MAX_LINES lines.
    """
    ends = [0.0] * MAX_LINES
    lines = []
    for span in spans:
        start_s, end_s = _label_limits(span, duration_s)
        free = [line for line in range(MAX_LINES) if ends[line] <= start_s]
        line = free[0] if free else -1
        if free:
            ends[line] = end_s
        lines.append(line)
    return lines


def _draw_row(
    axes: "Axes",
    name: str,
    spans: Sequence[Span],
    lines: Sequence[int],
    duration_s: float,
    colours: Mapping[str, str],
) -> None:
    """Draw a bar for each span, and its label above; the axis is in inches."""
    axes.axhline(BAR_HEIGHT / 2, color=RULE, linewidth=0.8, zorder=0)
    for span, line in zip(spans, lines, strict=True):
        width_s = max(span.end_s - span.start_s, 0.003 * duration_s)  # a blink of a long video stays visible
        colour = colours.get(span.text, MUTED)
        axes.barh(BAR_HEIGHT / 2, width_s, BAR_HEIGHT, span.start_s, color=colour)
        if line >= 0:
            middle_s = sum(_label_limits(span, duration_s)) / 2
            bottom = BAR_HEIGHT + 0.03 + LINE_HEIGHT * line
            axes.text(middle_s, bottom, _label(span), size=8.5, ha="center", va="bottom")
    axes.set_yticks([BAR_HEIGHT / 2], [name])
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)


def _draw_movement(axes: "Axes", timeline: Timeline, colours: Mapping[str, str]) -> None:
    """Draw how far skin moves in each window, and the limit below which it counts as still."""
    assert timeline.movement_px is not None
    _shade(axes, timeline, colours)
    axes.plot(
        timeline.times_s,
        timeline.movement_px,
        color=INK,
        linestyle=_line_style(timeline),
        linewidth=1.4,
        marker=_marker(timeline),
        markersize=4,
    )
    if timeline.limit_px is not None:
        axes.plot(timeline.times_s, timeline.limit_px, color=MUTED, linewidth=1.0, linestyle=DASHED)
        axes.text(
            0.003 * timeline.duration_s,
            timeline.limit_px[0],
            "still below",
            color=MUTED,
            size=7.5,
            va="bottom",
        )
    axes.margins(y=0.1)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("movement\npixels")
    axes.tick_params(length=0, labelbottom=False)


def _draw_scores(axes: "Axes", timeline: Timeline, colours: Mapping[str, str]) -> None:
    """Draw the probability of each class in each window."""
    _shade(axes, timeline, colours)
    for name, values in timeline.scores.items():
        axes.plot(
            timeline.times_s,
            values,
            color=colours[name],
            linestyle=_line_style(timeline, DASHED if name == NONE else "-"),
            linewidth=1.4,
            marker=_marker(timeline),
            markersize=4,
            label=name,
        )
    axes.set(xlim=(0, timeline.duration_s), ylim=(0, 1.02), yticks=np.arange(0, 1.01, 0.25))
    axes.set_xlabel("seconds")
    axes.set_ylabel("probability")
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=8, frameon=False, borderpad=0, handlelength=1.6
    )


def _shade(axes: "Axes", timeline: Timeline, colours: Mapping[str, str]) -> None:
    """Shade events, and hatch what cannot be judged."""
    for span in timeline.events:
        colour = colours.get(span.text, MUTED)
        axes.axvspan(span.start_s, span.end_s, color=colour, alpha=0.22, linewidth=0, zorder=0)
    for span in timeline.unjudged:
        area = axes.axvspan(span.start_s, span.end_s, fill=False, edgecolor=MUTED, alpha=0.45)
        area.set(hatch="////", linewidth=0, zorder=0.5)


def _marker(timeline: Timeline) -> str:
    if timeline.separate:
        return "o"
    return "." if len(timeline.times_s) <= MARKED_WINDOWS else ""


def _line_style(timeline: Timeline, style: LineStyle = "-") -> LineStyle:
    return "" if timeline.separate else style


def _notes(unjudged: Sequence[Span]) -> list[str]:
    """Return a line for each reason: when and why the video could not be judged."""
    periods: dict[str, list[tuple[float, float]]] = {}
    for span in unjudged:
        of_reason = periods.setdefault(span.text, [])
        start_s = span.start_s
        if of_reason and start_s <= of_reason[-1][1] + ADJACENT_S:
            start_s, _ = of_reason.pop()
        of_reason.append((start_s, span.end_s))
    notes = []
    for reason, times in periods.items():
        listed = ", ".join(f"{start_s:.2f} to {end_s:.2f} s" for start_s, end_s in times[:MAX_PERIODS])
        further = len(times) - MAX_PERIODS
        more = f" and {further} more" if further > 0 else ""
        notes.append(f"Not judged {listed}{more}: {reason}")
    if len(notes) > MAX_REASONS:
        notes[MAX_REASONS - 1 :] = [f"Further reasons: {len(notes) - MAX_REASONS + 1}"]
    return notes
