"""Independent pieces of work on many processes, answers in the order of the pieces."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import joblib

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


def spread(work: Callable[[Piece], Answer], pieces: Sequence[Piece], jobs: int) -> Iterator[Answer]:
    """Do WORK on every piece, on JOBS processes.

    Args:
        work: function of a module, or a `functools.partial` of one; its arguments and answers travel between processes.
        pieces: what is to be done; nothing may depend on the order in which it is done.
        jobs: processes; -1 is one per core.

    Yields:
        The answers, in the order of the pieces, each as soon as it and all before it are there.
    """
    # joblib starts a worker anew once it has grown by 300 MB, as one does that loads torch, and warns; nothing is lost or done twice.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    parallel = joblib.Parallel(n_jobs=min(jobs if jobs > 0 else joblib.cpu_count(), max(len(pieces), 1)), return_as="generator")
    return parallel(joblib.delayed(work)(piece) for piece in pieces)
