"""Equivalence and the smallest difference against t tests of SciPy, where the difference is a mean."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from learnet.core.records import Outcome
from learnet.metrics.equivalence import undecided_text, verdict
from learnet.metrics.significance import Difference, difference
from tests.builders.outcomes import outcome

TWO = ("negative", "positive")


def predictions(correct: list[int], clips: int = 50) -> list[Outcome]:
    """So many correct clips of each person."""
    outcomes = []
    for person, number in enumerate(correct):
        for clip in range(clips):
            predicted = "negative" if clip < number else "positive"
            outcomes.append(outcome(f"d/{person:02d}/{clip}", "negative", predicted))
    return outcomes


def compared(changes: list[int]) -> Difference:
    """Accuracies of 30 of 50 clips for everybody, against so many more."""
    return difference(predictions([30 + change for change in changes]), predictions([30] * len(changes)), TWO)


def two_one_sided(changes: list[int], margin: float) -> float:
    """The p of TOST by SciPy: the larger of the two one-sided t tests."""
    values = np.array(changes) / 50
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    return float(max(above, below))


@pytest.mark.parametrize("spread", [1, 2, 3, 5, 6, 8])
def test_equivalence_is_that_of_two_one_sided_t_tests(spread: int) -> None:
    """Mean differences of 0 with a growing spread, over ten people; the margin is 0.05."""
    changes = [spread, -spread] * 5
    p = two_one_sided(changes, 0.05)
    assert abs(p - 0.05) > 0.01  # no case is so close that the bootstrap could differ
    shown = verdict(compared(changes), "accuracy", p=1.0)
    assert shown.startswith("equivalent within 0.05" if p < 0.05 else "cannot tell below")


def test_the_smallest_difference_is_that_of_the_paired_t_test() -> None:
    """(t.975 + t.8) standard errors, within the error of 2,000 resamples."""
    changes = [3, -2, 5, 0, 1, -4, 2, 6, -1, 3, 0, 2]
    error = stats.sem(np.array(changes) / 50)
    expected = error * (stats.t.ppf(0.975, 11) + stats.t.ppf(0.8, 11))
    assert compared(changes).smallest["accuracy"] == pytest.approx(expected, rel=0.06)


def test_what_a_difference_shows_in_words() -> None:
    result = compared([1, -1] * 5)
    assert verdict(result, "accuracy", 0.5) == "equivalent within 0.05"
    assert verdict(result, "accuracy", 0.5, margin=0.1) == "equivalent within 0.1"
    assert verdict(result, "accuracy", 0.01) == "different, by less than 0.05"
    far = compared([8, 12] * 5)
    assert verdict(far, "accuracy", 0.01) == "different"
    unsure = replace(far, smallest={"accuracy": 0.0712})
    assert verdict(unsure, "accuracy", 0.5) == "cannot tell below 0.07"
    assert undecided_text(unsure, "accuracy") == (
        "differences below 0.07 cannot be shown with these people (power 80 %)"
    )
    assert verdict(compared([0, 0, 0]), "accuracy", 1.0) == "same predictions"
    assert verdict(compared([3]), "accuracy", 1.0) == "one person cannot tell"
    assert undecided_text(compared([3]), "accuracy") == "one person cannot tell"
