"""The table of the windows of a video, written as they are predicted, and continued after an interruption."""

import json
from pathlib import Path
from typing import Any

from learnet.core.csv_files import csv_text
from learnet.core.errors import OutputTaken
from learnet.core.serialisation import ROOT, InvalidValue, convert, to_plain
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
            OutputTaken: the file holds something else.
        """
        table = table.resolve()
        table.parent.mkdir(parents=True, exist_ok=True)
        refuse_other_tables(table)
        self.classes = classes
        self.units = units
        self.table = table
        self.progress = table.with_name(table.name + SUFFIX)
        self.done = _read(self.progress, run)
        self.replaced = self.progress.is_file() and not self.done  # the beginning of another run
        # Line buffering: a killed process leaves whole rows.
        self.rows_file = table.open("w", newline="", encoding="utf-8", buffering=1)
        self.rows_file.write(csv_text([window_columns(classes, units)]))
        self.progress_file = self.progress.open("w", encoding="utf-8", buffering=1)
        self.progress_file.write(json.dumps(run) + "\n")
        for prediction in self.done:
            self._write(prediction)

    def add(self, prediction: Prediction) -> None:
        """Write the next prediction."""
        self._write(prediction)

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

    def _write(self, prediction: Prediction) -> None:
        self.rows_file.write(csv_text([window_row(prediction, self.classes, self.units)]))
        self.progress_file.write(json.dumps(to_plain(prediction)) + "\n")


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
    lines = progress.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != json.dumps(run):
        return ()
    predictions = []
    for line in lines[1:]:
        try:
            predictions.append(convert(json.loads(line), Prediction, ROOT))
        except (ValueError, InvalidValue):
            break
    return tuple(predictions)
