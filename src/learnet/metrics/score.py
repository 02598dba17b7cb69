"""Anyone's predictions scored: every average that is met in papers side by side, and whether all clips are there."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.records import Outcome
from learnet.metrics.conventions import Convention, conventions
from learnet.metrics.megc2019 import Counts, ListCheck, check_list, counts, repeated
from learnet.metrics.read import Answers, read_answers
from learnet.metrics.scores import MEASURES, headline, intervals, per_seed_counts, precision_recall_f1

ALL = "all"
COLUMNS = ("database", "average", "measure", "value", "low", "high", "clips", "people")
"""Columns of the CSV: a row for each number."""


@dataclass(frozen=True)
class Pooled:
    """The scores of all answers, or of a database's, pooled and then counted as MEGC2019 does."""

    name: str  # the database, or ALL
    clips: int  # answers of one seed
    people: int | None  # None where the file does not say whose clips they are
    values: dict[str, float]  # by metrics.MEASURES, mean over seeds
    limits: dict[
        str, tuple[float, float]
    ]  # 95 %, by bootstrap over people; empty where nobody knows them, or there is one
    absent: tuple[str, ...]  # classes without a clip, which count as zero


@dataclass(frozen=True)
class Scored:
    """Everything `learnet score` says."""

    answers: Answers
    whole: Pooled
    databases: tuple[Pooled, ...]  # where there are several
    conventions: tuple[Convention, ...]
    classes: tuple[
        tuple[str, int, float, float, float], ...
    ]  # class, clips, precision, recall, F1, mean over seeds
    counts: tuple[Counts, ...]  # as `official.counts`
    repeated: tuple[str, ...]  # clips that are answered more than once; every answer is counted
    check: ListCheck | None  # where a list was given


def score(path: Path, listed: Path | None = None, classes: str = "auto") -> Scored:
    """Score a log, a table of predictions or a study's outcomes.csv.

    Args:
        path: the file, or a study folder.
        listed: the organisers' list of MEGC2019, to check the clips and their truth.
        classes: as in `read.read_answers`.

    Raises:
        BadInput: a file that cannot be read, or a label that is no class.
        LearnetError: answers that no list can be held against.
    """
    answers = read_answers(path, classes)
    names = sorted({o.dataset for o in answers.outcomes}) if answers.has_people else []
    parts = (
        [_pooled(name, [o for o in answers.outcomes if o.dataset == name], answers) for name in names]
        if len(names) > 1
        else []
    )
    by_seed = per_seed_counts(
        answers.outcomes, sorted({o.person for o in answers.outcomes}), answers.classes
    ).sum(axis=1)  # (S, K, K)
    rates = precision_recall_f1(by_seed).mean(axis=1)
    clips = by_seed[0].sum(axis=1)
    per_class = [(name, int(clips[k]), *map(float, rates[:, k])) for k, name in enumerate(answers.classes)]
    return Scored(
        answers,
        _pooled(ALL, answers.outcomes, answers),
        tuple(parts),
        tuple(conventions(answers.outcomes, answers.classes)),
        tuple((name, number, precision, recall, f1) for name, number, precision, recall, f1 in per_class),
        tuple(counts(answers)),
        tuple(repeated(answers)),
        check_list(answers, listed) if listed else None,
    )


def as_csv(scored: Scored) -> str:
    """The COLUMNS: pooled scores with intervals, of all answers and of each database, then the other averages of all answers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    pooled, *others = scored.conventions
    for part in (scored.whole, *scored.databases):
        about = (part.clips, "" if part.people is None else part.people)
        for measure in MEASURES:
            writer.writerow(
                (
                    part.name,
                    pooled.name,
                    measure,
                    part.values[measure],
                    *part.limits.get(measure, ("", "")),
                    *about,
                )
            )
    about = (scored.whole.clips, "" if scored.whole.people is None else scored.whole.people)
    writer.writerow((ALL, pooled.name, "precision", pooled.values["precision"], "", "", *about))
    for convention in others:
        for name, value in convention.values.items():
            writer.writerow((ALL, convention.name, name, value, "", "", *about))
    return text.getvalue()


def _pooled(name: str, outcomes: Sequence[Outcome], answers: Answers) -> Pooled:
    people, classes = sorted({o.person for o in outcomes}), answers.classes
    stacked = per_seed_counts(outcomes, people, classes)
    values = headline(stacked.sum(axis=1)).mean(axis=1)
    limits = intervals(stacked) if answers.has_people and len(people) > 1 else ()
    there = {o.truth for o in outcomes}
    return Pooled(
        name,
        len(outcomes) // len(stacked),
        len(people) if answers.has_people else None,
        dict(zip(MEASURES, map(float, values), strict=True)),
        {measure: (float(low), float(high)) for measure, (low, high) in zip(MEASURES, limits, strict=False)},
        tuple(label for label in classes if label not in there),
    )
