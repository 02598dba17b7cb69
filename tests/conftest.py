"""What all tests share: a generator, real files beside the checkout, folders that are built once per run.

Checked array annotations cost every test time, so they are a run of their own: `make test-shapes`, which sets
LEARNET_CHECK_SHAPES=1.

The fixtures below `shared_folders` are read-only and the same for every worker: a database, a prepared
folder, a study and weights, of synthetic people. A test that writes to one of them takes a copy by
`builders.once.writable_copy`. Other folders that several modules need are made in the same way:

    def test_something(shared_folders):
        folder = shared_folders.get("name", build)  # build(folder) fills it, once per run
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Tests are many small jobs; several threads for each only slow one another down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# A busy machine must not fail a test, and two runs of one commit must try the same examples.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)  # pytest --hypothesis-profile explore
settings.load_profile("same")

if os.environ.get("LEARNET_CHECK_SHAPES") == "1":
    from jaxtyping import install_import_hook

    install_import_hook("learnet", "beartype.beartype")

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from tests.builders.commands import learnet  # noqa: E402
from tests.builders.once import SharedFolders  # noqa: E402


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


@pytest.fixture(scope="session")
def shared_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedFolders]:
    """Folders that are built once per run. A test that writes to one makes the session fail."""
    base = tmp_path_factory.getbasetemp()
    workers = "PYTEST_XDIST_WORKER" in os.environ  # each has a base of its own, below that of the run
    root = (base.parent if workers else base) / "shared"
    root.mkdir(exist_ok=True)
    folders = SharedFolders(root)
    yield folders
    folders.check()


@pytest.fixture(scope="session")
def synthetic_database(shared_folders: SharedFolders) -> Callable[..., Path]:
    """Return a synthetic database: `synthetic_database("samm", people=3, clips=4, seed=1)`."""

    def database(layout: str, people: int = 3, clips: int = 4, seed: int = 1) -> Path:
        size = ("--people", people, "--clips", clips, "--seed", seed)

        def build(folder: Path) -> None:
            learnet("synthesize", folder / layout, "--layout", layout, *size)

        return shared_folders.get(f"{layout}-{people}-{clips}-{seed}", build) / layout

    return database


@pytest.fixture(scope="session")
def prepared_folder(shared_folders: SharedFolders, synthetic_database: Callable[..., Path]) -> Path:
    """A prepared folder: 20 dynamic images of `synthetic_database("casme2", people=4, clips=5)`."""
    database = synthetic_database("casme2", people=4, clips=5)

    def build(folder: Path) -> None:
        learnet("prepare", "casme2", database, folder / "prepared")

    return shared_folders.get("prepared", build) / "prepared"


@pytest.fixture(scope="session")
def study_folder(shared_folders: SharedFolders, prepared_folder: Path) -> Path:
    """A study of the prepared folder: a linear SVM, one person left out at a time, weights kept."""

    def build(folder: Path) -> None:
        learnet("study", prepared_folder, folder / "svm", "--network", "linear-svm")

    return shared_folders.get("study", build) / "svm"


@pytest.fixture(scope="session")
def small_weights(shared_folders: SharedFolders, prepared_folder: Path) -> Path:
    """Weights of LEARNet after three epochs on everybody in the prepared folder."""

    def build(folder: Path) -> None:
        learnet("train", prepared_folder, folder / "learnet.safetensors", "--epochs", 3)

    return shared_folders.get("weights", build) / "learnet.safetensors"
