"""Independent jobs on the workers of a Dask cluster, with results in the order of the jobs. Workers may die
on the way.

This uses `distributed` itself and not joblib's dask backend. That one returns ordered results and survives a
worker that is killed, but where Dask gives a job up (its workers died each time, or the scheduler is gone)
joblib 1.6 does not notice and waits for ever; and it cannot ask a worker whether it has the data.
"""

import concurrent.futures
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from learnet.core.errors import LearnetError
from learnet.core.extras import missing_library
from learnet.datasets.prepared.store import files_of
from learnet.study import cluster_worker
from learnet.study.cluster_address import check_scheduler
from learnet.study.cluster_worker import ClusterJob, MissingData, Unfit, Versions

Result = TypeVar("Result")

CONNECT_TIMEOUT_S = 5.0  # for a scheduler to answer and for a first worker to be there
NO_WORKERS_TIMEOUT_S = 60.0  # before a study gives up: a worker that is restarted needs some seconds
POLL_S = 5.0  # between checks of who is still there
JOBS_PER_THREAD = 3  # one runs, two wait; few, since results that are early are kept in memory
CHUNK_BYTES = 32 * 2**20  # sent to a worker at a time

CONTINUES = "What is finished is kept: the same command continues where it stopped."
START_WORKERS = "Start some: `dask worker tcp://HOST:PORT --nthreads 1 --nworkers N`."


@dataclass(frozen=True)
class Cluster:
    """A scheduler that answers, with workers that fit."""

    address: str
    client: Any  # distributed.Client
    versions: Versions
    cleanup: ExitStack  # what is done before the connection is closed


@contextmanager
def connect(address: str, versions: Versions) -> Iterator[Cluster]:
    """Join a Dask cluster for as long as the block lasts.

    Args:
        address: of the scheduler: "tcp://127.0.0.1:PORT" on this machine, or "tls://HOST:PORT" where Dask's
            own configuration names the keys.
        versions: what numbers depend on; every worker must give the same answer.

    Raises:
        MissingLibrary: `distributed` is not installed.
        LearnetError: no scheduler answers, or somebody else could; there are no workers; a worker has
            other versions, or runs several threads in one process.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise missing_library(error, "--cluster") from None
    with _client_log_silenced():
        try:
            check_scheduler(address, CONNECT_TIMEOUT_S)
            client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or f"no answer in {CONNECT_TIMEOUT_S:.0f} seconds"
            raise LearnetError(
                f"No Dask scheduler answers at {address} ({reason}).",
                "Start one with `dask scheduler`, or correct the address (--cluster).",
            ) from None
        try:
            with ExitStack() as cleanup:
                cluster = Cluster(address, client, versions, cleanup)
                _check_workers(cluster)
                yield cluster
        finally:
            # The scheduler then drops the jobs that are not begun; a training that is running is finished.
            client.close()


@contextmanager
def _client_log_silenced() -> Iterator[None]:
    """Silence Dask's log of the client: errors are raised in one line instead."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def parallel_map_on_cluster(
    cluster: Cluster, work: Callable[..., Result], items: Sequence[Any], folder: Path
) -> Generator[Result, None, None]:
    """Call `work` on every item, on the workers of a cluster. Items whose worker dies are given to another.

    A worker opens the prepared folder at the same path if it is there with the same content. Otherwise its
    content is sent, once to each worker, into the worker's own directory, and removed in the end.

    Args:
        cluster: from `connect`.
        work: function of a module, or a `functools.partial` of one; called with an item and `folder=`, the
            prepared folder as the worker sees it.
        items: nothing may depend on the order in which they are worked on.
        folder: prepared folder.

    Yields:
        The results, in the order of the items, each as soon as it and all before it are there.

    Raises:
        LearnetError: the cluster cannot continue: its scheduler or all its workers are gone, a worker joined
            that does not fit, a worker cannot store the prepared folder, or several workers died of one item.
            Errors of `work` are raised as they are.
    """
    name = cluster_worker.name_of(folder)
    wanted = cluster_worker.described(cluster.versions)
    running: dict[Any, int] = {}  # future -> index of its item
    early: dict[int, Result] = {}  # results whose turn has not come

    def submit(index: int) -> None:
        absolute = str(folder.absolute())
        job = ClusterJob(items[index], work, absolute, name, cluster.versions, wanted)
        running[cluster.client.submit(cluster_worker.run_cluster_job, job, pure=False)] = index

    submitted = 0
    cluster.cleanup.callback(_remove_sent_folder, cluster, name)
    for turn in range(len(items)):
        while True:
            threads = sum(_ask(cluster, cluster.client.nthreads).values())
            most = min(len(items), turn + JOBS_PER_THREAD * max(threads, 1))
            for index in range(submitted, most):
                submit(index)
            submitted = max(submitted, most)
            if turn in early:
                break
            for future in _finished(cluster, running):
                index, result = running.pop(future), _result(cluster, future)
                if isinstance(result, MissingData):
                    _send(cluster, folder, name, result.worker)
                    submit(index)
                else:
                    early[index] = result
        yield early.pop(turn)


def _check_workers(cluster: Cluster) -> None:
    """Refuse a cluster without workers, or with one that would give other numbers."""
    try:
        cluster.client.wait_for_workers(1, timeout=CONNECT_TIMEOUT_S)
    except TimeoutError:
        raise LearnetError(f"The scheduler at {cluster.address} has no workers.", START_WORKERS) from None
    wanted = cluster_worker.described(cluster.versions)
    reasons = cluster.client.run(cluster_worker.unfit, cluster.versions, wanted, on_error="return")
    for worker, reason in sorted(reasons.items()):
        if isinstance(reason, str) and reason:
            raise _unfit_error(f"The worker {worker} {reason}.")
        if reason:
            raise _unfit_error(f"The worker {worker} cannot run this learnet ({reason}).")


def _unfit_error(what: str) -> LearnetError:
    return LearnetError(what, "Stop it, or restart it in the same environment as here, with --nthreads 1.")


def _finished(cluster: Cluster, running: dict[Any, int]) -> list[Any]:
    """Return futures that are done, at least one. Without workers, wait for them only for a limited time."""
    from distributed import wait

    without_workers_s = 0.0
    while without_workers_s < NO_WORKERS_TIMEOUT_S:
        try:
            with cluster.client.as_current():
                return list(wait(list(running), timeout=POLL_S, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            has_workers = bool(_ask(cluster, cluster.client.nthreads))
            without_workers_s = 0.0 if has_workers else without_workers_s + POLL_S
        except concurrent.futures.CancelledError:
            raise _lost_scheduler(cluster) from None
    what = f"The scheduler at {cluster.address} has had no workers for {NO_WORKERS_TIMEOUT_S:.0f} seconds."
    raise LearnetError(what, CONTINUES)


def _result(cluster: Cluster, future: Any) -> Any:
    """Return the result of a job that is done."""
    from distributed import KilledWorker

    try:
        result = future.result()
    except KilledWorker as error:
        tries, last = error.allowed_failures + 1, error.last_worker.address
        what = f"A training was given up: {tries} workers died while they ran it, {last} last."
        raise LearnetError(what, f"Their logs say why; often it is --memory-limit. {CONTINUES}") from None
    except concurrent.futures.CancelledError:
        raise _lost_scheduler(cluster) from None
    except ModuleNotFoundError as error:
        raise _unfit_error(f"A worker cannot run this learnet ({error}). {CONTINUES}") from None
    if isinstance(result, Unfit):
        raise _unfit_error(f"{result.reason} {CONTINUES}")
    return result


def _ask(cluster: Cluster, question: Callable[[], dict]) -> dict:
    """Ask the scheduler something.

    Raises:
        LearnetError: it does not answer.
    """
    try:
        return question()
    except (OSError, concurrent.futures.CancelledError):
        raise _lost_scheduler(cluster) from None


def _lost_scheduler(cluster: Cluster) -> LearnetError:
    return LearnetError(f"The scheduler at {cluster.address} no longer answers.", CONTINUES)


def _send(cluster: Cluster, folder: Path, name: str, worker: str) -> None:
    """Send the prepared folder to a worker, unless it has it by now or died meanwhile."""
    try:
        (has_folder,) = cluster.client.run(cluster_worker.has_folder, name, workers=[worker]).values()
        if has_folder:
            return
        for file in files_of(folder):
            with (folder / file).open("rb") as handle:
                for chunk in iter(partial(handle.read, CHUNK_BYTES), b""):
                    cluster.client.run(cluster_worker.append_chunk, name, file, chunk, workers=[worker])
        cluster.client.run(cluster_worker.complete_folder, name, workers=[worker])
    except (OSError, ValueError) as error:  # ValueError: no worker of that address
        if worker in _ask(cluster, cluster.client.nthreads):
            what = f"The prepared folder cannot be sent to the worker {worker} ({error})."
            raise LearnetError(what, CONTINUES) from error


def _remove_sent_folder(cluster: Cluster, name: str) -> None:
    # Without a scheduler, workers end, and Dask removes their folders.
    with suppress(OSError, concurrent.futures.CancelledError):
        cluster.client.run(cluster_worker.remove_folder, name, on_error="ignore")
