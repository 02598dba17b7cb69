"""Independent pieces of work on the workers of a Dask cluster, answers in the order of the pieces; a worker
may die on the way.

This stands on `distributed` itself and not on joblib's dask backend. That one gives ordered answers and
survives a worker that is killed, but where Dask gives a piece up (its workers died each time, or the
scheduler is gone) joblib 1.6 is never told and waits for ever; and it cannot ask a worker whether it has the
data.
"""

import asyncio
import concurrent.futures
import hashlib
import logging
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from learnet.core.errors import BadInput, LearnetError
from learnet.core.malloc import keep_freed_memory
from learnet.datasets.prepared.store import FILES, FileStamp, file_stamp, files_of, load_prepared

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")
Versions = Callable[
    [], dict[str, str]
]  # a function of a module: package -> version, of the process that calls it

PATIENCE_S = 5.0  # for a scheduler to answer and for a first worker to be there
ALONE_S = (
    60.0  # with no worker left, before a study gives up: a worker that is started anew needs some seconds
)
LOOK_S = 5.0  # between looks at who is still there
AHEAD = 3  # pieces in flight for each thread: one is worked on, two wait. Few, since answers that are early are kept in memory
CHUNK = 32 * 2**20  # bytes sent to a worker at a time

GOES_ON = "What is finished is kept: the same command goes on where it stopped."
START_WORKERS = "Start some: `dask worker tcp://HOST:PORT --nthreads 1 --nworkers N`."


@dataclass(frozen=True)
class Cluster:
    """A scheduler that answers, with workers that fit."""

    address: str
    client: Any  # distributed.Client
    versions: Versions
    after: ExitStack  # what is to be done before it is left


@dataclass(frozen=True)
class ClusterJob:
    """What travels to a worker with every piece."""

    piece: Any
    work: Callable[..., Any]  # of a piece and `folder=`
    folder: str  # where the prepared folder lies at home; it may lie there for the worker, too
    name: str  # what the folder must be (`name_of`)
    versions: Versions
    wanted: dict[str, str]  # what `described(versions)` must say


@dataclass(frozen=True)
class Unfit:
    """A worker's answer: it must not take part, and why."""

    why: str


@dataclass(frozen=True)
class Without:
    """A worker's answer: it does not have the prepared folder."""

    worker: str  # its address


@contextmanager
def connect(address: str, versions: Versions) -> Iterator[Cluster]:
    """Join a Dask cluster for as long as the block lasts.

    Args: address: of the scheduler: "tcp://HOST:PORT", or "tls://HOST:PORT" where Dask's own configuration
        names the keys. versions: what numbers depend on; every worker must give the same answer.

    Raises:
        LearnetError: `distributed` is not installed; nobody answers; there are no workers; a worker has other
            versions, or runs several threads in one process.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise LearnetError(
            "A cluster needs Dask, which is not installed.", "pip install 'learnet[cluster]'"
        ) from None
    with _client_log_silenced():
        try:
            _look_for_scheduler(address)
            client = Client(address, timeout=PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            why = " ".join(str(error).split()) or f"nothing came back in {PATIENCE_S:.0f} seconds"
            raise LearnetError(
                f"No Dask scheduler answers at {address} ({why}).",
                "Start one with `dask scheduler`, or correct --cluster.",
            ) from None
        try:
            with ExitStack() as after:
                cluster = Cluster(address, client, versions, after)
                _inspect(cluster)
                yield cluster
        finally:
            # The scheduler then drops what is not begun; a training that is under way runs to its end.
            client.close()


@contextmanager
def _client_log_silenced() -> Iterator[None]:
    """Silence Dask's log of the client: what goes wrong is raised as an error of one line."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def parallel_map_on_cluster(
    cluster: Cluster, work: Callable[..., Answer], pieces: Sequence[Any], folder: Path
) -> Generator[Answer, None, None]:
    """Do WORK on every piece, on the workers of a cluster; pieces whose worker dies are done again by
    another.

    A worker opens the prepared folder at the same path where it lies there with the same content; otherwise
    its content is sent, once to each worker, into the worker's own directory, and removed in the end.

    Args:
        cluster: joined.
        work: function of a module, or a `functools.partial` of one; called with a piece and `folder=`, the
            prepared folder as the worker sees it.
        pieces: what is to be done; nothing may depend on the order in which it is done.
        folder: prepared folder.

    Yields:
        The answers, in the order of the pieces, each as soon as it and all before it are there.

    Raises:
        LearnetError: the cluster cannot go on: its scheduler or all its workers are gone, a worker joined
            that does not fit, a worker cannot store the prepared folder, or a piece has cost several workers
            their life. Errors of WORK come as they are.
    """
    name = name_of(folder)
    wanted = described(cluster.versions)
    running: dict[Any, int] = {}  # future -> position of its piece
    early: dict[int, Answer] = {}  # answers whose turn has not come

    def begin(place: int) -> None:
        errand = ClusterJob(pieces[place], work, str(folder.absolute()), name, cluster.versions, wanted)
        running[cluster.client.submit(_perform, errand, pure=False)] = place

    begun = 0
    cluster.after.callback(_clear_away, cluster, name)
    for turn in range(len(pieces)):
        while True:
            threads = sum(_asked(cluster, cluster.client.nthreads).values())
            for _ in range(min(len(pieces), turn + AHEAD * max(threads, 1)) - begun):
                begin(begun)
                begun += 1
            if turn in early:
                break
            for future in _finished(cluster, running):
                place, answer = running.pop(future), _answer(cluster, future)
                if isinstance(answer, Without):
                    _send(cluster, folder, name, answer.worker)
                    begin(place)
                else:
                    early[place] = answer
        yield early.pop(turn)


def described(versions: Versions) -> dict[str, str]:
    """Versions, and a digest of learnet's own code: two states of it may carry one number."""
    code = hashlib.sha256()
    home = Path(__file__).parents[1]
    for file in sorted(home.rglob("*.py")):
        code.update(
            f"{file.relative_to(home).as_posix()}\n".encode() + file.read_bytes().replace(b"\r\n", b"\n")
        )
    return {**versions(), "learnet's code": code.hexdigest()[:12]}


def name_of(folder: Path) -> str:
    """A name that two prepared folders share only if they are equal in all that a study reads.

    It is made from `clips.csv` and `prepare.json`, which holds the fingerprint of the images (`load_prepared`
    compares them).
    """
    parts = [
        hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in FILES if file != "images.npy"
    ]
    return "learnet-" + hashlib.sha256("".join(parts).encode()).hexdigest()


def _look_for_scheduler(address: str) -> None:
    """Ask who is there. `Client` would wait for ever at a port that is open and does not speak Dask.

    Raises:
        OSError: nobody answers in time.
        ValueError: this is no address, or somebody else's.
    """
    from distributed import rpc
    from distributed.comm import get_address_host_port
    from distributed.security import Security

    get_address_host_port(address)
    keys = Security().get_connection_args("client")
    if address.startswith("tls:") and keys["ssl_context"] is None:
        raise ValueError("Dask's configuration names no certificates for TLS")

    async def who() -> str:
        async with rpc(address, connection_args=keys, timeout=PATIENCE_S) as there:
            return (await there.identity())["type"]

    with concurrent.futures.ThreadPoolExecutor(
        1
    ) as apart:  # where a loop is running already, as in a notebook, this one runs beside it
        try:
            kind = apart.submit(asyncio.run, asyncio.wait_for(who(), PATIENCE_S)).result()
        except (ValueError, MemoryError):  # the first bytes are taken for lengths
            raise ValueError("what answers there does not speak Dask") from None
    if kind != "Scheduler":
        raise ValueError(f"it is the address of a {kind.lower()}")


def _inspect(cluster: Cluster) -> None:
    """Refuse a cluster without workers, or with one that would give other numbers."""
    try:
        cluster.client.wait_for_workers(1, timeout=PATIENCE_S)
    except TimeoutError:
        raise LearnetError(f"The scheduler at {cluster.address} has no workers.", START_WORKERS) from None
    found = cluster.client.run(_unfit, cluster.versions, described(cluster.versions), on_error="return")
    for worker, why in sorted(found.items()):
        if why:
            raise _refusal(
                f"The worker {worker} {why if isinstance(why, str) else f'cannot run this learnet ({why})'}."
            )


def _refusal(what: str) -> LearnetError:
    return LearnetError(what, "Stop it, or start it anew in the same environment as here, with --nthreads 1.")


def _unfit(versions: Versions, wanted: dict[str, str], dask_worker: Any) -> str:
    """Why this worker must not take part; "" if it may. Runs on the worker; Dask fills in the worker."""
    if dask_worker.state.nthreads > 1:  # trainings draw from the process's one generator of random numbers
        return f"runs {dask_worker.state.nthreads} threads in one process, where only one training at a time gives the same numbers twice"
    found = described(versions)
    other = [
        f"{name} {found.get(name, 'missing')}, and here it is {wanted[name]}"
        for name in wanted
        if found.get(name) != wanted[name]
    ]
    return f"has {other[0]}" if other else ""


def _perform(errand: ClusterJob) -> Any:
    """One piece of work, or why not. Runs on the worker; one that joined late is looked at here for the first
    time."""
    from distributed import get_worker

    keep_freed_memory()
    worker = get_worker()
    if why := _unfit(errand.versions, errand.wanted, worker):
        return Unfit(f"The worker {worker.address} {why}.")
    for folder in (Path(errand.folder), Path(worker.local_directory) / errand.name):
        if _is_whole(folder, errand.name):
            return errand.work(errand.piece, folder=folder)
    return Without(worker.address)


def _is_whole(folder: Path, name: str) -> bool:
    try:
        return name_of(folder) == name and _loads(folder, file_stamp(folder))
    except OSError:
        return False


@lru_cache(maxsize=2)
def _loads(folder: Path, state: FileStamp) -> bool:
    """Whether the images are those of the fingerprint. They are read in full, so once is enough for a state
    of the files."""
    try:
        load_prepared(folder)
    except BadInput:
        return False
    return True


def _finished(cluster: Cluster, running: dict[Any, int]) -> list[Any]:
    """Futures that are done, at least one; patient while there are workers, and a little while there are
    none."""
    from distributed import wait

    alone_s = 0.0
    while alone_s < ALONE_S:
        try:
            with cluster.client.as_current():
                return list(wait(list(running), timeout=LOOK_S, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            alone_s = 0.0 if _asked(cluster, cluster.client.nthreads) else alone_s + LOOK_S
        except concurrent.futures.CancelledError:
            raise _gone(cluster) from None
    raise LearnetError(
        f"The scheduler at {cluster.address} has had no workers for {ALONE_S:.0f} seconds.", GOES_ON
    )


def _answer(cluster: Cluster, future: Any) -> Any:
    """What a piece gave, once it is done."""
    from distributed import KilledWorker

    try:
        answer = future.result()
    except KilledWorker as error:
        tries = error.allowed_failures + 1
        what = f"A training was given up: {tries} workers died while they were at it, {error.last_worker.address} last."
        raise LearnetError(what, f"Their logs say why; often it is --memory-limit. {GOES_ON}") from None
    except concurrent.futures.CancelledError:
        raise _gone(cluster) from None
    except ModuleNotFoundError as error:
        raise _refusal(f"A worker cannot run this learnet ({error}). {GOES_ON}") from None
    if isinstance(answer, Unfit):
        raise _refusal(f"{answer.why} {GOES_ON}")
    return answer


def _asked(cluster: Cluster, question: Callable[[], dict]) -> dict:
    try:
        return question()
    except (OSError, concurrent.futures.CancelledError):
        raise _gone(cluster) from None


def _gone(cluster: Cluster) -> LearnetError:
    return LearnetError(f"The scheduler at {cluster.address} no longer answers.", GOES_ON)


def _send(cluster: Cluster, folder: Path, name: str, worker: str) -> None:
    """Give a worker the prepared folder. One that has it by now is left alone; one that died meanwhile,
    too."""
    try:
        (held,) = cluster.client.run(_holds, name, workers=[worker]).values()
        if held:
            return
        for file in files_of(folder):
            with (folder / file).open("rb") as handle:
                for chunk in iter(partial(handle.read, CHUNK), b""):
                    cluster.client.run(_take_in, name, file, chunk, workers=[worker])
        cluster.client.run(_settle, name, workers=[worker])
    except (OSError, ValueError) as error:  # ValueError: no worker of that address
        if worker in _asked(cluster, cluster.client.nthreads):
            raise LearnetError(
                f"The worker {worker} cannot be given the prepared folder ({error}).", GOES_ON
            ) from error


def _clear_away(cluster: Cluster, name: str) -> None:
    with suppress(
        OSError, concurrent.futures.CancelledError
    ):  # no scheduler: workers end with it, and Dask removes their folders
        cluster.client.run(_forget, name, on_error="ignore")


def _holds(name: str, dask_worker: Any) -> bool:
    """Whether the folder was sent here; if not, what an earlier sending left is cleared away. Runs on the
    worker."""
    place = Path(dask_worker.local_directory)
    shutil.rmtree(place / f"{name}.part", ignore_errors=True)
    return _is_whole(place / name, name)


def _take_in(name: str, file: str, chunk: bytes, dask_worker: Any) -> None:
    """Add to a file of the folder. Runs on the worker; only its user may read there."""
    place = Path(dask_worker.local_directory) / f"{name}.part"
    place.mkdir(mode=0o700, exist_ok=True)
    with (place / file).open("ab") as handle:
        handle.write(chunk)


def _settle(name: str, dask_worker: Any) -> None:
    """Put the folder in its place if it is what was promised. Runs on the worker."""
    place = Path(dask_worker.local_directory)
    if not _is_whole(place / f"{name}.part", name):
        raise ValueError("what arrived is not what was sent; was it changed meanwhile?")
    shutil.rmtree(place / name, ignore_errors=True)
    (place / f"{name}.part").replace(place / name)


def _forget(name: str, dask_worker: Any) -> None:
    """Remove what was sent: faces do not stay where nobody looks after them. Runs on the worker."""
    for part in (name, f"{name}.part"):
        shutil.rmtree(Path(dask_worker.local_directory) / part, ignore_errors=True)
