"""Explanations as plates, ready to be written: of a clip, of a class, of several networks side by side, and what is measured."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.settings import Windows
from learnet.metrics.scores import ONE_PERSON
from learnet.networks.learnet import LEARNet
from learnet.report.explain.activation_figures import (
    ClipRow,
    ExplanationFigure,
    NetworkMaps,
    accretion_figure,
    comparison_figure,
    mosaic_figure,
    network_figure,
)
from learnet.report.explain.activations import accretion_maps, compute_maps, stage_activations, stage_at_depth
from learnet.report.explain.attribution import grad_cam, integrated_gradients, occlusion
from learnet.report.explain.attribution_figures import attribution_figure, checks_figure, regions_figure
from learnet.report.explain.background import Background
from learnet.report.explain.clips import ExplainedClip, ExplainedClips
from learnet.report.explain.ground_truth import MOVING_FRACTION, Progress, RenderSettings, render_emotion_clips
from learnet.report.explain.localisation import activation_at_depth, measure_shares, summarise_shares
from learnet.report.explain.sanity_checks import AttributionMethod, run_sanity_checks
from learnet.report.explain.temporal import (
    TemporalExplanation,
    VideoSegment,
    explain_temporal,
    segment_of_clip,
)
from learnet.report.style import MUTED, Interval, interval_figure
from learnet.training.checkpoint import load_checkpoint

DEPTH = 2  # halvings of the image: the first level of LEARNet's columns, as in the paper's figures
USUAL = "one.accretion_1"  # the stage drawn of LEARNet where none is named


def clip_figures(
    case: ExplainedClip, stage: str | None = None, anonymous: bool = False
) -> dict[str, ExplanationFigure]:
    """The whole network, the strongest maps of one stage, and of a LEARNet with accretion its accretion layers.

    Args:
        case: the clip and its network.
        stage: the accretion layer one.accretion_1 of LEARNet, or what stands at its depth elsewhere, if not
            given.
        anonymous: show nothing of the person: coarse maps on a line-drawn average face in place of the
            motion image.

    Raises:
        LearnetError: a stage that the network does not have; a network without maps.
    """
    stage, ground = stage or _usual(case), case.background(anonymous)
    maps = compute_maps(case.module, case.image[None], stage)[0]
    answers = stage_activations(case.module, case.image[None])
    plates = {
        "network": network_figure(answers, ground, _title(case)),
        "mosaic": mosaic_figure(maps, ground, f"{_title(case)}\n{stage}, the strongest of {len(maps)} maps"),
    }
    for pair in ("one", "two"):
        if isinstance(case.module, LEARNet) and case.module.variant in ("released", "paper", "lrn", "gap"):
            for level in (1, 2):
                title = f"{_title(case)}\naccretion layer {pair}, level {level}"
                plates[f"accretion-{pair}-{level}"] = accretion_figure(
                    *accretion_maps(answers, pair, level), ground, title
                )
    return plates


def attribution_figures(
    case: ExplainedClip, stage: str | None = None, anonymous: bool = False
) -> dict[str, ExplanationFigure]:
    """Where the network looked for its answer: three attributions, what they sum to in each part of the face, and their checks.

    Args:
        case: the clip and its network.
        stage: of the class activation; as in `clip_figures`.

    Returns:
        `where`, `checks`, and, where it is known where the face lies, `regions`.

    Raises:
        LearnetError: as `clip_figures`.
    """
    stage, target = stage or _usual(case), case.metadata.classes.index(case.prediction)
    methods: dict[str, AttributionMethod] = {
        f"Grad-CAM, {stage}": lambda module: grad_cam(module, case.image, target, stage),
        "occlusion": lambda module: occlusion(module, case.image, target),
        "integrated gradients": lambda module: integrated_gradients(module, case.image, target),
    }
    maps = {name: attribute(case.module) for name, attribute in methods.items()}
    checks = {
        name: run_sanity_checks(case.module, case.image, target, attribute)
        for name, attribute in methods.items()
    }
    plates = {
        "where": attribution_figure(maps, case.background(anonymous), _title(case)),
        "checks": checks_figure(checks, _title(case)),
    }
    if case.placement:
        plates["regions"] = regions_figure(maps, case.placement, _title(case))
    return plates


def class_figures(
    cases: Sequence[ExplainedClip], stage: str | None = None, anonymous: bool = False
) -> dict[str, ExplanationFigure]:
    """The strongest maps of one stage, each the mean over the clips of a class, beside the mean of their motion images.

    In a study each person's clips are seen by another network. They start from the same numbers, so their
    maps of one number are alike, and yet not the same.
    """
    stage = stage or _usual(cases[0])
    maps = np.mean([compute_maps(case.module, case.image[None], stage)[0] for case in cases], axis=0)
    image = np.mean([case.image for case in cases], axis=0).round().astype(np.uint8)
    people = len({case.person for case in cases})
    networks = len(
        {case.metadata.data.get("people", "") for case in cases}
    )  # of the folds; all start from the same numbers
    by = f", as {networks} networks of a study see them" if networks > 1 else ""
    title = f"{cases[0].truth}: mean over {len(cases)} clips of {people} people{by}\n{stage}, the strongest of {len(maps)} maps"
    said = sorted({note for case in cases for note in case.notes})
    ground = Background(None if anonymous else image, cases[0].placement)
    return {"class": mosaic_figure(maps, ground, "\n".join([title, *said[:3]]))}


def network_figures(
    sources: Sequence[tuple[str, ExplainedClips]],
    clips: Sequence[str],
    depth: int = DEPTH,
    anonymous: bool = False,
) -> dict[str, ExplanationFigure]:
    """A row per clip: the motion image, then the two strongest maps of each network at the same depth.

    Args:
        sources: name of each network, and its study.
        clips: their names; the first of each class if none is named.
        depth: how often the image has been halved, 1 to 5.
        anonymous: as in `clip_figures`.

    Raises:
        LearnetError: a clip that one of the studies has not tested; images that differ between studies; a
            network without maps.
    """
    first = sources[0][1]
    for name, other in sources[1:]:
        if other.prepared.record.fingerprint != first.prepared.record.fingerprint:
            raise LearnetError(
                f"{name} is a study of other images than {sources[0][0]}.",
                "Compare studies of one prepared folder.",
            )
    rows = []
    for clip in clips or first.examples():
        cases = [(name, source.get(clip)) for name, source in sources]
        seen = []
        for name, case in cases:
            stage = stage_at_depth(case.module, case.metadata.size, depth)
            seen.append(NetworkMaps(name, stage, compute_maps(case.module, case.image[None], stage)[0]))
        case = cases[0][1]
        rows.append(
            ClipRow("\n".join([clip, case.truth, *case.notes]), case.background(anonymous), tuple(seen))
        )
    unknown = (
        ""
        if rows[0].ground.placement
        else "; where the face lies in these images is not known, so nothing is marked"
    )
    return {"networks": comparison_figure(rows, f"The strongest maps after {depth} halvings{unknown}")}


def explain_clip_temporal(
    cases: ExplainedClips,
    clip: str,
    windows: Windows | None = None,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> TemporalExplanation:
    """A clip of a database over time, answered by the network that may explain it; the marks are those of the database.

    Raises:
        LearnetError: no such clip, or of a person whose pictures may not be shown; its frames are gone;
            otherwise as `when.explain_temporal`.
    """
    case = cases.get(clip)
    seen = explain_temporal(
        case.module, case.metadata, segment_of_clip(cases, clip), windows, face_model, progress
    )
    return replace(seen, notes=(*case.notes, *seen.notes))


def explain_video_temporal(
    stretch: VideoSegment,
    weights: Path,
    windows: Windows | None = None,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> TemporalExplanation:
    """A video over time, answered by a checkpoint; marks that nobody gave are detected.

    Raises:
        LearnetError: as `when.explain_temporal`.
    """
    return explain_temporal(*load_checkpoint(weights), stretch, windows, face_model, progress)


def measurement_figures(
    weights: Sequence[Path],
    people: int,
    depth: int = DEPTH,
    part: float = MOVING_FRACTION,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, ExplanationFigure]:
    """How much of the response of networks lies where the face truly moves, on synthetic clips of people none of them knows.

    Args:
        weights: checkpoints that take the same images.
        people: synthetic people, each with a clip of each main emotion.
        depth: where the networks are compared, in halvings of the image.
        part: a place moves from this share of the clip's largest displacement on.
        seed: of the people.
        progress: called as clips are made.

    Returns:
        `measured`, a figure with intervals and the summary; `measured-clips`, the same figure with the
        share of each clip.

    Raises:
        BadCheckpoint: weights for other images than the first, or for images of unknown making.
        LearnetError: no weights, a share outside 0..1, two files of one name, or a network without maps.
    """
    if not weights or not 0 < part <= 1:
        raise LearnetError(
            "Nothing can be measured.", "Name checkpoints, and with --part a share from 0 to 1."
        )
    loaded = {path.stem: load_checkpoint(path) for path in weights}
    if len(loaded) < len(weights):
        raise LearnetError(
            "Two of these files have one name.", "Give them names that tell the networks apart."
        )
    facts = loaded[weights[0].stem][1]
    for path in weights:
        other = loaded[path.stem][1]
        if other.preparation is None:
            raise BadCheckpoint(
                path,
                "how its images were made is not known, so no clip can be made for it",
                "Take weights of prepared clips.",
            )
        if other.preparation != facts.preparation:
            raise BadCheckpoint(
                path,
                f"takes other images than {weights[0].name}",
                "Measure networks of one preparation together.",
            )
    assert facts.preparation is not None
    looks = {}
    for name, (module, about) in loaded.items():
        stage, look = activation_at_depth(module, about.size, depth)
        looks[f"{name}, {stage}"] = look
    owners = facts.data.get("faces") == "given"
    clips = render_emotion_clips(
        replace(facts.preparation, face="none"), people, settings=RenderSettings(seed=seed, database_crop=owners), progress=progress
    )
    table = measure_shares(clips, looks, part)
    found = summarise_shares(table)
    lines = [Interval(row.look, row.share, row.low, row.high) for row in found.itertuples()]
    title, area = "Share of the response\nwhere the face moves", float(found["area"].iloc[0])
    figure = interval_figure({title: lines}, {title: area})
    dashed = f"dashed: {area:.1%} of the image, what an even response has there"
    figure.supxlabel(
        dashed + (f"; {ONE_PERSON}" if found["people"].iloc[0] == 1 else ""), size=8, color=MUTED
    )
    return {"measured": ExplanationFigure(figure, found), "measured-clips": ExplanationFigure(figure, table)}


def _usual(case: ExplainedClip) -> str:
    if isinstance(case.module, LEARNet) and case.module.variant not in ("plain", "one-stream"):
        return USUAL
    return stage_at_depth(case.module, case.metadata.size, DEPTH)


def _title(case: ExplainedClip) -> str:
    answered = f"{case.metadata.network} answers {case.prediction} ({case.scores.max():.2f})"
    return "\n".join([f"{case.clip}, {case.truth}: {answered}", *case.notes])
