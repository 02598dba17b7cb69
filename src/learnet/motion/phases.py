"""Images of the phases of clips, onset to apex and apex to offset: to learn from beside those of the whole clips, never to be tested on.

In a prepared folder they are `phases.npy` (M,H,W,3, uint8) and `phases.csv` (a row per image: which clip's it is, and which phase).
"""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from learnet.core.errors import LearnetError

PHASES = {"rise": "dynamic-rise", "fall": "dynamic-fall"}
"""Phase -> the motion image it is."""

WHOLE_CLIP_MOTION = "dynamic"  # the motion image that they are phases of: the same weights, over all frames
PHASE_FILES = ("phases.csv", "phases.npy")
COLUMNS = ("image", "phase")  # of phases.csv; `image` is the clip's, as in clips.csv


@dataclass(frozen=True)
class PhasesRecord:
    """What `prepare.json` says of the phases."""

    images: int
    fingerprint: str  # SHA-256 of all images, of their clips and of their phases


@dataclass(frozen=True)
class Phases:
    """Images of phases, and whose they are. A clip has up to one of each; one whose apex is its last frame has no fall."""

    blocks: Sequence[
        UInt8[np.ndarray, "_ H W 3"]
    ]  # 0..255, one after the other; in several arrays where several folders are one
    clips: tuple[int, ...]  # row of the clip of each, as in clips.csv
    names: tuple[str, ...]  # one of PHASES for each

    def take(self, rows: Sequence[int]) -> tuple[UInt8[np.ndarray, "M H W 3"], Int64[np.ndarray, "M"]]:
        """The images of the phases of these clips, in memory; and for each the place of its clip among ROWS."""
        places = {row: place for place, row in enumerate(rows)}
        chosen = [i for i, clip in enumerate(self.clips) if clip in places]
        return gather_images(self.blocks, chosen), np.array([places[self.clips[i]] for i in chosen], dtype=np.int64)

    @property
    def record(self) -> PhasesRecord:
        """What prepare.json says of them: how many, and a digest of all."""
        found = hashlib.sha256(json.dumps([self.clips, self.names]).encode())
        for block in self.blocks:
            found.update(np.ascontiguousarray(block).data)
        return PhasesRecord(len(self.clips), found.hexdigest())

    def as_csv(self) -> str:
        """The content of phases.csv."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *zip(self.clips, self.names, strict=True)])
        return text.getvalue()


def gather_images(
    blocks: Sequence[UInt8[np.ndarray, "_ H W 3"]], places: Sequence[int]
) -> UInt8[np.ndarray, "M H W 3"]:
    """Copies of the images at these places in arrays that follow each other."""
    starts = np.cumsum([0, *map(len, blocks)])
    of = np.searchsorted(starts, places, side="right") - 1
    found = np.empty((len(places), *blocks[0].shape[1:]), np.uint8)
    for i, (block, place) in enumerate(zip(of, places, strict=True)):
        found[i] = blocks[block][place - starts[block]]
    return found


def concatenate_phases(parts: Sequence[Phases | None], clips: Sequence[int]) -> Phases | None:
    """Those of several folders whose clips follow each other, so many in each; None where a folder has none."""
    if None in parts:
        return None
    here = [part for part in parts if part]
    starts = np.cumsum([0, *clips]).tolist()
    rows = tuple(start + clip for start, part in zip(starts, here, strict=False) for clip in part.clips)
    return Phases(
        [block for part in here for block in part.blocks],
        rows,
        tuple(name for part in here for name in part.names),
    )


def read_phases(folder: Path, record: PhasesRecord) -> Phases:
    """Those of a prepared folder whose prepare.json has this RECORD of them.

    Raises:
        OSError: a file is missing.
        ValueError: the files do not belong together.
    """
    images = np.load(folder / "phases.npy", mmap_mode="r")
    with (folder / "phases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = Phases([images], tuple(int(row["image"]) for row in rows), tuple(row["phase"] for row in rows))
    if len(images) != len(rows) or found.record != record:
        raise ValueError("phases.npy, phases.csv and prepare.json do not belong together")
    return found


def check_phases_allowed(motion: str) -> None:
    """Raise LearnetError for a motion image whose phases are not kept."""
    if motion != WHOLE_CLIP_MOTION:
        raise LearnetError(
            f"--phases is for --motion {WHOLE_CLIP_MOTION}, and this is {motion}.", "Leave one of the two out."
        )
