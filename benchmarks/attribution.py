"""Do the maps of where a network looked lie where the face moves? Asked of clips in which a single action
unit moves one side of the face.

    learnet synthesize db --people 24 --seed 7 learnet prepare casme2 db/CASME2_RAW images --size 56
    --normalise signed learnet train images weights.safetensors python benchmarks/attribution.py
    weights.safetensors     # writes benchmarks/results/<date>-<commit>-attribution.json

The people filmed are in no database. Their heads are still and their eyes open, so one region moves and
nothing else: the places that go at least a tenth as far as the one that goes farthest. Explained is the class
that the network answers, right or wrong. The share of each map in the region is taken twice: of clips without
noise of the camera, in which nothing else changes, and of the same clips with it.

For reference, in the same run: the share of the motion image itself, the area of the region, and the same
maps of the network with its weights in disorder (`explain.sanity`), which looks at nothing on purpose."""

from collections.abc import Callable, Sequence
from pathlib import Path

import measure
import numpy as np
import torch
from torch import nn

from learnet.motion.detrend import EvaluationImages
from learnet.report.explain.activations import stage_at_depth
from learnet.report.explain.attribution import grad_cam, integrated_gradients, occlusion
from learnet.report.explain.ground_truth import GroundTruthClip, render_unit_clips
from learnet.report.explain.localisation import bootstrap_over_people, share_inside
from learnet.report.explain.sanity_checks import permute_weights
from learnet.training.checkpoint import load_checkpoint
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer

UNITS = ((12, "happiness"), (4, "others"), (9, "disgust"), (15, "repression"), (2, "surprise"))
"""Lip corner puller, brow lowerer, nose wrinkler, lip corner depressor, outer brow raiser; each of the
emotion it is commonest in."""

PART = 0.1  # of the largest displacement, from which on a place moves
WANTED = 0.70  # of a map inside the region
NOISES = {"without noise": 0.0, "with noise": 1.0}
SMOOTHED, GRAIN = 8, 6.0  # SmoothGrad: noisy copies, and standard deviation of their noise, grey levels
CELLS = 14  # integrated gradients are also summed in so many cells a side before their size is taken
DEPTHS = (1, 2, 3)

Look = Callable[[nn.Module, GroundTruthClip, int], np.ndarray]


def smoothed(module: nn.Module, image: np.ndarray, target: int) -> np.ndarray:
    """Integrated gradients, the mean over noisy copies of the image (Smilkov et al., SmoothGrad, 2017)."""
    rng = np.random.default_rng(0)
    noisy = (
        np.clip(image + rng.normal(0, GRAIN, image.shape), 0, 255).round().astype(np.uint8)
        for _ in range(SMOOTHED)
    )
    return np.mean([integrated_gradients(module, one, target) for one in noisy], axis=0)


def in_cells(found: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """Sums over square cells, each over its square again: what noise adds and takes away next to each other
    is gone."""
    side = found.shape[0] // cells
    return np.kron(found.reshape(cells, side, cells, side).sum(axis=(1, 3)), np.ones((side, side)))


def looks(module: nn.Module, size: int) -> dict[str, Look]:
    """Every way to ask where a network looked; of signed ones also what speaks for the class alone."""
    signed: dict[str, Look] = {
        "integrated gradients": lambda net, clip, target: integrated_gradients(net, clip.image, target),
        "integrated gradients in cells": lambda net, clip, target: in_cells(
            integrated_gradients(net, clip.image, target)
        ),
        "smoothed integrated gradients": lambda net, clip, target: smoothed(net, clip.image, target),
        "occlusion": lambda net, clip, target: occlusion(net, clip.image, target),
        "occlusion, small squares": lambda net, clip, target: occlusion(
            net, clip.image, target, size // CELLS
        ),
    }
    positive = {
        f"{name}, for": lambda net, clip, target, look=look: look(net, clip, target).clip(0)
        for name, look in signed.items()
    }
    stages = {stage_at_depth(module, size, depth): depth for depth in DEPTHS}
    cams = {
        f"Grad-CAM, {stage}": lambda net, clip, target, stage=stage: grad_cam(net, clip.image, target, stage)
        for stage in stages
    }
    still: dict[str, Look] = {
        "the motion image": lambda net, clip, target: np.abs(
            clip.image - np.median(clip.image, axis=(0, 1))
        ).mean(axis=-1)
    }
    return {**signed, **positive, **cams, **still}


def shares(
    module: nn.Module, metadata: CheckpointMetadata, clips: Sequence[GroundTruthClip]
) -> dict[str, dict[str, object]]:
    """Mean share inside the region of each look, its interval over people, and its mean over the clips that
    are answered rightly."""
    scorer = Scorer.from_module(module, metadata.mirror)
    answers = [int(scorer.scores(EvaluationImages(clip.image[None]))[0].argmax()) for clip in clips]
    right = np.array(
        [metadata.classes[answer] == clip.emotion for answer, clip in zip(answers, clips, strict=True)]
    )
    people, found = [clip.person for clip in clips], {}
    for name, look in looks(module, metadata.size).items():
        inside = [
            share_inside(look(module, clip, answer), clip.moving_region(PART))
            for clip, answer in zip(clips, answers, strict=True)
        ]
        mean, low, high = bootstrap_over_people(np.array(inside), people)
        found[name] = {"share": round(mean, 3), "low": round(low, 3), "high": round(high, 3)}
        if right.any():
            found[name]["right answers"] = round(float(np.mean(np.array(inside)[right])), 3)
    area = float(np.mean([clip.moving_region(PART).mean() for clip in clips]))
    return {
        **found,
        "all": {"area": round(area, 3), "clips": len(clips), "right": round(float(right.mean()), 3)},
    }


def main(arguments: list[str] | None = None) -> None:
    parser = measure.options(__doc__, rounds=1)
    parser.add_argument(
        "weights",
        type=Path,
        help="checkpoint that learned from a synthetic database, the classes of CASME II",
    )
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument(
        "--seed", type=int, default=200, help="of the people; 100 served to choose what is reported"
    )
    chosen = parser.parse_args(arguments)
    if chosen.people < 2:
        parser.error("--people: at least 2, for an interval over people")
    torch.set_num_threads(1)
    module, metadata = load_checkpoint(chosen.weights)
    assert metadata.preparation is not None, "weights of prepared clips are needed"
    details: dict[str, object] = {
        "seed": chosen.seed,
        "people": chosen.people,
        "preparation": str(metadata.preparation),
    }
    rows = []
    about = measure.machine()
    for name, noise in NOISES.items():
        clips = render_unit_clips(metadata.preparation, UNITS, chosen.people, seed=chosen.seed, noise=noise)
        details[name] = found = shares(module, metadata, clips)
        details[f"{name}, weights in disorder"] = shares(permute_weights(module, 1), metadata, clips)
        image = f"the motion image itself {found['the motion image']['share']}"
        for look in (
            "integrated gradients",
            "occlusion",
            "occlusion, for",
            *(one for one in found if one.startswith("Grad-CAM")),
        ):
            rows.append(measure.Row(f"share of {look}, {name}", image, float(found[look]["share"]), WANTED))  # type: ignore[arg-type]
    measure.save("attribution", chosen.out, about, rows, details)


if __name__ == "__main__":
    main()
