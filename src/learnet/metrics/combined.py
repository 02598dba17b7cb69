"""Differences of two studies in each of several databases, and their combination, as in MOABB.

References:
    Jayaram and Barachant, MOABB: trustworthy algorithm benchmarking for BCIs, Journal of Neural Engineering
    15(6), 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from learnet.core.records import Outcome
from learnet.metrics.groups import by_dataset, by_person, people_of
from learnet.metrics.scores import MEASURES
from learnet.metrics.significance import difference


@dataclass(frozen=True)
class DatabaseDifference:
    """Scores of the first study minus those of the second on the clips of one database."""

    database: str
    people: int
    values: dict[str, float]  # by the names in metrics.MEASURES
    p: dict[str, float]  # paired permutation test, two-sided
    effect: float | None  # `effect_size`


@dataclass(frozen=True)
class CombinedDifference:
    """The differences in several databases, and whether they point in one direction beyond chance."""

    databases: tuple[DatabaseDifference, ...]
    z: dict[str, float]  # of Stouffer; above 0 where the first study is better
    p: dict[str, float]  # two-sided
    effect: float | None  # mean of those of the databases, weighted by the square root of their people


def combine_databases(
    first: Sequence[Outcome], second: Sequence[Outcome], classes: Sequence[str]
) -> CombinedDifference:
    """Compare two studies in each database, and combine the p-values by the method of Stouffer.

    Args:
        first: predictions of a study for clips of several databases.
        second: predictions of another study for the same clips.
        classes: the class list of both.
    """
    others = by_dataset(second)
    differences = []
    for name, part in by_dataset(first).items():
        result = difference(part, others[name], classes)
        effect = effect_size(part, others[name])
        people = len(people_of(part))
        differences.append(DatabaseDifference(name, people, result.values, result.p, effect))
    weights = [one.people**0.5 for one in differences]
    z, p = {}, {}
    for measure in MEASURES:
        values = [one.values[measure] for one in differences]
        z[measure], p[measure] = stouffer(values, [one.p[measure] for one in differences], weights)
    effects = [one.effect for one in differences]
    mean = None
    if None not in effects:
        mean = float(np.average(np.array(effects, dtype=float), weights=weights))
    return CombinedDifference(tuple(differences), z, p, mean)


def stouffer(values: Sequence[float], p: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """Combine two-sided p-values of differences with their signs, and return Z and its two-sided p.

    Z is the weighted sum of the z-values of the tests over the root of the sum of squared weights.

    Args:
        values: the differences, of which the signs count.
        p: of each test, two-sided.
        weights: of each test.

    References:
        Stouffer et al., The American Soldier, 1949; weights after Liptak, 1958.
    """
    normal = NormalDist()
    total = 0.0
    for value, own_p, weight in zip(values, p, weights, strict=True):
        # The quantile of p/2 is exact where that of 1 - p/2 would round; it is 0 for p = 1.
        total -= weight * float(np.sign(value)) * normal.inv_cdf(own_p / 2)
    z = total / sum(weight**2 for weight in weights) ** 0.5
    return z, 2 * normal.cdf(-abs(z))


def effect_size(first: Sequence[Outcome], second: Sequence[Outcome]) -> float | None:
    """Return the standardised mean paired difference of the accuracies of people.

    It is the mean over people divided by the standard deviation (n - 1): Cohen's d of paired values. None for
    one person, or where all differ alike.
    """
    others = by_person(second)
    values = [_accuracy(part) - _accuracy(others[person]) for person, part in by_person(first).items()]
    if len(values) < 2:
        return None
    deviation = float(np.std(values, ddof=1))
    return float(np.mean(values)) / deviation if deviation > 1e-12 else None


def _accuracy(outcomes: Sequence[Outcome]) -> float:
    """Return the share of correct predictions, over all seeds."""
    return float(np.mean([outcome.truth == outcome.prediction for outcome in outcomes]))
