"""Scores of action units against scikit-learn, by hand, and against resamples that are written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from learnet.metrics.action_units import (
    ActionUnitMetrics,
    ScoredUnits,
    annotated_sides,
    score_action_units,
    unit_measures,
)
from learnet.metrics.scores import times_drawn


def by_scikit_learn(scores: np.ndarray, truth: np.ndarray, threshold: float) -> list[float]:
    """The four measures of one unit; at matched prevalence, the first of a stable sort are named."""
    named = np.zeros(len(truth), dtype=bool)
    named[np.argsort(-scores, kind="stable")[: truth.sum()]] = True
    return [
        roc_auc_score(truth, scores),
        average_precision_score(truth, scores),
        f1_score(truth, scores >= threshold),
        f1_score(truth, named),
    ]


CLIPS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40)


@given(CLIPS, st.integers(0, 6))
def test_measures_equal_scikit_learn_with_ties_and_repeated_clips(
    clips: list[tuple[int, bool, int]], level: int
) -> None:
    """Seven levels of scores make many ties; a clip that counts k times is written k times."""
    levels, truth, times = (np.array(column) for column in zip(*clips, strict=True))
    scores = levels / 6
    values = unit_measures(scores, truth, level / 6, np.stack([np.ones_like(times), times]))
    for column, weights in enumerate((np.ones_like(times), times)):
        repeated_truth = np.repeat(truth, weights)
        if repeated_truth.all() or not repeated_truth.any():
            assert np.isnan(values[:, column]).all()
            continue
        expected = by_scikit_learn(np.repeat(scores, weights), repeated_truth, level / 6)
        np.testing.assert_allclose(values[:, column], expected, atol=1e-12)


def test_measures_by_hand() -> None:
    """Ranked + - + - -: 5 of 6 pairs in order; precision 1 and 2/3 at the positives; named 0.9, 0.8, 0.7."""
    scores = np.array([0.9, 0.8, 0.7, 0.4, 0.1])
    truth = np.array([True, False, True, False, False])
    values = unit_measures(scores, truth, 0.7, np.ones((1, 5), dtype=np.int64))[:, 0]
    np.testing.assert_allclose(values, [5 / 6, (1 + 2 / 3) / 2, 2 * 2 / (3 + 2), 1 / 2])


def test_equal_scores_are_named_in_the_order_of_the_clips() -> None:
    scores = np.array([0.5, 0.5, 0.5])
    weights = np.ones((1, 3), dtype=np.int64)
    first, last = np.array([True, False, False]), np.array([False, False, True])
    assert unit_measures(scores, first, 0.5, weights)[3] == 1
    assert unit_measures(scores, last, 0.5, weights)[3] == 0


def scored(rng: np.random.Generator, clips: int = 60, people: int = 8) -> ScoredUnits:
    """Units 1 (frequent), 4 (rare), 9 (in one clip) and 12 (never), with scores that know a little."""
    active = rng.random((clips, 4)) < [0.5, 0.15, 0, 0]
    active[7, 2] = True
    scores = np.clip(rng.normal(0.4 + 0.2 * active, 0.2), 0, 1)
    names = tuple(f"p{number}" for number in rng.integers(0, people, clips))
    truth = np.stack([active, active], axis=2)
    return ScoredUnits((1, 4, 9, 12), names, truth, scores, (0.5, 0.6, 0.5, 0.5), None)


def test_means_leave_out_units_that_no_clip_shows(rng: np.random.Generator) -> None:
    data = scored(rng)
    metrics = score_action_units(data, draws=10)
    assert metrics.averaged == [1, 4, 9] and metrics.units[3].measures == {}
    active = data.truth.any(axis=2)
    expected = [by_scikit_learn(data.scores[:, u], active[:, u], data.thresholds[u]) for u in range(3)]
    values = [score.value for score in metrics.mean.values()]
    np.testing.assert_allclose(values, np.mean(expected, axis=0))
    assert [unit.positive for unit in metrics.units] == active.sum(axis=0).tolist()
    assert metrics.units[2].people == 1 and metrics.units[2].prevalence == pytest.approx(1 / 60)
    assert metrics.units[1].named == (data.scores[:, 1] >= 0.6).sum()
    assert metrics.mean_of("auc", (1, 4, 12)) == (pytest.approx(np.mean([row[0] for row in expected[:2]])), 2)
    assert metrics.mean_of("auc", (12, 99)) is None


def test_intervals_are_those_of_resamples_written_out(rng: np.random.Generator) -> None:
    """Each drawn person's clips are copied as often as the person is drawn, and scikit-learn scores them."""
    data, draws = scored(rng), 200
    metrics = score_action_units(data, draws)
    active = data.truth.any(axis=2)
    people = sorted(set(data.people))
    means, of_rare_unit = [], []
    for times in times_drawn(len(people), draws):
        rows = np.repeat(np.arange(60), [times[people.index(person)] for person in data.people])
        values = []
        for unit in range(3):
            truth = active[rows, unit]
            if truth.any() and not truth.all():
                values.append(by_scikit_learn(data.scores[rows, unit], truth, data.thresholds[unit]))
                if unit == 2:
                    of_rare_unit.append(values[-1][0])
        means.append(np.mean(values, axis=0))
    number = len(people)
    outside = norm.cdf(np.sqrt(number / (number - 1)) * t.ppf(0.025, number - 1))  # Hesterberg 2015
    low, high = np.quantile(means, [outside, 1 - outside], axis=0)
    np.testing.assert_allclose([score.low for score in metrics.mean.values()], low)
    np.testing.assert_allclose([score.high for score in metrics.mean.values()], high)
    assert 0 < len(of_rare_unit) < draws  # some resamples lack the only person who shows it
    auc = metrics.units[2].measures["auc"]
    np.testing.assert_allclose([auc.low, auc.high], np.quantile(of_rare_unit, [outside, 1 - outside]))


def test_blocks_of_resamples_give_what_one_gives(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = scored(rng)
    whole = score_action_units(data, draws=50)
    monkeypatch.setattr("learnet.metrics.action_units.VALUES_AT_ONCE", 60 * 7)
    assert score_action_units(data, draws=50) == whole


def test_one_person_has_no_interval(rng: np.random.Generator) -> None:
    metrics = score_action_units(scored(rng, people=1), draws=10)
    assert metrics.people == 1
    assert all(score.low is None and score.high is None for score in metrics.mean.values())


def test_clips_without_a_score_of_a_unit_are_left_out_of_it(rng: np.random.Generator) -> None:
    data = scored(rng)
    data.scores[:20, 0] = np.nan
    metrics = score_action_units(data, draws=10)
    active = data.truth.any(axis=2)
    expected = by_scikit_learn(data.scores[20:, 0], active[20:, 0], 0.5)
    values = [score.value for score in metrics.units[0].measures.values()]
    np.testing.assert_allclose(values, expected)
    assert metrics.units[0].clips == 40 and metrics.units[0].positive == active[20:, 0].sum()
    assert metrics.units[1].clips == 60
    data.scores[:, 0] = np.nan
    without = score_action_units(data, draws=10)
    assert without.averaged == [4, 9] and without.units[0].clips == 0 and without.units[0].prevalence == 0


def test_units_that_are_never_seen_give_no_mean(rng: np.random.Generator) -> None:
    data = scored(rng)
    none = ScoredUnits((12,), data.people, data.truth[:, 3:], data.scores[:, 3:], (0.5,), None)
    metrics = score_action_units(none, draws=10)
    assert (metrics.mean, metrics.averaged) == ({}, [])


def test_codes_of_annotators() -> None:
    sides = annotated_sides(["4+7+L10", "R10", "L1+R1+26", "", "12(k)+4"], (1, 4, 10, 12))
    left, right = sides[..., 0].astype(int), sides[..., 1].astype(int)
    assert left.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert right.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


def sided(codes: list[str], left_and_right: list[tuple[float, float]]) -> ActionUnitMetrics:
    """Metrics of unit 10, each clip of another person."""
    truth = annotated_sides(codes, (10,))
    sides = np.array(left_and_right)[:, None, :]
    people = tuple(map(str, range(len(codes))))
    return score_action_units(ScoredUnits((10,), people, truth, sides.max(axis=2), (0.5,), sides), draws=10)


def test_the_side_counts_where_one_side_was_annotated() -> None:
    """Right, wrong, right, a tie (wrong), both sides and no unit (not counted)."""
    codes = ["L10", "L10", "R10", "R10", "10", "4"]
    metrics = sided(codes, [(0.9, 0.1), (0.2, 0.3), (0.1, 0.2), (0.5, 0.5), (0.9, 0.1), (0.9, 0.1)])
    assert (metrics.units[0].one_sided, metrics.units[0].right_side) == (4, 2)
    assert (metrics.one_sided, metrics.right_side) == (4, 2)
