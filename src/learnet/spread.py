"""Independent pieces of work on many processes."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import joblib

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


def spread(
    work: Callable[[Piece], Answer], pieces: Sequence[Piece], jobs: int, ordered: bool = True
) -> Generator[Answer, None, None]:
    """Do WORK on every piece, on JOBS processes.

    Args:
        work: function of a module, or a `functools.partial` of one; its arguments and answers travel between processes.
        pieces: what is to be done; nothing may depend on the order in which it is done.
        jobs: processes; -1 is one per core.
        ordered: whether answers come in the order of the pieces, each as soon as it and all before it are there; else as they are made.

    Returns:
        The answers. Work begins at once, and what has not begun is given up when the generator is closed.
    """
    # joblib starts a worker anew once it has grown by 300 MB, as one does that loads torch, and warns; nothing is lost or done twice.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    # It also tells how many pieces it gave up when the generator is closed, as after Ctrl-C, which is what was asked for.
    warnings.filterwarnings(
        "ignore", ".*tasks which were still being processed by the workers have been cancelled", UserWarning
    )
    processes = min(jobs if jobs > 0 else joblib.cpu_count(), max(len(pieces), 1))
    kind = "generator" if ordered else "generator_unordered"
    extra = {"initializer": _begin, "initargs": (os.getpid(),)} if processes > 1 else {}
    parallel = joblib.Parallel(n_jobs=processes, return_as=kind, **extra)
    return parallel(joblib.delayed(work)(piece) for piece in pieces)


def _begin(caller: int) -> None:
    """What a worker does first.

    Ctrl-C, which a terminal sends to all processes, is for the caller, who ends the workers in order. Workers that end by themselves at
    the same moment have left joblib waiting for them for ever, though rarely.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_outlive_nobody, args=(caller,), daemon=True).start()


def _outlive_nobody(caller: int) -> None:
    """End with a caller that was killed: joblib's workers would first finish what they have been given, which can be minutes."""
    while os.getppid() == caller:
        time.sleep(1)
    os._exit(1)
