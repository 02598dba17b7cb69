"""No file that a user gives is unpickled or run as code: a pickle can run anything when it is opened."""

import ast
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from learnet.cli import main
from tests.builders.written_study import write_prepared, write_study

SOURCE = Path(__file__).resolve().parents[1] / "src" / "learnet"
MODULES = {"pickle", "_pickle", "cPickle", "shelve", "marshal", "dill", "cloudpickle", "jsonpickle", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__", "read_pickle", "Unpickler", "load_module", "fromfile"}
LOADERS = {"torch.load", "joblib.load", "torch.jit.load", "torch.package", "keras.models.load_model"}
NUMPY_LOADERS = {"load", "read_array", "open_memmap", "genfromtxt"}


def full_name(node: ast.expr) -> str:
    """The dotted name that is called, as far as it is one."""
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def wrong_imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name for name in names if name.split(".")[0] in MODULES or name in LOADERS]
    return []


def wrong_calls(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call):
        return []
    name = full_name(node.func)
    last = name.split(".")[-1]
    is_numpy = name.split(".")[0] in ("np", "numpy") or last in ("read_array", "open_memmap")
    if is_numpy and last in NUMPY_LOADERS:
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        refused = options.get("allow_pickle")
        is_safe = isinstance(refused, ast.Constant) and refused.value is False
        return [] if is_safe or last == "open_memmap" else [f"{name} without allow_pickle=False"]
    is_bare = isinstance(node.func, ast.Name)
    return (
        [name]
        if name in LOADERS or last in CALLS - {"compile", "eval"} or (is_bare and last in CALLS)
        else []
    )


def test_no_loader_reads_pickles_or_code() -> None:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = wrong_imports(node) + wrong_calls(node)
            wrong += [f"{path.relative_to(SOURCE)}: {name}" for name in found]
    assert not wrong


def test_the_rule_finds_what_it_looks_for() -> None:
    for code in (
        "import pickle",
        "from joblib import load",
        "torch.load(f)",
        "np.load(f)",
        "np.load(f, allow_pickle=True)",
        "eval(text)",
        "pd.read_pickle(f)",
        "import yaml",
        "np.lib.format.read_array(f)",
    ):
        nodes = list(ast.walk(ast.parse(code)))
        assert any(wrong_imports(node) + wrong_calls(node) for node in nodes), code
    for code in ("module.eval()", "re.compile(x)", "np.load(f, allow_pickle=False)", "json.load(f)"):
        nodes = list(ast.walk(ast.parse(code)))
        assert not any(wrong_imports(node) + wrong_calls(node) for node in nodes), code


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def raw(bomb: Bomb) -> bytes:
    return pickle.dumps(bomb)


def npy(bomb: Bomb) -> bytes:
    content = io.BytesIO()
    np.save(content, np.array([bomb, bomb], dtype=object), allow_pickle=True)
    return content.getvalue()


def npz(bomb: Bomb) -> bytes:
    content = io.BytesIO()
    np.savez(content, images=np.array([bomb], dtype=object), about=np.array([bomb], dtype=object))
    return content.getvalue()


INPUTS: dict[str, Callable[[Path], list[object]]] = {
    "video.mp4": lambda bomb: ["predict", bomb],
    "stream.mp4": lambda bomb: ["live", bomb],
    "weights.safetensors": lambda bomb: ["predict", bomb.parent / "none.mp4", "--weights", bomb],
    "weights.onnx": lambda bomb: ["predict", bomb.parent / "none.mp4", "--weights", bomb],
    "weights.pth": lambda bomb: ["export", bomb, bomb.parent / "out.onnx"],
    "log.csv": lambda bomb: ["score", bomb],
    "log.log": lambda bomb: ["score", bomb],
    "labels.csv": lambda bomb: ["import", bomb.parent, bomb, bomb.parent / "out"],
    "recipe.toml": lambda bomb: ["run", bomb, bomb.parent / "out", "--synthetic"],
    "events.eaf": lambda bomb: ["import-annotations", bomb, "--to", bomb.parent / "out.csv"],
    "events.boris": lambda bomb: ["import-annotations", bomb, "--to", bomb.parent / "out.csv"],
    "events.TextGrid": lambda bomb: ["import-annotations", bomb, "--to", bomb.parent / "out.csv"],
    "prepared/images.npy": lambda bomb: ["study", bomb.parent, bomb.parents[1] / "out"],
    "prepared/prepare.json": lambda bomb: ["study", bomb.parent, bomb.parents[1] / "out"],
    "prepared/clips.csv": lambda bomb: ["train", bomb.parent, bomb.parents[1] / "out.safetensors"],
    "study/study.json": lambda bomb: ["report", bomb.parent],
    "study/outcomes.csv": lambda bomb: ["compare", bomb.parent, bomb.parent],
    "casme2/CASME2-coding-20140508.xlsx": lambda bomb: ["audit", "casme2", bomb.parent],
}
"""Where the pickle lies, and the command that reads it."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    write_study(folder / "study", write_prepared(folder / "prepared"))
    (folder / "casme2").mkdir()
    return folder


@pytest.mark.parametrize("make", [raw, npy, npz])
@pytest.mark.parametrize("name", INPUTS)
def test_a_pickle_in_the_place_of_an_input_is_not_opened(
    written: Path,
    tmp_path: Path,
    name: str,
    make: Callable[[Bomb], bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran, path = tmp_path / "ran", written / name
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(make(Bomb(ran)))
    try:
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in INPUTS[name](path)])
    finally:
        path.unlink() if before is None else path.write_bytes(before)
    assert not ran.exists()
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_these_pickles_would_run(tmp_path: Path) -> None:
    """So the test above shows something."""
    pickle.loads(raw(Bomb(tmp_path / "raw")))
    np.load(io.BytesIO(npy(Bomb(tmp_path / "npy"))), allow_pickle=True)
    np.load(io.BytesIO(npz(Bomb(tmp_path / "npz"))), allow_pickle=True)["images"]
    assert all((tmp_path / kind).exists() for kind in ("raw", "npy", "npz"))
