"""Metrics against scikit-learn, cases worked by hand, and a closed form for the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.core.serialisation import to_plain
from learnet.metrics.calibration import calibration
from learnet.metrics.scores import confusion, headline, intervals, precision_recall_f1
from learnet.metrics.summary import average_seeds, summarise

CLASSES = ("negative", "positive", "surprise")


def outcome(
    clip: str, truth: str, prediction: str, seed: int = 0, scores: tuple[float, ...] = (0.5, 0.3, 0.2)
) -> Outcome:
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
        precision_recall_f1(counts)[0],
        reference.precision_score(truth, prediction, labels=CLASSES, average=None, zero_division=0),
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
    outcomes = [
        outcome("d/1/a", "negative", "negative"),
        *(outcome(f"d/2/{i}", "negative", "positive") for i in range(3)),
    ]
    summary = to_plain(summarise(outcomes, CLASSES).seeds["0"])
    assert summary["accuracy"]["value"] == 0.25
    assert summary["per_person"] == {
        "d/1": {"clips": 1, "right": 1, "accuracy": 1.0},
        "d/2": {"clips": 3, "right": 0, "accuracy": 0.0},
    }


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
    summary = summarise(
        [outcome("d/1/a", "negative", "negative"), outcome("d/2/a", "positive", "positive")], CLASSES
    )
    assert summary.absent == ["surprise"]
    assert summary.seeds["0"].uf1.value == pytest.approx(2 / 3)


def test_a_class_that_nobody_shows_is_zero_in_the_interval_too() -> None:
    """All answers right, two of three classes there: UF1 is 2/3, in every resample that has both; the interval is around it."""
    outcomes = [outcome(f"d/{i}/a", name, name) for i, name in enumerate(["negative", "positive"] * 20)]
    found = summarise(outcomes, CLASSES).mean["uf1"]
    assert found.value == found.low == found.high == pytest.approx(2 / 3)


def test_each_database_is_counted_by_itself() -> None:
    """Worked by hand. Database a: truth n n p p, called n p p p. Database b has no surprise either: truth n n, called n s."""
    answers = {"a": [("n", "n"), ("n", "p"), ("p", "p"), ("p", "p")], "b": [("n", "n"), ("n", "s")]}
    outcomes = [
        Outcome("s", "f", 0, f"{base}/{i}/x", base, f"{base}/{i}", truth, prediction, (1.0, 0.0, 0.0))
        for base, pairs in answers.items()
        for i, (truth, prediction) in enumerate(pairs)
    ]
    found = summarise(outcomes, list("nps")).datasets
    assert [(part.clips, part.people, part.absent) for part in found.values()] == [
        (4, 4, ["s"]),
        (2, 2, ["p", "s"]),
    ]
    scores = {
        base: [part.mean[m].value for m in ("accuracy", "uf1", "uar")] for base, part in found.items()
    }
    assert scores["a"] == pytest.approx([3 / 4, (2 / 3 + 4 / 5 + 0) / 3, (1 / 2 + 1 + 0) / 3])
    assert scores["b"] == pytest.approx([1 / 2, (2 / 3) / 3, (1 / 2) / 3])
    for part in found.values():
        assert all(measure.low <= measure.value <= measure.high for measure in part.mean.values())
    assert "datasets" not in to_plain(summarise(outcomes[:4], list("nps")))  # as it was before there were several


def test_seeds_are_averaged_by_score_and_by_measure() -> None:
    outcomes = [
        outcome("d/1/a", "negative", "negative", 0, (0.6, 0.4, 0.0)),
        outcome("d/1/a", "negative", "positive", 1, (0.1, 0.9, 0.0)),
        outcome("d/2/a", "positive", "positive", 0, (0.2, 0.8, 0.0)),
        outcome("d/2/a", "positive", "positive", 1, (0.4, 0.6, 0.0)),
    ]
    summary = summarise(outcomes, CLASSES)
    assert summary.mean["accuracy"].value == pytest.approx(0.75)
    assert summary.mean["accuracy"].spread == pytest.approx(np.std([1, 0.5], ddof=1))
    assert [o.prediction for o in average_seeds(outcomes, CLASSES)] == [
        "positive",
        "positive",
    ]  # (0.35, 0.65), (0.3, 0.7)
    assert summary.averaged.accuracy.value == 0.5


def test_unequal_seeds_are_refused() -> None:
    with pytest.raises(LearnetError, match="same clips"):
        summarise(
            [outcome("d/1/a", "negative", "negative", 0), outcome("d/1/b", "negative", "negative", 1)],
            CLASSES,
        )
    with pytest.raises(LearnetError, match="no outcomes"):
        summarise([], CLASSES)


def scored(person: int, number: int, right: bool, score: float, seed: int = 0) -> Outcome:
    """An answer `positive` with a score; the truth is another class where it is wrong."""
    rest = (1 - score) / 2
    return outcome(
        f"d/{person}/{number}", "positive" if right else "surprise", "positive", seed, (rest, score, rest)
    )


def test_calibration_by_hand() -> None:
    """Five bins. Scores 0.5 and 0.6 fall into the third, which ends at 0.6: one of two right, mean 0.55. 0.9, 0.9, 1.0 into the fifth:
    two of three right, mean 14/15. So the error is 2/5 |0.5 - 0.55| + 3/5 |2/3 - 14/15| = 0.02 + 0.16.
    """
    given = [(0.5, True), (0.6, False), (0.9, True), (0.9, False), (1.0, True)]
    found = calibration(
        [scored(i, 0, right, score) for i, (score, right) in enumerate(given)], CLASSES, bins=5
    )
    assert found.counts.tolist() == [0, 0, 2, 0, 3]
    np.testing.assert_allclose(found.score[[2, 4]], [0.55, 14 / 15])
    np.testing.assert_allclose(found.right[[2, 4]], [0.5, 2 / 3])
    assert np.isnan(found.score[[0, 1, 3]]).all() and np.isnan(found.limits[[0, 1, 3]]).all()
    assert found.ece == pytest.approx(0.18)
    assert (found.mean_score, found.share_right) == (pytest.approx(0.78), pytest.approx(0.6))


ANSWERS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(334, 1000), st.booleans()), min_size=1, max_size=40
)


@given(ANSWERS, st.integers(1, 15))
def test_calibration_beside_scikit_learn_and_a_loop(given: list[tuple[int, int, bool]], bins: int) -> None:
    outcomes = [
        scored(person, place, right, score / 1000) for place, (person, score, right) in enumerate(given)
    ]
    found = calibration(outcomes, CLASSES, bins, draws=20)
    right, score = [one for *_, one in given], [one / 1000 for _, one, _ in given]
    fraction, mean = calibration_curve(right, score, n_bins=bins)
    there = found.counts > 0
    np.testing.assert_allclose(found.right[there], fraction)
    np.testing.assert_allclose(found.score[there], mean)
    total = 0.0
    for m in range(
        bins
    ):  # the definition, in whole thousandths, so that no rounding moves an answer to the next bin
        inside = [(one, ok) for _, one, ok in given if 1000 * m < one * bins <= 1000 * (m + 1)]
        total += abs(sum(ok for _, ok in inside) - sum(one for one, _ in inside) / 1000) / len(given)
    assert found.ece == pytest.approx(total)
    low, high = found.ece_limits
    assert 0 <= low <= high <= 1 if len({person for person, *_ in given}) > 1 else np.isnan([low, high]).all()


def test_calibration_intervals_draw_people() -> None:
    """Of two people one is always right and one never, all with score 0.75. People are drawn (2, 0), (1, 1), (0, 2) in 1, 2, 1 of 4 ways,
    so the error is 0.25, 0.25 or 0.75, and the ends of the interval are the extremes.
    """
    outcomes = [scored(person, i, person == 0, 0.75) for person in (0, 1) for i in range(50)]
    found = calibration(outcomes, CLASSES)
    assert found.ece == pytest.approx(0.25) and found.ece_limits == (pytest.approx(0.25), pytest.approx(0.75))
    np.testing.assert_allclose(found.limits[7], [0, 1])


def test_calibration_expected_by_chance() -> None:
    """One bin, n answers of score s: the mean distance of a binomial share from s, here exactly for n = 3, s = 1/2: 1/4."""
    found = calibration([scored(i, 0, True, 0.5) for i in range(3)], CLASSES, bins=1)
    assert found.by_chance == pytest.approx((2 * 1 / 8 * 0.5 + 6 / 8 * (2 / 3 - 1 / 2)), abs=0.02)
    twice = calibration([scored(i, 0, True, 0.5, seed) for i in range(3) for seed in (0, 1)], CLASSES, bins=1)
    assert twice.by_chance == pytest.approx(
        found.by_chance
    )  # answers to one clip with several seeds share their luck


def test_calibration_needs_scores_and_is_in_the_summary() -> None:
    bare = [
        outcome("d/1/a", "negative", "negative", scores=()),
        outcome("d/2/a", "positive", "negative", scores=()),
    ]
    with pytest.raises(LearnetError, match="score for each class"):
        calibration(bare, CLASSES)
    assert "calibration" not in to_plain(summarise(bare, CLASSES))
    outcomes = [scored(i, 0, i % 2 == 0, 0.7) for i in range(6)]
    told, found = to_plain(summarise(outcomes, CLASSES))["calibration"], calibration(outcomes, CLASSES)
    assert told["ece"] == {
        "value": found.ece,
        "low": found.ece_limits[0],
        "high": found.ece_limits[1],
        "by_chance": found.by_chance,
    }
    assert (told["bins"], told["mean_score"], told["share_right"]) == (
        10,
        pytest.approx(0.7),
        pytest.approx(0.5),
    )
