"""The face in a stream of frames: detected once, then followed, and detected again only after it was lost."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from learnet.face import EYE_COLUMNS, EYE_DISTANCE, EYE_ROW, FaceFinder, align, eye_transform
from learnet.face.geometry import inverse, transform_points
from learnet.inference.spotting.motion import TRACKED_PX, FaceMotion, ReferenceFace
from learnet.inference.spotting.points import FacePoints

SEARCH_S = 0.2  # between two searches for a face
LOST_CORRELATION = 0.5  # of the rigid parts, below which the face is lost
TURNED_CORRELATION = 0.8  # below this the face is searched again after TURNED_S
TURNED_S = 1.0
# The face changes slowly, with light and pose, so it is compared with a reference from time to time. The
# reference is replaced while the face is at rest, if possible.
REFERENCE_S, LATEST_REFERENCE_S = 5.0, 10.0
REST_S = 0.3  # over which the face is at rest
REST_PX = 0.15  # largest change of a patch in this time

EYES_CENTRE = np.array([[sum(EYE_COLUMNS) / 2, EYE_ROW]]) * TRACKED_PX - 0.5
EYES_DISTANCE_PX = EYE_DISTANCE * 112  # in the pixels in which lengths are reported


@dataclass(frozen=True)
class Sample:
    """What was measured in one frame; see `curves.Curves`."""

    displacements: Float64[np.ndarray, "P 2"]
    rigid: Float64[np.ndarray, "R 2"]
    residuals: Float64[np.ndarray, "P"]
    rotation_deg: Float64[np.ndarray, "2"]
    head_px: Float64[np.ndarray, "2"]
    correlation: float
    sharpness: float
    brightness: float
    track: int  # increases when the face was lost: samples of different tracks cannot be compared
    to_crop: Float64[np.ndarray, "2 3"]  # from the frame to the crop in which points are tracked


class Follower(Protocol):
    """What measures the motion of a face in one frame after the other."""

    def measure(self, pixels: UInt8[np.ndarray, "H W 3"], time_s: float) -> Sample | None:
        """Return the measurements in the next frame, or None where there is no face."""


@dataclass
class _Track:
    """The face that is followed."""

    reference: ReferenceFace
    to_crop: Float64[np.ndarray, "2 3"]  # of the last frame
    since_s: float  # time of the reference frame
    # What the reference itself had moved, since the first reference of the track.
    displacements: Float64[np.ndarray, "P 2"]
    rigid: Float64[np.ndarray, "R 2"]
    rotation_deg: Float64[np.ndarray, "2"]
    facing_s: float  # last time at which the face was turned to the camera


class FaceFollower:
    """Measure the motion of a face in one frame after the other.

    The motion is that since the first frame of a track: where the reference frame is replaced, what it has
    moved itself is added.
    """

    def __init__(self, finder: FaceFinder | None, points: FacePoints) -> None:
        """Start without a face.

        Args:
            finder: detects a face; None: the frames are face crops.
            points: of the face, whose motion is measured.
        """
        self.finder = finder
        self.points = points
        self.tracks = 0  # number of tracks so far
        self._track: _Track | None = None
        self._searched_s = -np.inf
        self._shape: tuple[int, ...] = ()  # of the last frame
        self._recent: deque[tuple[float, Float64[np.ndarray, "P 2"]]] = deque()

    def measure(self, pixels: UInt8[np.ndarray, "H W 3"], time_s: float) -> Sample | None:
        """Return the measurements in the next frame, or None where there is no face.

        Args:
            pixels: RGB, 0..255.
            time_s: of the frame, later than that of the one before.
        """
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        if grey.shape != self._shape:  # as in a call whose connection changes: positions mean something else
            self._shape = grey.shape
            self._track = None
            self._searched_s = -np.inf
        motion = self._follow(grey, time_s)
        if motion is None:
            self._find(pixels, grey, time_s)
            motion = self._follow(grey, time_s)
        if motion is None or self._track is None:
            return None
        sample = self._sample(motion)
        self._keep_recent(time_s, sample.displacements)
        self._replace_reference(grey, time_s, sample)
        return sample

    def _follow(self, grey: UInt8[np.ndarray, "H W"], time_s: float) -> FaceMotion | None:
        """Return the motion since the reference; None if the face is lost."""
        track = self._track
        if track is None:
            return None
        motion = track.reference.motion(grey, track.to_crop)
        if motion.correlation >= TURNED_CORRELATION:
            track.facing_s = time_s
        is_turned_away = time_s - track.facing_s > TURNED_S
        if motion.correlation < LOST_CORRELATION or is_turned_away:
            self._track = None
            return None
        track.to_crop = motion.to_crop
        return motion

    def _find(
        self, pixels: UInt8[np.ndarray, "H W 3"], grey: UInt8[np.ndarray, "H W"], time_s: float
    ) -> None:
        """Begin a new track, if it is time to search and there is a face."""
        if time_s - self._searched_s < SEARCH_S:
            return
        self._searched_s = time_s
        if self.finder is None:
            to_crop = align(pixels[None], None, TRACKED_PX).transforms[0]
        else:
            face = self.finder(pixels)
            if face is None:
                return
            to_crop = eye_transform(face, TRACKED_PX)
        self.tracks += 1
        self._recent.clear()
        self._track = _Track(
            reference=ReferenceFace(grey, to_crop, self.points),
            to_crop=to_crop,
            since_s=time_s,
            displacements=np.zeros((self.points.patches, 2)),
            rigid=np.zeros((self.points.rigid_points, 2)),
            rotation_deg=np.zeros(2),
            facing_s=time_s,
        )

    def _sample(self, motion: FaceMotion) -> Sample:
        track = self._track
        assert track is not None
        to_frame = inverse(motion.to_crop)
        position = transform_points(to_frame, EYES_CENTRE)[0]
        eye_distance = EYE_DISTANCE * TRACKED_PX * np.hypot(to_frame[0, 0], to_frame[1, 0])
        return Sample(
            displacements=track.displacements + motion.displacements,
            rigid=track.rigid + motion.rigid,
            residuals=motion.residuals,
            rotation_deg=track.rotation_deg + motion.rotation_deg,
            head_px=position / eye_distance * EYES_DISTANCE_PX,
            correlation=motion.correlation,
            sharpness=motion.sharpness,
            brightness=motion.brightness,
            track=self.tracks,
            to_crop=motion.to_crop,
        )

    def _keep_recent(self, time_s: float, displacements: Float64[np.ndarray, "P 2"]) -> None:
        self._recent.append((time_s, displacements))
        while time_s - self._recent[0][0] > REST_S:
            self._recent.popleft()

    def _replace_reference(self, grey: UInt8[np.ndarray, "H W"], time_s: float, sample: Sample) -> None:
        """Make this frame the reference, if the present one is old and the face is at rest."""
        track = self._track
        assert track is not None
        age_s = time_s - track.since_s
        if age_s < REFERENCE_S or sample.correlation < TURNED_CORRELATION:
            return
        recent = np.stack([displacements for _, displacements in self._recent])
        change = np.abs(recent - sample.displacements).max()
        if change > REST_PX and age_s < LATEST_REFERENCE_S:
            return
        track.reference = ReferenceFace(grey, track.to_crop, self.points)
        track.since_s = time_s
        track.displacements = sample.displacements
        track.rigid = sample.rigid
        track.rotation_deg = sample.rotation_deg
