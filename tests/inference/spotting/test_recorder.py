"""Movements that are known, gaps, and a bounded number of samples in what is recorded for a page."""

from pathlib import Path

import numpy as np
import pytest

from learnet.core.records import FACE_REGIONS
from learnet.inference.spotting import MotionRecorder, RecordedMotion
from learnet.video.base import Frame
from learnet.video.reader import open_video
from tests.builders.videos import mux, numbered
from tests.inference.spotting.test_spotter import PIXELS, collect, scripted
from tests.inference.spotting.test_spotter import numbered as frames_of

BROW = FACE_REGIONS.index("left brow")
CHIN = FACE_REGIONS.index("chin")


def record(
    max_samples: int = 2**12, seconds: int = 12, fps: float = 50.0, **settings: object
) -> RecordedMotion:
    recorder = MotionRecorder(max_samples)
    spotter = scripted(**settings)
    spotter.recorder = recorder
    collect(spotter, frames_of(round(seconds * fps), fps))
    return recorder.recorded()


def test_curves_show_what_moved() -> None:
    """The brows of the script move by 1 pixel from 2.0 to 2.4 s and from 7.0 to 7.4 s; the chin does not."""
    motion = record()
    brow = motion.regions_px[:, BROW]
    phase = motion.samples_s % 5.0
    moving = (phase > 2.0) & (phase < 2.4)
    peak = np.abs(phase - 2.15) < 0.011
    assert brow[peak].min() > 0.9 and brow.max() < 1.15
    assert brow[~moving].max() < 0.2 and motion.regions_px[:, CHIN].max() < 0.2


def test_every_frame_is_recorded() -> None:
    motion = record(fps=200.0)
    np.testing.assert_array_equal(motion.frames, np.arange(2400))
    np.testing.assert_array_equal(motion.frames_s, np.arange(2400) / 200)
    assert np.isnan(motion.media_s).all()
    assert 600 < len(motion.samples_s) < 900  # at most 67 a second


def test_eyes_are_in_the_frame() -> None:
    """The crop of the script is half as large as the frame."""
    motion = record(seconds=2)
    left, right = motion.eyes[0]
    assert left == pytest.approx(2 * (np.array([0.32, 0.27]) * 128 - 0.5), rel=1e-5)
    assert right == pytest.approx(2 * (np.array([0.68, 0.27]) * 128 - 0.5), rel=1e-5)


def test_curves_have_a_gap_without_a_face() -> None:
    motion = record(absent=(4.0, 6.0))
    assert not ((motion.samples_s >= 4.0) & (motion.samples_s < 6.0)).any()
    assert set(motion.tracks[motion.samples_s < 4.0]) == {1} and set(
        motion.tracks[motion.samples_s >= 6]
    ) == {2}


def test_long_recordings_are_thinned_out_evenly() -> None:
    whole, thin = record(), record(max_samples=100)
    assert 50 <= len(thin.samples_s) <= 100 < len(whole.samples_s)
    steps = np.diff(thin.samples_s)
    assert steps == pytest.approx(np.full(len(steps), steps[0]))
    assert thin.samples_s[-1] > whole.samples_s[-1] - steps[0]
    assert len(thin.frames) == len(whole.frames)


def test_time_stamps_are_those_of_the_file(tmp_path: Path) -> None:
    """Our clock starts with the first frame, that of a player does not; a given rate changes only ours."""
    stamps = [500, 540, 600, 700, 720]
    path = mux(tmp_path / "late.mkv", numbered(5), stamps)
    for fps, times in ((None, [0, 0.04, 0.1, 0.2, 0.22]), (10.0, [0, 0.1, 0.2, 0.3, 0.4])):
        recorder = MotionRecorder(2)
        with open_video(path, fps) as video:
            for frame in video:
                recorder.add_frame(frame)
        motion = recorder.recorded()
        assert motion.media_s == pytest.approx(np.array(stamps) / 1000)
        assert motion.frames_s == pytest.approx(np.array(times))


def test_frames_without_a_file_have_no_time_stamps() -> None:
    recorder = MotionRecorder(2)
    recorder.add_frame(Frame(7, 0.0, PIXELS))
    motion = recorder.recorded()
    assert motion.frames.tolist() == [7] and np.isnan(motion.media_s).all()
    assert motion.regions_px.shape == (0, len(FACE_REGIONS))
