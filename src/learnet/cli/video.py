"""Commands for your own videos."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.cli.predict_batch import Batch, check_batch, expand_folders, predict_batch
from learnet.cli.predict_outputs import (
    NO_ANNOTATIONS,
    AnnotationFiles,
    print_events,
    refuse_other_json,
    refuse_other_page,
    write_annotation_files,
    write_figures,
    write_json,
)
from learnet.cli.predict_video import Wanted, recognise
from learnet.core.errors import LearnetError
from learnet.core.output_checks import ANNOTATIONS, CSV, FIGURE, HTML, JSON, check_outputs
from learnet.core.settings import Windows


@app.command(group=VIDEO)
def predict(  # noqa: PLR0913 (options)
    *videos: Path,
    weights: Path | None = None,
    output: Path | None = None,
    csv: Path | None = None,
    picture: Path | None = None,
    page: Path | None = None,
    anonymous: bool = False,
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
        Also write a page (.html) on which the video can be watched with the events, and the events corrected;
        it shows the video from its place. With --windows a page with a timeline, without faces.
    anonymous
        The page shows nothing of the person, neither the video nor its name.
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
    if anonymous and (page is None or windows):
        raise LearnetError("--anonymous is about the page of events.", "Add --page, without --windows.")
    files = expand_folders(videos)
    if len(videos) > 1 or files != [*videos]:
        check_batch(files, output, (csv, picture, page, *annotations.paths))
        predict_batch(files, Batch(output or Path(), wanted, weights, face, face_model), jobs)
        return
    (video,) = videos
    annotations.check_suffixes()
    outputs = [(output, JSON), (csv, CSV), (picture, FIGURE), (page, HTML)]
    outputs += [(path, ANNOTATIONS) for path in annotations.paths]
    check_outputs(outputs, (video, weights, face_model))
    refuse_other_json(output)
    refuse_other_page(page, windows)
    annotations.refuse_annotations_of_people()
    recogniser = Recogniser.load(weights, face_model, face)
    recogniser = replace(recogniser, records_motion=page is not None and not windows)
    recognition = recognise(recogniser, video, wanted, csv)
    write_json(recognition, output)
    write_figures(recognition, picture, page, anonymous)
    write_annotation_files(recognition, annotations.paths)
    print_events(recognition)
    written = (output, csv, picture, page, *annotations.paths)
    console.paths(*(path for path in written if path), to=console.err)


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
