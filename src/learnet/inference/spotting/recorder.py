"""What a person can look at afterwards: the times of all frames, and the motion of the face, thinned out."""

from array import array
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from learnet.core.records import FACE_REGIONS
from learnet.face import EYE_COLUMNS, EYE_ROW
from learnet.face.geometry import inverse, transform_points
from learnet.inference.spotting.curves import resting_level
from learnet.inference.spotting.follower import Sample
from learnet.inference.spotting.motion import TRACKED_PX
from learnet.inference.spotting.movements import SLOW_S
from learnet.inference.spotting.points import FacePoints, face_points
from learnet.video.base import Frame

MAX_SAMPLES = 2**16  # that are kept: 16 minutes at 67 a second; of longer recordings, every second one, ...
EYES = np.column_stack([EYE_COLUMNS, (EYE_ROW, EYE_ROW)]) * TRACKED_PX - 0.5  # in the tracked crop


@dataclass(frozen=True)
class RecordedMotion:
    """Frames and motion of a whole recording. Lengths are in pixels of the frame, unless stated otherwise."""

    frames: Int64[np.ndarray, "T"]  # numbers
    frames_s: Float64[np.ndarray, "T"]  # seconds since the first frame
    # Time stamps in the file, by which players seek; NaN where there are none.
    media_s: Float64[np.ndarray, "T"]
    samples_s: Float64[np.ndarray, "S"]  # times at which there is a face and its motion was measured
    # How far the skin of each region of FACE_REGIONS is from where it is at rest, the head's motion removed;
    # pixels of a face crop 112 pixels wide.
    regions_px: Float32[np.ndarray, "S R"]
    eyes: Float32[np.ndarray, "S 2 2"]  # (x, y) of both, the one further left in the picture first
    tracks: Int64[np.ndarray, "S"]  # increases where the face was lost, so that curves have a gap


class MotionRecorder:
    """Collect what `RecordedMotion` has. Memory is bounded but for 24 bytes for each frame."""

    def __init__(self, max_samples: int = MAX_SAMPLES) -> None:
        """Start without frames.

        Args:
            max_samples: number of samples that are kept; an even number.
        """
        self.points = face_points()
        self._frames = array("q")
        self._frames_s = array("d")
        self._media_s = array("d")
        # Pages of this memory are used only when they are written to.
        self._displacements = np.empty((max_samples, self.points.patches, 2), np.float32)
        self._eyes = np.empty((max_samples, 2, 2), np.float32)
        self._samples_s = np.empty(max_samples)
        self._tracks = np.empty(max_samples, np.int64)
        self._kept = 0
        self._step = 1  # of so many samples, one is kept
        self._seen = 0  # samples

    def add_frame(self, frame: Frame) -> None:
        """Note the next frame."""
        self._frames.append(frame.number)
        self._frames_s.append(frame.time_s)
        self._media_s.append(np.nan if frame.media_s is None else frame.media_s)

    def add_sample(self, time_s: float, sample: Sample) -> None:
        """Keep what was measured in a frame, or leave it out if the recording is long."""
        if self._kept == len(self._samples_s):
            self._thin_out()
        is_kept = self._seen % self._step == 0
        self._seen += 1
        if not is_kept:
            return
        row = self._kept
        self._displacements[row] = sample.displacements
        self._eyes[row] = transform_points(inverse(sample.to_crop), EYES)
        self._samples_s[row] = time_s
        self._tracks[row] = sample.track
        self._kept += 1

    def _thin_out(self) -> None:
        """Keep every second sample."""
        half = self._kept // 2
        for column in (self._displacements, self._eyes, self._samples_s, self._tracks):
            column[:half] = column[: 2 * half : 2]
        self._kept = half
        self._step *= 2

    def recorded(self) -> RecordedMotion:
        """Return what was collected."""
        samples_s = self._samples_s[: self._kept].copy()
        tracks = self._tracks[: self._kept].copy()
        regions_px = np.zeros((self._kept, len(FACE_REGIONS)), np.float32)
        for track in np.unique(tracks):
            rows = tracks == track
            displacements = self._displacements[: self._kept][rows].astype(np.float64)
            regions_px[rows] = _region_curves(samples_s[rows], displacements, self.points)
        return RecordedMotion(
            frames=np.array(self._frames, np.int64),
            frames_s=np.array(self._frames_s),
            media_s=np.array(self._media_s),
            samples_s=samples_s,
            regions_px=regions_px,
            eyes=self._eyes[: self._kept].copy(),
            tracks=tracks,
        )


def _region_curves(
    times_s: Float64[np.ndarray, "S"], displacements: Float64[np.ndarray, "S P 2"], points: FacePoints
) -> Float32[np.ndarray, "S R"]:
    """Return how far the patch of each region that moves most is from rest."""
    excursions = displacements - resting_level(times_s, displacements, SLOW_S)
    lengths = np.hypot(excursions[..., 0], excursions[..., 1])
    columns = []
    for region in FACE_REGIONS:
        patches = [index for index, name in enumerate(points.regions) if name == region]
        columns.append(lengths[:, patches].max(axis=1))
    return np.stack(columns, axis=1).astype(np.float32)
