"""Synthetic clips of people in no database, of which it is known where the face moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from learnet.core.errors import LearnetError
from learnet.core.parallel import parallel_map
from learnet.core.settings import Preparation
from learnet.motion.pipeline import make_image
from learnet.report.explain.face_regions import DATABASE_CROP_SIZE, found_face_crop
from learnet.simulation.geometry import SIDES, View, crop_view
from learnet.simulation.movement import displacement
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import CAMERA, MAIN_EMOTIONS, Scene, make_scene
from learnet.simulation.units import UNITS, Activation

STRANGER = 2 * 10**6  # number of the first person: beyond every database and every synthetic video
MOVING_FRACTION = 0.25
"""A place counts as moving where it goes at least this share of the clip's largest displacement."""

Progress = Callable[[int, int], None]  # clips made, clips in all


@dataclass(frozen=True)
class GroundTruthClip:
    """The motion image of a synthetic clip, and the truth about it."""

    image: UInt8[np.ndarray, "S S 3"]  # 0..255
    travelled: Float32[
        np.ndarray, "S S"
    ]  # how far the expression moves each place at its apex, in pixels of the image; no blink, no head
    person: str
    emotion: str
    action_units: str

    def moving(self, part: float = MOVING_FRACTION) -> Bool[np.ndarray, "S S"]:
        """Where the face truly moves: at least PART of the largest displacement."""
        return self.travelled >= part * self.travelled.max()


def render_emotion_clips(
    preparation: Preparation,
    people: int = 10,
    emotions: Sequence[str] = MAIN_EMOTIONS,
    *,
    seed: int = 0,
    owners: bool = False,
    camera: Camera = CAMERA,
    jobs: int = -1,
    progress: Progress | None = None,
) -> list[GroundTruthClip]:
    """Film people who are in no database, one clip for each emotion, and fold each clip as `learnet prepare` would.

    The face is not searched: where it rests is known, and it is put where the crop of a found face has it.

    Args:
        preparation: how the images are made; which face finder it names does not matter.
        people: how many.
        emotions: of `simulate.emotions.EMOTIONS`.
        seed: another one gives other people.
        owners: crop as the owners of databases do, and not as `learnet prepare` does.
        camera: recording set-up.
        jobs: processes; -1 is one per core.
        progress: called as clips are made.

    Raises:
        LearnetError: nobody, or a preparation that needs a face finder.
        UnknownName: an emotion that cannot be simulated.
    """
    _check(preparation, people, emotions)
    wanted = [
        (person, number, emotion)
        for person in range(people)
        for number, emotion in enumerate(emotions, start=1)
    ]
    work = partial(
        _film, preparation=replace(preparation, face="none"), seed=seed, owners=owners, camera=camera
    )
    clips = []
    for clip in parallel_map(work, wanted, jobs):
        clips.append(clip)
        if progress:
            progress(len(clips), len(wanted))
    return clips


def render_unit_clips(
    preparation: Preparation,
    units: Sequence[tuple[int, str]],
    people: int = 10,
    *,
    seed: int = 0,
    noise: float = 1.0,
    camera: Camera = CAMERA,
    jobs: int = -1,
) -> list[GroundTruthClip]:
    """As `render_emotion_clips`, but in each clip a single action unit moves one side of the face: no blink, and the head is still.

    Args:
        preparation: how the images are made.
        units: (action unit, emotion): each person shows every one, on the left and on the right side by turns; the emotion is what
            the clip is labelled.
        people: how many.
        seed: another one gives other people.
        noise: of camera and lamp, times what a synthetic database has; 0: nothing but the unit changes the picture.
        camera: recording set-up.
        jobs: processes; -1 is one per core.

    Raises:
        LearnetError: as `render_emotion_clips`, or a unit that has no sides.
    """
    _check(preparation, people, units)
    if lost := [unit for unit, _ in units if not UNITS[unit].paired]:
        raise LearnetError(f"Action unit {lost[0]} has no sides.", "Choose units that can move one side.")
    wanted = [
        (person, number, *unit) for person in range(people) for number, unit in enumerate(units, start=1)
    ]
    work = partial(
        _film_unit, preparation=replace(preparation, face="none"), seed=seed, noise=noise, camera=camera
    )
    return list(parallel_map(work, wanted, jobs))


def _check(preparation: Preparation, people: int, shown: Sequence[object]) -> None:
    if people < 1 or not shown:
        raise LearnetError(
            f"{people} people showing {len(shown)} expressions make no clip.", "Ask for at least one of each."
        )
    if preparation.steady:
        raise LearnetError(
            "These images need a face finder (--steady), and no face is searched here.",
            "Take weights made without it.",
        )


def _film_unit(
    wanted: tuple[int, int, int, str], preparation: Preparation, seed: int, noise: float, camera: Camera
) -> GroundTruthClip:
    person, number, unit, emotion = wanted
    scene = make_scene(seed, STRANGER + person, number, emotion, camera)
    strongest = max(one.peak_px for one in scene.recording.episodes[0].activations)
    activation = Activation(unit, SIDES[(person + number) % 2], strongest)
    episode = replace(scene.recording.episodes[0], activations=(activation,))
    seen = scene.recording.conditions
    still = replace(seen, drift=0.0, blinks=(), noise=noise * seen.noise, flicker=noise * seen.flicker)
    scene = replace(scene, recording=replace(scene.recording, episodes=(episode,), conditions=still))
    return _filmed(scene, f"stranger/{person + 1:03d}", preparation, owners=False)


def _film(
    wanted: tuple[int, int, str], preparation: Preparation, seed: int, owners: bool, camera: Camera
) -> GroundTruthClip:
    person, number, emotion = wanted
    scene = make_scene(seed, STRANGER + person, number, emotion, camera)
    return _filmed(scene, f"stranger/{person + 1:03d}", preparation, owners)


def _filmed(scene: Scene, person: str, preparation: Preparation, owners: bool) -> GroundTruthClip:
    size, camera = preparation.size, scene.recording.camera
    crop = crop_view(*DATABASE_CROP_SIZE) if owners else _refine(found_face_crop(size), camera)
    shown = range(scene.onset - 1, scene.offset)  # annotations count frames from 1
    frames = np.stack(
        [register(frame, scene.recording.conditions.view, crop) for frame in render(scene.recording, shown)]
    )
    made = make_image(frames, preparation, None, scene.apex - scene.onset, camera.fps)
    field = displacement(scene.recording.person.geometry, scene.recording.episodes[0].activations, crop)
    travelled = np.hypot(field[..., 0] * size / crop.width, field[..., 1] * size / crop.height).astype(
        np.float32
    )
    small = cv2.resize(travelled, (size, size), interpolation=cv2.INTER_AREA)
    return GroundTruthClip(made.image, small, person, scene.emotion, scene.action_units)


def _refine(view: View, camera: Camera) -> View:
    """The same crop as fine as the camera sees it, in a whole number of pixels for each of its own: frames are averaged down later."""
    times = max(1, round(camera.face_px / view.face_px))
    x, y = (times * (place + 0.5) - 0.5 for place in view.origin)
    return View(times * view.height, times * view.width, times * view.face_px, (x, y))
