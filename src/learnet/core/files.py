"""Files: written completely or not at all, digests, and errors of the disk that name the file."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from learnet.core.errors import BadInput

NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_SUCH_PLACE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

MOST_LISTED = 5  # names in an error message
LONGEST_STEM = 100  # characters of a name in that of its draft: file systems limit the length of names


@contextmanager
def atomic_file(file: Path, suffix: str = "") -> Iterator[Path]:
    """Yield the path of a draft, which becomes `file` when the block ends without an error.

    The file is there completely, or as it was before. Missing folders above it are made. A link is followed.
    What is no regular file, such as a pipe, is written directly, since it cannot be replaced.

    Args:
        file: to write.
        suffix: of the draft, for libraries that choose the format by it.
    """
    if file.exists() and not file.is_file():
        yield file
        return
    target = file.resolve() if file.is_symlink() else file
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_of(target, suffix)
    try:
        with _named(target, draft):
            yield draft
            _wait_for_disk(draft)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty draft folder, which becomes `folder` when the block ends without an error.

    `folder` must not exist, or be empty. Missing folders above it are made.
    """
    target = folder.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_of(target, "")
    try:
        with _named(target, draft):
            draft.mkdir()
            yield draft
            if target.exists():
                target.rmdir()  # fails unless it is empty
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _named(target: Path, draft: Path) -> Iterator[None]:
    """Name the target in errors of the disk, which would name the draft, of which no user knows."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and Path(os.fsdecode(error.filename)).is_relative_to(draft):
            error.filename = str(target)
            error.filename2 = None
        raise


def write_atomically(file: Path, content: str | bytes) -> None:
    """Write a file completely or not at all, as `atomic_file`. Text is written in UTF-8."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_file(file) as draft:
        draft.write_bytes(data)


def append_durably(file: Path, text: str) -> None:
    """Add text to the end of a file, and wait until it is on the disk."""
    with file.open("a", newline="", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def _draft_of(target: Path, suffix: str) -> Path:
    """Return the path of a draft beside its target, hidden, and of this process alone."""
    return target.with_name(f".{target.name[:LONGEST_STEM]}.{os.getpid()}.part{suffix}")


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
    return "Make room, or name another place; what is finished is kept."


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
    return error.strerror or "no room is left"


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 digest of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def shortened_list(names: Sequence[str]) -> str:
    """Return the first few names of a list, for an error message."""
    listed = ", ".join(map(str, names[:MOST_LISTED]))
    return f"{listed}, …" if len(names) > MOST_LISTED else listed
