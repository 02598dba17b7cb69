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
    job.file.parent.mkdir(parents=True, exist_ok=True)
    save_measured(job.file, measured)


def search_recording(job: RecordingJob, candidates: Sequence[Thresholds]) -> list[Spotting]:
    """Return what is spotted in a measured recording with each of the thresholds."""
    measured = load_measured(job.file)
    return [spot_measured(measured, thresholds) for thresholds in candidates]


def recognise_recording(work: tuple[LongRecording, Spotting], weights: str) -> Spotting:
    """Return what was spotted in a recording with labels; of an event with scores the class of the highest.

    Args:
        work: the recording, and what was spotted in it.
        weights: file, or name of shipped weights.
    """
    recording, spotting = work
    movements = [event for event in spotting.events if not event.is_blink]
    if not movements:
        return spotting
    with open_video(recording.path, recording.fps) as video:
        recognised = recognise_spotted(load_recogniser(weights), video, movements)
    blinks = [event for event in spotting.events if event.is_blink]
    events = sorted([*blinks, *map(_with_class, recognised)], key=lambda event: event.onset_s)
    return replace(spotting, events=tuple(events))


@lru_cache(maxsize=1)
def load_recogniser(weights: str) -> Recogniser:
    """Read weights once in each process; the empty name stands for the shipped ones."""
    return Recogniser.load(weights or None)


def _with_class(event: Event) -> Event:
    """Return an event with the class of the highest score as its label, even where the margin is small."""
    if not event.emotions:
        return replace(event, label=UNCERTAIN)
    return replace(event, label=max(event.emotions, key=lambda name: event.emotions[name]))
