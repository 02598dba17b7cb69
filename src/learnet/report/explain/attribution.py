"""Where a network looks: class activation (Grad-CAM), occlusion and integrated gradients, each for one class score before softmax."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.networks import as_input
from learnet.report.explain.activations import LOGITS, select_maps, stage_outputs, upsample

STEPS = 64  # of the way from the blank to the image
PATCH = 8  # an occluding square is this part of the image's width
BATCH = 64  # images answered at a time

Score = Callable[[Tensor], Tensor]


def baseline_image(image: UInt8[np.ndarray, "S S 3"]) -> Float32[Tensor, "1 3 S S"]:
    """The image without movement, as the network takes it: each channel's median, which most of the face, being still, has."""
    return (
        as_input(image[None]).flatten(2).median(dim=2).values[..., None, None].expand(1, 3, *image.shape[:2])
    )


def grad_cam(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, stage: str
) -> Float32[np.ndarray, "S S"]:
    """Class activation at a stage: its maps, each weighed by the mean gradient of the class score in it, summed; what speaks against is 0.

    Args:
        module: network.
        image: prepared image, 0..255.
        target: position of the class.
        stage: any stage with maps.

    Returns:
        Not negative, in the unit of the score times places, brought to the size of the image.

    Raises:
        LearnetError: no such stage, or one that the score does not depend on.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017.
    """
    answers = stage_outputs(module.eval(), as_input(image[None]).requires_grad_())
    maps = select_maps(answers, stage)
    (gradient,) = torch.autograd.grad(answers[LOGITS][0, target], maps, allow_unused=True)
    if gradient is None:
        raise LearnetError(
            f"The class scores do not depend on the stage {stage!r}.", "Choose a stage on the way to them."
        )
    summed = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)[0].clamp(min=0)
    return upsample(summed.detach().contiguous().numpy(), image.shape[0])


def occlusion(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, patch: int | None = None
) -> Float32[np.ndarray, "S S"]:
    """How much the class score falls where a square is made blank: of each pixel the mean over all squares that cover it.

    Args:
        module: network.
        image: prepared image, 0..255.
        target: position of the class.
        patch: side of the square in pixels; an eighth of the image if not given. Squares are half a side apart, cut at the border.

    Returns:
        In the unit of the score; negative where the score rises without the square.

    Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.
    """
    size = image.shape[0]
    patch = patch or max(2, size // PATCH)
    if not 1 <= patch <= size:
        raise LearnetError(
            f"A square of {patch} pixels does not fit an image of {size}.", f"Choose a side from 1 to {size}."
        )
    step = max(1, patch // 2)
    starts = range(step - patch, size, step)
    corners = [(slice(max(y, 0), y + patch), slice(max(x, 0), x + patch)) for y in starts for x in starts]
    given, grey = as_input(image[None]), baseline_image(image)
    hidden = given.repeat(len(corners), 1, 1, 1)
    for one, (rows, columns) in zip(hidden, corners, strict=True):
        one[:, rows, columns] = grey[0, :, rows, columns]
    falls = _scores(module, given, target) - _scores(module, hidden, target)
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for (rows, columns), fall in zip(corners, falls.tolist(), strict=True):
        total[rows, columns] += fall
        count[rows, columns] += 1
    return (total / count).astype(np.float32)


def integrated_gradients(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, steps: int = STEPS
) -> Float32[np.ndarray, "S S"]:
    """The gradient of the class score, averaged on the straight way from the blank to the image, times that way, summed over channels.

    Returns:
        In the unit of the score, signed: its sum is the score of the image less that of the blank, but for the finite number of steps.

    Source: Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017; steps taken at the middle of each.
    """
    given, grey = as_input(image[None]), baseline_image(image)
    gradients = torch.zeros_like(given)
    for part in ((torch.arange(steps) + 0.5) / steps).split(BATCH):
        way = (grey + part[:, None, None, None] * (given - grey)).requires_grad_()
        score = module.eval()(way)[:, target].sum()
        if not score.requires_grad:
            raise LearnetError("This network has no gradient.", "Occlusion can explain it.")
        gradients += torch.autograd.grad(score, way)[0].sum(dim=0, keepdim=True)
    return ((given - grey) * gradients / steps).sum(dim=1)[0].contiguous().numpy()


def _scores(module: nn.Module, given: Tensor, target: int) -> Tensor:
    with torch.inference_mode():
        return torch.cat([module.eval()(part)[:, target] for part in given.split(BATCH)])
