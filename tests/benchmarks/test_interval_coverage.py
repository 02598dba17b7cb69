"""The coverage of the intervals over people, by simulation: expanded percentiles against plain ones."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import LeaveOneGroupOut


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    return importlib.import_module("interval_coverage")


@pytest.mark.slow
@pytest.mark.parametrize("people", [10, 20])
def test_expanded_intervals_of_given_predictions_cover(bench: ModuleType, people: int) -> None:
    """Four standard errors of a share near 0.93 of 1,000 samples are 0.032; the plain ones are too narrow."""
    coverage = bench.given_predictions(people, samples=1000)
    assert ((coverage.expanded > 0.90) & (coverage.expanded < 0.975)).all()
    assert (coverage.plain < coverage.expanded).all()
    assert coverage.plain.mean() < {10: 0.91, 20: 0.94}[people]


@pytest.mark.slow
def test_intervals_of_a_trained_system_leave_the_training_out(bench: ModuleType) -> None:
    """With people to learn from that are drawn anew, the expanded intervals are better, yet below 95 %."""
    coverage = bench.trained_anew(20, samples=1000)
    assert 0.85 < coverage.expanded.mean() < 0.94
    assert coverage.plain.mean() < coverage.expanded.mean()


def test_lda_of_the_simulation_is_that_of_scikit_learn(bench: ModuleType) -> None:
    """Every fold of leave-one-subject-out, with the covariance and the priors of the simulation."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((3, bench.FEATURES))
    sample = bench._Sample.draw(rng, 8, means)
    others = [part.sum(axis=0) - part for part in sample.sums()]
    counts = sample.counts(bench._fit(*others), np.arange(8))
    expected = np.zeros_like(counts)
    for train, test in LeaveOneGroupOut().split(sample.features, groups=sample.person):
        within = np.zeros((bench.FEATURES, bench.FEATURES))
        for label in range(3):
            own = sample.features[train][sample.labels[train] == label]
            within += (own - own.mean(axis=0)).T @ (own - own.mean(axis=0))
        covariance = within / (len(train) - 3) + 0.1 * np.eye(bench.FEATURES)
        lda = LinearDiscriminantAnalysis(
            solver="lsqr", covariance_estimator=_Fixed(covariance), priors=[1 / 3] * 3
        )
        predicted = lda.fit(sample.features[train], sample.labels[train]).predict(sample.features[test])
        for truth, prediction in zip(sample.labels[test], predicted, strict=True):
            expected[sample.person[test][0], truth, prediction] += 1
    np.testing.assert_array_equal(counts, expected)


class _Fixed:
    """A covariance estimator that returns the same matrix for every class."""

    def __init__(self, covariance: np.ndarray) -> None:
        self.covariance_ = covariance

    def fit(self, features: np.ndarray) -> "_Fixed":
        return self


def test_the_true_score_is_that_of_very_many_people(bench: ModuleType) -> None:
    """Drawn predictions of 20,000 people score what the chances of other people say."""
    counts = bench._predicted_counts(np.random.default_rng(1), 20_000).sum(axis=0)
    truth = bench.given_predictions(10, samples=1).truth
    np.testing.assert_allclose(bench.headline(counts), truth, atol=0.01)
