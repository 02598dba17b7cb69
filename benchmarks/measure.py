"""What all benchmarks share: ways that take turns, the limits of this machine measured in the same run, and
the file of results."""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """A line of the table that `make bench` prints."""

    what: str
    reference: str  # measured in the same run
    ratio: float
    target: float
    limit: str = ""  # the physical limit, measured in the same run
    share: float | None = None  # of that limit, 0..1
    smaller_is_better: bool = False

    @property
    def met(self) -> bool:
        return self.ratio <= self.target if self.smaller_is_better else self.ratio >= self.target


def take_turns(ways: dict[str, Callable[[], object]], rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of each way in each round; they take turns, so that a busy moment falls on all. The first
    rounds do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(warm + rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if turn >= warm:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], slower: str, faster: str) -> float:
    """How many times as fast one way is as another: the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(seconds[slower], seconds[faster], strict=True))


def copy_rate(megabytes: int = 64, rounds: int = 9) -> float:
    """Bytes read and written per second by a copy in memory."""
    source = np.ones(megabytes * 2**20, np.uint8)
    target = np.empty_like(source)
    seconds = take_turns({"copy": lambda: np.copyto(target, source)}, rounds)
    return 2 * source.size / statistics.median(seconds["copy"])


def matrix_product(side: int = 1536) -> tuple[Callable[[], object], int]:
    """A product of two float32 matrices, on as many threads as torch is set to, and the operations in it: the
    limit of all networks.

    To be timed in turns with what is measured against it: on a machine that others use too, the limit changes
    by the minute."""
    import torch

    a, b = torch.randn(side, side), torch.randn(side, side)
    return lambda: a @ b, 2 * side**3


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    names = ("learnet", "numpy", "opencv-python-headless", "av", "torch", "joblib")
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def options(doc: str, rounds: int) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    return parser


def save(
    name: str, out: Path, about: dict[str, object], rows: Sequence[Row], details: dict[str, object]
) -> Path:
    """Print the rows and write everything to <date>-<commit>-NAME.json; answers with its path."""
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    commit, date = answer.stdout.strip() or "unknown", datetime.date.today().isoformat()
    time_of_day = datetime.datetime.now().isoformat(timespec="seconds").split("T")[1]
    table = [{**asdict(row), "met": row.met} for row in rows]
    result = {
        "benchmark": name,
        "date": date,
        "time": time_of_day,
        "commit": commit,
        "rows": table,
        "details": details,
        "machine": about,
    }
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{date}-{commit}-{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(details, indent=1))
    for row in rows:
        print(line_of({**asdict(row), "met": row.met}))
    return path


def line_of(row: dict) -> str:
    """A row as one line of text."""
    share = "" if row["share"] is None else f"{row['share']:.0%} of {row['limit']}"
    way = "at most" if row["smaller_is_better"] else "at least"
    verdict = "met" if row["met"] else "NOT MET"
    left = f"{row['what']:<58} {row['reference']:<44} {row['ratio']:>8.3g}"
    return f"{left}  {share:<34} {way} {row['target']:<6g} {verdict}"
