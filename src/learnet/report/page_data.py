"""What a page computes with: frame times, curves and maps as compact JSON."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from learnet.core.records import FACE_REGIONS
from learnet.inference.event_maps import EventMaps
from learnet.inference.spotting import RecordedMotion
from learnet.inference.spotting.spotter import MAX_GAP_S

MAX_SAMPLES = 15_000  # of each curve; of longer recordings, the largest of several counts
CURVE_STEP_PX = 1 / 16  # rounding of the curves, in pixels of a face crop 112 pixels wide
REGULAR_US = 0.6  # deviation up to which frame times are evenly spaced
WIDEST_EYES = 1.5  # largest coordinate of an eye, in widths or heights of the frame
MIN_RESPONSE = 0.5  # fall of log-odds that is drawn in full, so that next to nothing is not enlarged

Json = dict[str, Any]


def encode_times(times_s: Float64[np.ndarray, "T"]) -> Json:
    """Return times as their period where they are evenly spaced, else as steps of whole microseconds.

    Rounding does not add up: each decoded time is within half a microsecond of the true one (within 0.6
    where they are evenly spaced).
    """
    count = len(times_s)
    exact_us = times_s * 1e6
    start_us = float(exact_us[0]) if count else 0.0
    period_us = (float(exact_us[-1]) - start_us) / (count - 1) if count > 1 else 0.0
    even_us = start_us + period_us * np.arange(count)
    if np.abs(exact_us - even_us).max(initial=0.0) <= REGULAR_US:
        return {"count": count, "start_us": start_us, "period_us": period_us, "steps": None}
    whole_us = np.rint(exact_us).astype(np.int64)
    steps = np.diff(whole_us)
    width = 2 if steps.max() < 2**16 else 4
    packed = _base64(steps.astype(f"<u{width}"))
    return {"count": count, "start_us": int(whole_us[0]), "steps": packed, "bytes": width}


def encode_frames(motion: RecordedMotion, fps: float) -> Json:
    """Return the frames: their numbers, our times, and the time stamps by which a player seeks.

    Args:
        motion: of the recording.
        fps: frames per second.
    """
    first = int(motion.frames[0])
    is_consecutive = np.array_equal(motion.frames, first + np.arange(len(motion.frames)))
    # Time stamps may be missing (NaN) or out of order, as in AVI files.
    has_stamps = bool((np.diff(motion.media_s) > 0).all() and np.isfinite(motion.media_s).all())
    has_own_clock = has_stamps and np.abs(motion.media_s - motion.frames_s).max() > 1e-6
    return {
        "first": first,
        "numbers": None if is_consecutive else _base64(motion.frames.astype("<u4")),
        "times": encode_times(motion.frames_s),
        "media": encode_times(motion.media_s) if has_own_clock else None,
        "fps": fps,
    }


def encode_motion(motion: RecordedMotion, frame_px: int) -> Json | None:
    """Return the curves and the position of the eyes, thinned out and rounded; None if there was no face.

    Args:
        motion: of the recording.
        frame_px: larger side of the frames.
    """
    if not len(motion.samples_s):
        return None
    starts, breaks = _bins(motion.tracks)
    largest = np.maximum.reduceat(motion.regions_px, starts, axis=0)
    curves = np.clip(np.rint(largest / CURVE_STEP_PX), 0, 255)
    times_s = motion.samples_s[starts]
    eyes_step_px = WIDEST_EYES * frame_px / 2**15
    eyes = np.clip(np.rint(motion.eyes[starts] / eyes_step_px), -(2**15), 2**15 - 1)
    usual_step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    return {
        "regions": list(FACE_REGIONS),
        "times": encode_times(times_s),
        "step_px": CURVE_STEP_PX,
        "values": _base64(curves.astype(np.uint8)),
        "eyes": _base64(eyes.astype("<i2")),
        "eyes_step_px": eyes_step_px,
        "breaks": breaks,
        "max_gap_s": max(MAX_GAP_S, 2.5 * usual_step_s),
    }


def _bins(tracks: Int64[np.ndarray, "S"]) -> tuple[Int64[np.ndarray, "B"], list[int]]:
    """Return the first sample of each bin, and the bins before which the face was lost.

    Bins have equally many samples, and none of two tracks.
    """
    size = -(-len(tracks) // MAX_SAMPLES)
    starts: list[int] = []
    breaks = []
    for track in np.unique(tracks):
        samples = np.flatnonzero(tracks == track)
        if starts:
            breaks.append(len(starts))
        starts += samples[::size].tolist()
    return np.array(starts, np.int64), breaks


def encode_maps(maps: EventMaps) -> Json:
    """Return the maps of an event, rounded to whole hundredths or so of their largest value."""
    movement_step_px = max(float(np.abs(maps.movement).max()), 1e-6) / 127
    encoded: Json = {
        "movement": _base64(np.rint(maps.movement / movement_step_px).astype(np.int8)),
        "movement_step_px": movement_step_px,
        "response": None,
    }
    if maps.response is not None:
        largest = float(np.abs(maps.response).max())
        scaled = maps.response / max(largest, MIN_RESPONSE) * 127
        encoded["response"] = _base64(np.rint(scaled).astype(np.int8))
    return encoded


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Return scores with six digits."""
    return {name: round(value, 6) for name, value in values.items()}
