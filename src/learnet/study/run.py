"""Folds x training -> outcomes on disk, fold by fold; a study that is killed goes on where it stopped and ends with the same bytes."""

import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path

import torch

from learnet.core.errors import LearnetError, pick
from learnet.core.files import write_atomically
from learnet.core.network_info import network_info
from learnet.core.parallel import parallel_map
from learnet.core.records import Fold
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.concat import ConcatDataset, open_datasets, save_concatenated
from learnet.datasets.prepared.store import FileStamp, file_stamp
from learnet.datasets.splits import LEAKY_EPOCH, learning_from, make_folds
from learnet.networks import NETWORKS
from learnet.study.candidates import Selection
from learnet.study.cluster import Cluster, connect, parallel_map_on_cluster
from learnet.study.folder import append, close_study, lock_study_folder, open_study_folder
from learnet.study.jobs import FoldJob, FoldResult, checkpoint_metadata, run_jobs, versions
from learnet.study.labelled import LabelledDataset, apply_class_scheme, load_labelled_dataset
from learnet.study.outcomes import outcome_rows
from learnet.training.checkpoint import save_checkpoint, write_checkpoint
from learnet.training.initial_weights import InitialWeights, load_initial_weights
from learnet.training.loop import networks_that_fit, resolve_device
from learnet.training.train import resolve_training, train

Progress = Callable[[int, int], None]  # trainings done, trainings in all

POOLED = "pooled"  # in the folder of a study over several prepared folders: one folder of them all


def run_study(
    folder: Path | Sequence[Path],
    out: Path,
    study: Study,
    training: Training,
    resources: Resources = Resources(),
    progress: Progress | None = None,
    choice: Selection | None = None,
) -> dict:
    """Train and test once per fold and seed, and keep every answer.

    Args:
        folder: prepared folder, or several, which are pooled: one study over the people of all, its networks learning from all.
        out: study folder; made, or gone on with where the same study was cut off.
        study: network, protocol, classes, seeds.
        training: how each network is trained; the same record for every fold, so nothing can follow the person tested.
        resources: where the trainings run.
        progress: called after each training.
        choice: settings for each person that were chosen on other people; they take the place of TRAINING, but for its seed.

    Returns:
        What `metrics.json` says (`metrics.summarise`).

    Raises:
        OutputTaken: OUT holds another study.
        LearnetError: whatever is wrong with the prepared folders, the settings, the choice or the cluster.
    """
    resources = _with_device(resources)
    data = load_study_dataset(folder, out, study)
    if choice:
        choice.refuse_others(study, training)
        choice.check(study.network, data.scheme.classes, data.prepared.about["fingerprint"])
    training = resolve_training(training, data.prepared, study.network)
    folds = make_folds(study, data.people, data.truth, data.datasets, training.seed)
    given = [
        (fold, replace(choice.of(fold) if choice else training, seed=seed))
        for seed in range(training.seed, training.seed + study.seeds)
        for fold in learning_from(folds, study.learn_from, seed)
    ]
    _check_trainings(given)
    starts = {
        name: initial_weights(own, study.network, data)
        for name, own in {own.from_: own for _, own in given}.items()
    }
    tensors = {name: start.tensors if start else None for name, start in starts.items()}
    tasks = [
        FoldJob(
            out.name, study.network, fold, own, tensors[own.from_], _weights_file(out, study, fold, own.seed)
        )
        for fold, own in given
    ]
    record = study_record(out.name, data, study, training, folds, starts.get(training.from_))
    if choice:
        record |= {
            "training": {"seed": training.seed},
            "choice": choice.record,
        }  # nothing else of TRAINING had a say
    return run_jobs_to_disk(
        out, record, tasks, data, resources, progress, lambda: close_study(out, data.scheme.classes)
    )


def load_study_dataset(folder: Path | Sequence[Path], out: Path, study: Study) -> LabelledDataset:
    """What a study learns from, once network, class scheme and image size are known to go together."""
    pick(NETWORKS, study.network, "network")
    data = apply_class_scheme(open_datasets(folder, out / POOLED), study.classes)
    NETWORKS[study.network](
        len(data.scheme.classes), data.prepared.size
    )  # says that it cannot take this size before anything is written
    return data


def run_jobs_to_disk(
    out: Path,
    record: dict,
    tasks: Sequence[FoldJob],
    data: LabelledDataset,
    resources: Resources,
    progress: Progress | None,
    close: Callable[[], dict],
) -> dict:
    """Run what is not done of TASKS, and keep each answer in OUT as it comes; returns what CLOSE says of the whole."""
    classes = record["settings"]["classes"]
    resources = _with_device(resources)
    with (
        connect(resources.cluster, versions) if resources.cluster else nullcontext() as workers,
        lock_study_folder(out, record),
    ):
        done = open_study_folder(
            out, record, [(task.fold.name, task.training.seed, len(task.fold.test)) for task in tasks]
        )
        data = _on_disk(data)
        started = time.monotonic()
        rest = tasks[done:]
        with closing(_answers(rest, data, classes, resources, workers)) as answers:
            for finished, (task, answer) in enumerate(zip(rest, answers, strict=True), start=done + 1):
                _keep(out, task, answer)
                if progress:
                    progress(finished, len(tasks))
        summary = close()
        if len(tasks) > done:  # a study that was complete already keeps the time it took
            _write_run(out, len(tasks) - done, time.monotonic() - started, resources.device)
    return summary


def _write_run(out: Path, trainings: int, seconds: float, device: str) -> None:
    """What the trainings took, and on what."""
    took = {"trainings": trainings, "seconds": round(seconds, 1), "cores": os.cpu_count(), "device": device}
    write_atomically(
        out / "run.json",
        json.dumps({**took, "machine": platform.machine(), "system": platform.system()}, indent=2) + "\n",
    )


def _keep(out: Path, task: FoldJob, answered: FoldResult) -> None:
    """Write what a training gave."""
    outcomes, line, weights = answered
    if task.weights and weights:
        write_checkpoint(task.weights, weights)
    append(out / "trainings.csv", line)
    append(
        out / "outcomes.csv", outcome_rows(outcomes)
    )  # last: a fold counts as done once its outcomes are on disk


def initial_weights(training: Training, network: str, data: LabelledDataset) -> InitialWeights | None:
    """The weights that a network starts from; None where they are random."""
    return (
        load_initial_weights(training.from_, network, data.prepared, data.scheme.classes, data.people)
        if training.from_
        else None
    )


def _check_trainings(given: Sequence[tuple[Fold, Training]]) -> None:
    if any(own.keep_start and fold.protocol == LEAKY_EPOCH for fold, own in given):
        raise LearnetError(
            f"--protocol {LEAKY_EPOCH} tests each epoch as it is; nothing goes back.",
            "Leave --keep-start out.",
        )
    fewest = min(len(fold.learned) for fold, _ in given)
    asked = max(own.inner_groups for _, own in given)
    if asked > fewest:
        raise LearnetError(
            f"--inner-groups {asked} needs as many people on the training side, and one fold has {fewest}.",
            f"Ask for at most {fewest}.",
        )


def _on_disk(data: LabelledDataset) -> LabelledDataset:
    """The same, all in one prepared folder: workers, reports and later studies need to know of no other kind."""
    if not isinstance(data.prepared, ConcatDataset):
        return data
    place = data.prepared.folder
    for torn in place.parent.glob(f".{place.name}.*"):  # of a run that was killed at this
        shutil.rmtree(torn, ignore_errors=True)
    return replace(data, prepared=save_concatenated(data.prepared))


def train_on_all(
    folder: Path | Sequence[Path],
    weights: Path,
    study: Study,
    training: Training,
    progress: Progress | None = None,
    half: bool = False,
    device: str = "auto",
) -> dict[str, str]:
    """Train one network on everybody in a prepared folder, or in several, and write its checkpoint. Its score on them says nothing.

    Args:
        folder: prepared folder, or several.
        weights: checkpoint to write.
        study: network and classes.
        training: settings.
        progress: called after each epoch.
        half: write numbers in half precision.
        device: as of `Resources`.

    Returns:
        What was learned from: classes, clips, people; and `losses`, the mean of each epoch, one after the other.
    """
    pick(NETWORKS, study.network, "network")
    data = apply_class_scheme(
        open_datasets(folder, weights.with_name(POOLED)), study.classes
    )  # never written: one process trains from where they lie
    training = resolve_training(training, data.prepared, study.network)
    everybody = range(len(data.rows))
    start = initial_weights(training, study.network, data)
    given = data.training_set(everybody, training.phases)
    learned = train(
        study.network, given, training, progress, start.tensors if start else None, resolve_device(device)
    )
    save_checkpoint(
        weights, learned.module, checkpoint_metadata(study.network, data, training, everybody), half
    )
    losses = " ".join(map(str, learned.losses))
    return {
        "classes": ", ".join(data.scheme.classes),
        "clips": str(len(data.rows)),
        "people": str(len(set(data.people))),
        "losses": losses,
    }


def study_record(
    name: str,
    data: LabelledDataset,
    study: Study,
    training: Training,
    folds: Sequence[Fold],
    start: InitialWeights | None,
) -> dict:
    """The content of `study.json`: everything needed to run the study again, and what the data were."""
    prepared = data.prepared
    named = (
        {"folders": [str(folder) for folder in prepared.folders]}
        if isinstance(prepared, ConcatDataset)
        else {}
    )
    seeds = [training.seed + run for run in range(study.seeds)]
    drawn = {seed: learning_from(folds, study.learn_from, seed) for seed in seeds} if study.learn_from else {}
    return {
        "study": name,
        "network": study.network,
        "protocol": study.protocol,
        "scheme": {
            "name": data.scheme.name,
            "classes": list(data.scheme.classes),
            "source": data.scheme.source,
        },
        "seeds": seeds,
        "settings": asdict(study),
        "training": asdict(training),
        "start": start.about if start else None,
        "prepared": {
            "folder": str(prepared.folder),
            **named,
            "fingerprint": prepared.about["fingerprint"],
            "about": prepared.about,
        },
        "folds": [
            {
                "name": fold.name,
                "train_people": fold.learned,
                "test_people": sorted({fold.people[i] for i in fold.test}),
                "train_clips": len(fold.train),
                "test_clips": len(fold.test),
                **(
                    {"learned_from": {str(seed): there[place].learned for seed, there in drawn.items()}}
                    if drawn
                    else {}
                ),
            }
            for place, fold in enumerate(folds)
        ],
        "left_out": data.left_out,
        "versions": versions(),
    }


def _with_device(resources: Resources) -> Resources:
    """The resources with a definite device, and one process where that is a GPU.

    Raises:
        LearnetError: a GPU is asked for, and there is none.
    """
    device = resolve_device(resources.device)
    return replace(resources, device=device, jobs=1 if device == "cuda" else resources.jobs)


def _answers(
    tasks: Sequence[FoldJob],
    data: LabelledDataset,
    classes: str,
    resources: Resources,
    workers: Cluster | None,
) -> Generator[FoldResult, None, None]:
    """Answers of all tasks, in their order."""
    folder, groups = data.prepared.folder, _side_by_side(tasks, _at_once(tasks, data, resources))
    work = partial(_run_from_disk, classes=classes, device=resources.device)
    spreading = (
        parallel_map_on_cluster(workers, work, groups, folder)
        if workers
        else parallel_map(partial(work, folder=folder), groups, resources.jobs)
    )
    with closing(spreading):
        for answers in spreading:
            yield from answers


def _at_once(tasks: Sequence[FoldJob], data: LabelledDataset, resources: Resources) -> int:
    """How many networks to train side by side."""
    if resources.at_once != "auto":
        return resources.at_once
    if resources.device == "cpu" or not tasks:
        return 1
    if network_info(tasks[0].network).non_iterative:
        return 1
    size = data.prepared.size
    network = NETWORKS[tasks[0].network](len(data.scheme.classes), size)
    return networks_that_fit(network, size, tasks[0].training.batch, torch.cuda.mem_get_info()[0])


def _side_by_side(tasks: Sequence[FoldJob], at_once: int) -> list[list[FoldJob]]:
    """The tasks in groups to be trained at once: neighbours with the same settings whose batches have one size."""

    def alike(task: FoldJob, other: FoldJob) -> bool:
        sizes = {min(each.training.batch, len(each.fold.train)) for each in (task, other)}
        return len(sizes) == 1 and replace(task.training, seed=other.training.seed) == other.training

    groups: list[list[FoldJob]] = []
    for task in tasks:
        if groups and len(groups[-1]) < at_once and alike(task, groups[-1][0]):
            groups[-1].append(task)
        else:
            groups.append([task])
    return groups


def _run_from_disk(tasks: Sequence[FoldJob], folder: Path, classes: str, device: str) -> list[FoldResult]:
    return run_jobs(tasks, _material_once(folder, classes, file_stamp(folder)), device)


@lru_cache(maxsize=1)
def _material_once(folder: Path, classes: str, stamp: FileStamp) -> LabelledDataset:
    """Opening a folder reads all its images to check them: once in each process, unless the files change."""
    return load_labelled_dataset(folder, classes)


def _weights_file(out: Path, study: Study, fold: Fold, seed: int) -> Path | None:
    return (
        out / "folds" / f"{fold.name.replace('/', '-')}-seed{seed}.safetensors"
        if study.keep_weights
        else None
    )
