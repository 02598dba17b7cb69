"""Baselines that a network must beat: a linear SVM on pixels or on LBP-TOP, and the majority class.

They are non-iterative: `fit` computes the solution in one call. The solution is stored in buffers whose
shapes are fixed at construction, so their checkpoints are like those of any other network.
"""

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor, nn

from learnet.networks.pairwise import ABSENT_SCORE, PairwiseSVM, pairwise_weights

CELLS = 20  # per row of an LBP-TOP image, as drawn by `motion.lbp_top`

LINEAR_C = 1e-3  # of the linear SVM; not tuned


class LinearSVM(PairwiseSVM):
    """Linear support vector machine on standardised pixels, one for each pair of classes.

    The classes are balanced. Equal to scikit-learn's `make_pipeline(StandardScaler(), SVC(kernel="linear",
    C=1e-3, class_weight="balanced"))`, whatever the unit of the pixels. The scores are its decision function:
    the votes of the pairs, plus less than a third of a vote for their margins. Where classes have equally
    many votes the margins decide, as with `break_ties=True`; without this option, scikit-learn predicts the
    first class in the list.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    planes: Tensor  # (P, 3 * S * S) normal vector of each pair of classes

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__(classes)
        count = len(self.offsets)
        self.register_buffer("planes", torch.zeros(count, 3 * size * size, dtype=torch.float64))

    def fit(
        self,
        images: Float[Tensor, "N 3 S S"],
        labels: Int64[Tensor, "N"],
        regularisation_c: float | None = None,
    ) -> None:
        """Fit the classifier.

        Args:
            images: training images in -1..1.
            labels: their classes, 0..K-1. Classes that do not occur receive the lowest score from then on.
            regularisation_c: C of the support vector machine; None: 1e-3.
        """
        self.planes.zero_()
        if not self.reset(labels):
            return
        planes, offsets = _fit_pairs(images, labels, regularisation_c or LINEAR_C)
        rows = self.known_pairs()
        self.planes[rows] = planes.to(self.planes)
        self.offsets[rows] = offsets.to(self.offsets)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return scores from about -1/3 to K - 2/3, in the dtype of the images.

        They are computed in 64 bits, because a vote depends on the sign of a sum of 37,632 products.
        """
        pixels = images.flatten(1).to(self.planes)
        margins = pixels @ self.planes.T + self.offsets
        return self.scores(margins).to(images)


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

    def fit(
        self,
        images: Float[Tensor, "N 3 S S"],
        labels: Int64[Tensor, "N"],
        regularisation_c: float | None = None,
    ) -> None:
        """Fit the classifier to images in -1..1 and their classes 0..K-1, as `LinearSVM.fit`."""
        frequencies = self.frequencies(images)
        self.svm.fit(frequencies, labels, regularisation_c)

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
    images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"], c: float
) -> tuple[Float64[Tensor, "P D"], Float64[Tensor, "P"]]:
    """Return normal vector and offset of each pair of present classes, in units of the pixels."""
    from sklearn.preprocessing import StandardScaler  # only fitting needs scikit-learn
    from sklearn.svm import SVC

    scaler = StandardScaler()
    standardised = scaler.fit_transform(images.flatten(1).double().cpu().numpy())
    pixels = torch.from_numpy(standardised)
    # Inner products by torch are 30 times as fast as those of the kernel "linear".
    svm = SVC(kernel="precomputed", C=c, class_weight="balanced")
    svm.fit((pixels @ pixels.T).numpy(), labels.cpu().numpy())
    weights, intercepts = pairwise_weights(svm)
    planes = (torch.from_numpy(weights) @ pixels) / torch.from_numpy(scaler.scale_)
    offsets = torch.from_numpy(intercepts) - planes @ torch.from_numpy(scaler.mean_)
    return planes, offsets
