"""Training of a network that names action units: three logits per unit, by binary cross-entropy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError, pick
from learnet.core.labels import parse_action_units
from learnet.core.seeds import purpose_seed
from learnet.core.settings import Training
from learnet.motion.detrend import StoredImages
from learnet.networks import NETWORKS, as_input
from learnet.simulation.units import UNITS
from learnet.training import augment
from learnet.training.examples import TrainingExamples
from learnet.training.metadata import OUTPUTS_PER_UNIT
from learnet.training.schedule import BatchSchedule

WRONG_SHARE = 0.2  # of the named units, at the thresholds
LOWEST_THRESHOLD = 0.3
HIGHEST_THRESHOLD = 0.9  # also where the share of wrong ones is never reached
HELD_OUT_SHARE = 0.1  # people on whose images the thresholds are chosen


@dataclass(frozen=True)
class UnitExamples:
    """Images and the action units in them."""

    images: UInt8[np.ndarray, "N S S 3"]  # flow images as stored, 0..255
    sides: Bool[np.ndarray, "N U 2"]  # whether each unit is active on the person's left, and right

    @property
    def present(self) -> Bool[np.ndarray, "N U"]:
        """Whether each unit is active on any side."""
        return np.logical_or(self.sides[..., 0], self.sides[..., 1])

    def take(self, rows: Int64[np.ndarray, "M"]) -> "UnitExamples":
        """Return the images at these positions."""
        return UnitExamples(self.images[rows], self.sides[rows])


def units_in(codes: Sequence[str]) -> tuple[int, ...]:
    """Return the units that occur in FACS codes and can be named (`simulation.units`), in ascending order."""
    numbers = {unit.number for code in codes for unit in parse_action_units(code)}
    return tuple(sorted(numbers & UNITS.keys()))


def fit_action_units(
    network: str,
    examples: UnitExamples,
    training: Training,
    progress: Callable[[int, int], None] | None = None,
) -> nn.Module:
    """Train a network that names action units.

    Args:
        network: name in NETWORKS.
        examples: flow images and their units.
        training: settings; losses are not weighted by class, and labels are not smoothed or mixed.
        progress: called with the number of epochs done and in all.

    Returns:
        The network in eval mode. Its outputs are described at `metadata.OUTPUTS_PER_UNIT`.

    Raises:
        LearnetError: fewer than two images, or a network that is not trained by gradient descent.
    """
    if len(examples.images) < 2:
        raise LearnetError(f"{len(examples.images)} training images are too few.", "At least 2 are needed.")
    count, units = examples.sides.shape[:2]
    make = pick(NETWORKS, network, "network")
    seed = purpose_seed(training.seed, "weights")
    module = make(OUTPUTS_PER_UNIT * units, examples.images.shape[1], seed=seed)
    if hasattr(module, "fit"):
        raise LearnetError(f"{network} cannot be trained on action units.", "Choose another network.")
    images = StoredImages(examples.images).for_training(training)
    no_classes = TrainingExamples(images, np.zeros(count, dtype=np.int64), 1)
    schedule = BatchSchedule(no_classes, training, training.epochs)
    optimiser = torch.optim.AdamW(module.parameters(), weight_decay=training.weight_decay)
    pixels = torch.from_numpy(images.pixels)
    sides = torch.from_numpy(examples.sides)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(purpose_seed(training.seed, "dropout"))
        module.train()
        while not schedule.finished:
            optimiser.param_groups[0]["lr"] = schedule.learning_rate
            positions, parameters = schedule.next_batch()
            batch, targets = _augmented(as_input(pixels[positions]), sides[positions], parameters, training)
            loss = F.binary_cross_entropy_with_logits(module(batch), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if progress and schedule.step % schedule.steps_per_epoch == 0:
                progress(schedule.step // schedule.steps_per_epoch, training.epochs)
    return module.eval()


def _augmented(
    batch: Float[Tensor, "B 3 S S"],
    sides: Bool[Tensor, "B U 2"],
    parameters: augment.AugmentationParameters,
    training: Training,
) -> tuple[Float[Tensor, "B 3 S S"], Float[Tensor, "B O"]]:
    """Mirror half of the faces, which swaps their sides, and return the targets of all outputs."""
    if training.mirror == "flow":
        mirrored = parameters.mirrored.view(-1, 1, 1)
        sides = torch.where(mirrored, sides.flip(-1), sides)
        batch = torch.where(mirrored.unsqueeze(-1), augment.mirror(batch, "flow"), batch)
    if training.augment == "light":
        batch = augment.light(batch, parameters.magnitudes)
    left, right = sides.unbind(-1)
    return batch, torch.cat([left | right, left, right], dim=1).float()


def choose_thresholds(
    present: Float64[np.ndarray, "N U"],
    truth: Bool[np.ndarray, "N U"],
    wrong_share: float = WRONG_SHARE,
) -> tuple[float, ...]:
    """Return for each unit the lowest threshold at which at most this share of its named images is wrong.

    Thresholds are between LOWEST_THRESHOLD and HIGHEST_THRESHOLD, in steps of a hundredth.

    Args:
        present: probability of each unit in images that were not used for training.
        truth: whether the unit is active.
        wrong_share: largest share of wrong ones among the images in which the unit is named.
    """
    steps = round(100 * (HIGHEST_THRESHOLD - LOWEST_THRESHOLD))
    candidates = [round(LOWEST_THRESHOLD + step / 100, 2) for step in range(steps + 1)]
    thresholds = []
    for scores, active in zip(present.T, truth.T, strict=True):
        thresholds.append(_lowest(candidates, scores, active, wrong_share))
    return tuple(thresholds)


def _lowest(
    candidates: Sequence[float],
    scores: Float64[np.ndarray, "N"],
    active: Bool[np.ndarray, "N"],
    wrong_share: float,
) -> float:
    for threshold in candidates:
        named = scores >= threshold
        wrong = named & ~active
        if named.any() and wrong.sum() <= wrong_share * named.sum():
            return threshold
    return candidates[-1]
