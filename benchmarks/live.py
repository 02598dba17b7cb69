"""Does `learnet live` keep up with a camera of 200 frames a second? From a file of 640 x 480, decoding
included.

    python benchmarks/live.py            # writes benchmarks/results/<date>-<commit>-live.json

The film shows the public-domain portrait in scikit-image, as large as CASME II shows its people, with the
noise of a camera, on a head that sways so far that its face must be found anew a few times in a minute. It is
read as fast as it goes (the reference: merely decoding it), and then paced: every frame comes when it is due,
and the latency counts from then, decoding included, to the answer. Scores are averaged with those of the
mirror image, as weights of `learnet train` ask for. Memory is that of the process, while 100,000 small frames
pass. The networks have random weights, which costs as much. What `learnet export` makes of the same weights
is timed beside them."""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import cv2
import measure
import numpy as np
import torch
from skimage.data import astronaut

from learnet.core.live_settings import LiveSettings
from learnet.core.settings import Preparation, Training
from learnet.inference.live import LiveStream
from learnet.inference.onnx_export import export_onnx
from learnet.inference.onnx_inference import load_onnx
from learnet.inference.recogniser import Recogniser
from learnet.motion.detrend import StoredImages
from learnet.networks import NETWORKS
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.base import Frame, Video, VideoInfo
from learnet.video.reader import open_video
from learnet.video.writer import write_video

FPS, SIZE = 200.0, (640, 480)  # width, height
PERIOD = 400  # frames of a sway
CLASSES = ("happiness", "disgust", "repression", "surprise", "others")


def sway() -> Iterator[np.ndarray]:
    """One sway of the portrait, RGB, by up to 14 pixels to each side."""
    numbers = np.random.default_rng(0)
    still = cv2.resize(astronaut()[10:213, 90:361], SIZE, interpolation=cv2.INTER_CUBIC)
    noises = [numbers.normal(0, 2.5, still.shape).astype(np.float32) for _ in range(7)]
    for t in range(PERIOD):
        angle = 2 * np.pi * t / PERIOD
        there = np.float64([[1, 0, 14 * np.sin(angle)], [0, 1, 3 * np.sin(2 * angle)]])
        moved = cv2.warpAffine(still, there, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield np.clip(moved + noises[t % len(noises)], 0, 255).astype(np.uint8)


def weights(
    folder: Path, network: str = "learnet", size: int = 112, face: str = "haar", mirror: str = "image"
) -> Path:
    """Random ones, as a file of `learnet train`."""
    training = Training(detrend=False, mirror=mirror)  # type: ignore[arg-type]
    preparation = Preparation(face=face, size=size)  # type: ignore[arg-type]
    metadata = CheckpointMetadata(network, CLASSES, size, preparation, training, {}, {})
    path = folder / f"{network}-{size}-{face}-{mirror}.safetensors"
    save_checkpoint(path, NETWORKS[network](len(CLASSES), size), metadata)
    return path


def exported(file: Path) -> Path:
    return export_onnx(file, file.with_suffix(".onnx")).path


def recogniser(file: Path) -> Recogniser:
    model = os.environ.get("LEARNET_FACE_MODEL")
    return Recogniser.load(file, Path(model) if model else None)


def watch(ask: Recogniser, path: Path, pace: bool, every: int) -> dict[str, object]:
    start, cpu = time.perf_counter(), time.process_time()
    with open_video(path) as video, LiveStream(ask, video, LiveSettings(every=every), pace) as live:
        latencies = [answer.latency_ms for answer in live]
        found, anew = live.summary(), live.recogniser.tracker.recrops
    seconds = time.perf_counter() - start
    return {
        "paced": pace,
        "answer every": every,
        "frames": found.frames,
        "answers": found.predictions,
        "face anew": anew,
        "frames a second": round(found.frames / seconds, 1),
        "cores used": round((time.process_time() - cpu) / seconds, 2),
        "median, ms": round(statistics.median(latencies), 2),
        "99th percentile, ms": round(float(np.percentile(latencies, 99)), 2),
        "longest, ms": round(max(latencies), 2),
        "skipped": found.skipped,
    }


def decode(path: Path) -> float:
    """Frames a second, of merely decoding."""
    start = time.perf_counter()
    with open_video(path) as video:
        frames = sum(1 for _ in video)
    return frames / (time.perf_counter() - start)


class Endless(Video):
    """Small frames that go round, up to a number of them."""

    def __init__(self, frames: int) -> None:
        super().__init__(VideoInfo("endless", "file", FPS, 160, 120, frames, False, 0), (None, None), [])
        self.pictures = [
            cv2.resize(picture, (160, 120), interpolation=cv2.INTER_AREA)
            for picture in itertools.islice(sway(), 0, None, 8)
        ]

    def _frames(self) -> Iterator[Frame]:
        for number in range(self.info.frames or 0):
            yield Frame(number, number / FPS, self.pictures[number % len(self.pictures)].copy())


def resident_mb() -> float:
    """Memory of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory(ask: Recogniser, frames: int) -> dict[str, object]:
    video, marks = Endless(frames), []
    with LiveStream(ask, video, LiveSettings(every=20)) as live:
        for answer in live:
            if answer.number % (frames // 20 // 20) == 0:
                marks.append(resident_mb())
    settled = marks[2:]  # the first tenth fills what is filled once
    return {
        "frames": frames,
        "MB after a tenth": round(settled[0], 1),
        "MB at the end": round(settled[-1], 1),
        "growth, MB": round(settled[-1] - settled[0], 1),
    }


def networks(rounds: int) -> list[dict[str, object]]:
    """One image through each in the form in which it answers, from bytes to probabilities, on one thread and
    on all."""
    scorers = {
        name: Scorer.from_module(NETWORKS[name](len(CLASSES)).eval())
        for name in ("learnet", "resnet18", "resnet50")
    }
    numbers, cases, threads = np.random.default_rng(0), [], torch.get_num_threads()
    small = StoredImages(numbers.integers(0, 256, (1, 112, 112, 3), dtype=np.uint8))
    large = StoredImages(numbers.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8))
    for count in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(count)
        ways: dict[str, Callable[[], object]] = {
            name: lambda scorer=scorer: scorer.scores(small) for name, scorer in scorers.items()
        }
        ways["resnet50 at 224"] = lambda: scorers["resnet50"].scores(large)
        seconds = measure.take_turns(ways, rounds, warm=3)
        spent = {name: 1e3 * statistics.median(values) for name, values in seconds.items()}
        cases.append(
            {
                "threads": count,
                **{f"{name}, ms": round(value, 2) for name, value in spent.items()},
                "ResNet-50 over LEARNet": round(spent["resnet50"] / spent["learnet"], 1),
                "ResNet-50 at its own 224 pixels over LEARNet": round(
                    spent["resnet50 at 224"] / spent["learnet"], 1
                ),
            }
        )
    torch.set_num_threads(threads)
    return cases


def exported_networks(folder: Path, rounds: int) -> dict[str, object]:
    """The same, each by onnxruntime, which takes one thread."""
    scorers = {
        name: load_onnx(exported(weights(folder, name, mirror="none")))[0]
        for name in ("learnet", "resnet18", "resnet50")
    }
    image = StoredImages(np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), dtype=np.uint8))
    ways: dict[str, Callable[[], object]] = {
        name: lambda scorer=scorer: scorer.scores(image) for name, scorer in scorers.items()
    }
    seconds = measure.take_turns(ways, rounds, warm=3)
    spent = {f"{name}, ms": round(1e3 * statistics.median(values), 2) for name, values in seconds.items()}
    return {
        "exported, threads": 1,
        **spent,
        "ResNet-50 over LEARNet": round(measure.ratio(seconds, "resnet50", "learnet"), 1),
    }


def film_rows(form: str, fast: dict, paced: dict) -> list[measure.Row]:
    """The lines of the table for one form of the network."""
    film = f"{SIZE[0]}x{SIZE[1]} film, {form}"
    return [
        measure.Row(
            f"live on a {film}, frames a second",
            "a camera of 200 a second, decoding included",
            fast["frames a second"],
            FPS,
            "the decoding rate",
            fast["share of the rate of decoding"],
        ),
        measure.Row(
            "the same at 200 a second: 99th percentile, ms",
            "-",
            paced["99th percentile, ms"],
            15,
            smaller_is_better=True,
        ),
        measure.Row(
            "the same at 200 a second: frames skipped", "-", paced["skipped"], 0, smaller_is_better=True
        ),
    ]


def other_rows(held: dict, cases: list[dict], ready: dict) -> list[measure.Row]:
    """The lines about memory and about single images."""
    what, reference = "LEARNet on one image, from bytes to probabilities", "ResNet-50, also 112 px"
    return [
        measure.Row(
            f"memory over {held['frames']} frames, growth in MB",
            "-",
            held["growth, MB"],
            5,
            smaller_is_better=True,
        ),
        measure.Row(what, reference, min(case["ResNet-50 over LEARNet"] for case in cases), 20),
        measure.Row("the same, both exported", reference, ready["ResNet-50 over LEARNet"], 20),
    ]


def main() -> None:
    parser = measure.options(__doc__, rounds=30)
    parser.add_argument("--frames", type=int, default=4000, help="of the film")
    parser.add_argument("--memory-frames", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10, help="frames from one answer to the next")
    parser.add_argument("--codec", default="h264", choices=("h264", "mjpeg"))
    parser.add_argument("--face", default="haar", choices=("haar", "yunet"))
    chosen = parser.parse_args()
    about = measure.machine() | {
        "torch threads": torch.get_num_threads(),
        "onnxruntime": version("onnxruntime"),
    }
    rows, found = [], {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        film = place / f"film.{'avi' if chosen.codec == 'mjpeg' else 'mp4'}"
        write_video(film, itertools.islice(itertools.cycle(list(sway())), chosen.frames), FPS, chosen.codec)
        trained = weights(place, face=chosen.face)
        for form, file in {"torch": trained, "exported": exported(trained)}.items():
            ask, decoding = recogniser(file), decode(film)
            fast = watch(ask, film, pace=False, every=chosen.every)
            fast["share of the rate of decoding"] = round(fast["frames a second"] / decoding, 2)  # type: ignore[operator]
            paced = watch(ask, film, pace=True, every=chosen.every)
            found[form] = {"decoded a second": round(decoding), "fast": fast, "paced": paced}
            rows += film_rows(form, fast, paced)
        held = memory(recogniser(weights(place, size=28)), chosen.memory_frames)
        ready = exported_networks(place, chosen.rounds)
    cases = networks(chosen.rounds)
    film_is = f"{chosen.frames} frames, {SIZE[0]}x{SIZE[1]}, {chosen.codec}, {FPS:g} frames a second"
    film_is += f"; face {chosen.face}"
    details = {"film": film_is, **found, "memory": held, "networks": [*cases, ready]}
    measure.save("live", chosen.out, about, [*rows, *other_rows(held, cases, ready)], details)


if __name__ == "__main__":
    main()
