"""Linear models of action units, one per unit: what little training on annotated clips achieves.

They are the linear SVM of the network `linear-svm`: standardised pixels, C = 0.001, balanced classes. Nothing
about them was chosen by a score.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from learnet.training.scorer import mirror_images, scale

C = 1e-3  # as of `networks.baselines.LinearSVM`


@dataclass(frozen=True)
class LinearScores:
    """Scores of U units for M images; NaN where the training clips show a unit never or always."""

    present: Float64[np.ndarray, "M U"]  # logistic function of the margin: 0.5 on the plane
    sides: Float64[np.ndarray, "M U 2"]  # of the person's left, and right


def linear_unit_scores(
    train: UInt8[np.ndarray, "N S S 3"],
    truth: Bool[np.ndarray, "N U 2"],
    test: UInt8[np.ndarray, "M S S 3"],
    mirror: str,
) -> LinearScores:
    """Fit the models of all units to some images, and score others.

    With mirror images, the model of a side learns from the left side of each image and of its mirror image,
    where the right side is the left one. The margin of a unit on any side is the mean of both images.

    Args:
        train: images without their planar trend.
        truth: whether each unit is active on the left and on the right side.
        test: images like those of `train`.
        mirror: "flow" or "image": what mirroring does to an image (`scorer.mirror_images`); "none": no mirror
            images.
    """
    products = _inner_products(train, test, mirror)
    margins_of = _margins_of_unit if mirror == "none" else _margins_of_mirrored_unit
    number = truth.shape[1]
    present = np.empty((len(test), number))
    sides = np.empty((len(test), number, 2))
    for unit in range(number):
        left, right = truth[:, unit].T
        any_side, left_side, right_side = margins_of(products, left, right)
        present[:, unit] = _to_score(any_side)
        sides[:, unit, 0] = _to_score(left_side)
        sides[:, unit, 1] = _to_score(right_side)
    return LinearScores(present, sides)


@dataclass(frozen=True)
class _InnerProducts:
    """Inner products of standardised images. Views are the images and, where used, their mirror images."""

    of_training: Float64[np.ndarray, "L L"]  # the images of all views, one view after the other
    of_test: list[Float64[np.ndarray, "M L"]]  # for each view of the test images


def _margins_of_unit(
    products: _InnerProducts, left: Bool[np.ndarray, "N"], right: Bool[np.ndarray, "N"]
) -> tuple[Float64[np.ndarray, "M"], Float64[np.ndarray, "M"], Float64[np.ndarray, "M"]]:
    """Return the margins of a unit on any side, on the left and on the right, without mirror images."""
    (any_side,) = _margins(products, left | right)
    (left_side,) = _margins(products, left)
    (right_side,) = _margins(products, right)
    return any_side, left_side, right_side


def _margins_of_mirrored_unit(
    products: _InnerProducts, left: Bool[np.ndarray, "N"], right: Bool[np.ndarray, "N"]
) -> tuple[Float64[np.ndarray, "M"], Float64[np.ndarray, "M"], Float64[np.ndarray, "M"]]:
    """Return the margins of a unit on any side, on the left and on the right, with mirror images."""
    active = left | right
    of_views = _margins(products, np.tile(active, 2))
    any_side = np.mean(of_views, axis=0)
    left_in_views = np.concatenate([left, right])
    left_side, right_side = _margins(products, left_in_views)
    return any_side, left_side, right_side


def _inner_products(
    train: UInt8[np.ndarray, "N S S 3"], test: UInt8[np.ndarray, "M S S 3"], mirror: str
) -> _InnerProducts:
    """Standardise the images of all views over the training images, and multiply them."""
    views = ["none"] if mirror == "none" else ["none", mirror]
    learned = np.concatenate([_pixels(train, view) for view in views])
    mean = learned.mean(axis=0)
    deviation = learned.std(axis=0)
    deviation[deviation == 0] = 1  # as StandardScaler does
    learned = (learned - mean) / deviation
    of_test = []
    for view in views:
        tested = (_pixels(test, view) - mean) / deviation
        of_test.append(tested @ learned.T)
    return _InnerProducts(learned @ learned.T, of_test)


def _pixels(images: UInt8[np.ndarray, "N S S 3"], mirror: str) -> Float64[np.ndarray, "N D"]:
    """Return the scaled pixels of images, or of their mirror images."""
    scaled: Float32[np.ndarray, "N 3 S S"] = scale(images)
    if mirror != "none":
        scaled = mirror_images(scaled, mirror)
    return scaled.reshape(len(images), -1).astype(np.float64)


def _margins(products: _InnerProducts, target: Bool[np.ndarray, "L"]) -> list[Float64[np.ndarray, "M"]]:
    """Return the signed distance of each test image, for each view; NaN where there is one class only."""
    from sklearn.svm import SVC  # an optional dependency

    if target.all() or not target.any():
        return [np.full(len(view), np.nan) for view in products.of_test]
    svm = SVC(kernel="precomputed", C=C, class_weight="balanced")
    svm.fit(products.of_training, target)
    return [svm.decision_function(view) for view in products.of_test]


def _to_score(margins: Float64[np.ndarray, "M"]) -> Float64[np.ndarray, "M"]:
    return 1 / (1 + np.exp(-margins))
