"""What headers say about pictures: the shape of pixels, fields, HDR, several tracks, gigantic sizes."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from learnet.core.errors import BadVideo
from learnet.video.reader import open_video
from tests.builders.videos import colours, mux, numbered


def film(path: Path, **codec: object) -> Path:
    """Write five pictures of four colours, 64x48, with some properties of the codec."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for name, value in codec.items():
            setattr(stream.codec_context, name, value)
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(colours(), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("aspect, size", [((4, 3), (48, 85)), ((3, 4), (64, 64)), ((1, 1), (48, 64))])
def test_pixels_become_square(tmp_path: Path, aspect: tuple[int, int], size: tuple[int, int]) -> None:
    """The picture is stretched in the direction in which it was squeezed: no pixel is lost."""
    path = film(tmp_path / "a.mp4", sample_aspect_ratio=Fraction(*aspect))
    with open_video(path) as video:
        frames = list(video)
        assert (video.info.height, video.info.width) == frames[0].pixels.shape[:2] == size
        assert ("not square" in " ".join(video.notes)) == (aspect != (1, 1))
    height, width = size
    expected = colours(height, width).astype(int)
    assert np.median(np.abs(frames[-1].pixels - expected)) < 6  # blurred along the seams only


def test_pixels_of_an_absurd_shape_are_taken_as_square(tmp_path: Path) -> None:
    with open_video(film(tmp_path / "a.mp4", sample_aspect_ratio=Fraction(20, 1))) as video:
        assert (video.info.height, video.info.width) == (48, 64)
        assert "taken as square" in video.notes[0]


def test_interlaced_frames_are_told(tmp_path: Path) -> None:
    path = mux(tmp_path / "i.mp4", [colours()] * 5, **{"x264-params": "tff=1"})
    with open_video(path) as video:
        assert "interlaced" in video.notes[0]
    with open_video(mux(tmp_path / "p.mp4", [colours()] * 5)) as video:
        assert video.notes == []


@pytest.mark.parametrize("transfer, name", [(16, "PQ"), (18, "HLG")])
def test_hdr_is_told(tmp_path: Path, transfer: int, name: str) -> None:
    path = film(tmp_path / "h.mp4", color_trc=transfer, color_primaries=9)
    with open_video(path) as video:
        assert len(video.notes) == 1 and f"HDR ({name})" in video.notes[0]


def test_colours_of_bt2020_are_told(tmp_path: Path) -> None:
    with open_video(film(tmp_path / "c.mp4", color_trc=1, color_primaries=9)) as video:
        assert len(video.notes) == 1 and "BT.2020" in video.notes[0]


@pytest.mark.parametrize("other, pictures", [("cover", 1), ("depth", 20)])
def test_the_film_is_read_and_not_another_track(tmp_path: Path, other: str, pictures: int) -> None:
    """The first track is a cover of the same size, or smaller pictures of depth."""
    path = tmp_path / "two.mkv" if other == "depth" else tmp_path / "two.mp4"
    size = (48, 64) if other == "cover" else (24, 32)
    with av.open(str(path), "w") as container:
        first = container.add_stream("mjpeg", rate=25)
        first.height, first.width, first.pix_fmt = *size, "yuvj420p"
        film_stream = container.add_stream("libx264", rate=25)
        film_stream.height, film_stream.width, film_stream.pix_fmt = 48, 64, "yuv420p"
        for number, pixels in enumerate(numbered(20)):
            if number < pictures:
                grey = np.full((*size, 3), 250, np.uint8)
                container.mux(first.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            container.mux(film_stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(first.encode())
        container.mux(film_stream.encode())
    with open_video(path) as video:
        frames = list(video)
        assert "2 tracks" in video.notes[0] and "64x48" in video.notes[0] and video.losses == {}
    np.testing.assert_allclose([frame.pixels.mean() for frame in frames], 2 * np.arange(20) + 10, atol=2)


def test_a_sheared_display_matrix_is_not_followed(tmp_path: Path) -> None:
    """The matrix (1, 1, 0, 1) moves rows against each other; ISO 14496-12, 8.3.2."""
    path = film(tmp_path / "s.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", 1 << 16, 1 << 16, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    with open_video(path) as video:
        assert "odd angle" in video.notes[0] and len(list(video)) == 5


def test_pictures_of_a_gigantic_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.y4m"
    path.write_bytes(b"YUV4MPEG2 W15000 H15000 F25:1 C420\nFRAME\n" + bytes(1000))
    with pytest.raises(BadVideo, match="pictures of 15000x15000 pixels, more than can be read"):
        open_video(path)


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_cameras_that_leave_upper_bits_empty(tmp_path: Path, bits: int) -> None:
    """A 12-bit camera writes 0..4095 into grey films of 16 bits."""
    path = tmp_path / "grey.mkv"
    eight = (np.arange(48 * 64, dtype=np.uint16) % 256).reshape(48, 64)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "gray16le"
        for factor in (1.0, 0.5, 1.5):
            values = (eight * factor).astype(np.uint16) << (bits - 8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(values, format="gray16le")))
        container.mux(stream.encode())
    with open_video(path) as video:
        frames = [frame.pixels.astype(int) for frame in video]
        assert len(video.notes) == (bits < 16)
    np.testing.assert_array_equal(frames[0][..., 1], frames[0][..., 2])
    np.testing.assert_allclose(frames[0][..., 0], eight, atol=1)
    np.testing.assert_allclose(frames[1][..., 0], eight // 2, atol=1)
    if bits < 16:
        np.testing.assert_array_equal(frames[2][..., 0], np.minimum((eight * 1.5).astype(int), 255))
