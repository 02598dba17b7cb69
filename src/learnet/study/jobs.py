"""One training of a study, or several side by side: a fold's people and settings -> answers to its test clips, and a checkpoint."""

import platform
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from learnet.core.records import Fold, Outcome
from learnet.core.settings import Training
from learnet.datasets.prepared.store import preparation_of, synthetic
from learnet.datasets.splits import LEAKY_EPOCH
from learnet.study.labelled import LabelledDataset
from learnet.training.checkpoint import checkpoint_bytes
from learnet.training.loop import out_of_memory_error
from learnet.training.metadata import CheckpointMetadata
from learnet.training.torch_scores import one_thread, predict_scores
from learnet.training.train import TrainedNetwork, train_leaky, train_together

FoldResult = tuple[
    list[Outcome], str, bytes | None
]  # answers to the test clips, line for `trainings.csv`, content of the checkpoint


@dataclass(frozen=True)
class FoldJob:
    """One training of a study."""

    study: str
    network: str
    fold: Fold
    training: Training  # its seed is the task's
    start: bytes | None  # numbers that the network starts from, where they are not random
    weights: (
        Path | None
    )  # where they are to be kept; whoever ran the task may not see that place, so they come back as bytes


@one_thread()
def run_jobs(tasks: Sequence[FoldJob], data: LabelledDataset, device: str = "cpu") -> list[FoldResult]:
    """Trainings side by side and the answers to their test clips; on one thread, so that the numbers do not depend on the cores.

    Where a GPU has too little memory for all of them at once, it gets half of them at a time, and a warning says so.

    Returns:
        For each task the outcomes, the training's line for `trainings.csv`, and the content of its checkpoint where it keeps weights.

    Raises:
        LearnetError: a GPU that cannot hold even one.
    """
    learned = None
    with suppress(
        torch.OutOfMemoryError
    ):  # what the attempt took is free again only when its error has been let go
        learned = _learned(tasks, data, device)
    if learned:
        return [_answered(task, made, data) for task, made in zip(tasks, learned, strict=True)]
    half = len(tasks) // 2
    if half == 0:
        raise out_of_memory_error()
    warnings.warn(
        f"The GPU has too little memory for {len(tasks)} networks at once; {len(tasks) - half} are tried.",
        stacklevel=2,
    )
    return [*run_jobs(tasks[:half], data, device), *run_jobs(tasks[half:], data, device)]


def _learned(tasks: Sequence[FoldJob], data: LabelledDataset, device: str) -> list[TrainedNetwork]:
    sets, trainings = (
        [data.training_set(task.fold.train, task.training.phases) for task in tasks],
        [task.training for task in tasks],
    )
    if tasks[0].fold.protocol != LEAKY_EPOCH:
        return train_together(tasks[0].network, sets, trainings, device, start=tasks[0].start)
    tested = [data.training_set(task.fold.test) for task in tasks]
    return [
        train_leaky(tasks[0].network, *given, device, tasks[0].start)
        for given in zip(sets, tested, trainings, strict=True)
    ]


def _answered(task: FoldJob, learned: TrainedNetwork, data: LabelledDataset) -> FoldResult:
    """A trained network's answers to its test clips, and the training's line."""
    test = data.training_set(task.fold.test)
    scores = predict_scores(
        learned.module, test.images, task.training.mirror_when_tested, task.training.detrend_percentile
    )
    kept = (
        checkpoint_bytes(
            learned.module, checkpoint_metadata(task.network, data, task.training, task.fold.train)
        )
        if task.weights
        else None
    )
    loss = f"{learned.losses[-1]:.6f}" if learned.losses else ""
    line = f"{task.fold.name},{task.training.seed},{len(task.fold.train)},{len(task.fold.test)},{learned.epochs},{loss}\n"
    return (
        outcomes_of(task.study, task.fold.name, task.training.seed, data, task.fold.test, scores),
        line,
        kept,
    )


def outcomes_of(
    study: str,
    fold: str,
    seed: int,
    data: LabelledDataset,
    positions: Sequence[int],
    scores: Float64[np.ndarray, "N K"],
) -> list[Outcome]:
    """Scores of the images at these positions as outcomes: the prediction is the class of the highest score."""
    classes = data.scheme.classes
    table = data.prepared.clips.iloc[[data.rows[i] for i in positions]]
    rows = zip(table["clip"], table["dataset"], table["person"], positions, scores, strict=True)
    return [
        Outcome(
            study,
            fold,
            seed,
            clip,
            dataset,
            person,
            data.truth[i],
            classes[int(row.argmax())],
            tuple(map(float, row)),
        )
        for clip, dataset, person, i, row in rows
    ]


def checkpoint_metadata(
    network: str, data: LabelledDataset, training: Training, positions: Sequence[int]
) -> CheckpointMetadata:
    """What a checkpoint says of itself."""
    return CheckpointMetadata(
        network=network,
        classes=data.scheme.classes,
        size=data.prepared.size,
        preparation=preparation_of(data.prepared),
        training=training,
        data={
            "fingerprint": data.prepared.about["fingerprint"],
            "images_kind": data.prepared.about["images_kind"],
            "synthetic": synthetic(data.prepared.about),
            "faces": _faces(data, positions),
            "clips": str(len(positions)),
            **_learned_people(data, positions),
        },
        versions=versions(),
    )


def _learned_people(data: LabelledDataset, positions: Sequence[int]) -> dict[str, str]:
    """Whom a network has learned from, so that they are never taken for strangers; simulated images show nobody."""
    if data.prepared.about.get("simulated"):
        return {}
    return {"people": "\n".join(sorted({data.people[i] for i in positions}))}


def _faces(data: LabelledDataset, positions: Sequence[int]) -> str:
    """Who cropped the faces: `given` by the owners of the clips, `found` by learnet, or `both`; empty where that is not known."""
    if data.prepared.about["imported"]:
        return ""
    faces = {
        "given" if data.prepared.clips["face"].iloc[data.rows[i]] == "given" else "found" for i in positions
    }
    return faces.pop() if len(faces) == 1 else "both"


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    names = ("learnet", "torch", "numpy", "scikit-learn", "opencv-python-headless", "av")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
