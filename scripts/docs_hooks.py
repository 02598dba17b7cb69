"""Hooks of the documentation site: what is computed from the code when the site is built.

`docs/commands.md` gets one table per command, from the command line itself. A line `[SCRIPT name]` becomes
the text of `examples/name.py`, a line `[NOTEBOOK name]` the cells and stored outputs of
`docs/gallery/name.ipynb`. A line `::: learnet.NAME` is resolved to the module that defines the public
name, because `learnet` loads its names on first use and a static reader cannot follow them.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import learnet
import learnet.cli  # defines the commands
from learnet.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
GALLERY = ROOT / "docs" / "gallery"
MARKER = "[COMMAND TABLES]"
SCRIPT = re.compile(r"^\[SCRIPT (\w+)\]$", re.MULTILINE)
NOTEBOOK = re.compile(r"^\[NOTEBOOK (\w+)\]$", re.MULTILINE)
PICTURE = re.compile(r"!\[\w*\]\((output_\w+\.png)\)")
PANDAS_TABLE = re.compile(r'<table[^>]* class="dataframe"[^>]*>')
NOT_FOR_A_PAGE = re.compile(r"<style scoped>.*?</style>|<\?xml.*?\?>|<!DOCTYPE.*?>", re.DOTALL)
PUBLIC = re.compile(r"^::: learnet\.(\w+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in tables and scripts and resolve public names (called by MkDocs for each page)."""
    if MARKER in markdown:
        markdown = markdown.replace(MARKER, command_tables())
    markdown = SCRIPT.sub(_script, markdown)
    markdown = NOTEBOOK.sub(_notebook, markdown)
    return PUBLIC.sub(_resolved, markdown)


def command_tables() -> str:
    """Return one section per group of commands, and in it one table per command."""
    groups: dict[tuple[Any, str], list[str]] = {}
    for group, name, command in _commands():
        groups.setdefault((group.sort_key, group.name), []).append(_section(name, command))
    parts = []
    for (_, title), sections in sorted(groups.items()):
        parts.append(f"## {title}")
        parts.extend(sections)
    return "\n\n".join(parts)


def _commands() -> Iterator[tuple[Any, str, Any]]:
    """Yield group, name and application of every command that the help shows."""
    for name in _shown(app):
        command = app[name]
        group = command.group[0]
        if command.default_command is not None:
            yield group, name, command
        for sub_name in _shown(command):
            yield group, f"{name} {sub_name}", command[sub_name]


def _shown(parent: Any) -> list[str]:
    """Return the names of the commands below PARENT, sorted, without hidden ones and `--help`."""
    return [name for name in sorted(parent) if not name.startswith("-") and parent[name].show]


def _section(name: str, command: Any) -> str:
    """Return the heading, the description and the table of one command."""
    rows = ["| argument or option | default | meaning |", "|---|---|---|"]
    for argument in command.assemble_argument_collection(parse_docstring=True):
        if argument.show and argument.names != ("*",):
            rows.append(_row(argument))
    table = "\n".join(rows) if len(rows) > 2 else ""
    description = re.split(r"\n\s*Parameters\s*\n\s*-+\n", command.help)[0]
    return f"### {name}\n\n{_plain(description)}\n\n{table}"


def _row(argument: Any) -> str:
    """Return the table row of one argument or option."""
    names = " / ".join(f"`{name}`" for name in argument.names)
    default = argument.field_info.default
    shown = ""
    if argument.required:
        shown = "required"
    elif isinstance(default, (str, int, float)) and default != "":
        shown = "on" if default is True else "off" if default is False else f"`{default}`"
    meaning = _plain(argument.parameter.help or "")
    if choices := argument.get_choices():
        meaning += " Choices: " + ", ".join(f"`{choice}`" for choice in choices) + "."
    return f"| {names} | {shown} | {meaning} |"


def _plain(text: str) -> str:
    """Return the text on one line, safe in a table cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _script(match: re.Match[str]) -> str:
    """Return the code of an example."""
    code = (EXAMPLES / f"{match[1]}.py").read_text(encoding="utf-8")
    return f"```python\n{code}```"


def _notebook(match: re.Match[str]) -> str:
    """Return a notebook as Markdown, with its pictures inside and its tables in the style of the site."""
    import nbformat  # here: tests read the hooks without these
    from nbconvert import MarkdownExporter

    notebook = nbformat.read(GALLERY / f"{match[1]}.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = _html_block(output.data["text/html"])
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    pictures = resources["outputs"]

    def embedded(picture: re.Match[str]) -> str:
        data = base64.b64encode(pictures[picture[1]]).decode()
        return f"![Output of the cell above](data:image/png;base64,{data})"

    return PICTURE.sub(embedded, text)


def _html_block(html: str) -> str:
    """Return HTML as one block of Markdown, which ends at a blank line, in the style of the site."""
    html = NOT_FOR_A_PAGE.sub("", html)
    html = PANDAS_TABLE.sub("<table>", html)
    return f"<div>{' '.join(html.split())}</div>"


def _resolved(match: re.Match[str]) -> str:
    """Return the mkdocstrings line of the module that defines a public name, under its public heading."""
    name = match[1]
    if name not in learnet.__all__:  # a package
        return match[0]
    home = getattr(learnet, name).__module__
    return f"::: {home}.{name}\n    options:\n      heading: learnet.{name}\n      toc_label: {name}"
