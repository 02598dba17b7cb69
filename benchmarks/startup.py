"""From the shell to an answer: `import learnet`, `learnet --help`, and `learnet predict` on a second of film.

    python benchmarks/startup.py            # writes benchmarks/results/<date>-<commit>-startup.json

The film is 100 frames of 640 x 480 at 100 a second, h264, of the portrait that `benchmarks/live.py` moves.
The references are what no command can be faster than: Python that does nothing, that imports the libraries
which an answer needs, and that imports torch, which weights of `learnet train` need. The time of Python that
does nothing is also the unit in which `details` has every median. All commands take turns, each in a process
of its own, with warm files. Run it on a machine that does nothing else."""

import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import measure
from live import SIZE, sway, weights

from learnet.video.writer import write_video

LEARNET = Path(sys.executable).with_name("learnet")
FPS, FRAMES = 100.0, 100
NOTHING, TORCH = "python -c pass", "python -c 'import torch'"
LIBRARIES = "python -c 'import av, cv2, numpy, onnxruntime'"
TARGETS = {
    "python -c 'import learnet'": (0.3, NOTHING),
    "learnet --help": (0.3, NOTHING),
    "learnet predict FILM": (1.5, LIBRARIES),
    "learnet predict FILM --weights W": (3.0, TORCH),
}


def command(*words: str | Path) -> Callable[[], object]:
    """A way that runs the command to its end, and fails where it does."""
    return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    chosen = measure.options(__doc__, rounds=15).parse_args()
    about = measure.machine()
    with tempfile.TemporaryDirectory() as place:
        film = Path(place) / "film.mp4"
        write_video(film, itertools.islice(sway(), FRAMES), FPS, "h264")
        ways = {
            NOTHING: command(sys.executable, "-c", "pass"),
            LIBRARIES: command(sys.executable, "-c", "import av, cv2, numpy, onnxruntime"),
            TORCH: command(sys.executable, "-c", "import torch"),
            "python -c 'import learnet'": command(sys.executable, "-c", "import learnet"),
            "learnet --help": command(LEARNET, "--help"),
            "learnet predict FILM": command(LEARNET, "predict", film),
            "learnet predict FILM --weights W": command(
                LEARNET, "predict", film, "--weights", weights(Path(place))
            ),
        }
        seconds = measure.take_turns(ways, chosen.rounds)
    typical = {name: round(statistics.median(values), 3) for name, values in seconds.items()}
    rows = [
        measure.Row(f"{name}, seconds", reference, typical[name], target, "the reference's rate",
                    measure.ratio(seconds, reference, name), smaller_is_better=True)
        for name, (target, reference) in TARGETS.items()
    ]  # fmt: skip
    details = {
        "film": f"{FRAMES} frames, {SIZE[0]}x{SIZE[1]}, {FPS:g} frames a second",
        "median, s": typical,
        f"median, times {NOTHING}": {name: round(measure.ratio(seconds, name, NOTHING), 1) for name in ways},
    }
    measure.save(
        "startup",
        chosen.out,
        about,
        rows,
        details | {"slowest, s": {name: round(max(t), 3) for name, t in seconds.items()}},
    )


if __name__ == "__main__":
    main()
