"""What `study.json` says: all that is needed to run a study again, and what its images were."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from learnet.core.files import write_atomically
from learnet.core.serialisation import later_key, optional_key, read_json, to_json, to_plain
from learnet.core.settings import Study, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.study.candidates import Selection
from learnet.training.metadata import InitialWeightsRecord

DESCRIPTION_FILE = "study.json"

Seeding = Literal["study", "fold and purpose"]
"""What a seed is used for: as it is in every training (earlier versions), or to derive one for each fold and
purpose (`core.seeds`)."""

LEAK_CONSEQUENCE = "The scores are too high and say nothing about people the network was not trained on."
"""What follows from `StudyDescription.leak`, in the words of every page and command."""


@dataclass(frozen=True)
class SchemeDescription:
    """The classes of a study."""

    name: str
    classes: tuple[str, ...]
    source: str  # who defined them


@dataclass(frozen=True)
class FoldDescription:
    """Who is trained on and tested in a fold."""

    name: str
    train_people: list[str]
    test_people: list[str]
    train_clips: int
    test_clips: int
    learned_from: dict[str, list[str]] | None = optional_key()  # seed -> people drawn from `train_people`
    seed: int | None = optional_key()  # of its trainings, where the folds were drawn anew for each seed


@dataclass(frozen=True, kw_only=True)
class ImagesDescription:
    """The prepared folder of a study."""

    folder: str
    folders: list[str] | None = optional_key()  # where several prepared folders were concatenated
    fingerprint: str
    about: PrepareRecord | None = None


@dataclass(frozen=True)
class EvaluationSettings:
    """The settings of `learnet evaluate`, which trains nothing."""

    weights: str  # file as it was named, or name of shipped weights; in earlier files without its folder
    people_seen_in_training: list[str] = field(default_factory=list)
    weights_data: dict[str, str] = field(default_factory=dict)
    classes_not_asked: list[str] = field(default_factory=list)
    still_clips: list[str] = field(default_factory=list)  # clips in which nothing moves above the noise


@dataclass(frozen=True, kw_only=True)
class StudyDescription:
    """The content of `study.json`. Studies of earlier versions may lack the keys that have a default."""

    study: str = ""
    network: str = "unknown"
    protocol: str
    scheme: SchemeDescription
    seeds: list[int]
    seeding: Seeding = later_key("study")
    settings: Study | EvaluationSettings | None = None
    training: Training | None = None  # None where nothing was trained; only the seed counts with a selection
    start: InitialWeightsRecord | Literal["unknown"] | None = "unknown"  # None: from random numbers
    prepared: ImagesDescription
    folds: list[FoldDescription]
    left_out: dict[str, int] = field(default_factory=dict)  # emotion -> clips that have no class
    versions: dict[str, str] = field(default_factory=dict)
    choice: Selection | None = optional_key()  # settings that were selected on other people
    candidates: dict[str, Training] | None = optional_key()  # of a study that selects settings
    networks: dict[str, str] | None = optional_key()  # candidate -> its network, of those that name one
    starts: dict[str, InitialWeightsRecord] | None = optional_key()  # candidate -> its initial weights

    @property
    def expected_outcomes(self) -> int:
        """The number of predictions that the complete study has."""
        return sum(fold.test_clips * self._times(fold) for fold in self.folds)

    @property
    def expected_trainings(self) -> int:
        """The number of trainings that the complete study has."""
        return sum(map(self._times, self.folds))

    def _times(self, fold: FoldDescription) -> int:
        """Return with how many seeds a fold is trained."""
        return len(self.seeds) if fold.seed is None else 1

    @property
    def leak(self) -> str:
        """The reason why the scores are too high; empty where nobody is tested by a network that knows them.

        The lists of people decide, and beside them the name of the protocol, which may be all that is known.
        """
        shared = shared_people(self.folds)
        if shared:
            known = set(chain.from_iterable(shared.values()))
            tested = set(chain.from_iterable(fold.test_people for fold in self.folds))
            return f"test people were also trained on ({len(known)} of {len(tested)})"
        if self.protocol == "leaky-epoch":
            return "the number of epochs was selected on the test person"
        return "test people were also trained on" if self.protocol.startswith("leaky-") else ""

    def to_plain(self) -> dict[str, Any]:
        """Return the description as dictionaries and lists, as they are in the file."""
        plain = to_plain(self)
        if self.start == "unknown":
            del plain["start"]
        if self.choice and self.training:
            plain["training"] = {"seed": self.training.seed}
        return plain


def shared_people(folds: Sequence[FoldDescription]) -> dict[str, list[str]]:
    """Return the people on both sides of each fold, by fold, from the lists of people; empty if there are
    none."""
    shared = {}
    for fold in folds:
        people = set(fold.train_people) & set(fold.test_people)
        if people:
            shared[fold.name] = sorted(people)
    return shared


def write_description(folder: Path, description: StudyDescription) -> None:
    """Write `study.json` in a study folder."""
    write_atomically(folder / DESCRIPTION_FILE, to_json(description.to_plain()))


def read_description(
    folder: Path, hint: str = "Restore the file, or remove it to report without it."
) -> StudyDescription:
    """Read `study.json` in a study folder.

    Args:
        folder: study folder.
        hint: what to do where the file is damaged.

    Raises:
        BadInput: it is no description of a study.
        OSError: it cannot be read.
    """
    return read_json(folder / DESCRIPTION_FILE, StudyDescription, hint)
