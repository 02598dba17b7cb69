"""Prepared folders whose images show action units by construction, and a network that reads them off."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, save_prepared
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.metrics.action_units import annotated_sides
from learnet.training.metadata import ActionUnitSettings, CheckpointMetadata
from learnet.training.scorer import Scorer

UNITS = (4, 12)
ROWS = {4: slice(4, 8), 12: slice(20, 24)}  # of the image, in which a unit raises v
LEFT, RIGHT = slice(16, 24), slice(4, 12)  # columns: the person's left is on the right of the image
THRESHOLDS = (0.5, 0.6)


def annotated_images(codes: Sequence[str], seed: int = 0, noise: float = 12) -> np.ndarray:
    """Flow images in which v is 60 grey levels larger where a unit of the code is active."""
    rng = np.random.default_rng(seed)
    images = rng.normal(127, noise, (len(codes), 28, 28, 3))
    images[..., 2] = rng.uniform(0, 20, (len(codes), 28, 28))
    for image, sides in zip(images, annotated_sides(codes, UNITS), strict=True):
        for unit, (left, right) in zip(UNITS, sides, strict=True):
            image[ROWS[unit], LEFT, 1] += 60 * left
            image[ROWS[unit], RIGHT, 1] += 60 * right
    return images.round().clip(0, 255).astype(np.uint8)


def write_annotated(
    folder: Path,
    codes: Sequence[str],
    people: Sequence[str],
    dataset: str = "casme2",
    columns: dict[str, Sequence[object]] | None = None,
    noise: float = 12,
    preparation: Preparation | None = None,
) -> PreparedDataset:
    """Write a prepared folder of flow images; clips are called c00, c01, …"""
    images = annotated_images(codes, seed=len(dataset), noise=noise)
    names = [f"c{number:02}" for number in range(len(codes))]
    clips = pd.DataFrame(
        {
            "image": range(len(codes)),
            "clip": [f"{dataset}/{person}/{name}" for person, name in zip(people, names, strict=True)],
            "dataset": dataset,
            "subject": list(people),
            "person": [f"{dataset}/{person}" for person in people],
            "name": names,
            "emotion": "happiness",
            "action_units": list(codes),
            **(columns or {}),
        }
    )
    record = PrepareRecord(preparation=preparation, images_kind="flow", clips=len(codes))
    return save_prepared(folder, images, clips, record, [])


def read_off(batch: np.ndarray) -> np.ndarray:
    """The network: logit 4 where v is 60 grey levels larger on a side, -4 where it is not."""
    sides = []
    for columns in (LEFT, RIGHT):
        means = [batch[:, 1, ROWS[unit], columns].mean(axis=(1, 2)) for unit in UNITS]
        sides.append(np.stack(means, axis=1) * (8 * 127.5 / 60) - 4)
    left, right = sides
    return np.concatenate([np.maximum(left, right), left, right], axis=1)


def reading_recogniser(size: int = 28, **data: str) -> ActionUnitRecogniser:
    """The network `read_off` with the metadata of weights trained on imported flow images."""
    metadata = CheckpointMetadata(
        network="read-off",
        classes=("AU4", "AU12"),
        size=size,
        preparation=None,
        training=None,
        data={"images_kind": "flow", "synthetic": "no", **data},
        versions={},
        action_units=ActionUnitSettings(UNITS, THRESHOLDS, 0.1),
    )
    return ActionUnitRecogniser(Scorer(read_off), metadata, UNITS, dict(zip(UNITS, THRESHOLDS, strict=True)))
