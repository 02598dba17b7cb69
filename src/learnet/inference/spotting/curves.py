"""Curves of regional motion over time, their resting level and their noise."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

LEVEL_SAMPLES = 12  # before and after a time, of which the median is its resting level
QUIET_SHARE = 0.3  # of the samples that are assumed to show the face at rest
# Quantile QUIET_SHARE of the length of a normally distributed vector of two components, in standard
# deviations.
QUIET_QUANTILE = float(np.sqrt(-2 * np.log(1 - QUIET_SHARE)))

MEDIAN_LENGTH = float(np.sqrt(2 * np.log(2)))  # of a normally distributed vector of two components


@dataclass(frozen=True)
class Curves:
    """What was measured in a part of a recording. Lengths are in pixels of a face crop 112 pixels wide."""

    times_s: Float64[np.ndarray, "T"]  # seconds since the first frame of the recording, ascending
    displacements: Float64[np.ndarray, "T P 2"]  # of the patches, to the right and down in the picture
    rigid: Float64[np.ndarray, "T R 2"]  # displacements of the rigid points, which move by errors only
    residuals: Float64[
        np.ndarray, "T P"
    ]  # 0 where a patch has only moved, about 1 where it shows something else
    rotations_deg: Float64[np.ndarray, "T 2"]  # of the head: to the right in the picture, down
    head_px: Float64[np.ndarray, "T 2"]  # position of the head in the picture
    correlation: Float64[np.ndarray, "T"]  # -1..1, of the rigid parts with the reference
    sharpness: Float64[np.ndarray, "T"]  # relative power of second differences
    brightness: Float64[np.ndarray, "T"]  # mean grey level of the face


def resting_level(
    times_s: Float64[np.ndarray, "T"], values: Float64[np.ndarray, "T *C"], within_s: float
) -> Float64[np.ndarray, "T *C"]:
    """Compute the running median over some time before and after each sample.

    It follows what moves slowly, such as a head that turns or an error of the tracking that grows, and
    ignores movements that take less than `within_s`. It is computed from LEVEL_SAMPLES on each side, and
    interpolated.

    Args:
        times_s: seconds, ascending.
        values: one row for each time.
        within_s: seconds before and after.
    """
    if len(times_s) == 0:
        return values.copy()
    start_s, end_s = times_s[0], times_s[-1]
    step_s = within_s / LEVEL_SAMPLES
    count = max(1, round((end_s - start_s) / step_s)) + 1
    knots_s = np.linspace(start_s, end_s, count)
    samples = values[nearest(times_s, knots_s)].reshape(count, -1)
    medians = _running_median(samples)
    columns = [np.interp(times_s, knots_s, column) for column in medians.T]
    return np.stack(columns, axis=1).reshape(values.shape)


def _running_median(samples: Float64[np.ndarray, "K C"]) -> Float64[np.ndarray, "K C"]:
    """Return the median of each row and its LEVEL_SAMPLES neighbours on either side, fewer at the ends."""
    medians = np.empty_like(samples)
    count = len(samples)
    width = 2 * LEVEL_SAMPLES + 1
    if count >= width:
        windows = np.lib.stride_tricks.sliding_window_view(samples, width, axis=0)
        medians[LEVEL_SAMPLES : count - LEVEL_SAMPLES] = np.median(windows, axis=-1)
    for row in range(count):
        first, last = row - LEVEL_SAMPLES, row + LEVEL_SAMPLES + 1
        if first < 0 or last > count:
            medians[row] = np.median(samples[max(first, 0) : last], axis=0)
    return medians


def nearest(times_s: Float64[np.ndarray, "T"], wanted_s: Float64[np.ndarray, "K"]) -> Int64[np.ndarray, "K"]:
    """Return the index of the time nearest to each wanted one; the earlier of two equally near ones."""
    after = np.clip(np.searchsorted(times_s, wanted_s), 1, max(1, len(times_s) - 1))
    after = np.minimum(after, len(times_s) - 1)
    before = np.maximum(after - 1, 0)
    is_before = wanted_s - times_s[before] <= times_s[after] - wanted_s
    return np.where(is_before, before, after)


def noise_px(excursions: Float64[np.ndarray, "T P 2"]) -> Float64[np.ndarray, "P"]:
    """Estimate the standard deviation of each patch, along one axis, while the face is at rest.

    It is robust: movements may take up to 1 - QUIET_SHARE of the time. Without samples it is 0.

    Args:
        excursions: displacements from the resting level.
    """
    if len(excursions) == 0:
        return np.zeros(excursions.shape[1])
    lengths = np.linalg.norm(excursions, axis=2)
    return np.quantile(lengths, QUIET_SHARE, axis=0) / QUIET_QUANTILE


def error_px(rigid: Float64[np.ndarray, "T R 2"]) -> Float64[np.ndarray, "T"]:
    """Estimate the standard deviation of the error of a point along one axis, at each time.

    It is large while compression or noise changes the picture. The median over the points is taken, because
    a strong smile lifts the skin of some of them.

    Args:
        rigid: displacements of the rigid points from their resting level.
    """
    return np.median(np.linalg.norm(rigid, axis=2), axis=1) / MEDIAN_LENGTH


def runs(flags: Bool[np.ndarray, "T"]) -> list[tuple[int, int]]:
    """Return the first index and the index after the last of each run of true values."""
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    changes = np.diff(padded)
    starts = np.flatnonzero(changes == 1).tolist()
    ends = np.flatnonzero(changes == -1).tolist()
    return list(zip(starts, ends, strict=True))


def smooth(values: Float64[np.ndarray, "T *C"]) -> Float64[np.ndarray, "T *C"]:
    """Return the mean over each sample and its neighbours, with weights 1/4, 1/2, 1/4."""
    if len(values) < 3:
        return values.copy()
    padded = np.concatenate([values[:1], values, values[-1:]])
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def bridge(
    times_s: Float64[np.ndarray, "T"],
    values: Float64[np.ndarray, "T *C"],
    start_s: float,
    end_s: float,
) -> None:
    """Replace the values between two times by a straight line, in place."""
    first = max(int(np.searchsorted(times_s, start_s)) - 1, 0)
    last = min(int(np.searchsorted(times_s, end_s)), len(times_s) - 1)
    share = (times_s[first : last + 1] - times_s[first]) / max(times_s[last] - times_s[first], 1e-9)
    shape = (-1, *[1] * (values.ndim - 1))
    start, end = values[first].copy(), values[last].copy()
    values[first : last + 1] = start + share.reshape(shape) * (end - start)
