"""Independent pieces of work on many processes."""

import os
import re
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Generic, TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from learnet.core.errors import LearnetError
from learnet.core.malloc import keep_freed_memory

Item = TypeVar("Item")
Result = TypeVar("Result")

EXPECTED_WARNINGS = (
    # A worker is restarted once it has grown by 300 MB, as one does that loads torch. Nothing is lost.
    "A worker stopped while some jobs were given",
    # Items were given up when the generator was closed, as after Ctrl-C, which is what was requested.
    ".*tasks which were still being processed by the workers have been cancelled",
)


def parallel_map(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    ordered: bool = True,
    names: Sequence[str] = (),
) -> Generator[Result, None, None]:
    """Call `work` on every item, on several processes.

    Args:
        work: function of a module, or a `functools.partial` of one; its arguments and results travel
            between processes.
        items: nothing may depend on the order in which they are worked on.
        jobs: processes; -1 is one per core.
        ordered: yield the results in the order of the items, each as soon as it and all before it are
            there; else as they are made.
        names: of the items, for messages; none if the items have none.

    Yields:
        The results. Work begins when the first is requested, and what has not begun is given up when the
        generator is closed.

    Raises:
        LearnetError: the system ended a process, as where memory runs out. Errors of `work` are raised as
            they are.
    """
    processes = min(jobs if jobs > 0 else joblib.cpu_count(), max(len(items), 1))
    kind = "generator" if ordered else "generator_unordered"
    if processes == 1:
        calls = (joblib.delayed(work)(item) for item in items)
        with closing(joblib.Parallel(n_jobs=1, return_as=kind)(calls)) as results:
            yield from results
        return
    parallel = joblib.Parallel(
        n_jobs=processes, return_as=kind, initializer=_start_worker, initargs=(os.getpid(),)
    )
    _remove_stale_folders()
    with TemporaryDirectory(prefix=_folder_prefix(os.getpid()), ignore_cleanup_errors=True) as folder:
        recorded = _RecordedWork(work, Path(folder))
        calls = (joblib.delayed(recorded)(index, item) for index, item in enumerate(items))
        try:
            with _expected_warnings_ignored(), closing(parallel(calls)) as results:
                yield from results
        except TerminatedWorkerError as error:
            begun = [names[index] for index in recorded.begun()] if names else []
            raise _ended_error(error, begun) from error


@dataclass(frozen=True)
class _RecordedWork(Generic[Item, Result]):
    """Work that leaves a file with the number of its item in a folder until the item is finished."""

    work: Callable[[Item], Result]
    folder: Path

    def __call__(self, index: int, item: Item) -> Result:
        record = self.folder / str(index)
        with suppress(OSError):  # a disk that is full must not stop work that needs no space
            record.touch()
        try:
            return self.work(item)
        finally:
            with suppress(OSError):
                record.unlink(missing_ok=True)

    def begun(self) -> list[int]:
        """Return the positions of the items that were begun and not finished, because a process ended."""
        return sorted(int(record.name) for record in self.folder.glob("*"))


def _folder_prefix(caller: int | str) -> str:
    """Return the beginning of the names of the temporary folders of a process."""
    return f"learnet-{caller}-"


def _remove_stale_folders() -> None:
    """Remove the temporary folders of processes that were killed together with their workers."""
    if os.name != "posix":  # asking whether a process runs ends it elsewhere
        return
    for folder in Path(gettempdir()).glob(f"{_folder_prefix('[0-9]*')}*"):
        caller = folder.name.split("-")[1]
        try:
            os.kill(int(caller), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, ValueError):  # of another user, or not a folder of ours
            continue


def _ended_error(error: TerminatedWorkerError, begun: Sequence[str]) -> LearnetError:
    """Return the error about a process that the system ended.

    joblib then ends the other processes too, so which of the items that were begun was to blame is not known.
    """
    signals = sorted(set(re.findall(r"SIG[A-Z]+", str(error))))
    what = "A process was ended by the system"
    if signals:
        what += f" ({', '.join(signals)})"
    if begun:
        what += f" during the work on {' or '.join(begun)}"
    hint = "Memory may have run out: use fewer processes (--jobs). Run it again: what was written is kept."
    return LearnetError(f"{what}.", hint)


@contextmanager
def _expected_warnings_ignored() -> Iterator[None]:
    """Ignore warnings of joblib that mean nothing here, as long as work is done.

    The filters are removed one by one: `warnings.catch_warnings` would also undo the caller's own changes
    between two results.
    """
    added = [("ignore", re.compile(text), UserWarning, None, 0) for text in EXPECTED_WARNINGS]
    warnings.filters[:0] = added  # type: ignore[index]
    try:
        yield
    finally:
        kept = []
        for entry in warnings.filters:
            if not any(entry is one for one in added):
                kept.append(entry)
        warnings.filters[:] = kept  # type: ignore[index]


def _start_worker(caller: int) -> None:
    """Set up a worker process.

    Ctrl-C, which a terminal sends to all processes, is for the caller, who ends the workers in order. Workers
    that end by themselves at the same moment have, though rarely, left joblib waiting for them for ever.
    """
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_caller, args=(caller,), daemon=True).start()


def _end_with_caller(caller: int) -> None:
    """End with a caller that was killed: joblib's workers would first finish their items, which can take
    minutes."""
    while os.getppid() == caller:
        time.sleep(1)
    for folder in Path(gettempdir()).glob(f"{_folder_prefix(caller)}*"):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
