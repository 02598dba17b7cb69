"""The test against chance: brute force over all permutations, closed forms, and what it must not see."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, recall_score

from learnet.core.records import Outcome
from learnet.metrics.chance import chance_test
from learnet.metrics.scores import MEASURES
from tests.builders.outcomes import CLASSES, outcome

WORD = st.sampled_from(CLASSES)
PEOPLE = st.lists(st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=4), min_size=1, max_size=3)


def outcomes_of(people: list[list[tuple[str, str, str]]]) -> list[Outcome]:
    """Two seeds: for each person, the truth and both predictions of each clip."""
    outcomes = []
    for person, clips in enumerate(people):
        for number, (truth, *predictions) in enumerate(clips):
            for seed, predicted in enumerate(predictions):
                outcomes.append(outcome(f"d/{person}/{number}", truth, predicted, seed=seed))
    return outcomes


def by_scikit_learn(truth: list[str], predictions: list[list[str]]) -> np.ndarray:
    options = {"labels": CLASSES, "average": "macro", "zero_division": 0}
    scores = []
    for predicted in predictions:
        uf1, uar = f1_score(truth, predicted, **options), recall_score(truth, predicted, **options)
        scores.append([accuracy_score(truth, predicted), uf1, uar])
    return np.mean(scores, axis=0)


@settings(max_examples=12, deadline=None)
@given(PEOPLE)
def test_exact_p_equals_brute_force(people: list[list[tuple[str, str, str]]]) -> None:
    """Every order of every person's labels, also equal ones, each scored by another library."""
    predictions = [[clip[seed] for clips in people for clip in clips] for seed in (1, 2)]
    orders = [list(itertools.permutations([clip[0] for clip in clips])) for clips in people]
    assume(math.prod(map(len, orders)) <= 600)
    drawn = []
    for assignment in itertools.product(*orders):
        drawn.append(by_scikit_learn(list(itertools.chain(*assignment)), predictions))
    observed = drawn[0]
    result = chance_test(outcomes_of(people), CLASSES, permutations=600)
    assert result.exact
    for index, measure in enumerate(MEASURES):
        values = np.array(drawn)[:, index]
        assert result.measures[measure].p == pytest.approx(np.mean(values >= observed[index] - 1e-9))
        assert result.measures[measure].mean == pytest.approx(values.mean())


def test_one_person_with_two_classes_is_fishers_exact_test() -> None:
    """Accuracy of 2 x 2 predictions with fixed margins: one-sided, by the hypergeometric distribution."""
    pairs = [("negative", "negative")] * 7 + [("negative", "positive")] * 3
    pairs += [("positive", "positive")] * 6 + [("positive", "negative")] * 2
    outcomes = [outcome(f"d/1/{number}", *pair) for number, pair in enumerate(pairs)]
    expected = stats.fisher_exact([[7, 3], [2, 6]], alternative="greater").pvalue
    result = chance_test(outcomes, CLASSES[:2], permutations=40_000)
    error = math.sqrt(expected * (1 - expected) / 40_000)
    assert not result.exact or result.permutations == math.comb(18, 8)
    assert result.measures["accuracy"].p == pytest.approx(expected, abs=4 * error)


def test_knowing_the_person_is_no_skill() -> None:
    """Each person has one class, and all predictions are correct: nothing can be permuted, and p is 1."""
    outcomes = []
    for person in range(6):
        word = CLASSES[person % 3]
        outcomes += [outcome(f"d/{person}/{number}", word, word) for number in range(5)]
    result = chance_test(outcomes, CLASSES)
    assert (result.people, result.permutations, result.exact) == (0, 1, True)
    assert result.measures["uf1"].p == 1.0 and result.measures["uf1"].high == 1.0


def test_p_is_uniform_under_the_null() -> None:
    """Guesses that prefer a class of their own for each person: a share of about 0.05 has p below 0.05."""
    rng = np.random.default_rng(3)
    p = []
    for _ in range(200):
        people = []
        for _ in range(5):
            favourite = rng.choice(CLASSES)
            guesses = [favourite if rng.random() < 0.5 else rng.choice(CLASSES) for _ in range(6)]
            people.append([(str(rng.choice(CLASSES)), str(guess), str(guess)) for guess in guesses])
        p.append(chance_test(outcomes_of(people), CLASSES, permutations=199).measures["uf1"].p)
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.1
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_a_system_that_is_always_right_has_the_smallest_p() -> None:
    people = [[(word, word, word) for word in CLASSES * 4] for _ in range(5)]
    result = chance_test(outcomes_of(people), CLASSES, permutations=99)
    assert result.measures["uf1"].p == pytest.approx(1 / 100)
    assert result.measures["uf1"].mean == pytest.approx(1 / 3, abs=0.03)
    assert result == chance_test(outcomes_of(people), CLASSES, permutations=99)  # the seed is fixed
