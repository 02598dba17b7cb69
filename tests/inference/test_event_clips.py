"""The frames of spotted events, against a selection from all frames of the video."""

from dataclasses import replace

import numpy as np
import pytest

from learnet.core.errors import BadVideo
from learnet.core.records import Event
from learnet.inference.decision import NO_EXPRESSION
from learnet.inference.event_clips import clip_movement, event_clips, judge_spotted, recognised_event
from learnet.inference.prediction import Prediction
from learnet.motion.evidence import NOTHING_MOVES
from learnet.video.array import ArrayVideo

FPS = 20.0  # half a second has ten frames
FRAMES = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)


def event(onset: int, apex: int, offset: int) -> Event:
    return Event(onset, apex, offset, onset / FPS, apex / FPS, offset / FPS)


def test_a_short_event_has_all_of_its_frames() -> None:
    wanted = [event(30, 36, 40), event(3, 4, 5), event(40, 44, 48)]  # two share a frame
    clips = list(event_clips(ArrayVideo(FRAMES, FPS), wanted))
    assert [clip_event.onset for clip_event, _ in clips] == [3, 30, 40]
    for clip_event, clip in clips:
        numbers = range(clip_event.onset, clip_event.offset + 1)
        assert clip.numbers == tuple(numbers)
        np.testing.assert_array_equal(clip.pixels, FRAMES[clip_event.onset : clip_event.offset + 1])
        np.testing.assert_allclose(clip.times, np.array(numbers) / FPS)


def test_a_long_event_is_thinned_out_and_keeps_its_marks() -> None:
    """56 frames with at most ten steps: every sixth, the apex, the end, and the neighbours of the ends."""
    ((_, clip),) = event_clips(ArrayVideo(FRAMES, FPS), [event(10, 25, 66)])
    assert clip.numbers == (10, 11, 16, 22, 25, 28, 34, 40, 46, 52, 58, 64, 65, 66)
    assert clip.pixels[:, 0, 0, 0].tolist() == list(clip.numbers)


def test_frames_that_are_gone_are_an_error() -> None:
    with pytest.raises(BadVideo, match="frame 120 can no longer be read"):
        list(event_clips(ArrayVideo(FRAMES, FPS), [event(90, 95, 120)]))


PREDICTION = Prediction(
    window=0,
    start_s=0.5,
    end_s=1.0,
    first=10,
    last=20,
    frames=11,
    label="surprise",
    scores={"surprise": 0.7, "none": 0.3},
    reason="the head moves",
    face=None,
    head_px=None,
    warnings=(),
    action_unit_scores={4: 0.2},
)


def test_an_event_gets_the_answer_and_keeps_its_marks() -> None:
    spotted = replace(event(10, 15, 20), strength_px=0.8, regions=("lips",))
    answered = recognised_event(spotted, PREDICTION)
    assert (answered.label, answered.score, answered.reason) == ("surprise", 0.7, "the head moves")
    assert answered.emotions == PREDICTION.scores and answered.action_unit_scores == {4: 0.2}
    assert clip_movement(answered) == clip_movement(spotted)
    assert (answered.strength_px, answered.regions) == (0.8, ("lips",))


def test_a_movement_that_no_network_was_asked_about_has_no_label() -> None:
    """The label `none` would say that nothing is expressed in a movement that was spotted."""
    weak = replace(PREDICTION, label=NO_EXPRESSION, scores={}, reason=NOTHING_MOVES)
    judged = judge_spotted(weak)
    assert (judged.label, judged.reason) == (None, "the movement is too weak to be recognised")
    unlabelled = recognised_event(event(10, 15, 20), judged)
    assert (unlabelled.label, unlabelled.emotions) == ("", {}) and unlabelled.reason == judged.reason
    said = replace(PREDICTION, label=NO_EXPRESSION)
    assert judge_spotted(said) == said  # the network has answered
