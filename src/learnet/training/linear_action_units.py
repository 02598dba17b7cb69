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
    products, test_products = _inner_products(train, test, mirror)
    present = np.empty((len(test), truth.shape[1]))
    sides = np.empty((len(test), truth.shape[1], 2))
    for unit in range(truth.shape[1]):
        left, right = truth[:, unit].T
        active = left | right
        if mirror == "none":
            margins = _margins(products, active, test_products)[0]
            left_margins = _margins(products, left, test_products)[0]
            right_margins = _margins(products, right, test_products)[0]
        else:
            margins = np.mean(_margins(products, np.tile(active, 2), test_products), axis=0)
            target = np.concatenate([left, right])
            left_margins, right_margins = _margins(products, target, test_products)
        present[:, unit] = _to_score(margins)
        sides[:, unit] = np.stack([_to_score(left_margins), _to_score(right_margins)], axis=1)
    return LinearScores(present, sides)


def _inner_products(
    train: UInt8[np.ndarray, "N S S 3"], test: UInt8[np.ndarray, "M S S 3"], mirror: str
) -> tuple[Float64[np.ndarray, "L L"], list[Float64[np.ndarray, "M L"]]]:
    """Return inner products of standardised images: of training images, and of each view of the test images.

    Views are the images and, unless `mirror` is "none", their mirror images.
    """
    views = ["none"] if mirror == "none" else ["none", mirror]
    learned = np.concatenate([_pixels(train, view) for view in views])
    mean, deviation = learned.mean(axis=0), learned.std(axis=0)
    deviation[deviation == 0] = 1  # as StandardScaler does
    learned = (learned - mean) / deviation
    test_products = []
    for view in views:
        tested = (_pixels(test, view) - mean) / deviation
        test_products.append(tested @ learned.T)
    return learned @ learned.T, test_products


def _pixels(images: UInt8[np.ndarray, "N S S 3"], mirror: str) -> Float64[np.ndarray, "N D"]:
    """Return the scaled pixels of images, or of their mirror images."""
    scaled: Float32[np.ndarray, "N 3 S S"] = scale(images)
    if mirror != "none":
        scaled = mirror_images(scaled, mirror)
    return scaled.reshape(len(images), -1).astype(np.float64)


def _margins(
    products: Float64[np.ndarray, "L L"],
    target: Bool[np.ndarray, "L"],
    test_products: list[Float64[np.ndarray, "M L"]],
) -> list[Float64[np.ndarray, "M"]]:
    """Return the signed distance of each test image, for each view; NaN where there is one class only."""
    from sklearn.svm import SVC  # an optional dependency

    if target.all() or not target.any():
        return [np.full(len(view), np.nan) for view in test_products]
    svm = SVC(kernel="precomputed", C=C, class_weight="balanced")
    svm.fit(products, target)
    return [svm.decision_function(view) for view in test_products]


def _to_score(margins: Float64[np.ndarray, "M"]) -> Float64[np.ndarray, "M"]:
    return 1 / (1 + np.exp(-margins))
