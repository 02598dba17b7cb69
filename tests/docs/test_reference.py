"""The API reference has every public name, and its examples give what they show."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import learnet

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES = sorted(REFERENCE.glob("*.md"))
EXAMPLES = re.compile(r"```pycon\n(.*?)```", re.DOTALL)
OPTION_LINES = r"    options:\n(?:      [^\n]+\n)*?"
MEMBERS = re.compile(rf"^::: (learnet\S+)\n{OPTION_LINES}      members: \[(.*?)\]$", re.MULTILINE)
TABLES = {"DATASETS", "NETWORKS"}  # dictionaries, described in prose


def test_every_public_name_is_in_the_reference() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    documented = {*re.findall(r"^::: learnet\.(\w+)$", text, re.MULTILINE)}
    missing = set(learnet.__all__) - documented - TABLES - {"__version__"}
    assert not missing
    for name in TABLES:
        assert f"`learnet.{name}`" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_listed_members_are_defined_in_their_modules(page: Path) -> None:
    """The site leaves out a member that its module does not define, without a warning."""
    text = page.read_text(encoding="utf-8")
    for name, members in MEMBERS.findall(text):
        module = importlib.import_module(name)
        for member in members.split(", "):
            home = getattr(getattr(module, member), "__module__", name)  # a table has none
            assert home == name, f"{member} is defined in {home}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_give_what_they_show(page: Path) -> None:
    names: dict[str, object] = {}
    for place, source in enumerate(EXAMPLES.findall(page.read_text(encoding="utf-8"))):
        test = doctest.DocTestParser().get_doctest(source, names, f"{page.name}-{place}", str(page), 0)
        assert test.examples
        results = doctest.DocTestRunner(verbose=False).run(test, clear_globs=False)
        names = test.globs
        assert results.failed == 0, f"{page.name}: see the report above"
