"""Events in words: lines written by hand."""

from dataclasses import replace

import pytest

from learnet.core.records import ActionUnitScore, Event, UnjudgedStretch
from learnet.inference.event_text import event_line, regions_text, time_text, unjudged_text

EVENT = Event(
    onset=1464,
    apex=1488,
    offset=1512,
    onset_s=7.32,
    apex_s=7.44,
    offset_s=7.56,
    label="negative",
    score=0.834,
    emotions={"negative": 0.834, "positive": 0.166},
    action_units=(ActionUnitScore(4, "both", 0.91), ActionUnitScore(17, "", 0.6)),
    regions=("left brow", "right brow"),
)


def test_an_event_is_told_in_a_line() -> None:
    line = "0:07.32 micro, 0.24 s, brows, AU 4 both sides 0.91, AU 17 0.60, negative 0.83"
    assert event_line(EVENT) == line
    unrecognised = replace(EVENT, label="", score=0.0, emotions={}, action_units=())
    assert event_line(unrecognised) == "0:07.32 micro, 0.24 s, brows, not recognised"
    blink = replace(unrecognised, is_blink=True, regions=("left lids", "right lids"))
    assert event_line(blink) == "0:07.32 blink, 0.24 s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00.00"), (59.996, "1:00.00"), (67.32, "1:07.32"), (3600 + 61.5, "1:01:01.50")],
)
def test_times_have_minutes_and_seconds(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_regions_of_both_sides_are_one() -> None:
    regions = ("lips", "left mouth corner", "right cheek", "right mouth corner", "middle brow")
    assert regions_text(regions) == "lips, mouth corners, right cheek, middle brow"
    assert regions_text(("middle brow", "left brow", "chin", "right brow")) == "brows, chin"
    assert regions_text(()) == ""


def test_unjudged_stretches_are_summed_up_by_reason() -> None:
    reasons = ["turns", "speaks", "speaks", "blurred", "flickers", "no face"]
    stretches = [UnjudgedStretch(float(start), start + 1.0, reason) for start, reason in enumerate(reasons)]
    stretches[0] = UnjudgedStretch(0.0, 1.5, "turns")
    text = unjudged_text(stretches, 4.0, 10.0)
    assert text == (
        "6.0 of 10.0 s could not be judged: speaks (2.0 s), turns (1.5 s), blurred (1.0 s), 2 further reasons"
    )
    assert unjudged_text([], 10.0, 10.0) == ""


def test_the_end_that_a_file_lacks_is_part_of_its_length() -> None:
    """Four seconds of ten are there, and one of them cannot be judged."""
    stretches = [UnjudgedStretch(1.0, 2.0, "turns"), UnjudgedStretch(4.0, 10.0, "stops")]
    text = unjudged_text(stretches, 3.0, 4.0)
    assert text == "7.0 of 10.0 s could not be judged: stops (6.0 s), turns (1.0 s)"
