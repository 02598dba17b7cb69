"""What a user can get wrong, each with what to do next. The command line prints these in one line and exits
with code 2."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

Entry = TypeVar("Entry")


class LearnetError(Exception):
    """A mistake in what was given, not in the code: `what` was wrong and `hint`, what to do about it."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what} {hint}".strip())
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple:
        """Errors travel between processes whatever their constructors take."""
        return _revive, (type(self), str(self), self.__dict__)


def _revive(kind: type[LearnetError], text: str, fields: dict) -> LearnetError:
    error = kind.__new__(kind, text)
    error.__dict__.update(fields)
    return error


class UnknownName(LearnetError):
    """A name that is not in its table; `pick(NETWORKS, name, "network")` raises it."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        plain = {known.casefold(): known for known in names}
        near = difflib.get_close_matches(name.casefold(), plain, n=1)
        hint = f"Did you mean {plain[near[0]]!r}?" if near else f"Choose from {', '.join(names)}."
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
    """A weights file that is not a learnet checkpoint, or does not fit what it is asked for."""


class OutputTaken(BadInput):
    """An output folder that holds something else, which is never overwritten."""


class NoFace(LearnetError):
    """No face in any of the frames that were searched."""

    def __init__(self, where: Path | str, searched: int) -> None:
        super().__init__(
            f"{where}: no face found in the {counted(searched, 'frame')} searched.",
            "The face should be frontal, lit and at least 60 pixels wide; `--face none` takes the frames as face crops.",
        )


class TooFewFrames(LearnetError):
    """A clip, or a part of one, too short to hold any motion."""

    def __init__(self, found: int, needed: int, part: str = "The clip") -> None:
        super().__init__(f"{part} has {counted(found, 'frame')}; at least {needed} are needed to see motion.")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 clip`, `2 clips`; `1 person`, `2 people` where the word for MANY is not that for ONE with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def pick(table: Mapping[str, Entry], name: str, kind: str) -> Entry:
    """Look NAME up in a table of choices; an unknown name raises `UnknownName` with the nearest one."""
    if name not in table:
        raise UnknownName(kind, name, table)
    return table[name]
