"""Commands for your own videos."""

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from learnet import __version__
from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.core.errors import BadInput, LearnetError, OutputTaken, counted, repeated
from learnet.core.files import write_atomically
from learnet.core.output_checks import ANNOTATIONS, CSV, FIGURE, HTML, JSON, check_outputs
from learnet.core.settings import Windows

if TYPE_CHECKING:
    from learnet.inference.recogniser import Recogniser
    from learnet.inference.recognition import Recognition


@dataclass(frozen=True)
class AnnotationFiles:
    """Files for annotation programs to which the events are written; None: not requested."""

    elan: Path | None = None
    """Also write the events for ELAN (.eaf)."""

    boris: Path | None = None
    """Also write the events as a BORIS project (.boris)."""

    vtt: Path | None = None
    """Also write the events as WebVTT subtitles (.vtt), which players show over the video."""

    textgrid: Path | None = None
    """Also write the events for Praat (.TextGrid)."""

    def check_suffixes(self) -> None:
        """Refuse a file whose name has the suffix of another program.

        Raises:
            BadInput: with the suffix.
        """
        suffixes = {"elan": ".eaf", "boris": ".boris", "vtt": ".vtt", "textgrid": ".TextGrid"}
        for option, suffix in suffixes.items():
            path = getattr(self, option)
            if path and path.suffix.lower() != suffix.lower():
                raise BadInput(path, f"--{option} writes a {suffix} file", f"Name it {path.stem}{suffix}.")

    @property
    def paths(self) -> list[Path]:
        """The requested files."""
        return [path for path in (self.elan, self.boris, self.vtt, self.textgrid) if path]


NO_ANNOTATIONS = AnnotationFiles()


@app.command(group=VIDEO)
def predict(  # noqa: PLR0913 (options)
    *videos: Path,
    weights: Path | None = None,
    output: Path | None = None,
    csv: Path | None = None,
    picture: Path | None = None,
    page: Path | None = None,
    annotations: Annotated[AnnotationFiles, Flat] = NO_ANNOTATIONS,
    windows: bool = False,
    cut: Annotated[Windows, Flat] = Windows(),
    fps: float | None = None,
    face: int | Literal["none"] = 1,
    face_model: Path | None = None,
    jobs: int = 1,
) -> None:
    """Find the facial movements in a video: time, region, action units, emotion. Print JSON, and a summary on
    stderr.

    Parameters
    ----------
    videos
        Video files, folders of video files, or folders of images numbered in their file names.
    weights
        File written by `learnet train` or by `learnet export` (.onnx), or the name of shipped weights.
        Default: mlp-cnn-flow-28, which distinguishes negative, positive, surprise and none
        (docs/pretrained.md).
    output
        Write the JSON to this file instead. For several videos: folder in which NAME.json and NAME.csv are
        written for each; videos whose results are there already are skipped.
    csv
        Also write a table with a row per event; with --windows a row per window, as they are predicted, and
        an interrupted run continues.
    picture
        Also draw the event or window with the highest score: face crop, motion image and scores (.png, .svg
        or .pdf). A video without any gets its timeline.
    page
        Also write a page (.html) with a timeline and the events; it shows no faces.
    windows
        Cut the video into windows and recognise each, instead of the movements that are found in it.
    fps
        Actual frame rate, where the file states a wrong one; required for a folder of images.
    face
        Which face, where there are several: 1 is the largest, 2 the next (followed by its position), and so
        on. none: the video shows a face crop, in which no face is searched.
    face_model
        YuNet face model; without one, OpenCV's Haar cascades are used.
    jobs
        Number of processes for several videos; -1 is one per core.
    """
    from learnet.inference.recogniser import Recogniser

    if not videos:
        raise LearnetError("VIDEO is missing.", "Name a video file, or a folder of images.")
    wanted = Wanted(cut if windows else None, fps)
    if cut != Windows() and not windows:
        raise LearnetError("--window-s, --overlap and --whole-s are about windows.", "Add --windows.")
    files = _expand_folders(videos)
    if len(videos) > 1 or files != [*videos]:
        _check_batch(files, output, (csv, picture, page, *annotations.paths))
        _predict_batch(files, Batch(output or Path(), wanted, weights, face, face_model), jobs)
        return
    (video,) = videos
    annotations.check_suffixes()
    outputs = [(output, JSON), (csv, CSV), (picture, FIGURE), (page, HTML)]
    outputs += [(path, ANNOTATIONS) for path in annotations.paths]
    check_outputs(outputs, (video, weights, face_model))
    recognition = _recognise(Recogniser.load(weights, face_model, face), video, wanted, csv)
    _write_json(recognition, output)
    _write_figures(recognition, picture, page)
    _write_annotations(recognition, annotations.paths)
    _print_events(recognition)
    written = (output, csv, picture, page, *annotations.paths)
    console.paths(*(path for path in written if path), to=console.err)


@dataclass(frozen=True)
class Wanted:
    """How a video is to be processed."""

    windows: Windows | None  # None: movements are spotted
    fps: float | None  # None: as the file states


def _recognise(recogniser: "Recogniser", video: Path, wanted: Wanted, csv: Path | None) -> "Recognition":
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
        "video": str(video.resolve()),
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


def _write_json(recognition: "Recognition", output: Path | None) -> None:
    text = recognition.to_json() + "\n"
    if output:
        write_atomically(output, text)
    else:
        sys.stdout.write(text)


def _write_figures(recognition: "Recognition", picture: Path | None, page: Path | None) -> None:
    if picture:
        from learnet.report.clip_figures import save_answer

        save_answer(recognition, picture)
    if page:
        from learnet.report.recognition_page import write_recognition_page

        write_recognition_page(recognition, page)


def _write_annotations(recognition: "Recognition", paths: Sequence[Path]) -> None:
    """Write the events to files of annotation programs."""
    from learnet.datasets.annotations.files import write_annotations
    from learnet.datasets.annotations.record import Recording

    video = Path(recognition.source).name
    recording = Recording(recognition.info.fps, frames=recognition.frames, name=video)
    for path in paths:
        write_annotations(path, recognition.events, recording)


def _print_events(recognition: "Recognition") -> None:
    """Print warnings, the events, one in a line, and how much could not be judged, on stderr."""
    from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
    from learnet.inference.event_text import event_line, unjudged_text

    for warning in recognition.warnings:
        console.err.print(f"Warning: {warning}", markup=False)
    for event in recognition.events:
        console.err.print(event_line(event), markup=False)
        for sentence in (criteria_sentence(emotions_from_units(event.action_units)), event.reason):
            if sentence:
                console.err.print(f"{'':8}{sentence}", markup=False)
    if not recognition.events:
        console.err.print(f"No expression: {recognition.reason or recognition.label}.", markup=False)
    unjudged = unjudged_text(recognition.unjudged, recognition.judged_s, recognition.duration_s)
    if unjudged:
        console.err.print(unjudged, markup=False)


def _expand_folders(videos: Sequence[Path]) -> list[Path]:
    """Return the videos, with the files of each folder of videos in its place."""
    from learnet.video.images import video_files

    expanded: list[Path] = []
    for video in videos:
        files = video_files(video) if video.is_dir() else []
        expanded += files or [video]
    return expanded


def _check_batch(videos: Sequence[Path], output: Path | None, others: Sequence[Path | None]) -> None:
    """Check the options for several videos."""
    if output is None or any(others):
        raise LearnetError(
            "Several videos are written to a folder, NAME.json and NAME.csv for each.",
            "Name it with --output. The other files are of one video; import-annotations converts NAME.json.",
        )
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
        record = json.loads(result.read_text(encoding="utf-8"))
        units = record["action_unit_network"] or {"weights": ""}
        networks = [record["network"]["weights"], units["weights"]]
        settings = [record["video"], networks, record["fps"]]
        is_same_cut = record["cut"] in cuts
    except (ValueError, KeyError, TypeError):
        settings, is_same_cut = [], False
    fps = settings[-1] if wanted.fps is None and settings else wanted.fps
    own_units = recogniser.action_units.weights if recogniser.action_units else ""
    if not is_same_cut or settings != [str(video), [recogniser.weights, own_units], fps]:
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


def _predict_batch(videos: Sequence[Path], batch: Batch, jobs: int) -> None:
    """Recognise several videos. One that cannot be recognised is reported, and the others go on.

    Raises:
        LearnetError: at the end, if there were such videos.
    """
    recogniser = _load(batch)
    if jobs == 1:
        failed = sum(not _predict_one(recogniser, video, batch) for video in videos)
    else:
        from learnet.core.parallel import parallel_map  # joblib would slow down `--help`

        failed = 0
        work = partial(_predict_in_worker, batch=batch)
        with console.bar("Videos") as progress, closing(parallel_map(work, videos, jobs)) as results:
            for done, (is_recognised, printed) in enumerate(results, 1):
                failed += not is_recognised
                console.err.print(printed, end="", markup=False)
                progress(done, len(videos))
    if failed:
        raise LearnetError(f"{failed} of {counted(len(videos), 'video')} could not be recognised, see above.")


@cache
def _load(batch: Batch) -> "Recogniser":
    """Read the weights, once in each process."""
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
        recognition = _recognise(recogniser, video, batch.wanted, result.with_suffix(".csv"))
    except LearnetError as error:
        console.err.print(f"learnet: {error}", markup=False)
        return False
    _write_json(recognition, result)
    _print_events(recognition)
    return True


def _predict_in_worker(video: Path, batch: Batch) -> tuple[bool, str]:
    """Recognise a video in a worker process; return also what is to be printed about it."""
    with console.captured() as printed:
        is_recognised = _predict_one(_load(batch), video, batch)
    return is_recognised, printed.getvalue()


@app.command(name="face-model", group=VIDEO)
def face_model(to: Path | None = None, /) -> None:
    """Download the YuNet face model (Apache-2.0, 230 kB) and verify its SHA-256.

    No other command uses the network, except the options `--cluster` of `study`, `select` and `run`.

    Parameters
    ----------
    to
        File to write; by default the user's cache folder, where all commands look.
    """
    from learnet.face import fetch_model

    console.paths(fetch_model(to))
