"""Who shows which expression when: the plan of a whole synthetic database, before anything is rendered.

Every clip has its own random numbers, found from the database's seed and the clip's place in it, so clips can be made in any order and on
any number of processes. What a person looks like, how a clip is recorded and which expression it shows are drawn from separate streams:
nothing static can tell the class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from learnet.core.errors import LearnetError, pick
from learnet.simulation.emotions import (
    MACRO_PEAK_PX,
    MICRO_PEAK_PX,
    ExpressionStyle,
    draw_expression,
    make_style,
)
from learnet.simulation.faces import make_person
from learnet.simulation.geometry import Geometry
from learnet.simulation.movement import Timing
from learnet.simulation.render import Camera, Episode, Recording, draw_conditions
from learnet.simulation.units import Activation, format_units


@dataclass(frozen=True)
class EmotionMix:
    """Which emotions the people of a database show."""

    main: tuple[str, ...]  # names of simulate.emotions.EMOTIONS, or NO_EMOTION; each person shows these first
    others: Mapping[
        str, float
    ]  # what goes beyond is drawn from these: name -> share; the shares add up to one


MAIN_EMOTIONS = ("happiness", "disgust", "repression", "surprise", "others")
CASME2_EMOTIONS = EmotionMix(MAIN_EMOTIONS, {"others": 0.45, "disgust": 0.20, "sadness": 0.20, "fear": 0.15})
"""The five classes of CASME II, and its rare ones."""

NO_EMOTION = "none"
"""A scene in which nothing is expressed: the head drifts, the eyes blink, and no action unit is at work."""


@dataclass(frozen=True)
class ExpressionKind:
    """How strong and how long one kind of expression is."""

    peak_px: tuple[float, float]  # weakest and strongest, pixels of a face 112 pixels wide
    duration_s: tuple[float, float]  # onset to offset, shortest and longest
    typical_s: float  # the median, but for the limits


KINDS = {"micro": ExpressionKind(MICRO_PEAK_PX, (0.08, 0.5), 0.26), "macro": ExpressionKind(MACRO_PEAK_PX, (0.5, 4.0), 1.2)}
"""Micro-expressions last 1/25 to 1/2 s (Yan et al., J. Nonverbal Behavior 37, 2013), macro-expressions 1/2 to 4 s (Ekman, Emotions
Revealed, 2003). The medians are ours."""

REST_S = (0.5, 1.5)
"""Shortest and longest neutral stretch before, between and after the expressions of a long recording; ours, short enough to render."""

CAMERA = Camera()  # CASME II's

_LOOKS, _MANNER, _ORDER, _RECORDING, _EXPRESSION = 1, 2, 3, 4, 5  # streams of random numbers


@dataclass(frozen=True)
class Scene:
    """One labelled clip: the take and its true annotation. Frames count from 1, as CASME II's file names do."""

    person: int  # from 1
    number: int  # from 1, within the person
    emotion: str
    recording: Recording
    onset: int  # last frame at rest
    apex: int
    offset: int

    @property
    def action_units(self) -> str:
        """The units at work as annotators write them."""
        return format_units(self.recording.episodes[0].activations)


@dataclass(frozen=True)
class Expression:
    """One labelled expression of a long recording. Frames count from 1, from the beginning of the recording."""

    kind: str  # a name of KINDS
    emotion: str
    action_units: str  # as annotators write them; empty for NO_EMOTION
    onset: int  # last frame at rest
    apex: int
    offset: int  # first frame at rest again


@dataclass(frozen=True)
class LongScene:
    """One recording of one person that shows several expressions one after the other, the face at rest in between."""

    person: int  # from 1
    number: int  # from 1, within the person
    recording: Recording
    expressions: tuple[Expression, ...]  # in time order, as many as the take has episodes


def check_plan(people: int, clips_per_person: int, seed: int) -> None:
    """Refuse a database that cannot be planned.

    Raises:
        LearnetError: fewer than one person or clip, or a negative seed.
    """
    if people < 1 or clips_per_person < 1 or seed < 0:
        raise LearnetError(
            f"Cannot make {clips_per_person} clips of each of {people} people with seed {seed}.",
            "At least one person and one clip, and a seed from 0.",
        )


def plan_scenes(
    people: int, clips_per_person: int, seed: int, camera: Camera = CAMERA, repertoire: EmotionMix = CASME2_EMOTIONS
) -> list[Scene]:
    """Plan a database: persons in order, each with their clips in order.

    Raises:
        LearnetError: fewer than one person or clip, or a negative seed.
    """
    check_plan(people, clips_per_person, seed)
    scenes = []
    for person in range(1, people + 1):
        order = _stream(seed, person, 0, _ORDER)
        for number, emotion in enumerate(_emotions(repertoire, clips_per_person, order), start=1):
            scenes.append(make_scene(seed, person, number, emotion, camera))
    return scenes


def make_scene(seed: int, person: int, number: int, emotion: str, camera: Camera) -> Scene:
    """One micro-expression of one person, or none at all (NO_EMOTION); the same arguments give the same scene.

    Raises:
        UnknownName: an emotion that cannot be simulated.
    """
    look = make_person(_stream(seed, person, 0, _LOOKS))
    manner = make_style(_stream(seed, person, 0, _MANNER))
    recording = _stream(seed, person, number, _RECORDING)
    before, after = int(recording.integers(5, 17)), int(recording.integers(4, 12))
    rise, long, residual = _course(KINDS["micro"], camera.fps, recording)
    frames = before + long + 1 + after
    conditions = draw_conditions(camera, frames / camera.fps, recording)
    onset, apex, offset = before, before + rise, before + long  # from 0
    timing = Timing(onset / camera.fps, apex / camera.fps, offset / camera.fps, residual)
    activations = _perform(
        emotion, manner, look.geometry, _stream(seed, person, number, _EXPRESSION), KINDS["micro"]
    )
    take = Recording(look, (Episode(activations, timing),), conditions, camera, frames)
    return Scene(person, number, emotion, take, onset + 1, apex + 1, offset + 1)


def plan_long_scenes(
    people: int,
    clips_per_person: int,
    seed: int,
    camera: Camera = CAMERA,
    repertoire: EmotionMix = CASME2_EMOTIONS,
    *,
    kinds: tuple[str, ...] = tuple(KINDS),
    per_video: int = 2,
) -> list[LongScene]:
    """Plan a database of long recordings: persons in order, each with their expressions, PER_VIDEO in one recording.

    Args:
        clips_per_person: expressions of one person; the last recording has fewer where they do not come out even.
        kinds: names of KINDS, which every person shows equally often.

    Raises:
        LearnetError: fewer than one person or clip, or a negative seed.
    """
    check_plan(people, clips_per_person, seed)
    scenes = []
    for person in range(1, people + 1):
        order = _stream(seed, person, 0, _ORDER)
        emotions = _emotions(repertoire, clips_per_person, order)
        of_kind = [
            str(kind) for kind in order.permutation([kinds[i % len(kinds)] for i in range(clips_per_person)])
        ]
        shown = list(zip(of_kind, emotions, strict=True))
        for number, first in enumerate(range(0, clips_per_person, per_video), start=1):
            scenes.append(make_long_scene(seed, person, number, shown[first : first + per_video], camera))
    return scenes


def make_long_scene(
    seed: int, person: int, number: int, shown: Sequence[tuple[str, str]], camera: Camera
) -> LongScene:
    """One recording of one person with these expressions (kind, emotion) in this order; the same arguments give the same scene.

    Raises:
        UnknownName: a kind that is none, or an emotion that cannot be simulated.
    """
    look = make_person(_stream(seed, person, 0, _LOOKS))
    manner = make_style(_stream(seed, person, 0, _MANNER))
    recording = _stream(seed, person, number, _RECORDING)
    fps, frames = camera.fps, 0
    episodes, expressions = [], []
    for place, (name, emotion) in enumerate(shown):
        kind = pick(KINDS, name, "kind of expression")
        onset = frames + round(recording.uniform(*REST_S) * fps)  # from 0
        rise, long, _ = _course(kind, fps, recording)
        acting = np.random.default_rng([seed, person, number, _EXPRESSION, place])
        activations = _perform(emotion, manner, look.geometry, acting, kind)
        episodes.append(Episode(activations, Timing(onset / fps, (onset + rise) / fps, (onset + long) / fps)))
        expressions.append(
            Expression(name, emotion, format_units(activations), onset + 1, onset + rise + 1, onset + long + 1)
        )
        frames = onset + long + 1
    frames += round(recording.uniform(*REST_S) * fps)
    conditions = draw_conditions(camera, frames / fps, recording)
    return LongScene(
        person, number, Recording(look, tuple(episodes), conditions, camera, frames), tuple(expressions)
    )


def centre_expression(scene: Scene, frames: int) -> Scene:
    """The same expression in the middle of a clip of this many frames."""
    if frames <= scene.offset - scene.onset:
        raise LearnetError(
            f"{frames} frames cannot hold this expression.",
            f"Take at least {scene.offset - scene.onset + 1}.",
        )
    later = (frames - (scene.offset - scene.onset)) // 2 - scene.onset
    episodes = tuple(
        replace(one, timing=one.timing.later(later / scene.recording.camera.fps)) for one in scene.recording.episodes
    )
    take = replace(scene.recording, episodes=episodes, frames=frames)
    return replace(
        scene, recording=take, onset=scene.onset + later, apex=scene.apex + later, offset=scene.offset + later
    )


def _course(kind: ExpressionKind, fps: float, rng: np.random.Generator) -> tuple[int, int, float]:
    """Frames from the onset to the apex and to the offset, and the share that is left after it."""
    duration = float(np.clip(np.exp(rng.normal(np.log(kind.typical_s), 0.4)), *kind.duration_s))
    long = max(4, round(duration * fps))
    rise = int(np.clip(round(long * rng.uniform(0.3, 0.65)), 2, long - 2))
    return rise, long, float(rng.uniform(0, 0.4)) if rng.random() < 0.25 else 0.0


def _perform(
    emotion: str, manner: ExpressionStyle, geometry: Geometry, rng: np.random.Generator, kind: ExpressionKind
) -> tuple[Activation, ...]:
    return () if emotion == NO_EMOTION else draw_expression(emotion, manner, geometry, rng, kind.peak_px)


def _emotions(repertoire: EmotionMix, count: int, rng: np.random.Generator) -> list[str]:
    """The main emotions in random order as far as they go, then draws from the others, all shuffled."""
    first = [str(name) for name in rng.permutation(repertoire.main)[:count]]
    names, shares = list(repertoire.others), list(repertoire.others.values())
    more = [str(name) for name in rng.choice(names, max(0, count - len(first)), p=shares)]
    return [str(name) for name in rng.permutation(first + more)]


def _stream(seed: int, person: int, clip: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, person, clip, purpose])
