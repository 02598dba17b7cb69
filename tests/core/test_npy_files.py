"""Arrays in damaged files: each is refused as a ValueError, or is the array that was written."""

import io
from pathlib import Path

import numpy as np
import pytest

from learnet.core.npy_files import open_images, read_archive

HEADER_BYTES = 128


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def test_images_come_back_read_only(tmp_path: Path, images: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", images)
    opened = open_images(tmp_path / "a.npy")
    assert (opened == images).all() and not opened.flags.writeable


def test_no_flipped_bit_of_a_header_is_more_than_an_error(tmp_path: Path, images: np.ndarray) -> None:
    file = tmp_path / "a.npy"
    np.save(file, images)
    content = file.read_bytes()
    refused = 0
    for bit in range(8 * HEADER_BYTES):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(bytes(damaged))
        try:
            opened = open_images(file)
        except ValueError:
            refused += 1
            continue
        assert opened.dtype == np.uint8 and opened.ndim == 4 and opened.shape[1:] == (8, 8, 3)
    assert refused > 600


def test_a_cut_file_is_refused(tmp_path: Path, images: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", images)
    content = (tmp_path / "a.npy").read_bytes()
    for length in (*range(HEADER_BYTES + 2), len(content) - 1):
        (tmp_path / "b.npy").write_bytes(content[:length])
        with pytest.raises(ValueError, match="b.npy is damaged"):
            open_images(tmp_path / "b.npy")


@pytest.mark.parametrize(
    "other",
    [
        np.zeros((5, 8, 8, 3), np.float32),
        np.zeros((5, 8, 8, 3), ">u2"),
        np.zeros((5, 8, 9, 3), np.uint8),
        np.zeros((5, 8, 8), np.uint8),
        np.zeros((5, 8, 8, 4), np.uint8),
        np.zeros((5, 192), np.uint8),
        np.array({"an": "object"}),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, other: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", other, allow_pickle=True)
    with pytest.raises(ValueError, match="a.npy"):
        open_images(tmp_path / "a.npy")


def test_a_shape_below_zero_or_beyond_all_memory_is_refused(tmp_path: Path) -> None:
    for shape in ((-5, 8, 8, 3), (2**62, 8, 8, 3), (5, -8, 8, 3)):
        header = io.BytesIO()
        description = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, description)
        (tmp_path / "a.npy").write_bytes(header.getvalue() + bytes(960))
        with pytest.raises(ValueError, match="a.npy"):
            open_images(tmp_path / "a.npy")


def test_an_archive_in_the_place_of_images_is_refused(tmp_path: Path, images: np.ndarray) -> None:
    with (tmp_path / "a.npy").open("wb") as handle:
        np.savez(handle, images=images)
    with pytest.raises(ValueError, match=r"a.npy is damaged"):
        open_images(tmp_path / "a.npy")


def test_no_flipped_bit_of_an_archive_is_more_than_an_error(tmp_path: Path) -> None:
    for save in (np.savez, np.savez_compressed):
        content = io.BytesIO()
        save(content, a=np.arange(6), b=np.array("text"))
        whole = content.getvalue()
        for bit in range(0, 8 * len(whole), 3):
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            (tmp_path / "a.npz").write_bytes(bytes(damaged))
            try:
                read_archive(tmp_path / "a.npz")
            except ValueError:
                continue
