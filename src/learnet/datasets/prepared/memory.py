"""Motion images in memory, as a source of images like a prepared folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import pick
from learnet.datasets.prepared.record import IMAGE_KINDS, PrepareRecord
from learnet.datasets.prepared.store import COLUMNS, ImageSource, check_flow_channels

NOWHERE = Path("images")  # in error messages, where a prepared folder has its path
DATASET = "images"  # no database: all images belong together


@dataclass(frozen=True)
class ArrayDataset(ImageSource):
    """Images of an array, with their classes and people."""

    images: UInt8[np.ndarray, "N S S 3"]

    @property
    def folders(self) -> tuple[Path, ...]:
        """None: nothing is on disk."""
        return ()

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return int(self.images.shape[1])

    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M S S 3"]:
        """Return the images of these rows of `clips`."""
        return np.ascontiguousarray(self.images[list(rows)])


def array_dataset(
    images: UInt8[np.ndarray, "N S S 3"], classes: Sequence[str], people: Sequence[str], kind: str
) -> ArrayDataset:
    """Return images as a source for a study; a clip is called by its person and its position.

    Args:
        images: RGB, 0..255.
        classes: class of each image.
        people: person of each image.
        kind: what mirroring a face does to its image, one of IMAGE_KINDS.

    Raises:
        UnknownName: no such kind.
        BadInput: flow images with their channels in another order.
    """
    pick(dict.fromkeys(IMAGE_KINDS), kind, "kind of image")
    if kind == "flow":
        check_flow_channels(NOWHERE, images)
    digits = len(str(len(images)))  # so that names sort like positions
    names = [f"{number:0{digits}d}" for number in range(len(images))]
    table = pd.DataFrame(
        {
            "image": range(len(images)),
            "clip": [f"{person}/{name}" for person, name in zip(people, names, strict=True)],
            "dataset": DATASET,
            "subject": people,
            "person": people,
            "name": names,
            "emotion": classes,
        }
    )
    record = PrepareRecord(
        imported=True,
        preparation=None,
        images_kind=kind,
        clips=len(table),
        people=table["person"].nunique(),
    )
    clips = table.reindex(columns=list(COLUMNS), fill_value="")
    return ArrayDataset(NOWHERE, clips, record, images)
