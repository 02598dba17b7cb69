"""The documentation names commands and options that exist, and the command tables have all of them."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from learnet.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
COMMAND = re.compile(r"^(?:\$ )?learnet ([a-z-]+)(?: ([a-z-]+))?", re.MULTILINE)
INLINE = re.compile(r"`learnet ([a-z][a-z-]+)")
# Options of other programs that the pages name (pip, Dask), and the one that every command has.
OTHERS = {
    "--editable", "--index-url", "--no-compile",
    "--host", "--port", "--dashboard-address", "--no-dashboard", "--nthreads", "--nworkers",
    "--memory-limit", "--tls-ca-file", "--tls-cert", "--tls-key", "--help",
}  # fmt: skip


def help_of(*command: str) -> str:
    """Return what `learnet COMMAND --help` prints."""
    from io import StringIO

    from rich.console import Console

    text = StringIO()
    app.help_print([*command], console=Console(file=text, width=200))
    return text.getvalue()


def commands() -> list[tuple[str, ...]]:
    """Return every command that the help shows, subcommands included."""
    found: list[tuple[str, ...]] = []
    for name in app:
        if name.startswith("-") or not app[name].show:
            continue
        below = [sub for sub in app[name] if not sub.startswith("-") and app[name][sub].show]
        found += [(name, sub) for sub in below] if app[name].default_command is None else [(name,)]
    return found


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    import learnet.cli  # noqa: F401

    spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "scripts" / "docs_hooks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_have_every_option_that_the_help_prints(hooks: ModuleType) -> None:
    sections = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", hooks.command_tables(), re.M | re.S))
    assert set(sections) == {" ".join(command) for command in commands()}
    for command in commands():
        printed = {*OPTION.findall(help_of(*command))} - {"--help", "--version"}
        named = {*OPTION.findall(sections[" ".join(command)])}
        assert printed <= named, f"{command}: {sorted(printed - named)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_options_that_exist(page: Path) -> None:
    known = {option for command in commands() for option in OPTION.findall(help_of(*command))} | OTHERS
    written = {*OPTION.findall(page.read_text(encoding="utf-8"))}
    assert written <= known, sorted(written - known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_commands_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = commands()
    for name in INLINE.findall(text):
        assert name in {command[0] for command in known}, name
    for block in re.findall(r"```(?:sh|text)\n(.*?)```", text, re.DOTALL):
        for name, below in COMMAND.findall(block):
            assert (name,) in known or (name, below) in known, f"{name} {below}"
