"""Studies: a network trained and tested on every fold, with each fold's outcomes on disk as soon as it is
finished.

A study that is killed continues where it stopped and ends with the same bytes.
"""

import shutil
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from learnet.core.errors import pick
from learnet.core.files import check_still_there, write_atomically
from learnet.core.parallel import parallel_map
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.concat import ConcatDataset, open_datasets, save_concatenated
from learnet.datasets.prepared.store import FileStamp, file_stamp
from learnet.metrics.study_metrics import StudyMetrics
from learnet.networks import NETWORKS
from learnet.study.candidates import SelectedTraining
from learnet.study.cluster import Cluster, connect, parallel_map_on_cluster
from learnet.study.describe import describe_study, versions
from learnet.study.description import DESCRIPTION_FILE, StudyDescription
from learnet.study.finished import FinishedFold, append_finished
from learnet.study.folder import (
    POOLED,
    RUN_FILE,
    close_study,
    lock_study_folder,
    open_study_folder,
    write_run,
)
from learnet.study.jobs import FoldJob, FoldResult, describe_jobs, run_jobs
from learnet.study.labelled import LabelledDataset, apply_class_scheme, load_labelled_dataset
from learnet.study.plan import job_batches, plan_trainings, resolve_resources
from learnet.training.train import resolve_training

Progress = Callable[[int, int], None]  # trainings done, trainings in all


@dataclass(frozen=True)
class StudyPlan:
    """A study folder, and the trainings that fill it."""

    out: Path
    description: StudyDescription
    jobs: Sequence[FoldJob]
    data: LabelledDataset


def run_study(
    folder: str | Path | Sequence[str | Path],
    out: str | Path,
    study: Study,
    training: Training | SelectedTraining,
    resources: Resources = Resources(),
    progress: Progress | None = None,
) -> StudyMetrics:
    """Train and test a network once per fold and seed, and keep every outcome.

    Args:
        folder: prepared folder, or several, which are concatenated: one study over the people of all.
        out: study folder; made, or continued where the same study was interrupted.
        study: network, protocol, classes, seeds.
        training: how each network is trained; the same settings for every fold, so nothing can follow the
            person tested. Or settings for each person that were selected on other people.
        resources: where the trainings run.
        progress: called after each training.

    Returns:
        The content of `metrics.json` (`metrics.summary.summarise`).

    Raises:
        OutputTaken: `out` holds another study.
        LearnetError: the prepared folders, the settings, the selection or the cluster do not work.
    """
    out = Path(out)
    resources = resolve_resources(resources)
    data = load_study_dataset(folder, out, study)
    selection = None
    if isinstance(training, SelectedTraining):
        selection, training = training.selection, Training(seed=training.seed)
        selection.check_study(study, data.scheme.classes, data.prepared.record.fingerprint)
    training = resolve_training(training, data.prepared, study.network)
    plan = plan_trainings(data, study, training, selection, out)
    description = describe_study(out.name, data, study, training, plan.folds, plan.initial_weights)
    if selection:
        description = replace(description, choice=selection, network=selection.study_network)
    run_jobs_to_disk(StudyPlan(out, description, plan.jobs, data), resources, progress)
    return close_study(out, data.scheme.classes)


def load_study_dataset(folder: str | Path | Sequence[str | Path], out: Path, study: Study) -> LabelledDataset:
    """Open the data of a study, and check that network, class scheme and image size go together."""
    pick(NETWORKS, study.network, "network")
    data = apply_class_scheme(open_datasets(folder, out / POOLED), study.classes)
    # Making the network refuses an image size that it does not accept, before anything is written.
    NETWORKS[study.network](len(data.scheme.classes), data.prepared.size)
    return data


def run_jobs_to_disk(plan: StudyPlan, resources: Resources, progress: Progress | None) -> None:
    """Run the jobs of a plan that are not finished, and write each result as it comes.

    Raises:
        OutputTaken: the study folder holds another study.
    """
    resources = resolve_resources(resources)
    connection = connect(resources.cluster, versions) if resources.cluster else nullcontext()
    with connection as cluster, lock_study_folder(plan.out, plan.description):
        planned = [job.planned(plan.data) for job in plan.jobs]
        done = open_study_folder(plan.out, plan.description, planned)
        started = time.monotonic()
        rest = replace(plan, jobs=plan.jobs[done:], data=_on_disk(plan.data))
        with closing(_results(rest, resources, cluster)) as results:
            for finished, (job, result) in enumerate(zip(rest.jobs, results, strict=True), start=done + 1):
                _write_result(plan.out, job, result)
                if progress:
                    progress(finished, len(plan.jobs))
        # A study that was complete already keeps the time that it took, unless a kill came before that.
        if rest.jobs or not (plan.out / RUN_FILE).is_file():
            seconds = round(time.monotonic() - started, 1)
            cost = {"trainings": len(rest.jobs), "seconds": seconds, "device": resources.device}
            check_still_there(plan.out / DESCRIPTION_FILE)
            write_run(plan.out, cost)


def _write_result(out: Path, job: FoldJob, result: FoldResult) -> None:
    check_still_there(out / DESCRIPTION_FILE)
    if job.checkpoint and result.checkpoint:
        write_atomically(job.checkpoint, result.checkpoint)
    append_finished(out, FinishedFold(result.training_row, result.outcomes))


def _on_disk(data: LabelledDataset) -> LabelledDataset:
    """Return the same data in one prepared folder: workers, reports and later studies expect one."""
    if not isinstance(data.prepared, ConcatDataset):
        return data
    target = data.prepared.folder
    for leftover in target.parent.glob(f".{target.name}.*"):  # of a kill; only this process works here
        shutil.rmtree(leftover, ignore_errors=True)
    return replace(data, prepared=save_concatenated(data.prepared))


def _results(
    plan: StudyPlan, resources: Resources, cluster: Cluster | None
) -> Generator[FoldResult, None, None]:
    """Yield the result of each job, in the order of the jobs."""
    folder = plan.data.prepared.folder
    batches = job_batches(plan.jobs, plan.data, resources)
    settings = plan.description.settings
    assert isinstance(settings, Study)
    work = partial(_run_from_disk, classes=settings.classes, device=resources.device)
    if cluster:
        mapped = parallel_map_on_cluster(cluster, work, batches, folder)
    else:
        names = [describe_jobs(batch) for batch in batches]
        mapped = parallel_map(partial(work, folder=folder), batches, resources.jobs, names=names)
    with closing(mapped):
        for results in mapped:
            yield from results


def _run_from_disk(jobs: Sequence[FoldJob], folder: Path, classes: str, device: str) -> list[FoldResult]:
    return run_jobs(jobs, _load_once(folder, classes, file_stamp(folder)), device)


@lru_cache(maxsize=1)
def _load_once(folder: Path, classes: str, stamp: FileStamp) -> LabelledDataset:
    """Load a prepared folder once in each process, unless its files change: loading reads all images to check
    them."""
    return load_labelled_dataset(folder, classes)
