"""What all layouts share: files read back by other programs, the same bytes at any time, and people of one's own."""

import time
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import xlrd

from learnet.core.errors import LearnetError
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.datasets.synthetic.layouts.writing import write_depth_map, write_image, write_workbook

SHEETS = {"Sheet1": [("Subject", None, "OnsetF"), ("01", None, 12), ("\\", "R12", 7.5)], "two": [(1, "s15")]}


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".png"])
def test_pictures_have_the_colours_given(tmp_path: Path, suffix: str) -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[:, :30], frame[:, 30:] = (200, 30, 60), (20, 160, 90)
    write_image(tmp_path / f"colour{suffix}", frame)
    write_image(tmp_path / f"grey{suffix}", frame, grey=True)
    colour, grey = (
        cv2.imread(str(tmp_path / f"{name}{suffix}"), cv2.IMREAD_UNCHANGED) for name in ("colour", "grey")
    )
    np.testing.assert_allclose(
        colour[20, [10, 50], ::-1], frame[20, [10, 50]], atol=4 if suffix == ".jpg" else 0
    )
    assert grey.shape == (40, 60)  # one channel
    luma = frame[20, [10, 50]] @ [0.299, 0.587, 0.114]  # ITU-R BT.601
    np.testing.assert_allclose(grey[20, [10, 50]], luma, atol=2)


def test_depth_keeps_16_bits(tmp_path: Path) -> None:
    depth = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    write_depth_map(tmp_path / "1.png", depth)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "1.png"), cv2.IMREAD_UNCHANGED), depth)


def test_xlsx_keeps_types_and_holes(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", SHEETS)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Sheet1", "two"]
    assert list(book["Sheet1"].iter_rows(values_only=True)) == SHEETS["Sheet1"]
    assert type(book["Sheet1"]["A2"].value) is str and type(book["Sheet1"]["C2"].value) is int


def test_xls_is_an_old_workbook(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xls", SHEETS)
    assert (tmp_path / "a.xls").read_bytes()[
        :4
    ] == b"\xd0\xcf\x11\xe0"  # a compound document, as Excel 97 wrote it
    book = xlrd.open_workbook(tmp_path / "a.xls")
    assert book.sheet_names() == ["Sheet1", "two"]
    sheet = book.sheet_by_index(0)
    assert sheet.row_values(1) == ["01", "", 12.0] and sheet.row_values(2) == ["\\", "R12", 7.5]
    assert sheet.cell_type(1, 0) == xlrd.XL_CELL_TEXT and sheet.cell_type(1, 1) == xlrd.XL_CELL_EMPTY


@pytest.mark.parametrize("suffix", [".xls", ".xlsx"])
def test_workbooks_have_no_time_of_day(tmp_path: Path, suffix: str) -> None:
    write_workbook(tmp_path / f"a{suffix}", SHEETS)
    time.sleep(2.1)  # archives keep time in steps of two seconds
    write_workbook(tmp_path / f"b{suffix}", SHEETS)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_every_layout_has_people_of_its_own() -> None:
    """The same seed, and nobody is in two databases: a person on both sides of a split would be told by the face."""
    faces = {
        name: {scene.recording.person.seed for scene in layout.scenes(3, 1, 0)}
        for name, layout in LAYOUTS.items()
    }
    assert all(len(own) == 3 for own in faces.values())
    assert len(set().union(*faces.values())) == 3 * len(LAYOUTS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_plans_what_it_is_asked(name: str) -> None:
    layout = LAYOUTS[name]
    shown = [one for scene in layout.scenes(2, 5, 3) for one in getattr(scene, "expressions", [scene])]
    assert len(shown) == 10
    assert {one.emotion for one in shown} <= {*layout.emotions.main, *layout.emotions.other_shares}
    with pytest.raises(LearnetError, match="a seed from 0"):
        layout.scenes(1, 1, -1)
