"""The scores of a study: what `metrics.json` contains and reports show."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.calibration import Calibration, calibration
from learnet.metrics.chance import chance_test
from learnet.metrics.groups import absent_classes, by_dataset, by_seed, clips, people_of, persons, truths
from learnet.metrics.probabilities import other_measures
from learnet.metrics.scores import (
    MEASURES,
    headline,
    intervals,
    per_person_counts,
    per_seed_counts,
    precision_recall_f1,
)
from learnet.metrics.study_metrics import (
    CalibrationError,
    CalibrationMetrics,
    ClassMetrics,
    DatasetMetrics,
    MeanScore,
    PersonMetrics,
    Score,
    SeedMetrics,
    StudyMetrics,
)


def summarise(outcomes: Sequence[Outcome], classes: Sequence[str]) -> StudyMetrics:
    """Return all scores of a study, over the class list `classes`.

    Raises:
        LearnetError: there are no outcomes, or the seeds have other clips, people or true classes.
    """
    if not outcomes:
        raise LearnetError("There are no outcomes to summarise.", "Run the study first.")
    _check_seeds(outcomes)
    people = people_of(outcomes)
    seeds = by_seed(outcomes)
    datasets = by_dataset(outcomes)
    averaged = calibrated = of_dataset = None
    if len(seeds) > 1:
        averaged = _scores(average_seeds(outcomes, classes), people, classes)
    if all(outcome.scores for outcome in outcomes):
        calibrated = _calibration(calibration(outcomes, classes))
    if len(datasets) > 1:
        of_dataset = {name: _dataset(part, classes) for name, part in datasets.items()}
    return StudyMetrics(
        classes=list(classes),
        absent=absent_classes(outcomes, classes),
        seeds={str(seed): _scores(part, people, classes) for seed, part in seeds.items()},
        mean=_mean(outcomes, classes),
        averaged=averaged,
        calibration=calibrated,
        datasets=of_dataset,
        chance=chance_test(outcomes, classes),
        other=other_measures(outcomes, classes),
    )


def average_seeds(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[Outcome]:
    """Return one outcome per clip: the scores averaged over seeds, and the class with the highest average."""
    by_clip: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_clip.setdefault(outcome.clip, []).append(outcome)
    averaged = []
    for same_clip in by_clip.values():
        scores = np.mean([outcome.scores for outcome in same_clip], axis=0)
        prediction = classes[int(scores.argmax())]
        averaged.append(replace(same_clip[0], prediction=prediction, scores=tuple(scores.tolist())))
    return averaged


def _check_seeds(outcomes: Sequence[Outcome]) -> None:
    """Refuse seeds that do not have the same clips once each."""
    first: list[tuple[str, str, str]] | None = None
    for part in by_seed(outcomes).values():
        entries = sorted(zip(clips(part), persons(part), truths(part), strict=True))
        first = first or entries
        if entries != first or len(set(clips(part))) < len(part):
            raise LearnetError(
                "The seeds of this study do not have the same clips, people and true classes, once each.",
                "Let the study finish, or run it again.",
            )


def _scores(outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]) -> SeedMetrics:
    """Return the scores of one seed."""
    counts = per_person_counts(outcomes, people, classes)
    total = counts.sum(axis=0)
    values = headline(total)
    limits = intervals(counts[None])
    accuracy, uf1, uar = map(_score, values, limits)
    return SeedMetrics(
        clips=len(outcomes),
        people=len(people),
        accuracy=accuracy,
        uf1=uf1,
        uar=uar,
        confusion=total.tolist(),
        per_class=_per_class(total, classes),
        per_person=_per_person(counts, people),
    )


def _per_class(counts: Int[np.ndarray, "K K"], classes: Sequence[str]) -> dict[str, ClassMetrics]:
    precision, recall, f1 = precision_recall_f1(counts).tolist()
    support = counts.sum(axis=1).tolist()
    scores = {}
    for k, name in enumerate(classes):
        scores[name] = ClassMetrics(precision[k], recall[k], f1[k], support[k])
    return scores


def _per_person(counts: Int[np.ndarray, "P K K"], people: Sequence[str]) -> dict[str, PersonMetrics]:
    scores = {}
    for person, own_counts in zip(people, counts, strict=True):
        number = int(own_counts.sum())
        correct = int(np.trace(own_counts))
        scores[person] = PersonMetrics(number, correct, accuracy=correct / number)
    return scores


def _mean(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict[str, MeanScore]:
    """Return the measures averaged over seeds, with intervals and the standard deviation over seeds."""
    counts = per_seed_counts(outcomes, people_of(outcomes), classes)
    values = headline(counts.sum(axis=1))  # (3, S)
    limits = intervals(counts)
    means = {}
    for i, name in enumerate(MEASURES):
        mean = float(values[i].mean())
        low, high = _limits(limits[i])
        spread = float(values[i].std(ddof=1)) if len(counts) > 1 else None
        means[name] = MeanScore(mean, low, high, spread)
    return means


def _score(value: float, limits: Float[np.ndarray, "2"]) -> Score:
    low, high = _limits(limits)
    return Score(float(value), low, high)


def _limits(limits: Float[np.ndarray, "2"]) -> tuple[float | None, float | None]:
    """Return the ends of an interval; None for one person, who has no interval."""
    low, high = limits.tolist()
    if np.isnan(low):
        return None, None
    return low, high


def _calibration(result: Calibration) -> CalibrationMetrics:
    low, high = _limits(np.array(result.ece_limits))
    ece = CalibrationError(float(result.ece), low, high, result.by_chance)
    return CalibrationMetrics(len(result.counts), ece, result.mean_score, result.share_right)


def _dataset(outcomes: Sequence[Outcome], classes: Sequence[str]) -> DatasetMetrics:
    """Return the scores of the clips of one dataset."""
    return DatasetMetrics(
        clips=len(set(clips(outcomes))),
        people=len(people_of(outcomes)),
        absent=absent_classes(outcomes, classes),
        mean=_mean(outcomes, classes),
    )
