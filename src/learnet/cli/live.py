"""The command that finds facial movements in a live stream."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.cli.streams import print_json
from learnet.core.csv_files import csv_text
from learnet.core.errors import LearnetError
from learnet.core.live_settings import LiveSettings
from learnet.core.output_checks import CSV, check_outputs

if TYPE_CHECKING:
    from learnet.inference.live import EventStream, LiveStream
    from learnet.inference.recogniser import Recogniser

MOST_DIGITS = 9  # of the number of a camera


@app.command(group=VIDEO)
def live(  # noqa: PLR0913 (options)
    source: str,
    /,
    *,
    weights: Path | None = None,
    windows: bool = False,
    settings: Annotated[LiveSettings, Flat] = LiveSettings(),
    fps: float | None = None,
    pace: bool = False,
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    face: int | Literal["none"] = 1,
    face_model: Path | None = None,
) -> None:
    """Find the facial movements while frames arrive; print one line of JSON per event. Ctrl-C stops.

    Parameters
    ----------
    source
        Camera index (0, 1, ...), video file, or folder of images numbered in their file names.
    weights
        File written by `learnet train` or by `learnet export` (.onnx), or the name of shipped weights.
        Default: mlp-cnn-flow-28.
    windows
        Predict the last half second every few frames, instead of the movements that are found.
    fps
        Actual frame rate, where the source states a wrong one; required for a folder of images.
    pace
        Deliver the frames of a file at their own rate, as a camera would.
    table
        Also write the events, or with --windows the predictions, to this CSV file, row by row.
    face
        Which face, where there are several: 1 is the largest, 2 the next, and so on. none: the video shows a
        face crop, in which no face is searched.
    face_model
        YuNet face model; without one, OpenCV's Haar cascades are used.
    """
    from learnet.inference.live import EventStream, LiveStream
    from learnet.inference.recogniser import Recogniser
    from learnet.video.reader import open_video

    if settings != LiveSettings() and not windows:
        raise LearnetError("--every and --window-s are about windows.", "Add --windows.")
    check_outputs([(table, CSV)], [Path(source), weights, face_model])
    if table:
        table.parent.mkdir(parents=True, exist_ok=True)
    is_number = source.isascii() and source.isdigit() and len(source) <= MOST_DIGITS
    is_camera = is_number and not Path(source).exists()
    if fps is None and not is_camera and Path(source).is_dir():
        raise LearnetError(f"{source}: a folder of images has no frame rate.", "Give it with --fps.")
    with open_video(int(source) if is_camera else Path(source), fps) as video:
        recogniser = Recogniser.load(weights, face_model, face)
        if windows:
            stream: EventStream | LiveStream = LiveStream(recogniser, video, settings, pace)
        else:
            stream = EventStream(recogniser, video, pace)
        with stream, _stopped_by_interrupt(stream):
            try:
                _print_results(stream, recogniser, table)
            finally:
                summary = stream.summary()
                for line in (*summary.warnings, str(summary)):
                    console.err.print(line, markup=False)


@contextmanager
def _stopped_by_interrupt(stream: "EventStream | LiveStream") -> Iterator[None]:
    """Let Ctrl-C, the usual way to stop a camera, end the stream; a second one ends the program."""
    is_ignored = signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None)  # as in a job in the background
    if is_ignored or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stream.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _print_results(stream: "EventStream | LiveStream", recogniser: "Recogniser", table: Path | None) -> None:
    """Print each result when it is made. A reader that closes the pipe ends the command quietly."""
    from learnet.inference.live import LiveStream, LiveStretch, columns, spotted_columns

    classes, units = recogniser.metadata.classes, recogniser.units
    header = columns if isinstance(stream, LiveStream) else spotted_columns
    with ExitStack() as stack:
        file = stack.enter_context(_open_table(table)) if table else None
        if file:
            file.write(csv_text([header(classes, units)]))
        for result in stream:
            if not print_json(result.to_json() + "\n"):
                return
            if file and not isinstance(result, LiveStretch):
                file.write(csv_text([result.row(classes, units)]))
                file.flush()


def _open_table(table: Path) -> TextIO:
    return table.open("w", newline="", encoding="utf-8", errors="backslashreplace")
