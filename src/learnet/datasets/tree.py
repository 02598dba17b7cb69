"""Folders as they come out of archives: doubled levels, padded or unpadded subjects, names in any case, and junk beside them.

Only names are read, never a file. Nothing here knows a particular database.
"""

import os
import re
import tarfile
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from learnet.errors import BadInput
from learnet.video import IMAGE_SUFFIXES, image_files

ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".z01", ".001")
_JUNK = ("__macosx", "@eadir", "$recycle.bin", "system volume information")
_SUBJECT = re.compile(r"(?:subject|subj|sub|s|sp ?no)?[ ._-]*([0-9]{1,3})")
_MAGIC = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")


@dataclass(frozen=True)
class Listing:
    """What lies in a folder, by name and in the order of names; hidden entries and system junk are left out."""

    folders: dict[str, Path]
    files: list[str]

    @property
    def images(self) -> bool:
        """Whether there is an image among the files."""
        return any(name.lower().endswith(IMAGE_SUFFIXES) for name in self.files)


@dataclass(frozen=True)
class Tree:
    """A folder of subjects, each a folder of clips."""

    root: Path
    clips: dict[tuple[int, str], Path] = field(default_factory=dict)  # (subject number, `same` of the clip's name) -> folder
    twice: list[tuple[Path, Path]] = field(default_factory=list)  # two folders of one clip: the one kept, the one left


def listing(folder: Path) -> Listing:
    """The sub-folders and files of FOLDER.

    Raises:
        BadInput: it cannot be read.
    """
    folders, files = {}, []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower() in _JUNK:
                    continue
                if _is_folder(entry):
                    folders[entry.name] = folder / entry.name
                else:
                    files.append(entry.name)
    except OSError as trouble:
        raise BadInput(folder, f"this folder cannot be read ({trouble.strerror})") from trouble
    return Listing(dict(sorted(folders.items())), sorted(files))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def same(name: str) -> str:
    """One spelling for names that mean the same folder: any case, blanks around, any Unicode normal form."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def subject_number(name: str) -> int | None:
    """12 for `sub12`, `Sub012`, `s12`, `12`; None where NAME does not name a subject by number."""
    match = _SUBJECT.fullmatch(same(name))
    return int(match[1]) if match else None


def checked_root(root: Path) -> Path:
    """ROOT as an absolute path.

    Raises:
        BadInput: there is nothing, a file or a packed archive instead of a folder, or the folder is empty.
    """
    root = Path(os.path.abspath(root.expanduser()))  # noqa: PTH100 - not resolved: a linked folder keeps the parents the user sees
    if not root.exists():
        raise BadInput(root, "there is no such folder", "Check the path.")
    if not root.is_dir():
        if _is_archive(root):
            raise BadInput(root, "this is a packed archive, not a folder", "Unpack it, and give the folder that comes out.")
        raise BadInput(root, "this is a file, not a folder", "Give the folder that holds the database.")
    found = listing(root)
    if not found.folders and not found.files:
        raise BadInput(root, "this folder is empty", "Give the folder that holds the database.")
    return root


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(6)
    return path.suffix.lower() in ARCHIVES or start.startswith(_MAGIC) or zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def images_in(folder: Path) -> dict[int, Path]:
    """The images of a clip by number (`video.image_files`), of FOLDER itself or of the one folder that is all it holds.

    Raises:
        BadVideo: the folder cannot be read, or two images have the same number.
    """
    images = image_files(folder)
    if not images and (found := readable(folder)) and len(found.folders) == 1:
        return image_files(next(iter(found.folders.values())))
    return images


def walk(root: Path, levels: int) -> tuple[dict[Path, Listing], list[Path]]:
    """ROOT and the folders under it down to LEVELS below, broad first, not entering trees (`is_tree`); and those that cannot be read."""
    seen: dict[Path, Listing] = {}
    closed: list[Path] = []
    met: set[tuple[int, int]] = set()  # a link may lead to a folder that is already here, or back up
    here = [root]
    for level in range(levels + 1):
        inner: list[Path] = []
        for path in here:
            found = readable(path)
            if found is None:
                closed.append(path)
            elif (place := (path.stat().st_dev, path.stat().st_ino)) not in met:
                met.add(place)
                seen[path] = found
                inner += [] if level == levels or is_tree(found) else found.folders.values()
        here = inner
    return seen, closed


def readable(folder: Path) -> Listing | None:
    """`listing`, or None where the folder cannot be read."""
    try:
        return listing(folder)
    except BadInput:
        return None


def is_tree(found: Listing) -> bool:
    """Whether these are the folders of subjects: one of them is called by a subject's number and holds folders itself."""
    return any(subject_number(name) is not None and (inner := readable(path)) and inner.folders for name, path in found.folders.items())


def read_tree(root: Path, found: Listing) -> Tree:
    """The clip folders of a tree SUBJECT/CLIP, through doubled levels of either; images are not looked for.

    Raises:
        BadInput: a subject's folder cannot be read.
    """
    tree = Tree(root)
    for name, path in found.folders.items():
        number = subject_number(name)
        if number is None:
            continue
        for clip, folder in _clips_of(path, number).items():
            key = (number, same(clip))
            if key in tree.clips:
                tree.twice.append((tree.clips[key], folder))
            else:
                tree.clips[key] = folder
    return tree


def _clips_of(subject: Path, number: int) -> dict[str, Path]:
    """The folders in a subject's folder, or in the one of the same subject that is all it holds (`sub01/sub01/EP02_01f`)."""
    found = listing(subject)
    if len(found.folders) == 1 and not found.images:
        ((name, path),) = found.folders.items()
        inner = listing(path).folders if subject_number(name) == number else {}
        return inner or found.folders
    return found.folders
