"""Sanity checks of an attribution: does it depend on the weights, and do the pixels it selects matter?

References:
    Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018.
    Petsiuk et al., RISE, BMVC 2018; here pixels are removed by replacing them with the baseline.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, UInt8
from scipy.stats import spearmanr
from torch import nn

from learnet.networks import as_input
from learnet.report.explain.attribution import baseline_image

POINTS = 29  # of a curve, from no pixel to all pixels in equal steps
REPETITIONS = 5  # networks with permuted weights, and random orders of pixels

AttributionMethod = Callable[[nn.Module], Float32[np.ndarray, "S S"]]


@dataclass(frozen=True)
class PerturbationCurve:
    """Probability of a class while pixels are removed or inserted in the order of an attribution."""

    share: Float64[np.ndarray, "P"]  # of the pixels that have been changed, 0 to 1
    probability: Float64[np.ndarray, "P"]

    @property
    def area(self) -> float:
        """Return the area under the curve: the mean probability."""
        return float(np.trapezoid(self.probability, self.share))


@dataclass(frozen=True)
class SanityChecks:
    """Results of the sanity checks of one attribution."""

    rank_correlations: tuple[float, ...]  # of the map with the maps of networks with permuted weights
    deletion: PerturbationCurve  # pixels become baseline; falls fast for a good attribution
    insertion: PerturbationCurve  # pixels enter the baseline; rises fast for a good attribution
    random_deletion_area: float  # mean area over random orders
    random_insertion_area: float
    empty: bool = False  # the map is zero everywhere, so that neither check says anything


def permute_weights(module: nn.Module, seed: int) -> nn.Module:
    """Return a copy of the network in which the values of each parameter are permuted at random.

    Every layer keeps the distribution of its weights. The running statistics of normalisations stay as they
    are.
    """
    permuted = copy.deepcopy(module).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in permuted.parameters():
            order = torch.randperm(weight.numel(), generator=generator)
            weight.copy_(weight.flatten()[order].view(weight.shape))
    return permuted


def rank_correlation(first: Float[np.ndarray, "S S"], second: Float[np.ndarray, "S S"]) -> float:
    """Return Spearman's rank correlation of the absolute values of two maps; 0 if one of them is constant."""
    magnitudes = np.abs([first.ravel(), second.ravel()])
    if (magnitudes.min(axis=1) == magnitudes.max(axis=1)).any():
        return 0.0
    return float(spearmanr(*magnitudes).statistic)


def run_sanity_checks(
    module: nn.Module,
    image: UInt8[np.ndarray, "S S 3"],
    target: int,
    method: AttributionMethod,
    seed: int = 0,
) -> SanityChecks:
    """Run all sanity checks of one attribution of one image.

    Args:
        module: network.
        image: prepared image, 0 to 255.
        target: index of the class that is explained.
        method: computes the attribution of this image and class from a network.
        seed: of the permutations of weights and of the random orders of pixels.
    """
    attribution = method(module)
    correlations = []
    for number in range(REPETITIONS):
        permuted = permute_weights(module, seed + 1 + number)
        correlations.append(rank_correlation(attribution, method(permuted)))

    rng = np.random.default_rng(seed)
    deletion_areas, insertion_areas = [], []
    for _ in range(REPETITIONS):
        order = rng.permutation(attribution.size).reshape(attribution.shape).astype(np.float32)
        deletion_areas.append(perturbation_curve(module, image, target, order, insert=False).area)
        insertion_areas.append(perturbation_curve(module, image, target, order, insert=True).area)
    return SanityChecks(
        rank_correlations=tuple(correlations),
        deletion=perturbation_curve(module, image, target, attribution, insert=False),
        insertion=perturbation_curve(module, image, target, attribution, insert=True),
        random_deletion_area=float(np.mean(deletion_areas)),
        random_insertion_area=float(np.mean(insertion_areas)),
        empty=not attribution.any(),
    )


def perturbation_curve(
    module: nn.Module,
    image: UInt8[np.ndarray, "S S 3"],
    target: int,
    attribution: Float32[np.ndarray, "S S"],
    insert: bool,
) -> PerturbationCurve:
    """Compute the probability of the class while pixels are changed in the order of the attribution.

    Args:
        module: network.
        image: prepared image, 0 to 255.
        target: index of the class.
        attribution: the pixel with the highest value is changed first.
        insert: insert pixels of the image into the baseline; else replace pixels of the image by the
            baseline.
    """
    network_input, baseline = as_input(image[None]), baseline_image(image)
    start, end = (baseline, network_input) if insert else (network_input, baseline)
    order = np.argsort(-attribution.ravel(), kind="stable")
    counts = np.linspace(0, len(order), POINTS).round().astype(int)
    changed = np.zeros((POINTS, len(order)), dtype=bool)
    for row, count in zip(changed, counts, strict=True):
        row[order[:count]] = True
    mask = torch.from_numpy(changed.reshape(POINTS, 1, *attribution.shape))
    with torch.inference_mode():
        logits = module.eval()(torch.where(mask, end, start))
    probabilities = logits.double().softmax(dim=1)[:, target].numpy()
    return PerturbationCurve(counts / len(order), probabilities)
