"""Plan of a film of minutes: expressions of both lengths among blinks, speech, head turns and flickering
light.

Its true intervals are known, so it measures how well movements are spotted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from learnet.simulation.emotions import MACRO_PEAK_PX, MICRO_PEAK_PX, ExpressionStyle, draw_expression
from learnet.simulation.film import (
    BLINK,
    BLINK_S,
    EXPRESSION,
    FLICKER,
    MACRO,
    NOD_SD_DEG,
    SPEECH,
    TURN,
    TURN_DEG,
    TURN_S,
    FilmPart,
)
from learnet.simulation.movement import HeadPose, Timing
from learnet.simulation.people import Person
from learnet.simulation.render import (
    Camera,
    Episode,
    HeadTurn,
    LightFlicker,
    Recording,
    draw_conditions,
)
from learnet.simulation.scenes import (
    KINDS,
    MAIN_EMOTIONS,
    DatabasePlan,
    Expression,
    LongScene,
    draw_duration,
    make_actor,
)
from learnet.simulation.units import Activation, both_sides, format_units, moving_regions

LONG_FILM_PERSON = 4 * 10**6  # number of the person in long films, not used by any database
SHARES = {EXPRESSION: 0.45, MACRO: 0.30, SPEECH: 0.10, TURN: 0.09, FLICKER: 0.06}
"""Kind of part -> its share among the parts of a film, blinks aside."""

NOISE = 1.5  # standard deviation of the sensor noise, grey levels
REST_S = (0.7, 2.5)  # shortest and longest rest between two parts
FIRST_S, LAST_S = 1.5, 1.5  # rest at the beginning and at the end
BLINK_PAUSE_S = (1.5, 7.0)  # shortest and longest time between two blinks
SPEECH_S = (1.5, 5.0)  # shortest and longest sentence
SYLLABLE_S = (0.14, 0.30)  # shortest and longest syllable
SYLLABLE_PX = (1.5, 5.0)  # weakest and strongest, pixels of a face 112 pixels wide
FLICKER_S = (1.0, 4.0)  # shortest and longest flicker of the light
FLICKER_AMPLITUDE = (0.05, 0.25)  # relative change of the brightness
FLICKER_HZ = (2.0, 12.0)
POSTURE_PAUSE_S = (0.2, 3.0)  # shortest and longest time between two small movements of the head
POSTURE_S = (1.0, 4.0)  # shortest and longest small movement of the head, there and back
POSTURE_SD = np.array([0.008, 0.008, 0.5, 0.8, 0.6, 0.005])  # of the components of HeadPose


@dataclass(frozen=True)
class LongFilmPlan:
    """A recording to be rendered, and what it shows besides rest."""

    recording: Recording
    parts: tuple[FilmPart, ...]  # by their onset; blinks overlap with other parts


@dataclass(frozen=True)
class FilmContent:
    """What the recordings of a database show."""

    kinds: tuple[str, ...] = (EXPRESSION, MACRO)  # of expressions
    most: int | None = None  # expressions in a recording; None: as many as fit
    one_emotion: bool = False  # all expressions of a recording have the same emotion


ANYTHING = FilmContent()


@dataclass(frozen=True)
class _Actor:
    person: Person
    style: ExpressionStyle
    emotions: tuple[str, ...]  # that the person shows
    content: FilmContent = ANYTHING


def plan_long_film(seed: int, camera: Camera, duration_s: float = 60.0, noise: float = NOISE) -> LongFilmPlan:
    """Plan a film in which a person shows expressions, speaks, blinks and moves the head.

    Kinds, times and strengths of all parts are random. The head moves a little all the time, as that of a
    person who sits; only larger turns are parts.

    Args:
        seed: 0 or more; another seed is another person. The same arguments give the same film.
        camera: that films the person.
        duration_s: length of the film in seconds.
        noise: standard deviation of the sensor noise, grey levels.
    """
    actor = _Actor(*make_actor(seed, LONG_FILM_PERSON), MAIN_EMOTIONS)
    rng = np.random.default_rng([seed, LONG_FILM_PERSON])
    return _plan(actor, camera, duration_s, noise, rng)


def plan_film_scenes(plan: DatabasePlan, per_video: int, content: FilmContent = ANYTHING) -> list[LongScene]:
    """Plan a database of films: people in order, and the recordings of each in order.

    A person has as many recordings as `scenes.plan_long_scenes` plans. How many expressions a recording shows
    depends on its duration, and which ones is random.

    Args:
        plan: size and content of the database, with the duration of its recordings.
        per_video: expressions in one recording, if it were planned for them.
        content: what the recordings show.
    """
    assert plan.recording_s is not None, "plan_long_scenes plans recordings as long as their expressions take"
    recordings = -(-plan.clips_per_person // per_video)
    scenes = []
    for person in range(1, plan.people + 1):
        look, style = make_actor(plan.seed, person)
        for number in range(1, recordings + 1):
            rng = np.random.default_rng([plan.seed, person, number, LONG_FILM_PERSON])
            emotions = plan.emotions.main
            if content.one_emotion:
                emotions = (str(rng.choice(emotions)),)
            actor = _Actor(look, style, emotions, content)
            film = _plan(actor, plan.camera, plan.recording_s, NOISE, rng)
            scenes.append(LongScene(person, number, film.recording, tuple(_expressions(film))))
    return scenes


def _expressions(film: LongFilmPlan) -> Iterator[Expression]:
    """Yield the expressions of a film; their frames count from 1."""
    for part in film.parts:
        if part.kind not in (EXPRESSION, MACRO):
            continue
        assert part.apex is not None
        kind = "micro" if part.kind == EXPRESSION else "macro"
        marks = (part.onset + 1, part.apex + 1, part.offset + 1)
        yield Expression(kind, part.emotion, part.action_units, *marks)


def _plan(
    actor: _Actor, camera: Camera, duration_s: float, noise: float, rng: np.random.Generator
) -> LongFilmPlan:
    parts: list[FilmPart] = []
    episodes: list[Episode] = []
    turns = list(_draw_posture(duration_s, rng))
    flickers = []
    for part in _shown(_draw_schedule(duration_s, camera.fps, rng), actor.content):
        if part.kind in (EXPRESSION, MACRO):
            episode, part = _draw_episode(part, actor, camera.fps, rng)
            episodes.append(episode)
        elif part.kind == SPEECH:
            episodes += _draw_speech(part, camera.fps, rng)
        elif part.kind == TURN:
            turns.append(HeadTurn(_draw_turn(rng), _timing(part, camera.fps)))
        else:
            flickers.append(_draw_flicker(part, camera.fps, rng))
        parts.append(part)
    blinks = list(_draw_blinks(duration_s, camera.fps, rng))
    frames = round(duration_s * camera.fps)
    conditions = draw_conditions(camera, duration_s, rng)
    conditions = replace(
        conditions,
        noise=noise,
        turns=tuple(turns),
        blinks=tuple(_timing(blink, camera.fps) for blink in blinks),
        light_flickers=tuple(flickers),
    )
    recording = Recording(actor.person, tuple(episodes), conditions, camera, frames)
    ordered = sorted([*parts, *blinks], key=lambda part: part.onset)
    return LongFilmPlan(recording, tuple(ordered))


def _shown(schedule: Iterator[FilmPart], content: FilmContent) -> Iterator[FilmPart]:
    """Yield the parts of a film that a database shows: the face rests where an expression is left out."""
    expressions = 0
    for part in schedule:
        if part.kind not in (EXPRESSION, MACRO):
            yield part
            continue
        has_room = content.most is None or expressions < content.most
        if part.kind in content.kinds and has_room:
            expressions += 1
            yield part


def _draw_schedule(duration_s: float, fps: float, rng: np.random.Generator) -> Iterator[FilmPart]:
    """Yield the parts other than blinks, without what is drawn for each of them."""
    kinds = list(SHARES)
    end = round((duration_s - LAST_S) * fps)
    onset = round(FIRST_S * fps)
    while True:
        kind = kinds[rng.choice(len(kinds), p=list(SHARES.values()))]
        rise, length = _draw_rise_and_length(kind, fps, rng)
        if onset + length > end:
            return
        yield FilmPart(kind, onset, onset + rise, onset + length)
        onset += length + round(rng.uniform(*REST_S) * fps)


def _draw_rise_and_length(kind: str, fps: float, rng: np.random.Generator) -> tuple[int, int]:
    """Draw the number of frames from the onset to the apex and to the offset."""
    if kind in (EXPRESSION, MACRO):
        rise, length, _ = draw_duration(KINDS["micro" if kind == EXPRESSION else "macro"], fps, rng)
        return rise, length
    duration_s = {SPEECH: SPEECH_S, TURN: TURN_S, FLICKER: FLICKER_S}[kind]
    length = round(rng.uniform(*duration_s) * fps)
    return length // 2, length


def _draw_episode(
    part: FilmPart, actor: _Actor, fps: float, rng: np.random.Generator
) -> tuple[Episode, FilmPart]:
    """Draw an expression, and return its part with emotion, action units and regions."""
    emotion = str(rng.choice(actor.emotions))
    peak_px = MICRO_PEAK_PX if part.kind == EXPRESSION else MACRO_PEAK_PX
    activations = draw_expression(emotion, actor.style, actor.person.geometry, rng, peak_px)
    described = replace(
        part,
        emotion=emotion,
        action_units=format_units(activations),
        regions=moving_regions(activations),
    )
    return Episode(activations, _timing(part, fps)), described


def _draw_speech(part: FilmPart, fps: float, rng: np.random.Generator) -> Iterator[Episode]:
    """Yield the syllables of a sentence: the jaw drops, the lips part, purse or stretch."""
    onset_s, end_s = part.onset / fps, part.offset / fps
    while True:
        length_s = float(rng.uniform(*SYLLABLE_S))
        offset_s = onset_s + length_s
        if offset_s > end_s:
            return
        timing = Timing(onset_s, onset_s + 0.5 * length_s, offset_s)
        yield Episode(_draw_syllable(rng), timing)
        onset_s += length_s * float(rng.uniform(0.8, 1.2))


def _draw_syllable(rng: np.random.Generator) -> tuple[Activation, ...]:
    strength_px = float(rng.uniform(*SYLLABLE_PX))
    lips = int(rng.choice([20, 23, 25]))
    lips_px = strength_px * float(rng.uniform(0.3, 0.8))
    return (*both_sides(26, strength_px), *both_sides(lips, lips_px))


def _draw_blinks(duration_s: float, fps: float, rng: np.random.Generator) -> Iterator[FilmPart]:
    time_s = float(rng.uniform(*BLINK_PAUSE_S))
    while time_s + BLINK_S[1] < duration_s:
        length = round(rng.uniform(*BLINK_S) * fps)
        onset = round(time_s * fps)
        rise = max(1, round(0.35 * length))  # lids close faster than they open
        regions = ("left lids", "right lids")
        yield FilmPart(BLINK, onset, onset + rise, onset + length, action_units="45", regions=regions)
        time_s += float(rng.uniform(*BLINK_PAUSE_S))


def _draw_posture(duration_s: float, rng: np.random.Generator) -> Iterator[HeadTurn]:
    """Yield the small movements of a head that is not held still."""
    time_s = 0.0
    while time_s < duration_s:
        length_s = float(rng.uniform(*POSTURE_S))
        apex_s = time_s + length_s * float(rng.uniform(0.3, 0.7))
        components = rng.normal(0, POSTURE_SD).tolist()
        yield HeadTurn(HeadPose(*components), Timing(time_s, apex_s, time_s + length_s))
        time_s += length_s + float(rng.uniform(*POSTURE_PAUSE_S))


def _draw_turn(rng: np.random.Generator) -> HeadPose:
    """Draw a turn of the head to either side."""
    angle = float(rng.choice([-1.0, 1.0]) * rng.uniform(*TURN_DEG))
    return HeadPose(turn_deg=angle, nod_deg=float(rng.normal(0, NOD_SD_DEG)))


def _draw_flicker(part: FilmPart, fps: float, rng: np.random.Generator) -> LightFlicker:
    amplitude = float(rng.uniform(*FLICKER_AMPLITUDE))
    rate_hz = float(rng.uniform(*FLICKER_HZ))
    return LightFlicker(amplitude, rate_hz, _timing(part, fps))


def _timing(part: FilmPart, fps: float) -> Timing:
    assert part.apex is not None, "only movements have a timing"
    return Timing(part.onset / fps, part.apex / fps, part.offset / fps)
