"""Calibration against scikit-learn, the definition in a loop, and cases worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from learnet.core.errors import LearnetError
from learnet.metrics.calibration import calibration
from tests.builders.outcomes import CLASSES, outcome, scored_outcome


def test_calibration_by_hand() -> None:
    """Five bins. Scores 0.5 and 0.6 fall into the third, which ends at 0.6: one of two correct, mean 0.55.

    Scores 0.9, 0.9 and 1.0 fall into the fifth: two of three correct, mean 14/15. So the error is
    2/5 |0.5 - 0.55| + 3/5 |2/3 - 14/15| = 0.02 + 0.16.
    """
    pairs = [(0.5, True), (0.6, False), (0.9, True), (0.9, False), (1.0, True)]
    outcomes = [scored_outcome(i, 0, correct, score) for i, (score, correct) in enumerate(pairs)]
    result = calibration(outcomes, CLASSES, bins=5)
    assert result.counts.tolist() == [0, 0, 2, 0, 3]
    np.testing.assert_allclose(result.score[[2, 4]], [0.55, 14 / 15])
    np.testing.assert_allclose(result.right[[2, 4]], [0.5, 2 / 3])
    empty = [0, 1, 3]
    assert np.isnan(result.score[empty]).all()
    assert np.isnan(result.limits[empty]).all()
    assert result.ece == pytest.approx(0.18)
    assert result.mean_score == pytest.approx(0.78)
    assert result.share_right == pytest.approx(0.6)


# person, score in thousandths, whether the prediction is correct
PREDICTION = st.tuples(st.integers(0, 5), st.integers(334, 1000), st.booleans())


def ece_by_definition(predictions: list[tuple[int, int, bool]], bins: int) -> float:
    """Whole thousandths, so that no rounding moves a prediction to the next bin."""
    total = 0.0
    for m in range(bins):
        inside = [(score, ok) for _, score, ok in predictions if 1000 * m < score * bins <= 1000 * (m + 1)]
        scores = sum(score for score, _ in inside) / 1000
        correct = sum(ok for _, ok in inside)
        total += abs(correct - scores) / len(predictions)
    return total


@given(st.lists(PREDICTION, min_size=1, max_size=40), st.integers(1, 15))
def test_calibration_equals_scikit_learn_and_the_definition(
    predictions: list[tuple[int, int, bool]], bins: int
) -> None:
    outcomes = []
    for number, (person, score, correct) in enumerate(predictions):
        outcomes.append(scored_outcome(person, number, correct, score / 1000))
    result = calibration(outcomes, CLASSES, bins, draws=20)
    correct = [ok for _, _, ok in predictions]
    scores = [score / 1000 for _, score, _ in predictions]
    fraction, mean = calibration_curve(correct, scores, n_bins=bins)
    occupied = result.counts > 0
    np.testing.assert_allclose(result.right[occupied], fraction)
    np.testing.assert_allclose(result.score[occupied], mean)
    assert result.ece == pytest.approx(ece_by_definition(predictions, bins))
    low, high = result.ece_limits
    if len({person for person, _, _ in predictions}) > 1:
        assert 0 <= low <= high <= 1
    else:
        assert np.isnan(low) and np.isnan(high)


def test_intervals_resample_people() -> None:
    """Of two people one is always correct and one never, all with score 0.75.

    The resamples (2, 0), (1, 1), (0, 2) occur in 1, 2, 1 of 4 ways, with errors of 0.25, 0.25 and 0.75. The
    ends of the interval are the extremes.
    """
    outcomes = [scored_outcome(person, i, person == 0, 0.75) for person in (0, 1) for i in range(50)]
    result = calibration(outcomes, CLASSES)
    assert result.ece == pytest.approx(0.25)
    assert result.ece_limits == (pytest.approx(0.25), pytest.approx(0.75))
    np.testing.assert_allclose(result.limits[7], [0, 1])


def test_error_by_chance_is_the_mean_distance_of_a_binomial_share() -> None:
    """One bin, 3 predictions with score 1/2: 0 or 3 correct in 2 of 8 ways, 1 or 2 in 6 of 8."""
    result = calibration([scored_outcome(i, 0, True, 0.5) for i in range(3)], CLASSES, bins=1)
    expected = 2 / 8 * (1 / 2) + 6 / 8 * (2 / 3 - 1 / 2)
    assert result.by_chance == pytest.approx(expected, abs=0.02)


def test_predictions_for_one_clip_share_their_chance() -> None:
    """A second seed with the same scores must not make the error by chance smaller."""
    once = [scored_outcome(i, 0, True, 0.5) for i in range(3)]
    again = [scored_outcome(i, 0, True, 0.5, seed=1) for i in range(3)]
    first = calibration(once, CLASSES, bins=1)
    assert calibration(once + again, CLASSES, bins=1).by_chance == pytest.approx(first.by_chance)


def test_predictions_without_scores_are_refused() -> None:
    bare = [outcome("d/1/a", "negative", "negative", scores=())]
    for outcomes in ([], bare, [*bare, scored_outcome(2, 0, True, 0.7)]):
        with pytest.raises(LearnetError, match="score for each class"):
            calibration(outcomes, CLASSES)
