"""Image files of a folder by number, and decoding of single images."""

import string
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadVideo
from learnet.video.images import image_files
from learnet.video.reader import read_frames
from tests.builders.videos import write_images

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
