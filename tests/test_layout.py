"""The house rules that a reading of the imports can prove: imports go down only, and heavy libraries stay at home."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "learnet"
FLOORS = {
    "errors": 0,
    "labels": 1, "clip": 1, "memory": 1, "settings": 1, "libav": 1, "places": 1, "published": 1,
    "outcomes": 2, "video": 2, "face": 2, "motion": 2, "simulate": 2, "augment": 2, "networks": 2, "splits": 2, "metrics": 2,
    "figures": 2, "shipped": 2, "facts": 2, "spread": 2, "recipe": 2, "scalars": 2, "phases": 2,
    "datasets": 3, "prepared": 3, "checkpoint": 3, "descent": 3, "onnx_scores": 3, "difference": 3, "study_folder": 3,
    "torch_scores": 3, "network_input": 3,
    "preparing": 4, "imported": 4, "simulated": 4, "pooled": 4, "training": 4, "cluster": 4, "material": 4, "scoring": 4, "start": 4,
    "licence": 4, "candidates": 4, "predict": 5, "rendered": 5, "tasks": 5, "export": 5, "steps": 5, "explain": 5, "atlas": 5,
    "evaluate": 6, "study": 6, "picture": 6, "report": 6, "live": 6,
    "console": 7, "compare": 7, "choosing": 7,
    "series": 8,
    "cli": 9,
    "__init__": 9, "__main__": 10,
}  # fmt: skip
HOMES = {
    "torch": {"augment", "networks", "checkpoint", "start", "descent", "torch_scores", "training", "predict", "tasks", "study", "evaluate",
              "explain", "export"},
    "cv2": {"video", "face", "motion", "simulate", "datasets", "preparing", "imported", "rendered", "live", "explain", "atlas"},
    "av": {"libav", "video"},
    "matplotlib": {"atlas", "explain", "picture", "figures", "report"},
    "jinja2": {"report"},
    "sklearn": {"splits", "networks"},
    "skimage": {"simulate", "motion"},
    "joblib": {"spread"},
    "PIL": {"datasets"},
    "distributed": {"cluster"},
    "openpyxl": {"datasets"},
    "xlwt": {"datasets"},
    "pandas": {"datasets", "prepared", "preparing", "imported", "simulated", "pooled", "report", "figures", "explain"},
    "cyclopts": {"cli", "console"},
    "onnx": {"export"},
    "onnxscript": {"export"},
    "onnxruntime": {"export", "onnx_scores"},
    "rich": {"console"},
    "timm": {"networks"},
    "tensorboard": {"scalars"},
}  # fmt: skip
SHARED = {
    "motion": set(),
    "networks": {"layers", "learnet"},
    "datasets": {"dataset", "workbook", "tree", "match", "books", "collect", "cameras", "layouts"},
}
"""The tables of like things: their members do not know each other, only these, which are what they share."""

MODULES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """Full names of what a module imports, wherever in the file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import; name the defining module in full"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down_only(path: Path) -> None:
    here = room(path)
    assert here in FLOORS, f"{here} has no floor: give it one in design and here together"
    for name in imports(path):
        if not name.startswith("learnet."):
            continue
        there, member = name.split(".")[1], name.split(".")[2] if name.count(".") > 1 else ""
        if here == there:
            free = here not in SHARED or path.stem == "__init__"
            assert free or member in SHARED[here], f"{path.name} knows its sibling {member}"
            if path.parent.name == "layouts" and not free:
                assert name.startswith("learnet.datasets.layouts.writing."), (
                    f"layouts/{path.name} may know writing only, not {name}"
                )
        elif there in FLOORS:
            assert FLOORS[there] < FLOORS[here], (
                f"{here} (floor {FLOORS[here]}) imports {there} (floor {FLOORS[there]})"
            )


def test_nothing_imports_in_a_circle() -> None:
    """Inside a package too: `TopologicalSorter` raises where two modules need each other."""
    known = {
        ".".join(("learnet", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in MODULES
    }
    needs = {
        name: {
            full for full in known for found in imports(path) if found == full or found.startswith(full + ".")
        }
        for name, path in known.items()
    }
    nearest = {
        name: {n for n in found if not any(other != n and other.startswith(n + ".") for other in found)}
        for name, found in needs.items()
    }
    assert len(
        list(TopologicalSorter({name: found - {name} for name, found in nearest.items()}).static_order())
    ) == len(known)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_heavy_libraries_stay_at_home(path: Path) -> None:
    for name in imports(path):
        library = name.split(".")[0]
        if library in HOMES:
            assert room(path) in HOMES[library], (
                f"{room(path)} imports {library}; its home is {', '.join(sorted(HOMES[library]))}"
            )


def test_the_files_are_there() -> None:
    """A table that no longer matches the tree would make the tests above pass for nothing."""
    rooms = {room(path) for path in MODULES}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 500, "a file is read in one sitting"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 60, f"the body of {node.name} has {length} lines and does not fit a screen"
            assert node.args.kwarg is None, (
                f"{node.name} hands on **{node.args.kwarg and node.args.kwarg.arg}"
            )
