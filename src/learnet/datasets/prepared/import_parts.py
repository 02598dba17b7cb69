"""Import of several images of each clip: the first is its image, the others become images of phases."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import BadInput
from learnet.core.files import shortened_list
from learnet.motion.phases import Phases, part_name

PART = "part"
"""Column of the label file that tells several images of one clip apart."""


def has_parts(table: pd.DataFrame) -> bool:
    """Return whether a label table has several images of a clip, which its column `part` tells apart."""
    return PART in table and bool(table["clip"].duplicated().any())


def check_no_parts(labels: Path, table: pd.DataFrame) -> None:
    """Refuse several parts where no column says of which clip they are: each would be a clip of its own.

    Args:
        labels: file of the table.
        table: a row per image, without a column clip.
    """
    if PART in table and table[PART].nunique() > 1:
        wrong = f"it has a column {PART} and no column clip, so the images of one clip cannot be told"
        raise BadInput(labels, wrong, f"Add the column clip, or take the column {PART} out.")


def check_parts(labels: Path, table: pd.DataFrame) -> None:
    """Check that all clips have the same parts, each once, and one label.

    Args:
        labels: file of the table.
        table: a row per image, with the columns clip, part, and emotion or action_units.

    Raises:
        BadInput: a part is empty, missing or there twice, or the labels of a clip differ.
    """
    expected = list(dict.fromkeys(table[PART]))
    lines = [str(line) for line in table.index[table[PART] == ""]]
    if lines:
        wrong = f"part is empty in line {shortened_list(lines)}"
        raise BadInput(labels, wrong, "Fill it in, or remove the column.")
    for clip, rows in table.groupby("clip", sort=False):
        twice = rows[PART][rows[PART].duplicated()]
        if len(twice):
            raise BadInput(labels, f"{clip} has part {twice.iloc[0]} twice", "Name each part of a clip once.")
        missing = [part for part in expected if part not in set(rows[PART])]
        if missing:
            wrong = f"{clip} has no part {shortened_list(missing)}, which other clips have"
            raise BadInput(labels, wrong, "Add the image, or take the clip or the part out.")
        for column in ("emotion", "action_units"):
            if column in rows and rows[column].nunique() > 1:
                wrong = (
                    f"the parts of {clip} differ in {column}: {shortened_list(list(rows[column].unique()))}"
                )
                raise BadInput(labels, wrong, "Give all parts of a clip one label.")


def split_parts(
    table: pd.DataFrame, images: UInt8[np.ndarray, "N H W 3"]
) -> tuple[pd.DataFrame, UInt8[np.ndarray, "C H W 3"], Phases]:
    """Divide checked rows into the first part of each clip and the others.

    Args:
        table: a row per image.
        images: of the rows.

    Returns:
        The rows and images of the part that the table names first, and the images of the other parts.
    """
    is_first = (table[PART] == table[PART].iloc[0]).to_numpy()
    clips = table[is_first]
    row_of_clip = {clip: row for row, clip in enumerate(clips["clip"])}
    others = table[~is_first]
    rows = tuple(row_of_clip[clip] for clip in others["clip"])
    names = tuple(map(part_name, others[PART]))
    return clips, images[is_first], Phases([images[~is_first]], rows, names)
