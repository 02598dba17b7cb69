"""What a difference of two studies shows: that they differ, that they are equivalent, or neither."""

import numpy as np

from learnet.metrics.significance import LEVEL, Difference

MARGIN = 0.05  # largest difference of two equivalent studies


def is_equivalent(result: Difference, measure: str, margin: float = MARGIN) -> bool:
    """Return whether two one-sided tests show that a difference is within the margin.

    Both reject at LEVEL where the 90 % interval lies between minus the margin and the margin.

    References:
        Schuirmann, A comparison of the two one-sided tests procedure and the power approach for assessing the
        equivalence of average bioavailability, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.
    """
    low, high = result.equivalence[measure]
    return bool(-margin < low and high < margin)


def verdict(result: Difference, measure: str, p: float, margin: float = MARGIN) -> str:
    """Return in a few words what these people show about a difference.

    Args:
        result: the difference.
        measure: name in metrics.MEASURES.
        p: of the difference in this measure, corrected where several studies are tested.
        margin: largest difference of equivalent studies.
    """
    if not result.people:
        return "same predictions"
    smallest = result.smallest[measure]
    if np.isnan(smallest):
        return "one person cannot tell"
    equivalent = is_equivalent(result, measure, margin)
    if p < LEVEL:
        return f"different, by less than {margin:g}" if equivalent else "different"
    if equivalent:
        return f"equivalent within {margin:g}"
    return f"cannot tell below {smallest:.2f}"


def undecided_text(result: Difference, measure: str, margin: float = MARGIN) -> str:
    """Return what a difference that is not shown says, as the rest of a sentence."""
    if is_equivalent(result, measure, margin):
        return f"the two are equivalent within {margin:g} (90 % interval)"
    smallest = result.smallest[measure]
    if np.isnan(smallest):
        return "one person cannot tell"
    return f"differences below {smallest:.2f} cannot be shown with these people (power 80 %)"
