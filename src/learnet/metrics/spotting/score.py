"""Score a spotting log under every convention, and name what is wrong with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from learnet.core.csv_files import csv_text
from learnet.core.frame_rates import check_frame_rate
from learnet.core.records import Finding
from learnet.metrics.spotting.conventions import (
    ALL,
    KINDS,
    Convention,
    ConventionScores,
    Counts,
    add,
    all_conventions,
    average_precision,
    count,
    score_counts,
)
from learnet.metrics.spotting.findings import find_problems
from learnet.metrics.spotting.intervals import Interval
from learnet.metrics.spotting.log import LogRow, SpottingLog, read_spotting_log
from learnet.metrics.spotting.recognise import (
    SpotThenRecognise,
    spot_then_recognise,
    spot_then_recognise_as_script,
)

COLUMNS = (
    *("convention", "typed", "frames", "strict", "matching", "kind"),
    *("hits", "false_alarms", "misses", "precision", "recall", "f1", "f1_low", "f1_high"),
)
"""Columns of the CSV, which has a row for each convention and kind."""


@dataclass(frozen=True)
class SpottingReport:
    """All scores of a spotting log, and the findings about it."""

    log: SpottingLog
    people: tuple[str, ...]
    conventions: tuple[ConventionScores, ...]  # the log's own flags last, where it has them
    average_precision: Mapping[str, float]  # of KINDS; empty where the log has no scores
    strs: SpotThenRecognise | None  # None where the log does not name the emotions
    strs_as_script: SpotThenRecognise | None
    findings: tuple[Finding, ...]


def score_spotting(
    log: str | Path,
    truth: str | Path | None = None,
    videos: str | Path | None = None,
    fps: float | None = None,
) -> SpottingReport:
    """Score a spotting log under every convention.

    True positives, false positives and false negatives are added up over all videos, then F1 is computed.

    Args:
        log: pairs of events and predictions, or a table of predictions (`read_spotting_log`).
        truth: table of events, where the log has only predictions.
        videos: table of the videos, to find intervals outside of them.
        fps: frame rate, to tell micro from macro where the log does not.

    Raises:
        BadInput: a file is missing or cannot be read, or the frame rate is out of range.
    """
    if fps is not None:
        check_frame_rate("--fps", fps)
    read = read_spotting_log(Path(log), Path(truth) if truth else None, Path(videos) if videos else None, fps)
    people = tuple(sorted({interval.person for interval in (*read.events, *read.predictions)}))
    scores = []
    for convention in all_conventions(read.has_kinds):
        counts = count(read.events, read.predictions, convention, people)
        scores.append(ConventionScores(convention, score_counts(counts, read.has_kinds)))
    classes = sorted({event.label for event in read.events} - {""})
    named = bool(classes) and all(prediction.label for prediction in read.predictions)
    return SpottingReport(
        log=read,
        people=people,
        conventions=(*scores, *_flagged(read, people)),
        average_precision=_average_precisions(read),
        strs=spot_then_recognise(read.events, read.predictions, classes) if named else None,
        strs_as_script=(
            spot_then_recognise_as_script(read.events, read.predictions, classes) if named else None
        ),
        findings=tuple(find_problems(read)),
    )


def _average_precisions(log: SpottingLog) -> dict[str, float]:
    """Return the average precision of each kind that has events; none where the log has no scores."""
    values = {}
    for kind in KINDS if log.has_kinds else (ALL,):
        events = [event for event in log.events if kind in (ALL, event.kind)]
        predictions = [prediction for prediction in log.predictions if kind in (ALL, prediction.kind)]
        value = average_precision(events, predictions) if predictions else None
        if value is not None:
            values[kind] = value
    return values


def _flagged(log: SpottingLog, people: Sequence[str]) -> list[ConventionScores]:
    """Return the scores by the flags of the log itself, of any type and, where known, of the right one."""
    if not log.flags:
        return []
    scores = []
    for typed in (False, True) if log.has_kinds else (False,):
        convention = Convention(typed, inclusive=True, strict=False, flagged=True)
        counts = _count_flags(log.rows, people, typed)
        scores.append(ConventionScores(convention, score_counts(counts, log.has_kinds)))
    return scores


def _count_flags(rows: Sequence[LogRow], people: Sequence[str], typed: bool) -> Counts:
    """Count the flags of the rows. A hit of another type is a miss and a false alarm if types must agree."""
    counts = np.zeros((len(people), len(KINDS), 3), dtype=np.int64)
    for row in rows:
        is_hit = row.flag == "TP" and row.event is not None
        if typed and is_hit and row.prediction is not None:
            assert row.event is not None
            is_hit = row.event.kind == row.prediction.kind
        if is_hit:
            _add(counts, people, row.event, 0)
            continue
        if row.flag in ("TP", "FP"):
            _add(counts, people, row.prediction, 1)
        if row.flag in ("TP", "FN"):
            _add(counts, people, row.event, 2)
    return counts


def _add(counts: Counts, people: Sequence[str], interval: Interval | None, column: int) -> None:
    if interval is not None:
        add(counts[people.index(interval.person)], interval.kind, column)


def spotting_to_csv(report: SpottingReport) -> str:
    """Return the scores as CSV with the columns of `COLUMNS`."""
    rows: list[Sequence[object]] = [COLUMNS]
    for scores in report.conventions:
        choice = scores.convention
        choices: tuple = (choice.typed, choice.inclusive, choice.strict, choice.matching)
        if choice.flagged:
            choices = (choice.typed, "", "", "")
        for kind in scores.kinds:
            counts = (kind.hits, kind.false_alarms, kind.misses)
            rates = (kind.precision, kind.recall, kind.f1, kind.low, kind.high)
            rows.append((choice.name, *choices, kind.kind, *counts, *rates))
    return csv_text(rows)


def spotting_to_json(report: SpottingReport) -> str:
    """Return everything as JSON."""
    log = report.log
    conventions = []
    for scores in report.conventions:
        kinds = {kind.kind: asdict(kind) for kind in scores.kinds}
        conventions.append({"name": scores.convention.name, **asdict(scores.convention), "kinds": kinds})
    content = {
        "log": str(log.path),
        "videos": len({interval.video for interval in (*log.events, *log.predictions)}),
        "people": len(report.people),
        "events": len(log.events),
        "predictions": len(log.predictions),
        "conventions": conventions,
        "average_precision": dict(report.average_precision),
        "strs": asdict(report.strs) if report.strs else None,
        "strs_as_public_script": asdict(report.strs_as_script) if report.strs_as_script else None,
        "notes": list(log.notes),
        "findings": [asdict(finding) for finding in report.findings],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
