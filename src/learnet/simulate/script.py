"""Who shows which expression when: the plan of a whole synthetic database, before anything is rendered.

Every clip has its own random numbers, found from the database's seed and the clip's place in it, so clips can be made in any order and on
any number of processes. What a person looks like, how a clip is recorded and which expression it shows are drawn from separate streams:
nothing static can tell the class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from learnet.errors import LearnetError
from learnet.simulate.emotions import PEAK_PX, Manner, act, make_manner
from learnet.simulate.faces import make_person
from learnet.simulate.geometry import Geometry
from learnet.simulate.movement import Timing
from learnet.simulate.render import Camera, Take, draw_circumstances
from learnet.simulate.units import Activation, spelled


@dataclass(frozen=True)
class Repertoire:
    """Which emotions the people of a database show."""

    main: tuple[str, ...]  # names of simulate.emotions.EMOTIONS, or NO_EMOTION; each person shows these first
    others: Mapping[str, float]  # what goes beyond is drawn from these: name -> share; the shares add up to one


MAIN_EMOTIONS = ("happiness", "disgust", "repression", "surprise", "others")
CASME2 = Repertoire(MAIN_EMOTIONS, {"others": 0.45, "disgust": 0.20, "sadness": 0.20, "fear": 0.15})
"""The five classes of CASME II, and its rare ones."""

NO_EMOTION = "none"
"""A scene in which nothing is expressed: the head drifts, the eyes blink, and no action unit is at work."""

DURATION_S = (0.08, 0.5)
"""Onset to offset. Micro-expressions last 1/25 to 1/2 s (Yan et al., J. Nonverbal Behavior 37, 2013)."""

CAMERA = Camera()  # CASME II's

_LOOKS, _MANNER, _ORDER, _RECORDING, _EXPRESSION = 1, 2, 3, 4, 5  # streams of random numbers


@dataclass(frozen=True)
class Scene:
    """One labelled clip: the take and its true annotation. Frames count from 1, as CASME II's file names do."""

    person: int  # from 1
    number: int  # from 1, within the person
    emotion: str
    take: Take
    onset: int  # last frame at rest
    apex: int
    offset: int

    @property
    def action_units(self) -> str:
        """The units at work as annotators write them."""
        return spelled(self.take.activations)


def write_script(people: int, clips_per_person: int, seed: int, camera: Camera = CAMERA, repertoire: Repertoire = CASME2) -> list[Scene]:
    """Plan a database: persons in order, each with their clips in order.

    Raises:
        LearnetError: fewer than one person or clip, or a negative seed.
    """
    if people < 1 or clips_per_person < 1 or seed < 0:
        raise LearnetError(
            f"Cannot make {clips_per_person} clips of each of {people} people with seed {seed}.",
            "At least one person and one clip, and a seed from 0.",
        )
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
    manner = make_manner(_stream(seed, person, 0, _MANNER))
    recording = _stream(seed, person, number, _RECORDING)
    before, after = int(recording.integers(5, 17)), int(recording.integers(4, 12))
    duration = float(np.clip(np.exp(recording.normal(np.log(0.26), 0.4)), *DURATION_S))
    long = max(4, round(duration * camera.fps))
    rise = int(np.clip(round(long * recording.uniform(0.3, 0.65)), 2, long - 2))
    remains = float(recording.uniform(0, 0.4)) if recording.random() < 0.25 else 0.0
    frames = before + long + 1 + after
    circumstances = draw_circumstances(camera, frames / camera.fps, recording)
    onset, apex, offset = before, before + rise, before + long  # from 0
    timing = Timing(onset / camera.fps, apex / camera.fps, offset / camera.fps, remains)
    activations = _perform(emotion, manner, look.geometry, _stream(seed, person, number, _EXPRESSION), PEAK_PX)
    take = Take(look, activations, timing, circumstances, camera, frames)
    return Scene(person, number, emotion, take, onset + 1, apex + 1, offset + 1)


def centred(scene: Scene, frames: int) -> Scene:
    """The same expression in the middle of a clip of this many frames."""
    if frames <= scene.offset - scene.onset:
        raise LearnetError(f"{frames} frames cannot hold this expression.", f"Take at least {scene.offset - scene.onset + 1}.")
    later = (frames - (scene.offset - scene.onset)) // 2 - scene.onset
    old, fps = scene.take.timing, scene.take.camera.fps
    timing = Timing(old.onset_s + later / fps, old.apex_s + later / fps, old.offset_s + later / fps, old.remains)
    take = replace(scene.take, timing=timing, frames=frames)
    return replace(scene, take=take, onset=scene.onset + later, apex=scene.apex + later, offset=scene.offset + later)


def _perform(
    emotion: str, manner: Manner, geometry: Geometry, rng: np.random.Generator, peak_px: tuple[float, float]
) -> tuple[Activation, ...]:
    return () if emotion == NO_EMOTION else act(emotion, manner, geometry, rng, peak_px)


def _emotions(repertoire: Repertoire, count: int, rng: np.random.Generator) -> list[str]:
    """The main emotions in random order as far as they go, then draws from the others, all shuffled."""
    first = [str(name) for name in rng.permutation(repertoire.main)[:count]]
    names, shares = list(repertoire.others), list(repertoire.others.values())
    more = [str(name) for name in rng.choice(names, max(0, count - len(first)), p=shares)]
    return [str(name) for name in rng.permutation(first + more)]


def _stream(seed: int, person: int, clip: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, person, clip, purpose])
