"""Long recordings of databases with all labelled movements in them: material for spotting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.csv_files import csv_text
from learnet.core.errors import BadInput, LearnetError, pick
from learnet.core.people import first_spellings
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets import DATASETS, check_selection
from learnet.datasets.readers import samm_lv
from learnet.datasets.readers.reading.folder_names import subject_number
from learnet.video.images import image_files

LONG_TREES: dict[str, DatasetSubset] = {
    "casme-sq": DatasetSubset(tree="rawpic", expressions="all"),
    "casme3": DatasetSubset(tree="raw", expressions="all"),
    "smic-e": DatasetSubset(),
    "4dme": DatasetSubset(tree="long"),
}
"""Database whose reader finds clips in whole recordings -> the part of it that has them."""

MEDIA = ("color", "colour")
"""Names of folders that say nothing about the recording, which is named by the folder above."""

EVENT_COLUMNS = ("subject", "video", "onset", "apex", "offset", "kind", "emotion", "action_units")
VIDEO_COLUMNS = ("subject", "video", "frames", "fps", "path")


@dataclass(frozen=True)
class LongRecording:
    """A whole recording of a database. Frames are the numbers in the names of its images."""

    path: Path  # folder of images
    dataset: str
    subject: str  # as the dataset writes it
    name: str  # of its folder
    fps: float
    first: int  # number of the first image
    last: int  # number of the last image
    clips: tuple[Clip, ...]  # its labelled movements by onset; none in a recording without any

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return (self.last - self.first + 1) / self.fps


@dataclass(frozen=True)
class RecordingIndex:
    """The long recordings of a database, by subject and name, and the findings about them."""

    recordings: tuple[LongRecording, ...]
    findings: tuple[Finding, ...]


def read_recordings(name: str, root: str | Path, part: str | None = None) -> RecordingIndex:
    """Read the long recordings of a database and all movements that are labelled in them.

    Args:
        name: one of RECORDING_READERS.
        root: folder as the owners of the database distribute it.
        part: camera (smic-e: HS, VIS, NIR); by default the first.

    Raises:
        UnknownName: the database has no long recordings, or there is none of this name.
        BadInput: the folder cannot be read as this database, or it has only clips cut from the recordings.
        LearnetError: the database has no such part.
    """
    index = pick(RECORDING_READERS, name, "database with long recordings")(Path(root), part)
    return _with_one_spelling(index)


def _with_one_spelling(index: RecordingIndex) -> RecordingIndex:
    """Return the recordings with one name for each subject. Databases number their subjects, so `s06` and `6`
    are one person."""
    labelled_first = sorted(index.recordings, key=lambda recording: not recording.clips)
    first = first_spellings([recording.subject for recording in labelled_first])
    recordings = []
    for recording in index.recordings:
        subject = first.get(recording.subject, recording.subject)
        clips = tuple(replace(clip, subject=subject) for clip in recording.clips)
        recordings.append(replace(recording, subject=subject, clips=clips))
    return replace(index, recordings=tuple(recordings))


def _read_samm_lv(root: Path, part: str | None) -> RecordingIndex:
    if part is not None:
        raise LearnetError("The SAMM Long Videos have no parts.", "Leave out --part.")
    folders, clips, findings = samm_lv.read(root)
    recordings = []
    for name, folder in folders.items():
        subject = name.partition("_")[0]
        recordings.append(_recording(folder, samm_lv.DATASET, subject, samm_lv.FPS, clips))
    return RecordingIndex(tuple(recordings), tuple(findings))


def _read_long_tree(name: str) -> Callable[[Path, str | None], RecordingIndex]:
    def read(root: Path, part: str | None) -> RecordingIndex:
        check_selection(DATASETS[name], DatasetSubset(part=part))
        index = DATASETS[name].read(root, replace(LONG_TREES[name], part=part))
        return group_clips(root, index)

    return read


RECORDING_READERS: Mapping[str, Callable[[Path, str | None], RecordingIndex]] = {
    "samm-lv": _read_samm_lv,
    **{name: _read_long_tree(name) for name in LONG_TREES},
}
"""Name of a database with long recordings -> its reader."""


def group_clips(root: Path, index: DatasetIndex) -> RecordingIndex:
    """Group the clips of a database by the recording they are in.

    Folders without a row are recordings in which nothing is labelled: nothing may be spotted there.

    Raises:
        BadInput: the clips are folders of their own, cut from onset to offset.
    """
    folders: dict[Path, Clip] = {}
    for clip in index.clips:
        folders.setdefault(clip.path, clip)
    recordings = []
    for folder, clip in folders.items():
        recordings.append(_recording(folder, clip.dataset, clip.subject, clip.fps, index.clips))
    if all(recording.clips and _is_cut(recording) for recording in recordings):
        hint = "Give the folder with the whole recordings."
        raise BadInput(root, "the clips are cut from onset to offset: there are no long recordings", hint)
    findings = []
    base = root.expanduser().absolute()
    for finding in index.findings:
        folder = base / finding.where
        if finding.kind != "folder without row" or not image_files(folder):
            findings.append(finding)
            continue
        example = index.clips[0]
        subject = _subject_of(folder, index.clips)
        recordings.append(_recording(folder, example.dataset, subject, example.fps, []))
    recordings.sort(key=lambda recording: (recording.subject, recording.name))
    return RecordingIndex(tuple(recordings), tuple(findings))


def _subject_of(folder: Path, clips: list[Clip]) -> str:
    """Return the subject of a recording without clips, spelled as in the clips of the same subject."""
    number = subject_number(folder.parent.name)
    for clip in clips:
        if number is not None and subject_number(clip.subject) == number:
            return clip.subject
    return folder.parent.name


def _is_cut(recording: LongRecording) -> bool:
    """Return whether the only movement of a recording fills it."""
    first = recording.clips[0]
    return len(recording.clips) == 1 and (first.onset, first.offset) == (recording.first, recording.last)


def _recording(folder: Path, dataset: str, subject: str, fps: float, clips: list[Clip]) -> LongRecording:
    numbers = list(image_files(folder))
    own = sorted((clip for clip in clips if clip.path == folder), key=lambda clip: (clip.onset, clip.offset))
    name = folder.parent.name if folder.name.lower() in MEDIA else folder.name
    return LongRecording(folder, dataset, subject, name, fps, numbers[0], numbers[-1], tuple(own))


def events_to_csv(index: RecordingIndex) -> str:
    """Return the labelled movements as the table that `score_spotting` takes for `truth`."""
    rows = []
    for recording in index.recordings:
        for clip in recording.clips:
            marks = (clip.onset, "" if clip.apex is None else clip.apex, clip.offset)
            rows.append((clip.subject, recording.name, *marks, clip.kind, clip.emotion, clip.action_units))
    return csv_text([EVENT_COLUMNS, *rows])


def videos_to_csv(index: RecordingIndex) -> str:
    """Return the recordings as the table that `score_spotting` takes for `videos`."""
    rows = []
    for recording in index.recordings:
        facts = (recording.subject, recording.name, recording.last, recording.fps)
        rows.append((*facts, str(recording.path)))
    return csv_text([VIDEO_COLUMNS, *rows])
