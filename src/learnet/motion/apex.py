"""Detection of the apex of a clip from its motion, where it was not annotated."""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import TooFewFrames

# All lengths in crop widths.
NOISE_BLUR = 1 / 112  # standard deviation of the blur against the camera's noise
LIGHT_BOX = 17 / 112  # width of the box whose mean is subtracted, which removes slow changes of light
# A blink moves this area around an eye more than any expression does.
EYE_HALF_WIDTH = 0.17
EYE_HALF_HEIGHT = 0.10

# Standard deviation of the smoothing over time, as a share of the clip.
TIME_BLUR = 0.03
# Smallest deviation of a clip from linear motion, as a share of the difference of its ends, at which it
# counts as a movement that returns. A rise along half a cosine alone deviates by 0.105, and noise adds to it.
MIN_DEVIATION = 0.18

REST_SHARE = 0.1  # of the rise above rest at the apex: up to this the face is at rest

EyePositions = Iterable[tuple[float, float]]


def motion_curve(crops: UInt8[np.ndarray, "T S S 3"], eyes: EyePositions = ()) -> Float64[np.ndarray, "T"]:
    """Compute how far each frame deviates from a linear change between the first and the last frame.

    A head that drifts makes every frame differ from the first, the last one most. A drift at constant speed
    is linear and does not count; a movement that comes and goes deviates. The deviation is the root of the
    fourth power mean over the pixels, which is dominated by strong changes in one place, not by weak changes
    everywhere. Where the clip hardly deviates, such as one that ends at its apex, the curve is the difference
    from the first frame.

    Args:
        crops: aligned faces in time order, RGB, 0..255; the first at rest.
        eyes: positions (x, y) of the eyes in crop widths, where known; their surroundings are ignored because
            of blinks.

    Returns:
        Grey levels, smoothed over time.

    Raises:
        TooFewFrames: fewer than two frames.
    """
    count, size = crops.shape[:2]
    if count < 2:
        raise TooFewFrames(found=count, needed=2)
    detail_images = [_facial_detail(crop, size) for crop in crops]
    details = np.stack(detail_images)
    frame_index = np.arange(count, dtype=np.float32)
    elapsed = frame_index / (count - 1)
    change = details - details[0]
    change = change * eye_mask(eyes, size)
    linear_change = elapsed[:, None, None] * change[-1]
    deviation = _distance(change - linear_change)
    difference = _distance(change)
    threshold = MIN_DEVIATION * difference[-1]
    if deviation.max() >= threshold:
        return _smooth(deviation)
    return _smooth(difference)


def find_apex(crops: UInt8[np.ndarray, "T S S 3"], eyes: EyePositions = ()) -> int:
    """Return the position of the apex among the frames of a clip, from 1.

    It is the maximum of the `motion_curve`, the earliest of equal ones; the middle frame of a clip in which
    nothing changes at all. A blink of eyes whose positions are unknown can be mistaken for the apex.
    Arguments and errors are those of `motion_curve`.
    """
    curve = motion_curve(crops, eyes)
    if curve.any():
        return 1 + int(np.argmax(curve[1:]))
    middle = (len(crops) - 1) // 2
    return max(1, middle)


def detect_onset_and_offset(movement: Float64[np.ndarray, "T"], apex: int) -> tuple[int, int]:
    """Detect onset and offset as the frames nearest to the apex at which the face is at rest.

    At rest, the movement is at most REST_SHARE of its height at the apex above its minimum on that side of
    the apex.

    Args:
        movement: `motion_curve` of the clip.
        apex: position of the apex.

    Returns:
        Positions of onset and offset; the first or last frame of the clip if the face is never at rest on
        that side.
    """
    before, after = movement[: apex + 1], movement[apex:]
    rest_before = before.min() + REST_SHARE * (movement[apex] - before.min())
    rest_after = after.min() + REST_SHARE * (movement[apex] - after.min())
    onsets = np.flatnonzero(before <= rest_before)
    offsets = np.flatnonzero(after <= rest_after)
    return int(onsets.max(initial=0)), apex + int(offsets.min(initial=len(after) - 1))


def _facial_detail(crop: UInt8[np.ndarray, "S S 3"], size: int) -> Float32[np.ndarray, "S S"]:
    """Return the brightness without structures finer or coarser than facial features."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurred = cv2.GaussianBlur(grey, (0, 0), NOISE_BLUR * size)
    box = round(LIGHT_BOX * size)
    return blurred - cv2.blur(blurred, (box, box), borderType=cv2.BORDER_REFLECT)


def eye_mask(eyes: EyePositions, size: int, margin: float = 0.0) -> Float32[np.ndarray, "S S"]:
    """Return 0 around the eyes, 1 elsewhere.

    Args:
        eyes: positions (x, y) in crop widths.
        size: height and width of the mask in pixels.
        margin: by which the area around an eye is larger on each side, crop widths.
    """
    rows, columns = np.mgrid[:size, :size]
    y = (rows + 0.5) / size
    x = (columns + 0.5) / size
    mask = np.ones((size, size), np.float32)
    for eye_x, eye_y in eyes:
        distance_x = np.abs(x - eye_x)
        distance_y = np.abs(y - eye_y)
        in_columns = distance_x < EYE_HALF_WIDTH + margin
        in_rows = distance_y < EYE_HALF_HEIGHT + margin
        mask[in_columns & in_rows] = 0
    return mask


def _distance(change: Float32[np.ndarray, "T S S"]) -> Float64[np.ndarray, "T"]:
    """Return the root of the fourth power mean over the pixels of each frame."""
    squares = np.square(change)
    squares = squares.reshape(len(change), -1)
    pixels = squares.shape[1]
    fourth_powers = np.einsum("tp,tp->t", squares, squares, dtype=np.float64)
    return (fourth_powers / pixels) ** 0.25


def _smooth(curve: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
    """Return the mean over a Gaussian in time; beyond the ends, their values are repeated."""
    count = len(curve)
    distances = np.arange(-count, count + 1)
    blur = max(TIME_BLUR * count, 1e-3)
    weights = np.exp(-0.5 * (distances / blur) ** 2)
    weights /= weights.sum()
    padded = np.pad(curve, count, mode="edge")
    return np.convolve(padded, weights, mode="valid")
