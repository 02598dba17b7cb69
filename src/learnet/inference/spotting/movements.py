"""Movements of the face in curves of regional motion: onset, apex, offset, and the regions that move."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from learnet.inference.spotting.curves import (
    Curves,
    bridge,
    error_px,
    noise_px,
    resting_level,
    runs,
    smooth,
)
from learnet.inference.spotting.disturbances import MAX_RESIDUAL, Disturbance, find_disturbances
from learnet.inference.spotting.points import UPPER_LID, FacePoints

PX_PER_DEGREE = 0.25  # error of a patch for each degree by which the head turns in the movement
BLINK_LEAK = 0.12  # share of the displacement of the lids by which a blink seems to move the rest of the face

# Long movements are searched in excursions from the median over SLOW_S before and after, which follows the
# head's pose and the light. What is left of their changes hides short movements, so these are searched in
# excursions from the median over FAST_S, after the long ones have been taken out.
SLOW_S, FAST_S = 5.0, 0.75
LONG_S = 0.6  # shortest long movement
BRIDGE_S = 0.1  # before and after a long movement, which are taken out with it

# A movement rises along half a cosine, as far as is known: it crosses these shares of its peak after a third
# and two thirds of its rise.
LOW_SHARE, HIGH_SHARE = 0.25, 0.75
MIN_FALL = 0.4  # of its peak, by which a movement has fallen where it can end
KNEE_SHARE = 0.15  # of the highest speed of a flank, below which the flank ends
RISE = 0.2  # of its peak, by which the curve rises again where another movement begins
MOVING_SHARE = 0.4  # of the largest excursion, from which a region is said to move
JUDGED_SHARE = 0.9  # of a movement that must lie outside of what cannot be judged
MIN_S, MAX_S = 0.04, 6.0  # shortest and longest movement

BLINK_PX = 0.8  # smallest displacement of both upper lids in a blink
BLINK_TO_BROW = 1.2  # smallest ratio to the displacement of the brows
BLINK_MAX_S = 0.6
BLINK_MARGIN_S = 0.06
UPPER_FACE = ("brow", "lids")  # ends of the names of regions that a blink disturbs


@dataclass(frozen=True)
class Thresholds:
    """From which excursion on a patch moves.

    It must rise above its level before and after by more than the noise of this recording times a factor, by
    more than a least length, and by more than the rotation of the head and a blink at the same time can
    explain. The noise is at least what the points on rigid parts of the head seem to move, usually and at
    that time: strong compression changes the picture in steps.
    """

    noise_factor: float = 7.0
    min_px: float = 0.15  # pixels of a face crop 112 pixels wide


SHIPPED = Thresholds()


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


def find_movements(curves: Curves, points: FacePoints, thresholds: Thresholds = SHIPPED) -> Findings:
    """Find the movements in a part of a recording.

    Args:
        curves: with the head's motion removed; without gaps.
        points: whose patches the curves belong to.
        thresholds: of movements other than blinks.
    """
    times_s = curves.times_s
    if len(times_s) < 3:
        return Findings((), ())
    excursions = curves.displacements - resting_level(times_s, curves.displacements, SLOW_S)
    turned = curves.rotations_deg - resting_level(times_s, curves.rotations_deg, SLOW_S)
    noise = noise_px(excursions)
    disturbances = find_disturbances(curves, excursions, np.linalg.norm(turned, axis=1), noise, points)
    judged = np.ones(len(times_s), dtype=bool)
    for disturbance in disturbances:
        judged[disturbance.first : disturbance.last] = False
    excursions = smooth(excursions)
    blinks = find_blinks(times_s, excursions, judged, points)
    lids = np.maximum(excursions[:, points.both(UPPER_LID), 1].mean(axis=1), 0.0)
    rigid = smooth(curves.rigid - resting_level(times_s, curves.rigid, SLOW_S))
    skin = _Skin(
        times_s=times_s,
        excursions=bridge_blinks(times_s, excursions, blinks, points),
        rigid=rigid,
        usual_error_px=float(np.median(error_px(rigid)[judged])) if judged.any() else 0.0,
        visible=curves.residuals <= MAX_RESIDUAL,
        turned_deg=smooth(turned),
        lids_px=lids,
        judged=judged,
        thresholds=thresholds,
    )
    long = skin.movements(points, LONG_S, MAX_S)
    taken_out = [(movement.onset_s, movement.offset_s) for movement in long]
    taken_out += [(times_s[gap.first], times_s[gap.last - 1]) for gap in disturbances]
    short = skin.without(taken_out).movements(points, MIN_S, LONG_S)
    found = sorted([*blinks, *long, *short], key=lambda movement: movement.onset_s)
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
    found: list[Movement] = []
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
    of_upper_face = excursions[:, upper]
    for blink in blinks:
        bridge(times_s, of_upper_face, blink.onset_s - BLINK_MARGIN_S, blink.offset_s + BLINK_MARGIN_S)
    bridged[:, upper] = of_upper_face
    return bridged


@dataclass(frozen=True)
class _Skin:
    """The excursions of the skin in which movements are searched, and what may be mistaken for them."""

    times_s: Float64[np.ndarray, "T"]
    excursions: Float64[np.ndarray, "T P 2"]  # from the resting level, without blinks
    rigid: Float64[np.ndarray, "T R 2"]  # displacements of the rigid points from their resting level
    usual_error_px: float  # of a rigid point
    visible: Bool[np.ndarray, "T P"]  # False where something else than the skin is seen
    turned_deg: Float64[np.ndarray, "T 2"]  # rotation of the head from its resting pose
    lids_px: Float64[np.ndarray, "T"]  # by which the upper lids have gone down
    judged: Bool[np.ndarray, "T"]  # False where movements cannot be judged
    thresholds: Thresholds

    def without(self, stretches: list[tuple[float, float]]) -> "_Skin":
        """Return the excursions from the median over FAST_S, after stretches have been taken out."""
        excursions = self.excursions.copy()
        turned_deg = self.turned_deg.copy()
        judged = self.judged.copy()
        for onset_s, offset_s in stretches:
            bridge(self.times_s, excursions, onset_s - BRIDGE_S, offset_s + BRIDGE_S)
            judged[(self.times_s >= onset_s) & (self.times_s <= offset_s)] = False
        excursions -= resting_level(self.times_s, excursions, FAST_S)
        turned_deg -= resting_level(self.times_s, turned_deg, FAST_S)
        rigid = self.rigid - resting_level(self.times_s, self.rigid, FAST_S)
        return replace(self, excursions=excursions, turned_deg=turned_deg, rigid=rigid, judged=judged)

    def movements(self, points: FacePoints, shortest_s: float, longest_s: float) -> list[Movement]:
        """Return the movements of some duration, the strongest first.

        No two of them overlap, and none overlaps with what cannot be judged.
        """
        limits = self._limits()
        ratios = np.linalg.norm(self.excursions, axis=2) / limits
        evidence = np.where(self.judged, ratios.max(axis=1), 0.0)
        found: list[Movement] = []
        while evidence.max() >= 1:
            peak = int(np.argmax(evidence))
            height = float(evidence[peak])
            movement = measure(self.times_s, self._projection(peak, limits[peak]), peak)
            within = (self.times_s >= movement.onset_s) & (self.times_s <= movement.offset_s)
            within[peak] = True
            evidence[within] = 0.0
            is_long_enough = shortest_s <= movement.offset_s - movement.onset_s <= longest_s
            rises = movement.strength_px * height >= 1
            if is_long_enough and rises and self._is_free(movement, within, found):
                found.append(self._described(movement, peak, points))
        return found

    def _limits(self) -> Float64[np.ndarray, "T P"]:
        """Return the excursion of each patch above which it moves; infinite where the skin is not visible."""
        # No patch is more exact than the rigid points are, neither usually nor at this time.
        error = np.maximum(error_px(self.rigid), self.usual_error_px)
        noise = np.maximum(noise_px(self.excursions[self.judged]), error[:, None])
        resting = np.maximum(self.thresholds.noise_factor * noise, self.thresholds.min_px)
        leak = PX_PER_DEGREE * np.linalg.norm(self.turned_deg, axis=1) + BLINK_LEAK * self.lids_px
        return np.where(self.visible, resting + leak[:, None], np.inf)

    def _projection(self, peak: int, limits: Float64[np.ndarray, "P"]) -> Float64[np.ndarray, "T"]:
        """Return how far the face has moved in the direction of its movement at the peak; 1 at the peak.

        It is the mean over patches and axes, with weights by how far each moves, and how surely.
        """
        ratios = np.linalg.norm(self.excursions[peak], axis=1) / limits
        direction = self.excursions[peak] * (ratios >= 0.5 * ratios.max())[:, None]
        weights = direction / limits[:, None] ** 2
        projected = np.einsum("tpk,pk->t", self.excursions, weights)
        return projected / projected[peak]

    def _is_free(self, movement: Movement, within: Bool[np.ndarray, "T"], found: list[Movement]) -> bool:
        """Return whether a movement can be judged and overlaps with none of those that were found."""
        for other in found:
            if movement.onset_s < other.offset_s and other.onset_s < movement.offset_s:
                return False
        return bool(self.judged[within].mean() > JUDGED_SHARE)

    def _described(self, movement: Movement, peak: int, points: FacePoints) -> Movement:
        """Return the movement with its strength in pixels and its regions."""
        lengths = np.linalg.norm(self.excursions[peak], axis=1)
        largest: dict[str, float] = {}
        for region, length in zip(points.regions, lengths.tolist(), strict=True):
            largest[region] = max(length, largest.get(region, 0.0))
        strength = float(lengths.max())
        moving = [region for region, length in largest.items() if length >= MOVING_SHARE * strength]
        moving.sort(key=lambda region: -largest[region])
        return replace(movement, strength_px=strength, regions=tuple(moving))


def measure(times_s: Float64[np.ndarray, "T"], curve: Float64[np.ndarray, "T"], peak: int) -> Movement:
    """Measure onset, apex and offset of the movement around a peak of a curve.

    A flank ends where the curve has become much slower than it was (KNEE_SHARE). Onset and offset are where
    half cosines begin and end that cross LOW_SHARE and HIGH_SHARE of the height of the flank as it does:
    the first and the last part of a movement are too slow to be seen.

    Args:
        times_s: seconds.
        curve: of the movement.
        peak: index near the apex.

    Returns:
        The movement, without regions. Its strength is how far the peak rises above the higher end; an end
        that is cut off does not count.
    """
    while 0 < peak < len(curve) - 1 and max(curve[peak - 1], curve[peak + 1]) > curve[peak]:
        peak += 1 if curve[peak + 1] > curve[peak - 1] else -1
    rise = _flank(times_s[::-1], curve[::-1], len(curve) - 1 - peak)
    fall = _flank(times_s, curve, peak)
    ends = [flank.level for flank in (rise, fall) if flank.is_whole]
    return Movement(
        onset_s=float(np.clip(rise.end_s, times_s[0], times_s[-1])),
        apex_s=float(times_s[peak]),
        offset_s=float(np.clip(fall.end_s, times_s[0], times_s[-1])),
        strength_px=float(curve[peak] - max(ends, default=curve.min())),
        regions=(),
        is_complete=rise.is_whole and fall.is_whole,
    )


class _Flank(NamedTuple):
    """One side of a peak, from the peak outwards."""

    end_s: float  # time at which the movement ends
    level: float  # of the curve there
    is_whole: bool  # False: the curve ends first


def _flank(times_s: Float64[np.ndarray, "T"], curve: Float64[np.ndarray, "T"], peak: int) -> _Flank:
    """Measure the flank after a peak.

    Args:
        times_s: seconds, ascending; or descending, for the flank before the peak.
        curve: of the movement.
        peak: index of the peak.
    """
    knee = _knee(times_s, curve, peak)
    is_whole = knee < len(curve) - 1
    height = float(curve[peak] - curve[knee])
    if height <= 0:
        return _Flank(float(times_s[knee]), float(curve[knee]), is_whole)
    falling = curve[peak : knee + 1]
    low = float(curve[knee]) + LOW_SHARE * height
    high = float(curve[knee]) + HIGH_SHARE * height
    after_low = int(np.argmax(falling < low))
    after_high = after_low - int(np.argmax(falling[after_low::-1] >= high)) + 1
    low_s = _interpolate(times_s[peak : knee + 1], falling, after_low, low)
    high_s = _interpolate(times_s[peak : knee + 1], falling, after_high, high)
    return _Flank(low_s + (low_s - high_s), float(curve[knee]), is_whole)


def _knee(times_s: Float64[np.ndarray, "T"], curve: Float64[np.ndarray, "T"], peak: int) -> int:
    """Return the index after a peak at which the fall of a curve has become slow, or turned into a rise."""
    speeds = -np.diff(curve[peak:]) / np.abs(np.diff(times_s[peak:]))
    fastest = 0.0
    lowest = float(curve[peak])
    for index, speed in enumerate(speeds.tolist()):
        has_fallen = curve[peak] - lowest > MIN_FALL * curve[peak]
        fastest = max(fastest, speed)
        if has_fallen and speed < KNEE_SHARE * fastest:
            return peak + index
        if curve[peak + index] > lowest + RISE * curve[peak]:
            return peak + int(np.argmin(curve[peak : peak + index + 1]))
        lowest = min(lowest, float(curve[peak + index]))
    return len(curve) - 1


def _interpolate(
    times_s: Float64[np.ndarray, "T"], curve: Float64[np.ndarray, "T"], after: int, level: float
) -> float:
    """Return the time at which a curve crosses a level between the sample before `after` and this one."""
    before = after - 1
    share = (curve[before] - level) / (curve[before] - curve[after])
    return float(times_s[before] + share * (times_s[after] - times_s[before]))
