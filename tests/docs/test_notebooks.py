"""The notebooks of the gallery run in this process and give what they show, but for digits."""

import ast
import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"
LARGEST = 400_000  # bytes of a notebook in the repository
NUMBER = re.compile(r"-?\d+(\.\d+)?|nan")
NOTEBOOKS = {
    "recognition": {},
    "motion_images": {},
    "cross_validation": {"epochs = 40": "epochs = 1", "n_jobs=-1": "n_jobs=1", "images=96": "images=32"},
}
"""Notebook -> settings that are replaced, so that it takes seconds."""

RUNS = [
    pytest.param("recognition", marks=pytest.mark.slow),  # renders a film
    "motion_images",
    pytest.param("cross_validation", marks=pytest.mark.slow),  # renders faces, trains networks
]


def cells(name: str, kind: str = "code") -> list[dict[str, Any]]:
    """Return the cells of one kind of a notebook."""
    notebook = json.loads((GALLERY / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def stored_text(cell: dict[str, Any]) -> str:
    """Return what a cell printed and the text of its last expression, as they are stored."""
    texts = []
    for output in cell["outputs"]:
        assert output["output_type"] != "error" and output.get("name") != "stderr"
        texts.append("".join(output.get("text") or output["data"]["text/plain"]))
    return "\n".join(texts)


def run(source: str, names: dict[str, Any]) -> str:
    """Run a cell as a notebook does, and return what it prints and the text of its last expression."""
    tree = ast.parse(source)
    last = None
    if isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(last, "cell", "eval"), names) if last else None
    return printed.getvalue() + ("" if value is None else repr(value))


def without_numbers(text: str) -> list[str]:
    """Return the words of an output; numbers, figures and the padding of tables may differ."""
    text = re.sub(r"<Figure.*?>", "", text)
    return NUMBER.sub("#", text).split()


@pytest.mark.parametrize("name", RUNS)
def test_the_cells_run_and_give_what_is_stored(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    with mpl.rc_context({"backend": "agg"}):
        for cell in cells(name):
            source = "".join(cell["source"])
            for setting, fast in NOTEBOOKS[name].items():
                source = source.replace(setting, fast)
            text = run(source, names)
            plt.close("all")
            if name != "cross_validation":  # its settings are replaced, and so its results
                assert without_numbers(text) == without_numbers(stored_text(cell)), source


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_stored_and_the_page_says_synthetic(name: str) -> None:
    page = (GALLERY / f"{name}.md").read_text(encoding="utf-8")
    assert f"\n[NOTEBOOK {name}]\n" in page and f"]({name}.ipynb)" in page
    prose = "".join("".join(cell["source"]) for cell in cells(name, "markdown"))
    assert "**synthetic**" in prose + page
    sources = ["".join(cell["source"]) for cell in cells(name)]
    for setting in NOTEBOOKS[name]:
        assert any(setting in source for source in sources), f"{setting} is not replaced"
    assert all(cell["outputs"] and stored_text(cell) for cell in cells(name))
    assert (GALLERY / f"{name}.ipynb").stat().st_size < LARGEST


def test_every_notebook_is_tested() -> None:
    assert {file.stem for file in GALLERY.glob("*.ipynb")} == set(NOTEBOOKS)
