"""The command that shows what becomes of a clip."""

from pathlib import Path
from typing import Annotated

from learnet.cli import console
from learnet.cli.app import VIDEO, Flat, app
from learnet.core.errors import LearnetError
from learnet.core.output_checks import check_outputs
from learnet.core.settings import Preparation


@app.command(group=VIDEO)
def show(
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
    """Draw every step from CLIP to the network's input: frames, face crops, motion image channel by channel. The picture shows the face.

    Parameters
    ----------
    clip
        Video file, or folder of images whose names end in their numbers.
    out
        Picture to write (.png, .svg or .pdf).
    onset
        Number of the onset frame: in a folder as its file is called, in a video from 0; without it the first frame.
    apex
        Number of the apex frame; without it the apex is found from motion.
    offset
        Number of the offset frame; without it the last frame.
    fps
        True frame rate, where the video is wrong about it; a folder of images carries none (25 is taken, and said). Only --magnify asks.
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    """
    from learnet.motion.trace import ClipMarks, trace_pipeline
    from learnet.report.clip_figures import save_trace
    from learnet.report.style import SUFFIXES

    check_outputs([out], [clip, face_model])
    if out.suffix.lower() not in SUFFIXES:
        raise LearnetError(
            f"{out}: {out.suffix or 'no suffix'} is no format for a picture.",
            f"Choose from {', '.join(SUFFIXES)}.",
        )
    steps = trace_pipeline(clip, preparation, ClipMarks(onset, apex, offset), fps, face_model)
    save_trace(steps, out)
    first, top, last = (steps.numbers[place] for place in (0, steps.apex, -1))
    console.out.print(
        f"{preparation.motion}: onset {first}, apex {top} ({'detected' if steps.detected else 'given'}), offset {last}"
    )
    console.paths(out)
