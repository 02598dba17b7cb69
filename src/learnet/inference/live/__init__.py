"""Live recognition: movements of the face when they are final, or the last half second every few frames.

The modules: `frame_buffer` (frames of the last seconds, for the recognition of events), `spotter` (events
when they are final); `crops` (buffer of the last face crops), `face_tracker` (position of the face, found in
a second thread), `recogniser` (one prediction of a window when one is due); `stream` (a file or camera, read
ahead in a further thread, for either).
"""

from learnet.inference.live.recogniser import LivePrediction, LiveRecogniser, columns
from learnet.inference.live.spotter import LiveEvent, LiveSpotter, LiveStretch, spotted_columns
from learnet.inference.live.stream import EventStream, LiveStream, Summary

__all__ = [
    "EventStream",
    "LiveEvent",
    "LivePrediction",
    "LiveRecogniser",
    "LiveSpotter",
    "LiveStream",
    "LiveStretch",
    "Summary",
    "columns",
    "spotted_columns",
]
