"""Files: written whole or not at all, digests, and errors of the disk that name the file."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from learnet.core.errors import BadInput


def write_atomically(file: Path, content: str | bytes) -> None:
    """Write a file in one go: it is there whole, or as it was before. Text is written in UTF-8."""
    part = file.with_name(file.name + ".part")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as handle:
            handle.write(content.encode("utf-8") if isinstance(content, str) else content)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def append_durably(file: Path, text: str) -> None:
    """Add text to the end of a file, and wait until it is on the disk."""
    with file.open("a", newline="", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def unwritable_error(out: Path, why: str) -> BadInput:
    """The error for a place that takes no more."""
    return BadInput(
        out, f"this cannot be written ({why})", "Make room, or name another place; what is finished is kept."
    )


@contextmanager
def report_disk_errors(out: Path) -> Iterator[None]:
    """Errors of the disk while OUT is written become one line that names it."""
    try:
        yield
    except OSError as error:
        raise unwritable_error(out, disk_error_reason(error)) from error


def disk_error_reason(error: OSError) -> str:
    """Why the disk refused. Numpy's error for a write that was cut short has no number and no text of the system's."""
    return error.strerror or "no room is left"


def sha256_hex(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def shortened_list(names: Sequence[str]) -> str:
    """The first few of a list, for an error message."""
    return ", ".join(map(str, names[:5])) + (", …" if len(names) > 5 else "")
