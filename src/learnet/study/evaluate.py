"""Evaluation of given weights on a prepared folder: nothing is trained, and people in their training are
reported."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from learnet.core.errors import BadCheckpoint, BadInput
from learnet.core.files import atomic_folder, write_atomically
from learnet.core.labels import resolve_class_scheme, schemes_for
from learnet.inference.decision import NO_EXPRESSION
from learnet.inference.weights import load_class_scorer
from learnet.metrics.study_metrics import StudyMetrics
from learnet.study.describe import describe_images, describe_scheme
from learnet.study.description import EvaluationSettings, StudyDescription, write_description
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
from learnet.study.folder import check_new_folder, close_study, write_run
from learnet.study.labelled import (
    LabelledDataset,
    apply_class_scheme,
    load_labelled_dataset,
    outcomes_of,
)
from learnet.study.outcomes import outcome_rows, outcomes_header
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata
from learnet.training.pretrained import default_weights, resolve_weights
from learnet.training.scorer import Scorer


def evaluate(
    folder: str | Path,
    weights: str | Path | None,
    out: str | Path,
    classes: str = "auto",
    progress: Progress | None = None,
) -> StudyMetrics:
    """Score a checkpoint on the clips of a prepared folder and write a study folder about it.

    People that the weights were trained on make the study `leaky-evaluation`, which every report shows in
    red.

    Args:
        folder: prepared folder.
        weights: file of `learnet train`, of a fold, or of `learnet export`, or the name of shipped weights;
            None uses those that fit (`pretrained.default_weights`).
        out: study folder; must be new or empty.
        classes: class scheme; the weights must have all its classes. `auto` is the default of the clips
            (`labels.resolve_class_scheme`) or, where the weights lack a class of it, the only scheme that
            fits best (`labels.schemes_for`). The probabilities of classes that only the weights have (such as
            `none`, where no clip has this class) are left out, and the others scaled to sum 1.
        progress: called after each batch of images.

    Returns:
        The content of `metrics.json`.

    Raises:
        MissingLibrary: a checkpoint of PyTorch, which is not installed.
        BadCheckpoint: the weights lack classes, or were trained on images of another size or preparation.
        OutputTaken: `out` is not empty.
    """
    out = Path(out)
    data = load_labelled_dataset(folder, classes)
    if weights is None:
        weights = default_weights(data.prepared.record.images_kind, data.prepared.size).stem
    name, weights = str(weights), resolve_weights(Path(weights))
    scorer, metadata = load_class_scorer(weights)
    data = _with_known_classes(weights, metadata, data, classes)
    check_compatible(data.prepared, weights, metadata)
    if metadata.phases_at_test:
        _check_phases(metadata, data)
    check_new_folder(out)
    description = replace(_describe(out.name, name, metadata, data), versions=weights_versions(weights))
    with scoring_threads(weights):
        scores = _scores(scorer, metadata, data, progress)
    if not np.isfinite(scores).all():
        raise BadCheckpoint(weights, "its class scores are not finite", "Train or export it again.")
    outcomes = outcomes_of((out.name, FOLD, 0), data, range(len(data.rows)), scores)
    with atomic_folder(out) as draft:
        table = outcomes_header(data.scheme.classes) + outcome_rows(outcomes)
        write_atomically(draft / "outcomes.csv", table)
        write_description(draft, description)
        write_run(draft)
        return close_study(draft, data.scheme.classes)


def _check_phases(metadata: CheckpointMetadata, data: LabelledDataset) -> None:
    """Refuse clips without the phases or parts over which the weights average their scores."""
    hint = "Prepare the clips with phases (--phases or --parts) as for these weights, or name other weights."
    folders = ", ".join(map(str, data.prepared.folders))
    if data.prepared.phases is None:
        wrong = "it has no images of phases, and these weights average the scores of each clip's phases"
        raise BadInput(folders, wrong, hint)
    present = sorted(set(data.prepared.phases.names))
    if metadata.phases and metadata.phases != present:
        wrong = f"its phases are {', '.join(present)}, and those of the weights {', '.join(metadata.phases)}"
        raise BadInput(folders, wrong, hint)


def _scores(
    scorer: Scorer, metadata: CheckpointMetadata, data: LabelledDataset, progress: Progress | None
) -> Float[np.ndarray, "N K"]:
    """Return the scores of the classes of the scheme; each row sums to 1."""
    columns = [metadata.classes.index(name) for name in data.scheme.classes]
    with_phases = metadata.phases_at_test
    parts = []
    for positions in batches(len(data.rows), progress):
        images = data.training_set(positions, with_phases).for_test(with_phases)
        scores = images.scores(scorer)[:, columns]
        scores /= scores.sum(axis=1, keepdims=True)
        _answer_still_clips(scores, data, positions)
        parts.append(scores)
    return np.concatenate(parts)


def _answer_still_clips(scores: Float[np.ndarray, "B K"], data: LabelledDataset, positions: range) -> None:
    """Set the scores of clips in which nothing moves to the class `none`, where the scheme has it."""
    if NO_EXPRESSION not in data.scheme.classes:
        return
    for row, position in enumerate(positions):
        if data.still[position]:
            scores[row] = 0.0
            scores[row, data.scheme.classes.index(NO_EXPRESSION)] = 1.0


def _with_known_classes(
    weights: Path, metadata: CheckpointMetadata, data: LabelledDataset, classes: str
) -> LabelledDataset:
    """Return the clips in classes that the weights know: in those of another scheme if `classes` is "auto".

    Raises:
        BadCheckpoint: there is no such scheme, or several.
    """
    unknown = [name for name in data.scheme.classes if name not in metadata.classes]
    if not unknown:
        return data
    table = data.prepared.clips
    emotions = table["emotion"].tolist()
    fitting = []
    for scheme in schemes_for(metadata.classes, emotions):
        if len(scheme.occurring(emotions)) > 1:  # with one class there is nothing to score
            fitting.append(scheme)
    if classes == "auto" and len(fitting) == 1:
        return apply_class_scheme(data.prepared, fitting[0].name)
    usual = resolve_class_scheme("auto", table["dataset"], table["emotion"])
    if set(usual.classes) <= set(metadata.classes):
        fitting = [usual]
    hint = "Name other weights."
    if fitting:
        names = ", ".join(scheme.name for scheme in fitting)
        hint = f"Choose a class scheme that these weights know (--classes): {names}."
    known = ", ".join(metadata.classes)
    wrong = f"knows the classes {known}, and the class scheme {data.scheme.name} has {', '.join(unknown)} too"
    raise BadCheckpoint(weights, wrong, hint)


def _describe(
    name: str, weights: str, metadata: CheckpointMetadata, data: LabelledDataset
) -> StudyDescription:
    seen = seen_in_training(metadata, data.prepared.record, data.people)
    settings = EvaluationSettings(
        weights=weights,
        people_seen_in_training=seen,
        weights_data=metadata.data,
        still_clips=[name for name, reason in zip(data.clip_names, data.still, strict=True) if reason],
        classes_not_asked=[name for name in metadata.classes if name not in data.scheme.classes],
    )
    return StudyDescription(
        study=name,
        network=metadata.network,
        protocol=evaluation_protocol(seen),
        scheme=describe_scheme(data),
        seeds=[0],
        settings=settings,
        training=None,
        prepared=describe_images(data.prepared),
        folds=[evaluation_fold(metadata, seen, data.people)],
        left_out=data.left_out,
    )
