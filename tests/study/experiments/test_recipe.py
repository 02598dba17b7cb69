"""Recipes: what is written comes back, every combination is run once, and whatever is wrong is named."""

import itertools
import math
import string
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.recipe_overrides import RecipeOverrides
from learnet.core.settings import Preparation, Study, Training
from learnet.study.experiments.recipe import Database, Recipe
from learnet.study.experiments.recipe_files import override_recipe, parse_recipe, read_recipe, recipe_to_toml

WHERE = Path("made-up.toml")
BASE = """
title = "t"
claim = "c"
source = "s"
networks = ["learnet", "linear-svm"]
[[databases]]
name = "casme2"
"""
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
NAME = st.text(string.ascii_lowercase + string.digits + "-:.", min_size=1, max_size=8)


def several(values: st.SearchStrategy, most: int = 3) -> st.SearchStrategy[tuple]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(tuple)


CHOICES = {
    "preparation": {
        "motion": several(st.sampled_from(["dynamic", "difference", "apex-face"])),
        "size": several(st.integers(28, 1024)),
        "stabilise": several(st.booleans()),
        "magnify": several(st.floats(0, 100)),
        "face": several(st.sampled_from(["auto", "haar", "none"])),
    },
    "study": {
        "protocol": several(st.sampled_from(["loso", "groups", "leaky-clips"])),
        "seeds": several(st.integers(1, 9)),
        "train_on": st.lists(TEXT, max_size=3).map(lambda names: (tuple(names),)),
        "keep_weights": several(st.booleans()),
    },
    "training": {
        "epochs": several(st.integers(1, 10**6)),
        "weight_decay": several(st.floats(0, allow_infinity=False)),
        "learning_rate": several(st.floats(0, exclude_min=True, allow_infinity=False)),
        "optimiser": several(st.sampled_from(["adamw", "sgd"])),
    },
}


@st.composite
def chosen(draw: st.DrawFn, some: dict[str, st.SearchStrategy[tuple]]) -> dict[str, tuple]:
    return {
        name: values
        for name, values in ((name, draw(strategy)) for name, strategy in some.items())
        if draw(st.booleans())
    }


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    names = draw(st.lists(NAME, min_size=1, max_size=3, unique_by=lambda name: name.replace(":", "-")))
    classes = draw(NAME)
    databases = [
        Database(
            name, classes, tree=draw(st.none() | TEXT), expressions=draw(st.sampled_from(["micro", "all"]))
        )
        for name in names
    ]
    networks = draw(st.lists(st.sampled_from(["learnet", "vgg16", "timm:resnet"]), min_size=1, unique=True))
    parts = {key: draw(chosen(some)) for key, some in CHOICES.items()}
    own = {network: draw(chosen(CHOICES["preparation"])) for network in networks if draw(st.booleans())}
    return Recipe(
        draw(TEXT),
        draw(TEXT),
        draw(TEXT),
        tuple(databases),
        tuple(networks),
        draw(st.sampled_from(networks)),
        tuple(draw(st.lists(TEXT, max_size=2))),
        draw(st.booleans()),
        draw(st.booleans()),
        own=own,
        **parts,
    )


@given(recipes())
def test_what_is_written_is_what_is_read(recipe: Recipe) -> None:
    assert parse_recipe(recipe_to_toml(recipe), WHERE) == recipe


@given(recipes())
def test_every_combination_once(recipe: Recipe) -> None:
    """Counted from the lists, and named so that no two share a folder."""
    settings = recipe.settings
    number = 0
    for network in recipe.networks:
        prepared = {**recipe.preparation, **recipe.own.get(network, {})}
        number += math.prod(map(len, [*prepared.values(), *recipe.study.values(), *recipe.training.values()]))
    assert len(settings) == len({setting.name for setting in settings}) == number
    assert {setting.preparation for setting in settings} <= set(recipe.preparations.values())
    for setting in settings:
        assert Path(setting.name).name == setting.name
        prepared = {**recipe.preparation, **recipe.own.get(setting.study.network, {})}
        for record, part in (
            (setting.preparation, prepared),
            (setting.study, recipe.study),
            (setting.training, recipe.training),
        ):
            assert all(getattr(record, key) in values for key, values in part.items())
    assert recipe.reference == next(
        setting.name for setting in settings if setting.study.network == recipe.against
    )


PLACES = {
    "": {one.name for one in fields(Recipe)},
    "preparation": {one.name for one in fields(Preparation)},
    "study": {one.name for one in fields(Study)} - {"network", "classes"},
    "training": {one.name for one in fields(Training)},
    "databases": {one.name for one in fields(Database)},
}


@given(st.sampled_from(sorted(PLACES)), st.text(string.ascii_lowercase + "_-", min_size=1, max_size=14))
def test_a_key_nobody_knows_is_named(place: str, key: str) -> None:
    if key in PLACES[place]:
        return
    lines = {"": f"{key} = 1{BASE}", "databases": f"{BASE}{key} = 1"}
    with pytest.raises(BadInput, match="made-up.toml") as refused:
        parse_recipe(lines.get(place, f"{BASE}[{place}]\n{key} = 1"), WHERE)
    assert f"{key}`: there is no such key" in str(refused.value) and "\n" not in str(refused.value)


@given(st.text(max_size=60))
def test_whatever_stands_in_the_file_it_is_a_recipe_or_one_line(text: str) -> None:
    try:
        parse_recipe(text, WHERE)
    except BadInput as refused:
        assert str(refused).startswith("made-up.toml: ")


VALUES = [
    "1",
    "1.5",
    "true",
    '"word"',
    "[]",
    "[1]",
    '["a"]',
    "{a = 1}",
    "1979-05-27",
    "[[1]]",
    "-1",
    "nan",
    "1" + "0" * 400,
    "[true, 1]",
]


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("value", VALUES)
def test_any_value_anywhere_is_taken_or_refused_in_one_line(place: str, value: str) -> None:
    for key in PLACES[place]:
        rest = "\n".join(line for line in BASE.splitlines() if place or not line.startswith(f"{key} "))
        if place == "" and key == "databases":
            rest = rest.split("[[")[0]
        text = {
            "": f"{key} = {value}\n{rest}",
            "databases": f"{BASE.replace('name =', '# ') if key == 'name' else BASE}{key} = {value}",
        }
        try:
            parse_recipe(text.get(place, f"{BASE}[{place}]\n{key} = {value}"), WHERE)
        except BadInput as refused:
            assert str(refused).startswith("made-up.toml: ") and "\n" not in str(refused)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            BASE + "[training]\nepoch = 3",
            r"`\$.training.epoch`: there is no such key. Did you mean 'epochs'?",
        ),
        (BASE + "[study]\nnetwork = 'learnet'", r"`\$.study.network`: there is no such key"),
        (BASE + "tre = 'raw'", r"`\$.databases\[0\].tre`: there is no such key. Did you mean 'tree'?"),
        ("tittle = 't'" + BASE, r"`\$.tittle`: there is no such key. Did you mean 'title'?"),
        (BASE.replace("claim", "#"), r"`\$.claim`: this key is missing"),
        (BASE.replace('"t"', '""'), r"`\$.title`: this is empty"),
        (BASE.split("[[")[0], r"`\$.databases`: this key is missing"),
        (BASE.replace("name", "#"), r"`\$.databases\[0\].name`: this key is missing"),
        ("against = 'learnt'" + BASE, "no network in the recipe called 'learnt'. Did you mean 'learnet'?"),
        (
            BASE + "[training]\nepochs = 'many'",
            r"`\$.training.epochs`: got \"many\". It should be a whole number",
        ),
        (BASE + "[training]\nepochs = true", r"`\$.training.epochs`: got true. It should be a whole number"),
        (BASE + "[training]\nepochs = 0", "epochs must be from 1 to 1000000, not 0"),
        (BASE + "[training]\nepochs = []", r"`\$.training.epochs`: this is an empty list"),
        (BASE + "[training]\nepochs = [3, 3]", r"`\$.training.epochs`: a value is there twice"),
        (
            BASE + "[study]\nprotocol = 'losso'",
            r"`\$.study.protocol`: \"losso\" is not known.*Did you mean 'loso'?",
        ),
        (BASE + "[study]\nprotocol = 3", r"`\$.study.protocol`: got 3. Choose from loso"),
        (BASE + "[study]\ntrain_on = 'casme2'", r"`\$.study.train_on`: got \"casme2\". It should be a list"),
        (
            BASE + "[preparation]\nstabilise = 1",
            r"`\$.preparation.stabilise`: got 1. It should be true or false",
        ),
        (BASE + "[preparation]\nremove_global_motion = true", "remove_global_motion is for optical flow"),
        (BASE + "[[databases]]\nname = 'casme2'", "databases: casme2-auto is there twice"),
        (BASE.replace('"linear-svm"', '"learnet"'), "networks: learnet is there twice"),
        (
            "pooled = true" + BASE + "[[databases]]\nname = 'smic'\nclasses = 'smic-3'",
            "need one class scheme",
        ),
        ("title = 'a", "this is not TOML"),
        ("a = " + "[" * 5000, "this is not TOML"),
        ("own = 3" + BASE, r"`\$.own`: got 3. Write \[own.NETWORK\]"),
        (BASE + "[own]\nlearnet = 3", r"`\$.own.learnet`: got 3. It should be a table"),
        (
            BASE + "[own.learnet]\nsise = 28",
            r"`\$.own.learnet.sise`: there is no such key. Did you mean 'size'?",
        ),
        (
            BASE + "[own.lernet]\nsize = 28",
            "no network in the recipe called 'lernet'. Did you mean 'learnet'?",
        ),
        (BASE + "[own.learnet]\nmotion = 'lbp-top'\nsize = 28", "at least 40 pixels wide, not 28"),
        ("preparation = 3" + BASE, r"`\$.preparation`: got 3. It should be a table"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=f"made-up.toml: .*(?:{says})"):
        parse_recipe(text, WHERE)


def test_files_that_are_no_recipe(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(BadInput, match="there is no such recipe"):
            read_recipe(path)
    (tmp_path / "latin.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(BadInput, match="UTF-8"):
        read_recipe(tmp_path / "latin.toml")


def test_combinations_by_hand() -> None:
    recipe = parse_recipe(
        BASE
        + '[preparation]\nmotion = ["flow-dis", "flow-tvl1"]\n'
        + "remove_global_motion = [false, true]\nsize = 28\n"
        + "[training]\nmixup = [0, 0.4]",
        WHERE,
    )
    names = [
        f"{network}-{motion}{still}-{mix}"
        for motion, still, mix, network in itertools.product(
            ("flow-dis", "flow-tvl1"),
            ("", "-remove-global-motion"),
            ("mixup-0.0", "mixup-0.4"),
            ("learnet", "linear-svm"),
        )
    ]
    assert [setting.name for setting in recipe.settings] == names
    assert recipe.reference == "learnet-flow-dis-mixup-0.0"
    last = recipe.settings[-1]
    assert last.preparation == Preparation(motion="flow-tvl1", remove_global_motion=True, size=28)
    assert (last.study, last.training) == (Study(network="linear-svm"), Training(mixup=0.4))


def test_a_network_with_images_of_its_own() -> None:
    """It is run under them alone, whatever the others vary in; what it does not say it has in common with
    them."""
    text = (
        BASE
        + '[preparation]\nmotion = ["dynamic", "difference"]\nsize = [28, 56]\n'
        + '[own.linear-svm]\nmotion = "lbp-top"\nsize = 60'
    )
    recipe = parse_recipe(text + "\nface = 'haar'", WHERE)
    assert [(setting.name, setting.preparation) for setting in recipe.settings] == [
        ("learnet-dynamic-size-28", Preparation("dynamic", 28)),
        ("linear-svm", Preparation("lbp-top", 60, "haar")),
        ("learnet-dynamic-size-56", Preparation("dynamic", 56)),
        ("learnet-difference-size-28", Preparation("difference", 28)),
        ("learnet-difference-size-56", Preparation("difference", 56)),
    ]
    assert list(recipe.preparations)[-1] == "for-linear-svm"
    with pytest.raises(BadInput, match="at least 40"):
        parse_recipe(text.replace("size = 60", ""), WHERE)
    assert override_recipe(recipe, RecipeOverrides(networks=("learnet",)), WHERE)[0].own == {}
    assert (
        override_recipe(recipe, RecipeOverrides(networks=("linear-svm", "majority")), WHERE)[0].own
        == recipe.own
    )


def test_a_database_that_is_taken_twice_is_told_apart() -> None:
    text = (
        BASE
        + '[[databases]]\nname = "smic"\nclasses = "smic-3"\n'
        + '[[databases]]\nname = "smic"\nclasses = "megc-3"\nexpressions = "all"'
    )
    recipe = parse_recipe(text, WHERE)
    assert list(recipe.sets) == ["casme2", "smic-3", "smic-megc-3-all"]
    alike = text.replace("smic-3", "megc-3").replace('name = "casme2"', 'name = "casme2"\nclasses = "megc-3"')
    assert list(parse_recipe("pooled = true" + alike, WHERE).sets) == ["casme2+smic-megc-3+smic-megc-3-all"]


def test_changes_take_the_place_of_what_is_written_and_are_told() -> None:
    recipe = parse_recipe(
        "against = 'linear-svm'"
        + BASE
        + '[[databases]]\nname = "smic"\n[study]\nprotocol = ["loso", "lodo"]\nseeds = 3',
        WHERE,
    )
    assert override_recipe(recipe, RecipeOverrides(), WHERE) == (recipe, [])
    assert override_recipe(
        recipe, RecipeOverrides(networks=recipe.networks, seeds=3, epochs=60, groups=10), WHERE
    ) == (
        recipe,
        [],
    )
    asked = RecipeOverrides(
        only=("smic",), networks=("majority",), protocol="groups", groups=4, seeds=1, epochs=2
    )
    found, told = override_recipe(recipe, asked, WHERE)
    assert told == [
        "only smic: casme2 of the recipe is left out",
        "networks majority (the recipe: learnet, linear-svm)",
        "compared with majority (the recipe: linear-svm)",
        "protocol groups (the recipe: loso, lodo)",
        "groups 4 (the recipe: 10)",
        "seeds 1 (the recipe: 3)",
        "epochs 2 (the recipe: 60)",
    ]
    assert [(s.study, s.training) for s in found.settings] == [
        (Study(network="majority", protocol="groups", groups=4), Training(epochs=2))
    ]
    assert list(found.sets) == ["smic"]
    with pytest.raises(LearnetError, match="no database in the recipe called 'smik'. Did you mean 'smic'"):
        override_recipe(recipe, RecipeOverrides(only=("smik",)), WHERE)
    with pytest.raises(BadInput, match="study.protocol.*grups.*Did you mean 'groups'"):
        override_recipe(recipe, RecipeOverrides(protocol="grups"), WHERE)


def test_the_recipe_of_the_page_is_one() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "recipes.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    assert set(tomllib.loads(text)) == PLACES[""]
    recipe = parse_recipe(text, WHERE)
    assert len(recipe.settings) == 7 and recipe.reference == "learnet-dynamic"
