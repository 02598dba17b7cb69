"""Paired tests against brute force, closed forms and tables worked by hand; properties that any such test has."""

import itertools
from dataclasses import replace

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


def study(answers: dict[str, list[tuple[str, str]]], seed: int = 0) -> list[Outcome]:
    """Person -> truth and prediction of each clip."""
    return [
        Outcome("s", person, seed, f"d/{person}/{i}", "d", f"d/{person}", truth, said, (1.0, 0.0, 0.0))
        for person, pairs in answers.items()
        for i, (truth, said) in enumerate(pairs)
    ]


@st.composite
def pairs_of_studies(draw: st.DrawFn, most: int = 5, seeds: int = 1) -> tuple[list[Outcome], list[Outcome]]:
    """Two studies over the same few clips of a few people."""
    truth = draw(st.lists(st.lists(WORD, min_size=1, max_size=3), min_size=1, max_size=most))
    studies: list[list[Outcome]] = []
    for _ in range(2):
        found: list[Outcome] = []
        for seed in range(draw(st.integers(1, seeds))):
            found += study({f"{i}": [(t, draw(WORD)) for t in clips] for i, clips in enumerate(truth)}, seed)
        studies.append(found)
    return studies[0], studies[1]


def scores(outcomes: list[Outcome]) -> np.ndarray:
    """Accuracy, UF1, UAR by scikit-learn, mean over seeds."""
    found = []
    for seed in sorted({o.seed for o in outcomes}):
        truth, said = zip(*((o.truth, o.prediction) for o in outcomes if o.seed == seed), strict=True)
        macro = {"labels": CLASSES, "average": "macro", "zero_division": 0}
        found.append(
            [accuracy_score(truth, said), f1_score(truth, said, **macro), recall_score(truth, said, **macro)]
        )
    return np.mean(found, axis=0)


def by_brute_force(one: list[Outcome], other: list[Outcome]) -> np.ndarray:
    """Every one of the 2^P ways to let people change sides, scored by another library."""
    people = sorted({o.person for o in one})
    apart = []
    for swapped in itertools.product([False, True], repeat=len(people)):
        there = dict(zip(people, swapped, strict=True))
        left = [o for o in one if not there[o.person]] + [o for o in other if there[o.person]]
        right = [o for o in other if not there[o.person]] + [o for o in one if there[o.person]]
        apart.append(np.abs(scores(left) - scores(right)))
    return np.mean(np.array(apart) >= apart[0] - 1e-9, axis=0)


@settings(max_examples=25, deadline=None)
@given(pairs_of_studies())
def test_exact_p_is_that_of_every_swap_by_brute_force(pair: tuple[list[Outcome], list[Outcome]]) -> None:
    found = difference(*pair, CLASSES)
    assert found.exact
    np.testing.assert_allclose([found.p[m] for m in MEASURES], by_brute_force(*pair))
    np.testing.assert_allclose(
        [found.values[m] for m in MEASURES], scores(pair[0]) - scores(pair[1]), atol=1e-12
    )


def test_one_clip_a_person_is_the_sign_test() -> None:
    """With one clip each, swapping people is tossing a coin for each clip that only one study has right: 9 against 2, and 5 alike."""
    one = study({f"{i:02d}": [("n", "n" if i < 9 or i > 10 else "p")] for i in range(16)})
    other = study({f"{i:02d}": [("n", "n" if i > 8 else "p")] for i in range(16)})
    found = difference(one, other, CLASSES)
    expected = stats.binomtest(2, 11, 0.5).pvalue
    assert found.people == 11 and found.exact and found.swaps == 1024
    assert found.p["accuracy"] == pytest.approx(expected)
    assert found.values["accuracy"] == pytest.approx(7 / 16)
    again = mcnemar(one, other)
    assert (again.only_one, again.only_other, again.p) == (9, 2, pytest.approx(expected))


def test_random_swaps_come_near_the_closed_form() -> None:
    """22 against 9 of 31 people: more ways than are tried. 40,000 swaps are off by less than four standard errors."""
    one = study({f"{i:02d}": [("n", "n" if i < 22 else "p")] for i in range(31)})
    other = study({f"{i:02d}": [("n", "p" if i < 22 else "n")] for i in range(31)})
    found = difference(one, other, CLASSES, swaps=40_000)
    expected = stats.binomtest(9, 31, 0.5).pvalue
    assert not found.exact and found.swaps == 40_000
    assert found.p["accuracy"] == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 40_000))
    assert found == difference(one, other, CLASSES, swaps=40_000)  # the seed is fixed
    assert found.p != difference(one, other, CLASSES, swaps=40_000, seed=1).p


def test_random_swaps_never_say_impossible() -> None:
    """One study is right about all of 31 people, the other about none: of 100 random ways none is as far apart, and p is 1 in 101."""
    one, other = (study({f"{i:02d}": [("n", said)] for i in range(31)}) for said in "np")
    assert difference(one, other, CLASSES, swaps=100).p["accuracy"] == pytest.approx(1 / 101)


def test_random_and_exact_agree() -> None:
    rng = np.random.default_rng(0)
    truth = {f"{i:02d}": rng.choice(list(CLASSES), 6) for i in range(12)}
    one, other = (
        study({k: [(str(t), str(rng.choice([t, *CLASSES]))) for t in v] for k, v in truth.items()})
        for _ in range(2)
    )
    exact, drawn = difference(one, other, CLASSES), difference(one, other, CLASSES, swaps=1000)
    assert exact.exact and not drawn.exact
    for measure in MEASURES:
        assert drawn.p[measure] == pytest.approx(exact.p[measure], abs=0.07)


def test_a_person_moves_with_all_clips() -> None:
    """Five people whom one study has wholly right, the other wholly wrong: 2 of 32 ways are as far apart, however many clips."""
    one = study({f"{i}": [("n", "n"), ("p", "p"), ("s", "s")] * 4 for i in range(5)})
    other = study({f"{i}": [("n", "p"), ("p", "s"), ("s", "n")] * 4 for i in range(5)})
    assert difference(one, other, CLASSES).p == dict.fromkeys(MEASURES, 2 / 32)
    assert mcnemar(one, other).p == pytest.approx(2 / 2**60)  # which takes 60 clips for 60 witnesses


@settings(max_examples=25, deadline=None)
@given(pairs_of_studies(most=4, seeds=3), st.sampled_from([4, 10_000]))
def test_what_any_paired_test_has(pair: tuple[list[Outcome], list[Outcome]], swaps: int) -> None:
    there, back = difference(*pair, CLASSES, swaps=swaps), difference(*reversed(pair), CLASSES, swaps=swaps)
    assert there.p == back.p and there.people == back.people
    for measure in MEASURES:
        assert 0 < there.p[measure] <= 1
        assert there.values[measure] == pytest.approx(-back.values[measure])
        np.testing.assert_allclose(
            there.limits[measure], (-back.limits[measure][1], -back.limits[measure][0]), atol=1e-12
        )
    same = difference(pair[0], pair[0], CLASSES, swaps=swaps)
    assert same.p == dict.fromkeys(MEASURES, 1.0) and set(same.values.values()) == {0.0} and same.people == 0


@settings(max_examples=15, deadline=None)
@given(pairs_of_studies(most=3, seeds=3))
def test_the_difference_is_that_of_the_means_over_seeds(pair: tuple[list[Outcome], list[Outcome]]) -> None:
    found = difference(*pair, CLASSES)
    np.testing.assert_allclose(
        [found.values[m] for m in MEASURES], scores(pair[0]) - scores(pair[1]), atol=1e-12
    )


def test_two_seeds_against_one_by_hand() -> None:
    """Two people. Seeds of the first study: both right, then only 0. The second: both wrong. Accuracy 3/4 against 0.

    Swapping person 1 makes it (1/2 + 1/2) / 2 against (1/2 + 0) / 2: 1/4 apart. So 2 of the 4 ways are as far apart as what was seen.
    """
    one = study({"0": [("n", "n")], "1": [("n", "n")]}) + study(
        {"0": [("n", "n")], "1": [("n", "p")]}, seed=1
    )
    other = study({"0": [("n", "p")], "1": [("n", "p")]})
    found = difference(one, other, CLASSES)
    assert found.values["accuracy"] == pytest.approx(3 / 4) and found.p["accuracy"] == pytest.approx(2 / 4)


def test_the_interval_draws_the_same_people_for_both() -> None:
    """One study is right about one more clip of every person: a tenth more, whoever is drawn, however unlike the people are."""
    right = [1, 9, 4, 2, 8, 5]
    one = study({f"{i}": [("n", "n" if k < n else "p") for k in range(10)] for i, n in enumerate(right)})
    other = study(
        {f"{i}": [("n", "n" if k < n - 1 else "p") for k in range(10)] for i, n in enumerate(right)}
    )
    low, high = difference(one, other, CLASSES).limits["accuracy"]
    assert low == pytest.approx(0.1) and high == pytest.approx(0.1)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_scipys_binomial_test(only_one: int, only_other: int) -> None:
    answers = [("n", "p")] * only_one + [("p", "n")] * only_other + [("n", "n"), ("p", "p")]  # who is right
    one = study({"a": [("n", first) for first, _ in answers]})
    other = study({"a": [("n", second) for _, second in answers]})
    found = mcnemar(one, other)
    number = only_one + only_other
    expected = stats.binomtest(only_one, number, 0.5).pvalue if number else 1.0
    assert (found.only_one, found.only_other) == (only_one, only_other)
    assert found.p == pytest.approx(expected) and 0 < found.p <= 1
    assert mcnemar(other, one).p == found.p


def test_holm_by_hand() -> None:
    """0.005 x 4, 0.01 x 3, then 0.03 x 2 and 0.04 x 1, which may not fall below it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0] and holm([]) == []


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=6))
def test_holm_rejects_as_the_step_down_test_does(p: list[float]) -> None:
    """At every level: go through the tests by rising p, and stop at the first that is above level / tests left."""
    corrected = holm(p)
    for level in (0.01, 0.05, 0.2, 0.7):
        rejected = set()
        for place, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if p[i] * (len(p) - place) > level:
                break
            rejected.add(i)
        assert {i for i, value in enumerate(corrected) if value <= level} == rejected
    assert all(raw <= value <= 1 for raw, value in zip(p, corrected, strict=True))


def test_only_the_same_clips_are_paired() -> None:
    one = study({"a": [("n", "n"), ("p", "p")]})
    for other in (one[:1], [one[0], replace(one[1], truth="s")], [one[0], replace(one[1], person="d/b")], []):
        with pytest.raises(LearnetError, match="same clips"):
            difference(one, other, CLASSES)
        with pytest.raises(LearnetError, match="same clips"):
            mcnemar(one, other)
    with pytest.raises(LearnetError, match="one answer"):
        mcnemar(one + study({"a": [("n", "n"), ("p", "p")]}, seed=1), one)
