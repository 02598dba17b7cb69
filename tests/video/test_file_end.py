"""Cut off or damaged files, in formats that announce no number of frames: nothing is lost silently."""

import re
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from learnet.core.errors import BadVideo
from learnet.video.asf import are_packets_whole, read_asf_header
from learnet.video.libav import CUT_OFF_FRAMES, DAMAGED_FRAMES, GAP_FRAMES, MISSING_FRAMES
from learnet.video.mjpeg import are_pictures_whole
from learnet.video.picture_numbers import PictureNumbers
from learnet.video.reader import open_video, read_clip, read_frames
from tests.builders.videos import numbered

FRAMES = 60


def film(path: Path, codec: str = "libx264", format_name: str | None = None, **options: str) -> Path:
    """Write noise, so that the bytes are spread evenly, at 50 frames a second.

    Args:
        path: of the file.
        codec: of the pictures.
        format_name: of the container, if not by the suffix.
        options: of the container.
    """
    noise = np.random.default_rng(0)
    with av.open(str(path), "w", format=format_name, options=options) as container:
        stream = container.add_stream(codec, rate=50)
        stream.height, stream.width = 48, 64
        stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
        if codec == "libx264":
            stream.options = {"bf": "0", "g": "10"}
        for pixels in numbered(FRAMES):
            noisy = np.clip(pixels + noise.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode())
    return path


LIVE = {
    "fragments.mp4": lambda path: film(path, movflags="frag_keyframe+empty_moov"),
    "live.webm": lambda path: film(path, "libvpx", live="1"),
    "piped.mkv": lambda path: film(path, live="1"),
    "film.ts": film,
    "film.mpg": lambda path: film(path, "mpeg1video"),
    "film.gif": lambda path: film(path, "gif"),
    "film.mjpeg": lambda path: film(path, "mjpeg", "mjpeg"),
    "film.flv": film,
    "film.wmv": lambda path: film(path, "wmv2"),
    "film.y4m": lambda path: film(path, "wrapped_avframe", "yuv4mpegpipe"),
}
"""File that states neither a number of pictures nor, in most cases, a duration -> how it is written."""


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: LIVE[name](tmp_path / name)


@pytest.mark.parametrize("name", LIVE)
def test_whole_files_lack_nothing(make: Callable[[str], Path], name: str) -> None:
    with open_video(make(name)) as video:
        assert video.structural_losses() == {} and video.info.frames == FRAMES
        assert len(list(video)) == FRAMES and video.losses == {}


@pytest.mark.parametrize("share", [0.37, 0.62, 0.81])
@pytest.mark.parametrize("name", LIVE)
def test_files_that_were_cut_off_are_told(make: Callable[[str], Path], name: str, share: float) -> None:
    path = make(name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with open_video(path) as video:
        delivered = len(list(video))
        assert delivered < FRAMES and video.losses
        assert set(video.losses) & {CUT_OFF_FRAMES, MISSING_FRAMES}
    with pytest.raises(BadVideo, match="not whole"):
        read_frames(path)


def test_a_hole_in_matroska_is_counted_by_the_time_stamps(tmp_path: Path) -> None:
    """Zeros in one of the clusters: the demuxer continues at the next one, as if nothing had been there."""
    path = film(tmp_path / "hole.mkv", cluster_time_limit="200")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 256] = bytes(256)
    path.write_bytes(data)
    with open_video(path) as video:
        assert video.structural_losses().keys() == {GAP_FRAMES}
        frames = list(video)
        assert 0 < FRAMES - len(frames) == video.losses[GAP_FRAMES]
        assert video.losses.keys() <= {GAP_FRAMES, DAMAGED_FRAMES}
        assert video.info.fps == 50 and not video.info.variable_rate and video.info.frames == FRAMES
    assert frames[-1].time_s == pytest.approx((FRAMES - 1) / 50, abs=2e-3)
    losses = read_clip(path, 0, FRAMES - 1).losses  # as `prepare` does for the whole clip
    assert losses == video.losses
    assert read_clip(path, 0, 3).losses == {}  # the hole is behind it


@pytest.mark.parametrize("fragment", [0, 30, 59])
def test_a_fragment_whose_head_is_damaged_is_told(make: Callable[[str], Path], fragment: int) -> None:
    """The list of its pictures (box trun) has another name, so that the fragment is passed over."""
    path = make("fragments.mp4")
    parts = path.read_bytes().split(b"trun")
    assert len(parts) == FRAMES + 1  # noise makes each picture a key frame, which begins a fragment
    path.write_bytes(b"trun".join(parts[: fragment + 1]) + b"free" + b"trun".join(parts[fragment + 1 :]))
    with open_video(path) as video:
        assert len(list(video)) == FRAMES - 1 and video.losses


def test_matroska_announces_its_end_by_the_duration(tmp_path: Path) -> None:
    """The tag that repeats the duration may hold anything."""
    path = film(tmp_path / "cut.mkv")
    data = path.read_bytes()
    tag = data.index(b"00:00:01.200")
    data = data[:tag] + b"x0:yy" + data[tag + 5 :]
    path.write_bytes(data)
    assert len(read_frames(path)) == FRAMES
    path.write_bytes(data[: len(data) * 2 // 3])
    with open_video(path) as video:
        delivered = len(list(video))
        assert delivered + video.losses[MISSING_FRAMES] == FRAMES


def test_pictures_that_vp8_does_not_show_are_no_loss(tmp_path: Path) -> None:
    """Alternate references are packets of their own."""
    path = tmp_path / "hidden.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=50)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for pixels in numbered(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    packets = []
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    hidden = bytearray(packets[0])
    hidden[0] &= ~0x10  # RFC 6386, 9.1: show_frame
    assert path.read_bytes().count(packets[0]) == 1
    path.write_bytes(path.read_bytes().replace(packets[0], bytes(hidden)))
    with open_video(path) as video:
        assert video.info.frames == FRAMES - 1
        assert len(list(video)) == FRAMES - 1


@pytest.mark.parametrize("share", [0.37, 0.62, 0.95])
def test_mxf_announces_its_end_by_the_last_partition(tmp_path: Path, share: float) -> None:
    """A file that ends behind a picture is as readable as a whole one."""
    path = film(tmp_path / "film.mxf", "mpeg2video")
    with open_video(path) as video:
        assert len(list(video)) == video.info.frames == FRAMES and video.losses == {}
    with av.open(str(path)) as container:
        positions = [packet.pos for packet in container.demux(video=0) if packet.size]
    kept = int(FRAMES * share)
    path.write_bytes(path.read_bytes()[: positions[kept]])
    with open_video(path) as video:
        assert len(list(video)) == kept and video.losses == {MISSING_FRAMES: FRAMES - kept}
        assert video.info.frames == FRAMES
    with pytest.raises(BadVideo, match="not whole"):
        read_frames(path)


def test_mxf_of_a_live_recording_lacks_nothing(tmp_path: Path) -> None:
    """Its first partition states neither a duration nor where the last one is."""
    path = film(tmp_path / "film.mxf", "mpeg2video")
    data = bytearray(path.read_bytes())
    assert int.from_bytes(data[44:52]) > 0  # SMPTE 377, 7.1: position of the footer
    data[44:52] = bytes(8)
    path.write_bytes(data)
    with open_video(path) as video:
        assert len(list(video)) == FRAMES and video.losses == {}


def wmv(path: Path) -> Path:
    """Write a film with sound in about a hundred packets."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("wmv2", rate=50)
        stream.height, stream.width, stream.pix_fmt, stream.bit_rate = 96, 128, "yuv420p", 2_000_000
        sound = container.add_stream("wmav2", rate=44_100, layout="mono")
        sound.bit_rate = 64_000
        for number in range(FRAMES):
            pixels = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 882), np.float32), "fltp", "mono")
            samples.sample_rate, samples.pts = 44_100, 882 * number
            container.mux(sound.encode(samples))
        container.mux(stream.encode())
        container.mux(sound.encode())
    return path


def has_whole_packets(path: Path) -> bool:
    with path.open("rb") as file:
        header = read_asf_header(file)
        assert header is not None
        return are_packets_whole(file, header)


def test_a_packet_of_wmv_that_is_replaced_is_told(tmp_path: Path) -> None:
    """The size of the file stays, and libav goes on at the next picture that it finds."""
    path = wmv(tmp_path / "film.wmv")
    with open_video(path) as video:
        assert len(list(video)) == FRAMES and video.losses == {}
    assert has_whole_packets(path)
    data, size = path.read_bytes(), 3200
    start = data.index(bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")) + 50  # behind the GUID of the data
    count = (len(data) - start) // size
    assert count > 20
    for replaced in (count // 3, count // 2):
        first = start + replaced * size
        for content in (data[first - size : first], bytes(size)):
            path.write_bytes(data[:first] + content + data[first + size :])
            with open_video(path) as video:
                assert len(list(video)) <= FRAMES
                assert video.losses
            assert not has_whole_packets(path)


def test_an_image_of_gif_that_swallows_the_next_ones_is_told(tmp_path: Path) -> None:
    """The length of a block is another, and the chain of blocks happens to end where it would anyway."""
    data = film(tmp_path / "film.gif", "gif").read_bytes()
    start = data.index(b",\0\0\0\0", len(data) // 2) + 10
    flags = data[start - 1]
    first = start + (3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1  # behind the size of a code
    ends = first
    while data[ends]:
        ends += 1 + data[ends]
    next_image = data.index(b",\0\0\0\0", ends)
    block = data[first]
    swallowed = next_image - first + 60
    chain = bytearray(data[first + 1 + block : first + swallowed])
    merged = bytes([block]) + data[first + 1 : first + 1 + block]
    for begin in range(0, len(chain), 255):
        part = chain[begin : begin + 255]
        merged += bytes([len(part)]) + part
    rest = data.index(b"!\xf9", first + swallowed)
    path = tmp_path / "swallowed.gif"
    path.write_bytes(data[:first] + merged + b"\0" + data[rest:])
    with open_video(path) as video:
        assert len(list(video)) == FRAMES - 1
        assert CUT_OFF_FRAMES in video.losses


def test_films_that_are_joined_are_told(tmp_path: Path) -> None:
    """One file behind the other, as `cat` joins them. Of mp4, libav reads the first one only."""
    again, first_only = "The time stamps begin again once", "The file is 2 films, one behind the other"
    for name, frames, told in (("a.ts", 120, again), ("a.mkv", 120, again), ("a.mp4", 60, first_only)):
        data = film(tmp_path / name).read_bytes()
        with open_video(tmp_path / name) as video:
            assert not any("joined" in note or "films" in note for note in video.notes)
        (tmp_path / name).write_bytes(data + data)
        with open_video(tmp_path / name) as video:
            assert len(list(video)) == frames and video.losses == {}
            assert [told in note for note in video.notes].count(True) == 1


@pytest.mark.parametrize("replaced", ["zeros", "nothing", "noise"])
def test_a_hole_in_raw_mjpeg_is_told(make: Callable[[str], Path], replaced: str) -> None:
    """The pictures at both ends of the hole become one, which the decoder often takes for whole."""
    path = make("film.mjpeg")
    data = path.read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(20):
        length = int(rng.choice([512, 1500, 4096]))
        first = int(rng.integers(500, len(data) - length - 500))
        filling = {"zeros": bytes(length), "nothing": b"", "noise": rng.bytes(length)}[replaced]
        path.write_bytes(data[:first] + filling + data[first + length :])
        with open_video(path) as video:
            assert len(list(video)) == FRAMES or video.losses


def test_pictures_of_any_writer_and_text_between_them_are_whole(tmp_path: Path) -> None:
    """Cameras in a network send lines of text before each picture; a restart marker ends no picture."""
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    variants = ((), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2))
    pictures = [cv2.imencode(".jpg", pixels, variant)[1].tobytes() for variant in variants]
    path = tmp_path / "camera.mjpeg"
    path.write_bytes(b"".join(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + one for one in pictures))
    with path.open("rb") as file:
        assert are_pictures_whole(file)
    for damaged in (pictures[0][:-2] + pictures[1], pictures[0] + b"\x80" + pictures[1], pictures[1][400:]):
        path.write_bytes(damaged)
        with path.open("rb") as file:
            assert not are_pictures_whole(file)


def lacks_numbers(path: Path) -> bool:
    with av.open(str(path)) as container:
        numbers = PictureNumbers(container.streams.video[0])
        assert list(numbers.watch(container.demux()))
        return numbers.are_missing


@pytest.mark.parametrize("codec, groups", [("mpeg1video", "10"), ("mpeg2video", "12")])
@pytest.mark.parametrize("reordered", ["0", "2"])
def test_a_picture_of_mpeg_whose_start_is_damaged_is_told(
    tmp_path: Path, codec: str, groups: str, reordered: str
) -> None:
    """It becomes a part of the one before it, and the time stamps of the others are counted on."""
    path = tmp_path / "film.mpg"
    options = {"g": groups, "bf": reordered, "sc_threshold": "1000000000"}  # no groups besides
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for pixels in numbered(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    with open_video(path) as video:
        assert len(list(video)) == FRAMES and video.losses == {}
    assert not lacks_numbers(path)
    data = path.read_bytes()
    starts = [match.start() for match in re.finditer(b"\0\0\1\0", data)]
    assert len(starts) >= FRAMES - 2  # others lie across the packets of the container
    for number in (4, 17):
        start = starts[number]
        path.write_bytes(data[:start] + b"\x55" * 8 + data[start + 8 :])
        with open_video(path) as video:
            assert len(list(video)) < FRAMES
            assert video.losses
        assert lacks_numbers(path)
