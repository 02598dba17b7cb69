"""Reading videos and clips: ranges, rates and times against OpenCV's decoder and against definitions."""

import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from learnet.core.errors import BadInput, BadVideo
from learnet.video import reader
from learnet.video.array import ArrayVideo
from learnet.video.libav import MISSING_FRAMES
from learnet.video.reader import _reserve, open_video, read_clip, read_frames
from learnet.video.writer import write_video
from tests.builders.videos import colours, mux, numbered, write_images


def test_real_video_agrees_with_opencv(shared: Path) -> None:
    """OpenCV has its own FFmpeg: every frame, its number and its time must be the same."""
    path = shared / "real" / "face_pexels.mp4"
    reference, count = cv2.VideoCapture(str(path)), 0
    with open_video(path) as video:
        assert (video.info.width, video.info.height, video.info.frames) == (640, 360, 472)
        assert video.info.fps == pytest.approx(24000 / 1001, rel=1e-9)
        for frame in video:
            ready, pixels = reference.read()
            assert ready and frame.number == count
            assert frame.time_s == pytest.approx(reference.get(cv2.CAP_PROP_POS_MSEC) / 1000, abs=1e-6)
            assert frame.time_s == pytest.approx(count * 1001 / 24000, abs=1e-6)
            assert cv2.absdiff(frame.pixels, np.ascontiguousarray(pixels[..., ::-1])).mean() < 1
            count += 1
        assert count == 472 and not reference.read()[0]
        assert video.losses == {} and not video.info.variable_rate


def test_iterating_again_gives_the_same_frames(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mp4", numbered(30))
    with open_video(path) as video:
        once = [(frame.number, frame.time_s, frame.pixels.sum()) for frame in video]
        assert (
            once == [(frame.number, frame.time_s, frame.pixels.sum()) for frame in video] and len(once) == 30
        )


def test_range_is_inclusive_and_counts_from_zero(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mp4", numbered(30, step=8))
    with open_video(path, first=7, last=9) as video:
        count_text = [
            (frame.number, round((frame.pixels.mean() - 10) / 8), round(frame.time_s * 25, 6))
            for frame in video
        ]
    assert count_text == [(7, 7, 7), (8, 8, 8), (9, 9, 9)]
    assert read_frames(path, 28, 29).shape == (2, 48, 64, 3)


def test_range_beyond_the_end_is_counted_or_refused(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mp4", numbered(30))
    clip = read_clip(path, 20, 34)
    assert len(clip.pixels) == 10 and clip.losses == {MISSING_FRAMES: 5}
    with pytest.raises(BadVideo, match="5 frames missing"):
        read_frames(path, 20, 34)
    with pytest.raises(BadVideo, match="no frame 30; the last one that can be decoded is 29"):
        read_clip(path, 30, 34)
    with pytest.raises(BadInput, match="nothing from frame 9 to frame 8"):
        open_video(path, first=9, last=8)


def test_the_given_rate_sets_the_times(tmp_path: Path) -> None:
    """A recording of 200 frames per second, stored to be played at 25."""
    with open_video(mux(tmp_path / "slow.mp4", numbered(20)), fps=200.0) as video:
        assert video.info.fps == 200
        np.testing.assert_allclose([frame.time_s for frame in video], np.arange(20) / 200)
    for fps in (0.0, -25.0, 0.05, 100_000.0, float("nan"), float("inf")):
        with pytest.raises(BadInput, match=r"is no frame rate.*from 0\.1 to 10,000"):
            open_video(tmp_path / "slow.mp4", fps=fps)


def test_a_file_with_an_absurd_rate_is_refused_unless_the_actual_one_is_given(tmp_path: Path) -> None:
    """One picture in 20 s, and 60,000 pictures a second."""
    slow = mux(tmp_path / "slow.mkv", numbered(4), [0, 20_000, 40_000, 60_000])
    fast = tmp_path / "fast.mp4"
    with av.open(str(fast), "w") as container:
        stream = container.add_stream("mpeg4", rate=60_000)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for pixels in numbered(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    for path, rate in ((slow, "0.05"), (fast, "60000")):
        with pytest.raises(BadInput, match=f"{path.name}: {rate} is no frame rate"):
            open_video(path)
        with open_video(path, fps=50.0) as video:
            assert [frame.time_s for frame in video] == pytest.approx([0.0, 0.02, 0.04, 0.06])


def test_frames_are_read_into_the_buffer(tmp_path: Path, rng: np.random.Generator) -> None:
    """The pixels are those without a buffer, and those that OpenCV reads.

    Two files are special: a JPEG with bytes after its end, and one with an EXIF orientation.
    """
    folder = write_images(
        tmp_path / "clip", {f"{n}.jpg": rng.integers(0, 256, (24, 24, 3), dtype=np.uint8) for n in range(6)}
    )
    second, third = folder / "2.jpg", folder / "3.jpg"
    second.write_bytes(second.read_bytes() + b"\0 made by a camera")
    exif = b"Exif\0\0" + struct.pack(
        "<2sHIHHHIHHI", b"II", 42, 8, 1, 0x112, 3, 1, 6, 0, 0
    )  # one entry: orientation 6
    third.write_bytes(b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + third.read_bytes()[2:])
    expected = np.stack([cv2.imread(str(folder / f"{n}.jpg"))[..., ::-1] for n in range(6)])
    with open_video(folder) as video:
        assert (np.stack([frame.pixels for frame in video]) == expected).all()
    buffer = np.empty(10**6, np.uint8)
    clip = read_clip(folder, buffer=buffer)
    assert np.shares_memory(clip.pixels, buffer) and (clip.pixels == expected).all()
    again = read_clip(folder, 2, 4, buffer=buffer)
    assert (again.pixels == expected[2:5]).all()
    small = np.empty(100, np.uint8)
    assert (read_clip(folder, buffer=small).pixels == expected).all() and (
        read_frames(folder) == expected
    ).all()


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """1500 frames of 320x240 would be 345 MB; reading them needs as much memory as reading 100."""
    frame = cv2.resize(colours(), (320, 240))

    def peak_mb(count: int) -> float:
        path = tmp_path / f"{count}.avi"
        write_video(path, (frame for _ in range(count)), 25.0, "mjpeg")
        code = (
            "import resource, sys, pathlib; from learnet.video.reader import open_video; "
            f"n = sum(1 for _ in open_video(pathlib.Path({str(path)!r}))); "
            "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        count_text, peak = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
        assert int(count_text) == count
        return int(peak) / 1024

    assert peak_mb(1500) < peak_mb(100) + 20


class LongVideo(ArrayVideo):
    """Three frames of a file that announces an hour of 4K."""

    def __init__(self, first: int | None, last: int | None) -> None:
        super().__init__(np.zeros((3, 2160, 3840, 3), np.uint8), 60.0)
        self.info = replace(self.info, kind="file", frames=216_000)
        self.first, self.last = first, last


@pytest.mark.parametrize(
    "first, last, reserved", [(5, 8, 4), (None, 6, 7), (215_998, None, 2), (None, None, 10)]
)
def test_a_range_takes_memory_for_its_own_frames_only(
    first: int | None, last: int | None, reserved: int
) -> None:
    """Ten frames of 25 MB are the most that is reserved before they are there."""
    assert len(_reserve(LongVideo(first, last), None)) == reserved


def test_more_frames_than_are_reserved_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_RESERVED_BYTES", 48 * 64 * 3)
    path = mux(tmp_path / "v.mp4", numbered(30))
    clip = read_clip(path, 2, 28)
    assert clip.numbers == tuple(range(2, 29))
    np.testing.assert_allclose(clip.pixels.mean((1, 2, 3)), 2 * np.arange(2, 29) + 10, atol=2)


@pytest.mark.parametrize(
    "name, message",
    [
        ("rtsp://127.0.0.1:554/cam", r"^rtsp://127\.0\.0\.1:554/cam: this is an address"),
        ("http:/host/a.mp4", "^http://host/a.mp4: this is an address"),
        ("missing.mp4", "there is no such file"),
    ],
)
def test_what_is_no_file_is_named(name: str, message: str) -> None:
    for source in (name, Path(name)):
        with pytest.raises(BadVideo, match=message):
            open_video(source)


def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "film.mp4"
    os.mkfifo(pipe)
    with pytest.raises(BadVideo, match="this is a pipe or socket, not a file. Save the video as a file"):
        open_video(pipe)
    with pytest.raises(BadVideo, match="this is a device. Give the index of a camera"):
        open_video("/dev/zero")
