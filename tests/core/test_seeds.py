"""Seeds of folds and purposes: NumPy's SeedSequence, different for each, the same in every process."""

import itertools

import numpy as np
import pytest

from learnet.core.seeds import PURPOSES, SEEDS, fold_seed, purpose_seed


def test_seeds_are_those_of_a_spawned_seed_sequence() -> None:
    children = np.random.SeedSequence(7).spawn(5)
    expected = [int(child.generate_state(1)[0]) % 2**31 for child in children]
    assert [fold_seed(7, fold) for fold in range(5)] == expected
    assert [purpose_seed(7, purpose) for purpose in PURPOSES] == expected


def test_seeds_of_folds_and_purposes_are_different() -> None:
    """Ten seeds, 40 folds and five purposes: no two trainings share a stream of random numbers."""
    folds = [fold_seed(seed, fold) for seed, fold in itertools.product(range(10), range(40))]
    seeds = [purpose_seed(fold, purpose) for fold, purpose in itertools.product(folds, PURPOSES)]
    assert len(set(seeds)) == len(seeds) == 2000
    assert all(0 <= seed < SEEDS for seed in seeds)


def test_seeds_are_uniform() -> None:
    """The share below each tenth of the range, of 5,000 seeds, is within four standard deviations."""
    seeds = np.array([fold_seed(0, number) for number in range(5000)]) / SEEDS
    counts, _ = np.histogram(seeds, bins=10, range=(0, 1))
    assert np.abs(counts - 500).max() < 4 * np.sqrt(5000 * 0.1 * 0.9)


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_the_smallest_and_largest_seed_work(seed: int) -> None:
    assert fold_seed(seed, 0) != fold_seed(seed, 1)
