"""Timelines show what they are given: where, in which colour, and with which words."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from learnet.core.figure_style import CLASS_COLOURS, MUTED
from learnet.inference.timeline import Span, Timeline, timeline_figure

TIMES = np.arange(0.25, 10, 0.25)
SCORES = {
    "negative": np.linspace(0, 1, len(TIMES)),
    "positive": np.full(len(TIMES), 0.2),
    "none": np.where(TIMES < 5, np.nan, 0.5),
}
FILM = Timeline(
    duration_s=10.0,
    times_s=TIMES,
    scores=SCORES,
    events=(Span(2.0, 2.5, "negative", 0.8), Span(6.0, 6.3, "positive", 0.512)),
    unjudged=(Span(7.0, 8.5, "the head turns"), Span(9.0, 9.5, "the head turns")),
    truth=(Span(2.1, 2.4, "negative"), Span(7.0, 9.0, "head turn")),
    title="A film",
)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def spans(figure: Figure, hatched: bool) -> list[tuple[float, float, str]]:
    """Return start, end and colour of the areas over the scores."""
    areas = []
    for patch in figure.axes[-1].patches:
        assert isinstance(patch, Rectangle)
        if bool(patch.get_hatch()) == hatched:
            colour = to_hex(patch.get_edgecolor() if hatched else patch.get_facecolor())
            start = patch.get_x()
            areas.append((start, round(start + patch.get_width(), 9), colour))
    return areas


def test_events_are_shaded_and_named_and_the_rest_is_white() -> None:
    figure = timeline_figure(FILM)
    negative, positive = (colour.lower() for colour in CLASS_COLOURS[:2])
    assert spans(figure, hatched=False) == [(2.0, 2.5, negative), (6.0, 6.3, positive)]
    assert words(figure) == ["negative", "head turn", "negative 0.80", "positive 0.51"]
    assert [axes.get_yticklabels()[0].get_text() for axes in figure.axes[:2]] == ["shown", "found"]


def test_action_units_follow_the_score_of_an_event() -> None:
    events = (Span(2.0, 2.5, "negative", 0.8, units="4+L10"), Span(6.0, 6.3, "positive", 0.512))
    labels = words(timeline_figure(replace(FILM, events=events)))
    assert labels[2:] == ["negative 0.80, AU 4+L10", "positive 0.51"]


def test_unjudged_periods_are_hatched_and_each_reason_is_given_once() -> None:
    figure = timeline_figure(FILM)
    assert spans(figure, hatched=True) == [(7.0, 8.5, MUTED), (9.0, 9.5, MUTED)]
    assert figure.get_supxlabel() == "Not judged 7.00 to 8.50 s, 9.00 to 9.50 s: the head turns"


def test_lines_are_the_scores_with_gaps_where_there_are_none() -> None:
    axes = timeline_figure(FILM).axes[-1]
    assert [line.get_label() for line in axes.lines] == list(SCORES)
    for line, scores in zip(axes.lines, SCORES.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), TIMES)
        np.testing.assert_array_equal(line.get_ydata(), scores)
    assert axes.get_xlim() == (0, 10)


@pytest.mark.parametrize("spacing_s", [0.05, 0.3, 1.0])
def test_labels_cover_neither_each_other_nor_the_border(spacing_s: float) -> None:
    """As rendered, not as estimated."""
    starts = np.arange(0, 10, spacing_s)
    events = [Span(start, start + 0.3, "surprise", 0.66) for start in starts]
    figure = timeline_figure(Timeline(10.3, TIMES, SCORES, events))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.axes[0].texts]
    assert len(boxes) >= min(len(events), 12)
    for index, box in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_movement_has_a_row_with_its_limit() -> None:
    movement = np.linspace(0, 1, len(TIMES))
    limit = np.full(len(TIMES), 0.2)
    figure = timeline_figure(replace(FILM, movement_px=movement, limit_px=limit))
    drawn = [np.asarray(line.get_ydata()) for line in figure.axes[2].lines]
    np.testing.assert_array_equal(drawn, [movement, limit])
    assert len(figure.axes) == len(timeline_figure(FILM).axes) + 1
    assert len(figure.axes[2].patches) == len(figure.axes[3].patches) == 4


def test_adjacent_periods_of_one_reason_are_one() -> None:
    unjudged = [
        Span(1.0, 2.0, "dark"),
        Span(2.0, 3.0, "dark"),
        Span(3.0, 4.0, "no face"),
        Span(4.0, 5.0, "dark"),
    ]
    figure = timeline_figure(replace(FILM, unjudged=unjudged))
    assert figure.get_supxlabel().splitlines() == [
        "Not judged 1.00 to 3.00 s, 4.00 to 5.00 s: dark",
        "Not judged 3.00 to 4.00 s: no face",
    ]


def test_film_without_truth_events_and_scores_has_a_figure() -> None:
    """Nothing moves: there are no scores at all."""
    empty = {name: np.full(3, np.nan) for name in ("negative", "none")}
    figure = timeline_figure(Timeline(1.0, np.array([0.25, 0.5, 0.75]), empty))
    assert len(figure.axes) == 2
    assert not spans(figure, hatched=False) and not words(figure)


def test_many_reasons_are_counted() -> None:
    unjudged = [Span(float(number), number + 0.5, f"reason {number}") for number in range(9)]
    figure = timeline_figure(Timeline(10.0, TIMES, SCORES, unjudged=unjudged))
    notes = figure.get_supxlabel().splitlines()
    assert len(notes) == 4 and notes[-1] == "Further reasons: 6"


def test_matplotlib_is_loaded_only_for_a_figure() -> None:
    code = "import sys, learnet.inference.timeline; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_values_of_events_are_not_connected() -> None:
    figure = timeline_figure(replace(FILM, movement_px=np.full(len(TIMES), 0.5), separate=True))
    lines = [line for axes in figure.axes[2:] for line in axes.lines]
    assert len(lines) == 1 + len(SCORES)
    assert {(line.get_linestyle(), line.get_marker()) for line in lines} == {("None", "o")}
