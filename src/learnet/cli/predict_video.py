"""Recognition of one video by `learnet predict`: as asked, with progress, continued after an interruption."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from learnet import __version__
from learnet.cli import console
from learnet.core.errors import LearnetError
from learnet.core.files import absolute_path, write_atomically
from learnet.core.settings import Windows

if TYPE_CHECKING:
    from learnet.inference.recogniser import Recogniser
    from learnet.inference.recognition import Recognition


@dataclass(frozen=True)
class Wanted:
    """How a video is to be processed."""

    windows: Windows | None  # None: movements are spotted
    fps: float | None  # None: as the file states


def recognise(recogniser: "Recogniser", video: Path, wanted: Wanted, csv: Path | None) -> "Recognition":
    """Recognise one video, with a progress bar, and write its table."""
    from learnet.inference.prediction_log import refuse_other_tables

    if csv:
        refuse_other_tables(csv)
    if csv and wanted.windows and (csv.is_file() or not csv.exists()):  # a pipe cannot be continued
        return _recognise_windows(recogniser, video, wanted, csv)
    title = "Processing windows" if wanted.windows else "Searching frames"
    with console.bar(title) as progress:
        recognition = recogniser(video, wanted.windows, wanted.fps, progress)
    if csv:
        write_atomically(csv, recognition.to_csv(windows=wanted.windows is not None))
    return recognition


def _recognise_windows(recogniser: "Recogniser", video: Path, wanted: Wanted, csv: Path) -> "Recognition":
    """Recognise the windows of one video, and write each to the table as it goes."""
    from learnet.inference.prediction_log import PredictionLog

    run = _run_description(recogniser, video, wanted)
    log = PredictionLog(csv, run, recogniser.metadata.classes, recogniser.units)
    if log.replaced:
        console.err.print(f"{csv}: begun anew; what was there is of another run", markup=False)
    if log.done:
        console.err.print(f"{csv}: continued after window {len(log.done)}", markup=False)
    try:
        with console.bar("Processing windows") as progress:
            recognition = recogniser(video, wanted.windows, wanted.fps, progress, log)
    except LearnetError:
        log.discard()
        raise
    finally:
        log.close()  # of an interrupted run, which can be continued
    log.finish()
    return recognition


def _run_description(recogniser: "Recogniser", video: Path, wanted: Wanted) -> dict[str, object]:
    """Return all that the predictions depend on: an interrupted run is continued only by the same one."""
    from learnet.training.metadata import metadata_to_json

    state = video.stat()
    units = recogniser.action_units
    return {
        "video": str(absolute_path(video)),
        "bytes": state.st_size,
        "modified_ns": state.st_mtime_ns,
        "weights": recogniser.weights,
        "metadata": metadata_to_json(recogniser.metadata),
        "action_units": metadata_to_json(units.metadata) if units else None,
        "windows": asdict(wanted.windows) if wanted.windows else None,
        "fps": wanted.fps,
        "face": recogniser.face_number if recogniser.finder else "none",
        "finder": recogniser.finder.kind if recogniser.finder else "none",
        "learnet": __version__,
    }
