"""Clips of a moving face as a camera would record them: light that flickers, a head that drifts, eyes that blink, a noisy sensor."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.simulation.faces import GRID_STEP, Person, render_still
from learnet.simulation.geometry import View
from learnet.simulation.movement import (
    HeadPose,
    Timing,
    displacement,
    eye_region,
    head_displacement,
    head_drift,
    invert_field,
    sample_image,
)
from learnet.simulation.units import Activation, both_sides

BLINK_PX = 6.5  # how far the upper lid travels, in pixels of a face 112 pixels wide

MAX_DRIFT_S = 3.0
"""A head drifts as fast as it likes for so long; in a longer recording it comes no further, for somebody watches a screen."""

STILL_SCALE = 2  # the still is enlarged once; linear look-ups in it come near cubic ones in the original at a fifth of the time
NOISE_MARGIN = 32  # the sheet of noise is this much larger than a frame, in pixels


@dataclass(frozen=True)
class Camera:
    """The recording set-up; CASME II's gives 640 x 480 at 200 frames per second, the face about 280 x 340."""

    height: int = 480
    width: int = 640
    fps: float = 200.0
    face_px: float = 250.0  # width of the face at the cheekbones


@dataclass(frozen=True)
class RecordingConditions:
    """What else happens while a clip is recorded. All of it is drawn without knowing the expression."""

    view: View  # where the head rests in the picture
    drift: float  # head drift, see movement.head_drift
    blinks: tuple[Timing, ...]
    gain: float  # exposure of this clip
    flicker: float  # relative amplitude of the lamp's 100 Hz light as sampled by the camera
    noise: float  # standard deviation of the sensor noise, grey levels
    seed: int  # of drift, flicker and noise


def draw_conditions(camera: Camera, duration_s: float, rng: np.random.Generator) -> RecordingConditions:
    """The circumstances of a clip of this length: the head a little elsewhere each time, a blink every few seconds (one in 5 s)."""
    shift = np.clip(rng.normal(0, 1, 2), -2, 2) * (8.0, 5.0)
    view = View(
        camera.height,
        camera.width,
        camera.face_px * float(np.exp(rng.normal(0, 0.015))),
        (float(camera.width / 2 + shift[0]), float(0.43 * camera.height + shift[1])),
        float(np.clip(rng.normal(0, 1.5), -4, 4)),
    )
    blinks = []
    for _ in range(rng.poisson(duration_s / 5.0)):
        start = rng.uniform(-0.15, duration_s)
        blinks.append(Timing(start, start + rng.uniform(0.05, 0.09), start + rng.uniform(0.16, 0.30)))
    return RecordingConditions(
        view=view,
        drift=float(rng.uniform(0.001, 0.006)) * min(1.0, MAX_DRIFT_S / duration_s),
        blinks=tuple(blinks),
        gain=float(np.exp(rng.normal(0, 0.05))),
        flicker=float(rng.uniform(0, 0.006)),
        noise=float(rng.uniform(1.0, 2.0)),
        seed=int(rng.integers(2**31)),
    )


@dataclass(frozen=True)
class Episode:
    """One expression within a take: which units, and when."""

    activations: tuple[Activation, ...]  # none: nothing is expressed
    timing: Timing


@dataclass(frozen=True)
class Recording:
    """One recording to be rendered: who does what, when, under which circumstances."""

    person: Person
    episodes: tuple[Episode, ...]  # where they overlap, movements add up
    conditions: RecordingConditions
    camera: Camera
    frames: int

    @property
    def times(self) -> Float64[np.ndarray, "T"]:
        """Time of every frame in seconds from the first."""
        return np.arange(self.frames) / self.camera.fps


def render(take: Recording, numbers: range | None = None) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The frames of a take in time order, all or those NUMBERS (from 0): RGB, grey levels."""
    scene = take.conditions
    view = scene.view
    still = _enlarged_still(take.person, _studio(take.camera))
    into_still = _enlarged(_studio(take.camera)).matrix_from(view).astype(np.float32)
    rng = np.random.default_rng(scene.seed)
    noise = _noise(rng, scene)
    gains = scene.gain * _flicker(rng, take.times, scene.flicker)
    corners = rng.integers(0, NOISE_MARGIN, (take.frames, 2))
    for i, field in motion_fields(take, numbers):
        y, x = corners[i]
        grain = noise[y : y + view.height, x : x + view.width]
        yield cv2.addWeighted(_moved(still, field, into_still, view), float(gains[i]), grain, 1.0, -128.0)


def motion_fields(take: Recording, numbers: range | None = None) -> Iterator[tuple[int, Float32[np.ndarray, "h w 2"]]]:
    """Frame number and true displacement of the face from rest, (dx, dy) in pixels, at every STEP-th pixel (`View.coarser`)."""
    scene = take.conditions
    view = scene.view.coarser(GRID_STEP)
    times = take.times
    expressions = [displacement(take.person.geometry, episode.activations, view) for episode in take.episodes]
    levels = [episode.timing.intensity(times) for episode in take.episodes]
    blink = displacement(take.person.geometry, both_sides(45, BLINK_PX), view)
    axes = np.stack([head_displacement(HeadPose(*axis), view) for axis in np.eye(6).tolist()])
    poses = np.array(
        [astuple(pose) for pose in head_drift(np.random.default_rng([scene.seed, 1]), times, scene.drift)],
        np.float32,
    )
    closed = np.max([one.intensity(times) for one in scene.blinks] or [np.zeros(take.frames)], axis=0)
    overruled = eye_region(take.person.geometry, view)[
        ..., None
    ]  # a closing eye overrules whatever else would move its lids
    for i in range(take.frames) if numbers is None else numbers:
        free = 1 - np.float32(closed[i]) * overruled
        shown = np.zeros_like(blink)
        for level, expression in zip(levels, expressions, strict=True):
            if level[i]:  # most of a long recording shows nothing
                shown += np.float32(level[i]) * free * expression
        head = np.tensordot(poses[i], axes, axes=1)  # small motions add up
        yield i, np.float32(GRID_STEP) * (shown + np.float32(closed[i]) * blink + head)


def register(frame: UInt8[np.ndarray, "H W 3"], view: View, crop: View) -> UInt8[np.ndarray, "h w 3"]:
    """Cut the face out of a frame so that the resting eyes stand where CROP has them; the same cut for every frame of a clip."""
    size = (crop.width, crop.height)
    return cv2.warpAffine(
        frame, crop.matrix_from(view), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _studio(camera: Camera) -> View:
    """The view of a person's one photograph: a rim wider than the camera's frame, as the head is elsewhere in every clip."""
    rim = 40 * camera.height // 480
    return View(
        camera.height + 2 * rim,
        camera.width + 2 * rim,
        camera.face_px,
        (rim + camera.width / 2, rim + 0.43 * camera.height),
    )


def _enlarged(view: View) -> View:
    """The view of a picture enlarged by STILL_SCALE."""
    x, y = (STILL_SCALE * (c + 0.5) - 0.5 for c in view.origin)
    return View(
        STILL_SCALE * view.height, STILL_SCALE * view.width, STILL_SCALE * view.face_px, (x, y), view.roll_deg
    )


@lru_cache(maxsize=2)
def _enlarged_still(person: Person, view: View) -> UInt8[np.ndarray, "H W 3"]:
    still = render_still(person, view)
    return cv2.resize(still, None, fx=STILL_SCALE, fy=STILL_SCALE, interpolation=cv2.INTER_LANCZOS4)


def _moved(
    still: UInt8[np.ndarray, "A B 3"],
    field: Float32[np.ndarray, "h w 2"],
    into_still: Float32[np.ndarray, "2 3"],
    view: View,
) -> UInt8[np.ndarray, "H W 3"]:
    """The picture after its points have moved along the coarse field: look back along the field, then into the still."""
    back = np.float32(GRID_STEP) * invert_field(field / np.float32(GRID_STEP))
    height, width = back.shape[:2]
    back[..., 0] += np.arange(width, dtype=np.float32) * GRID_STEP + np.float32((GRID_STEP - 1) / 2)
    back[..., 1] += (np.arange(height, dtype=np.float32) * GRID_STEP + np.float32((GRID_STEP - 1) / 2))[:, None]
    coarse = back @ into_still[:, :2].T + into_still[:, 2]
    fine = cv2.resize(coarse, (width * GRID_STEP, height * GRID_STEP), interpolation=cv2.INTER_LINEAR)[
        : view.height, : view.width
    ]
    return sample_image(still, fine, cv2.INTER_LINEAR)


def _flicker(
    rng: np.random.Generator, times: Float64[np.ndarray, "T"], amplitude: float
) -> Float64[np.ndarray, "T"]:
    """Relative brightness per frame: 100 Hz lamp light that a 200 Hz shutter meets at slowly changing phase, and a slow drift."""
    lamp = np.cos(2 * np.pi * rng.uniform(99.0, 101.0) * times + rng.uniform(0, 2 * np.pi))
    slow = np.sin(2 * np.pi * rng.uniform(0.3, 2.0) * times + rng.uniform(0, 2 * np.pi))
    return 1 + amplitude * (lamp + slow)


def _noise(rng: np.random.Generator, scene: RecordingConditions) -> UInt8[np.ndarray, "h w 3"]:
    """A sheet of sensor noise around 128, larger than the frame; every frame takes another part of it. Mostly of brightness, as after
    a camera's colour reconstruction."""
    height, width = scene.view.height + NOISE_MARGIN, scene.view.width + NOISE_MARGIN
    grey = rng.standard_normal((height, width, 1), dtype=np.float32)
    colour = rng.standard_normal((height, width, 3), dtype=np.float32)
    return np.clip(np.round(128 + np.float32(scene.noise) * (0.9 * grey + 0.4 * colour)), 0, 255).astype(
        np.uint8
    )
