"""Whether an attribution can be believed: it must vanish with the weights, and what it points at must matter to the answer."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, UInt8
from torch import nn

from learnet.networks import as_input
from learnet.report.explain.attribution import baseline_image

POINTS = 29  # of a curve: nothing, then so many less one even parts of the pixels
SHUFFLES = 5  # networks with random weights, and random orders of pixels

Attribute = Callable[[nn.Module], Float32[np.ndarray, "S S"]]


@dataclass(frozen=True)
class PerturbationCurve:
    """The probability of a class as pixels come or go, those first that an attribution puts first."""

    share: Float64[np.ndarray, "P"]  # of the pixels that have been changed, 0 to 1
    probability: Float64[np.ndarray, "P"]

    @property
    def area(self) -> float:
        """The mean probability on the way."""
        return float(np.trapezoid(self.probability, self.share))


@dataclass(frozen=True)
class SanityChecks:
    """What the sanity checks of one attribution found."""

    randomised: tuple[float, ...]  # rank correlation of the map with those of networks with random weights
    deletion: PerturbationCurve  # pixels made blank: good attributions let it fall fast
    insertion: PerturbationCurve  # pixels put into a blank: good ones let it rise fast
    deletion_by_chance: float  # mean area over random orders
    insertion_by_chance: float
    empty: bool = False  # the map is zero everywhere, so that neither disorder nor order can be told from it


def permute_weights(module: nn.Module, seed: int) -> nn.Module:
    """The same network with its weights in disorder: the numbers of each parameter stay and change places, so that no layer loses its
    scale. Statistics of normalisations stay."""
    other = copy.deepcopy(module).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in other.parameters():
            weight.copy_(
                weight.flatten()[torch.randperm(weight.numel(), generator=generator)].view(weight.shape)
            )
    return other


def rank_correlation(one: Float[np.ndarray, "S S"], other: Float[np.ndarray, "S S"]) -> float:
    """Spearman's rank correlation of two maps by their size, whatever their sign; 0 where one of them is even."""
    ranks = [_ranks(np.abs(each).ravel()) for each in (one, other)]
    away = [rank - rank.mean() for rank in ranks]
    scale = float(np.sqrt((away[0] ** 2).sum() * (away[1] ** 2).sum()))
    return float((away[0] * away[1]).sum() / scale) if scale > 0 else 0.0


def run_sanity_checks(
    module: nn.Module, image: UInt8[np.ndarray, "S S 3"], target: int, attribute: Attribute, seed: int = 0
) -> SanityChecks:
    """Run all checks of one attribution of one image.

    Args:
        module: network.
        image: prepared image, 0..255.
        target: position of the class that is explained.
        attribute: from a network to the attribution of this image and class.
        seed: of random weights and random orders.

    Sources: Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018; Petsiuk et al., RISE, BMVC 2018 (here from and to the image
    without movement).
    """
    found = attribute(module)
    lost = tuple(
        rank_correlation(found, attribute(permute_weights(module, seed + 1 + number)))
        for number in range(SHUFFLES)
    )
    rng = np.random.default_rng(seed)
    chance = [rng.permutation(found.size).reshape(found.shape).astype(np.float32) for _ in range(SHUFFLES)]
    away, back = (
        [perturbation_curve(module, image, target, each, insert).area for each in chance]
        for insert in (False, True)
    )
    curves = [perturbation_curve(module, image, target, found, insert) for insert in (False, True)]
    return SanityChecks(
        lost, curves[0], curves[1], float(np.mean(away)), float(np.mean(back)), not found.any()
    )


def perturbation_curve(
    module: nn.Module,
    image: UInt8[np.ndarray, "S S 3"],
    target: int,
    attribution: Float32[np.ndarray, "S S"],
    insert: bool,
) -> PerturbationCurve:
    """The probability of the class while pixels are changed in the order of the attribution, the highest first.

    Args:
        module: network.
        image: prepared image, 0..255.
        target: position of the class.
        attribution: what speaks for the class is positive.
        insert: put pixels of the image into the blank; else make pixels of the image blank.
    """
    given, grey = as_input(image[None]), baseline_image(image)
    start, end = (grey, given) if insert else (given, grey)
    order = np.argsort(-attribution.ravel(), kind="stable")
    counts = np.linspace(0, len(order), POINTS).round().astype(int)
    changed = np.zeros((POINTS, len(order)), dtype=bool)
    for row, count in zip(changed, counts, strict=True):
        row[order[:count]] = True
    mask = torch.from_numpy(changed.reshape(POINTS, 1, *attribution.shape))
    with torch.inference_mode():
        logits = module.eval()(torch.where(mask, end, start))
    return PerturbationCurve(counts / len(order), logits.double().softmax(dim=1)[:, target].numpy())


def _ranks(values: Float[np.ndarray, "N"]) -> Float64[np.ndarray, "N"]:
    """Ranks from 0; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[places]
