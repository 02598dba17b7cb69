"""The message about a library that is not installed, and the extras that it names."""

import pickle
import tomllib
from pathlib import Path

import pytest

from learnet.core.errors import LearnetError
from learnet.core.extras import EXTRAS, MissingLibrary, missing_library

PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]


def test_the_message_names_the_library_and_the_extra() -> None:
    error = missing_library(ModuleNotFoundError("no", name="torch.nn"), "learnet study")
    assert str(error) == (
        "learnet study needs PyTorch, which is not installed. Install it: pip install 'learnet[train]'"
    )
    assert isinstance(error, LearnetError) and isinstance(error, ImportError)
    assert type(pickle.loads(pickle.dumps(error))) is MissingLibrary


@pytest.mark.parametrize("name", ["sympy", "learnet.studies", None])
def test_other_missing_modules_stay_errors_of_the_program(name: str | None) -> None:
    error = ModuleNotFoundError("no", name=name)
    with pytest.raises(ModuleNotFoundError) as caught:
        missing_library(error, "learnet study")
    assert caught.value is error


@pytest.mark.parametrize("module", EXTRAS)
def test_the_extra_installs_the_library_and_the_core_does_not(module: str) -> None:
    _, extra = EXTRAS[module]
    distribution = {"sklearn": "scikit-learn", "skimage": "scikit-image"}.get(module, module)
    assert any(entry.startswith(distribution) for entry in PROJECT["optional-dependencies"][extra])
    assert not any(entry.startswith(f"{distribution}>") for entry in PROJECT["dependencies"])
