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
from learnet.core.files import write_whole
from learnet.core.parallel import spread
from learnet.core.records import Fold
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.concat import Pool, opened, save_pool
from learnet.datasets.prepared.store import Stamp, stamp
from learnet.datasets.splits import LEAKY_EPOCH, learning_from, make_folds
from learnet.networks import NETWORKS
from learnet.study.candidates import Choice
from learnet.study.cluster import Cluster, joined, spread_on
from learnet.study.folder import append, begin, close_study, held
from learnet.study.jobs import Answered, Task, facts, run_tasks, versions
from learnet.study.labelled import Material, material, seen_through
from learnet.study.outcomes import as_text
from learnet.training.checkpoint import save_checkpoint, write_checkpoint
from learnet.training.initial_weights import Start, start_from
from learnet.training.loop import networks_that_fit, usable_device
from learnet.training.train import settle, train

Progress = Callable[[int, int], None]  # trainings done, trainings in all

POOLED = "pooled"  # in the folder of a study over several prepared folders: one folder of them all


def run_study(
    folder: Path | Sequence[Path],
    out: Path,
    study: Study,
    training: Training,
    resources: Resources = Resources(),  # noqa: B008 (frozen)
    progress: Progress | None = None,
    choice: Choice | None = None,
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
    data = ready(folder, out, study)
    if choice:
        choice.refuse_others(study, training)
        choice.check(study.network, data.scheme.classes, data.prepared.about["fingerprint"])
    training = settle(training, data.prepared, study.network)
    folds = make_folds(study, data.people, data.truth, data.datasets, training.seed)
    given = [
        (fold, replace(choice.of(fold) if choice else training, seed=seed))
        for seed in range(training.seed, training.seed + study.seeds)
        for fold in learning_from(folds, study.learn_from, seed)
    ]
    _check_trainings(given)
    starts = {
        name: start_of(own, study.network, data) for name, own in {own.from_: own for _, own in given}.items()
    }
    tensors = {name: start.tensors if start else None for name, start in starts.items()}
    tasks = [
        Task(
            out.name, study.network, fold, own, tensors[own.from_], _weights_file(out, study, fold, own.seed)
        )
        for fold, own in given
    ]
    record = describe(out.name, data, study, training, folds, starts.get(training.from_))
    if choice:
        record |= {
            "training": {"seed": training.seed},
            "choice": choice.record,
        }  # nothing else of TRAINING had a say
    return carry_out(
        out, record, tasks, data, resources, progress, lambda: close_study(out, data.scheme.classes)
    )


def ready(folder: Path | Sequence[Path], out: Path, study: Study) -> Material:
    """What a study learns from, once network, class scheme and image size are known to go together."""
    pick(NETWORKS, study.network, "network")
    data = seen_through(opened(folder, out / POOLED), study.classes)
    NETWORKS[study.network](
        len(data.scheme.classes), data.prepared.size
    )  # says that it cannot take this size before anything is written
    return data


def carry_out(
    out: Path,
    record: dict,
    tasks: Sequence[Task],
    data: Material,
    resources: Resources,
    progress: Progress | None,
    close: Callable[[], dict],
) -> dict:
    """Run what is not done of TASKS, and keep each answer in OUT as it comes; returns what CLOSE says of the whole."""
    classes = record["settings"]["classes"]
    resources = _with_device(resources)
    with (
        joined(resources.cluster, versions) if resources.cluster else nullcontext() as workers,
        held(out, record),
    ):
        done = begin(
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
    write_whole(
        out / "run.json",
        json.dumps({**took, "machine": platform.machine(), "system": platform.system()}, indent=2) + "\n",
    )


def _keep(out: Path, task: Task, answered: Answered) -> None:
    """Write what a training gave."""
    outcomes, line, weights = answered
    if task.weights and weights:
        write_checkpoint(task.weights, weights)
    append(out / "trainings.csv", line)
    append(
        out / "outcomes.csv", as_text(outcomes)
    )  # last: a fold counts as done once its outcomes are on disk


def start_of(training: Training, network: str, data: Material) -> Start | None:
    """The weights that a network starts from; None where they are random."""
    return (
        start_from(training.from_, network, data.prepared, data.scheme.classes, data.people)
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


def _on_disk(data: Material) -> Material:
    """The same, all in one prepared folder: workers, reports and later studies need to know of no other kind."""
    if not isinstance(data.prepared, Pool):
        return data
    place = data.prepared.folder
    for torn in place.parent.glob(f".{place.name}.*"):  # of a run that was killed at this
        shutil.rmtree(torn, ignore_errors=True)
    return replace(data, prepared=save_pool(data.prepared))


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
    data = seen_through(
        opened(folder, weights.with_name(POOLED)), study.classes
    )  # never written: one process trains from where they lie
    training = settle(training, data.prepared, study.network)
    everybody = range(len(data.rows))
    start = start_of(training, study.network, data)
    given = data.training_set(everybody, training.phases)
    learned = train(
        study.network, given, training, progress, start.tensors if start else None, usable_device(device)
    )
    save_checkpoint(weights, learned.module, facts(study.network, data, training, everybody), half)
    losses = " ".join(map(str, learned.losses))
    return {
        "classes": ", ".join(data.scheme.classes),
        "clips": str(len(data.rows)),
        "people": str(len(set(data.people))),
        "losses": losses,
    }


def describe(
    name: str, data: Material, study: Study, training: Training, folds: Sequence[Fold], start: Start | None
) -> dict:
    """The content of `study.json`: everything needed to run the study again, and what the data were."""
    prepared = data.prepared
    named = {"folders": [str(folder) for folder in prepared.folders]} if isinstance(prepared, Pool) else {}
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
    device = usable_device(resources.device)
    return replace(resources, device=device, jobs=1 if device == "cuda" else resources.jobs)


def _answers(
    tasks: Sequence[Task], data: Material, classes: str, resources: Resources, workers: Cluster | None
) -> Generator[Answered, None, None]:
    """Answers of all tasks, in their order."""
    folder, groups = data.prepared.folder, _side_by_side(tasks, _at_once(tasks, data, resources))
    work = partial(_run_from_disk, classes=classes, device=resources.device)
    spreading = (
        spread_on(workers, work, groups, folder)
        if workers
        else spread(partial(work, folder=folder), groups, resources.jobs)
    )
    with closing(spreading):
        for answers in spreading:
            yield from answers


def _at_once(tasks: Sequence[Task], data: Material, resources: Resources) -> int:
    """How many networks to train side by side."""
    if resources.at_once != "auto":
        return resources.at_once
    if resources.device == "cpu" or not tasks:
        return 1
    size = data.prepared.size
    network = NETWORKS[tasks[0].network](len(data.scheme.classes), size)
    return (
        1
        if hasattr(network, "fit")
        else networks_that_fit(network, size, tasks[0].training.batch, torch.cuda.mem_get_info()[0])
    )


def _side_by_side(tasks: Sequence[Task], at_once: int) -> list[list[Task]]:
    """The tasks in groups to be trained at once: neighbours with the same settings whose batches have one size."""

    def alike(task: Task, other: Task) -> bool:
        sizes = {min(each.training.batch, len(each.fold.train)) for each in (task, other)}
        return len(sizes) == 1 and replace(task.training, seed=other.training.seed) == other.training

    groups: list[list[Task]] = []
    for task in tasks:
        if groups and len(groups[-1]) < at_once and alike(task, groups[-1][0]):
            groups[-1].append(task)
        else:
            groups.append([task])
    return groups


def _run_from_disk(tasks: Sequence[Task], folder: Path, classes: str, device: str) -> list[Answered]:
    return run_tasks(tasks, _material_once(folder, classes, stamp(folder)), device)


@lru_cache(maxsize=1)
def _material_once(folder: Path, classes: str, stamp: Stamp) -> Material:
    """Opening a folder reads all its images to check them: once in each process, unless the files change."""
    return material(folder, classes)


def _weights_file(out: Path, study: Study, fold: Fold, seed: int) -> Path | None:
    return (
        out / "folds" / f"{fold.name.replace('/', '-')}-seed{seed}.safetensors"
        if study.keep_weights
        else None
    )
