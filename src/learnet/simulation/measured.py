"""Optical flow as an estimator really measures it: two frames of somebody nobody is, at the onset and at the apex, and dense inverse search
between them.

Four times as slow as imitating an estimator (`estimate`). Its errors are real ones; the faces are all made from one portrait.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from learnet.simulation.emotions import Manner, act, make_manner
from learnet.simulation.faces import Person, make_person
from learnet.simulation.geometry import View
from learnet.simulation.moment import HEAD_PX, draw_lids
from learnet.simulation.movement import MODEL_FACE_PX, Timing
from learnet.simulation.render import Camera, Circumstances, Episode, Take, render
from learnet.simulation.script import NO_EMOTION
from learnet.simulation.units import Activation

PER_PERSON = 8  # pairs of frames that one person sits for: photographing a face takes longer than moving it

APEX_S = 0.125  # from the onset to the apex
FACE_PX = (
    95.0,
    190.0,
)  # narrowest and widest face in pixels: what is left of the databases' faces after cropping
NOISE = (
    0.5,
    3.0,
)  # standard deviation of the sensor noise, grey levels; more than `render` has, for cameras of 100 frames a second
LIGHT = 0.01  # standard deviation of the lamp's change from the onset to the apex
SOFT = 0.5  # share of pairs that are smoothed before they are compared, as most programs do
WHOLE = 0.7  # share of pairs that are compared down to single pixels, the others to every second
REFINED = (3, 25)  # fewest and most steps of the estimator's refinement
EVENNESS = (8.0, 40.0)  # least and largest weight of an even flow in it


@dataclass(frozen=True)
class Sitter:
    """Somebody before a camera."""

    person: Person
    manner: Manner
    camera: Camera


def seat(rng: np.random.Generator) -> Sitter:
    """Somebody new, and how large their face is in the picture."""
    face_px = float(rng.uniform(*FACE_PX))
    return Sitter(
        make_person(rng),
        make_manner(rng),
        Camera(round(1.55 * face_px), round(1.25 * face_px), 1 / APEX_S, face_px),
    )


def measured(
    emotion: str, sitter: Sitter, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "H W 2"], View, tuple[Activation, ...]]:
    """Somebody showing an EMOTION, or NO_EMOTION: the flow that was measured in pixels, the view, and the action units at work.

    Raises:
        UnknownName: an emotion that cannot be simulated.
    """
    activations = () if emotion == NO_EMOTION else act(emotion, sitter.manner, sitter.person.geometry, rng)
    timing = Timing(
        0.0, APEX_S, 2 * APEX_S
    )  # nothing in the first of the two frames, all of it in the second
    episodes = tuple(Episode(moving, timing) for moving in (activations, draw_lids(rng)))
    camera = sitter.camera
    view = View(
        camera.height,
        camera.width,
        camera.face_px * float(np.exp(rng.normal(0, 0.01))),
        (camera.width / 2 + float(rng.normal(0, 2)), 0.43 * camera.height + float(rng.normal(0, 2))),
        float(rng.normal(0, 1.5)),
    )
    drift = float(rng.exponential(HEAD_PX)) / MODEL_FACE_PX / APEX_S
    noise = float(rng.uniform(*NOISE))
    circumstances = Circumstances(
        view, drift, (), 1.0, float(abs(rng.normal(0, LIGHT))), noise, int(rng.integers(2**31))
    )
    onset, apex = render(Take(sitter.person, episodes, circumstances, camera, 2))
    return _flow(onset, apex, rng), view, activations


def _flow(
    onset: UInt8[np.ndarray, "H W 3"], apex: UInt8[np.ndarray, "H W 3"], rng: np.random.Generator
) -> Float32[np.ndarray, "H W 2"]:
    """The flow that dense inverse search finds, set as one or another might set it."""
    pair = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (onset, apex)]
    if rng.random() < SOFT:
        pair = [cv2.GaussianBlur(frame, (0, 0), 0.8) for frame in pair]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0 if rng.random() < WHOLE else 1)
    search.setVariationalRefinementIterations(int(rng.integers(*REFINED)))
    search.setVariationalRefinementAlpha(float(rng.uniform(*EVENNESS)))
    return search.calc(pair[0], pair[1], None)  # type: ignore[call-overload]  # None: from no flow at all
