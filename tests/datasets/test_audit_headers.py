"""The deep audit, on images written here: what their first bytes say, whatever their names say."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from learnet.core.records import DatasetIndex
from learnet.datasets import read_dataset
from learnet.datasets.audit_headers import BATCH, with_headers
from tests.builders.written_by_hand import nine_columns

ROWS = [("01", "EP90_01f", 3, 5, 8, "12", "happiness"), ("02", "EP91f", 5, 6, 9, 4, "others")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two clips of whole images, 40 x 30 pixels, and one frame before each clip."""
    nine_columns(tmp_path / "CASME2-coding.xlsx", ROWS)
    for subject, name, onset, _, offset, *_ in ROWS:
        folder = tmp_path / "Cropped" / f"sub{subject}" / name
        folder.mkdir(parents=True)
        for number in range(onset - 1, offset + 1):
            cv2.imwrite(str(folder / f"reg_img{number}.jpg"), np.full((30, 40, 3), number, np.uint8))
    return tmp_path


def image(root: Path, number: int) -> Path:
    return root / "Cropped" / "sub01" / "EP90_01f" / f"reg_img{number}.jpg"


def deep(root: Path) -> DatasetIndex:
    return with_headers(read_dataset("casme2", root), jobs=1)


def test_whole_images_are_counted_and_nothing_is_found(root: Path) -> None:
    reading = deep(root)
    assert (
        reading.about["images"] == "11: jpeg 40x30 (11)"
    )  # 6 + 5; the frames before the onsets are not of the clips
    assert not [finding for finding in reading.findings if finding.serious]


def test_the_image_of_another_person_is_serious(root: Path) -> None:
    """The middle image of the second clip, frame 7, in the middle of the first, as a PNG file."""
    pixels = np.arange(30 * 40 * 3, dtype=np.uint8).reshape(30, 40, 3)
    others = root / "Cropped" / "sub02" / "EP91f" / "reg_img7.jpg"
    for path in (image(root, 6), others):
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    (finding,) = [finding for finding in deep(root).findings if finding.kind == "image of two people"]
    assert finding.serious and finding.where == "casme2/02/EP91f"
    assert "is also that of casme2/01/EP90_01f" in finding.what
    others.write_bytes(cv2.imencode(".png", pixels[::-1])[1].tobytes())
    assert not [finding for finding in deep(root).findings if finding.kind == "image of two people"]


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"<html>not found</html>"])
def test_damaged_images_are_serious(root: Path, content: bytes) -> None:
    image(root, 5).write_bytes(content)
    image(root, 2).write_bytes(content)  # outside the clip
    (finding,) = [finding for finding in deep(root).findings if finding.kind == "images damaged"]
    assert finding.serious and finding.where == "casme2/01/EP90_01f"
    assert finding.what == "1 of 6 files are no images inside, or cut short: reg_img5.jpg"


@pytest.mark.parametrize("side", [12_000, 40_000])
def test_images_that_announce_a_gigantic_size_are_serious(root: Path, side: int) -> None:
    """Pillow warns of the smaller one and refuses the larger."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    image(root, 5).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT" + bytes(13))
    (finding,) = [finding for finding in deep(root).findings if finding.kind == "images huge"]
    assert finding.serious and "1 of 6 files announce more pixels than can be read" in finding.what


def test_images_that_may_not_be_read_are_not_called_damaged(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The administrator may read everything, so the system's answer is put in place of his."""
    whole = Image.open

    def closed(path: Path) -> Image.Image:
        if path == image(root, 5):
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(Image, "open", closed)
    (finding,) = [finding for finding in deep(root).findings if finding.serious]
    assert finding.kind == "images closed" and finding.where == "casme2/01/EP90_01f"
    assert finding.what == "1 of 6 files may not be read; change their permissions: reg_img5.jpg"


def test_sizes_that_change_inside_a_clip_are_serious_and_a_wrong_suffix_is_not(root: Path) -> None:
    _, png = cv2.imencode(".png", np.zeros((30, 40, 3), np.uint8))
    image(root, 4).write_bytes(png.tobytes())
    reading = deep(root)
    assert not [finding for finding in reading.findings if finding.serious]
    assert reading.about["images"] == "11: jpeg 40x30 (10), png 40x30 (1)"
    cv2.imwrite(str(image(root, 6)), np.zeros((31, 40, 3), np.uint8))
    (finding,) = [finding for finding in deep(root).findings if finding.serious]
    assert finding.kind == "image sizes differ"
    assert "jpeg 40x31 (1)" in finding.what and "jpeg 40x30 (4)" in finding.what


def test_the_number_of_processes_and_batches_changes_nothing(root: Path) -> None:
    image(root, 5).write_bytes(b"")
    reading = read_dataset("casme2", root)
    many = DatasetIndex(reading.clips * (BATCH + 3), [], {})
    steps: list[tuple[int, int]] = []
    one, two = with_headers(many, 1, lambda *step: steps.append(step)), with_headers(many, 2)
    assert one == two and len(one.findings) == BATCH + 3
    assert steps == [(BATCH, 2 * BATCH + 6), (2 * BATCH, 2 * BATCH + 6), (2 * BATCH + 6, 2 * BATCH + 6)]
