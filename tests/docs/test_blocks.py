"""The code blocks of the pages that no other test runs: imports, a recipe, candidates."""

import ast
import importlib
import pkgutil
import re
from dataclasses import replace
from pathlib import Path

import pytest

from learnet import Training
from learnet.study.candidates import read_candidates
from learnet.study.experiments.recipe_files import parse_recipe

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_what_the_python_blocks_import_exists(page: Path) -> None:
    for source in blocks(page, "python"):
        for node in ast.walk(compile(source, page.name, "exec", ast.PyCF_ONLY_AST)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("learnet"):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_the_names_that_the_prose_gives_exist(page: Path) -> None:
    """`learnet.simulation.emotions` is a module, `learnet.LiveRecogniser.add` a method."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for name in re.findall(r"(?:`|::: )(learnet(?:\.\w+)+)", text):
        assert pkgutil.resolve_name(name) is not None, name


def test_the_recipe_of_the_page_is_valid() -> None:
    (text,) = blocks(DOCS / "recipes.md", "toml")

    recipe = parse_recipe(text, "recipes.md")

    assert recipe.networks == ("learnet", "learnet-no-accretion", "linear-svm", "lbp-top")
    assert [database.name for database in recipe.databases] == ["casme2"]
    # Two motion images for the first three networks, and LBP-TOP on images of its own.
    by_motion = sorted((setting.study.network, setting.preparation.motion) for setting in recipe.settings)
    assert by_motion == [
        ("lbp-top", "lbp-top"),
        ("learnet", "dynamic"),
        ("learnet", "flow-dis"),
        ("learnet-no-accretion", "dynamic"),
        ("learnet-no-accretion", "flow-dis"),
        ("linear-svm", "dynamic"),
        ("linear-svm", "flow-dis"),
    ]


def test_the_candidates_of_the_page_are_valid(tmp_path: Path) -> None:
    (text,) = blocks(DOCS / "protocols.md", "toml")
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    base = Training(epochs=50)

    candidates = read_candidates(file, base)

    assert candidates.settings == {
        "plain": base,
        "mixed": replace(base, mixup=0.4),
        "mixed-long": replace(base, mixup=0.4, epochs=120),
    }
