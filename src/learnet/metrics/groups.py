"""Columns and groups of a list of outcomes."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from learnet.core.records import Outcome


def truths(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the true class of each outcome."""
    return [outcome.truth for outcome in outcomes]


def predictions(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the predicted class of each outcome."""
    return [outcome.prediction for outcome in outcomes]


def clips(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the clip of each outcome."""
    return [outcome.clip for outcome in outcomes]


def persons(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the person of each outcome; "" where it is not known."""
    return [outcome.person for outcome in outcomes]


def group_by(outcomes: Sequence[Outcome], key: Callable[[Outcome], Any]) -> dict[Any, list[Outcome]]:
    """Return the outcomes of each value of `key`, in rising order of the values."""
    groups: dict[Any, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    return dict(sorted(groups.items(), key=lambda group: group[0]))


def by_seed(outcomes: Sequence[Outcome]) -> dict[int, list[Outcome]]:
    """Return the outcomes of each seed, in rising order."""
    return group_by(outcomes, attrgetter("seed"))


def by_person(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each person, in alphabetical order."""
    return group_by(outcomes, attrgetter("person"))


def by_dataset(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each dataset, in alphabetical order."""
    return group_by(outcomes, attrgetter("dataset"))


def people_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the people, in alphabetical order."""
    return sorted(set(persons(outcomes)))


def absent_classes(outcomes: Sequence[Outcome], classes: Sequence[str]) -> list[str]:
    """Return the classes without clips."""
    occurring = set(truths(outcomes))
    return [name for name in classes if name not in occurring]
