"""Seeded changes of a training batch, on whole batches as tensors.

The changes are small because the signal is: a peak movement of one pixel at 112 must not drown in the shift meant to teach indifference.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

SHIFT = 0.04  # of the width: residual misalignment of eye-anchored crops
TURN = math.radians(5)
SCALE = 0.05
CONTRAST = 0.2


def mirror(batch: Float[Tensor, "B 3 H W"], kind: str) -> Float[Tensor, "B 3 H W"]:
    """Mirror each face, left to right.

    Args:
        batch: network input, -1..1.
        kind: "image" flips; "flow" also negates the first channel, the horizontal movement, which changes its sign in a mirror.
    """
    flipped = batch.flip(-1)
    if kind == "flow":
        flipped = flipped * torch.tensor([-1.0, 1.0, 1.0], dtype=batch.dtype, device=batch.device).view(3, 1, 1)
    return flipped


def light(batch: Float[Tensor, "B 3 H W"], generator: torch.Generator) -> Float[Tensor, "B 3 H W"]:
    """Shift, turn, scale and contrast of each image, drawn evenly within the limits above; borders repeat the edge."""
    count = len(batch)
    draw = torch.rand((5, count), generator=generator) * 2 - 1
    angle, scale = draw[0] * TURN, 1 + draw[1] * SCALE
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale * angle.cos()
    theta[:, 1, 0] = scale * angle.sin()
    theta[:, 0, 1] = -theta[:, 1, 0]
    theta[:, 0, 2], theta[:, 1, 2] = 2 * SHIFT * draw[2], 2 * SHIFT * draw[3]  # affine_grid's width is 2
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    moved = F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    return moved * (1 + CONTRAST * draw[4]).view(-1, 1, 1, 1)


def mirror_some(batch: Float[Tensor, "B 3 H W"], kind: str, generator: torch.Generator) -> Float[Tensor, "B 3 H W"]:
    """Mirror each image with probability one half."""
    chosen = torch.rand(len(batch), generator=generator) < 0.5
    return torch.where(chosen.view(-1, 1, 1, 1), mirror(batch, kind), batch)


def mix(
    batch: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B K"], alpha: float, generator: torch.Generator
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B K"]]:
    """Mix each image and its target with those of another of the batch, in a share drawn from Beta(alpha, alpha).

    Source: Zhang et al., mixup, ICLR 2018.
    """
    seed = int(torch.randint(2**31, (), generator=generator))  # torch draws no Beta from a generator of one's own; numpy does
    share = float(np.random.default_rng(seed).beta(alpha, alpha))
    order = torch.randperm(len(batch), generator=generator)
    return share * batch + (1 - share) * batch[order], share * targets + (1 - share) * targets[order]
