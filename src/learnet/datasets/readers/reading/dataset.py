"""Describe a database before it is opened: its reader, its published numbers, what its licence forbids."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.labels import DEFAULT_SCHEMES
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset


@dataclass(frozen=True)
class Dataset:
    """One database. `DATASETS` holds all of them by name."""

    name: str
    """As on the command line and in Clip.dataset."""

    title: str

    read: Callable[[Path, DatasetSubset], DatasetIndex]
    """Root folder and the requested part of the database -> its clips and the findings about them."""

    fps: float
    """Frames per second of its recordings; 0 where each clip has its own rate."""

    published: Mapping[str, int] = field(default_factory=dict)
    """Clips per emotion, as the owners or the users of the database counted them."""

    people: int = 0
    """Number of people as published; 0 where it is unknown."""

    published_source: str = ""
    """Who published these numbers, and how certain they are."""

    access: str = ""
    """Where to request the database."""

    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field of DatasetSubset -> its values for this database, () where any value is allowed."""

    signatures: tuple[str, ...] = ()
    """Patterns of file names and of clip paths that only this database has. Case is ignored."""

    hidden_subjects: tuple[str, ...] = ()
    """Subjects whose faces must not be published, as in Clip.subject."""

    @property
    def default_scheme(self) -> str:
        """Class scheme in which results are usually reported: a name of `labels.SCHEMES`, or "auto"."""
        return DEFAULT_SCHEMES.get(self.name, ("auto",))[0]

    def matching_signatures(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` (file names and clip paths) that only this database has."""
        if not self.signatures:
            return []
        pattern = re.compile("|".join(f"(?:{signature})" for signature in self.signatures), re.IGNORECASE)
        return [name for name in names if pattern.fullmatch(name)]

    def is_hidden(self, subject: str) -> bool:
        """Return whether the licence forbids publishing a subject's face.

        `12`, `sub12` and `Sub012` are the same subject.
        """
        return _normalise_subject(subject) in map(_normalise_subject, self.hidden_subjects)


def _normalise_subject(subject: str) -> str:
    numbers = re.findall(r"\d+", subject)
    if not numbers:
        return subject.casefold()
    return numbers[-1].lstrip("0")
