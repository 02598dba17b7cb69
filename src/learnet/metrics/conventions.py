"""The same predictions under every averaging convention of the field, which differ by ten points and more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from learnet.core.records import Outcome
from learnet.metrics.groups import by_seed, clips, group_by, persons, predictions, truths
from learnet.metrics.scores import confusion, precision_recall_f1

VALUES = ("accuracy", "F1", "recall", "precision")

Scores = Float[np.ndarray, "4"]  # in the order of VALUES; NaN where a convention does not define the value
Scoring = Callable[[Sequence[Outcome]], Scores]
Key = Callable[[Outcome], Any]  # any value that can be sorted


@dataclass(frozen=True)
class Convention:
    """One way to average, and its scores."""

    name: str
    values: dict[str, float]  # those of VALUES that it defines
    meaning: str  # its name in the field, or what to know about it


def conventions(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[Convention]:
    """Score predictions under every convention, that of MEGC2019 first.

    Scores are means over the seeds. Folds, people and databases have rows where the predictions are of
    several, and folds only where they are not the people.
    """
    seeds = list(by_seed(outcomes).values())

    def scored(name: str, meaning: str, scoring: Scoring) -> Convention:
        means = np.mean([scoring(part) for part in seeds], axis=0)
        defined = zip(VALUES, means.tolist(), strict=True)
        values = {value: mean for value, mean in defined if not np.isnan(mean)}
        return Convention(name, values, meaning)

    def macro(part: Sequence[Outcome]) -> Scores:
        return _macro(_counts(part, classes))

    def swapped(part: Sequence[Outcome]) -> Scores:
        return _macro(_counts(part, classes).T)

    def weighted(part: Sequence[Outcome]) -> Scores:
        return _weighted(_counts(part, classes))

    def of_means(part: Sequence[Outcome]) -> Scores:
        return _f1_of_means(_counts(part, classes))

    rows = [
        scored("pooled, mean over classes", "MEGC2019: UF1 and UAR", macro),
        scored("pooled, precision mistaken for recall", "truth and prediction are swapped", swapped),
        scored("pooled, weighted by clips", "weighted F1; recall is accuracy", weighted),
        scored("pooled, F1 of the means", "F1 of mean precision and mean recall", of_means),
    ]
    for name, key in _groupings(outcomes):
        over_all = _over_groups(key, classes, own_classes=False)
        over_own = _over_groups(key, classes, own_classes=True)
        rows += [
            scored(f"mean over {name}, all classes", "a class without clips there counts as zero", over_all),
            scored(f"mean over {name}, own classes", "over the classes that occur there", over_own),
        ]
    return rows


def _groupings(outcomes: Sequence[Outcome]) -> list[tuple[str, Key]]:
    """Return by what the predictions can be grouped: folds, people, databases."""
    has_people = "" not in persons(outcomes)
    folds = [outcome.fold for outcome in outcomes]
    person_of_clip = set(zip(clips(outcomes), persons(outcomes), strict=True))
    fold_of_clip = set(zip(clips(outcomes), folds, strict=True))
    candidates: list[tuple[str, Key, bool]] = [
        ("folds", lambda outcome: outcome.fold, fold_of_clip != person_of_clip),
        ("people", lambda outcome: outcome.person, has_people),
        ("databases", lambda outcome: outcome.dataset, has_people),
    ]
    groupings = []
    for name, key, applies in candidates:
        if applies and len(group_by(outcomes, key)) > 1:
            groupings.append((name, key))
    return groupings


def _counts(outcomes: Sequence[Outcome], classes: Sequence[str]) -> Int[np.ndarray, "K K"]:
    return confusion(truths(outcomes), predictions(outcomes), classes)


def _accuracy(counts: Int[np.ndarray, "K K"]) -> float:
    correct = np.trace(counts)
    return correct / counts.sum()


def _macro(counts: Int[np.ndarray, "K K"], included: Bool[np.ndarray, "K"] | None = None) -> Scores:
    """Return means over classes; over those that are included, if given."""
    rates = precision_recall_f1(counts)
    if included is not None:
        rates = rates[:, included]
    precision, recall, f1 = rates.mean(axis=1)
    return np.array([_accuracy(counts), f1, recall, precision])


def _weighted(counts: Int[np.ndarray, "K K"]) -> Scores:
    """Return means over classes, weighted by their clips."""
    weights = counts.sum(axis=1)
    rates = precision_recall_f1(counts)
    precision, recall, f1 = rates @ weights / counts.sum()
    return np.array([_accuracy(counts), f1, recall, precision])


def _f1_of_means(counts: Int[np.ndarray, "K K"]) -> Scores:
    """Return F1 of the mean precision and the mean recall."""
    _, _, recall, precision = _macro(counts)
    total = recall + precision
    f1 = 2 * recall * precision / total if total else 0.0
    return np.array([np.nan, f1, np.nan, np.nan])


def _over_groups(key: Key, classes: Sequence[str], own_classes: bool) -> Scoring:
    """Return the mean over groups of the mean over classes: all classes, or those that occur in a group."""

    def scoring(outcomes: Sequence[Outcome]) -> Scores:
        scores = []
        for group in group_by(outcomes, key).values():
            counts = _counts(group, classes)
            occur = counts.sum(axis=0) + counts.sum(axis=1) > 0
            scores.append(_macro(counts, occur if own_classes else None))
        return np.mean(scores, axis=0)

    return scoring
