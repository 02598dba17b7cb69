"""One clip on its way to a motion image, every step kept to be looked at: `learnet show` draws it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Preparation
from learnet.face import face_finder
from learnet.motion.apex import find_apex, motion_curve
from learnet.motion.pipeline import EYE_POSITIONS, MotionResult, magnify_crops, make_image
from learnet.video.reader import open_video, read_clip

LONGEST_S = 10  # seconds of a video that are read without being asked for


@dataclass(frozen=True)
class ClipMarks:
    """Numbers of frames as the files say them (positions from 0 in a video); None where nobody gave one."""

    onset: int | None = None  # None: the first frame
    apex: int | None = None  # None: it is found from motion
    offset: int | None = None  # None: the last frame


@dataclass(frozen=True)
class PipelineTrace:
    """What became of a clip."""

    source: str
    preparation: Preparation  # with what `auto` stood for
    fps: float
    numbers: tuple[int, ...]  # of the frames
    frames: UInt8[np.ndarray, "T H W 3"]
    crops: UInt8[np.ndarray, "T S S 3"]
    magnified_crops: UInt8[np.ndarray, "T S S 3"] | None  # None where nothing was magnified
    motion_curve: Float64[np.ndarray, "T"]  # of the movement, `motion.apex.motion_curve`
    apex: int  # position among the frames
    apex_detected: bool  # the apex was found, not given
    result: MotionResult
    notes: tuple[str, ...]  # sentences: what was lost of the video, what may have spoilt the motion


def trace_pipeline(
    clip: Path,
    preparation: Preparation,
    marks: ClipMarks,
    fps: float | None = None,
    face_model: Path | None = None,
) -> PipelineTrace:
    """Make the motion image of a clip, as `learnet prepare` does, and keep every step.

    Args:
        clip: video file, or folder of images.
        preparation: all choices.
        marks: where the movement is.
        fps: true frame rate, where the video is silent or wrong about it.
        face_model: YuNet's file; without one see `face.find_model`.

    Raises:
        BadInput: no video; an apex that is not among the frames, or not after the onset.
        LearnetError: more than 10 seconds without marks; no face; too few frames; no such motion image.
    """
    if marks.onset is None or marks.offset is None:
        _check_length(clip, fps)
    footage = read_clip(clip, marks.onset, marks.offset, fps)
    given = None
    if marks.apex is not None:
        if marks.apex not in footage.numbers[1:]:
            wrong = f"there is no frame {marks.apex} after the onset; the frames are {footage.numbers[0]} to {footage.numbers[-1]}"
            raise BadInput(clip, wrong, "Name another apex, or none: it is then found.")
        given = footage.numbers.index(marks.apex)
    finder = None if preparation.face == "none" else face_finder(preparation.face, face_model)
    made = make_image(footage.pixels, preparation, finder, given, footage.info.fps)
    crops, eyes = made.aligned.crops(footage.pixels), EYE_POSITIONS if finder else ()
    settled = preparation.settled
    if finder:
        settled = replace(settled, face=finder.kind)  # type: ignore[arg-type]  # as in `preparing`
    return PipelineTrace(
        source=str(clip),
        preparation=settled,
        fps=footage.info.fps,
        numbers=footage.numbers,
        frames=footage.pixels,
        crops=crops,
        magnified_crops=magnify_crops(crops, preparation, footage.info.fps) if preparation.magnify else None,
        motion_curve=motion_curve(crops, eyes),
        apex=find_apex(crops, eyes) if made.apex is None else made.apex,
        apex_detected=given is None,
        result=made,
        notes=(
            *footage.notes,
            *(f"{count} {what}" for what, count in footage.losses.items()),
            *made.aligned.warnings_for(footage.numbers),
        ),
    )


def _check_length(clip: Path, fps: float | None) -> None:
    """A whole film is no clip, and does not fit in memory."""
    with open_video(clip, fps) as video:
        lasts_s = (video.info.frames or 0) / video.info.fps
    if lasts_s > LONGEST_S:
        raise LearnetError(
            f"{clip}: this lasts {lasts_s:.0f} s, and one clip is shown.",
            "Say where it is with --onset and --offset.",
        )
