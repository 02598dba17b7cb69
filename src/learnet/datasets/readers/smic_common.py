"""What SMIC and SMIC-E share: three cameras that filmed the same people at once, and the names of clips."""

import re
from collections.abc import Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import Clip, Finding
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.folder_tree import FolderScan
from learnet.datasets.readers.reading.layout import ClipLocation, LocateClip

CAMERAS = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
"""Camera -> frames per second as published by the owners, in order of preference."""

LABELS = ("negative", "positive", "surprise")

PUBLISHED_VIS_NIR = {"negative": 23, "positive": 28, "surprise": 20}
"""Clips per emotion of VIS and of NIR, which filmed the people from s11 on: the 71 that HS has of them.
Only the sum is certain."""

CLIP = re.compile(r"s([0-9]{1,3})_([a-z]+)_[0-9]+")
"""Subject, code of the emotion and running number, as in s1_ne_01, in the spelling of `normalise_name`."""

_EMOTION_CODES = ("ne", "po", "sur")

_ROOT_NAMES = 3
"""Names of the root's own path that may say which camera or tree it is. Names above them are the user's."""


def subject_name(number: int) -> str:
    """Return `s01`, as in the list of MEGC2019; folders are named s1 or s01."""
    return f"s{number:02d}"


def normalise_clip_name(name: str) -> str:
    """Return one spelling of a clip's name: `s01_ne_01` and `S1_ne_01` are the same clip."""
    return re.sub(r"^s0+(?=[0-9])", "s", normalise_name(name))


def subject_in_clip_name(name: str) -> int | None:
    """Return the subject's number in a clip's name, or None for other names than s1_ne_01."""
    match = CLIP.fullmatch(normalise_name(name))
    return int(match[1]) if match else None


def emotion_in_clip_name(name: str) -> str | None:
    """Return the emotion in a clip's name, or None where it has none."""
    match = CLIP.fullmatch(normalise_name(name))
    if match and match[2] in _EMOTION_CODES:
        return parse_emotion(match[2], name)
    return None


def camera_in_path(parts: Sequence[str]) -> str | None:
    """Return the camera in the last name that holds one, such as `HS`, `VIS_long` or `SMIC-NIR-E`."""
    for name in reversed(parts):
        for word in re.split("[^a-z]+", normalise_name(name)):
            if word.upper() in CAMERAS:
                return word.upper()
    return None


def camera_below(root: Path, parts: Sequence[str]) -> str | None:
    """Return `camera_in_path` of a path below the root, whose own name may also hold the camera."""
    return camera_in_path(with_root_names(root, parts))


def with_root_names(root: Path, parts: Sequence[str]) -> tuple[str, ...]:
    """Return a path below the root, preceded by the names of the root's path that may hold information."""
    return (*root.parts[-_ROOT_NAMES:], *parts)


def select_camera(scan: FolderScan, locate_clip: LocateClip, requested: str | None) -> str:
    """Return the requested camera, or the first of CAMERAS that has clips.

    Clips without a camera in their path count for any camera.

    Raises:
        BadInput: all clips are of other cameras.
    """
    existing = set()
    for parts in scan.clip_candidates:
        if locate_clip(parts):
            existing.add(camera_below(scan.root, parts))
    known = [camera for camera in CAMERAS if camera in existing]
    if requested is None:
        return known[0] if known else next(iter(CAMERAS))
    if existing and not existing & {requested, None}:
        problem = f"there are no clips of the {requested} camera"
        raise BadInput(scan.root, problem, f"There are clips of {' and '.join(known)}.")
    return requested


def restrict_to_camera(camera: str, locate_clip: LocateClip, root: Path) -> LocateClip:
    """Return `locate_clip` without the clips of other cameras."""

    def locate(parts: Sequence[str]) -> ClipLocation | None:
        if camera_below(root, parts) not in (camera, None):
            return None
        return locate_clip(parts)

    return locate


def unnamed_camera(clips: Sequence[Clip], root: Path, camera: str) -> list[Finding]:
    """Return a finding about clips without a camera in their path."""
    unnamed = []
    for clip in clips:
        if camera_below(root, clip.path.relative_to(root).parts) is None:
            unnamed.append(clip)
    if not unnamed:
        return []
    message = (
        f"no folder says which camera filmed {len(unnamed)} clips; "
        f"{camera} is assumed, {CAMERAS[camera]:g} frames per second"
    )
    return [Finding("camera not named", unnamed[0].key, message)]
