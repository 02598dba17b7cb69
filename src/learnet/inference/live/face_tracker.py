"""Position of the face in a stream: detected once, then tracked, and detected again if it has moved too far.

Detection takes longer than the interval between the frames of a fast camera, so a second thread does it. All
crops of a window must have one transform, because a change of transform would look like motion. When the face
has moved, the second thread crops all frames of the window again, while predictions use the old crops. Then
the new crops replace the old ones.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import NoFace
from learnet.face import EYE_DISTANCE, MIN_RIGID_CORRELATION, AlignedFaces, FaceFinder, align
from learnet.face.geometry import similarity_transform, transform_points
from learnet.face.head import EYES_AND_MOUTH, head_motion
from learnet.inference.live.crops import CropBuffer
from learnet.video.base import Frame

LOOKS = 4  # looks at the face in a window; head motion is measured between them
DELAY = (
    0.2  # share of a window after which a look must have ended, if it is waited for: 0.1 s, five detections
)
MAX_SHIFT = 0.1  # eye distances by which the face may move before it is cropped again: 4 of 112 pixels


@dataclass(frozen=True)
class ReferenceFace:
    """The face that determines the crops, and the frame that later frames are compared with."""

    aligned: AlignedFaces  # of one frame
    pixels: UInt8[np.ndarray, "H W 3"]  # the reference frame
    eyes: Float64[np.ndarray, "2 2"]  # in the reference frame
    landmarks: Float64[
        np.ndarray, "3 2"
    ]  # eyes and mouth in the reference frame, as tracked from earlier frames
    track: int  # increases when the face was lost: positions of different tracks cannot be compared

    @property
    def cropped_eyes(self) -> Float64[np.ndarray, "2 2"]:
        """The eyes that determine the crops, in pixels of the frame."""
        assert self.aligned.face is not None
        return np.array(self.aligned.face.eyes)

    @property
    def eye_distance(self) -> float:
        """Distance of these eyes in pixels of the frame."""
        return float(np.linalg.norm(np.diff(self.cropped_eyes, axis=0)))

    def crops_fit(self, eyes: Float64[np.ndarray, "2 2"]) -> bool:
        """Return whether a face with these eyes has moved so little that the crops can stay."""
        shifts = np.linalg.norm(eyes - self.cropped_eyes, axis=1)
        return bool(shifts.max() <= MAX_SHIFT * self.eye_distance)


@dataclass(frozen=True)
class Look:
    """Result of one look at one frame."""

    time_s: float
    reference: ReferenceFace | None  # for the next look; None: no face
    landmarks: Float64[np.ndarray, "3 2"] | None  # eyes and mouth, pixels of the frame


@dataclass(frozen=True)
class LookSchedule:
    """How often the tracker looks at the face, and when its results take effect."""

    interval: int  # frames from one look to the next
    delay: int  # frames after which the work of the second thread takes effect
    wait: (
        bool  # for the second thread, so that results are reproducible; else they take effect when available
    )
    window: int  # frames expected in a window


class FaceTracker:
    """The crops of the frames of a window, all by one transform; `crops` is None while there is no face."""

    def __init__(self, finder: FaceFinder | None, size: int, schedule: LookSchedule) -> None:
        """Start the second thread.

        Args:
            finder: detects a face; None: the frames are face crops.
            size: height and width of the crops in pixels.
            schedule: of the looks.
        """
        self.finder = finder
        self.size = size
        self.schedule = schedule
        self.crops: CropBuffer | None = None
        self.reference: ReferenceFace | None = None
        self.looks: deque[Look] = deque(maxlen=4 * LOOKS)
        self.idle = (
            threading.Event()
        )  # cleared during a prediction: crops can wait for it, but it not for them
        self.idle.set()
        self.recrops = 0  # how often the crops were replaced because the face had moved
        self._next_crops: CropBuffer | None = None
        self._look: Future[Look] | None = None
        self._crop: Future[None] | None = None
        self._frames = 0  # number of frames so far
        self._last_look = -schedule.interval  # frame of the last look
        self._due = 0  # frame at which the work of the second thread takes effect
        self._thread = ThreadPoolExecutor(1, "learnet-face", initializer=_lower_priority)

    def close(self) -> None:
        """End the second thread after its present work."""
        self._thread.shutdown(cancel_futures=True)

    def add(self, kept: Sequence[Frame]) -> None:
        """Process the newest frame.

        Args:
            kept: all frames that are still needed, in time order, the newest last.
        """
        newest = kept[-1]
        if self.finder is None and self.crops is None:
            aligned = align(newest.pixels[None], None, self.size)
            self.crops = CropBuffer(aligned, self.schedule.window)
        if self._next_crops is not None and self._next_crops.full:
            # a full buffer moves its crops, which the second thread must not be writing
            self._replace_crops()
        for crops in (self.crops, self._next_crops):
            if crops is not None:
                crops.add(newest.pixels, len(kept) - 1)
        if self.finder is None:
            return
        self._frames += 1
        if self._look or self._crop:
            if self._frames >= self._due or not self.schedule.wait:
                self._collect(kept, self.schedule.wait)
        elif self._frames - self._last_look >= self.schedule.interval:
            self._last_look = self._frames
            self._due = self._frames + self.schedule.delay
            self._look = self._thread.submit(look, newest, self.reference, self.finder, self.size)

    def settle(self, kept: Sequence[Frame]) -> None:
        """Wait for the second thread and use its results, after the last frame of the stream.

        Args:
            kept: see `add`.
        """
        while self._look or self._crop:
            self._collect(kept, wait=True)

    def head_px(self, since_s: float) -> float | None:
        """Return the head motion since a time, in pixels of the crop; None if it could not be measured."""
        looks = [look for look in self.looks if look.time_s >= since_s]
        positions = []
        tracks = set()
        for look in looks:
            if look.landmarks is not None and look.reference is not None:
                positions.append(look.landmarks)
                tracks.add(look.reference.track)
        if self.reference is None or len(positions) < max(2, len(looks)) or len(tracks) > 1:
            return None
        distances = np.linalg.norm(np.stack(positions) - positions[0], axis=2)
        return float(distances.max()) / self.reference.eye_distance * EYE_DISTANCE * self.size

    @property
    def face_visible(self) -> bool:
        """Whether the newest look found a face."""
        return bool(self.looks) and self.looks[-1].reference is not None

    def last_seen_s(self) -> float | None:
        """Return the time of the last look that found a face; None if none did."""
        return max((look.time_s for look in self.looks if look.reference is not None), default=None)

    def lose(self) -> None:
        """Forget a face that has left."""
        self.crops = None
        self.reference = None

    def _collect(self, kept: Sequence[Frame], wait: bool) -> None:
        """Use the results of the second thread, if it has finished."""
        if self._crop:
            if wait or self._crop.done():
                self._replace_crops()
        elif self._look and (wait or self._look.done()):
            result = self._look.result()
            self._look = None
            self.looks.append(result)
            if result.reference is None:
                return
            self.reference = result.reference
            if self.crops is None or self.crops.aligned is not result.reference.aligned:
                self._crop_again(result.reference.aligned, [frame.pixels for frame in kept])

    def _crop_again(self, aligned: AlignedFaces, frames: list[UInt8[np.ndarray, "H W 3"]]) -> None:
        crops = CropBuffer(aligned, max(self.schedule.window, len(frames)))
        crops.end = len(frames)  # reserved for these frames; frames that arrive meanwhile follow them
        self._next_crops = crops

        def fill() -> None:
            for index, frame in enumerate(frames):
                self.idle.wait()
                crops.put(index, frame)

        self._crop = self._thread.submit(fill)
        self._due = self._frames + self.schedule.delay

    def _replace_crops(self) -> None:
        assert self._crop is not None
        self._crop.result()
        self.recrops += self.crops is not None
        self.crops = self._next_crops
        self._next_crops = None
        self._crop = None


def _lower_priority() -> None:
    """Lower the priority of this thread: frames and predictions are more urgent."""
    if sys.platform == "linux":  # elsewhere a priority is that of the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def look(frame: Frame, reference: ReferenceFace | None, finder: FaceFinder, size: int) -> Look:
    """Track the face from the reference frame; detect it again if it was lost or has moved too far.

    Args:
        frame: newest frame.
        reference: of the last look; None if there was no face.
        finder: detects a face.
        size: height and width of the crops in pixels.
    """
    track = 0 if reference is None else reference.track + 1
    landmarks = None
    if reference is not None and frame.pixels.shape == reference.pixels.shape:
        motion = head_motion(np.stack([reference.pixels, frame.pixels]), reference.eyes, 0, fine=False)
        if motion.correlation[1] >= MIN_RIGID_CORRELATION:
            track = reference.track
            landmarks = transform_points(motion.transforms[1], reference.landmarks)
            if reference.crops_fit(transform_points(motion.transforms[1], reference.eyes)):
                return Look(frame.time_s, reference, landmarks)
    try:
        aligned = align(frame.pixels[None], finder, size)
    except NoFace:
        return Look(frame.time_s, None, None)
    assert aligned.face is not None
    eyes = np.array(aligned.face.eyes)
    if landmarks is None:
        from_unit_eyes = similarity_transform(np.array([[-0.5, 0.0], [0.5, 0.0]]), eyes)
        landmarks = transform_points(from_unit_eyes, EYES_AND_MOUTH)
    detected = ReferenceFace(aligned, frame.pixels, eyes, landmarks, track)
    if reference is not None and reference.crops_fit(eyes):
        detected = replace(detected, aligned=reference.aligned)  # unmoved, as after a blink: keep the crops
    return Look(frame.time_s, detected, landmarks)
