"""The folder of the weights that come with learnet, and what messages call a file of weights."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "training" / "weights"


def weights_name(weights: str | Path) -> str:
    """Return the name of shipped weights, as users give it to `--weights`, and the path of others."""
    file = Path(weights)
    return file.stem if file.parent == FOLDER else str(file)
