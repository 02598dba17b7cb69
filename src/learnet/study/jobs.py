"""The trainings of a study: a fold and settings in, the predictions for its test clips and a checkpoint
out."""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from learnet.core.records import Fold, Outcome
from learnet.core.seeds import fold_seed
from learnet.core.settings import Training
from learnet.datasets.splits import LEAKY_EPOCH
from learnet.study.describe import describe_training_data, versions
from learnet.study.finished import Identity, PlannedFold
from learnet.study.labelled import LabelledDataset, clip_identities, outcomes_of
from learnet.training.checkpoint import checkpoint_bytes
from learnet.training.device import one_thread, out_of_memory_error
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.training.train import TrainedNetwork, train_leaky, train_together


@dataclass(frozen=True)
class FoldJob:
    """One training of a study."""

    study: str
    network: str
    fold: Fold
    training: Training  # its seed is that of the study
    initial_weights: bytes | None  # safetensors; None: random numbers
    checkpoint: Path | None  # file of the weights; None: they are not kept
    fold_index: int  # position of the fold in its protocol, from 0

    @property
    def seeded_training(self) -> Training:
        """The settings with the seed of this fold."""
        return replace(self.training, seed=fold_seed(self.training.seed, self.fold_index))

    def planned(self, data: LabelledDataset) -> PlannedFold:
        """Return what is known of the training before it runs."""
        seed, fold = self.training.seed, self.fold

        def identities() -> list[Identity]:
            return clip_identities((self.study, fold.name, seed), data, fold.test)

        return PlannedFold(fold.name, seed, len(fold.train), identities)


@dataclass(frozen=True)
class FoldResult:
    """What a training gave. It travels between processes, and the job's files are written by the one that
    asked for it."""

    outcomes: list[Outcome]  # of the test clips
    training_row: tuple[object, ...]  # of `trainings.csv`
    checkpoint: bytes | None  # content of the file of weights, where they are kept


@one_thread()
def run_jobs(jobs: Sequence[FoldJob], data: LabelledDataset, device: str = "cpu") -> list[FoldResult]:
    """Train the networks of several jobs side by side and predict their test clips.

    Everything runs on one thread, so that the numbers do not depend on the cores. Where the memory of a GPU
    is too small for all jobs, half of them run at a time, and a warning says so.

    Returns:
        A result for each job.

    Raises:
        LearnetError: a GPU that cannot hold even one network.
    """
    trained = None
    # The memory of the attempt is free again only when its error has been released.
    with suppress(torch.OutOfMemoryError):
        trained = _trained(jobs, data, device)
    if trained:
        return [_fold_result(job, network, data) for job, network in zip(jobs, trained, strict=True)]
    half = len(jobs) // 2
    if half == 0:
        raise out_of_memory_error()
    message = f"The GPU has too little memory for {len(jobs)} networks at once; {len(jobs) - half} are tried."
    warnings.warn(message, stacklevel=2)
    return [*run_jobs(jobs[:half], data, device), *run_jobs(jobs[half:], data, device)]


def describe_jobs(jobs: Sequence[FoldJob]) -> str:
    """Return the folds and seeds of jobs, for messages: "fold sub01 with seed 0"."""
    return " and ".join(f"fold {job.fold.name} with seed {job.training.seed}" for job in jobs)


def _trained(jobs: Sequence[FoldJob], data: LabelledDataset, device: str) -> list[TrainedNetwork]:
    network, initial_weights = jobs[0].network, jobs[0].initial_weights
    trainings, train_sets = [], []
    for job in jobs:
        trainings.append(job.seeded_training)
        train_sets.append(data.training_set(job.fold.train, job.training.phases))
    if jobs[0].fold.protocol != LEAKY_EPOCH:
        return train_together(network, train_sets, trainings, device, initial_weights=initial_weights)
    trained = []
    for job, train_set in zip(jobs, train_sets, strict=True):
        test_set = data.training_set(job.fold.test, job.training.phases_at_test)
        settings = job.seeded_training
        trained.append(train_leaky(network, train_set, test_set, settings, device, initial_weights))
    return trained


def _fold_result(job: FoldJob, trained: TrainedNetwork, data: LabelledDataset) -> FoldResult:
    training, fold = job.training, job.fold
    scorer = Scorer.from_module(
        trained.module, training.mirror_when_tested, training.detrend_percentile, training.views_at_test
    )
    test_set = data.training_set(fold.test, training.phases_at_test)
    scores = test_set.for_test(training.phases_at_test).scores(scorer)
    checkpoint = None
    if job.checkpoint:
        metadata = checkpoint_metadata(job.network, data, training, fold.train)
        checkpoint = checkpoint_bytes(trained.module, metadata)
    last_loss = f"{trained.losses[-1]:.6f}" if trained.losses else ""
    row = (fold.name, training.seed, len(fold.train), len(fold.test), trained.epochs, last_loss)
    outcomes = outcomes_of((job.study, fold.name, training.seed), data, fold.test, scores)
    return FoldResult(outcomes, row, checkpoint)


def checkpoint_metadata(
    network: str, data: LabelledDataset, training: Training, positions: Sequence[int]
) -> CheckpointMetadata:
    """Return the metadata of a checkpoint that was trained on the images at these positions."""
    described = describe_training_data(data.prepared, data.people_at(positions), len(positions))
    return CheckpointMetadata(
        network=network,
        classes=data.scheme.classes,
        size=data.prepared.size,
        preparation=data.prepared.record.preparation,
        training=training,
        data={**described, "faces": _faces(data, positions)},
        versions=versions(),
    )


def _faces(data: LabelledDataset, positions: Sequence[int]) -> str:
    """Return who cropped the faces: `given` by the owners, `found` by learnet, or `both`; empty where it is
    unknown."""
    if data.prepared.record.imported:
        return ""
    column = data.prepared.clips["face"]
    sources = set()
    for position in positions:
        cropped = column.iloc[data.rows[position]] == "given"
        sources.add("given" if cropped else "found")
    return sources.pop() if len(sources) == 1 else "both"
