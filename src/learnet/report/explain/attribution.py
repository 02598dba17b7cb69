"""Attribution of a class score, before softmax, to the pixels of the image.

Grad-CAM and integrated gradients are computed by captum. Occlusion is computed here: captum's squares start
at the border of the image, so fewer squares cover the pixels there. Here the first squares are cut off, and
as many cover every pixel.
"""

from itertools import product

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerGradCam
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.networks import as_input
from learnet.report.explain.activations import LOGITS, select_maps, stage_outputs, upsample

STEPS = 64  # points between the baseline and the image
PATCH_FRACTION = 8  # an occluding square is an eighth of the image wide
BATCH_SIZE = 64  # images scored at a time


def baseline_image(image: UInt8[np.ndarray, "S S 3"]) -> Float32[Tensor, "1 3 S S"]:
    """Return the network input of an image without motion: the median of each channel at every pixel.

    Most of a face does not move, so the median of a motion image is its value for no motion.
    """
    medians = as_input(image[None]).flatten(2).median(dim=2).values
    return medians[..., None, None].expand(1, 3, *image.shape[:2])


def grad_cam(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, stage: str
) -> Float32[np.ndarray, "S S"]:
    """Compute Grad-CAM at a stage.

    This is the sum of the maps of the stage, each weighted by the mean gradient of the class score with
    respect to it. Negative sums are set to 0.

    Args:
        module: network.
        image: prepared image, 0 to 255.
        target: index of the class.
        stage: name of any stage with maps.

    Returns:
        Values of at least 0, upsampled to the size of the image.

    Raises:
        LearnetError: there is no such stage, or the class scores do not depend on it.

    References:
        Selvaraju et al., Grad-CAM, ICCV 2017.
    """
    module.eval()
    # captum reads the maps from a module, but a stage may be a sum. This module shows the stage to captum.
    stage_layer = nn.Identity()

    def class_scores(images: Tensor) -> Tensor:
        outputs = stage_outputs(module, images)
        stage_layer(select_maps(outputs, stage))
        return outputs[LOGITS]

    explainer = LayerGradCam(class_scores, stage_layer)
    try:
        class_map = explainer.attribute(as_input(image[None]), target, relu_attributions=True)
    except RuntimeError as error:
        if "not have been used in the graph" not in str(error):
            raise
        raise LearnetError(
            f"The class scores do not depend on the stage {stage!r}.", "Choose a stage that they depend on."
        ) from None
    return upsample(class_map[0, 0].detach().contiguous().numpy(), image.shape[0])


def occlusion(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, patch: int | None = None
) -> Float32[np.ndarray, "S S"]:
    """Compute by how much the class score falls when a square of the image is replaced by the baseline.

    The value of a pixel is the mean over all squares that cover it. Squares are half a side apart and are
    cut off at the border of the image.

    Args:
        module: network.
        image: prepared image, 0 to 255.
        target: index of the class.
        patch: side of the square in pixels; None means an eighth of the image.

    Returns:
        Differences of the class score; negative where the score rises without the square.

    Raises:
        LearnetError: the square is larger than the image.

    References:
        Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.
    """
    size = image.shape[0]
    patch = patch or max(2, size // PATCH_FRACTION)
    if not 1 <= patch <= size:
        raise LearnetError(
            f"A square of {patch} pixels does not fit an image of {size}.", f"Choose a side from 1 to {size}."
        )

    squares = _overlapping_squares(size, patch)
    network_input = as_input(image[None])
    baseline = baseline_image(image)
    occluded = network_input.repeat(len(squares), 1, 1, 1)
    for occluded_input, (rows, columns) in zip(occluded, squares, strict=True):
        occluded_input[:, rows, columns] = baseline[0, :, rows, columns]
    score = _class_scores(module, network_input, target)
    decreases = score - _class_scores(module, occluded, target)

    total = np.zeros((size, size))
    count = np.zeros((size, size))
    for (rows, columns), decrease in zip(squares, decreases.tolist(), strict=True):
        total[rows, columns] += decrease
        count[rows, columns] += 1
    return (total / count).astype(np.float32)


def integrated_gradients(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, steps: int = STEPS
) -> Float32[np.ndarray, "S S"]:
    """Compute integrated gradients from the baseline to the image, summed over channels.

    The gradient of the class score is averaged over points on the straight line from the baseline to the
    image, at the middle of each of `steps` equal steps, and multiplied by the difference of image and
    baseline.

    Args:
        module: network with a gradient.
        image: prepared image, 0 to 255.
        target: index of the class.
        steps: number of points.

    Returns:
        Signed contributions to the class score. Up to the error of the approximation they sum to the score
        of the image minus that of the baseline.

    Raises:
        LearnetError: the network has no gradient.

    References:
        Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017.
    """
    module.eval()

    def class_scores(images: Tensor) -> Tensor:
        scores = module(images)
        if not scores.requires_grad:
            raise LearnetError("This network has no gradient.", "Use occlusion, which needs none.")
        return scores

    contributions = IntegratedGradients(class_scores).attribute(
        as_input(image[None]),
        baseline_image(image),
        target=target,
        n_steps=steps,
        method="riemann_middle",
        internal_batch_size=BATCH_SIZE,
    )
    return contributions.sum(dim=1)[0].detach().contiguous().numpy()


def _overlapping_squares(size: int, patch: int) -> list[tuple[slice, slice]]:
    """Return (rows, columns) of squares that are half a side apart and cut off at the border of the image."""
    step = max(1, patch // 2)
    starts = range(step - patch, size, step)
    spans = [slice(max(start, 0), start + patch) for start in starts]
    return list(product(spans, spans))


def _class_scores(module: nn.Module, inputs: Float32[Tensor, "B 3 S S"], target: int) -> Float32[Tensor, "B"]:
    """Return the score of one class for each network input."""
    module.eval()
    scores = []
    with torch.inference_mode():
        for batch in inputs.split(BATCH_SIZE):
            scores.append(module(batch)[:, target])
    return torch.cat(scores)
