"""Files of weights for inference, ONNX or safetensors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from learnet.core.errors import BadCheckpoint
from learnet.core.extras import missing_library
from learnet.core.shipped_weights import weights_name
from learnet.inference.onnx_inference import is_onnx, load_onnx
from learnet.training.metadata import CheckpointMetadata
from learnet.training.pretrained import check_file, default_weights, resolve_weights
from learnet.training.scorer import Scorer

HOW_TO_MAKE = "Weights are written by `learnet train`, `learnet study` and `learnet export`."


def load_class_scorer(weights: Path) -> tuple[Scorer, CheckpointMetadata]:
    """Read weights of a network that scores classes, as `load_scorer` does.

    Raises:
        BadCheckpoint: its network names action units.
    """
    scorer, metadata = load_scorer(weights)
    if metadata.action_units is not None:
        problem = "it names action units and no classes"
        raise BadCheckpoint(weights, problem, f"Choose {default_weights().stem}, or another file.")
    return scorer, metadata


def load_scorer(weights: Path) -> tuple[Scorer, CheckpointMetadata]:
    """Read weights for inference. Only safetensors files need PyTorch, which takes a second to load.

    Args:
        weights: file of `learnet train`, of a fold of `learnet study`, or of `learnet export`; or the name of
            shipped weights (`pretrained.resolve_weights`).

    Returns:
        The scorer of prepared images, and the metadata of the file.

    Raises:
        BadCheckpoint: see `onnx_inference.load_onnx` and `checkpoint.load_checkpoint`.
        MissingLibrary: a safetensors file, and PyTorch is not installed.
    """
    file = resolve_weights(weights)
    check_file(file, HOW_TO_MAKE)
    if is_onnx(file):
        return load_onnx(file)
    try:
        from learnet.training.checkpoint import load_checkpoint
    except ModuleNotFoundError as error:
        raise missing_library(error, f"{weights_name(file)}, a checkpoint of PyTorch,") from None

    module, metadata = load_checkpoint(file)
    scorer = Scorer.from_checkpoint(module, metadata)
    return replace(scorer, network=_FiniteNetwork(file, scorer.network)), metadata


@dataclass(frozen=True)
class _FiniteNetwork:
    """A network of PyTorch whose logits are checked; those of ONNX check theirs."""

    path: Path  # of the file, for error messages
    network: Callable[[Float32[np.ndarray, "B 3 S S"]], Float[np.ndarray, "B K"]]

    def __call__(self, batch: Float32[np.ndarray, "B 3 S S"]) -> Float[np.ndarray, "B K"]:
        """Return the logits of scaled images.

        Raises:
            BadCheckpoint: one is not finite, because finite weights overflow.
        """
        logits = self.network(batch)
        if not np.isfinite(logits).all():
            raise BadCheckpoint(self.path, "its class scores are not finite", "Train it again.")
        return logits
