"""The rate and the number of frames of files whose headers are wrong: the time stamps decide."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from learnet.video.libav import GAP_FRAMES
from learnet.video.reader import open_video
from tests.builders.videos import mux, numbered

INTERVALS_MS = (46, 31, 52, 39, 35, 53, 34, 41, 50, 31)  # of a browser, which stamps frames when they arrive


def browser_film(path: Path) -> Path:
    """Write WebM as a browser does: no frame rate, so that libav takes the tick of its clock for it.

    The element DefaultDuration (0x23E383) of the track becomes Void (RFC 9559, 5.1.4.1.13).
    """
    stamps = [0, *np.cumsum(np.tile(INTERVALS_MS, 5)).tolist()]
    data = mux(path, numbered(51), stamps, "libvpx").read_bytes()
    at = data.index(b"\x23\xe3\x83")
    length = data[at + 3] & 0x7F
    path.write_bytes(
        data[:at] + b"\xec" + bytes([0x80 | length + 2]) + bytes(length + 2) + data[at + 4 + length :]
    )
    return path


def test_the_tick_of_a_browser_is_no_frame_rate(tmp_path: Path) -> None:
    path = browser_film(tmp_path / "rec.webm")
    with av.open(str(path)) as container:
        assert container.streams.video[0].guessed_rate == 1000  # or the test would show nothing
    with open_video(path) as video:
        assert video.info.fps == pytest.approx(1000 / np.mean(INTERVALS_MS), rel=1e-3)
        assert len(list(video)) == video.info.frames == 51 and video.losses == {}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_the_mean_of_a_variable_rate_follows_from_the_time_stamps(tmp_path: Path, suffix: str) -> None:
    """20 intervals of 40 ms and 20 of 90 ms: 40 in 2.6 s."""
    intervals = np.tile([40, 90], 20)
    stamps = [0, *np.cumsum(intervals).tolist()]
    with open_video(mux(tmp_path / f"v{suffix}", numbered(41), stamps)) as video:
        assert video.info.fps == pytest.approx(40 / 2.6, rel=1e-3)
        assert video.info.variable_rate and video.losses == {}


@pytest.mark.parametrize("pauses, is_variable", [(2, False), (12, True)])
def test_many_gaps_are_a_variable_rate_and_few_are_losses(
    tmp_path: Path, pauses: int, is_variable: bool
) -> None:
    """60 frames on a grid of 40 ms, some of which is left out, as where a recorder drops equal frames."""
    steps = np.ones(59, int)
    steps[:: 60 // pauses][:pauses] = 2
    stamps = [0, *(40 * np.cumsum(steps)).tolist()]
    with open_video(mux(tmp_path / "v.mkv", numbered(60), stamps, bf="0")) as video:
        assert len(list(video)) == 60 and video.info.variable_rate == is_variable
        assert video.losses == ({} if is_variable else {GAP_FRAMES: pauses})
        assert video.info.fps == pytest.approx(59_000 / stamps[-1] if is_variable else 25, rel=1e-3)


def test_the_delays_of_a_gif_are_its_times(tmp_path: Path) -> None:
    """Delays are in 1/100 s: 24 frames a second become 4, 4, 5, ... 1/100 s."""
    path = tmp_path / "g.gif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=24)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "rgb8"
        for pixels in numbered(25):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="rgb8"))
            )
        container.mux(stream.encode())
    with open_video(path) as video:
        times = [frame.time_s for frame in video]
        assert video.info.fps == pytest.approx(24 / times[-1], rel=1e-3)


def raw_film(path: Path, fps: int) -> Path:
    """Write H.264 pictures without a container, which state their rate."""
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for pixels in numbered(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_pictures_without_a_container_have_the_rate_they_state(tmp_path: Path) -> None:
    with open_video(raw_film(tmp_path / "pi.h264", 90)) as video:
        assert video.info.fps == 90 and not video.info.variable_rate
        assert "no time stamps" in video.notes[0] and "90 frames per second" in video.notes[0]
        np.testing.assert_allclose([frame.time_s for frame in video], np.arange(30) / 90)
    with open_video(tmp_path / "pi.h264", fps=30.0) as video:
        assert video.info.fps == 30 and video.notes == []


def test_pictures_that_state_no_rate_are_told_to_be_assumed(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    mux(tmp_path / "a.avi", numbered(8), codec="mjpeg")
    with av.open(str(tmp_path / "a.avi")) as container:
        path.write_bytes(b"".join(bytes(packet) for packet in container.demux(video=0) if packet.size))
    with open_video(path) as video:
        assert video.info.fps == 25 and "25 frames per second is assumed" in video.notes[0]
        assert len(list(video)) == 8 and video.losses == {}


def with_edit_list(path: Path, hidden: int, shown: int) -> Path:
    """Let an mp4 of 25 frames a second begin later, as a cut without a new encoding does.

    Source: ISO 14496-12, 8.6.6; the media time is in units of the track.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12  # version, flags and number of entries; then duration and media time
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        ticks = round(hidden / 25 / stream.time_base)
    (duration,) = struct.unpack_from(">I", data, at)
    (media_time,) = struct.unpack_from(">i", data, at + 4)
    frames = 30
    struct.pack_into(">Ii", data, at, duration * shown // frames, media_time + ticks)
    path.write_bytes(data)
    return path


def test_pictures_hidden_by_an_edit_list_are_not_counted(tmp_path: Path) -> None:
    path = with_edit_list(mux(tmp_path / "cut.mp4", numbered(30)), hidden=18, shown=12)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 30  # or the test would show nothing
    with open_video(path) as video:
        assert video.info.frames == 12 and video.notes == [
            "18 pictures of the file are hidden by its edit list."
        ]
        frames = list(video)
    assert len(frames) == 12 and video.losses == {}
    assert abs(frames[0].pixels.mean() - (2 * 18 + 10)) < 2


def test_a_constant_rate_with_rounded_time_stamps_is_the_announced_one(tmp_path: Path) -> None:
    rate = Fraction(24000, 1001)
    stamps = [round(1000 * number / rate) for number in range(60)]
    path = tmp_path / "c.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for number, pixels in enumerate(numbered(60)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamps[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with open_video(path) as video:
        assert video.info.fps == pytest.approx(float(rate), rel=1e-9) and not video.info.variable_rate
