"""Shares inside the moving region: cases worked by hand, and resamples written out for the interval."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from learnet.report.explain.ground_truth import GroundTruthClip
from learnet.report.explain.localisation import (
    bootstrap_over_people,
    measure_shares,
    share_inside,
    summarise_shares,
)


def clip(person: str, displacement_px: list[list[float]]) -> GroundTruthClip:
    displacement = np.array(displacement_px, np.float32)
    return GroundTruthClip(np.zeros((2, 2, 3), np.uint8), displacement, person, "happiness", "12")


def test_share_inside_by_hand() -> None:
    values, region = np.array([[3.0, -1.0], [0.0, 4.0]]), np.array([[True, True], [False, False]])
    assert share_inside(values, region) == 0.5
    assert share_inside(np.zeros((2, 2)), region) == 0.5  # the area of the region


def test_moving_region_by_hand() -> None:
    moving = clip("a", [[4, 1], [0.9, 0]]).moving_region(0.25)
    assert moving.tolist() == [[True, True], [False, False]]


def test_interval_over_people_equals_resamples_written_out() -> None:
    rng = np.random.default_rng(3)
    values = rng.random(30)
    people = np.array([f"p{number % 5}" for number in range(25)] + ["p5"] * 5)
    mean, low, high = bootstrap_over_people(values, people.tolist(), draws=20_000)
    names = np.unique(people)
    means = []
    for _ in range(20_000):
        drawn = rng.choice(names, len(names))
        means.append(np.concatenate([values[people == name] for name in drawn]).mean())
    assert mean == values.mean()
    outside = norm.cdf(np.sqrt(6 / 5) * t.ppf(0.025, 5))  # expanded percentiles of 6 people, Hesterberg 2015
    np.testing.assert_allclose([low, high], np.quantile(means, [outside, 1 - outside]), atol=0.012)


def test_measured_shares_by_hand() -> None:
    clips = [clip("a", [[1, 0], [0, 0]]), clip("a", [[0, 0], [0, 1]]), clip("b", [[1, 1], [0, 0]])]
    maps = {
        "uniform": lambda clip: np.ones((2, 2), np.float32),
        "true": lambda clip: clip.displacement_px,
    }
    table = measure_shares(clips, maps)
    assert table["share"].tolist() == [0.25, 0.25, 0.5, 1, 1, 1]
    summary = summarise_shares(table).set_index("look")
    uniform, true = summary.loc["uniform"], summary.loc["true"]
    assert uniform["share"] == pytest.approx(1 / 3)
    assert uniform["area"] == pytest.approx(1 / 3)
    assert true["times_even"] == pytest.approx(3)
    assert true["more"] == pytest.approx(2 / 3)
    assert pd.isna(uniform["more"])
    assert true["people"] == 2
    assert (uniform["low"], uniform["high"]) == (0.25, 0.5)  # resamples of person a alone, and of b alone
