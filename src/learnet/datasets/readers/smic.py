"""Read SMIC as its owners distribute it: the labels are names of folders, without a workbook.

The folder of a clip holds it from onset to offset. Three cameras filmed the same people (HS, VIS, NIR); there
are face crops and whole images of each. `docs/datasets/smic.md` says what is assumed.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import (
    FolderKey,
    PathParts,
    above_subject,
    normalise_name,
    normalise_names,
    subject_number,
)
from learnet.datasets.readers.reading.folder_tree import (
    FolderScan,
    has_registered_crops,
    list_folder,
    scan_folders,
    validate_root,
)
from learnet.datasets.readers.reading.label_sources import FolderLabels, Labels
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.reader import read_scanned_clips
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.smic_common import (
    CAMERAS,
    LABELS,
    PUBLISHED_VIS_NIR,
    camera_below,
    emotion_in_clip_name,
    normalise_clip_name,
    restrict_to_camera,
    select_camera,
    subject_in_clip_name,
    subject_name,
    unnamed_camera,
    with_root_names,
)

PUBLISHED = {"negative": 70, "positive": 51, "surprise": 43}
"""Clips per emotion of the HS camera: 164 of 16 people, by the organisers' list of MEGC2019."""

TREES = ("cropped", "raw")
"""The owners' registered crops, which most published results use; whole images."""

_NON_MICRO = re.compile("non[ _-]?micro")


@dataclass(frozen=True)
class ClipPath:
    """What the names in the path of a clip's images say about it."""

    depth: int
    """Number of names above the folders of subjects."""

    person: int
    """Subject's number in the clip's name, or else in the folder."""

    folder_person: int
    """Number of the subject's folder around the clip, `person` where there is none."""

    kind: str
    """micro or none."""

    label: str
    """Name of the folder that holds the emotion, "" where there is none."""

    name: str
    """Of the clip, as on disk."""

    @property
    def key(self) -> FolderKey:
        """What identifies its folder. Clips with and without an expression may have the same name."""
        return (subject_name(self.person), self.kind, normalise_clip_name(self.name))


def parse_path(parts: Sequence[str]) -> ClipPath | None:
    """Interpret the path of a folder of images, such as `s1/micro/negative/s1_ne_01` or `s1/non_micro/…`.

    Levels may be doubled, and one more level may follow. Below `micro` any folder with a known subject is a
    clip. Without that level only clips named as s1_ne_01 in the folder of an emotion count, because long
    clips (SMIC-E) have no such folder.

    Returns:
        The clip, or None for the path of anything else.
    """
    names = normalise_names(parts)
    index = _last_index(names, _is_kind)
    if index is not None:
        kind = "none" if _NON_MICRO.fullmatch(names[index]) else "micro"
        below = _without_doubled(parts[index + 1 :])
    else:
        index = _last_index(names, _is_label)
        if index is None or subject_in_clip_name(_without_doubled(parts[index + 1 :])[0]) is None:
            return None
        kind = "micro"
        below = _without_doubled(parts[index:])
    label, clip = _label_and_clip(kind, below)
    depth = index
    while depth and (_is_kind(names[depth - 1]) or _is_label(names[depth - 1])):
        depth -= 1
    folder_person = subject_number(names[depth - 1]) if depth else None
    person = subject_in_clip_name(clip)
    if person is None:
        person = folder_person
    if person is None or not clip:
        return None
    if folder_person is None:
        return ClipPath(depth, person, person, kind, label, clip)
    return ClipPath(above_subject(names, depth, folder_person), person, folder_person, kind, label, clip)


def _last_index(names: Sequence[str], condition: Callable[[str], bool]) -> int | None:
    """Return the index of the last name, below which there is another, that meets a condition."""
    for index in reversed(range(len(names) - 1)):
        if condition(names[index]):
            return index
    return None


def _is_kind(name: str) -> bool:
    return name == "micro" or _NON_MICRO.fullmatch(name) is not None


def _is_label(name: str) -> bool:
    return name in LABELS


def _without_doubled(parts: Sequence[str]) -> list[str]:
    """Return the names without those that repeat the one above them."""
    kept: list[str] = []
    previous = None
    for name in parts:
        if normalise_name(name) != previous:
            kept.append(name)
        previous = normalise_name(name)
    return kept


def _label_and_clip(kind: str, below: list[str]) -> tuple[str, str]:
    """Return the folder of the emotion and the clip, "" where there is none.

    The layout of clips below non_micro is unknown, so any path there is a clip.
    """
    if kind == "none":
        return "", "-".join(below)
    if subject_in_clip_name(below[0]) is not None:
        return "", below[0]
    candidates = below[1:]
    for name in candidates:
        if subject_in_clip_name(name) is not None:
            return normalise_name(below[0]), name
    return normalise_name(below[0]), candidates[0] if candidates else ""


def _parse_label(parts: PathParts) -> LabelRow:
    """Return the row that the path of a clip's folder is."""
    clip = parse_path(parts)
    location = "/".join(parts)
    if clip is None:
        raise ValueError("this is not the folder of a clip")
    emotion = "none"
    if clip.kind == "micro":
        if not clip.label:
            raise ValueError(f"no folder says which of {', '.join(LABELS)} it is")
        emotion = parse_emotion(clip.label, location)
    if emotion not in (*LABELS, "none"):
        raise ValueError(f"SMIC has no emotion {emotion}")
    return LabelRow(
        subject=subject_name(clip.person),
        name=clip.name,
        emotion=emotion,
        onset=None,
        apex=None,
        offset=None,
        location=location,
        kind=clip.kind,
        whole_folder=True,
    )


def _row_key(row: LabelRow) -> FolderKey:
    return (row.subject, row.kind, normalise_clip_name(row.name))


def _locate_clip(parts: Sequence[str]) -> ClipLocation | None:
    clip = parse_path(parts)
    return ClipLocation(clip.depth, clip.key) if clip else None


def _kind_of_tree(matches: list[FolderMatch], root: Path) -> str:
    """Return the kind by the prefix of the owners' crops, else by the nearest folder that names one."""
    if has_registered_crops(folder for _, folder in matches[:20]):
        return "cropped"
    folder = matches[0][1]
    for part in reversed(with_root_names(root, folder.relative_to(root).parts)):
        name = normalise_name(part)
        if "crop" in name:
            return "cropped"
        if "raw" in name:
            return "raw"
    return "raw"


def _layout(camera: str, root: Path) -> DatabaseLayout:
    """Return the layout of one camera below a root."""

    def describe(labels: Labels) -> dict[str, str]:
        without_expression = sum(row.kind == "none" for row in labels.rows)
        return {
            "camera": f"{camera}, {CAMERAS[camera]:g} frames per second",
            "clips of non_micro": str(without_expression),
        }

    def kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
        return _kind_of_tree(matches, root)

    def properties(tree: str) -> TreeProperties:
        return TreeProperties("smic", CAMERAS[camera], cropped=tree == "cropped")

    labels = FolderLabels(
        dataset="smic",
        title="SMIC",
        emotions=LABELS,
        parse_path=_parse_label,
        key=_row_key,
    )
    return DatabaseLayout(
        labels=labels,
        example="s1/micro/negative/s1_ne_01",
        locate_clip=restrict_to_camera(camera, _locate_clip, root),
        tree_kinds=TREES,
        kind_of_tree=kind_of_tree,
        properties=properties,
        describe=describe,
        published=PUBLISHED if camera == "HS" else PUBLISHED_VIS_NIR,
    )


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every clip of one camera of a SMIC folder; see `read_clips`.

    `selection.tree` is one of TREES, `selection.part` one of CAMERAS. With all expressions the clips of
    non_micro are read too; their kind and emotion are "none".

    Raises:
        BadInput: `read_clips` refuses the folder, there are no clips of this camera, or all expressions are
            requested and there is no non_micro.
    """
    scan = scan_folders(validate_root(root))
    camera = select_camera(scan, _locate_clip, selection.part)
    index = read_scanned_clips(scan, selection, _layout(camera, scan.root))
    if selection.expressions == "all" and all(clip.kind == "micro" for clip in index.clips):
        problem = "there are no clips without an expression (non_micro)"
        raise BadInput(scan.root, problem, "Choose the expressions micro (--expressions).")
    findings = list(index.findings)
    for clip in index.clips:
        findings += _check_name(clip, scan.root)
    findings += _images_without_clip(scan, camera, selection.expressions)
    findings += _unknown_kinds(scan, camera, index.clips)
    findings += unnamed_camera(index.clips, scan.root, camera)
    return replace(index, findings=findings)


def _check_name(clip: Clip, root: Path) -> list[Finding]:
    """Report a clip whose name disagrees with its folders. Nothing else can decide which is right."""
    findings = []
    path = parse_path(clip.path.relative_to(root).parts)
    if path and path.folder_person != path.person:
        folder = subject_name(path.folder_person)
        message = f"it is stored with {folder}, but used as {subject_name(path.person)}'s, as its name says"
        findings.append(Finding("folder and name differ", clip.key, message, serious=True))
    emotion = emotion_in_clip_name(clip.name)
    if clip.kind == "micro" and emotion != clip.emotion:
        message = (
            f"it is stored in {clip.emotion}, and its name says {emotion or 'no emotion'}; the folder is used"
        )
        findings.append(Finding("folder and name differ", clip.key, message, serious=True))
    return findings


def _images_without_clip(scan: FolderScan, camera: str, expressions: str) -> list[Finding]:
    """Report images in the folder of a kind or an emotion itself. Their clips are unknown."""
    findings = []
    for parts in scan.leaves:
        names = normalise_names(parts)
        kinds = [name for name in names if _is_kind(name)]
        if not kinds or not (_is_kind(names[-1]) or _is_label(names[-1])):
            continue
        if camera_below(scan.root, parts) not in (camera, None):
            continue
        if expressions != "all" and kinds[-1] != "micro":
            continue
        contents = list_folder(scan.root.joinpath(*parts))
        if contents.has_images:
            message = "images are stored here, not in the folder of a clip; they are not used"
            serious = not contents.folders
            findings.append(Finding("images without clip", "/".join(parts), message, serious=serious))
    return findings


def _unknown_kinds(scan: FolderScan, camera: str, clips: Sequence[Clip]) -> list[Finding]:
    """Report folders of a subject in the place of micro or non_micro with another name.

    What they hold may be either.
    """
    tops = set()
    used = set()
    for clip in clips:
        parts = clip.path.relative_to(scan.root).parts
        path = parse_path(parts)
        if path is None:
            continue
        top = parts[: path.depth]
        tops.add(top)
        is_subject = subject_number(parts[path.depth]) is not None
        if len(top) > 1 and not is_subject and subject_number(top[-2]) is not None:
            used.add(top)
    tree_tops = (tops - used) | {top[:-2] for top in used}
    unused = set()
    for parts in scan.leaves:
        for top in tree_tops:
            if _is_unknown_kind(parts, top, scan.root, camera):
                unused.add(parts[: len(top) + 2])
    place = "it is where micro or non_micro should be; "
    messages = dict.fromkeys(unused - used, place + "nothing in it is used")
    messages |= dict.fromkeys(used, place + "its clips are taken for micro-expressions")
    findings = []
    for parts, message in sorted(messages.items()):
        findings.append(Finding("folder not known", "/".join(parts), message, serious=True))
    return findings


def _is_unknown_kind(parts: PathParts, top: PathParts, root: Path, camera: str) -> bool:
    """Return whether images are below `top`/SUBJECT/NAME, where the name is neither a kind nor a clip."""
    depth = len(top)
    if parts[:depth] != top or len(parts) < depth + 2:
        return False
    if subject_number(parts[depth]) is None or parse_path(parts):
        return False
    name = normalise_name(parts[depth + 1])
    is_known = _is_kind(name) or _is_label(name)
    if is_known or subject_in_clip_name(name) is not None or subject_number(name) is not None:
        return False
    if camera_below(root, parts) not in (camera, None):
        return False
    return list_folder(root.joinpath(*parts)).has_images


SMIC = Dataset(
    name="smic",
    title="SMIC",
    read=read,
    fps=0.0,
    published=PUBLISHED,
    people=16,
    published_source=(
        "camera HS, the organisers' list of MEGC2019; certain. "
        "VIS and NIR: 71 clips each, certain, of 8 people, likely"
    ),
    access="https://www.oulu.fi/cmvs/node/41319",
    options={"tree": TREES, "part": tuple(CAMERAS), "expressions": ("micro", "all")},
    signatures=(
        r"(.*/)?micro/(negative|positive|surprise)/[^/]+(/[^/]+)?",
        r"(.*/)?s\d+/non[ _-]?micro/[^/]+(/[^/]+)?",
    ),
)
