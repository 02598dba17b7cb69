"""The weights that come with learnet. They learned from simulated movements alone: nobody's face, and no licensed clip, is in them.

What they were made from and what they are worth stands in docs/pretrained.md.
"""

from pathlib import Path

from learnet.core.errors import LearnetError

FOLDER = Path(__file__).parent / "weights"
PRETRAINED = "pretrained"  # what stands for them on the command line


DEFAULT_NETWORKS = {"flow": "ststnet", "image": "learnet"}
"""Kind of image -> the network that answers where no weights are named. On flow, STSTNet reads real clips better (docs/pretrained.md)."""


def default_weights(images_kind: str, size: int) -> Path:
    """The shipped weights that answer where none are named; the rest as of `pretrained_weights`."""
    return pretrained_weights(DEFAULT_NETWORKS.get(images_kind, "learnet"), images_kind, size)


def resolve_weights(weights: Path) -> Path:
    """WEIGHTS, or the shipped file of that name where there is no such file: `learnet-flow-28` will do from any folder."""
    shipped = FOLDER / f"{weights}.safetensors"
    return shipped if weights.parent == Path() and not weights.exists() and shipped.is_file() else weights


def pretrained_names() -> str:
    """The names of the shipped weights, as a user reads them: network, kind of image, pixels."""
    return ", ".join(sorted(path.stem for path in FOLDER.glob("*.safetensors"))) or "none"


def pretrained_weights(network: str, images_kind: str, size: int) -> Path:
    """The shipped weights of a network that fit these images.

    Args:
        network: name in NETWORKS.
        images_kind: of a prepared folder.
        size: height and width of its images in pixels.

    Raises:
        LearnetError: none fit; those there are are named.
    """
    file = FOLDER / f"{network}-{images_kind}-{size}.safetensors"
    if not file.is_file():
        raise LearnetError(
            f"No weights come with learnet for {network} on {images_kind} images of {size} pixels.",
            f"There are (network-kind-pixels): {pretrained_names()}. Name a file of your own, or train one with `learnet train`.",
        )
    return file
