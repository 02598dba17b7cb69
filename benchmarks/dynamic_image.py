"""Measure the speed of the dynamic image: 100 colour frames of 480 x 640, against simple implementations.

    python benchmarks/dynamic_image.py

It writes `benchmarks/results/<date>-<commit>-dynamic_image.json`. The references, measured in the same run,
are a float64 loop that adds weight times frame, the single line `(w[:, None, None, None] * f).sum(0)`, and a
copy of the frames, which is the limit set by the memory. The implementations take turns, and the table gives
medians. Run it on an idle machine.
"""

import resource
import statistics
import sys
from collections.abc import Callable

import measure
import numpy as np

from learnet.motion.dynamic import Accumulator, dynamic_image, rank_weights

SHAPE = (100, 480, 640, 3)

# Targets: how many times as fast as the references, and memory besides the input.
TIMES_LOOP = 3.0
TIMES_ONE_LINE = 50.0
MEMORY_MB = 64.0


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
    """Return the peak memory of this process so far, as reported by the operating system."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return peak / unit


def random_frames() -> np.ndarray:
    """Return random frames, drawn one at a time so that this needs no memory besides them."""
    frames = np.empty(SHAPE, dtype=np.uint8)
    rng = np.random.default_rng(0)
    for t in range(len(frames)):
        frames[t] = rng.integers(0, 256, SHAPE[1:], dtype=np.uint8)
    return frames


def check_and_measure_memory(frames: np.ndarray) -> float:
    """Check the result against the loop and return the memory used besides the input, MB."""
    dynamic_image(frames[:, :8])  # imports, threads, BLAS
    before_mb = peak_mb()
    image = dynamic_image(frames)
    used_mb = peak_mb() - before_mb
    np.testing.assert_allclose(image, loop(frames), rtol=1e-6, atol=1e-3)  # values near 1e4
    return used_mb


def implementations(frames: np.ndarray) -> dict[str, Callable[[], object]]:
    copy = np.empty_like(frames)
    return {
        "dynamic_image": lambda: dynamic_image(frames),
        "loop": lambda: loop(frames),
        "copy": lambda: np.copyto(copy, frames),
        "one line": lambda: one_line(frames),
        "accumulator": lambda: accumulator(frames),
    }


def rows(seconds: dict[str, list[float]], used_mb: float) -> list[measure.Row]:
    """Return the table."""
    subject = "dynamic image of 100 frames of 480x640x3"
    times_loop = round(measure.ratio(seconds, "loop", "dynamic_image"), 2)
    times_one_line = round(measure.ratio(seconds, "one line", "dynamic_image"), 2)
    # The dynamic image reads the frames; a copy reads and writes them.
    share = measure.ratio(seconds, "copy", "dynamic_image") / 2
    limit = "the copy bandwidth"
    return [
        measure.Row(subject, "a float64 loop", times_loop, TIMES_LOOP, limit, share),
        measure.Row(subject, "the one line (w * f).sum(0)", times_one_line, TIMES_ONE_LINE, limit, share),
        measure.Row(
            "the same, memory above the input, MB",
            "-",
            round(used_mb, 1),
            MEMORY_MB,
            smaller_is_better=True,
        ),
    ]


def main() -> None:
    options = measure.options(__doc__, rounds=15).parse_args()
    machine = measure.machine()
    frames = random_frames()
    used_mb = check_and_measure_memory(frames)
    seconds = measure.take_turns(implementations(frames), options.rounds)
    details: dict[str, object] = {"frames": "x".join(map(str, SHAPE)) + " uint8", "rounds": options.rounds}
    for name, values in seconds.items():
        details[f"{name}, ms"] = round(1e3 * statistics.median(values), 2)
    measure.save("dynamic_image", options.out, machine, rows(seconds, used_mb), details)


if __name__ == "__main__":
    main()
