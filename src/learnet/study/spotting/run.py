"""A study of spotting: movements in the long recordings of a database, compared with what is labelled there.

Every recording is measured once. With thresholds of other people, those of a person are the ones with the
highest F1 on everybody else.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import FileLock, Timeout

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.files import check_still_there, sha256_hex
from learnet.core.labels import ClassScheme, schemes_for
from learnet.core.parallel import parallel_map
from learnet.core.people import known_people
from learnet.datasets.recordings import (
    LongRecording,
    RecordingIndex,
    events_to_csv,
    read_recordings,
    videos_to_csv,
)
from learnet.inference.spotting import Spotting
from learnet.inference.spotting.movements import SHIPPED
from learnet.metrics.spotting.conventions import Counts, count, score_counts
from learnet.metrics.spotting.intervals import Interval
from learnet.metrics.spotting.score import (
    SpottingReport,
    score_spotting,
    spotting_to_csv,
    spotting_to_json,
)
from learnet.study.describe import versions
from learnet.study.folder import LOCK, write_run
from learnet.study.spotting import files
from learnet.study.spotting.files import PersonResult, SpottedRecording, SpottingDescription
from learnet.study.spotting.search import (
    RecordingJob,
    load_recogniser,
    recognise_recording,
    search_recording,
    write_measured,
)
from learnet.study.spotting.settings import SpottingSettings
from learnet.study.spotting.thresholds import CANDIDATES, CONVENTION, choose_on_others

Progress = Callable[[int, int], None]  # steps done, steps in all
Item = TypeVar("Item")
Result = TypeVar("Result")

NO_WEIGHTS = "none"
LABELLED_KINDS = ("micro", "macro")


@dataclass(frozen=True)
class SpottingStudyResult:
    """The scores of a study of spotting."""

    description: SpottingDescription
    people: tuple[PersonResult, ...]
    report: SpottingReport  # with the thresholds of the study
    shipped_f1: float | None  # of all people with the shipped thresholds, by CONVENTION


def run_spotting_study(  # noqa: PLR0913 (what is studied, and how)
    dataset: str,
    root: str | Path,
    out: str | Path,
    settings: SpottingSettings = SpottingSettings(),
    jobs: int = -1,
    progress: Progress | None = None,
) -> SpottingStudyResult:
    """Spot movements in all recordings of a database and write a study folder about it.

    An interrupted study continues where it stopped.

    Args:
        dataset: name of a database with long recordings (`recordings.RECORDING_READERS`).
        root: its folder.
        out: study folder.
        settings: thresholds, camera and weights.
        jobs: processes; -1 is one per core.
        progress: called after each recording and step.

    Raises:
        BadInput: the folder cannot be read as this database, no movement is labelled, or thresholds cannot
            be chosen on others because there is one person only.
        LearnetError: the weights were trained on people of these recordings.
        OutputTaken: another study is in the folder, or another process works in it.
    """
    root, out = Path(root), Path(out)
    index = read_recordings(dataset, root, settings.part)
    _check_material(root, index, settings)
    scheme = _class_scheme(index, settings)
    description = _describe(out.name, dataset, index, settings, scheme)
    files.check_same_study(out, description)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0):
            files.write_description(out, description)
            (out / files.MEASURED).mkdir(exist_ok=True)
            return _run(out, index, description, scheme, _Steps(index, settings, scheme, jobs, progress))
    except Timeout:
        raise OutputTaken(out, "another run of this study is at work there", "Wait for it.") from None


class _Steps:
    """Work on all recordings, one step after the other, in several processes."""

    def __init__(
        self,
        index: RecordingIndex,
        settings: SpottingSettings,
        scheme: ClassScheme | None,
        jobs: int,
        progress: Progress | None,
    ) -> None:
        self.jobs = jobs
        self.progress = progress
        self.weights = settings.weights or ""
        self.names = [files.video_name(recording) for recording in index.recordings]
        self.done = 0
        self.total = len(index.recordings) * (2 if scheme is None else 3)

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return the results for all recordings, and report each."""
        results = []
        with closing(parallel_map(work, items, self.jobs, names=self.names)) as made:
            for result in made:
                results.append(result)
                self.done += 1
                if self.progress:
                    self.progress(self.done, self.total)
        return results


def _run(
    out: Path,
    index: RecordingIndex,
    description: SpottingDescription,
    scheme: ClassScheme | None,
    steps: _Steps,
) -> SpottingStudyResult:
    recordings = index.recordings
    work = []
    for recording in recordings:
        file = out / files.MEASURED / recording.subject / f"{recording.name}.npz"
        work.append(RecordingJob(recording, file))
    steps.map(write_measured, work)
    search = partial(search_recording, candidates=description.candidates)
    spotted = steps.map(search, work)  # of each recording, with each of the candidates
    truth = [_labelled(recording, scheme) for recording in recordings]
    people = sorted({recording.subject for recording in recordings})
    counts = np.stack(
        [_count(recordings, truth, [each[c] for each in spotted], people) for c in range(len(spotted[0]))]
    )
    chosen = choose_on_others(counts) if len(description.candidates) > 1 else [0] * len(people)
    of_person = dict(zip(people, chosen, strict=True))
    taken = [each[of_person[recording.subject]] for recording, each in zip(recordings, spotted, strict=True)]
    if scheme is not None:
        recognise = partial(recognise_recording, weights=steps.weights, classes=scheme.classes)
        taken = steps.map(recognise, list(zip(recordings, taken, strict=True)))
    results = [SpottedRecording(*three) for three in zip(recordings, truth, taken, strict=True)]
    person_results = _person_results(results, people, counts, chosen, description)
    report = _write(out, index, results, person_results)
    (whole, *_) = score_counts(counts[0], with_kinds=True)
    return SpottingStudyResult(description, person_results, report, whole.f1)


def _write(
    out: Path,
    index: RecordingIndex,
    results: Sequence[SpottedRecording],
    people: Sequence[PersonResult],
) -> SpottingReport:
    """Write all files of the study, and return its scores."""
    check_still_there(out / files.DESCRIPTION_FILE)
    texts = {
        files.LOG_FILE: files.log_text(results),
        files.VIDEOS_FILE: videos_to_csv(index),
        files.PEOPLE_FILE: files.people_text(people),
        files.UNJUDGED_FILE: files.unjudged_text(results),
    }
    files.write_files(out, texts)
    report = score_spotting(out / files.LOG_FILE, videos=out / files.VIDEOS_FILE)
    scores = {
        files.SCORES_TABLE: spotting_to_csv(report),
        files.SCORES_FILE: spotting_to_json(report),
    }
    files.write_files(out, scores)
    write_run(out)
    return report


def _check_material(root: Path, index: RecordingIndex, settings: SpottingSettings) -> None:
    """Refuse material that cannot be scored."""
    names = [files.video_name(recording) for recording in index.recordings]
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise BadInput(root, f"two recordings are called {repeated}", "Rename one of the folders.")
    if not any(recording.clips for recording in index.recordings):
        raise BadInput(root, "no movement is labelled in its recordings", "There is nothing to compare with.")
    people = {recording.subject for recording in index.recordings}
    if settings.thresholds == "other-people" and len(people) == 1:
        raise BadInput(
            root, "it has one person only, so there are no other people", "Use --thresholds shipped."
        )


def _class_scheme(index: RecordingIndex, settings: SpottingSettings) -> ClassScheme | None:
    """Return the classes in which spotted movements are recognised; None if they are not.

    Raises:
        LearnetError: no class scheme fits weights that were named, or they know these people.
    """
    clips = [clip for recording in index.recordings for clip in recording.clips]
    emotions = [clip.emotion for clip in clips if clip.emotion]
    if settings.weights == NO_WEIGHTS:
        return None
    if not emotions:
        if settings.weights is None:
            return None
        raise LearnetError(
            "The movements of this database have no emotions to recognise.", "Leave out --weights."
        )
    metadata = load_recogniser(settings.weights or "").metadata
    seen = known_people([clip.person for clip in clips], metadata.people)
    if seen:
        named = ", ".join(seen[:3])
        wrong = f"The weights were trained on people of these recordings: {named} ({len(seen)} in all)."
        raise LearnetError(wrong, "Use weights that know none of them.")
    schemes = schemes_for(metadata.classes, emotions)
    if schemes:
        return schemes[0]
    wrong = f"No class scheme of these emotions fits weights with the classes {', '.join(metadata.classes)}."
    raise LearnetError(wrong, "Name other weights, or --weights none.")


def _describe(
    name: str,
    dataset: str,
    index: RecordingIndex,
    settings: SpottingSettings,
    scheme: ClassScheme | None,
) -> SpottingDescription:
    videos = [f"{files.video_name(one)},{one.first},{one.last},{one.fps}" for one in index.recordings]
    material = "\n".join([events_to_csv(index), *videos])
    weights = "" if scheme is None else Path(load_recogniser(settings.weights or "").weights).stem
    return SpottingDescription(
        study=name,
        dataset=dataset,
        part=settings.part,
        recordings=len(index.recordings),
        people=len({recording.subject for recording in index.recordings}),
        events=sum(len(recording.clips) for recording in index.recordings),
        material=sha256_hex(material.encode()),
        thresholds=settings.thresholds,
        candidates=list(CANDIDATES) if settings.thresholds == "other-people" else [SHIPPED],
        convention=CONVENTION.name,
        weights=weights,
        classes="" if scheme is None else scheme.name,
        versions=versions(),
    )


def _labelled(recording: LongRecording, scheme: ClassScheme | None) -> tuple[Interval, ...]:
    """Return the labelled movements of a recording, with classes in which they are recognised."""
    intervals = []
    for clip in recording.clips:
        if clip.kind not in LABELLED_KINDS:
            continue
        interval = Interval(
            video=files.video_name(recording),
            onset=float(clip.onset),
            offset=float(clip.offset),
            kind=clip.kind,
            label=scheme.of.get(clip.emotion, "") if scheme else "",
            person=recording.subject,
        )
        intervals.append(interval)
    return tuple(intervals)


def _count(
    recordings: Sequence[LongRecording],
    truth: Sequence[Sequence[Interval]],
    spottings: Sequence[Spotting],
    people: Sequence[str],
) -> Counts:
    events: list[Interval] = []
    predictions: list[Interval] = []
    for recording, labelled, spotting in zip(recordings, truth, spottings, strict=True):
        events += labelled
        predictions += files.prediction_intervals(recording, spotting.events)
    return count(events, predictions, CONVENTION, people)


def _person_results(
    results: Sequence[SpottedRecording],
    people: Sequence[str],
    counts: np.ndarray,
    chosen: Sequence[int],
    description: SpottingDescription,
) -> tuple[PersonResult, ...]:
    """Return what was spotted in the recordings of each person."""
    of_people = []
    for position, person in enumerate(people):
        own = [result for result in results if result.recording.subject == person]
        unjudged = [stretch for result in own for stretch in result.spotting.unjudged]
        candidate = chosen[position]
        one = slice(position, position + 1)
        person_result = PersonResult(
            subject=person,
            recordings=len(own),
            duration_s=sum((result.recording.duration_s for result in own), 0.0),
            unjudged_s=sum((stretch.end_s - stretch.start_s for stretch in unjudged), 0.0),
            scores=score_counts(counts[candidate, one], with_kinds=True)[0],
            thresholds=description.candidates[candidate],
            shipped=score_counts(counts[0, one], with_kinds=True)[0],
        )
        of_people.append(person_result)
    return tuple(of_people)
