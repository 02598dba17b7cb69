"""Networks that do not start from random numbers: the weights of another one, fitted to the classes of a study."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.network_info import network_info
from learnet.core.serialisation import key_named
from learnet.datasets.prepared.store import ImageSource
from learnet.networks import NETWORKS
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible
from learnet.training.pretrained import PRETRAINED, pretrained_weights, resolve_weights


@dataclass(frozen=True)
class InitialWeightsRecord:
    """What `study.json` says of the initial weights of a study."""

    weights: str  # as they were requested
    file: str
    sha256: str
    class_layer: str = key_named("class layer")  # "taken" from the weights, or "new"
    data: dict[str, str] = key_named("learned from")  # what the weights were trained on; names nobody


@dataclass(frozen=True)
class InitialWeights:
    """Where every network of a study starts from. It travels to other processes and machines."""

    tensors: bytes  # safetensors: everything but what belongs to classes that the weights do not know
    record: InitialWeightsRecord


def load_initial_weights(
    weights: str, network: str, images: ImageSource, classes: Sequence[str], people: Iterable[str]
) -> InitialWeights:
    """Weights to start every fold from.

    The class layer comes along where the weights know every class of the study, each class with its own
    weights, whatever their order; otherwise it starts from random numbers.

    Args:
        weights: a checkpoint, or the name of one that comes with learnet, or `pretrained_weights` for the one
            of these that fits.
        network: name in NETWORKS; the weights must be of this network.
        images: of the study.
        classes: of the study.
        people: who is in it.

    Raises:
        BadCheckpoint: weights of another network or for other images; or weights that have seen people of the
            study.
        LearnetError: no weights come with learnet for this network and these images, or the network is fitted
            in one go.
    """
    if network_info(network).non_iterative:
        raise LearnetError(f"{network} is fitted in one go and starts from nothing.", "Leave --init out.")
    path = (
        pretrained_weights(network, images.record.images_kind, images.size)
        if weights == PRETRAINED
        else resolve_weights(Path(weights))
    )
    module, metadata = load_checkpoint(path, network)
    check_compatible(images, path, metadata)
    seen = sorted(set(metadata.data.get("people", "").splitlines()) & set(people))
    if seen and {metadata.data.get("synthetic"), images.record.synthetic_extent} != {
        "yes",
        "no",
    }:  # synthetic 01 is nobody real
        shown = ", ".join(seen[:3]) + (", …" if len(seen) > 3 else "")
        raise BadCheckpoint(
            path,
            f"has learned from {len(seen)} of the people who would be tested ({shown})",
            "Start from other weights.",
        )
    tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    layer, known = (
        _class_layer(network, metadata.size),
        [name for name in classes if name in metadata.classes],
    )
    if len(known) == len(classes):
        rows = [metadata.classes.index(name) for name in classes]
        tensors.update({name: tensors[name][rows].contiguous() for name in layer})
    else:
        tensors = {name: tensor for name, tensor in tensors.items() if name not in layer}
    record = InitialWeightsRecord(
        weights=weights if weights == PRETRAINED else path.name,
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        class_layer="taken" if len(known) == len(classes) else "new",
        data={key: value for key, value in metadata.data.items() if key != "people"},
    )
    return InitialWeights(save(tensors), record)


def _class_layer(network: str, size: int) -> tuple[str, ...]:
    """Names of the tensors that have a row for each class: those that change when there is one class more."""
    shapes: list[dict[str, Tensor]] = []
    with torch.random.fork_rng(devices=[]):
        shapes = [NETWORKS[network](classes, size).state_dict() for classes in (3, 4)]
    return tuple(name for name in shapes[0] if shapes[0][name].shape != shapes[1][name].shape)
