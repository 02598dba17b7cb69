"""Measures beside accuracy, UF1 and UAR: of confusion matrices MCC, of probabilities log loss, Brier, AUC."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from learnet.core.records import Outcome
from learnet.core.serialisation import optional_key
from learnet.metrics.groups import by_seed, predictions, truths
from learnet.metrics.scores import confusion

SMALLEST = 1e-6
"""Probabilities below it count as this in the log loss: `outcomes.csv` keeps six decimals."""


@dataclass(frozen=True)
class OtherMeasures:
    """Further measures, averaged over seeds. They are pooled over all folds and have no intervals."""

    mcc: float  # Matthews correlation coefficient, -1..1; 0 by chance
    log_loss: float | None = optional_key()  # nats per clip, from 0; None without probabilities
    brier: float | None = optional_key()  # Brier score, 0 (best) to 2
    auc: float | None = optional_key()  # macro average of one class against the rest; 0.5 by chance


def other_measures(outcomes: Sequence[Outcome], classes: Sequence[str]) -> OtherMeasures:
    """Return further measures of predictions, and those of probabilities where all predictions have scores.

    Args:
        outcomes: predictions, one per clip and seed.
        classes: the classes of the scores, in their order.
    """
    parts = list(by_seed(outcomes).values())
    counts = [confusion(truths(part), predictions(part), classes) for part in parts]
    mcc = float(np.mean([matthews(of_seed) for of_seed in counts]))
    if any(len(outcome.scores) != len(classes) for outcome in outcomes):
        return OtherMeasures(mcc)
    index = {name: position for position, name in enumerate(classes)}
    losses, briers, areas = [], [], []
    for part in parts:
        scores = np.array([outcome.scores for outcome in part])
        truth = np.array([index[name] for name in truths(part)])
        losses.append(log_loss(truth, scores))
        briers.append(brier(truth, scores))
        areas.append(macro_auc(truth, scores))
    auc = float(np.mean(areas))
    return OtherMeasures(
        mcc,
        log_loss=float(np.mean(losses)),
        brier=float(np.mean(briers)),
        auc=None if np.isnan(auc) else auc,
    )


def matthews(counts: Int[np.ndarray, "K K"]) -> float:
    """Return the Matthews correlation coefficient of several classes; 0 where it is not defined.

    References:
        Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, Computational
        Biology and Chemistry 28, 2004.
    """
    actual = counts.sum(axis=1).astype(float)
    predicted = counts.sum(axis=0).astype(float)
    number = actual.sum()
    covariance = np.trace(counts) * number - actual @ predicted
    variances = (number**2 - actual @ actual) * (number**2 - predicted @ predicted)
    return float(covariance / np.sqrt(variances)) if variances > 0 else 0.0


def log_loss(truth: Int[np.ndarray, "N"], scores: Float[np.ndarray, "N K"]) -> float:
    """Return the mean of minus the logarithm of the probability of the true class, at least SMALLEST."""
    probability = scores[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(probability, SMALLEST)).mean())


def brier(truth: Int[np.ndarray, "N"], scores: Float[np.ndarray, "N K"]) -> float:
    """Return the mean squared distance of the probabilities from 1 for the true class and 0 for the others.

    References:
        Brier, Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78, 1950.
    """
    expected = np.eye(scores.shape[1])[truth]
    return float(((scores - expected) ** 2).sum(axis=1).mean())


def macro_auc(truth: Int[np.ndarray, "N"], scores: Float[np.ndarray, "N K"]) -> float:
    """Return the mean area under the ROC curve of each class against all others.

    A class that all clips have or none has is left out; NaN where that leaves nothing.
    """
    areas = []
    for index in range(scores.shape[1]):
        is_class = truth == index
        if is_class.any() and not is_class.all():
            areas.append(_auc(scores[:, index], is_class))
    return float(np.mean(areas)) if areas else float("nan")


def _auc(scores: Float[np.ndarray, "N"], positive: Bool[np.ndarray, "N"]) -> float:
    """Return the share of pairs in which the positive clip has the higher score; equal scores count half."""
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    mean_rank = (last - (sizes - 1) / 2)[group]
    number = int(positive.sum())
    pairs = number * (len(scores) - number)
    return float((mean_rank[positive].sum() - number * (number + 1) / 2) / pairs)
