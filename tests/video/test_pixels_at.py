"""Frames by their numbers against those of an iteration over the whole video."""

from pathlib import Path

import numpy as np
import pytest

from learnet.video import file
from learnet.video.array import ArrayVideo
from learnet.video.base import Video
from learnet.video.reader import open_video
from learnet.video.writer import write_video
from tests.builders.videos import mux, numbered, write_images

FRAMES = 120
WANTED = {3, 4, 40, 41, 42, 77, 119, 500}  # the last one is not there


def check(video: Video, first: int = 0) -> None:
    """Compare with the frames that an iteration gives."""
    wanted = {number + first for number in WANTED}
    expected = {frame.number: frame.pixels for frame in video if frame.number in wanted}
    losses = dict(video.losses)
    found = list(video.pixels_at(wanted))
    assert [number for number, _ in found] == sorted(expected) and len(expected) == len(WANTED) - 1
    for number, pixels in found:
        np.testing.assert_array_equal(pixels, expected[number])
    assert video.losses == losses


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".h264"])
def test_frames_of_a_file_with_reordered_pictures(tmp_path: Path, suffix: str) -> None:
    """Key frames are 30 frames apart; transport streams and raw streams cannot be read from each of them."""
    options = {"bf": "3", "b_adapt": "0", "g": "30", "sc_threshold": "0"}
    path = mux(tmp_path / f"v{suffix}", numbered(FRAMES), **options)
    with open_video(path) as video:
        check(video)
    with open_video(path, fps=99.0) as video:
        check(video)


@pytest.mark.parametrize("codec", ["mjpeg", "ffv1"])
def test_frames_of_a_file_of_key_frames(tmp_path: Path, codec: str) -> None:
    write_video(tmp_path / "v.mkv", numbered(FRAMES), 25.0, codec)
    with open_video(tmp_path / "v.mkv") as video:
        assert len(list(video)) == FRAMES and isinstance(video, file.FileVideo)
        assert len(video.key_frames) == (5 if codec == "mjpeg" else 4)  # at least a second apart
        check(video)


def test_few_frames_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mux(tmp_path / "v.mp4", numbered(FRAMES), bf="3", g="30", sc_threshold="0")
    decoded = []
    with open_video(path) as video:
        assert len(list(video)) == FRAMES
        decode = file.decode

        def counting(*arguments: object) -> object:
            for frame in decode(*arguments):  # type: ignore[arg-type]
                decoded.append(frame.pts)
                yield frame

        monkeypatch.setattr(file, "decode", counting)
        assert [number for number, _ in video.pixels_at([35, 36, 95])] == [35, 36, 95]
    assert len(decoded) <= 2 * 10  # five from each key frame, and some of those before it


def test_images_and_arrays(tmp_path: Path) -> None:
    frames = np.stack(list(numbered(FRAMES)))
    check(ArrayVideo(frames, 25.0))
    write_images(tmp_path / "images", {f"{number + 7}.png": frame for number, frame in enumerate(frames)})
    check(open_video(tmp_path / "images", 25.0), first=7)
