"""Choose training settings for each person on other people only: train the candidates, score them, keep what came out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from learnet.core.errors import LearnetError
from learnet.core.files import write_whole
from learnet.core.records import Fold
from learnet.core.settings import Resources, Study, Training
from learnet.networks import NETWORKS
from learnet.study.candidates import (
    APART,
    CHOICE,
    Choice,
    pairs_left_out,
    read_candidates,
    read_choice,
    scores_of,
)
from learnet.study.jobs import Task
from learnet.study.outcomes import read_outcomes
from learnet.study.run import Progress, carry_out, describe, ready, start_of
from learnet.training.initial_weights import Start
from learnet.training.train import settle

TRAININGS = "trainings"  # in the folder of a choice: every answer of every candidate


def choose(
    folder: Path | Sequence[Path],
    out: Path,
    candidates: Path,
    study: Study,
    training: Training,
    resources: Resources = Resources(),  # noqa: B008 (frozen)
    progress: Progress | None = None,
) -> Choice:
    """Compare settings and choose for each group of people those that did best on the other groups.

    Args:
        folder: prepared folder, or several, which are pooled.
        out: folder to write: `choice.json`, and below `trainings` every answer; gone on with where the same choice was cut off.
        candidates: TOML file (`candidates.read_candidates`).
        study: network, classes, seeds, and in `groups` how many groups of people there are.
        training: what candidates do not name.
        resources: where the trainings run.
        progress: called after each training.

    Raises:
        OutputTaken: OUT holds another choice.
        LearnetError: whatever is wrong with the folders, the candidates or the settings.
    """
    data = ready(folder, out / TRAININGS, study)
    named = {
        name: settle(each, data.prepared, study.network)
        for name, each in read_candidates(candidates, training).items()
    }
    _refuse_alike(study.network, named)
    groups, pairs = pairs_left_out(data.people, data.truth, study.groups, training.seed)
    lone = min(len({fold.people[i] for i in fold.train}) for fold in pairs)
    if most := max((each.inner_groups for each in named.values() if each.inner_groups > lone), default=0):
        raise LearnetError(
            f"--inner-groups {most} needs as many people to learn from, and one pair of groups leaves {lone}."
        )
    starts = {name: start_of(each, study.network, data) for name, each in named.items()}
    seeds = range(training.seed, training.seed + study.seeds)
    tasks = [
        _task(out.name, study, name, pair, replace(named[name], seed=seed), starts[name])
        for seed in seeds
        for name in named
        for pair in pairs
    ]
    about = {
        "network": study.network,
        "classes": list(data.scheme.classes),
        "fingerprint": data.prepared.about["fingerprint"],
        "seeds": list(seeds),
        "starts": {name: start.about for name, start in starts.items() if start},
    }
    record = describe(out.name, data, study, training, pairs, None)
    record |= {"candidates": {name: asdict(each) for name, each in named.items()}, "starts": about["starts"]}

    def close() -> dict:
        scores = scores_of(read_outcomes(out / TRAININGS), groups, list(named), data.scheme.classes)
        return Choice(named, groups, scores, about).record

    found = carry_out(out / TRAININGS, record, tasks, data, resources, progress, close)
    write_whole(out / CHOICE, json.dumps(found, indent=2) + "\n")
    return read_choice(out)


def _refuse_alike(network: str, candidates: Mapping[str, Training]) -> None:
    """Raise LearnetError where a network that is fitted in one go could not tell two candidates apart: it takes no steps to change."""
    seen: dict[tuple[int, bool], str] = {}
    for name, each in candidates.items() if hasattr(NETWORKS[network], "fit") else ():
        twin = seen.setdefault((each.levelled, each.phases), name)
        if twin != name:
            what = f"{network} is fitted in one go, and to it {twin} and {name} are the same settings."
            raise LearnetError(what, "Let level, stretch and phases compete, or choose for another network.")


def _task(choice: str, study: Study, name: str, pair: Fold, training: Training, start: Start | None) -> Task:
    """One training of one candidate; its weights are not kept."""
    fold = replace(pair, name=f"{name}{APART}{pair.name}")
    return Task(choice, study.network, fold, training, start.tensors if start else None, None)
