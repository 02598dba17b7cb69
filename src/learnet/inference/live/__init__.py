"""Live recognition: the face is tracked, and the last half second is recognised again every few frames.

The modules: `crops` (buffer of the last face crops), `face_tracker` (position of the face, found in a second
thread), `recogniser` (one prediction when one is due), `stream` (a file or camera, read ahead in a third
thread).
"""

from learnet.inference.live.recogniser import LivePrediction, LiveRecogniser, columns
from learnet.inference.live.stream import LiveStream, Summary

__all__ = ["LivePrediction", "LiveRecogniser", "LiveStream", "Summary", "columns"]
