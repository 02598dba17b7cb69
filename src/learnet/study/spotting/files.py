"""The files of a study of spotting: every spotted interval with its truth, people, scores, what was done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.csv_files import csv_text
from learnet.core.errors import OutputTaken
from learnet.core.files import write_atomically
from learnet.core.records import Event
from learnet.core.serialisation import read_json, to_json, to_plain
from learnet.datasets.annotations.text import facs_text
from learnet.datasets.recordings import LongRecording
from learnet.inference.spotting import Spotting
from learnet.inference.spotting.movements import Thresholds
from learnet.metrics.spotting.conventions import KindScores, find_hits
from learnet.metrics.spotting.intervals import Interval
from learnet.study.folder import is_begun
from learnet.study.spotting.thresholds import CONVENTION

DESCRIPTION_FILE = "spotting_study.json"
LOG_FILE = "spotted.csv"
VIDEOS_FILE = "videos.csv"
PEOPLE_FILE = "people.csv"
UNJUDGED_FILE = "unjudged.csv"
SCORES_TABLE = "scores.csv"
SCORES_FILE = "scores.json"
MEASURED = "measured"  # folder of what was measured in each recording

LOG_COLUMNS = (
    *("subject", "video", "truth_onset", "truth_offset", "truth_kind", "truth_label"),
    *("onset", "offset", "kind", "label", "score", "apex", "regions", "action_units"),
)
PEOPLE_COLUMNS = (
    *("subject", "recordings", "seconds", "unjudged_s", "events", "hits", "false_alarms", "misses", "f1"),
    *("noise_factor", "min_px", "f1_shipped"),
)
UNJUDGED_COLUMNS = ("subject", "video", "start_s", "end_s", "reason")


@dataclass(frozen=True, kw_only=True)
class SpottingDescription:
    """The content of `spotting_study.json`: what was spotted, how, and in what."""

    study: str  # name of the folder
    task: str = "spotting"
    dataset: str
    part: str | None
    recordings: int
    people: int
    events: int
    material: str  # SHA-256 of the tables of recordings and events
    thresholds: str  # "shipped" or "other-people"
    candidates: list[Thresholds]
    convention: str  # by which thresholds are chosen
    weights: str  # that recognise what was spotted; empty: none
    classes: str  # class scheme of the recognition; empty: none
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PersonResult:
    """What was spotted in the recordings of a person, by the convention of `thresholds.CONVENTION`."""

    subject: str
    recordings: int
    duration_s: float
    unjudged_s: float
    scores: KindScores
    thresholds: Thresholds
    shipped: KindScores  # with the shipped thresholds


@dataclass(frozen=True)
class SpottedRecording:
    """A recording, its labelled movements, and what was spotted."""

    recording: LongRecording
    events: tuple[Interval, ...]
    spotting: Spotting


def check_same_study(out: Path, description: SpottingDescription) -> None:
    """Refuse a folder that holds something else than the beginning of this study.

    Raises:
        OutputTaken: another study or something else is there.
    """
    file = out / DESCRIPTION_FILE
    if not file.is_file():
        if not is_begun(out):
            raise OutputTaken(out, "something else is there already", "Name an empty or a new folder.")
        return
    present = to_plain(read_json(file, SpottingDescription))
    requested = to_plain(description)
    differing = [key for key, value in requested.items() if key != "study" and present[key] != value]
    if differing:
        wrong = f"another study of spotting is there already; it differs in {', '.join(differing)}"
        raise OutputTaken(out, wrong, "Name a new folder.")


def write_description(out: Path, description: SpottingDescription) -> None:
    """Write `spotting_study.json`."""
    write_atomically(out / DESCRIPTION_FILE, to_json(description))


def video_name(recording: LongRecording) -> str:
    """Return the name of a recording in logs: its subject's and its own."""
    return f"{recording.subject}/{recording.name}"


def prediction_intervals(recording: LongRecording, events: Iterable[Event]) -> list[Interval]:
    """Return spotted movements as intervals of frames; blinks are left out."""
    intervals = []
    for event in events:
        if event.is_blink:
            continue
        interval = Interval(
            video=video_name(recording),
            onset=float(event.onset),
            offset=float(event.offset),
            kind=event.kind,
            label=event.label,
            score=event.strength_px,
            person=recording.subject,
        )
        intervals.append(interval)
    return intervals


def log_text(spotted: Iterable[SpottedRecording]) -> str:
    """Return a row for each movement that is labelled or spotted, as `learnet score-spotting` reads it.

    A spotted movement is in the row of the labelled one that it hits by the convention of the challenges.
    """
    rows: list[Sequence[object]] = [LOG_COLUMNS]
    for one in spotted:
        names = (one.recording.subject, one.recording.name)
        events = [event for event in one.spotting.events if not event.is_blink]
        hits = find_hits(one.events, prediction_intervals(one.recording, events), CONVENTION)
        prediction_of = dict(zip(hits.hit_events, hits.hit_predictions, strict=True))
        for position, truth in enumerate(one.events):
            hit = prediction_of.get(position)
            rows.append([*names, *_truth_cells(truth), *_event_cells(None if hit is None else events[hit])])
        for position in hits.false_alarms:
            rows.append([*names, *_truth_cells(None), *_event_cells(events[position])])
    return csv_text(rows)


def _truth_cells(truth: Interval | None) -> list[object]:
    if truth is None:
        return [""] * 4
    return [int(truth.onset), int(truth.offset), truth.kind, truth.label]


def _event_cells(event: Event | None) -> list[object]:
    if event is None:
        return [""] * 8
    marks = [event.onset, event.offset, event.kind, event.label, f"{event.strength_px:.6g}", event.apex]
    return [*marks, "; ".join(event.regions), facs_text(event.action_units)]


def unjudged_text(spotted: Iterable[SpottedRecording]) -> str:
    """Return a row for each stretch that cannot be judged."""
    rows: list[Sequence[object]] = [UNJUDGED_COLUMNS]
    for one in spotted:
        for stretch in one.spotting.unjudged:
            times = (f"{stretch.start_s:.4f}", f"{stretch.end_s:.4f}")
            rows.append((one.recording.subject, one.recording.name, *times, stretch.reason))
    return csv_text(rows)


def people_text(people: Iterable[PersonResult]) -> str:
    """Return a row for each person."""
    rows: list[Sequence[object]] = [PEOPLE_COLUMNS]
    for person in people:
        scores = person.scores
        times = (f"{person.duration_s:.2f}", f"{person.unjudged_s:.2f}")
        counts = (scores.hits + scores.misses, scores.hits, scores.false_alarms, scores.misses)
        thresholds = (person.thresholds.noise_factor, person.thresholds.min_px)
        f1 = ["" if value is None else f"{value:.6f}" for value in (scores.f1, person.shipped.f1)]
        rows.append((person.subject, person.recordings, *times, *counts, f1[0], *thresholds, f1[1]))
    return csv_text(rows)


def write_files(out: Path, texts: Mapping[str, str]) -> None:
    """Write the files of a study folder."""
    for name, text in texts.items():
        write_atomically(out / name, text)
