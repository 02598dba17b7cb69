"""Score predictions of any origin under every averaging convention, and check their clips."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from learnet.core.csv_files import csv_text
from learnet.core.records import Outcome
from learnet.metrics.chance import ChanceTest, chance_test
from learnet.metrics.conventions import Convention, conventions
from learnet.metrics.groups import absent_classes, by_dataset, by_seed, people_of
from learnet.metrics.megc2019 import ClipCounts, ListCheck, check_list, clip_counts, repeated_clips
from learnet.metrics.probabilities import OtherMeasures, other_measures
from learnet.metrics.read import PredictionFile, read_predictions
from learnet.metrics.scores import MEASURES, headline, intervals, per_seed_counts, precision_recall_f1

ALL = "all"
COLUMNS = ("database", "average", "measure", "value", "low", "high", "clips", "people")
"""Columns of the CSV, which has a row for each number."""


@dataclass(frozen=True)
class PooledScores:
    """The scores of all predictions, or of those of a database, pooled and then counted as in MEGC2019."""

    name: str  # the database, or ALL
    clips: int  # predictions of one seed
    people: int | None  # None where the file does not name the people
    values: dict[str, float]  # by metrics.MEASURES, mean over seeds
    limits: dict[str, tuple[float, float]]  # 95 %, by bootstrap over people; empty for one or unknown people
    absent: tuple[str, ...]  # classes without a clip, which count as zero


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class, mean over seeds."""

    name: str
    clips: int  # of one seed
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ScoreReport:
    """All scores of a file of predictions, and a check of its clips."""

    predictions: PredictionFile
    whole: PooledScores
    databases: tuple[PooledScores, ...]  # where there are several
    conventions: tuple[Convention, ...]
    classes: tuple[ClassScores, ...]
    counts: tuple[ClipCounts, ...]  # as `megc2019.clip_counts`
    other: OtherMeasures
    chance: ChanceTest | None  # None where the people are not known, or the seeds have other clips
    repeated: tuple[str, ...]  # clips with several predictions, which are all counted
    check: ListCheck | None  # where a list was given


def score(path: str | Path, listed: str | Path | None = None, classes: str = "auto") -> ScoreReport:
    """Score a log, a table of predictions, or the outcomes.csv of a study.

    Args:
        path: the file, or a study folder.
        listed: the organisers' list of MEGC2019, to check the clips and their true classes.
        classes: as in `read.read_predictions`.

    Raises:
        BadInput: a file cannot be read, or a label is no class.
        LearnetError: the predictions cannot be compared with the list.
    """
    predictions = read_predictions(Path(path), classes)
    return ScoreReport(
        predictions,
        whole=_pooled(ALL, predictions.outcomes, predictions),
        databases=tuple(_by_database(predictions)),
        conventions=tuple(conventions(predictions.outcomes, predictions.classes)),
        classes=tuple(_by_class(predictions)),
        counts=tuple(clip_counts(predictions)),
        other=other_measures(predictions.outcomes, predictions.classes),
        chance=_chance(predictions),
        repeated=repeated_clips(predictions),
        check=check_list(predictions, Path(listed)) if listed else None,
    )


def scores_to_csv(report: ScoreReport) -> str:
    """Return the scores as CSV with the columns of `COLUMNS`.

    First the pooled scores with intervals, of all predictions and of each database; then the other averages
    of all predictions.
    """
    rows: list[Sequence[object]] = [COLUMNS]
    pooled, *others = report.conventions
    for part in (report.whole, *report.databases):
        for measure in MEASURES:
            low, high = part.limits.get(measure, ("", ""))
            value = part.values[measure]
            rows.append((part.name, pooled.name, measure, value, low, high, *_sizes(part)))
    sizes = _sizes(report.whole)
    rows.append((ALL, pooled.name, "precision", pooled.values["precision"], "", "", *sizes))
    for convention in others:
        for name, value in convention.values.items():
            rows.append((ALL, convention.name, name, value, "", "", *sizes))
    rows += [(ALL, *cells, "", "", *sizes) for cells in _further_cells(report)]
    return csv_text(rows)


def _further_cells(report: ScoreReport) -> list[tuple[str, str, float]]:
    """Return average, measure and value of further measures and of the test against chance."""
    cells = []
    for name, value in asdict(report.other).items():
        if value is not None:
            cells.append((report.conventions[0].name, name, value))
    for measure, by_chance in report.chance.measures.items() if report.chance else ():
        for name, value in asdict(by_chance).items():
            cells.append((f"by chance, {name}", measure, value))
    return cells


def _chance(predictions: PredictionFile) -> ChanceTest | None:
    """Return the test against chance, which needs the people and the same clips with every seed."""
    entries = set()
    for part in by_seed(predictions.outcomes).values():
        entries.add(tuple(sorted((one.person, one.clip, one.truth) for one in part)))
    if not predictions.has_people or len(entries) > 1:
        return None
    return chance_test(predictions.outcomes, predictions.classes)


def _sizes(part: PooledScores) -> tuple[int, int | str]:
    """Return the cells of the columns `clips` and `people`."""
    if part.people is None:
        return part.clips, ""
    return part.clips, part.people


def _by_database(predictions: PredictionFile) -> list[PooledScores]:
    """Return the scores of each database; none where there is only one, or the people are not known."""
    databases = by_dataset(predictions.outcomes)
    if not predictions.has_people or len(databases) < 2:
        return []
    return [_pooled(name, outcomes, predictions) for name, outcomes in databases.items()]


def _by_class(predictions: PredictionFile) -> list[ClassScores]:
    people = people_of(predictions.outcomes)
    counts = per_seed_counts(predictions.outcomes, people, predictions.classes).sum(axis=1)  # (S, K, K)
    clips = counts[0].sum(axis=1).tolist()
    precision, recall, f1 = precision_recall_f1(counts).mean(axis=1).tolist()
    scores = []
    for index, name in enumerate(predictions.classes):
        scores.append(ClassScores(name, clips[index], precision[index], recall[index], f1[index]))
    return scores


def _pooled(name: str, outcomes: Sequence[Outcome], predictions: PredictionFile) -> PooledScores:
    people = people_of(outcomes)
    counts = per_seed_counts(outcomes, people, predictions.classes)  # (S, P, K, K)
    values = headline(counts.sum(axis=1)).mean(axis=1)
    limits = {}
    if predictions.has_people and len(people) > 1:
        for measure, (low, high) in zip(MEASURES, intervals(counts).tolist(), strict=True):
            limits[measure] = (low, high)
    return PooledScores(
        name,
        clips=len(outcomes) // len(counts),
        people=len(people) if predictions.has_people else None,
        values=dict(zip(MEASURES, values.tolist(), strict=True)),
        limits=limits,
        absent=tuple(absent_classes(outcomes, predictions.classes)),
    )
