"""Frames in, answers out: the face followed, the last half second folded, a name every few frames.

The members: `crops` (the last frames as crops), `follow` (where the face is, seen to in a second thread), `recogniser` (an answer when
one is due), `stream` (a file or a camera read ahead in a third thread). Each knows only those before it.
"""

from learnet.inference.live.recogniser import LiveAnswer, LiveRecogniser, columns
from learnet.inference.live.stream import Summary, Watch

__all__ = ["LiveAnswer", "LiveRecogniser", "Summary", "Watch", "columns"]
