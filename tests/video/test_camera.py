"""Cameras, with a stand-in for the device."""

import time

import cv2
import numpy as np
import pytest

from learnet.core.errors import BadVideo
from learnet.video.reader import open_video


def test_a_missing_camera_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadVideo, match="camera 97: there is no such camera"):
        open_video(97)
    assert capfd.readouterr() == ("", "")


class FakeCamera:
    """A camera that shows its frame number in BGR and is unplugged after seven pictures."""

    def __init__(self, index: int) -> None:
        self.taken = 0
        self.released = False

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.taken += 1
        return (
            (True, np.full((24, 32, 3), (0, 0, self.taken), np.uint8)) if self.taken <= 7 else (False, None)
        )

    def get(self, what: int) -> float:
        return 30.0

    def release(self) -> None:
        self.released = True


def test_camera_streams_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    with open_video(0) as video:
        frames = list(video)
        assert (video.info.width, video.info.height, video.info.fps, video.info.frames) == (32, 24, 30, None)
        assert [frame.pixels[0, 0].tolist() for frame in frames] == [
            [n, 0, 0] for n in range(2, 8)
        ]  # the first one gave the size
        assert video.losses == {"frames the camera did not deliver": 1}
        assert [frame.time_s for frame in frames] == sorted(frame.time_s for frame in frames)
    assert video.camera.released  # type: ignore[attr-defined]
    with open_video(0, last=2) as video:
        assert [frame.number for frame in video] == [0, 1, 2] and video.losses == {}


def test_the_rate_of_a_camera_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reports 30 frames a second, and delivers 2 in the dark; a rate that was given stays."""
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    clock = iter(np.arange(0.0, 100.0, 0.5))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with open_video(0) as video:
        rates = [video.info.fps for _ in video]
        assert rates[0] == 30 and rates[-1] == pytest.approx(2)
    with open_video(0, fps=15.0) as video:
        assert {video.info.fps for _ in video} == {15}


@pytest.mark.parametrize("reported", [0.0, -1.0, float("nan"), 1e9])
def test_a_rate_that_is_none_is_assumed_and_told(monkeypatch: pytest.MonkeyPatch, reported: float) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    monkeypatch.setattr(FakeCamera, "get", lambda self, what: reported)
    with open_video(0) as video:
        assert video.info.fps == 25 and "25 frames per second is assumed" in video.notes[0]
