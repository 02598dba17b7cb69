"""Recipes: the studies that settle a claim, as every combination of the values that a recipe names."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from learnet.core.errors import LearnetError, pick, repeated
from learnet.core.settings import DatasetSubset, Preparation, Study, Training

Choices = Mapping[str, tuple[Any, ...]]
"""Field of a settings record -> its values, one or several; every combination is run."""

Settings = TypeVar("Settings", Preparation, Study, Training)


@dataclass(frozen=True)
class Database:
    """A database of a recipe, and which part of it is used."""

    name: str  # one of DATASETS
    classes: str = "auto"  # class scheme
    tree: str | None = None  # these three as in `settings.DatasetSubset`
    part: str | None = None
    expressions: Literal["micro", "macro", "all"] = "micro"

    def subset(self, listed: Path | None = None) -> DatasetSubset:
        """Return which part is read; `listed` is the organisers' list of MEGC2019."""
        return DatasetSubset(self.tree, self.part, self.expressions, listed)

    @property
    def long_name(self) -> str:
        """The name with whatever tells this part of the database from others."""
        words = [] if self.classes.startswith(self.name) else [self.name]
        words += [self.classes, self.tree or "", self.part or ""]
        if self.expressions != Database.expressions:
            words.append(self.expressions)
        return folder_name(words)


@dataclass(frozen=True)
class Setting:
    """One combination of the values of a recipe: a study of each of its sets of databases."""

    name: str  # tells it from the other combinations, and names its folder
    preparation: Preparation
    study: Study  # its classes are the database's
    training: Training


@dataclass(frozen=True)
class Recipe:
    """A claim, and the studies that settle it."""

    title: str
    claim: str  # what is claimed
    source: str  # by whom, and where
    databases: tuple[Database, ...]
    networks: tuple[str, ...]
    against: str  # the network that all others are compared with, under the first of the values that vary
    unknown: tuple[str, ...] = ()  # what would have to be known to repeat the claim exactly, and is not
    pooled: bool = False  # one study over all databases together, instead of one of each
    imported: bool = False  # folders of imported images are used too, if their size and kind are the same
    preparation: Choices = field(default_factory=dict)
    study: Choices = field(default_factory=dict)
    training: Choices = field(default_factory=dict)
    own: Mapping[str, Choices] = field(default_factory=dict)  # network -> what replaces `preparation` for it

    def __post_init__(self) -> None:
        _check_unique("databases", self.labels)
        _check_unique("networks", self.networks)
        for network in (self.against, *self.own):
            pick(dict.fromkeys(self.networks), network, "network in the recipe")
        if self.pooled and len({database.classes for database in self.databases}) > 1:
            what = "databases that are pooled need one class scheme, and here are several."
            raise LearnetError(what, "Name the same for all.")
        # Making the settings also refuses values that cannot work.
        _check_unique("studies", [setting.name for setting in self.settings])

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each database: its own, or a longer one where a database is there twice."""
        names = [database.name for database in self.databases]
        labels = []
        for database in self.databases:
            repeated = names.count(database.name) > 1
            labels.append(database.long_name if repeated else database.name)
        return tuple(labels)

    @property
    def sets(self) -> dict[str, tuple[Database, ...]]:
        """Label -> databases of one study: each database by itself, or all of them pooled."""
        if self.pooled:
            return {"+".join(self.labels): self.databases}
        return {label: (database,) for label, database in zip(self.labels, self.databases, strict=True)}

    @property
    def reference(self) -> str:
        """Name of the setting that the others are compared with."""
        return next(setting.name for setting in self.settings if setting.study.network == self.against)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every combination of networks and values, sorted so that the networks of one combination are
        together.

        Raises:
            LearnetError: values that cannot work, alone or together.
        """
        studies = list(enumerate(_combinations(Study, self.study)))
        trainings = list(enumerate(_combinations(Training, self.training)))
        numbered = []
        for network in self.networks:
            preparations = enumerate(self._preparations_of(network))
            for (i, prepared), (j, studied), (k, trained) in itertools.product(
                preparations, studies, trainings
            ):
                words = [network, *prepared[0], *studied[0], *trained[0]]
                study = replace(studied[1], network=network)
                setting = Setting(folder_name(words), prepared[1], study, trained[1])
                numbered.append(((i, j, k), setting))
        numbered.sort(key=lambda pair: pair[0])
        return tuple(setting for _, setting in numbered)

    def _preparations_of(self, network: str) -> list[tuple[tuple[str, ...], Preparation]]:
        """Return the preparations with which a network is run, each with the words that tell it from the
        others."""
        return _combinations(Preparation, {**self.preparation, **self.own.get(network, {})})

    @property
    def preparations(self) -> dict[str, Preparation]:
        """Name -> preparation; the name is empty where there is one. Those of one network alone are named
        after it."""
        by_name = {}
        for words, preparation in _combinations(Preparation, self.preparation):
            by_name[folder_name(words)] = preparation
        for network in self.own:
            for words, preparation in self._preparations_of(network):
                by_name[folder_name(["for", network, *words])] = preparation
        return by_name


def folder_name(words: Sequence[str]) -> str:
    """Join words to one name that a folder may have."""
    return re.sub(r"[^A-Za-z0-9._+-]", "-", "-".join(filter(None, words)))


def _combinations(kind: type[Settings], choices: Choices) -> list[tuple[tuple[str, ...], Settings]]:
    """Return every combination of values as a record, with the words that tell it from the others."""
    combinations = []
    for combined in itertools.product(*choices.values()):
        values = dict(zip(choices, combined, strict=True))
        words = []
        for key, value in values.items():
            if len(choices[key]) > 1:
                words.append(_word(key, value))
        combinations.append((tuple(words), kind(**values)))
    return combinations


def _word(key: str, value: Any) -> str:
    """Return a value for use in a name: a text itself, a number with its key, and of a switch its key or
    nothing."""
    name = key.replace("_", "-")
    if isinstance(value, bool):
        return name if value else ""
    return value if isinstance(value, str) else f"{name}-{value}"


def _check_unique(what: str, names: Sequence[str]) -> None:
    twice = repeated(names)
    if twice:
        raise LearnetError(f"{what}: {', '.join(twice)} is there twice.", "Take one of them out.")
