"""Truth and prediction to numbers: accuracy, UF1, UAR, confusion, intervals over people. numpy only.

Predictions of all folds are pooled and then counted, as MEGC2019 defines its scores; averaging a score over folds is another number.
The class list is always passed: a class that no clip has keeps its place, counts as zero, and is named in `absent`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Int64

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome

MEASURES = ("accuracy", "uf1", "uar")
DRAWS = 2000
BINS = 10  # of a reliability curve: with the few hundred clips of this field more would be nearly empty
ONE_PERSON = "no interval: one person"  # drawn again and again it is always the same: a width of zero would pass for certainty
CHANCE = 500  # times that the answers of a perfectly calibrated network are drawn


@dataclass(frozen=True)
class Calibration:
    """Answers in bins of equal width by the score of the class answered, the lowest first: is a score of 0.7 right 7 times in 10?"""

    counts: Int64[np.ndarray, "M"]  # answers in each bin
    score: Float64[np.ndarray, "M"]  # their mean score, 0..1; NaN in an empty bin
    right: Float64[np.ndarray, "M"]  # share of them that is right; NaN in an empty bin
    limits: Float64[
        np.ndarray, "M 2"
    ]  # 95 % interval of that share over people; NaN in an empty bin, and in one of one person alone
    ece: float  # expected calibration error, 0..1
    ece_limits: tuple[float, float]  # 95 % interval over people; NaN where there is one
    by_chance: float  # the error to expect of so many answers if every score were the true probability; it is never 0

    @property
    def mean_score(self) -> float:
        """Mean score of all answers."""
        return float(np.nansum(self.counts * self.score) / self.counts.sum())

    @property
    def share_right(self) -> float:
        """Share of all answers that is right."""
        return float(np.nansum(self.counts * self.right) / self.counts.sum())


def confusion(
    truth: Sequence[str], prediction: Sequence[str], classes: Sequence[str]
) -> Int[np.ndarray, "K K"]:
    """How often each class (row) was called each class (column).

    Raises:
        LearnetError: a truth or a prediction that is not in the class list.
    """
    place = {name: i for i, name in enumerate(classes)}
    strange = sorted({*truth, *prediction} - set(place))
    if strange:
        raise LearnetError(
            f"Not in the class list: {', '.join(strange)}.", f"The classes are {', '.join(classes)}."
        )
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, ([place[t] for t in truth], [place[p] for p in prediction]), 1)
    return counts


def per_person_counts(
    outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]
) -> Int[np.ndarray, "P K K"]:
    """A confusion matrix for each person, in the order of PEOPLE."""
    parts: dict[str, tuple[list[str], list[str]]] = {person: ([], []) for person in people}
    for outcome in outcomes:
        parts[outcome.person][0].append(outcome.truth)
        parts[outcome.person][1].append(outcome.prediction)
    return np.stack([confusion(truth, prediction, classes) for truth, prediction in parts.values()])


def per_seed_counts(
    outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]
) -> Int[np.ndarray, "S P K K"]:
    """A confusion matrix for each seed, in rising order, and each person, in the order of PEOPLE."""
    seeds = sorted({o.seed for o in outcomes})
    return np.stack(
        [per_person_counts([o for o in outcomes if o.seed == seed], people, classes) for seed in seeds]
    )


def precision_recall_f1(
    counts: Float[np.ndarray, "... K K"] | Int[np.ndarray, "... K K"],
) -> Float[np.ndarray, "3 ... K"]:
    """Precision, recall and F1 of each class, 0 where nothing could be counted; leading axes are other confusion matrices."""
    right = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    called, true = counts.sum(axis=-2), counts.sum(axis=-1)
    return np.stack([_ratio(right, called), _ratio(right, true), _ratio(2 * right, called + true)])


def headline(
    counts: Float[np.ndarray, "... K K"] | Int[np.ndarray, "... K K"],
    counted: Bool[np.ndarray, "... K"] | None = None,
) -> Float[np.ndarray, "3 ..."]:
    """Accuracy, UF1 (unweighted mean of per-class F1) and UAR (unweighted mean of per-class recall), in the order of `MEASURES`.

    Args:
        counts: confusion matrices, rows are truths.
        counted: classes to average over; all of the list if not given, as a whole data set is scored.

    Source: MEGC2019 (See et al., FG 2019), section on evaluation.
    """
    _, recall, f1 = precision_recall_f1(counts)
    counted = np.ones(recall.shape, dtype=bool) if counted is None else counted
    accuracy = _ratio(np.trace(counts, axis1=-2, axis2=-1).astype(float), counts.sum(axis=(-2, -1)))
    number = np.maximum(counted.sum(axis=-1), 1)
    return np.stack(
        [accuracy, (f1 * counted).sum(axis=-1) / number, (recall * counted).sum(axis=-1) / number]
    )


def intervals(
    per_person: Float[np.ndarray, "S P K K"] | Int[np.ndarray, "S P K K"], draws: int = DRAWS
) -> Float[np.ndarray, "3 2"]:
    """95 % intervals of accuracy, UF1 and UAR, mean over S seeds: percentile bootstrap over people.

    Args:
        per_person: a confusion matrix for each seed and person.
        draws: resamples.

    Returns:
        Lower and upper ends; NaN where there is one person.
    """
    return ends(resampled(per_person, draws), per_person.shape[1])


def ends(drawn: Float[np.ndarray, "*M D"], people: int) -> Float[np.ndarray, "*M 2"]:
    """The 95 % interval of values from D resamples of PEOPLE; NaN where there is only one, whose resamples are all the same."""
    return (
        np.moveaxis(np.percentile(drawn, [2.5, 97.5], axis=-1), 0, -1)
        if people > 1
        else np.full((*drawn.shape[:-1], 2), np.nan)
    )


def interval_text(
    low: float | None,
    high: float | None,
    form: str = "[{}, {}]",
    number: Callable[[float], str] = "{:.2f}".format,
) -> str:
    """An interval in the words of FORM, or ONE_PERSON where it is None or NaN, as `intervals` and `summarise` give it for one person."""
    return (
        ONE_PERSON if low is None or high is None or np.isnan(low) else form.format(number(low), number(high))
    )


def resampled(
    per_person: Float[np.ndarray, "S P K K"] | Int[np.ndarray, "S P K K"], draws: int = DRAWS
) -> Float[np.ndarray, "3 draws"]:
    """Accuracy, UF1 and UAR, mean over S seeds, each time other people were filmed.

    People are drawn with replacement, each with all clips, because clips of one person are not independent. The draws
    start from a fixed seed: a report redone gives the same numbers, and two studies over the same people get the same draws.
    """
    drawn_people = _drawn_people(per_person.shape[1], draws)
    drawn = np.einsum("dp,spij->sdij", drawn_people, per_person, optimize=True)
    nowhere = per_person.sum(axis=(0, 1, 3)) == 0  # counts as zero in the score, and so in every resample
    counted = (drawn.sum(axis=-1) > 0) | nowhere  # a rare class may be missing by chance
    return headline(drawn, counted).mean(axis=1)  # (3, draws)


def calibration(
    outcomes: Sequence[Outcome], classes: Sequence[str], bins: int = BINS, draws: int = DRAWS
) -> Calibration:
    """How far scores can be read as probabilities, by the score of the class that was answered ("top-label" calibration).

    The expected calibration error is the sum over bins m of n_m / n times |share right in m - mean score in m|. Bin m of M holds the
    scores above (m - 1) / M and up to m / M. Answers of several seeds are counted together, so each clip counts once a seed.

    Args:
        outcomes: answers with scores.
        classes: what the scores are of, in their order.
        bins: number of bins M.
        draws: resamples of people for the intervals, the same as those of `resampled`.

    Raises:
        LearnetError: no answers, or answers without scores.

    Source: Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015; the score of the
    class answered as in Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    if not outcomes or any(len(o.scores) != len(classes) for o in outcomes):
        raise LearnetError(
            "Calibration needs answers with a score for each class.", "A log of labels alone has none."
        )
    place = {name: i for i, name in enumerate(classes)}
    score = np.array([o.scores[place[o.prediction]] for o in outcomes])
    right = np.array([o.truth == o.prediction for o in outcomes], dtype=float)
    bin_of = np.searchsorted(np.arange(1, bins) / bins, score, side="left")
    people, person = np.unique([o.person for o in outcomes], return_inverse=True)
    sums = np.zeros((3, len(people), bins))  # of each person in each bin: answers, scores, right answers
    for part, values in zip(sums, (np.ones(len(score)), score, right), strict=True):
        np.add.at(part, (person, bin_of), values)
    counts, scores, rights = sums.sum(axis=1)
    drawn = np.einsum("dp,qpm->qdm", _drawn_people(len(people), draws), sums, optimize=True)
    shares = [_ratio(drawn[2, drawn[0, :, m] > 0, m], drawn[0, drawn[0, :, m] > 0, m]) for m in range(bins)]
    limits = [
        ends(share, int(number)) for share, number in zip(shares, (sums[0] > 0).sum(axis=0), strict=True)
    ]
    low, high = ends(np.asarray(_ece(*drawn)), len(people))
    with np.errstate(invalid="ignore"):
        means = scores / counts, rights / counts
    clip = np.unique([o.clip for o in outcomes], return_inverse=True)[1]
    ece, chance = float(_ece(counts, scores, rights)), _ece_by_chance(score, bin_of, clip, bins)
    return Calibration(
        counts.astype(np.int64), *means, np.array(limits), ece, (float(low), float(high)), chance
    )


def _ece(
    counts: Float64[np.ndarray, "*D M"],
    scores: Float64[np.ndarray, "*D M"],
    rights: Float64[np.ndarray, "*D M"],
) -> Float64[np.ndarray, "*D"] | np.floating:
    """Expected calibration error from what each bin adds up to."""
    return np.abs(rights - scores).sum(axis=-1) / counts.sum(axis=-1)


def _ece_by_chance(
    score: Float64[np.ndarray, "N"], bin_of: Int64[np.ndarray, "N"], clip: Int64[np.ndarray, "N"], bins: int
) -> float:
    """Mean error where an answer of score s is right with probability s; the answers to one clip share their luck."""
    rng = np.random.default_rng(20200)
    luck = (rng.random(clip.max() + 1)[clip] for _ in range(CHANCE))
    return float(
        np.mean([np.abs(np.bincount(bin_of, (one < score) - score, bins)).sum() / len(score) for one in luck])
    )


def _drawn_people(people: int, draws: int) -> Int64[np.ndarray, "D P"]:
    """How often each person is drawn, with replacement; from a fixed seed."""
    return np.random.default_rng(20200).multinomial(people, np.full(people, 1 / people), size=draws)


def summarise(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict:
    """Everything a report says about a study, as plain JSON values.

    Returns:
        `seeds`: for each seed, and `averaged` (scores averaged over seeds, only with several): clips, people, the three
        measures with 95 % intervals (`low` and `high` are None where there is one person), confusion, per_class, per_person.
        `mean`: the measures' mean over seeds, its interval, and `spread`, the standard deviation over seeds (n - 1). `absent`: classes
        without any clip. `calibration`, only where the answers have scores: expected calibration error with its interval. `datasets`,
        only where the clips are of several: for each its clips, people, `mean` and `absent`, over the same class list.

    Raises:
        LearnetError: no outcomes, or seeds that did not answer the same clips, of the same people with the same truth.
    """
    if not outcomes:
        raise LearnetError("There are no outcomes to summarise.", "Run the study first.")
    by_seed = {seed: [o for o in outcomes if o.seed == seed] for seed in sorted({o.seed for o in outcomes})}
    clips = {seed: sorted((o.clip, o.person, o.truth) for o in part) for seed, part in by_seed.items()}
    if any(listed != clips[min(clips)] for listed in clips.values()) or len({o.clip for o in outcomes}) < len(
        clips[min(clips)]
    ):
        wrong = "The seeds of this study did not each answer the same clips once, of the same people with the same truth."
        raise LearnetError(wrong, "Let the study finish, or run it anew.")
    people = sorted({o.person for o in outcomes})
    summary = {
        "classes": list(classes),
        "absent": _absent(outcomes, classes),
        "seeds": {str(seed): _block(part, people, classes) for seed, part in by_seed.items()},
        "mean": _mean(outcomes, classes),
    }
    if len(by_seed) > 1:
        summary["averaged"] = _block(average_seeds(outcomes, classes), people, classes)
    if all(o.scores for o in outcomes):
        summary["calibration"] = _calibrated(calibration(outcomes, classes))
    by_dataset = {
        name: [o for o in outcomes if o.dataset == name] for name in sorted({o.dataset for o in outcomes})
    }
    if len(by_dataset) > 1:
        summary["datasets"] = {name: _of_dataset(part, classes) for name, part in by_dataset.items()}
    return summary


def _calibrated(found: Calibration) -> dict:
    ece = {**_measure(found.ece, np.array(found.ece_limits)), "by_chance": found.by_chance}
    return {
        "bins": len(found.counts),
        "ece": ece,
        "mean_score": found.mean_score,
        "share_right": found.share_right,
    }


def _of_dataset(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict:
    counts = {"clips": len({o.clip for o in outcomes}), "people": len({o.person for o in outcomes})}
    return {**counts, "absent": _absent(outcomes, classes), "mean": _mean(outcomes, classes)}


def _absent(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[str]:
    there = {o.truth for o in outcomes}
    return [name for name in classes if name not in there]


def _mean(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict[str, dict]:
    """The three measures, mean over seeds, with intervals and the spread over seeds."""
    stacked = per_seed_counts(outcomes, sorted({o.person for o in outcomes}), classes)
    values = headline(stacked.sum(axis=1))  # (3, S)
    limits = intervals(stacked)
    return {
        name: {
            **_measure(values[i].mean(), limits[i]),
            "spread": float(values[i].std(ddof=1)) if len(stacked) > 1 else None,
        }
        for i, name in enumerate(MEASURES)
    }


def average_seeds(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[Outcome]:
    """One outcome a clip: scores averaged over the seeds, prediction the class of the highest average."""
    together: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        together.setdefault(outcome.clip, []).append(outcome)
    averaged = []
    for same in together.values():
        scores = np.mean([o.scores for o in same], axis=0)
        averaged.append(
            replace(same[0], prediction=classes[int(scores.argmax())], scores=tuple(map(float, scores)))
        )
    return averaged


def _block(outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]) -> dict:
    per_person = per_person_counts(outcomes, people, classes)
    counts = per_person.sum(axis=0)
    values, limits = headline(counts), intervals(per_person[None])
    rates = precision_recall_f1(counts)
    return {
        "clips": len(outcomes),
        "people": len(people),
        **{name: _measure(values[i], limits[i]) for i, name in enumerate(MEASURES)},
        "confusion": counts.tolist(),
        "per_class": {
            name: {
                "precision": float(rates[0, k]),
                "recall": float(rates[1, k]),
                "f1": float(rates[2, k]),
                "support": int(counts[k].sum()),
            }
            for k, name in enumerate(classes)
        },
        "per_person": {
            person: {
                "clips": int(part.sum()),
                "right": int(np.trace(part)),
                "accuracy": float(np.trace(part) / part.sum()),
            }
            for person, part in zip(people, per_person, strict=True)
        },
    }


def _measure(value: float, limits: Float[np.ndarray, "2"]) -> dict[str, float | None]:
    low, high = (None if np.isnan(end) else float(end) for end in limits)
    return {"value": float(value), "low": low, "high": high}


def _ratio(part: np.ndarray | np.floating, whole: np.ndarray | np.integer | np.floating) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
