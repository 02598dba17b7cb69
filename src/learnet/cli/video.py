"""Commands for videos of one's own."""

import sys
from pathlib import Path
from typing import Annotated

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.core.errors import LearnetError
from learnet.core.output_checks import check_outputs
from learnet.core.settings import Windows


@app.command(group=VIDEO)
def predict(
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
    """Name the micro-expression in VIDEO, one answer per window of time; JSON on stdout.

    Parameters
    ----------
    video
        Video file, or folder of images whose names end in their numbers.
    weights
        File written by `learnet train`, or by `learnet export` (.onnx: runs by onnxruntime, without torch). Or the name
        of weights that come with learnet, of which ststnet-flow-28 answer where none are named; they know negative, positive, surprise
        and none (docs/pretrained.md).
    fps
        True frame rate, where the video is wrong about it; a folder of images carries none (25 is taken, and said).
    output
        Write the JSON to this file instead.
    csv
        Also write the answers as a table.
    picture
        Also draw the strongest answer: face crop, dynamic image and scores (.png, .svg or .pdf).
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    """
    from learnet.core.files import write_atomically
    from learnet.inference.recogniser import Recogniser
    from learnet.training.pretrained import default_weights

    weights = weights or default_weights("flow", 28)
    check_outputs((output, csv, picture), (video, weights, face_model))
    if picture and picture.suffix.lower() not in (
        ".png",
        ".svg",
        ".pdf",
    ):  # said now, not after minutes of reading
        raise LearnetError(
            f"{picture}: {picture.suffix or 'no suffix'} is no format for a picture.",
            "Choose .png, .svg or .pdf.",
        )
    with console.bar("Reading windows") as progress:
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
    """Fetch the YuNet face model (Apache-2.0, 230 kB) and check its SHA-256. The only command that uses the network.

    Parameters
    ----------
    to
        File to write; without it the user's cache, where all commands look.
    """
    from learnet.face import fetch_model

    console.paths(fetch_model(to))
