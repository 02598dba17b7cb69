"""Folders of images as videos: order, gaps, unreadable images, sizes."""

from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadVideo
from learnet.video.folder import NUMBER_GAPS, UNREADABLE_IMAGES
from learnet.video.reader import open_video, read_clip, read_frames
from tests.builders.videos import colours, write_images


def test_folder_in_numeric_order_with_gaps_counted(tmp_path: Path) -> None:
    folder = write_images(
        tmp_path / "clip", {f"img{n}.png": np.full((20, 30, 3), n, np.uint8) for n in (8, 9, 10, 12, 100)}
    )
    with open_video(folder, fps=200.0) as video:
        frames = list(video)
        assert [(frame.number, int(frame.pixels[0, 0, 0])) for frame in frames] == [
            (n, n) for n in (8, 9, 10, 12, 100)
        ]
        assert frames[3].time_s == pytest.approx(4 / 200) and video.losses == {NUMBER_GAPS: 88}
        assert video.info.frames == 5 and video.notes == []
    clip = read_clip(folder, 9, 12)
    assert clip.numbers == (9, 10, 12) and clip.losses == {NUMBER_GAPS: 1} and len(clip.pixels) == 3
    assert read_clip(folder, 5, 9).losses == {NUMBER_GAPS: 3}
    assert len(read_frames(folder, 5, 9)) == 2
    with pytest.raises(BadVideo, match="from 13 to 20; there are 8 to 100"):
        read_frames(folder, 13, 20)


def test_the_assumed_rate_of_a_folder_is_noted(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "clip", {f"{n}.png": colours() for n in range(3)})
    with open_video(folder) as video:
        assert video.info.fps == 25 and "assumed" in video.notes[0]


@pytest.mark.parametrize(
    "name, damage", [("3.jpg", 0.5), ("3.png", 0.5), ("3.bmp", 0.5), ("3.jpg", 0.0), ("3.jpg", 0.99)]
)
def test_unreadable_image_is_counted_and_refused_in_a_clip(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], rng: np.random.Generator, name: str, damage: float
) -> None:
    image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    folder = write_images(tmp_path / "clip", {f"{n}{Path(name).suffix}": image for n in range(1, 6)})
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
    folder = write_images(tmp_path / "clip", {f"{n}.bmp": colours() for n in range(3)})
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
    folder = write_images(
        tmp_path / "clip", {"1.png": colours(), "2.png": colours(), "3.png": colours(40, 64)}
    )
    with pytest.raises(BadVideo, match="3.png is 64x40, the first one 64x48"):
        read_frames(folder)


@pytest.mark.parametrize("size", [(20, 24), (24, 20), (30, 24), (12, 48)])
def test_a_jpeg_of_another_size_is_refused_by_name(
    tmp_path: Path, rng: np.random.Generator, size: tuple[int, int]
) -> None:
    """Images are decoded into one buffer, which neither a larger, a smaller nor a reshaped image fits."""
    folder = write_images(
        tmp_path / "clip",
        {f"img{n}.jpg": rng.integers(0, 256, (24, 24, 3), dtype=np.uint8) for n in range(6)},
    )
    write_images(folder, {"img3.jpg": rng.integers(0, 256, (*size, 3), dtype=np.uint8)})
    with pytest.raises(
        BadVideo,
        match=f"clip: img3.jpg is {size[1]}x{size[0]}, the first one 24x24. All frames must have one size",
    ):
        read_clip(folder)
