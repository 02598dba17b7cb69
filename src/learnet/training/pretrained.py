"""Shipped weights. They were trained on simulated movements only, and contain no face and no licensed clip.

Their training and their results are described in docs/pretrained.md.
"""

from pathlib import Path

from learnet.core.errors import LearnetError

FOLDER = Path(__file__).parent / "weights"
PRETRAINED = "pretrained"  # stands for the shipped weights that fit, on the command line

DEFAULT_NETWORKS = {"flow": "ststnet", "image": "learnet"}
"""Network used if no weights are named, by kind of image. STSTNet is better on real flow images."""


def default_weights(images_kind: str, size: int) -> Path:
    """Return the shipped weights that are used if none are named.

    Args:
        images_kind: kind of image of a prepared folder.
        size: height and width of its images in pixels.

    Raises:
        LearnetError: see `pretrained_weights`.
    """
    return pretrained_weights(DEFAULT_NETWORKS.get(images_kind, "learnet"), images_kind, size)


def resolve_weights(weights: Path) -> Path:
    """Return the path of weights that may be named like shipped ones, such as `learnet-flow-28`.

    A file of that name in the working directory comes first.
    """
    shipped = FOLDER / f"{weights}.safetensors"
    is_name = weights.parent == Path() and not weights.exists()
    return shipped if is_name and shipped.is_file() else weights


def pretrained_names() -> str:
    """Return the names of the shipped weights (network-kind-pixels) for messages."""
    names = sorted(path.stem for path in FOLDER.glob("*.safetensors"))
    return ", ".join(names) or "none"


def pretrained_weights(network: str, images_kind: str, size: int) -> Path:
    """Return the shipped weights of a network that fit these images.

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
            f"There are no shipped weights for {network} on {images_kind} images of {size} pixels.",
            f"Choose from {pretrained_names()} (network-kind-pixels), name a file, or use `learnet train`.",
        )
    return file
