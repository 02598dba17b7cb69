"""The page about installation against the package: its extras, and what it says about them."""

import re
import tomllib
from pathlib import Path

import pytest

from learnet.core.extras import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guide" / "install.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_page_lists_the_extras_that_users_need() -> None:
    listed = set(re.findall(r"^\| `learnet\[(\w+)\]` \| ", PAGE, re.MULTILINE))
    assert listed == set(PROJECT["optional-dependencies"]) - {"dev", "docs"}
    assert listed == {extra for _, extra in EXTRAS.values()}


@pytest.mark.parametrize("extra", ["onnx", "cluster", "tensorboard"])
def test_every_extra_contains_training(extra: str) -> None:
    assert "learnet[train]" in PROJECT["optional-dependencies"][extra]
