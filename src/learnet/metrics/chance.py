"""Test of scores against chance, by permuting the true classes within people.

Each person keeps the clips, how many are of each class, and all predictions. A system that only knows who a
person is, or how frequent the classes are, therefore scores as the permutations do.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from learnet.core.records import Outcome
from learnet.metrics.groups import by_seed
from learnet.metrics.scores import MEASURES, SEED, headline

PERMUTATIONS = 2000
_BLOCK = 256  # permutations that are in memory together, at most
_CLIPS_AT_ONCE = 200_000  # permuted clips that are in memory together
_ROUNDING = 1e-9  # scores that are closer than this are equal


@dataclass(frozen=True)
class ByChance:
    """A measure by chance."""

    mean: float  # over the permutations
    high: float  # 95 % quantile of the permutations
    p: float  # share of permutations with at least the observed score; one-sided


@dataclass(frozen=True)
class ChanceTest:
    """The measures of a study against permutations of the true classes within people."""

    measures: dict[str, ByChance]  # by the names in metrics.MEASURES
    people: int  # with clips of several classes; those of the others are not permuted
    permutations: int  # number of permutations that were tried
    exact: bool  # whether these are all different ones


def chance_test(
    outcomes: Sequence[Outcome],
    classes: Sequence[str],
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
) -> ChanceTest:
    """Test accuracy, UF1 and UAR, averaged over seeds, against chance.

    With several seeds, the true class of a clip is permuted alike for all of them. Random permutations count
    the observed classes among them, so p is never 0. A person whose clips are all of one class shows nothing
    in this test, although the score counts it.

    Args:
        outcomes: predictions, one per clip and seed.
        classes: the class list.
        permutations: number to try. Where no more are possible, each possible one is tried once.
        seed: seed of the random permutations.

    References:
        Ojala and Garriga, Permutation Tests for Studying Classifier Performance, JMLR 11, 2010; the blocks
        are people. Phipson and Smyth 2010, as in `significance.permutation_test`.
    """
    truth, person, predicted = _arrays(outcomes, classes)
    observed = _scores(truth[None], predicted)[:, 0]
    people = [np.flatnonzero(person == index) for index in range(person.max() + 1)]
    mixed = [clips for clips in people if len(set(truth[clips].tolist())) > 1]
    exact = _ways([truth[clips] for clips in mixed], permutations) <= permutations
    drawn = _all_permutations(truth, mixed)
    if not exact:
        drawn = _random_permutations(truth, mixed, permutations, seed)
    scores = np.concatenate([_scores(block, predicted) for block in drawn], axis=1)  # (3, D)
    extreme = (scores >= observed[:, None] - _ROUNDING).sum(axis=1)
    tried = scores.shape[1]
    p = extreme / tried if exact else (extreme + 1) / (tried + 1)
    high = np.quantile(scores, 0.95, axis=1)
    measures = {}
    for index, name in enumerate(MEASURES):
        measures[name] = ByChance(float(scores[index].mean()), float(high[index]), float(p[index]))
    return ChanceTest(measures, len(mixed), tried, exact)


def _arrays(
    outcomes: Sequence[Outcome], classes: Sequence[str]
) -> tuple[Int[np.ndarray, "N"], Int[np.ndarray, "N"], Float[np.ndarray, "S N K"]]:
    """Return the true class and the person of each clip, and each seed's predictions as indicators.

    Repeated clips, which a log may have, keep their order within each seed.
    """
    index = {name: position for position, name in enumerate(classes)}
    truth: list[int] = []
    persons: list[str] = []
    predicted = []
    for part in by_seed(outcomes).values():
        part = sorted(part, key=lambda outcome: (outcome.person, outcome.clip))
        truth = [index[outcome.truth] for outcome in part]
        persons = [outcome.person for outcome in part]
        indices = [index[outcome.prediction] for outcome in part]
        predicted.append(np.eye(len(classes))[indices])
    _, person = np.unique(persons, return_inverse=True)
    return np.array(truth), person, np.stack(predicted)


def _scores(truth: Int[np.ndarray, "D N"], predicted: Float[np.ndarray, "S N K"]) -> Float[np.ndarray, "3 D"]:
    """Return accuracy, UF1 and UAR, averaged over seeds, for each assignment of true classes."""
    classes = predicted.shape[2]
    actual = np.eye(classes)[truth]  # (D, N, K)
    counts = np.matmul(actual.transpose(0, 2, 1)[:, None], predicted[None])  # (D, S, K, K)
    return headline(counts).mean(axis=2)


def _ways(truths: Sequence[Int[np.ndarray, "_"]], most: int) -> int:
    """Return the number of different permutations, or a smaller number that is above `most`."""
    ways = 1
    for truth in truths:
        ways *= _arrangements(truth)
        if ways > most:
            break
    return ways


def _arrangements(truth: Int[np.ndarray, "N"]) -> int:
    """Return the number of different orders of the classes of a person."""
    same = math.prod(math.factorial(count) for count in Counter(truth.tolist()).values())
    return math.factorial(len(truth)) // same


def _all_permutations(
    truth: Int[np.ndarray, "N"], mixed: Sequence[Int[np.ndarray, "_"]]
) -> Iterator[Int[np.ndarray, "1 N"]]:
    """Yield each different assignment of the true classes within people."""
    if not mixed:
        yield truth[None].copy()
        return
    clips = mixed[0]
    for order in _orders(truth[clips].tolist()):
        changed = truth.copy()
        changed[clips] = order
        yield from _all_permutations(changed, mixed[1:])


def _orders(classes: Sequence[int]) -> Iterator[list[int]]:
    """Yield each different order of these classes once."""
    if not classes:
        yield []
    for first in sorted(set(classes)):
        rest = list(classes)
        rest.remove(first)
        for order in _orders(rest):
            yield [first, *order]


def _random_permutations(
    truth: Int[np.ndarray, "N"], mixed: Sequence[Int[np.ndarray, "_"]], permutations: int, seed: int
) -> Iterator[Int[np.ndarray, "D N"]]:
    """Yield random assignments of the true classes within people, in blocks."""
    rng = np.random.default_rng(seed)
    at_once = min(max(_CLIPS_AT_ONCE // len(truth), 1), _BLOCK)
    for start in range(0, permutations, at_once):
        block = np.repeat(truth[None], min(at_once, permutations - start), axis=0)
        for clips in mixed:
            block[:, clips] = rng.permuted(block[:, clips], axis=1)
        yield block
