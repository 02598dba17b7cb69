"""Cameras, with a stand-in for the device."""

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
