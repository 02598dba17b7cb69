"""Baselines that a network must beat: a linear SVM on pixels or on LBP-TOP, and the majority class.

They are non-iterative: `fit` computes the solution in one call. The solution is stored in buffers whose
shapes are fixed at construction, so their checkpoints are like those of any other network.
"""

import itertools
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor, nn

CELLS = 20  # per row of an LBP-TOP image, as drawn by `motion.lbp_top`

ABSENT_SCORE = -30.0
"""Score of a class without training images: a probability of about 1e-13, and still a finite number."""


class LinearSVM(nn.Module):
    """Linear support vector machine on standardised pixels, one for each pair of classes.

    C is 1e-3 and the classes are balanced. Equal to scikit-learn's `make_pipeline(StandardScaler(),
    SVC(kernel="linear", C=1e-3, class_weight="balanced"))`, whatever the unit of the pixels. The scores are
    its decision function: the votes of the pairs, plus less than a third of a vote for their margins. Where
    classes have equally many votes the margins decide, as with `break_ties=True`; without this option,
    scikit-learn predicts the first class in the list.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    planes: Tensor  # (P, 3 * S * S) normal vector of each pair of classes
    offsets: Tensor  # (P,)
    seen: Tensor  # (K,) whether a class had training images
    sides: Tensor  # (2, P, K) 1 where a class is the first, or the second, of a pair

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        members = torch.triu_indices(classes, classes, offset=1)  # (2, P), in the order of combinations
        count = members.shape[1]
        sides = torch.zeros(2, count, classes, dtype=torch.float64)
        sides.scatter_(2, members[..., None], 1.0)
        self.register_buffer("sides", sides, persistent=False)
        self.register_buffer("planes", torch.zeros(count, 3 * size * size, dtype=torch.float64))
        self.register_buffer("offsets", torch.zeros(count, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))

    def fit(self, images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"]) -> None:
        """Fit the classifier.

        Args:
            images: training images in -1..1.
            labels: their classes, 0..K-1. Classes that do not occur receive the lowest score from then on.
        """
        present = np.unique(labels.cpu().numpy())
        for buffer in (self.planes, self.offsets, self.seen):
            buffer.zero_()
        self.seen[torch.from_numpy(present)] = True
        if len(present) < 2:
            return  # there is no pair of classes
        planes, offsets = _fit_pairs(images, labels)
        rows = self._known_pairs()
        self.planes[rows] = planes.to(self.planes)
        self.offsets[rows] = offsets.to(self.offsets)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return scores from about -1/3 to K - 2/3, in the dtype of the images.

        They are computed in 64 bits, because a vote depends on the sign of a sum of 37,632 products.
        """
        pixels = images.flatten(1).to(self.planes)
        margins = pixels @ self.planes.T + self.offsets  # (B, P); positive votes for the first of the pair
        known = self._known_pairs()
        margins = torch.where(known, margins, 0)
        first, second = self.sides
        votes_first = ((margins >= 0) & known).to(first)
        votes_second = (margins < 0).to(first)
        votes = votes_first @ first + votes_second @ second  # (B, K)
        confidence = margins @ (first - second)
        scores = votes + confidence / (3 * (confidence.abs() + 1))
        return scores.masked_fill(~self.seen, ABSENT_SCORE).to(images)

    def _known_pairs(self) -> Bool[Tensor, "P"]:
        """Return which pairs consist of two classes with training images; the others cast no votes."""
        first, second = self.sides
        members_seen = (first + second) @ self.seen.to(first)
        return members_seen == 2


class HistogramSVM(nn.Module):
    """Apply `LinearSVM` to the 1200 relative frequencies of LBP-TOP, read from the image of `motion.lbp_top`.

    A cell of the image is the square root of a frequency p, rounded to 1/255, so p is read to within
    sqrt(p) / 255.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.

    References:
        The baseline of MEGC2019 is a linear SVM on LBP-TOP. Its C and its scaling of the frequencies are
        not known.
    """

    centres: Tensor  # (20,) row, or column, of the middle of each cell

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.svm = LinearSVM(classes, CELLS, seed)
        centres = (2 * torch.arange(CELLS) + 1) * size // (2 * CELLS)
        self.register_buffer("centres", centres, persistent=False)

    def fit(self, images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"]) -> None:
        """Fit the classifier to images in -1..1 and their classes 0..K-1, as `LinearSVM.fit`."""
        frequencies = self.frequencies(images)
        self.svm.fit(frequencies, labels)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return the scores of `LinearSVM`."""
        frequencies = self.frequencies(images)
        return self.svm(frequencies)

    def frequencies(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 20 20"]:
        """Return the frequency in the middle of each cell: channels XY, XT and YT, values 0..1."""
        rows = images.index_select(2, self.centres)
        cells = rows.index_select(3, self.centres)
        roots = (cells + 1) / 2
        return roots.square()


class Majority(nn.Module):
    """Predict the logarithm of the relative frequency of each class in training, whatever the image.

    Args:
        classes: number of classes K.
        size: unused; every network is constructed with an image size.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    logits: Tensor

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(classes))

    def fit(self, images: Float[Tensor, "N 3 H W"], labels: Int64[Tensor, "N"]) -> None:
        """Count the classes 0..K-1."""
        counts = torch.bincount(labels, minlength=len(self.logits)).double()
        frequencies = counts / len(labels)
        self.logits.copy_(frequencies.log().clamp(min=ABSENT_SCORE))

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Return the same scores for every image."""
        batch = images.shape[0]  # `len(images)` would become a constant in the exported network
        return self.logits.to(images).expand(batch, -1)


def _fit_pairs(
    images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"]
) -> tuple[Float64[Tensor, "P D"], Float64[Tensor, "P"]]:
    """Return normal vector and offset of each pair of present classes, in units of the pixels."""
    from sklearn.preprocessing import StandardScaler  # only fitting needs scikit-learn
    from sklearn.svm import SVC

    scaler = StandardScaler()
    standardised = scaler.fit_transform(images.flatten(1).double().cpu().numpy())
    pixels = torch.from_numpy(standardised)
    # Inner products by torch are 30 times as fast as those of the kernel "linear".
    svm = SVC(kernel="precomputed", C=1e-3, class_weight="balanced")
    svm.fit((pixels @ pixels.T).numpy(), labels.cpu().numpy())
    weights, intercepts = _pairwise_weights(svm)
    planes = (torch.from_numpy(weights) @ pixels) / torch.from_numpy(scaler.scale_)
    offsets = torch.from_numpy(intercepts) - planes @ torch.from_numpy(scaler.mean_)
    return planes, offsets


def _pairwise_weights(svm: Any) -> tuple[Float64[np.ndarray, "P N"], Float64[np.ndarray, "P"]]:
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
