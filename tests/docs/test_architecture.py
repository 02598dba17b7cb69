"""The picture of the architecture is the one that the imports give."""

import importlib.util
import re
import textwrap
from collections import Counter
from graphlib import CycleError
from pathlib import Path
from types import ModuleType

import pytest

from tests.test_layout import PACKAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("drawing", ROOT / "scripts" / "draw_architecture.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_in_the_docs_is_up_to_date(script: ModuleType) -> None:
    shown = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    assert shown == script.draw(), "run `python scripts/draw_architecture.py`"


def test_table_and_rule_have_the_order_of_the_picture(script: ModuleType) -> None:
    order = script.table_order()
    assert order == [name for name in PACKAGES if name in script.packages()]
    titles = re.findall(r'font-weight="600">(\w+)<', script.draw())
    assert titles[: len(order)] == order and set(order) == set(script.packages())


def write_package(root: Path, name: str, source: str) -> None:
    (root / name).mkdir()
    (root / name / "__init__.py").write_text(f'"""About {name}. More."""\n', encoding="utf-8")
    (root / name / "module.py").write_text(textwrap.dedent(source), encoding="utf-8")


def test_imports_are_counted_by_statement(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(tmp_path, "core", "import os\n")
    write_package(tmp_path, "video", "from learnet.core.errors import A, B\nimport learnet.core\n")
    inside = """
        from learnet import core, video
        import learnet.face.finder
        def late():
            from learnet.video.reader import open_video
        """
    write_package(tmp_path, "face", inside)
    monkeypatch.setattr(script, "SOURCE", tmp_path)

    names = script.packages()
    counts = script.count_imports(names)

    assert names == {"core": "About core", "face": "About face", "video": "About video"}
    by_hand = {("video", "core"): 2, ("face", "core"): 1, ("face", "video"): 2}
    assert counts == Counter(by_hand)
    assert script.layers(names, counts) == {"core": 0, "video": 1, "face": 2}


def test_a_cycle_is_an_error(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(tmp_path, "core", "import learnet.video.reader\n")
    write_package(tmp_path, "video", "import learnet.core\n")
    monkeypatch.setattr(script, "SOURCE", tmp_path)

    with pytest.raises(CycleError):
        script.draw()
