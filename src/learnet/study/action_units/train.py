"""Training of a network of action units on all people of a dataset, to be used on other people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from torch import nn

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Training
from learnet.datasets.prepared.concat import open_datasets
from learnet.datasets.prepared.store import ImageSource
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.metrics.action_units import annotated_sides
from learnet.motion.detrend import StoredImages
from learnet.study.describe import describe_training_data, versions
from learnet.study.train_on_all import NEVER_WRITTEN
from learnet.training.action_units import (
    HELD_OUT_SHARE,
    WRONG_SHARE,
    UnitExamples,
    choose_thresholds,
    fit_action_units,
    units_in,
)
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import ActionUnitSettings, CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.training.train import resolve_training


@dataclass(frozen=True)
class TrainedActionUnits:
    """A network of action units that was trained on all people of a dataset but some, and its metadata."""

    module: nn.Module
    metadata: CheckpointMetadata
    images: int  # training images, without those on which the thresholds were chosen

    def save(self, checkpoint: str | Path, half: bool = False) -> None:
        """Write the checkpoint, on request with numbers in half precision."""
        save_checkpoint(checkpoint, self.module, self.metadata, half)


def train_action_units(
    folder: str | Path | Sequence[str | Path],
    network: str,
    training: Training,
    progress: Callable[[int, int], None] | None = None,
) -> TrainedActionUnits:
    """Train a network that names action units, and choose the probability from which each unit is named.

    One person in ten is left out of the training. On their images the thresholds are chosen
    (`training.action_units.choose_thresholds`).

    Args:
        folder: prepared folder of flow images with action units, or several. Images without units are
            examples of a face at rest if they are synthetic, and are left out otherwise.
        network: name in NETWORKS.
        training: settings.
        progress: called after each epoch with the number done and in all.

    Raises:
        BadInput: no action units in the folder.
        LearnetError: images that are no flow, or fewer than two people.
    """
    source = open_datasets(folder, NEVER_WRITTEN)
    if source.record.images_kind != "flow":
        raise LearnetError(
            "Action units are learned from flow images, and these are none.",
            "Prepare with --motion flow-dis.",
        )
    training = resolve_training(training, source, network)
    rows = _annotated_rows(source)
    codes = source.clips["action_units"].iloc[rows].tolist()
    units = units_in(codes)
    examples = UnitExamples(source.take(rows), annotated_sides(codes, units))
    people = source.clips["person"].iloc[rows].tolist()
    held_out = _held_out_rows(people, training.seed)
    trained_on = np.setdiff1d(np.arange(len(rows)), held_out)
    module = fit_action_units(network, examples.take(trained_on), training, progress)
    untested = ActionUnitSettings(units, (0.5,) * len(units), WRONG_SHARE)
    metadata = _metadata(network, source, training, untested, len(trained_on))
    present = _scores(module, metadata, examples.take(held_out))
    thresholds = choose_thresholds(present, examples.take(held_out).present)
    settings = ActionUnitSettings(units, thresholds, WRONG_SHARE)
    metadata = _metadata(network, source, training, settings, len(trained_on))
    return TrainedActionUnits(module, metadata, len(trained_on))


def _annotated_rows(source: ImageSource) -> list[int]:
    """Return the images whose action units are known."""
    codes = source.clips["action_units"]
    if not (codes != "").any():
        folders = ", ".join(map(str, source.folders))
        wrong = "no clip has action units: the column action_units of clips.csv is empty"
        raise BadInput(folders, wrong, "Simulate images, or import with a column action_units.")
    if source.record.synthetic:
        return list(range(len(codes)))
    return np.flatnonzero(codes != "").tolist()


def _held_out_rows(people: Sequence[str], seed: int) -> np.ndarray:
    names = sorted(set(people))
    if len(names) < 2:
        raise LearnetError("One person is too few.", "At least one more is needed to choose thresholds.")
    count = max(1, round(HELD_OUT_SHARE * len(names)))
    drawn = np.random.default_rng(seed).permutation(len(names))[:count]
    chosen = [names[index] for index in drawn]
    return np.flatnonzero(np.isin(people, chosen))


def _scores(
    module: nn.Module, metadata: CheckpointMetadata, examples: UnitExamples
) -> Float64[np.ndarray, "N U"]:
    assert metadata.action_units is not None
    units = metadata.action_units.units
    scorer = Scorer.from_checkpoint(module, metadata)
    recogniser = ActionUnitRecogniser(scorer, metadata, units, dict.fromkeys(units, 0.5), "")
    return recogniser.scores(StoredImages(examples.images)).present


def _metadata(
    network: str, source: ImageSource, training: Training, settings: ActionUnitSettings, images: int
) -> CheckpointMetadata:
    return CheckpointMetadata(
        network=network,
        classes=tuple(f"AU{unit}" for unit in settings.units),
        size=source.size,
        preparation=source.record.preparation,
        training=training,
        data=describe_training_data(source, source.clips["person"], images),
        versions=versions(),
        action_units=settings,
    )
