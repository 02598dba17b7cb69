"""Prepared images with their classes: what studies train and test on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from learnet.core.errors import BadInput
from learnet.core.labels import SCHEMES, ClassScheme, resolve_class_scheme
from learnet.core.records import Outcome
from learnet.core.settings import Study
from learnet.datasets.prepared.duplicates import check_shared_images
from learnet.datasets.prepared.store import ImageSource, load_prepared
from learnet.simulation.emotions import ANY_UNITS, ONE_UNIT
from learnet.training.examples import TrainingSet

NO_EMOTION = "no emotion"  # stands for clips that were imported with action units only

WITHOUT_EMOTION = {"", ANY_UNITS, ONE_UNIT}
"""What `clips.csv` has for an emotion where only action units are known: of imported and simulated clips."""


@dataclass(frozen=True)
class LabelledDataset:
    """The images of a prepared folder that have a class in a class scheme; the others are counted."""

    prepared: ImageSource
    scheme: ClassScheme
    rows: tuple[int, ...]  # positions in the prepared folder, of images that have a class
    truth: tuple[str, ...]  # class of each of them
    people: tuple[str, ...]  # person of each of them
    left_out: dict[str, int]  # emotion -> images without a class in this scheme

    @property
    def datasets(self) -> tuple[str, ...]:
        """Database of each image that has a class."""
        return tuple(self.prepared.clips["dataset"].iloc[list(self.rows)])

    @property
    def still(self) -> tuple[str, ...]:
        """Why the skin was not seen to move in each image that has a class; empty where it moves."""
        return tuple(self.prepared.clips["still"].iloc[list(self.rows)])

    @property
    def clip_names(self) -> tuple[str, ...]:
        """Key of the clip of each image that has a class."""
        return tuple(self.prepared.clips["clip"].iloc[list(self.rows)])

    def people_at(self, positions: Sequence[int]) -> list[str]:
        """Return the people of the images at these positions, in alphabetical order."""
        return sorted({self.people[i] for i in positions})

    def check_people_apart(self, study: Study) -> None:
        """Refuse an image that two people have, unless the study accepts such images or leaks anyway.

        Raises:
            LearnetError: there are such images.
        """
        if not study.shared_images and not study.protocol.startswith("leaky-"):
            source = self.prepared
            check_shared_images(source.take, source.clips, source.record, self.rows)

    def training_set(self, positions: Sequence[int], phases: bool = False) -> TrainingSet:
        """Return images and labels at these positions among the images that have a class.

        Args:
            positions: in `rows`.
            phases: add the images of the phases of these clips, where they are kept.
        """
        index_of = {name: index for index, name in enumerate(self.scheme.classes)}
        labels = np.array([index_of[self.truth[i]] for i in positions], dtype=np.int64)
        rows = [self.rows[i] for i in positions]
        people = [self.people[i] for i in positions]
        of_phases = None
        if phases and self.prepared.phases:
            of_phases = self.prepared.phases.take(rows)
        return TrainingSet(self.prepared.take(rows), labels, people, len(self.scheme.classes), of_phases)


def load_labelled_dataset(folder: str | Path, classes: str) -> LabelledDataset:
    """Load a prepared folder with the class scheme called `classes`.

    Raises:
        LearnetError: no prepared folder, or as of `apply_class_scheme`.
    """
    return apply_class_scheme(load_prepared(folder), classes)


def apply_class_scheme(source: ImageSource, classes: str) -> LabelledDataset:
    """Apply the class scheme called `classes` to the emotions of images.

    Raises:
        LearnetError: an unknown scheme, fewer than two classes that occur, or a concatenated database
            without any clip that has a class.
    """
    table, folders = source.clips, ", ".join(map(str, source.folders))
    if set(table["emotion"]) <= WITHOUT_EMOTION:
        wrong = "its clips have no emotions, only action units"
        hint = "Use --action-units or --target action-units, or clips that have emotions too."
        raise BadInput(folders, wrong, hint)
    scheme = resolve_class_scheme(classes, table["dataset"], table["emotion"])
    left_out: Counter[str] = Counter()
    rows, truth = [], []
    for row, emotion in enumerate(table["emotion"]):
        if emotion in scheme.of:
            rows.append(row)
            truth.append(scheme.of[emotion])
        else:
            left_out[emotion or NO_EMOTION] += 1
    if len(set(truth)) < 2:
        occurring = ", ".join(sorted(set(truth))) or "none"
        wrong = f"only one class of {scheme.name} or none occurs ({occurring})"
        emotions = set(table["emotion"])
        usual = resolve_class_scheme("auto", table["dataset"], table["emotion"]).name
        fitting = [name for name, other in SCHEMES.items() if len(other.occurring(emotions)) > 1]
        fitting.sort(key=lambda name: name != usual)  # the usual one first
        hint = "Clips of several classes are needed; `learnet datasets` lists the class schemes."
        if fitting:
            hint = f"Choose a class scheme of which several occur (--classes): {', '.join(fitting)}."
        raise BadInput(folders, wrong, hint)
    lost = sorted(set(table["dataset"]) - set(table["dataset"].iloc[rows]))
    if lost and source.record.pooled:  # a database that was named must not be left out silently
        wrong = f"no clip of {', '.join(lost)} has a class of {scheme.name}"
        hint = "Choose a class scheme that fits all (--classes), or study them separately."
        raise BadInput(folders, wrong, hint)
    return LabelledDataset(
        prepared=source,
        scheme=scheme,
        rows=tuple(rows),
        truth=tuple(truth),
        people=tuple(table["person"].iloc[rows]),
        left_out=dict(sorted(left_out.items())),
    )


def outcomes_of(
    run: tuple[str, str, int],
    data: LabelledDataset,
    positions: Sequence[int],
    scores: Float64[np.ndarray, "N K"],
) -> list[Outcome]:
    """Return the scores of the images at these positions as outcomes; the prediction is the class of the
    highest score.

    Args:
        run: study, fold and seed.
        data: the images.
        positions: among the images of `data` that have a class.
        scores: of these images.
    """
    classes = data.scheme.classes
    outcomes = []
    for identity, row in zip(clip_identities(run, data, positions), scores, strict=True):
        prediction = classes[int(row.argmax())]
        outcomes.append(Outcome(*identity, prediction, tuple(map(float, row))))
    return outcomes


def clip_identities(
    run: tuple[str, str, int], data: LabelledDataset, positions: Sequence[int]
) -> list[tuple[str, str, int, str, str, str, str]]:
    """Return study, fold, seed, clip, dataset, person and true class of the images at these positions."""
    table = data.prepared.clips
    identities = []
    for position in positions:
        clip = table.iloc[data.rows[position]]
        identities.append((*run, clip["clip"], clip["dataset"], clip["person"], data.truth[position]))
    return identities
