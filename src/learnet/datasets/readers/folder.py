"""A user's own clips: a `labels.csv` that names them, or a tree PERSON/EMOTION/CLIP; a clip is a video file or a folder of images.

What is wrong here the user can correct, so it stops the reading instead of leaving a clip out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import BadAnnotation, BadInput, counted
from learnet.core.labels import ALIASES, EMOTIONS, parse_emotion
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import (
    Listing,
    checked_root,
    composed,
    existing,
    images_in,
    listing,
    same,
)
from learnet.datasets.readers.reading.matching import Row, Source, fit
from learnet.datasets.readers.reading.spreadsheet import (
    Form,
    Table,
    is_missing,
    normalise,
    read_table,
    whole_number,
)
from learnet.video.base import DEFAULT_FPS
from learnet.video.reader import open_video

FORM = Form(
    columns={
        "path": ("path", "file", "video", "clip", "filename"),
        "subject": ("subject", "person", "sub"),
        "emotion": ("emotion", "label"),
        "name": ("name",),
        "onset": ("onset", "onsetframe"),
        "apex": ("apex", "apexframe"),
        "offset": ("offset", "offsetframe"),
        "fps": ("fps", "framerate"),
    },
    needed=("path", "subject", "emotion"),
    keys=("path", "subject", "emotion"),
)
LABELS = ("labels.csv", "labels.xlsx", "labels.xls")
VIDEOS = (
    ".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".mts", ".m2ts", ".3gp", ".ogv", ".mjpeg",
)  # fmt: skip
_LAYOUT = "Lay the clips out as PERSON/EMOTION/CLIP, or name them in a labels.csv with the columns path, subject, emotion."


@dataclass(frozen=True)
class _Item:
    """One clip before it is looked at: what the labels or the folder names say of it."""

    path: Path
    row: Row
    fps: float | None  # frames per second; None: as the video says


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """The clips of a folder in one of the two layouts; a `labels.csv` (.xlsx, .xls) wins where both are there.

    Onset and offset are frame numbers: of the image names in a folder, counted from 0 in a video file. Without them the whole video is
    the clip. Without an apex none is made up.

    Raises:
        BadInput: no such folder, an empty one, or neither of the layouts; BadAnnotation: a row that contradicts itself or the
            files; BadVideo: a clip without pictures; UnknownLabel: an emotion nobody knows.
    """
    top = _top(checked_root(root))
    labels = next(
        (top / name for wanted in LABELS for name in listing(top).files if name.lower() == wanted), None
    )
    findings: list[Finding] = []
    items = _by_labels(labels, findings) if labels else _by_tree(top, findings)
    names = Counter((item.row.subject, item.row.name) for item in items)
    untimed, clips = 0, []
    for item in items:
        if names[item.row.subject, item.row.name] > 1:
            wrong = f"two clips of {item.row.subject} are called {item.row.name!r}"
            raise BadAnnotation(
                item.path, wrong, "Rename one, or tell them apart in a column `name` of labels.csv."
            )
        clip, assumed = _clip(item, findings)
        clips.append(clip)
        untimed += assumed
    if untimed:
        what = f"{untimed} clips carry no frame rate; {DEFAULT_FPS:g} per second is assumed. A column `fps` in labels.csv says otherwise"
        findings.append(Finding("frame rate assumed", str(top), what))
    about = {
        "labels": labels.name if labels else "folder names PERSON/EMOTION/CLIP",
        "clips": f"{len(clips)}, {counted(len({clip.person for clip in clips}), 'person', 'people')}",
    }
    return DatasetIndex(clips, findings, about)


def _top(root: Path) -> Path:
    """ROOT, or the folder inside a doubled level that has one of the layouts."""
    top, found = root, listing(root)
    for _ in range(2):
        if _has_layout(found) or len(found.folders) != 1:
            break
        top = next(iter(found.folders.values()))
        found = listing(top)
    return top if _has_layout(found) else root


def _has_layout(found: Listing) -> bool:
    labelled = any(name.lower() in LABELS for name in found.files)
    return labelled or any(
        _is_emotion(name) for path in found.folders.values() for name in listing(path).folders
    )


def _is_emotion(word: str) -> bool:
    return same(word) in {*EMOTIONS, *ALIASES}


def _by_labels(labels: Path, findings: list[Finding]) -> list[_Item]:
    table = read_table(labels, FORM)
    for line, cells in table.notes.items():
        absent = ", ".join(key for key in FORM.keys if not cells[key])
        raise BadAnnotation(f"{labels} row {line}", f"there is no {absent}", "Fill it in, or delete the row.")
    if not table.rows:
        raise BadInput(labels, "names no clips", "Add a row per clip.")
    used = {alias for aliases in FORM.columns.values() for alias in aliases}
    unused = [header for header in table.headers if header and normalise(header) not in used]
    if unused:
        findings.append(
            Finding(
                "columns not used", str(labels), f"{', '.join(unused)}; known are {', '.join(FORM.columns)}"
            )
        )
    return [_labelled(table, index) for index in range(len(table.rows))]


def _labelled(table: Table, index: int) -> _Item:
    cells, where = table.rows[index], f"{table.path} row {table.lines[index]}"
    written = (cells["path"], cells["path"].replace("\\", "/"))  # on Windows
    path = next((path for way in written if (path := existing(table.path.parent, way))), None)
    if path is None:
        raise BadAnnotation(
            where, f"there is no file or folder {cells['path']!r}", "Paths start at the folder of the labels."
        )
    try:
        onset, apex, offset = (whole_number(cells[mark]) for mark in ("onset", "apex", "offset"))
        fps = None if is_missing(cells["fps"]) else float(cells["fps"])
    except ValueError as wrong:
        raise BadAnnotation(where, str(wrong), "Frames are whole numbers, fps is a number.") from wrong
    if fps is not None and not 0 < fps < float("inf"):
        raise BadAnnotation(where, f"{cells['fps']} frames per second is not a frame rate")
    part = [
        str(mark) for mark in (onset, offset) if mark is not None
    ]  # several clips may be cut from one video
    name = cells["name"] or "-".join([path.name if path.is_dir() else path.stem, *part])
    row = Row(
        composed(cells["subject"]),
        composed(name.replace("/", "-")),
        parse_emotion(cells["emotion"], where),
        onset,
        apex,
        offset,
        where,
    )
    return _Item(path, row, fps)


def _by_tree(top: Path, findings: list[Finding]) -> list[_Item]:
    found = listing(top)
    if found.folders and all(map(_is_emotion, found.folders)):
        raise BadInput(
            top, "the folders in it are emotions; a level with the people is missing above them", _LAYOUT
        )
    if not found.folders:
        raise BadInput(top, "there are neither labels nor folders of people in it", _LAYOUT)
    if _has_clips(found):
        raise BadInput(top, "clips lie beside the folders of people", _LAYOUT)
    items = []
    for subject, folder in found.folders.items():
        inner = listing(folder)
        if _has_clips(inner):
            raise BadInput(folder, "clips lie directly in a person's folder; the emotion is missing", _LAYOUT)
        for word, path in inner.folders.items():
            items += _of_emotion(path, composed(subject), parse_emotion(word, str(path)), findings)
    if not items:
        raise BadInput(top, "there are no clips in it", _LAYOUT)
    return items


def _has_clips(found: Listing) -> bool:
    return found.images or any(name.lower().endswith(VIDEOS) for name in found.files)


def _of_emotion(folder: Path, subject: str, word: str, findings: list[Finding]) -> list[_Item]:
    found = listing(folder)
    if found.images:
        raise BadInput(
            folder,
            "images lie directly in an emotion's folder",
            "Put the images of each clip into a folder of their own.",
        )
    videos = [name for name in found.files if name.lower().endswith(VIDEOS)]
    for name in sorted({*found.files} - {*videos}):
        findings.append(Finding("file passed over", str(folder / name), "not a video by its suffix"))
    if not videos and not found.folders:
        findings.append(Finding("folder without clips", str(folder), "it is empty"))
    named = [(path.name, path) for path in found.folders.values()] + [
        ((folder / name).stem, folder / name) for name in videos
    ]
    called = [
        (composed(f"{folder.name}-{name}"), path) for name, path in named
    ]  # clip1 may occur under each emotion
    return [_Item(path, Row(subject, name, word, None, None, None, str(path)), None) for name, path in called]


def _clip(item: _Item, findings: list[Finding]) -> tuple[Clip, bool]:
    """The clip, and whether its frame rate was assumed."""
    path, row, assumed = item.path, item.row, False
    numbers: Sequence[int]
    if path.is_dir():
        images = images_in(path)
        if not images:
            raise BadAnnotation(
                path,
                "this clip's folder holds no images with numbers in their names",
                "Add them, or delete the folder.",
            )
        path, numbers = next(iter(images.values())).parent, list(images)
        fps, assumed = item.fps or DEFAULT_FPS, item.fps is None
    else:
        frames, told = _extent(path)
        numbers, fps = range(frames), item.fps or told
    onset = numbers[0] if row.onset is None else row.onset
    offset = numbers[-1] if row.offset is None else row.offset
    for mark, frame in (("onset", row.onset), ("apex", row.apex), ("offset", row.offset)):
        if frame is not None and not max(numbers[0], onset) <= frame <= min(numbers[-1], offset):
            wrong = f"{mark} {frame} is not among the clip's frames {max(numbers[0], onset)}..{min(numbers[-1], offset)}"
            raise BadAnnotation(
                row.where, wrong, "Video files count from 0, folders by the numbers in the names."
            )
    whole = Row(row.subject, row.name, row.emotion, onset, row.apex, offset, row.where)
    clip, problems = fit(whole, path, numbers, Source("folder", fps, cropped=False, midpoint=False))
    findings += problems
    if clip is None:
        raise BadAnnotation(row.where, problems[-1].what)
    return clip, assumed


def _extent(path: Path) -> tuple[int, float]:
    """How many frames a video file has, and how many per second. Decodes it where the container tells no number."""
    with open_video(path) as video:
        return video.info.frames or sum(1 for _ in video), video.info.fps


FOLDER = Dataset(
    name="folder", title="Clips of your own", read=read, fps=0.0, apply="docs/datasets/folder.md"
)
