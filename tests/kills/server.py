"""A process that has loaded all libraries, and runs each command in a fork of itself.

It reads one request of JSON in each line of its input, and answers with one. A request has the arguments of a
command, its working directory, a file for what it prints, and after how many seconds it is killed, or null.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a fork has no threads but its own

from learnet import cli  # noqa: E402

POLL_S = 0.002


def main() -> None:
    """Answer requests until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = load_modules(request["modules"]) if "modules" in request else run(**request)
        print(json.dumps(answer), flush=True)


def run(
    words: list[str],
    folder: str,
    log: str,
    kill_after_s: float | None = None,
    largest_file: int | None = None,
) -> dict:
    """Run a command in a fork; kill its whole group of processes after some seconds, if it runs as long."""
    started = time.monotonic()
    # The limit on the size of files is not for the output, so that goes through a pipe.
    with Path(log).open("wb") as printed:
        copier = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=printed)
    assert copier.stdin
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os._exit(_run_here(words, folder, log, copier.stdin.fileno(), largest_file))
    copier.stdin.close()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        seconds = time.monotonic() - started
        if done:
            break
        if kill_after_s is not None and seconds >= kill_after_s:
            with contextlib.suppress(ProcessLookupError):  # it has not called setsid yet
                os.killpg(pid, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            break
        time.sleep(POLL_S)
    copier.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "cpu": cpu}


def load_modules(names: list[str]) -> dict:
    """Import the modules that a command needed, so that no fork spends its time on that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            with contextlib.suppress(ImportError):  # made by the command itself
                importlib.import_module(name)
    return {}


def _run_here(words: list[str], folder: str, log: str, output: int, largest_file: int | None) -> int:
    """Run a command in this process; return its exit code.

    Args:
        words: the arguments of the command.
        folder: to run it in.
        log: file of its output; the names of the modules it needed go beside it.
        output: descriptor to print to.
        largest_file: bytes that a file may have, as on a disk that is full; None: any number.
    """
    for stream in (1, 2):
        os.dup2(output, stream)
    # Made anew: the streams of the server know of their own targets whether one can seek in them.
    sys.stdout, sys.stderr = (open(stream, "w", buffering=1, closefd=False) for stream in (1, 2))  # noqa: PTH123, SIM115
    os.chdir(folder)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    try:
        cli.main(words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    Path(f"{log}.modules").write_text(json.dumps(sorted(set(sys.modules) - {"__main__"})))
    return code


if __name__ == "__main__":
    main()
