"""A library call leaves the caller's process as it was: threads, warning filters, loggers, environment,
malloc."""

import ctypes
import logging
import os
import platform
import signal
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import distributed  # noqa: F401  # importing it, or the two below, adds warning filters
import numpy as np
import pytest
import scipy.special  # noqa: F401
import sklearn.svm  # noqa: F401
import torch

from learnet.core import malloc as memory
from learnet.core.errors import LearnetError
from learnet.core.parallel import parallel_map
from learnet.core.settings import Resources, Study, Training, Windows
from learnet.datasets.prepared.prepare import prepare
from learnet.inference.recogniser import Recogniser
from learnet.study.evaluate import evaluate
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from tests.datasets.prepared.test_prepare import SMALL, database
from tests.study.test_run import write_prepared

QUICK = Training(epochs=1, batch_size=4, mirror="none")
STUDY = Study(classes="casme2-7", keep_weights=False)


def state() -> dict[str, object]:
    """All that a call could leave behind, of which a copy is kept."""
    loggers = logging.root.manager.loggerDict
    levels = {name: logging.getLogger(name).level for name in ("", "distributed.client", "joblib", "torch")}
    return {
        "torch": torch.get_num_threads(),
        "opencv": cv2.getNumThreads(),
        "filters": list(warnings.filters),
        "show": warnings.showwarning,
        "levels": levels,
        "disabled": logging.root.manager.disable,
        "handlers": {name: list(logging.getLogger(name).handlers) for name in levels if name in loggers},
        "environment": dict(os.environ),
        "interrupt": signal.getsignal(signal.SIGINT),
        "random": torch.random.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),
    }


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Numbers of threads that nobody sets by chance."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(3)
    cv2.setNumThreads(2)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.fixture
def prepared(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_prepared(tmp_path / "prepared", rng)


@pytest.fixture
def mallopt_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What the C library was asked to set in this process."""
    calls: list[tuple[int, int]] = []

    class Library:
        def mallopt(self, parameter: int, value: int) -> int:
            calls.append((parameter, value))
            return 1

    memory.keep_freed_memory.cache_clear()
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Library())
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("glibc", "2.40"))
    yield calls
    memory.keep_freed_memory.cache_clear()


def a_study(jobs: int) -> Callable[[Path, Path], None]:
    return lambda prepared, out: run_study(prepared, out / "study", STUDY, QUICK, Resources(jobs=jobs))


def an_interrupted_study(prepared: Path, out: Path) -> None:
    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(prepared, out / "study", STUDY, QUICK, Resources(jobs=2), progress=stop)


def a_study_on_no_cluster(prepared: Path, out: Path) -> None:
    with pytest.raises(LearnetError, match="No Dask scheduler answers"):
        run_study(prepared, out / "study", STUDY, QUICK, Resources(cluster="tcp://127.0.0.1:1"))


def an_evaluation(prepared: Path, out: Path) -> None:
    weights = out / "weights.safetensors"
    train_on_all(prepared, STUDY, QUICK).save(weights)
    evaluate(prepared, weights, out / "evaluated", "casme2-7")


def a_preparation(prepared: Path, out: Path) -> None:
    prepare(database(out / "data"), out / "again", SMALL, jobs=2)
    prepare(database(out / "data"), out / "once more", SMALL, jobs=1)


def a_prediction(prepared: Path, out: Path) -> None:
    recogniser = replace(Recogniser.load("learnet-image-112"), finder=None)
    recogniser(database(out / "data").clips[0].path, Windows(), fps=200.0)


CALLS = {
    "study": a_study(jobs=1),
    "study on two processes": a_study(jobs=2),
    "interrupted study": an_interrupted_study,
    "study on no cluster": a_study_on_no_cluster,
    "evaluation": an_evaluation,
    "preparation": a_preparation,
    "prediction": a_prediction,
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_leaves_the_process_as_it_was(
    call: str, prepared: Path, tmp_path: Path, mallopt_calls: list[tuple[int, int]]
) -> None:
    before = state()
    CALLS[call](prepared, tmp_path)
    after = state()
    for key in before:
        assert after[key] == before[key], key
    assert mallopt_calls == []


def test_filters_of_the_caller_stay_and_answers_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters that are set between two answers are still there when the work is done."""
    with warnings.catch_warnings():
        answers = parallel_map(abs, [-1, -2, -3], 1)
        assert next(answers) == 1
        warnings.filterwarnings("ignore", "of the caller")
        own = warnings.filters[0]
        assert list(answers) == [2, 3]
        assert own in warnings.filters
        assert not any(entry[1] and "worker" in entry[1].pattern for entry in warnings.filters)


def mapped_apart(size: int) -> int:
    """How many blocks of their own the C library maps for SIZE bytes: 1 by glibc's defaults, 0 where freed
    memory is kept."""

    class Mallinfo(ctypes.Structure):
        _fields_ = [
            (name, ctypes.c_int)
            for name in ["arena", "ordblks", "smblks", "hblks", "hblkhd", "a", "b", "c", "d", "e"]
        ]

    library = ctypes.CDLL(None)
    library.mallinfo.restype = Mallinfo
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    before = library.mallinfo().hblks
    block = library.malloc(size)
    found = library.mallinfo().hblks - before
    library.free(block)
    return found


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_worker_processes_keep_what_they_free() -> None:
    """31 MiB are more than a fresh process keeps, and less than the largest threshold that glibc takes."""
    assert list(parallel_map(mapped_apart, [31 * 2**20] * 4, 2)) == [0] * 4
