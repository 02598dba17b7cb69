"""Rendering of clips: a moving face under flickering light, with head drift, blinks and sensor noise.

The same recording gives the same bytes on every processor. Processors round the last digit of a sum or of an
exponential differently, so what is rounded to grey levels or to positions is computed with 64 bits, where a
rounding hardly ever falls on another side; frames are added as whole numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.simulation.faces import GRID_STEP, render_still
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
from learnet.simulation.people import Person
from learnet.simulation.units import Activation, both_sides

BLINK_PX = 6.5  # displacement of the upper lid, in pixels of a face 112 pixels wide

MAX_DRIFT_S = 3.0
"""In longer recordings the head drifts more slowly, so that it moves no further than in this time."""

STILL_SCALE = 2
"""Enlargement of the still. Linear interpolation in it is almost as good as cubic interpolation in the
original, and takes a fifth of the time."""

NOISE_MARGIN = 32  # the noise image is larger than a frame by this many pixels


@dataclass(frozen=True)
class Camera:
    """Image size, frame rate and size of the face. The defaults are those of CASME II."""

    height: int = 480
    width: int = 640
    fps: float = 200.0
    face_px: float = 250.0  # width of the face at the cheekbones


@dataclass(frozen=True)
class HeadTurn:
    """A deliberate movement of the head, which adds to its drift."""

    pose: HeadPose  # at the apex, relative to the resting pose
    timing: Timing


@dataclass(frozen=True)
class LightFlicker:
    """Light whose brightness oscillates for a while."""

    amplitude: float  # relative change of the brightness at the apex
    rate_hz: float
    timing: Timing


@dataclass(frozen=True)
class RecordingConditions:
    """Everything that does not depend on the expression: pose, blinks, light and noise."""

    view: View  # resting position of the head in the image
    drift: float  # amount of head drift, see `movement.head_drift`
    blinks: tuple[Timing, ...]
    gain: float  # exposure of the clip
    flicker: float  # relative amplitude of the lamp's 100 Hz light as sampled by the camera
    noise: float  # standard deviation of the sensor noise, grey levels
    seed: int  # of drift, flicker and noise
    turns: tuple[HeadTurn, ...] = ()
    light_flickers: tuple[LightFlicker, ...] = ()


def draw_conditions(camera: Camera, duration_s: float, rng: np.random.Generator) -> RecordingConditions:
    """Draw the conditions of a clip: another position of the head each time, and a blink every 5 s."""
    shift = np.clip(rng.normal(0, 1, 2), -2, 2)
    face_px = camera.face_px * float(np.exp(rng.normal(0, 0.015)))
    origin_x = float(camera.width / 2 + shift[0] * 8.0)
    origin_y = float(0.43 * camera.height + shift[1] * 5.0)
    roll_deg = float(np.clip(rng.normal(0, 1.5), -4, 4))
    view = View(
        camera.height,
        camera.width,
        face_px,
        (origin_x, origin_y),
        roll_deg,
    )
    blinks = []
    for _ in range(rng.poisson(duration_s / 5.0)):
        start = rng.uniform(-0.15, duration_s)
        closed = start + rng.uniform(0.05, 0.09)
        open_again = start + rng.uniform(0.16, 0.30)
        blinks.append(Timing(start, closed, open_again))
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
    """One expression within a recording."""

    activations: tuple[Activation, ...]  # empty where nothing is expressed
    timing: Timing


@dataclass(frozen=True)
class Recording:
    """One recording to be rendered."""

    person: Person
    episodes: tuple[Episode, ...]  # where they overlap, their movements add up
    conditions: RecordingConditions
    camera: Camera
    frames: int

    @property
    def times(self) -> Float64[np.ndarray, "T"]:
        """Time of every frame in seconds from the first."""
        numbers = np.arange(self.frames)
        return numbers / self.camera.fps


def render(
    recording: Recording, numbers: Sequence[int] | None = None
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """Yield frames of a recording: RGB, grey levels.

    Args:
        recording: what to render.
        numbers: of the frames, from 0; None for all.
    """
    conditions = recording.conditions
    view = conditions.view
    still_view = _still_view(recording.camera)
    still = _enlarged_still(recording.person, still_view)
    to_still = _enlarged(still_view).matrix_from(view)
    rng = np.random.default_rng(conditions.seed)
    noise = _noise_image(rng, conditions)
    gains = conditions.gain * _flicker(rng, recording.times, conditions.flicker)
    gains *= _light_flickers(recording)
    corners = rng.integers(0, NOISE_MARGIN, (recording.frames, 2))
    for number, field in motion_fields(recording, numbers):
        top, left = corners[number]
        frame_noise = noise[top : top + view.height, left : left + view.width]
        frame = _warp_still(still, field, to_still, view)
        yield _expose(frame, frame_noise, float(gains[number]))


def motion_fields(
    recording: Recording, numbers: Sequence[int] | None = None
) -> Iterator[tuple[int, Float32[np.ndarray, "h w 2"]]]:
    """Yield the number and the true displacement field of frames of a recording.

    Args:
        recording: what moves.
        numbers: of the frames, from 0; None for all.

    Yields:
        Number of the frame, and (dx, dy) in pixels from the resting face at every GRID_STEP-th pixel
        (`View.coarser`).
    """
    conditions = recording.conditions
    geometry = recording.person.geometry
    view = conditions.view.coarser(GRID_STEP)
    expressions = []
    for episode in recording.episodes:
        field = displacement(geometry, episode.activations, view)
        intensity = episode.timing.intensity(recording.times)
        expressions.append((field, intensity))
    blink = displacement(geometry, both_sides(45, BLINK_PX), view)
    closure = _eye_closure(recording)
    eyes = eye_region(geometry, view)[..., None]
    head_fields, head_poses = _head_motion(recording, view)
    if numbers is None:
        numbers = range(recording.frames)
    for number in numbers:
        closed = np.float32(closure[number])
        free = 1 - closed * eyes  # a blink suppresses other movement of the lids
        face = np.zeros_like(blink)
        for field, intensity in expressions:
            level = np.float32(intensity[number])
            if intensity[number]:  # most frames of a long recording show no expression
                face += level * free * field
        total = face + closed * blink
        for amount, head_field in zip(head_poses[number], head_fields, strict=True):
            total += amount * head_field  # small motions add up
        yield number, np.float32(GRID_STEP) * total


def _eye_closure(recording: Recording) -> Float64[np.ndarray, "T"]:
    """Return how far the eyes are closed by blinks in each frame, 0..1."""
    closure = np.zeros(recording.frames)
    for blink in recording.conditions.blinks:
        closure = np.maximum(closure, blink.intensity(recording.times))
    return closure


def _head_motion(
    recording: Recording, view: View
) -> tuple[Float32[np.ndarray, "6 h w 2"], Float32[np.ndarray, "T 6"]]:
    """Return the field of one unit of each component of HeadPose, and the pose in each frame."""
    fields = []
    for components in np.eye(6).tolist():
        pose = HeadPose(*components)
        fields.append(head_displacement(pose, view))
    conditions = recording.conditions
    rng = np.random.default_rng([conditions.seed, 1])
    drift = head_drift(rng, recording.times, conditions.drift)
    components = [astuple(pose) for pose in drift]
    poses = np.array(components, np.float32)
    for turn in conditions.turns:
        intensity = turn.timing.intensity(recording.times)
        poses += np.outer(intensity, astuple(turn.pose)).astype(np.float32)
    return np.stack(fields), poses


def register(frame: UInt8[np.ndarray, "H W 3"], view: View, crop: View) -> UInt8[np.ndarray, "h w 3"]:
    """Cut the face out of a frame.

    The transform is the same for every frame of a clip, as in registered databases.

    Args:
        frame: of a recording.
        view: resting position of the face in the frame.
        crop: position of the face in the result.
    """
    return cv2.warpAffine(
        frame,
        crop.matrix_from(view),
        (crop.width, crop.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _still_view(camera: Camera) -> View:
    """Return the view of a person's still: larger than a frame, because the head moves between clips."""
    margin = 40 * camera.height // 480
    origin_x = margin + camera.width / 2
    origin_y = margin + 0.43 * camera.height
    return View(
        camera.height + 2 * margin,
        camera.width + 2 * margin,
        camera.face_px,
        (origin_x, origin_y),
    )


def _enlarged(view: View) -> View:
    """Return the view of the image enlarged by STILL_SCALE."""
    x, y = view.origin
    origin_x = STILL_SCALE * (x + 0.5) - 0.5
    origin_y = STILL_SCALE * (y + 0.5) - 0.5
    return View(
        STILL_SCALE * view.height,
        STILL_SCALE * view.width,
        STILL_SCALE * view.face_px,
        (origin_x, origin_y),
        view.roll_deg,
    )


@lru_cache(maxsize=2)
def _enlarged_still(person: Person, view: View) -> UInt8[np.ndarray, "H W 3"]:
    still = render_still(person, view)
    return cv2.resize(
        still,
        None,
        fx=STILL_SCALE,
        fy=STILL_SCALE,
        interpolation=cv2.INTER_LANCZOS4,
    )


def _warp_still(
    still: UInt8[np.ndarray, "A B 3"],
    field: Float32[np.ndarray, "h w 2"],
    to_still: Float64[np.ndarray, "2 3"],
    view: View,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the frame whose points have moved along a coarse field.

    Args:
        still: enlarged image of the resting face.
        field: displacement in pixels at every GRID_STEP-th pixel.
        to_still: affine matrix from pixels of the frame to pixels of the still.
        view: of the frame.
    """
    step = np.float32(GRID_STEP)
    centre = (GRID_STEP - 1) / 2  # of a coarse pixel
    positions = step * invert_field(field / step).astype(np.float64)
    height, width = positions.shape[:2]
    x = positions[..., 0] + (np.arange(width) * GRID_STEP + centre)
    y = positions[..., 1] + (np.arange(height) * GRID_STEP + centre)[:, None]
    (x_by_x, x_by_y, x_shift), (y_by_x, y_by_y, y_shift) = to_still
    still_x = x_by_x * x + x_by_y * y + x_shift
    still_y = y_by_x * x + y_by_y * y + y_shift
    coarse = np.stack([still_x, still_y], axis=-1)
    size = (width * GRID_STEP, height * GRID_STEP)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    fine = fine[: view.height, : view.width].astype(np.float32)
    return sample_image(still, fine, cv2.INTER_LINEAR)


def _expose(
    frame: UInt8[np.ndarray, "H W 3"], noise: UInt8[np.ndarray, "H W 3"], gain: float
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the frame at this exposure with sensor noise, which is stored as its sum with 128."""
    levels = np.round(gain * np.arange(256)).astype(np.int16) - 128
    brightness = cv2.LUT(frame, levels)
    return cv2.add(brightness, noise, dtype=cv2.CV_8U)  # limited to 0..255


def _flicker(
    rng: np.random.Generator, times: Float64[np.ndarray, "T"], amplitude: float
) -> Float64[np.ndarray, "T"]:
    """Draw the relative brightness of each frame.

    A 200 Hz shutter samples the 100 Hz light of a lamp at a slowly changing phase; a slow drift is added.
    """
    lamp = _random_wave(rng, times, (99.0, 101.0), np.cos)
    drift = _random_wave(rng, times, (0.3, 2.0), np.sin)
    return 1 + amplitude * (lamp + drift)


def _light_flickers(recording: Recording) -> Float64[np.ndarray, "T"]:
    """Return the factor on the brightness of each frame by flickering light."""
    times = recording.times
    gain = np.ones(recording.frames)
    for flicker in recording.conditions.light_flickers:
        wave = np.sin(2 * np.pi * flicker.rate_hz * (times - flicker.timing.onset_s))
        gain *= 1 + flicker.amplitude * flicker.timing.intensity(times) * wave
    return gain


def _random_wave(
    rng: np.random.Generator,
    times: Float64[np.ndarray, "T"],
    rate_hz: tuple[float, float],
    function: np.ufunc,
) -> Float64[np.ndarray, "T"]:
    """Draw a wave of a rate in this range and of any phase."""
    rate = rng.uniform(*rate_hz)
    phase = rng.uniform(0, 2 * np.pi)
    return function(2 * np.pi * rate * times + phase)


def _noise_image(rng: np.random.Generator, conditions: RecordingConditions) -> UInt8[np.ndarray, "h w 3"]:
    """Draw sensor noise around 128, larger than a frame: every frame uses another part of it.

    It is mostly noise of brightness, as after the colour reconstruction of a camera.
    """
    height = conditions.view.height + NOISE_MARGIN
    width = conditions.view.width + NOISE_MARGIN
    grey = rng.standard_normal((height, width, 1), dtype=np.float32)
    colour = rng.standard_normal((height, width, 3), dtype=np.float32)
    mixed = 0.9 * grey + 0.4 * colour
    noise = 128 + conditions.noise * mixed
    return np.clip(np.round(noise), 0, 255).astype(np.uint8)
