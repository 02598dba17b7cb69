"""The code blocks of the pages that no other test runs: imports, a recipe, candidates."""

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
import symtable
from dataclasses import replace
from pathlib import Path

import pytest

import learnet
from learnet import Training
from learnet.study.candidates import read_candidates
from learnet.study.experiments.recipe_files import parse_recipe

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PAGES_WITH_PYTHON = [
    page
    for page in (DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md", *PAGES)
    if "```python" in page.read_text(encoding="utf-8")
]


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


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON, ids=lambda page: page.stem)
def test_a_python_block_can_be_copied_by_itself(page: Path) -> None:
    """Every name in it is defined in it, imported by it, or built in."""
    for source in blocks(page, "python"):
        assert not undefined_names(source), source


def undefined_names(source: str) -> set[str]:
    """Names that a module reads and nothing defines, by Python's own table of symbols."""
    module = symtable.symtable(source, "block", "exec")
    defined = set()
    for symbol in module.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            defined.add(symbol.get_name())
    read: set[str] = set()
    tables = [module]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table is module or symbol.is_global()):
                read.add(symbol.get_name())
    return read - defined - set(dir(builtins))


@pytest.mark.parametrize(
    ("source", "undefined"),
    [
        ("import learnet\nlearnet.predict('x')", set()),
        ("learnet.predict(video)", {"learnet", "video"}),
        ("def f(x):\n    return x + y\nprint([z for z in f(1)])", {"y"}),
        ("with open('x') as file:\n    print(file.read(), len(lines))", {"lines"}),
    ],
)
def test_undefined_names_are_found(source: str, undefined: set[str]) -> None:
    assert undefined_names(source) == undefined


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON, ids=lambda page: page.stem)
def test_calls_in_python_blocks_have_arguments_that_exist(page: Path) -> None:
    for source in blocks(page, "python"):
        tree = ast.parse(source)
        imported: dict[str, object] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("learnet"):
                module = importlib.import_module(node.module)
                imported |= {alias.asname or alias.name: getattr(module, alias.name) for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                check_call(node, imported, source)


def check_call(call: ast.Call, imported: dict[str, object], source: str) -> None:
    """Bind the arguments of a call to the signature of an imported function, or one of the package itself."""
    function = call.func
    called: object = None
    if isinstance(function, ast.Name):
        called = imported.get(function.id)
    elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        owner = learnet if function.value.id == "learnet" else imported.get(function.value.id)
        called = getattr(owner, function.attr) if owner is not None else None
    has_stars = any(isinstance(argument, ast.Starred) for argument in call.args)
    if callable(called) and not has_stars and all(keyword.arg for keyword in call.keywords):
        keywords = {str(keyword.arg): None for keyword in call.keywords}
        try:
            inspect.signature(called).bind_partial(*([None] * len(call.args)), **keywords)
        except TypeError as error:
            pytest.fail(f"{ast.unparse(call)}: {error}\n{source}")


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
    text, with_networks = blocks(DOCS / "protocols.md", "toml")
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    base = Training(epochs=50)

    candidates = read_candidates(file, base)

    assert candidates.settings == {
        "plain": base,
        "mixed": replace(base, mixup=0.4),
        "mixed-long": replace(base, mixup=0.4, epochs=120),
    }

    file.write_text(with_networks, encoding="utf-8")
    assert read_candidates(file, base).networks == {"svm": "rbf-svm", "svm-soft": "rbf-svm", "lda": "lda"}
