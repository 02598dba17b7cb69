"""Images of the phases of clips: onset to apex, and apex to offset; or parts (`motion.parts`, or imported).

They are used for training besides the whole clips, and for testing on request (`Training.phases_at_test`).

In a prepared folder they are `phases.npy` (M,H,W,3, uint8) and `phases.csv` (one row per image: its clip and
its phase).
"""

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from learnet.core.csv_files import csv_text
from learnet.core.errors import LearnetError
from learnet.core.npy_files import open_images

# Motion image of each phase.
PHASES = {"rise": "dynamic-rise", "fall": "dynamic-fall"}
# The motion image of the whole clip: the same weights, over all frames.
WHOLE_CLIP_MOTION = "dynamic"
PHASE_FILES = ("phases.csv", "phases.npy")
COLUMNS = ("image", "phase")  # of phases.csv; `image` is that of the clip in clips.csv

ImageBlocks = Sequence[UInt8[np.ndarray, "_ H W 3"]]


@dataclass(frozen=True)
class PhasesRecord:
    """Description of the phases in `prepare.json`."""

    images: int
    fingerprint: str  # SHA-256 of all images, of their clips and of their phases


@dataclass(frozen=True)
class Phases:
    """Images of phases and the clips they belong to.

    A clip has at most one image of each phase. One whose apex is its last frame has no fall.
    """

    blocks: ImageBlocks  # 0..255, consecutive; several arrays where several folders were concatenated
    clips: tuple[int, ...]  # row of the clip of each image in clips.csv
    names: tuple[str, ...]  # phase of each image: a key of PHASES, or `part_name` of a part

    def take(self, rows: Sequence[int]) -> tuple[UInt8[np.ndarray, "M H W 3"], Int64[np.ndarray, "M"]]:
        """Return the images of the phases of some clips.

        Args:
            rows: rows of the clips in clips.csv.

        Returns:
            The images in memory, and for each the position of its clip in `rows`.
        """
        position_of_row = {row: position for position, row in enumerate(rows)}
        selected = []
        positions = []
        for index, clip in enumerate(self.clips):
            position = position_of_row.get(clip)
            if position is not None:
                selected.append(index)
                positions.append(position)
        images = gather_images(self.blocks, selected)
        return images, np.array(positions, dtype=np.int64)

    @property
    def record(self) -> PhasesRecord:
        """Their description in `prepare.json`."""
        description = json.dumps([self.clips, self.names])
        digest = hashlib.sha256(description.encode())
        for block in self.blocks:
            digest.update(np.ascontiguousarray(block).data)
        return PhasesRecord(images=len(self.clips), fingerprint=digest.hexdigest())

    def as_csv(self) -> str:
        """Return the content of phases.csv."""
        return csv_text([COLUMNS, *zip(self.clips, self.names, strict=True)])


def part_name(part: str | int) -> str:
    """Return the name among phases of a part of a clip.

    Args:
        part: its number in time, from 1; or its name in an imported table.
    """
    return f"part {part}"


def gather_images(blocks: ImageBlocks, indices: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
    """Return copies of some images.

    Args:
        blocks: arrays of images, regarded as one consecutive array.
        indices: positions of the images in it.
    """
    block_sizes = [len(block) for block in blocks]
    starts = np.cumsum([0, *block_sizes])
    block_of_image = np.searchsorted(starts, indices, side="right") - 1
    image_shape = blocks[0].shape[1:]
    images = np.empty((len(indices), *image_shape), np.uint8)
    for target, index in enumerate(indices):
        block = block_of_image[target]
        images[target] = blocks[block][index - starts[block]]
    return images


def concatenate_phases(parts: Sequence[Phases | None], clip_counts: Sequence[int]) -> Phases | None:
    """Concatenate the phases of several folders.

    Args:
        parts: phases of each folder.
        clip_counts: number of clips in each folder.

    Returns:
        The phases of the concatenated folder, or None where one of the folders has none.
    """
    blocks: list[UInt8[np.ndarray, "_ H W 3"]] = []
    clips: list[int] = []
    names: list[str] = []
    first_row = 0
    for part, clip_count in zip(parts, clip_counts, strict=True):
        if part is None:
            return None
        blocks.extend(part.blocks)
        clips.extend(first_row + clip for clip in part.clips)
        names.extend(part.names)
        first_row += clip_count
    return Phases(blocks, tuple(clips), tuple(names))


def read_phases(folder: Path, record: PhasesRecord) -> Phases:
    """Read the phases of a prepared folder.

    Args:
        folder: the prepared folder.
        record: their description in its `prepare.json`.

    Raises:
        OSError: a file is missing.
        ValueError: the files do not belong together.
    """
    images = open_images(folder / "phases.npy")
    table = folder / "phases.csv"
    clips = []
    names = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            clips.append(int(row["image"]))
            names.append(row["phase"])
    phases = Phases([images], tuple(clips), tuple(names))
    if len(images) != len(clips) or phases.record != record:
        raise ValueError("phases.npy, phases.csv and prepare.json do not belong together")
    return phases


def check_phases_allowed(motion: str) -> None:
    """Check that phases are stored beside a motion image.

    Raises:
        LearnetError: phases are only stored beside WHOLE_CLIP_MOTION.
    """
    if motion != WHOLE_CLIP_MOTION:
        raise LearnetError(
            f"phases are kept of the motion image {WHOLE_CLIP_MOTION}, and this is {motion}.",
            "Leave one of them out.",
        )
