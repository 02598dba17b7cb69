"""Simulated dynamic images as a prepared folder: rendered clips of synthetic people, cropped and pooled.

They are for training without licensed clips, like those of `flow_images`. The frames pass through the same
function as all clips (`motion.pipeline.make_image`). Only the position of the eyes is known rather than
detected, apart from an error as large as that of face detectors.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.settings import Preparation
from learnet.datasets.prepared.store import PreparedDataset
from learnet.datasets.synthetic.flow_images import check_options, draw_emotion
from learnet.datasets.synthetic.simulated_folder import Progress, Row, SimulatedFolder, write_simulated
from learnet.face import Face, FaceFinder
from learnet.motion.pipeline import make_image
from learnet.simulation.apex_movement import HEAD_PX, draw_blink
from learnet.simulation.geometry import Geometry, View, crop_view
from learnet.simulation.measured_flow import APEX_S, FACE_PX, IMAGES_PER_PERSON, NOISE_SD
from learnet.simulation.movement import MODEL_FACE_PX
from learnet.simulation.render import Camera, Episode, register, render
from learnet.simulation.scenes import Scene, make_scene

FIRST_PERSON = 2 * 10**6  # number of the first person, not used by any synthetic database or video
FRAME_RATES = (60.0, 100.0, 200.0)  # frames per second: a recent fast camera, SMIC, CASME II
PICTURE_SIZE = (2.0, 1.9)  # height and width of the frame in face widths: room for the crop at any position
PRECROPPED_SHARE = 0.5  # share of clips cropped by the database's owners, as in CASME II and SMIC
CROP_ASPECT = 1.21  # height over width of the owners' crops: 340 x 280 in CASME II, 170 x 140 in SMIC
CROP_SD = 0.02  # standard deviation of their width, height and position between clips, share of the width
EYE_ERROR_SD = 0.025
"""Standard deviation of the error of an eye's position along each axis, in distances of the eyes.

Measured on 60 rendered faces: the mean error is 0.03 with YuNet, 0.01 and 0.02 with Haar cascades.
"""

BLOCK = 4 * IMAGES_PER_PERSON  # images that one process makes at a time

_EMOTION, _PERSON, _CLIP = 6, 7, 8  # purposes of random generators, besides those of `simulation.scenes`


@dataclass(frozen=True)
class RenderedClip:
    """A clip from onset to offset, as a database stores it."""

    frames: UInt8[np.ndarray, "T H W 3"]  # RGB, whole frames or face crops
    finder: FaceFinder | None  # for whole frames; None for face crops
    scene: Scene  # the plan of the clip


class KnownFaceFinder:
    """A face finder for clips in which the position of the face is known."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.kind = face.finder

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face:
        """Return the known face."""
        return self.face


def simulate_dynamic(  # noqa: PLR0913  # each is an option of the command
    out: str | Path,
    images: int,
    classes: tuple[str, ...] = ("negative", "positive", "surprise"),
    size: int = 112,
    seed: int = 0,
    jobs: int = -1,
    progress: Progress | None = None,
) -> PreparedDataset:
    """Simulate dynamic images of rendered clips with their emotions and action units.

    They are made as `prepare` makes them by default. Eight images show one person.

    Args:
        out: prepared folder to make. A folder that already has the same images is returned as it is.
        images: number of images. Fewer images are the first of more.
        classes: names of `flow_images.CLASSES`, all equally frequent.
        size: height and width in pixels.
        seed: 0 or more. The same seed gives the same bytes.
        jobs: processes, each with one thread; -1 is one per core.
        progress: called as images are made, with (images made, images in all).

    Raises:
        LearnetError: no images, an unknown class, a negative seed, or a size that no network accepts.
        OutputTaken: the folder contains something else.
    """
    check_options(images, classes, size, seed)
    preparation = Preparation(motion="dynamic", size=size).settled
    folder = SimulatedFolder(
        kind="image",
        preparation=preparation,
        options={
            "images": images,
            "motion": "dynamic",
            "classes": list(classes),
            "size": size,
            "seed": seed,
        },
        people=[number - number % IMAGES_PER_PERSON for number in range(images)],
        names=[f"dynamic-{number + 1:06d}" for number in range(images)],
        block_size=BLOCK,
    )
    make_images = partial(_make_images, classes=classes, preparation=preparation, seed=seed)
    return write_simulated(Path(out), folder, make_images, jobs, progress)


def _make_images(
    numbers: Iterable[int], classes: tuple[str, ...], preparation: Preparation, seed: int
) -> tuple[UInt8[np.ndarray, "N S S 3"], list[Row]]:
    """Return the images with these numbers, and their columns of `clips.csv`."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    pixels = []
    rows: list[Row] = []
    try:
        for number in numbers:
            rng = np.random.default_rng([seed, FIRST_PERSON, number, _EMOTION])
            emotion = draw_emotion(classes, rng)
            clip = render_clip(emotion, seed, number)
            result = make_image(clip.frames, preparation, clip.finder)
            pixels.append(result.image)
            rows.append(_row(emotion, clip))
    finally:
        cv2.setNumThreads(threads)
    return np.stack(pixels), rows


def _row(emotion: str, clip: RenderedClip) -> Row:
    return {
        "emotion": emotion,
        "action_units": clip.scene.action_units,
        "fps": clip.scene.recording.camera.fps,
        "frames": len(clip.frames),
        "face": clip.finder.kind if clip.finder else "given",
    }


def render_clip(emotion: str, seed: int, number: int) -> RenderedClip:
    """Render the clip of one image. The same arguments give the same frames.

    Head motion and blinks have the parameters that were fitted to real flow images.

    Args:
        emotion: a key of `simulation.emotions.EMOTIONS`, or NO_EMOTION.
        seed: of all images.
        number: of the image.

    Raises:
        UnknownName: the emotion cannot be simulated.
    """
    person = FIRST_PERSON + number // IMAGES_PER_PERSON
    clip_number = number % IMAGES_PER_PERSON + 1
    camera = _draw_camera(np.random.default_rng([seed, person, 0, _PERSON]))
    scene = make_scene(seed, person, clip_number, emotion, camera)
    rng = np.random.default_rng([seed, person, clip_number, _CLIP])
    scene = _change_head_and_lids(scene, rng)
    recording = scene.recording
    view = recording.conditions.view
    frames = list(render(recording, range(scene.onset - 1, scene.offset)))
    if rng.random() < PRECROPPED_SHARE:
        crop = _draw_owners_crop(camera, rng)
        faces = [register(frame, view, crop) for frame in frames]
        return RenderedClip(np.stack(faces), None, scene)
    face = draw_detected_face(recording.person.geometry, view, rng)
    return RenderedClip(np.stack(frames), KnownFaceFinder(face), scene)


def _change_head_and_lids(scene: Scene, rng: np.random.Generator) -> Scene:
    """Draw the head drift, the sensor noise and a blink anew."""
    recording = scene.recording
    head_px = float(rng.exponential(HEAD_PX))
    drift = head_px / MODEL_FACE_PX / APEX_S
    noise = float(rng.uniform(*NOISE_SD))
    conditions = replace(recording.conditions, drift=drift, noise=noise)
    expression = recording.episodes[0]
    blink = Episode(draw_blink(rng), expression.timing)
    recording = replace(
        recording,
        episodes=(expression, blink),
        conditions=conditions,
    )
    return replace(scene, recording=recording)


def _draw_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera, and the size of the face in its image."""
    face_px = float(rng.uniform(*FACE_PX))
    height, width = PICTURE_SIZE
    fps = float(rng.choice(FRAME_RATES))
    return Camera(
        round(height * face_px),
        round(width * face_px),
        fps,
        face_px,
    )


def _draw_owners_crop(camera: Camera, rng: np.random.Generator) -> View:
    """Draw the registered crop of a database, as large as the face, a little different in every clip."""
    width = camera.face_px * 1.1
    wider, taller, right, down = CROP_SD * rng.normal(size=4)
    crop_height = width * CROP_ASPECT * (1 + taller)
    crop_width = width * (1 + wider)
    crop = crop_view(round(crop_height), round(crop_width))
    x, y = crop.origin
    return replace(crop, origin=(x + right * width, y + down * width))


def draw_detected_face(geometry: Geometry, view: View, rng: np.random.Generator) -> Face:
    """Draw the face as a detector would find it; the eye further left in the image comes first."""
    eyes = view.to_pixels(np.array([_eye_centre(geometry, "right"), _eye_centre(geometry, "left")]))
    eye_distance = np.linalg.norm(eyes[1] - eyes[0])
    error = EYE_ERROR_SD * eye_distance * rng.normal(size=(2, 2))
    eyes += error
    (left_x, left_y), (right_x, right_y) = eyes.tolist()
    half = view.face_px / 2
    box = (
        (left_x + right_x) / 2 - half,
        (left_y + right_y) / 2 - half,
        2 * half,
        2 * half,
    )
    return Face(box, ((left_x, left_y), (right_x, right_y)), 1.0, "known")


def _eye_centre(geometry: Geometry, side: str) -> Float64[np.ndarray, "2"]:
    """Return the mean of the landmarks of an eye."""
    landmarks = ("inner eye", "outer eye", "upper lid", "lower lid")
    points = [geometry.at(landmark, side) for landmark in landmarks]
    return np.mean(points, axis=0)
