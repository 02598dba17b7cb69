"""Initial weights of the networks of a study, from a checkpoint, adapted to the classes of the study."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.network_info import network_info
from learnet.datasets.prepared.store import ImageSource
from learnet.networks import NETWORKS
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible, people_seen
from learnet.training.metadata import CheckpointMetadata, InitialWeightsRecord
from learnet.training.pretrained import PRETRAINED, pretrained_weights, resolve_checkpoint


@dataclass(frozen=True)
class InitialWeights:
    """Initial weights of every network of a study. They can be sent to other processes and machines."""

    tensors: bytes  # safetensors; without the class layer if the weights do not know all classes
    record: InitialWeightsRecord


def load_initial_weights(
    weights: str, network: str, images: ImageSource, classes: Sequence[str], people: Iterable[str]
) -> InitialWeights:
    """Read the initial weights for every fold of a study.

    The class layer is included if the weights know every class of the study; each class then has its own
    weights, in whatever order. Otherwise it is initialised at random.

    Args:
        weights: checkpoint, name of shipped weights, or `pretrained` for the shipped weights that fit.
        network: name in NETWORKS; the weights must be of this network.
        images: of the study.
        classes: of the study.
        people: in the study.

    Raises:
        BadCheckpoint: weights of another network or for other images; or weights trained on people of the
            study.
        LearnetError: there are no shipped weights for this network and these images; or a non-iterative
            network.
    """
    if network_info(network).non_iterative:
        raise LearnetError(
            f"{network} is a closed-form estimator without initial weights.", "Leave init (--init) out."
        )
    path = resolve_checkpoint(Path(weights))
    if weights == PRETRAINED:
        path = pretrained_weights(network, images.record.images_kind, images.size)
    module, metadata = load_checkpoint(path, network)
    check_compatible(images, path, metadata)
    _refuse_people_seen(path, metadata, images, people)
    has_all_classes = set(classes) <= set(metadata.classes)
    tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    for name in _class_layer(network, metadata.size):
        if has_all_classes:
            rows = [metadata.classes.index(label) for label in classes]
            tensors[name] = tensors[name][rows].contiguous()
        else:
            del tensors[name]
    record = InitialWeightsRecord(
        weights=weights if weights == PRETRAINED else path.name,
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        class_layer="taken" if has_all_classes else "new",
        data={key: value for key, value in metadata.data.items() if key != "people"},
    )
    return InitialWeights(save(tensors), record)


def _refuse_people_seen(
    path: Path, metadata: CheckpointMetadata, images: ImageSource, people: Iterable[str]
) -> None:
    """Refuse weights that were trained on people of the study, who would be tested."""
    seen = people_seen(metadata, images.record, people)
    if not seen:
        return
    names = ", ".join(seen[:3]) + (", …" if len(seen) > 3 else "")
    problem = f"was trained on {len(seen)} of the people who would be tested ({names})"
    raise BadCheckpoint(path, problem, "Choose other initial weights.")


def _class_layer(network: str, size: int) -> list[str]:
    """Return the names of the tensors whose shape depends on the number of classes."""
    with torch.random.fork_rng(devices=[]):
        three_classes = NETWORKS[network](3, size).state_dict()
        four_classes = NETWORKS[network](4, size).state_dict()
    names = []
    for name, tensor in three_classes.items():
        if tensor.shape != four_classes[name].shape:
            names.append(name)
    return names
