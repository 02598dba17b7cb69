"""Weights and a prepared folder for the tests of ONNX: small, random, and with answers that differ from image
to image."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from learnet.core.settings import Preparation, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import save_prepared
from learnet.networks import NETWORKS, as_input
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import CheckpointMetadata

CLASSES = ("happiness", "disgust", "überraschung")
SIZE = 32


def make_metadata(
    network: str, size: int = SIZE, mirror: str = "none", **preparation: object
) -> CheckpointMetadata:
    return CheckpointMetadata(
        network=network,
        classes=CLASSES,
        size=size,
        preparation=Preparation(size=size, **preparation),
        training=Training(mirror=mirror, detrend=False),
        data={"images_kind": "image", "synthetic": "yes"},
        versions={"torch": "2"},
    )


def pictures(count: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Smooth patterns, (count, size, size, 3) uint8, no two alike."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(2 * np.pi * (a * x + b * y + c)) for a, b, c in rng.uniform(-3, 3, (count * 3, 3))]
    grey = 128 + 120 * np.stack(waves).reshape(count, 3, size, size)
    return np.clip(grey, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1).copy()


def trained(network: str, size: int = SIZE) -> nn.Module:
    """A network with weights at random, statistics that are not those it starts with, and scores that
    spread."""
    module = NETWORKS[network](len(CLASSES), size, seed=3)
    inputs = as_input(pictures(24, size, seed=1))
    if hasattr(module, "fit"):
        module.fit(inputs, torch.arange(24) % 3)
        return module.eval()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for _ in range(3):
            module.train()(inputs)
        last = [layer for layer in module.modules() if isinstance(layer, nn.Linear)][-1]
        spread = module.eval()(inputs)
        last.weight /= spread.std(dim=0)[:, None]
        last.bias -= spread.mean(dim=0) / spread.std(dim=0)
    return module


def write_weights(path: Path, about: CheckpointMetadata) -> Path:
    save_checkpoint(path, trained(about.network, about.size), about)
    return path


def write_prepared(out: Path, about: CheckpointMetadata, count: int = 12, people: int = 4) -> Path:
    names = [f"casme2/{number % people:02d}" for number in range(count)]
    clips = pd.DataFrame(
        {
            "image": range(count),
            "clip": [f"{name}/{n}" for n, name in enumerate(names)],
            "person": names,
            "emotion": "others",
            "dataset": "casme2",
            "onset": 1,
            "apex": 2,
            "offset": 3,
            "fps": 200,
            "frames": 3,
        }
    )
    prepared = PrepareRecord(preparation=about.preparation, images_kind=about.data["images_kind"])
    save_prepared(out, pictures(count, about.size, seed=2), clips, prepared, [])
    return out
