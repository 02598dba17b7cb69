"""The description of a study from its data, settings and folds."""

import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from learnet.core.records import Fold
from learnet.core.settings import Study, Training
from learnet.datasets.prepared.concat import ConcatDataset
from learnet.datasets.prepared.store import ImageSource
from learnet.datasets.splits import limit_training_people
from learnet.study.description import (
    FoldDescription,
    ImagesDescription,
    SchemeDescription,
    StudyDescription,
)
from learnet.study.labelled import LabelledDataset

if TYPE_CHECKING:
    from learnet.training.initial_weights import InitialWeights

PACKAGES = ("learnet", "torch", "numpy", "scikit-learn", "opencv-python-headless", "av")


def describe_study(
    name: str,
    data: LabelledDataset,
    study: Study,
    training: Training,
    folds: Sequence[Fold],
    start: "InitialWeights | None",
) -> StudyDescription:
    """Return all that is needed to run a study again, and what its data were."""
    seeds = list(range(training.seed, training.seed + study.seeds))
    return StudyDescription(
        study=name,
        network=study.network,
        protocol=study.protocol,
        scheme=describe_scheme(data),
        seeds=seeds,
        seeding="fold and purpose",
        settings=study,
        training=training,
        start=start.record if start else None,
        prepared=describe_images(data.prepared),
        folds=describe_folds(folds, study, seeds),
        left_out=data.left_out,
        versions=versions(),
    )


def describe_scheme(data: LabelledDataset) -> SchemeDescription:
    """Return the description of the classes of a study."""
    return SchemeDescription(data.scheme.name, data.scheme.classes, data.scheme.source)


def describe_images(prepared: ImageSource) -> ImagesDescription:
    """Return the description of the prepared folder of a study."""
    folders = None
    if isinstance(prepared, ConcatDataset):
        folders = list(map(str, prepared.folders))
    return ImagesDescription(
        folder=str(prepared.folder),
        folders=folders,
        fingerprint=prepared.record.fingerprint,
        about=prepared.record,
    )


def describe_folds(folds: Sequence[Fold], study: Study, seeds: Sequence[int]) -> list[FoldDescription]:
    """Return who is trained on and tested in each fold, before and after `train_people` are drawn."""
    drawn: dict[int, Sequence[Fold]] = {}
    if study.train_people:
        drawn = {seed: limit_training_people(folds, study.train_people, seed) for seed in seeds}
    descriptions = []
    for index, fold in enumerate(folds):
        learned_from: dict[str, list[str]] = {}
        for seed, of_seed in drawn.items():
            if fold.seed in (None, seed):
                learned_from[str(seed)] = of_seed[index].learned
        description = FoldDescription(
            name=fold.name,
            train_people=fold.learned,
            test_people=fold.tested,
            train_clips=len(fold.train),
            test_clips=len(fold.test),
            learned_from=learned_from or None,
            seed=fold.seed,
        )
        descriptions.append(description)
    return descriptions


def describe_training_data(source: ImageSource, people: Iterable[str], images: int) -> dict[str, str]:
    """Return what weights tell of the images that they were trained on (`CheckpointMetadata.data`).

    Args:
        source: of the images.
        people: who were trained on; simulated images show nobody, so they are not named then.
        images: number of training images.
    """
    record = source.record
    described = {
        "fingerprint": record.fingerprint,
        "images_kind": record.images_kind,
        "synthetic": record.synthetic_extent,
        "clips": str(images),
    }
    if record.pooled:
        described["folders"] = "\n".join(folder.fingerprint for folder in record.pooled)
    if source.phases:
        described["phases"] = "\n".join(sorted(set(source.phases.names)))
    if not record.simulated:
        described["people"] = "\n".join(sorted(set(people)))
    return described


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages on which the numbers depend."""
    installed = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            installed[name] = version(name)
    return installed
