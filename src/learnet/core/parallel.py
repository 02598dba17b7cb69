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
    # A worker is started anew once it has grown by 300 MB, as one does that loads torch; nothing is lost or done twice.
    "A worker stopped while some jobs were given",
    # So many pieces were given up when the generator was closed, as after Ctrl-C, which is what was asked for.
    ".*tasks which were still being processed by the workers have been cancelled",
)


def parallel_map(
    work: Callable[[Item], Result], pieces: Sequence[Item], jobs: int, ordered: bool = True
) -> Generator[Result, None, None]:
    """Do WORK on every piece, on JOBS processes.

    Args: work: function of a module, or a `functools.partial` of one; its arguments and answers travel
        between processes. pieces: what is to be done; nothing may depend on the order in which it is done.
        jobs: processes; -1 is one per core. ordered: whether answers come in the order of the pieces, each as
        soon as it and all before it are there; else as they are made.

    Returns:
        The answers. Work begins when the first is asked for, and what has not begun is given up when the
        generator is closed.
    """
    processes = min(jobs if jobs > 0 else joblib.cpu_count(), max(len(pieces), 1))
    kind = "generator" if ordered else "generator_unordered"
    extra = {"initializer": _begin, "initargs": (os.getpid(),)} if processes > 1 else {}
    parallel = joblib.Parallel(n_jobs=processes, return_as=kind, **extra)
    calls = (joblib.delayed(work)(piece) for piece in pieces)
    with _expected_warnings_ignored(), closing(parallel(calls)) as answers:
        yield from answers


@contextmanager
def _expected_warnings_ignored() -> Iterator[None]:
    """Ignore the warnings of joblib that tell nothing, as long as work is done.

    The filters are taken out one by one: `warnings.catch_warnings` would also undo what the caller filters
    meanwhile, between two answers.
    """
    own = [("ignore", re.compile(text), UserWarning, None, 0) for text in EXPECTED_WARNINGS]
    warnings.filters[:0] = own  # type: ignore[index]
    try:
        yield
    finally:
        rest = [entry for entry in warnings.filters if not any(entry is each for each in own)]
        warnings.filters[:] = rest  # type: ignore[index]


def _begin(caller: int) -> None:
    """What a worker does first.

    Ctrl-C, which a terminal sends to all processes, is for the caller, who ends the workers in order. Workers
    that end by themselves at the same moment have left joblib waiting for them for ever, though rarely.
    """
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_outlive_nobody, args=(caller,), daemon=True).start()


def _outlive_nobody(caller: int) -> None:
    """End with a caller that was killed: joblib's workers would first finish what they have been given, which
    can be minutes."""
    while os.getppid() == caller:
        time.sleep(1)
    os._exit(1)
