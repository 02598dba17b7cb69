"""A trained network as one file: weights, and beside them what they are weights of. A safetensors file holds numbers and text, no code."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from learnet.core.errors import BadCheckpoint
from learnet.networks import NETWORKS
from learnet.training.metadata import TRAIN_AGAIN, CheckpointMetadata, metadata_to_json, read_metadata
from learnet.training.pretrained import pretrained_names, resolve_weights

PICKLE = "and a pickle can run any code when it is opened, so it was not"
FOREIGN = {
    b"PK": f"a zip archive, as torch.save writes it: there is a pickle inside, {PICKLE}",
    b"\x80": f"a pickle, {PICKLE}",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"\x08": "an ONNX file, by its first byte, and `learnet predict` and `learnet live` run those",
}
"""First bytes of files that people keep weights in and learnet does not read, and what they are."""

MAKE_ONE = "Checkpoints are written by `learnet train` and `learnet study`."


def save_checkpoint(path: Path, module: nn.Module, metadata: CheckpointMetadata, half: bool = False) -> None:
    """Write weights and facts to one file. It is there whole, or as it was before; the same content gives the same bytes.

    Args:
        path: usually ends in .safetensors; its folder is made if it is missing.
        module: the network that `facts.network` names, made for as many classes and pixels as `facts` says.
        facts: see there.
        half: write numbers in half precision: half the file, three digits. They are read as single precision
            again.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    write_checkpoint(path, checkpoint_bytes(module, metadata, half))


def checkpoint_bytes(module: nn.Module, metadata: CheckpointMetadata, half: bool = False) -> bytes:
    """Weights and facts as `save_checkpoint` writes them; the same content gives the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    if half:
        tensors = {
            name: tensor.half() if tensor.dtype == torch.float32 else tensor
            for name, tensor in tensors.items()
        }
    about = {"learnet": metadata_to_json(metadata)}  # one entry: of several the order would vary
    return save(tensors, metadata=about)


def write_checkpoint(path: Path, content: bytes) -> None:
    """Write what `checkpoint_bytes` made. The file is there whole, or as it was before; errors as of `save_checkpoint`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load_checkpoint(path: Path, network: str | None = None) -> tuple[nn.Module, CheckpointMetadata]:
    """Read what `save_checkpoint` wrote.

    Args:
        path: the file, or the name of weights that come with learnet (`shipped.resolve_weights`).
        network: the network it has to be, where only one will do.

    Returns:
        The network in eval mode, and the facts.

    Raises:
        BadCheckpoint: no such file; a pickle or anything else that is not safetensors; safetensors that
            learnet did not write; a file cut short; another network than asked for; weights that do not fit
            the network or are no numbers.
    """
    path = resolve_weights(path)
    content = _read(path)
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise BadCheckpoint(
            path, f"the file is damaged or cut short ({error})", "Copy it again, or train again."
        ) from None
    metadata = read_metadata(path, _about(path, content))
    if metadata.network not in NETWORKS:
        raise BadCheckpoint(
            path,
            f"it holds a network that is not known here, {metadata.network!r}",
            f"Known: {', '.join(NETWORKS)}.",
        )
    if network is not None and metadata.network != network:
        raise BadCheckpoint(
            path,
            f"it holds the network {metadata.network!r}, not {network!r}",
            f"Ask for {metadata.network!r}.",
        )
    return _filled(path, metadata, tensors), metadata


def load_tensors(tensors: bytes, module: nn.Module) -> None:
    """Set the values of a network that `tensors` (safetensors) contains; the others stay as they are."""
    module.load_state_dict(load(tensors), strict=False)


def _read(path: Path) -> bytes:
    """The whole file, once its first bytes say that it may be safetensors: 8 bytes of length, then JSON."""
    if not path.is_file():
        if path.exists():
            raise BadCheckpoint(path, "this is not a file", MAKE_ONE)
        raise BadCheckpoint(
            path, "there is no such file", f"{MAKE_ONE} Those that come with learnet: {pretrained_names()}."
        )
    with path.open("rb") as handle:
        head = handle.read(9)
        if not head:
            raise BadCheckpoint(path, "the file is empty", MAKE_ONE)
        if head[8:] != b"{":
            known = (what for magic, what in FOREIGN.items() if head.startswith(magic))
            what = next(
                known, "not a safetensors file, and nothing else is opened, because a pickle can run any code"
            )
            raise BadCheckpoint(path, f"this is {what}", MAKE_ONE)
        return head + handle.read()


def _about(path: Path, content: bytes) -> str:
    """Our part of the header, JSON."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    text = header.get("__metadata__", {}).get("learnet")
    if text is None:
        raise BadCheckpoint(
            path,
            "learnet did not write this: it does not say which network and classes the weights are for",
            MAKE_ONE,
        )
    return str(text)


def _filled(path: Path, metadata: CheckpointMetadata, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network with the weights of the file, if they are just the ones it has."""
    module = NETWORKS[metadata.network](len(metadata.classes), metadata.size)
    tensors = {
        name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()
    }
    wanted = {name: _described(tensor) for name, tensor in module.state_dict().items()}
    found = {name: _described(tensor) for name, tensor in tensors.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        first = (
            f"{wrong[0]} is {found.get(wrong[0], 'missing')}, and {wanted.get(wrong[0], 'nothing')} is wanted"
        )
        what = f"its {len(found)} weights do not fit {metadata.network} for {len(metadata.classes)} classes and {metadata.size} pixels"
        raise BadCheckpoint(path, f"{what}: {first}; {len(wrong)} do not fit", TRAIN_AGAIN)
    broken = sorted(name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all()))
    if broken:
        raise BadCheckpoint(
            path,
            f"{broken[0]} holds values that are no numbers",
            "Train again, with a smaller learning rate.",
        )
    module.load_state_dict(dict(tensors))
    return module.eval()


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
