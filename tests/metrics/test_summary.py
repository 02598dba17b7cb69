"""The summary of a study against cases worked by hand."""

import numpy as np
import pytest

from learnet.core.errors import LearnetError
from learnet.core.serialisation import to_plain
from learnet.metrics.calibration import calibration
from learnet.metrics.summary import average_seeds, summarise
from tests.builders.outcomes import CLASSES, outcome, scored_outcome


def test_scores_are_pooled_not_averaged_over_folds() -> None:
    """Two people, one correct on 1 clip, the other wrong on 3: pooled accuracy 1/4, mean over people 1/2."""
    outcomes = [outcome("d/1/a", "negative", "negative")]
    outcomes += [outcome(f"d/2/{i}", "negative", "positive") for i in range(3)]
    summary = summarise(outcomes, CLASSES).seeds["0"]
    assert summary.accuracy.value == 0.25
    assert to_plain(summary.per_person["d/1"]) == {"clips": 1, "right": 1, "accuracy": 1.0}
    assert to_plain(summary.per_person["d/2"]) == {"clips": 3, "right": 0, "accuracy": 0.0}


def test_absent_classes_are_named_and_count_as_zero() -> None:
    outcomes = [outcome("d/1/a", "negative", "negative"), outcome("d/2/a", "positive", "positive")]
    summary = summarise(outcomes, CLASSES)
    assert summary.absent == ["surprise"]
    assert summary.seeds["0"].uf1.value == pytest.approx(2 / 3)


def test_an_absent_class_is_zero_in_the_interval_too() -> None:
    """All predictions are correct and two of three classes occur: UF1 is 2/3 in every resample with both."""
    outcomes = [outcome(f"d/{i}/a", name, name) for i, name in enumerate(["negative", "positive"] * 20)]
    uf1 = summarise(outcomes, CLASSES).mean["uf1"]
    assert uf1.value == uf1.low == uf1.high == pytest.approx(2 / 3)


def test_each_dataset_is_scored_by_itself() -> None:
    """Worked by hand. Dataset a: true n n p p, predicted n p p p. Dataset b: true n n, predicted n s."""
    of_a = [("n", "n"), ("n", "p"), ("p", "p"), ("p", "p")]
    of_b = [("n", "n"), ("n", "s")]
    outcomes = [outcome(f"a/{i}/x", truth, predicted) for i, (truth, predicted) in enumerate(of_a)]
    outcomes += [outcome(f"b/{i}/x", truth, predicted) for i, (truth, predicted) in enumerate(of_b)]
    datasets = summarise(outcomes, list("nps")).datasets
    assert datasets is not None
    a, b = datasets["a"], datasets["b"]
    assert (a.clips, a.people, a.absent) == (4, 4, ["s"])
    assert (b.clips, b.people, b.absent) == (2, 2, ["p", "s"])
    measures = ("accuracy", "uf1", "uar")
    expected_a = [3 / 4, (2 / 3 + 4 / 5 + 0) / 3, (1 / 2 + 1 + 0) / 3]
    expected_b = [1 / 2, (2 / 3) / 3, (1 / 2) / 3]
    assert [a.mean[name].value for name in measures] == pytest.approx(expected_a)
    assert [b.mean[name].value for name in measures] == pytest.approx(expected_b)
    for measure in (*a.mean.values(), *b.mean.values()):
        assert measure.low <= measure.value <= measure.high


def test_a_single_dataset_has_no_scores_by_dataset() -> None:
    outcomes = [outcome(f"a/{i}/x", "negative", "negative") for i in range(2)]
    assert "datasets" not in to_plain(summarise(outcomes, CLASSES))


def test_seeds_are_averaged_by_measure_and_by_score() -> None:
    """Averaged scores of the first clip are 0.35 and 0.65, of the second 0.3 and 0.7: both positive."""
    outcomes = [
        outcome("d/1/a", "negative", "negative", 0, (0.6, 0.4, 0.0)),
        outcome("d/1/a", "negative", "positive", 1, (0.1, 0.9, 0.0)),
        outcome("d/2/a", "positive", "positive", 0, (0.2, 0.8, 0.0)),
        outcome("d/2/a", "positive", "positive", 1, (0.4, 0.6, 0.0)),
    ]
    summary = summarise(outcomes, CLASSES)
    assert summary.mean["accuracy"].value == pytest.approx(0.75)
    assert summary.mean["accuracy"].spread == pytest.approx(np.std([1, 0.5], ddof=1))
    averaged = average_seeds(outcomes, CLASSES)
    assert [one.prediction for one in averaged] == ["positive", "positive"]
    assert averaged[0].scores == pytest.approx((0.35, 0.65, 0.0))
    assert summary.averaged is not None and summary.averaged.accuracy.value == 0.5


def test_seeds_with_other_clips_are_refused() -> None:
    first = outcome("d/1/a", "negative", "negative", seed=0)
    other_clip = outcome("d/1/b", "negative", "negative", seed=1)
    other_truth = outcome("d/1/a", "positive", "negative", seed=1)
    for outcomes in ([first, other_clip], [first, other_truth], [first, first]):
        with pytest.raises(LearnetError, match="same clips"):
            summarise(outcomes, CLASSES)
    with pytest.raises(LearnetError, match="no outcomes"):
        summarise([], CLASSES)


def test_calibration_is_part_of_the_summary_where_there_are_scores() -> None:
    outcomes = [scored_outcome(i, 0, i % 2 == 0, 0.7) for i in range(6)]
    summary = summarise(outcomes, CLASSES).calibration
    expected = calibration(outcomes, CLASSES)
    assert summary is not None
    assert (summary.ece.low, summary.ece.high) == expected.ece_limits
    assert (summary.ece.value, summary.ece.by_chance) == (expected.ece, expected.by_chance)
    assert summary.bins == 10
    assert summary.mean_score == pytest.approx(0.7)
    assert summary.share_right == pytest.approx(0.5)
    bare = [outcome("d/1/a", "negative", "negative", scores=())]
    assert "calibration" not in to_plain(summarise(bare, CLASSES))
