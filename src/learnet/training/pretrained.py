"""Shipped weights. They were trained on simulated movements only, and contain no face and no licensed clip.

Each is there twice, with the same numbers: as ONNX for inference, which needs no PyTorch, and as safetensors
to continue training from. Their training and their results are described in docs/pretrained.md.
"""

from pathlib import Path

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.shipped_weights import FOLDER

PRETRAINED = "pretrained"  # stands for the shipped weights that fit, on the command line

DEFAULT_NETWORKS = {"flow": "mlp-cnn"}
"""Network of the weights that commands use if none are named, by kind of image: flow for every video.

There is none for dynamic images. On a real video of a woman who talks, learnet-image-112 names an expression
in nearly every window in which the skin moves (docs/pretrained.md).
"""


KINDS_IN_WORDS = {
    "image": "dynamic images",
    "flow": "flow images",
    "histograms": "histograms",
    "unknown": "imported images of an unknown kind",
}
"""Kinds of motion images (`network_info.ANY_KIND`) in words."""


def default_weights(images_kind: str = "flow", size: int = 28) -> Path:
    """Return the shipped ONNX file that is used if no weights are named: without arguments, that for videos.

    Args:
        images_kind: kind of image of a prepared folder.
        size: height and width of its images in pixels.

    Raises:
        LearnetError: no weights are the default for images of this kind, or there are none of this size
            (`pretrained_weights`).
    """
    if images_kind not in DEFAULT_NETWORKS:
        raise LearnetError(
            f"No weights are used by default for {KINDS_IN_WORDS.get(images_kind, images_kind)}.",
            f"Name them (--weights); shipped for these images: {_names_for(images_kind)}.",
        )
    network = DEFAULT_NETWORKS[images_kind]
    return pretrained_weights(network, images_kind, size).with_suffix(".onnx")


def resolve_weights(weights: Path) -> Path:
    """Return the path of weights for inference, which may be named like shipped ones: `learnet-flow-28`.

    A file of that name in the working directory comes first.
    """
    return _resolve(weights, ".onnx")


def resolve_checkpoint(weights: Path) -> Path:
    """Return the path of a checkpoint to train or to explain, which may be named like shipped weights."""
    return _resolve(weights, ".safetensors")


def check_file(weights: Path, how_to_make: str) -> None:
    """Raise BadCheckpoint if there is no such file of weights.

    Args:
        weights: file, after any name of shipped weights was resolved.
        how_to_make: sentence that says which command writes such a file.
    """
    if weights.is_file():
        return
    if weights.exists():
        raise BadCheckpoint(weights, "this is not a file", how_to_make)
    hint = f"{how_to_make} Shipped weights: {pretrained_names()}."
    raise BadCheckpoint(weights, "there is no such file", hint)


def pretrained_names() -> str:
    """Return the names of the shipped weights (network-kind-pixels) for messages."""
    names = sorted(path.stem for path in FOLDER.glob("*.safetensors"))
    return ", ".join(names) or "none"


def pretrained_weights(network: str, images_kind: str, size: int) -> Path:
    """Return the shipped checkpoint of a network that fits these images, to continue training from.

    Args:
        network: name in NETWORKS.
        images_kind: kind of image of a prepared folder.
        size: height and width of its images in pixels.

    Raises:
        LearnetError: there are none; the message lists those that exist.
    """
    file = FOLDER / f"{network}-{images_kind}-{size}.safetensors"
    if not file.is_file():
        raise LearnetError(
            f"There are no shipped weights for {network} on {KINDS_IN_WORDS.get(images_kind, images_kind)} "
            f"of {size} pixels.",
            f"Choose from {pretrained_names()} (network-kind-pixels), name a file, or use `learnet train`.",
        )
    return file


def _names_for(images_kind: str) -> str:
    """Return the names of the shipped weights for one kind of image, for messages."""
    names = sorted(path.stem for path in FOLDER.glob(f"*-{images_kind}-*.safetensors"))
    return ", ".join(names) or "none"


def _resolve(weights: Path, suffix: str) -> Path:
    shipped = FOLDER / f"{weights}{suffix}"
    is_name = weights.parent == Path() and not weights.exists()
    return shipped if is_name and shipped.is_file() else weights
