"""The trainings of a study: which folds with which seeds and settings, and which of them side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import torch

from learnet.core.errors import LearnetError
from learnet.core.network_info import network_info
from learnet.core.records import Fold
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.splits import LEAKY_EPOCH, limit_training_people, make_folds_of_seeds
from learnet.networks import NETWORKS
from learnet.study.candidates import Selection
from learnet.study.folder import weights_file
from learnet.study.jobs import FoldJob
from learnet.study.labelled import LabelledDataset
from learnet.training.device import networks_that_fit, resolve_device
from learnet.training.initial_weights import InitialWeights, load_initial_weights
from learnet.training.train import resolve_training


@dataclass(frozen=True)
class Plan:
    """The trainings of a study."""

    folds: tuple[Fold, ...]  # of the protocol, before people to train on are drawn
    jobs: tuple[FoldJob, ...]  # of every seed, in the order in which they are written
    initial_weights: InitialWeights | None  # of the settings of the study; None: random numbers


@dataclass(frozen=True)
class _Run:
    """One training of a study: on which people, of which network, with which settings."""

    fold: Fold
    fold_index: int
    network: str
    training: Training

    @property
    def start(self) -> tuple[str, str]:
        """What the initial weights depend on: the network, and the weights it is to start from."""
        return self.network, self.training.init


def plan_trainings(
    data: LabelledDataset,
    study: Study,
    training: Training,
    selection: Selection | None = None,
    out: Path | None = None,
) -> Plan:
    """Return the trainings of a study: one for each fold and seed.

    Args:
        data: images with their classes and people.
        study: network, protocol, seeds.
        training: settings for these images (`train.resolve_training`).
        selection: settings for each person that were selected on other people, instead of `training`.
        out: study folder, which gives the study its name and keeps the weights; None keeps none.

    Raises:
        LearnetError: one person may have two names, or two people have one image; settings that do not go
            with the protocol or with the number of people, or initial weights that cannot be used.
    """
    data.check_people_apart(study)
    seeds = range(training.seed, training.seed + study.seeds)
    folds_of_seeds = make_folds_of_seeds(study, data.people, data.truth, data.datasets, seeds)
    runs: list[_Run] = []
    for seed, folds in folds_of_seeds.items():
        for index, fold in enumerate(limit_training_people(folds, study.train_people, seed)):
            network = selection.network_for(fold) if selection else study.network
            settings = training
            if selection:
                settings = resolve_training(selection.training_for(fold), data.prepared, network)
            runs.append(_Run(fold, index, network, replace(settings, seed=seed)))
    _check_runs(runs)
    starts: dict[tuple[str, str], InitialWeights | None] = {}
    for run in runs:
        if run.start not in starts:
            starts[run.start] = initial_weights(run.training, run.network, data)
    jobs = []
    for run in runs:
        start = starts[run.start]
        seed = run.training.seed
        checkpoint = weights_file(out, run.fold.name, seed) if out and study.keep_weights else None
        tensors = start.tensors if start else None
        name = out.name if out else ""
        jobs.append(FoldJob(name, run.network, run.fold, run.training, tensors, checkpoint, run.fold_index))
    distinct = folds_of_seeds.values() if study.repeated_splits else [folds_of_seeds[training.seed]]
    start = starts.get((study.network, training.init))
    return Plan(tuple(chain.from_iterable(distinct)), tuple(jobs), start)


def initial_weights(training: Training, network: str, data: LabelledDataset) -> InitialWeights | None:
    """Return the initial weights of a network; None where they are random."""
    if not training.init:
        return None
    return load_initial_weights(training.init, network, data.prepared, data.scheme.classes, data.people)


def resolve_resources(resources: Resources) -> Resources:
    """Return the resources with a definite device, and with one process where that is a GPU.

    Raises:
        LearnetError: a GPU is requested, and there is none.
    """
    device = resolve_device(resources.device)
    return replace(resources, device=device, jobs=1 if device == "cuda" else resources.jobs)


def job_batches(jobs: Sequence[FoldJob], data: LabelledDataset, resources: Resources) -> list[list[FoldJob]]:
    """Return the jobs in batches to be trained at once: neighbours with equal settings and equal batch sizes.

    Args:
        jobs: of a study, in order.
        data: of the study.
        resources: with a definite device (`resolve_resources`).
    """
    most = _parallel_folds(jobs, data, resources)
    batches: list[list[FoldJob]] = []
    for job in jobs:
        if batches and len(batches[-1]) < most and _alike(job, batches[-1][0]):
            batches[-1].append(job)
        else:
            batches.append([job])
    return batches


def _check_runs(runs: Sequence[_Run]) -> None:
    """Refuse settings that do not go with the protocol or with the number of people."""
    if any(run.training.interpolate_init and run.fold.protocol == LEAKY_EPOCH for run in runs):
        what = (
            f"The protocol {LEAKY_EPOCH} tests the weights of each epoch as they are; none are interpolated."
        )
        raise LearnetError(what, "Leave interpolate_init out.")
    fewest = min(len(run.fold.learned) for run in runs)
    inner_groups = max(run.training.inner_groups for run in runs)
    if inner_groups > fewest:
        what = f"inner_groups {inner_groups} needs as many training people, and one fold has {fewest}."
        raise LearnetError(what, f"Ask for at most {fewest}.")


def _parallel_folds(jobs: Sequence[FoldJob], data: LabelledDataset, resources: Resources) -> int:
    """Return how many networks are trained side by side."""
    if resources.parallel_folds != "auto":
        return resources.parallel_folds
    if resources.device == "cpu" or not jobs:
        return 1
    job = jobs[0]
    if len({other.network for other in jobs}) > 1 or network_info(job.network).non_iterative:
        return 1
    size = data.prepared.size
    network = NETWORKS[job.network](len(data.scheme.classes), size)
    return networks_that_fit(network, size, job.training.batch_size, torch.cuda.mem_get_info()[0])


def _alike(job: FoldJob, other: FoldJob) -> bool:
    if job.network != other.network:
        return False
    batch_sizes = {min(each.training.batch_size, len(each.fold.train)) for each in (job, other)}
    return len(batch_sizes) == 1 and replace(job.training, seed=other.training.seed) == other.training
