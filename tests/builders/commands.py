"""The command, in this process or as installed, and what it is often given."""

import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from unittest import mock

import cv2
import numpy as np

from learnet import cli
from learnet.cli import console

LEARNET = Path(sys.executable).with_name("learnet")
HANG_S = 600  # no test is timed: this only ends a process that would never end


def learnet(*words: object, code: int = 0) -> subprocess.CompletedProcess:
    """Run the command in this process, which spares it the imports, and check its exit code.

    Standard output and error are caught as a pipe would catch them, file descriptors included, so that a line
    of a C library is not missed. Consoles and warning filters are those of a new process. What is done in
    several processes by default is done in one; `installed` does it as a user does.

    Args:
        *words: arguments of the command.
        code: exit code that is expected.

    Returns:
        What `installed` returns for the same words.
    """
    arguments = [str(word) for word in words]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _caught("stdout", 1, out), _caught("stderr", 2, err), _as_in_a_new_process():
            returncode = _exit_code(arguments)
        said = [_text(file) for file in (out, err)]
    return _checked(subprocess.CompletedProcess(arguments, returncode, *said), code)


def installed(*words: object, code: int = 0) -> subprocess.CompletedProcess:
    """Run the installed command in a process of its own, and check its exit code."""
    command = [LEARNET, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
    return _checked(done, code)


def _checked(done: subprocess.CompletedProcess, code: int) -> subprocess.CompletedProcess:
    assert done.returncode == code, f"{' '.join(map(str, done.args))}\n{done.stdout}\n{done.stderr}"
    return done


def _exit_code(arguments: list[str]) -> int:
    """The exit code that the interpreter would give, after what it would print of an error nobody caught."""
    try:
        cli.main(arguments)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _caught(name: str, descriptor: int, file: BinaryIO) -> Iterator[None]:
    """Let a standard stream and its file descriptor write into a file."""
    getattr(sys, name).flush()
    kept = os.dup(descriptor)
    os.dup2(file.fileno(), descriptor)
    try:
        with (
            open(descriptor, "w", encoding="utf-8", closefd=False) as stream,
            mock.patch.object(sys, name, stream),
        ):
            yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


@contextmanager
def _as_in_a_new_process() -> Iterator[None]:
    """Fresh consoles, Python's own warning filters, and one process for what is spread over all cores.

    One difference: a deprecation in a module of the project is an error, as in every other test.
    """
    fresh = {"out": console.new_console(), "err": console.new_console(stderr=True)}
    with (
        mock.patch.multiple(console, **fresh),
        mock.patch.dict(os.environ, {"LOKY_MAX_CPU_COUNT": "1"}),
        warnings.catch_warnings(),
    ):
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.filterwarnings("error", category=category, module="learnet")
        yield


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


def import_noise(place: Path, dataset: str, people: int, seed: int, kind: str) -> Path:
    """Import random images as the prepared folder PLACE/DATASET.

    Every person (01, 02, …) has one image of each of three emotions.
    """
    rng = np.random.default_rng(seed)
    images = place / f"{dataset}-images"
    images.mkdir()
    lines = ["image,subject,emotion,dataset"]
    for subject in range(1, people + 1):
        for word in ("happiness", "disgust", "surprise"):
            name = f"{subject:02d}-{word}.png"
            cv2.imwrite(str(images / name), rng.integers(0, 256, (28, 28, 3), dtype=np.uint8))
            lines.append(f"{name},{subject:02d},{word},{dataset}")
    (place / f"{dataset}.csv").write_text("\n".join(lines))
    learnet("import", images, place / f"{dataset}.csv", place / dataset, "--kind", kind)
    return place / dataset
