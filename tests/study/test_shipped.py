"""Recipes and candidates by name."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.settings import Training
from learnet.study.candidates import read_candidates
from learnet.study.experiments.recipe_files import read_recipe
from learnet.study.shipped import CANDIDATES, RECIPES, resolve_shipped, shipped_names
from tests.builders.commands import learnet


def test_names_stand_for_the_files_of_the_package() -> None:
    assert shipped_names(CANDIDATES) == [
        "flow",
        "flow-clipping",
        "flow-interpolation",
        "flow-mixup",
        "flow-pretrained",
        "flow-simple",
    ]
    assert "paper" in shipped_names(RECIPES) and "candidates" not in shipped_names(RECIPES)
    assert read_recipe(Path("flow")) == read_recipe(RECIPES / "flow.toml") == read_recipe(Path("flow.toml"))
    by_name = read_candidates(Path("flow"), Training())
    assert by_name == read_candidates(CANDIDATES / "flow.toml", Training())


def test_a_file_comes_before_a_name_and_a_folder_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paper").mkdir()  # such as the results of a run
    (tmp_path / "flow.toml").write_text("mine")
    assert resolve_shipped(Path("paper"), RECIPES, "recipe") == RECIPES / "paper.toml"
    assert resolve_shipped(Path("flow.toml"), RECIPES, "recipe") == Path("flow.toml")


@pytest.mark.parametrize("name", ["papers", "recipes/paper.toml", "../recipes/paper", "flow-clipping"])
def test_other_names_are_answered_with_the_list(name: str) -> None:
    with pytest.raises(BadInput, match="no such recipe.*: ablations, across, .*, real-flow."):
        resolve_shipped(Path(name), RECIPES, "recipe")


def test_the_commands_list_the_names() -> None:
    for command, names in (("run", shipped_names(RECIPES)), ("select", shipped_names(CANDIDATES))):
        shown = learnet(command, "--help").stdout
        assert all(name in shown for name in names)
    unknown = learnet("run", "papers", "out", "--synthetic", code=2)
    assert "papers: there is no such recipe. Name a file, or one of these: ablations" in unknown.stderr
