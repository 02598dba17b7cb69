"""Evaluation of a network that names action units against the codes of annotators."""

from pathlib import Path

import numpy as np

from learnet.datasets.prepared.store import load_prepared
from learnet.inference.action_unit_text import facs_code
from learnet.inference.action_units import DEFAULT_WEIGHTS, ActionUnitRecogniser, ActionUnitScores
from learnet.metrics.action_units import ScoredUnits, annotated_sides, score_action_units
from learnet.study.action_units.dataset import AnnotatedDataset, annotated_dataset
from learnet.study.action_units.files import (
    ActionUnitDescription,
    ActionUnitResult,
    ClipScores,
    codes_digest,
    save_result,
    untrusted,
)
from learnet.study.describe import describe_images
from learnet.study.evaluation import (
    FOLD,
    Progress,
    batches,
    evaluation_fold,
    evaluation_protocol,
    scoring_threads,
    seen_in_training,
    weights_versions,
)
from learnet.study.folder import check_new_folder
from learnet.training.compatibility import check_compatible
from learnet.training.pretrained import resolve_weights


def evaluate_action_units(
    folder: str | Path, weights: str | Path | None, out: str | Path, progress: Progress | None = None
) -> ActionUnitResult:
    """Score the action units of clips against the codes of annotators, and write a study folder about it.

    A clip in which nothing moves has the score 0 for each unit. Clips without annotated units are left out.

    Args:
        folder: prepared folder whose `clips.csv` has action units.
        weights: file or name of weights of a network that names action units; None uses those that come with
            learnet.
        out: study folder; must be new or empty.
        progress: called after each batch of images.

    Raises:
        BadInput: there is no prepared folder, or no clip has action units.
        BadCheckpoint: the network names no action units, or was trained on images of another size or
            preparation.
        OutputTaken: `out` is not empty.
    """
    out = Path(out)
    data = annotated_dataset(load_prepared(folder))
    recogniser = ActionUnitRecogniser.load(weights)
    name = str(DEFAULT_WEIGHTS if weights is None else weights)
    file = resolve_weights(Path(name))
    check_compatible(data.prepared, file, recogniser.metadata)
    check_new_folder(out)
    with scoring_threads(file):
        scores = _scores(recogniser, data, progress)
    units = recogniser.units
    clip_scores = ClipScores(
        units=units,
        scores=scores.present,
        named=tuple(facs_code(recogniser.named(scores, index)) for index in range(len(data.rows))),
        folds=(FOLD,) * len(data.rows),
        reasons=_reasons(data),
    )
    scored = ScoredUnits(
        units=units,
        people=data.people,
        truth=annotated_sides(data.codes, units),
        scores=scores.present,
        thresholds=tuple(recogniser.thresholds[unit] for unit in units),
        sides=scores.sides,
    )
    result = ActionUnitResult(score_action_units(scored), _describe(out.name, name, recogniser, data))
    save_result(out, data, clip_scores, result)
    return result


def _scores(
    recogniser: ActionUnitRecogniser, data: AnnotatedDataset, progress: Progress | None
) -> ActionUnitScores:
    """Return the scores of all clips; 0 for clips in which nothing moves."""
    parts = []
    for positions in batches(len(data.rows), progress):
        parts.append(recogniser.scores(data.images_at(positions)))
    moves = np.array([not reason for reason in data.column("still")])
    return ActionUnitScores(
        units=recogniser.units,
        present=np.concatenate([part.present for part in parts]) * moves[:, None],
        sides=np.concatenate([part.sides for part in parts]) * moves[:, None, None],
    )


def _reasons(data: AnnotatedDataset) -> tuple[str, ...]:
    """Return why the scores of each clip are 0, or not to be trusted; empty otherwise."""
    return tuple(still or lost for still, lost in zip(data.column("still"), untrusted(data), strict=True))


def _describe(
    study: str, weights: str, recogniser: ActionUnitRecogniser, data: AnnotatedDataset
) -> ActionUnitDescription:
    metadata, units = recogniser.metadata, recogniser.units
    seen = seen_in_training(metadata, data.prepared.record, data.people)
    clips = data.column("clip")
    return ActionUnitDescription(
        study=study,
        protocol=evaluation_protocol(seen),
        model=weights,
        settings={"network": metadata.network, "weights_data": metadata.to_dict(weights)["trained_on"]},
        units=list(units),
        thresholds=[recogniser.thresholds[unit] for unit in units],
        prepared=describe_images(data.prepared),
        annotations=codes_digest(data),
        folds=[evaluation_fold(metadata, seen, data.people)],
        clips=len(data.rows),
        left_out=data.left_out,
        not_scored={str(u): number for u, number in data.clips_with_unit().items() if u not in units},
        still_clips=[clip for clip, reason in zip(clips, data.column("still"), strict=True) if reason],
        untrusted_clips=[clip for clip, reason in zip(clips, untrusted(data), strict=True) if reason],
        versions=weights_versions(resolve_weights(Path(weights))),
    )
