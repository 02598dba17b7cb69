"""Annotation files of two coders, and the videos to which annotations belong."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.files import shortened_list
from learnet.core.frame_rates import check_frame_rate
from learnet.datasets.annotations.files import READ_SUFFIXES, UNKNOWN, read_annotations
from learnet.datasets.annotations.record import AnnotationFile, Recording
from learnet.video.reader import open_video

ENDINGS = re.compile(r"[-._ ](?:events|annotations|corrected)$", re.IGNORECASE)
"""What the name of an annotation file may have after that of its recording."""


@dataclass(frozen=True)
class FilePair:
    """The annotations of one recording by two coders."""

    name: str
    first: AnnotationFile
    second: AnnotationFile


def recording_name(path: Path) -> str:
    """Return the name of the recording to which an annotation file belongs, in Unicode form C."""
    return unicodedata.normalize("NFC", ENDINGS.sub("", path.stem))


def describe_recording(video: str | Path | None, fps: float | None = None) -> Recording:
    """Return what annotations need to know of a video.

    Args:
        video: file or folder of images; None if there is none.
        fps: the actual frame rate, where the video states none or a wrong one.

    Raises:
        BadVideo: it cannot be read.
        BadInput: the frame rate is out of range.
    """
    if fps is not None:
        check_frame_rate("--fps", fps)
    if video is None:
        return Recording(fps=fps) if fps else UNKNOWN
    with open_video(video, fps) as opened:
        first = next(iter(opened)).number
        info = opened.info
    return Recording(info.fps, first, info.frames, Path(video).name, info.variable_rate)


def read_pairs(first: Path, second: Path, recording: Recording = UNKNOWN) -> list[FilePair]:
    """Read the annotations of two coders.

    Args:
        first: annotation file, or a folder of them, one for each recording.
        second: the same; files of two folders belong together if their recordings have one name.
        recording: the video, or the frame rate of all of them.

    Raises:
        BadInput: one is a file and the other a folder, a recording has only one file, or one of the files
            cannot be read.
    """
    if first.is_dir() != second.is_dir():
        raise BadInput(second, f"this and {first} are a file and a folder", "Give two files, or two folders.")
    if not first.is_dir():
        return [_read_pair(second.stem, first, second, recording)]
    files, others = _annotation_files(first), _annotation_files(second)
    alone = sorted(files.keys() ^ others.keys())
    if alone:
        problem = f"{counted(len(alone), 'recording')} of one coder only: {shortened_list(alone)}"
        raise BadInput(f"{first} and {second}", problem, "Give both the same file names.")
    return [_read_pair(name, files[name], others[name], recording) for name in sorted(files)]


def _read_pair(name: str, first: Path, second: Path, recording: Recording) -> FilePair:
    pair = FilePair(name, read_annotations(first, recording), read_annotations(second, recording))
    rates = (pair.first.fps, pair.second.fps)
    if None not in rates and rates[0] != rates[1]:
        problem = f"it states {rates[1]:g} frames per second, and {first} states {rates[0]:g}"
        raise BadInput(second, problem, "Give the right rate (--fps) or the video (--video).")
    return pair


def _annotation_files(folder: Path) -> Mapping[str, Path]:
    """Return the annotation files of a folder by the names of their recordings."""
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in READ_SUFFIXES or path.name.startswith("."):
            continue
        name = recording_name(path)
        if name in files:
            problem = f"it and {files[name].name} are of the same recording"
            raise BadInput(path, problem, "Keep one file of each recording in the folder.")
        files[name] = path
    if not files:
        raise BadInput(folder, "there is no annotation file in it", f"Give {', '.join(READ_SUFFIXES)}.")
    return files
