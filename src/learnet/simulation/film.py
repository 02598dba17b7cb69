"""Plan of a film of one person: micro-expressions, a blink and a turn of the head, with rest in between."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from learnet.simulation.emotions import ExpressionStyle, draw_expression
from learnet.simulation.movement import HeadPose, Timing
from learnet.simulation.people import Person
from learnet.simulation.render import Camera, Episode, HeadTurn, Recording, draw_conditions
from learnet.simulation.scenes import KINDS, draw_duration, make_actor
from learnet.simulation.units import format_units

FILM_CAMERA = Camera(fps=100.0)
FILM_PERSON = 2 * 10**6  # number of the person in films, not used by any database
REST_S = (1.1, 1.6)  # shortest and longest rest; longer than two windows of `learnet predict`
BLINK_S = (0.16, 0.29)  # shortest and longest blink
TURN_S = (1.4, 2.0)  # shortest and longest turn of the head, there and back
TURN_DEG = (6.0, 9.0)  # smallest and largest angle of a turn
NOD_SD_DEG = 1.5  # standard deviation of the nod that goes with a turn

EXPRESSION, BLINK, TURN, REST = "micro-expression", "blink", "head turn", "rest"
MACRO, SPEECH, FLICKER = "macro-expression", "speech", "light flicker"
"""Kinds of parts of a film; those of the second line are in long films only (`long_film`)."""


@dataclass(frozen=True)
class FilmPart:
    """A part of a film, with the true times. Frames count from 0, as positions in a video file do."""

    kind: str  # EXPRESSION, BLINK, TURN or REST; MACRO, SPEECH or FLICKER
    onset: int  # last frame at rest before the movement; the first frame of a rest
    apex: int | None  # frame; None at rest
    offset: int  # first frame at rest after the movement; the last frame of a rest
    emotion: str = ""  # key of `emotions.EMOTIONS`; empty where nothing is expressed
    action_units: str = ""  # as FACS coders write them; empty where nothing is expressed
    regions: tuple[str, ...] = ()  # of the face that move (`units.moving_regions`); in long films only


@dataclass(frozen=True)
class FilmPlan:
    """A recording to be rendered, and what it shows."""

    recording: Recording
    parts: tuple[FilmPart, ...]  # in time order, without gaps


def plan_film(seed: int, emotions: Sequence[str], camera: Camera = FILM_CAMERA) -> FilmPlan:
    """Plan a film in which one person shows micro-expressions, blinks once, and turns the head once.

    The order is random. The face is at rest before, between and after these movements, but for the drift of
    the head that all recordings have (`movement.head_drift`).

    Args:
        seed: 0 or more; another seed is another person. The same arguments give the same film.
        emotions: of the micro-expressions, keys of `emotions.EMOTIONS`.
        camera: that films the person.

    Raises:
        UnknownName: an emotion cannot be simulated.
    """
    person, style = make_actor(seed, FILM_PERSON)
    rng = np.random.default_rng([seed, FILM_PERSON])
    schedule = _draw_schedule(emotions, camera.fps, rng)
    parts = []
    episodes = []
    blinks = []
    turns = []
    for part in schedule:
        if part.kind == EXPRESSION:
            episode, units = _draw_episode(part, person, style, camera.fps, rng)
            episodes.append(episode)
            part = replace(part, action_units=units)
        elif part.kind == BLINK:
            blinks.append(_timing(part, camera.fps))
        elif part.kind == TURN:
            turns.append(HeadTurn(_draw_turn(rng), _timing(part, camera.fps)))
        parts.append(part)
    frames = schedule[-1].offset + 1
    conditions = draw_conditions(camera, frames / camera.fps, rng)
    conditions = replace(conditions, blinks=tuple(blinks), turns=tuple(turns))
    recording = Recording(person, tuple(episodes), conditions, camera, frames)
    return FilmPlan(recording, tuple(parts))


def _draw_schedule(emotions: Sequence[str], fps: float, rng: np.random.Generator) -> list[FilmPart]:
    """Draw the order and the times of all parts."""
    movements = [(EXPRESSION, emotion) for emotion in emotions]
    movements += [(BLINK, ""), (TURN, "")]
    parts = []
    frame = 0
    for index in rng.permutation(len(movements)):
        kind, emotion = movements[index]
        onset = frame + _draw_length(REST_S, fps, rng)
        rise, length = _draw_rise_and_length(kind, fps, rng)
        parts.append(FilmPart(REST, frame, None, onset))
        frame = onset + length
        parts.append(FilmPart(kind, onset, onset + rise, frame, emotion))
    end = frame + _draw_length(REST_S, fps, rng)
    parts.append(FilmPart(REST, frame, None, end))
    return parts


def _draw_rise_and_length(kind: str, fps: float, rng: np.random.Generator) -> tuple[int, int]:
    """Draw the number of frames from the onset to the apex and to the offset."""
    if kind == EXPRESSION:
        rise, length, _ = draw_duration(KINDS["micro"], fps, rng)
        return rise, length
    duration_s = BLINK_S if kind == BLINK else TURN_S
    length = _draw_length(duration_s, fps, rng)
    share = 0.35 if kind == BLINK else 0.5  # lids close faster than they open
    return max(1, round(share * length)), length


def _draw_length(duration_s: tuple[float, float], fps: float, rng: np.random.Generator) -> int:
    """Draw a duration in this range as a number of frames."""
    return round(rng.uniform(*duration_s) * fps)


def _timing(part: FilmPart, fps: float) -> Timing:
    assert part.apex is not None, "only movements have a timing"
    return Timing(part.onset / fps, part.apex / fps, part.offset / fps)


def _draw_episode(
    part: FilmPart, person: Person, style: ExpressionStyle, fps: float, rng: np.random.Generator
) -> tuple[Episode, str]:
    """Draw an expression, and return its action units as FACS coders write them, too."""
    activations = draw_expression(part.emotion, style, person.geometry, rng)
    return Episode(activations, _timing(part, fps)), format_units(activations)


def _draw_turn(rng: np.random.Generator) -> HeadPose:
    """Draw a turn of the head to either side."""
    direction = rng.choice([-1.0, 1.0])
    angle = direction * rng.uniform(*TURN_DEG)
    nod = rng.normal(0, NOD_SD_DEG)
    return HeadPose(turn_deg=float(angle), nod_deg=float(nod))
