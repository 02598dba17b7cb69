"""Truth and prediction to numbers: accuracy, UF1, UAR, confusion, intervals over people. numpy only.

Predictions of all folds are pooled and then counted, as MEGC2019 defines its scores; averaging a score over folds is another number.
The class list is always passed: a class that no clip has keeps its place, counts as zero, and is named in `absent`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from learnet.clip import Outcome
from learnet.errors import LearnetError

MEASURES = ("accuracy", "uf1", "uar")
DRAWS = 2000


def confusion(truth: Sequence[str], prediction: Sequence[str], classes: Sequence[str]) -> Int[np.ndarray, "K K"]:
    """How often each class (row) was called each class (column).

    Raises:
        LearnetError: a truth or a prediction that is not in the class list.
    """
    place = {name: i for i, name in enumerate(classes)}
    strange = sorted({*truth, *prediction} - set(place))
    if strange:
        raise LearnetError(f"Not in the class list: {', '.join(strange)}.", f"The classes are {', '.join(classes)}.")
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, ([place[t] for t in truth], [place[p] for p in prediction]), 1)
    return counts


def per_person_counts(outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]) -> Int[np.ndarray, "P K K"]:
    """A confusion matrix for each person, in the order of PEOPLE."""
    parts: dict[str, tuple[list[str], list[str]]] = {person: ([], []) for person in people}
    for outcome in outcomes:
        parts[outcome.person][0].append(outcome.truth)
        parts[outcome.person][1].append(outcome.prediction)
    return np.stack([confusion(truth, prediction, classes) for truth, prediction in parts.values()])


def per_seed_counts(outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]) -> Int[np.ndarray, "S P K K"]:
    """A confusion matrix for each seed, in rising order, and each person, in the order of PEOPLE."""
    seeds = sorted({o.seed for o in outcomes})
    return np.stack([per_person_counts([o for o in outcomes if o.seed == seed], people, classes) for seed in seeds])


def precision_recall_f1(counts: Float[np.ndarray, "... K K"] | Int[np.ndarray, "... K K"]) -> Float[np.ndarray, "3 ... K"]:
    """Precision, recall and F1 of each class, 0 where nothing could be counted; leading axes are other confusion matrices."""
    right = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    called, true = counts.sum(axis=-2), counts.sum(axis=-1)
    return np.stack([_ratio(right, called), _ratio(right, true), _ratio(2 * right, called + true)])


def headline(
    counts: Float[np.ndarray, "... K K"] | Int[np.ndarray, "... K K"], counted: Bool[np.ndarray, "... K"] | None = None
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
    return np.stack([accuracy, (f1 * counted).sum(axis=-1) / number, (recall * counted).sum(axis=-1) / number])


def intervals(per_person: Float[np.ndarray, "S P K K"] | Int[np.ndarray, "S P K K"], draws: int = DRAWS) -> Float[np.ndarray, "3 2"]:
    """95 % intervals of accuracy, UF1 and UAR, mean over S seeds: percentile bootstrap over people.

    Args:
        per_person: a confusion matrix for each seed and person.
        draws: resamples.
    """
    return np.percentile(resampled(per_person, draws), [2.5, 97.5], axis=1).T


def resampled(per_person: Float[np.ndarray, "S P K K"] | Int[np.ndarray, "S P K K"], draws: int = DRAWS) -> Float[np.ndarray, "3 draws"]:
    """Accuracy, UF1 and UAR, mean over S seeds, each time other people were filmed.

    People are drawn with replacement, each with all clips, because clips of one person are not independent. The draws
    start from a fixed seed: a report redone gives the same numbers, and two studies over the same people get the same draws.
    """
    seeds, people, classes, _ = per_person.shape
    rng = np.random.default_rng(20200)
    weights = rng.multinomial(people, np.full(people, 1 / people), size=draws)  # (draws, P)
    drawn = np.einsum("dp,spij->sdij", weights, per_person, optimize=True)
    nowhere = per_person.sum(axis=(0, 1, 3)) == 0  # counts as zero in the score, and so in every resample
    counted = (drawn.sum(axis=-1) > 0) | nowhere  # a rare class may be missing by chance
    return headline(drawn, counted).mean(axis=1)  # (3, draws)


def summarise(outcomes: Sequence[Outcome], classes: Sequence[str]) -> dict:
    """Everything a report says about a study, as plain JSON values.

    Returns:
        `seeds`: for each seed, and `averaged` (scores averaged over seeds, only with several): clips, people, the three
        measures with 95 % intervals, confusion, per_class, per_person. `mean`: the measures' mean over seeds, its
        interval, and `spread`, the standard deviation over seeds (n - 1). `absent`: classes without any clip. `datasets`, only where
        the clips are of several: for each its clips, people, `mean` and `absent`, over the same class list.

    Raises:
        LearnetError: no outcomes, or seeds that did not answer the same clips.
    """
    if not outcomes:
        raise LearnetError("There are no outcomes to summarise.", "Run the study first.")
    by_seed = {seed: [o for o in outcomes if o.seed == seed] for seed in sorted({o.seed for o in outcomes})}
    clips = {seed: sorted(o.clip for o in part) for seed, part in by_seed.items()}
    if any(listed != clips[min(clips)] for listed in clips.values()) or len(set(clips[min(clips)])) < len(clips[min(clips)]):
        raise LearnetError("The seeds of this study did not each answer the same clips once.", "Let the study finish, or run it anew.")
    people = sorted({o.person for o in outcomes})
    summary = {
        "classes": list(classes),
        "absent": _absent(outcomes, classes),
        "seeds": {str(seed): _block(part, people, classes) for seed, part in by_seed.items()},
        "mean": _mean(outcomes, classes),
    }
    if len(by_seed) > 1:
        summary["averaged"] = _block(average_seeds(outcomes, classes), people, classes)
    by_dataset = {name: [o for o in outcomes if o.dataset == name] for name in sorted({o.dataset for o in outcomes})}
    if len(by_dataset) > 1:
        summary["datasets"] = {name: _of_dataset(part, classes) for name, part in by_dataset.items()}
    return summary


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
        name: {**_measure(values[i].mean(), limits[i]), "spread": float(values[i].std(ddof=1)) if len(stacked) > 1 else None}
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
        averaged.append(replace(same[0], prediction=classes[int(scores.argmax())], scores=tuple(map(float, scores))))
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
            name: {"precision": float(rates[0, k]), "recall": float(rates[1, k]), "f1": float(rates[2, k]), "support": int(counts[k].sum())}
            for k, name in enumerate(classes)
        },
        "per_person": {
            person: {"clips": int(part.sum()), "right": int(np.trace(part)), "accuracy": float(np.trace(part) / part.sum())}
            for person, part in zip(people, per_person, strict=True)
        },
    }


def _measure(value: float, limits: Float[np.ndarray, "2"]) -> dict[str, float]:
    return {"value": float(value), "low": float(limits[0]), "high": float(limits[1])}


def _ratio(part: np.ndarray | np.floating, whole: np.ndarray | np.integer | np.floating) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
