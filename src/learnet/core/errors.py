"""Errors that a user can cause, each with what to do next. The command line prints them in one line, with
exit code 2."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from learnet.core.shipped_weights import weights_name
from learnet.core.suggestions import suggestion

Entry = TypeVar("Entry")


class LearnetError(Exception):
    """A mistake of the user and not in the code: `what` is wrong, and `hint` says what to do about it."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what} {hint}".strip())
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple:
        """Return what pickling needs, so that errors travel between processes whatever their constructors
        accept."""
        return _revive, (type(self), str(self), self.__dict__)


def _revive(kind: type[LearnetError], text: str, fields: dict) -> LearnetError:
    error = kind.__new__(kind, text)
    error.__dict__.update(fields)
    return error


class UnknownName(LearnetError):
    """A name that is not in its table, as of `pick(NETWORKS, name, "network")`."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        meant = suggestion(name, names)
        hint = f"Did you mean {meant!r}?" if meant else f"Choose from {', '.join(names)}."
        super().__init__(f"There is no {kind} called {name!r}.", hint)


class BadInput(LearnetError):
    """A file or folder that is missing, empty, or not what it should be."""

    def __init__(self, path: Path | str, wrong: str, hint: str = "") -> None:
        super().__init__(f"{path}: {wrong}.", hint)
        self.path = Path(path)


class BadVideo(BadInput):
    """A video that cannot be decoded, or holds no pictures."""


class BadAnnotation(BadInput):
    """A clip whose label, onset, apex or offset contradicts itself or the files."""


class BadCheckpoint(BadInput):
    """A file of weights that learnet did not write, or that does not fit its use.

    Weights that come with learnet are called by their name, not by their path in the installation.
    """

    def __init__(self, path: Path | str, wrong: str, hint: str = "") -> None:
        super().__init__(weights_name(path), wrong, hint)
        self.path = Path(path)


class OutputTaken(BadInput):
    """An output that holds something else, which is never overwritten."""


class NoFace(LearnetError):
    """No face in any of the frames that were searched."""

    def __init__(self, where: Path | str, searched: int) -> None:
        what = f"{where}: no face found in the {counted(searched, 'frame')} searched."
        hint = "The face should be frontal, lit and at least 60 pixels wide. "
        super().__init__(what, hint + "If the video shows nothing but a face crop, use --face none.")


class TooFewFrames(LearnetError):
    """A clip, or a part of one, too short to hold any motion."""

    def __init__(
        self, found: int, needed: int, part: str = "The clip", purpose: str = "to see motion"
    ) -> None:
        super().__init__(f"{part} has {counted(found, 'frame')}; at least {needed} are needed {purpose}.")


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 clip`, `2 clips`; `many` is the plural where it is not `one` with an
    s."""
    if number == 1:
        return f"1 {one}"
    return f"{number} {many or one + 's'}"


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, each once, in their order."""
    seen: set[str] = set()
    found: dict[str, None] = {}
    for name in names:
        if name in seen:
            found[name] = None
        seen.add(name)
    return list(found)


def pick(table: Mapping[str, Entry], name: str, kind: str) -> Entry:
    """Return the entry called `name`.

    Raises:
        UnknownName: with the nearest name of the table.
    """
    if name not in table:
        raise UnknownName(kind, name, table)
    return table[name]
