"""Independent random seeds for the folds of a study and for the purposes within a training."""

from typing import Literal, get_args

import numpy as np

Purpose = Literal["weights", "batches", "dropout", "inner groups", "clipping"]

PURPOSES = get_args(Purpose)

SEEDS = 2**31  # derived seeds are below, as those that users give


def fold_seed(seed: int, fold: int) -> int:
    """Return the seed of the training of one fold.

    Trainings of different folds then share neither initial weights nor the order of their images.

    Args:
        seed: of the study, 0..2**31 - 1.
        fold: position of the fold among those of its protocol, from 0.
    """
    return _derive(seed, fold)


def purpose_seed(seed: int, purpose: Purpose) -> int:
    """Return the seed of one kind of random numbers within a training.

    Args:
        seed: of the training, 0..2**31 - 1.
        purpose: what the numbers are for: initial weights, batches (order and augmentation), dropout on a
            GPU, the groups of people among which the number of epochs is chosen, or clipping at random
            percentiles.
    """
    return _derive(seed, PURPOSES.index(purpose))


def _derive(seed: int, child: int) -> int:
    """Return a seed from a child of NumPy's `SeedSequence`, numbered as `SeedSequence.spawn` numbers them."""
    sequence = np.random.SeedSequence(seed, spawn_key=(child,))
    return int(sequence.generate_state(1)[0]) % SEEDS
