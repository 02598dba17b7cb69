"""Dynamic images of rendered clips, as a prepared folder: people who do not exist show an expression, are filmed, cropped and folded.

For learning without licensed clips, as in `simulated`. The frames go the way that all clips go (`network_input.make_image`); only where the
eyes are is not searched but known, but for an error such as face finders make.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from learnet.core.settings import Preparation
from learnet.datasets.prepared.store import PreparedDataset
from learnet.datasets.synthetic.flow_images import (
    Progress,
    Row,
    SimulatedFolder,
    check_options,
    draw_emotion,
    write_simulated,
)
from learnet.face import Face, FaceFinder
from learnet.motion.pipeline import make_image
from learnet.simulation.apex_movement import HEAD_PX, draw_blink
from learnet.simulation.geometry import Geometry, View, crop_view
from learnet.simulation.measured_flow import APEX_S, FACE_PX, IMAGES_PER_PERSON, NOISE_SD
from learnet.simulation.movement import MODEL_FACE_PX
from learnet.simulation.render import Camera, Episode, register, render
from learnet.simulation.scenes import Scene, make_scene

FIRST_PERSON = 2 * 10**6  # number of the first person, beyond those of every synthetic database and video
FRAME_RATES = (60.0, 100.0, 200.0)  # frames per second: a fast camera of today, SMIC's, CASME II's
PICTURE_SIZE = (2.0, 1.9)  # height and width of the picture in face widths: the crop has room wherever the head is
PRECROPPED_SHARE = 0.5  # share of clips whose owners have cropped the face, as in CASME II and SMIC; in the others it is found by its eyes
CROP_ASPECT = 1.21  # height over width of the owners' crops: 340 x 280 in CASME II, 170 x 140 in SMIC
CROP_SD = 0.02  # standard deviation of their width, height and place from clip to clip, shares of the width
EYE_ERROR_SD = 0.025
"""Standard deviation of the error in an eye's place along each axis, in distances of the eyes. Measured on 60 rendered faces: YuNet 0.03,
Haar 0.01 and 0.02 off on average."""

BLOCK = 4 * IMAGES_PER_PERSON  # images that one process makes at a time

_WISH, _PERSON, _CLIP = 6, 7, 8  # streams of random numbers beside those of `simulate.script`


@dataclass(frozen=True)
class RenderedClip:
    """A clip from onset to offset, as it would lie on disk."""

    frames: UInt8[np.ndarray, "T H W 3"]  # RGB, whole pictures or face crops
    finder: FaceFinder | None  # of whole pictures; None: face crops
    scene: Scene  # what they show


class KnownFaceFinder:
    """A face finder that is told where the eyes are."""

    def __init__(self, face: Face) -> None:
        self.face, self.kind = face, face.finder

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face:
        """The face, which is where it is whatever the frame shows."""
        return self.face


def simulate_dynamic(
    out: Path,
    images: int,
    classes: tuple[str, ...] = ("negative", "positive", "surprise"),
    size: int = 112,
    seed: int = 0,
    jobs: int = -1,
    progress: Progress | None = None,
) -> PreparedDataset:
    """Make dynamic images of rendered clips, as `prepare` makes them by default, with their emotions and action units.

    Args:
        out: prepared folder to make; returned as it is where it holds the very same images.
        images: how many. The first of a larger number are those of a smaller one. Eight images show one person.
        classes: names of `simulated.CLASSES`, drawn equally often.
        size: height and width in pixels.
        seed: the same seed gives the same bytes.
        jobs: processes, each with one thread; -1 is one per core.
        progress: called as images are made.

    Raises:
        LearnetError: no images, an unknown class, or a size that no network takes.
        OutputTaken: OUT holds something else.
    """
    check_options(images, classes, size, seed)
    preparation = Preparation(motion="dynamic", size=size).settled
    reading = {"images": images, "motion": "dynamic", "classes": list(classes), "size": size, "seed": seed}
    people = [number - number % IMAGES_PER_PERSON for number in range(images)]
    names = [f"dynamic-{number + 1:06d}" for number in range(images)]
    work = partial(_block, classes=classes, preparation=preparation, seed=seed)
    return write_simulated(
        out, SimulatedFolder("image", preparation, reading, people, names, BLOCK), work, jobs, progress
    )


def _block(
    numbers: Iterable[int], classes: tuple[str, ...], preparation: Preparation, seed: int
) -> tuple[UInt8[np.ndarray, "N S S 3"], list[Row]]:
    """Images of these numbers, and of each its emotion, action units, frame rate, frames, and who cropped the face."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    pixels, rows = [], []
    try:
        for number in numbers:
            emotion = draw_emotion(classes, np.random.default_rng([seed, FIRST_PERSON, number, _WISH]))
            footage = render_clip(emotion, seed, number)
            pixels.append(make_image(footage.frames, preparation, footage.finder).image)
            told = {
                "emotion": emotion,
                "action_units": footage.scene.action_units,
                "fps": footage.scene.recording.camera.fps,
            }
            rows.append(
                {
                    **told,
                    "frames": len(footage.frames),
                    "face": footage.finder.kind if footage.finder else "given",
                }
            )
    finally:
        cv2.setNumThreads(threads)
    return np.stack(pixels), rows


def render_clip(emotion: str, seed: int, number: int) -> RenderedClip:
    """The clip of image NUMBER, showing an EMOTION or NO_EMOTION; the same arguments give the same frames.

    The head moves as far, and the lids as often and as far, as was set for simulated flow from real images.

    Raises:
        UnknownName: an emotion that cannot be simulated.
    """
    person, place = FIRST_PERSON + number // IMAGES_PER_PERSON, number % IMAGES_PER_PERSON + 1
    rng = np.random.default_rng([seed, person, place, _CLIP])
    scene = make_scene(
        seed, person, place, emotion, _camera(np.random.default_rng([seed, person, 0, _PERSON]))
    )
    drift = float(rng.exponential(HEAD_PX)) / MODEL_FACE_PX / APEX_S
    conditions = replace(scene.recording.conditions, drift=drift, noise=float(rng.uniform(*NOISE_SD)))
    lids = Episode(draw_blink(rng), scene.recording.episodes[0].timing)
    take = replace(scene.recording, episodes=(*scene.recording.episodes, lids), conditions=conditions)
    scene = replace(scene, recording=take)
    frames = list(render(take, range(scene.onset - 1, scene.offset)))
    if rng.random() < PRECROPPED_SHARE:
        crop = _owners_crop(take.camera, rng)
        return RenderedClip(np.stack([register(frame, conditions.view, crop) for frame in frames]), None, scene)
    return RenderedClip(np.stack(frames), KnownFaceFinder(_face(take.person.geometry, conditions.view, rng)), scene)


def _camera(rng: np.random.Generator) -> Camera:
    """A camera, and how large the face is in its picture."""
    face_px = float(rng.uniform(*FACE_PX))
    return Camera(round(PICTURE_SIZE[0] * face_px), round(PICTURE_SIZE[1] * face_px), float(rng.choice(FRAME_RATES)), face_px)


def _owners_crop(camera: Camera, rng: np.random.Generator) -> View:
    """The registered crop that comes with a database, no larger than the face was filmed, a little different in every clip."""
    width = camera.face_px * 1.1
    wider, taller, right, down = CROP_SD * rng.normal(size=4)
    crop = crop_view(round(width * CROP_ASPECT * (1 + taller)), round(width * (1 + wider)))
    return replace(crop, origin=(crop.origin[0] + right * width, crop.origin[1] + down * width))


def _face(geometry: Geometry, view: View, rng: np.random.Generator) -> Face:
    """Where a finder would see the face at rest and its eyes, the one further left in the picture first."""
    marks = ("inner eye", "outer eye", "upper lid", "lower lid")
    eyes = view.to_pixels(
        np.array([np.mean([geometry.at(mark, side) for mark in marks], axis=0) for side in ("right", "left")])
    )
    eyes += EYE_ERROR_SD * np.linalg.norm(eyes[1] - eyes[0]) * rng.normal(size=(2, 2))
    (left, top), (right, low) = eyes.tolist()
    half = view.face_px / 2
    box = ((left + right) / 2 - half, (top + low) / 2 - half, 2 * half, 2 * half)
    return Face(box, ((left, top), (right, low)), 1.0, "known")
