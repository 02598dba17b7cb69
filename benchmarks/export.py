"""How long does one image take in ONNX, against torch in the same run? One thread each, 112 x 112, batch of
1.

    python benchmarks/export.py            # writes benchmarks/results/<date>-<commit>-export.json

Weights are random: time does not depend on them. int8 takes its ranges from random smooth images. Rounds take
turns, the table gives medians. Run it on a machine that does nothing else."""

import argparse
import datetime
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pandas as pd
import torch
from dynamic_image import commit, machine, measure

from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import save_prepared
from learnet.inference.onnx_export import PRECISIONS, export_onnx
from learnet.inference.onnx_inference import load_onnx
from learnet.motion.detrend import StoredImages
from learnet.networks import NETWORKS
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer

NETWORKS_TIMED = ("learnet", "resnet18")
CLASSES = ("happiness", "disgust", "repression", "surprise", "others")
SETTINGS = Preparation()
TIMES = 20  # images in a row of one round


def prepared(folder: Path) -> Path:
    """Twenty smooth images of two people who do not exist."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 7, 7, 3), dtype=np.uint8)
    images = np.stack([cv2.resize(image, (112, 112), interpolation=cv2.INTER_CUBIC) for image in noise])
    rows = {
        "image": range(20),
        "clip": [f"x/{n}" for n in range(20)],
        "person": ["x/1", "x/2"] * 10,
        "emotion": "others",
    }
    record = PrepareRecord(preparation=SETTINGS, images_kind="image")
    save_prepared(
        folder,
        images,
        pd.DataFrame(rows | dict.fromkeys(("onset", "apex", "offset", "fps", "frames"), 1)),
        record,
        [],
    )
    return folder


def ways(name: str, place: Path, images: Path) -> tuple[dict[str, Callable[[], object]], dict[str, float]]:
    """Each form of one network, ready to score an image TIMES times, and the size of its file in MB."""
    weights = place / f"{name}.safetensors"
    metadata = CheckpointMetadata(name, CLASSES, 112, SETTINGS, None, {"images_kind": "image"}, {})
    save_checkpoint(weights, NETWORKS[name](len(CLASSES), 112), metadata)
    module, _ = load_checkpoint(weights)
    image = StoredImages(np.load(images / "images.npy")[:1])
    scorers = {"torch": Scorer.from_module(module)}
    sizes = {"torch": weights.stat().st_size / 1e6}
    for precision in PRECISIONS:
        done = export_onnx(weights, place / f"{name}-{precision}.onnx", precision, images)
        scorers[precision], _ = load_onnx(done.path)
        sizes[precision] = done.size_bytes / 1e6
    ready: dict[str, Callable[[], object]] = {}
    for form, scorer in scorers.items():
        ready[form] = lambda scorer=scorer: [scorer.scores(image) for _ in range(TIMES)]
    return ready, sizes


def run(rounds: int) -> dict[str, object]:
    about = machine() | {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    torch.set_num_threads(1)
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        images = prepared(Path(folder) / "prepared")
        for name in NETWORKS_TIMED:
            ready, sizes = ways(name, Path(folder), images)
            measure(ready, 2)  # memory, kernels
            typical = {
                way: statistics.median(values) / TIMES for way, values in measure(ready, rounds).items()
            }
            found[name] = {
                "median_ms": {way: round(1e3 * value, 3) for way, value in typical.items()},
                "times as fast as torch": {
                    way: round(typical["torch"] / typical[way], 2) for way in PRECISIONS
                },
                "file_mb": {way: round(size, 2) for way, size in sizes.items()},
            }
    return {
        "benchmark": "export",
        "images": "1x112x112x3 uint8, one thread",
        "rounds": rounds,
        "found": found,
        "machine": about,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--date", default=datetime.date.today().isoformat())
    options.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="folder for the result"
    )
    chosen = options.parse_args()
    result = {"date": chosen.date, "commit": commit()} | run(chosen.rounds)
    print(json.dumps(result, indent=1))
    file = chosen.out / f"{result['date']}-{result['commit']}-export.json"
    file.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
