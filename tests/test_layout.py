"""The house rules that a reading of the imports can prove: imports go down only, and heavy libraries stay at home."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "learnet"
FLOORS = {
    "errors": 0,
    "labels": 1, "clip": 1, "settings": 1,
    "outcomes": 2, "video": 2, "face": 2, "motion": 2, "simulate": 2, "augment": 2, "networks": 2, "splits": 2, "metrics": 2,
    "datasets": 3, "prepare": 3, "checkpoint": 3,
    "training": 4, "predict": 4,
    "study": 5, "picture": 5, "figures": 5,
    "evaluate": 6, "report": 6,
    "cli": 7,
    "__init__": 7, "__main__": 8,
}  # fmt: skip
HOMES = {
    "torch": {"augment", "networks", "checkpoint", "training", "predict", "study", "evaluate"},
    "cv2": {"video", "face", "motion", "simulate", "datasets", "prepare"},
    "av": {"video"},
    "matplotlib": {"picture", "figures", "report"},
    "jinja2": {"report"},
    "sklearn": {"splits", "networks"},
    "skimage": {"datasets"},
    "joblib": {"study", "prepare", "datasets"},
    "openpyxl": {"datasets"},
    "pandas": {"datasets", "prepare", "report", "figures", "study", "evaluate"},
    "cyclopts": {"cli"},
    "rich": {"cli"},
}
SHARED = {"motion.": {"dynamic", "normalise"}, "networks.": {"layers"}, "datasets.": {"dataset", "workbook", "tree", "audit"}}
"""Members of a package that their siblings may know, because they are what the siblings share."""

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
            shared = SHARED.get(f"{there}.", set())
            assert path.stem == "__init__" or member in shared, f"{path.name} knows its sibling {member}"
        elif there in FLOORS:
            assert FLOORS[there] < FLOORS[here], f"{here} (floor {FLOORS[here]}) imports {there} (floor {FLOORS[there]})"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_heavy_libraries_stay_at_home(path: Path) -> None:
    for name in imports(path):
        library = name.split(".")[0]
        if library in HOMES:
            assert room(path) in HOMES[library], f"{room(path)} imports {library}; its home is {', '.join(sorted(HOMES[library]))}"


def test_the_files_are_there() -> None:
    """A table that no longer matches the tree would make the tests above pass for nothing."""
    rooms = {room(path) for path in MODULES}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400, "a file is read in one sitting"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            assert body[-1].end_lineno - body[0].lineno < 45, f"{node.name} does not fit a screen" if body else ""
            assert node.args.kwarg is None, f"{node.name} hands on **{node.args.kwarg and node.args.kwarg.arg}"
