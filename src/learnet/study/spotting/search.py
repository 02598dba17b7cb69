"""The work on each recording, in several processes: measure it once, search it with each threshold, recognise
what was spotted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from learnet.core.records import Event
from learnet.datasets.recordings import LongRecording
from learnet.face import face_finder
from learnet.inference.decision import UNCERTAIN
from learnet.inference.read_ahead import SingleThreadLibraries
from learnet.inference.recogniser import Recogniser
from learnet.inference.spotted_events import recognise_spotted
from learnet.inference.spotting import Spotting
from learnet.inference.spotting.measured import (
    load_measured,
    measure_recording,
    save_measured,
    spot_measured,
)
from learnet.inference.spotting.movements import Thresholds
from learnet.video.reader import open_video

FINDER = "auto"


@dataclass(frozen=True)
class RecordingJob:
    """A recording, and the file for what is measured in it."""

    recording: LongRecording
    file: Path


def write_measured(job: RecordingJob) -> None:
    """Measure a recording, unless that was done before, and write the result."""
    if job.file.is_file():
        return
    threads = SingleThreadLibraries()  # the processes share the cores already
    try:
        with open_video(job.recording.path, job.recording.fps) as video:
            measured = measure_recording(video, face_finder(FINDER))
    finally:
        threads.restore()
    job.file.parent.mkdir(exist_ok=True)
    save_measured(job.file, measured)


def search_recording(job: RecordingJob, candidates: Sequence[Thresholds]) -> list[Spotting]:
    """Return what is spotted in a measured recording with each of the thresholds."""
    measured = load_measured(job.file)
    return [spot_measured(measured, thresholds) for thresholds in candidates]


def recognise_recording(
    work: tuple[LongRecording, Spotting], weights: str, classes: Sequence[str]
) -> Spotting:
    """Return what was spotted in a recording with labels.

    Args:
        work: the recording, and what was spotted in it.
        weights: file, or name of shipped weights.
        classes: of the labels.
    """
    recording, spotting = work
    movements = [event for event in spotting.events if not event.is_blink]
    if not movements:
        return spotting
    with open_video(recording.path, recording.fps) as video:
        recognised = recognise_spotted(load_recogniser(weights), video, movements)
    blinks = [event for event in spotting.events if event.is_blink]
    labelled = [with_class(event, classes) for event in recognised]
    events = sorted([*blinks, *labelled], key=lambda event: event.onset_s)
    return replace(spotting, events=tuple(events))


@lru_cache(maxsize=1)
def load_recogniser(weights: str) -> Recogniser:
    """Read weights once in each process; the empty name stands for the shipped ones."""
    return Recogniser.load(weights or None)


def with_class(event: Event, classes: Sequence[str]) -> Event:
    """Return an event with the class of the highest score as its label, even where the margin is small.

    Classes that only the weights have, such as `none`, are left out, as in evaluations. A movement that
    cannot be judged is `uncertain`.
    """
    scores = {name: score for name, score in event.emotions.items() if name in classes}
    label = max(scores, key=lambda name: scores[name]) if scores else UNCERTAIN
    return replace(event, label=label)
