"""The networks as a classifier of scikit-learn."""

import math
from numbers import Integral
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64, Shaped, UInt8
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from learnet.core.arrays import BadArray, as_grey_levels, as_square_images
from learnet.core.errors import pick
from learnet.core.settings import Training
from learnet.datasets.prepared.record import IMAGE_KINDS
from learnet.motion.detrend import StoredImages
from learnet.training.device import one_thread, resolve_device
from learnet.training.examples import TrainingSet
from learnet.training.scorer import Scorer
from learnet.training.train import resolve_automatic, train

SEEDS = 2**31  # seeds are below


class LEARNetClassifier(ClassifierMixin, BaseEstimator):
    """Classify motion images, as an estimator of scikit-learn.

    Validate it on people that it was not fitted on: `cross_val_predict(LEARNetClassifier(), X, y,
    groups=people, cv=LeaveOneGroupOut())`. `cross_validate` gives all scores of such predictions, with
    seeds that differ between folds.

    Images are RGB, whole numbers 0..255: (N, S, S, 3), or flattened to (N, S * S * 3) for pipelines. Training
    runs on one thread, so that the numbers do not depend on the cores; `n_jobs` of scikit-learn's functions
    uses several.

    Args:
        network: name in `NETWORKS`; not lbp-top, lbp-fip or bi-woof, whose images are
            histograms.
        kind: what mirroring a face does to its image: image (it is mirrored: dynamic images), flow (its first
            channel changes sign as well) or unknown (no image is mirrored). It decides `detrend`, too.
        epochs: passes over the images.
        batch_size: images per step.
        optimiser: adamw, or sgd with momentum 0.9.
        learning_rate: largest learning rate.
        weight_decay: decoupled weight decay (for sgd: L2).
        class_weights: weight of a class in the loss: balanced (by its rarity) or none.
        label_smoothing: share of the target that is spread over all classes.
        augment: none, or light (small shift, rotation, scale and contrast).
        mixup: alpha of the Beta distribution for mixing pairs of images; 0 is off.
        detrend: remove the planar trend of u and v from flow images; None: from those, but from no others.
        clipping_percentile: percentile (50 to 100) of the movements in a detrended image that becomes the
            largest value; None: 98.
        device: cuda (a GPU), cpu, or auto (a GPU if there is one).
        random_state: seed of weights, order and augmentation; a generator draws one.

    Attributes:
        classes_: labels in ascending order, as of the columns of `predict_proba`.
        n_features_in_: S * S * 3.
        module_: trained network, a `torch.nn.Module` in eval mode.
        training_: settings of the training (`Training`), without automatic values.
        loss_curve_: mean training loss of each epoch; empty for a network without epochs.
    """

    classes_: Shaped[np.ndarray, "K"]
    n_features_in_: int
    module_: Any  # torch.nn.Module
    training_: Training
    loss_curve_: tuple[float, ...]

    def __init__(  # noqa: PLR0913 (an estimator has one parameter per setting)
        self,
        network: str = "learnet",
        *,
        kind: Literal["image", "flow", "unknown"] = "unknown",
        epochs: int = 60,
        batch_size: int = 16,
        optimiser: Literal["adamw", "sgd"] = "adamw",
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        class_weights: Literal["balanced", "none"] = "balanced",
        label_smoothing: float = 0.1,
        augment: Literal["none", "light"] = "light",
        mixup: float = 0.0,
        detrend: bool | None = None,
        clipping_percentile: int | None = None,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        random_state: int | RandomState | None = 0,
    ) -> None:
        self.network = network
        self.kind = kind
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimiser = optimiser
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.class_weights = class_weights
        self.label_smoothing = label_smoothing
        self.augment = augment
        self.mixup = mixup
        self.detrend = detrend
        self.clipping_percentile = clipping_percentile
        self.device = device
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "LEARNetClassifier":  # noqa: N803 (as scikit-learn calls it)
        """Train the network.

        Args:
            X: images (N, S, S, 3), or flattened; whole numbers 0..255.
            y: label of each image.

        Raises:
            BadArray: `X` holds no such images, or `y` one class only. It is a ValueError too.
            LearnetError: settings that do not work.
        """
        rows, labels = validate_data(self, _as_rows(X), y, dtype="numeric")
        check_non_negative(rows, type(self).__name__)
        check_classification_targets(labels)
        images = self._images(rows)
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise BadArray("All images are of one class, so there is nothing to learn.", "Add other classes.")
        pick(dict.fromkeys(IMAGE_KINDS), self.kind, "kind of image")
        self.training_ = resolve_automatic(self._training(), self.kind, self.network)
        nobody = [""] * len(images)  # people only matter where the number of epochs is selected
        data = TrainingSet(images, indices.astype(np.int64), nobody, len(self.classes_))
        with one_thread():
            trained = train(self.network, data, self.training_, device=resolve_device(self.device))
        self.module_ = trained.module
        self.loss_curve_ = trained.losses
        return self

    def predict_proba(self, X: ArrayLike) -> Float64[np.ndarray, "N K"]:  # noqa: N803
        """Return the probability of each class for each image, in the order of `classes_`.

        Args:
            X: images as in `fit`.
        """
        check_is_fitted(self)
        rows = validate_data(self, _as_rows(X), dtype="numeric", reset=False)
        check_non_negative(rows, type(self).__name__)
        images = self._images(rows)
        training = self.training_
        with one_thread():
            scorer = Scorer.from_module(
                self.module_, training.mirror_when_tested, training.detrend_percentile, training.views_at_test
            )
            return scorer.scores(StoredImages(images))

    def predict(self, X: ArrayLike) -> Shaped[np.ndarray, "N"]:  # noqa: N803
        """Return the most probable class of each image.

        Args:
            X: images as in `fit`.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn asks estimators: this one needs numbers from 0 on."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def _training(self) -> Training:
        return Training(
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimiser=self.optimiser,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            class_weights=self.class_weights,
            label_smoothing=self.label_smoothing,
            augment=self.augment,
            mixup=self.mixup,
            detrend=self.detrend,
            clipping_percentile=self.clipping_percentile,
            seed=self._seed(),
        )

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(SEEDS))

    def _images(self, rows: Shaped[np.ndarray, "N F"]) -> UInt8[np.ndarray, "N S S 3"]:
        """Return flattened images in their shape.

        Raises:
            BadArray: the rows are no images of three channels, or no grey levels.
        """
        features = rows.shape[1]
        size = math.isqrt(features // 3)
        if features != 3 * size * size:
            what = f"X has {features} features, which are no image: S * S * 3 pixels are needed."
            raise BadArray(what, "Give images (N, S, S, 3), or flatten such images.")
        return as_grey_levels(rows, "X").reshape(-1, size, size, 3)


def _as_rows(images: Any) -> Any:
    """Return images (N, S, S, 3) as rows of pixels; whatever has another number of axes as it is."""
    axes = np.ndim(images) if isinstance(images, list) else getattr(images, "ndim", 2)
    if axes != 4:
        return images
    pixels = as_square_images(images, "X")
    return pixels.reshape(len(pixels), -1)
