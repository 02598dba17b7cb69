"""Plan of a synthetic database: who shows which expression when, before anything is rendered.

Every clip has its own random generator, seeded by the seed of the database and the clip's position in it, so
clips can be rendered in any order by any number of processes. The appearance of a person, the recording
conditions and the expression are drawn from separate generators, so nothing static depends on the class.
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
from learnet.simulation.movement import Timing
from learnet.simulation.people import Person, make_person
from learnet.simulation.render import Camera, Episode, Recording, draw_conditions
from learnet.simulation.units import Activation, format_units


@dataclass(frozen=True)
class EmotionMix:
    """The emotions in a database."""

    main: tuple[str, ...]  # keys of `emotions.EMOTIONS`, or NO_EMOTION; each person shows these first
    other_shares: Mapping[str, float]  # further expressions are drawn from these: name -> share; sum is 1


MAIN_EMOTIONS = ("happiness", "disgust", "repression", "surprise", "others")
CASME2_EMOTIONS = EmotionMix(MAIN_EMOTIONS, {"others": 0.45, "disgust": 0.20, "sadness": 0.20, "fear": 0.15})
"""The five classes of CASME II, and its rare emotions."""

NO_EMOTION = "none"
"""A scene without an expression: the head drifts, the eyes blink, and no action unit is active."""


@dataclass(frozen=True)
class ExpressionKind:
    """Strength and duration of a kind of expression."""

    peak_px: tuple[float, float]  # weakest and strongest, pixels of a face 112 pixels wide
    duration_s: tuple[float, float]  # shortest and longest, onset to offset
    median_s: float  # of the duration before it is limited


KINDS = {
    "micro": ExpressionKind(MICRO_PEAK_PX, (0.08, 0.5), 0.26),
    "macro": ExpressionKind(MACRO_PEAK_PX, (0.5, 4.0), 1.2),
}
"""Micro-expressions last 1/25 to 1/2 s (Yan et al., J. Nonverbal Behavior 37, 2013), macro-expressions 1/2 to
4 s (Ekman, Emotions Revealed, 2003). The medians are ours."""

REST_S = (0.5, 1.5)
"""Shortest and longest neutral period before, between and after the expressions of a long recording.

Our choice, short enough to render.
"""

SHORTEST_RECORDING_S = 10.0

CAMERA = Camera()  # that of CASME II

_LOOKS, _STYLE, _ORDER, _RECORDING, _EXPRESSION = 1, 2, 3, 4, 5  # purposes of the random generators


@dataclass(frozen=True)
class Scene:
    """One labelled clip: the recording and its true annotation. Frames count from 1, as in CASME II."""

    person: int  # from 1
    number: int  # from 1, within the person
    emotion: str
    recording: Recording
    onset: int  # last frame at rest
    apex: int
    offset: int

    @property
    def action_units(self) -> str:
        """The active units as FACS coders write them."""
        expression = self.recording.episodes[0]
        return format_units(expression.activations)


@dataclass(frozen=True)
class Expression:
    """One labelled expression of a long recording. Frames count from 1, from the start of the recording."""

    kind: str  # a key of KINDS
    emotion: str
    action_units: str  # as FACS coders write them; empty for NO_EMOTION
    onset: int  # last frame at rest
    apex: int
    offset: int  # first frame at rest again


@dataclass(frozen=True)
class LongScene:
    """One recording of one person with several expressions, and the face at rest in between."""

    person: int  # from 1
    number: int  # from 1, within the person
    recording: Recording
    expressions: tuple[Expression, ...]  # in time order, one for each episode of the recording


@dataclass(frozen=True)
class DatabasePlan:
    """Size and content of a synthetic database.

    Raises:
        LearnetError: fewer than one person or clip, a negative seed, or recordings that are too short.
    """

    people: int
    clips_per_person: int  # expressions of each person
    seed: int
    camera: Camera = CAMERA
    emotions: EmotionMix = CASME2_EMOTIONS
    # Seconds of each recording, with blinks, speech, turns of the head and flickering light between the
    # expressions; None: as long as its expressions take.
    recording_s: float | None = None

    def __post_init__(self) -> None:
        if min(self.people, self.clips_per_person) < 1 or self.seed < 0:
            size = f"{self.clips_per_person} clips of each of {self.people} people"
            raise LearnetError(
                f"Cannot make {size} with seed {self.seed}.",
                "Choose at least one person, one clip and a seed from 0.",
            )
        if self.recording_s is not None and not self.recording_s >= SHORTEST_RECORDING_S:
            raise LearnetError(
                f"A recording of {self.recording_s:g} s has no room for an expression.",
                f"Choose {SHORTEST_RECORDING_S:g} s or more.",
            )


def plan_scenes(plan: DatabasePlan) -> list[Scene]:
    """Plan a database of clips: people in order, and the clips of each in order."""
    scenes = []
    for person in range(1, plan.people + 1):
        rng = _generator(plan.seed, person, 0, _ORDER)
        emotions = _draw_emotions(plan, rng)
        for number, emotion in enumerate(emotions, start=1):
            scenes.append(make_scene(plan.seed, person, number, emotion, plan.camera))
    return scenes


def make_scene(seed: int, person: int, number: int, emotion: str, camera: Camera) -> Scene:
    """Plan one clip of one person. The same arguments give the same scene.

    Args:
        seed: of the database.
        person: number of the person, from 1.
        number: of the clip, within the person.
        emotion: of the micro-expression, or NO_EMOTION.
        camera: that films the person.

    Raises:
        UnknownName: the emotion cannot be simulated.
    """
    kind = KINDS["micro"]
    look, style = make_actor(seed, person)
    recording_rng = _generator(seed, person, number, _RECORDING)
    before = int(recording_rng.integers(5, 17))
    after = int(recording_rng.integers(4, 12))
    rise, length, residual = draw_duration(kind, camera.fps, recording_rng)
    frames = before + length + 1 + after
    conditions = draw_conditions(camera, frames / camera.fps, recording_rng)
    timing = Timing(
        before / camera.fps,
        (before + rise) / camera.fps,
        (before + length) / camera.fps,
        residual,
    )
    rng = _generator(seed, person, number, _EXPRESSION)
    activations = _draw_activations(emotion, look, style, kind, rng)
    episode = Episode(activations, timing)
    recording = Recording(look, (episode,), conditions, camera, frames)
    return Scene(
        person,
        number,
        emotion,
        recording,
        onset=before + 1,
        apex=before + rise + 1,
        offset=before + length + 1,
    )


def plan_long_scenes(
    plan: DatabasePlan, kinds: tuple[str, ...] = tuple(KINDS), per_video: int = 2
) -> list[LongScene]:
    """Plan a database of long recordings: people in order, and the recordings of each in order.

    Args:
        plan: size and content of the database.
        kinds: keys of KINDS, which every person shows equally often.
        per_video: expressions in one recording; the last recording of a person may have fewer.
    """
    clips = plan.clips_per_person
    kind_order = [kinds[index % len(kinds)] for index in range(clips)]
    scenes = []
    for person in range(1, plan.people + 1):
        rng = _generator(plan.seed, person, 0, _ORDER)
        emotions = _draw_emotions(plan, rng)
        person_kinds = map(str, rng.permutation(kind_order))
        expressions = list(zip(person_kinds, emotions, strict=True))
        starts = range(0, clips, per_video)
        for number, first in enumerate(starts, start=1):
            last = first + per_video
            shown = expressions[first:last]
            scene = make_long_scene(plan.seed, person, number, shown, plan.camera)
            scenes.append(scene)
    return scenes


def make_long_scene(
    seed: int, person: int, number: int, expressions: Sequence[tuple[str, str]], camera: Camera
) -> LongScene:
    """Plan one long recording of one person. The same arguments give the same scene.

    Args:
        seed: of the database.
        person: number of the person, from 1.
        number: of the recording, within the person.
        expressions: kind and emotion of each expression, in time order.
        camera: that films the person.

    Raises:
        UnknownName: a kind is not in KINDS, or an emotion cannot be simulated.
    """
    look, style = make_actor(seed, person)
    recording_rng = _generator(seed, person, number, _RECORDING)
    fps = camera.fps
    frames = 0
    episodes = []
    annotations = []
    for index, (kind_name, emotion) in enumerate(expressions):
        kind = pick(KINDS, kind_name, "kind of expression")
        rest = _draw_rest(fps, recording_rng)
        onset = frames + rest  # from 0
        rise, length, _ = draw_duration(kind, fps, recording_rng)
        apex = onset + rise
        offset = onset + length
        rng = np.random.default_rng([seed, person, number, _EXPRESSION, index])
        activations = _draw_activations(emotion, look, style, kind, rng)
        timing = Timing(onset / fps, apex / fps, offset / fps)
        episodes.append(Episode(activations, timing))
        annotation = Expression(
            kind=kind_name,
            emotion=emotion,
            action_units=format_units(activations),
            onset=onset + 1,
            apex=apex + 1,
            offset=offset + 1,
        )
        annotations.append(annotation)
        frames = offset + 1
    frames += _draw_rest(fps, recording_rng)
    conditions = draw_conditions(camera, frames / fps, recording_rng)
    recording = Recording(look, tuple(episodes), conditions, camera, frames)
    return LongScene(person, number, recording, tuple(annotations))


def centre_expression(scene: Scene, frames: int) -> Scene:
    """Return the same expression in the middle of a clip of `frames` frames.

    Raises:
        LearnetError: the clip is too short for the expression.
    """
    length = scene.offset - scene.onset
    if frames <= length:
        raise LearnetError(
            f"{frames} frames cannot hold this expression.",
            f"Choose at least {length + 1} frames.",
        )
    shift = (frames - length) // 2 - scene.onset
    recording = scene.recording
    shift_s = shift / recording.camera.fps
    episodes = []
    for episode in recording.episodes:
        episodes.append(replace(episode, timing=episode.timing.later(shift_s)))
    return replace(
        scene,
        recording=replace(recording, episodes=tuple(episodes), frames=frames),
        onset=scene.onset + shift,
        apex=scene.apex + shift,
        offset=scene.offset + shift,
    )


def make_actor(seed: int, person: int) -> tuple[Person, ExpressionStyle]:
    """Return the appearance and the style of a person of a database: the same for the same arguments."""
    look_rng = _generator(seed, person, 0, _LOOKS)
    style_rng = _generator(seed, person, 0, _STYLE)
    look = make_person(look_rng)
    style = make_style(style_rng)
    return look, style


def _draw_rest(fps: float, rng: np.random.Generator) -> int:
    """Draw the number of frames of a neutral period."""
    duration_s = rng.uniform(*REST_S)
    return round(duration_s * fps)


def draw_duration(kind: ExpressionKind, fps: float, rng: np.random.Generator) -> tuple[int, int, float]:
    """Draw the number of frames from the onset to the apex and to the offset, and the residual strength."""
    logarithm = rng.normal(np.log(kind.median_s), 0.4)
    duration_s = np.exp(logarithm)
    duration_s = float(np.clip(duration_s, *kind.duration_s))
    length = max(4, round(duration_s * fps))
    share = rng.uniform(0.3, 0.65)
    rise = round(length * share)
    rise = int(np.clip(rise, 2, length - 2))
    residual = 0.0
    if rng.random() < 0.25:
        residual = float(rng.uniform(0, 0.4))
    return rise, length, residual


def _draw_activations(
    emotion: str, person: Person, style: ExpressionStyle, kind: ExpressionKind, rng: np.random.Generator
) -> tuple[Activation, ...]:
    if emotion == NO_EMOTION:
        return ()
    return draw_expression(emotion, style, person.geometry, rng, kind.peak_px)


def _draw_emotions(plan: DatabasePlan, rng: np.random.Generator) -> list[str]:
    """Draw the emotions of one person: the main ones first, then others by their shares, shuffled."""
    count = plan.clips_per_person
    main = rng.permutation(plan.emotions.main)[:count]
    names = list(plan.emotions.other_shares)
    shares = list(plan.emotions.other_shares.values())
    others = rng.choice(names, max(0, count - len(main)), p=shares)
    emotions = [*map(str, main), *map(str, others)]
    return list(map(str, rng.permutation(emotions)))


def _generator(seed: int, person: int, clip: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, person, clip, purpose])
