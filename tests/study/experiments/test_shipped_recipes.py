"""The recipes of the project parse and name only what there is, and the page lists each."""

import re
from pathlib import Path

import pytest
import torch

from learnet.core.errors import BadInput
from learnet.core.labels import SCHEMES
from learnet.datasets.synthetic.databases import COMPOSITES
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.study.experiments.recipe_files import parse_recipe, read_recipe, recipe_to_toml
from learnet.study.experiments.run import check
from learnet.study.shipped import RECIPES

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(RECIPES.glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_names_only_what_there_is(file: Path) -> None:
    recipe = read_recipe(file)
    with torch.device("meta"):  # the networks refuse what they cannot take, and get no weights
        check(recipe, file)
    assert {
        database.name for database in recipe.databases
    } <= LAYOUTS.keys() | COMPOSITES.keys()  # so --synthetic can make them
    assert all(database.classes in SCHEMES for database in recipe.databases), (
        "a table of a paper says its classes"
    )
    assert all(not setting.study.keep_weights for setting in recipe.settings), (
        "a VGG for every person and seed fills a disk"
    )
    assert parse_recipe(recipe_to_toml(recipe), file) == recipe
    assert max(map(len, file.read_text(encoding="utf-8").splitlines())) <= 140


def test_all_are_here() -> None:
    names = {file.stem for file in FILES}
    assert names == {
        "paper",
        "ablations",
        "dynamic-images",
        "flow",
        "controls",
        "protocols",
        "megc2019",
        "across",
        "real-flow",
    }
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    listed = {
        name: int(number)
        for name, number in re.findall(r"^\| `([\w-]+)` \|.*\| (\d+) \|$", page, re.MULTILINE)
    }
    assert listed == {file.stem: len(read_recipe(file).settings) for file in FILES}


def test_the_paper_s_databases_and_classes() -> None:
    recipe = read_recipe(Path("paper"))
    assert [(d.name, d.classes) for d in recipe.databases] == [
        ("casme", "casme-8"),
        ("casme2", "casme2-7"),
        ("casme-sq", "casme-sq-4"),
        ("smic", "smic-3"),
        ("smic", "smic-2"),
    ]
    assert {"learnet", "learnet-paper", "resnet18", "resnet34", "resnet50", "vgg16", "vgg19"} <= set(
        recipe.networks
    )


TEXT = """title = "t"
claim = "c"
source = "s"
networks = ["learnet"]
[[databases]]
name = "casme2"
classes = "casme2-5"
[preparation]
size = 112
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"learnet"', '"lernet"', "no network called 'lernet'. Did you mean 'learnet'"),
        ('"learnet"', '"timm:no-such"', "timm"),
        ('"casme2"', '"casme22"', "no dataset called 'casme22'. Did you mean 'casme2'"),
        ('"casme2-5"', '"casme2-6"', "no class scheme called 'casme2-6'. Did you mean"),
        ("size", 'motion = "dynamik"\nsize', "no motion image called 'dynamik'. Did you mean 'dynamic'"),
        ('"casme2-5"', '"casme2-5"\ntree = "cropt"', "CASME II has no tree 'cropt'"),
        ('"casme2-5"', '"casme2-5"\npart = "HS"', "CASME II has no part"),
    ],
)
def test_what_does_not_exist_or_does_not_fit_is_told_with_the_file(old: str, new: str, says: str) -> None:
    check(parse_recipe(TEXT, "r.toml"), "r.toml")
    with pytest.raises(BadInput, match=rf"r.toml: .*{re.escape(says)}"):
        check(parse_recipe(TEXT.replace(old, new), "r.toml"), "r.toml")


def test_images_that_a_network_cannot_read_are_told_before_anything_is_made() -> None:
    for networks, motion, says, cure in (
        (
            '"learnet", "lbp-top"',
            "dynamic",
            "lbp-top accepts histograms",
            '[own.lbp-top]\nmotion = "lbp-top"',
        ),
        (
            '"learnet"',
            "lbp-top",
            "learnet expects images of a face",
            '[own.learnet]\nmotion = "dynamic"',
        ),
    ):
        text = TEXT.replace('"learnet"', networks).replace("size", f'motion = "{motion}"\nsize')
        with pytest.raises(BadInput, match=f"r.toml: .*{says}"):
            check(parse_recipe(text, "r.toml"), "r.toml")
        check(parse_recipe(text + cure, "r.toml"), "r.toml")
    with pytest.raises(BadInput, match="r.toml: detrend is for flow"):
        check(parse_recipe(TEXT + "[training]\nlevel = true", "r.toml"), "r.toml")


def test_the_organisers_baseline_stands_in_their_composite() -> None:
    """Histograms of 112 pixels beside networks on flow of 28, over the same clips: one table, and the
    published figures beside it."""
    settings = {setting.name: setting for setting in read_recipe(Path("megc2019")).settings}
    assert (settings["lbp-top"].preparation.motion, settings["lbp-top"].preparation.size) == ("lbp-top", 112)
    assert (settings["learnet"].preparation.motion, settings["learnet"].preparation.size) == ("flow-tvl1", 28)


def test_a_network_that_cannot_take_the_size_is_told() -> None:
    text = TEXT.replace('"learnet"', '"off-apexnet"')
    check(parse_recipe(text, "r.toml"), "r.toml")
    with pytest.raises(BadInput, match="r.toml: off-apexnet .*30"):
        check(parse_recipe(text.replace("112", "30"), "r.toml"), "r.toml")
