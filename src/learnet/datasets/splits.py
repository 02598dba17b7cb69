"""Divide clips into folds for cross-validation.

The only key is the person: `Fold` refuses a person in both training and test, unless its protocol is named
leaky.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from learnet.core.errors import LearnetError, counted, pick
from learnet.core.people import check_spellings
from learnet.core.records import Fold
from learnet.core.settings import Study

LEAKY_EPOCH = "leaky-epoch"
"""The folds of loso. What leaks is the choice of the epoch (`training.train_leaky`)."""


def leave_one_subject_out(people: Sequence[str]) -> list[Fold]:
    """Return one fold per person: tested on all clips of the person, trained on all others.

    Args:
        people: person of each clip.

    Returns:
        Folds named after the person left out, in alphabetical order.

    Raises:
        LearnetError: fewer than two people.
    """
    from sklearn.model_selection import LeaveOneGroupOut  # here and below: an optional dependency

    _require_people(people, 2)
    splits = LeaveOneGroupOut().split(people, groups=people)
    # Folds share the number objects of their positions, which saves four fifths of the memory.
    positions = np.arange(len(people)).astype(object)
    folds = []
    for train, test in splits:
        folds.append(_fold(people[test[0]], positions[train], positions[test], people, "loso"))
    return folds


def subject_groups(people: Sequence[str], labels: Sequence[str], groups: int, seed: int) -> list[Fold]:
    """Return folds of whole people, with classes spread as evenly as whole people allow.

    Args:
        people: person of each clip.
        labels: class of each clip.
        groups: number of folds.
        seed: of the random assignment of people to folds.

    Raises:
        LearnetError: fewer people than groups, or fewer than two groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if groups < 2:
        problem = f"{groups} subject groups cannot be split into training and test."
        raise LearnetError(problem, "Use at least 2.")
    _require_people(people, groups)
    splitter = StratifiedGroupKFold(groups, shuffle=True, random_state=seed)
    folds: list[Fold] = []
    for train, test in splitter.split(people, _merge_rare_classes(labels, groups), people):
        if len(test):
            folds.append(_fold(f"group-{len(folds)}", train, test, people, "groups"))
    return folds


def leave_one_database_out(people: Sequence[str], datasets: Sequence[str]) -> list[Fold]:
    """Return one fold per database: tested on all of it, trained on all others.

    Args:
        people: person of each clip.
        datasets: database of each clip.

    Returns:
        Folds named after the database left out, in alphabetical order.

    Raises:
        LearnetError: there is only one database, or a person is in two.
    """
    names = sorted(set(datasets))
    if len(names) < 2:
        problem = f"There is only one database, {names[0]}, so none can be left out."
        raise LearnetError(problem, "Study several prepared folders together.")
    folds = []
    for name in names:
        others = [other for other in names if other != name]
        train, test = _divide(datasets, others, [name])
        folds.append(_fold(name, train, test, people, "lodo"))
    return folds


def across_databases(
    people: Sequence[str], datasets: Sequence[str], train_on: Sequence[str], test_on: Sequence[str]
) -> list[Fold]:
    """Return one fold: trained on some databases, tested on others.

    Args:
        people: person of each clip.
        datasets: database of each clip.
        train_on: names of databases; if empty, all that are not in `test_on`.
        test_on: names of databases, at least one.

    Raises:
        LearnetError: a database does not exist or is on both sides, or there is nothing to train or test on.
    """
    names = sorted(set(datasets))
    if not test_on:
        problem = "The database to test on is not given."
        raise LearnetError(problem, f"Name it as test_on (--test-on): {', '.join(names)}.")
    for name in (*train_on, *test_on):
        pick(dict.fromkeys(names), name, "database among these images")
    train_on = list(train_on) or [name for name in names if name not in test_on]
    both = sorted(set(train_on) & set(test_on))
    if both:
        problem = f"{', '.join(both)} cannot be trained on and tested on."
        raise LearnetError(problem, "Leave it out of one side.")
    if not train_on:
        problem = f"Nothing is left to train on beside {', '.join(test_on)}."
        raise LearnetError(problem, "Study several prepared folders together.")
    train, test = _divide(datasets, train_on, test_on)
    fold_name = f"{'+'.join(train_on)}-to-{'+'.join(test_on)}"
    return [_fold(fold_name, train, test, people, "across")]


def _divide(
    datasets: Sequence[str], train_on: Sequence[str], test_on: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the clips of the databases to train on and to test on."""
    dataset_of_clip = np.array(datasets)
    train = np.flatnonzero(np.isin(dataset_of_clip, train_on))
    test = np.flatnonzero(np.isin(dataset_of_clip, test_on))
    return train, test


def leaky_clip_groups(people: Sequence[str], labels: Sequence[str], groups: int, seed: int) -> list[Fold]:
    """Return folds of single clips, with classes spread evenly and people in training and test.

    Use them only to measure how much such folds overestimate a network.

    Args:
        people: person of each clip.
        labels: class of each clip.
        groups: number of folds.
        seed: of the random assignment of clips to folds.

    Raises:
        LearnetError: fewer clips than groups, or fewer than two groups.
    """
    from sklearn.model_selection import StratifiedKFold

    if groups < 2 or groups > len(people):
        problem = f"{len(people)} clips cannot be split into {groups} groups."
        raise LearnetError(problem, "Use at least 2, and at most one per clip.")
    splitter = StratifiedKFold(groups, shuffle=True, random_state=seed)
    splits = splitter.split(people, _merge_rare_classes(labels, groups))
    folds = []
    for number, (train, test) in enumerate(splits):
        folds.append(_fold(f"part-{number}", train, test, people, "leaky-clips"))
    return folds


def _leaky_epoch(people: Sequence[str]) -> list[Fold]:
    return [replace(fold, protocol=LEAKY_EPOCH) for fold in leave_one_subject_out(people)]


MakeFolds = Callable[[Study, Sequence[str], Sequence[str], Sequence[str], int], list[Fold]]
"""Study, person, class and database of each clip, and seed -> folds."""

PROTOCOLS: dict[str, MakeFolds] = {
    "loso": lambda study, people, labels, datasets, seed: leave_one_subject_out(people),
    "groups": lambda study, people, labels, datasets, seed: subject_groups(
        people, labels, study.groups, seed
    ),
    "lodo": lambda study, people, labels, datasets, seed: leave_one_database_out(people, datasets),
    "across": lambda study, people, labels, datasets, seed: across_databases(
        people, datasets, study.train_on, study.test_on
    ),
    "leaky-clips": lambda study, people, labels, datasets, seed: leaky_clip_groups(
        people, labels, study.groups, seed
    ),
    LEAKY_EPOCH: lambda study, people, labels, datasets, seed: _leaky_epoch(people),
}
"""Name -> function that makes the folds. Protocols that leak are named so."""

DRAWN_PROTOCOLS = ("groups", "leaky-clips")
"""Protocols whose folds depend on the seed."""


def make_folds(
    study: Study, people: Sequence[str], labels: Sequence[str], datasets: Sequence[str], seed: int
) -> list[Fold]:
    """Return the folds of a study's protocol.

    Args:
        study: its `protocol` is a key of `PROTOCOLS`.
        people: person of each clip.
        labels: class of each clip.
        datasets: database of each clip.
        seed: of protocols that draw at random.

    Raises:
        LearnetError: one person may have two names, or the protocol does not go with people and databases.
    """
    if not study.distinct_people and not study.protocol.startswith("leaky-"):
        check_spellings(people)
    return PROTOCOLS[study.protocol](study, people, labels, datasets, seed)


def make_folds_of_seeds(
    study: Study,
    people: Sequence[str],
    labels: Sequence[str],
    datasets: Sequence[str],
    seeds: Sequence[int],
) -> dict[int, list[Fold]]:
    """Return the folds of each seed of a study.

    They are the same for all seeds, drawn with the first, unless `study.repeated_splits` draws them anew. The
    names of such folds begin with "split-" and the seed.

    Args:
        study: its `protocol` is a key of `PROTOCOLS`.
        people: person of each clip.
        labels: class of each clip.
        datasets: database of each clip.
        seeds: of the study, in order.

    Raises:
        LearnetError: as `make_folds`, or splits are repeated of a protocol that draws nothing.
    """
    if not study.repeated_splits:
        return dict.fromkeys(seeds, make_folds(study, people, labels, datasets, seeds[0]))
    if study.protocol not in DRAWN_PROTOCOLS:
        problem = f"The protocol {study.protocol} has one split, which cannot be repeated."
        raise LearnetError(problem, f"Leave repeated_splits out, or use {' or '.join(DRAWN_PROTOCOLS)}.")
    of_seeds = {}
    for seed in seeds:
        drawn = make_folds(study, people, labels, datasets, seed)
        of_seeds[seed] = [replace(fold, name=f"split-{seed}-{fold.name}", seed=seed) for fold in drawn]
    return of_seeds


def limit_training_people(folds: Sequence[Fold], number: int, seed: int) -> list[Fold]:
    """Return the folds with a limited number of people to train on. The test sides stay as they are.

    Each fold draws by its own name and the seed, so that no few people decide a whole study. A larger number
    keeps the people of a smaller one and adds to them, so that the points of a learning curve differ in
    nothing else.

    Args:
        folds: of a study.
        number: people to train on; 0 leaves the folds as they are.
        seed: of the draw.

    Raises:
        LearnetError: a fold has fewer people, or those drawn for it have a single image.
    """
    if not number:
        return list(folds)
    fewest = min(folds, key=lambda fold: len(fold.learned))
    available = len(fewest.learned)
    if available < number:
        problem = (
            f"train_people {number} is more than the {counted(available, 'person', 'people')} "
            f"that fold {fewest.name} can train on."
        )
        raise LearnetError(problem, f"Use at most {available}, or leave it out to train on all.")
    limited = []
    for fold in folds:
        selected = _draw_people(fold, number, seed)
        train = tuple(index for index in fold.train if fold.people[index] in selected)
        if len(train) < 2:
            problem = (
                f"train_people {number}: the people drawn for fold {fold.name} have one image, "
                "and at least 2 are needed to train."
            )
            raise LearnetError(problem, "Use more people, or draw others with another seed.")
        limited.append(replace(fold, train=train))
    return limited


def _draw_people(fold: Fold, number: int, seed: int) -> set[str]:
    people = fold.learned
    rng = np.random.default_rng([seed, *fold.name.encode()])
    order = rng.permutation(len(people))
    return {people[index] for index in order[:number]}


def _fold(name: str, train: np.ndarray, test: np.ndarray, people: Sequence[str], protocol: str) -> Fold:
    train_indices = tuple(map(int, train))
    test_indices = tuple(map(int, test))
    return Fold(name, train_indices, test_indices, tuple(people), protocol)


def _require_people(people: Sequence[str], needed: int) -> None:
    number = len(set(people))
    if number < needed:
        verb = "person is" if number == 1 else "people are"
        problem = f"{number} {verb} not enough to test on people unseen in training."
        hint = f"At least {needed} are needed."
        if number > 1:
            hint = f"Ask for at most {number} groups (--groups)."
        raise LearnetError(problem, hint)


def _merge_rare_classes(labels: Sequence[str], groups: int) -> list[str]:
    """Merge classes with fewer clips than groups.

    They cannot be spread one by one, and scikit-learn warns of each.
    """
    names, counts = np.unique(list(labels), return_counts=True)
    is_rare = counts < groups
    rare = set(names[is_rare])
    merged = str(names[counts.argmax()])
    if counts[is_rare].sum() >= groups:
        merged = "(rare)"
    return [merged if label in rare else str(label) for label in labels]
