"""Action units of motion images: which are active, and on which side of the face.

How strong they are is not in the images, because each channel is scaled to its own range. `Event.strength_px`
is measured on the frames instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, UInt8

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.records import ActionUnitScore
from learnet.core.settings import Preparation
from learnet.core.shipped_weights import FOLDER
from learnet.inference.weights import load_scorer
from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.simulation.units import UNITS
from learnet.training.metadata import OUTPUTS_PER_UNIT, TRAIN_AGAIN, CheckpointMetadata
from learnet.training.scorer import BATCH_SIZE, Scorer, scale

DEFAULT_WEIGHTS = "action-units-flow-28"  # name of the shipped weights


@dataclass(frozen=True)
class ActionUnitScores:
    """Scores of the action units of N images, for U units."""

    units: tuple[int, ...]  # numbers of the units
    present: Float64[np.ndarray, "N U"]  # probability that the unit is active on any side, 0..1
    sides: Float64[np.ndarray, "N U 2"]  # probability that it is active on the person's left, and right


@dataclass(frozen=True)
class ActionUnitRecogniser:
    """A network of action units, and what is needed to apply it to flow images."""

    scorer: Scorer
    metadata: CheckpointMetadata
    units: tuple[int, ...]
    thresholds: Mapping[int, float]  # unit -> probability from which it is named
    weights: str = ""  # file of the network

    @classmethod
    def load(cls, weights: str | Path | None = None) -> "ActionUnitRecogniser":
        """Read weights of a network of action units.

        Args:
            weights: name of shipped weights or file; None: `action-units-flow-28`.

        Raises:
            BadCheckpoint: the file cannot be read, or its network names no action units.
        """
        path = FOLDER / f"{DEFAULT_WEIGHTS}.onnx" if weights is None else Path(weights)
        scorer, metadata = load_scorer(path)
        if metadata.action_units is None:
            problem = f"it names the classes {', '.join(metadata.classes)} and no action units"
            raise BadCheckpoint(path, problem, f"Choose {DEFAULT_WEIGHTS}.")
        units = metadata.action_units.units
        unknown = [str(unit) for unit in units if unit not in UNITS]
        if unknown:
            problem = f"it names action units that are not known here: {', '.join(unknown)}"
            raise BadCheckpoint(path, problem, TRAIN_AGAIN)
        thresholds = dict(zip(units, metadata.action_units.thresholds, strict=True))
        return cls(scorer, metadata, units, thresholds, str(path))

    @property
    def preparation(self) -> Preparation:
        """How the flow image of a video is made.

        Raises:
            BadCheckpoint: the network was trained on imported images, which cannot be made from a video.
        """
        preparation = self.metadata.resolve_for_video().preparation
        if preparation is None:
            problem = "it was trained on imported images, and how to make them from a video is not known"
            raise BadCheckpoint(self.weights, problem, f"Choose {DEFAULT_WEIGHTS}.")
        return preparation.settled

    def scores(self, images: StoredImages | EvaluationImages) -> ActionUnitScores:
        """Return the scores of each image; they are averaged with those of its mirror image and of other
        views (`Scorer`).

        Args:
            images: flow images as a prepared folder stores them, or with the trend removed already.

        Raises:
            LearnetError: images of another size.
        """
        size = self.metadata.size
        if images.pixels.shape[1:3] != (size, size):
            found = images.pixels.shape[1]
            raise LearnetError(
                f"Action units are named on flow images of {size} pixels, and these have {found}.",
                f"Prepare them with --motion flow-dis --size {size}.",
            )
        views = list(self.scorer.evaluation_views(images))
        total = sum(self._probabilities(view.pixels) for view in views)
        present, left, right = np.asarray(total / len(views)).transpose(1, 0, 2)
        return ActionUnitScores(self.units, present, np.stack([left, right], axis=-1))

    def _probabilities(self, pixels: UInt8[np.ndarray, "N S S 3"]) -> Float64[np.ndarray, "N 3 U"]:
        """Return the mean probabilities of each image and its mirror image."""
        parts = []
        for start in range(0, max(len(pixels), 1), BATCH_SIZE):
            batch = scale(pixels[start : start + BATCH_SIZE])
            outputs = _to_probabilities(self.scorer.network(batch))
            mirrored = batch[..., ::-1].copy()
            mirrored[:, 0] *= -1
            mirror_outputs = _to_probabilities(self.scorer.network(mirrored))
            left_and_right_swapped = mirror_outputs[:, [0, 2, 1]]
            parts.append((outputs + left_and_right_swapped) / 2)
        return np.concatenate(parts)

    def named(self, scores: ActionUnitScores, index: int) -> tuple[ActionUnitScore, ...]:
        """Return the units of one image whose probability reaches their threshold, the surest first."""
        found = []
        for column, unit in enumerate(self.units):
            score = float(scores.present[index, column])
            if score < self.thresholds[unit]:
                continue
            left, right = scores.sides[index, column].tolist()
            side = _side(unit, left, right)
            found.append(ActionUnitScore(unit, side, score))
        return tuple(sorted(found, key=lambda unit: -(unit.score or 0.0)))


def shipped_action_units() -> ActionUnitRecogniser:
    """Return the shipped network of action units."""
    return ActionUnitRecogniser.load()


def _to_probabilities(outputs: Float[np.ndarray, "B O"]) -> Float64[np.ndarray, "B 3 U"]:
    """Apply the logistic function to the outputs."""
    grouped = outputs.reshape(len(outputs), OUTPUTS_PER_UNIT, -1).astype(np.float64)
    logits = np.clip(grouped, -50, 50)
    return 1 / (1 + np.exp(-logits))


def _side(unit: int, left: float, right: float) -> Literal["left", "right", "both", ""]:
    """Return the side on which a unit is active.

    It is one-sided where the other side is less likely than not, and less likely than this one.
    """
    if not UNITS[unit].paired:
        return ""
    if min(left, right) >= 0.5 or left == right:
        return "both"
    return "left" if left > right else "right"
