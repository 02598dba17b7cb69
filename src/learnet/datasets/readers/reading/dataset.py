"""What is known of a database before it is opened: its loader, its published numbers, and what its licence forbids."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.labels import DEFAULT_SCHEMES
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset


@dataclass(frozen=True)
class Dataset:
    """One database; `DATASETS` holds them by name."""

    name: str  # as on the command line and in Clip.dataset
    title: str
    read: Callable[[Path, DatasetSubset], DatasetIndex]  # root folder and which part of it -> what it holds
    fps: float  # frames per second of its recordings; 0 where each clip says its own
    published: Mapping[str, int] = field(
        default_factory=dict
    )  # clips per emotion, as its owners or its users counted them
    people: int = 0  # as published; 0 where nobody counted
    counted: str = ""  # whose numbers `published` and `people` are, and how sure
    apply: str = ""  # where to ask for it
    takes: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # field of Selection -> its values here, () for any
    signs: tuple[
        str, ...
    ] = ()  # patterns of names of files and ways to clips that only this database has, ignoring case
    hidden: tuple[str, ...] = ()  # subjects whose faces must never be published, as Clip.subject writes them

    @property
    def classes(self) -> str:
        """Class scheme it is usually reported in, a name of labels.SCHEMES, or "auto"."""
        return DEFAULT_SCHEMES.get(self.name, ("auto",))[0]

    def signs_among(self, names: Iterable[str]) -> list[str]:
        """Those of NAMES (of files, and ways to clips) that only this database has."""
        pattern = "|".join(f"(?:{sign})" for sign in self.signs)
        return [name for name in names if re.fullmatch(pattern, name, re.IGNORECASE)] if pattern else []

    def hides(self, subject: str) -> bool:
        """Whether the licence forbids to publish this person's face; `12`, `sub12` and `Sub012` are one person."""
        return _plain(subject) in {_plain(each) for each in self.hidden}


def _plain(subject: str) -> str:
    numbers = re.findall(r"\d+", subject)
    return numbers[-1].lstrip("0") if numbers else subject.casefold()
