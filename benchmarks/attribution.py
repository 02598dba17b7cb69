"""Measure how much of an attribution lies where the face moves, on clips with one moving action unit.

    learnet synthesize db --people 24 --seed 7
    learnet prepare casme2 db/CASME2_RAW images --size 56 --normalise signed
    learnet train images weights.safetensors
    python benchmarks/attribution.py weights.safetensors

It writes benchmarks/results/<date>-<commit>-attribution.json.

The people in the clips are in no database. Their heads are still and their eyes are open, so only one
region moves: the pixels with at least a tenth of the largest displacement. The predicted class is
explained, whether or not it is correct. The share of each map in the region is measured on clips without
camera noise, in which nothing else changes, and on the same clips with noise.

For reference the same run measures the share of the motion image itself, the area of the region, and the
maps of the network with permuted weights (`learnet.report.explain.sanity_checks`), which say nothing about
the face.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import measure
import numpy as np
import torch
from torch import nn

from learnet.motion.detrend import EvaluationImages
from learnet.report.explain.activations import stage_at_depth
from learnet.report.explain.attribution import grad_cam, integrated_gradients, occlusion
from learnet.report.explain.ground_truth import GroundTruthClip, RenderSettings, render_unit_clips
from learnet.report.explain.localisation import bootstrap_over_people, share_inside
from learnet.report.explain.sanity_checks import permute_weights
from learnet.training.checkpoint import load_checkpoint
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer

UNITS = ((12, "happiness"), (4, "others"), (9, "disgust"), (15, "repression"), (2, "surprise"))
"""Lip corner puller, brow lowerer, nose wrinkler, lip corner depressor and outer brow raiser."""

MOVING_FRACTION = 0.1  # of the largest displacement, from which a pixel is moving
TARGET_SHARE = 0.70  # of a map inside the region
NOISES = {"without noise": 0.0, "with noise": 1.0}
SMOOTHGRAD_COPIES = 8
SMOOTHGRAD_NOISE = 6.0  # standard deviation, grey levels
CELLS = 14  # a side; integrated gradients are also summed in cells before their absolute values are taken
DEPTHS = (1, 2, 3)
REPORTED = ("integrated gradients", "occlusion", "occlusion, for")  # and every Grad-CAM

Method = Callable[[nn.Module, GroundTruthClip, int], np.ndarray]
Results = dict[str, dict[str, float]]


def smoothed_gradients(module: nn.Module, clip: GroundTruthClip, target: int) -> np.ndarray:
    """Return the mean of integrated gradients over noisy copies (Smilkov et al., SmoothGrad, 2017)."""
    rng = np.random.default_rng(0)
    attributions = []
    for _ in range(SMOOTHGRAD_COPIES):
        noisy = clip.image + rng.normal(0, SMOOTHGRAD_NOISE, clip.image.shape)
        image = np.clip(noisy, 0, 255).round().astype(np.uint8)
        attributions.append(integrated_gradients(module, image, target))
    return np.mean(attributions, axis=0)


def gradients_in_cells(module: nn.Module, clip: GroundTruthClip, target: int) -> np.ndarray:
    """Return sums of integrated gradients over square cells, in which opposite effects of noise cancel."""
    attribution = integrated_gradients(module, clip.image, target)
    side = attribution.shape[0] // CELLS
    sums = attribution.reshape(CELLS, side, CELLS, side).sum(axis=(1, 3))
    return np.kron(sums, np.ones((side, side)))


def motion_image(module: nn.Module, clip: GroundTruthClip, target: int) -> np.ndarray:
    """Return how far the image differs from its median, whatever the network."""
    return np.abs(clip.image - np.median(clip.image, axis=(0, 1))).mean(axis=-1)


def supporting_part(module: nn.Module, clip: GroundTruthClip, target: int, method: Method) -> np.ndarray:
    """Return the positive part of an attribution, which supports the class."""
    return method(module, clip, target).clip(0)


def attribution_methods(module: nn.Module, size: int) -> dict[str, Method]:
    """Return every method by name, signed ones also with their positive part alone."""
    methods: dict[str, Method] = {
        "integrated gradients": lambda net, clip, target: integrated_gradients(net, clip.image, target),
        "integrated gradients in cells": gradients_in_cells,
        "smoothed integrated gradients": smoothed_gradients,
        "occlusion": lambda net, clip, target: occlusion(net, clip.image, target),
        "occlusion, small squares": lambda net, clip, target: occlusion(
            net, clip.image, target, size // CELLS
        ),
    }
    for name, method in list(methods.items()):
        methods[f"{name}, for"] = partial(supporting_part, method=method)
    for depth in DEPTHS:
        stage = stage_at_depth(module, size, depth)
        methods[f"Grad-CAM, {stage}"] = lambda net, clip, target, stage=stage: grad_cam(
            net, clip.image, target, stage
        )
    methods["the motion image"] = motion_image
    return methods


def measure_shares(
    module: nn.Module, metadata: CheckpointMetadata, clips: Sequence[GroundTruthClip]
) -> Results:
    """Return the mean share of each map inside the region, with its interval over people."""
    images = np.stack([clip.image for clip in clips])
    scores = Scorer.from_module(module, metadata.mirror).scores(EvaluationImages(images))
    predictions = scores.argmax(axis=1).tolist()
    labels = [metadata.classes[prediction] for prediction in predictions]
    correct = np.array(labels) == np.array([clip.emotion for clip in clips])
    regions = [clip.moving_region(MOVING_FRACTION) for clip in clips]
    people = [clip.person for clip in clips]
    results: Results = {}
    for name, method in attribution_methods(module, metadata.size).items():
        shares = []
        for clip, prediction, region in zip(clips, predictions, regions, strict=True):
            shares.append(share_inside(method(module, clip, prediction), region))
        mean, low, high = bootstrap_over_people(np.array(shares), people)
        results[name] = {"share": round(mean, 3), "low": round(low, 3), "high": round(high, 3)}
        if correct.any():
            results[name]["right answers"] = round(float(np.mean(np.array(shares)[correct])), 3)
    area = float(np.mean(regions))
    results["all"] = {
        "area": round(area, 3), "clips": len(clips), "right": round(float(correct.mean()), 3)
    }  # fmt: skip
    return results


def main(arguments: list[str] | None = None) -> None:
    """Measure a checkpoint, and save the shares."""
    parser = measure.options(__doc__, rounds=1)
    parser.add_argument(
        "weights", type=Path, help="checkpoint trained on a synthetic database, with the classes of CASME II"
    )
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument(
        "--seed", type=int, default=200, help="of the people; 100 was used to choose what is reported"
    )
    options = parser.parse_args(arguments)
    if options.people < 2:
        parser.error("--people: at least 2, for an interval over people")
    torch.set_num_threads(1)
    module, metadata = load_checkpoint(options.weights)
    assert metadata.preparation is not None, "weights that were trained on prepared clips are needed"
    details: dict[str, object] = {
        "seed": options.seed, "people": options.people, "preparation": str(metadata.preparation)
    }  # fmt: skip
    rows = []
    about = measure.machine()
    for name, noise in NOISES.items():
        settings = RenderSettings(seed=options.seed, noise=noise)
        clips = render_unit_clips(metadata.preparation, UNITS, options.people, settings)
        results = measure_shares(module, metadata, clips)
        details[name] = results
        details[f"{name}, weights in disorder"] = measure_shares(permute_weights(module, 1), metadata, clips)
        reference = f"the motion image itself {results['the motion image']['share']}"
        for method in results:
            if method in REPORTED or method.startswith("Grad-CAM"):
                title = f"share of {method}, {name}"
                rows.append(measure.Row(title, reference, results[method]["share"], TARGET_SHARE))
    measure.save("attribution", options.out, about, rows, details)


if __name__ == "__main__":
    main()
