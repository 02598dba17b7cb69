"""Calibration: how far the scores of predictions can be read as probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.groups import clips, persons, predictions, truths
from learnet.metrics.scores import DRAWS, SEED, ends, times_drawn

BINS = 10  # of a reliability curve; with the few hundred clips of this field more would be nearly empty
CHANCE_DRAWS = 500  # times that the predictions of a perfectly calibrated network are drawn


@dataclass(frozen=True)
class Calibration:
    """Predictions in M bins of equal width by the score of the predicted class, in rising order.

    In a calibrated network 7 of 10 predictions with a score of 0.7 are correct.
    """

    counts: Int64[np.ndarray, "M"]  # predictions in each bin
    score: Float64[np.ndarray, "M"]  # their mean score, 0..1; NaN in an empty bin
    right: Float64[np.ndarray, "M"]  # share of them that is correct; NaN in an empty bin
    limits: Float64[
        np.ndarray, "M 2"
    ]  # 95 % interval of that share over people; NaN for less than two people
    ece: float  # expected calibration error, 0..1
    ece_limits: tuple[float, float]  # 95 % interval over people; NaN for one person
    by_chance: float  # expected error of as many predictions by a perfectly calibrated network; never 0

    @property
    def mean_score(self) -> float:
        """Mean score of all predictions."""
        return self._mean(self.score)

    @property
    def share_right(self) -> float:
        """Share of all predictions that is correct."""
        return self._mean(self.right)

    def _mean(self, values: Float64[np.ndarray, "M"]) -> float:
        total = np.nansum(self.counts * values)
        number = self.counts.sum()
        return float(total / number)


def calibration(
    outcomes: Sequence[Outcome], classes: Sequence[str], bins: int = BINS, draws: int = DRAWS
) -> Calibration:
    """Compare the score of the predicted class with the share of correct predictions.

    This is "top-label" calibration. The expected calibration error is the sum over bins m of
    n_m / n * |share correct in m - mean score in m|. Bin m of M holds the scores above (m - 1) / M and up
    to m / M. Predictions of several seeds are counted together, so a clip counts once per seed.

    Args:
        outcomes: predictions with scores.
        classes: the classes of the scores, in their order.
        bins: number of bins M.
        draws: number of resamples of people for the intervals; the same resamples as in `scores.resampled`.

    Raises:
        LearnetError: there are no predictions, or they have no scores.

    References:
        Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI
        2015. The score of the predicted class as in Guo et al., On Calibration of Modern Neural Networks,
        ICML 2017.
    """
    score = _predicted_scores(outcomes, classes)
    correct = (np.array(truths(outcomes)) == np.array(predictions(outcomes))).astype(float)
    bin_of = np.searchsorted(np.arange(1, bins) / bins, score, side="left")
    people, person = np.unique(persons(outcomes), return_inverse=True)
    # Of each person in each bin: number of predictions, sum of scores, number of correct predictions.
    sums = np.zeros((3, len(people), bins))
    for part, values in zip(sums, (np.ones(len(score)), score, correct), strict=True):
        np.add.at(part, (person, bin_of), values)
    counts, scores, corrects = sums.sum(axis=1)
    drawn = np.einsum("dp,qpm->qdm", times_drawn(len(people), draws), sums, optimize=True)
    low, high = ends(np.asarray(_ece(*drawn)), len(people))
    _, clip = np.unique(clips(outcomes), return_inverse=True)
    with np.errstate(invalid="ignore"):  # 0 / 0 in empty bins
        mean_scores = scores / counts
        shares = corrects / counts
    return Calibration(
        counts=counts.astype(np.int64),
        score=mean_scores,
        right=shares,
        limits=_bin_limits(drawn, people_in_bin=(sums[0] > 0).sum(axis=0)),
        ece=float(_ece(counts, scores, corrects)),
        ece_limits=(float(low), float(high)),
        by_chance=_ece_by_chance(score, bin_of, clip, bins),
    )


def _predicted_scores(outcomes: Sequence[Outcome], classes: Sequence[str]) -> Float64[np.ndarray, "N"]:
    """Return the score of the predicted class of each prediction."""
    scores = []
    for outcome in outcomes:
        if len(outcome.scores) == len(classes):
            index = classes.index(outcome.prediction)
            scores.append(outcome.scores[index])
    if not outcomes or len(scores) < len(outcomes):
        raise LearnetError(
            "Calibration needs predictions with a score for each class.", "A log of labels has no scores."
        )
    return np.array(scores)


def _bin_limits(
    drawn: Float64[np.ndarray, "3 D M"], people_in_bin: Int64[np.ndarray, "M"]
) -> Float64[np.ndarray, "M 2"]:
    """Return the interval of the share of correct predictions in each bin.

    Resamples in which the bin is empty are left out.
    """
    limits = []
    for index, people in enumerate(people_in_bin.tolist()):
        counts, _, corrects = drawn[:, :, index]
        occupied = counts > 0
        limits.append(ends(corrects[occupied] / counts[occupied], people))
    return np.array(limits)


def _ece(
    counts: Float64[np.ndarray, "*D M"],
    scores: Float64[np.ndarray, "*D M"],
    corrects: Float64[np.ndarray, "*D M"],
) -> Float64[np.ndarray, "*D"] | np.floating:
    """Return the expected calibration error from the sums in each bin."""
    errors = np.abs(corrects - scores)
    number = counts.sum(axis=-1)
    return errors.sum(axis=-1) / number


def _ece_by_chance(
    score: Float64[np.ndarray, "N"], bin_of: Int64[np.ndarray, "N"], clip: Int64[np.ndarray, "N"], bins: int
) -> float:
    """Return the mean error where a prediction with score s is correct with probability s.

    The predictions for one clip, with several seeds, share their random number.
    """
    rng = np.random.default_rng(SEED)
    errors = []
    for _ in range(CHANCE_DRAWS):
        uniform = rng.random(clip.max() + 1)[clip]
        correct = uniform < score
        in_bins = np.bincount(bin_of, correct - score, bins)
        errors.append(np.abs(in_bins).sum() / len(score))
    return float(np.mean(errors))
