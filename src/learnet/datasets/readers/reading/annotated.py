"""Clips of one's own in annotated videos: each video with a file of ELAN, BORIS, Praat, WebVTT or a table.

What people saw becomes clips; what learnet spotted and nobody confirmed does not.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import BadAnnotation, BadInput, counted
from learnet.core.files import shortened_list
from learnet.core.frame_rates import check_frame_rate
from learnet.core.records import Event, Finding
from learnet.datasets.annotations.files import READ_SUFFIXES, read_annotations
from learnet.datasets.annotations.pairs import describe_recording, recording_name
from learnet.datasets.annotations.predictions import SOURCE
from learnet.datasets.annotations.record import AnnotationFile
from learnet.datasets.annotations.text import facs_text
from learnet.datasets.readers.reading.cells import is_missing
from learnet.datasets.readers.reading.folder_names import find_existing_path, normalise_unicode
from learnet.datasets.readers.reading.folder_tree import list_folder
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table
from learnet.video.images import VIDEO_SUFFIXES

SUBJECT_FILE = "subjects.csv"
SUBJECTS = TableSchema(
    columns={
        "path": ("path", "file", "video", "filename"),
        "subject": ("subject", "person", "sub"),
        "fps": ("fps", "framerate"),
    },
    required=("path", "subject"),
    keys=("path", "subject"),
)
NO_LABELS = {"", "uncertain"}
SAME_MOVEMENT_IOU = 0.5  # from which the events of two coders are one movement


@dataclass(frozen=True)
class LabelledClip:
    """One clip before its frames are read: what the labels or the folder names say about it."""

    path: Path
    row: LabelRow

    fps: float | None
    """Frames per second; None to use the rate of the video."""


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video and its annotation file."""

    video: Path
    annotations: Path
    subject: str
    fps: float | None = None  # the actual frame rate, where the video states a wrong one


def find_annotated_videos(root: Path) -> dict[Path, Path]:
    """Return the annotation file of each video below a folder that has one, in the order of their names.

    Raises:
        BadInput: a video has two annotation files.
    """
    pairs: dict[Path, Path] = {}
    contents = list_folder(root)
    videos = {normalise_unicode(Path(name).stem): root / name for name in contents.files if _is_video(name)}
    for name in contents.files:
        path = root / name
        if path.suffix.lower() not in READ_SUFFIXES:
            continue
        video = videos.get(normalise_unicode(path.stem)) or videos.get(recording_name(path))
        if video is None:
            continue
        if video in pairs:
            problem = f"it and {pairs[video].name} annotate the same video, {video.name}"
            raise BadInput(path, problem, "Keep one of them beside the video.")
        pairs[video] = path
    for folder in contents.folders.values():
        pairs |= find_annotated_videos(folder)
    return dict(sorted(pairs.items()))


def unmatched_files(root: Path, pairs: Mapping[Path, Path]) -> Iterator[Finding]:
    """Yield a finding for each video without an annotation file, and for each such file without a video."""
    contents = list_folder(root)
    for name in contents.files:
        path = root / name
        if _is_video(name) and path not in pairs:
            yield Finding("video without annotations", str(path), "it gives no clips")
        elif path.suffix.lower() in READ_SUFFIXES and path not in pairs.values() and name != SUBJECT_FILE:
            yield Finding("file passed over", str(path), "no video beside it has its name")
    for folder in contents.folders.values():
        yield from unmatched_files(folder, pairs)


def read_annotated_videos(
    root: Path, pairs: Mapping[Path, Path], expressions: str, findings: list[Finding]
) -> list[LabelledClip]:
    """Read the clips of annotated videos. Their emotions are words as people wrote them.

    Args:
        root: folder that the user names.
        pairs: output of `find_annotated_videos`.
        expressions: "micro", "macro" or "all".
        findings: to which what is left out is added.

    Raises:
        BadInput: whose face a video shows is not told, or a file cannot be read.
        BadAnnotation: a movement is annotated twice, or no event is left.
    """
    labelled: list[LabelledClip] = []
    left_out: Counter[str] = Counter()
    videos = _with_subjects(root, pairs)
    for video in videos:
        recording = describe_recording(video.video, video.fps)
        annotated = read_annotations(video.annotations, recording)
        _check_coders(annotated)
        if recording.variable_rate:
            what = "seconds became frames at its mean rate; convert it to a constant frame rate first"
            findings.append(Finding("frame rate varies", str(video.video), what, serious=True))
        for event, has_apex in zip(annotated.events, annotated.apex_given, strict=True):
            reason = _reason_to_leave_out(event, expressions)
            if reason:
                left_out[reason] += 1
            else:
                labelled.append(_clip(video, event, has_apex))
    findings += unmatched_files(root, pairs)
    for reason, number in left_out.items():
        findings.append(Finding("events left out", str(root), f"{counted(number, 'event')}: {reason}"))
    if not labelled:
        reasons = "; ".join(f"{number}: {reason}" for reason, number in left_out.items()) or "none is there"
        raise BadAnnotation(root, f"no event gives a clip ({reasons})", "Label the events.")
    return labelled


def _is_video(name: str) -> bool:
    return name.lower().endswith(VIDEO_SUFFIXES)


def _with_subjects(root: Path, pairs: Mapping[Path, Path]) -> list[AnnotatedVideo]:
    """Return the videos with their people: those of SUBJECT_FILE, or the folders below the root.

    Raises:
        BadInput: it is not told whose face a video shows.
    """
    if (root / SUBJECT_FILE).is_file():
        return _videos_of_table(root / SUBJECT_FILE, pairs)
    nameless = [video.name for video in pairs if video.parent == root]
    if nameless:
        problem = f"whose face is in {shortened_list(nameless)} is not told"
        hint = (
            "Put the videos of each person into a folder with the person's name, "
            f"or write {SUBJECT_FILE} with the columns path and subject."
        )
        raise BadInput(root, problem, hint)
    videos = []
    for video, annotations in pairs.items():
        subject = normalise_unicode(video.relative_to(root).parts[0])
        videos.append(AnnotatedVideo(video, annotations, subject))
    return videos


def _videos_of_table(path: Path, pairs: Mapping[Path, Path]) -> list[AnnotatedVideo]:
    table = read_table(path, SUBJECTS)
    check_cells(table)
    subjects: dict[Path, str] = {}
    rates: dict[Path, float | None] = {}
    for index, cells in enumerate(table.rows):
        video = find_existing_path(path.parent, cells["path"].replace("\\", "/"))
        if video is None:
            hint = f"Paths start at the folder of {SUBJECT_FILE}."
            raise BadInput(table.location(index), f"there is no file {cells['path']!r}", hint)
        subject = normalise_unicode(cells["subject"])
        if subjects.setdefault(video, subject) != subject:
            problem = f"{cells['path']!r} has two subjects, {subjects[video]!r} and {subject!r}"
            raise BadInput(table.location(index), problem, "Keep the right one.")
        rates[video] = None if is_missing(cells["fps"]) else _rate(table.location(index), cells["fps"])
    missing = [video.name for video in pairs if video not in subjects]
    if missing:
        problem = f"it names no subject for {shortened_list(missing)}"
        raise BadInput(path, problem, "Add a row for each annotated video.")
    return [AnnotatedVideo(video, pairs[video], subjects[video], rates[video]) for video in pairs]


def check_cells(table: Table) -> None:
    """Refuse a line break in a cell: a stray quotation mark makes one, and rows are lost in it.

    Raises:
        BadAnnotation: there is one.
    """
    for index, cells in enumerate(table.rows):
        for name, text in cells.items():
            if len(text.splitlines()) > 1:
                hint = "Remove it, or the quotation mark before it."
                raise BadAnnotation(table.location(index), f"there is a line break in the {name}", hint)


def _rate(where: str, text: str) -> float:
    try:
        fps = float(text)
    except ValueError:
        raise BadInput(where, f"{text[:40]!r} is no frame rate", "Give frames per second.") from None
    check_frame_rate(where, fps)
    return fps


def _check_coders(annotated: AnnotationFile) -> None:
    """Refuse a file in which a movement is annotated twice, by two coders or by one: it would count twice.

    Raises:
        BadAnnotation: two events overlap by SAME_MOVEMENT_IOU or more.
    """
    events = [event for event in annotated.events if event.source != SOURCE and not event.is_blink]
    for position, event in enumerate(events):
        for other in events[position + 1 :]:
            if _iou(event, other) < SAME_MOVEMENT_IOU:
                continue
            times = f"{event.onset_s:.2f} to {event.offset_s:.2f} s"
            if event.source == other.source:
                problem = f"{event.source!r} annotated the same movement twice, {times}"
                raise BadAnnotation(annotated.path, problem, "Keep one of the events.")
            problem = f"{event.source!r} and {other.source!r} annotated the same movement, {times}"
            raise BadAnnotation(annotated.path, problem, "Keep the events of one coder.")


def _iou(event: Event, other: Event) -> float:
    """Return the intersection over union of two events, frames counted inclusively."""
    shared = min(event.offset, other.offset) - max(event.onset, other.onset) + 1
    united = max(event.offset, other.offset) - min(event.onset, other.onset) + 1
    return max(shared, 0) / united


def _reason_to_leave_out(event: Event, expressions: str) -> str:
    """Return why an event is no clip; empty where it is one."""
    if event.source == SOURCE:
        return "spotted by learnet and confirmed by nobody"
    if event.is_blink:
        return "a blink"
    if expressions not in (event.kind, "all"):
        return f"a {event.kind}-expression; --expressions {event.kind} or all reads it"
    if event.label in NO_LABELS and not event.action_units:
        return "neither an emotion nor action units are given"
    return ""


def _clip(video: AnnotatedVideo, event: Event, has_apex: bool) -> LabelledClip:
    row = LabelRow(
        subject=video.subject,
        name=normalise_unicode(f"{video.video.stem}-{event.onset}-{event.offset}"),
        emotion="" if event.label in NO_LABELS else event.label,
        onset=event.onset,
        apex=event.apex if has_apex else None,
        offset=event.offset,
        location=f"{video.annotations} at {event.onset_s:.3f} s",
        action_units=facs_text(event.action_units),
        kind=event.kind,
    )
    return LabelledClip(video.video, row, video.fps)


def describe_annotations(pairs: Mapping[Path, Path], labelled: Sequence[LabelledClip]) -> str:
    """Return where the labels of the clips come from."""
    suffixes = sorted({path.suffix.lower() for path in pairs.values()})
    videos = len({clip.path for clip in labelled})
    return f"annotation files ({', '.join(suffixes)}) beside {counted(videos, 'video')}"
