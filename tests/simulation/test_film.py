"""Films: what the plan says is what the frames show, as measured without the movement model."""

import math
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from learnet.simulation.film import BLINK, EXPRESSION, REST, TURN, FilmPart, FilmPlan, plan_film
from learnet.simulation.geometry import SIDES
from learnet.simulation.render import Camera, render

SMALL = Camera(240, 320, 100.0, 125.0)
EMOTIONS = ("disgust", "happiness", "surprise")
SEEDS = (0, 1, 2)


@cache
def film(seed: int) -> FilmPlan:
    """Plan a film in steady light and without sensor noise, so that every change in it is a movement."""
    plan = plan_film(seed, EMOTIONS, SMALL)
    conditions = replace(plan.recording.conditions, noise=0.0, flicker=0.0)
    return replace(plan, recording=replace(plan.recording, conditions=conditions))


def of_kind(plan: FilmPlan, kind: str) -> list[FilmPart]:
    return [part for part in plan.parts if part.kind == kind]


def frames_at(plan: FilmPlan, *numbers: int) -> list[np.ndarray]:
    """Return some frames, in grey."""
    frames = render(plan.recording, numbers)
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]


def largest_movement(first: np.ndarray, second: np.ndarray, plan: FilmPlan) -> float:
    """Return the largest displacement within the face, relative to its mean, which is that of the head.

    It is measured by dense inverse search, in pixels of a face 112 wide.
    """
    view = plan.recording.conditions.view
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None)
    (left, top), (right, bottom) = view.to_pixels(np.array([(-0.4, -0.2), (0.4, 0.55)])).round().astype(int)
    face = flow[top:bottom, left:right]
    face = face - face.mean(axis=(0, 1))
    lengths = np.hypot(face[..., 0], face[..., 1])
    return float(np.percentile(lengths, 99)) * 112 / view.face_px


@pytest.mark.parametrize("seed", SEEDS)
def test_plan_covers_the_film_and_rests_between_the_movements(seed: int) -> None:
    plan = film(seed)
    assert sorted(part.emotion for part in of_kind(plan, EXPRESSION)) == sorted(EMOTIONS)
    assert [part.kind for part in plan.parts[::2]] == [REST] * 6
    assert sorted(part.kind for part in plan.parts[1::2]) == [BLINK, TURN, *[EXPRESSION] * 3]
    ends = [part.offset for part in plan.parts]
    assert [part.onset for part in plan.parts] == [0, *ends[:-1]]
    assert ends[-1] == plan.recording.frames - 1
    for part in of_kind(plan, REST):
        assert part.offset - part.onset >= 110  # more than two windows of half a second
    for part in of_kind(plan, EXPRESSION):
        assert part.apex is not None and part.onset < part.apex < part.offset
        assert 4 <= part.offset - part.onset <= 50  # 1/25 to 1/2 s
        assert part.action_units


def test_orders_and_people_differ() -> None:
    orders = {tuple(part.kind + part.emotion for part in film(seed).parts) for seed in range(6)}
    assert len(orders) > 1
    assert len({film(seed).recording.person for seed in SEEDS}) == len(SEEDS)
    assert plan_film(1, EMOTIONS, SMALL) == plan_film(1, EMOTIONS, SMALL)


@pytest.mark.parametrize("seed", SEEDS)
def test_face_is_still_at_rest_and_moves_in_expressions(seed: int) -> None:
    plan = film(seed)
    for part in of_kind(plan, REST):
        middle = (part.onset + part.offset) // 2
        first, middle_frame, last = frames_at(plan, part.onset, middle, part.offset)
        assert largest_movement(first, middle_frame, plan) < 0.2
        assert largest_movement(first, last, plan) < 0.2
    for part in of_kind(plan, EXPRESSION):
        onset, apex, offset = frames_at(plan, part.onset, part.apex, part.offset)
        assert largest_movement(onset, apex, plan) > 0.2
        assert largest_movement(onset, offset, plan) < 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_apex_is_the_frame_that_differs_most(seed: int) -> None:
    """Grey levels over the face change most at the apex, up to noise and the flat top of the half cosine."""
    plan = film(seed)
    for part in plan.parts[1::2]:
        step = 4 if part.kind == TURN else 1
        numbers = range(part.onset, part.offset + 1, step)
        grey = np.stack(frames_at(plan, *numbers)).astype(np.float32)
        blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in grey])
        change = np.abs(blurred - blurred[0])[:, 40:200, 90:230]
        strongest = numbers[int(np.sort(change.reshape(len(change), -1))[:, -200:].mean(axis=1).argmax())]
        assert abs(strongest - part.apex) <= 2 + 0.12 * (part.offset - part.onset), part


@pytest.mark.parametrize("seed", SEEDS)
def test_blink_covers_the_pupils(seed: int) -> None:
    """Above the middle of the eye, dark pupil becomes lid."""
    plan = film(seed)
    (blink,) = of_kind(plan, BLINK)
    view, face = plan.recording.conditions.view, plan.recording.person.geometry
    open_eye, closed, open_again = frames_at(plan, blink.onset, blink.apex, blink.offset)
    for side in SIDES:
        lids = np.array([face.at("upper lid", side), face.at("lower lid", side)])
        (x, top), (_, low) = view.to_pixels(lids)
        rows = np.s_[round(top) : round(top + 0.55 * (low - top)), round(x) - 3 : round(x) + 4]
        assert closed[rows].mean() > open_eye[rows].mean() + 10
        assert abs(open_again[rows].mean() - open_eye[rows].mean()) < 3


@pytest.mark.parametrize("seed", SEEDS)
def test_head_turns_there_and_back(seed: int) -> None:
    """The tip of the nose, 0.7 face widths before the axis, moves sideways by that times the angle."""
    plan = film(seed)
    (turn,) = of_kind(plan, TURN)
    (planned,) = plan.recording.conditions.turns
    view = plan.recording.conditions.view
    expected = 0.70 * math.radians(planned.pose.turn_deg) * view.face_px
    assert abs(expected) > 9  # pixels
    x, y = view.to_pixels(np.array([plan.recording.person.geometry.at("nose tip")]))[0].round().astype(int)
    before, turned, after = frames_at(plan, turn.onset, turn.apex, turn.offset)
    nose = before[y - 10 : y + 11, x - 12 : x + 13]
    for frame, shift in ((turned, expected), (after, 0.0)):
        region = frame[y - 25 : y + 26, x - 40 : x + 41]
        match = cv2.matchTemplate(region, nose, cv2.TM_CCOEFF_NORMED)
        column = np.unravel_index(match.argmax(), match.shape)[1]
        assert column - (40 - 12) == pytest.approx(shift, abs=2.5)
