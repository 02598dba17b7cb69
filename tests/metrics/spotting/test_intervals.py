"""Overlap and matching against sets of frames and SciPy's bipartite matching."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from learnet.metrics.spotting.intervals import match, one_to_one, overlaps

INTERVALS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=1, max_size=6)
ALLOWED = arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7)))


def limits(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array([(onset, onset + length) for onset, length in pairs], dtype=float)


@given(INTERVALS, INTERVALS)
def test_overlap_of_frames_is_that_of_sets(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    found = overlaps(limits(first), limits(second), unit=1.0)
    for row, (onset, length) in enumerate(first):
        frames = set(range(onset, onset + length + 1))
        for column, (other_onset, other_length) in enumerate(second):
            others = set(range(other_onset, other_onset + other_length + 1))
            assert found[row, column] == pytest.approx(len(frames & others) / len(frames | others))


def test_overlap_in_time_has_no_extra_frame() -> None:
    """0 to 10 and 5 to 20 share 5 of 20; as frames they share 6 of 21."""
    first, second = limits([(0, 10)]), limits([(5, 15)])
    assert overlaps(first, second, unit=0.0)[0, 0] == pytest.approx(5 / 20)
    assert overlaps(first, second, unit=1.0)[0, 0] == pytest.approx(6 / 21)
    assert overlaps(first, limits([(10, 5)]), unit=0.0)[0, 0] == 0


def test_an_onset_after_its_offset_overlaps_with_nothing() -> None:
    reversed_interval = np.array([[20.0, 10.0]])
    assert overlaps(reversed_interval, limits([(0, 30)]), unit=1.0)[0, 0] == 0
    assert overlaps(limits([(12, 4)]), reversed_interval, unit=1.0)[0, 0] == 0


@given(ALLOWED)
def test_one_to_one_finds_as_many_pairs_as_scipy(allowed: np.ndarray) -> None:
    pairs = one_to_one(allowed)
    best = (maximum_bipartite_matching(csr_matrix(allowed)) >= 0).sum()
    assert len(pairs) == best
    assert len({event for event, _ in pairs}) == len({prediction for _, prediction in pairs}) == len(pairs)
    assert all(allowed[pair] for pair in pairs)


def test_three_ways_to_count_hits() -> None:
    """Prediction 0 overlaps events 0 and 1; predictions 1 and 2 overlap event 2; event 3 is missed."""
    allowed = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], dtype=bool)
    single = match(allowed, "one to one")
    assert (len(single.hit_events), single.false_alarms, len(single.misses)) == (2, (2, 3), 2)
    events = match(allowed, "events")
    assert (events.hit_events, events.false_alarms, events.misses) == ((0, 1, 2), (3,), (3,))
    predictions = match(allowed, "predictions")
    assert (predictions.hit_predictions, predictions.false_alarms) == ((0, 1, 2), (3,))
    assert predictions.misses == (3,) and not predictions.are_events


def test_no_events_and_no_predictions() -> None:
    nothing = np.zeros((0, 2), dtype=bool)
    assert match(nothing, "one to one").false_alarms == (0, 1)
    assert match(nothing.T, "events").misses == (0, 1)
