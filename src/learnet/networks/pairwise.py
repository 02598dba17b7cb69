"""Support vector machines of all pairs of classes, whose votes are the scores."""

import itertools
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

ABSENT_SCORE = -30.0
"""Score of a class without training images: a probability of about 1e-13, and still a finite number."""


class PairwiseSVM(nn.Module):
    """Support vector machines, one for each pair of classes, whose votes are the scores.

    Args:
        classes: number of classes K.
    """

    offsets: Tensor  # (P,)
    seen: Tensor  # (K,) whether a class had training images
    sides: Tensor  # (2, P, K) 1 where a class is the first, or the second, of a pair

    def __init__(self, classes: int) -> None:
        super().__init__()
        members = torch.triu_indices(classes, classes, offset=1)  # (2, P), in the order of combinations
        count = members.shape[1]
        sides = torch.zeros(2, count, classes, dtype=torch.float64)
        sides.scatter_(2, members[..., None], 1.0)
        self.register_buffer("sides", sides, persistent=False)
        self.register_buffer("offsets", torch.zeros(count, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))

    def reset(self, labels: Int64[Tensor, "N"]) -> bool:
        """Forget the offsets, and note the classes that occur. Return whether there is a pair of them."""
        present = np.unique(labels.cpu().numpy())
        self.offsets.zero_()
        self.seen.zero_()
        self.seen[torch.from_numpy(present)] = True
        return len(present) > 1

    def scores(self, margins: Float64[Tensor, "B P"]) -> Float64[Tensor, "B K"]:
        """Return the votes of all pairs plus less than a third of a vote for their margins.

        Args:
            margins: positive votes for the first class of the pair.
        """
        known = self.known_pairs()
        margins = torch.where(known, margins, 0)
        first, second = self.sides
        votes_first = ((margins >= 0) & known).to(first)
        votes_second = (margins < 0).to(first)
        votes = votes_first @ first + votes_second @ second  # (B, K)
        confidence = margins @ (first - second)
        scores = votes + confidence / (3 * (confidence.abs() + 1))
        return scores.masked_fill(~self.seen, ABSENT_SCORE)

    def known_pairs(self) -> Bool[Tensor, "P"]:
        """Return which pairs consist of two classes with training images; the others cast no votes."""
        first, second = self.sides
        members_seen = (first + second) @ self.seen.to(first)
        return members_seen == 2


def pairwise_weights(svm: Any) -> tuple[Float64[np.ndarray, "P N"], Float64[np.ndarray, "P"]]:
    """Return the dual coefficient of each training image in each pair of present classes, and the intercepts.

    scikit-learn stores the support vectors sorted by class. `dual_coef_` has the coefficient of an image of
    class i in the pair with class j in row j - 1 where i < j, and in row j where i > j. A positive decision
    means the first class of a pair, but the second where there are only two classes.
    """
    count = len(svm.classes_)
    ends = np.cumsum(svm.n_support_)
    of_class = np.split(np.arange(ends[-1]), ends[:-1])  # columns of `dual_coef_`
    pairs = list(itertools.combinations(range(count), 2))
    weights = np.zeros((len(pairs), svm.shape_fit_[0]))
    for row, (i, j) in zip(weights, pairs, strict=True):
        row[svm.support_[of_class[i]]] = svm.dual_coef_[j - 1, of_class[i]]
        row[svm.support_[of_class[j]]] = svm.dual_coef_[i, of_class[j]]
    sign = -1.0 if count == 2 else 1.0
    return sign * weights, sign * svm.intercept_
