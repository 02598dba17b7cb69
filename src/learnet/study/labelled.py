"""A prepared folder seen through a class scheme: what studies train and test on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learnet.core.errors import BadInput
from learnet.core.labels import ClassScheme, resolve_class_scheme
from learnet.datasets.prepared.store import ImageSource, load_prepared
from learnet.training.examples import TrainingSet


@dataclass(frozen=True)
class LabelledDataset:
    """A prepared folder seen through a class scheme: the images that have a class, and the rest counted."""

    prepared: ImageSource
    scheme: ClassScheme
    rows: tuple[int, ...]  # positions in the prepared folder, of images that have a class
    truth: tuple[str, ...]  # class of each of them
    people: tuple[str, ...]  # person of each of them
    left_out: dict[str, int]  # emotion -> images without a class in this scheme

    @property
    def datasets(self) -> tuple[str, ...]:
        """Database of each image that has a class."""
        return tuple(self.prepared.clips["dataset"].iloc[i] for i in self.rows)

    def training_set(self, positions: Sequence[int], phases: bool = False) -> TrainingSet:
        """Images and labels at these positions among the images that have a class; with the PHASES of their
        clips, where they are kept."""
        place = {name: i for i, name in enumerate(self.scheme.classes)}
        labels = np.array([place[self.truth[i]] for i in positions], dtype=np.int64)
        rows = [self.rows[i] for i in positions]
        more = self.prepared.phases.take(rows) if phases and self.prepared.phases else None
        return TrainingSet(
            self.prepared.take(rows),
            labels,
            [self.people[i] for i in positions],
            len(self.scheme.classes),
            more,
        )


def load_labelled_dataset(folder: Path, classes: str) -> LabelledDataset:
    """Read a prepared folder through the class scheme called CLASSES.

    Raises:
        LearnetError: no prepared folder, or as in `apply_class_scheme`.
    """
    return apply_class_scheme(load_prepared(folder), classes)


def apply_class_scheme(source: ImageSource, classes: str) -> LabelledDataset:
    """Images through the class scheme called CLASSES.

    Raises: LearnetError: an unknown scheme, fewer than two classes that occur, or a pooled database without
        any clip that has a class.
    """
    table, where = source.clips, ", ".join(map(str, source.folders))
    scheme = resolve_class_scheme(classes, table["dataset"], table["emotion"])
    rows = tuple(i for i, emotion in enumerate(table["emotion"]) if emotion in scheme.of)
    truth = tuple(scheme.of[table["emotion"].iloc[i]] for i in rows)
    if len(set(truth)) < 2:
        found = ", ".join(sorted(set(truth))) or "none"
        raise BadInput(
            where,
            f"only one class of {scheme.name} or none occurs ({found})",
            "Choose a scheme that fits with --classes.",
        )
    lost = sorted(set(table["dataset"]) - set(table["dataset"].iloc[list(rows)]))
    if lost and source.record.pooled:  # a database that was asked for by name must not vanish
        wrong = f"no clip of {', '.join(lost)} has a class of {scheme.name}"
        raise BadInput(where, wrong, "Choose a scheme that fits all with --classes, or study them apart.")
    left_out = Counter(emotion for emotion in table["emotion"] if emotion not in scheme.of)
    return LabelledDataset(
        source,
        scheme,
        rows,
        truth,
        tuple(table["person"].iloc[i] for i in rows),
        dict(sorted(left_out.items())),
    )
