"""Recognition of several videos by `learnet predict`."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from learnet.cli import console
from learnet.cli.predict_outputs import print_events, write_json
from learnet.cli.predict_video import Wanted, recognise
from learnet.core.errors import BadInput, LearnetError, OutputTaken, counted, repeated
from learnet.core.serialisation import parse_json
from learnet.core.shipped_weights import weights_name

if TYPE_CHECKING:
    from learnet.inference.recogniser import Recogniser


def expand_folders(videos: Sequence[Path]) -> list[Path]:
    """Return the videos, with the files of each folder of videos in its place."""
    from learnet.video.images import video_files

    expanded: list[Path] = []
    for video in videos:
        files = video_files(video) if video.is_dir() else []
        expanded += files or [video]
    return expanded


def check_batch(videos: Sequence[Path], output: Path | None, others: Sequence[Path | None]) -> None:
    """Check the options for several videos."""
    if output is None or any(others):
        raise LearnetError(
            "Several videos are written to a folder, NAME.json and NAME.csv for each.",
            "Name it with --output. The other files are of one video; import-annotations converts NAME.json.",
        )
    if output.suffix.lower() == ".json" and not output.is_dir():
        raise BadInput(output, "several videos are written to a folder", "Name a folder, such as results.")
    if output.exists() and not output.is_dir():
        raise OutputTaken(output, "this is a file", "Name a folder.")
    same = repeated(video.stem for video in videos)
    if same:
        raise LearnetError(
            f"Several videos are named {same[0]}, and their results would have the same names.",
            "Predict them one by one, or rename one.",
        )


def _is_done(result: Path, recogniser: "Recogniser", video: Path, wanted: Wanted) -> bool:
    """Return whether a video has been recognised before in the same way.

    Raises:
        OutputTaken: the file holds something else.
    """
    from learnet.inference.recogniser import SHORT

    if not result.exists():
        return False
    # A short video is judged as one window, also where movements are searched.
    cuts = [asdict(wanted.windows)] if wanted.windows else [None, asdict(SHORT)]
    try:
        record = parse_json(result.read_text(encoding="utf-8"))
        units = record["action_unit_network"] or {"weights": ""}
        networks = [weights_name(record["network"]["weights"]), weights_name(units["weights"])]
        settings = [record["video"], networks, record["fps"]]
        is_same_cut = record["cut"] in cuts
    except (ValueError, KeyError, TypeError):
        settings, is_same_cut = [], False
    fps = settings[-1] if wanted.fps is None and settings else wanted.fps
    own_units = recogniser.action_units.weights if recogniser.action_units else ""
    own_networks = [weights_name(recogniser.weights), weights_name(own_units)]
    if not is_same_cut or settings != [str(video), own_networks, fps]:
        raise OutputTaken(result, "this is no result of the same video and settings", "Name another folder.")
    return True


@dataclass(frozen=True)
class Batch:
    """How several videos are recognised, and where the results are written."""

    folder: Path
    wanted: Wanted
    weights: Path | None
    face: int | Literal["none"]
    face_model: Path | None


def predict_batch(videos: Sequence[Path], batch: Batch, jobs: int) -> None:
    """Recognise several videos. One that cannot be recognised is reported, and the others go on.

    Raises:
        LearnetError: at the end, if there were such videos.
    """
    if jobs == 1:
        recogniser = _load(batch)
        failed = sum(not _predict_one(recogniser, video, batch) for video in videos)
    else:
        from learnet.core.parallel import parallel_map  # joblib would slow down `--help`

        failed = 0
        work = partial(_predict_in_worker, batch=batch)
        mapped = parallel_map(work, videos, jobs, names=[str(video) for video in videos])
        with console.bar("Videos") as progress, closing(mapped) as results:
            for done, (is_recognised, printed) in enumerate(results, 1):
                failed += not is_recognised
                console.err.print(printed, end="", markup=False)
                progress(done, len(videos))
    if failed:
        raise LearnetError(f"{failed} of {counted(len(videos), 'video')} could not be recognised, see above.")


def _load(batch: Batch) -> "Recogniser":
    """Read the weights."""
    from learnet.inference.recogniser import Recogniser

    return Recogniser.load(batch.weights, batch.face_model, batch.face)


def _predict_one(recogniser: "Recogniser", video: Path, batch: Batch) -> bool:
    """Recognise a video and write its results; return False if it cannot be recognised."""
    result = batch.folder / f"{video.stem}.json"
    console.err.print(f"{video}", style="bold", markup=False)
    try:
        if _is_done(result, recogniser, video, batch.wanted):
            console.err.print(f"{result} is there already; skipped", markup=False)
            return True
        recognition = recognise(recogniser, video, batch.wanted, result.with_suffix(".csv"))
    except LearnetError as error:
        console.err.print(f"learnet: {error}", markup=False)
        return False
    write_json(recognition, result)
    print_events(recognition)
    return True


_load_in_worker = cache(_load)
"""Read the weights, once in each process."""


def _predict_in_worker(video: Path, batch: Batch) -> tuple[bool, str]:
    """Recognise a video in a worker process; return also what is to be printed about it."""
    with console.captured() as printed:
        is_recognised = _predict_one(_load_in_worker(batch), video, batch)
    return is_recognised, printed.getvalue()
