"""The same answers under every way of averaging that is met in papers, each with its name: they differ by ten points and more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from learnet.core.records import Outcome
from learnet.metrics.scores import confusion, precision_recall_f1

VALUES = ("accuracy", "F1", "recall", "precision")


@dataclass(frozen=True)
class Convention:
    """One way to average, and what it gives."""

    name: str
    values: dict[str, float]  # those of VALUES that it is about
    meaning: str  # how the field calls it, or what to know


def conventions(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[Convention]:
    """Score answers with one seed or more (the mean over seeds) under every convention; MEGC2019's own comes first.

    Folds, people and databases have rows where the answers name several, and folds only where they are not the people.
    """
    seeds = [[o for o in outcomes if o.seed == seed] for seed in sorted({o.seed for o in outcomes})]
    rows = [
        (
            "pooled, mean over classes",
            "MEGC2019: UF1 and UAR",
            _mean_of(seeds, lambda part: _macro(_counts(part, classes))),
        ),
        (
            "pooled, precision mistaken for recall",
            "truth and prediction are swapped",
            _mean_of(seeds, lambda part: _swapped(part, classes)),
        ),
        (
            "pooled, weighted by clips",
            "weighted F1; recall is accuracy",
            _mean_of(seeds, lambda part: _weighted(_counts(part, classes))),
        ),
        (
            "pooled, F1 of the means",
            "F1 of mean precision and mean recall",
            _mean_of(seeds, lambda part: _of_means(_counts(part, classes))),
        ),
    ]
    for what, key in _groupings(outcomes):
        for own, note in (
            (False, "a class that is missing there counts as zero"),
            (True, "over the classes that occur there"),
        ):
            mean = _mean_of(seeds, lambda part, key=key, own=own: _over_groups(part, classes, key, own))
            rows.append((f"mean over {what}, {'own' if own else 'all'} classes", note, mean))
    return [
        Convention(
            name,
            {value: float(x) for value, x in zip(VALUES, found, strict=True) if not np.isnan(x)},
            meaning,
        )
        for name, meaning, found in rows
    ]


def _groupings(outcomes: Sequence[Outcome]) -> list[tuple[str, Callable[[Outcome], str]]]:
    """By what the answers can be taken apart: folds, people, databases."""
    whose = all(o.person for o in outcomes)
    folds, people = {(o.clip, o.fold) for o in outcomes}, {(o.clip, o.person) for o in outcomes}
    found: list[tuple[str, Callable[[Outcome], str]]] = []
    if folds != people and len({o.fold for o in outcomes}) > 1:
        found.append(("folds", lambda o: o.fold))
    if whose and len({o.person for o in outcomes}) > 1:
        found.append(("people", lambda o: o.person))
    if whose and len({o.dataset for o in outcomes}) > 1:
        found.append(("databases", lambda o: o.dataset))
    return found


def _mean_of(
    seeds: Sequence[Sequence[Outcome]], score: Callable[[Sequence[Outcome]], Float[np.ndarray, "4"]]
) -> Float[np.ndarray, "4"]:
    return np.mean([score(part) for part in seeds], axis=0)


def _counts(outcomes: Sequence[Outcome], classes: Sequence[str]) -> Int[np.ndarray, "K K"]:
    return confusion([o.truth for o in outcomes], [o.prediction for o in outcomes], classes)


def _macro(
    counts: Int[np.ndarray, "K K"], counted: Bool[np.ndarray, "K"] | None = None
) -> Float[np.ndarray, "4"]:
    rates = precision_recall_f1(counts)
    precision, recall, f1 = rates.mean(axis=1) if counted is None else rates[:, counted].mean(axis=1)
    return np.array([np.trace(counts) / counts.sum(), f1, recall, precision])


def _swapped(outcomes: Sequence[Outcome], classes: Sequence[str]) -> Float[np.ndarray, "4"]:
    return _macro(confusion([o.prediction for o in outcomes], [o.truth for o in outcomes], classes))


def _weighted(counts: Int[np.ndarray, "K K"]) -> Float[np.ndarray, "4"]:
    precision, recall, f1 = precision_recall_f1(counts) @ counts.sum(axis=1) / counts.sum()
    return np.array([np.trace(counts) / counts.sum(), f1, recall, precision])


def _of_means(counts: Int[np.ndarray, "K K"]) -> Float[np.ndarray, "4"]:
    _, _, recall, precision = _macro(counts)
    total = recall + precision
    return np.array([np.nan, 2 * recall * precision / total if total else 0.0, np.nan, np.nan])


def _over_groups(
    outcomes: Sequence[Outcome], classes: Sequence[str], key: Callable[[Outcome], str], own: bool
) -> Float[np.ndarray, "4"]:
    found = []
    for group in sorted({key(o) for o in outcomes}):
        counts = _counts([o for o in outcomes if key(o) == group], classes)
        found.append(_macro(counts, counts.sum(axis=0) + counts.sum(axis=1) > 0 if own else None))
    return np.mean(found, axis=0)
