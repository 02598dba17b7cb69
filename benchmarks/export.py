"""Time to score one image with ONNX, compared with torch in the same run: one thread, 112 x 112, batch of 1.

    python benchmarks/export.py            # writes benchmarks/results/<date>-<commit>-export.json

Weights are random, because time does not depend on them. The ranges of int8 are those of smooth random images
(see `prepared`).
The forms take turns in each round; times are medians. Run it on an idle machine."""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import measure
import numpy as np
import onnxruntime
import pandas as pd
import torch

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
from learnet.training.torch_logits import module_logits, torch_softmax

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


def forms(name: str, folder: Path, images: Path) -> tuple[dict[str, Scorer], dict[str, float]]:
    """Return the scorer of each form of one network, and the size of its file in MB."""
    weights = folder / f"{name}.safetensors"
    metadata = CheckpointMetadata(name, CLASSES, 112, SETTINGS, None, {"images_kind": "image"}, {})
    save_checkpoint(weights, NETWORKS[name](len(CLASSES), 112), metadata)
    module, _ = load_checkpoint(weights)
    # not `from_module`: the times in docs/export.md are those of the network before any fusion
    scorers = {"torch": Scorer(module_logits(module), softmax=torch_softmax)}
    sizes = {"torch": weights.stat().st_size / 1e6}
    for precision in PRECISIONS:
        exported = export_onnx(weights, folder / f"{name}-{precision}.onnx", precision, images)
        scorers[precision], _ = load_onnx(exported.path)
        sizes[precision] = exported.size_bytes / 1e6
    return scorers, sizes


def time_network(name: str, folder: Path, images: Path, rounds: int) -> dict[str, object]:
    """Return median times of each form of one network, and the sizes of the files."""
    scorers, sizes = forms(name, folder, images)
    image = StoredImages(np.load(images / "images.npy")[:1])
    ways: dict[str, Callable[[], object]] = {}
    for form, scorer in scorers.items():
        ways[form] = lambda scorer=scorer: [scorer.scores(image) for _ in range(TIMES)]
    seconds = measure.take_turns(ways, rounds, warm=2)
    median_ms = {form: 1e3 * statistics.median(values) / TIMES for form, values in seconds.items()}
    speedup = {precision: median_ms["torch"] / median_ms[precision] for precision in PRECISIONS}
    return {
        "median_ms": {form: round(value, 3) for form, value in median_ms.items()},
        "times as fast as torch": {precision: round(value, 2) for precision, value in speedup.items()},
        "file_mb": {form: round(size, 2) for form, size in sizes.items()},
    }


def main() -> None:
    chosen = measure.options(__doc__, rounds=15).parse_args()
    about = measure.machine() | {"onnxruntime": onnxruntime.__version__}
    torch.set_num_threads(1)
    details: dict[str, object] = {
        "images": "1x112x112x3 uint8, one thread",
        "rounds": chosen.rounds,
    }
    with tempfile.TemporaryDirectory() as folder:
        images = prepared(Path(folder) / "prepared")
        for name in NETWORKS_TIMED:
            details[name] = time_network(name, Path(folder), images, chosen.rounds)
    measure.save("export", chosen.out, about, [], details)


if __name__ == "__main__":
    main()
