"""Places for results, tried on a real disk."""

import os
import re
from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.output_checks import (
    CSV,
    FIGURE,
    HTML,
    JSON,
    ONNX,
    FileFormat,
    check_outputs,
    check_outside,
    check_room_above,
)


def test_free_places_pass_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").touch()
    outputs = [(tmp_path / "new" / "a.json", JSON), (None, CSV), (tmp_path / "video.json", JSON)]
    with pytest.warns(UserWarning, match="new does not exist and will be made") as told:
        check_outputs(outputs, [tmp_path / "video.mp4", None])
    assert len(told) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_what_is_read_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By any name: relative, or through a link."""
    (tmp_path / "weights.onnx").touch()
    (tmp_path / "link").symlink_to("weights.onnx")
    monkeypatch.chdir(tmp_path)
    for output in (Path("weights.onnx"), tmp_path / "link", tmp_path / "." / "weights.onnx"):
        with pytest.raises(BadInput, match="would be overwritten"):
            check_outputs([(output, ONNX)], [tmp_path / "weights.onnx"])


def test_a_folder_a_file_above_and_one_name_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    for outputs, says in (
        ([(tmp_path, CSV)], "this is a folder"),
        ([(tmp_path / "afile" / "deep" / "a.csv", CSV)], "afile is a file, so nothing can be put below it"),
        ([(tmp_path / "a.json", JSON)] * 2, "two results cannot go into one file"),
    ):
        with pytest.raises(BadInput, match=says):
            check_outputs(outputs, [])
    with pytest.raises(BadInput, match="afile is a file"):
        check_room_above(tmp_path / "afile" / "database")


@pytest.mark.parametrize(
    ("name", "file_format", "says"),
    [
        ("page.pdf", HTML, "a page is written as HTML. Use a file name that ends in .html or .htm."),
        ("page", HTML, "a page is written as HTML. Use a file name that ends in .html or .htm."),
        ("table.xlsx", CSV, "a table is written as CSV. Use a file name that ends in .csv."),
        ("picture.jpg", FIGURE, "PNG, SVG or PDF. Use a file name that ends in .png, .svg or .pdf."),
        (".json", JSON, "predictions are written as JSON. Use a file name that ends in .json."),
    ],
)
def test_the_name_of_another_format_is_refused(
    tmp_path: Path, name: str, file_format: FileFormat, says: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        check_outputs([(tmp_path / name, file_format)], [])
    for suffix in file_format.suffixes:
        check_outputs([(tmp_path / f"name.of.it{suffix.upper()}", file_format)], [])


def test_a_device_may_have_any_name_unless_the_name_chooses_the_format(tmp_path: Path) -> None:
    check_outputs([(Path(os.devnull), CSV)], [])
    with pytest.raises(BadInput, match="ends in .png"):
        check_outputs([(Path(os.devnull), FIGURE)], [])


def test_a_folder_closed_to_the_user_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The administrator, who may run the tests, may write everywhere: the system's answer is put in his
    place."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(BadInput, match=f"nothing may be written in {tmp_path}"):
        check_outputs([(tmp_path / "new" / "a.csv", CSV)], [])


def test_nothing_is_written_into_what_is_read(tmp_path: Path) -> None:
    """By any way there: straight, through a link on either side, or into the very folder."""
    (tmp_path / "database" / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to("database")
    for output in ("database/out", "database", "database/inside/out", "link/out", "database/../database/out"):
        for folder in ("database", "link"):
            with pytest.raises(BadInput, match=f"this is inside .*{folder}, which is read"):
                check_outside(tmp_path / output, [tmp_path / "elsewhere", tmp_path / folder])
    check_outside(tmp_path / "database-out", [tmp_path / "database", tmp_path / "link"])
    check_outside(tmp_path, [tmp_path / "database"])
