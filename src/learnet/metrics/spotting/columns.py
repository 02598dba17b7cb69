"""Columns of spotting logs: their names in files, their order in files without a header."""

import re
from collections.abc import Sequence
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.metrics.logs import quoted

FLAGS = ("TP", "FP", "FN")

COLUMNS = {
    "video": ("video", "vid", "videoname", "filename", "recording"),
    "person": ("person", "subject", "sub"),
    "truth_onset": ("truthonset", "gtonset", "onsetgt", "groundtruthonset"),
    "truth_offset": ("truthoffset", "gtoffset", "offsetgt", "groundtruthoffset"),
    "onset": ("predonset", "predictiononset", "predictedonset", "spottedonset", "onset", "onsetframe"),
    "offset": ("predoffset", "predictionoffset", "predictedoffset", "spottedoffset", "offset", "offsetframe"),
    "truth_kind": ("truthkind", "gtkind", "gttype", "truthtype"),
    "kind": ("kind", "type", "predkind", "predtype", "expressiontype"),
    "truth_label": ("truthlabel", "gtlabel", "gtemotion", "truthemotion", "emotiongt"),
    "label": ("label", "emotion", "predlabel", "predemotion"),
    "score": ("score", "confidence", "probability"),
    "flag": ("flag", "result", "tpfpfn"),
}
"""Column and the names it has in files, in lower case; digits count, because `video1` is a video."""

PAIR_COLUMNS = ("video", "truth_onset", "truth_offset", "onset", "offset", "flag")
"""Columns of a log without header, as the MEGC challenges ask for; others may follow."""

PREDICTION_COLUMNS = ("video", "onset", "offset", "person")
"""Columns of a table of predictions without header; the last may be missing."""

FORMAT = (
    "Give the columns video, truth onset, truth offset, predicted onset, predicted offset, TP / FP / FN, "
    "or a header with video, onset, offset and a file of events (--truth)."
)

_WHOLE_NUMBER = re.compile(r"\d+", re.ASCII)


def column_index(cells: Sequence[str]) -> dict[str, int]:
    """Return the position of each column that a header names; empty where it is no header."""
    positions: dict[str, int] = {}
    names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in cells]
    for column, aliases in COLUMNS.items():
        for alias in aliases:
            if alias in names:
                positions.setdefault(column, names.index(alias))
    return positions


def columns_without_header(path: Path, first: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a file whose first line is a row.

    Raises:
        BadInput: it is no row of a log.
    """
    if len(first) >= len(PAIR_COLUMNS) and first[5].upper() in FLAGS:
        return PAIR_COLUMNS
    limits = first[1:3]
    if len(first) in (3, 4) and len(limits) == 2 and all(map(_WHOLE_NUMBER.fullmatch, limits)):
        return PREDICTION_COLUMNS[: len(first)]
    raise BadInput(path, f"its first line is not that of a log: {','.join(first)[:60]!r}", FORMAT)


def check_columns(path: Path, lines: Sequence[tuple[int, Sequence[str]]], columns: int, needed: int) -> None:
    """Refuse a line with fewer columns than those that are read, or with more than the first line.

    Args:
        path: the file, for errors.
        lines: number and cells of each line.
        columns: of the first line.
        needed: columns up to the last that is read.

    Raises:
        BadInput: with the line.
    """
    for number, cells in lines:
        if needed <= len(cells) and not any(cells[columns:]):
            continue
        problem = (
            f"it has {counted(len(cells), 'column')}, and the first line {columns}: {quoted(','.join(cells))}"
        )
        hint = "Complete it; a column without a value is empty, or a dash between blanks."
        if len(cells) > columns:
            hint = "Remove what is too much; write decimals with a point."
        raise BadInput(f"{path} line {number}", problem, hint)
