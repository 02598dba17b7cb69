"""Commands for annotation files: convert them to a table, and compare two coders."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import VIDEO, app
from learnet.core.errors import OutputTaken
from learnet.core.output_checks import ANNOTATIONS, CSV, SCORES_JSON, check_outputs

if TYPE_CHECKING:
    from learnet.core.records import Event
    from learnet.datasets.annotations.record import AnnotationFile
    from learnet.metrics.agreement import Agreement, Confusion, Estimate, TimeAgreement

MAX_SINGLE = 20  # events that only one coder saw that are printed


@app.command(group=VIDEO)
def import_annotations(
    files: Annotated[list[Path], Parameter(negative=())],
    /,
    *,
    to: Path,
    video: Path | None = None,
    fps: float | None = None,
) -> None:
    """Read events that people annotated in ELAN, BORIS, Praat, WebVTT, pyfeat-live or a table, and write them
    as one file.

    Parameters
    ----------
    files
        Annotation files of one video: .eaf, .boris, .json, .TextGrid, .vtt, .csv, .tsv.
    to
        File to write: a table (.csv), or another format by its suffix (.eaf, .boris, .TextGrid, .vtt).
    video
        The video, for its frame rate and to find events outside of it.
    fps
        Frame rate, where neither the annotation file nor the video states the right one.
    """
    from learnet.datasets.annotations.files import read_annotations, write_annotations
    from learnet.datasets.annotations.pairs import describe_recording

    check_outputs([(to, ANNOTATIONS)], [*files, video])
    if to.is_file() and to.stat().st_size:
        raise OutputTaken(to, "this file exists", "Name another file, or remove it.")
    recording = describe_recording(video, fps)
    read = [read_annotations(file, recording) for file in files]
    events = [event for annotated in read for event in _with_coder(annotated)]
    write_annotations(to, events, recording)
    rows = []
    for annotated in read:
        kinds = [event.kind for event in annotated.events]
        counts = [kinds.count(kind) for kind in ("micro", "macro", "blink")]
        rows.append([annotated.path.name, len(annotated.events), *counts])
    console.table("Events", ["file", "events", "micro", "macro", "blink"], rows)
    _print_notes(read)
    console.paths(to)


def _with_coder(annotated: "AnnotationFile") -> "list[Event]":
    """Return the events of a file; where the file names no coder, its own name stands for one."""
    from dataclasses import replace

    from learnet.datasets.annotations.record import NO_SOURCE

    events = []
    for event in annotated.events:
        events.append(replace(event, source=annotated.path.stem) if event.source == NO_SOURCE else event)
    return events


def _print_notes(read: "Sequence[AnnotationFile]") -> None:
    for annotated in read:
        for note in annotated.notes:
            console.out.print(f"{annotated.path.name}: {note}", markup=False)


@app.command(group=VIDEO)
def agreement(  # noqa: PLR0913 (options)
    first: Path,
    second: Path,
    /,
    *,
    video: Path | None = None,
    fps: float | None = None,
    grid: float = 0.01,
    iou: float = 0.5,
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    json: Path | None = None,
) -> None:
    """Compare two coders, or a coder and learnet: events, Cohen's kappa over time, onsets, offsets, labels.

    Parameters
    ----------
    first
        Annotation file (as import-annotations reads them, or the JSON of `learnet predict`), or a
        folder with one for each recording.
    second
        The same of the second coder; files of two folders belong together by their names.
    video
        The video of two files, for its frame rate and length.
    fps
        Frame rate, where neither the annotation files nor the video states the right one.
    grid
        Seconds between the points in time at which kappa compares the coders.
    iou
        Overlap (intersection over union) from which two events are a pair whose times and labels are
        compared.
    table
        Also write all numbers to this CSV file.
    json
        Also write all numbers, tables and events that only one saw to this JSON file.
    """
    from learnet.core.files import write_atomically
    from learnet.datasets.annotations.pairs import describe_recording
    from learnet.metrics.agreement_files import compare_coders
    from learnet.metrics.agreement_tables import agreement_to_csv, agreement_to_json

    check_outputs([(table, CSV), (json, SCORES_JSON)], [first, second, video])
    compared = compare_coders(first, second, describe_recording(video, fps), grid, iou)
    if table:
        write_atomically(table, agreement_to_csv(compared.agreement))
    if json:
        write_atomically(json, agreement_to_json(compared.agreement))
    console.out.print(f"first: {first}\nsecond: {second}\n", markup=False)
    _print_agreement(compared.agreement)
    for note in compared.notes:
        console.out.print(note, markup=False)
    console.paths(*(file for file in (table, json) if file))


def _print_agreement(result: "Agreement") -> None:
    rows = [
        [f"{e.iou}", e.both, e.only_first, e.only_second, _estimate(e.f1, "{:.3f}")] for e in result.events
    ]
    console.table("Events", ["IoU from", "both", "only first", "only second", "F1 [95 %]"], rows)
    console.table("Cohen's kappa over time", ["of", "kappa [95 %]", "points"], map(_kappa_row, result.times))
    differences = []
    for d in result.differences:
        means = [
            _estimate(d.mean_ms, "{:+.1f}"),
            f"{d.median_ms:+.1f}",
            _estimate(d.mean_absolute_ms, "{:.1f}"),
        ]
        differences.append([d.mark, d.pairs, *means])
    if differences:
        columns = ["ms, second − first", "pairs", "mean [95 %]", "median", "mean absolute [95 %]"]
        console.table("Differences of the times of both", columns, differences)
    for confusion in result.confusions:
        _print_confusion(confusion)
    _print_single(result)


def _estimate(estimate: "Estimate", form: str) -> str:
    value = form.format(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{form.format(estimate.low)}, {form.format(estimate.high)}]"


def _kappa_row(times: "TimeAgreement") -> list[str]:
    kappa = _estimate(times.kappa, "{:.3f}") if times.kappa else "–"
    return [times.of, kappa, str(sum(map(sum, times.counts)))]


def _print_confusion(confusion: "Confusion") -> None:
    rows = []
    for name, counts in zip(confusion.categories, confusion.counts, strict=True):
        rows.append([name, *counts])
    title = f"{confusion.of.capitalize()}s: rows of the first coder, columns of the second"
    console.table(title, [confusion.of, *confusion.categories], rows)


def _print_single(result: "Agreement") -> None:
    rows = []
    for single in result.single[:MAX_SINGLE]:
        event = single.event
        times = f"{event.onset_s:.2f} to {event.offset_s:.2f} s"
        rows.append([single.coder, single.recording, times, event.kind, event.label])
    if rows:
        console.table("Seen by one coder only", ["coder", "recording", "time", "kind", "label"], rows)
    if len(result.single) > MAX_SINGLE:
        console.out.print(f"{len(result.single) - MAX_SINGLE} more; --json writes all of them.", markup=False)
