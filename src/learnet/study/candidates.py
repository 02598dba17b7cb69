"""Selection of training settings for each person, from candidates that are scored on other people only.

People are split into groups. Every candidate is trained once for each pair of groups, on all people outside
the pair, and predicts the clips of both. For a person of group g only the predictions for other groups h
count, by the network that saw neither g nor h: the person's own clips were in no training and in no score
behind the selection. So ten trainings of a candidate serve five groups, where a selection for each person
alone would take hundreds.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError
from learnet.core.records import Fold, Outcome
from learnet.core.serialisation import (
    ROOT,
    InvalidValue,
    convert,
    convert_fields,
    key_named,
    optional_key,
    parse_toml,
)
from learnet.core.settings import Study, Training
from learnet.datasets.splits import subject_groups
from learnet.metrics.scores import confusion, headline
from learnet.study.shipped import CANDIDATES, resolve_shipped
from learnet.training.metadata import InitialWeightsRecord

SELECTION_FILE = "choice.json"
SEPARATOR = ": "  # between a candidate and a pair of groups in the name of a fold
SEVERAL = "selected"  # network of a study whose networks were selected with their settings
HOW_TO_WRITE = "docs/protocols.md shows how candidates are written."


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The candidates, their scores and what was selected: the content of `choice.json`."""

    network: str  # of the candidates that are not in `networks`
    classes: list[str]
    fingerprint: str  # of the images
    seeds: list[int]
    starts: dict[str, InitialWeightsRecord] = field(default_factory=dict)  # candidate -> its initial weights
    candidates: dict[str, Training]
    networks: dict[str, str] | None = optional_key()  # candidate -> its network, of those that name one
    groups: dict[str, list[str]]  # group -> its people
    scores: dict[str, dict[str, float]]  # group -> candidate -> UF1 on all other groups, mean over seeds
    selected: dict[str, str] = key_named("taken")  # group -> candidate

    def __post_init__(self) -> None:
        groups, candidates = set(self.groups), set(self.candidates)
        if set(self.scores) != groups or set(self.selected) != groups:
            raise LearnetError("groups, scores and taken are not of the same groups")
        scored = map(set, self.scores.values())
        if any(names != candidates for names in scored) or not set(self.selected.values()) <= candidates:
            raise LearnetError("scores and taken are not of these candidates")
        if self.networks and not set(self.networks) <= candidates:
            raise LearnetError("networks are not of these candidates")

    def training_for(self, fold: Fold) -> Training:
        """Return the settings of the network that is tested on the people of a fold.

        Raises:
            LearnetError: people of several groups, or somebody who is in no group.
        """
        return self.candidates[self._candidate_for(fold)]

    def network_for(self, fold: Fold) -> str:
        """Return the name of the network that is tested on the people of a fold; raises as `training_for`."""
        return network_of(self._candidate_for(fold), self.networks, self.network)

    @property
    def study_network(self) -> str:
        """What a study with this selection calls its network."""
        return SEVERAL if self.networks else self.network

    def _candidate_for(self, fold: Fold) -> str:
        tested = set(fold.tested)
        for group, people in self.groups.items():
            if tested <= set(people):
                return self.selected[group]
        raise LearnetError(
            f"Fold {fold.name} tests people of several groups of the selection.",
            f"Use loso, or the groups of the selection: --groups {len(self.groups)} --seed {self.seeds[0]}.",
        )

    def check_study(self, study: Study, classes: Sequence[str], fingerprint: str) -> None:
        """Raise LearnetError where a study has another network, other classes, other images or fewer
        people."""
        compared = (
            ("another network", self.network, study.network),
            ("other classes", ", ".join(self.classes), ", ".join(classes)),
            ("other images", self.fingerprint[:12], fingerprint[:12]),
        )
        if study.train_people:
            setting = f"train_people {study.train_people}"
            what = f"{setting} with a selection: the settings were selected on more people."
            raise LearnetError(what, "Leave one of them out.")
        for difference, here, requested in compared:
            if here != requested:
                what = f"The selection was made for {difference}: {here}, not {requested}."
                raise LearnetError(what, "Use the same in both, or select settings again.")


@dataclass(frozen=True)
class SelectedTraining:
    """Settings of training for each person that were selected on other people, and the first seed of the
    study."""

    selection: Selection
    seed: int = 0


@dataclass(frozen=True)
class Candidates:
    """Settings that are compared."""

    settings: dict[str, Training]  # name -> settings
    base: Training  # the settings that candidates do not name, and the first seed
    file: Path | None = None  # for errors
    networks: dict[str, str] = field(default_factory=dict)  # name -> network, of those that name one

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Name the candidate, and its file, in errors about its settings."""
        try:
            yield
        except LearnetError as error:
            where = f"{self.file}: " if self.file else ""
            raise LearnetError(f"{where}candidate {name}: {error.what}", error.hint) from None


def network_of(candidate: str, networks: Mapping[str, str] | None, network: str) -> str:
    """Return the network of a candidate: its own, or that of the candidates that do not name one."""
    return (networks or {}).get(candidate, network)


def selected_training(selection: Selection, training: Training) -> SelectedTraining:
    """Return the training of a study with a selection, which accepts no other setting of `training` than its
    seed.

    Raises:
        LearnetError: another setting is not the default.
    """
    options = []
    for one in fields(Training):
        if one.name != "seed" and getattr(training, one.name) != one.default:
            options.append(one.name)
    if options:
        listed = ", ".join(options)
        what = f"{listed} with a selection: the settings of training come from the selection."
        raise LearnetError(what, f"Leave {listed} out.")
    return SelectedTraining(selection, training.seed)


def read_candidates(path: str | Path, base: Training) -> Candidates:
    """Read the candidates in a TOML file: one table each, whose keys are settings of training, or network.

    Args:
        path: the file, or the name of shipped candidates.
        base: the settings that a table does not name.

    Raises:
        BadInput: no such file, no TOML, fewer than two candidates, an unknown setting, an impossible value,
            two equal candidates, or a seed, which is the same for all candidates and an option of the
            command.
    """
    path = Path(path)
    path = resolve_shipped(path, CANDIDATES, "file of candidates")
    try:
        tables = parse_toml(path.read_text(encoding="utf-8"), path, HOW_TO_WRITE)
    except UnicodeDecodeError as error:
        raise BadInput(path, f"this is not TOML ({error})", HOW_TO_WRITE) from None
    candidates: dict[str, Training] = {}
    networks: dict[str, str] = {}
    for name, table in tables.items():
        candidate, network = _candidate(path, name, table, base)
        for other, settings in candidates.items():
            if settings == candidate and networks.get(other) == network:
                wrong = f"{name} and {other} have the same settings"
                raise BadInput(path, wrong, "Take one of them out.")
        candidates[name] = candidate
        if network:
            networks[name] = network
    if len(candidates) < 2:
        hint = "Write a table, such as [mixed], for each of two or more."
        raise BadInput(path, "at least two candidates are needed", hint)
    return Candidates(candidates, base, path, networks)


def _candidate(path: Path, name: str, table: object, base: Training) -> tuple[Training, str | None]:
    """Return the settings of a candidate, and its network where it names one."""
    if not isinstance(table, dict):
        hint = (
            "Put it below the heading of a candidate, such as [mixed], or give it with the command, for all."
        )
        raise BadInput(path, f"{name} = {table} is above the first candidate", hint)
    settings = dict(table)
    network = settings.pop("network", None)
    try:
        if network is not None:
            network = convert(network, str, f"{ROOT}.{name}.network")
        values = convert_fields(settings, Training, f"{ROOT}.{name}", without=("seed",))
        return replace(base, **values), network
    except InvalidValue as error:
        raise error.in_file(path) from None
    except LearnetError as error:
        raise InvalidValue(f"{ROOT}.{name}", error.what, error.hint).in_file(path) from None


def leave_two_groups_out(
    people: Sequence[str], labels: Sequence[str], groups: int, seed: int
) -> tuple[dict[str, list[str]], list[Fold]]:
    """Split people into groups and make a fold for each pair of groups, which tests both and trains on
    neither.

    Args:
        people: person of each image.
        labels: class of each image; classes are spread over the groups as evenly as whole people allow.
        groups: number of groups, at least 3, so that somebody is left to train on.
        seed: of the split.

    Returns:
        The people of each group, and the folds.

    Raises:
        LearnetError: fewer than three groups, or fewer people than groups.
    """
    if groups < 3:
        raise LearnetError(f"{groups} groups cannot be left out in pairs.", "Ask for at least 3.")
    singles = subject_groups(people, labels, groups, seed)
    folds = []
    for first, second in itertools.combinations(singles, 2):
        test = sorted({*first.test, *second.test})
        train = sorted({*first.train} & {*second.train})
        name = f"{first.name}+{second.name}"
        folds.append(Fold(name, tuple(train), tuple(test), tuple(people), "groups"))
    people_of_groups = {single.name: single.tested for single in singles}
    return people_of_groups, folds


def candidate_scores(
    outcomes: Sequence[Outcome],
    groups: Mapping[str, Sequence[str]],
    candidates: Sequence[str],
    classes: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Compute the UF1 of each candidate for each group g, on all other groups h by networks that saw neither
    g nor h.

    Args:
        outcomes: predictions for all pairs, in folds named as candidate, ": ", group, "+", group.
        groups: group -> people.
        candidates: their names.
        classes: class list of the study.

    Returns:
        Group -> candidate -> mean UF1 over seeds.
    """
    group_of: dict[str, str] = {}
    for group, people in groups.items():
        group_of |= dict.fromkeys(people, group)
    seeds = sorted({outcome.seed for outcome in outcomes})
    counted: dict[tuple[str, str, int], list[Outcome]] = {}
    for outcome in outcomes:
        candidate, pair = outcome.fold.rsplit(SEPARATOR, 1)
        for group in pair.split("+"):
            if group != group_of[outcome.person]:
                counted.setdefault((group, candidate, outcome.seed), []).append(outcome)
    scores: dict[str, dict[str, float]] = {}
    for group in groups:
        scores[group] = {}
        for name in candidates:
            total = sum(_uf1(counted[group, name, seed], classes) for seed in seeds)
            scores[group][name] = total / len(seeds)
    return scores


def identical_candidates(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """Return the candidates that predicted everything as an earlier one did: pairs (earlier, later).

    Args:
        outcomes: as of `candidate_scores`.
    """
    predictions: dict[str, dict[tuple[str, int, str], str]] = {}
    for outcome in outcomes:
        candidate, pair = outcome.fold.rsplit(SEPARATOR, 1)
        key = (pair, outcome.seed, outcome.clip)
        predictions.setdefault(candidate, {})[key] = outcome.prediction
    different: list[str] = []
    identical = []
    for name, own in predictions.items():
        earlier = [other for other in different if predictions[other] == own]
        if earlier:
            identical.append((earlier[0], name))
        else:
            different.append(name)
    return identical


def best_candidates(scores: Mapping[str, Mapping[str, float]], candidates: Sequence[str]) -> dict[str, str]:
    """Return the candidate with the highest score for each group; of equal ones the first in the file."""
    return {group: max(candidates, key=of_group.__getitem__) for group, of_group in scores.items()}


def _uf1(outcomes: Sequence[Outcome], classes: Sequence[str]) -> float:
    truth, predictions = [], []
    for outcome in outcomes:
        truth.append(outcome.truth)
        predictions.append(outcome.prediction)
    _, uf1, _ = headline(confusion(truth, predictions, list(classes)))
    return float(uf1)
