"""Run cases in processes that may crash, hang or need too much memory."""

import contextlib
import faulthandler
import json
import os
import random
import resource
import selectors
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from learnet.core.errors import LearnetError
from tests.fuzz.targets import Reading, Refused, Target, copy_case

SECONDS = 20.0  # of processor time for one case
WALL_SECONDS = 90.0
MEMORY = 4 * 2**30  # bytes
ADDRESS_SPACE = 16 * 2**30  # bytes; protects the machine
BATCH = 25  # cases for one process
POLL_S = 0.1

REFUSED, ACCEPTED, SILENT = "refused", "accepted", "silent loss"
TRACEBACK, HANG, OUT_OF_MEMORY, CRASH = "traceback", "hang", "memory", "crash"
VERDICTS = (REFUSED, ACCEPTED, TRACEBACK, CRASH, HANG, OUT_OF_MEMORY, SILENT)
FAULTS = VERDICTS[2:]


@dataclass(frozen=True)
class Verdict:
    """What became of a case."""

    target: str
    case: int
    kind: str  # one of VERDICTS
    file: str = ""  # that was mutated
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Process:
    """A process and the cases that it works on."""

    pid: int
    pipe: int  # its verdicts, a line of JSON each
    waiting: list[tuple[Target, int]]  # the first is being worked on
    started: float  # processor time of the process when it began with the first
    started_wall: float
    text: str = ""  # of an incomplete line


class Runner:
    """Runs cases on several processes.

    Args:
        seed: of all mutations.
        place: empty folder for good inputs and cases.
        keep: folder for the inputs of faults; None: they are not kept.
    """

    def __init__(self, seed: int, place: Path, keep: Path | None = None) -> None:
        self.seed = seed
        self.place = place
        self.keep = keep
        self.good: dict[str, Reading] = {}

    def prepare(self, targets: Sequence[Target]) -> None:
        """Write the good input of every target, and read it once to know what it contains."""
        for target in targets:
            folder = self.seed_folder(target)
            folder.mkdir(parents=True)
            target.build(folder)

    def seed_folder(self, target: Target) -> Path:
        """Return the folder of the good input of a target."""
        return self.place / "good" / target.name.replace(" ", "-")

    def run(self, cases: Sequence[tuple[Target, int]], jobs: int) -> Iterator[Verdict]:
        """Yield the verdict of every case, in any order."""
        waiting = list(cases)
        selector = selectors.DefaultSelector()
        running: dict[int, Process] = {}
        while waiting or running:
            while waiting and len(running) < jobs:
                process = self._start(waiting[:BATCH])
                del waiting[:BATCH]
                running[process.pipe] = process
                selector.register(process.pipe, selectors.EVENT_READ)
            ready = [key.fd for key, _ in selector.select(POLL_S)]
            for pipe, process in list(running.items()):
                yield from self._read(process) if pipe in ready else ()
                verdict = self._check(process, ended=pipe in ready and not process.text and _is_over(process))
                if verdict is not None:
                    yield verdict
                    waiting[:0] = process.waiting
                    process.waiting = []
                if not process.waiting:
                    selector.unregister(pipe)
                    os.close(pipe)
                    _end(process.pid)
                    del running[pipe]

    def _start(self, cases: Sequence[tuple[Target, int]]) -> Process:
        reading_end, writing_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading_end)
            self._work(cases, writing_end)
        os.close(writing_end)
        os.set_blocking(reading_end, False)
        return Process(pid, reading_end, list(cases), 0.0, time.monotonic())

    def _work(self, cases: Sequence[tuple[Target, int]], pipe: int) -> None:
        """Work on cases in a process of its own; never returns."""
        _limit()
        terminal = os.dup(2)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        try:
            for target, case in cases:
                verdict = self.judge(target, case)
                os.write(pipe, json.dumps(asdict(verdict)).encode() + b"\n")
        except BaseException:  # a bug of the fuzzer itself, which a forked process must not carry on from
            os.write(terminal, traceback.format_exc().encode())
        finally:
            os._exit(0)

    def judge(self, target: Target, case: int) -> Verdict:
        """Make a case, read it, and say what became of it."""
        folder = self._case_folder(target, case)
        file = self.make(target, case, folder)
        started = time.process_time()
        kind, detail = self.outcome(target, folder)
        seconds = time.process_time() - started
        self._tidy(target, case, kind)
        return Verdict(target.name, case, kind, file, detail, round(seconds, 3))

    def _case_folder(self, target: Target, case: int) -> Path:
        return self.place / "cases" / f"{target.name.replace(' ', '-')}-{case}"

    def make(self, target: Target, case: int, folder: Path) -> str:
        """Write the input of a case; return what is mutated in it."""
        copy_case(self.seed_folder(target), folder)
        return target.change(folder, random.Random(f"{self.seed} {target.name} {case}"))

    def _tidy(self, target: Target, case: int, kind: str) -> None:
        """Remove the folder of a case; make it again, as it was before it was read, if it shows a fault."""
        folder = self._case_folder(target, case)
        shutil.rmtree(folder, ignore_errors=True)
        if kind in FAULTS and self.keep is not None:
            kept = self.keep / folder.name
            shutil.rmtree(kept, ignore_errors=True)
            self.make(target, case, kept)

    def _good_reading(self, target: Target) -> Reading:
        """Return what is read from the good input."""
        if target.name not in self.good:
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place) / "good"
                copy_case(self.seed_folder(target), folder)
                self.good[target.name] = target.read(folder)
        return self.good[target.name]

    def outcome(self, target: Target, folder: Path) -> tuple[str, str]:
        """Read the folder of a case; return one of VERDICTS and why."""
        good = self._good_reading(target)
        try:
            # A command may name a path in the working directory.
            with contextlib.chdir(folder), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                reading = target.read(folder)
        except LearnetError as error:
            text = str(error)
            return (REFUSED, text) if text and "\n" not in text else (TRACEBACK, f"not one line: {text!r}")
        except Refused:
            return REFUSED, ""
        except MemoryError as error:
            return OUT_OF_MEMORY, str(error)
        except Exception as error:  # every other exception is what is looked for
            places = traceback.extract_tb(error.__traceback__)
            ours = [place for place in places if "/learnet/" in place.filename]
            where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
            return TRACEBACK, f"{type(error).__name__} in {where}: {str(error)[:200]}"
        told = reading.told or bool(caught)
        if good.count is not None and (reading.count or 0) < good.count and not told:
            is_shorter = target.lacks_lines(folder, self.seed_folder(target))
            return (ACCEPTED if is_shorter else SILENT), f"{reading.count} of {good.count}"
        if good.digest and reading.digest != good.digest:
            return SILENT, "another result"
        return ACCEPTED, ""

    def _read(self, process: Process) -> Iterator[Verdict]:
        """Yield the verdicts that a process has written."""
        try:
            content = os.read(process.pipe, 2**20)
        except BlockingIOError:
            return
        *lines, process.text = (process.text + content.decode()).split("\n")
        for line in lines:
            del process.waiting[0]
            process.started, process.started_wall = _processor_time(process.pid), time.monotonic()
            yield Verdict(**json.loads(line))

    def _check(self, process: Process, ended: bool) -> Verdict | None:
        """Return the verdict of a case that its process did not survive, or that is ended here."""
        if not process.waiting:
            return None
        kind = CRASH if ended else _excess(process)
        if kind is None:
            return None
        _end(process.pid)
        target, case = process.waiting.pop(0)
        self._tidy(target, case, kind)
        return Verdict(target.name, case, kind)


def _excess(process: Process) -> str | None:
    """Return whether a process takes too long or too much memory."""
    if _memory(process.pid) > MEMORY:
        return OUT_OF_MEMORY
    seconds = _processor_time(process.pid) - process.started
    if seconds > SECONDS or time.monotonic() - process.started_wall > WALL_SECONDS:
        return HANG
    return None


def _is_over(process: Process) -> bool:
    """Return whether a process has ended."""
    pid, _ = os.waitpid(process.pid, os.WNOHANG)
    return pid != 0


def _end(pid: int) -> None:
    """Kill a process, if it still runs, and forget it."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _processor_time(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _memory(pid: int) -> int:
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _limit() -> None:
    """Limit the address space of this process, and write no core and no list of its threads if it crashes."""
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def temporary_place() -> Path:
    """Return a new folder for good inputs and cases."""
    return Path(tempfile.mkdtemp(prefix="learnet-fuzz-"))
