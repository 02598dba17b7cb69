"""Image files of a folder by number, and decoding of single images."""

import os
import resource
import string
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadVideo
from learnet.video.folder import NUMBER_GAPS
from learnet.video.images import image_files, read_image
from learnet.video.reader import open_video, read_clip, read_frames
from tests.builders.videos import colours, write_images

PREFIX = st.text(string.ascii_letters + "_- ().", max_size=8).filter(lambda text: not text.startswith("."))


NUMBERED_PREFIX = st.one_of(
    PREFIX, st.builds(lambda a, n, b: f"x{a}{n}{b}_", PREFIX, st.integers(0, 99), PREFIX)
)


SUFFIX = st.sampled_from([".jpg", ".JPG", ".Jpeg", ".bmp", ".PNG", ".jpg.jpg", ".png.PNG"])


OTHER_FILES = (
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
    other_files=st.sets(st.sampled_from(OTHER_FILES)),
)
def test_images_are_found_by_number(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: set[int],
    prefix: str,
    widths: list[int],
    tail: str,
    suffixes: list[str],
    other_files: set[str],
) -> None:
    """The numbers that were written, in order, for any padding, prefix, case and doubled suffix."""
    folder = tmp_path_factory.mktemp("images")
    names = {
        n: f"{prefix}{str(n).zfill(width)}{tail}{suffix}"
        for n, width, suffix in zip(sorted(numbers), widths, suffixes, strict=False)
    }
    for name in [*names.values(), *other_files]:
        (folder / name).touch()
    (folder / "5.jpg.d").mkdir()
    (folder / "folder6.jpg").mkdir()
    files = image_files(folder)
    assert list(files) == sorted(numbers)
    assert {number: path.name for number, path in files.items()} == names


def test_depth_beside_colour_and_ambiguous_names(tmp_path: Path) -> None:
    """CAS(ME)^3 stores depth as png beside colour as jpg; two clips in one folder are refused."""
    for name in ("8.jpg", "8.png", "9.jpg", "10.png"):
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path).values()] == ["8.jpg", "9.jpg"]
    (tmp_path / "reg_009.jpg").touch()
    with pytest.raises(BadVideo, match=r"9 and reg_009 have the same number"):
        image_files(tmp_path)
    with pytest.raises(BadVideo, match="cannot be read"):
        image_files(tmp_path / "nowhere")


@pytest.mark.parametrize("suffix", [".png", ".jpeg", ".bmp"])
def test_two_pictures_of_one_number_are_refused(tmp_path: Path, suffix: str) -> None:
    """Two clips in one folder, of which one would be dropped; depth maps beside colour are none."""
    colour = {f"img{number:03d}.jpg": colours() for number in range(5)}
    folder = write_images(tmp_path / "clip", colour)
    depth = np.full((48, 64), 900, np.uint16)
    for number in range(5):
        cv2.imwrite(str(folder / f"img{number:03d}.png"), depth)
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    assert [path.name for path in image_files(folder).values()] == list(colour)
    write_images(folder, {f"img003{suffix}": 255 - colours()})
    for number in (0, 1, 2, 4):
        (folder / f"img{number:03d}.png").unlink()
    with pytest.raises(BadVideo, match=rf"img003\.jpg and img003\{suffix} have the same number"):
        image_files(folder)


def test_image_kinds_agree_with_opencv(tmp_path: Path, rng: np.random.Generator) -> None:
    """Grey, 16 bit and colour images of every kind, and names outside ASCII."""
    image = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    folder = write_images(
        tmp_path / "größe", {"1.png": image, "2.bmp": image, "3.jpg": image, "ü4.JPEG": image}
    )
    cv2.imencode(".png", image[..., 0])[1].tofile(folder / "5.png")
    cv2.imencode(".png", image[..., 0].astype(np.uint16) * 257)[1].tofile(folder / "6.png")
    frames = read_frames(folder)
    assert (frames[:2] == image).all() and (frames[2] == frames[3]).all()
    assert (frames[4:] == image[..., :1]).all()
    assert (frames[2] == cv2.imread(str(folder / "3.jpg"))[..., ::-1]).all()


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    """OpenCV ends the process where it is given such a name: two characters of GBK."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xc4\xe3"))
    write_images(tmp_path / "ascii", {f"{number}.jpg": colours() for number in (1, 2)})
    (tmp_path / "ascii").rename(folder)
    assert read_clip(folder).pixels.shape == (2, 48, 64, 3)


def png_header(width: int, height: int, rows: int = 1) -> bytes:
    """Return a PNG file of one bit a value that announces a size (PNG 11.2.2), with some rows of zeros."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = bytes((1 + -(-width // 8)) * rows)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data, 1)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
             for kind, data in chunks]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_of(width: int, height: int) -> bytes:
    """Return a small JPEG file whose frame header (FFC0) announces another size."""
    data = bytearray(cv2.imencode(".jpg", colours())[1].tobytes())
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "content", [png_header(40_000, 40_000), png_header(12_000, 12_000, 12_000), jpeg_of(65_000, 16_000)]
)
def test_images_that_announce_a_gigantic_size_are_not_decoded(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(content)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_image(path) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 200_000


@pytest.mark.parametrize("progressive", [0, 1])
def test_damage_that_the_decoder_notices_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], rng: np.random.Generator, progressive: int
) -> None:
    """100 bytes of the compressed picture are missing; OpenCV would fill up the rest."""
    noise = rng.integers(0, 256, (48, 64, 3), np.uint8)
    data = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    path = tmp_path / "1.jpg"
    path.write_bytes(data)
    assert read_image(path) is not None
    path.write_bytes(data[: len(data) // 2] + data[len(data) // 2 + 100 :])
    capfd.readouterr()
    assert read_image(path) is None
    assert capfd.readouterr() == ("", "")  # libjpeg would complain on stderr


def test_text_in_a_png_that_is_too_large_does_not_stop_the_reading(tmp_path: Path) -> None:
    """A compressed text of 100 MB, of which no library that reads it all would be safe."""
    text = b"key\0\0" + zlib.compress(bytes(100_000_000))
    data = cv2.imencode(".png", colours())[1].tobytes()
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    path = tmp_path / "1.png"
    path.write_bytes(data[:33] + chunk + data[33:])  # behind the header
    assert read_image(path) is None


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_cameras_that_leave_upper_bits_empty(tmp_path: Path, bits: int) -> None:
    """A 12-bit camera writes 0..4095 into 16-bit images; all of a folder are divided by the same number."""
    folder = tmp_path / "clip"
    folder.mkdir()
    eight = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) % 256
    for number, factor in enumerate([1.0, 0.5], 1):
        scaled = (eight * factor).astype(np.uint16) << (bits - 8)
        cv2.imwrite(str(folder / f"{number}.png"), scaled)
    with open_video(folder, 25.0) as video:
        bright, dark = [frame.pixels[..., 0] for frame in video]
        assert f"{bits}-bit" in video.notes[0]
    np.testing.assert_array_equal(bright, eight)
    np.testing.assert_array_equal(dark, (eight * 0.5).astype(np.uint8))
    cv2.imwrite(str(folder / "3.png"), eight << 8)
    with pytest.raises(BadVideo, match=rf"3\.png: its values exceed the {bits} bits of the first image"):
        read_clip(folder)


def test_images_of_16_bits_are_read_as_such(tmp_path: Path) -> None:
    eight = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) % 256
    cv2.imwrite(str(tmp_path / "1.png"), eight << 8)
    with open_video(tmp_path, 25.0) as video:
        np.testing.assert_array_equal(next(iter(video)).pixels[..., 0], eight)
        assert video.notes == []


def test_numbers_may_have_any_length(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "n", {"1.png": colours(), "99999999999999999999.png": colours()})
    with open_video(folder, 25.0) as video:
        assert [frame.number for frame in video] == [1, 99_999_999_999_999_999_999]
        assert video.losses == {NUMBER_GAPS: 99_999_999_999_999_999_997}
