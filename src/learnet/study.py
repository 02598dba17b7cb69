"""Folds x training -> outcomes on disk, fold by fold; a study that is killed goes on where it stopped and ends with the same bytes."""

import json
import os
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from learnet.candidates import Choice
from learnet.checkpoint import checkpoint_bytes, save_checkpoint, write_checkpoint
from learnet.clip import Fold, Outcome
from learnet.cluster import Cluster, joined, spread_on
from learnet.descent import networks_that_fit
from learnet.errors import LearnetError, pick
from learnet.facts import Facts
from learnet.material import Material, material, seen_through
from learnet.networks import NETWORKS
from learnet.outcomes import as_text, write_whole
from learnet.pooled import Pool, opened, save_pool
from learnet.prepared import Stamp, preparation_of, stamp, synthetic
from learnet.settings import Resources, Study, Training
from learnet.splits import LEAKY_EPOCH, learning_from, make_folds
from learnet.spread import spread
from learnet.start import Start, start_from
from learnet.study_folder import append, begin, close_study, held
from learnet.torch_scores import predict_scores
from learnet.training import Trained, settle, train, train_leaky, train_together

Progress = Callable[[int, int], None]  # trainings done, trainings in all
Answered = tuple[list[Outcome], str, bytes | None]  # answers to the test clips, line for `trainings.csv`, content of the checkpoint

POOLED = "pooled"  # in the folder of a study over several prepared folders: one folder of them all


@dataclass(frozen=True)
class Task:
    """One training of a study."""

    study: str
    network: str
    fold: Fold
    training: Training  # its seed is the task's
    start: bytes | None  # numbers that the network starts from, where they are not random
    weights: Path | None  # where they are to be kept; whoever ran the task may not see that place, so they come back as bytes


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
    starts = {name: start_of(own, study.network, data) for name, own in {own.from_: own for _, own in given}.items()}
    tensors = {name: start.tensors if start else None for name, start in starts.items()}
    tasks = [Task(out.name, study.network, fold, own, tensors[own.from_], _weights_file(out, study, fold, own.seed)) for fold, own in given]
    record = describe(out.name, data, study, training, folds, starts.get(training.from_))
    if choice:
        record |= {"training": {"seed": training.seed}, "choice": choice.record}  # nothing else of TRAINING had a say
    return carry_out(out, record, tasks, data, resources, progress, lambda: close_study(out, data.scheme.classes))


def ready(folder: Path | Sequence[Path], out: Path, study: Study) -> Material:
    """What a study learns from, once network, class scheme and image size are known to go together."""
    pick(NETWORKS, study.network, "network")
    data = seen_through(opened(folder, out / POOLED), study.classes)
    NETWORKS[study.network](len(data.scheme.classes), data.prepared.size)  # says that it cannot take this size before anything is written
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
    with joined(resources.cluster, versions) if resources.cluster else nullcontext() as workers, held(out, record):
        done = begin(out, record, [(task.fold.name, task.training.seed, len(task.fold.test)) for task in tasks])
        data = _on_disk(data)
        started = time.monotonic()
        answers = _answers(tasks[done:], data, classes, resources, workers)
        for finished, (task, answer) in enumerate(zip(tasks[done:], answers, strict=True), start=done + 1):
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
    write_whole(out / "run.json", json.dumps({**took, "machine": platform.machine(), "system": platform.system()}, indent=2) + "\n")


def _keep(out: Path, task: Task, answered: Answered) -> None:
    """Write what a training gave."""
    outcomes, line, weights = answered
    if task.weights and weights:
        write_checkpoint(task.weights, weights)
    append(out / "trainings.csv", line)
    append(out / "outcomes.csv", as_text(outcomes))  # last: a fold counts as done once its outcomes are on disk


def start_of(training: Training, network: str, data: Material) -> Start | None:
    """The weights that a network starts from; None where they are random."""
    return start_from(training.from_, network, data.prepared, data.scheme.classes, data.people) if training.from_ else None


def _check_trainings(given: Sequence[tuple[Fold, Training]]) -> None:
    if any(own.keep_start and fold.protocol == LEAKY_EPOCH for fold, own in given):
        raise LearnetError(f"--protocol {LEAKY_EPOCH} tests each epoch as it is; nothing goes back.", "Leave --keep-start out.")
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


def run_tasks(tasks: Sequence[Task], data: Material, device: str = "cpu") -> list[Answered]:
    """Trainings side by side and the answers to their test clips; on one thread, so that the numbers do not depend on the cores.

    Where a GPU has too little memory for all of them at once, it gets half of them at a time, and a warning says so.

    Returns:
        For each task the outcomes, the training's line for `trainings.csv`, and the content of its checkpoint where it keeps weights.

    Raises:
        LearnetError: a GPU that cannot hold even one.
    """
    torch.set_num_threads(1)
    sets, trainings = [data.training_set(task.fold.train, task.training.phases) for task in tasks], [task.training for task in tasks]
    if tasks[0].fold.protocol == LEAKY_EPOCH:
        tested = [data.training_set(task.fold.test) for task in tasks]
        leaky = [train_leaky(tasks[0].network, *given, device, tasks[0].start) for given in zip(sets, tested, trainings, strict=True)]
        return [_answered(task, made, data) for task, made in zip(tasks, leaky, strict=True)]
    try:
        learned = train_together(tasks[0].network, sets, trainings, device, start=tasks[0].start)
    except torch.OutOfMemoryError:
        half = len(tasks) // 2
        if half == 0:
            raise LearnetError(
                "The GPU has too little memory to train one network.", "Ask for --device cpu, or a smaller --batch."
            ) from None
        warnings.warn(f"The GPU has too little memory for {len(tasks)} networks at once; {len(tasks) - half} are tried.", stacklevel=2)
        return [*run_tasks(tasks[:half], data, device), *run_tasks(tasks[half:], data, device)]
    return [_answered(task, made, data) for task, made in zip(tasks, learned, strict=True)]


def _answered(task: Task, learned: Trained, data: Material) -> Answered:
    """A trained network's answers to its test clips, and the training's line."""
    test = data.training_set(task.fold.test)
    scores = predict_scores(learned.module, test.images, task.training.mirror_when_tested, task.training.levelled)
    kept = checkpoint_bytes(learned.module, facts(task.network, data, task.training, task.fold.train)) if task.weights else None
    loss = f"{learned.losses[-1]:.6f}" if learned.losses else ""
    line = f"{task.fold.name},{task.training.seed},{len(task.fold.train)},{len(task.fold.test)},{learned.epochs},{loss}\n"
    return outcomes_of(task.study, task.fold.name, task.training.seed, data, task.fold.test, scores), line, kept


def outcomes_of(
    study: str, fold: str, seed: int, data: Material, positions: Sequence[int], scores: Float64[np.ndarray, "N K"]
) -> list[Outcome]:
    """Scores of the images at these positions as outcomes: the prediction is the class of the highest score."""
    classes = data.scheme.classes
    table = data.prepared.clips.iloc[[data.rows[i] for i in positions]]
    rows = zip(table["clip"], table["dataset"], table["person"], positions, scores, strict=True)
    return [
        Outcome(study, fold, seed, clip, dataset, person, data.truth[i], classes[int(row.argmax())], tuple(map(float, row)))
        for clip, dataset, person, i, row in rows
    ]


def train_on_all(
    folder: Path | Sequence[Path], weights: Path, study: Study, training: Training, progress: Progress | None = None, half: bool = False
) -> dict[str, str]:
    """Train one network on everybody in a prepared folder, or in several, and write its checkpoint. Its score on them says nothing.

    Args:
        folder: prepared folder, or several.
        weights: checkpoint to write.
        study: network and classes.
        training: settings.
        progress: called after each epoch.
        half: write numbers in half precision.

    Returns:
        What was learned from: classes, clips, people; and `losses`, the mean of each epoch, one after the other.
    """
    pick(NETWORKS, study.network, "network")
    data = seen_through(opened(folder, weights.with_name(POOLED)), study.classes)  # never written: one process trains from where they lie
    training = settle(training, data.prepared, study.network)
    everybody = range(len(data.rows))
    start = start_of(training, study.network, data)
    learned = train(study.network, data.training_set(everybody, training.phases), training, progress, start.tensors if start else None)
    save_checkpoint(weights, learned.module, facts(study.network, data, training, everybody), half)
    losses = " ".join(map(str, learned.losses))
    return {"classes": ", ".join(data.scheme.classes), "clips": str(len(data.rows)), "people": str(len(set(data.people))), "losses": losses}


def facts(network: str, data: Material, training: Training, positions: Sequence[int]) -> Facts:
    """What a checkpoint says of itself."""
    return Facts(
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


def _learned_people(data: Material, positions: Sequence[int]) -> dict[str, str]:
    """Whom a network has learned from, so that they are never taken for strangers; simulated images show nobody."""
    if data.prepared.about.get("simulated"):
        return {}
    return {"people": "\n".join(sorted({data.people[i] for i in positions}))}


def _faces(data: Material, positions: Sequence[int]) -> str:
    """Who cropped the faces: `given` by the owners of the clips, `found` by learnet, or `both`; empty where that is not known."""
    if data.prepared.about["imported"]:
        return ""
    faces = {"given" if data.prepared.clips["face"].iloc[data.rows[i]] == "given" else "found" for i in positions}
    return faces.pop() if len(faces) == 1 else "both"


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    names = ("learnet", "torch", "numpy", "scikit-learn", "opencv-python-headless", "av")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def describe(name: str, data: Material, study: Study, training: Training, folds: Sequence[Fold], start: Start | None) -> dict:
    """The content of `study.json`: everything needed to run the study again, and what the data were."""
    prepared = data.prepared
    named = {"folders": [str(folder) for folder in prepared.folders]} if isinstance(prepared, Pool) else {}
    seeds = [training.seed + run for run in range(study.seeds)]
    drawn = {seed: learning_from(folds, study.learn_from, seed) for seed in seeds} if study.learn_from else {}
    return {
        "study": name,
        "network": study.network,
        "protocol": study.protocol,
        "scheme": {"name": data.scheme.name, "classes": list(data.scheme.classes), "source": data.scheme.source},
        "seeds": seeds,
        "settings": asdict(study),
        "training": asdict(training),
        "start": start.about if start else None,
        "prepared": {"folder": str(prepared.folder), **named, "fingerprint": prepared.about["fingerprint"], "about": prepared.about},
        "folds": [
            {
                "name": fold.name,
                "train_people": fold.learned,
                "test_people": sorted({fold.people[i] for i in fold.test}),
                "train_clips": len(fold.train),
                "test_clips": len(fold.test),
                **({"learned_from": {str(seed): there[place].learned for seed, there in drawn.items()}} if drawn else {}),
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
    if resources.device == "cuda" and not torch.cuda.is_available():
        raise LearnetError("There is no GPU that this PyTorch can use.", "Leave --device out, or ask for cpu.")
    if resources.device == "cpu" or not torch.cuda.is_available():
        return replace(resources, device="cpu")
    return replace(resources, device="cuda", jobs=1)


def _answers(tasks: Sequence[Task], data: Material, classes: str, resources: Resources, workers: Cluster | None) -> Iterator[Answered]:
    """Answers of all tasks, in their order."""
    folder, groups = data.prepared.folder, _side_by_side(tasks, _at_once(tasks, data, resources))
    work = partial(_run_from_disk, classes=classes, device=resources.device)
    spreading = spread_on(workers, work, groups, folder) if workers else spread(partial(work, folder=folder), groups, resources.jobs)
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
    return 1 if hasattr(network, "fit") else networks_that_fit(network, size, tasks[0].training.batch, torch.cuda.mem_get_info()[0])


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
    return out / "folds" / f"{fold.name.replace('/', '-')}-seed{seed}.safetensors" if study.keep_weights else None
