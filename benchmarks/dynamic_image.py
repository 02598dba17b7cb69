"""How fast is the dynamic image? 100 colour frames of 480 x 640, against plain ways of writing it, measured
in the same run.

    python benchmarks/dynamic_image.py            # writes
    benchmarks/results/<date>-<commit>-dynamic_image.json

The references: a float64 loop that adds weight times frame, the one line `(w[:, None, None, None] *
f).sum(0)`, and a copy of the frames, which is what the memory allows. Rounds take turns, the table gives
medians. Run it on a machine that does nothing else."""

import resource
import statistics
import sys

import measure
import numpy as np

from learnet.motion.dynamic import Accumulator, dynamic_image, rank_weights

SHAPE = (100, 480, 640, 3)
TIMES_LOOP, TIMES_ONE_LINE, MEMORY_MB = 3.0, 50.0, 64.0  # wanted


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
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )


def main() -> None:
    chosen = measure.options(__doc__, rounds=15).parse_args()
    about = measure.machine()
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
    ways = {
        "dynamic_image": lambda: dynamic_image(frames),
        "loop": lambda: loop(frames),
        "copy": lambda: np.copyto(copy, frames),
        "one line": lambda: one_line(frames),
        "accumulator": lambda: accumulator(frames),
    }
    seconds = measure.take_turns(ways, chosen.rounds)
    share = (
        measure.ratio(seconds, "copy", "dynamic_image") / 2
    )  # it reads the frames, a copy reads and writes them
    what = "dynamic image of 100 frames of 480x640x3"
    times = {name: round(measure.ratio(seconds, name, "dynamic_image"), 2) for name in ("loop", "one line")}
    rows = [
        measure.Row(what, "a float64 loop", times["loop"], TIMES_LOOP, "the copy bandwidth", share),
        measure.Row(
            what,
            "the one line (w * f).sum(0)",
            times["one line"],
            TIMES_ONE_LINE,
            "the copy bandwidth",
            share,
        ),
        measure.Row(
            "the same, memory above the input, MB", "-", round(above, 1), MEMORY_MB, smaller_is_better=True
        ),
    ]
    details = {"frames": "x".join(map(str, SHAPE)) + " uint8", "rounds": chosen.rounds} | {
        f"{name}, ms": round(1e3 * statistics.median(values), 2) for name, values in seconds.items()
    }
    measure.save("dynamic_image", chosen.out, about, rows, details)


if __name__ == "__main__":
    main()
