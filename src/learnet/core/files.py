"""Files: written completely or not at all, digests, and errors of the disk that name the file."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from learnet.core.errors import BadInput
from learnet.core.printable import encode_text

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_SUCH_PLACE = (
    errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP,
)  # fmt: skip
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
NO_REASON = "no room is left"  # where the system gives none

MOST_LISTED = 5  # names in an error message
LONGEST_STEM = 100  # bytes of a name in that of its draft: file systems limit the length of names

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # for the user alone
USUAL_FILE, USUAL_FOLDER = 0o666, 0o777  # less the umask

_DRAFT = re.compile(r"\..*\.learnet-[0-9a-f]{16}\.part.*", re.DOTALL)


@contextmanager
def atomic_file(file: Path, suffix: str = "", private: bool = False) -> Iterator[Path]:
    """Yield the path of a draft, which becomes `file` when the block ends without an error.

    The file is there completely, or as it was before. Missing folders above it are made. A link is followed.
    What is no regular file, such as a pipe, is not replaced: the draft is copied to it. Drafts that a
    killed process left of this file are removed.

    Args:
        file: to write. One that is there keeps its permissions.
        suffix: of the draft, for libraries that choose the format by it.
        private: whether other users may not read a new file, whatever the umask says.
    """
    if file.exists() and not file.is_file():
        with _copied_to(file, suffix) as draft:
            yield draft
        return
    target = resolve_link(file) if file.is_symlink() else file
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = PRIVATE_FILE if private else USUAL_FILE
    with _new_draft(target, suffix, lambda draft: _create_file(draft, mode)) as draft:
        yield draft
        _wait_for_disk(draft)
        _copy_mode(target, draft)
        draft.replace(target)


@contextmanager
def _copied_to(file: Path, suffix: str) -> Iterator[Path]:
    """Yield a draft that is copied to a pipe or a device, in which libraries could not go back.

    Raises:
        BadInput: the reader of a pipe ends too early.
    """
    with tempfile.TemporaryDirectory(prefix="learnet-") as folder:
        draft = Path(folder) / f"draft{suffix}"
        yield draft
        try:
            with draft.open("rb") as content, _open_special(file) as target:
                shutil.copyfileobj(content, target)
        except BrokenPipeError as error:
            problem = "the program that reads this pipe ended before all was written"
            raise BadInput(file, problem, "Let it read to the end.") from error


def _open_special(file: Path) -> BinaryIO:
    """Open a pipe or a device to write into it. Warn where a pipe has no reader, for whom is waited."""
    if file.is_fifo():
        with suppress(OSError):
            descriptor = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
            os.set_blocking(descriptor, True)
            return os.fdopen(descriptor, "wb")
        warnings.warn(f"{file}: waiting for a program that reads this pipe.", stacklevel=2)
    return file.open("wb")


def absolute_path(path: Path) -> Path:
    """Return a path without links; what is in a circle of links stays as it is, unlike in `Path.resolve`."""
    return Path(os.path.realpath(path))


def resolve_link(path: Path) -> Path:
    """Return what a link leads to, whether it exists or not.

    Raises:
        OSError: the link leads to itself.
    """
    target = absolute_path(path)
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


@contextmanager
def atomic_folder(folder: Path, private: bool = False) -> Iterator[Path]:
    """Yield an empty draft folder, which becomes `folder` when the block ends without an error.

    `folder` must not exist, or be empty. Missing folders above it are made. Drafts that a killed process left
    of this folder are removed.

    Args:
        folder: to make. An empty one that is there keeps its permissions.
        private: whether other users may not look into a new folder, whatever the umask says.
    """
    target = folder.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = PRIVATE_FOLDER if private else USUAL_FOLDER
    with _new_draft(target, "", lambda draft: _create_folder(draft, mode)) as draft:
        yield draft
        if target.exists():
            _copy_mode(target, draft)
            target.rmdir()  # fails unless it is empty
        draft.replace(target)


def is_draft(path: Path) -> bool:
    """Return whether a file or folder has the name of a draft of `atomic_file` or `atomic_folder`."""
    return _DRAFT.fullmatch(path.name) is not None


def remove_stale_drafts(target: Path) -> None:
    """Remove the drafts of a file or folder that killed processes left.

    A draft is locked while its process lives. Process numbers would not tell: containers share folders, and
    use the same numbers again.
    """
    beginning = _draft_beginning(target)
    for path in target.parent.iterdir():
        if path.name.startswith(beginning) and is_draft(path):
            _remove_if_stale(path)


@contextmanager
def _new_draft(target: Path, suffix: str, create: Callable[[Path], int]) -> Iterator[Path]:
    """Create a draft beside its target, hold its lock, and remove what is left of it in the end.

    Args:
        target: to which the draft will be moved.
        suffix: of the draft.
        create: makes a new file or folder, and returns a descriptor of it.
    """
    remove_stale_drafts(target)
    while True:
        draft = target.with_name(f"{_draft_beginning(target)}{secrets.token_hex(8)}.part{suffix}")
        with _named(target, draft):
            descriptor = create(draft)
        # Another process may have taken the draft for a stale one before it was locked.
        if _lock(descriptor) is not False and draft.exists():
            break
        os.close(descriptor)
    if fcntl is None:
        os.close(descriptor)  # such a system does not move files that are open
    try:
        with _named(target, draft):
            yield draft
    finally:
        if fcntl is not None:
            os.close(descriptor)
        _remove(draft)


def _draft_beginning(target: Path) -> str:
    """Return with what the names of all drafts of a target begin: hidden, and unlike a name of a user's."""
    name = os.fsencode(target.name)[:LONGEST_STEM].decode("utf-8", errors="ignore")
    return f".{name}.learnet-"


def _create_file(draft: Path, mode: int) -> int:
    """Create a file; never open one that is there, and never follow a link."""
    return os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)


def _create_folder(draft: Path, mode: int) -> int:
    """Create a folder; fail if anything is there, also a link."""
    draft.mkdir(mode)
    return os.open(draft, os.O_RDONLY) if fcntl else os.open(os.devnull, os.O_RDONLY)


def _lock(descriptor: int) -> bool | None:
    """Lock a file or folder until its descriptor is closed, as it is when the process ends, however it ends.

    Returns:
        False where another process holds the lock; None where the file system has no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_if_stale(draft: Path) -> None:
    """Remove a draft of this user unless a process holds its lock. A link is not followed."""
    try:
        descriptor = os.open(draft, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return  # a link, or it is gone, or another user's
    try:
        if _lock(descriptor):
            _remove(draft)
    finally:
        os.close(descriptor)


def _remove(draft: Path) -> None:
    """Remove a draft, be it a file or a folder, if it is still there."""
    with suppress(OSError):
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink()


def _copy_mode(target: Path, draft: Path) -> None:
    """Give a draft the permissions of what it will replace, if anything is there."""
    if target.exists():
        draft.chmod(stat.S_IMODE(target.stat().st_mode))


@contextmanager
def _named(target: Path, draft: Path) -> Iterator[None]:
    """Name the target in errors of the disk.

    They name no file if the disk was full, or else the draft, of which no user knows.
    """
    try:
        yield
    except OSError as error:
        names_nothing = error.filename is None and error.errno in NO_ROOM
        if names_nothing or _is_inside(error.filename, draft):
            error.filename = str(target)
            error.filename2 = None
        raise


def _is_inside(name: str | bytes | os.PathLike | None, folder: Path) -> bool:
    return name is not None and Path(os.fsdecode(name)).is_relative_to(folder)


def write_atomically(file: Path, content: str | bytes, private: bool = False) -> None:
    """Write a file completely or not at all, as `atomic_file`. Text is written as of `encode_text`."""
    data = encode_text(content) if isinstance(content, str) else content
    with atomic_file(file, private=private) as draft:
        draft.write_bytes(data)


def check_input(path: Path, hint: str = "Name a file.") -> None:
    """Refuse what is no regular file: a pipe can be read once only, and a device may never end.

    Args:
        path: a file that a user names.
        hint: what to name instead, where there is none.

    Raises:
        BadInput: there is no such file, or it is a folder, a pipe or a device.
    """
    if path.is_file():
        return
    if path.is_dir():
        raise BadInput(path, "this is a folder", hint)
    if path.exists():
        raise BadInput(path, "this is a pipe or a device", "Save what it delivers as a file, and name that.")
    raise BadInput(path, "there is no such file", hint)


def append_durably(file: Path, text: str) -> None:
    """Add text to the end of a file that is there, and wait until it is on the disk.

    A file that somebody has removed meanwhile is not made again: its beginning would be missing.
    """
    with _named(file, file), os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND), "ab", buffering=0) as handle:
        data = encode_text(text)
        while data:  # a disk that is nearly full takes a part
            data = data[handle.write(data) :]
        os.fsync(handle.fileno())


def check_still_there(path: Path) -> None:
    """Raise FileNotFoundError where a file or folder was removed while a command was at work in it."""
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _wait_for_disk(file: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def as_paths(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return one path, or several, as a list."""
    if isinstance(paths, (str, Path)):
        return [Path(paths)]
    return [Path(path) for path in paths]


def unwritable_error(out: Path, reason: str) -> BadInput:
    """Return the error for a place that cannot be written, for a reason of `disk_error_reason`."""
    return BadInput(out, f"this cannot be written ({reason})", disk_error_hint(reason))


def disk_error_hint(reason: str) -> str:
    """Return what to do about a reason of `disk_error_reason`."""
    if reason in map(os.strerror, NO_PERMISSION):
        return "Change its permissions, or name another path."
    if reason in map(os.strerror, NO_SUCH_PLACE):
        return "Name another path."
    if reason in map(os.strerror, TOO_MANY_FILES):
        return "Use fewer processes (--jobs), or raise the limit of open files."
    if reason in (NO_REASON, *map(os.strerror, NO_ROOM)):
        return "Make room, or name another place; what is finished is kept."
    return "Check the disk or the connection to it, or name another place."


@contextmanager
def report_disk_errors(out: Path) -> Iterator[None]:
    """Turn errors of the disk, while `out` is written, into an error of one line that names it."""
    try:
        yield
    except OSError as error:
        raise unwritable_error(out, disk_error_reason(error)) from error


def disk_error_reason(error: OSError) -> str:
    """Return why the disk refused. NumPy's error for a write that was cut short has no text of the
    system's."""
    return error.strerror or NO_REASON


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 digest of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def shortened_list(names: Sequence[str]) -> str:
    """Return the first few names of a list, for an error message."""
    listed = ", ".join(map(str, names[:MOST_LISTED]))
    return f"{listed}, …" if len(names) > MOST_LISTED else listed
