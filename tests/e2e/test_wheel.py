"""The wheel: its files, a description without dead links, and answers in an environment without PyTorch."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from learnet.datasets.synthetic.databases import synthetic_video
from learnet.study.shipped import RECIPES
from learnet.training.pretrained import FOLDER
from tests.builders.commands import HANG_S
from tests.builders.core_only import BLOCK

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
NOT_BUILT = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what the build reads."""
    place = tmp_path_factory.mktemp("wheel")
    copy = place / "learnet"
    shutil.copytree(SOURCE, copy / "src", ignore=NOT_BUILT)
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, copy)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", place)
    _run(sys.executable, "-m", "pip", "wheel", *options, copy)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def _run(*words: object, code: int = 0, **options: object) -> subprocess.CompletedProcess:
    """Run a command that sees nothing of this checkout, and check its exit code."""
    command = [str(word) for word in words]
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HANG_S, check=False, env=variables, **options
    )
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        contained = {name for name in archive.namelist() if name.startswith("learnet/")}
    files = {str(file.relative_to(SOURCE)) for file in (SOURCE / "learnet").rglob("*") if file.is_file()}
    assert contained == {name for name in files if "__pycache__" not in name}
    for folder, pattern in ((RECIPES, "candidates/flow.toml"), (FOLDER, "ststnet-flow-28.onnx")):
        assert f"{folder.relative_to(SOURCE)}/{pattern}" in contained
    assert {"learnet/py.typed", "learnet/metrics/published_scores.csv"} <= contained


def test_the_index_is_told_what_it_is(metadata: Message) -> None:
    assert metadata["Name"] == "learnet" and metadata["Author"] == "The learnet developers"
    assert metadata["License-Expression"] == "MIT" and metadata["Requires-Python"] == ">=3.11"
    classifiers = metadata.get_all("Classifier")
    for minor in (11, 12, 13):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert not any(re.match(r"(torch|scikit|scipy|captum|safetensors)\b", line) for line in required)


def test_no_link_of_the_description_is_dead_on_an_index(metadata: Message) -> None:
    text = re.sub(r"^```.*?^```", "", metadata.get_payload(), flags=re.MULTILINE | re.DOTALL)
    assert text.lstrip().startswith("# ") and metadata["Description-Content-Type"] == "text/markdown"
    assert not re.search(r"^!(?!\[)", text, re.MULTILINE), "the rest of a picture"
    targets = re.findall(r"\]\(([^)]*)\)", text) + re.findall(r"(?:src|href)=[\"']([^\"']*)", text)
    targets += re.findall(r"^\[[^\]]+\]: (\S+)", text, re.MULTILINE)
    assert [target for target in targets if not target.startswith(("https://", "http://", "#"))] == []


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and of the libraries that are installed here those of the core."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    _run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin" / "python"
    _run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "--no-deps", wheel)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "sitecustomize.py").write_text(BLOCK)
    return place / "bin"


def test_it_answers_in_an_environment_without_pytorch(environment: Path, tmp_path: Path) -> None:
    """In another folder, with everything that it reads taken from the wheel."""
    film = tmp_path / "film.mp4"
    synthetic_video(film, seed=3, duration_s=0.55)

    def learnet(*words: object, code: int = 0) -> subprocess.CompletedProcess:
        return _run(environment / "learnet", *words, code=code, cwd=tmp_path)

    where = _run(environment / "python", "-c", "import learnet; print(learnet.__file__)")
    assert where.stdout.startswith(str(environment.parent))
    assert '"label"' in learnet("predict", film).stdout
    assert "paper" in learnet("run", "paper", "--help").stdout
    learnet("synthesize", "casme2", "--people", 1, "--clips", 1)
    learnet("simulate", "flow", "--images", 8)
    learnet("evaluate", "flow", "study", "--classes", "megc-4")
    learnet("report", "study")
    assert (tmp_path / "study" / "report.html").stat().st_size > 10_000
    refused = learnet("study", "flow", "out", code=2)
    assert refused.stderr == (
        "learnet: learnet study needs PyTorch, which is not installed. "
        "Install it: pip install 'learnet[train]'\n"
    )
