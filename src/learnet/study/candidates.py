"""Settings that compete, and which of them each person's network gets: the ones that did best on others.

People are split into groups. Every candidate is trained once for each pair of groups, on all people outside the pair, and answers the clips
of both. For a person of group g only the answers to other groups h count, by the network that saw neither g nor h: the person's own clips
were in no training and in no score that speaks for the choice. So ten trainings a candidate serve five groups, where choosing anew for each
person would take hundreds.
"""

import itertools
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from keyword import iskeyword
from pathlib import Path
from typing import Any

from learnet.core.errors import BadInput, LearnetError
from learnet.core.records import Fold, Outcome
from learnet.core.settings import Study, Training
from learnet.datasets.splits import subject_groups
from learnet.metrics.scores import confusion, headline
from learnet.study.experiments.recipe import values_of

SELECTION_FILE = "choice.json"
APART = ": "  # between a candidate and a pair in the name of a fold


@dataclass(frozen=True)
class Selection:
    """What was compared, and what came of it."""

    candidates: Mapping[str, Training]
    groups: Mapping[str, tuple[str, ...]]  # group -> its people
    scores: Mapping[
        str, Mapping[str, float]
    ]  # group -> candidate -> UF1 on the clips of all other groups, mean over seeds
    about: Mapping[str, Any]  # of the data: network, classes, fingerprint, seeds

    def taken(self, group: str) -> str:
        """Name of the candidate with the highest score for a group; of equals the first in the file."""
        return max(self.candidates, key=lambda name: self.scores[group][name])

    def of(self, fold: Fold) -> Training:
        """The settings of the network that is tested on the people of a fold.

        Raises:
            LearnetError: people of several groups, or somebody whom the choice does not know.
        """
        tested = {fold.people[i] for i in fold.test}
        inside = [group for group, people in self.groups.items() if tested <= set(people)]
        if not inside:
            raise LearnetError(
                f"Fold {fold.name} tests people of several groups of the choice.",
                "Leave out one person at a time: loso.",
            )
        return self.candidates[self.taken(inside[0])]

    def check(self, network: str, classes: Sequence[str], fingerprint: str) -> None:
        """Raise LearnetError where a study asks about another network, other classes or other images."""
        for what, here, asked in (
            ("another network", self.about["network"], network),
            ("other classes", ", ".join(self.about["classes"]), ", ".join(classes)),
            ("other images", self.about["fingerprint"][:12], fingerprint[:12]),
        ):
            if here != asked:
                raise LearnetError(
                    f"The choice was made for {what}: {here}, not {asked}.",
                    "Name the same in both, or choose anew.",
                )

    def refuse_others(self, study: Study, training: Training) -> None:
        """Raise LearnetError where a study brings settings of its own beside the choice, or learns of fewer people than it was made on."""
        if study.learn_from:
            what = f"--learn-from {study.learn_from} beside --choice: more people than those had a say in the settings."
            raise LearnetError(what, "Leave one of them out.")
        if own := [
            field.name
            for field in fields(Training)
            if field.name != "seed" and getattr(training, field.name) != field.default
        ]:
            named = ", ".join(f"--{name.rstrip('_').replace('_', '-')}" for name in own)
            raise LearnetError(
                f"{named} beside --choice: the choice brings the settings of training with it.",
                f"Leave {named} out.",
            )

    @property
    def record(self) -> dict[str, Any]:
        """All of it as it stands in `choice.json`."""
        return {
            **self.about,
            "candidates": {name: asdict(training) for name, training in self.candidates.items()},
            "groups": {group: list(people) for group, people in self.groups.items()},
            "scores": {group: dict(scores) for group, scores in self.scores.items()},
            "taken": {group: self.taken(group) for group in self.groups},
        }


def read_candidates(path: Path, base: Training) -> dict[str, Training]:
    """The candidates of a TOML file: a table each, whose keys are settings of training; what a table does not name is as in BASE.

    Raises:
        BadInput: no such file, no TOML, fewer than two candidates, an unknown setting, a value that cannot be, or a seed, which the
            command gives to all alike.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(
            path, "there is no such file", "docs/protocols.md shows how candidates are written."
        ) from None
    except (ValueError, RecursionError) as error:  # a decoding error is a ValueError
        raise BadInput(
            path, f"this is not TOML ({error})", "docs/protocols.md shows how candidates are written."
        ) from None
    if len(tables) < 2:
        raise BadInput(
            path,
            "fewer than two candidates are no choice",
            "Write a table, such as [mixed], for each of two or more.",
        )
    made: dict[str, Training] = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            advice = "Put it below the heading of a candidate, such as [mixed], or give it with the command, for all."
            raise BadInput(path, f"{name} = {table} stands above the first candidate", advice)
        table = {
            f"{key}_" if iskeyword(key) else key: value for key, value in table.items()
        }  # `from`, which Python keeps for itself
        try:
            given = values_of(table, Training, name, path, without=("seed",))
            made[name] = replace(base, **given)
        except LearnetError as error:
            raise (
                error
                if isinstance(error, BadInput)
                else BadInput(path, f"{name}: {error.what.rstrip('.')}", error.hint)
            ) from None
        if same := [other for other in made if other != name and made[other] == made[name]]:
            raise BadInput(path, f"{name} and {same[0]} are the same settings", "Take one of them out.")
    return made


def leave_two_groups_out(
    people: Sequence[str], labels: Sequence[str], groups: int, seed: int
) -> tuple[dict[str, tuple[str, ...]], list[Fold]]:
    """GROUPS groups of whole people, and a fold for each two of them, in which both are tested and nobody of them is learned from.

    Args:
        people: person of each image.
        labels: class of each image; they are spread over the groups as evenly as whole people allow.
        groups: at least 3, so that somebody is left to learn from.
        seed: of the split.

    Raises:
        LearnetError: fewer than three groups, or fewer people than groups.
    """
    if groups < 3:
        raise LearnetError(f"{groups} groups cannot be left out in pairs.", "Ask for at least 3.")
    singles = subject_groups(people, labels, groups, seed)
    folds = []
    for one, other in itertools.combinations(singles, 2):
        test = sorted({*one.test, *other.test})
        train = sorted({*one.train} & {*other.train})
        folds.append(Fold(f"{one.name}+{other.name}", tuple(train), tuple(test), tuple(people), "groups"))
    return {fold.name: tuple(sorted({people[i] for i in fold.test})) for fold in singles}, folds


def candidate_scores(
    outcomes: Sequence[Outcome],
    groups: Mapping[str, Sequence[str]],
    candidates: Sequence[str],
    classes: Sequence[str],
) -> dict[str, dict[str, float]]:
    """UF1 of each candidate for each group g: over the answers to all other groups h by networks that saw neither g nor h.

    Args:
        outcomes: answers to all pairs, of folds named as candidate, ": ", group, "+", group.
        groups: group -> people.
        candidates: their names.
        classes: of the study.

    Returns:
        Group -> candidate -> mean over seeds.
    """
    home = {person: group for group, people in groups.items() for person in people}
    seeds = sorted({outcome.seed for outcome in outcomes})
    answers: dict[tuple[str, str, int], list[Outcome]] = {}
    for outcome in outcomes:
        candidate, pair = outcome.fold.rsplit(APART, 1)
        for group in pair.split("+"):
            if group != home[outcome.person]:
                answers.setdefault((group, candidate, outcome.seed), []).append(outcome)

    def uf1(told: Sequence[Outcome]) -> float:
        return float(
            headline(confusion([one.truth for one in told], [one.prediction for one in told], list(classes)))[
                1
            ]
        )

    return {
        group: {
            name: sum(uf1(answers[group, name, seed]) for seed in seeds) / len(seeds) for name in candidates
        }
        for group in groups
    }


def read_selection(folder: Path) -> Selection:
    """The choice that `learnet choose` made in a folder.

    Raises:
        BadInput: none there, or one that was not finished.
    """
    file = folder / SELECTION_FILE
    if not file.is_file():
        raise BadInput(
            folder,
            f"there is no {SELECTION_FILE}",
            "`learnet choose` makes it; the same command goes on where it stopped.",
        )
    record = json.loads(file.read_text(encoding="utf-8"))
    about = {key: record[key] for key in ("network", "classes", "fingerprint", "seeds", "starts")}
    candidates = {name: Training(**settings) for name, settings in record["candidates"].items()}
    groups = {group: tuple(people) for group, people in record["groups"].items()}
    return Selection(candidates, groups, record["scores"], about)
