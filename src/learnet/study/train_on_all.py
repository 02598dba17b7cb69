"""Training of one network on all people of a dataset, to be used on other people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import pick
from learnet.core.settings import Study, Training
from learnet.datasets.prepared.concat import open_datasets
from learnet.networks import NETWORKS
from learnet.study.jobs import checkpoint_metadata
from learnet.study.labelled import LabelledDataset, apply_class_scheme
from learnet.training.checkpoint import save_checkpoint
from learnet.training.device import resolve_device
from learnet.training.initial_weights import load_initial_weights
from learnet.training.metadata import CheckpointMetadata
from learnet.training.train import TrainedNetwork, resolve_training, train

NEVER_WRITTEN = Path("concatenated")  # several prepared folders are read where they are


@dataclass(frozen=True)
class TrainedOnAll:
    """A network that was trained on all people of a dataset."""

    trained: TrainedNetwork
    metadata: CheckpointMetadata
    data: LabelledDataset

    def save(self, checkpoint: str | Path, half: bool = False) -> None:
        """Write the checkpoint, on request with numbers in half precision."""
        save_checkpoint(checkpoint, self.trained.module, self.metadata, half)


def train_on_all(
    folder: str | Path | Sequence[str | Path],
    study: Study,
    training: Training,
    progress: Callable[[int, int], None] | None = None,
    device: str = "auto",
) -> TrainedOnAll:
    """Train one network on all people of a prepared folder, or of several. Its scores on them mean nothing.

    Args:
        folder: prepared folder, or several.
        study: network and classes.
        training: settings.
        progress: called after each epoch with the number done and in all.
        device: as of `Resources`.
    """
    pick(NETWORKS, study.network, "network")
    data = apply_class_scheme(open_datasets(folder, NEVER_WRITTEN), study.classes)
    training = resolve_training(training, data.prepared, study.network)
    initial_weights = None
    if training.init:
        classes = data.scheme.classes
        start = load_initial_weights(training.init, study.network, data.prepared, classes, data.people)
        initial_weights = start.tensors
    everybody = range(len(data.rows))
    train_set = data.training_set(everybody, training.phases)
    trained = train(study.network, train_set, training, progress, initial_weights, resolve_device(device))
    return TrainedOnAll(trained, checkpoint_metadata(study.network, data, training, everybody), data)
