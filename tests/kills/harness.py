"""Kill a command at a random moment, run it again, and compare what it leaves with an undisturbed run."""

import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Queue

from tests.kills.targets import TARGETS, Target, make_inputs

REPOSITORY = Path(__file__).parents[2]
SERVERS = 2
ATTEMPTS_PER_KILL = 4  # a command may end before its moment comes
CLOCKS = ("run.json", ".lock")  # hold the time of the run, or nothing

ROOM = re.compile(r"\S+: .*(File too large|no room is left).* Make room")

CONTINUED = "run again, same bytes"
COMPLETE = "complete already"
REFUSED = "refused"
OTHER = "other bytes"
EARLY = "ended before"


@dataclass
class Result:
    """What came of the kills of a command."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)  # with the seed of the attempt

    @property
    def kills(self) -> int:
        """How often the command was killed before its end."""
        return sum(number for outcome, number in self.counts.items() if outcome != EARLY)


class Server:
    """A process that runs commands in forks of itself."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.kills.server"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=REPOSITORY, **pipes)

    def ask(self, **request: object) -> dict:
        """Send a request and return the answer."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


class Harness:
    """Kills commands.

    Args:
        place: empty folder to work in.
        servers: commands that run at a time.
    """

    def __init__(self, place: Path, servers: int = SERVERS) -> None:
        self.place = place
        self.inputs = place / "inputs"
        self.inputs.mkdir()
        make_inputs(self.inputs)
        self.servers = [Server() for _ in range(servers)]
        self.free: Queue[Server] = Queue()
        for server in self.servers:
            self.free.put(server)

    def close(self) -> None:
        """End the servers."""
        for server in self.servers:
            server.close()

    def kill(self, name: str, kills: int, first_seed: int = 0) -> Result:
        """Kill a command until it was killed `kills` times; the seeds of the moments follow `first_seed`."""
        whole, seconds = self._undisturbed(name)
        result = Result(name)
        seed = first_seed
        attempt = partial(self._attempt, name, whole, seconds)
        with ThreadPoolExecutor(len(self.servers)) as pool:
            while result.kills < kills and seed < first_seed + ATTEMPTS_PER_KILL * kills:
                seeds = range(seed, seed + kills - result.kills)
                for outcome, details in pool.map(attempt, seeds):
                    result.counts[outcome] += 1
                    result.failures += details
                seed = seeds.stop
        return result

    def fill(self, name: str, largest_files: Sequence[int]) -> list[str]:
        """Run a command with files that cannot grow beyond some bytes, and again without; return what went
        wrong."""
        whole, _ = self._undisturbed(name)
        timed = TARGETS[name].timed
        failures = []
        for size in largest_files:
            folder, log = self._new_folder(name, f"full-{size}")
            words = [word.format(inputs=self.inputs) for word in TARGETS[name].words]
            with self._server() as server:
                full = server.ask(words=words, folder=str(folder), log=str(log), largest_file=size)
                if full["code"] == 0 and tree(folder, timed) == whole:
                    continue
                lines = log.read_text().splitlines()
                again = self._run(server, TARGETS[name], folder, log, expected=None)
            if full["code"] != 2 or not lines[-1].startswith("learnet: ") or not ROOM.search(lines[-1]):
                failures.append(f"{name}, {size} bytes: code {full['code']}, {lines[-5:]}")
            if again["code"] != 0 or tree(folder, timed) != whole:
                failures.append(f"{name}, {size} bytes, run again: {log.read_text()}")
        return failures

    def _undisturbed(self, name: str) -> tuple[dict[str, bytes], float]:
        """Return what the command leaves, and how long it takes once everything is loaded."""
        for server in self.servers:
            folder, log = self._new_folder(name, "first")
            self._run(server, TARGETS[name], folder, log)
            server.ask(modules=json.loads(Path(f"{log}.modules").read_text()))
        trees, times = [], []
        for number in range(2):
            folder, log = self._new_folder(name, f"whole-{number}")
            times.append(self._run(self.servers[0], TARGETS[name], folder, log)["seconds"])
            trees.append(tree(folder, TARGETS[name].timed))
        assert trees[0] == trees[1], f"two undisturbed runs of {name} differ"
        return trees[0], max(times)

    def _attempt(
        self, name: str, whole: dict[str, bytes], seconds: float, seed: int
    ) -> tuple[str, list[str]]:
        """Kill the command once, and run it again; return what came of it, and what went wrong."""
        moment = random.Random(f"{name} {seed}").uniform(0, seconds)
        folder, log = self._new_folder(name, f"seed-{seed}")
        with self._server() as server:
            killed = self._run(server, TARGETS[name], folder, log, moment)
            if killed["code"] >= 0:
                return EARLY, []
            if tree(folder, TARGETS[name].timed) == whole:
                return COMPLETE, []
            again = self._run(server, TARGETS[name], folder, log, expected=None)
        where = f"{name}, seed {seed}, killed after {moment:.3f} s of {seconds:.3f} s"
        if again["code"] != 0:
            return REFUSED, [f"{where}: {log.read_text().splitlines()[-1:]}"]
        left = tree(folder, TARGETS[name].timed)
        if left != whole:
            differing = sorted(path for path in left.keys() | whole if left.get(path) != whole.get(path))
            return OTHER, [f"{where}: {differing}"]
        shutil.rmtree(folder)
        return CONTINUED, []

    @contextmanager
    def _server(self) -> Iterator[Server]:
        server = self.free.get()
        try:
            yield server
        finally:
            self.free.put(server)

    def _new_folder(self, name: str, run: str) -> tuple[Path, Path]:
        """Return an empty folder to run a command in, and the file for what it prints."""
        folder = self.place / name.replace(" ", "-") / run
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder, folder.with_name(f"{run}.log")

    def _run(
        self,
        server: Server,
        target: Target,
        folder: Path,
        log: Path,
        moment: float | None = None,
        expected: int | None = 0,
    ) -> dict:
        words = [word.format(inputs=self.inputs) for word in target.words]
        answer = server.ask(words=words, folder=str(folder), log=str(log), kill_after_s=moment)
        if moment is None and expected is not None:
            assert answer["code"] == expected, log.read_text()
        return answer


def tree(folder: Path, timed: Collection[str] = ()) -> dict[str, bytes]:
    """Return the content of each file, and the name of each folder, hidden ones too.

    Args:
        folder: to look at.
        timed: names of files of which only the name is returned.
    """
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            found[f"{name}/"] = b""
        elif path.name not in CLOCKS:
            found[name] = b"" if name in timed else path.read_bytes()
    return found


def table(results: list[Result]) -> str:
    """Return the counts as a table in Markdown."""
    columns = (CONTINUED, COMPLETE, REFUSED, OTHER)
    lines = [f"| command | kills | {' | '.join(columns)} |", f"|---|{'---:|' * (1 + len(columns))}"]
    for result in results:
        counts = " | ".join(str(result.counts[column]) for column in columns)
        lines.append(f"| {result.name} | {result.kills} | {counts} |")
    return "\n".join(lines)
