"""Clips to folds. The only key is the person; `Fold` refuses at birth to have one on both sides, unless its protocol is called leaky."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

from learnet.core.errors import LearnetError, counted, pick
from learnet.core.records import Fold
from learnet.core.settings import Study

LEAKY_EPOCH = (
    "leaky-epoch"  # the folds of loso; what leaks is the choice of the epoch (`training.train_leaky`)
)


def leave_one_subject_out(people: Sequence[str]) -> list[Fold]:
    """One fold a person, named after the person, in alphabetical order: tested on all of this person's clips, trained on all others'.

    Raises:
        LearnetError: fewer than two people.
    """
    _at_least(people, 2)
    parts = LeaveOneGroupOut().split(people, groups=people)
    places = np.arange(len(people)).astype(
        object
    )  # one number object a place for all folds: a fifth of the memory
    return [_fold(people[test[0]], places[train], places[test], people, "loso") for train, test in parts]


def subject_groups(people: Sequence[str], labels: Sequence[str], groups: int, seed: int) -> list[Fold]:
    """GROUPS folds of whole people, classes spread over them as evenly as whole people allow.

    Raises:
        LearnetError: fewer people than groups, or fewer than two groups.
    """
    if groups < 2:
        raise LearnetError(
            f"{groups} subject groups cannot be split into training and test.", "Ask for at least 2."
        )
    _at_least(people, groups)
    splitter = StratifiedGroupKFold(groups, shuffle=True, random_state=seed)
    parts = [
        (train, test)
        for train, test in splitter.split(people, _rare_together(labels, groups), people)
        if len(test)
    ]
    return [_fold(f"group-{i}", train, test, people, "groups") for i, (train, test) in enumerate(parts)]


def leave_one_database_out(people: Sequence[str], datasets: Sequence[str]) -> list[Fold]:
    """One fold a database, in alphabetical order: tested on all of it, trained on all others.

    Raises:
        LearnetError: one database only, or people who are in two.
    """
    names = sorted(set(datasets))
    if len(names) < 2:
        raise LearnetError(
            f"There is only one database, {names[0]}, so none can be left out.",
            "Study several prepared folders together.",
        )
    return [
        _between(people, datasets, [other for other in names if other != name], [name], name, "lodo")
        for name in names
    ]


def across_databases(
    people: Sequence[str], datasets: Sequence[str], train_on: Sequence[str], test_on: Sequence[str]
) -> list[Fold]:
    """One fold: trained on some databases, tested on others.

    Args:
        people: person of each image.
        datasets: database of each image.
        train_on: names of databases; all others than TEST_ON where none is named.
        test_on: names of databases, at least one.

    Raises:
        LearnetError: a database that is not there, on both sides, or nothing to train or test on.
    """
    there = sorted(set(datasets))
    if not test_on:
        raise LearnetError(
            "Which database is to be tested on is not said.", f"Name it with --test-on: {', '.join(there)}."
        )
    for name in (*train_on, *test_on):
        pick(dict.fromkeys(there), name, "database among these images")
    train_on = list(train_on) or [name for name in there if name not in test_on]
    if both := sorted(set(train_on) & set(test_on)):
        raise LearnetError(
            f"{', '.join(both)} cannot be trained on and tested on.", "Leave it out of one side."
        )
    if not train_on:
        raise LearnetError(
            f"Nothing is left to train on beside {', '.join(test_on)}.",
            "Study several prepared folders together.",
        )
    return [
        _between(
            people, datasets, train_on, test_on, f"{'+'.join(train_on)}-to-{'+'.join(test_on)}", "across"
        )
    ]


def _between(
    people: Sequence[str],
    datasets: Sequence[str],
    train_on: Sequence[str],
    test_on: Sequence[str],
    name: str,
    protocol: str,
) -> Fold:
    places = np.array(datasets)
    return _fold(
        name,
        np.flatnonzero(np.isin(places, train_on)),
        np.flatnonzero(np.isin(places, test_on)),
        people,
        protocol,
    )


def ignoring_people(people: Sequence[str], labels: Sequence[str], groups: int, seed: int) -> list[Fold]:
    """GROUPS folds of single clips, classes spread evenly: a person's clips stand on both sides. Only to measure how much that flatters.

    Raises:
        LearnetError: fewer clips than groups, or fewer than two groups.
    """
    if groups < 2 or groups > len(people):
        raise LearnetError(
            f"{len(people)} clips cannot be split into {groups} groups.",
            "Ask for at least 2, and at most one per clip.",
        )
    parts = StratifiedKFold(groups, shuffle=True, random_state=seed).split(
        people, _rare_together(labels, groups)
    )
    return [_fold(f"part-{i}", train, test, people, "leaky-clips") for i, (train, test) in enumerate(parts)]


PROTOCOLS: dict[str, Callable[[Study, Sequence[str], Sequence[str], Sequence[str], int], list[Fold]]] = {
    "loso": lambda study, people, labels, datasets, seed: leave_one_subject_out(people),
    "groups": lambda study, people, labels, datasets, seed: subject_groups(
        people, labels, study.groups, seed
    ),
    "lodo": lambda study, people, labels, datasets, seed: leave_one_database_out(people, datasets),
    "across": lambda study, people, labels, datasets, seed: across_databases(
        people, datasets, study.train_on, study.test_on
    ),
    "leaky-clips": lambda study, people, labels, datasets, seed: ignoring_people(
        people, labels, study.groups, seed
    ),
    LEAKY_EPOCH: lambda study, people, labels, datasets, seed: [
        replace(fold, protocol=LEAKY_EPOCH) for fold in leave_one_subject_out(people)
    ],
}
"""Name -> folds of images whose people, classes and databases are given in image order. Those that leak are called so."""


def make_folds(
    study: Study, people: Sequence[str], labels: Sequence[str], datasets: Sequence[str], seed: int
) -> list[Fold]:
    """The folds of the study's protocol over images whose people, classes and databases are given in image order."""
    return PROTOCOLS[study.protocol](study, people, labels, datasets, seed)


def learning_from(folds: Sequence[Fold], number: int, seed: int) -> list[Fold]:
    """The same folds with NUMBER people left on each training side; the test sides stay as they are.

    Each fold draws by its own name and the seed, so that no few people decide a whole study. A larger number keeps the people of a
    smaller one and adds to them, so that the points of a learning curve differ in nothing else.

    Args:
        folds: of a study.
        number: of people; 0 leaves the folds as they are.
        seed: of the draw.

    Raises:
        LearnetError: a fold has fewer people than that, or those drawn for it have one image only, from which nothing can be learned.
    """
    if not number:
        return list(folds)
    sides = [fold.learned for fold in folds]
    if (fewest := min(map(len, sides))) < number:
        which = folds[[len(side) for side in sides].index(fewest)].name
        what = f"--train-people {number} is more than the {counted(fewest, 'person', 'people')} that fold {which} can learn from."
        raise LearnetError(what, f"Ask for at most {fewest}, or leave it out to learn from all.")
    drawn = []
    for fold, side in zip(folds, sides, strict=True):
        order = np.random.default_rng([seed, *fold.name.encode()]).permutation(len(side))
        chosen = {side[place] for place in order[:number]}
        drawn.append(replace(fold, train=tuple(i for i in fold.train if fold.people[i] in chosen)))
    if few := [fold.name for fold in drawn if len(fold.train) < 2]:
        what = f"--train-people {number}: of the people drawn for fold {few[0]} there is one image, and at least 2 are needed to learn from."
        raise LearnetError(what, "Ask for more people, or draw others with another --seed.")
    return drawn


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
