"""Synthetic clips with ground truth: it is known how far each point of the face moves.

The people are in no database, so no network was trained on them.
"""

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

FIRST_PERSON = (
    2 * 10**6
)  # number of the first person: no database and no synthetic video has numbers so large
MOVING_FRACTION = 0.25
"""A pixel is moving if its displacement is at least this fraction of the largest displacement of the clip."""

Progress = Callable[[int, int], None]  # clips made, clips in all


@dataclass(frozen=True)
class GroundTruthClip:
    """Motion image of a synthetic clip, and how far each pixel of it moves."""

    image: UInt8[np.ndarray, "S S 3"]  # 0 to 255
    displacement_px: Float32[
        np.ndarray, "S S"
    ]  # by the expression at its apex, without blinks and head motion
    person: str
    emotion: str
    action_units: str

    def moving_region(self, fraction: float = MOVING_FRACTION) -> Bool[np.ndarray, "S S"]:
        """Return the pixels whose displacement is at least `fraction` of the largest displacement."""
        return self.displacement_px >= fraction * self.displacement_px.max()


@dataclass(frozen=True)
class RenderSettings:
    """How clips are rendered."""

    seed: int = 0  # another seed gives other people
    camera: Camera = CAMERA
    database_crop: bool = False  # crop the face as databases do, not as `learnet prepare` does
    noise: float = 1.0  # factor on the noise of camera and lamp in a synthetic database


DEFAULT_SETTINGS = RenderSettings()


@dataclass(frozen=True)
class _ClipRequest:
    """Which clip is rendered."""

    person: int  # from 0
    number: int  # of the clip of this person, from 1
    emotion: str
    unit: int | None = None  # the only action unit that moves; None: those of the emotion


def render_emotion_clips(
    preparation: Preparation,
    people: int = 10,
    emotions: Sequence[str] = MAIN_EMOTIONS,
    settings: RenderSettings = DEFAULT_SETTINGS,
    jobs: int = -1,
    progress: Progress | None = None,
) -> list[GroundTruthClip]:
    """Render a clip of each emotion for each person, and compute its motion image as `learnet prepare` does.

    The face is not detected: its position is known, and it is cropped as a detected face would be.

    Args:
        preparation: how motion images are made; the face finder that it names is not used.
        people: number of people.
        emotions: names from `simulation.emotions.EMOTIONS`.
        settings: how clips are rendered.
        jobs: processes; -1 is one per core.
        progress: called after each clip.

    Raises:
        LearnetError: no people or emotions, or a preparation that needs a face finder.
        UnknownName: an emotion that cannot be simulated.
    """
    _check(preparation, people, emotions)
    requests = []
    for person in range(people):
        for number, emotion in enumerate(emotions, start=1):
            requests.append(_ClipRequest(person, number, emotion))
    render_one = partial(_render_emotion, preparation=replace(preparation, face="none"), settings=settings)
    clips = []
    for clip in parallel_map(render_one, requests, jobs):
        clips.append(clip)
        if progress:
            progress(len(clips), len(requests))
    return clips


def render_unit_clips(
    preparation: Preparation,
    units: Sequence[tuple[int, str]],
    people: int = 10,
    settings: RenderSettings = DEFAULT_SETTINGS,
    jobs: int = -1,
) -> list[GroundTruthClip]:
    """Render clips in which a single action unit moves one side of the face, without blinks or head motion.

    Args:
        preparation: as in `render_emotion_clips`.
        units: (action unit, emotion); each person shows every unit, alternately on the left and on the
            right side. The emotion is the label of the clip.
        people: number of people.
        settings: how clips are rendered; without noise only the action unit changes pixels.
        jobs: processes; -1 is one per core.

    Raises:
        LearnetError: as `render_emotion_clips`, or a unit that always moves both sides.
    """
    _check(preparation, people, units)
    requests = []
    for person in range(people):
        for number, (unit, emotion) in enumerate(units, start=1):
            if not UNITS[unit].paired:
                raise LearnetError(
                    f"Action unit {unit} has no sides.", "Choose units that can move one side."
                )
            requests.append(_ClipRequest(person, number, emotion, unit))
    render_one = partial(_render_unit, preparation=replace(preparation, face="none"), settings=settings)
    return list(parallel_map(render_one, requests, jobs))


def _check(preparation: Preparation, people: int, expressions: Sequence[object]) -> None:
    if people < 1 or not expressions:
        raise LearnetError(
            f"{people} people showing {len(expressions)} expressions give no clip.",
            "Request at least one of each.",
        )
    if preparation.stabilise:
        raise LearnetError(
            "These images need a face finder (--stabilise), and faces are not detected here.",
            "Use weights that were trained without it.",
        )


def _render_unit(
    request: _ClipRequest, preparation: Preparation, settings: RenderSettings
) -> GroundTruthClip:
    """Render a clip in which one action unit moves one side of the face as far as the emotion would."""
    scene = _make_scene(request, settings)
    recording = scene.recording
    episode = recording.episodes[0]
    peak_px = max(activation.peak_px for activation in episode.activations)
    side = SIDES[(request.person + request.number) % 2]
    assert request.unit is not None, "the request names an action unit"
    activation = Activation(request.unit, side, peak_px)

    episode = replace(episode, activations=(activation,))
    conditions = replace(recording.conditions, drift=0.0, blinks=())
    recording = replace(recording, episodes=(episode,), conditions=conditions)
    return _render_scene(replace(scene, recording=recording), request, preparation, settings)


def _render_emotion(
    request: _ClipRequest, preparation: Preparation, settings: RenderSettings
) -> GroundTruthClip:
    return _render_scene(_make_scene(request, settings), request, preparation, settings)


def _make_scene(request: _ClipRequest, settings: RenderSettings) -> Scene:
    """Draw the person, the expression and the recording conditions of a clip."""
    person = FIRST_PERSON + request.person
    scene = make_scene(settings.seed, person, request.number, request.emotion, settings.camera)
    conditions = scene.recording.conditions
    conditions = replace(
        conditions,
        noise=settings.noise * conditions.noise,
        flicker=settings.noise * conditions.flicker,
    )
    return replace(scene, recording=replace(scene.recording, conditions=conditions))


def _render_scene(
    scene: Scene, request: _ClipRequest, preparation: Preparation, settings: RenderSettings
) -> GroundTruthClip:
    """Render the frames of a clip, and compute its motion image and its displacements."""
    size = preparation.size
    recording = scene.recording
    crop = _refine(found_face_crop(size), recording.camera)
    if settings.database_crop:
        crop = crop_view(*DATABASE_CROP_SIZE)

    view = recording.conditions.view
    shown = range(scene.onset - 1, scene.offset)  # annotations count frames from 1
    frames = np.stack([register(frame, view, crop) for frame in render(recording, shown)])

    apex = scene.apex - scene.onset
    motion_image = make_image(frames, preparation, None, apex, recording.camera.fps)

    field = displacement(recording.person.geometry, recording.episodes[0].activations, crop)
    x, y = field[..., 0] * size / crop.width, field[..., 1] * size / crop.height
    distance = np.hypot(x, y).astype(np.float32)
    return GroundTruthClip(
        image=motion_image.image,
        displacement_px=cv2.resize(distance, (size, size), interpolation=cv2.INTER_AREA),
        person=f"stranger/{request.person + 1:03d}",
        emotion=scene.emotion,
        action_units=scene.action_units,
    )


def _refine(view: View, camera: Camera) -> View:
    """Return the same crop at about the resolution of the camera, a whole number of times finer.

    The frames are averaged down to the crop later.
    """
    factor = max(1, round(camera.face_px / view.face_px))
    x, y = view.origin
    origin = (factor * (x + 0.5) - 0.5, factor * (y + 0.5) - 0.5)
    return View(factor * view.height, factor * view.width, factor * view.face_px, origin)
