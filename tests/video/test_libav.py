"""Decoding of files made by hand: time stamps, display matrices, damage."""

import shutil
import struct
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from learnet.core.errors import BadVideo
from learnet.video.libav import DAMAGED_FRAMES, MISSING_FRAMES, UNDECODED_FRAMES
from learnet.video.reader import open_video, read_clip, read_frames
from learnet.video.writer import write_video
from tests.builders.videos import colours, cut, mux, numbered


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_rate_keeps_the_time_of_every_frame(tmp_path: Path, suffix: str) -> None:
    """Time stamps set by hand, 33 ms apart with two pauses, starting late."""
    stamps = [500 + 33 * i + (400 if i > 6 else 0) + (900 if i > 20 else 0) for i in range(40)]
    with open_video(mux(tmp_path / f"v{suffix}", numbered(40), stamps)) as video:
        times = [frame.time_s for frame in video]
        assert video.info.variable_rate and video.losses == {}
    np.testing.assert_allclose(times, (np.array(stamps) - 500) / 1000, atol=1e-3)


@pytest.mark.parametrize("fps", [23.976, 29.97, 60.0, 120.0, 200.0, 240.0])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_constant_rate_is_recognised(tmp_path: Path, fps: float, suffix: str) -> None:
    """Matroska rounds to milliseconds, a fifth of a frame at 200 per second."""
    write_video(tmp_path / f"c{suffix}", numbered(30), fps)
    with open_video(tmp_path / f"c{suffix}") as video:
        times = [frame.time_s for frame in video]
        assert not video.info.variable_rate and video.info.fps == pytest.approx(fps, rel=1e-3)
    np.testing.assert_allclose(times, np.arange(30) / fps, atol=1.1e-3)


def test_avi_with_reordered_pictures_keeps_order_and_time(tmp_path: Path) -> None:
    """x264 in AVI reorders pictures, and AVI has no presentation times: those of libav are out of order."""
    path = mux(tmp_path / "b.avi", numbered(50), bf="3", b_adapt="0")
    stamps = [frame.time for frame in av.open(str(path)).decode(video=0)]
    assert stamps != sorted(stamps)  # or the test would show nothing
    with open_video(path) as video:
        frames = list(video)
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(50) / 25)
    np.testing.assert_allclose([frame.pixels.mean() for frame in frames], 2 * np.arange(50) + 10, atol=2)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_metadata_need_not_be_utf8(tmp_path: Path, suffix: str) -> None:
    """A title in Latin-1, of the file and, where the container has such, of the stream."""
    path = tmp_path / f"latin{suffix}"
    title = "prise \N{LATIN SMALL LETTER E WITH ACUTE}"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        stream.metadata["title"] = title
        container.mux(stream.encode(av.VideoFrame.from_ndarray(colours(), format="rgb24")))
        container.mux(stream.encode())
    utf8 = title.encode()
    assert utf8 in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(utf8, b"prise \xe9\xe9"))
    assert len(read_frames(path)) == 1


# Display matrix (a, b, c, d), x' = a x + c y, y' = b x + d y with y downwards, and the expected picture.
MATRICES = {
    "as it is": ((1, 0, 0, 1), lambda image: image),
    "quarter turn clockwise": ((0, 1, -1, 0), lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)),
    "quarter turn back": ((0, -1, 1, 0), lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)),
    "upside down": ((-1, 0, 0, -1), lambda image: cv2.rotate(image, cv2.ROTATE_180)),
    "mirrored": ((-1, 0, 0, 1), lambda image: cv2.flip(image, 1)),
    "mirrored top to bottom": ((1, 0, 0, -1), lambda image: cv2.flip(image, 0)),
    "transposed": ((0, 1, 1, 0), cv2.transpose),
    "transposed the other way": (
        (0, -1, -1, 0),
        lambda image: cv2.rotate(cv2.transpose(image), cv2.ROTATE_180),
    ),
}


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Set the display matrix in the track header of an mp4 file.

    Source: ISO 14496-12, 8.3.2 (16.16 fixed point, the last column 2.30).
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes from the version field to the matrix
    a, b, c, d = (round(value * 65536) for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", MATRICES)
def test_display_matrix_is_honoured(tmp_path: Path, name: str) -> None:
    matrix, expected = MATRICES[name]
    path = turned(mux(tmp_path / "r.mp4", [colours()] * 5), matrix)
    with open_video(path) as video:
        frames = list(video)
        assert (video.info.height, video.info.width) == frames[0].pixels.shape[:2]
    difference = np.abs(frames[-1].pixels.astype(int) - expected(colours()))
    assert np.median(difference) < 6  # colours are blurred along the seams only


def test_rotation_agrees_with_ffmpeg(tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("no ffmpeg program to compare with")
    path = turned(mux(tmp_path / "r.mp4", [colours()] * 5), (0, 1, -1, 0))
    subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", tmp_path / "r.png"], check=True)
    with open_video(path) as video:
        assert video.info.rotation == -90
        pixels = next(iter(video)).pixels
    assert np.abs(pixels.astype(int) - cv2.imread(str(tmp_path / "r.png"))[..., ::-1]).mean() < 2


def test_a_rotation_by_an_odd_angle_is_noted(tmp_path: Path) -> None:
    path = turned(mux(tmp_path / "r.mp4", [colours()] * 5), (0.98, 0.17, -0.17, 0.98))
    with open_video(path) as video:
        assert "odd angle" in video.notes[0] and video.info.rotation == 0


def file_without_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        container.start_encoding()
    return path


def sound_file(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def file_of(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


BROKEN = {
    "missing": (lambda folder: folder / "nothing.mp4", "no such file"),
    "empty": (lambda folder: file_of(folder / "a.mp4", b""), "empty"),
    "text": (lambda folder: file_of(folder / "a.txt", b"one two three\n" * 99), "a text"),
    "text called mp4": (lambda folder: file_of(folder / "a.mp4", b"one two three\n" * 99), "not a video"),
    "noise": (lambda folder: file_of(folder / "a.mp4", np.random.default_rng(0).bytes(99999)), "not a video"),
    "single picture": (
        lambda folder: file_of(folder / "a.png", cv2.imencode(".png", colours())[1].tobytes()),
        "single picture",
    ),
    "sound only": (lambda folder: sound_file(folder / "a.mp4"), "no moving pictures"),
    "no frames, avi": (lambda folder: file_without_frames(folder / "a.avi"), "no frame|not a video"),
    "no frames, mkv": (lambda folder: file_without_frames(folder / "a.mkv"), "no frame|not a video"),
    "no frames, mp4": (
        lambda folder: file_without_frames(folder / "a.mp4"),
        "no frame|no moving pictures|not a video",
    ),
    "index cut off": (
        lambda folder: cut(mux(folder / "a.mp4", numbered(40)), 0.6),
        "not a video|no moving pictures",
    ),
    "head only": (lambda folder: cut(mux(folder / "a.mkv", numbered(40)), 0.15), "no frame|not a video"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_files_that_are_no_videos_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    make, message = BROKEN[case]
    path = make(tmp_path)
    capfd.readouterr()
    with pytest.raises(BadVideo, match=message) as refusal:
        open_video(path)
    assert str(refusal.value).startswith(str(path)) and "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "suffix, codec",
    [(".avi", "mjpeg"), (".avi", "libx264"), (".mkv", "libx264"), (".mp4", "libx264"), (".mp4", "mjpeg")],
)
def test_a_truncated_file_is_read_and_the_rest_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], rng: np.random.Generator, suffix: str, codec: str
) -> None:
    """100 frames of noise, so that the bytes are spread evenly; 60 % of the file is left."""
    noisy = [
        np.clip(frame + rng.normal(0, 8, frame.shape), 0, 255).astype(np.uint8) for frame in numbered(100)
    ]
    path = tmp_path / f"t{suffix}"
    mux(path, noisy, codec=codec)
    if suffix == ".mp4":  # with the index at the start, as in a download
        with (
            av.open(str(path)) as whole,
            av.open(str(tmp_path / "f.mp4"), "w", options={"movflags": "faststart"}) as front,
        ):
            stream = front.add_stream_from_template(whole.streams.video[0])
            for packet in whole.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    front.mux(packet)
        path = tmp_path / "f.mp4"
    path = cut(path, 0.6)
    capfd.readouterr()
    with open_video(path) as video:
        numbers = np.array([round((frame.pixels.mean() - 10) / 2) for frame in video])
    assert 40 < len(numbers) < 70
    # Damaged frames are delivered, so they are not missing.
    lost = sum(video.losses.values()) - video.losses.get(DAMAGED_FRAMES, 0)
    assert len(numbers) + lost == 100
    assert set(video.losses) <= {MISSING_FRAMES, UNDECODED_FRAMES, DAMAGED_FRAMES}
    errors = np.abs(numbers - np.arange(len(numbers)))
    assert (errors > 1).sum() <= 3  # the last ones may lack a reference
    with pytest.raises(BadVideo, match="not whole"):
        read_frames(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("damaged_bytes", [300, 3000])
def test_damage_in_the_middle_is_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], shared: Path, damaged_bytes: int
) -> None:
    data = bytearray((shared / "real" / "face_pexels.mp4").read_bytes())
    noise = np.random.default_rng(1)
    for share in (0.3, 0.4, 0.5, 0.6, 0.7):
        at = int(len(data) * share)
        data[at : at + damaged_bytes] = noise.bytes(damaged_bytes)
    with open_video(file_of(tmp_path / "d.mp4", bytes(data))) as video:
        delivered = sum(1 for _ in video)
    assert video.losses[DAMAGED_FRAMES] > 0
    lost = video.losses.get(UNDECODED_FRAMES, 0) + video.losses.get(MISSING_FRAMES, 0)
    assert delivered + lost == 472
    assert capfd.readouterr() == ("", "")


def test_sizes_that_change_are_read_and_noted(tmp_path: Path) -> None:
    """Two elementary streams one after the other: the second half is smaller."""
    halves = [
        mux(tmp_path / f"{i}.ts", numbered(20, *size), bf="0") for i, size in enumerate([(48, 64), (32, 48)])
    ]
    path = file_of(tmp_path / "j.ts", b"".join(half.read_bytes() for half in halves))
    with open_video(path) as video:
        sizes = [frame.pixels.shape[:2] for frame in video]
        assert sizes == [(48, 64)] * 20 + [(32, 48)] * 20 and video.losses == {}
        joined = (
            "The time stamps begin again once, as where files are joined; the parts are read as one film."
        )
        changes = "The size of the frames changes in the file: 64x48 at first, 48x32 later."
        assert video.notes == [joined, changes]
    assert len(read_clip(path, 3, 19).pixels) == 17
    with pytest.raises(BadVideo, match="frame 20 is 48x32, the first one 64x48"):
        read_clip(path, 3, 25)
