"""Spot-then-recognise by hand, and as the public script, which is written out here from its description."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from learnet.metrics.spotting.intervals import Interval
from learnet.metrics.spotting.recognise import spot_then_recognise, spot_then_recognise_as_script

CLASSES = ("negative", "positive", "surprise")


def interval(person: str, video: str, onset: int, offset: int, label: str) -> Interval:
    return Interval(video, float(onset), float(offset), label=label, person=person)


def test_by_hand() -> None:
    """Two hits, negative taken for negative and positive for negative; one false alarm, two misses.

    Negative: precision 1/2, recall 1; positive and surprise: 0. Mean precision 1/6, mean recall 1/3.
    """
    events = [
        interval("1", "1a", 0, 9, "negative"),
        interval("1", "1a", 50, 59, "positive"),
        interval("1", "1b", 0, 9, "surprise"),
        interval("2", "2a", 0, 9, "surprise"),
    ]
    predictions = [
        interval("1", "1a", 0, 9, "negative"),
        interval("1", "1a", 50, 59, "negative"),
        interval("1", "1c", 0, 9, "positive"),
    ]
    scores = spot_then_recognise(events, predictions, CLASSES)
    assert (scores.hits, scores.false_alarms, scores.misses) == (2, 1, 2)
    assert scores.f1_spotting == pytest.approx(4 / 7)
    assert (scores.precision, scores.recall) == pytest.approx((1 / 6, 1 / 3))
    f1 = 2 * (1 / 6) * (1 / 3) / (1 / 6 + 1 / 3)
    assert scores.f1_recognition == pytest.approx(f1)
    assert scores.uf1 == pytest.approx((2 / 3) / 3)
    assert scores.strs == pytest.approx(4 / 7 * f1)
    # The script overlooks the video 1c and the person 2.
    script = spot_then_recognise_as_script(events, predictions, CLASSES)
    assert (script.hits, script.false_alarms, script.misses) == (2, 0, 1)
    assert script.strs == pytest.approx(4 / 5 * f1)


def test_nothing_spotted() -> None:
    scores = spot_then_recognise([interval("1", "1a", 0, 9, "negative")], [], CLASSES)
    assert (scores.strs, scores.misses) == (0, 1)


def script_by_frames(events: list[Interval], predictions: list[Interval]) -> tuple[float, float]:
    """STRS and mean precision of the script, with sets of frames and scikit-learn's confusion matrix."""
    hits, false_alarms, misses = [], 0, 0
    for person in {prediction.person for prediction in predictions}:
        for video in {event.video for event in events if event.person == person}:
            claimed: set[int] = set()
            own = [event for event in events if event.video == video]
            for prediction in [other for other in predictions if other.video == video]:
                frames = set(range(int(prediction.onset), int(prediction.offset) + 1))
                before = len(claimed)
                for position, event in enumerate(own):
                    others = set(range(int(event.onset), int(event.offset) + 1))
                    if 2 * len(frames & others) >= len(frames | others) and position not in claimed:
                        claimed.add(position)
                        hits.append((event.label, prediction.label))
                false_alarms += len(claimed) == before
            misses += len(own) - len(claimed)
    rates = []
    for name in CLASSES:
        truth = [label == name for label, _ in hits]
        predicted = [label == name for _, label in hits]
        cells = confusion_matrix(truth, predicted).ravel() if hits else []
        fp, fn, tp = cells[1:] if len(cells) == 4 else (0, 0, 0)
        rates.append((tp / (tp + fp) if tp + fp else 0.0, tp / (tp + fn) if tp + fn else 0.0))
    precision, recall = np.mean(rates, axis=0)
    spotting = 2 * len(hits) / max(2 * len(hits) + false_alarms + misses, 1)
    return spotting * 2 * precision * recall / (precision + recall or 1), float(precision)


LABELLED = st.builds(
    lambda video, onset, length, label: interval(video[0], video, onset, onset + length, label),
    st.sampled_from(["a1", "a2", "b1", "c1"]),
    st.integers(0, 10),
    st.integers(1, 8),
    st.sampled_from(CLASSES),
)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=150)
@given(st.lists(LABELLED, max_size=7), st.lists(LABELLED, max_size=7))
def test_as_the_script(events: list[Interval], predictions: list[Interval]) -> None:
    scores = spot_then_recognise_as_script(events, predictions, CLASSES)
    strs, precision = script_by_frames(events, predictions)
    assert scores.strs == pytest.approx(strs)
    assert scores.precision == pytest.approx(precision)
