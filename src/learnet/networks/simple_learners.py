"""Simple learners on pixels: an SVM with a Gaussian kernel, discriminant analysis, logistic regression.

A network has to beat them to be worth its training: they are fitted in less than a second. `fit` computes
the solution in one call, by scikit-learn on as few numbers an image as there are training images: the
solution is the same as on all pixels.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor, nn

from learnet.networks.pairwise import ABSENT_SCORE, PairwiseSVM, pairwise_weights

RBF_C = 3.0  # with gamma 1 / median squared distance
LOGISTIC_C = 1e-3
COMPONENTS = 120
LEAST_VARIANCE = 1e-10  # of a principal component, as a share of that of the first
UNSEEN = -1e9  # logit of a class without training images, before the softmax over the others


class RBFSVM(PairwiseSVM):
    """Support vector machine with the kernel exp(-gamma |x - y|^2) on pixels, one for each pair of classes.

    Equal to scikit-learn's `SVC(C=3, gamma=gamma, class_weight="balanced")` on the pixels, with gamma = 1 /
    median of the squared distances of all pairs of training images. Its scores are votes as those of
    `LinearSVM`.

    The number of support vectors depends on the training images: of the buffers `vectors` and `weights` only
    the second dimension is fixed. A file of weights holds as many rows as there are (`resize`).

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    vectors: Tensor  # (V, 3 * S * S) support vectors
    weights: Tensor  # (V, P) dual coefficients of each support vector in each pair of classes
    gamma: Tensor  # () of the kernel

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__(classes)
        self.register_buffer("vectors", torch.zeros(0, 3 * size * size))
        self.register_buffer("weights", torch.zeros(0, len(self.offsets), dtype=torch.float64))
        self.register_buffer("gamma", torch.zeros((), dtype=torch.float64))

    def resize(self, rows: int) -> None:
        """Make room for a number of support vectors, all zeros."""
        self.vectors = self.vectors.new_zeros(rows, self.vectors.shape[1])
        self.weights = self.weights.new_zeros(rows, self.weights.shape[1])

    def fit(
        self,
        images: Float[Tensor, "N 3 S S"],
        labels: Int64[Tensor, "N"],
        regularisation_c: float | None = None,
        rbf_gamma: float = 1.0,
    ) -> None:
        """Fit the classifier.

        Args:
            images: training images in -1..1.
            labels: their classes, 0..K-1. Classes that do not occur receive the lowest score from then on.
            regularisation_c: C of the support vector machine; None: 3.
            rbf_gamma: gamma of the kernel times the median squared distance.
        """
        from sklearn.svm import SVC  # only fitting needs scikit-learn

        self.resize(0)
        self.gamma.zero_()
        if not self.reset(labels):
            return
        pixels = images.flatten(1)
        distances = _squared_distances(pixels.double(), pixels.double())
        gamma = rbf_gamma / _median_of_pairs(distances)
        kernel = torch.exp(-gamma * distances)
        svm = SVC(kernel="precomputed", C=regularisation_c or RBF_C, class_weight="balanced")
        svm.fit(kernel.cpu().numpy(), labels.cpu().numpy())
        weights, intercepts = pairwise_weights(svm)
        support = torch.from_numpy(np.sort(svm.support_).astype(np.int64))
        self.resize(len(support))
        self.vectors.copy_(pixels[support])
        pairs = self.known_pairs()
        self.weights[:, pairs] = torch.from_numpy(weights.T.copy())[support].to(self.weights)
        self.offsets[pairs] = torch.from_numpy(intercepts).to(self.offsets)
        self.gamma.fill_(gamma)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return scores from about -1/3 to K - 2/3, in the dtype of the images, computed in 64 bits."""
        pixels = images.flatten(1).to(self.weights)
        distances = _squared_distances(pixels, self.vectors.to(self.weights))
        kernel = torch.exp(-self.gamma * distances)
        margins = kernel @ self.weights + self.offsets
        return self.scores(margins).to(images)


class LinearScores(nn.Module):
    """Classifier whose logits are linear in the pixels: one plane for each class.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    planes: Tensor  # (K, 3 * S * S)
    offsets: Tensor  # (K,)
    seen: Tensor  # (K,) whether a class had training images

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.register_buffer("planes", torch.zeros(classes, 3 * size * size, dtype=torch.float64))
        self.register_buffer("offsets", torch.zeros(classes, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return logarithms of the probabilities in the dtype of the images, none below `ABSENT_SCORE`."""
        pixels = images.flatten(1).to(self.planes)
        logits = pixels @ self.planes.T + self.offsets
        logarithms = logits.masked_fill(~self.seen, UNSEEN).log_softmax(dim=1)
        scores = logarithms.clamp(min=ABSENT_SCORE).masked_fill(~self.seen, ABSENT_SCORE)
        return scores.to(images)

    def fit_linear(self, images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"], limit: int) -> None:
        """Fit the classifier to standardised pixels, expressed by their principal components.

        Args:
            images: training images in -1..1.
            labels: their classes, 0..K-1. Classes that do not occur receive the lowest score from then on.
            limit: largest number of components.
        """
        present = np.unique(labels.cpu().numpy())
        for buffer in (self.planes, self.offsets, self.seen):
            buffer.zero_()
        self.seen[torch.from_numpy(present)] = True
        if len(present) < 2:
            return  # there is nothing to separate
        components = _principal_components(images.flatten(1).double().cpu().numpy(), limit)
        coefficients, intercepts = self.fit_components(components.values, labels.cpu().numpy())
        if len(present) == 2:  # scikit-learn returns the difference of the two logits
            half = coefficients / 2
            coefficients = np.concatenate([-half, half])
            intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
        planes, offsets = components.in_pixels(coefficients, intercepts)
        self.planes[torch.from_numpy(present)] = torch.from_numpy(planes).to(self.planes)
        self.offsets[torch.from_numpy(present)] = torch.from_numpy(offsets).to(self.offsets)

    @abstractmethod
    def fit_components(
        self, values: Float64[np.ndarray, "N M"], labels: Int64[np.ndarray, "N"]
    ) -> tuple[Float64[np.ndarray, "C M"], Float64[np.ndarray, "C"]]:
        """Return coefficients and intercept of each class that occurs; of two, of their difference."""


class LDA(LinearScores):
    """Linear discriminant analysis with shrinkage on principal components of standardised pixels.

    Equal to scikit-learn's `make_pipeline(StandardScaler(), PCA(120), LinearDiscriminantAnalysis("lsqr",
    covariance_estimator=LedoitWolf(), priors=[1 / K] * K))`. The classes are balanced by their priors.

    References:
        Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices, Journal of
        Multivariate Analysis 88, 2004.
    """

    def fit(
        self,
        images: Float[Tensor, "N 3 S S"],
        labels: Int64[Tensor, "N"],
        pca_components: int = COMPONENTS,
    ) -> None:
        """Fit the classifier to images in -1..1 and their classes 0..K-1.

        Args:
            images: training images.
            labels: classes; those that do not occur receive the lowest score from then on.
            pca_components: number of principal components; fewer where the images span fewer.
        """
        self.fit_linear(images, labels, pca_components)

    def fit_components(
        self, values: Float64[np.ndarray, "N M"], labels: Int64[np.ndarray, "N"]
    ) -> tuple[Float64[np.ndarray, "C M"], Float64[np.ndarray, "C"]]:
        """Return the discriminant functions."""
        from sklearn.covariance import LedoitWolf  # only fitting needs scikit-learn
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        count = len(np.unique(labels))
        analysis = LinearDiscriminantAnalysis(
            "lsqr", covariance_estimator=LedoitWolf(), priors=np.full(count, 1 / count)
        )
        analysis.fit(values, labels)
        return analysis.coef_, analysis.intercept_


class LogisticRegression(LinearScores):
    """Multinomial logistic regression with an L2 penalty on standardised pixels.

    Equal to scikit-learn's `make_pipeline(StandardScaler(), LogisticRegression(C=1e-3,
    class_weight="balanced"))`.
    """

    regularisation_c = LOGISTIC_C

    def fit(
        self,
        images: Float[Tensor, "N 3 S S"],
        labels: Int64[Tensor, "N"],
        regularisation_c: float | None = None,
    ) -> None:
        """Fit the classifier to images in -1..1 and their classes 0..K-1.

        Args:
            images: training images.
            labels: classes; those that do not occur receive the lowest score from then on.
            regularisation_c: inverse strength of the penalty; None: 1e-3.
        """
        self.regularisation_c = regularisation_c or LOGISTIC_C
        self.fit_linear(images, labels, len(images))

    def fit_components(
        self, values: Float64[np.ndarray, "N M"], labels: Int64[np.ndarray, "N"]
    ) -> tuple[Float64[np.ndarray, "C M"], Float64[np.ndarray, "C"]]:
        """Return the logits. A rotation changes neither the penalty nor the solution."""
        from sklearn import linear_model  # only fitting needs scikit-learn

        regression = linear_model.LogisticRegression(
            C=self.regularisation_c, class_weight="balanced", max_iter=10_000, tol=1e-6
        )
        regression.fit(values, labels)
        return regression.coef_, regression.intercept_


@dataclass(frozen=True)
class _Components:
    """Principal components of standardised pixels."""

    values: Float64[np.ndarray, "N M"]  # of the training images, largest variance first
    directions: Float64[np.ndarray, "M D"]  # in standardised pixels, of length 1
    mean: Float64[np.ndarray, "D"]  # of each pixel
    scale: Float64[np.ndarray, "D"]  # standard deviation of each pixel; 1 where it is 0

    def in_pixels(
        self, coefficients: Float64[np.ndarray, "C M"], intercepts: Float64[np.ndarray, "C"]
    ) -> tuple[Float64[np.ndarray, "C D"], Float64[np.ndarray, "C"]]:
        """Return planes in units of the pixels, and their offsets."""
        planes = coefficients @ self.directions / self.scale
        return planes, intercepts - planes @ self.mean


def _principal_components(pixels: Float64[np.ndarray, "N D"], limit: int) -> _Components:
    """Return the principal components from the inner products of the images, of which there are few."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    standardised = torch.from_numpy(scaler.fit_transform(pixels))
    variances, vectors = torch.linalg.eigh(standardised @ standardised.T)
    variances, vectors = variances.flip(0), vectors.flip(1)  # the largest first
    kept = max(int((variances[:limit] > LEAST_VARIANCE * variances[0]).sum()), 1)
    lengths = variances[:kept].clamp(min=0).sqrt()
    values = vectors[:, :kept] * lengths
    inverse = torch.where(lengths > 0, 1 / lengths, 0)
    directions = (vectors[:, :kept] * inverse).T @ standardised
    return _Components(values.numpy(), directions.numpy(), scaler.mean_, scaler.scale_)


def _squared_distances(
    images: Float64[Tensor, "B D"], others: Float64[Tensor, "V D"]
) -> Float64[Tensor, "B V"]:
    """Return the squared Euclidean distance of each image from each of the others."""
    lengths = images.square().sum(dim=1)
    other_lengths = others.square().sum(dim=1)
    distances = lengths[:, None] + other_lengths - 2 * images @ others.T
    return distances.clamp(min=0)


def _median_of_pairs(distances: Float32[Tensor, "N N"] | Float64[Tensor, "N N"]) -> float:
    """Return the median over all pairs of different images; 1 where it is 0."""
    rows, columns = np.triu_indices(len(distances), k=1)
    median = float(np.median(distances.cpu().numpy()[rows, columns]))
    return median if median > 0 else 1.0
