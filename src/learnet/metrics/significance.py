"""Paired tests of two studies over the same clips, with intervals and correction for several tests.

Wherever possible the unit is the person, because predictions for the clips of one person are not independent.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.expanded import smallest_differences
from learnet.metrics.groups import clips, people_of, persons, truths
from learnet.metrics.scores import MEASURES, ends, headline, per_seed_counts, resampled

SWAPS = 10_000
LEVEL = 0.05  # of the test of a difference, and of each of the two one-sided tests of equivalence
Counts = Float[np.ndarray, "*D S K K"] | Int[np.ndarray, "*D S K K"]
_BLOCK = 1024  # swaps that are in memory together
_ROUNDING = 1e-9  # differences of scores that are closer than this are equal


@dataclass(frozen=True)
class Difference:
    """Scores of the first study minus those of the second, averaged over seeds, with interval and p-value."""

    values: dict[str, float]  # by the names in metrics.MEASURES; above 0 where the first study is better
    limits: dict[str, tuple[float, float]]  # 95 % interval by bootstrap over people; NaN for one person
    equivalence: dict[str, tuple[float, float]]  # 90 % interval, for the two one-sided tests of equivalence
    smallest: dict[str, float]  # true difference that these people would show, with a power of 80 %
    p: dict[str, float]  # paired permutation test, two-sided
    people: int  # whose predictions differ; swapping the others changes nothing
    swaps: int  # number of swaps that were tried
    exact: bool  # whether these are all possible swaps


@dataclass(frozen=True)
class McNemar:
    """Clips that only one of two studies predicts correctly, and the exact test of equal numbers."""

    only_first: int
    only_second: int
    p: float  # two-sided


@dataclass(frozen=True)
class PermutationTest:
    """Result of the permutation test."""

    p: Float[np.ndarray, "3"]  # of accuracy, UF1 and UAR
    people: int  # whose predictions differ
    swaps: int  # number of swaps that were tried
    exact: bool  # whether these are all possible swaps


def difference(
    first: Sequence[Outcome],
    second: Sequence[Outcome],
    classes: Sequence[str],
    swaps: int = SWAPS,
    seed: int = 0,
) -> Difference:
    """Compare two studies over the same clips in accuracy, UF1 and UAR.

    The permutation test computes how often the two studies would differ at least as much if it did not
    matter which study a prediction is from. For each person at random, all predictions with every seed are
    swapped between the studies. The predictions of a study with fewer seeds are repeated until the numbers
    agree, which does not change its scores. The test is exact in theory only where both studies have the
    same number of seeds.

    Args:
        first: predictions of a study, one per clip and seed.
        second: predictions of another study for the same clips; the number of seeds may differ.
        classes: the class list of both.
        swaps: number of swaps to try. Where no more are possible, each possible swap is tried once.
        seed: seed of the random swaps.

    Raises:
        LearnetError: the studies have other clips, or other true classes.
    """
    _check_same_clips(first, second)
    people = people_of(first)
    counts_first = per_seed_counts(first, people, classes)
    counts_second = per_seed_counts(second, people, classes)
    values = _mean_headline(counts_first) - _mean_headline(counts_second)
    drawn = resampled(counts_first) - resampled(counts_second)  # (3, draws)
    test = permutation_test(counts_first, counts_second, swaps, seed)
    return Difference(
        values=_by_measure(values),
        limits=_limits(ends(drawn, len(people))),
        equivalence=_limits(ends(drawn, len(people), tail=LEVEL)),
        smallest=_by_measure(smallest_differences(drawn, len(people))),
        p=_by_measure(test.p),
        people=test.people,
        swaps=test.swaps,
        exact=test.exact,
    )


def permutation_test(
    first: Int[np.ndarray, "S P K K"], second: Int[np.ndarray, "R P K K"], swaps: int = SWAPS, seed: int = 0
) -> PermutationTest:
    """Test the difference of two studies by swapping people, as described for `difference`.

    Random swaps count the observed assignment among them, so p is never 0.

    Args:
        first: confusion matrix of each seed and person in one study; rows are true classes.
        second: the same of the other study.
        swaps: number of swaps to try. Where no more are possible, each possible swap is tried once.
        seed: seed of the random swaps.

    References:
        Phipson and Smyth, Permutation P-values Should Never Be Zero, Statistical Applications in Genetics
        and Molecular Biology 9(1), 2010.
    """
    seeds = math.lcm(len(first), len(second))
    first = _repeated(first, seeds)
    second = _repeated(second, seeds)
    differ = (first != second).any(axis=(0, 2, 3))
    people = int(differ.sum())
    totals_first = first.sum(axis=1)
    totals_second = second.sum(axis=1)
    observed = np.abs(_difference(totals_first, totals_second))
    # Whole numbers, but only products of floats are fast.
    moved = (second - first)[:, differ].astype(float)
    exact = people <= 1 or 2 ** (people - 1) <= swaps
    extreme = np.zeros(len(MEASURES), dtype=np.int64)
    tried = 0
    for swapped in _all_swaps(people) if exact else _random_swaps(people, swaps, seed):
        change = np.einsum("dp,spij->dsij", swapped.astype(float), moved, optimize=True)
        differences = np.abs(_difference(totals_first + change, totals_second - change))
        extreme += (differences >= observed[:, None] - _ROUNDING).sum(axis=1)
        tried += len(swapped)
    p = extreme / tried if exact else (extreme + 1) / (tried + 1)
    return PermutationTest(p, people, tried, exact)


def mcnemar(first: Sequence[Outcome], second: Sequence[Outcome]) -> McNemar:
    """Compute McNemar's exact test over clips, for predictions with one seed.

    The test assumes independent clips, but those of one person are not. Its p is too small where a study is
    accurate for some people only.

    Raises:
        LearnetError: a study has two predictions for a clip, or the studies have other clips or true classes.

    References:
        McNemar, Psychometrika 12:153-157, 1947; the exact form is a binomial test.
    """
    _check_same_clips(first, second)
    correct_first = _correct_clips(first)
    correct_second = _correct_clips(second)
    only_first = len(correct_first - correct_second)
    only_second = len(correct_second - correct_first)
    discordant = only_first + only_second
    fewer = min(only_first, only_second)
    # The two-sided binomial test of equal chances, which is symmetric.
    one_tail = sum(math.comb(discordant, count) for count in range(fewer + 1)) / 2**discordant
    return McNemar(only_first, only_second, min(1.0, 2 * one_tail))


def _correct_clips(outcomes: Sequence[Outcome]) -> set[str]:
    """Return the clips that are predicted correctly."""
    if len(set(clips(outcomes))) < len(outcomes):
        raise LearnetError("McNemar's test takes one prediction per clip.", "Average the seeds first.")
    correct = set()
    for outcome in outcomes:
        if outcome.truth == outcome.prediction:
            correct.add(outcome.clip)
    return correct


def holm(p: Sequence[float]) -> list[float]:
    """Correct the p-values of several tests by the step-down method of Holm.

    Rejecting at level a then has a probability of at most a for any false positive among all tests.

    References:
        Holm, Scandinavian Journal of Statistics 6:65-70, 1979.
    """
    corrected = [0.0] * len(p)
    largest = 0.0
    ascending = sorted(range(len(p)), key=lambda index: p[index])
    for rank, index in enumerate(ascending):
        remaining = len(p) - rank
        largest = max(largest, min(1.0, remaining * p[index]))
        corrected[index] = largest
    return corrected


def _by_measure(values: Float[np.ndarray, "3"]) -> dict[str, float]:
    return dict(zip(MEASURES, values.tolist(), strict=True))


def _limits(limits: Float[np.ndarray, "3 2"]) -> dict[str, tuple[float, float]]:
    return dict(zip(MEASURES, map(tuple, limits.tolist()), strict=True))


def _mean_headline(counts: Int[np.ndarray, "S P K K"]) -> Float[np.ndarray, "3"]:
    """Return accuracy, UF1 and UAR over all people, averaged over seeds."""
    return headline(counts.sum(axis=1)).mean(axis=1)


def _difference(first: Counts, second: Counts) -> Float[np.ndarray, "3 *D"]:
    """Return the difference of accuracy, UF1 and UAR, averaged over seeds."""
    scores_first = headline(first).mean(axis=-1)
    scores_second = headline(second).mean(axis=-1)
    return scores_first - scores_second


def _repeated(counts: Int[np.ndarray, "S P K K"], seeds: int) -> Int[np.ndarray, "R P K K"]:
    """Repeat the confusion matrices of a study up to this number of seeds."""
    times = seeds // len(counts)
    return np.concatenate([counts] * times)


def _all_swaps(people: int) -> Iterator[Bool[np.ndarray, "D P"]]:
    """Yield every way to swap people, in blocks.

    The first person is never swapped: swapping all the others instead gives the same two studies in reverse
    order.
    """
    number = 2 ** max(people - 1, 0)
    person = np.arange(people)
    bits = (person - 1).clip(0)
    for start in range(0, number, _BLOCK):
        ways = np.arange(start, min(start + _BLOCK, number))
        swapped = ways[:, None] >> bits & 1
        yield swapped.astype(bool) & (person > 0)


def _random_swaps(people: int, swaps: int, seed: int) -> Iterator[Bool[np.ndarray, "D P"]]:
    """Yield random ways to swap people, in blocks."""
    rng = np.random.default_rng(seed)
    for start in range(0, swaps, _BLOCK):
        count = min(_BLOCK, swaps - start)
        yield rng.integers(0, 2, (count, people)).astype(bool)


def _check_same_clips(first: Sequence[Outcome], second: Sequence[Outcome]) -> None:
    entries_first = _clip_entries(first)
    entries_second = _clip_entries(second)
    if entries_first and entries_first == entries_second:
        return
    different = sorted({clip for clip, _, _ in entries_first ^ entries_second})
    raise LearnetError(
        f"The studies do not have the same clips and true classes: {', '.join(different[:3])}.",
        "Only studies with the same clips can be compared.",
    )


def _clip_entries(outcomes: Sequence[Outcome]) -> set[tuple[str, str, str]]:
    """Return clip, person and true class of each outcome."""
    columns = (clips(outcomes), persons(outcomes), truths(outcomes))
    return set(zip(*columns, strict=True))
