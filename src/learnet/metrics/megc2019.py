"""Compare predictions with the organisers' list of MEGC2019, or with its published counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.datasets.readers.megc2019 import CLASSES, PARTS, ListedClip, read_list
from learnet.metrics.groups import by_dataset, by_seed, persons, truths
from learnet.metrics.read import PredictionFile

OFFICIAL = {
    "casme2": {"negative": 88, "positive": 32, "surprise": 25},
    "smic": {"negative": 70, "positive": 51, "surprise": 43},
    "samm": {"negative": 92, "positive": 26, "surprise": 15},
}
"""Clips of each class in each database of the composite. Source: the organisers' list."""


@dataclass(frozen=True)
class ClipCounts:
    """Clips of a database in the file and in the list: by class, `clips` and `people`."""

    name: str  # the database, or "all"
    here: dict[str, int]
    official: dict[str, int]


@dataclass(frozen=True)
class ListCheck:
    """Predictions compared with the list; clips are named dataset/subject/clip."""

    listed: int
    answered: int  # different clips of the list that have a prediction
    missing: tuple[str, ...]  # in the list, without a prediction
    unknown: tuple[str, ...]  # with a prediction, not in the list
    differ: tuple[str, ...]  # sentences: the true class is not that of the list

    @property
    def agrees(self) -> bool:
        """Whether the predictions are for all listed clips and no others, with the listed true class."""
        deviations = self.missing + self.unknown + self.differ
        return not deviations


def check_list(predictions: PredictionFile, path: Path) -> ListCheck:
    """Compare predictions with the organisers' list clip by clip.

    The padding of subject numbers does not matter.

    Raises:
        LearnetError: the predictions do not name the people, or are not of the three classes.
        BadInput: the list cannot be read.
    """
    listed = {entry.key: entry for entry in read_list(path)}
    _check_comparable(predictions)
    unknown: list[str] = []
    differ: list[str] = []
    predicted = set()
    for outcome in predictions.outcomes:
        key = _as_listed(outcome).key
        predicted.add(key)
        if key not in listed:
            unknown.append(outcome.clip)
        elif outcome.truth != listed[key].emotion:
            differ.append(f"{outcome.clip} is {outcome.truth} here and {listed[key].emotion} in the list")
    missing = []
    for key, entry in listed.items():
        if key not in predicted:
            missing.append(f"{entry.dataset}/{entry.subject}/{entry.clip}")
    answered = len(listed) - len(missing)
    return ListCheck(len(listed), answered, tuple(missing), _unique(unknown), _unique(differ))


def clip_counts(predictions: PredictionFile) -> list[ClipCounts]:
    """Count the clips of each class, clips and people in the file, beside the official counts.

    Returns:
        Counts of each database, and of all together where all three are in the file. Clips that are
        repeated count repeatedly. Empty where the classes are not those of MEGC2019, or a database is not
        part of it.
    """
    outcomes = next(iter(by_seed(predictions.outcomes).values()), [])
    databases = by_dataset(outcomes)
    is_megc = databases.keys() <= PARTS.keys() and set(predictions.classes) == set(CLASSES)
    if not databases or not is_megc:
        return []
    counts = []
    for name in PARTS:
        if name in databases:
            counts.append(_counted(name, databases[name], [name]))
    if len(databases) == len(PARTS):
        counts.append(_counted("all", outcomes, list(PARTS)))
    return counts


def repeated_clips(predictions: PredictionFile) -> tuple[str, ...]:
    """Return the clips with more than one prediction per seed.

    Clips of the composite are recognised whatever the padding of their subject number.
    """
    keys = []
    for outcome in predictions.outcomes:
        is_listed = outcome.dataset in PARTS and outcome.person
        keys.append((outcome.seed, _as_listed(outcome).key if is_listed else outcome.clip))
    times = Counter(keys)
    repeated = []
    for outcome, key in zip(predictions.outcomes, keys, strict=True):
        if times[key] > 1:
            repeated.append(outcome.clip)
    return _unique(repeated)


def _check_comparable(predictions: PredictionFile) -> None:
    if not predictions.has_people:
        raise LearnetError(
            f"{predictions.path} does not name the people, so its clips cannot be looked up in a list.",
            "Add the columns dataset and subject.",
        )
    if set(predictions.classes) != set(CLASSES):
        classes = ", ".join(predictions.classes)
        raise LearnetError(
            f"{predictions.path} has the classes {classes}, and the list {', '.join(CLASSES)}.",
            "Only predictions of the classes in the list can be checked.",
        )


def _as_listed(outcome: Outcome) -> ListedClip:
    """Return the clip of a prediction as an entry of the list, for its key."""
    subject = outcome.person.partition("/")[2]
    clip = outcome.clip.split("/", 2)[-1]
    return ListedClip(outcome.dataset, subject, clip, outcome.truth, line=0)


def _counted(name: str, outcomes: Sequence[Outcome], parts: Sequence[str]) -> ClipCounts:
    here = Counter(dict.fromkeys(CLASSES, 0))
    here.update(truths(outcomes))
    here["clips"] = len(outcomes)
    here["people"] = len(set(persons(outcomes)))
    official: Counter[str] = Counter()
    for part in parts:
        clips, people = PARTS[part]
        official.update(OFFICIAL[part])
        official.update(clips=clips, people=people)
    return ClipCounts(name, dict(here), dict(official))


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    """Return the values without duplicates, in their order."""
    return tuple(dict.fromkeys(values))
