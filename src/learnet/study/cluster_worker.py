"""What runs on the workers of a Dask cluster: jobs, checks that the worker fits, and the copy of the prepared
folder."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from learnet.core.errors import BadInput
from learnet.core.malloc import keep_freed_memory
from learnet.datasets.prepared.store import FILES, FileStamp, file_stamp, load_prepared

Versions = Callable[[], dict[str, str]]
"""A function of a module: package -> version, of the process that calls it."""


@dataclass(frozen=True)
class ClusterJob:
    """An item of work, as it is sent to a worker."""

    item: Any
    work: Callable[..., Any]  # of an item and `folder=`
    folder: str  # path of the prepared folder where the study runs; the worker may see it there, too
    name: str  # of the folder's content (`name_of`)
    versions: Versions
    wanted: dict[str, str]  # what `described(versions)` must be


@dataclass(frozen=True)
class Unfit:
    """The result of a worker that must not take part."""

    reason: str


@dataclass(frozen=True)
class MissingData:
    """The result of a worker that does not have the prepared folder."""

    worker: str  # its address


def described(versions: Versions) -> dict[str, str]:
    """Return versions, and a digest of learnet's own code: two states of it may have one version number."""
    code = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package).as_posix()
        code.update(f"{name}\n".encode() + file.read_bytes().replace(b"\r\n", b"\n"))
    return {**versions(), "learnet's code": code.hexdigest()[:12]}


def name_of(folder: Path) -> str:
    """Return a name that two prepared folders share only if they are equal in all that a study reads.

    It is made from `clips.csv` and `prepare.json`, which holds the fingerprint of the images.
    """
    digests = []
    for file in FILES:
        if file != "images.npy":
            digests.append(hashlib.sha256((folder / file).read_bytes()).hexdigest())
    return "learnet-" + hashlib.sha256("".join(digests).encode()).hexdigest()


def unfit(versions: Versions, wanted: dict[str, str], dask_worker: Any) -> str:
    """Return why this worker must not take part; "" if it may. Dask passes the worker."""
    threads = dask_worker.state.nthreads
    if threads > 1:  # trainings draw from the process's one generator of random numbers
        return f"runs {threads} threads in one process, where only one training at a time is reproducible"
    actual = described(versions)
    for name, version in wanted.items():
        if actual.get(name) != version:
            return f"has {name} {actual.get(name, 'missing')}, and here it is {version}"
    return ""


def run_cluster_job(job: ClusterJob) -> Any:
    """Run a job, or return why not. A worker that joined late is checked here for the first time."""
    from distributed import get_worker

    keep_freed_memory()
    worker = get_worker()
    if reason := unfit(job.versions, job.wanted, worker):
        return Unfit(f"The worker {worker.address} {reason}.")
    for folder in (Path(job.folder), Path(worker.local_directory) / job.name):
        if _is_complete(folder, job.name):
            return job.work(job.item, folder=folder)
    return MissingData(worker.address)


def has_folder(name: str, dask_worker: Any) -> bool:
    """Return whether the folder was sent to this worker. Remove what an earlier attempt left."""
    storage = Path(dask_worker.local_directory)
    shutil.rmtree(storage / f"{name}.part", ignore_errors=True)
    return _is_complete(storage / name, name)


def append_chunk(name: str, file: str, chunk: bytes, dask_worker: Any) -> None:
    """Append to a file of the folder that is being sent. Only the worker's user may read it."""
    draft = Path(dask_worker.local_directory) / f"{name}.part"
    draft.mkdir(mode=0o700, exist_ok=True)
    with (draft / file).open("ab") as handle:
        handle.write(chunk)


def complete_folder(name: str, dask_worker: Any) -> None:
    """Move the folder to its place once everything was sent.

    Raises:
        ValueError: it is not what was to be sent.
    """
    storage = Path(dask_worker.local_directory)
    draft = storage / f"{name}.part"
    if not _is_complete(draft, name):
        raise ValueError("what arrived is not what was sent; was it changed meanwhile?")
    shutil.rmtree(storage / name, ignore_errors=True)
    draft.replace(storage / name)


def remove_folder(name: str, dask_worker: Any) -> None:
    """Remove what was sent: faces must not stay where nobody looks after them."""
    for sent in (name, f"{name}.part"):
        shutil.rmtree(Path(dask_worker.local_directory) / sent, ignore_errors=True)


def _is_complete(folder: Path, name: str) -> bool:
    try:
        return name_of(folder) == name and _loads(folder, file_stamp(folder))
    except OSError:
        return False


@lru_cache(maxsize=2)
def _loads(folder: Path, stamp: FileStamp) -> bool:
    """Return whether the images have the recorded fingerprint. All are read, once for each state of the
    files."""
    try:
        load_prepared(folder)
    except BadInput:
        return False
    return True
