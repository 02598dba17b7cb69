"""The weights that come with learnet. They learned from simulated movements alone: nobody's face, and no licensed clip, is in them.

What they were made from and what they are worth stands in docs/pretrained.md.
"""

from pathlib import Path

from learnet.errors import LearnetError
from learnet.prepared import Source

FOLDER = Path(__file__).parent / "weights"
PRETRAINED = "pretrained"  # what stands for them on the command line


def pretrained(network: str, images: Source) -> Path:
    """The shipped weights of a network that fit these images.

    Args:
        network: name in NETWORKS.
        images: prepared folder, or a pool.

    Raises:
        LearnetError: none fit; those there are are named.
    """
    kind, size = images.about["images_kind"], images.size
    file = FOLDER / f"{network}-{kind}-{size}.safetensors"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in FOLDER.glob("*.safetensors"))) or "none"
        raise LearnetError(
            f"No weights come with learnet for {network} on {kind} images of {size} pixels.",
            f"There are (network-kind-pixels): {there}. Name your own with --weights, or train some.",
        )
    return file
