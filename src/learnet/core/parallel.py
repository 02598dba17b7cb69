"""Independent pieces of work on many processes."""

import os
import re
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TypeVar

import joblib

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
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, ordered: bool = True
) -> Generator[Result, None, None]:
    """Call `work` on every item, on several processes.

    Args:
        work: function of a module, or a `functools.partial` of one; its arguments and results travel
            between processes.
        items: nothing may depend on the order in which they are worked on.
        jobs: processes; -1 is one per core.
        ordered: yield the results in the order of the items, each as soon as it and all before it are
            there; else as they are made.

    Yields:
        The results. Work begins when the first is requested, and what has not begun is given up when the
        generator is closed.
    """
    processes = min(jobs if jobs > 0 else joblib.cpu_count(), max(len(items), 1))
    kind = "generator" if ordered else "generator_unordered"
    extra = {"initializer": _start_worker, "initargs": (os.getpid(),)} if processes > 1 else {}
    parallel = joblib.Parallel(n_jobs=processes, return_as=kind, **extra)
    calls = (joblib.delayed(work)(item) for item in items)
    with _expected_warnings_ignored(), closing(parallel(calls)) as results:
        yield from results


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
    os._exit(1)
