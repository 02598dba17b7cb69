"""Events of a video from the predictions of its windows."""

from collections.abc import Sequence
from itertools import groupby

from learnet.core.records import Event, UnjudgedStretch
from learnet.inference.decision import NO_EXPRESSION
from learnet.inference.prediction import Prediction


def find_events(predictions: Sequence[Prediction]) -> tuple[Event, ...]:
    """Return one event for each movement, although overlapping windows show it several times.

    The window that shows the movement best is kept, and others whose movement overlaps with it in time are
    dropped (non-maximum suppression). A window shows a movement well if the skin moves far in it and comes
    back: a window that begins in the middle of a movement sees it reversed.

    Args:
        predictions: of all windows in time order.

    Returns:
        Events in time order.
    """
    candidates = [prediction for prediction in predictions if _is_expression(prediction)]
    candidates.sort(key=_completeness, reverse=True)
    kept: list[Event] = []
    for prediction in candidates:
        event = _event(prediction)
        overlaps = [other for other in kept if _overlap(event, other)]
        if not overlaps:
            kept.append(event)
    return tuple(sorted(kept, key=lambda event: event.onset_s))


def unjudged_stretches(predictions: Sequence[Prediction]) -> tuple[UnjudgedStretch, ...]:
    """Return the stretches of a video in which a window has no label, in time order.

    Those of one reason are merged, and they do not overlap: where windows without a label do, the reason of
    the earlier one counts. An event that another window has found may lie in them.
    """
    stretches: list[UnjudgedStretch] = []
    end_s = 0.0  # of the last stretch
    for reason, group in groupby(predictions, key=lambda prediction: prediction.unjudged_because):
        members = list(group)
        start_s = max(members[0].start_s, end_s)
        if not reason or members[-1].end_s <= start_s:
            continue
        end_s = members[-1].end_s
        if stretches and stretches[-1].end_s == start_s and stretches[-1].reason == reason:
            start_s = stretches.pop().start_s
        stretches.append(UnjudgedStretch(start_s, end_s, reason))
    return tuple(stretches)


def _is_expression(prediction: Prediction) -> bool:
    return prediction.label not in (None, NO_EXPRESSION) and prediction.movement is not None


def _completeness(prediction: Prediction) -> float:
    """Return how well a window shows its movement: its size, less what is not undone at the end."""
    assert prediction.motion is not None and prediction.motion.returned is not None
    returned = min(max(prediction.motion.returned, 0.0), 1.0)
    return prediction.motion.skin_px * (0.5 + returned)


def _event(prediction: Prediction) -> Event:
    movement = prediction.movement
    assert movement is not None and prediction.motion is not None and prediction.label is not None
    return Event(
        onset=movement.onset,
        apex=movement.apex,
        offset=movement.offset,
        onset_s=movement.onset_s,
        apex_s=movement.apex_s,
        offset_s=movement.offset_s,
        label=prediction.label,
        score=max(prediction.scores.values()),
        emotions=prediction.scores,
        strength_px=prediction.motion.skin_px,
        action_units=prediction.action_units,
        action_unit_scores=prediction.action_unit_scores,
        reason=prediction.reason,
    )


def _overlap(event: Event, other: Event) -> bool:
    return event.onset_s <= other.offset_s and other.onset_s <= event.offset_s
