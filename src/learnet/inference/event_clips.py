"""The frames of spotted events, read again from their video, and what was recognised in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from learnet.core.errors import BadVideo
from learnet.core.records import MICRO_MAX_S, Event
from learnet.inference.decision import NO_EXPRESSION
from learnet.inference.prediction import Movement, Prediction
from learnet.inference.windows import Window
from learnet.motion.evidence import NOTHING_MOVES, ONLY_EYES_MOVE, ONLY_HEAD_MOVES
from learnet.video.base import Pixels, Video

NOT_RECOGNISED = {
    NOTHING_MOVES: "the movement is too weak to be recognised",
    ONLY_EYES_MOVE: "only the eyes move, so no expression is recognised",
    ONLY_HEAD_MOVES: "the movement is too weak beside that of the head to be recognised",
}
"""Why no skin moves in a clip -> why a movement that was spotted in it is not recognised."""


def event_clips(video: Video, events: Iterable[Event]) -> Iterator[tuple[Event, Window]]:
    """Yield each event with its frames, from onset to offset, in the order of the onsets.

    The frames of long events are thinned out, so that no more are in memory than those of half a second.

    Args:
        video: in which the events were spotted; it has been read to its end.
        events: in any order.

    Raises:
        BadVideo: the video can no longer be read.
    """
    fps = video.info.fps
    pending = sorted(events, key=lambda event: event.onset)
    numbers = [clip_numbers(event, fps) for event in pending]
    buffer: dict[int, Pixels] = {}  # frames that have been read and that the pending events still need
    for number, pixels in video.pixels_at(frozenset().union(*numbers)):
        buffer[number] = pixels
        while pending and number >= numbers[0][-1]:
            yield (
                pending[0],
                event_clip(pending[0], [known for known in numbers[0] if known in buffer], buffer),
            )
            del pending[0], numbers[0]
            first_needed = numbers[0][0] if numbers else number + 1
            buffer = {known: frame for known, frame in buffer.items() if known >= first_needed}
    if pending:
        missing = f"frame {numbers[0][-1]} can no longer be read"
        raise BadVideo(video.info.source, missing, "Is there enough memory? Leave the video unchanged.")


def clip_movement(event: Event) -> Movement:
    """Return onset, apex and offset of an event."""
    return Movement(event.onset, event.apex, event.offset, event.onset_s, event.apex_s, event.offset_s)


def recognised_event(event: Event, prediction: Prediction) -> Event:
    """Return a spotted event with the label, the scores and the action units of its prediction.

    An event whose movement cannot be judged by the network has an empty label, and the reason.
    """
    return replace(
        event,
        label=prediction.label or "",
        score=prediction.score or 0.0,
        emotions=prediction.scores,
        action_units=prediction.action_units,
        action_unit_scores=prediction.action_unit_scores,
        reason=prediction.reason,
    )


def judge_spotted(prediction: Prediction) -> Prediction:
    """Return the prediction for a spotted movement, without a label where the network was not asked.

    A window without movement shows no expression. A movement that was spotted is there, though, even if it is
    too weak for the network.
    """
    if prediction.label != NO_EXPRESSION or prediction.scores:
        return prediction
    return replace(prediction, label=None, reason=NOT_RECOGNISED[prediction.reason])


def clip_numbers(event: Event, fps: float) -> list[int]:
    """Return the numbers of the frames from onset to offset, evenly thinned out if there are too many.

    Apex, onset, offset and the neighbours of the last two stay: between these, noise is measured.

    Args:
        event: spotted.
        fps: frames per second of the video.
    """
    most = max(2, round(MICRO_MAX_S * fps))
    step = -(-(event.offset - event.onset) // most) or 1
    numbers = {*range(event.onset, event.offset + 1, step), event.apex, event.offset}
    numbers |= {event.onset + 1, event.offset - 1} & set(range(event.onset, event.offset + 1))
    return sorted(numbers)


def event_clip(event: Event, numbers: Sequence[int], frames: Mapping[int, Pixels]) -> Window:
    """Return the frames of an event as the recogniser takes them.

    Args:
        event: spotted.
        numbers: of the frames, in time order.
        frames: pixels of each number.
    """
    marks = [event.onset, event.apex, event.offset]
    marks_s = [event.onset_s, event.apex_s, event.offset_s]
    return Window(
        start_s=event.onset_s,
        end_s=event.offset_s,
        numbers=tuple(numbers),
        times=tuple(np.interp(numbers, marks, marks_s).tolist()),
        pixels=np.stack([frames[number] for number in numbers]),
        frames_so_far=len(numbers),
        seconds_so_far=event.offset_s,
    )
