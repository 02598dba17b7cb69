"""Every step from a clip to its motion image, kept for inspection: `learnet show` draws it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Preparation
from learnet.face import FaceFinder, face_finder
from learnet.motion.apex import find_apex, motion_curve
from learnet.motion.pipeline import EYE_POSITIONS, MotionResult, magnify_crops, make_image
from learnet.video.reader import LoadedClip, open_video, read_clip

MAX_DURATION_S = 10  # of a video that is read whole without onset and offset


@dataclass(frozen=True)
class ClipMarks:
    """Frame numbers as in the file names (positions from 0 in a video); None where not given."""

    onset: int | None = None  # None: the first frame
    apex: int | None = None  # None: detected from motion
    offset: int | None = None  # None: the last frame


@dataclass(frozen=True)
class PipelineTrace:
    """The steps from a clip to its motion image."""

    source: str
    preparation: Preparation  # `auto` replaced by what it selected
    fps: float
    numbers: tuple[int, ...]  # of the frames
    frames: UInt8[np.ndarray, "T H W 3"]
    crops: UInt8[np.ndarray, "T S S 3"]
    magnified_crops: UInt8[np.ndarray, "T S S 3"] | None  # None where nothing was magnified
    motion_curve: Float64[np.ndarray, "T"]  # `motion.apex.motion_curve`
    apex: int  # position among the frames
    apex_detected: bool  # rather than given
    result: MotionResult
    notes: tuple[str, ...]  # sentences about losses in the video and about what may have spoilt the motion


def trace_pipeline(
    clip: Path,
    preparation: Preparation,
    marks: ClipMarks,
    fps: float | None = None,
    face_model: Path | None = None,
) -> PipelineTrace:
    """Compute the motion image of a clip as `learnet prepare` does, and keep every step.

    Args:
        clip: video file, or folder of images.
        preparation: all options.
        marks: onset, apex and offset of the movement.
        fps: actual frame rate, where the video states none or a wrong one.
        face_model: YuNet's model file; by default see `face.find_model`.

    Raises:
        BadInput: no video; an apex that is not among the frames, or not after the onset.
        LearnetError: more than 10 seconds without marks; no face; too few frames; no such motion image.
    """
    if marks.onset is None or marks.offset is None:
        _check_duration(clip, fps)
    loaded = read_clip(clip, marks.onset, marks.offset, fps)
    frames, fps = loaded.pixels, loaded.info.fps
    given_apex = _apex_position(clip, loaded, marks.apex)
    finder = None if preparation.face == "none" else face_finder(preparation.face, face_model)
    result = make_image(frames, preparation, finder, given_apex, fps)
    crops = result.aligned.crops(frames)
    eyes = EYE_POSITIONS if finder else ()
    return PipelineTrace(
        source=str(clip),
        preparation=_settle(preparation, finder),
        fps=fps,
        numbers=loaded.numbers,
        frames=frames,
        crops=crops,
        magnified_crops=magnify_crops(crops, preparation, fps) if preparation.magnify else None,
        motion_curve=motion_curve(crops, eyes),
        apex=find_apex(crops, eyes) if result.apex is None else result.apex,
        apex_detected=given_apex is None,
        result=result,
        notes=_notes(loaded, result),
    )


def _check_duration(clip: Path, fps: float | None) -> None:
    """Refuse a long video, which is no clip and does not fit in memory."""
    with open_video(clip, fps) as video:
        duration_s = (video.info.frames or 0) / video.info.fps
    if duration_s > MAX_DURATION_S:
        raise LearnetError(
            f"{clip}: this video lasts {duration_s:.0f} s, and one clip is shown.",
            "Mark the clip with onset and offset (--onset, --offset).",
        )


def _apex_position(clip: Path, loaded: LoadedClip, apex: int | None) -> int | None:
    """Return the position of the given apex among the frames, or None without one."""
    if apex is None:
        return None
    numbers = loaded.numbers
    if apex not in numbers[1:]:
        problem = f"there is no frame {apex} after the onset; the frames are {numbers[0]} to {numbers[-1]}"
        raise BadInput(clip, problem, "Give another apex, or none: it is then detected.")
    return numbers.index(apex)


def _settle(preparation: Preparation, finder: FaceFinder | None) -> Preparation:
    """Return the options with `auto` replaced by what it selected, as `learnet prepare` records them."""
    settled = preparation.settled
    if finder is None:
        return settled
    return replace(settled, face=finder.kind)  # type: ignore[arg-type]


def _notes(loaded: LoadedClip, result: MotionResult) -> tuple[str, ...]:
    """Return the sentences about losses in the video and about what may have spoilt the motion."""
    losses = [f"{count} {kind}" for kind, count in loaded.losses.items()]
    warnings = result.aligned.warnings_for(loaded.numbers)
    return (*loaded.notes, *losses, *warnings)
