"""What the spotter measures in a recording, kept so that movements can be searched again with other
thresholds."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from learnet.core.errors import BadInput
from learnet.core.files import write_atomically
from learnet.core.npy_files import read_archive
from learnet.face import FaceFinder
from learnet.inference.spotting.follower import FaceFollower, Sample
from learnet.inference.spotting.movements import SHIPPED, Thresholds
from learnet.inference.spotting.points import face_points
from learnet.inference.spotting.spotter import Spotter, Spotting, collect
from learnet.video.base import Frame

FIELDS = (
    *("displacements", "rigid", "residuals", "rotation_deg", "head_px"),
    *("correlation", "sharpness", "brightness", "track", "to_crop"),
)
"""Fields of a sample, as they are stored."""

_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class MeasuredRecording:
    """The frames of a recording, without pixels, and what was measured in those that were sampled."""

    times_s: Float64[np.ndarray, "T"]  # of all frames
    numbers: Int64[np.ndarray, "T"]  # of all frames
    samples: tuple[Sample | None, ...]  # of the sampled frames in time order; None: no face


class _Recording:
    """A follower that keeps its samples."""

    def __init__(self, finder: FaceFinder | None) -> None:
        self.follower = FaceFollower(finder, face_points())
        self.samples: list[Sample | None] = []

    def measure(self, pixels: UInt8[np.ndarray, "H W 3"], time_s: float) -> Sample | None:
        """Measure the next frame."""
        sample = self.follower.measure(pixels, time_s)
        self.samples.append(sample)
        return sample


class _Replay:
    """A follower that returns samples that were kept. Which frames are sampled depends on their times."""

    def __init__(self, samples: Sequence[Sample | None]) -> None:
        self.samples = iter(samples)

    def measure(self, pixels: UInt8[np.ndarray, "H W 3"], time_s: float) -> Sample | None:
        """Return the next sample."""
        return next(self.samples)


def measure_recording(frames: Iterable[Frame], finder: FaceFinder | None) -> MeasuredRecording:
    """Measure a recording.

    Args:
        frames: in time order, as of `learnet.video.reader.open_video`.
        finder: detects a face; None: the frames are face crops.
    """
    recording = _Recording(finder)
    spotter = Spotter(None)
    spotter.follower = recording
    times_s, numbers = [], []
    for frame in frames:
        times_s.append(frame.time_s)
        numbers.append(frame.number)
        spotter.add(frame)
    return MeasuredRecording(np.array(times_s, float), np.array(numbers, np.int64), tuple(recording.samples))


def spot_measured(measured: MeasuredRecording, thresholds: Thresholds = SHIPPED) -> Spotting:
    """Spot all movements of a recording that was measured before; with SHIPPED the same as `spot` does.

    Args:
        measured: output of `measure_recording`.
        thresholds: from which the skin moves.
    """
    return collect(_spot_each(measured, thresholds))


def _spot_each(measured: MeasuredRecording, thresholds: Thresholds) -> Iterator[Spotting]:
    spotter = Spotter(None, thresholds=thresholds)
    spotter.follower = _Replay(measured.samples)
    for number, time_s in zip(measured.numbers.tolist(), measured.times_s.tolist(), strict=True):
        yield spotter.add(Frame(number, time_s, _NO_PIXELS))
    yield spotter.finish()


def save_measured(path: Path, measured: MeasuredRecording) -> None:
    """Write what was measured to a file (.npz)."""
    found = [sample for sample in measured.samples if sample is not None]
    columns: dict[str, Any] = {}
    for name in FIELDS:
        columns[name] = np.array([getattr(sample, name) for sample in found])
    has_face = np.array([sample is not None for sample in measured.samples], dtype=bool)
    content = io.BytesIO()
    np.savez_compressed(
        content, times_s=measured.times_s, numbers=measured.numbers, has_face=has_face, **columns
    )
    write_atomically(path, content.getvalue())


def load_measured(path: Path) -> MeasuredRecording:
    """Read what `save_measured` wrote.

    Raises:
        BadInput: the file is damaged.
    """
    try:
        content = read_archive(path)
        columns = [content[name] for name in FIELDS]
        found = (_sample(values) for values in zip(*columns, strict=True))
        samples = tuple(next(found) if has_face else None for has_face in content["has_face"])
        return MeasuredRecording(content["times_s"], content["numbers"], samples)
    except (KeyError, OSError, RuntimeError, StopIteration, TypeError, ValueError) as error:
        raise BadInput(path, f"it is damaged ({type(error).__name__})", "Delete it.") from None


def _sample(values: Sequence[Any]) -> Sample:
    """Return a sample; numbers as they were measured."""
    named = dict(zip(FIELDS, values, strict=True))
    return Sample(
        displacements=named["displacements"],
        rigid=named["rigid"],
        residuals=named["residuals"],
        rotation_deg=named["rotation_deg"],
        head_px=named["head_px"],
        correlation=float(named["correlation"]),
        sharpness=float(named["sharpness"]),
        brightness=float(named["brightness"]),
        track=int(named["track"]),
        to_crop=named["to_crop"],
    )
