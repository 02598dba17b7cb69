"""Movements of the face in curves of regional motion: onset, apex and offset of each, and the regions that move."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from learnet.inference.spotting.curves import (
    Curves,
    crossing_s,
    noise_px,
    resting_level,
    runs,
    smooth,
)
from learnet.inference.spotting.disturbances import Disturbance, find_disturbances
from learnet.inference.spotting.points import LOWER_LID, UPPER_LID, FacePoints

# A patch moves if its excursion from the resting level is larger than the noise of this recording by this
# factor, and than MIN_PX, by more than the head's rotation can explain.
NOISE_FACTOR = 6.0
MIN_PX = 0.12
PX_PER_DEGREE = 0.25  # error of a patch for each degree by which the head has turned

# A movement rises along half a cosine, as far as is known: it crosses these shares of its peak after a third
# and two thirds of its rise.
LOW_SHARE, HIGH_SHARE = 0.25, 0.75
VALLEY = 0.5  # a movement ends at a minimum below this share of the peak, if the curve rises again by RISE
RISE = 0.15
MOVING_SHARE = 0.4  # of the largest excursion, from which a region is said to move
MIN_S, MAX_S = 0.04, 6.0  # shortest and longest movement

BLINK_PX = 0.8  # smallest displacement of both upper lids in a blink
BLINK_TO_BROW = 1.2  # smallest ratio to the displacement of the brows
BLINK_MAX_S = 0.6
BLINK_MARGIN_S = 0.06
UPPER_FACE = ("brow", "lids", "upper cheek")  # ends of the names of regions that a blink disturbs


@dataclass(frozen=True)
class Movement:
    """A movement that was found. Times are in seconds since the first frame of the recording."""

    onset_s: float
    apex_s: float
    offset_s: float
    strength_px: float  # largest excursion of a patch, pixels of a face crop 112 pixels wide
    regions: tuple[str, ...]  # the furthest first
    is_blink: bool = False
    is_complete: bool = True  # False: it begins before the first sample or ends after the last


@dataclass(frozen=True)
class Findings:
    """What a part of a recording shows."""

    movements: tuple[Movement, ...]  # by their onset
    disturbances: tuple[Disturbance, ...]  # by their beginning


def find_movements(curves: Curves, points: FacePoints) -> Findings:
    """Find the movements in a part of a recording.

    Args:
        curves: with the head's motion removed; without gaps.
        points: whose patches the curves belong to.
    """
    times_s = curves.times_s
    if len(times_s) < 3:
        return Findings((), ())
    excursions = curves.displacements - resting_level(times_s, curves.displacements)
    turned = curves.rotations_deg - resting_level(times_s, curves.rotations_deg)
    rotation_deg = np.linalg.norm(turned, axis=1)
    noise = noise_px(excursions, np.ones(len(times_s), dtype=bool))
    disturbances = find_disturbances(curves, excursions, rotation_deg, noise, points)
    judged = np.ones(len(times_s), dtype=bool)
    for disturbance in disturbances:
        judged[disturbance.first : disturbance.last] = False
    excursions = smooth(excursions)
    limits = np.maximum(NOISE_FACTOR * noise, MIN_PX) + PX_PER_DEGREE * rotation_deg[:, None]
    blinks = find_blinks(times_s, excursions, judged, points)
    without_blinks = bridge_blinks(times_s, excursions, blinks, points)
    signal = _Signal(times_s, without_blinks, limits, judged)
    movements = signal.movements(points)
    found = sorted([*blinks, *movements], key=lambda movement: movement.onset_s)
    return Findings(tuple(found), tuple(disturbances))


def find_blinks(
    times_s: Float64[np.ndarray, "T"],
    excursions: Float64[np.ndarray, "T P 2"],
    judged: Bool[np.ndarray, "T"],
    points: FacePoints,
) -> list[Movement]:
    """Find where both upper lids go down and up again, further than the brows.

    Args:
        times_s: seconds.
        excursions: from the resting level, pixels.
        judged: False where movements cannot be judged.
        points: of the face.
    """
    down = excursions[..., 1]
    lids = down[:, points.both(UPPER_LID)]
    brows = np.abs(down[:, [*points.both("middle brow"), *points.both("inner brow")]]).max(axis=1)
    closing = np.where(judged, lids.min(axis=1), 0.0)
    is_closed = (closing > BLINK_PX) & (lids.mean(axis=1) > BLINK_TO_BROW * brows)
    found = []
    for first, last in runs(is_closed):
        apex = first + int(np.argmax(closing[first:last]))
        movement = measure(times_s, lids.mean(axis=1), apex)
        if movement.offset_s - movement.onset_s <= BLINK_MAX_S:
            strength = float(np.linalg.norm(excursions[apex], axis=1).max())
            blink = replace(
                movement, strength_px=strength, regions=("left lids", "right lids"), is_blink=True
            )
            if not found or blink.onset_s >= found[-1].apex_s:
                found.append(blink)
    return found


def bridge_blinks(
    times_s: Float64[np.ndarray, "T"],
    excursions: Float64[np.ndarray, "T P 2"],
    blinks: list[Movement],
    points: FacePoints,
) -> Float64[np.ndarray, "T P 2"]:
    """Return the excursions with those of the upper face interpolated linearly across each blink."""
    bridged = excursions.copy()
    upper = [index for index, region in enumerate(points.regions) if region.endswith(UPPER_FACE)]
    for blink in blinks:
        first = int(np.searchsorted(times_s, blink.onset_s - BLINK_MARGIN_S)) - 1
        last = int(np.searchsorted(times_s, blink.offset_s + BLINK_MARGIN_S))
        first, last = max(first, 0), min(last, len(times_s) - 1)
        share = (times_s[first : last + 1] - times_s[first]) / max(times_s[last] - times_s[first], 1e-9)
        start, end = excursions[first][upper], excursions[last][upper]
        bridged[first : last + 1, upper] = start + share[:, None, None] * (end - start)
    return bridged


class _Signal:
    """The curves in which movements are searched, the strongest first."""

    def __init__(
        self,
        times_s: Float64[np.ndarray, "T"],
        excursions: Float64[np.ndarray, "T P 2"],
        limits: Float64[np.ndarray, "T P"],
        judged: Bool[np.ndarray, "T"],
    ) -> None:
        self.times_s = times_s
        self.excursions = excursions
        self.lengths = np.linalg.norm(excursions, axis=2)
        self.ratios = self.lengths / limits
        self.limits = limits
        self.judged = judged

    def movements(self, points: FacePoints) -> list[Movement]:
        """Return the movements; no two of them overlap, and none overlaps with what cannot be judged."""
        evidence = np.where(self.judged, self.ratios.max(axis=1), 0.0)
        found: list[Movement] = []
        while evidence.max() >= 1:
            peak = int(np.argmax(evidence))
            movement = measure(self.times_s, self._projection(peak), peak)
            first = int(np.searchsorted(self.times_s, movement.onset_s))
            last = int(np.searchsorted(self.times_s, movement.offset_s, side="right"))
            first, last = min(first, peak), max(last, peak + 1)
            if self._is_movement(movement, slice(first, last), found):
                found.append(self._described(movement, peak, points))
            evidence[first:last] = 0.0
        return found

    def _projection(self, peak: int) -> Float64[np.ndarray, "T"]:
        """Return how far the face has moved in the direction of its movement at the peak; 1 at the peak.

        It is the mean over patches and axes, with weights by how far each moves, and how surely.
        """
        direction = self.excursions[peak] * (self.ratios[peak] >= 0.5)[:, None]
        weights = direction / self.limits[peak][:, None] ** 2
        projected = np.einsum("tpk,pk->t", self.excursions, weights)
        return projected / projected[peak]

    def _is_movement(self, movement: Movement, part: slice, found: list[Movement]) -> bool:
        duration_s = movement.offset_s - movement.onset_s
        is_free = not any(
            movement.onset_s < other.offset_s and other.onset_s < movement.offset_s for other in found
        )
        return bool(self.judged[part].mean() > 0.9) and is_free and MIN_S <= duration_s <= MAX_S

    def _described(self, movement: Movement, peak: int, points: FacePoints) -> Movement:
        """Return the movement with its strength and its regions."""
        lengths = self.lengths[peak]
        largest: dict[str, float] = {}
        for region, length in zip(points.regions, lengths.tolist(), strict=True):
            largest[region] = max(length, largest.get(region, 0.0))
        strength = float(lengths.max())
        moving = [region for region, length in largest.items() if length >= MOVING_SHARE * strength]
        moving.sort(key=lambda region: -largest[region])
        return replace(movement, strength_px=strength, regions=tuple(moving))


def measure(times_s: Float64[np.ndarray, "T"], curve: Float64[np.ndarray, "T"], peak: int) -> Movement:
    """Measure onset, apex and offset of the movement around a peak of a curve.

    Onset and offset are where half cosines through LOW_SHARE and HIGH_SHARE of the peak begin and end: what is
    at rest by definition cannot be seen to move, so they cannot be read from the curve itself.

    Args:
        times_s: seconds.
        curve: 0 at rest.
        peak: index near the apex.
    """
    while 0 < peak < len(curve) - 1 and max(curve[peak - 1], curve[peak + 1]) > curve[peak]:
        peak += 1 if curve[peak + 1] > curve[peak - 1] else -1
    onset_s, is_whole_rise = _foot_s(times_s, curve, peak, -1)
    offset_s, is_whole_fall = _foot_s(times_s, curve, peak, 1)
    return Movement(
        onset_s=onset_s,
        apex_s=float(times_s[peak]),
        offset_s=offset_s,
        strength_px=float(curve[peak]),
        regions=(),
        is_complete=is_whole_rise and is_whole_fall,
    )


def _foot_s(
    times_s: Float64[np.ndarray, "T"], curve: Float64[np.ndarray, "T"], peak: int, step: int
) -> tuple[float, bool]:
    """Return the time at which a flank of a peak begins or ends, and whether it lies inside the curve."""
    height = curve[peak]
    low_s = crossing_s(times_s, curve, LOW_SHARE * height, peak, step)
    if low_s is None:
        return float(times_s[-1 if step > 0 else 0]), False
    at_low = int(np.searchsorted(times_s, low_s))
    inner = min(at_low, len(times_s) - 1) if step < 0 else max(at_low - 1, 0)
    high_s = low_s
    index = inner
    while index != peak and curve[index] < HIGH_SHARE * height:
        index -= step
    outer = index + step
    if curve[outer] < HIGH_SHARE * height <= curve[index]:
        share = (HIGH_SHARE * height - curve[outer]) / (curve[index] - curve[outer])
        high_s = float(times_s[outer] + share * (times_s[index] - times_s[outer]))
    foot_s = low_s + (low_s - high_s)
    return float(np.clip(foot_s, times_s[0], times_s[-1])), True
