"""Answers beside the organisers' list of MEGC2019, or where it is not at hand beside its published counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.datasets.readers.megc2019 import CLASSES, PARTS, Listed, read_list
from learnet.metrics.read import Answers

OFFICIAL = {
    "casme2": {"negative": 88, "positive": 32, "surprise": 25},
    "smic": {"negative": 70, "positive": 51, "surprise": 43},
    "samm": {"negative": 92, "positive": 26, "surprise": 15},
}
"""Clips of each class in each part of the composite. Source: the organisers' list."""


@dataclass(frozen=True)
class Counts:
    """What a database has here and in the list: clips by class, `clips` and `people`."""

    name: str  # the database, or "all"
    here: dict[str, int]
    official: dict[str, int]


@dataclass(frozen=True)
class ListCheck:
    """A file of answers beside the list; clips are named dataset/subject/clip."""

    listed: int
    answered: int  # different clips of the list
    missing: tuple[str, ...]  # in the list, not answered
    unknown: tuple[str, ...]  # answered, not in the list
    differ: tuple[str, ...]  # sentences: another truth than the list's

    @property
    def agrees(self) -> bool:
        """Whether the answers are to the listed clips, all of them, with the listed truth."""
        return not (self.missing or self.unknown or self.differ)


def check_list(answers: Answers, path: Path) -> ListCheck:
    """Compare answers with the organisers' list, clip by clip, however subjects are padded.

    Raises:
        LearnetError: the answers do not say whose clips they are, or are not of the three classes.
        BadInput: a list that cannot be read.
    """
    listed = {one.key: one for one in read_list(path)}
    if not answers.has_people:
        raise LearnetError(
            f"{answers.path} does not say whose clips these are, so no list can be looked up.",
            "Add the columns dataset and subject.",
        )
    if set(answers.classes) != set(CLASSES):
        raise LearnetError(f"{answers.path} has the classes {', '.join(answers.classes)}, and the list {', '.join(CLASSES)}.",
                           "Only answers in the list's classes can be checked.")  # fmt: skip
    keys = {outcome: _written(outcome).key for outcome in answers.outcomes}
    answered = set(keys.values())
    strange = dict.fromkeys(outcome.clip for outcome, key in keys.items() if key not in listed)
    differ = dict.fromkeys(
        f"{outcome.clip} is {outcome.truth} here and {listed[key].emotion} in the list"
        for outcome, key in keys.items()
        if key in listed and outcome.truth != listed[key].emotion
    )
    missing = [
        f"{one.dataset}/{one.subject}/{one.clip}" for key, one in listed.items() if key not in answered
    ]
    return ListCheck(len(listed), len(listed) - len(missing), tuple(missing), tuple(strange), tuple(differ))


def counts(answers: Answers) -> list[Counts]:
    """Clips of each class, clips and people, here and in the official list: of each database, and of all where all three are there.

    Empty where the answers are not in MEGC2019's classes, or of other databases. Clips that stand twice count twice.
    """
    first = min((o.seed for o in answers.outcomes), default=0)
    outcomes = [o for o in answers.outcomes if o.seed == first]
    there = {o.dataset for o in outcomes}
    if not there or not there <= PARTS.keys() or set(answers.classes) != set(CLASSES):
        return []
    found = [
        _counted(name, [o for o in outcomes if o.dataset == name], [name]) for name in PARTS if name in there
    ]
    return [*found, _counted("all", outcomes, list(PARTS))] if len(there) == len(PARTS) else found


def repeated(answers: Answers) -> list[str]:
    """Clips that are answered more than once with a seed; those of the composite are known however their subject is padded."""
    clips = [
        (o.seed, _written(o).key if o.dataset in PARTS and o.person else o.clip) for o in answers.outcomes
    ]
    times = Counter(clips)
    return list(
        dict.fromkeys(o.clip for o, clip in zip(answers.outcomes, clips, strict=True) if times[clip] > 1)
    )


def _written(outcome: Outcome) -> Listed:
    """The answer as the list would write it, for its key."""
    return Listed(
        outcome.dataset, outcome.person.partition("/")[2], outcome.clip.split("/", 2)[-1], outcome.truth, 0
    )


def _counted(name: str, outcomes: Sequence[Outcome], parts: Sequence[str]) -> Counts:
    labels = Counter(o.truth for o in outcomes)
    here = {
        **{label: labels[label] for label in CLASSES},
        "clips": len(outcomes),
        "people": len({o.person for o in outcomes}),
    }
    official = {label: sum(OFFICIAL[part][label] for part in parts) for label in CLASSES}
    clips, people = (sum(PARTS[part][place] for part in parts) for place in (0, 1))
    return Counts(name, here, {**official, "clips": clips, "people": people})
