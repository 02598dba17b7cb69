"""What both parts of CAS(ME)^3 have in common: the layout of their trees and the names of folders."""

from collections.abc import Mapping, Sequence

from learnet.datasets.readers.reading.folder_names import normalise_names
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks
from learnet.datasets.readers.reading.layout import (
    ClipLocation,
    DatabaseLayout,
    FolderMatch,
    LocateClip,
)
from learnet.datasets.readers.reading.matching import TreeProperties

FPS = 30.0

WORKBOOK = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
WORKBOOK_OF_ALL = "CAS(ME)3_part_A_v2.xls"
"""Label file of the micro-expressions of part A; workbook of all its expressions."""

TREES = ("clips", "raw")
"""A folder per clip; a folder per recording (part A: subject and letter, part C: subject). In order of
preference."""

MAX_MISSING = 0.25
"""Share of a clip's frames that may be missing. The owners call gaps normal, and of a clip of 9
frames one frame is more than a tenth."""

RECORDING = "raw"
"""Last part of the key of a recording."""

OTHER_MEDIA = {"depth", "video", "videos"}
"""Folders that hold the same clips as depth maps or video files."""

_COLOUR_FOLDERS = {"color", "colour", "rgb"}


def without_colour(parts: Sequence[str]) -> list[str]:
    """Return the normalised names without the folder of the colour images at the end."""
    names = normalise_names(parts)
    while names and names[-1] in _COLOUR_FOLDERS:
        names.pop()
    return names


def part_layout(
    labels: LabelWorkbooks, example: str, locate: LocateClip, part: str, published: Mapping[str, int]
) -> DatabaseLayout:
    """Return the layout of a part with what both parts have in common."""

    def locate_clip(parts: Sequence[str]) -> ClipLocation | None:
        is_other_media = OTHER_MEDIA.intersection(normalise_names(parts))
        return None if is_other_media else locate(parts)

    def kind_of_tree(path: str, matches: list[FolderMatch]) -> str:
        location = locate(matches[0][1].parts)
        return "raw" if location and location.key[-1] == RECORDING else "clips"

    def properties(tree: str) -> TreeProperties:
        return TreeProperties("casme3", FPS, cropped=False, trimmed=tree == "clips", max_missing=MAX_MISSING)

    def describe(labels: Labels) -> dict[str, str]:
        return {"part": part}

    return DatabaseLayout(labels, example, locate_clip, TREES, kind_of_tree, properties, describe, published)
