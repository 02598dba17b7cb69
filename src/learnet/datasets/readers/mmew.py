"""Read MMEW as its owners distribute it: the micro-expressions, as face crops in folders by emotion.

A level of subjects may exist or not. A clip is identified by its name alone, because the folder of its
emotion may have another name than its label. The macro-expressions beside the clips are single images and
are not read. `docs/datasets/mmew.md` says what is assumed, and how certain it is.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.labels import ALIASES, EMOTIONS
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import normalise_name, normalise_names, subject_number
from learnet.datasets.readers.reading.folder_tree import scan_folders, validate_root
from learnet.datasets.readers.reading.label_sources import LabelWorkbooks
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.reader import read_scanned_clips
from learnet.datasets.readers.reading.rows import (
    COLUMNS,
    REQUIRED,
    LabelRow,
    key_by_name,
    row_from_cells,
    subject_in_row,
)
from learnet.datasets.readers.reading.table import TableSchema

OTHERS = {"others", "repression"}
"""One class under two names: copies differ in which one the workbook and the folder have."""

LABELS = ("happiness", "surprise", "disgust", "others", "repression", "fear", "sadness", "anger")

SCHEMA = TableSchema(COLUMNS, REQUIRED)
WORKBOOKS = ("mmewmicroexpv2", "mmewmicroexp")

TREES = ("cropped",)
"""Only the face crops of 231 x 231 pixels are known to be distributed."""

CLIP = re.compile(r"s[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,4}")
"""Subject, number of the emotion, sample. Images of macro-expressions have such names too, but are files."""

_EMOTION_NAMES = {*EMOTIONS, *ALIASES}


def _subject_of_clip(name: str) -> int | None:
    """Return 3 for S03-07-093."""
    return subject_number(name.partition("-")[0])


def _parse_row(cells: dict[str, str], location: str) -> list[LabelRow]:
    number = subject_in_row(cells, expected=_subject_of_clip(cells["name"]))
    return [row_from_cells(cells, location, f"S{number:02d}")]


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    """Locate a clip below the levels of its emotion and subject.

    The levels may be in any order, doubled or missing, and one more level may follow below the clip.
    """
    names = normalise_names(parts)
    matches = [index for index, name in enumerate(names) if CLIP.fullmatch(name)]
    if not matches or matches[-1] < len(names) - 2:
        return None
    if any("macro" in name and "micro" not in name for name in names):
        return None
    clip_index = matches[-1]
    clip = names[clip_index]
    depth = clip_index
    while depth and _is_level(names[depth - 1], clip):
        depth -= 1
    problem = ""
    for name in parts[depth:clip_index]:
        if subject_number(name) not in (None, _subject_of_clip(clip)):
            problem = f"it is stored with {name}, and is used as the subject's in its name"
    return ClipLocation(depth, (clip,), problem)


def _is_level(name: str, clip: str) -> bool:
    """Return whether a folder above a clip is that of its emotion, of a subject, or the clip's own.

    A mere number is a subject only if it is the clip's.
    """
    if name in _EMOTION_NAMES or name == clip:
        return True
    number = subject_number(name)
    if number is None:
        return False
    return name.startswith("s") or number == _subject_of_clip(clip)


def _kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
    return TREES[0]


def _properties(tree: str) -> TreeProperties:
    return TreeProperties("mmew", 90.0, cropped=True, renumbered=True)


LAYOUT = DatabaseLayout(
    labels=LabelWorkbooks(
        dataset="mmew",
        title="MMEW",
        example="MMEW_Micro_Exp.xlsx",
        schema=SCHEMA,
        emotions=LABELS,
        parse_row=_parse_row,
        preferred_names=WORKBOOKS,
        unrelated_names=("macro",),
        key=key_by_name,
    ),
    example="Micro_Expression/happiness/S01-01-001",
    locate_clip=_locate_clip,
    tree_kinds=TREES,
    kind_of_tree=_kind_of_tree,
    properties=_properties,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled micro-expression of an MMEW folder; see `read_clips`."""
    scan = scan_folders(validate_root(root))
    index = read_scanned_clips(scan, selection, LAYOUT)
    findings = list(index.findings)
    workbook_emotions = set()
    folder_emotions = set()
    for clip in index.clips:
        folder_emotion = _emotion_in_path(clip.path, scan.root)
        workbook_emotions.add(clip.emotion)
        folder_emotions.add(folder_emotion)
        findings += _check_emotion(clip, folder_emotion)
    others = []
    for source, emotions in (("workbook", workbook_emotions), ("folders", folder_emotions)):
        if emotions & OTHERS:
            others.append(f"{' and '.join(sorted(emotions & OTHERS))} in the {source}")
    about = index.about | {"others are called": ", ".join(others) or "nothing"}
    return replace(index, findings=findings, about=about)


def _emotion_in_path(folder: Path, root: Path) -> str:
    """Return the emotion that a folder above the clip is named after, or ""."""
    for part in reversed(folder.relative_to(root).parts):
        name = normalise_name(part)
        if name in _EMOTION_NAMES:
            return ALIASES.get(name, name)
    return ""


def _check_emotion(clip: Clip, folder_emotion: str) -> list[Finding]:
    """Report a label that differs from the clip's folder: one is wrong, and the workbook is used."""
    if folder_emotion in ("", clip.emotion) or {folder_emotion, clip.emotion} == OTHERS:
        return []
    message = f"it is stored in {folder_emotion}, and the workbook says {clip.emotion}, which is used"
    return [Finding("folder and label differ", clip.key, message, serious=True)]


MMEW = Dataset(
    name="mmew",
    title="MMEW",
    read=read,
    fps=90.0,
    people=36,
    published_source=(
        "300 clips in all, certain; how many of each class nobody is sure; how many people, likely"
    ),
    access="http://www.dpailab.com/database.html",
    signatures=(r"mmew[ _-]*micro.*", r"(.*/)?s\d{2}-\d{2}-\d{3}"),
)
