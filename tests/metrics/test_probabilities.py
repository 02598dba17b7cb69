"""MCC, log loss, Brier score and AUC against scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from learnet.core.records import Outcome
from learnet.metrics.probabilities import SMALLEST, log_loss, macro_auc, other_measures
from tests.builders.outcomes import CLASSES, outcome


def random_outcomes(seed: int, clips: int = 40, decimals: int = 6) -> list[Outcome]:
    """Predictions with scores; few decimals give equal scores."""
    rng = np.random.default_rng(seed)
    outcomes = []
    for number in range(clips):
        truth = CLASSES[number % 3]
        scores = np.maximum(np.round(rng.dirichlet([1, 1, 1]), decimals), 0.1)
        scores = scores / scores.sum()
        predicted = CLASSES[int(scores.argmax())]
        clip = f"d/{number % 7}/{number}"
        outcomes.append(outcome(clip, truth, predicted, 0, tuple(scores.tolist())))
    return outcomes


@given(st.integers(0, 500), st.sampled_from([1, 6]))
def test_all_equal_scikit_learn(seed: int, decimals: int) -> None:
    outcomes = random_outcomes(seed, decimals=decimals)
    truth = [one.truth for one in outcomes]
    scores = np.array([one.scores for one in outcomes])
    found = other_measures(outcomes, CLASSES)
    expected_auc = reference.roc_auc_score(truth, scores, multi_class="ovr", labels=sorted(CLASSES))
    brier = 0.0
    for index, name in enumerate(CLASSES):
        is_class = [word == name for word in truth]
        brier += reference.brier_score_loss(is_class, scores[:, index])
    assert list(CLASSES) == sorted(CLASSES)  # the order of columns in scikit-learn
    assert found.mcc == pytest.approx(
        reference.matthews_corrcoef(truth, [one.prediction for one in outcomes])
    )
    assert found.log_loss == pytest.approx(reference.log_loss(truth, scores, labels=CLASSES))
    assert found.brier == pytest.approx(brier)
    assert found.auc == pytest.approx(expected_auc)


def test_seeds_are_averaged() -> None:
    first = random_outcomes(1)
    second = [replace(one, seed=1) for one in random_outcomes(2)]
    both = other_measures(first + second, CLASSES)
    alone = [other_measures(first, CLASSES), other_measures([replace(o, seed=0) for o in second], CLASSES)]
    assert both.mcc == pytest.approx(np.mean([one.mcc for one in alone]))
    assert both.brier == pytest.approx(np.mean([one.brier for one in alone]))


def test_what_is_not_defined() -> None:
    """Labels without scores, one class only, a true class with the probability 0."""
    bare = [outcome("d/1/a", "negative", "negative", scores=())]
    assert other_measures(bare, CLASSES).log_loss is None
    assert other_measures(bare, CLASSES).mcc == 0.0
    one_class = [outcome("d/1/a", "negative", "negative", scores=(1.0, 0.0, 0.0))]
    assert other_measures(one_class, CLASSES).auc is None
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-np.log(SMALLEST))


def test_a_class_without_clips_is_left_out_of_the_auc() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.3, 0.6, 0.1]])
    truth = np.array([0, 0, 1])
    expected = [reference.roc_auc_score(truth == index, scores[:, index]) for index in (0, 1)]
    assert macro_auc(truth, scores) == pytest.approx(np.mean(expected))
