"""Interpret the names of folders: spelling variants, subject numbers, clip names.

Names come out of archives in any case, padded or unpadded, with levels doubled. No file is opened here,
and nothing here depends on a particular database.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PathParts = tuple[str, ...]
"""Names of nested folders, from a root down, as `pathlib` splits a relative path."""

FolderKey = tuple[str, ...]
"""What identifies the folder of a clip, with names in the spelling of `normalise_name`."""

_SUBJECT = re.compile(r"(?:subject|subj|sub|s|sp ?no)?[ ._-]*([0-9]{1,3})")


@dataclass(frozen=True)
class ClipInPath:
    """A clip's folder among the names of a path."""

    depth: int  # number of names above the subject's folder, or above the clip's where there is no subject
    name: str  # of the clip, as on disk
    subject: int | None  # number in the subject's folder or in the clip's name


def normalise_name(name: str) -> str:
    """Return one spelling for names that mean the same folder.

    Case, surrounding blanks and the Unicode normal form do not matter.
    """
    return normalise_unicode(name).casefold()


def normalise_names(names: Iterable[str]) -> list[str]:
    """Return each name in the spelling of `normalise_name`."""
    return [normalise_name(name) for name in names]


def normalise_unicode(name: str) -> str:
    """Return a name in normal form C, without surrounding blanks. Disks of a Mac store another form."""
    return unicodedata.normalize("NFC", name.strip())


def find_existing_path(folder: Path, relative: str) -> Path | None:
    """Return the file or folder at a relative path, in whatever Unicode normal form it is stored.

    Args:
        folder: where the path starts.
        relative: path from there on.

    Returns:
        The path as stored, or None where there is no such file or folder in `folder`: a table of somebody
        else must not name any other file of the user.
    """
    current = folder
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        return None
    for name in Path(relative).parts:
        path = current / name
        if not _exists(path):
            stored_name = _stored_name(current, name)
            if stored_name is None:
                return None
            path = current / stored_name
        current = path
    return current


def _exists(path: Path) -> bool:
    """Return whether there is a file or folder; a name that is too long for the system names none."""
    try:
        return path.exists()
    except OSError:
        return False


def _stored_name(folder: Path, name: str) -> str | None:
    """Return the first entry of `folder` that is `name` in another Unicode normal form."""
    wanted = normalise_unicode(name)
    try:
        entries = sorted(entry.name for entry in folder.iterdir())
    except OSError:  # not a folder, or not readable by this user
        return None
    for entry in entries:
        if normalise_unicode(entry) == wanted:
            return entry
    return None


def subject_number(name: str) -> int | None:
    """Return 12 for `sub12`, `Sub012`, `s12` and `12`; None for names of other forms."""
    match = _SUBJECT.fullmatch(normalise_name(name))
    return int(match[1]) if match else None


def find_subject_and_clip(parts: Sequence[str]) -> ClipInPath | None:
    """Find SUBJECT/CLIP in the path of a folder of images.

    Either level may be doubled (`sub01/sub01/EP02_01f`), and one more level may follow below the clip.
    The last such pair of names counts.

    Returns:
        The clip with the number of its subject, or None where the path holds no such pair.
    """
    first_candidate = max(len(parts) - 3, 0)
    for index in reversed(range(first_candidate, len(parts) - 1)):
        subject = subject_number(parts[index])
        clip = parts[index + 1]
        if subject is None or subject_number(clip) == subject:
            continue
        depth = above_subject(parts, index, subject)
        return ClipInPath(depth, clip, subject)
    return None


def find_named_clip(parts: Sequence[str], pattern: re.Pattern[str]) -> ClipInPath | None:
    """Find a clip whose name alone identifies it in the path of a folder of images.

    The level of its subject, with whose number the name begins, may be missing. Either level may be
    doubled, and one more level may follow below the clip. The last matching name counts.

    Args:
        parts: names of the path.
        pattern: of a clip's name in the spelling of `normalise_name`.

    Returns:
        The clip, or None where no name matches.
    """
    matches = []
    for index, name in enumerate(parts):
        if pattern.fullmatch(normalise_name(name)):
            matches.append(index)
    if not matches or matches[-1] < len(parts) - 2:
        return None
    depth = matches[-1]
    clip = parts[depth]
    while depth and normalise_name(parts[depth - 1]) == normalise_name(clip):
        depth -= 1
    subject = subject_number(clip.partition("_")[0])
    if subject is not None:
        depth = above_subject(parts, depth, subject)
    return ClipInPath(depth, clip, subject)


def above_subject(parts: Sequence[str], index: int, subject: int) -> int:
    """Return the number of names above the folder of a subject, doubled or not, that ends before `index`."""
    while index and subject_number(parts[index - 1]) == subject:
        index -= 1
    return index
