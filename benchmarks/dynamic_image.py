"""How fast is the dynamic image? 100 colour frames of 480 x 640, against plain ways of writing it, measured in the same run.

    python benchmarks/dynamic_image.py            # writes benchmarks/results/<date>-<commit>-dynamic_image.json

The references: a float64 loop that adds weight times frame, the one line `(w[:, None, None, None] * f).sum(0)`, and a copy of the
frames, which is what the memory allows. Rounds take turns, the table gives medians. Run it on a machine that does nothing else.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from learnet.motion.dynamic import Accumulator, dynamic_image, rank_weights

SHAPE = (100, 480, 640, 3)
NEEDED = {"times the loop": 3.0, "times the one line": 50.0}  # at least
MEMORY_MB = 64.0  # at most


def loop(frames: np.ndarray) -> np.ndarray:
    image = np.zeros(frames.shape[1:])
    for weight, frame in zip(rank_weights(len(frames)), frames, strict=True):
        image += weight * frame
    return image


def one_line(frames: np.ndarray) -> np.ndarray:
    return (rank_weights(len(frames))[:, None, None, None] * frames).sum(0)


def accumulator(frames: np.ndarray) -> np.ndarray:
    images = Accumulator(len(frames))
    for frame in frames:
        images.add(frame)
    return images.image()


def peak_mb() -> float:
    """Largest memory of this process so far, from the operating system."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way in each round; they take turns, so that a busy moment falls on all."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def machine() -> dict[str, object]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return answer.stdout.strip() or "unknown"


def run(rounds: int) -> dict[str, object]:
    about = machine()
    frames = np.empty(SHAPE, dtype=np.uint8)
    numbers = np.random.default_rng(0)
    for t in range(len(frames)):  # one at a time, so that making them needs no more memory than holding them
        frames[t] = numbers.integers(0, 256, SHAPE[1:], dtype=np.uint8)
    dynamic_image(frames[:, :8])  # imports, threads, BLAS
    before = peak_mb()
    image = dynamic_image(frames)
    above = peak_mb() - before
    np.testing.assert_allclose(image, loop(frames), rtol=1e-6, atol=1e-3)  # values near 1e4
    copy = np.empty_like(frames)
    seconds = measure(
        {
            "dynamic_image": lambda: dynamic_image(frames),
            "loop": lambda: loop(frames),
            "copy": lambda: np.copyto(copy, frames),
            "one line": lambda: one_line(frames),
            "accumulator": lambda: accumulator(frames),
        },
        rounds,
    )
    typical = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "benchmark": "dynamic_image",
        "frames": "x".join(map(str, SHAPE)) + " uint8",
        "rounds": rounds,
        "median_ms": {name: round(1e3 * value, 2) for name, value in typical.items()},
        "fastest_ms": {name: round(1e3 * min(values), 2) for name, values in seconds.items()},
        "times the loop": round(typical["loop"] / typical["dynamic_image"], 2),
        "times the one line": round(typical["one line"] / typical["dynamic_image"], 2),
        "accumulator, times the loop": round(typical["loop"] / typical["accumulator"], 2),
        "share of the copy's rate": round(typical["copy"] / typical["dynamic_image"], 3),
        "peak_mb_above_input": round(above, 1),
        "needed": NEEDED | {"peak_mb_above_input": MEMORY_MB},
        "machine": about,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--date", default=datetime.date.today().isoformat())
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="folder for the result")
    chosen = options.parse_args()
    result = {"date": chosen.date, "commit": commit()} | run(chosen.rounds)
    print(json.dumps(result, indent=1))
    for name, needed in NEEDED.items():
        print(f"{name}: {result[name]} ({'at least' if result[name] >= needed else 'BELOW'} {needed})")
    memory = result["peak_mb_above_input"]
    print(f"memory above the input: {memory} MB ({'under' if memory < MEMORY_MB else 'ABOVE'} {MEMORY_MB:.0f})")
    file = chosen.out / f"{result['date']}-{result['commit']}-dynamic_image.json"
    file.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
