"""What a reader knows of a database before it opens a folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.datasets.readers.reading.folder_names import (
    FolderKey,
    find_subject_and_clip,
    normalise_name,
)
from learnet.datasets.readers.reading.label_sources import FolderLabels, Labels, LabelWorkbooks
from learnet.datasets.readers.reading.matching import TreeProperties
from learnet.datasets.readers.reading.rows import LabelRow


@dataclass(frozen=True)
class ClipLocation:
    """The clip that a folder of images belongs to, according to its path."""

    depth: int
    """Number of names in the path above the clips of the tree: the length of the tree's own path."""

    key: FolderKey

    problem: str = ""
    """What is wrong with the place of the folder. Another folder of the same clip is preferred."""


LocateClip = Callable[[Sequence[str]], ClipLocation | None]
"""Path of a folder of images -> its clip, or None where it does not belong to the database."""

FolderMatch = tuple[LabelRow, Path]
"""A row and the folder of its clip."""


def locate_below_subject(parts: Sequence[str]) -> ClipLocation | None:
    """Locate a clip in SUBJECT/CLIP, for databases that write subjects with two digits.

    `key_by_subject_and_name` gives the same keys for rows.
    """
    clip = find_subject_and_clip(parts)
    if clip is None:
        return None
    key = (f"{clip.subject:02d}", normalise_name(clip.name))
    return ClipLocation(clip.depth, key)


def describe_nothing(labels: Labels) -> dict[str, str]:
    """Return no further lines for the audit: the default of `DatabaseLayout.describe`."""
    return {}


@dataclass(frozen=True)
class DatabaseLayout:
    """Where a database keeps its labels and clips."""

    labels: LabelWorkbooks | FolderLabels

    example: str
    """Path of a clip's folder, for messages: "sub01/EP02_01f"."""

    locate_clip: LocateClip

    tree_kinds: tuple[str, ...]
    """Kinds of folder trees that occur, in order of preference."""

    kind_of_tree: Callable[[str, list[FolderMatch]], str]
    """Path of a tree (or its name) and its labelled clips -> one of `tree_kinds`."""

    properties: Callable[[str], TreeProperties]
    """Kind of tree -> what its clips have in common."""

    describe: Callable[[Labels], dict[str, str]] = describe_nothing
    """Labels -> further lines of the audit."""

    published: Mapping[str, int] | None = None
    """As DatasetIndex.published."""

    workbooks_inside_trees: bool = False
    """Workbooks are stored inside the trees, so that trees of other kinds are beside them and have none."""
