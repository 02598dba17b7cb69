"""Checkpoints: weights of a network and their metadata in one safetensors file, which contains no code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from learnet.core.errors import BadCheckpoint
from learnet.core.files import sha256_hex, write_atomically
from learnet.core.serialisation import parse_json
from learnet.networks import NETWORKS, without_values
from learnet.networks.simple_learners import RBFSVM
from learnet.training.metadata import (
    CHECKSUM_KEY,
    TRAIN_AGAIN,
    CheckpointMetadata,
    metadata_to_json,
    read_metadata,
)
from learnet.training.pretrained import check_file, resolve_checkpoint

PICKLE = "which can run any code when it is opened, so it was not opened"
FOREIGN = {
    b"PK": f"a zip archive, as torch.save writes it, with a pickle inside, {PICKLE}",
    b"\x80": f"a pickle, {PICKLE}",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"\x08": "an ONNX file, by its first byte; it can be used, and neither trained nor explained",
}
"""First bytes of weight files that learnet does not read, and their formats."""

HOW_TO_MAKE = "Checkpoints are written by `learnet train` and `learnet study`."
COPY_AGAIN = "Copy it again, or train again."
METADATA_KEY = "learnet"  # in the header of the file


def save_checkpoint(
    path: str | Path, module: nn.Module, metadata: CheckpointMetadata, half: bool = False
) -> None:
    """Write weights and metadata to one file, completely or not at all. Equal content gives equal bytes.

    Args:
        path: usually ends in .safetensors; a missing folder is created.
        module: network `metadata.network`, for the number of classes and the image size of the metadata.
        metadata: of the network.
        half: write numbers in half precision: half the size, three digits. They are read as single precision.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    write_atomically(Path(path), checkpoint_bytes(module, metadata, half))


def checkpoint_bytes(module: nn.Module, metadata: CheckpointMetadata, half: bool = False) -> bytes:
    """Return the content of the file that `save_checkpoint` writes, with its checksum in the metadata."""
    tensors = {}
    for name, tensor in module.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        if half and tensor.dtype == torch.float32:
            tensor = tensor.half()
        tensors[name] = tensor
    text = metadata_to_json(metadata)  # one entry of the header, because the order of several varies
    record = parse_json(text)
    checksum = _checksum(record, save(tensors, metadata={METADATA_KEY: text}))
    text = json.dumps({**record, CHECKSUM_KEY: checksum}, sort_keys=True)
    return save(tensors, metadata={METADATA_KEY: text})


def load_checkpoint(path: str | Path, network: str | None = None) -> tuple[nn.Module, CheckpointMetadata]:
    """Read a file written by `save_checkpoint`.

    Args:
        path: file, or name of shipped weights (`pretrained.resolve_checkpoint`).
        network: required network, if only one is acceptable.

    Returns:
        The network in eval mode, and its metadata.

    Raises:
        BadCheckpoint: the file is missing, truncated, a pickle or anything else but safetensors, or not
            written by learnet; it does not fit its checksum; it contains another network than required; its
            weights do not fit the network, or are not finite.
    """
    path = resolve_checkpoint(Path(path))
    content = _read(path)
    try:
        tensors = load(content)
    except SafetensorError as error:
        problem = f"the file is damaged or truncated ({error})"
        raise BadCheckpoint(path, problem, COPY_AGAIN) from None
    text = _metadata_text(path, content)
    _check_checksum(path, text, content)
    metadata = read_metadata(path, text)
    if metadata.network not in NETWORKS:
        problem = f"it contains the unknown network {metadata.network!r}"
        raise BadCheckpoint(path, problem, f"Known: {', '.join(NETWORKS)}.")
    if network is not None and metadata.network != network:
        problem = f"it contains the network {metadata.network!r}, not {network!r}"
        raise BadCheckpoint(path, problem, f"Choose the network {metadata.network!r}.")
    return _build_network(path, metadata, tensors), metadata


def load_class_network(path: str | Path) -> tuple[nn.Module, CheckpointMetadata]:
    """Read a file of a network that scores classes, as `load_checkpoint` does.

    Raises:
        BadCheckpoint: its network names action units.
    """
    module, metadata = load_checkpoint(path)
    if metadata.action_units is not None:
        raise BadCheckpoint(Path(path), "it names action units and no classes", "Choose another file.")
    return module, metadata


def load_network(weights: str | Path) -> nn.Module:
    """Return a trained network as a PyTorch module.

    It maps RGB motion images (B, 3, S, S), float32 in -1..1, to class scores before softmax, (B, K).
    `networks.as_input` converts grey levels to this range. The attribute `metadata` (`CheckpointMetadata`)
    has the names of the `classes`, the image `size` S, the `preparation` of the images, and the
    `detrend_percentile` for `motion.detrend.detrend`, where that is above 0.

    Args:
        weights: name of shipped weights, such as `ststnet-flow-28`, or a file written by learnet.

    Returns:
        The network in eval mode, on the CPU.

    Raises:
        BadCheckpoint: see `load_checkpoint`.
    """
    module, metadata = load_checkpoint(weights)
    module.metadata = metadata  # type: ignore[assignment]  # torch's stub knows tensors and modules only
    return module


def load_tensors(tensors: bytes, module: nn.Module) -> None:
    """Set the values of a network that `tensors` (safetensors) contains; the others stay as they are."""
    module.load_state_dict(load(tensors), strict=False)


def _read(path: Path) -> bytes:
    """Return the whole file, if its first bytes may be safetensors: 8 bytes of length, then JSON."""
    check_file(path, HOW_TO_MAKE)
    with path.open("rb") as handle:
        head = handle.read(9)
        if not head:
            raise BadCheckpoint(path, "the file is empty", HOW_TO_MAKE)
        if head[8:] != b"{":
            raise BadCheckpoint(path, f"this is {_foreign_format(head)}", HOW_TO_MAKE)
        return head + handle.read()


def _foreign_format(head: bytes) -> str:
    """Return what a file is, by its first bytes."""
    for magic, description in FOREIGN.items():
        if head.startswith(magic):
            return description
    return "not a safetensors file; other formats are not opened, because a pickle can run any code"


def _split(content: bytes) -> tuple[Any, bytes]:
    """Return the header of a safetensors file, which was read before, and the values of its tensors."""
    start = 8 + int.from_bytes(content[:8], "little")
    return parse_json(content[8:start]), content[start:]


def _metadata_text(path: Path, content: bytes) -> str:
    """Return our entry of the file's header, JSON."""
    header, _ = _split(content)
    text = (header.get("__metadata__") or {}).get(METADATA_KEY)
    if text is None:
        problem = "learnet did not write this: the network and the classes of the weights are not recorded"
        raise BadCheckpoint(path, problem, HOW_TO_MAKE)
    return str(text)


def _checksum(record: Mapping[str, object], content: bytes) -> str:
    """Return the SHA-256 of a file: of the metadata without the checksum, the header, and the values."""
    header, values = _split(content)
    shapes = {name: entry for name, entry in header.items() if name != "__metadata__"}
    kept = {key: value for key, value in record.items() if key != CHECKSUM_KEY}
    described = json.dumps([kept, shapes], sort_keys=True).encode()
    return sha256_hex(described + values)


def _check_checksum(path: Path, text: str, content: bytes) -> None:
    """Refuse a file that was changed after it was written; those of earlier versions have no checksum."""
    try:
        record = parse_json(text)
    except ValueError:
        return  # `read_metadata` says so
    if not isinstance(record, dict) or CHECKSUM_KEY not in record:
        return
    if record[CHECKSUM_KEY] != _checksum(record, content):
        problem = "it was damaged or changed after it was written: its checksum differs"
        raise BadCheckpoint(path, problem, COPY_AGAIN)


def _build_network(path: Path, metadata: CheckpointMetadata, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return the network with the weights of the file, in eval mode."""
    weights = {}
    for name, tensor in tensors.items():
        weights[name] = tensor.float() if tensor.dtype == torch.float16 else tensor
    if metadata.outputs > sum(map(torch.numel, weights.values())):
        problem = f"its weights are fewer numbers than its {len(metadata.classes)} classes"
        raise BadCheckpoint(path, problem, TRAIN_AGAIN)
    # Damaged metadata could ask for any amount of memory, so the shapes are compared first.
    shapes = _resized(without_values(metadata.network, metadata.outputs, metadata.size), weights)
    _check_shapes(path, metadata, shapes, weights)
    module = _resized(NETWORKS[metadata.network](metadata.outputs, metadata.size), weights)
    for name in sorted(weights):
        if not bool(torch.isfinite(weights[name]).all()):
            problem = f"{name} contains values that are not finite"
            raise BadCheckpoint(path, problem, "Train again, with a smaller learning rate.")
    module.load_state_dict(weights)
    return module.eval()


def _resized(module: nn.Module, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a network with room for the support vectors of a file, where it has such."""
    if isinstance(module, RBFSVM) and weights.get("vectors", torch.empty(())).ndim:
        module.resize(len(weights["vectors"]))
    return module


def _check_shapes(
    path: Path, metadata: CheckpointMetadata, module: nn.Module, weights: Mapping[str, Tensor]
) -> None:
    """Check that names, types and shapes of the weights are those of the network."""
    expected = {name: _describe(tensor) for name, tensor in module.state_dict().items()}
    actual = {name: _describe(tensor) for name, tensor in weights.items()}
    names = sorted(expected.keys() | actual.keys())
    misfits = [name for name in names if expected.get(name) != actual.get(name)]
    if not misfits:
        return
    first = misfits[0]
    problem = (
        f"its {len(actual)} weights do not fit {metadata.network} for {len(metadata.classes)} classes and "
        f"{metadata.size} pixels: {first} is {actual.get(first, 'missing')}, expected "
        f"{expected.get(first, 'nothing')}; {len(misfits)} do not fit"
    )
    raise BadCheckpoint(path, problem, TRAIN_AGAIN)


def _describe(tensor: Tensor) -> str:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return f"{dtype} {list(tensor.shape)}"
