"""Films of minutes: what the plan says is what the frames show, as measured without the movement model."""

from collections import Counter
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from learnet.core.records import FACE_REGIONS
from learnet.simulation.film import BLINK, EXPRESSION, FLICKER, MACRO, SPEECH, TURN, FilmPart
from learnet.simulation.long_film import LongFilmPlan, plan_long_film
from learnet.simulation.movement import Timing
from learnet.simulation.render import Camera, LightFlicker, render
from learnet.simulation.units import Activation, both_sides, moving_regions

SMALL = Camera(240, 320, 60.0, 125.0)
SEEDS = range(8)


@cache
def film(seed: int) -> LongFilmPlan:
    return plan_long_film(seed, SMALL, 60.0)


def grey(plan: LongFilmPlan, *numbers: int) -> list[np.ndarray]:
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in render(plan.recording, numbers)]


def of_kind(plan: LongFilmPlan, kind: str) -> list[FilmPart]:
    return [part for part in plan.parts if part.kind == kind]


def test_every_kind_of_part_occurs_and_durations_are_those_of_their_kind() -> None:
    counts = Counter(part.kind for seed in SEEDS for part in film(seed).parts)
    assert set(counts) == {EXPRESSION, MACRO, BLINK, SPEECH, TURN, FLICKER}
    for part in (part for seed in SEEDS for part in film(seed).parts):
        assert part.apex is not None and part.onset < part.apex < part.offset
        duration_s = (part.offset - part.onset) / SMALL.fps
        shortest, longest = {EXPRESSION: (0.06, 0.5), MACRO: (0.5, 4.0), BLINK: (0.15, 0.3)}.get(
            part.kind, (1.0, 5.0)
        )
        assert shortest <= duration_s <= longest
        assert bool(part.action_units) == (part.kind in (EXPRESSION, MACRO, BLINK))
        assert set(part.regions) <= set(FACE_REGIONS)
        assert bool(part.regions) == bool(part.action_units)


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_other_than_blinks_do_not_overlap_and_lie_inside(seed: int) -> None:
    parts = [part for part in film(seed).parts if part.kind != BLINK]
    ends = [part.offset for part in parts]
    assert all(part.onset - end >= 0.7 * SMALL.fps - 1 for end, part in zip(ends, parts[1:], strict=False))
    assert parts[0].onset >= 1.5 * SMALL.fps - 1
    assert ends[-1] <= film(seed).recording.frames - 1.5 * SMALL.fps + 1
    assert [part.onset for part in film(seed).parts] == sorted(part.onset for part in film(seed).parts)


def test_the_same_arguments_give_the_same_film_and_seeds_differ() -> None:
    assert plan_long_film(1, SMALL, 20.0) == plan_long_film(1, SMALL, 20.0)
    assert len({film(seed).recording.person for seed in SEEDS}) == len(SEEDS)
    assert film(0).recording.frames == 3600
    assert plan_long_film(0, SMALL, 20.0, noise=4.0).recording.conditions.noise == 4.0


def test_the_mouth_moves_in_speech_and_rests_before() -> None:
    plan = next(film(seed) for seed in SEEDS if of_kind(film(seed), SPEECH))
    part = of_kind(plan, SPEECH)[0]
    still = replace(plan.recording.conditions, noise=0.0, turns=(), blinks=(), drift=0.0, flicker=0.0)
    plan = replace(plan, recording=replace(plan.recording, conditions=still))
    view = plan.recording.conditions.view
    (left, top), (right, bottom) = view.to_pixels(np.array([(-0.2, 0.4), (0.2, 0.75)])).round().astype(int)
    numbers = range(part.onset - 6, part.offset, 3)
    mouths = [frame[top:bottom, left:right].astype(float) for frame in grey(plan, *numbers)]
    changes = [float(np.abs(mouth - mouths[0]).mean()) for mouth in mouths]
    assert max(changes[:3]) < 0.1
    assert max(changes) > 1.0
    is_open = np.array(changes) > max(changes) / 3
    assert np.count_nonzero(np.diff(is_open.astype(int)) == 1) >= 3  # it opens again and again


def test_light_flickers_as_its_formula_says() -> None:
    plan = plan_long_film(3, SMALL, 4.0, noise=0.0)
    timing = Timing(1.0, 2.0, 3.0)
    steady = replace(
        plan.recording.conditions, turns=(), blinks=(), drift=0.0, flicker=0.0, gain=0.8, light_flickers=()
    )
    flickering = replace(steady, light_flickers=(LightFlicker(0.1, 5.0, timing),))
    numbers = [30, 90, 117, 123, 200]
    means = []
    for conditions in (steady, flickering):
        recording = replace(plan.recording, conditions=conditions, episodes=())
        means.append([frame.mean() for frame in render(recording, numbers)])
    ratio = np.array(means[1]) / np.array(means[0])
    times_s = np.array(numbers) / SMALL.fps
    intensity = timing.intensity(times_s)
    expected = 1 + 0.1 * intensity * np.sin(2 * np.pi * 5.0 * (times_s - 1.0))
    np.testing.assert_allclose(ratio, expected, atol=0.004)
    assert ratio[0] == ratio[-1] == 1


def test_moving_regions_by_hand() -> None:
    assert moving_regions(both_sides(12, 2.0)) == ("left mouth corner", "right mouth corner")
    assert moving_regions((Activation(12, "left", 2.0),)) == ("left mouth corner",)
    assert moving_regions(both_sides(17, 1.0)) == ("lips", "chin")
    assert moving_regions((*both_sides(1, 2.0), *both_sides(12, 0.5))) == ("left brow", "right brow")
    assert moving_regions(()) == ()
