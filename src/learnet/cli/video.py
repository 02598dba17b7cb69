"""Commands for your own videos."""

import sys
from pathlib import Path
from typing import Annotated

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.core.errors import LearnetError
from learnet.core.output_checks import check_outputs
from learnet.core.settings import Windows

FIGURE_SUFFIXES = (".png", ".svg", ".pdf")


@app.command(group=VIDEO)
def predict(  # noqa: PLR0913 (options)
    video: Path,
    /,
    *,
    weights: Path | None = None,
    output: Path | None = None,
    csv: Path | None = None,
    picture: Path | None = None,
    windows: Annotated[Windows, Flat] = Windows(),
    fps: float | None = None,
    face_model: Path | None = None,
) -> None:
    """Recognise micro-expressions in a video, one prediction per time window. Print JSON.

    Parameters
    ----------
    video
        Video file, or folder of images numbered in their file names.
    weights
        File written by `learnet train` or by `learnet export` (.onnx, run by onnxruntime without torch), or
        the name of shipped weights. Default: ststnet-flow-28, which distinguishes negative, positive,
        surprise and none (docs/pretrained.md).
    fps
        Actual frame rate, where the file states a wrong one or none (a folder of images counts as 25).
    output
        Write the JSON to this file instead.
    csv
        Also write the predictions as a table.
    picture
        Also draw the prediction with the highest score: face crop, motion image and scores (.png, .svg or
        .pdf).
    face_model
        YuNet face model; without one, OpenCV's Haar cascades are used.
    """
    from learnet.core.files import write_atomically
    from learnet.inference.recogniser import Recogniser
    from learnet.training.pretrained import default_weights

    weights = weights or default_weights("flow", 28)
    check_outputs((output, csv, picture), (video, weights, face_model))
    if picture and picture.suffix.lower() not in FIGURE_SUFFIXES:  # checked before minutes of reading
        raise LearnetError(
            f"{picture}: {picture.suffix or 'no suffix'} is not a supported figure format.",
            f"Choose from {', '.join(FIGURE_SUFFIXES)}.",
        )
    with console.bar("Processing windows") as progress:
        recognition = Recogniser.load(weights, face_model)(video, windows, fps, progress)
    if output:
        write_atomically(output, recognition.to_json() + "\n")
    else:
        sys.stdout.write(recognition.to_json() + "\n")
    if csv:
        write_atomically(csv, recognition.to_csv())
    if picture:
        from learnet.report.clip_figures import save_answer

        save_answer(recognition, picture)
    console.paths(*(path for path in (output, csv, picture) if path), to=console.err)


@app.command(name="face-model", group=VIDEO)
def face_model(to: Path | None = None, /) -> None:
    """Download the YuNet face model (Apache-2.0, 230 kB) and verify its SHA-256.

    This is the only command that uses the network.

    Parameters
    ----------
    to
        File to write; by default the user's cache folder, where all commands look.
    """
    from learnet.face import fetch_model

    console.paths(fetch_model(to))
