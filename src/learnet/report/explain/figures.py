"""Figures that explain a clip, a class or several networks.

Functions return figures by name, to be written by `explanation_figure.write_figures`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch import nn

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.figure_style import MUTED
from learnet.metrics.scores import ONE_PERSON
from learnet.networks.learnet import LEARNet
from learnet.report.explain.activation_figures import (
    ClipRow,
    NetworkMaps,
    accretion_figure,
    comparison_figure,
    mosaic_figure,
    network_figure,
)
from learnet.report.explain.activations import (
    accretion_maps,
    compute_maps,
    stage_activations,
    stage_at_depth,
)
from learnet.report.explain.attribution import grad_cam, integrated_gradients, occlusion
from learnet.report.explain.attribution_figures import attribution_figure, checks_figure, regions_figure
from learnet.report.explain.background import Background
from learnet.report.explain.clips import ExplainedClip, ExplainedClips
from learnet.report.explain.explanation_figure import ExplanationFigure
from learnet.report.explain.ground_truth import (
    MOVING_FRACTION,
    Progress,
    RenderSettings,
    render_emotion_clips,
)
from learnet.report.explain.localisation import activation_at_depth, measure_shares, summarise_shares
from learnet.report.explain.sanity_checks import AttributionMethod, run_sanity_checks
from learnet.report.style import Interval, interval_figure
from learnet.training.checkpoint import load_class_network
from learnet.training.metadata import CheckpointMetadata

DEPTH = 2  # halvings of the image: the first level of LEARNet's columns, as in the figures of the paper
LEARNET_STAGE = "one.accretion_1"  # default stage of LEARNet
# Variants of LEARNet whose accretion layers add two columns.
ACCRETION_VARIANTS = ("released", "paper", "literal", "lrn", "gap")
MAX_NOTES = 3  # in a title

Checkpoints = Mapping[str, tuple[nn.Module, CheckpointMetadata]]


def clip_figures(
    clip: ExplainedClip, stage: str | None = None, anonymous: bool = False
) -> dict[str, ExplanationFigure]:
    """Draw the activations of a network for one clip.

    Args:
        clip: the clip and its network.
        stage: whose maps are drawn; None means one.accretion_1 for LEARNet, and a stage of the same depth
            for other networks.
        anonymous: show nothing of the person: coarse maps over the average face in place of the motion
            image.

    Returns:
        `network` (all stages), `mosaic` (the strongest maps of the stage), and for a LEARNet with accretion
        `accretion-one-1` to `accretion-two-2`.

    Raises:
        LearnetError: the network has no such stage, or no maps.
    """
    stage = stage or _default_stage(clip)
    background, title = clip.background(anonymous), _title(clip)
    maps = compute_maps(clip.module, clip.image[None], stage)[0]
    activations = stage_activations(clip.module, clip.image[None])

    mosaic_title = f"{title}\n{stage}, the strongest of {len(maps)} maps"
    figures = {
        "network": network_figure(activations, background, title),
        "mosaic": mosaic_figure(maps, background, mosaic_title),
    }
    if isinstance(clip.module, LEARNet) and clip.module.variant in ACCRETION_VARIANTS:
        for pair, level in (("one", 1), ("one", 2), ("two", 1), ("two", 2)):
            figures[f"accretion-{pair}-{level}"] = accretion_figure(
                accretion_maps(activations, pair, level),
                background,
                f"{title}\naccretion layer {pair}, level {level}",
            )
    return figures


def attribution_figures(
    clip: ExplainedClip, stage: str | None = None, anonymous: bool = False
) -> dict[str, ExplanationFigure]:
    """Draw three attributions of the prediction for one clip, their sums per region, and their checks.

    Args:
        clip: the clip and its network.
        stage: of Grad-CAM; as in `clip_figures`.
        anonymous: as in `clip_figures`.

    Returns:
        `where` (the attributions), `checks`, and, where the position of the face is known, `regions`.

    Raises:
        LearnetError: as `clip_figures`.
    """
    stage = stage or _default_stage(clip)
    target = clip.metadata.classes.index(clip.prediction)
    methods: dict[str, AttributionMethod] = {
        f"Grad-CAM, {stage}": lambda module: grad_cam(module, clip.image, target, stage),
        "occlusion": lambda module: occlusion(module, clip.image, target),
        "integrated gradients": lambda module: integrated_gradients(module, clip.image, target),
    }
    maps, checks = {}, {}
    for name, method in methods.items():
        maps[name] = method(clip.module)
        checks[name] = run_sanity_checks(clip.module, clip.image, target, method)
    title = _title(clip)
    figures = {
        "where": attribution_figure(maps, clip.background(anonymous), title),
        "checks": checks_figure(checks, title),
    }
    if clip.placement:
        figures["regions"] = regions_figure(maps, clip.placement, title)
    return figures


def class_figures(
    clips: Sequence[ExplainedClip], stage: str | None = None, anonymous: bool = False
) -> dict[str, ExplanationFigure]:
    """Draw the mean maps of one stage over the clips of a class, beside the mean of their motion images.

    In a study the clips of each person have the network of another fold. These networks have the same
    initial weights, so maps with the same index are similar, but not identical.

    Args:
        clips: of one class.
        stage: as in `clip_figures`.
        anonymous: as in `clip_figures`.

    Returns:
        `class`, the strongest maps.
    """
    stage = stage or _default_stage(clips[0])
    maps = np.mean([compute_maps(clip.module, clip.image[None], stage)[0] for clip in clips], axis=0)
    image = np.mean([clip.image for clip in clips], axis=0).round().astype(np.uint8)
    people = {clip.person for clip in clips}
    training_sets = {clip.metadata.data.get("people", "") for clip in clips}  # one per fold
    title = f"{clips[0].truth}: mean over {len(clips)} clips of {len(people)} people"
    if len(training_sets) > 1:
        title += f", with the {len(training_sets)} networks of a study"
    title += f"\n{stage}, the strongest of {len(maps)} maps"
    notes = {note for clip in clips for note in clip.notes}
    title = "\n".join([title, *sorted(notes)[:MAX_NOTES]])
    background = Background(None if anonymous else image, clips[0].placement)
    return {"class": mosaic_figure(maps, background, title)}


def network_figures(
    sources: Sequence[tuple[str, ExplainedClips]],
    clip_names: Sequence[str],
    depth: int = DEPTH,
    anonymous: bool = False,
) -> dict[str, ExplanationFigure]:
    """Draw a row for each clip: the motion image, then the two strongest maps of each network at one depth.

    Args:
        sources: name of each network, and its study.
        clip_names: clips that are drawn; the first of each class if empty.
        depth: number of halvings of the image, 1 to 5.
        anonymous: as in `clip_figures`.

    Returns:
        `networks`.

    Raises:
        LearnetError: a study has not tested a clip, the studies have different images, or a network has no
            maps.
    """
    first_name, first = sources[0]
    for name, source in sources[1:]:
        if source.prepared.record.fingerprint != first.prepared.record.fingerprint:
            raise LearnetError(
                f"{name} is a study of other images than {first_name}.",
                "Compare studies of one prepared folder.",
            )
    rows = [_clip_row(sources, clip_name, depth, anonymous) for clip_name in clip_names or first.examples()]
    title = f"The strongest maps after {depth} halvings"
    if rows[0].background.placement is None:
        title += "; the position of the face in these images is unknown, so nothing is marked"
    return {"networks": comparison_figure(rows, title)}


def measurement_figures(
    weights: Sequence[Path],
    people: int,
    depth: int = DEPTH,
    fraction: float = MOVING_FRACTION,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, ExplanationFigure]:
    """Measure the share of the activation of networks that lies where the face moves, on synthetic clips.

    The people in the clips are in no database, so no network was trained on them.

    Args:
        weights: checkpoints that accept the same images.
        people: synthetic people, each with a clip of each main emotion.
        depth: number of halvings of the image at which the networks are compared.
        fraction: a pixel is moving from this fraction of the largest displacement of the clip.
        seed: of the people.
        progress: called after each clip.

    Returns:
        `measured`, a figure with intervals and the summary; `measured-clips`, the same figure with the
        share of each clip.

    Raises:
        BadCheckpoint: the preparation of the training images is unknown, or differs from that of the first
            checkpoint.
        LearnetError: no weights, a fraction outside 0..1, two files of the same name, or a network without
            maps.
    """
    if not weights or not 0 < fraction <= 1:
        raise LearnetError(
            "Nothing can be measured.", "Name checkpoints, and with --part a share from 0 to 1."
        )
    checkpoints = _load_comparable(weights)
    maps = {}
    for name, (module, metadata) in checkpoints.items():
        stage, activation = activation_at_depth(module, metadata.size, depth)
        maps[f"{name}, {stage}"] = activation
    _, metadata = checkpoints[weights[0].stem]
    assert metadata.preparation is not None, "checked as the weights were loaded"
    settings = RenderSettings(seed=seed, database_crop=metadata.data.get("faces") == "given")
    preparation = replace(metadata.preparation, face="none")
    clips = render_emotion_clips(preparation, people, settings=settings, progress=progress)
    per_clip = measure_shares(clips, maps, fraction)
    summary = summarise_shares(per_clip)
    figure = _share_figure(summary)
    return {
        "measured": ExplanationFigure(figure, summary),
        "measured-clips": ExplanationFigure(figure, per_clip),
    }


def _clip_row(
    sources: Sequence[tuple[str, ExplainedClips]], clip_name: str, depth: int, anonymous: bool
) -> ClipRow:
    """Return the maps of every network for one clip; image and notes are those of the first network."""
    clips, networks = [], []
    for name, source in sources:
        clip = source.get(clip_name)
        stage = stage_at_depth(clip.module, clip.metadata.size, depth)
        maps = compute_maps(clip.module, clip.image[None], stage)[0]
        networks.append(NetworkMaps(name, stage, maps))
        clips.append(clip)

    first = clips[0]
    title = "\n".join([clip_name, first.truth, *first.notes])
    return ClipRow(title, first.background(anonymous), tuple(networks))


def _load_comparable(weights: Sequence[Path]) -> Checkpoints:
    """Load checkpoints by name, and check that their training images were prepared in the same way."""
    checkpoints = {path.stem: load_class_network(path) for path in weights}
    if len(checkpoints) < len(weights):
        raise LearnetError("Two of these files have the same name.", "Rename one of them.")
    _, first = checkpoints[weights[0].stem]
    for path in weights:
        _, metadata = checkpoints[path.stem]
        if metadata.preparation is None:
            raise BadCheckpoint(
                path,
                "the preparation of its training images is unknown, so no clips can be rendered for it",
                "Use weights that were trained on prepared clips.",
            )
        if metadata.preparation != first.preparation:
            raise BadCheckpoint(
                path,
                f"accepts other images than {weights[0].name}",
                "Measure only networks of the same preparation together.",
            )
    return checkpoints


def _share_figure(summary: pd.DataFrame) -> Figure:
    """Draw the share of each network with its interval, and the area of moving pixels as a dashed line."""
    lines = []
    for row in summary.itertuples():
        lines.append(Interval(row.look, row.share, row.low, row.high))
    title = "Share of the activation\nwhere the face moves"
    area = float(summary["area"].iloc[0])
    figure = interval_figure({title: lines}, {title: area})
    caption = f"dashed: {area:.1%} of the image, the share of a uniform activation"
    if summary["people"].iloc[0] == 1:
        caption += f"; {ONE_PERSON}"
    figure.supxlabel(caption, size=8, color=MUTED)
    return figure


def _default_stage(clip: ExplainedClip) -> str:
    """Return the stage that is drawn where none is named."""
    if isinstance(clip.module, LEARNet) and clip.module.variant not in ("plain", "one-stream"):
        return LEARNET_STAGE
    return stage_at_depth(clip.module, clip.metadata.size, DEPTH)


def _title(clip: ExplainedClip) -> str:
    prediction = f"{clip.metadata.network} predicts {clip.prediction} ({clip.scores.max():.2f})"
    return "\n".join([f"{clip.clip}, labelled {clip.truth}: {prediction}", *clip.notes])
