"""Optical flow as an estimator really measures it: two frames of somebody nobody is, at the onset and at the apex, and dense inverse search
between them.

Four times as slow as imitating an estimator (`estimate`). Its errors are real ones; the faces are all made from one portrait.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from learnet.simulation.apex_movement import HEAD_PX, draw_blink
from learnet.simulation.emotions import ExpressionStyle, draw_expression, make_style
from learnet.simulation.faces import Person, make_person
from learnet.simulation.geometry import View
from learnet.simulation.movement import MODEL_FACE_PX, Timing
from learnet.simulation.render import Camera, Episode, Recording, RecordingConditions, render
from learnet.simulation.scenes import NO_EMOTION
from learnet.simulation.units import Activation

IMAGES_PER_PERSON = 8  # pairs of frames that one person sits for: photographing a face takes longer than moving it

APEX_S = 0.125  # from the onset to the apex
FACE_PX = (
    95.0,
    190.0,
)  # narrowest and widest face in pixels: what is left of the databases' faces after cropping
NOISE_SD = (
    0.5,
    3.0,
)  # standard deviation of the sensor noise, grey levels; more than `render` has, for cameras of 100 frames a second
LIGHT_SD = 0.01  # standard deviation of the lamp's change from the onset to the apex
BLUR_SHARE = 0.5  # share of pairs that are smoothed before they are compared, as most programs do
FULL_SCALE_SHARE = 0.7  # share of pairs that are compared down to single pixels, the others to every second
REFINEMENT_STEPS = (3, 25)  # fewest and most steps of the estimator's refinement
SMOOTHNESS_WEIGHT = (8.0, 40.0)  # least and largest weight of an even flow in it


@dataclass(frozen=True)
class FilmedPerson:
    """Somebody before a camera."""

    person: Person
    manner: ExpressionStyle
    camera: Camera


def make_filmed_person(rng: np.random.Generator) -> FilmedPerson:
    """Somebody new, and how large their face is in the picture."""
    face_px = float(rng.uniform(*FACE_PX))
    return FilmedPerson(
        make_person(rng),
        make_style(rng),
        Camera(round(1.55 * face_px), round(1.25 * face_px), 1 / APEX_S, face_px),
    )


def measure_flow(
    emotion: str, sitter: FilmedPerson, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "H W 2"], View, tuple[Activation, ...]]:
    """Somebody showing an EMOTION, or NO_EMOTION: the flow that was measured in pixels, the view, and the action units at work.

    Raises:
        UnknownName: an emotion that cannot be simulated.
    """
    activations = () if emotion == NO_EMOTION else draw_expression(emotion, sitter.manner, sitter.person.geometry, rng)
    timing = Timing(
        0.0, APEX_S, 2 * APEX_S
    )  # nothing in the first of the two frames, all of it in the second
    episodes = tuple(Episode(moving, timing) for moving in (activations, draw_blink(rng)))
    camera = sitter.camera
    view = View(
        camera.height,
        camera.width,
        camera.face_px * float(np.exp(rng.normal(0, 0.01))),
        (camera.width / 2 + float(rng.normal(0, 2)), 0.43 * camera.height + float(rng.normal(0, 2))),
        float(rng.normal(0, 1.5)),
    )
    drift = float(rng.exponential(HEAD_PX)) / MODEL_FACE_PX / APEX_S
    noise = float(rng.uniform(*NOISE_SD))
    conditions = RecordingConditions(
        view, drift, (), 1.0, float(abs(rng.normal(0, LIGHT_SD))), noise, int(rng.integers(2**31))
    )
    onset, apex = render(Recording(sitter.person, episodes, conditions, camera, 2))
    return _flow(onset, apex, rng), view, activations


def _flow(
    onset: UInt8[np.ndarray, "H W 3"], apex: UInt8[np.ndarray, "H W 3"], rng: np.random.Generator
) -> Float32[np.ndarray, "H W 2"]:
    """The flow that dense inverse search finds, set as one or another might set it."""
    pair = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (onset, apex)]
    if rng.random() < BLUR_SHARE:
        pair = [cv2.GaussianBlur(frame, (0, 0), 0.8) for frame in pair]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0 if rng.random() < FULL_SCALE_SHARE else 1)
    search.setVariationalRefinementIterations(int(rng.integers(*REFINEMENT_STEPS)))
    search.setVariationalRefinementAlpha(float(rng.uniform(*SMOOTHNESS_WEIGHT)))
    return search.calc(pair[0], pair[1], None)  # type: ignore[call-overload]  # None: from no flow at all
