"""Curves: each function against its definition by brute force, or a closed form."""

import numpy as np
import pytest

from learnet.inference.spotting.curves import (
    LEVEL_SAMPLES,
    bridge,
    error_px,
    nearest,
    noise_px,
    resting_level,
    runs,
    smooth,
)


def test_resting_level_is_the_running_median(rng: np.random.Generator) -> None:
    """Sampled as often as the median is computed, it is the median over the neighbours, fewer at the ends."""
    times_s = np.arange(80) * 0.25
    values = rng.normal(size=(80, 2, 3))
    level = resting_level(times_s, values, within_s=0.25 * LEVEL_SAMPLES)
    for index in range(80):
        first, last = max(index - LEVEL_SAMPLES, 0), index + LEVEL_SAMPLES + 1
        np.testing.assert_allclose(level[index], np.median(values[first:last], axis=0), atol=1e-12)


def test_resting_level_follows_a_drift_and_ignores_a_movement() -> None:
    times_s = np.arange(1000) / 50
    drift = 0.3 * times_s
    movement = np.where((times_s > 9) & (times_s < 11), 5.0, 0.0)
    level = resting_level(times_s, drift + movement, within_s=5.0)
    inside = (times_s > 5) & (times_s < 15)
    assert np.abs(level - drift)[inside].max() < 0.7  # at 11 s, what is at rest has its median at 13 s
    assert (
        np.abs(resting_level(times_s, drift, 5.0) - drift)[inside].max() <= 0.3 * 0.01 + 1e-9
    )  # half a sample


def test_resting_level_of_one_sample_and_of_none() -> None:
    np.testing.assert_array_equal(resting_level(np.array([3.0]), np.array([[7.0]]), 1.0), [[7.0]])
    assert resting_level(np.empty(0), np.empty((0, 2)), 1.0).shape == (0, 2)


def test_nearest_by_brute_force(rng: np.random.Generator) -> None:
    times_s = np.sort(rng.uniform(0, 10, 40))
    wanted_s = rng.uniform(-1, 11, 200)
    expected = np.abs(times_s[None, :] - wanted_s[:, None]).argmin(axis=1)
    np.testing.assert_array_equal(nearest(times_s, wanted_s), expected)


@pytest.mark.parametrize("moving", [0.0, 0.5])
def test_noise_is_that_of_the_quiet_part(rng: np.random.Generator, moving: float) -> None:
    sd = np.array([0.05, 0.2, 1.0])
    excursions = rng.normal(0, sd[None, :, None], (20000, 3, 2))
    excursions[: int(20000 * moving)] += 50.0
    estimate = noise_px(excursions)
    # Half of the time in movement: quantile 0.3 of all is quantile 0.6 of the quiet part.
    factor = 1.0 if moving == 0 else np.sqrt(np.log(1 - 0.6) / np.log(1 - 0.3))
    np.testing.assert_allclose(estimate, factor * sd, rtol=0.05)
    np.testing.assert_array_equal(noise_px(np.empty((0, 3, 2))), 0)


def test_error_is_the_standard_deviation_of_the_rigid_points(rng: np.random.Generator) -> None:
    """At each time, and whatever a third of the points does."""
    sds = np.array([0.01, 0.1, 0.3])
    rigid = sds[:, None, None] * rng.normal(size=(3, 6000, 2))
    np.testing.assert_allclose(error_px(rigid), sds, rtol=0.05)
    rigid[:, :2000] += 5.0
    assert (error_px(rigid) < 2 * sds).all()


def test_runs(rng: np.random.Generator) -> None:
    flags = rng.random(200) < 0.5
    rebuilt = np.zeros(200, dtype=bool)
    for first, last in runs(flags):
        assert flags[first:last].all()
        assert first == 0 or not flags[first - 1]
        assert last == 200 or not flags[last]
        rebuilt[first:last] = True
    np.testing.assert_array_equal(rebuilt, flags)


def test_smooth_weighs_a_sample_and_its_neighbours() -> None:
    np.testing.assert_allclose(smooth(np.array([0.0, 0, 4, 0, 0])), [0, 1, 2, 1, 0])
    np.testing.assert_allclose(smooth(np.full((5, 2), 3.0)), 3.0)
    np.testing.assert_allclose(smooth(np.array([1.0, 2.0])), [1, 2])


def test_bridge_replaces_what_lies_between_by_a_straight_line() -> None:
    times_s = np.arange(11) / 10
    values = np.stack([times_s, -2 * times_s], axis=1)
    expected = values.copy()
    values[4:7] += 9.0
    bridge(times_s, values, 0.35, 0.65)
    np.testing.assert_allclose(values, expected, atol=1e-12)
