"""The rules of docs/architecture.md that a reading of the imports proves: packages import upwards in the list
only."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "learnet"

PACKAGES = (
    "core",
    "video",
    "face",
    "networks",
    "motion",
    "simulation",
    "datasets",
    "metrics",
    "training",
    "inference",
    "study",
    "report",
    "app",
    "cli",
)
"""A package imports only from packages above it in this list."""

HOMES = {
    "torch": {"networks", "training", "inference", "study", "report"},
    "cv2": {"video", "face", "motion", "simulation", "datasets", "inference", "report"},
    "av": {"video"},
    "matplotlib": {"inference", "report"},
    "jinja2": {"report"},
    "sklearn": {"datasets", "networks", "training"},
    "skimage": {"motion"},
    "scipy": {"report"},
    "safetensors": {"training"},
    "joblib": {"core"},
    "PIL": {"video", "datasets"},
    "distributed": {"study"},
    "openpyxl": {"datasets"},
    "xlwt": {"datasets"},
    "pympi": {"datasets"},
    "praatio": {"datasets"},
    "pandas": {"datasets", "inference", "study", "report"},
    "cyclopts": {"cli"},
    "onnx": {"inference"},
    "onnxscript": {"inference"},
    "onnxruntime": {"inference"},
    "rich": {"cli"},
    "timm": {"networks"},
    "captum": {"report"},
    "tensorboard": {"training"},
}
"""The packages that may import a heavy library."""

PEERS = {
    "networks": {
        "layers",
        "learnet",
        "baselines",
        "pairwise",
    },  # lbp-top, lbp-fip and bi-woof are the linear SVM on histograms
    "motion": {"weighted_sum", "lbp_top", "flow"},  # lbp_fip extends lbp_top, bi_woof is of flow
    "datasets/readers": {"smic_common"},
    "datasets/synthetic/layouts": {"writing"},
}
"""Tables of alternatives: their members do not know each other, only these modules, which they share."""

PIPELINES = {"evidence", "parts", "pipeline", "span", "trace"}
"""Modules beside alternatives that use several of them."""

MODULES = sorted(SOURCE.rglob("*.py"))


def package_of(path: Path) -> str:
    """Return the package of a module; for `__init__.py` and `__main__.py` of learnet itself, their stem."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the full name of everything that a module imports, wherever in the file."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import; name the defining module in full"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def learnet_imports(path: Path) -> list[list[str]]:
    """Return the parts after `learnet` of each name that a module imports from learnet."""
    return [name.split(".")[1:] for name in imports(path) if name.startswith("learnet.")]


def package_pairs() -> set[tuple[str, str]]:
    """Return every (importing package, imported package)."""
    pairs = set()
    for path in MODULES:
        importing = package_of(path)
        for parts in learnet_imports(path):
            if importing in PACKAGES and parts[0] in PACKAGES and parts[0] != importing:
                pairs.add((importing, parts[0]))
    return pairs


def test_learnet_has_at_most_14_packages_and_no_loose_module() -> None:
    packages = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages <= set(PACKAGES)
    assert {"core", "networks", "cli"} <= packages
    modules = {path.name for path in SOURCE.iterdir() if path.is_file()}
    assert modules - {"py.typed"} == {"__init__.py", "__main__.py"}


def test_packages_import_only_from_packages_above_them() -> None:
    upward = [
        f"{importing} imports {imported}"
        for importing, imported in sorted(package_pairs())
        if PACKAGES.index(imported) >= PACKAGES.index(importing)
    ]
    assert not upward


def test_few_packages_know_each_other() -> None:
    assert 20 < len(package_pairs()) <= 80


def test_alternatives_do_not_know_each_other() -> None:
    wrong = []
    for folder, shared in PEERS.items():
        members = {path.stem for path in (SOURCE / folder).glob("*.py")} - {"__init__"}
        assert shared <= members, f"{folder}: {shared - members} does not exist"
        prefix = folder.split("/")
        for path in (SOURCE / folder).glob("*.py"):
            if path.stem == "__init__" or path.stem in shared | PIPELINES:
                continue
            for parts in learnet_imports(path):
                if parts[: len(prefix)] != prefix or len(parts) <= len(prefix):
                    continue
                member = parts[len(prefix)]
                if member in members - shared:
                    wrong.append(f"{folder}/{path.name} imports its peer {member}")
    assert not wrong


def test_nothing_imports_in_a_circle() -> None:
    """Hold for modules inside a package too: `TopologicalSorter` raises where two modules need each other."""
    names = {}
    for path in MODULES:
        dotted = ".".join(("learnet", *path.relative_to(SOURCE).with_suffix("").parts))
        names[dotted.removesuffix(".__init__")] = path
    needs = {}
    for name, path in names.items():
        needed = set()
        for imported in imports(path):
            while (
                imported and imported not in names
            ):  # `learnet.core.errors.BadInput` needs `learnet.core.errors`
                imported = imported.rpartition(".")[0]
            needed.add(imported)
        needs[name] = needed - {name, ""}
    assert set(TopologicalSorter(needs).static_order()) == set(names)


def test_heavy_libraries_stay_at_home() -> None:
    wrong = []
    for path in MODULES:
        for name in imports(path):
            library = name.split(".")[0]
            if library in HOMES and package_of(path) not in HOMES[library]:
                wrong.append(f"{path.relative_to(SOURCE)} imports {library}")
    assert not wrong


def test_files_and_functions_are_short() -> None:
    wrong = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(SOURCE)
        if (lines := len(text.splitlines())) > 400:
            wrong.append(f"{where} has {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef):
                continue
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if length > 40:
                wrong.append(f"{where}: the body of {node.name} has {length} lines")
            if node.args.kwarg is not None:
                wrong.append(f"{where}: {node.name} hands on **{node.args.kwarg.arg}")
    assert not wrong


def test_every_csv_is_written_by_one_function() -> None:
    """`csv_files.csv_text` protects readers from formulas; tables of pandas call `escape_formula` first."""
    writers = set()
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        unprotected = "escape_formula" not in text and ".to_csv(" in text
        if re.search(r"\bcsv\.(writer|DictWriter)\b", text) or unprotected:
            writers.add(str(path.relative_to(SOURCE)))
    others = {  # a table for a digest, and `Recognition.to_csv`
        "datasets/prepared/importing.py",
        "inference/recognition.py",
        "cli/predict_video.py",
    }
    assert writers == {"core/csv_files.py", *others}
