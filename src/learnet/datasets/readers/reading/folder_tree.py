"""Scan folders as they come out of archives, by names alone; no image or spreadsheet is opened.

Nothing here depends on a particular database.
"""

import os
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.datasets.readers.reading.folder_names import FolderKey, PathParts
from learnet.datasets.readers.reading.sheet import SPREADSHEET_SUFFIXES
from learnet.video.images import IMAGE_SUFFIXES, image_files

MAX_DEPTH = 9
"""Levels scanned below the root. The deepest known way to unpack a database needs 7."""

NOTICE = "SYNTHETIC.txt"
"""File at the root of a database that `learnet synthesize` wrote."""

ARCHIVE_SUFFIXES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".z01", ".001")
_ARCHIVE_SIGNATURES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_SYSTEM_FOLDERS = ("__macosx", "@eadir", "$recycle.bin", "system volume information")


@dataclass(frozen=True)
class FolderListing:
    """The contents of one folder in the order of names, without hidden entries and system folders."""

    folders: dict[str, Path]
    files: list[str]

    @property
    def has_images(self) -> bool:
        """Whether there is an image among the files."""
        return any(name.lower().endswith(IMAGE_SUFFIXES) for name in self.files)


@dataclass(frozen=True)
class FolderScan:
    """Everything below a root that may belong to a database, in the order of names."""

    root: Path

    leaves: list[PathParts] = field(default_factory=list)
    """Folders that hold images, or no folders."""

    spreadsheets: list[Path] = field(default_factory=list)
    """Files that may be label workbooks, lock files among them."""

    archives: list[Path] = field(default_factory=list)

    unreadable: list[PathParts] = field(default_factory=list)
    """Folders that cannot be listed."""

    too_deep: list[PathParts] = field(default_factory=list)
    """Folders with others below them that are not scanned."""

    @property
    def clip_candidates(self) -> list[PathParts]:
        """Folders that may hold the images of a clip, unreadable ones included."""
        return self.leaves + self.unreadable

    @property
    def names(self) -> list[str]:
        """Names of the spreadsheets and paths of the leaves, which `Dataset.signatures` describe."""
        spreadsheet_names = [path.name for path in self.spreadsheets]
        return spreadsheet_names + ["/".join(parts) for parts in self.leaves]


@dataclass(frozen=True)
class FolderTree:
    """The clip folders below one folder."""

    root: Path
    clip_folders: dict[FolderKey, Path] = field(default_factory=dict)

    duplicates: list[tuple[Path, Path]] = field(default_factory=list)
    """Two folders of one clip: the one that is used, the one that is not."""

    misplaced: list[tuple[Path, str]] = field(default_factory=list)
    """Clip folders in an unexpected place, and what is wrong with the place."""


def list_folder(folder: Path) -> FolderListing:
    """List the sub-folders and files of a folder.

    Raises:
        BadInput: it cannot be read.
    """
    folders = {}
    files = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if _is_folder(entry):
                    folders[entry.name] = folder / entry.name
                else:
                    files.append(entry.name)
    except OSError as error:
        raise _unreadable(folder, error) from error
    return FolderListing(dict(sorted(folders.items())), sorted(files))


def is_hidden(name: str) -> bool:
    """Return whether an entry of a folder is hidden, or a folder of the system."""
    return name.startswith(".") or name.lower() in _SYSTEM_FOLDERS


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def _unreadable(folder: Path, error: OSError) -> BadInput:
    return BadInput(folder, f"this folder cannot be read ({error.strerror})")


def validate_root(root: str | Path) -> Path:
    """Return the folder that a user named as an absolute path.

    Raises:
        BadInput: it does not exist, is a file or a packed archive, or is empty.
    """
    root = Path(os.path.abspath(Path(root).expanduser()))  # noqa: PTH100
    if not root.exists():
        raise BadInput(root, "there is no such folder", "Check the path.")
    if not root.is_dir():
        if _is_archive(root):
            hint = "Unpack it, and give the folder that comes out."
            raise BadInput(root, "this is a packed archive, not a folder", hint)
        hint = "Give the folder that holds the database."
        raise BadInput(root, "this is a file, not a folder", hint)
    contents = list_folder(root)
    if not contents.folders and not contents.files:
        raise BadInput(root, "this folder is empty", "Give the folder that holds the database.")
    return root


def _is_archive(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix in SPREADSHEET_SUFFIXES:  # an .xlsx file is a zip archive too
        return False
    if suffix in ARCHIVE_SUFFIXES:
        return True
    with path.open("rb") as file:
        start = file.read(6)
    return start.startswith(_ARCHIVE_SIGNATURES) or zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def is_synthetic(paths: Iterable[Path]) -> bool:
    """Return whether any of the paths is inside a database that `learnet synthesize` wrote."""
    parents: set[Path] = set()
    for path in paths:
        parents.update(path.absolute().parents)
    return any((folder / NOTICE).is_file() for folder in parents)


def has_registered_crops(folders: Iterable[Path]) -> bool:
    """Return whether any folder holds face crops under the owners' name for them, `reg_…` (registered)."""
    for folder in folders:
        try:
            files = list_folder(folder).files
        except BadInput:  # reported when the clip is matched
            continue
        if any(name.lower().startswith("reg_") for name in files):
            return True
    return False


def clip_images(folder: Path) -> dict[int, Path]:
    """Return the images of a clip by number, of the folder itself or of its only sub-folder.

    Raises:
        BadVideo: the folder cannot be read, or two images have the same number.
    """
    images = image_files(folder)
    if images:
        return images
    folders = list(list_folder(folder).folders.values())
    return image_files(folders[0]) if len(folders) == 1 else images


def scan_folders(root: Path) -> FolderScan:
    """Scan a root from `validate_root`, `MAX_DEPTH` levels deep.

    A link is followed where it leads to something that is not scanned anyway.

    Raises:
        BadInput: the root cannot be read.
    """
    scan = FolderScan(root)
    scanned = [os.path.realpath(root)]  # the root, and the targets of links
    pending: list[PathParts] = [()]
    while pending:
        parts = pending.pop()
        names = _scan_folder(parts, scan, scanned)
        if len(parts) < MAX_DEPTH:
            pending += [(*parts, name) for name in reversed(names)]
        elif names:
            scan.too_deep.append(parts)
    return scan


def _scan_folder(parts: PathParts, scan: FolderScan, scanned: list[str]) -> list[str]:
    """Add one folder to the scan and return the names of its sub-folders."""
    folder = scan.root.joinpath(*parts)
    names: list[str] = []
    has_images = False
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_folder(entry):
                    if _is_scanned(entry, scanned):
                        names.append(entry.name)
                elif entry.name.lower().endswith(IMAGE_SUFFIXES):
                    has_images = has_images or not entry.name.startswith(".")
                else:
                    _add_file(folder / entry.name, scan)
    except OSError as error:
        if not parts:
            raise _unreadable(folder, error) from error
        scan.unreadable.append(parts)
        return []
    if has_images or not names:
        scan.leaves.append(parts)
    return sorted(names)


def _add_file(path: Path, scan: FolderScan) -> None:
    name = path.name.lower()
    if name.endswith(SPREADSHEET_SUFFIXES):
        scan.spreadsheets.append(path)
    elif name.endswith(ARCHIVE_SUFFIXES):
        scan.archives.append(path)


def _is_scanned(entry: os.DirEntry[str], scanned: list[str]) -> bool:
    """Return whether a sub-folder is to be scanned. The target of a new link is added to `scanned`."""
    if is_hidden(entry.name):
        return False
    if not entry.is_symlink():
        return True
    target = os.path.realpath(entry.path)
    for known in scanned:
        if os.path.commonpath([target, known]) in (target, known):  # inside a known folder, or around one
            return False
    scanned.append(target)
    return True
