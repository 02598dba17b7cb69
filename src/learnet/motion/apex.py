"""The apex of a clip found from its motion, where nobody gave one."""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import TooFewFrames

NOISE, LIGHT = (
    1 / 112,
    17 / 112,
)  # crop widths: blur against the camera's noise; box whose mean is taken out with slow changes of light
STEADIED = 0.03  # of the clip: standard deviation of the smoothing over time
RETURNS = 0.18  # least bend of a clip, as a share of how its ends differ: a rise along half a cosine alone bends by 0.105, and noise adds

EYE = (
    0.17,
    0.10,
)  # crop widths to each side of an eye, above and below, in which a blink moves more than any expression

Places = Iterable[tuple[float, float]]


def motion_curve(crops: UInt8[np.ndarray, "T S S 3"], eyes: Places = ()) -> Float64[np.ndarray, "T"]:
    """How far each frame is from where the face would be if it went evenly from the first frame to the last.

    A head that drifts makes every frame differ from the first, the last one most; a drift at an even pace is on that line, and so
    counts nothing. A movement that comes and goes bends away from the line. The distance is the root of the fourth power mean over
    the pixels, which strong changes in one place decide and weak ones everywhere do not. Where the clip hardly bends, as one
    that ends at its apex, the distance is that from the first frame.

    Args:
        crops: aligned faces in time order, RGB, 0..255; first at rest.
        eyes: their places (x, y) in crop widths, where they are known: what happens around them is not looked at, for it may be a blink.

    Returns:
        Grey levels, smoothed over time.

    Raises:
        TooFewFrames: fewer than two frames.
    """
    count, size = crops.shape[:2]
    if count < 2:
        raise TooFewFrames(found=count, needed=2)
    shown = np.stack([_detail(crop, size) for crop in crops])
    passed = (np.arange(count, dtype=np.float32) / (count - 1))[:, None, None]
    change = (shown - shown[0]) * _outside(eyes, size)
    bend, apart = _distance(change - passed * change[-1]), _distance(change)
    return _smooth(bend if bend.max() >= RETURNS * apart[-1] else apart)


def find_apex(crops: UInt8[np.ndarray, "T S S 3"], eyes: Places = ()) -> int:
    """Position of the apex among the frames of a clip, from 1: where its `motion_curve` is highest, the earliest of equals.

    The middle frame of a clip in which nothing changes at all. A blink of eyes whose places are not known can be taken for the apex.
    Arguments and errors as `motion_curve`.
    """
    distance = motion_curve(crops, eyes)
    return 1 + int(np.argmax(distance[1:])) if distance.any() else max(1, (len(crops) - 1) // 2)


def _detail(crop: UInt8[np.ndarray, "S S 3"], size: int) -> Float32[np.ndarray, "S S"]:
    """Brightness without what is finer or coarser than facial features."""
    blurred = cv2.GaussianBlur(
        cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), NOISE * size
    )
    box = round(LIGHT * size)
    return blurred - cv2.blur(blurred, (box, box), borderType=cv2.BORDER_REFLECT)


def _outside(eyes: Places, size: int) -> Float32[np.ndarray, "S S"]:
    """0 around the eyes, 1 elsewhere."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    outside = np.ones((size, size), np.float32)
    for across, down in eyes:
        outside[(np.abs(x - across) < EYE[0]) & (np.abs(y - down) < EYE[1])] = 0
    return outside


def _distance(change: Float32[np.ndarray, "T S S"]) -> Float64[np.ndarray, "T"]:
    square = np.square(change).reshape(len(change), -1)
    return (np.einsum("tp,tp->t", square, square, dtype=np.float64) / square.shape[1]) ** 0.25


def _smooth(distance: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
    """Mean over a Gaussian in time; beyond the ends their values go on."""
    count = len(distance)
    apart = np.arange(-count, count + 1)
    weight = np.exp(-0.5 * (apart / max(STEADIED * count, 1e-3)) ** 2)
    return np.convolve(np.pad(distance, count, mode="edge"), weight / weight.sum(), mode="valid")
