"""Expanded percentiles against SciPy's t distribution and against the t interval of a mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from learnet.metrics.expanded import expanded_tail, student_t
from learnet.metrics.scores import ends, intervals, times_drawn


@given(st.integers(1, 3000), st.floats(1e-4, 0.4))
def test_students_t_equals_scipy(degrees: int, tail: float) -> None:
    assert student_t(degrees, tail) == pytest.approx(stats.t.isf(tail, degrees), rel=1e-8)


@given(st.integers(2, 300), st.sampled_from([0.025, 0.05, 0.1]))
def test_the_tail_follows_from_its_definition(people: int, tail: float) -> None:
    """By SciPy: Phi(-sqrt(n / (n - 1)) t), with t of n - 1 degrees of freedom."""
    expected = stats.norm.cdf(np.sqrt(people / (people - 1)) * stats.t.ppf(tail, people - 1))
    assert expanded_tail(people, tail) == pytest.approx(expected, rel=1e-7, abs=1e-12)
    assert expanded_tail(people, tail) < tail


def test_many_people_need_no_expansion() -> None:
    assert expanded_tail(100_000) == pytest.approx(0.025, rel=1e-3)


def test_the_interval_of_a_mean_is_the_t_interval() -> None:
    """The share of correct predictions of 12 people with 100 clips each is a mean over people."""
    correct = np.array([52, 61, 45, 70, 58, 49, 66, 55, 63, 57, 47, 60])
    counts = np.zeros((1, 12, 2, 2), dtype=int)
    counts[0, :, 0, 0] = correct
    counts[0, :, 0, 1] = 100 - correct
    mean, error = correct.mean() / 100, stats.sem(correct) / 100
    expected = stats.t.interval(0.95, 11, mean, error)
    np.testing.assert_allclose(intervals(counts, draws=200_000)[0], expected, atol=0.003)


def test_ends_of_another_coverage() -> None:
    """The 90 % interval of 12 values: as far as a t interval of that coverage."""
    values = np.random.default_rng(0).normal(size=12)
    drawn = times_drawn(12, 200_000) @ values / 12
    expected = stats.t.interval(0.9, 11, values.mean(), stats.sem(values))
    np.testing.assert_allclose(ends(drawn, 12, tail=0.05), expected, atol=0.05)


def test_one_person_has_no_interval() -> None:
    assert np.isnan(ends(np.full((3, 50), 0.5), people=1)).all()
