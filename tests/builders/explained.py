"""Checkpoints with random weights, for tests of explanations."""

from dataclasses import replace
from pathlib import Path

from learnet.datasets.prepared.store import load_prepared
from learnet.networks import NETWORKS
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import CheckpointMetadata

METADATA = CheckpointMetadata(
    network="learnet",
    classes=("surprise", "none", "disgust", "happiness", "sadness"),
    size=28,
    preparation=None,
    training=None,
    data={"images_kind": "image", "synthetic": "yes", "people": "simulated/1\nsimulated/2"},
    versions={},
)


def write_checkpoint(folder: Path, metadata: CheckpointMetadata = METADATA) -> Path:
    """Write a checkpoint with random weights that are always the same."""
    return save_random_weights(folder / "weights.safetensors", metadata)


def checkpoint_for(path: Path, prepared: Path) -> Path:
    """Write random weights that fit a prepared folder and list its people as training data."""
    dataset = load_prepared(prepared)
    metadata = replace(
        METADATA,
        classes=tuple(sorted(set(dataset.clips["emotion"]))),
        preparation=dataset.record.preparation,
        data={"images_kind": "image", "people": "\n".join(sorted(set(dataset.clips["person"])))},
    )
    return save_random_weights(path, metadata)


def save_random_weights(path: Path, metadata: CheckpointMetadata) -> Path:
    """Save a network with random weights under `path`."""
    module = NETWORKS[metadata.network](len(metadata.classes), metadata.size, seed=9)
    save_checkpoint(path, module, metadata)
    return path
