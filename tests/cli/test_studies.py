"""What the commands of studies say beside their tables."""

from pathlib import Path

import pytest

from tests.builders.commands import learnet


def test_settings_that_a_network_without_epochs_does_not_use_are_named(
    prepared_folder: Path, tmp_path: Path
) -> None:
    words = ("study", prepared_folder, tmp_path / "x", "--network", "majority")
    said = learnet(*words, "--epochs", 5, "--mixup", 0.3).stderr
    assert "majority is fitted in one step, without epochs: --epochs, --mixup have no effect." in said
    weights = tmp_path / "w.safetensors"
    said = learnet("train", prepared_folder, weights, "--network", "majority", "--learning-rate", 1).stderr
    assert "--learning-rate has no effect." in said


@pytest.mark.parametrize("target", ["emotions", "action-units"])
def test_weights_that_exist_are_not_overwritten(prepared_folder: Path, tmp_path: Path, target: str) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"a day of training")
    said = learnet("train", prepared_folder, weights, "--target", target, code=2).stderr
    assert said == f"learnet: {weights}: this file is there already. Name a new file, or remove this one.\n"
    assert weights.read_bytes() == b"a day of training"


def test_settings_that_are_used_are_not_named(prepared_folder: Path, tmp_path: Path) -> None:
    words = ("study", prepared_folder, tmp_path / "x", "--network", "majority")
    assert "effect" not in learnet(*words, "--seed", 3).stderr


def test_a_missing_folder_is_made_and_told(study_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    said = learnet("compare", study_folder, "--html", page).stderr
    assert f"learnet: {page}: the folder {page.parent} does not exist and will be made." in said
    assert page.is_file() and "will be made" not in learnet("compare", study_folder, "--html", page).stderr
