"""Seeded augmentation of training batches as tensors: random parameters are drawn first, then applied.

The changes are small, because the signal is: a peak displacement of one pixel at 112 pixels must not be
hidden by the shift that the network is to ignore.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F

from learnet.core.settings import Training

SHIFT = 0.04  # of the width: residual misalignment of crops that are aligned by the eyes
ROTATION = math.radians(5)
SCALE = 0.05
CONTRAST = 0.2


@dataclass(frozen=True)
class AugmentationParameters:
    """Random parameters of one batch."""

    mirrored: Bool[Tensor, "B"]
    magnitudes: Float[Tensor, "5 B"]  # uniform in -1..1: rotation, scale, shift in x, shift in y, contrast
    share: Float[Tensor, "B"]  # share of an image when it is mixed with its partner
    partner: Int64[Tensor, "B"]  # position in the batch

    def to(self, device: torch.device) -> "AugmentationParameters":
        """Return the parameters on another device, without waiting for the copy."""
        return AugmentationParameters(
            self.mirrored.to(device, non_blocking=True),
            self.magnitudes.to(device, non_blocking=True),
            self.share.to(device, non_blocking=True),
            self.partner.to(device, non_blocking=True),
        )


def draw_parameters(count: int, training: Training, generator: torch.Generator) -> AugmentationParameters:
    """Draw the parameters of a batch.

    The number of draws does not depend on the settings, so the order of the images does not either.

    Args:
        count: images in the batch.
        training: settings.
        generator: source of the random numbers.
    """
    mirrored = torch.rand(count, generator=generator) < 0.5
    magnitudes = torch.rand((5, count), generator=generator) * 2 - 1
    seed = int(torch.randint(2**31, (), generator=generator))
    share = 1.0
    if training.mixup:
        # torch draws Beta from its global generator only
        share = float(np.random.default_rng(seed).beta(training.mixup, training.mixup))
    partner = torch.randperm(count, generator=generator)
    return AugmentationParameters(mirrored, magnitudes, torch.full((count,), share), partner)


def concatenate_parameters(parts: Sequence[AugmentationParameters]) -> AugmentationParameters:
    """Return the parameters of several batches that are concatenated; partners stay in their batch."""
    partners = []
    start = 0
    for part in parts:
        partners.append(part.partner + start)
        start += len(part.partner)
    return AugmentationParameters(
        torch.cat([part.mirrored for part in parts]),
        torch.cat([part.magnitudes for part in parts], dim=1),
        torch.cat([part.share for part in parts]),
        torch.cat(partners),
    )


def apply_augmentation(
    batch: Float[Tensor, "B 3 H W"],
    targets: Float[Tensor, "B K"],
    parameters: AugmentationParameters,
    training: Training,
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B K"]]:
    """Apply all augmentation that the settings request.

    Args:
        batch: network input, -1..1.
        targets: share of each class.
        parameters: on the same device.
        training: settings.

    Returns:
        The augmented batch and its targets.
    """
    if training.mirror in ("image", "flow"):
        chosen = parameters.mirrored.view(-1, 1, 1, 1)
        batch = torch.where(chosen, mirror(batch, training.mirror), batch)
    if training.augment == "light":
        batch = light(batch, parameters.magnitudes)
    if training.mixup:
        return mixup(batch, targets, parameters)
    return batch, targets


def mirror(batch: Float[Tensor, "B 3 H W"], kind: str) -> Float[Tensor, "B 3 H W"]:
    """Mirror each face left to right.

    Args:
        batch: network input, -1..1.
        kind: "image", or "flow", which also negates the first channel: a mirror reverses horizontal motion.
    """
    flipped = batch.flip(-1)
    if kind == "flow":
        flipped = torch.cat([-flipped[:, :1], flipped[:, 1:]], dim=1)
    return flipped


def light(batch: Float[Tensor, "B 3 H W"], magnitudes: Float[Tensor, "5 B"]) -> Float[Tensor, "B 3 H W"]:
    """Rotate, scale and shift each image and change its contrast, within the limits above.

    Pixels from outside the image repeat its edge.

    Args:
        batch: network input, -1..1.
        magnitudes: of `AugmentationParameters`.
    """
    angle = magnitudes[0] * ROTATION
    scale = 1 + magnitudes[1] * SCALE
    cosine = scale * angle.cos()
    sine = scale * angle.sin()
    theta = torch.zeros(len(batch), 2, 3, device=batch.device)
    theta[:, 0, 0] = cosine
    theta[:, 0, 1] = -sine
    theta[:, 1, 0] = sine
    theta[:, 1, 1] = cosine
    theta[:, :, 2] = 2 * SHIFT * magnitudes[2:4].T  # the width of affine_grid is 2
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    warped = F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    return warped * (1 + CONTRAST * magnitudes[4]).view(-1, 1, 1, 1)


def mixup(
    batch: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B K"], parameters: AugmentationParameters
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B K"]]:
    """Mix each image and its target with those of its partner, in shares drawn from Beta(alpha, alpha).

    References:
        Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.
    """
    partner = parameters.partner
    image_share = parameters.share.view(-1, 1, 1, 1)
    target_share = parameters.share.view(-1, 1)
    mixed = image_share * batch + (1 - image_share) * batch[partner]
    mixed_targets = target_share * targets + (1 - target_share) * targets[partner]
    return mixed, mixed_targets
