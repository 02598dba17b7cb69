"""The command that answers while frames come."""

import csv
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.core.output_checks import check_outputs
from learnet.core.settings import LiveSettings

if TYPE_CHECKING:
    from learnet.inference.live import LiveAnswer


@app.command(group=VIDEO)
def live(
    source: str,
    /,
    *,
    weights: Path,
    settings: Annotated[LiveSettings, Flat] = LiveSettings(),
    fps: float | None = None,
    pace: bool = False,
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    face_model: Path | None = None,
) -> None:
    """Name the micro-expressions in SOURCE while its frames come; a line of JSON per answer on stdout. Ctrl-C ends it.

    Parameters
    ----------
    source
        Camera by its index (0, 1, ...), video file, or folder of images whose names end in their numbers.
    weights
        File written by `learnet train`, or by `learnet export` (.onnx).
    fps
        True frame rate, where the source is wrong about it; a folder of images carries none (25 is taken, and said).
    pace
        Let the frames of a file come at their own rate, as a camera would give them.
    table
        Also write the answers to this table, row by row as they come.
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    """
    from learnet.inference.live import Watch
    from learnet.inference.recogniser import Recogniser
    from learnet.video.reader import open_video

    check_outputs([table], [Path(source), weights, face_model])
    if table:
        table.parent.mkdir(parents=True, exist_ok=True)
    camera = source.isascii() and source.isdigit() and not Path(source).exists()
    with open_video(int(source) if camera else Path(source), fps) as video:
        recogniser = Recogniser.load(weights, face_model)
        with Watch(recogniser, video, settings, pace) as watched:
            try:
                with suppress(KeyboardInterrupt):  # the usual end of a camera
                    _show(watched, recogniser.facts.classes, table)
            finally:
                found = watched.summary()
                for line in (*found.warnings, str(found)):
                    console.err.print(line, markup=False)


def _show(answers: Iterable["LiveAnswer"], classes: Sequence[str], table: Path | None) -> None:
    """A line for each answer as soon as it is there; whoever reads them may stop reading."""
    from learnet.inference.live import columns

    with ExitStack() as stack:
        file = stack.enter_context(table.open("w", newline="", encoding="utf-8")) if table else None
        rows = csv.writer(file, lineterminator="\n") if file else None
        if rows:
            rows.writerow(columns(classes))
        for answer in answers:
            try:
                sys.stdout.write(answer.to_json() + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                os.dup2(
                    os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
                )  # or Python complains when it empties its buffer
                return
            if rows and file:
                rows.writerow(answer.row(classes))
                file.flush()
