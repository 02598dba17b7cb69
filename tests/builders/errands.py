"""Work that tests hand to the workers of a cluster: light, so that a worker has it at once."""

import os
import signal
from importlib.metadata import version
from pathlib import Path


def nothing() -> dict[str, str]:
    """No versions to agree on."""
    return {}


def numbers() -> dict[str, str]:
    """Versions as a study compares them, without loading what they are of."""
    return {name: version(name) for name in ("learnet", "torch")}


def tell(piece: int, folder: Path, log: Path) -> int:
    """Note where the data were found."""
    with log.open("a") as handle:
        handle.write(f"{folder} {(folder / 'images.npy').stat().st_ino}\n")
    return piece * piece


def die(piece: int, folder: Path) -> int:
    """End the worker, at one of the pieces."""
    if piece == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return piece
