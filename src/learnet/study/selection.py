"""Choose training settings for each person on other people only: train the candidates, score them, keep what came out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from learnet.core.errors import LearnetError
from learnet.core.files import write_atomically
from learnet.core.network_info import network_info
from learnet.core.records import Fold
from learnet.core.settings import Resources, Study, Training
from learnet.study.candidates import (
    APART,
    SELECTION_FILE,
    Selection,
    candidate_scores,
    leave_two_groups_out,
    read_candidates,
    read_selection,
)
from learnet.study.jobs import FoldJob
from learnet.study.outcomes import read_outcomes
from learnet.study.run import Progress, initial_weights, load_study_dataset, run_jobs_to_disk, study_record
from learnet.training.initial_weights import InitialWeights
from learnet.training.train import resolve_training

TRAININGS = "trainings"  # in the folder of a choice: every answer of every candidate


def select_settings(
    folder: Path | Sequence[Path],
    out: Path,
    candidates: Path,
    study: Study,
    training: Training,
    resources: Resources = Resources(),
    progress: Progress | None = None,
) -> Selection:
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
    data = load_study_dataset(folder, out / TRAININGS, study)
    named = {
        name: resolve_training(each, data.prepared, study.network)
        for name, each in read_candidates(candidates, training).items()
    }
    _refuse_alike(study.network, named)
    groups, pairs = leave_two_groups_out(data.people, data.truth, study.groups, training.seed)
    lone = min(len({fold.people[i] for i in fold.train}) for fold in pairs)
    if most := max((each.inner_groups for each in named.values() if each.inner_groups > lone), default=0):
        raise LearnetError(
            f"--inner-groups {most} needs as many people to learn from, and one pair of groups leaves {lone}."
        )
    starts = {name: initial_weights(each, study.network, data) for name, each in named.items()}
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
    record = study_record(out.name, data, study, training, pairs, None)
    record |= {"candidates": {name: asdict(each) for name, each in named.items()}, "starts": about["starts"]}

    def close() -> dict:
        scores = candidate_scores(read_outcomes(out / TRAININGS), groups, list(named), data.scheme.classes)
        return Selection(named, groups, scores, about).record

    found = run_jobs_to_disk(out / TRAININGS, record, tasks, data, resources, progress, close)
    write_atomically(out / SELECTION_FILE, json.dumps(found, indent=2) + "\n")
    return read_selection(out)


def _refuse_alike(network: str, candidates: Mapping[str, Training]) -> None:
    """Raise LearnetError where a network that is fitted in one go could not tell two candidates apart: it takes no steps to change."""
    if not network_info(network).non_iterative:
        return
    seen: dict[tuple[int, bool], str] = {}
    for name, each in candidates.items():
        twin = seen.setdefault((each.detrend_percentile, each.phases), name)
        if twin != name:
            what = f"{network} is fitted in one go, and to it {twin} and {name} are the same settings."
            raise LearnetError(what, "Let level, stretch and phases compete, or choose for another network.")


def _task(
    choice: str, study: Study, name: str, pair: Fold, training: Training, start: InitialWeights | None
) -> FoldJob:
    """One training of one candidate; its weights are not kept."""
    fold = replace(pair, name=f"{name}{APART}{pair.name}")
    return FoldJob(choice, study.network, fold, training, start.tensors if start else None, None)
