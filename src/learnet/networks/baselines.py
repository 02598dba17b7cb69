"""Baselines that a network must beat: a linear SVM on pixels or on histograms, and the majority class.

They are non-iterative: `fit` computes the solution in one call. The solution is stored in buffers whose
shapes are fixed at construction, so their checkpoints are like those of any other network.
"""

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor, nn

from learnet.networks.layers import cell_values
from learnet.networks.pairwise import ABSENT_SCORE, PairwiseSVM, pairwise_weights

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
    """Apply `LinearSVM` to histograms, read from the cells of the image in which they are drawn.

    A cell of the image is the square root of a number p in 0..1, rounded to 1/255, so p is read to within
    sqrt(p) / 255.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    cells: int  # per row of an image, as drawn by the motion image

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.svm = LinearSVM(classes, self.cells, seed)

    def fit(
        self,
        images: Float[Tensor, "N 3 S S"],
        labels: Int64[Tensor, "N"],
        regularisation_c: float | None = None,
    ) -> None:
        """Fit the classifier to images in -1..1 and their classes 0..K-1, as `LinearSVM.fit`."""
        self.svm.fit(self.features(images), labels, regularisation_c)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return the scores of `LinearSVM`."""
        return self.svm(self.features(images))

    def features(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 n n"]:
        """Return the number in the middle of each cell, 0..1."""
        return cell_values(images, self.cells).square()


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
