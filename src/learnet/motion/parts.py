"""Parts of clips: consecutive sections of equal duration, with a motion image each.

In a prepared folder they are stored as phases are (`motion.phases`), and trained and tested on like them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.core.settings import Preparation
from learnet.face import AlignedFaces
from learnet.motion import MOTION_IMAGES
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.phases import part_name
from learnet.motion.pipeline import crops_for_motion, crops_the_sum, magnify_crops, motion_image

MOST_PARTS = 8  # half a second has 12 intervals at 25 frames per second
WITHOUT_PARTS = ("dynamic-rise", "dynamic-fall", "onset-face", "apex-face")
"""Motion images of one phase or of one frame, of which a part of the clip has none of its own."""

Span = tuple[int, int]  # positions of the first and the last frame, both included


def check_parts_allowed(motion: str, parts: int) -> None:
    """Check that clips can be divided into this number of parts, each with this motion image.

    Raises:
        LearnetError: a number that is not from 2 to MOST_PARTS, or a motion image of WITHOUT_PARTS.
    """
    if not 2 <= parts <= MOST_PARTS:
        raise LearnetError(
            f"parts must be from 2 to {MOST_PARTS}, not {parts}.", "Leave it out for the whole clip alone."
        )
    if motion in WITHOUT_PARTS:
        raise LearnetError(
            f"Parts of a clip have no motion image {motion}, which is of one phase or one frame of it.",
            "Choose another motion image, or leave parts out.",
        )


def part_spans(frames: int, parts: int) -> list[Span]:
    """Return the first and the last frame of each part of a clip.

    The T - 1 intervals between the frames are divided evenly, and the borders rounded to whole frames (halves
    up). The last frame of a part is the first of the next, so that no interval is lost. The durations of the
    parts differ by one frame at most.

    Args:
        frames: T, the number of frames; more than `parts`.
        parts: number of parts.
    """
    intervals = frames - 1
    borders = [(2 * part * intervals + parts) // (2 * parts) for part in range(parts + 1)]
    return list(zip(borders[:-1], borders[1:], strict=True))


def part_images(
    frames: UInt8[np.ndarray, "T H W 3"],
    aligned: AlignedFaces,
    preparation: Preparation,
    parts: int,
    fps: float | None = None,
) -> dict[str, UInt8[np.ndarray, "S S 3"]]:
    """Compute the motion image of each part of a clip by the same steps as that of the whole clip.

    The face is aligned, stabilised and magnified in the whole clip. Each image then is of the frames of its
    part; in place of onset and apex (flow, difference, Bi-WOOF) its first and its last frame are used.

    Args:
        frames: RGB, 0..255, in time order.
        aligned: position of the face in them (`MotionResult.aligned`).
        preparation: all options.
        parts: number of parts.
        fps: frames per second; only magnification needs it.

    Returns:
        The images, 0..255, in time order, by their names in `Phases`.

    Raises:
        TooFewFrames: for the motion image of every part.
    """
    frames_in_part = MOTION_IMAGES[preparation.motion].min_frames
    needed = parts * (frames_in_part - 1) + 1
    if len(frames) < needed:
        purpose = f"to see motion in each of {parts} parts"
        raise TooFewFrames(found=len(frames), needed=needed, purpose=purpose)
    normalise = NORMALISATIONS[preparation.settled.normalise]
    spans = part_spans(len(frames), parts)
    images = {}
    for number, motion in enumerate(_motions(frames, aligned, preparation, spans, fps), start=1):
        images[part_name(number)] = normalise(motion)
    return images


def _motions(
    frames: UInt8[np.ndarray, "T H W 3"],
    aligned: AlignedFaces,
    preparation: Preparation,
    spans: Sequence[Span],
    fps: float | None,
) -> Iterator[Float32[np.ndarray, "S S 3"]]:
    """Yield the motion image of each span before its normalisation."""
    if crops_the_sum(preparation):
        kind = MOTION_IMAGES[preparation.motion]
        for first, last in spans:
            yield aligned.crop_of_sum(frames[first : last + 1], lambda region: kind.compute(region, None))
        return
    crops = crops_for_motion(frames, aligned, preparation)
    magnified = magnify_crops(crops, preparation, fps)
    for first, last in spans:
        yield motion_image(magnified[first : last + 1], preparation, apex=last - first)
