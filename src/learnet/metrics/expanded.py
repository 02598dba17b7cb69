"""Expanded percentiles: the tail of a bootstrap interval that allows for the number of people.

A plain percentile interval treats the people in hand as if their spread were known, and is too narrow where
they are few. SciPy is optional, so Student's t is computed here.
"""

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Float64

TAIL = 0.025
"""Probability outside each end of a 95 % interval."""

POWER = 0.8
"""Probability of showing the smallest difference."""

_HALVINGS = 60  # of the interval that contains a quantile


def expanded_tail(people: int, tail: float = TAIL) -> float:
    """Return the share of resamples outside each end of an interval with the coverage 1 - 2 tail.

    It is Phi(sqrt(n / (n - 1)) t) for n people, where t is the quantile `tail` of Student's t with n - 1
    degrees of freedom. Percentiles of the resamples then reach as far as the t interval of a mean.

    Args:
        people: number of people that are resampled, at least 2.
        tail: probability that the interval should leave out at each end, below 0.5.

    Returns:
        A smaller share than `tail`, which it approaches with many people.

    References:
        Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69(4):371-386,
        2015 ("expanded percentile interval").
    """
    inflation = math.sqrt(people / (people - 1))
    return NormalDist().cdf(-inflation * student_t(people - 1, tail))


def smallest_differences(drawn: Float[np.ndarray, "3 D"], people: int) -> Float[np.ndarray, "3"]:
    """Return the smallest true differences that as many people as these would show, four times out of five.

    It is (t + t') times the standard error of the difference, with the quantiles 0.975 and 0.8 of Student's t
    with n - 1 degrees of freedom for n people (for many people 2.8 standard errors).

    Args:
        drawn: the differences in each resample of people.
        people: number of people.

    Returns:
        Differences from 0; NaN for one person.
    """
    if people < 2:
        return np.full(len(drawn), np.nan)
    error = drawn.std(axis=1) * np.sqrt(people / (people - 1))
    degrees = people - 1
    return error * (student_t(degrees, TAIL) + student_t(degrees, 1 - POWER))


@lru_cache
def student_t(degrees: int, tail: float) -> float:
    """Return the value that Student's t exceeds with probability `tail`, below 0.5.

    With t = sqrt(degrees) tan(angle), the probability of |T| < t is a finite sum in the angle, which is
    inverted by bisection.
    """
    coefficients = _series(degrees)
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        angle = (low + high) / 2
        if _inside(angle, degrees, coefficients) < 1 - 2 * tail:
            low = angle
        else:
            high = angle
    return math.sqrt(degrees) * math.tan(low)


def _series(degrees: int) -> Float64[np.ndarray, "M"]:
    """Return the coefficients of the powers of the cosine: 1, 1/2, 1/2 3/4, ... or 1, 2/3, 2/3 4/5, ..."""
    first = 1 if degrees % 2 else 0
    step = np.arange(first, degrees - 2, 2)
    return np.cumprod(np.concatenate([[1.0], (step + 1) / (step + 2)]))


def _inside(angle: float, degrees: int, coefficients: Float64[np.ndarray, "M"]) -> float:
    """Return the probability that |T| is below sqrt(degrees) tan(angle).

    References:
        Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 (odd) and 26.7.4 (even).
    """
    if degrees == 1:
        return 2 * angle / math.pi
    cosine = math.cos(angle)
    powers = cosine ** (2 * np.arange(len(coefficients)))
    series = float(coefficients @ powers)
    if degrees % 2:
        return 2 / math.pi * (angle + math.sin(angle) * cosine * series)
    return math.sin(angle) * series
