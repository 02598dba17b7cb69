"""Places for results, tried on a real disk."""

from pathlib import Path

import pytest

from learnet.errors import BadInput
from learnet.places import check_outputs, check_room_above


def test_free_places_pass_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").touch()
    check_outputs([tmp_path / "new" / "a.json", None, tmp_path / "video.json"], [tmp_path / "video.mp4", None])
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


def test_what_is_read_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By any name: relative, or through a link."""
    (tmp_path / "weights.onnx").touch()
    (tmp_path / "link").symlink_to("weights.onnx")
    monkeypatch.chdir(tmp_path)
    for output in (Path("weights.onnx"), tmp_path / "link", tmp_path / "." / "weights.onnx"):
        with pytest.raises(BadInput, match="would be overwritten"):
            check_outputs([output], [tmp_path / "weights.onnx"])


def test_a_folder_a_file_above_and_one_name_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    for outputs, says in (
        ([tmp_path], "this is a folder"),
        ([tmp_path / "afile" / "deep" / "a.csv"], "afile is a file, so nothing can be put below it"),
        ([tmp_path / "a.json", tmp_path / "a.json"], "two results cannot go into one file"),
    ):
        with pytest.raises(BadInput, match=says):
            check_outputs(outputs, [])
    with pytest.raises(BadInput, match="afile is a file"):
        check_room_above(tmp_path / "afile" / "database")
