"""What SMIC and SMIC-E share: three cameras that filmed the same people at once, and how people and clips are called."""

import re
from collections.abc import Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import Clip, Finding
from learnet.datasets.readers.reading.folder_tree import Survey, same
from learnet.datasets.readers.reading.reader import Place

CAMERAS = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
"""Camera -> frames per second, the owners' numbers; in order of preference."""

LABELS = ("negative", "positive", "surprise")

SLOW = {"negative": 23, "positive": 28, "surprise": 20}
"""Clips per emotion of VIS and of NIR, which filmed the people from s11 on: the 71 that HS has of them. Certain is the sum only."""

CLIP = re.compile(r"s([0-9]{1,3})_([a-z]+)_[0-9]+")
"""Subject, code of the emotion, running number: s1_ne_01, spelled by `same`."""

_CODES = ("ne", "po", "sur")
_NEAR = 3  # names of the root's own path that may say which camera or tree it is; what lies further up is the user's


def subject(number: int) -> str:
    """`s01`, as the list of MEGC2019 writes it; folders say s1 or s01."""
    return f"s{number:02d}"


def clip_key(name: str) -> str:
    """One spelling of a clip's name: `s01_ne_01` and `S1_ne_01` are one clip."""
    return re.sub(r"^s0+(?=[0-9])", "s", same(name))


def number_of(name: str) -> int | None:
    """The subject's number in a clip's name; None where it is not a name such as s1_ne_01."""
    found = CLIP.fullmatch(same(name))
    return int(found[1]) if found else None


def coded(name: str) -> str | None:
    """The emotion that a clip's name says; None where it says none."""
    found = CLIP.fullmatch(same(name))
    return parse_emotion(found[2], name) if found and found[2] in _CODES else None


def camera_of(way: Sequence[str]) -> str | None:
    """The camera that the last of these names with one in it says (`HS`, `VIS_long`, `SMIC-NIR-E`); None where none does."""
    for name in reversed(way):
        for word in re.split("[^a-z]+", same(name)):
            if word.upper() in CAMERAS:
                return word.upper()
    return None


def filmed_by(root: Path, way: Sequence[str]) -> str | None:
    """`camera_of` a way from the root down, whose own name may be the one that says it."""
    return camera_of(near(root, way))


def near(root: Path, way: Sequence[str]) -> tuple[str, ...]:
    """A way from the root down, below the names of the root's own path that may say something too."""
    return (*root.parts[-_NEAR:], *way)


def choose_camera(found: Survey, place: Place, wanted: str | None) -> str:
    """The camera WANTED, or the first of CAMERAS of which there are clips. Clips of which no folder says the camera count as any one's.

    Raises:
        BadInput: all clips are other cameras'.
    """
    there = {filmed_by(found.root, way) for way in found.leaves + found.closed if place(way)}
    if wanted is None:
        return next((camera for camera in CAMERAS if camera in there), next(iter(CAMERAS)))
    if there and not there & {wanted, None}:
        others = " and ".join(camera for camera in CAMERAS if camera in there)
        raise BadInput(
            found.root, f"there are no clips of the {wanted} camera", f"There are clips of {others}."
        )
    return wanted


def only(camera: str, place: Place, root: Path) -> Place:
    """PLACE without what other cameras filmed."""
    return lambda way: place(way) if filmed_by(root, way) in (camera, None) else None


def unnamed(clips: Sequence[Clip], root: Path, camera: str) -> list[Finding]:
    """What to say of clips of which no folder says the camera."""
    bare = [clip for clip in clips if filmed_by(root, clip.path.relative_to(root).parts) is None]
    if not bare:
        return []
    what = f"no folder says which camera filmed {len(bare)} clips; {camera} is taken, {CAMERAS[camera]:g} frames per second"
    return [Finding("camera not named", bare[0].key, what)]
