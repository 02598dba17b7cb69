"""Scores and intervals against scikit-learn, cases worked by hand, and a closed form of the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics as reference

from learnet.core.errors import LearnetError
from learnet.metrics.scores import (
    confusion,
    headline,
    intervals,
    per_person_counts,
    per_seed_counts,
    precision_recall_f1,
)
from tests.builders.outcomes import CLASSES, outcome


def test_scores_by_hand() -> None:
    """True classes n n n n p p s s, predicted as n n n p p s s n: worked on paper."""
    counts = confusion(list("nnnnppss"), list("nnnppssn"), list("nps"))
    assert counts.tolist() == [[3, 1, 0], [0, 1, 1], [1, 0, 1]]
    precision, recall, f1 = precision_recall_f1(counts)
    np.testing.assert_allclose(precision, [3 / 4, 1 / 2, 1 / 2])
    np.testing.assert_allclose(recall, [3 / 4, 1 / 2, 1 / 2])
    np.testing.assert_allclose(f1, [3 / 4, 1 / 2, 1 / 2])
    mean = (3 / 4 + 1 / 2 + 1 / 2) / 3
    np.testing.assert_allclose(headline(counts), [5 / 8, mean, mean])


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=60))
def test_scores_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth = [pair[0] for pair in pairs]
    predicted = [pair[1] for pair in pairs]
    counts = confusion(truth, predicted, CLASSES)
    np.testing.assert_array_equal(counts, reference.confusion_matrix(truth, predicted, labels=CLASSES))
    options = {"labels": CLASSES, "zero_division": 0}
    accuracy = reference.accuracy_score(truth, predicted)
    uf1 = reference.f1_score(truth, predicted, average="macro", **options)
    uar = reference.recall_score(truth, predicted, average="macro", **options)
    np.testing.assert_allclose(headline(counts), [accuracy, uf1, uar])
    precision = reference.precision_score(truth, predicted, average=None, **options)
    np.testing.assert_allclose(precision_recall_f1(counts)[0], precision)


def test_truth_and_prediction_are_not_swapped() -> None:
    """A published UAR was a macro precision, because the two were exchanged."""
    counts = confusion(["n", "n", "p"], ["n", "n", "n"], ["n", "p"])
    precision, recall, _ = precision_recall_f1(counts)
    np.testing.assert_allclose(recall, [1, 0])
    np.testing.assert_allclose(precision, [2 / 3, 0])


def test_a_class_outside_the_list_is_refused() -> None:
    with pytest.raises(LearnetError, match="fear"):
        confusion(["fear"], ["negative"], CLASSES)


def test_counts_of_each_seed_and_person() -> None:
    """Person 1 has one clip, person 2 has two; the second seed predicts all as negative."""
    pairs = {"d/1/a": ("negative", "positive"), "d/2/a": ("positive", "positive"), "d/2/b": ("negative",) * 2}
    outcomes = []
    for clip, (truth, predicted) in pairs.items():
        outcomes.append(outcome(clip, truth, predicted, seed=3))
        outcomes.append(outcome(clip, truth, "negative", seed=8))
    classes = CLASSES[:2]
    first, second = per_seed_counts(outcomes, ["d/1", "d/2"], classes).tolist()
    assert first == [[[0, 1], [0, 0]], [[1, 0], [0, 1]]]
    assert second == [[[1, 0], [0, 0]], [[1, 0], [1, 0]]]
    in_other_order = per_person_counts(outcomes[::2], ["d/2", "d/1"], classes).tolist()
    assert in_other_order == first[::-1]


def test_bootstrap_agrees_with_the_binomial() -> None:
    """One clip per person, 70 of 100 correct: the resampled accuracy is Binomial(100, 0.7) / 100."""
    counts = np.zeros((1, 100, 2, 2), dtype=int)
    counts[0, :70, 0, 0] = 1
    counts[0, 70:, 0, 1] = 1
    limits = intervals(counts, draws=20000)[0]
    np.testing.assert_allclose(limits, binom.ppf([0.025, 0.975], 100, 0.7) / 100, atol=0.011)


def test_people_are_resampled_not_clips() -> None:
    """Ten equal clips of each person add no information: the interval must not shrink."""
    counts = np.zeros((1, 10, 2, 2), dtype=int)
    counts[0, :5, 0, 0] = 1
    counts[0, 5:, 0, 1] = 1
    np.testing.assert_allclose(intervals(counts), intervals(counts * 10))


def test_a_class_that_a_resample_lacks_does_not_count_as_zero() -> None:
    """All predictions are correct, and one class has one person only: every resample is perfect."""
    counts = np.zeros((1, 5, 2, 2), dtype=int)
    counts[0, :4, 0, 0] = 1
    counts[0, 4, 1, 1] = 1
    np.testing.assert_array_equal(intervals(counts), np.ones((3, 2)))
