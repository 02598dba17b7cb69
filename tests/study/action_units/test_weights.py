"""Weights that name no action units are refused in one line."""

from pathlib import Path

from tests.builders.annotated import write_annotated
from tests.builders.commands import learnet


def test_weights_of_emotions_are_refused(tmp_path: Path) -> None:
    folder = write_annotated(tmp_path / "prepared", ["4", "12"], ["a", "b"]).folder
    words = ("evaluate", folder, tmp_path / "out", "--action-units", "--weights", "ststnet-flow-28")
    said = learnet(*words, code=2).stderr
    assert "it names the classes negative, positive, surprise, none and no action units" in said
    assert said.count("\n") == 1 and not (tmp_path / "out").exists()
