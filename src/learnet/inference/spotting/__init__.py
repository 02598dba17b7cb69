"""Spotting: find each facial movement in a recording of any length, without training.

The modules: `points` (of the face), `motion` (of the points and the head between two frames), `follower`
(the face in a stream), `curves` (motion over time, its resting level and its noise), `disturbances` (what
cannot be judged), `movements` (onset, apex and offset), `spotter` (frames in, events out), `recorder` (what
was measured, for a person to look at).

Methods: curves of regional motion against a reference frame, as He, Spotting micro- and macro-expressions
with optical flow (OF-FD), MEGC 2021; the motion of the head is measured on rigid parts and removed, as
there.
"""

from learnet.inference.spotting.recorder import MotionRecorder, RecordedMotion
from learnet.inference.spotting.spotter import (
    Spotter,
    Spotting,
    missing_end,
    spot,
    spot_each,
    spot_video,
)

__all__ = [
    "MotionRecorder",
    "RecordedMotion",
    "Spotter",
    "Spotting",
    "missing_end",
    "spot",
    "spot_each",
    "spot_video",
]
