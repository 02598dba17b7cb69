"""Stouffer's method against SciPy; effect sizes and the whole comparison by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from learnet.core.records import Outcome
from learnet.metrics.combined import combine_databases, effect_size, stouffer
from learnet.metrics.significance import difference
from tests.builders.outcomes import outcome

TWO = ("negative", "positive")
TEST = st.tuples(st.sampled_from([-0.1, 0.1]), st.floats(1e-4, 1.0), st.integers(1, 40))


@given(st.lists(TEST, min_size=1, max_size=5))
def test_stouffer_equals_scipy(tests: list[tuple[float, float, int]]) -> None:
    """SciPy combines one-sided p-values: p/2 where the first is better, 1 - p/2 where the second is."""
    values, p, people = zip(*tests, strict=True)
    weights = np.sqrt(people)
    one_sided = [q / 2 if value > 0 else 1 - q / 2 for value, q in zip(values, p, strict=True)]
    expected = stats.combine_pvalues(one_sided, method="stouffer", weights=weights)
    z, combined = stouffer(values, p, weights.tolist())
    assert z == pytest.approx(expected.statistic, abs=1e-9)
    assert combined == pytest.approx(2 * min(expected.pvalue, 1 - expected.pvalue), abs=1e-9)


def predictions(correct: dict[str, list[int]]) -> list[Outcome]:
    """Of each database, so many of ten clips of each person are correct."""
    outcomes = []
    for database, numbers in correct.items():
        for person, number in enumerate(numbers):
            for clip in range(10):
                predicted = "negative" if clip < number else "positive"
                outcomes.append(outcome(f"{database}/{person}/{clip}", "negative", predicted))
    return outcomes


def test_each_database_has_its_own_test_and_the_combination_points_one_way() -> None:
    first = predictions({"a": [7, 8, 9, 6, 8, 9], "b": [6, 7, 9, 8]})
    second = predictions({"a": [5, 7, 8, 5, 6, 8], "b": [5, 5, 8, 7]})
    combined = combine_databases(first, second, TWO)
    assert [(one.database, one.people) for one in combined.databases] == [("a", 6), ("b", 4)]
    for one in combined.databases:
        parts = [[o for o in study if o.dataset == one.database] for study in (first, second)]
        assert one.p == difference(*parts, TWO).p
    assert [one.p["accuracy"] for one in combined.databases] == [2 / 64, 2 / 16]  # all people agree in sign
    values = np.array([2, 1, 1, 1, 2, 1]) / 10
    effect = values.mean() / values.std(ddof=1)
    assert combined.databases[0].effect == pytest.approx(effect)
    effects = [one.effect for one in combined.databases]
    assert combined.effect == pytest.approx(np.average(effects, weights=np.sqrt([6, 4])))
    expected = stats.combine_pvalues([1 / 64, 1 / 16], method="stouffer", weights=np.sqrt([6, 4]))
    assert combined.z["accuracy"] == pytest.approx(expected.statistic)
    assert combined.p["accuracy"] < min(one.p["accuracy"] for one in combined.databases)
    reverse = combine_databases(second, first, TWO)
    assert reverse.z["accuracy"] == pytest.approx(-combined.z["accuracy"])
    assert reverse.p == pytest.approx(combined.p)


def test_opposite_differences_cancel() -> None:
    better, worse = [8, 9, 7, 8], [5, 5, 6, 4]
    combined = combine_databases(
        predictions({"a": better, "b": worse}), predictions({"a": worse, "b": better}), TWO
    )
    assert combined.z["accuracy"] == pytest.approx(0, abs=1e-9)
    assert combined.p["accuracy"] == pytest.approx(1)


def test_effect_sizes_that_are_not_defined() -> None:
    """One person, and people who all differ alike."""
    assert effect_size(predictions({"a": [5]}), predictions({"a": [3]})) is None
    assert effect_size(predictions({"a": [5, 6]}), predictions({"a": [3, 4]})) is None
