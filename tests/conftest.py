"""What all tests share: checked array annotations, a seeded generator, the folder of real files that lies beside the project."""

import os
from pathlib import Path

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # tests are many small jobs; threads only get in each other's way

from hypothesis import settings
from jaxtyping import install_import_hook

settings.register_profile("untimed", deadline=None)  # no test is timed: a busy machine is no mistake
settings.load_profile("untimed")

install_import_hook("learnet", "beartype.beartype")

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real videos and images beside the checkout; tests that need it skip where it is not."""
    folder = Path(os.environ.get("LEARNET_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real files here: {folder} does not exist")
    return folder
