"""The scores of a study as JSON values: what `metrics.json` contains and reports show."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.calibration import Calibration, calibration
from learnet.metrics.scores import (
    MEASURES,
    by_seed,
    headline,
    intervals,
    per_person_counts,
    per_seed_counts,
    precision_recall_f1,
)


def summarise(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict:
    """Return all scores of a study as plain JSON values.

    Returns:
        `seeds`: for each seed, and `averaged` (scores averaged over seeds, only with several): clips,
        people, the three measures with 95 % intervals (`low` and `high` are None for one person),
        confusion, per_class, per_person. `mean`: the measures averaged over seeds, the interval, and
        `spread`, the standard deviation over seeds (n - 1). `absent`: classes without clips. `calibration`,
        only where the predictions have scores: expected calibration error with its interval. `datasets`,
        only where the clips are of several: for each its clips, people, `mean` and `absent`, over the same
        class list.

    Raises:
        LearnetError: there are no outcomes, or the seeds have other clips, people or true classes.
    """
    if not outcomes:
        raise LearnetError("There are no outcomes to summarise.", "Run the study first.")
    _check_seeds(outcomes)
    people = sorted({outcome.person for outcome in outcomes})
    seeds = by_seed(outcomes)
    summary = {
        "classes": list(classes),
        "absent": _absent(outcomes, classes),
        "seeds": {str(seed): _scores(part, people, classes) for seed, part in seeds.items()},
        "mean": _mean(outcomes, classes),
    }
    if len(seeds) > 1:
        summary["averaged"] = _scores(average_seeds(outcomes, classes), people, classes)
    if all(outcome.scores for outcome in outcomes):
        summary["calibration"] = _calibration(calibration(outcomes, classes))
    datasets = sorted({outcome.dataset for outcome in outcomes})
    if len(datasets) > 1:
        summary["datasets"] = {name: _dataset(name, outcomes, classes) for name in datasets}
    return summary


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
        clips = sorted((outcome.clip, outcome.person, outcome.truth) for outcome in part)
        first = first or clips
        if clips != first or len({outcome.clip for outcome in part}) < len(part):
            raise LearnetError(
                "The seeds of this study do not have the same clips, people and true classes, once each.",
                "Let the study finish, or run it again.",
            )


def _scores(outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]) -> dict:
    """Return the scores of one seed."""
    counts = per_person_counts(outcomes, people, classes)
    total = counts.sum(axis=0)
    values = headline(total)
    limits = intervals(counts[None])
    return {
        "clips": len(outcomes),
        "people": len(people),
        **{name: _measure(values[i], limits[i]) for i, name in enumerate(MEASURES)},
        "confusion": total.tolist(),
        "per_class": _per_class(total, classes),
        "per_person": _per_person(counts, people),
    }


def _per_class(counts: Int[np.ndarray, "K K"], classes: Sequence[str]) -> dict[str, dict]:
    precision, recall, f1 = precision_recall_f1(counts).tolist()
    support = counts.sum(axis=1).tolist()
    scores = {}
    for k, name in enumerate(classes):
        scores[name] = {"precision": precision[k], "recall": recall[k], "f1": f1[k], "support": support[k]}
    return scores


def _per_person(counts: Int[np.ndarray, "P K K"], people: Sequence[str]) -> dict[str, dict]:
    scores = {}
    for person, own_counts in zip(people, counts, strict=True):
        clips = int(own_counts.sum())
        right = int(np.trace(own_counts))
        scores[person] = {"clips": clips, "right": right, "accuracy": right / clips}
    return scores


def _mean(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict[str, dict]:
    """Return the measures averaged over seeds, with intervals and the standard deviation over seeds."""
    people = sorted({outcome.person for outcome in outcomes})
    counts = per_seed_counts(outcomes, people, classes)
    values = headline(counts.sum(axis=1))  # (3, S)
    limits = intervals(counts)
    means = {}
    for i, name in enumerate(MEASURES):
        spread = float(values[i].std(ddof=1)) if len(counts) > 1 else None
        means[name] = {**_measure(values[i].mean(), limits[i]), "spread": spread}
    return means


def _measure(value: float, limits: Float[np.ndarray, "2"]) -> dict[str, float | None]:
    low, high = limits.tolist()
    if np.isnan(low):
        return {"value": float(value), "low": None, "high": None}
    return {"value": float(value), "low": low, "high": high}


def _calibration(result: Calibration) -> dict:
    ece = _measure(result.ece, np.array(result.ece_limits))
    return {
        "bins": len(result.counts),
        "ece": {**ece, "by_chance": result.by_chance},
        "mean_score": result.mean_score,
        "share_right": result.share_right,
    }


def _dataset(name: str, outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict:
    """Return the scores of the clips of one dataset."""
    own = [outcome for outcome in outcomes if outcome.dataset == name]
    return {
        "clips": len({outcome.clip for outcome in own}),
        "people": len({outcome.person for outcome in own}),
        "absent": _absent(own, classes),
        "mean": _mean(own, classes),
    }


def _absent(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[str]:
    """Return the classes without clips."""
    occurring = {outcome.truth for outcome in outcomes}
    return [name for name in classes if name not in occurring]
