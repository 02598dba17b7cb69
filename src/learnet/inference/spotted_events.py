"""Recognition of movements that were spotted before, at other times or with other thresholds."""

from collections.abc import Iterable

from learnet.core.records import Event
from learnet.inference.event_clips import clip_movement, event_clips, judge_spotted, recognised_event
from learnet.inference.recogniser import Recogniser
from learnet.video.base import Video


def recognise_spotted(recogniser: Recogniser, video: Video, events: Iterable[Event]) -> list[Event]:
    """Recognise each movement from its own frames, as `learnet predict` does.

    Args:
        recogniser: network and face finder.
        video: in which the movements were spotted.
        events: movements other than blinks, in any order.

    Returns:
        The events with labels, scores and action units, by their onsets.

    Raises:
        BadVideo: a frame can no longer be read.
    """
    finder = recogniser.select_face()
    recognised: list[Event] = []
    for event, clip in event_clips(video, events):
        position = len(recognised)
        judged, _ = recogniser.predict_window(clip, finder, position, video.info.fps, clip_movement(event))
        recognised.append(recognised_event(event, judge_spotted(judged)))
    return recognised
