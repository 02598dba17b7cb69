"""The command that shows each processing step of a clip."""

from pathlib import Path
from typing import Annotated

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.core.output_checks import FIGURE, check_outputs
from learnet.core.settings import Preparation


@app.command(group=VIDEO)
def show(  # noqa: PLR0913 (options)
    clip: Path,
    /,
    *,
    out: Path = Path("picture.png"),
    onset: int | None = None,
    apex: int | None = None,
    offset: int | None = None,
    preparation: Annotated[Preparation, Flat] = Preparation(),
    fps: float | None = None,
    face_model: Path | None = None,
) -> None:
    """Draw every step from a clip to the network input: frames, face crops, motion image by channel.

    The figure shows the face.

    Parameters
    ----------
    clip
        Video file, or folder of images numbered in their file names.
    out
        Figure to write (.png, .svg or .pdf).
    onset
        Onset frame: its number in the file name, or counted from 0 in a video; by default the first frame.
    apex
        Apex frame; by default it is detected from motion.
    offset
        Offset frame; by default the last frame.
    fps
        Actual frame rate, where the file states a wrong one or none (a folder of images counts as 25). Only
        --magnify uses it.
    face_model
        YuNet face model; without one, OpenCV's Haar cascades are used.
    """
    from learnet.motion.trace import ClipMarks, trace_pipeline
    from learnet.report.clip_figures import save_trace

    check_outputs([(out, FIGURE)], [clip, face_model])
    trace = trace_pipeline(clip, preparation, ClipMarks(onset, apex, offset), fps, face_model)
    save_trace(trace, out)
    first, apex_frame, last = (trace.numbers[index] for index in (0, trace.apex, -1))
    source = "detected" if trace.apex_detected else "given"
    console.out.print(
        f"{preparation.motion}: onset {first}, apex {apex_frame} ({source}), offset {last}", markup=False
    )
    console.paths(out)
