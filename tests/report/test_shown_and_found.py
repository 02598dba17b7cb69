"""What a video shows beside what was found in it: cases by hand."""

from pathlib import Path

from learnet.datasets.synthetic.films import SyntheticFilm
from learnet.inference.timeline import Span
from learnet.report.shown_and_found import compare_with_truth, film_truth
from learnet.simulation.film import BLINK, EXPRESSION, REST, FilmPart

CLASSES = ("negative", "positive", "surprise")
TRUTH = (Span(1.0, 1.3, "positive", detail="happiness"), Span(3.0, 3.2, "blink"), Span(5.0, 5.4, "negative"))


def compared(*events: Span, unjudged: tuple[Span, ...] = ()) -> list[tuple[str, str, bool]]:
    rows = compare_with_truth(TRUTH, events, unjudged, CLASSES)
    return [(row.shown, row.answer, row.right) for row in rows]


def test_everything_right() -> None:
    assert compared(Span(0.9, 1.2, "positive", 0.82), Span(5.1, 5.6, "negative", 0.6)) == [
        ("positive", "positive 0.82", True),
        ("blink", "none", True),
        ("negative", "negative 0.60", True),
    ]


def test_action_units_are_told_and_do_not_matter() -> None:
    events = (Span(0.9, 1.2, "positive", 0.82, units="6+12"), Span(1.2, 1.3, "positive", 0.6))
    rows = compared(*events, Span(5.1, 5.6, "negative", 0.6, units="4"))
    assert rows[0][1] == "positive 0.82, AU 6+12; positive 0.60"
    assert rows[2] == ("negative", "negative 0.60, AU 4", True)


def test_missed_misnamed_and_a_blink_taken_for_an_expression() -> None:
    assert compared(Span(3.1, 3.3, "negative", 0.5), Span(5.0, 5.4, "surprise", 0.7)) == [
        ("positive", "none", False),
        ("blink", "negative 0.50", False),
        ("negative", "surprise 0.70", False),
    ]


def test_blinks_are_movements_of_their_own() -> None:
    """One blink is found as such, one during an expression does not spoil it, and one at rest is wrong."""
    blinks = (Span(1.2, 1.4, "blink"), Span(3.0, 3.2, "blink"), Span(4.0, 4.2, "blink"))
    rows = compared(Span(0.9, 1.2, "positive", 0.82), *blinks, Span(5.0, 5.2, "negative", 0.6))
    assert rows == [
        ("positive", "positive 0.82; blink", True),
        ("blink", "blink", True),
        ("rest", "blink", False),
        ("negative", "negative 0.60", True),
    ]


def test_expression_named_twice_is_wrong() -> None:
    rows = compared(Span(1.0, 1.1, "positive", 0.8), Span(1.2, 1.3, "surprise", 0.6))
    assert rows[0] == ("positive", "positive 0.80; surprise 0.60", False)


def test_event_at_rest_has_its_own_row_in_time_order() -> None:
    rows = compared(Span(2.0, 2.2, "surprise", 0.4))
    assert [row[0] for row in rows] == ["positive", "rest", "blink", "negative"]
    assert rows[1] == ("rest", "surprise 0.40", False)


def test_spans_that_only_touch_do_not_overlap() -> None:
    assert compared(Span(0.5, 1.0, "positive", 0.9))[:2] == [
        ("rest", "positive 0.90", False),
        ("positive", "none", False),
    ]


def test_what_cannot_be_judged_is_said() -> None:
    rows = compared(unjudged=(Span(2.9, 3.4, "the head turns"), Span(5.0, 5.1, "dark")))
    assert rows[1] == ("blink", "not judged: the head turns", True)
    assert rows[2] == ("negative", "not judged: dark", False)


def test_truth_of_a_film_has_classes_and_seconds_and_no_rest() -> None:
    parts = (
        FilmPart(REST, 0, None, 110),
        FilmPart(EXPRESSION, 110, 120, 140, "disgust", "4+9"),
        FilmPart(REST, 140, None, 300),
        FilmPart(BLINK, 300, 307, 320),
    )
    film = SyntheticFilm(Path("film.mp4"), 100.0, 321, parts)
    assert film_truth(film) == [
        Span(1.1, 1.4, "negative", detail="disgust, action units 4+9"),
        Span(3.0, 3.2, "blink"),
    ]
