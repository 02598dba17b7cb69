"""Thresholds of spotting that are chosen for each person on all other people."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Int

from learnet.inference.spotting.movements import SHIPPED, Thresholds
from learnet.metrics.spotting.conventions import ALL, KINDS, Convention

CONVENTION = Convention(typed=True, inclusive=True, strict=False)
"""By which thresholds are chosen: that of the MEGC challenges."""

NOISE_FACTORS = (4.0, 5.5, SHIPPED.noise_factor, 9.0, 12.0)
LEAST_PX = (0.1, SHIPPED.min_px, 0.25, 0.4)

CANDIDATES = (
    SHIPPED,
    *(
        candidate
        for candidate in (Thresholds(*values) for values in product(NOISE_FACTORS, LEAST_PX))
        if candidate != SHIPPED
    ),
)
"""The shipped thresholds first: they win a tie."""


def choose_on_others(counts: Int[np.ndarray, "C P K 3"]) -> list[int]:
    """Return for each person the candidate with the highest F1 on all other people.

    Args:
        counts: hits, false alarms and misses of each candidate, person and kind, as of `conventions.count`.

    Returns:
        Position of a candidate for each person. Of equal ones the first counts. A person's own recordings
        have no influence on it.
    """
    of_all_kinds = counts[:, :, KINDS.index(ALL)]
    others = of_all_kinds.sum(axis=1, keepdims=True) - of_all_kinds
    hits = others[..., 0]
    total = 2 * hits + others[..., 1] + others[..., 2]
    f1 = np.divide(2.0 * hits, total, out=np.zeros(hits.shape), where=total > 0)
    chosen: Sequence[int] = f1.argmax(axis=0).tolist()
    return list(chosen)
