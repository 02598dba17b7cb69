"""Seeded changes of a training batch, on whole batches as tensors: what chance decides is drawn first, then done.

The changes are small because the signal is: a peak movement of one pixel at 112 must not drown in the shift meant to teach indifference.
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

SHIFT = 0.04  # of the width: residual misalignment of eye-anchored crops
TURN = math.radians(5)
SCALE = 0.05
CONTRAST = 0.2


@dataclass(frozen=True)
class AugmentationParameters:
    """What chance decides about the images of one batch."""

    mirrored: Bool[Tensor, "B"]
    moved: Float[Tensor, "5 B"]  # evenly in -1..1: turn, scale, shift across, shift down, contrast
    share: Float[Tensor, "B"]  # how much of an image stays when it is mixed with its partner
    partner: Int64[Tensor, "B"]  # position in the batch

    def to(self, device: torch.device) -> "AugmentationParameters":
        """The same on another device, which is not waited for."""
        return AugmentationParameters(
            *(
                part.to(device, non_blocking=True)
                for part in (self.mirrored, self.moved, self.share, self.partner)
            )
        )


def draw_parameters(count: int, training: Training, generator: torch.Generator) -> AugmentationParameters:
    """Draw for a batch of COUNT images. Whatever the settings, as many numbers are drawn, so the order of the images is the same."""
    mirrored = torch.rand(count, generator=generator) < 0.5
    moved = torch.rand((5, count), generator=generator) * 2 - 1
    seed = int(
        torch.randint(2**31, (), generator=generator)
    )  # torch draws no Beta from a generator of one's own; numpy does
    share = float(np.random.default_rng(seed).beta(training.mix, training.mix)) if training.mix else 1.0
    return AugmentationParameters(
        mirrored, moved, torch.full((count,), share), torch.randperm(count, generator=generator)
    )


def join(parts: Sequence[AugmentationParameters]) -> AugmentationParameters:
    """The chances of several batches that are put one after the other."""
    starts = np.cumsum([0, *(len(part.partner) for part in parts[:-1])]).tolist()
    return AugmentationParameters(
        torch.cat([part.mirrored for part in parts]),
        torch.cat([part.moved for part in parts], dim=1),
        torch.cat([part.share for part in parts]),
        torch.cat([part.partner + start for part, start in zip(parts, starts, strict=True)]),
    )


def apply_augmentation(
    batch: Float[Tensor, "B 3 H W"],
    wanted: Float[Tensor, "B K"],
    chances: AugmentationParameters,
    training: Training,
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B K"]]:
    """The batch and its targets after all changes that the settings ask for.

    Args:
        batch: network input, -1..1.
        wanted: target share of each class.
        chances: on the same device.
        training: settings.
    """
    if training.mirror in ("image", "flow"):
        batch = torch.where(chances.mirrored.view(-1, 1, 1, 1), mirror(batch, training.mirror), batch)
    if training.augment == "light":
        batch = light(batch, chances.moved)
    return mixup(batch, wanted, chances) if training.mix else (batch, wanted)


def mirror(batch: Float[Tensor, "B 3 H W"], kind: str) -> Float[Tensor, "B 3 H W"]:
    """Mirror each face, left to right.

    Args:
        batch: network input, -1..1.
        kind: "image" flips; "flow" also negates the first channel, the horizontal movement, which changes its sign in a mirror.
    """
    flipped = batch.flip(-1)
    if kind == "flow":
        flipped = torch.cat([-flipped[:, :1], flipped[:, 1:]], dim=1)
    return flipped


def light(batch: Float[Tensor, "B 3 H W"], moved: Float[Tensor, "5 B"]) -> Float[Tensor, "B 3 H W"]:
    """Shift, turn, scale and contrast of each image, as drawn, within the limits above; borders repeat the edge."""
    angle, scale = moved[0] * TURN, 1 + moved[1] * SCALE
    theta = torch.zeros(len(batch), 2, 3, device=batch.device)
    theta[:, 0, 0] = theta[:, 1, 1] = scale * angle.cos()
    theta[:, 1, 0] = scale * angle.sin()
    theta[:, 0, 1] = -theta[:, 1, 0]
    theta[:, :, 2] = 2 * SHIFT * moved[2:4].T  # affine_grid's width is 2
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    read = F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    return read * (1 + CONTRAST * moved[4]).view(-1, 1, 1, 1)


def mixup(
    batch: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B K"], chances: AugmentationParameters
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B K"]]:
    """Mix each image and its target with those of its partner, in shares drawn from Beta(alpha, alpha).

    Source: Zhang et al., mixup, ICLR 2018.
    """
    share, partner = chances.share.view(-1, 1, 1, 1), chances.partner
    mixed = share * batch + (1 - share) * batch[partner]
    return mixed, share.view(-1, 1) * targets + (1 - share.view(-1, 1)) * targets[partner]
