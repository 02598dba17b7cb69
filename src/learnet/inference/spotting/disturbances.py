"""Stretches of a recording in which movements of the face cannot be judged, and why."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from learnet.inference.spotting.curves import Curves, runs
from learnet.inference.spotting.points import CHIN, LOWER_LIP, UPPER_LIP, FacePoints
from learnet.inference.windows import TIME_TOLERANCE_S

NO_FACE = "no face"
FEW_FRAMES = "fewer than 23 frames a second"
FRAMES_MISSING = "frames are missing"
STOPS_EARLY = "the recording stops before the end that its file announces"
CUT_OFF = "a movement is cut off"
CHANGES = "the picture changes suddenly"
TOO_BRIEF = "the face is seen too briefly"
HEAD_TURNS = "the head turns or moves too far"
COVERED = "something covers the face"
SPEAKING = "the mouth speaks"
FLICKERS = "the light flickers"
BLURRED = "the picture is blurred"

JUDGED_S = 0.5  # shortest time between disturbances that is judged

MIN_RATE = 23.0  # frames a second; films with 24 pass
RATE_S = 1.0  # over which the rate is measured
MAX_ROTATION_DEG = 3.5  # of the head from its resting pose
MAX_HEAD_SPEED_PX = 20.0  # a second; a head this fast is blurred
MIN_CORRELATION = 0.8  # of the rigid parts with the reference
TURN_MARGIN_S = 0.15  # before and after a turn

# Residual of a patch from which it shows something else than the skin. Blinks and simulated expressions
# stay below 0.6; where a hand lies on the face, it is 0.7 to 1.2.
MAX_RESIDUAL = 0.65
COVERED_SHARE = 0.2  # of the patches, from which the face is covered
COVERED_S = 0.4  # shortest time, longer than a blink

SYLLABLE_PX = 0.25  # smallest opening or closing of the mouth in speech
SYLLABLE_NOISE = 6.0  # the same in standard deviations of the noise
WEAK_SYLLABLE = 0.6  # share of the smallest syllable that suffices next to larger ones
SYLLABLE_S = 0.45  # longest time between two turning points in speech
MIN_TURNING_POINTS = 5  # of the mouth in a row; an expression has up to three
SPEECH_MARGIN_S = 0.2
SPEECH_GAP_S = 0.6  # between sentences that are one stretch

FLICKER_SHARE = 0.04  # root mean square of the relative change of the brightness
FLICKER_S = 1.0  # over which it is measured
MIN_SHARPNESS = 0.5  # of the usual sharpness of the recording
BLUR_S = 0.2  # shortest blur that is named


@dataclass(frozen=True)
class Disturbance:
    """Samples, from `first` to before `last`, that cannot be judged."""

    first: int
    last: int
    reason: str


def find_disturbances(
    curves: Curves,
    excursions: Float64[np.ndarray, "T P 2"],
    rotation_deg: Float64[np.ndarray, "T"],
    noise: Float64[np.ndarray, "P"],
    points: FacePoints,
) -> list[Disturbance]:
    """Return the stretches that cannot be judged, by their beginning; they may overlap.

    Args:
        curves: of a part of the recording.
        excursions: displacements from the resting level.
        rotation_deg: of the head from its resting pose.
        noise: of each patch, pixels.
        points: of the face.
    """
    times_s = curves.times_s
    turns = _widen(times_s, _head_turns(curves, rotation_deg), TURN_MARGIN_S)
    flagged = {
        FEW_FRAMES: few_frames(times_s),
        HEAD_TURNS: turns,
        SPEAKING: speaks(times_s, mouth_opening(excursions, points), _mouth_noise(noise, points)),
        FLICKERS: flickers(times_s, curves.brightness) & ~turns,
        COVERED: covered(times_s, curves.residuals) & ~turns,
        BLURRED: blurred(times_s, curves.sharpness),
    }
    found = []
    for reason, flags in flagged.items():
        found += [Disturbance(first, last, reason) for first, last in runs(flags)]
    return _without_short_gaps(times_s, sorted(found, key=lambda disturbance: disturbance.first))


def _without_short_gaps(
    times_s: Float64[np.ndarray, "T"], disturbances: list[Disturbance]
) -> list[Disturbance]:
    """Return the disturbances, with those extended that leave less than JUDGED_S before the next one.

    So little time cannot show a movement, and rest before and after it.
    """
    if not disturbances:
        return []
    extended = []
    reached = 0  # by any disturbance so far
    for disturbance in disturbances:
        if times_s[disturbance.first] - times_s[reached] < JUDGED_S:
            disturbance = replace(disturbance, first=min(reached, disturbance.first))
        reached = max(reached, disturbance.last - 1)
        extended.append(disturbance)
    if times_s[-1] - times_s[reached] < JUDGED_S:
        extended[-1] = replace(extended[-1], last=len(times_s))
    return extended


def few_frames(times_s: Float64[np.ndarray, "T"]) -> Bool[np.ndarray, "T"]:
    """Return where there are fewer than MIN_RATE frames a second."""
    if len(times_s) < 2:
        return np.zeros(len(times_s), dtype=bool)
    first = np.searchsorted(times_s, times_s - RATE_S / 2 - TIME_TOLERANCE_S)
    last = np.searchsorted(times_s, times_s + RATE_S / 2 + TIME_TOLERANCE_S) - 1
    duration_s = times_s[last] - times_s[first]
    return (last - first) < MIN_RATE * (duration_s - TIME_TOLERANCE_S)


def _head_turns(curves: Curves, rotation_deg: Float64[np.ndarray, "T"]) -> Bool[np.ndarray, "T"]:
    if len(curves.times_s) < 2:
        return curves.correlation < MIN_CORRELATION
    velocity = np.gradient(curves.head_px, curves.times_s, axis=0)
    is_fast = np.linalg.norm(velocity, axis=1) > MAX_HEAD_SPEED_PX
    return (rotation_deg > MAX_ROTATION_DEG) | is_fast | (curves.correlation < MIN_CORRELATION)


def _widen(
    times_s: Float64[np.ndarray, "T"], flags: Bool[np.ndarray, "T"], margin_s: float
) -> Bool[np.ndarray, "T"]:
    """Return the flags, set also up to `margin_s` before and after."""
    widened = flags.copy()
    for first, last in runs(flags):
        start = np.searchsorted(times_s, times_s[first] - margin_s - 1e-9)
        end = np.searchsorted(times_s, times_s[last - 1] + margin_s + 1e-9)
        widened[start:end] = True
    return widened


def mouth_opening(excursions: Float64[np.ndarray, "T P 2"], points: FacePoints) -> Float64[np.ndarray, "T"]:
    """Return how far the lower lip and the chin are below the upper lip, compared with rest."""
    down = excursions[..., 1]
    lower = down[:, [*points.both(LOWER_LIP), *points.both(CHIN)]].mean(axis=1)
    upper = down[:, points.both(UPPER_LIP)].mean(axis=1)
    return lower - upper


def _mouth_noise(noise: Float64[np.ndarray, "P"], points: FacePoints) -> float:
    return float(noise[[*points.both(LOWER_LIP), *points.both(CHIN), *points.both(UPPER_LIP)]].max())


def turning_points(values: Float64[np.ndarray, "T"], least: float) -> list[int]:
    """Return the indices of the maxima and minima, alternating, that differ from the next by `least`."""
    if len(values) == 0:
        return []
    turning = []
    highest = lowest = 0
    direction = 0  # 1: rising, -1: falling, 0: neither yet
    for index, value in enumerate(values.tolist()):
        if value > values[highest]:
            highest = index
        if value < values[lowest]:
            lowest = index
        if direction >= 0 and values[highest] - value >= least:
            turning += [highest] if direction > 0 or highest > 0 else []
            direction, lowest = -1, index
            highest = index
        elif direction <= 0 and value - values[lowest] >= least:
            turning += [lowest] if direction < 0 or lowest > 0 else []
            direction, highest = 1, index
            lowest = index
    return turning


def speaks(
    times_s: Float64[np.ndarray, "T"], opening: Float64[np.ndarray, "T"], noise: float
) -> Bool[np.ndarray, "T"]:
    """Return where the mouth opens and closes again and again, as in speech.

    Args:
        times_s: seconds.
        opening: of the mouth, pixels.
        noise: standard deviation of the opening at rest.
    """
    least = max(SYLLABLE_PX, SYLLABLE_NOISE * noise)
    flags = np.zeros(len(times_s), dtype=bool)
    speech = [series for series in _series(times_s, opening, least) if len(series) >= MIN_TURNING_POINTS]
    for series in _series(times_s, opening, WEAK_SYLLABLE * least):
        first, last = series[0], series[-1]
        if any(first <= syllables[-1] and syllables[0] <= last for syllables in speech):
            flags[first : last + 1] = True
    widened = _widen(times_s, flags, SPEECH_MARGIN_S)
    for first, last in runs(~widened):
        is_between = first > 0 and last < len(widened)
        if is_between and times_s[last] - times_s[first] <= SPEECH_GAP_S:
            widened[first:last] = True
    return widened


def _series(
    times_s: Float64[np.ndarray, "T"], opening: Float64[np.ndarray, "T"], least: float
) -> list[list[int]]:
    """Return the turning points of the mouth, those together that follow each other within SYLLABLE_S."""
    series: list[list[int]] = []
    for index in turning_points(opening, least):
        if not series or times_s[index] - times_s[series[-1][-1]] > SYLLABLE_S:
            series.append([])
        series[-1].append(index)
    return series


def flickers(
    times_s: Float64[np.ndarray, "T"], brightness: Float64[np.ndarray, "T"]
) -> Bool[np.ndarray, "T"]:
    """Return where the brightness of the face changes quickly and by much."""
    relative = brightness / np.maximum(_running_mean(times_s, brightness, FLICKER_S), 1.0) - 1
    power = _running_mean(times_s, relative * relative, FLICKER_S)
    return np.sqrt(power) > FLICKER_SHARE


def blurred(times_s: Float64[np.ndarray, "T"], sharpness: Float64[np.ndarray, "T"]) -> Bool[np.ndarray, "T"]:
    """Return where the picture is much less sharp than usual for BLUR_S or longer."""
    if len(sharpness) == 0:
        return np.zeros(0, dtype=bool)
    return _lasting(times_s, sharpness < MIN_SHARPNESS * np.median(sharpness), BLUR_S)


def covered(
    times_s: Float64[np.ndarray, "T"], residuals: Float64[np.ndarray, "T P"]
) -> Bool[np.ndarray, "T"]:
    """Return where many patches show something else than in the reference, for COVERED_S or longer."""
    share = (residuals > MAX_RESIDUAL).mean(axis=1)
    return _lasting(times_s, share > COVERED_SHARE, COVERED_S)


def _lasting(
    times_s: Float64[np.ndarray, "T"], flags: Bool[np.ndarray, "T"], least_s: float
) -> Bool[np.ndarray, "T"]:
    """Return the flags without runs that are shorter than `least_s`."""
    lasting = flags.copy()
    for first, last in runs(flags):
        if times_s[last - 1] - times_s[first] < least_s:
            lasting[first:last] = False
    return lasting


def _running_mean(
    times_s: Float64[np.ndarray, "T"], values: Float64[np.ndarray, "T"], width_s: float
) -> Float64[np.ndarray, "T"]:
    """Return the mean over half of `width_s` before and after each time."""
    first = np.searchsorted(times_s, times_s - width_s / 2 - 1e-9)
    last = np.searchsorted(times_s, times_s + width_s / 2 + 1e-9)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return (sums[last] - sums[first]) / (last - first)
