"""Read a user's own clips: named in a `labels.csv`, in folders PERSON/EMOTION/CLIP, or in annotated videos.

A clip is a video file or a folder of images. The user can correct every error here, so an error stops the
reading instead of leaving a clip out.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.csv_files import decimal_number
from learnet.core.errors import BadAnnotation, BadInput, LearnetError, counted
from learnet.core.frame_rates import MAX_FPS, MIN_FPS
from learnet.core.label_words import (
    LABELS_READ,
    OwnLabel,
    OwnLabels,
    is_emotion_word,
    parse_own_labels,
    read_label_map,
)
from learnet.core.labels import HOW_TO_WRITE_UNITS, problem_of_action_unit_code
from learnet.core.people import spelling_findings
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.annotated import (
    LabelledClip,
    check_cells,
    describe_annotations,
    find_annotated_videos,
    read_annotated_videos,
)
from learnet.datasets.readers.reading.cells import is_missing, whole_number
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import (
    find_existing_path,
    normalise_unicode,
)
from learnet.datasets.readers.reading.folder_tree import (
    FolderListing,
    clip_images,
    list_folder,
    validate_root,
)
from learnet.datasets.readers.reading.label_files import (
    LABEL_FILES,
    compare_label_files,
    find_label_files,
    report_two_people,
    report_unlabelled,
)
from learnet.datasets.readers.reading.matching import TreeProperties, clip_from_frames
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.reading.table import Table, TableSchema, read_table, unused_headers
from learnet.video.base import DEFAULT_FPS, VideoInfo
from learnet.video.images import VIDEO_SUFFIXES
from learnet.video.reader import open_video

SCHEMA = TableSchema(
    columns={
        "path": ("path", "file", "video", "clip", "filename"),
        "subject": ("subject", "person", "sub"),
        "emotion": ("emotion", "label"),
        "name": ("name",),
        "onset": ("onset", "onsetframe"),
        "apex": ("apex", "apexframe"),
        "offset": ("offset", "offsetframe"),
        "fps": ("fps", "framerate"),
        "action_units": ("actionunits", "actionunit", "aus", "au"),
    },
    required=("path", "subject", "emotion"),
    keys=("path", "subject", "emotion"),
)
_LAYOUT_HINT = (
    "Store the clips as PERSON/EMOTION/CLIP, name them in a labels.csv with the columns path, subject, "
    "emotion, or put an annotation file beside each video."
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read the clips of a folder in one of the three layouts. A `labels.csv` (or .tsv, .xlsx, .xls) takes
    precedence, then folders PERSON/EMOTION, then videos with annotation files beside them.

    Onset and offset are frame numbers: of the image names in a folder, counted from 0 in a video file.
    Without them the whole video is the clip. A missing apex stays missing.

    Raises:
        BadInput: there is no such folder, it is empty, or it has none of the layouts.
        BadAnnotation: a row contradicts itself or the files.
        BadVideo: a clip has no images.
        UnknownLabel: an emotion is unknown.
    """
    label_map = read_label_map(selection.label_map)
    top = _find_top(validate_root(root), label_map)
    label_files = find_label_files(top)
    labels_path = label_files[0] if label_files else top
    annotated = {} if _has_layout(list_folder(top), label_map) else find_annotated_videos(top)
    if selection.expressions != DatasetSubset.expressions and not annotated:
        raise LearnetError("--expressions applies to annotated videos of your own only.", "Leave it out.")
    findings: list[Finding] = []
    if label_files:
        labelled = _read_label_file(labels_path, label_files[1:], findings)
        source = labels_path.name
    elif annotated:
        labelled = read_annotated_videos(top, annotated, selection.expressions, findings)
        source = describe_annotations(annotated, labelled)
    else:
        labelled = _read_folder_names(top, findings, label_map)
        source = "folder names PERSON/EMOTION/CLIP"
    labels = _parse_labels(labelled, labels_path, label_map)
    labelled = _with_emotions(labelled, labels)
    _check_names(labelled)
    clips = [_read_clip(item, findings) for item in labelled]
    without_rate = sum(item.fps is None and item.path.is_dir() for item in labelled)
    if without_rate:
        message = (
            f"{counted(without_rate, 'clip')} without a frame rate; {DEFAULT_FPS:g} per second is assumed. "
            "A column `fps` in labels.csv says otherwise"
        )
        findings.append(Finding("frame rate assumed", str(top), message))
    people = {clip.person for clip in clips}
    findings += spelling_findings({clip.subject for clip in clips}, str(labels_path))
    about = {
        "labels": source,
        "clips": f"{len(clips)}, {counted(len(people), 'person', 'people')}",
    }
    if labels.translated:
        about[LABELS_READ] = labels.translated
    return DatasetIndex(clips, findings, about)


def _parse_labels(labelled: Sequence[LabelledClip], source: Path, label_map: Mapping[str, str]) -> OwnLabels:
    """Return the emotions of all clips that have one; a clip with action units alone may have none.

    Raises:
        UnknownLabel: with all words that are not known.
    """
    labels = []
    for item in filter(_has_emotion, labelled):
        where = item.row.location.removeprefix(str(source)).strip(f" {os.sep}")
        labels.append(OwnLabel(item.row.emotion, where))
    return parse_own_labels(labels, source, label_map)


def _with_emotions(labelled: Sequence[LabelledClip], labels: OwnLabels) -> list[LabelledClip]:
    """Return the clips with emotions in the place of words."""
    emotions = iter(labels.emotions)
    clips = []
    for item in labelled:
        emotion = next(emotions) if _has_emotion(item) else ""
        clips.append(replace(item, row=replace(item.row, emotion=emotion)))
    return clips


def _has_emotion(item: LabelledClip) -> bool:
    return bool(item.row.emotion)


def _check_names(labelled: Sequence[LabelledClip]) -> None:
    """Refuse two clips of one person with the same name."""
    counts = Counter((item.row.subject, item.row.name) for item in labelled)
    for item in labelled:
        row = item.row
        if counts[row.subject, row.name] > 1:
            problem = f"two clips of {row.subject} are named {row.name!r}"
            hint = "Rename one, or distinguish them in a column `name` of labels.csv."
            raise BadAnnotation(item.path, problem, hint)


def _find_top(root: Path, label_map: Mapping[str, str]) -> Path:
    """Return the root, or the folder below a doubled level that has one of the layouts."""
    top = root
    contents = list_folder(root)
    for _ in range(2):
        if _has_layout(contents, label_map) or len(contents.folders) != 1:
            break
        top = next(iter(contents.folders.values()))
        contents = list_folder(top)
    return top if _has_layout(contents, label_map) else root


def _has_layout(contents: FolderListing, label_map: Mapping[str, str]) -> bool:
    if any(name.lower() in LABEL_FILES for name in contents.files):
        return True
    for folder in contents.folders.values():
        if any(is_emotion_word(name, label_map) for name in list_folder(folder).folders):
            return True
    return False


def _read_label_file(path: Path, others: Sequence[Path], findings: list[Finding]) -> list[LabelledClip]:
    table = read_table(path, SCHEMA)
    findings += [*table.findings, *compare_label_files(table, others, SCHEMA)]
    for row_number, cells in table.notes.items():
        missing = ", ".join(key for key in SCHEMA.keys if not cells[key])
        hint = "Fill it in, or delete the row."
        raise BadAnnotation(f"{path} row {row_number}", f"there is no {missing}", hint)
    if not table.rows:
        raise BadInput(path, "names no clips", "Add a row per clip.")
    check_cells(table)
    unused = unused_headers(table, SCHEMA)
    if unused:
        message = f"{', '.join(unused)}; known are {', '.join(SCHEMA.columns)}"
        findings.append(Finding("columns not used", str(path), message))
    labelled = [_parse_row(table, index) for index in range(len(table.rows))]
    findings += report_two_people(path, labelled)
    findings += report_unlabelled(path, [item.path for item in labelled])
    return labelled


def _parse_row(table: Table, index: int) -> LabelledClip:
    cells = table.rows[index]
    location = f"{table.path} row {table.row_numbers[index]}"
    path = find_existing_path(table.path.parent, cells["path"])
    if path is None:  # written on Windows
        path = find_existing_path(table.path.parent, cells["path"].replace("\\", "/"))
    if path is None:
        problem = f"there is no file or folder {cells['path']!r}"
        raise BadAnnotation(location, problem, "Paths start at the folder of the labels.")
    try:
        onset = whole_number(cells["onset"])
        apex = whole_number(cells["apex"])
        offset = whole_number(cells["offset"])
    except ValueError as error:
        raise BadAnnotation(location, str(error), "Frames are whole numbers.") from error
    try:
        fps = None if is_missing(cells["fps"]) else decimal_number(cells["fps"])
    except ValueError as error:
        raise BadAnnotation(location, f"fps {cells['fps'][:40]!r} is not a number", "Write 200.") from error
    if fps is not None and not MIN_FPS <= fps <= MAX_FPS:
        raise BadAnnotation(location, f"{cells['fps']} frames per second is not a frame rate")
    name = cells["name"] or _default_name(path, onset, offset)
    row = LabelRow(
        subject=normalise_unicode(cells["subject"]),
        name=normalise_unicode(name.replace("/", "-")),
        emotion=cells["emotion"],
        onset=onset,
        apex=apex,
        offset=offset,
        location=location,
        action_units=_action_units(cells["action_units"], location),
    )
    return LabelledClip(path, row, fps)


def _action_units(code: str, location: str) -> str:
    """Return a code of action units, which may be missing.

    Raises:
        BadAnnotation: it would be misread, or names a unit that does not exist.
    """
    if is_missing(code):
        return ""
    if problem := problem_of_action_unit_code(code):
        wrong = f"the action units {code!r} cannot be read: {problem}"
        raise BadAnnotation(location, wrong, HOW_TO_WRITE_UNITS)
    return code


def _default_name(path: Path, onset: int | None, offset: int | None) -> str:
    """Return the file's name with onset and offset, because several clips may be cut from one video."""
    parts = [path.name if path.is_dir() else path.stem]
    for mark in (onset, offset):
        if mark is not None:
            parts.append(str(mark))
    return "-".join(parts)


def _read_folder_names(
    top: Path, findings: list[Finding], label_map: Mapping[str, str]
) -> list[LabelledClip]:
    contents = list_folder(top)
    if contents.folders and all(is_emotion_word(name, label_map) for name in contents.folders):
        problem = "the folders in it are emotions; a level with the people is missing above them"
        raise BadInput(top, problem, _LAYOUT_HINT)
    if not contents.folders:
        raise BadInput(top, "there are neither labels nor folders of people in it", _LAYOUT_HINT)
    if _has_clips(contents):
        raise BadInput(top, "there are clips beside the folders of people", _LAYOUT_HINT)
    labelled = []
    for name, folder in contents.folders.items():
        subject = normalise_unicode(name)
        person_contents = list_folder(folder)
        if _has_clips(person_contents):
            problem = "there are clips directly in a person's folder; the emotion is missing"
            raise BadInput(folder, problem, _LAYOUT_HINT)
        for word, path in person_contents.folders.items():
            labelled += _read_emotion_folder(path, subject, word, findings)
    if not labelled:
        raise BadInput(top, "there are no clips in it", _LAYOUT_HINT)
    return labelled


def _has_clips(contents: FolderListing) -> bool:
    return contents.has_images or any(map(_is_video, contents.files))


def _is_video(name: str) -> bool:
    return name.lower().endswith(VIDEO_SUFFIXES)


def _read_emotion_folder(
    folder: Path, subject: str, emotion: str, findings: list[Finding]
) -> list[LabelledClip]:
    contents = list_folder(folder)
    if contents.has_images:
        hint = "Put the images of each clip into a folder of their own."
        raise BadInput(folder, "there are images directly in an emotion's folder", hint)
    clip_paths = list(contents.folders.values())
    for name in contents.files:
        if _is_video(name):
            clip_paths.append(folder / name)
        else:
            findings.append(Finding("file passed over", str(folder / name), "not a video by its suffix"))
    if not clip_paths:
        findings.append(Finding("folder without clips", str(folder), "it is empty"))
    labelled = []
    for path in clip_paths:
        name = path.stem if path.name in contents.files else path.name
        row = LabelRow(
            subject=subject,
            name=normalise_unicode(f"{folder.name}-{name}"),  # clip1 may exist under each emotion
            emotion=emotion,
            onset=None,
            apex=None,
            offset=None,
            location=str(path),
        )
        labelled.append(LabelledClip(path, row, fps=None))
    return labelled


def _read_clip(item: LabelledClip, findings: list[Finding]) -> Clip:
    path = item.path
    numbers: Sequence[int]
    if path.is_dir():
        images = clip_images(path)
        if not images:
            problem = "this clip's folder holds no images with numbers in their names"
            raise BadAnnotation(path, problem, "Add them, or delete the folder.")
        path = next(iter(images.values())).parent
        numbers = list(images)
        fps = item.fps or DEFAULT_FPS
    else:
        info = _describe_video(path, findings)
        numbers = range(info.frames or 0)
        fps = item.fps or info.fps
    row = _with_ends(item.row, numbers)
    properties = TreeProperties("folder", fps, cropped=False, midpoint_apex=False)
    clip, problems = clip_from_frames(row, path, numbers, properties)
    findings += problems
    if clip is None:
        raise BadAnnotation(row.location, problems[-1].what)
    return clip


def _with_ends(row: LabelRow, numbers: Sequence[int]) -> LabelRow:
    """Return the row with the first and last frame where onset and offset are missing.

    Raises:
        BadAnnotation: a labelled frame does not exist, or is not between onset and offset.
    """
    onset = numbers[0] if row.onset is None else row.onset
    offset = numbers[-1] if row.offset is None else row.offset
    first = max(numbers[0], onset)
    last = min(numbers[-1], offset)
    for mark, frame in (("onset", row.onset), ("apex", row.apex), ("offset", row.offset)):
        if frame is not None and not first <= frame <= last:
            problem = f"{mark} {frame} is not among the clip's frames {first}..{last}"
            hint = "Video files count from 0, folders by the numbers in the names."
            raise BadAnnotation(row.location, problem, hint)
    return replace(row, onset=onset, offset=offset)


def _describe_video(path: Path, findings: list[Finding]) -> VideoInfo:
    """Return the properties of a video file, and add what it lacks to the findings."""
    with open_video(path) as video:
        losses = video.structural_losses()
        info = video.info
    for kind, count in losses.items():
        findings.append(Finding("video not whole", str(path), f"{count} {kind}", serious=True))
    if info.variable_rate:
        message = f"its mean is {info.fps:.4g} per second"
        findings.append(Finding("frame rate varies", str(path), message))
    return info


FOLDER = Dataset(
    name="folder",
    title="Clips of your own",
    read=read,
    fps=0.0,
    access="docs/datasets/folder.md",
    options={"label_map": (), "expressions": ("micro", "macro", "all")},
)
