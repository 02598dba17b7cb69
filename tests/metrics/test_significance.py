"""Paired tests against brute force, closed forms and tables worked by hand; properties of paired tests."""

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, recall_score

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.scores import MEASURES
from learnet.metrics.significance import difference, holm, mcnemar

CLASSES = ("n", "p", "s")
WORD = st.sampled_from(CLASSES)


def study(predictions: dict[str, list[tuple[str, str]]], seed: int = 0) -> list[Outcome]:
    """Return outcomes from a person's list of true and predicted classes, one pair per clip."""
    outcomes = []
    for person, pairs in predictions.items():
        for number, (truth, prediction) in enumerate(pairs):
            clip = f"d/{person}/{number}"
            outcomes.append(
                Outcome("s", person, seed, clip, "d", f"d/{person}", truth, prediction, (1.0, 0.0, 0.0))
            )
    return outcomes


@st.composite
def pairs_of_studies(draw: st.DrawFn, most: int = 5, seeds: int = 1) -> tuple[list[Outcome], list[Outcome]]:
    """Draw two studies over the same few clips of a few people."""
    truth = draw(st.lists(st.lists(WORD, min_size=1, max_size=3), min_size=1, max_size=most))
    studies: list[list[Outcome]] = []
    for _ in range(2):
        outcomes: list[Outcome] = []
        for seed in range(draw(st.integers(1, seeds))):
            pairs = {str(person): [(t, draw(WORD)) for t in clips] for person, clips in enumerate(truth)}
            outcomes += study(pairs, seed)
        studies.append(outcomes)
    return studies[0], studies[1]


def scores(outcomes: list[Outcome]) -> np.ndarray:
    """Return accuracy, UF1 and UAR by scikit-learn, averaged over seeds."""
    by_seed = []
    macro = {"labels": CLASSES, "average": "macro", "zero_division": 0}
    for seed in sorted({outcome.seed for outcome in outcomes}):
        truth = [outcome.truth for outcome in outcomes if outcome.seed == seed]
        predicted = [outcome.prediction for outcome in outcomes if outcome.seed == seed]
        uf1 = f1_score(truth, predicted, **macro)
        uar = recall_score(truth, predicted, **macro)
        by_seed.append([accuracy_score(truth, predicted), uf1, uar])
    return np.mean(by_seed, axis=0)


def p_by_brute_force(first: list[Outcome], second: list[Outcome]) -> np.ndarray:
    """Try all 2^P ways to swap people, scored by another library."""
    people = sorted({outcome.person for outcome in first})
    differences = []
    for swapped in itertools.product([False, True], repeat=len(people)):
        moves = dict(zip(people, swapped, strict=True))
        left = [o for o in first if not moves[o.person]] + [o for o in second if moves[o.person]]
        right = [o for o in second if not moves[o.person]] + [o for o in first if moves[o.person]]
        differences.append(np.abs(scores(left) - scores(right)))
    return np.mean(np.array(differences) >= differences[0] - 1e-9, axis=0)


@settings(max_examples=25, deadline=None)
@given(pairs_of_studies())
def test_exact_p_equals_brute_force_over_all_swaps(pair: tuple[list[Outcome], list[Outcome]]) -> None:
    result = difference(*pair, CLASSES)
    assert result.exact
    np.testing.assert_allclose([result.p[m] for m in MEASURES], p_by_brute_force(*pair))
    expected = scores(pair[0]) - scores(pair[1])
    np.testing.assert_allclose([result.values[m] for m in MEASURES], expected, atol=1e-12)


def test_with_one_clip_per_person_it_is_the_sign_test() -> None:
    """Swapping people is then a coin toss per clip that only one study has correct: 9 against 2, 5 alike."""
    first = study({f"{i:02d}": [("n", "n" if i < 9 or i > 10 else "p")] for i in range(16)})
    second = study({f"{i:02d}": [("n", "n" if i > 8 else "p")] for i in range(16)})
    result = difference(first, second, CLASSES)
    expected = stats.binomtest(2, 11, 0.5).pvalue
    assert result.people == 11 and result.exact and result.swaps == 1024
    assert result.p["accuracy"] == pytest.approx(expected)
    assert result.values["accuracy"] == pytest.approx(7 / 16)
    clips = mcnemar(first, second)
    assert (clips.only_first, clips.only_second, clips.p) == (9, 2, pytest.approx(expected))


def test_random_swaps_approach_the_closed_form() -> None:
    """22 against 9 of 31 people: more ways than are tried. The error stays below four standard errors."""
    first = study({f"{i:02d}": [("n", "n" if i < 22 else "p")] for i in range(31)})
    second = study({f"{i:02d}": [("n", "p" if i < 22 else "n")] for i in range(31)})
    result = difference(first, second, CLASSES, swaps=40_000)
    expected = stats.binomtest(9, 31, 0.5).pvalue
    standard_error = np.sqrt(expected * (1 - expected) / 40_000)
    assert not result.exact and result.swaps == 40_000
    assert result.p["accuracy"] == pytest.approx(expected, abs=4 * standard_error)
    assert result == difference(first, second, CLASSES, swaps=40_000)  # the seed is fixed
    assert result.p != difference(first, second, CLASSES, swaps=40_000, seed=1).p


def test_p_of_random_swaps_is_never_zero() -> None:
    """All of 31 people correct in one study, none in the other: no random swap is as extreme, p is 1/101."""
    first, second = (study({f"{i:02d}": [("n", prediction)] for i in range(31)}) for prediction in "np")
    assert difference(first, second, CLASSES, swaps=100).p["accuracy"] == pytest.approx(1 / 101)


def test_random_and_exact_p_agree() -> None:
    rng = np.random.default_rng(0)
    truth = {f"{i:02d}": rng.choice(list(CLASSES), 6) for i in range(12)}
    studies = []
    for _ in range(2):
        pairs = {}
        for person, classes in truth.items():
            pairs[person] = [(str(name), str(rng.choice([name, *CLASSES]))) for name in classes]
        studies.append(study(pairs))
    exact = difference(*studies, CLASSES)
    random = difference(*studies, CLASSES, swaps=1000)
    assert exact.exact and not random.exact
    for measure in MEASURES:
        assert random.p[measure] == pytest.approx(exact.p[measure], abs=0.07)


def test_all_clips_of_a_person_are_swapped_together() -> None:
    """Five people, all correct in one study, all wrong in the other: 2 of 32 swaps are as extreme."""
    first = study({f"{i}": [("n", "n"), ("p", "p"), ("s", "s")] * 4 for i in range(5)})
    second = study({f"{i}": [("n", "p"), ("p", "s"), ("s", "n")] * 4 for i in range(5)})
    assert difference(first, second, CLASSES).p == dict.fromkeys(MEASURES, 2 / 32)
    assert mcnemar(first, second).p == pytest.approx(2 / 2**60)  # treats 60 clips as independent


@settings(max_examples=25, deadline=None)
@given(pairs_of_studies(most=4, seeds=3), st.sampled_from([4, 10_000]))
def test_general_properties_of_a_paired_test(pair: tuple[list[Outcome], list[Outcome]], swaps: int) -> None:
    forward = difference(*pair, CLASSES, swaps=swaps)
    reverse = difference(*reversed(pair), CLASSES, swaps=swaps)
    assert forward.p == reverse.p and forward.people == reverse.people
    for measure in MEASURES:
        low, high = reverse.limits[measure]
        assert 0 < forward.p[measure] <= 1
        assert forward.values[measure] == pytest.approx(-reverse.values[measure])
        np.testing.assert_allclose(forward.limits[measure], (-high, -low), atol=1e-12)
    same = difference(pair[0], pair[0], CLASSES, swaps=swaps)
    assert same.p == dict.fromkeys(MEASURES, 1.0)
    assert set(same.values.values()) == {0.0}
    assert same.people == 0


@settings(max_examples=15, deadline=None)
@given(pairs_of_studies(most=3, seeds=3))
def test_the_difference_is_that_of_the_means_over_seeds(pair: tuple[list[Outcome], list[Outcome]]) -> None:
    result = difference(*pair, CLASSES)
    expected = scores(pair[0]) - scores(pair[1])
    np.testing.assert_allclose([result.values[m] for m in MEASURES], expected, atol=1e-12)


def test_two_seeds_against_one_by_hand() -> None:
    """Two people. Seeds of the first study: both correct, then person 0 only. The second study: both wrong.

    Accuracy is 3/4 against 0. Swapping person 1 makes it (1/2 + 1/2) / 2 against (1/2 + 0) / 2, that is 1/4
    apart. So 2 of the 4 ways are as extreme as the observed one.
    """
    both_correct = study({"0": [("n", "n")], "1": [("n", "n")]})
    one_correct = study({"0": [("n", "n")], "1": [("n", "p")]}, seed=1)
    second = study({"0": [("n", "p")], "1": [("n", "p")]})
    result = difference(both_correct + one_correct, second, CLASSES)
    assert result.values["accuracy"] == pytest.approx(3 / 4)
    assert result.p["accuracy"] == pytest.approx(2 / 4)


def correct_clips(numbers: list[int]) -> list[Outcome]:
    """Ten clips per person, of which the first so many are correct."""
    return study({f"{i}": [("n", "n" if k < n else "p") for k in range(10)] for i, n in enumerate(numbers)})


def test_the_interval_draws_the_same_people_for_both_studies() -> None:
    """One study has one more clip of every person correct: a tenth more in every resample."""
    correct = [1, 9, 4, 2, 8, 5]
    first = correct_clips(correct)
    second = correct_clips([number - 1 for number in correct])
    low, high = difference(first, second, CLASSES).limits["accuracy"]
    assert low == pytest.approx(0.1) and high == pytest.approx(0.1)


def exact_mcnemar(only_first: int, only_second: int) -> Fraction:
    """Two-sided probability of a split at least as uneven, in exact fractions."""
    number = only_first + only_second
    ways = 0
    for k in range(number + 1):
        if abs(2 * k - number) >= abs(only_first - only_second):
            ways += math.comb(number, k)
    return Fraction(ways, 2**number)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_equals_exact_fractions(only_first: int, only_second: int) -> None:
    same = [("n", "n"), ("p", "p")]
    pairs = [("n", "p")] * only_first + [("p", "n")] * only_second + same
    first = study({"a": [("n", prediction) for prediction, _ in pairs]})
    second = study({"a": [("n", prediction) for _, prediction in pairs]})
    result = mcnemar(first, second)
    assert (result.only_first, result.only_second) == (only_first, only_second)
    assert result.p == pytest.approx(float(exact_mcnemar(only_first, only_second)), rel=1e-12)
    assert 0 < result.p <= 1
    assert mcnemar(second, first).p == result.p


def test_holm_by_hand() -> None:
    """0.005 x 4, 0.01 x 3, then 0.03 x 2, and 0.04 x 1, which may not fall below it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=6))
def test_holm_rejects_as_the_step_down_test_does(p: list[float]) -> None:
    """At every level: take the tests by rising p, and stop at the first above level / remaining tests."""
    corrected = holm(p)
    for level in (0.01, 0.05, 0.2, 0.7):
        rejected = set()
        for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if p[i] * (len(p) - rank) > level:
                break
            rejected.add(i)
        assert {i for i, value in enumerate(corrected) if value <= level} == rejected
    assert all(raw <= value <= 1 for raw, value in zip(p, corrected, strict=True))


def test_only_studies_of_the_same_clips_are_compared() -> None:
    first = study({"a": [("n", "n"), ("p", "p")]})
    other_truth = [first[0], replace(first[1], truth="s")]
    other_person = [first[0], replace(first[1], person="d/b")]
    for second in (first[:1], other_truth, other_person, []):
        with pytest.raises(LearnetError, match="same clips"):
            difference(first, second, CLASSES)
        with pytest.raises(LearnetError, match="same clips"):
            mcnemar(first, second)


def test_mcnemar_refuses_two_predictions_for_a_clip() -> None:
    first = study({"a": [("n", "n"), ("p", "p")]})
    again = study({"a": [("n", "n"), ("p", "p")]}, seed=1)
    with pytest.raises(LearnetError, match="Average the seeds"):
        mcnemar(first + again, first)
