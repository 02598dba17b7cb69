"""Whether two studies over the same clips differ by more than chance: paired tests, intervals of the difference, correction for many.

The person is the unit wherever it can be: answers to one person's clips are not independent of each other. numpy only.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.scores import MEASURES, ends, headline, per_seed_counts, resampled

SWAPS = 10_000
Counts = Float[np.ndarray, "*D S K K"] | Int[np.ndarray, "*D S K K"]
_AT_ONCE = 1024  # swaps in memory together
_ROUNDING = 1e-9  # two scores nearer than this are equal


@dataclass(frozen=True)
class Difference:
    """What one study scores above another, in the measures' mean over seeds, and how surely."""

    values: dict[str, float]  # by the names in metrics.MEASURES; above 0 where the first study is better
    limits: dict[
        str, tuple[float, float]
    ]  # 95 % interval: bootstrap over people, the same for both studies; NaN where there is one
    p: dict[str, float]  # paired permutation test, two-sided
    people: int  # whose answers differ; swapping those of the others changes nothing
    swaps: int  # that were tried
    exact: bool  # whether these are all there are


@dataclass(frozen=True)
class McNemar:
    """Clips that only one of two studies answered right, and the exact test of whether these are shared out evenly."""

    only_one: int
    only_other: int
    p: float  # two-sided


def difference(
    one: Sequence[Outcome],
    other: Sequence[Outcome],
    classes: Sequence[str],
    swaps: int = SWAPS,
    seed: int = 0,
) -> Difference:
    """Compare two studies over the same clips in accuracy, UF1 and UAR.

    The permutation test asks: if it did not matter which study an answer is from, how often would the two be at least as far
    apart? For each person at random all answers, with every seed, change places between the studies. A study with fewer seeds
    has its answers repeated until the numbers agree, which leaves its scores as they are; the test is exact in theory only
    where both have the same number.

    Args:
        one: answers of a study, each seed once to each clip.
        other: answers of another to the same clips, with as many seeds or another number.
        classes: the class list of both.
        swaps: ways to swap people that are tried. Where there are no more than that, all are, each once.
        seed: of the random ones.

    Raises:
        LearnetError: the studies did not answer the same clips, or not with the same truth.
    """
    _refuse_different(one, other)
    people = sorted({o.person for o in one})
    counts, counts_other = (per_seed_counts(study, people, classes) for study in (one, other))
    values = headline(counts.sum(axis=1)).mean(axis=1) - headline(counts_other.sum(axis=1)).mean(axis=1)
    limits = ends(resampled(counts) - resampled(counts_other), len(people))
    p, differing, tried, exact = permutation_test(counts, counts_other, swaps, seed)
    return Difference(
        dict(zip(MEASURES, map(float, values), strict=True)),
        {name: (float(low), float(high)) for name, (low, high) in zip(MEASURES, limits, strict=True)},
        dict(zip(MEASURES, map(float, p), strict=True)),
        differing,
        tried,
        exact,
    )


def permutation_test(
    one: Int[np.ndarray, "S P K K"], other: Int[np.ndarray, "R P K K"], swaps: int = SWAPS, seed: int = 0
) -> tuple[Float[np.ndarray, "3"], int, int, bool]:
    """The test of `difference` on confusion matrices of each seed and person; rows are truths.

    Returns:
        p of accuracy, UF1 and UAR; people whose answers differ; swaps tried; whether these were all there are. Random swaps count the
        one that was observed among them (Phipson and Smyth 2010), so p is never 0.
    """
    lanes = math.lcm(len(one), len(other))
    one, other = (np.concatenate([counts] * (lanes // len(counts))) for counts in (one, other))
    differing = (one != other).any(axis=(0, 2, 3))
    people = int(differing.sum())
    observed = np.abs(_apart(one.sum(axis=1), other.sum(axis=1)))
    moved = (other - one)[:, differing].astype(
        float
    )  # whole numbers all the same; only products of floats are fast
    extreme, tried, exact = (
        np.zeros(len(MEASURES), dtype=np.int64),
        0,
        people <= 1 or 2 ** (people - 1) <= swaps,
    )
    for swapped in _all_swaps(people) if exact else _random_swaps(people, swaps, seed):
        change = np.einsum("dp,spij->dsij", swapped.astype(float), moved, optimize=True)
        apart = np.abs(_apart(one.sum(axis=1) + change, other.sum(axis=1) - change))
        extreme += (apart >= observed[:, None] - _ROUNDING).sum(axis=1)
        tried += len(swapped)
    return (extreme / tried if exact else (extreme + 1) / (tried + 1)), people, tried, exact


def mcnemar(one: Sequence[Outcome], other: Sequence[Outcome]) -> McNemar:
    """McNemar's exact test over clips, of answers with one seed.

    It takes clips for independent, which those of one person are not: its p is too small where a study is good at some people.

    Raises:
        LearnetError: a clip answered twice in a study, other clips, or another truth.

    Source: McNemar, Psychometrika 12:153-157, 1947; the exact form, a sign test.
    """
    _refuse_different(one, other)
    right, right_other = ({o.clip: o.truth == o.prediction for o in study} for study in (one, other))
    if len(right) < len(one) or len(right_other) < len(other):
        raise LearnetError("McNemar's test takes one answer to each clip.", "Average the seeds first.")
    only_one, only_other = (
        sum(right[c] > right_other[c] for c in right),
        sum(right[c] < right_other[c] for c in right),
    )
    number, fewer = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(number, k) for k in range(fewer + 1))  # whole numbers: exact, however many
    return McNemar(only_one, only_other, min(1.0, 2 * tail / 2**number))


def holm(p: Sequence[float]) -> list[float]:
    """P of several tests, corrected so that the chance of one false alarm among them all stays what it says.

    Source: Holm, Scandinavian Journal of Statistics 6:65-70, 1979.
    """
    corrected, largest = [0.0] * len(p), 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        corrected[index] = largest
    return corrected


def _apart(one: Counts, other: Counts) -> Float[np.ndarray, "3 *D"]:
    return headline(one).mean(axis=-1) - headline(other).mean(axis=-1)


def _all_swaps(people: int) -> Iterator[Bool[np.ndarray, "D P"]]:
    """Every way to swap people. The first stays: to swap all others instead of these is the same two studies, the other way round."""
    number = 2 ** max(people - 1, 0)
    for start in range(0, number, _AT_ONCE):
        ways = np.arange(start, min(start + _AT_ONCE, number))
        yield (ways[:, None] >> (np.arange(people) - 1).clip(0) & 1).astype(bool) & (np.arange(people) > 0)


def _random_swaps(people: int, swaps: int, seed: int) -> Iterator[Bool[np.ndarray, "D P"]]:
    rng = np.random.default_rng(seed)
    for start in range(0, swaps, _AT_ONCE):
        yield rng.integers(0, 2, (min(_AT_ONCE, swaps - start), people)).astype(bool)


def _refuse_different(one: Sequence[Outcome], other: Sequence[Outcome]) -> None:
    truth, truth_other = ({o.clip: (o.person, o.truth) for o in study} for study in (one, other))
    if truth != truth_other or not truth:
        clips = sorted(
            clip for clip in truth.keys() | truth_other.keys() if truth.get(clip) != truth_other.get(clip)
        )
        raise LearnetError(
            f"The studies do not have the same clips and truths: {', '.join(clips[:3])}.",
            "Only those can be paired.",
        )
