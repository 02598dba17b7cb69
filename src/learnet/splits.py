"""Clips to folds. The only key is the person, and `Fold` refuses at birth to have one on both sides."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from learnet.clip import Fold
from learnet.errors import LearnetError, pick


def leave_one_subject_out(people: Sequence[str]) -> list[Fold]:
    """One fold a person, named after the person, in alphabetical order: tested on all of this person's clips, trained on all others'.

    Raises:
        LearnetError: fewer than two people.
    """
    _at_least(people, 2)
    parts = LeaveOneGroupOut().split(people, groups=people)
    places = np.arange(len(people)).astype(object)  # one number object a place for all folds: a fifth of the memory
    return [_fold(people[test[0]], places[train], places[test], people, "loso") for train, test in parts]


def subject_groups(people: Sequence[str], labels: Sequence[str], groups: int, seed: int) -> list[Fold]:
    """GROUPS folds of whole people, classes spread over them as evenly as whole people allow.

    Raises:
        LearnetError: fewer people than groups, or fewer than two groups.
    """
    if groups < 2:
        raise LearnetError(f"{groups} subject groups cannot be split into training and test.", "Ask for at least 2.")
    _at_least(people, groups)
    splitter = StratifiedGroupKFold(groups, shuffle=True, random_state=seed)
    parts = [(train, test) for train, test in splitter.split(people, _rare_together(labels, groups), people) if len(test)]
    return [_fold(f"group-{i}", train, test, people, "groups") for i, (train, test) in enumerate(parts)]


PROTOCOLS: dict[str, Callable[[Sequence[str], Sequence[str], int, int], list[Fold]]] = {
    "loso": lambda people, labels, groups, seed: leave_one_subject_out(people),
    "groups": subject_groups,
}


def make_folds(protocol: str, people: Sequence[str], labels: Sequence[str], groups: int, seed: int) -> list[Fold]:
    """The folds of PROTOCOL over images whose persons and classes are given in image order."""
    return pick(PROTOCOLS, protocol, "protocol")(people, labels, groups, seed)


def _fold(name: str, train: np.ndarray, test: np.ndarray, people: Sequence[str], protocol: str) -> Fold:
    return Fold(name, tuple(map(int, train)), tuple(map(int, test)), tuple(people), protocol)


def _at_least(people: Sequence[str], needed: int) -> None:
    found = len(set(people))
    if found < needed:
        raise LearnetError(f"{found} {'person is' if found == 1 else 'people are'} not enough to test on people unseen in training.",
                           f"At least {needed} are needed.")  # fmt: skip


def _rare_together(labels: Sequence[str], groups: int) -> list[str]:
    """Classes with fewer clips than groups cannot be spread one by one (scikit-learn warns of each), so they are spread as one."""
    names, counts = np.unique(list(labels), return_counts=True)
    rare = set(names[counts < groups])
    together = "(rare)" if counts[counts < groups].sum() >= groups else str(names[counts.argmax()])
    return [together if label in rare else str(label) for label in labels]
