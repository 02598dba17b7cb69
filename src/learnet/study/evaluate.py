"""Given weights on a prepared folder: nothing is trained, and people the weights have seen are not hidden."""

import json
from collections.abc import Callable
from pathlib import Path

from learnet.core.errors import BadCheckpoint, OutputTaken
from learnet.core.files import write_atomically
from learnet.core.labels import SCHEMES
from learnet.datasets.prepared.store import synthetic
from learnet.study.folder import close_study
from learnet.study.jobs import outcomes_of, versions
from learnet.study.labelled import LabelledDataset, load_labelled_dataset
from learnet.study.outcomes import outcome_rows, outcomes_header
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata
from learnet.training.pretrained import default_weights
from learnet.training.torch_scores import one_thread, predict_scores

Progress = Callable[[int, int], None]  # images done, images in all


def evaluate(
    folder: Path, weights: Path | None, out: Path, classes: str = "auto", progress: Progress | None = None
) -> dict:
    """Score a checkpoint on the clips of a prepared folder and write a study folder about it.

    People the weights were trained on make the study `leaky-evaluation`, which every report shows in red.

    Args:
        folder: prepared folder.
        weights: checkpoint of `learnet train`, or of a fold; None takes those that come with learnet (`shipped.ANSWERING`).
        out: study folder; must be new or empty.
        classes: class scheme; the weights must know all its classes. What they know beyond (such as `none`, where the clips have no
            such class) is no answer here: the probabilities of the others are scaled up to 1.
        progress: called after each batch of images.

    Returns:
        What `metrics.json` says.

    Raises:
        BadCheckpoint: the weights do not know all classes, or were made for images of another size or preparation.
        OutputTaken: OUT holds something.
    """
    data = load_labelled_dataset(folder, classes)
    weights = weights or default_weights(data.prepared.about["images_kind"], data.prepared.size)
    module, facts = load_checkpoint(weights)
    _check_fit(weights, facts, data)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name an empty or a new folder.")
    record = _describe(out.name, weights, facts, data)
    columns = [facts.classes.index(name) for name in data.scheme.classes]
    outcomes = []
    for start in range(0, len(data.rows), 64):
        positions = range(start, min(start + 64, len(data.rows)))
        images = data.training_set(positions).images
        with one_thread():
            scores = predict_scores(module, images, facts.mirror, facts.level)[:, columns]
        scores /= scores.sum(axis=1, keepdims=True)
        outcomes += outcomes_of(out.name, "given-weights", 0, data, positions, scores)
        if progress:
            progress(positions.stop, len(data.rows))
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "outcomes.csv", outcomes_header(data.scheme.classes) + outcome_rows(outcomes))
    write_atomically(out / "study.json", json.dumps(record, indent=2) + "\n")
    return close_study(out, data.scheme.classes)


def _check_fit(weights: Path, facts: CheckpointMetadata, data: LabelledDataset) -> None:
    if unknown := [name for name in data.scheme.classes if name not in facts.classes]:
        known = [scheme.name for scheme in SCHEMES.values() if set(scheme.classes) <= set(facts.classes)]
        raise BadCheckpoint(
            weights,
            f"knows the classes {', '.join(facts.classes)}, and the clips have {', '.join(unknown)} too",
            f"Choose a scheme that these weights know with --classes: {', '.join(known)}."
            if known
            else "Name other weights.",
        )
    check_compatible(data.prepared, weights, facts)


def _describe(name: str, weights: Path, facts: CheckpointMetadata, data: LabelledDataset) -> dict:
    worlds = {facts.data.get("synthetic"), synthetic(data.prepared.about)}
    same_world = None not in worlds and worlds != {"yes", "no"}  # synthetic 01 is nobody real
    seen = sorted(set(facts.data.get("people", "").splitlines()) & set(data.people)) if same_world else []
    return {
        "study": name,
        "network": facts.network,
        "protocol": "leaky-evaluation" if seen else "evaluation",
        "scheme": {
            "name": data.scheme.name,
            "classes": list(data.scheme.classes),
            "source": data.scheme.source,
        },
        "seeds": [0],
        "settings": {
            "weights": weights.name,
            "people_seen_in_training": seen,
            "weights_data": facts.data,
            "classes_not_asked": [name for name in facts.classes if name not in data.scheme.classes],
        },
        "training": None,
        "prepared": {
            "folder": str(data.prepared.folder),
            "fingerprint": data.prepared.about["fingerprint"],
            "about": data.prepared.about,
        },
        "folds": [
            {
                "name": "given-weights",
                "train_people": sorted(facts.data.get("people", "").splitlines()) if seen else [],
                "test_people": sorted(set(data.people)),
                "train_clips": int(facts.data.get("clips", 0)),
                "test_clips": len(data.rows),
            }
        ],
        "left_out": data.left_out,
        "versions": versions(),
    }
