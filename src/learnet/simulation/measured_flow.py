"""Optical flow measured between two rendered frames, at the onset and at the apex.

This is four times as slow as imitating an estimator (`imitated_flow`). The errors are those of a real
estimator (dense inverse search), but all faces are made from one portrait.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from learnet.simulation.apex_movement import HEAD_PX, draw_blink
from learnet.simulation.emotions import ExpressionStyle, draw_expression, make_style
from learnet.simulation.geometry import View
from learnet.simulation.movement import MODEL_FACE_PX, Timing
from learnet.simulation.people import Person, make_person
from learnet.simulation.render import Camera, Episode, Recording, RecordingConditions, render
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation

IMAGES_PER_PERSON = 8  # pairs of frames of each person: rendering a face takes longer than moving it

APEX_S = 0.125  # from the onset to the apex
FACE_PX = (95.0, 190.0)
"""Narrowest and widest face, pixels: the sizes of the faces in the databases after cropping."""

NOISE_SD = (0.5, 3.0)
"""Range of the standard deviation of the sensor noise, grey levels.

More than in rendered clips, for cameras of 100 frames per second.
"""

LIGHT_SD = 0.01  # standard deviation of the relative change of the light from the onset to the apex
BLUR_SHARE = 0.5  # share of pairs that are smoothed before the flow is measured, as most programs do
FULL_SCALE_SHARE = 0.7  # share of pairs measured at full resolution; the others at half of it
REFINEMENT_STEPS = (3, 25)  # range of the number of variational refinement steps, last excluded
SMOOTHNESS_WEIGHT = (8.0, 40.0)  # range of the weight of a smooth flow in the refinement


@dataclass(frozen=True)
class Picture:
    """The size of an image around a face, and the position of the face in it."""

    height: float  # face widths
    width: float  # face widths
    eye_height: float  # distance of the eyes from the top, share of the height


CLOSE_PICTURE = Picture(1.55, 1.25, 0.43)
WIDE_PICTURE = Picture(1.75, 1.7, 0.40)  # with room for loose crops

FARNEBACK_SHARE = 0.35  # of the estimators drawn by `any_estimator`; the others are dense inverse search
PRESET_SHARE = 0.25  # dense inverse search at one of three scales, with OpenCV's preset


@dataclass(frozen=True)
class FilmedPerson:
    """A person, their style of expression, and the camera that films them."""

    person: Person
    style: ExpressionStyle
    camera: Camera
    picture: Picture = CLOSE_PICTURE


def make_filmed_person(rng: np.random.Generator, picture: Picture = CLOSE_PICTURE) -> FilmedPerson:
    """Draw a person, and the size of the face in the image.

    Args:
        rng: source of all random numbers.
        picture: size of the image around the face.
    """
    face_px = float(rng.uniform(*FACE_PX))
    height = round(picture.height * face_px)
    width = round(picture.width * face_px)
    person = make_person(rng)
    style = make_style(rng)
    camera = Camera(height, width, 1 / APEX_S, face_px)
    return FilmedPerson(person, style, camera, picture)


def measure_flow(
    emotion: str, filmed: FilmedPerson, rng: np.random.Generator, any_estimator: bool = False
) -> tuple[Float32[np.ndarray, "H W 2"], View, tuple[Activation, ...]]:
    """Render a person at the onset and at the apex of an expression, and measure the flow between them.

    Args:
        emotion: a key of `emotions.EMOTIONS`, ANY_UNITS, or NO_EMOTION.
        filmed: person and camera.
        rng: source of all random numbers.
        any_estimator: draw the estimator too: dense inverse search, or Farneback's. Otherwise only the
            settings of dense inverse search are drawn.

    Returns:
        The flow in pixels, the view of the frames, and the action units of the expression.

    Raises:
        UnknownName: the emotion cannot be simulated.
    """
    activations: tuple[Activation, ...] = ()
    if emotion != NO_EMOTION:
        activations = draw_expression(emotion, filmed.style, filmed.person.geometry, rng)
    timing = Timing(0.0, APEX_S, 2 * APEX_S)  # no movement in the first of the two frames, all in the second
    expression = Episode(activations, timing)
    blink = Episode(draw_blink(rng), timing)
    conditions = _draw_conditions(filmed, rng)
    recording = Recording(
        filmed.person,
        (expression, blink),
        conditions,
        filmed.camera,
        frames=2,
    )
    onset, apex = render(recording)
    estimate = _estimate_any_flow if any_estimator else _estimate_flow
    return estimate(onset, apex, rng), conditions.view, activations


def _draw_conditions(filmed: FilmedPerson, rng: np.random.Generator) -> RecordingConditions:
    camera = filmed.camera
    face_px = camera.face_px * float(np.exp(rng.normal(0, 0.01)))
    origin_x = camera.width / 2 + float(rng.normal(0, 2))
    origin_y = filmed.picture.eye_height * camera.height + float(rng.normal(0, 2))
    roll_deg = float(rng.normal(0, 1.5))
    view = View(
        camera.height,
        camera.width,
        face_px,
        (origin_x, origin_y),
        roll_deg,
    )
    head_px = float(rng.exponential(HEAD_PX))
    return RecordingConditions(
        view=view,
        drift=head_px / MODEL_FACE_PX / APEX_S,
        blinks=(),
        gain=1.0,
        noise=float(rng.uniform(*NOISE_SD)),
        flicker=float(abs(rng.normal(0, LIGHT_SD))),
        seed=int(rng.integers(2**31)),
    )


def _estimate_flow(
    onset: UInt8[np.ndarray, "H W 3"], apex: UInt8[np.ndarray, "H W 3"], rng: np.random.Generator
) -> Float32[np.ndarray, "H W 2"]:
    """Estimate the flow by dense inverse search with randomly drawn settings."""
    first = cv2.cvtColor(onset, cv2.COLOR_RGB2GRAY)
    second = cv2.cvtColor(apex, cv2.COLOR_RGB2GRAY)
    if rng.random() < BLUR_SHARE:
        first = cv2.GaussianBlur(first, (0, 0), 0.8)
        second = cv2.GaussianBlur(second, (0, 0), 0.8)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    full_scale = rng.random() < FULL_SCALE_SHARE
    finest_scale = 0 if full_scale else 1
    search.setFinestScale(finest_scale)
    steps = rng.integers(*REFINEMENT_STEPS)
    search.setVariationalRefinementIterations(int(steps))
    weight = rng.uniform(*SMOOTHNESS_WEIGHT)
    search.setVariationalRefinementAlpha(float(weight))
    return search.calc(first, second, None)  # type: ignore[call-overload]  # None: no initial flow


def _estimate_any_flow(
    onset: UInt8[np.ndarray, "H W 3"], apex: UInt8[np.ndarray, "H W 3"], rng: np.random.Generator
) -> Float32[np.ndarray, "H W 2"]:
    """Estimate the flow by one of the estimators that programs of other laboratories use, at random."""
    choice = rng.random()
    if choice > FARNEBACK_SHARE + PRESET_SHARE:
        return _estimate_flow(onset, apex, rng)
    first = cv2.cvtColor(onset, cv2.COLOR_RGB2GRAY)
    second = cv2.cvtColor(apex, cv2.COLOR_RGB2GRAY)
    if choice > FARNEBACK_SHARE:
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        search.setFinestScale(int(rng.integers(3)))
        return search.calc(first, second, None)  # type: ignore[call-overload]  # None: no initial flow
    return cv2.calcOpticalFlowFarneback(  # type: ignore[call-overload]  # None: no initial flow
        first,
        second,
        None,
        pyr_scale=0.5,
        levels=int(rng.choice([1, 3, 5])),
        winsize=int(rng.choice([7, 11, 15, 21])),
        iterations=int(rng.choice([3, 5, 10])),
        poly_n=int(rng.choice([5, 7])),
        poly_sigma=float(rng.choice([1.1, 1.2, 1.5])),
        flags=int(rng.choice([0, cv2.OPTFLOW_FARNEBACK_GAUSSIAN])),
    )
