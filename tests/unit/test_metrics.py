"""Metrics against scikit-learn, cases worked by hand, and a closed form for the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from learnet.clip import Outcome
from learnet.errors import LearnetError
from learnet.metrics import average_seeds, confusion, headline, intervals, precision_recall_f1, summarise

CLASSES = ("negative", "positive", "surprise")


def outcome(clip: str, truth: str, prediction: str, seed: int = 0, scores: tuple[float, ...] = (0.5, 0.3, 0.2)) -> Outcome:
    return Outcome("s", "f", seed, clip, "d", clip.rsplit("/", 1)[0], truth, prediction, scores)


def test_by_hand() -> None:
    """Truth n n n n p p s s, called n n n p p s s n: worked on paper."""
    counts = confusion(list("nnnnppss"), list("nnnppssn"), list("nps"))
    assert counts.tolist() == [[3, 1, 0], [0, 1, 1], [1, 0, 1]]
    precision, recall, f1 = precision_recall_f1(counts)
    np.testing.assert_allclose(precision, [3 / 4, 1 / 2, 1 / 2])
    np.testing.assert_allclose(recall, [3 / 4, 1 / 2, 1 / 2])
    np.testing.assert_allclose(headline(counts), [5 / 8, (0.75 + 0.5 + 0.5) / 3, (0.75 + 0.5 + 0.5) / 3])
    np.testing.assert_allclose(f1, [0.75, 0.5, 0.5])


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=60))
def test_equals_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, prediction = [p[0] for p in pairs], [p[1] for p in pairs]
    counts = confusion(truth, prediction, CLASSES)
    np.testing.assert_array_equal(counts, reference.confusion_matrix(truth, prediction, labels=CLASSES))
    expected = [
        reference.accuracy_score(truth, prediction),
        reference.f1_score(truth, prediction, labels=CLASSES, average="macro", zero_division=0),
        reference.recall_score(truth, prediction, labels=CLASSES, average="macro", zero_division=0),
    ]
    np.testing.assert_allclose(headline(counts), expected)
    np.testing.assert_allclose(
        precision_recall_f1(counts)[0], reference.precision_score(truth, prediction, labels=CLASSES, average=None, zero_division=0)
    )


def test_truth_and_prediction_are_not_swapped() -> None:
    """A published UAR was a macro precision because the two were exchanged."""
    counts = confusion(["n", "n", "p"], ["n", "n", "n"], ["n", "p"])
    precision, recall, _ = precision_recall_f1(counts)
    np.testing.assert_allclose(recall, [1, 0])
    np.testing.assert_allclose(precision, [2 / 3, 0])


def test_a_class_outside_the_list_is_refused() -> None:
    with pytest.raises(LearnetError, match="fear"):
        confusion(["fear"], ["negative"], CLASSES)


def test_pooled_is_not_the_mean_over_folds() -> None:
    """Two people, one right on 1 clip, the other wrong on 3: pooled accuracy 1/4, mean over people 1/2."""
    outcomes = [outcome("d/1/a", "negative", "negative"), *(outcome(f"d/2/{i}", "negative", "positive") for i in range(3))]
    summary = summarise(outcomes, CLASSES)["seeds"]["0"]
    assert summary["accuracy"]["value"] == 0.25
    assert summary["per_person"] == {"d/1": {"clips": 1, "right": 1, "accuracy": 1.0}, "d/2": {"clips": 3, "right": 0, "accuracy": 0.0}}


def test_bootstrap_agrees_with_the_binomial() -> None:
    """One clip a person, p = 0.7 over 100 people: the resampled accuracy is Binomial(100, 0.7) / 100."""
    from scipy.stats import binom

    per_person = np.zeros((1, 100, 2, 2), dtype=int)
    per_person[0, :70, 0, 0] = 1
    per_person[0, 70:, 0, 1] = 1
    limits = intervals(per_person, draws=20000)[0]
    np.testing.assert_allclose(limits, binom.ppf([0.025, 0.975], 100, 0.7) / 100, atol=0.011)


def test_people_not_clips_are_resampled() -> None:
    """Ten people with ten equal answers each know no more than ten clips: the interval must not shrink."""
    one = np.zeros((1, 10, 2, 2), dtype=int)
    one[0, :5, 0, 0], one[0, 5:, 0, 1] = 1, 1
    np.testing.assert_allclose(intervals(one), intervals(one * 10))


def test_a_rare_class_missing_from_a_resample_does_not_count_as_zero() -> None:
    """All answers right, one class with one person only: every resample is perfect over the classes it holds."""
    per_person = np.zeros((1, 5, 2, 2), dtype=int)
    per_person[0, :4, 0, 0], per_person[0, 4, 1, 1] = 1, 1
    np.testing.assert_array_equal(intervals(per_person), np.ones((3, 2)))


def test_absent_classes_are_named_and_count_as_zero() -> None:
    summary = summarise([outcome("d/1/a", "negative", "negative"), outcome("d/2/a", "positive", "positive")], CLASSES)
    assert summary["absent"] == ["surprise"]
    assert summary["seeds"]["0"]["uf1"]["value"] == pytest.approx(2 / 3)


def test_a_class_that_nobody_shows_is_zero_in_the_interval_too() -> None:
    """All answers right, two of three classes there: UF1 is 2/3, in every resample that has both; the interval is around it."""
    outcomes = [outcome(f"d/{i}/a", name, name) for i, name in enumerate(["negative", "positive"] * 20)]
    found = summarise(outcomes, CLASSES)["mean"]["uf1"]
    assert found["value"] == found["low"] == found["high"] == pytest.approx(2 / 3)


def test_each_database_is_counted_by_itself() -> None:
    """Worked by hand. Database a: truth n n p p, called n p p p. Database b has no surprise either: truth n n, called n s."""
    answers = {"a": [("n", "n"), ("n", "p"), ("p", "p"), ("p", "p")], "b": [("n", "n"), ("n", "s")]}
    outcomes = [
        Outcome("s", "f", 0, f"{base}/{i}/x", base, f"{base}/{i}", truth, prediction, (1.0, 0.0, 0.0))
        for base, pairs in answers.items()
        for i, (truth, prediction) in enumerate(pairs)
    ]
    found = summarise(outcomes, list("nps"))["datasets"]
    assert [(part["clips"], part["people"], part["absent"]) for part in found.values()] == [(4, 4, ["s"]), (2, 2, ["p", "s"])]
    scores = {base: [part["mean"][m]["value"] for m in ("accuracy", "uf1", "uar")] for base, part in found.items()}
    assert scores["a"] == pytest.approx([3 / 4, (2 / 3 + 4 / 5 + 0) / 3, (1 / 2 + 1 + 0) / 3])
    assert scores["b"] == pytest.approx([1 / 2, (2 / 3) / 3, (1 / 2) / 3])
    for part in found.values():
        assert all(measure["low"] <= measure["value"] <= measure["high"] for measure in part["mean"].values())
    assert "datasets" not in summarise(outcomes[:4], list("nps"))  # as it was before there were several


def test_seeds_are_averaged_by_score_and_by_measure() -> None:
    outcomes = [
        outcome("d/1/a", "negative", "negative", 0, (0.6, 0.4, 0.0)),
        outcome("d/1/a", "negative", "positive", 1, (0.1, 0.9, 0.0)),
        outcome("d/2/a", "positive", "positive", 0, (0.2, 0.8, 0.0)),
        outcome("d/2/a", "positive", "positive", 1, (0.4, 0.6, 0.0)),
    ]
    summary = summarise(outcomes, CLASSES)
    assert summary["mean"]["accuracy"]["value"] == pytest.approx(0.75)
    assert summary["mean"]["accuracy"]["spread"] == pytest.approx(np.std([1, 0.5], ddof=1))
    assert [o.prediction for o in average_seeds(outcomes, CLASSES)] == ["positive", "positive"]  # (0.35, 0.65), (0.3, 0.7)
    assert summary["averaged"]["accuracy"]["value"] == 0.5


def test_unequal_seeds_are_refused() -> None:
    with pytest.raises(LearnetError, match="same clips"):
        summarise([outcome("d/1/a", "negative", "negative", 0), outcome("d/1/b", "negative", "negative", 1)], CLASSES)
    with pytest.raises(LearnetError, match="no outcomes"):
        summarise([], CLASSES)
