"""Prepared folders of simulated images: what `simulate` writes, whatever the kind of image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.files import report_disk_errors, sha256_hex
from learnet.core.parallel import parallel_map
from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, already_there, save_prepared, versions

Progress = Callable[[int, int], None]  # images made, images in all
Row = dict[str, object]  # columns of `clips.csv` that depend on the image
ImageMaker = Callable[[range], tuple[UInt8[np.ndarray, "N S S 3"], list[Row]]]

DATASET = "simulated"


@dataclass(frozen=True)
class SimulatedFolder:
    """Contents of a prepared folder of simulated images."""

    kind: Literal["flow", "image"]  # how mirroring changes the images, as in `prepare.json`
    preparation: Preparation | None  # None where no clip is prepared
    options: dict[str, object]  # what determines the images: the same options give the same bytes
    people: Sequence[int]  # person in each image: number of the first image of the same person
    names: Sequence[str]  # clip of each image
    block_size: int  # images that one process makes at a time


def write_simulated(
    out: Path, folder: SimulatedFolder, make_images: ImageMaker, jobs: int, progress: Progress | None
) -> PreparedDataset:
    """Write a folder of simulated images, or return it as it is where it already has them.

    Args:
        out: prepared folder.
        folder: its contents.
        make_images: numbers of images -> these images, and the columns of `clips.csv` of each. It is called
            with blocks of numbers in any order.
        jobs: processes; -1 is one per core.
        progress: called as images are made, with (images made, images in all).

    Raises:
        OutputTaken: the folder contains something else.
    """
    images = len(folder.people)
    record = PrepareRecord(
        imported=True,  # no clip was prepared
        preparation=folder.preparation,
        images_kind=folder.kind,
        synthetic=True,
        simulated=True,  # the people are not real, so weights do not record their names
        reading=folder.options,
        inputs=sha256_hex(repr(folder.options).encode()),
        versions=versions(),
        clips=images,
        people=len(set(folder.people)),
    )
    present = already_there(out, record)
    if present:
        return present
    pixels = []
    rows: list[Row] = []
    for block_pixels, block_rows in parallel_map(make_images, _blocks(images, folder.block_size), jobs):
        pixels.append(block_pixels)
        rows += block_rows
        if progress:
            progress(len(rows), images)
    with report_disk_errors(out):
        return save_prepared(out, pixels, _clips_table(rows, folder), record, [])


def _blocks(images: int, block_size: int) -> list[range]:
    """Divide the numbers of images into blocks."""
    blocks = []
    for start in range(0, images, block_size):
        stop = min(start + block_size, images)
        blocks.append(range(start, stop))
    return blocks


def _clips_table(rows: list[Row], folder: SimulatedFolder) -> pd.DataFrame:
    """Return the table `clips.csv`.

    Folders of different seeds show different people, so that they can be concatenated.
    """
    seed = folder.options["seed"]
    prefix = f"seed{seed}-" if seed else ""
    subjects = pd.Series([f"{prefix}{number + 1:06d}" for number in folder.people])
    person = DATASET + "/" + subjects
    return pd.DataFrame(rows).assign(
        image=range(len(rows)),
        subject=subjects,
        name=folder.names,
        dataset=DATASET,
        apex_source="none",
        person=person,
        clip=person + "/" + pd.Series(folder.names),
    )
