"""What a network must beat: a linear support vector machine on the pixels or on LBP-TOP, and the most frequent class.

They are fitted in one go (`fit`) instead of trained, and keep what they learned in buffers whose sizes are fixed when they are made,
so that a checkpoint of them is like any other.
"""

import itertools
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor, nn

CELLS = 20  # in a row of a picture of LBP-TOP, as `motion.lbp_top` draws it

NEVER_SEEN = -30.0
"""Score of a class that was not among the training images: no probability to speak of (1e-13), and still a number."""


class LinearSVM(nn.Module):
    """Standardised pixels and a linear support vector machine for each pair of classes (C 1e-3, classes balanced).

    The same as scikit-learn's `make_pipeline(StandardScaler(), SVC(kernel="linear", C=1e-3, class_weight="balanced"))`, whatever the
    pixels' unit. Scores are its decision function: votes of the pairs, plus less than a third of a vote for their margins. Where
    classes tie in votes the margins decide, as with its `break_ties=True`; without, it takes the first class in the list.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels.
        seed: taken so that all networks are made alike; nothing here is random.
    """

    planes: Tensor
    offsets: Tensor
    seen: Tensor
    sides: Tensor

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.pairs = list(itertools.combinations(range(classes), 2))
        members = torch.tensor(self.pairs, dtype=torch.int64).view(-1, 2)
        sides = torch.zeros(
            2, len(self.pairs), classes, dtype=torch.float64
        )  # one where a class is the first, or the second, of a pair
        self.register_buffer("sides", sides.scatter_(2, members.T[..., None], 1.0), persistent=False)
        self.register_buffer("planes", torch.zeros(len(self.pairs), 3 * size * size, dtype=torch.float64))
        self.register_buffer("offsets", torch.zeros(len(self.pairs), dtype=torch.float64))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))

    def fit(self, images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"]) -> None:
        """Learn from images -1..1 and their classes 0..K-1. Classes that do not occur get the lowest score ever after."""
        from sklearn.preprocessing import StandardScaler  # here, as only fitting needs them
        from sklearn.svm import SVC

        scaler = StandardScaler()
        pixels = torch.from_numpy(scaler.fit_transform(images.flatten(1).double().cpu().numpy()))
        present = np.unique(labels.cpu().numpy())
        for buffer in (self.planes, self.offsets, self.seen):
            buffer.zero_()
        self.seen[torch.from_numpy(present)] = True
        if len(present) < 2:
            return  # nothing to tell apart
        svm = SVC(
            kernel="precomputed", C=1e-3, class_weight="balanced"
        )  # inner products by torch: 30 times as fast as the kernel "linear"
        svm.fit((pixels @ pixels.T).numpy(), labels.cpu().numpy())
        shares, offsets = _pairwise(svm)
        planes = (torch.from_numpy(shares) @ pixels) / torch.from_numpy(scaler.scale_)
        rows = [row for row, pair in enumerate(self.pairs) if all(bool(self.seen[i]) for i in pair)]
        self.planes[rows] = planes.to(self.planes)
        self.offsets[rows] = (torch.from_numpy(offsets) - planes @ torch.from_numpy(scaler.mean_)).to(
            self.offsets
        )

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Scores from about -1/3 to K - 2/3, in the images' dtype; computed in 64 bits, as a vote hangs on the sign of a sum of 37,632."""
        margins = (
            images.flatten(1).to(self.planes) @ self.planes.T + self.offsets
        )  # (B, pairs); positive speaks for the pair's first
        first, second = self.sides
        known = (first + second) @ self.seen.to(
            first
        ) == 2  # pairs of classes that were both seen; the others have no say
        margins = torch.where(known, margins, 0)
        votes = ((margins >= 0) & known).to(first) @ first + (margins < 0).to(first) @ second
        confidence = margins @ (first - second)
        scores = votes + confidence / (3 * (confidence.abs() + 1))
        return scores.masked_fill(~self.seen, NEVER_SEEN).to(images)


class HistogramSVM(nn.Module):
    """The machine of `LinearSVM` on the 1200 shares of LBP-TOP, read out of the picture of them (`motion.lbp_top`).

    A cell of the picture is the square root of a share, rounded to 1/255: a share p is read to within sqrt(p) / 255.

    Args:
        classes: number of classes K.
        size: height and width of the images in pixels.
        seed: taken so that all networks are made alike; nothing here is random.

    Source: the baseline of MEGC2019 is a linear machine on LBP-TOP; its C and how it scales the shares are not known to us.
    """

    images_kind = "histograms"
    centres: Tensor

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.svm = LinearSVM(classes, CELLS, seed)
        centres = (2 * torch.arange(CELLS) + 1) * size // (2 * CELLS)
        self.register_buffer("centres", centres, persistent=False)

    def fit(self, images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"]) -> None:
        """Learn from images -1..1 and their classes 0..K-1, as `LinearSVM.fit`."""
        self.svm.fit(self.shares(images), labels)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Scores as of `LinearSVM`."""
        return self.svm(self.shares(images))

    def shares(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 20 20"]:
        """What the middle of each cell says: channels XY, XT, YT, each value 0..1."""
        cells = images.index_select(2, self.centres).index_select(3, self.centres)
        return ((cells + 1) / 2).square()


class Majority(nn.Module):
    """The logarithm of each class's share of the training images, whatever the image shows.

    Args:
        classes: number of classes K.
        size: taken, like seed, so that all networks are made alike.
        seed: nothing here is random.
    """

    logits: Tensor

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(classes))

    def fit(self, images: Float[Tensor, "N 3 H W"], labels: Int64[Tensor, "N"]) -> None:
        """Count the classes 0..K-1."""
        shares = torch.bincount(labels, minlength=len(self.logits)).double() / len(labels)
        self.logits.copy_(shares.log().clamp(min=NEVER_SEEN))

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """The same scores for every image."""
        return self.logits.to(images).expand(images.shape[0], -1)  # `len` would be fixed at export


def _pairwise(svm: Any) -> tuple[Float64[np.ndarray, "P N"], Float64[np.ndarray, "P"]]:
    """Each training image's share in the plane of each pair of present classes, and the planes' offsets.

    scikit-learn keeps an image of class i in column n of `dual_coef_`, its share in the pair with j in row j - 1 where i < j and in
    row j where i > j. Positive speaks for the first class of a pair, but for the second where there are only two.
    """
    count, starts = len(svm.classes_), np.cumsum([0, *svm.n_support_])
    columns = [
        slice(start, end) for start, end in zip(starts, starts[1:], strict=False)
    ]  # images come sorted by class
    shares = np.zeros((count * (count - 1) // 2, svm.shape_fit_[0]))
    for row, (i, j) in zip(shares, itertools.combinations(range(count), 2), strict=True):
        row[svm.support_[columns[i]]] = svm.dual_coef_[j - 1, columns[i]]
        row[svm.support_[columns[j]]] = svm.dual_coef_[i, columns[j]]
    sign = -1.0 if count == 2 else 1.0
    return sign * shares, sign * svm.intercept_
