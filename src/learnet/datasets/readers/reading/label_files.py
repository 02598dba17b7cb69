"""The table of a user's own labels, which may lie in a folder in several formats."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.records import Finding
from learnet.datasets.readers.reading.annotated import LabelledClip
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.folder_tree import is_hidden, list_folder
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.reading.sheet import OTHER_SUFFIXES, TEXT_SUFFIXES, WORKBOOK_SUFFIXES
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table
from learnet.video.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES

LABEL_FILES = tuple(f"labels{suffix}" for suffix in (*TEXT_SUFFIXES, *WORKBOOK_SUFFIXES, *OTHER_SUFFIXES))
"""In order of preference."""


def find_label_files(folder: Path) -> list[Path]:
    """Return the tables of labels in a folder, the preferred one first.

    Raises:
        BadInput: the folder cannot be read.
    """
    files = list_folder(folder).files
    return [folder / name for wanted in LABEL_FILES for name in files if name.lower() == wanted]


def compare_label_files(used: Table, others: Sequence[Path], schema: TableSchema) -> Iterator[Finding]:
    """Report tables of labels beside the one in use, and as serious those with rows that it lacks."""
    used_rows = {tuple(cells.items()) for cells in used.rows}
    for path in others:
        try:
            rows = read_table(path, schema).rows
        except BadInput as refusal:
            yield Finding("label file not used", path.name, str(refusal))
            continue
        new = sum(tuple(cells.items()) not in used_rows for cells in rows)
        message = f"{used.path.name} is used"
        if new:
            message += (
                f"; {counted(new, 'row')} of this one is not in it: delete the file that does not count"
            )
        yield Finding("label file not used", path.name, message, serious=new > 0)


def report_two_people(labels: Path, labelled: Sequence[LabelledClip]) -> Iterator[Finding]:
    """Report videos and folders of which the same frames have labels of two people.

    Args:
        labels: the table.
        labelled: its clips.
    """
    first: dict[str, list[LabelledClip]] = {}
    for clip in labelled:
        others = first.setdefault(_real_name(clip.path), [])
        for other in others:
            if other.row.subject != clip.row.subject and _share_frames(other.row, clip.row):
                people = f"{other.row.subject!r} and {clip.row.subject!r}"
                message = f"{clip.row.location}: the same frames have labels of {people}; whose face is it?"
                yield Finding("clip of two people", str(clip.path), message, serious=True)
                break
        others.append(clip)


def _share_frames(first: LabelRow, second: LabelRow) -> bool:
    """Return whether two clips of one video overlap; without onset or offset a clip has no limit there."""
    marks = (first.onset, first.offset, second.onset, second.offset)
    first_onset, first_offset, second_onset, second_offset = marks
    is_before = first_offset is not None and second_onset is not None and first_offset < second_onset
    is_after = second_offset is not None and first_onset is not None and second_offset < first_onset
    return not (is_before or is_after)


def report_unlabelled(labels: Path, labelled: Iterable[Path]) -> Iterator[Finding]:
    """Report how many videos and folders of images beside a table of labels have no row in it.

    Args:
        labels: the table.
        labelled: files and folders that it names. What is below such a folder belongs to its clip.
    """
    unlabelled = sorted(_unlabelled_clips(labels.parent, set(map(_real_name, labelled))))
    if unlabelled:
        clips = counted(len(unlabelled), "video or folder of images", "videos and folders of images")
        first = str(unlabelled[0].relative_to(labels.parent))
        message = f"{clips} without a row in {labels.name}, the first is {first}; not used"
        yield Finding("clip without row", first, message)


def _unlabelled_clips(top: Path, labelled: set[str]) -> Iterator[Path]:
    for name, folders, files in os.walk(top):
        folder = Path(name)
        if _real_name(folder) in labelled:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not is_hidden(name)]
        visible = [name for name in files if not is_hidden(name)]
        images = [name for name in visible if name.lower().endswith(IMAGE_SUFFIXES)]
        if len(images) > 1 and folder != top:  # a single image is no clip
            yield folder
            continue
        for name in visible:
            is_video = name.lower().endswith(VIDEO_SUFFIXES)
            if is_video and _real_name(folder / name) not in labelled:
                yield folder / name


def _real_name(path: Path) -> str:
    """Return the path without links, in the spelling that disks without regard to case use."""
    return normalise_name(os.path.realpath(path))
