"""Video against OpenCV's decoder, against files made by hand (time stamps, display matrices, damage), and against definitions."""

import shutil
import string
import struct
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput, BadVideo, UnknownName
from learnet.video.folder import NUMBER_GAPS, UNREADABLE_IMAGES
from learnet.video.images import image_files
from learnet.video.libav import DAMAGED_FRAMES, MISSING_FRAMES, UNDECODED_FRAMES
from learnet.video.reader import open_video, read_clip, read_frames
from learnet.video.writer import write_video

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 230)


def colours(height: int = 48, width: int = 64) -> np.ndarray:
    """Red, green over blue, white: every turn and mirror image of it is different."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, WHITE
    return image


def numbered(count: int, height: int = 48, width: int = 64, step: int = 2) -> list[np.ndarray]:
    """Frames whose grey level tells their number: step * number + 10."""
    return [np.full((height, width, 3), step * i + 10, np.uint8) for i in range(count)]


def mux(
    path: Path,
    frames: list[np.ndarray],
    stamps: list[int] | None = None,
    codec: str = "libx264",
    **options: str,
) -> Path:
    """Write a file by PyAV alone: time stamps in thousandths of a second, or 25 frames per second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = options
        if stamps:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if stamps:
                frame.pts, frame.time_base = stamps[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut(path: Path, share: float) -> Path:
    """The first part of a file, as a broken-off copy leaves it."""
    data = path.read_bytes()
    part = path.with_stem(f"{path.stem}-cut")
    part.write_bytes(data[: int(len(data) * share)])
    return part


# ---------------------------------------------------------------- files


def test_real_video_agrees_with_opencv(shared: Path) -> None:
    """OpenCV brings its own FFmpeg: every frame, its number and its time must be the same."""
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


def test_second_look_gives_the_same(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mp4", numbered(30))
    with open_video(path) as video:
        once = [(frame.number, frame.time_s, frame.pixels.sum()) for frame in video]
        assert (
            once == [(frame.number, frame.time_s, frame.pixels.sum()) for frame in video] and len(once) == 30
        )


def test_range_is_inclusive_and_counts_from_zero(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mp4", numbered(30, step=8))
    with open_video(path, first=7, last=9) as video:
        found = [
            (frame.number, round((frame.pixels.mean() - 10) / 8), round(frame.time_s * 25, 6))
            for frame in video
        ]
    assert found == [(7, 7, 7), (8, 8, 8), (9, 9, 9)]
    assert read_frames(path, 28, 29).shape == (2, 48, 64, 3)


def test_range_beyond_the_end_is_counted_or_refused(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mp4", numbered(30))
    footage = read_clip(path, 20, 34)
    assert len(footage.pixels) == 10 and footage.losses == {MISSING_FRAMES: 5}
    with pytest.raises(BadVideo, match="5 frames missing"):
        read_frames(path, 20, 34)
    with pytest.raises(BadVideo, match="no frame 30; the last one that can be decoded is 29"):
        read_clip(path, 30, 34)
    with pytest.raises(BadInput, match="nothing from frame 9 to frame 8"):
        open_video(path, first=9, last=8)


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
def test_constant_rate_is_not_taken_for_a_variable_one(tmp_path: Path, fps: float, suffix: str) -> None:
    """Matroska rounds to milliseconds, a fifth of a frame at 200 per second."""
    write_video(tmp_path / f"c{suffix}", numbered(30), fps)
    with open_video(tmp_path / f"c{suffix}") as video:
        times = [frame.time_s for frame in video]
        assert not video.info.variable_rate and video.info.fps == pytest.approx(fps, rel=1e-3)
    np.testing.assert_allclose(times, np.arange(30) / fps, atol=1.1e-3)


def test_given_rate_sets_the_times(tmp_path: Path) -> None:
    """A 200 frames per second recording that is stored to play at 25."""
    with open_video(mux(tmp_path / "slow.mp4", numbered(20)), fps=200.0) as video:
        assert video.info.fps == 200
        np.testing.assert_allclose([frame.time_s for frame in video], np.arange(20) / 200)
    with pytest.raises(BadInput, match="is no frame rate"):
        open_video(tmp_path / "slow.mp4", fps=0.0)


def test_avi_with_reordered_pictures_keeps_order_and_time(tmp_path: Path) -> None:
    """x264 in AVI reorders pictures, and AVI has no presentation times: libav's own are out of order there."""
    path = mux(tmp_path / "b.avi", numbered(50), bf="3", b_adapt="0")
    stamps = [frame.time for frame in av.open(str(path)).decode(video=0)]
    assert stamps != sorted(stamps)  # the trap is there
    with open_video(path) as video:
        frames = list(video)
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(50) / 25)
    np.testing.assert_allclose([frame.pixels.mean() for frame in frames], 2 * np.arange(50) + 10, atol=2)


MATRICES = {  # a b / c d of the display matrix: x' = a x + c y, y' = b x + d y, with y downwards; the picture that must come out
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
    """Set the display matrix in the track header of an mp4 file by hand (ISO 14496-12, 8.3.2: 16.16 numbers, the last column 2.30)."""
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


def test_odd_angle_is_said(tmp_path: Path) -> None:
    path = turned(mux(tmp_path / "r.mp4", [colours()] * 5), (0.98, 0.17, -0.17, 0.98))
    with open_video(path) as video:
        assert "odd angle" in video.notes[0] and video.info.rotation == 0


# ---------------------------------------------------------------- damage


def zero_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        container.start_encoding()
    return path


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def filled(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


BROKEN = {
    "missing": (lambda folder: folder / "nothing.mp4", "no such file"),
    "empty": (lambda folder: filled(folder / "a.mp4", b""), "empty"),
    "text": (lambda folder: filled(folder / "a.txt", b"one two three\n" * 99), "a text"),
    "text called mp4": (lambda folder: filled(folder / "a.mp4", b"one two three\n" * 99), "not a video"),
    "noise": (lambda folder: filled(folder / "a.mp4", np.random.default_rng(0).bytes(99999)), "not a video"),
    "single picture": (
        lambda folder: filled(folder / "a.png", cv2.imencode(".png", colours())[1].tobytes()),
        "single picture",
    ),
    "sound only": (lambda folder: sound(folder / "a.mp4"), "no moving pictures"),
    "no frames, avi": (lambda folder: zero_frames(folder / "a.avi"), "no frame|not a video"),
    "no frames, mkv": (lambda folder: zero_frames(folder / "a.mkv"), "no frame|not a video"),
    "no frames, mp4": (
        lambda folder: zero_frames(folder / "a.mp4"),
        "no frame|no moving pictures|not a video",
    ),
    "index cut off": (
        lambda folder: cut(mux(folder / "a.mp4", numbered(40)), 0.6),
        "not a video|no moving pictures",
    ),
    "head only": (lambda folder: cut(mux(folder / "a.mkv", numbered(40)), 0.15), "no frame|not a video"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_video_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str) -> None:
    make, wrong = BROKEN[case]
    path = make(tmp_path)
    capfd.readouterr()
    with pytest.raises(BadVideo, match=wrong) as refusal:
        open_video(path)
    assert str(refusal.value).startswith(str(path)) and "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "suffix, codec",
    [(".avi", "mjpeg"), (".avi", "libx264"), (".mkv", "libx264"), (".mp4", "libx264"), (".mp4", "mjpeg")],
)
def test_truncated_file_gives_what_is_there_and_counts_the_rest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], rng: np.random.Generator, suffix: str, codec: str
) -> None:
    """100 frames of noise, so that the bytes are spread evenly; 60 % of the file is left."""
    noisy = [
        np.clip(frame + rng.normal(0, 8, frame.shape), 0, 255).astype(np.uint8) for frame in numbered(100)
    ]
    path = tmp_path / f"t{suffix}"
    mux(path, noisy, codec=codec)
    if suffix == ".mp4":  # with the index in front, as a download leaves it
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
        seen = [round((frame.pixels.mean() - 10) / 2) for frame in video]
        lost = sum(
            count for what, count in video.losses.items() if what != DAMAGED_FRAMES
        )  # these are given as well
    assert 40 < len(seen) < 70 and len(seen) + lost == 100
    assert set(video.losses) <= {MISSING_FRAMES, UNDECODED_FRAMES, DAMAGED_FRAMES}
    assert (
        sum(abs(grey - i) <= 1 for i, grey in enumerate(seen)) >= len(seen) - 3
    )  # the last ones may lack a reference
    with pytest.raises(BadVideo, match="not whole"):
        read_frames(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stretch", [300, 3000])
def test_damage_in_the_middle_is_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], shared: Path, stretch: int
) -> None:
    data = bytearray((shared / "real" / "face_pexels.mp4").read_bytes())
    noise = np.random.default_rng(1)
    for place in (0.3, 0.4, 0.5, 0.6, 0.7):
        at = int(len(data) * place)
        data[at : at + stretch] = noise.bytes(stretch)
    with open_video(filled(tmp_path / "d.mp4", bytes(data))) as video:
        seen = sum(1 for _ in video)
    assert (
        video.losses[DAMAGED_FRAMES] > 0
        and seen + video.losses.get(UNDECODED_FRAMES, 0) + video.losses.get(MISSING_FRAMES, 0) == 472
    )
    assert capfd.readouterr() == ("", "")


def test_sizes_that_change_are_refused(tmp_path: Path) -> None:
    """Two elementary streams one after the other: the second half is smaller."""
    halves = [
        mux(tmp_path / f"{i}.ts", numbered(20, *size), bf="0") for i, size in enumerate([(48, 64), (32, 48)])
    ]
    joined = filled(tmp_path / "j.ts", b"".join(half.read_bytes() for half in halves))
    with open_video(joined) as video, pytest.raises(BadVideo, match="frame 20 is 48x32, the first one 64x48"):
        list(video)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """1500 frames of 320x240 would be 345 MB; the peak of a process that reads them is that of one that reads 100."""
    frame = cv2.resize(colours(), (320, 240))

    def peak_mb(count: int) -> float:
        path = tmp_path / f"{count}.avi"
        write_video(path, (frame for _ in range(count)), 25.0, "mjpeg")
        code = (
            "import resource, sys, pathlib; from learnet.video.reader import open_video; "
            f"n = sum(1 for _ in open_video(pathlib.Path({str(path)!r}))); "
            "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        found, peak = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
        assert int(found) == count
        return int(peak) / 1024

    assert peak_mb(1500) < peak_mb(100) + 20


# ---------------------------------------------------------------- folders


def put(folder: Path, names: dict[str, np.ndarray]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, image in names.items():
        cv2.imencode(Path(name).suffix.lower(), image[..., ::-1])[1].tofile(folder / name)
    return folder


PREFIX = st.text(string.ascii_letters + "_- ().", max_size=8).filter(lambda text: not text.startswith("."))
NUMBERED_PREFIX = st.one_of(
    PREFIX, st.builds(lambda a, n, b: f"x{a}{n}{b}_", PREFIX, st.integers(0, 99), PREFIX)
)
SUFFIX = st.sampled_from([".jpg", ".JPG", ".Jpeg", ".bmp", ".PNG", ".jpg.jpg", ".png.PNG"])
JUNK = (
    ".DS_Store",
    "Thumbs.db",
    "Desktop - Shortcut.lnk",
    "clip7.avi",
    "._img3.jpg",
    ".hidden9.png",
    "cover.jpg",
    "notes12.txt",
    "jpg",
)


@given(
    numbers=st.sets(st.integers(0, 10**7), min_size=1, max_size=12),
    prefix=NUMBERED_PREFIX,
    widths=st.lists(st.integers(1, 9), min_size=12, max_size=12),
    tail=st.text(string.ascii_letters + "_- ", max_size=4),
    suffixes=st.lists(SUFFIX, min_size=12, max_size=12),
    junk=st.sets(st.sampled_from(JUNK)),
)
def test_images_are_found_by_number(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: set[int],
    prefix: str,
    widths: list[int],
    tail: str,
    suffixes: list[str],
    junk: set[str],
) -> None:
    """Whatever the padding, prefix, case, doubled suffix or junk beside them: the numbers that were written, in order."""
    folder = tmp_path_factory.mktemp("images")
    names = {
        n: f"{prefix}{str(n).zfill(width)}{tail}{suffix}"
        for n, width, suffix in zip(sorted(numbers), widths, suffixes, strict=False)
    }
    for name in [*names.values(), *junk]:
        (folder / name).touch()
    (folder / "5.jpg.d").mkdir()
    (folder / "folder6.jpg").mkdir()
    found = image_files(folder)
    assert list(found) == sorted(numbers)
    assert {number: path.name for number, path in found.items()} == names


def test_depth_beside_colour_and_ambiguous_names(tmp_path: Path) -> None:
    """CAS(ME)^3 keeps depth as png beside colour as jpg; two clips in one folder cannot be told apart."""
    for name in ("8.jpg", "8.png", "9.jpg", "10.png"):
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path).values()] == ["8.jpg", "9.jpg"]
    (tmp_path / "reg_009.jpg").touch()
    with pytest.raises(BadVideo, match=r"9.jpg and reg_009.jpg have the same number"):
        image_files(tmp_path)
    with pytest.raises(BadVideo, match="cannot be read"):
        image_files(tmp_path / "nowhere")


def test_folder_in_numeric_order_with_gaps_counted(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "clip", {f"img{n}.png": np.full((20, 30, 3), n, np.uint8) for n in (8, 9, 10, 12, 100)}
    )
    with open_video(folder, fps=200.0) as video:
        frames = list(video)
        assert [(frame.number, int(frame.pixels[0, 0, 0])) for frame in frames] == [
            (n, n) for n in (8, 9, 10, 12, 100)
        ]
        assert frames[3].time_s == pytest.approx(4 / 200) and video.losses == {NUMBER_GAPS: 88}
        assert video.info.frames == 5 and video.notes == []
    footage = read_clip(folder, 9, 12)
    assert footage.numbers == (9, 10, 12) and footage.losses == {NUMBER_GAPS: 1} and len(footage.pixels) == 3
    assert read_clip(folder, 5, 9).losses == {NUMBER_GAPS: 3}
    assert len(read_frames(folder, 5, 9)) == 2
    with pytest.raises(BadVideo, match="from 13 to 20; there are 8 to 100"):
        read_frames(folder, 13, 20)


def test_folder_says_that_its_rate_is_assumed(tmp_path: Path) -> None:
    folder = put(tmp_path / "clip", {f"{n}.png": colours() for n in range(3)})
    with open_video(folder) as video:
        assert video.info.fps == 25 and "assumed" in video.notes[0]


def test_image_kinds_agree_with_opencv(tmp_path: Path, rng: np.random.Generator) -> None:
    """Grey, 16 bit and colour images of every kind, and names outside ASCII."""
    image = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    folder = put(tmp_path / "größe", {"1.png": image, "2.bmp": image, "3.jpg": image, "ü4.JPEG": image})
    cv2.imencode(".png", image[..., 0])[1].tofile(folder / "5.png")
    cv2.imencode(".png", image[..., 0].astype(np.uint16) * 257)[1].tofile(folder / "6.png")
    frames = read_frames(folder)
    assert (frames[:2] == image).all() and (frames[2] == frames[3]).all()
    assert (frames[4:] == image[..., :1]).all()
    assert (frames[2] == cv2.imread(str(folder / "3.jpg"))[..., ::-1]).all()


def test_frames_are_read_into_the_room_they_are_given(tmp_path: Path, rng: np.random.Generator) -> None:
    """In place or not: the same pixels. JPEGs with something behind their end, and those that ask to be turned, as OpenCV reads them."""
    folder = put(
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
    room = np.empty(10**6, np.uint8)
    footage = read_clip(folder, buffer=room)
    assert np.shares_memory(footage.pixels, room) and (footage.pixels == expected).all()
    again = read_clip(folder, 2, 4, buffer=room)
    assert (again.pixels == expected[2:5]).all()
    small = np.empty(100, np.uint8)
    assert (read_clip(folder, buffer=small).pixels == expected).all() and (
        read_frames(folder) == expected
    ).all()


@pytest.mark.parametrize(
    "name, damage", [("3.jpg", 0.5), ("3.png", 0.5), ("3.bmp", 0.5), ("3.jpg", 0.0), ("3.jpg", 0.99)]
)
def test_unreadable_image_is_counted_and_refused_in_a_clip(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], rng: np.random.Generator, name: str, damage: float
) -> None:
    image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    folder = put(tmp_path / "clip", {f"{n}{Path(name).suffix}": image for n in range(1, 6)})
    (folder / name).write_bytes((folder / name).read_bytes()[: int((folder / name).stat().st_size * damage)])
    with open_video(folder) as video:
        assert [frame.number for frame in video] == [1, 2, 4, 5]
        assert video.losses == {UNREADABLE_IMAGES: 1} and video.unreadable == [folder / name]
    with pytest.raises(BadVideo, match="cannot be read") as refusal:
        read_frames(folder)
    assert refusal.value.path == folder / name
    if not name.endswith("png"):  # libpng writes to stderr past OpenCV
        assert capfd.readouterr() == ("", "")


def test_first_image_unreadable_and_all_unreadable(tmp_path: Path) -> None:
    folder = put(tmp_path / "clip", {f"{n}.bmp": colours() for n in range(3)})
    (folder / "0.bmp").write_bytes(b"")
    with open_video(folder) as video:
        assert [frame.number for frame in video] == [1, 2] and video.losses == {UNREADABLE_IMAGES: 1}
    for n in (1, 2):
        (folder / f"{n}.bmp").write_bytes(b"BM")
    with pytest.raises(BadVideo, match="none of the images"):
        open_video(folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(BadVideo, match="no image with a number"):
        open_video(tmp_path / "none")


def test_images_of_different_size_are_refused(tmp_path: Path) -> None:
    folder = put(tmp_path / "clip", {"1.png": colours(), "2.png": colours(), "3.png": colours(40, 64)})
    with pytest.raises(BadVideo, match="3.png is 64x40, the first one 64x48"):
        read_frames(folder)


@pytest.mark.parametrize("size", [(20, 24), (24, 20), (30, 24), (12, 48)])
def test_a_jpeg_of_another_size_is_refused_by_name(
    tmp_path: Path, rng: np.random.Generator, size: tuple[int, int]
) -> None:
    """Images are decoded into one memory, in which a larger one, a smaller one, and one of as many pixels do not fit."""
    folder = put(
        tmp_path / "clip",
        {f"img{n}.jpg": rng.integers(0, 256, (24, 24, 3), dtype=np.uint8) for n in range(6)},
    )
    put(folder, {"img3.jpg": rng.integers(0, 256, (*size, 3), dtype=np.uint8)})
    with pytest.raises(
        BadVideo,
        match=f"clip: img3.jpg is {size[1]}x{size[0]}, the first one 24x24. All frames must have one size",
    ):
        read_clip(folder)


# ---------------------------------------------------------------- camera


def test_no_camera_is_said(capfd: pytest.CaptureFixture[str]) -> None:
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


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize(
    "name, codec",
    [("a.mp4", "h264"), ("a.avi", "mjpeg"), ("a.mkv", "ffv1"), ("a.avi", "h264"), ("a.mov", "mjpeg")],
)
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_written_video_comes_back(
    tmp_path: Path, name: str, codec: str, size: tuple[int, int], rng: np.random.Generator
) -> None:
    """Read back by OpenCV, an independent decoder: same count, size and order, small loss."""
    base = cv2.resize(
        rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC
    )
    frames = [np.roll(base, i, axis=1) for i in range(12)]
    write_video(tmp_path / name, iter(frames), 50.0, codec)
    reader, count = cv2.VideoCapture(str(tmp_path / name)), 0
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(50)
    while (result := reader.read())[0]:
        assert np.abs(result[1][..., ::-1].astype(int) - frames[count]).mean() < (
            8 if codec == "h264" else 4
        )  # colours are at half size there
        count += 1
    assert count == 12
    stamps = [frame.time for frame in av.open(str(tmp_path / name)).decode(video=0)]
    np.testing.assert_allclose(
        np.subtract(stamps, stamps[0]), np.arange(12) / 50, atol=1e-3
    )  # as other programs see them
    assert [path.name for path in tmp_path.iterdir()] == [name]
    if codec == "ffv1":
        assert (read_frames(tmp_path / name) == np.stack(frames)).all()


def failing() -> Iterator[np.ndarray]:
    yield colours()
    raise RuntimeError("the renderer broke")


def test_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "old.mp4").write_bytes(b"what was there before")
    with pytest.raises(RuntimeError, match="renderer"):
        write_video(tmp_path / "old.mp4", failing(), 25.0, "mjpeg")  # which writes each frame at once
    with pytest.raises(BadInput, match="no frames"):
        write_video(tmp_path / "old.mp4", [], 25.0)
    with pytest.raises(BadInput, match="a frame of 64x40 follows one of 64x48"):
        write_video(tmp_path / "old.mp4", [colours(), colours(40, 64)], 25.0)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"what was there before"
    with pytest.raises(BadInput, match="cannot be written"):
        write_video(tmp_path / "nowhere" / "a.mp4", [colours()], 25.0)
    with pytest.raises(BadInput, match=r"\.gif names no video format"):
        write_video(tmp_path / "a.gif", [colours()], 25.0)
    with pytest.raises(UnknownName, match="h264"):
        write_video(tmp_path / "a.mp4", [colours()], 25.0, "h246")
