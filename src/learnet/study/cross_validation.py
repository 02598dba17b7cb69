"""Cross-validation of a network on images in memory, with the folds, trainings and scores of a study."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Shaped
from numpy.typing import ArrayLike

from learnet.core.arrays import BadArray, as_square_images
from learnet.core.errors import LearnetError, counted, pick
from learnet.core.labels import ClassScheme
from learnet.core.parallel import parallel_map
from learnet.core.records import Outcome
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.memory import array_dataset
from learnet.metrics.scores import interval_text
from learnet.metrics.study_metrics import StudyMetrics
from learnet.metrics.summary import summarise
from learnet.networks import NETWORKS
from learnet.study.jobs import describe_jobs, run_jobs
from learnet.study.labelled import LabelledDataset
from learnet.study.plan import job_batches, plan_trainings, resolve_resources
from learnet.training.train import resolve_training

SCORE_DIGITS = 6  # as in the outcomes.csv of a study, so that both give the same metrics
MOST_NAMED = 5  # positions in an error message

Progress = Callable[[int, int], None]  # trainings done, trainings in all
Protocol = Literal["loso", "groups"]


@dataclass(frozen=True, repr=False, eq=False)
class CrossValidation:
    """Predictions of networks that were each tested on people they had not seen, and their scores."""

    network: str
    protocol: str
    training: Training
    classes: tuple[Any, ...]  # the labels that occur, in ascending order
    predictions: pd.DataFrame
    """A row for each image and seed, in the order of the images: image (its position), person, fold, seed,
    truth, prediction, and a column with the score of each class."""

    metrics: StudyMetrics
    """All scores: of each seed, class and person, and how well the scores are calibrated."""

    @property
    def scores(self) -> pd.DataFrame:
        """Accuracy, UF1 (mean of the F1 of all classes) and UAR (mean of their recall), averaged over seeds.

        `low` and `high` are the ends of the 95 % interval by bootstrap over people, `spread` is the standard
        deviation over seeds; NaN where there is none.
        """
        rows = {}
        for measure, score in self.metrics.mean.items():
            rows[measure] = [score.value, score.low, score.high, score.spread]
        return pd.DataFrame.from_dict(
            rows, orient="index", columns=["value", "low", "high", "spread"], dtype=float
        )

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, averaged over seeds."""
        return self.metrics.mean["accuracy"].value

    @property
    def uf1(self) -> float:
        """Unweighted F1: mean of the F1 of all classes, averaged over seeds."""
        return self.metrics.mean["uf1"].value

    @property
    def uar(self) -> float:
        """Unweighted average recall: mean of the recall of all classes, averaged over seeds."""
        return self.metrics.mean["uar"].value

    def __repr__(self) -> str:
        table = self.predictions
        images = counted(table["image"].nunique(), "image")
        people = counted(table["person"].nunique(), "person", "people")
        runs = counted(table["seed"].nunique(), "seed")
        scores = []
        for name, measure in (("UF1", "uf1"), ("UAR", "uar"), ("accuracy", "accuracy")):
            mean = self.metrics.mean[measure]
            scores.append(f"{name} {mean.value:.3f} {interval_text(mean.low, mean.high)}")
        heading = (
            f"{self.network}, {self.protocol}: {images} of {people}, {len(self.classes)} classes, {runs}"
        )
        return f"<CrossValidation of {heading}\n {', '.join(scores)}>"


def cross_validate(  # noqa: PLR0913 (public, with one keyword per choice)
    images: ArrayLike,
    labels: ArrayLike,
    people: ArrayLike,
    network: str = "learnet",
    *,
    kind: Literal["image", "flow", "unknown"] = "unknown",
    protocol: Literal["loso", "groups"] = "loso",
    groups: int = 10,
    seeds: int = 1,
    distinct_people: bool = False,
    shared_images: bool = False,
    training: Training = Training(),
    resources: Resources = Resources(),
    progress: Progress | None = None,
) -> CrossValidation:
    """Train and test a network once per fold and seed; no person is in both the training and the test of a
    fold.

    The numbers are those of `learnet import` and `learnet study` with the same images and settings. Nothing
    is kept on disk.

    Args:
        images: motion images (N, S, S, 3): RGB, whole numbers 0..255.
        labels: class of each image (N,): words or numbers.
        people: person of each image (N,): words or numbers.
        network: name in `NETWORKS`.
        kind: what mirroring a face does to its image, in training with `mirror="auto"`: image (it is
            mirrored: dynamic images), flow (its first channel changes sign as well) or unknown (no image is
            mirrored). Of these, flow is detrended, unless `training` says otherwise.
        protocol: who is tested: loso (leave one subject out: each person once, trained on all others) or
            groups (each of `groups` groups of people once).
        groups: number of groups of people.
        seeds: runs with different random seeds, from `training.seed` on.
        distinct_people: people whose names may be two spellings of one person are different people; by
            default they are refused.
        shared_images: images that two people have, or nearly the same or their mirror images, are accepted;
            by default they are refused.
        training: how each network is trained; the same for every fold.
        resources: processes and device. A network that was added to `NETWORKS` at run time needs
            `Resources(jobs=1)`.
        progress: called after each training.

    Raises:
        BadArray: images, labels or people of another shape, type or number; a missing value.
        UnknownName: no such network, kind or protocol.
        LearnetError: one class or one person only, one person under two names, one image of two people,
            or settings that do not work.
    """
    pick(NETWORKS, network, "network")
    pick(dict.fromkeys(get_args(Protocol)), protocol, "protocol that keeps people apart")
    if resources.cluster:
        what = "A cross-validation is trained on this machine, and resources name a cluster."
        raise LearnetError(what, "Leave cluster out, or use run_study.")
    classes, data = _labelled(images, labels, people, kind)
    NETWORKS[network](len(classes), data.prepared.size)  # refuses an image size that it does not accept
    training = resolve_training(training, data.prepared, network)
    study = Study(
        network=network,
        protocol=protocol,
        groups=groups,
        seeds=seeds,
        distinct_people=distinct_people,
        shared_images=shared_images,
        keep_weights=False,
    )
    outcomes = _run(data, study, training, resolve_resources(resources), progress)
    return CrossValidation(
        network=network,
        protocol=protocol,
        training=training,
        classes=tuple(classes.tolist()),
        predictions=_table(outcomes, data, classes),
        metrics=summarise(outcomes, data.scheme.classes),
    )


def _labelled(
    images: ArrayLike, labels: ArrayLike, people: ArrayLike, kind: str
) -> tuple[Shaped[np.ndarray, "K"], LabelledDataset]:
    """Return the labels that occur, in ascending order, and the images with their classes and people."""
    pixels = as_square_images(images)
    label_of_image = _column(labels, "labels", len(pixels))
    person_of_image = [str(person) for person in _column(people, "people", len(pixels)).tolist()]
    classes, indices = np.unique(label_of_image, return_inverse=True)
    if len(classes) < 2:
        raise LearnetError("All images are of one class, so there is nothing to learn.", "Add other classes.")
    names = tuple(str(label) for label in classes.tolist())
    truth = [names[index] for index in indices]
    scheme = ClassScheme("as-labelled", names, {name: name for name in names}, "the labels as they stand")
    source = array_dataset(pixels, truth, person_of_image, kind)
    rows = tuple(range(len(pixels)))
    return classes, LabelledDataset(source, scheme, rows, tuple(truth), tuple(person_of_image), {})


def _column(values: ArrayLike, name: str, length: int) -> Shaped[np.ndarray, "N"]:
    """Return one value for each image, none of them missing."""
    column = np.asarray(values)
    if column.shape != (length,):
        what = (
            f"{name} must have one value for each of the {length} images, and their shape is {column.shape}."
        )
        raise BadArray(what)
    missing = np.flatnonzero(pd.isna(column))
    if len(missing):
        listed = ", ".join(map(str, missing[:MOST_NAMED]))
        raise BadArray(
            f"{name} are missing for {len(missing)} images (positions {listed}).", "Leave them out."
        )
    return column


def _run(
    data: LabelledDataset, study: Study, training: Training, resources: Resources, progress: Progress | None
) -> list[Outcome]:
    """Return the outcomes of all trainings, with scores rounded as a study stores them."""
    jobs = plan_trainings(data, study, training).jobs
    batches = job_batches(jobs, data, resources)
    work = partial(run_jobs, data=data, device=resources.device)
    outcomes: list[Outcome] = []
    done = 0
    names = [describe_jobs(batch) for batch in batches]
    with closing(parallel_map(work, batches, resources.jobs, names=names)) as mapped:
        for results in mapped:
            for result in results:
                outcomes += map(_rounded, result.outcomes)
            done += len(results)
            if progress:
                progress(done, len(jobs))
    return outcomes


def _rounded(outcome: Outcome) -> Outcome:
    return replace(outcome, scores=tuple(round(score, SCORE_DIGITS) for score in outcome.scores))


def _table(
    outcomes: Sequence[Outcome], data: LabelledDataset, classes: Shaped[np.ndarray, "K"]
) -> pd.DataFrame:
    """Return the outcomes as a table, with the labels as they were given."""
    position_of = {clip: position for position, clip in enumerate(data.prepared.clips["clip"])}
    index_of = {name: index for index, name in enumerate(data.scheme.classes)}
    table = pd.DataFrame(
        {
            "image": [position_of[outcome.clip] for outcome in outcomes],
            "person": [outcome.person for outcome in outcomes],
            "fold": [outcome.fold for outcome in outcomes],
            "seed": [outcome.seed for outcome in outcomes],
            "truth": classes[[index_of[outcome.truth] for outcome in outcomes]],
            "prediction": classes[[index_of[outcome.prediction] for outcome in outcomes]],
        }
    )
    scores = pd.DataFrame([outcome.scores for outcome in outcomes], columns=classes.tolist())
    return pd.concat([table, scores], axis=1).sort_values(["seed", "image"], ignore_index=True)
