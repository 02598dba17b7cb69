"""Folders as they come out of archives: doubled levels, padded or unpadded subjects, names in any case, and junk beside them.

Only names are read, never a file. Nothing here knows a particular database.
"""

import os
import re
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.video.images import IMAGE_SUFFIXES, image_files

Way = tuple[str, ...]  # names of folders, from a root down
Key = tuple[str, ...]  # what makes a clip's folder findable, spelled by `same`

DEEPEST = 9  # levels below the root; the deepest known way to unpack a database needs 7
NOTICE = "SYNTHETIC.txt"  # lies at the root of a database that `learnet synthesize` wrote
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".z01", ".001")
_BOOKS = (".xlsx", ".xls", ".csv")
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
class Survey:
    """All that lies under a root, by names alone, in the order of names."""

    root: Path
    leaves: list[Way] = field(default_factory=list)  # folders that hold images, or no folders
    books: list[Path] = field(
        default_factory=list
    )  # files that may be label workbooks, lock files among them
    archives: list[Path] = field(default_factory=list)
    closed: list[Way] = field(default_factory=list)  # folders that cannot be read

    @property
    def names(self) -> list[str]:
        """Names of the files that may be workbooks, and the ways to the leaves: what databases are known by (`Dataset.signs`)."""
        return [*(path.name for path in self.books), *("/".join(way) for way in self.leaves)]


@dataclass(frozen=True)
class Tree:
    """The clip folders below one folder."""

    root: Path
    clips: dict[Key, Path] = field(default_factory=dict)
    twice: list[tuple[Path, Path]] = field(
        default_factory=list
    )  # two folders of one clip: the one kept, the one left
    odd: list[tuple[Path, str]] = field(
        default_factory=list
    )  # clips that lie where they do not belong, and what is wrong


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
    return composed(name).casefold()


def composed(name: str) -> str:
    """One spelling for a name that may come in any Unicode normal form, as from a Mac's disk; blanks around are no part of it."""
    return unicodedata.normalize("NFC", name.strip())


def existing(folder: Path, way: str) -> Path | None:
    """The file or folder at WAY from FOLDER on, in whatever normal form its names are on disk; None where there is none."""
    here = folder
    for name in Path(way).parts:
        there = here / name
        if not there.exists():
            try:
                alike = sorted(
                    other.name for other in here.iterdir() if composed(other.name) == composed(name)
                )
            except OSError:  # no folder, or closed to this user
                return None
            if not alike:
                return None
            there = here / alike[0]
        here = there
    return here


def subject_number(name: str) -> int | None:
    """12 for `sub12`, `Sub012`, `s12`, `12`; None where NAME does not name a subject by number."""
    match = _SUBJECT.fullmatch(same(name))
    return int(match[1]) if match else None


def checked_root(root: Path) -> Path:
    """ROOT as an absolute path.

    Raises:
        BadInput: there is nothing, a file or a packed archive instead of a folder, or the folder is empty.
    """
    root = Path(os.path.abspath(root.expanduser()))  # noqa: PTH100
    if not root.exists():
        raise BadInput(root, "there is no such folder", "Check the path.")
    if not root.is_dir():
        if _is_archive(root):
            raise BadInput(
                root,
                "this is a packed archive, not a folder",
                "Unpack it, and give the folder that comes out.",
            )
        raise BadInput(root, "this is a file, not a folder", "Give the folder that holds the database.")
    found = listing(root)
    if not found.folders and not found.files:
        raise BadInput(root, "this folder is empty", "Give the folder that holds the database.")
    return root


def _is_archive(path: Path) -> bool:
    if path.suffix.lower() in _BOOKS:  # an .xlsx is a zip inside
        return False
    with path.open("rb") as file:
        start = file.read(6)
    return (
        path.suffix.lower() in ARCHIVES
        or start.startswith(_MAGIC)
        or zipfile.is_zipfile(path)
        or tarfile.is_tarfile(path)
    )


def synthetic(paths: Iterable[Path]) -> bool:
    """Whether any of PATHS lies in a database that `learnet synthesize` wrote."""
    return any(
        (folder / NOTICE).is_file()
        for folder in {above for path in paths for above in path.absolute().parents}
    )


def registered(folders: Iterable[Path]) -> bool:
    """Whether one of FOLDERS holds face crops as several owners call theirs: reg_… (registered to one another)."""
    return any(name.lower().startswith("reg_") for folder in folders for name in _files(folder))


def _files(folder: Path) -> list[str]:
    try:
        return listing(folder).files
    except BadInput:  # told when the clip is matched
        return []


def images_in(folder: Path) -> dict[int, Path]:
    """The images of a clip by number (`video.image_files`), of FOLDER itself or of the one folder that is all it holds.

    Raises:
        BadVideo: the folder cannot be read, or two images have the same number.
    """
    images = image_files(folder)
    if not images and len((found := listing(folder)).folders) == 1:
        return image_files(next(iter(found.folders.values())))
    return images


def survey(root: Path) -> Survey:
    """ROOT (from `checked_root`) and everything below it, `DEEPEST` levels down; a link is followed where it leads to something new.

    Raises:
        BadInput: the root cannot be read.
    """
    found = Survey(root)
    real = [os.path.realpath(root)]  # the root, and what links have led to
    todo: list[Way] = [()]
    while todo:
        way = todo.pop()
        inner = _look_into(root.joinpath(*way), way, found, real)
        todo += reversed(inner[: len(inner) if len(way) < DEEPEST else 0])
    return found


def _look_into(folder: Path, way: Way, found: Survey, real: list[str]) -> list[Way]:
    """Note what FOLDER holds in FOUND; returns the ways to the folders in it."""
    folders, images = [], False
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if _is_folder(entry):
                    if (
                        not name.startswith(".")
                        and name.lower() not in _JUNK
                        and not (entry.is_symlink() and _known(entry.path, real))
                    ):
                        folders.append(name)
                elif name.lower().endswith(IMAGE_SUFFIXES):
                    images = images or not name.startswith(".")
                elif name.lower().endswith(_BOOKS):
                    found.books.append(folder / name)
                elif name.lower().endswith(ARCHIVES):
                    found.archives.append(folder / name)
    except OSError as trouble:
        if not way:
            raise BadInput(folder, f"this folder cannot be read ({trouble.strerror})") from trouble
        found.closed.append(way)
        return []
    if images or not folders:
        found.leaves.append(way)
    return [(*way, name) for name in sorted(folders)]


def _known(link: str, real: list[str]) -> bool:
    """Whether a link leads to what is seen anyway, or in a circle; if not, its goal is noted."""
    goal = os.path.realpath(link)
    if any(os.path.commonpath([goal, seen]) in (goal, seen) for seen in real):
        return True
    real.append(goal)
    return False


def subject_clip(way: Sequence[str]) -> tuple[int, int, str] | None:
    """Where SUBJECT/CLIP stands in a way to images: its place, the subject's number, the clip's name; None where it does not.

    Doubled levels of either (`sub01/sub01/EP02_01f`) and one more level below the clip are passed over. The last such pair counts.
    """
    for place in range(len(way) - 2, max(len(way) - 4, -1), -1):
        number = subject_number(way[place])
        clip = way[place + 1]
        if number is not None and subject_number(clip) != number:
            first = place
            while first and subject_number(way[first - 1]) == number:
                first -= 1
            return first, number, clip
    return None


def named_clip(way: Sequence[str], name: re.Pattern[str]) -> tuple[int, str] | None:
    """How many names of a way to images stand above a clip whose name alone says what it is (as NAME has it, spelled by `same`), and
    that name; None where there is none.

    The level of its subject, with whose number the name begins, may be missing. Doubled levels of either and one more level below the
    clip are passed over. The last such name counts.
    """
    places = [place for place, each in enumerate(way) if name.fullmatch(same(each))]
    if not places or places[-1] < len(way) - 2:
        return None
    first, clip = places[-1], way[places[-1]]
    while first and same(way[first - 1]) == same(clip):
        first -= 1
    number = subject_number(clip.partition("_")[0])
    while first and number is not None and subject_number(way[first - 1]) == number:
        first -= 1
    return first, clip
