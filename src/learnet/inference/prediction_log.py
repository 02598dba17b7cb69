"""The table of the windows of a video, written as they are predicted, and continued after an interruption."""

import json
from pathlib import Path
from typing import Any

from learnet.core.csv_files import csv_text
from learnet.core.errors import OutputTaken
from learnet.core.files import absolute_path, write_atomically
from learnet.core.serialisation import ROOT, InvalidValue, convert, parse_json, to_plain
from learnet.inference.prediction import Prediction
from learnet.inference.recognition import EVENT_COLUMNS, WINDOW_COLUMNS, window_columns, window_row

SUFFIX = ".progress"
"""Suffix of the file beside the table that holds the finished predictions until the last one is written."""


FIRST_COLUMNS = 6  # columns with which the tables of all versions begin


class PredictionLog:
    """Write each prediction to a CSV file when it is made.

    Beside the table, a file `NAME.progress` holds the predictions in full, a line each below a line that
    identifies the run. If it is there when the same run is repeated, its predictions are not computed again.
    """

    def __init__(
        self, table: Path, run: dict[str, Any], classes: tuple[str, ...], units: tuple[int, ...] = ()
    ) -> None:
        """Read the predictions of an interrupted run, and begin the table.

        Args:
            table: CSV file, new or of an earlier run. A missing folder is made; a link is followed.
            run: all that the predictions depend on, as plain values.
            classes: of the network.
            units: action units that are scored.

        Raises:
            OutputTaken: the file, or the one of the progress, holds something else.
        """
        table = absolute_path(table)
        table.parent.mkdir(parents=True, exist_ok=True)
        refuse_other_tables(table)
        self.classes = classes
        self.units = units
        self.table = table
        self.progress = table.with_name(table.name + SUFFIX)
        _refuse_other_progress(self.progress, run)
        self.done = _read(self.progress, run)
        self.replaced = self.progress.is_file() and not self.done  # the beginning of another run
        # Never empty, so that a kill in between costs nothing.
        write_atomically(self.progress, json.dumps(run) + "\n" + "".join(map(_progress_line, self.done)))
        # Line buffering: a killed process leaves whole rows.
        self.rows_file = table.open("w", newline="", encoding="utf-8", buffering=1)
        self.rows_file.write(csv_text([window_columns(classes, units)]))
        self.progress_file = self.progress.open("a", encoding="utf-8", buffering=1)
        for prediction in self.done:
            self._write_row(prediction)

    def add(self, prediction: Prediction) -> None:
        """Write the next prediction."""
        self._write_row(prediction)
        self.progress_file.write(_progress_line(prediction))

    def close(self) -> None:
        """Close the files, so that an interrupted run can be continued."""
        self.rows_file.close()
        self.progress_file.close()

    def finish(self) -> None:
        """Close the files after the last prediction; the table alone stays."""
        self.close()
        self.progress.unlink()

    def discard(self) -> None:
        """Close and remove the files, as of a video that cannot be recognised."""
        self.finish()
        self.table.unlink()

    def _write_row(self, prediction: Prediction) -> None:
        self.rows_file.write(csv_text([window_row(prediction, self.classes, self.units)]))


def _progress_line(prediction: Prediction) -> str:
    return json.dumps(to_plain(prediction)) + "\n"


def _refuse_other_progress(progress: Path, run: dict[str, Any]) -> None:
    """Raise OutputTaken for a link, or a file that does not begin as the progress of some run."""
    if not progress.exists() and not progress.is_symlink():
        return
    is_ours = False
    if progress.is_file() and not progress.is_symlink():
        first_key = json.dumps(run).split(":")[0].encode()
        with progress.open("rb") as handle:
            is_ours = handle.read(len(first_key)) in (first_key, b"")
    if not is_ours:
        wrong = "something else is there, where finished windows are to be kept"
        raise OutputTaken(progress, wrong, "Name another table.")


def refuse_other_tables(table: Path) -> None:
    """Raise OutputTaken for a file that is no table of windows or events; an empty one may be filled."""
    if not table.is_file():
        return
    windows = ",".join(WINDOW_COLUMNS[:FIRST_COLUMNS])
    # All columns: a table of annotations begins with the same ones.
    beginnings = [windows.encode(), ",".join(EVENT_COLUMNS).encode()]
    with table.open("rb") as handle:
        found = handle.read(max(map(len, beginnings)))
    if found and not found.startswith(tuple(beginnings)):
        raise OutputTaken(
            table,
            "this file holds something else than windows or events of a video",
            "Name another file.",
        )


def _read(progress: Path, run: dict[str, Any]) -> tuple[Prediction, ...]:
    """Return the predictions of an interrupted run; none if there are none, or they are of another run.

    The last line may be incomplete.
    """
    if not progress.is_file():
        return ()
    lines = progress.read_bytes().decode("utf-8", errors="replace").splitlines()
    if not lines or lines[0] != json.dumps(run):
        return ()
    predictions = []
    for line in lines[1:]:
        try:
            predictions.append(convert(parse_json(line), Prediction, ROOT))
        except (ValueError, InvalidValue):
            break
    return tuple(predictions)
