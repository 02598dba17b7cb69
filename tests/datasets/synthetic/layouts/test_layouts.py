"""All layouts: files that other programs read, the same bytes at any time, and different people."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import xlrd

from learnet.core.errors import LearnetError
from learnet.datasets.synthetic.databases import synthesize
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


def test_workbooks_have_no_timestamps(tmp_path: Path) -> None:
    write_workbook(tmp_path / "first.xls", SHEETS)
    write_workbook(tmp_path / "first.xlsx", SHEETS)
    time.sleep(2.1)  # archives store times in steps of two seconds
    write_workbook(tmp_path / "second.xls", SHEETS)
    write_workbook(tmp_path / "second.xlsx", SHEETS)
    for suffix in (".xls", ".xlsx"):
        first = (tmp_path / f"first{suffix}").read_bytes()
        assert first == (tmp_path / f"second{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("layout", ["casme", "casme3"])
def test_a_missing_xlwt_is_reported_before_anything_is_rendered(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlwt", None)  # an import raises ImportError

    def render_nothing(*_: object) -> None:
        raise AssertionError("a clip was rendered")

    unrendered = replace(LAYOUTS[layout], write_clip=render_nothing)
    monkeypatch.setitem(LAYOUTS, layout, unrendered)
    with pytest.raises(LearnetError, match="pip install xlwt") as error:
        synthesize(tmp_path / "out", layout, 1, 1, jobs=1)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_with_old_workbooks_say_so(layout: str, tmp_path: Path) -> None:
    for folder in ("CASME_A/Section A", "CASME_B/Section B", "Cropped/sub01", "SMIC_all_cropped/HS/s1"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "SMIC-E_raw image" / "HS_long").mkdir(parents=True)
    LAYOUTS[layout].write_labels(tmp_path, LAYOUTS[layout].scenes(2, 3, 0))
    old = [path for path in tmp_path.rglob("*.xls") if path.is_file()]
    assert bool(old) == LAYOUTS[layout].has_xls


def test_every_layout_has_people_of_its_own() -> None:
    """The same seed gives every database other people: nobody is on both sides of a split."""
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


@pytest.mark.parametrize("layout", ["samm-lv", "casme-sq", "casme3"])
def test_recordings_of_a_given_length_with_disturbances(layout: str) -> None:
    """Expressions lie inside and do not overlap; other things happen, too; a person stays the same."""
    camera = LAYOUTS[layout].camera
    scenes = LAYOUTS[layout].scenes(2, 4, 0, 60.0)
    assert [scene.person for scene in scenes] == [1, 1, 2, 2]
    assert scenes[0].recording.person == scenes[1].recording.person != scenes[2].recording.person
    assert {scene.recording.frames for scene in scenes} == {round(60 * camera.fps)}
    for scene in scenes:
        marks = [mark for one in scene.expressions for mark in (one.onset, one.apex, one.offset)]
        assert marks == sorted(marks) and marks[0] >= 1 and marks[-1] <= scene.recording.frames
        assert {one.emotion for one in scene.expressions} <= set(LAYOUTS[layout].emotions.main)
        assert len(scene.recording.conditions.blinks) >= 3
    assert any(len(scene.recording.episodes) > len(scene.expressions) for scene in scenes)  # syllables
    assert {one.kind for scene in scenes for one in scene.expressions} == {"micro", "macro"}
    with pytest.raises(LearnetError, match="A recording of 5 s has no room for an expression"):
        LAYOUTS[layout].scenes(2, 4, 0, 5.0)
    with pytest.raises(LearnetError, match="layout of SMIC .*no long recordings of a given length|SMIC"):
        LAYOUTS["smic"].scenes(2, 4, 0, 60.0)


def test_recordings_of_smic_e_show_up_to_three_micro_expressions_of_one_emotion() -> None:
    """Its rows have no room for more, and no macro-expression is labelled there."""
    scenes = LAYOUTS["smic-e"].scenes(3, 6, 0, 60.0)
    assert len(scenes) == 6
    for scene in scenes:
        assert {one.kind for one in scene.expressions} == {"micro"}
        assert 1 <= len(scene.expressions) <= 3 and len({one.emotion for one in scene.expressions}) == 1
        longest = max(one.offset - one.onset for one in scene.expressions)
        assert longest <= 0.5 * LAYOUTS["smic-e"].camera.fps
