"""Class scores of prepared images: one class for networks of PyTorch and of ONNX.

PyTorch is loaded by `Scorer.from_module` only, so that ONNX files run without it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.training.metadata import CheckpointMetadata

BATCH_SIZE = 64  # images; with their mirror images, twice as many pass through the network at a time

VIEW_SHIFTS = (1, 2)  # pixels along each axis and diagonally, in the views that are averaged
VIEW_PERCENTILES = (95, 100)  # clipping of u and v in their detrended images
VIEW_STRAIN_PERCENTILE = 98  # clipping of strain: its largest value is often one pixel, and says nothing


def softmax(logits: Float[np.ndarray, "B K"]) -> Float64[np.ndarray, "B K"]:
    """Compute probabilities from logits in double precision, without overflow."""
    largest = logits.max(axis=1, keepdims=True)
    powers = np.exp(logits.astype(np.float64) - largest)
    return powers / powers.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Scorer:
    """Compute the score of each class for prepared images.

    Remove the planar trend (`motion.detrend`, for networks trained without it), scale pixels to -1..1, run
    the network on each image, and on its mirror image if `mirror` says so, apply softmax, and average the
    probabilities of the two. With `views="many"`, average them also over shifted images and over clipping
    percentiles, which depend on the crop and on the flow estimator rather than on the movement.
    """

    network: Callable[[Float32[np.ndarray, "B 3 S S"]], Float[np.ndarray, "B K"]]  # scaled images to logits
    mirror: str = "none"  # "image" or "flow": average with the mirror image; "none": do not
    detrend_percentile: int = 0  # as of `motion.detrend.detrend`; 0 keeps the trend
    views: Literal["one", "many"] = "one"
    softmax: Callable[[Float[np.ndarray, "B K"]], Float64[np.ndarray, "B K"]] = softmax

    @classmethod
    def from_module(
        cls,
        module: Any,
        mirror: str = "none",
        detrend_percentile: int = 0,
        views: Literal["one", "many"] = "one",
    ) -> "Scorer":
        """Return the scorer of a PyTorch network.

        Args:
            module: `torch.nn.Module` in eval mode that returns logits. It runs on the device that holds it.
            mirror: see the attribute.
            detrend_percentile: see the attribute.
            views: see the attribute.
        """
        from learnet.networks import for_inference
        from learnet.training.torch_logits import module_logits, torch_softmax

        return cls(module_logits(for_inference(module)), mirror, detrend_percentile, views, torch_softmax)

    @classmethod
    def from_checkpoint(cls, module: Any, metadata: CheckpointMetadata) -> "Scorer":
        """Return the scorer of a PyTorch network with the settings of its checkpoint."""
        return cls.from_module(module, metadata.mirror, metadata.detrend_percentile, metadata.views)

    def scores(self, images: StoredImages | EvaluationImages) -> Float64[np.ndarray, "N K"]:
        """Return the probability of each class for each image; each row sums to 1.

        Args:
            images: as a prepared folder stores them, or with the trend removed already.
        """
        views = list(self.evaluation_views(images))
        total = sum(self._scores_of_view(view) for view in views)
        return np.asarray(total / len(views))

    def _scores_of_view(self, view: EvaluationImages) -> Float64[np.ndarray, "N K"]:
        pixels = view.pixels
        mirrored = 1 if self.mirror == "none" else 2
        parts = []
        for start in range(0, max(len(pixels), 1), BATCH_SIZE):
            batch = pixels[start : start + BATCH_SIZE]
            probabilities = self.softmax(self.network(self.network_input(batch)))
            parts.append(probabilities.reshape(mirrored, len(batch), probabilities.shape[1]).mean(axis=0))
        return np.concatenate(parts)

    def evaluation_views(self, images: StoredImages | EvaluationImages) -> Iterator[EvaluationImages]:
        """Yield the images as the network is tested on them: once, or in all the views to average."""
        if self.views == "one":
            yield self.for_evaluation(images)
            return
        if isinstance(images, StoredImages) and self.detrend_percentile:
            detrended = []
            for percentile in VIEW_PERCENTILES:
                detrended.append(images.for_evaluation(percentile, VIEW_STRAIN_PERCENTILE))
        else:
            detrended = [self.for_evaluation(images)]
        for clipped in detrended:
            for right, down in view_shifts():
                yield EvaluationImages(shift_images(clipped.pixels, right, down))

    def logits(self, images: StoredImages | EvaluationImages) -> Float[np.ndarray, "N K"]:
        """Return the output of the network before softmax, without mirror images."""
        pixels = self.for_evaluation(images).pixels
        parts = []
        for start in range(0, max(len(pixels), 1), BATCH_SIZE):
            batch = pixels[start : start + BATCH_SIZE]
            parts.append(self.network(scale(batch)))
        return np.concatenate(parts)

    def network_input(self, images: UInt8[np.ndarray, "B S S 3"]) -> Float32[np.ndarray, "_ 3 S S"]:
        """Scale detrended images for the network; mirror images, if there are any, follow: (2 B, 3, S, S)."""
        batch = scale(images)
        if self.mirror == "none":
            return batch
        return np.concatenate([batch, mirror_images(batch, self.mirror)])

    def for_evaluation(self, images: StoredImages | EvaluationImages) -> EvaluationImages:
        """Return the images as the network is tested on them."""
        if isinstance(images, StoredImages):
            return images.for_evaluation(self.detrend_percentile)
        return images


def view_shifts() -> list[tuple[int, int]]:
    """Return the shifts (right, down) in pixels of the views: none, and each distance in eight directions."""
    shifts = [(0, 0)]
    for distance in VIEW_SHIFTS:
        for right, down in product((-distance, 0, distance), repeat=2):
            if right or down:
                shifts.append((right, down))
    return shifts


def shift_images(images: UInt8[np.ndarray, "N S S 3"], right: int, down: int) -> UInt8[np.ndarray, "N S S 3"]:
    """Shift images by whole pixels; what comes in from outside repeats the edge."""
    size = images.shape[1]
    rows = np.clip(np.arange(size) - down, 0, size - 1)
    columns = np.clip(np.arange(size) - right, 0, size - 1)
    return images[:, rows][:, :, columns]


def scale(images: UInt8[np.ndarray, "B S S 3"]) -> Float32[np.ndarray, "B 3 S S"]:
    """Scale pixels to -1..1, channels first, with the same bits and memory layout as `networks.as_input`."""
    channels_first = images.transpose(0, 3, 1, 2)
    return channels_first.astype(np.float32) / np.float32(127.5) - np.float32(1)


def mirror_images(batch: Float32[np.ndarray, "B 3 S S"], kind: str) -> Float32[np.ndarray, "B 3 S S"]:
    """Mirror scaled images left to right, as `augment.mirror` does.

    Args:
        batch: scaled images, -1..1.
        kind: "image", or "flow", which also negates the first channel: a mirror reverses horizontal motion.
    """
    mirrored = batch[..., ::-1].copy(order="K")
    if kind == "flow":
        mirrored[:, 0] *= -1
    return mirrored
