"""The command that scores spotting logs of any origin."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.errors import counted
from learnet.core.output_checks import CSV, SCORES_JSON, check_outputs

if TYPE_CHECKING:
    from learnet.core.records import Finding
    from learnet.metrics.spotting.conventions import Convention, KindScores
    from learnet.metrics.spotting.recognise import SpotThenRecognise
    from learnet.metrics.spotting.score import SpottingReport

MAX_FINDINGS = 20  # that are printed
UNDEFINED = "–"


@app.command(group=STUDIES)
def score_spotting(  # noqa: PLR0913 (options)
    log: Path,
    /,
    *,
    truth: Path | None = None,
    videos: Path | None = None,
    fps: float | None = None,
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    json: Path | None = None,
    check: bool = True,
) -> None:
    """Score spotted intervals of any origin under every convention; report what is wrong with the log.

    Parameters
    ----------
    log
        Pairs (video, onset and offset of the event, onset and offset of the prediction, TP, FP or FN), with
        or without a header; or a table of predictions with the columns video, onset, offset (and subject,
        kind, emotion, score), such as the CSV of `learnet predict`.
    truth
        Table of the events (video, onset, offset; subject, kind, emotion), if the log has only predictions.
    videos
        Table of the videos (video, frames; subject, fps), to find intervals outside of them.
    fps
        Frame rate, to tell micro (half a second or less) from macro where the log does not say it.
    table
        Also write all numbers to this CSV file.
    json
        Also write all numbers and findings to this JSON file.
    check
        Exit with code 1 if a finding would change a score.
    """
    from learnet.core.files import write_atomically
    from learnet.metrics.spotting.score import score_spotting as score_log
    from learnet.metrics.spotting.score import spotting_to_csv, spotting_to_json

    check_outputs([(table, CSV), (json, SCORES_JSON)], [log, truth, videos])
    report = score_log(log, truth, videos, fps)
    if table:
        write_atomically(table, spotting_to_csv(report))
    if json:
        write_atomically(json, spotting_to_json(report))
    print_report(report)
    _print_findings(report.findings)
    console.paths(*(file for file in (table, json) if file))
    if check and any(finding.serious for finding in report.findings):
        raise SystemExit(1)


def print_report(report: "SpottingReport") -> None:
    """Print the scores under every convention, and what must be known to read them."""
    counts, rates = [], []
    for scores in report.conventions:
        whole, *others = scores.kinds
        name = _short_name(scores.convention)
        counts.append([name, whole.hits, whole.false_alarms, whole.misses, _f1_with_interval(whole)])
        of_kinds = [_f1(kind) for kind in others]
        rates.append([name, f"{whole.precision:.4f}", f"{whole.recall:.4f}", *of_kinds])
    console.table("Conventions", ["types, IoU, matching", "hits", "false", "missed", "F1 [95 %]"], counts)
    kinds = [f"F1 {scores.kind}" for scores in report.conventions[0].kinds[1:]]
    columns = ["types, IoU, matching", "precision", "recall", *kinds]
    title = "Conventions: precision, recall, kinds" if kinds else "Conventions: precision and recall"
    console.table(title, columns, rates)
    if report.average_precision:
        named = ", ".join(f"{kind} {value:.4f}" for kind, value in report.average_precision.items())
        console.out.print(f"Average precision at an IoU of 0.5: {named}.", markup=False)
    if report.strs and report.strs_as_script:
        rows = [_strs_row("by its definition", report.strs)]
        rows.append(_strs_row("as the public script", report.strs_as_script))
        columns = ["", "STRS", "F1 spotted", "F1 recognised", "UF1", "precision", "UAR"]
        console.table("Spot-then-recognise score", columns, rows)
    for note in _notes(report):
        console.out.print(note, markup=False)


def _short_name(convention: "Convention") -> str:
    """Return a convention as `agree ≥0.5 frames one to one`."""
    types = "agree" if convention.typed else "any"
    if convention.flagged:
        return f"{types} flags"
    overlap = ">0.5" if convention.strict else "≥0.5"
    length = "frames" if convention.inclusive else "time"
    return f"{types} {overlap} {length} {convention.matching}"


def _f1(scores: "KindScores") -> str:
    return UNDEFINED if scores.f1 is None else f"{scores.f1:.4f}"


def _f1_with_interval(scores: "KindScores") -> str:
    if scores.low is None or scores.high is None:
        return _f1(scores)
    return f"{_f1(scores)} [{scores.low:.2f}, {scores.high:.2f}]"


def _strs_row(name: str, scores: "SpotThenRecognise") -> list[str]:
    values = (
        *(scores.strs, scores.f1_spotting, scores.f1_recognition),
        *(scores.uf1, scores.precision, scores.recall),
    )
    return [name, *(f"{value:.4f}" for value in values)]


def _notes(report: "SpottingReport") -> list[str]:
    """Return what must be known to read the scores."""
    from learnet.metrics.spotting.intervals import MATCHINGS

    notes = [*report.log.notes, *(f"{name}: {meaning}." for name, meaning in MATCHINGS.items())]
    if report.log.flags:
        notes.append("flags: TP, FP and FN as the log itself counts them.")
    notes.append(f"{report.log.people_source} {counted(len(report.people), 'person', 'people')}.")
    absent = [kind.kind for kind in report.conventions[0].kinds if kind.f1 is None]
    if absent:
        notes.append(f"{UNDEFINED}: neither the truth nor the log has a {' or '.join(absent)}-expression.")
    if not report.log.has_kinds:
        notes.append("The log does not say which intervals are micro or macro: give the frame rate (--fps).")
    if report.strs:
        notes.append("The public script prints the mean precision as UAR.")
    return notes


def _print_findings(findings: "Sequence[Finding]") -> None:
    """Print the serious findings one by one, and the others by kind."""
    from learnet.core.files import shortened_list

    serious = [finding for finding in findings if finding.serious]
    rows = [[finding.kind, finding.where, finding.what] for finding in serious[:MAX_FINDINGS]]
    if rows:
        console.table("What is wrong with the log", ["finding", "where", "what"], rows)
    if len(serious) > MAX_FINDINGS:
        console.out.print(f"{len(serious) - MAX_FINDINGS} more; --json writes all of them.", markup=False)
    places: dict[str, list[str]] = {}
    for finding in findings:
        if not finding.serious:
            places.setdefault(finding.kind, []).append(finding.where)
    for kind, where in places.items():
        console.out.print(f"{kind}, {len(where)} times: {shortened_list(where)}", markup=False)
