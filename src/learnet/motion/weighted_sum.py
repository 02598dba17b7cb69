"""Weighted sums of the frames of a clip, exact where a pixel never changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

Frames = UInt8[np.ndarray, "T H W C"] | Float[np.ndarray, "T H W C"]

# Pixels x channels summed at once: two running means of them (float64) fit the cache of a core.
TILE_SIZE = 61440
# Frames summed at once where they are floats.
FLOAT_BLOCK = 8
# Upper bound on the rounding error of one step of a running mean of grey levels in float64, in grey levels.
ROUNDING_ERROR = 2.0**-43
# Pixels x channels x frames from which several threads are faster; more than four only wait for the memory.
MIN_THREADED_SIZE = 2**24
MAX_THREADS = 4

TileSum = Callable[[Frames, Float64[np.ndarray, "T"], int], Float64[np.ndarray, "h W C"]]


def weighted_sum(
    frames: Frames, weights: Float64[np.ndarray, "T"], total: int = 0
) -> Float32[np.ndarray, "H W C"]:
    """Return the sum of weight times frame.

    Where the weights add up to zero, a pixel that never changes is exactly zero. Floating-point weights that
    should cancel do not quite, so each way of summing ensures this on its own. The image is computed in tiles
    of rows that fit the cache; the tiles do not depend on the number of threads, so neither does the result.

    Args:
        frames: in time order, grey levels 0..255; floats may have any range.
        weights: one for each frame.
        total: exact sum of the weights.
    """
    image = np.empty(frames.shape[1:], dtype=np.float32)
    row_size = max(1, frames[0, 0].size)
    tile_rows = max(1, TILE_SIZE // row_size)
    sum_tile: TileSum = _sum_bytes if frames.dtype == np.uint8 else _sum_floats

    def fill(start: int) -> None:
        rows = slice(start, start + tile_rows)
        image[rows] = sum_tile(frames[:, rows], weights, total)

    starts = range(0, len(image), tile_rows)
    # OpenCV's setting is 1 where processes share the cores.
    threads = min(MAX_THREADS, cv2.getNumThreads())
    if frames.size < MIN_THREADED_SIZE or threads < 2:
        for start in starts:
            fill(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, starts))
    return image


def _sum_bytes(
    frames: UInt8[np.ndarray, "T h W C"], weights: Float64[np.ndarray, "T"], total: int
) -> Float64[np.ndarray, "h W C"]:
    """Return the weighted sum of grey levels.

    It is the difference of two running means: of the frames with positive and with negative weights. OpenCV
    adds bytes to floats in one pass, without an intermediate array of floats, which makes this fast.
    """
    means = np.zeros((2, *frames.shape[1:]))
    weight_sums = [0.0, 0.0]  # of the positive and the negative weights so far
    for frame, weight in zip(frames, weights.tolist(), strict=True):
        sign = int(weight < 0)
        weight_sums[sign] += abs(weight)
        if weight:
            cv2.accumulateWeighted(frame, means[sign], abs(weight) / weight_sums[sign])
    positive, negative = means
    positive *= weight_sums[0]
    negative *= weight_sums[1]
    positive -= negative
    if total == 0:
        largest_error = sum(weight_sums) * len(frames) * ROUNDING_ERROR
        positive[np.abs(positive) <= largest_error] = 0
    return positive


def _sum_floats(
    frames: Float[np.ndarray, "T h W C"], weights: Float64[np.ndarray, "T"], total: int
) -> Float64[np.ndarray, "h W C"]:
    """Return the weighted sum of floating-point frames.

    It is the first frame times the sum of all weights, plus the weighted differences of the others from it.
    """
    first = frames[0].astype(np.float64)
    image = total * first
    for start in range(0, len(frames), FLOAT_BLOCK):
        block = slice(start, start + FLOAT_BLOCK)
        changes = frames[block] - first
        image += np.tensordot(weights[block], changes, axes=1)
    return image
